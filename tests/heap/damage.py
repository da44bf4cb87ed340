#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Random bytes in the pages of a heap: whatever is written there, ptrace gives
a snapshot, in time, and does not crash. Small cores of the churning program, a
few places of their writable memory changed in each: bytes, bits, words that
point elsewhere. What was changed is put back before the next.

    damage.py --build DIR [--count N] [--seed R] [ALLOCATOR...]
"""
import argparse
import os
import random
import struct
import sys
import tempfile
import time

import _heap
from _heap import crash

SHORT = ["ptmalloc", "jemalloc", "tcmalloc-minimal", "musl"]
SECONDS = 20  # for one snapshot, on a machine that has other things to do


def segments(core):
    """(file offset, size, address) of what was writable and anonymous."""
    with open(core, "rb") as f:
        head = f.read(64)
        offset, = struct.unpack_from("<Q", head, 32)
        count, = struct.unpack_from("<H", head, 56)
        f.seek(offset)
        table = f.read(count * 56)
    out = []
    for i in range(count):
        kind, flags, at, address, _, size = struct.unpack_from(
            "<IIQQQQ", table, i * 56)
        if kind == 1 and flags & 2 and size:
            out.append((at, size, address))
    return out


class Core:
    def __init__(self, path, chance):
        self.path, self.chance = path, chance
        self.segments = segments(path)
        # The pages that are in use: others hold nothing to walk.
        self.pages = []
        with open(path, "rb") as f:
            for at, size, _ in self.segments:
                for page in range(at, at + size, 4096):
                    f.seek(page)
                    if f.read(4096).strip(b"\0"):
                        self.pages.append(page)

    def value(self, old):
        """Another value for a word."""
        chance = self.chance
        kind = chance.randrange(7)
        if kind == 0:
            return chance.choice([0, 1, 8, 16, (1 << 64) - 1, 1 << 63,
                                  (1 << 47) - 8, 0x4141414141414141])
        if kind == 1:
            return old ^ 1 << chance.randrange(64)
        if kind == 2:
            return (old + chance.choice([-16, -8, -1, 1, 8, 16, 4096])) \
                % (1 << 64)
        if kind < 5:
            _, size, address = chance.choice(self.segments)
            return address + chance.randrange(size) // 16 * 16
        return chance.randrange(1 << 64)

    def change(self, f):
        """Changes a few places; gives what was there."""
        undo = []
        for _ in range(self.chance.choice([1, 1, 2, 4, 16, 200])):
            at = self.chance.choice(self.pages)
            at += self.chance.randrange(512) * 8
            f.seek(at)
            old = f.read(8)
            if len(old) < 8:
                continue
            undo.append((at, old))
            if self.chance.randrange(3):
                new = struct.pack("<Q", self.value(
                    struct.unpack("<Q", old)[0]))
            else:
                new = bytearray(old)
                new[self.chance.randrange(8)] = self.chance.randrange(256)
            f.seek(at)
            f.write(new)
        f.flush()
        return undo


def run(build, core, exe, where, f):
    """What was wrong with the snapshot of the core as it is; "": nothing."""
    undo = core.change(f)
    out = os.path.join(where, "out.btt")
    begun = time.monotonic()
    try:
        done = _heap.ptrace(build, core.path, exe, out, "--load=nothing",
                            timeout=60)
    finally:
        for at, old in reversed(undo):
            f.seek(at)
            f.write(old)
        f.flush()
    used = time.monotonic() - begun
    if done.returncode != 0:
        return f"status {done.returncode}: {done.stderr[:300]}"
    if used > SECONDS:
        return f"{used:.1f} s"
    # A stage or module that was lost is told on the console.
    for word in ("signal", "died", "did not", "took more than"):
        if word in done.stderr:
            return done.stderr[:300]
    return ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("allocators", nargs="*", metavar="ALLOCATOR")
    args = parser.parse_args()
    passed = failed = skipped = 0
    with tempfile.TemporaryDirectory(prefix="heap.") as where:
        for name in args.allocators or SHORT:
            exe = _heap.build(name, where)
            if exe is None:
                print(f"{name}: not installed here")
                skipped += args.count
                continue
            chance = random.Random(f"{name} {args.seed}")
            core = Core(crash.core(exe, where,
                                   [str(args.seed + 1), "2", "3"]), chance)
            with open(core.path, "r+b") as f:
                for i in range(args.count):
                    wrong = run(args.build, core, exe, where, f)
                    passed += not wrong
                    failed += bool(wrong)
                    if wrong:
                        print(f"FAIL: {name} --seed {args.seed}, {i}: {wrong}",
                              flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
