#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a snapshot tells of each allocator's heap: the blocks that variables
point into, the statistics, and the verdict on what programs/victim.c does."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import _heap
from _heap import crash
from checks import Checks

# Program, by what is done to it: the classes that are right. What an allocator
# does not notice (and which leaves no trace) is not here.
CASES = {
    "jemalloc": {"none": [], "twice": ["double-free"],
                 "stack": ["invalid-free"], "static": ["invalid-free"],
                 "use": ["use-after-free"],
                 "foreign": ["alloc-mismatch"]},
    "tcmalloc-minimal": {"none": [], "twice": ["double-free"],
                         "stack": ["invalid-free"],
                         "static": ["invalid-free"]},
    "musl": {"none": [], "twice": ["double-free"],
             "stack": ["invalid-free", "heap-corruption"],
             "interior": ["invalid-free", "heap-corruption"],
             "overflow": ["heap-overflow"]},
    "ptmalloc": {"none": [], "twice": ["double-free"],
                 "stack": ["invalid-free"], "static": ["invalid-free"],
                 "interior": ["invalid-free"]},
}
# Of a process with one thread.
OWNERS = {"jemalloc": "arena 0", "ptmalloc": "main arena"}
HEAP_CLASSES = {"double-free", "invalid-free", "heap-overflow",
                "heap-underflow", "use-after-free", "heap-corruption",
                "alloc-mismatch"}


def document(build, core, exe, where):
    out = os.path.join(where, "out.btt")
    done = _heap.ptrace(build, core, exe, out)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    shown = subprocess.run(
        [os.path.join(build, "ptrace"), "-b", out, "--format=json"],
        stdout=subprocess.PIPE, timeout=60, check=True)
    text = subprocess.run([os.path.join(build, "bt"), out], text=True,
                          stdout=subprocess.PIPE, timeout=60, check=True)
    return json.loads(shown.stdout), text.stdout


def variables(snapshot):
    for thread in snapshot["threads"]:
        for frame in thread["frames"]:
            if frame["symbol"] == "main":
                return {v["name"]: v for v in frame["variables"]}
    return {}


def check_variables(t, name, snapshot, text):
    """What is pointed into. The block's size is at least what was asked for,
    and not much more."""
    found = variables(snapshot)
    for variable, state, least, offset in (
            ("used", "allocated", 40, 0), ("interior", "allocated", 40, 8),
            ("freed", "freed", 100, 0), ("other", "allocated", 100, 0),
            ("large", "allocated", 3 << 20, 0)):
        heap = found.get(variable, {}).get("heap")
        if not t.check(heap is not None, name, variable, found.get(variable)):
            continue
        t.equal(heap["state"], state, name, variable, heap)
        # musl forgets the size of a freed block.
        if name != "musl" or state != "freed":
            t.check(least <= heap["size"] <= least * 1.5, name, heap)
        t.equal(heap["offset"], offset, name, variable, heap)
        owner = OWNERS.get(name)
        if (name, variable) == ("ptmalloc", "large"):
            owner = "mapping of its own"
        t.equal(heap.get("owner"), owner, name, variable, heap)
    t.check("heap" not in found.get("onstack", {"heap": 1}), name,
            found.get("onstack"))
    size = found["used"]["heap"]["size"] if "heap" in found["used"] else 0
    owner = ", " + OWNERS[name] if name in OWNERS else ""
    t.check(f"[heap block of {size}{owner}]" in text, name, text)
    t.check("[FREED block of " in text, name, text)


def check_heap(t, name, snapshot, text, sound):
    allocator = _heap.ALLOCATORS[name][0]
    heaps = [h for h in snapshot["heap"] if h["allocator"] == allocator]
    if not t.equal(len(heaps), 1, name, snapshot["heap"],
                   snapshot["warnings"]):
        return
    heap = heaps[0]
    t.equal(heap["malloc"], True, name)
    t.check(f"  heap: {allocator}" in text, name, text)
    if sound:
        t.equal(heap["anomalies"], [], name)
        t.equal((heap["complete"], heap["anomaly_count"]), (True, 0), name)
        t.check(heap["allocated"]["blocks"] >= 4, name, heap)
        t.check(heap["allocated"]["bytes"] > 3 << 20, name, heap)
        t.check(heap["largest_block"] >= 3 << 20, name, heap)


# Who points to the block, in the evidence.
HOLDERS = {("jemalloc", "use"): ["n (struct node *) of follow points to it",
                                 "keep of jemalloc points to it",
                                 "it belongs to jemalloc: arena 0"],
           ("ptmalloc", "twice"): ["p (void *) of release points to it",
                                   "it belongs to ptmalloc: main arena"]}


def check_holders(t, name, case, said):
    evidence = [e for f in said for e in f["evidence"]]
    for line in HOLDERS.get((name, case), []):
        t.check(line in evidence, name, case, line, evidence)


def check_case(t, build, name, exe, case, classes, where):
    core = crash.core(exe, where, [case])
    snapshot, text = document(build, core, exe, where)
    said = [f for f in snapshot["findings"] if f["class"] in HEAP_CLASSES]
    first = [f["class"] for f in snapshot["findings"] if f["primary"]]
    check_heap(t, name, snapshot, text, not classes)
    if classes:
        t.check(first and first[0] in classes, name, case, first, said)
        check_holders(t, name, case, said)
    else:
        t.equal(said, [], name, case)
        check_variables(t, name, snapshot, text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    args = parser.parse_args()
    t = Checks()
    with tempfile.TemporaryDirectory(prefix="heap.") as where:
        for name, cases in CASES.items():
            foreign = ["-DFOREIGN"] if "foreign" in cases else []
            exe = _heap.build(name, where, "victim.c",
                              ["-g", "-O0", "-w", *foreign])
            if exe is None:
                print(f"{name}: not installed here")
                continue
            for case, classes in cases.items():
                check_case(t, args.build, name, exe, case, classes, where)
    return t.end()


if __name__ == "__main__":
    sys.exit(main())
