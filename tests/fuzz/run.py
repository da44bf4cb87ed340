#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the fuzz targets, one after the other, with libFuzzer:

    run.py --build DIR [--seconds N] [--seed N] [--corpus DIR | --fresh]
           [--findings DIR] [--list] [TARGET...]

DIR is a build by clang with -DINQUEST_FUZZ=ON. What is new goes into
DIR/corpus (or --corpus), on top of tests/fuzz/corpus, and stays there for the
next run; with --fresh it does not. A finding is named with the file that gives it again; once it is
fixed, that file belongs into tests/fuzz/corpus/TARGET.

One line for each target: how often it was called, how often a second, how many
edges of the code the whole corpus covers, and how many inputs it has."""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SEEDS = os.path.join(HERE, "corpus")
# Seconds that one input may take: everything has a budget far below, but the
# sanitizers and a busy machine make it slow.
SLOW = 120
MEGABYTES = 2048


def targets(build):
    folder = os.path.join(build, "tests")
    if not os.path.isdir(folder):
        return []
    return sorted(name[len("fuzz_"):] for name in os.listdir(folder)
                  if re.fullmatch("fuzz_[a-z_]+", name))


def number(pattern, text, otherwise=0):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else otherwise


def run(build, target, args, corpus, findings):
    seconds = args.seconds
    where = os.path.join(corpus, target)
    os.makedirs(where, exist_ok=True)
    os.makedirs(findings, exist_ok=True)
    program = os.path.join(build, "tests", "fuzz_" + target)
    begun = time.monotonic()
    try:
        done = subprocess.run(
            [program, f"-max_total_time={seconds}", f"-timeout={SLOW}",
             f"-seed={args.seed}",
             f"-rss_limit_mb={MEGABYTES}", "-print_final_stats=1",
             "-use_value_profile=0", "-verbosity=1",
             f"-artifact_prefix={findings}/{target}-", where,
             os.path.join(SEEDS, target)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace",
            timeout=seconds + 600, check=False)
        status, text = done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        status = "does not end"
        text = (late.stdout or b"").decode("utf-8", "replace")
    took = time.monotonic() - begun
    calls = number(r"number_of_executed_units:\s*(\d+)", text)
    if not calls:
        calls = number(r"^#(\d+)", text)
    edges, inputs = number(r"cov: (\d+)", text), number(r"corp: (\d+)", text)
    print(f"{target:10} {calls:9} calls {calls / max(took, 1e-3):8.0f}/s "
          f"{edges:6} edges {inputs:5} inputs {took:6.0f} s",
          "" if status == 0 else f"FAIL ({status})", flush=True)
    if status != 0:
        # What a sanitizer says, and what is called where.
        said = re.findall(r".*(?:ERROR|runtime error|SUMMARY|unit written|"
                          r"^    #\d).*", text, re.MULTILINE)
        print("\n".join(said[:25] + said[25:][-2:]), flush=True)
    return status == 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0,
                        help="0: another each time")
    parser.add_argument("--corpus")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--findings")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    args = parser.parse_args()
    build = os.path.abspath(args.build)
    names = args.targets or targets(build)
    if args.list:
        print("\n".join(names))
        return 0
    if not names:
        print("skipped: no fuzz targets in", build)
        return 77
    findings = args.findings or os.path.join(build, "findings")
    with tempfile.TemporaryDirectory(prefix="inquest-fuzz.") as fresh:
        corpus = fresh if args.fresh else \
            args.corpus or os.path.join(build, "corpus")
        failed = sum(not run(build, name, args, corpus, findings)
                     for name in names)
    print(f"{len(names) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
