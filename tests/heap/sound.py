#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No word against a sound heap: threads that allocate and free at random
(programs/churn.c) die at a random moment, by their own signal or one from
outside, or are taken by gcore and run on. Nothing may be said of the heap but
that it was being changed (heap.transient).

    sound.py --build DIR [--count N] [--seed R] [--jobs N] [ALLOCATOR...]
"""
import argparse
import concurrent.futures
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import _heap
from _heap import crash

SHORT = ["ptmalloc", "jemalloc", "tcmalloc-minimal", "musl"]
CLASSES = ("double-free", "invalid-free", "alloc-mismatch", "heap-overflow",
           "heap-underflow", "use-after-free", "heap-corruption")
HOW = ["abort", "quit", "gcore"]


def quit_core(exe, where, chance, env):
    """A core by a signal from outside, where the kernel writes them."""
    process = subprocess.Popen(
        [exe, str(chance.randrange(1 << 30)), str(chance.randint(2, 8)), "0"],
        cwd=where, env=env, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=crash._allow_core)
    time.sleep(chance.uniform(0.01, 0.2))
    process.send_signal(signal.SIGQUIT)
    process.wait(60)
    return os.path.join(where, next(
        name for name in os.listdir(where) if name.startswith("core")))


def gcore(exe, where, chance, env):
    process = subprocess.Popen(
        [exe, str(chance.randrange(1 << 30)), str(chance.randint(2, 8)), "0"],
        env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    try:
        time.sleep(chance.uniform(0.05, 0.2))
        base = os.path.join(where, "core")
        subprocess.run(["gcore", "-o", base, str(process.pid)],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=300, check=True)
    finally:
        process.kill()
        process.wait()
    return f"{base}.{process.pid}"


def one(build, name, exe, seed, where):
    """Lines of what is said of the heap of one process; was it transient?"""
    chance = random.Random(f"{name} {seed}")
    directory = tempfile.mkdtemp(prefix="sound.", dir=where)
    env = dict(os.environ, **_heap.ENVIRONMENTS.get(name, {}))
    env.pop("JOURNAL", None)
    how = HOW[seed % 8] if seed % 8 < len(HOW) else "abort"
    try:
        if how == "quit" and crash.method() == "kernel":
            core = quit_core(exe, directory, chance, env)
        elif how == "gcore":
            core = gcore(exe, directory, chance, env)
        else:
            core = crash.core(
                exe, directory, [str(chance.randrange(1 << 30)),
                                 str(chance.choice([1, 2, 4, 8])),
                                 str(chance.randint(5, 200))], env)
        out = os.path.join(directory, "out.btt")
        done = _heap.ptrace(build, core, exe, out, "--load=churn")
        if done.returncode != 0:
            return [f"ptrace: {done.returncode} {done.stderr}"], False
        shown = subprocess.run(
            [os.path.join(build, "ptrace"), "-b", out, "--format=json"],
            stdout=subprocess.PIPE, timeout=60, check=True)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    document = json.loads(shown.stdout)
    tokens = document["classifiers"]
    lines = [token for token in tokens
             if token.startswith("heap.") and token != "heap.transient"]
    lines += [f"{f['class']} ({f['confidence']}): {f['text']}"
              for f in document["findings"] if f["class"] in CLASSES]
    lines += [f"{h['allocator']}: {a['text']}" for h in document["heap"]
              for a in h["anomalies"] if not a["transient"]]
    # A signal from outside may come before there is a heap.
    if how != "quit" and not any(h.get("allocator") == _heap.ALLOCATORS[name][0]
               for h in document["heap"]):
        lines.append(f"nothing is said of the heap: {document['warnings']}")
    return [f"{how}: {line}" for line in lines], "heap.transient" in tokens


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--count", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("allocators", nargs="*", metavar="ALLOCATOR")
    args = parser.parse_args()
    passed = failed = skipped = transient = 0
    with tempfile.TemporaryDirectory(prefix="heap.") as where, \
            concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        tasks = []
        for name in args.allocators or SHORT:
            exe = _heap.build(name, where)
            if exe is None:
                print(f"{name}: not installed here")
                skipped += args.count
                continue
            tasks += [(name, seed, pool.submit(one, args.build, name, exe,
                                               seed, where))
                      for seed in range(args.seed, args.seed + args.count)]
        for name, seed, task in tasks:
            lines, moved = task.result()
            transient += moved
            passed += not lines
            failed += bool(lines)
            if lines:
                print(f"FAIL: {name} --seed {seed}:", *lines[:6],
                      sep="\n    ", flush=True)
    print(f"{transient} were taken in the middle of a change")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
