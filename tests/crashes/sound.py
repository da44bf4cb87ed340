#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No verdict on processes that have nothing: busy programs, taken at random
moments by gcore, must give no finding and no classifier, and the same of each
core twice. C with locks of all kinds, C++, signal handlers and coroutines,
Rust, Python, LuaJIT; those whose compiler or library is missing are left out.

    sound.py --build DIR [--count N] [--seed N] [--program NAME]..."""
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

SOUND = os.path.join(HERE, "sound")


def c_program(source, compiler, flags, libs=()):
    return lambda where: [crash.build(source, flags, compiler, where, libs)]


def rust(where):
    exe = os.path.join(where, "workers")
    subprocess.run(["rustc", "-g", "-O", "-o", exe,
                    os.path.join(SOUND, "workers.rs")], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return [exe]


def luajit(where):
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "luajit"],
                           check=True, stdout=subprocess.PIPE,
                           text=True).stdout.split()
    return [crash.build(os.path.join(SOUND, "script.c"), ["-g", "-O1"], "gcc",
                        where, flags)]


PROGRAMS = {
    "busy": c_program(os.path.join(os.path.dirname(HERE), "programs",
                                   "busy.c"), "gcc", ["-g", "-O1"]),
    "objects": c_program(os.path.join(SOUND, "objects.cpp"), "g++",
                         ["-g", "-O2", "-std=c++17"]),
    "signals": c_program(os.path.join(SOUND, "signals.c"), "gcc",
                         ["-g", "-O0"]),
    "rust": rust,
    "python": lambda where: ["/usr/bin/python3",
                             os.path.join(SOUND, "script.py")],
    "luajit": luajit,
}

# gcore may come at the very moment of a fault that the program handles; then
# the core is one of that fault.
HANDLED = {"signals": "readonly-write"}


def document(bt, core, exe):
    done = subprocess.run([bt, "--json", "--core", core, exe],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          timeout=60, check=True)
    return json.loads(done.stdout)


def taken(bt, command, where, count, chance):
    """Documents of `count` snapshots of one process, two of each core."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        time.sleep(0.3)
        for i in range(count):
            time.sleep(chance.uniform(0.01, 0.2))
            base = os.path.join(where, f"sound{i}")
            subprocess.run(["gcore", "-o", base, str(process.pid)],
                           stdout=subprocess.DEVNULL, timeout=60,
                           stderr=subprocess.DEVNULL, check=False)
            core = f"{base}.{process.pid}"
            if os.path.exists(core):
                exe = os.path.realpath(command[0])
                yield document(bt, core, exe), document(bt, core, exe)
                os.unlink(core)
    finally:
        process.kill()
        process.wait()


def judge(name, documents):
    """(snapshots, those with findings)."""
    done = failed = 0
    for d, again in documents:
        done += 1
        if d["signal"] and d["signal"]["name"] == "SIGSEGV" and \
                [f["class"] for f in d["findings"]] == [HANDLED.get(name)]:
            continue
        if d["findings"] or d["classifiers"]:
            failed += 1
            print("FAIL:", name, d["classifiers"],
                  [(f["class"], f["text"], f["evidence"])
                   for f in d["findings"]])
        elif (d["findings"], d["classifiers"], d["locks"], d["heap"]) != \
                (again["findings"], again["classifiers"], again["locks"],
                 again["heap"]):
            failed += 1
            print("FAIL:", name, "another run over the same core differs")
    return done, failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--program", choices=PROGRAMS, action="append")
    args = parser.parse_args()
    if shutil.which("gcore") is None:
        print("skipped: no gcore")
        return 77
    where = tempfile.mkdtemp(prefix="inquest-sound.")
    bt = os.path.join(os.path.abspath(args.build), "bt")
    chance = random.Random(args.seed)
    names = args.program or list(PROGRAMS)
    total = bad = 0
    try:
        for i, name in enumerate(names):
            try:
                command = PROGRAMS[name](where)
            except (OSError, crash.CrashError, subprocess.SubprocessError):
                print(f"{name}: left out, it cannot be built here")
                continue
            count = args.count // len(names) + (i < args.count % len(names))
            done, failed = judge(
                name, taken(bt, command, where, count, chance))
            print(f"{name}: {done} snapshots, {failed} with findings",
                  flush=True)
            total += done
            bad += failed
    finally:
        shutil.rmtree(where, ignore_errors=True)
    print(f"{total} snapshots of sound processes (seed {args.seed}), "
          f"{bad} with findings")
    return 1 if bad or not total else 0


if __name__ == "__main__":
    sys.exit(main())
