# SPDX-License-Identifier: MIT
"""Counting checks, for tests that run the programs."""
import argparse

import crash


class Checks:
    """Counts; prints what failed."""

    def __init__(self, quiet=False):
        self.done = self.failed = self.skipped = 0
        self.quiet = quiet

    def check(self, good, *what):
        self.done += 1
        if not good:
            self.failed += 1
            if not self.quiet:
                print("FAIL:", *what, flush=True)
        return bool(good)

    def equal(self, got, want, *what):
        return self.check(got == want, *what,
                          f"\n  got  {got!r}\n  want {want!r}")

    def end(self):
        """The sum as scripts/tally.py reads it; the exit status."""
        print(f"{self.done - self.failed} passed, {self.failed} failed, "
              f"{self.skipped} skipped")
        return 1 if self.failed or self.done == 0 else 0


def run(make_bench, body):
    """body(bench, checks) with what make_bench makes of the build directory;
    the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    args = parser.parse_args()
    bench, checks = make_bench(args.build), Checks()
    try:
        body(bench, checks)
    except crash.CrashError as error:
        print("skipped:", error)
        return 77
    finally:
        bench.close()
    return checks.end()
