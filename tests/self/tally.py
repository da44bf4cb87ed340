#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The sum at the end of ./check: no failure is lost on the way to it."""
import argparse
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


def case(name, status, output="", inner=""):
    return (f'<testcase name="{name}" status="{status}">{inner}'
            f"<system-out>{output}</system-out></testcase>")


SKIPPED = '<skipped message="SKIP_RETURN_CODE=77"/>'
# (test cases, *.failed files, last line, exit status)
TABLE = [
    ([case("a", "run")], 0, "1 passed, 0 failed, 0 skipped", 0),
    ([case("a", "run", "x\n5 passed, 0 failed, 2 skipped\n")], 0,
     "5 passed, 0 failed, 2 skipped", 0),
    ([case("a", "fail", "x\n5 passed, 1 failed, 2 skipped\n")], 0,
     "5 passed, 1 failed, 2 skipped", 1),
    # failed although its own sum says nothing of it (a sanitizer, a signal)
    ([case("a", "fail", "5 passed, 0 failed, 0 skipped\n")], 0,
     "5 passed, 1 failed, 0 skipped", 1),
    ([case("a", "fail")], 0, "0 passed, 1 failed, 0 skipped", 1),
    ([case("a", "notrun"), case("b", "run")], 0,
     "1 passed, 1 failed, 0 skipped", 1),
    ([case("a", "notrun", "skipped: why", SKIPPED), case("b", "run")], 0,
     "1 passed, 0 failed, 1 skipped", 0),
    ([case("a", "run")], 2, "1 passed, 2 failed, 0 skipped", 1),
    ([], 0, "0 passed, 0 failed, 0 skipped", 1),
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build")
    parser.parse_args()
    bad = 0
    for cases, failed, line, status in TABLE:
        with tempfile.TemporaryDirectory() as where:
            with open(os.path.join(where, "release.xml"), "w") as f:
                f.write("<testsuite>" + "".join(cases) + "</testsuite>")
            for i in range(failed):
                open(os.path.join(where, f"{i}.failed"), "w").close()
            done = subprocess.run(
                [sys.executable, os.path.join(ROOT, "scripts/tally.py"),
                 where], text=True, stdout=subprocess.PIPE, check=False)
        got = (done.stdout.rstrip().split("\n")[-1], done.returncode)
        if got != (line, status):
            print(f"{cases}: {got}, expected {(line, status)}")
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
