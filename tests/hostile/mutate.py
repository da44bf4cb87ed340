#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Damages cores and executables at random, reproducibly, and runs ptrace and
bt on them. A worker that dies or overruns is a fault of ours even though the
supervisor survives it: each is printed with the seed that gives it again.

    mutate.py --build DIR [--count N] [--seed R] [--what core|exe|both]
              [--keep DIR] [--no-variables]
"""
import argparse
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
import crash  # noqa: E402

EDGES = [0, 1, 2, 3, 4, 7, 8, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff,
         0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff, 0x7fffffffffff,
         0x800000000000, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]


def segments(data):
    """(type, offset, size) of every program header."""
    phoff, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for i in range(count):
        kind, _, offset, _, _, filesz = struct.unpack_from(
            "<IIQQQQ", data, phoff + i * size)
        yield kind, offset, filesz


def interesting(data, is_core):
    """Ranges worth damaging: headers, notes; of an executable, its unwind and
    debug sections, which lie behind the code."""
    phoff, = struct.unpack_from("<Q", data, 32)
    phentsize, phnum = struct.unpack_from("<HH", data, 54)
    ranges = [(0, 64), (phoff, phentsize * phnum)]
    for kind, offset, size in segments(data):
        if kind == 4 or kind == 0x6474e550:  # notes, .eh_frame_hdr
            ranges.append((offset, size))
            ranges.append((offset, min(size, 4096)))
    if is_core:
        ranges.append((0, len(data)))
    else:
        shoff, = struct.unpack_from("<Q", data, 40)
        ranges += [(shoff, len(data) - shoff)]
        half = len(data) // 2
        ranges += [(half, len(data) - half)] * 4
    return [(a, n) for a, n in ranges if n > 0 and a + n <= len(data)]


def damage(data, rng, is_core):
    data = bytearray(data)
    ranges = interesting(data, is_core)
    for _ in range(rng.choice((1, 1, 2, 4, 16, 64))):
        start, size = rng.choice(ranges)
        at = start + rng.randrange(size)
        kind = rng.randrange(6)
        if kind == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at] = rng.choice(EDGES) & 0xff
        elif kind in (2, 3):
            at &= ~3
            form = rng.choice(("<H", "<I", "<Q"))
            width = struct.calcsize(form)
            value = rng.choice(EDGES) & ((1 << 8 * width) - 1)
            if at + width <= len(data):
                struct.pack_into(form, data, at, value)
        elif kind == 4:
            other = start + rng.randrange(size)
            n = min(rng.randrange(1, 64), len(data) - max(at, other))
            data[at:at + n] = data[other:other + n]
        else:
            n = min(rng.randrange(1, 256), len(data) - at)
            data[at:at + n] = rng.randbytes(n)
    if rng.randrange(20) == 0:
        del data[rng.randrange(64, len(data)):]
    return bytes(data)


def run(build, args, limit):
    started = time.monotonic()
    try:
        done = subprocess.run(
            [os.path.join(build, args[0]), *args[1:]], timeout=limit,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, check=False,
            env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
    except subprocess.TimeoutExpired:
        return "does not end", b""
    took = time.monotonic() - started
    if done.returncode not in (0, 2):
        return f"exit status {done.returncode}", done.stderr
    for sign in (b"the worker", b"Sanitizer", b"runtime error"):
        if sign in done.stderr:
            return "a worker died", done.stderr
    if took > limit / 3:
        return f"took {took:.1f} s", done.stderr
    return None, b""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--what", default="both",
                        choices=("core", "exe", "both"))
    parser.add_argument("--keep", help="keep what gave a fault here")
    parser.add_argument("--no-variables", action="store_true")
    parser.add_argument("--limit", type=float, default=30)
    args = parser.parse_args()
    where = tempfile.mkdtemp(prefix="inquest-mutate.")
    faults = 0
    try:
        exe = crash.build(
            os.path.join(ROOT, "tests", "programs", "demo.c"),
            ["-g", "-O1"], "gcc", where)
        core = crash.core(exe, where)
        with open(core, "rb") as f:
            good_core = f.read()
        with open(exe, "rb") as f:
            good_exe = f.read()
        bad_core = os.path.join(where, "bad.core")
        bad_exe = os.path.join(where, "bad.exe")
        for seed in range(args.seed, args.seed + args.count):
            rng = random.Random(seed)
            what = args.what
            if what == "both":
                what = rng.choice(("core", "exe"))
            with open(bad_core, "wb") as f:
                f.write(damage(good_core, rng, True) if what == "core"
                        else good_core)
            with open(bad_exe, "wb") as f:
                f.write(damage(good_exe, rng, False) if what == "exe"
                        else good_exe)
            if args.no_variables:
                command = ["bt", "--no-variables"]
            else:
                command = ["ptrace", "-o", os.path.join(where, "x.btt"),
                           "--overwrite"]
            fault, text = run(args.build, [*command, "--force", "--core",
                                           bad_core, bad_exe], args.limit)
            if fault is None:
                continue
            faults += 1
            print(f"seed {seed} ({what}): {fault}")
            print(text.decode("utf-8", "replace")[-3000:], flush=True)
            if args.keep:
                os.makedirs(args.keep, exist_ok=True)
                shutil.copy(bad_core, f"{args.keep}/{seed}.core")
                shutil.copy(bad_exe, f"{args.keep}/{seed}.exe")
    except crash.CrashError as error:
        print("skipped:", error)
        return 77
    finally:
        shutil.rmtree(where, ignore_errors=True)
    print(f"{args.count} damaged inputs, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
