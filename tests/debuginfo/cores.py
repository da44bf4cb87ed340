#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Cores as they come: from the kernel with each coredump_filter, from GDB,
without the mapped files, with more than 65,535 segments, with up to 4,000
threads. The frames and values must be the same in all of them.

    cores.py --build DIR
"""
import argparse
import os
import shutil
import struct
import sys
import tempfile

import _cases
import run
from checks import Checks

PT_LOAD, PN_XNUM = 1, 0xffff
THREADS = (0, 1, 2, 63, 1000, 4000)
# man 5 core: bit 0 private anonymous, 1 shared anonymous, 2 private file, 3
# shared file, 4 ELF headers, 5 and 6 huge pages, 7 and 8 DAX.
FILTERS = ("0x1", "0x3", "0x5", "0x11", "0x31", "0x33", "0x37", "0x7f",
           "0x1ff")


def crowd(got):
    """{number of the waiting thread: its word}"""
    found = {}
    for thread in got.document["threads"]:
        for frame in thread["frames"]:
            if frame.get("symbol") != "attend":
                continue
            values = {v["name"]: v for v in frame.get("variables", [])}
            number = values.get("number", {}).get("value")
            found[number] = values.get("word", {}).get("string")
    return found


def innermost(got):
    return [v for (i, _), v in got.variables().items() if i == 0]


def expect_crowd(checks, got, count, *what):
    words = ("zero", "one", "two", "three")
    document = got.document
    checks.check(len(document["threads"]) == count + 1, *what, "threads:",
                 len(document["threads"]))
    checks.check([f["symbol"] for f in got.frames] == ["disturb", "main"],
                 *what, "frames", got.lines())
    found = crowd(got)
    checks.check(set(found) == set(range(count)), *what, "numbers",
                 sorted(set(range(count)) - set(found))[:9])
    checks.check(all(found[i] == words[i % 4] for i in found if i is not None),
                 *what, "words")


def with_many_segments(core, path, more):
    """The same core with empty segments that its header cannot count."""
    with open(core, "rb") as f:
        data = bytearray(f.read())
    phoff, = struct.unpack_from("<Q", data, 32)
    count, = struct.unpack_from("<H", data, 56)
    table = bytes(data[phoff:phoff + 56 * count])
    while len(data) % 64:
        data.append(0)
    section = len(data)
    data += bytes(64)
    struct.pack_into("<I", data, section + 44, count + more)  # sh_info
    struct.pack_into("<Q", data, 32, len(data))  # e_phoff
    struct.pack_into("<Q", data, 40, section)  # e_shoff
    struct.pack_into("<HHHHH", data, 54, 56, PN_XNUM, 64, 1, 0)
    for i in range(more):
        data += struct.pack("<IIQQQQQQ", PT_LOAD, 4, 0,
                            0x100000000000 + i * 0x2000, 0, 0, 0x1000, 0x1000)
    data += table
    with open(path, "wb") as f:
        f.write(data)


def body(runner, where, checks):
    exe = _cases.compile_program(where, "c", "gcc",
                                 ["-g", "-O0", "-pthread"],
                                 sources=("crowd.c",))
    core = run.crash.core(exe, where, ["3"])
    plain = runner.snapshot(exe, core)
    expect_crowd(checks, plain, 3, "plain")

    def same(got, *what):
        expect_crowd(checks, got, 3, *what)
        checks.check(got.lines() == plain.lines(), *what, got.lines())
        checks.check(innermost(got) == innermost(plain), *what, "variables",
                     innermost(got))

    many = os.path.join(where, "many")
    for more in (65536, 200000):
        with_many_segments(core, many, more)
        same(runner.snapshot(exe, many), more, "segments")
    os.remove(many)
    same(runner.snapshot(exe, run.crash.core(exe, where, ["3"], how="gdb")),
         "gcore")
    if run.crash.method() == "kernel":
        for bits in FILTERS:
            got = runner.snapshot(
                exe, run.crash.core(exe, where, ["3", bits]))
            same(got, "filter", bits)
        # Not even the stacks: the registers and the file are left.
        got = runner.snapshot(exe, run.crash.core(exe, where, ["3", "0"]))
        checks.check(got.lines()[:1] == plain.lines()[:1], "filter 0",
                     got.lines())
    for count in THREADS:
        core = run.crash.core(exe, where, [str(count)])
        expect_crowd(checks, runner.snapshot(exe, core), count, count,
                     "threads")
        shutil.rmtree(os.path.dirname(core))
    # The mapped files are gone: no names, no invention.
    core = run.crash.core(exe, where, ["3"])
    os.rename(exe, exe + ".away")
    got = runner.snapshot(exe + ".absent", core)
    checks.check(len(got.document["threads"]) == 4, "no file: threads")
    checks.check(any(".absent" in w or "prog" in w for w in got.warnings),
                 "no file:", got.warnings)
    symbols = {f.get("symbol") for f in got.frames} - {None}
    checks.check(not symbols & {"disturb", "attend"}, "invented", symbols)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    args = parser.parse_args()
    where, checks = tempfile.mkdtemp(prefix="inquest-cores."), Checks()
    try:
        body(run.Runner(args.build, where), where, checks)
    except (run.crash.CrashError, _cases.Unsupported) as why:
        print("skipped:", why)
        return 77
    finally:
        shutil.rmtree(where, ignore_errors=True)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
