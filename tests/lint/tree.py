#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is committed is source: no build directory, no object or program, no
core, nothing large by mistake."""
import os
import re
import subprocess
import sys

import _source

# What CMake, Ninja, compilers, Python and the programs themselves leave.
LEFT = re.compile(
    r"(^|/)(CMakeCache\.txt|CMakeFiles/.*|CTestTestfile\.cmake|Testing/.*|"
    r"build\.ninja|\.ninja_(log|deps)|compile_commands\.json|"
    r"cmake_install\.cmake|__pycache__/.*|[^/]*\.(o|a|so|pyc|gcda|gcno|"
    r"orig|rej|swp))$")
# Larger files have a reason: the list of them is looked through by people.
LARGE = 512 << 10
MAGIC = (b"\x7fELF", b"!<arch>\n")
# Programs and cores that tests are about, small and on purpose.
MEANT = re.compile(r"^tests/(fuzz/corpus|golden|foreign/fixtures|formats)/")


def tracked():
    """Paths that git has, or None outside of a checkout."""
    done = subprocess.run(["git", "-C", _source.ROOT, "ls-files", "-z"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=False)
    if done.returncode != 0:
        return None
    return [p for p in done.stdout.decode(errors="replace").split("\0") if p]


def wrong(path, size, head):
    """What is wrong with such a file; "": nothing."""
    if LEFT.search(path):
        return "is left by a build, not written by anybody"
    if MEANT.match(path):
        return ""
    if head.startswith(MAGIC):
        return "is a program, a library or a core"
    if size > LARGE:
        return f"has {size} bytes"
    return ""


def check_itself(report):
    for path in ("build-x/CMakeCache.txt", "b/build.ninja", "a/b.o", "x.so",
                 "b/CMakeFiles/z", "lib/__pycache__/x.pyc"):
        report.check(wrong(path, 1, b""), f"{path} is not noticed")
    report.check(wrong("tools/x", 9, b"\x7fELF\2"), "a program is not noticed")
    report.check(wrong("x.c", LARGE + 1, b"/*"), "a large file is not noticed")
    for path in ("core/build.c", "cmake/build.cmake", "CMakeLists.txt",
                 "tests/fuzz/corpus/core/found-x"):
        report.check(not wrong(path, 1, b""), f"{path} is refused")


def main():
    _source.arguments()
    report = _source.Report()
    check_itself(report)
    paths = tracked()
    if paths is None:
        print("skipped: no git checkout")
        return 77
    for path in paths:
        full = os.path.join(_source.ROOT, path)
        if os.path.islink(full) or not os.path.isfile(full):
            continue
        with open(full, "rb") as f:
            why = wrong(path, os.path.getsize(full), f.read(8))
        report.check(not why, f"{path} {why}")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
