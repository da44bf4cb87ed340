#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the fuzz targets, one after the other, with libFuzzer:

    run.py --build DIR [--seconds N] [--seed N] [--corpus DIR | --fresh]
           [--findings DIR] [--minutes M] [--list] [TARGET...]

DIR is a build by clang with -DINQUEST_FUZZ=ON. What is new goes into
DIR/corpus (or --corpus), on top of tests/fuzz/corpus, and stays there for the
next run; with --fresh it does not. A finding is named with the file that gives it again; once it is
fixed, that file belongs into tests/fuzz/corpus/TARGET.

One line for each target: how often it was called, how often a second of the
processor, how many edges of the code the whole corpus covers, how many inputs it
has, and its seconds of the processor.

With --minutes M the targets take turns of --seconds until each has had M minutes
of the processor (a campaign that shares its machine gets less than the clock
says). What each has had is kept beside the corpus in ledger.json, so a campaign
may be broken off and gone on with; its sums are the last lines."""
import argparse
import json
import os
import re
import resource
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


def used():
    """Seconds of the processor that ended children have had."""
    sums = resource.getrusage(resource.RUSAGE_CHILDREN)
    return sums.ru_utime + sums.ru_stime


def say(target, calls, edges, inputs, cpu, more):
    print(f"{target:10} {calls:9} calls {calls / max(cpu, 1e-3):8.0f}/s "
          f"{edges:6} edges {inputs:5} inputs {cpu:6.0f} s", more, flush=True)


def run(build, target, args, seconds, corpus, findings):
    where = os.path.join(corpus, target)
    os.makedirs(where, exist_ok=True)
    os.makedirs(findings, exist_ok=True)
    program = os.path.join(build, "tests", "fuzz_" + target)
    begun, before = time.monotonic(), used()
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
    took, cpu = time.monotonic() - begun, used() - before
    calls = number(r"number_of_executed_units:\s*(\d+)", text)
    if not calls:
        calls = number(r"^#(\d+)", text)
    edges, inputs = number(r"cov: (\d+)", text), number(r"corp: (\d+)", text)
    say(target, calls, edges, inputs, cpu,
        "" if status == 0 else f"FAIL ({status}) after {took:.0f} s")
    if status != 0:
        # What a sanitizer says, and what is called where.
        said = re.findall(r".*(?:ERROR|runtime error|SUMMARY|unit written|"
                          r"^    #\d).*", text, re.MULTILINE)
        print("\n".join(said[:25] + said[25:][-2:]), flush=True)
    return {"calls": calls, "edges": edges, "inputs": inputs, "cpu": cpu,
            "failed": status != 0}


def campaign(build, names, args, corpus, findings):
    """Turns until each has had its minutes. How many targets had findings."""
    path = os.path.join(corpus, "ledger.json")
    while True:
        ledger = read_ledger(path)
        due = [n for n in names
               if ledger.get(n, {}).get("cpu", 0) < args.minutes * 60]
        if not due:
            break
        target = min(due, key=lambda n: ledger.get(n, {}).get("cpu", 0))
        missing = args.minutes * 60 - ledger.get(target, {}).get("cpu", 0)
        # The last turn is no longer than it must be, if the machine is ours.
        seconds = min(args.seconds, int(missing * 1.1) + 5)
        got = run(build, target, args, seconds, corpus, findings)
        ledger = read_ledger(path)
        sums = ledger.setdefault(target, {"calls": 0, "cpu": 0, "failed": 0})
        sums["calls"] += got["calls"]
        sums["cpu"] += got["cpu"]
        sums["failed"] += got["failed"]
        sums["edges"], sums["inputs"] = got["edges"], got["inputs"]
        with open(path + ".new", "w") as f:
            json.dump(ledger, f, indent=1)
        os.replace(path + ".new", path)
    for name in names:
        sums = ledger[name]
        say(name, sums["calls"], sums["edges"], sums["inputs"], sums["cpu"],
            f"{sums['failed']} turns with findings" if sums["failed"] else "")
    return sum(ledger[name]["failed"] > 0 for name in names)


def read_ledger(path):
    try:
        with open(path) as f:
            return json.load(f)
    except FileNotFoundError:
        return {}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0,
                        help="0: another each time")
    parser.add_argument("--corpus")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--findings")
    parser.add_argument("--minutes", type=float, default=0,
                        help="of the processor, for each target, in turns")
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
        if args.minutes:
            failed = campaign(build, names, args, corpus, findings)
        else:
            failed = sum(run(build, name, args, args.seconds, corpus,
                             findings)["failed"] for name in names)
    print(f"{len(names) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
