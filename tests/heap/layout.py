#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A C library that says it is of a version nobody knows: its heap is read by
the debug information, and the walk is as exact as ever (as in oracle.py);
without that information it is refused by name. Of a version that is known, the
table and the debug information say the same."""
import argparse
import os
import subprocess
import sys
import tempfile

import _heap
from _heap import crash
from checks import Checks

LIBC = "/lib/x86_64-linux-gnu/libc.so.6"
UNKNOWN = b"2.97"


def version():
    text = subprocess.run([LIBC], stdout=subprocess.PIPE, check=True).stdout
    return text.split(b"stable release version ")[1].split(b".\n")[0]


def renamed(where):
    """A copy of libc whose own words for its version are others. Symbols'
    versions (GLIBC_2.36) stay, or nothing would link with it."""
    with open(LIBC, "rb") as f:
        data = f.read()
    old = version()
    for before, after in ((b"\0", b"\0"), (b"release version ", b"."),
                          (b"glibc ", b"\0"), (b"NPTL ", b"\0")):
        data = data.replace(before + old + after, before + UNKNOWN + after)
    os.makedirs(where)
    with open(os.path.join(where, "libc.so.6"), "wb") as f:
        f.write(data)


def has_debug():
    """Debug information of libc, in its usual place."""
    notes = subprocess.run(["readelf", "-n", LIBC], stdout=subprocess.PIPE,
                           text=True, check=True).stdout
    name = notes.split("Build ID: ")[1].split()[0]
    return os.path.exists(
        f"/usr/lib/debug/.build-id/{name[:2]}/{name[2:]}.debug")


class Runs:
    """The program with another C library, and without parts of what is known
    of it."""
    def __init__(self, build, where):
        self.build, self.where = build, where
        self.exe = _heap.build("ptmalloc", where)
        self.module = _heap.build_walk(where)
        renamed(os.path.join(where, "lib"))

    def core(self, name, seed, threads, milliseconds, lib="lib"):
        """The journal, and the core and its directory."""
        where = os.path.join(self.where, name)
        os.makedirs(where)
        journal = os.path.join(where, "journal")
        core = crash.core(self.exe, where,
                          [str(seed), str(threads), str(milliseconds)],
                          {"JOURNAL": journal, "LD_LIBRARY_PATH":
                           os.path.join(self.where, lib)})
        return _heap.Journal(journal), (core, where)

    def walk(self, core, *more):
        return _heap.walk(self.build, self.module, core[0], self.exe, core[1],
                          "ptmalloc", 5, more)

    def walked(self, *args):
        journal, core = self.core(*args)
        return journal, self.walk(core)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    args = parser.parse_args()
    if not has_debug():
        print("libc6-dbg is not installed")
        return 77
    t = Checks()
    with tempfile.TemporaryDirectory(prefix="heap.") as where:
        runs = Runs(args.build, where)
        journal, walked = runs.walked("own", 0, 0, 0)
        taken = _heap.own(walked, journal)
        for seed in (1, 2, 3):
            journal, walked = runs.walked(f"described{seed}", seed, 4, 80)
            lines, _ = _heap.compare(journal, walked, taken)
            t.equal(lines, [], seed)
            t.check(len(journal.live) > 100, len(journal.live))
            t.equal(walked.differs, [])
            t.equal([a for a in walked.anomalies if not a[3]], [])
            t.equal(walked.owner, "ptmalloc")
            t.check(not walked.cut)
            t.check(UNKNOWN.decode() in walked.heaps["ptmalloc"]["version"],
                    walked.heaps)
        _, core = runs.core("unknown", 1, 4, 80)
        walked = runs.walk(core, "--load=/nothing")
        t.equal(walked.blocks, [])
        t.check(any(UNKNOWN.decode() in r for r in walked.remarks),
                walked.remarks)
        _, core = runs.core("known", 1, 4, 80, "none")
        described, table = runs.walk(core), runs.walk(core, "--load=/nothing")
        t.check(len(described.blocks) > 100)
        t.equal(described.blocks, table.blocks)
        t.equal(described.heaps, table.heaps)
    return t.end()


if __name__ == "__main__":
    sys.exit(main())
