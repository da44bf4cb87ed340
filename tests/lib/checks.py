# SPDX-License-Identifier: MIT
"""Counting checks, for tests that run the programs."""


class Checks:
    """Counts; prints what failed."""

    def __init__(self, quiet=False):
        self.done = self.failed = 0
        self.quiet = quiet

    def check(self, good, *what):
        self.done += 1
        if not good:
            self.failed += 1
            if not self.quiet:
                print("FAIL:", *what)
        return bool(good)

    def equal(self, got, want, *what):
        return self.check(got == want, *what, f"got {got!r}, want {want!r}")

    def end(self):
        print(f"{self.done} checks, {self.failed} failed")
        return 1 if self.failed else 0
