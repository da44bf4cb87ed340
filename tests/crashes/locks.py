#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Locks: who waits for whom, as a finding and as data, with symbols and
without; and nothing where threads wait that will go on."""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
import checks  # noqa: E402
import crash  # noqa: E402

SOURCE = os.path.join(HERE, "analyses", "locks.c")
# What it plays: class, token; waits in the data, how their chains end, the
# kinds and symbols of the locks, and what the evidence contains.
BAD = {
    "two": ("deadlock", "lock.deadlock", 2, "deadlock", {"mutex"},
            {"first", "second"}, "in take_two waits for the mutex first"),
    "three": ("deadlock", "lock.deadlock", 3, "deadlock", {"mutex"},
              {"first", "second", "third"}, "waits for the mutex third"),
    "crowd": ("deadlock", "lock.deadlock", 22, "deadlock", {"mutex"},
              {"first", "second"}, "20 more threads wait behind them"),
    "self": ("self-deadlock", "lock.self", 1, "deadlock", {"mutex"},
             {"first"}, "waits for the mutex first"),
    "robust": ("deadlock", "lock.deadlock", 2, "deadlock", {"mutex"},
               {"first", "second"}, "held by thread"),
    "inherit": ("deadlock", "lock.deadlock", 2, "deadlock", {"mutex"},
                {"first", "second"}, "held by thread"),
    "writer": ("deadlock", "lock.deadlock", 2, "deadlock",
               {"mutex", "read-write lock"}, {"first", "table"},
               "waits for the read-write lock table"),
    "orphan": ("orphaned-lock", "lock.orphan", 1, "orphaned", {"mutex"},
               {"first"}, "held by thread"),
    "orphan-table": ("orphaned-lock", "lock.orphan", 1, "orphaned",
                     {"read-write lock"}, {"table"}, "held by thread"),
    "join": ("deadlock", "lock.deadlock", 1, "deadlock", {"mutex"},
             {"first"}, "waits for the end of thread"),
    "condition": ("lock-held-while-waiting", "lock.held-waiting", 1, "event",
                  {"mutex"}, {"first"}, "waits for the mutex first"),
}
# What is only contention: a comment says so, or nothing does.
GOOD = {"timed": None, "running": "which is running",
        "input": "which is in a system call", "foreign": None,
        "neighbours": None,
        "moving": "which is waiting for something else"}

# Also without symbols.
BARE = {"two", "self", "writer", "orphan-table", "join", "condition"}


def document(bt, core, exe):
    text = subprocess.run([bt, "--json", "--core", core, exe], check=True,
                          timeout=60, stdout=subprocess.PIPE).stdout
    return json.loads(text)


def one_thread(bt, core, exe, tid):
    """The document of a snapshot of that thread alone."""
    ptrace = os.path.join(os.path.dirname(bt), "ptrace")
    out = core + ".btt"
    subprocess.run([ptrace, "--core", core, exe, f"--thread={tid}", "-o", out,
                    "--overwrite"], check=True, timeout=60,
                   stdout=subprocess.DEVNULL)
    text = subprocess.run([ptrace, "-b", out, "--format=json"], check=True,
                          timeout=60, stdout=subprocess.PIPE).stdout
    return json.loads(text)


def attempt(exe, what, where, look):
    process = subprocess.Popen([exe, what], stdout=subprocess.PIPE,
                               stdin=subprocess.DEVNULL)
    try:
        if process.stdout.readline() != b"ready\n":
            raise crash.CrashError(f"{what}: did not start")
        base = os.path.join(where, "core")
        subprocess.run(["gcore", "-o", base, str(process.pid)], check=True,
                       timeout=60, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        core = f"{base}.{process.pid}"
        found = look(core)
        os.unlink(core)
        n = len(os.listdir(f"/proc/{process.pid}/task"))
        return found if len(found["threads"]) == n else None
    finally:
        process.kill()
        process.wait()


def snapshot(bt, exe, what, where, look=None):
    """What `look` has to say of a core; by default our document of it."""
    for _ in range(5):  # gdb drops a thread now and then
        done = attempt(exe, what, where,
                       look or (lambda core: document(bt, core, exe)))
        if done is not None:
            return done
    raise crash.CrashError("gcore does not get all threads")


def hidden_owner(bt, exe, where, t):
    """An owner that is not shown has not ended."""
    def look(core):
        d = document(bt, core, exe)
        if d["locks"]:
            alone = one_thread(bt, core, exe, d["locks"][0]["waiter"])
            t.equal([f["class"] for f in alone["findings"]], [], "--thread")
            t.equal(len(alone["threads"]), 1, "--thread")
            t.equal([x["end"] for x in alone["locks"]], ["not shown"],
                    "--thread")
        return d
    t.check(snapshot(bt, exe, "two", where, look)["locks"], "no locks")


def judge_bad(what, d, symbols, t):
    cls, token, waits, end, kinds, names, text = BAD[what]
    locks = d["locks"]
    tids = {thread["tid"] for thread in d["threads"]}
    t.equal([f["class"] for f in d["findings"]], [cls], what)
    t.check(token in d["classifiers"], what, d["classifiers"])
    t.equal(len(locks), waits, what, "waits:")
    t.equal({x["end"] for x in locks}, {end}, what, "ends:")
    t.equal({x["kind"] for x in locks}, kinds, what, "kinds:")
    if symbols:
        t.equal({x["symbol"] for x in locks}, names, what, "symbols:")
        t.check(any(text in e for f in d["findings"] for e in f["evidence"]),
                what, "no evidence with", repr(text),
                [f["evidence"] for f in d["findings"]])
    for x in locks:
        t.equal(x["chain"][:2], [x["waiter"], x["owner"]], what, "chain:")
        alive = x["chain"] if end != "orphaned" else x["chain"][:-1]
        t.check(set(alive) <= tids, what, x["chain"], "are not all threads")
        # A chain that ends in a deadlock closes: its last thread came before.
        if end == "deadlock":
            t.check(x["chain"][-1] in x["chain"][:-1], what, x["chain"])


def judge_good(what, d, t):
    texts = " ".join(a.get("text", "") for a in d["annotations"])
    t.equal([f["class"] for f in d["findings"]], [], what)
    t.equal([c for c in d["classifiers"] if c.startswith("lock")], [], what)
    if GOOD[what] is not None:
        t.check(GOOD[what] in texts, what, "no comment with", GOOD[what],
                texts)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    args = parser.parse_args()
    if shutil.which("gcore") is None:
        print("skipped: no gcore")
        return 77
    bt = os.path.join(os.path.abspath(args.build), "bt")
    where = tempfile.mkdtemp(prefix="inquest-locks.")
    t = checks.Checks()
    try:
        exe = crash.build(SOURCE, ["-g", "-O1", "-w"], "gcc", where)
        bare = crash.build(SOURCE, ["-O2", "-w", "-s"], "gcc", where,
                           name="bare")
        for what in BAD:
            judge_bad(what, snapshot(bt, exe, what, where), True, t)
            if what in BARE:
                judge_bad(what, snapshot(bt, bare, what, where), False, t)
        for what in GOOD:
            judge_good(what, snapshot(bt, exe, what, where), t)
        hidden_owner(bt, exe, where, t)
    except crash.CrashError as error:
        print("skipped:", error)
        return 77
    finally:
        shutil.rmtree(where, ignore_errors=True)
    return t.end()


if __name__ == "__main__":
    sys.exit(main())
