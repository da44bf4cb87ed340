#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Processes that hang: the verdict from outside, while they are running, and
none on one that only waits."""
import os
import sys

import _live
import crash

CRASHES = os.path.join(_live.ROOT, "tests", "crashes")
PROGRAMS = os.path.join(CRASHES, "programs")
FUTEX = "202"  # x86-64


def in_futex(pid):
    """How many threads wait in futex."""
    n = 0
    for tid in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{tid}/syscall") as f:
                n += f.read().split()[:1] == [FUTEX]
        except OSError:
            pass  # it has ended
    return n


def hang(bench, t, name, waiting):
    """(tids, document) of a crash test's program once it stands still."""
    exe = crash.build(os.path.join(PROGRAMS, name + ".c"), ["-g", "-pthread"],
                      "gcc", bench.dir, name=name)
    target = bench.start(exe, ready=False)
    t.check(_live.wait_for(lambda: in_futex(target.pid) == waiting), name,
            "does not hang")
    return (set(_live.tasks(target.pid)),
            bench.json(t, target.pid))


def body(bench, t):
    tids, document = hang(bench, t, "k01", 3)
    found = [f for f in document.get("findings", []) if f.get("primary")]
    t.equal([f["class"] for f in found], ["deadlock"], "two locks in a circle")
    for lock in document.get("locks", []):
        t.check(lock.get("owner") in tids, "owner", lock)
    t.check("lock.deadlock" in document.get("classifiers", []), "classifier")

    target = bench.known(4)
    document = bench.json(t, target.pid)
    t.equal(document.get("findings", []), [], "a process that only waits")
    contended(bench, t)


def contended(bench, t):
    """A thread that has just been given a lock waits for it no more."""
    exe = crash.build(os.path.join(CRASHES, "analyses", "locks.c"),
                      ["-g", "-O1", "-w"], "gcc", bench.dir, name="locks")
    target = bench.start(exe, "handover")
    for _ in range(12):
        d = bench.json(t, target.pid)
        t.equal([f["class"] for f in d["findings"]], [], "handed over")


if __name__ == "__main__":
    sys.exit(_live.main(body))
