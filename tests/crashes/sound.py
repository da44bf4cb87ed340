#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No verdict on processes that have nothing: a busy program, taken at random
moments by gcore, must give no finding and no classifier."""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
import crash  # noqa: E402

SOURCE = os.path.join(os.path.dirname(HERE), "programs", "busy.c")


def document(bt, core, exe):
    done = subprocess.run([bt, "--json", "--core", core, exe],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          timeout=60, check=True)
    return json.loads(done.stdout)


def taken(bt, exe, where, count, seed):
    """Findings of `count` snapshots of one process."""
    chance = random.Random(seed)
    process = subprocess.Popen([exe])
    try:
        for i in range(count):
            time.sleep(chance.uniform(0.01, 0.2))
            base = os.path.join(where, f"busy{i}")
            subprocess.run(["gcore", "-o", base, str(process.pid)],
                           stdout=subprocess.DEVNULL, timeout=60,
                           stderr=subprocess.DEVNULL, check=False)
            core = f"{base}.{process.pid}"
            if os.path.exists(core):
                yield document(bt, core, exe)
                os.unlink(core)
    finally:
        process.kill()
        process.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if shutil.which("gcore") is None:
        print("skipped: no gcore")
        return 77
    where = tempfile.mkdtemp(prefix="inquest-sound.")
    bt = os.path.join(os.path.abspath(args.build), "bt")
    failed = done = 0
    try:
        exe = crash.build(SOURCE, ["-g", "-O1"], "gcc", where)
        for d in taken(bt, exe, where, args.count, args.seed):
            done += 1
            if d["findings"] or d["classifiers"]:
                failed += 1
                print("FAIL:", d["classifiers"],
                      [(f["class"], f["text"], f["evidence"])
                       for f in d["findings"]])
    finally:
        shutil.rmtree(where, ignore_errors=True)
    print(f"{done} snapshots of a sound process (seed {args.seed}), "
          f"{failed} with findings")
    return 1 if failed or not done else 0


if __name__ == "__main__":
    sys.exit(main())
