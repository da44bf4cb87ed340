#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every .c and .h is as .clang-format has it."""
import collections
import shutil
import subprocess
import sys

import _source

# Programs written to crash in a certain line keep their own form.
FREE = ("tests/oracle/programs/", "tests/crashes/programs/")


def main():
    _source.arguments()
    tool = shutil.which("clang-format")
    if tool is None:
        print("skipped: no clang-format")
        return 77
    paths = [p for p in _source.files(_source.EVERYTHING, ".c", ".h")
             if not p.startswith(FREE)]
    done = subprocess.run([tool, "--dry-run", "-Werror", *paths],
                          cwd=_source.ROOT, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    report = _source.Report()
    places = collections.Counter(
        line.split(":")[0] for line in done.stdout.split("\n")
        if ": error:" in line)
    for path, count in places.items():
        report.check(False, f"{path}: {count} places (clang-format -i {path})")
    report.check(done.returncode == 0 or report.bad, done.stdout)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
