#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Blocks with mappings of their own: all are found wherever the kernel has put
them (programs/placed.c has a list), and the stacks of threads, with which they
share mappings, are not read for it: the pages that are touched are counted."""
import argparse
import os
import resource
import sys
import tempfile

import _heap
from _heap import crash
from checks import Checks

# Two stacks of 64 MiB, if they were read, in the 64 KiB that come with a page.
TOO_MANY = (128 << 20) // (64 << 10)


def listed(path):
    with open(path) as f:
        return {int(start, 16): int(usable)
                for start, usable in (line.split() for line in f)}


def faults(run):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = run()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return result, (after.ru_minflt + after.ru_majflt
                    - before.ru_minflt - before.ru_majflt)


def taken(build, exe, module, case, where):
    """The program's list, the walk, and the pages touched by a snapshot."""
    directory = os.path.join(where, case)
    os.makedirs(directory)
    journal = os.path.join(directory, "journal")
    core = crash.core(exe, directory, [case], {"JOURNAL": journal})
    walked = _heap.walk(build, module, core, exe, directory)
    out = os.path.join(directory, "out.btt")
    done, count = faults(lambda: _heap.ptrace(build, core, exe, out))
    return listed(journal), walked, done, count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    args = parser.parse_args()
    t = Checks()
    with tempfile.TemporaryDirectory(prefix="heap.") as where:
        exe = _heap.build("ptmalloc", where, "placed.c", ["-g", "-O1"])
        module = _heap.build_walk(where)
        _, _, _, base = taken(args.build, exe, module, "none", where)
        blocks, walked, done, count = taken(args.build, exe, module, "all",
                                            where)
        t.equal(done.returncode, 0, done.stderr)
        t.check(len(blocks) == 7, blocks)
        large = {b[0]: b[2] for b in walked.blocks
                 if b[1] == "allocated" and b[2] >= 1 << 20}
        t.equal(large, blocks)
        t.check(not walked.cut, walked.heaps)
        t.equal(walked.anomalies, [])
        t.check(count < base + TOO_MANY, "pages", base, count)
    return t.end()


if __name__ == "__main__":
    sys.exit(main())
