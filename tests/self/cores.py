#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tests/lib/crash.py: both ways to a core give a core of the fault."""
import argparse
import os
import struct
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import crash  # noqa: E402

PROGRAM = os.path.join(HERE, "..", "programs", "demo.c")
# A handled SIGSEGV first, then one that kills with SIGABRT.
HANDLED = r"""
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
static void handler(int n) { (void)n; abort(); }
int main(void) { signal(SIGSEGV, handler); *(volatile int *)8 = 1; return 0; }
"""
PT_NOTE, NT_PRSTATUS, NT_SIGINFO = 4, 1, 0x53494749


def notes(path):
    """(type, descriptor) of every note of a well-formed core."""
    with open(path, "rb") as f:
        data = f.read()
    offset, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for i in range(count):
        kind, = struct.unpack_from("<I", data, offset + i * size)
        at, _, _, length = struct.unpack_from("<QQQQ", data,
                                              offset + i * size + 8)
        end = at + length
        while kind == PT_NOTE and at + 12 <= end:
            name, desc, what = struct.unpack_from("<III", data, at)
            start = at + 12 + (name + 3) // 4 * 4
            yield what, data[start:start + desc]
            at = start + (desc + 3) // 4 * 4


def check(path, signal_number, threads):
    found = list(notes(path))
    count = sum(1 for what, _ in found if what == NT_PRSTATUS)
    info = [struct.unpack_from("<i", d)[0] for w, d in found
            if w == NT_SIGINFO]
    return count == threads and info and info[0] == signal_number, (
        f"{path}: {count} threads, signals {info}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build")
    parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as where:
        handled = os.path.join(where, "handled.c")
        with open(handled, "w") as f:
            f.write(HANDLED)
        for how in {crash.method(), "gdb"}:
            for source, number, threads in ((PROGRAM, 11, 4),
                                            (handled, 6, 1)):
                exe = crash.build(source, ["-g"], "gcc", where)
                good, text = check(crash.core(exe, where, how=how), number,
                                   threads)
                if not good:
                    print(how, text)
                    bad += 1
        try:
            crash.core("/bin/true", where)
            print("a core of a program that did not crash")
            bad += 1
        except crash.CrashError as error:
            if "status 0" not in str(error) and "no core" not in str(error):
                print(error)
                bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
