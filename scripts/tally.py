#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sums the results of ./check: the JUnit files that ctest wrote, and one
failure for each *.failed. A test that ends with a line of its own, "N passed, N
failed, N skipped", counts with these numbers, any other as one. Shows what the
failed ones printed. Exit status 1 if something failed or nothing passed."""
import glob
import os
import re
import sys
import xml.etree.ElementTree

OWN = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", re.M)
SHOWN_LINES = 60


def outcome(case):
    """0 passed, 1 failed, 2 skipped."""
    if case.find("skipped") is not None or case.get("status") == "disabled":
        return 2
    return 0 if case.get("status") == "run" else 1


def count(case):
    numbers = [0, 0, 0]
    which = outcome(case)
    output = case.findtext("system-out") or ""
    own = OWN.findall(output)
    if own:
        numbers = [int(n) for n in own[-1]]
    # A test that crashed after its sum, or that was skipped as a whole.
    if sum(numbers) == 0 or (which == 1 and numbers[1] == 0):
        numbers[which] += 1
    return which, numbers, output


def main():
    where = sys.argv[1]
    total = [0, 0, 0]
    for path in sorted(glob.glob(os.path.join(where, "*.xml"))):
        build = os.path.splitext(os.path.basename(path))[0]
        for case in xml.etree.ElementTree.parse(path).iter("testcase"):
            which, numbers, output = count(case)
            total = [a + b for a, b in zip(total, numbers)]
            if which == 1:
                print(f"FAILED: {case.get('name')} ({build})")
                lines = output.rstrip().split("\n")
                if len(lines) > SHOWN_LINES:
                    print(f"  ... {len(lines) - SHOWN_LINES} lines before")
                for line in lines[-SHOWN_LINES:]:
                    print("  " + line)
            elif which == 2:
                reason = output.strip().split("\n")[0]
                print(f"Skipped:  {case.get('name')} ({build}): {reason}")
    total[1] += len(glob.glob(os.path.join(where, "*.failed")))
    print("{} passed, {} failed, {} skipped".format(*total))
    return 0 if total[1] == 0 and total[0] > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
