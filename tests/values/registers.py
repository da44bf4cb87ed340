#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Variables in registers that belong to the callee: shown when the callee has
left them alone, and never with what it put there instead."""
import sys
import tempfile

import _values
import crash

RIGHT = {"p": "0x10", "n": 42}
# What must be there: (compiler, argument) -> names. At a call GCC names the
# register as it was on entry instead, for which main's jump does not vouch.
SHOWN = {("g++", 0): "pn", ("clang++", 0): "pn", ("clang++", 3): "n"}


def check(c, build, compiler, flags, directory):
    exe = crash.build(f"{_values.PROGRAMS}/registers.cpp",
                      ["-g", "-O2", *flags], compiler, directory)
    for which in (0, 1, 2, 3, 4):
        what = f"{compiler} {' '.join(flags)} {which}"
        core = crash.core(exe, directory, args=[str(which)])
        found = _values.variables(_values.document(build, exe, core),
                                  "caller")
        right = dict(RIGHT, which=which)
        for name, value in right.items():
            got = _values.plain(found[name])
            if name in SHOWN.get((compiler, which), ""):
                c.equal(got, value, f"{what}: {name}")
            else:
                c.equal(got in (None, value), True,
                        f"{what}: {name} is {got}, of {value}")


def main():
    build = _values.build_directory()
    c = _values.Checks()
    for compiler in ("g++", "clang++"):
        for flags in ([], ["-fno-omit-frame-pointer"], ["-fcf-protection"]):
            with tempfile.TemporaryDirectory() as directory:
                check(c, build, compiler, flags, directory)
    return c.end()


if __name__ == "__main__":
    sys.exit(main())
