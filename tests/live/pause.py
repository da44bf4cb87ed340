#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How long a process of a thousand threads stands still, and that the time to
copy memory is bounded by --max-pause. Prints the figures; the limits are loose,
for the machine may be busy."""
import sys
import time

import _live

THREADS = 1000


def captured(bench, t, pid, *args):
    started = time.monotonic()
    d = bench.json(t, pid, "--no-variables", *args)
    return d, time.monotonic() - started


def thousand(bench, t):
    target = bench.known(THREADS)
    pauses, totals = [], []
    for _ in range(5):
        d, total = captured(bench, t, target.pid)
        pauses.append(d["attributes"].get("ptrace.pause", 0) / 1000)
        totals.append(total * 1000)
        t.equal(len(d["threads"]), THREADS + 2, "threads:")
        t.check(all(x["frames"] for x in d["threads"]), "without frames")
    print(f"{THREADS + 2} threads: pause {min(pauses):.1f} to "
          f"{max(pauses):.1f} ms, in all {min(totals):.0f} ms")
    t.check(all(0 < p < total for p, total in zip(pauses, totals)), pauses,
            totals)
    d, _ = captured(bench, t, target.pid, "--max-pause=1")
    t.check(any(w["code"] == "live.pause" for w in d["warnings"]),
            "nothing was left out:", d["warnings"])
    t.check(sum(len(x["frames"]) > 3 for x in d["threads"]) > THREADS - 10,
            "stacks read after the resumption")
    t.check(_live.is_free(target.pid), "left traced")


def body(bench, t):
    thousand(bench, t)


if __name__ == "__main__":
    sys.exit(_live.main(body))
