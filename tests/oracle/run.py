#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The oracle: builds the programs of tests/oracle/programs with several
compilers and options, makes a core of each, and compares every frame and every
variable of our snapshot with GDB's own interpreter.

    run.py --build DIR [--only WORD] [--verbose] [--keep DIR]

Thresholds, per language and optimisation level: frames 99.5 %, values 98 %.
exceptions.json lists differences in which GDB is wrong, each with its proof;
at most 1 % of all values may stand there.
"""
import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import compare  # noqa: E402
import crash  # noqa: E402

FRAMES_WANTED = 0.995
VALUES_WANTED = 0.98
EXCEPTIONS_MAX = 0.01
GDB_TIMEOUT = 120

# (name, C compiler, C++ compiler, optimisation level, further flags)
VARIANTS = [
    ("gcc-O0", "gcc", "g++", "-O0", []),
    ("gcc-O2", "gcc", "g++", "-O2", []),
    ("clang-O0", "clang", "clang++", "-O0", []),
    ("clang-O2", "clang", "clang++", "-O2", []),
    ("gcc-O2-static", "gcc", "g++", "-O2", ["-static"]),
    ("gcc-O0-nopie", "gcc", "g++", "-O0", ["-no-pie", "-fno-pie"]),
]
# Further variants run over a part of the programs, to stay quick.
PART = {"gcc-O2-static": 6, "gcc-O0-nopie": 6}


def cases(only):
    programs = sorted(os.listdir(os.path.join(HERE, "programs")))
    for variant in VARIANTS:
        every = PART.get(variant[0], 1)
        for i, program in enumerate(programs):
            name = f"{os.path.splitext(program)[0]}/{variant[0]}"
            if i % every == 0 and (only is None or only in name):
                yield name, program, variant


def reference(exe, core, out):
    env = dict(os.environ, ORACLE_OUT=out, LC_ALL="C.UTF-8")
    subprocess.run(
        ["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off",
         "-iex", "set auto-load off", exe, core,
         "-x", os.path.join(HERE, "gdb_dump.py")],
        env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, timeout=GDB_TIMEOUT, check=False)
    with open(out) as f:
        return json.load(f)


def snapshot(build, exe, core):
    done = subprocess.run(
        [os.path.join(build, "bt"), "--json", "--core", core, exe],
        capture_output=True, timeout=GDB_TIMEOUT, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"bt exit {done.returncode}: "
                           f"{done.stderr.decode(errors='replace')[:300]}")
    return json.loads(done.stdout)


def one(job):
    name, program, (_, cc, cxx, level, flags), build, work = job
    source = os.path.join(HERE, "programs", program)
    cplusplus = program.endswith(".cpp")
    where = os.path.join(work, name.replace("/", "_"))
    os.makedirs(where, exist_ok=True)
    compiler = cxx if cplusplus else cc
    options = [level, "-g", "-w", "-pthread"] + flags
    options += ["-std=c++17"] if cplusplus else ["-std=gnu17"]
    group = ("C++" if cplusplus else "C", level)
    try:
        exe = crash.build(source, options, compiler, where, ["-lm"])
        core = crash.core(exe, where)
        theirs = reference(exe, core, os.path.join(where, "gdb.json"))
        ours = snapshot(build, exe, core)
    except (RuntimeError, OSError, ValueError,
            subprocess.SubprocessError) as e:
        return name, group, None, str(e)
    return name, group, compare.compare(ours, theirs, name), None


def excused(difference, exceptions):
    for x in exceptions:
        if x["where"] in difference["where"] and \
                x.get("name", difference.get("name")) == \
                difference.get("name"):
            return True
    return False


def show(difference):
    line = f"  {difference['what']}: {difference['where']}"
    if difference.get("name"):
        line += f" variable {difference['name']}"
    print(line)
    for side in ("gdb", "ours"):
        print(f"    {side:5}{json.dumps(difference[side])[:600]}")


def report(groups, exceptions, verbose):
    """Prints the table and the differences; true when all thresholds hold."""
    good = True
    values = used = 0
    for group in sorted(groups):
        tally = groups[group]
        rest = []
        for d in tally.differences:
            if not d["what"].startswith("frame") and excused(d, exceptions):
                used += 1
                tally.values_right += 1
            else:
                rest.append(d)
        values += tally.values
        frames = tally.frames_right / max(tally.frames, 1)
        share = tally.values_right / max(tally.values, 1)
        ok = frames >= FRAMES_WANTED and share >= VALUES_WANTED
        good = good and ok
        print(f"{group[0]:4}{group[1]}: frames {tally.frames_right}/"
              f"{tally.frames} ({100 * frames:.2f} %), values "
              f"{tally.values_right}/{tally.values} ({100 * share:.2f} %), "
              f"optimized out in both {tally.both_optimized}"
              f"{'' if ok else '  BELOW THE THRESHOLD'}")
        if verbose or not ok:
            for d in rest[:None if verbose else 20]:
                show(d)
    if used > EXCEPTIONS_MAX * max(values, 1):
        print(f"{used} exceptions of {values} values: more than "
              f"{100 * EXCEPTIONS_MAX:.0f} %")
        good = False
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--only")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--keep", help="keep programs and cores here")
    args = parser.parse_args()
    with open(os.path.join(HERE, "exceptions.json")) as f:
        exceptions = json.load(f)
    with tempfile.TemporaryDirectory() as scratch:
        work = args.keep or scratch
        jobs = [(name, program, variant, os.path.abspath(args.build),
                 os.path.abspath(work))
                for name, program, variant in cases(args.only)]
        groups, broken = {}, 0
        with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
            for name, group, tally, error in pool.map(one, jobs):
                if error is not None:
                    print(f"{name}: {error}")
                    broken += 1
                    continue
                groups.setdefault(group, compare.Tally()).add(tally)
    good = report(groups, exceptions, args.verbose) and broken == 0
    print(f"{len(jobs)} programs, {broken} without an answer")
    return 0 if good and jobs else 1


if __name__ == "__main__":
    sys.exit(main())
