#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The corpora of the fuzz targets: each target has one and each is some
target's, they are small, and the names of files say where they come from:
seed-NAME (tests/fuzz/seeds.py), found-NAME (a fault that was fixed), or a hash
(an input that reaches what the others do not)."""
import os
import re
import sys

import _source

ALL = 1 << 20
ONE = 64 << 10
NAME = re.compile(r"(seed|found)-[a-z0-9-]+|[0-9a-f]{40}")


def main():
    _source.arguments()
    report = _source.Report()
    fuzz = os.path.join(_source.ROOT, "tests", "fuzz")
    targets = {name[5:-2] for name in os.listdir(fuzz)
               if re.fullmatch(r"fuzz_[a-z_]+\.c", name)}
    corpora = set(os.listdir(os.path.join(fuzz, "corpus")))
    report.check(targets == corpora, "targets without a corpus, or corpora "
                 f"without a target: {sorted(targets ^ corpora)}")
    total = 0
    for target in sorted(corpora):
        where = os.path.join(fuzz, "corpus", target)
        names = sorted(os.listdir(where))
        report.check(any(n.startswith("seed-") for n in names),
                     f"{target}: no seed")
        for name in names:
            size = os.path.getsize(os.path.join(where, name))
            total += size
            report.check(NAME.fullmatch(name), f"{target}/{name}: what is it?")
            report.check(size <= ONE, f"{target}/{name}: {size} bytes")
    report.check(total <= ALL, f"the corpora have {total} bytes")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
