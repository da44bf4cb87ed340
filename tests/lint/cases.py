#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every case of tests/cases.txt has a test that exists, or says why not."""
import os
import re
import sys

import _source

CASES = 127
TESTS = os.path.join(_source.ROOT, "tests")


def read(path):
    return _source.read(os.path.join("tests", path))


def exists(name):
    """The test is there."""
    if name.startswith("fuzz."):
        return os.path.exists(os.path.join(
            TESTS, "fuzz", f"fuzz_{name[5:]}.c"))
    path, _, function = name.partition(":")
    if path.startswith("unit."):
        path = f"unit/test_{path[5:]}.c"
        pattern = rf"^TEST(_WITHIN)?\({function}[,)]"
        if not function:
            return False
    else:
        pattern = rf"^def {function}\("
    if not os.path.isfile(os.path.join(TESTS, path)):
        return False
    return not function or re.search(pattern, read(path), re.M) is not None


def cases(text):
    """(number, tests, reasons) of each."""
    found = []
    for line in text.split("\n"):
        if not line or line.startswith("#"):
            continue
        if not line.startswith("\t"):
            found.append((int(line.split()[0]), [], []))
        elif line.startswith("\t- "):
            found[-1][2].append(line[3:])
        else:
            found[-1][1].extend(line.split())
    return found


def main():
    _source.arguments()
    report = _source.Report()
    found = cases(read("cases.txt"))
    report.check([n for n, _, _ in found] == list(range(1, CASES + 1)),
                 "cases.txt: numbers are missing, twice or out of order")
    for number, tests, reasons in found:
        report.check(tests or reasons, f"case {number} has no test")
        for name in tests:
            report.check(exists(name), f"case {number}: there is no {name}")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
