#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The walk of a heap against the program's own list of what it holds.

Threads allocate, free and hand blocks to each other until the process aborts
at a random moment (programs/churn.c). What they wrote down of every call must
be what the walk finds: the same blocks allocated, of the same usable size, and
none that was freed; an address within a block must be told like the walk tells
the block. Blocks that a thread is moving at that very moment are counted, not
judged.

    oracle.py --build DIR [--count N] [--seed R] [ALLOCATOR...]

With HEAP_JEMALLOC=/.../libjemalloc.so.2, jemalloc-given is that library.
"""
import argparse
import os
import shutil
import sys
import tempfile

import _heap
from _heap import crash

SHORT = ["ptmalloc", "ptmalloc-static", "ptmalloc-1-arena",
         "ptmalloc-16-arenas", "ptmalloc-no-tcache", "ptmalloc-perturb",
         "ptmalloc-mmap", "jemalloc", "jemalloc-static", "tcmalloc-minimal", "tcmalloc-static",
         "musl", "musl-static"]
# Threads, milliseconds.
SHAPES = [(1, 60), (6, 150), (2, 20), (20, 250)]
# What a thread is just making smaller still says its old size, while another
# may have got the pages behind: mappings have no lock.
ALONE = {"ptmalloc-mmap"}
# Of these the program's shim sees only its own calls, not those that libraries
# make for themselves: the linker's blocks of new threads, libstdc++'s pool; and
# jemalloc 5.2 takes a block of its own for each thread (arenas_tdata).
PARTLY_SEEN = {"jemalloc-static": 4, "tcmalloc-static": 4, "jemalloc-given": 1}


class Bench:
    def __init__(self, build, where):
        self.build, self.where = build, where
        self.module = _heap.build_walk(where)
        self.failed = self.passed = self.skipped = self.moving = 0

    def run(self, name, exe, seed, threads, milliseconds):
        """The journal and the walk of one process."""
        directory = os.path.join(self.where, "run")
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
        journal = os.path.join(directory, "journal")
        core = crash.core(exe, directory,
                          [str(seed), str(threads), str(milliseconds)],
                          dict(_heap.ENVIRONMENTS.get(name, {}),
                               JOURNAL=journal))
        walked = _heap.walk(self.build, self.module, core, exe, directory,
                            _heap.ALLOCATORS[name][0], ask=5)
        return _heap.Journal(journal), walked

    def judge(self, name, exe, seed, taken):
        threads, milliseconds = SHAPES[
            0 if name in ALONE else seed % len(SHAPES)]
        journal, walked = self.run(name, exe, seed, threads, milliseconds)
        spare = 0
        if name in PARTLY_SEEN:
            spare = PARTLY_SEEN[name] + threads
        lines, moving = _heap.compare(journal, walked, taken, spare)
        lines += [f"asked again: {line}" for line in walked.differs]
        lines += [f"anomaly: {a}" for a in walked.anomalies if not a[3]]
        if walked.cut:
            lines.append("the walk was cut short")
        if not walked.blocks:
            lines.append(f"nothing was walked: {walked.remarks}")
        if walked.owner != _heap.ALLOCATORS[name][0]:
            lines.append(f"malloc is said to be of {walked.owner}")
        self.moving += moving
        if lines:
            self.failed += 1
            print(f"FAIL: {name} --seed {seed}: {len(lines)} differences",
                  *lines[:8], sep="\n    ")
        else:
            self.passed += 1

    def allocator(self, name, count, seed):
        exe = _heap.build(name, self.where)
        if exe is None:
            print(f"{name}: not installed here")
            self.skipped += count
            return
        journal, walked = self.run(name, exe, 0, 0, 0)
        taken = _heap.own(walked, journal)
        for i in range(seed, seed + count):
            self.judge(name, exe, i, taken)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--count", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("allocators", nargs="*", metavar="ALLOCATOR")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="heap.") as where:
        bench = Bench(args.build, where)
        for name in args.allocators or SHORT:
            bench.allocator(name, args.count, args.seed)
    print(f"{bench.moving} blocks were on their way")
    print(f"{bench.passed} passed, {bench.failed} failed, "
          f"{bench.skipped} skipped")
    return 1 if bench.failed else 0


if __name__ == "__main__":
    sys.exit(main())
