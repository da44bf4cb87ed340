#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The oracle: builds the programs of tests/oracle/programs, and those of
tests/crashes/programs that leave a stack, with several compilers and options,
makes a core of each, and compares every frame and every variable of our
snapshot with GDB's own interpreter.

    run.py --build DIR [--only WORD] [--long] [--verbose] [--keep DIR]

Thresholds, per language and optimisation level: frames 99.5 %, values 98 %.
exceptions.json lists differences in which GDB is wrong, each with its proof,
which must hold again in each run (proof.py); at most 1 % of all values may
stand there.
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
import debugger  # noqa: E402
import matrix  # noqa: E402
import proof  # noqa: E402

FRAMES_WANTED = 0.995
VALUES_WANTED = 0.98
EXCEPTIONS_MAX = 0.01
GDB_TIMEOUT = 120
# Undefined behaviour, and these flags make nothing fatal of it.
ALIVE = "does not die when built so"
# The first message of a panic only: no stack walk by the program itself.
ENVIRONMENT = {"RUST_BACKTRACE": "0"}

def reference(built, core, out, evidence=True):
    """What GDB says of the core; with what proof.py needs, or without."""
    env = {"ORACLE_OUT": out}
    if evidence:
        env["ORACLE_EVIDENCE"] = "1"
    debugger.run("gdb", [*built.gdb, built.gdb_exe, core],
                 os.path.join(HERE, "gdb_dump.py"), env, GDB_TIMEOUT)
    with open(out) as f:
        return json.load(f)


def bt(build, *words):
    """bt's JSON document. What is compared is what it says when it has the
    time, also on a busy machine."""
    done = subprocess.run([os.path.join(build, "bt"), "--json",
                           "--no-pretty-print",
                           f"--timeout={GDB_TIMEOUT - 20}", *words],
                          capture_output=True, timeout=GDB_TIMEOUT,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(f"bt exit {done.returncode}: "
                           f"{done.stderr.decode(errors='replace')[:300]}")
    return json.loads(done.stdout)


def snapshot(build, built, core):
    """What we say of the core."""
    return bt(build, *built.bt, "--core", core, built.exe)


def one(job):
    """(tally, what GDB said, None) of one case, or the text of what went
    wrong in the last place."""
    case, build, work = job
    where = os.path.join(work, case.name.replace("/", "_"))
    os.makedirs(where, exist_ok=True)
    try:
        built = case.build(where)
        try:
            core = crash.core(built.exe, where, env=ENVIRONMENT)
        except crash.CrashError as e:
            if not case.foreign or "ended with status" not in str(e):
                raise
            return None, None, ALIVE
        theirs = reference(built, core, os.path.join(where, "gdb.json"))
        if built.bare:
            compare.bare(theirs, [built.gdb_exe])
        ours = snapshot(build, built, core)
        with open(os.path.join(where, "ours.json"), "w") as f:
            json.dump(ours, f)
    except (RuntimeError, OSError, ValueError, crash.CrashError,
            matrix.BuildError, subprocess.SubprocessError) as e:
        return None, None, str(e)
    return compare.compare(ours, theirs, case.name), theirs, None


def show(difference):
    line = f"  {difference['what']}: {difference['where']}"
    if difference.get("name"):
        line += f" variable {difference['name']}"
    print(line)
    for side in ("gdb", "ours"):
        print(f"    {side:5}{json.dumps(difference[side])[:600]}")


def line(title, tally):
    frames = tally.frames_right / max(tally.frames, 1)
    values = tally.values_right / max(tally.values, 1)
    good = frames >= FRAMES_WANTED and values >= VALUES_WANTED
    return good, (
        f"{title:18} frames {tally.frames_right}/{tally.frames} "
        f"({100 * frames:.2f} %), values {tally.values_right}/{tally.values} "
        f"({100 * values:.2f} %), optimized out in both "
        f"{tally.both_optimized}, ours only "
        f"{tally.ours_only} ({tally.confirmed} confirmed), "
        f"GDB proved wrong {tally.excused}")


def settle(tally, case, exceptions, known):
    """Takes out the differences in which GDB is proved wrong, and counts as
    wrong what only we show where the unoptimized program contradicts it."""
    for d in tally.differences:
        d["case"] = case.name
        d["known"] = known.get((d.get("function"), d.get("name")))
        if d["what"] == "ours only":
            told = proof.confirmed(d)
            tally.confirmed += told is True
            if told is False:
                tally.values += 1
                d["what"] = "contradicted"
    tally.excuse(lambda d: proof.excused(d, case.name, exceptions))


def prove(groups, path):
    """Writes the differences that can be proved, as entries for
    exceptions.json."""
    entries = {}
    for tally in groups.values():
        for d in tally.differences:
            found = proof.find(d)
            if found is not None:
                key = (d["case"], d["function"], d["name"])
                entries.setdefault(key, {
                    "case": key[0], "function": key[1], "name": key[2],
                    "class": found[0], "proof": found[1]})
    with open(path, "w") as f:
        json.dump([entries[k] for k in sorted(entries)], f, indent=1)
        f.write("\n")


def report(groups, verbose):
    """Prints the differences and the table, which stands at the end of what is
    read of a failure; true when all thresholds hold."""
    good = True
    values = used = 0
    table = []
    for group in sorted(groups):
        tally = groups[group]
        rest = [d for d in tally.differences
                if d["what"] != "ours only" or verbose]
        used += tally.excused
        values += tally.values
        ok, text = line(" ".join(group), tally)
        good = good and ok
        table.append(text + ("" if ok else "  BELOW THE THRESHOLD"))
        if verbose or not ok:
            for d in rest[:None if verbose else 20]:
                show(d)
    print("\n".join(table))
    print(f"{used} exceptions of {values} values, "
          f"{100 * used / max(values, 1):.2f} %")
    if used > EXCEPTIONS_MAX * max(values, 1):
        print(f"more exceptions than {100 * EXCEPTIONS_MAX:.0f} %")
        good = False
    return good


def report_forms(forms):
    """The same by form: no thresholds of their own."""
    for name in sorted(forms):
        print(line(name, forms[name])[1])


def run_all(todo, build, work):
    """Yields (case, tally, what GDB said, error), in order."""
    jobs = [(case, os.path.abspath(build), os.path.abspath(work))
            for case in todo]
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        for case, answer in zip(todo, pool.map(one, jobs)):
            yield case, *answer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--only", help="cases whose name has this word")
    parser.add_argument("--long", action="store_true",
                        help="every program in every form")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--prove", metavar="FILE",
                        help="write the provable differences there")
    parser.add_argument("--keep", help="keep programs and cores here")
    args = parser.parse_args()
    with open(os.path.join(HERE, "exceptions.json")) as f:
        exceptions = json.load(f)
    wanted = list(matrix.cases(args.only, args.long))
    todo = [case for case in wanted if case.lacks() is None]
    groups, forms, reference_values, broken, alive = {}, {}, {}, 0, []
    with tempfile.TemporaryDirectory() as scratch:
        for case, tally, theirs, error in run_all(todo, args.build,
                                          args.keep or scratch):
            if error == ALIVE:
                alive.append(case.name)
                continue
            if error is not None:
                print(f"{case.name}: {error}")
                broken += 1
                continue
            known = reference_values.setdefault(case.program, {})
            if case.level == "O0":
                compare.all_values(theirs, known)
            settle(tally, case, exceptions, known)
            groups.setdefault(case.group, compare.Tally()).add(tally)
            forms.setdefault(case.form.name, compare.Tally()).add(tally)
    if args.prove:
        prove(groups, args.prove)
    report_forms(forms)
    good = report(groups, args.verbose) and broken == 0
    lacking = sorted({case.lacks() for case in wanted} - {None})
    if lacking:
        print("not installed: " + ", ".join(lacking))
    if alive:
        print(f"{ALIVE}: " + ", ".join(alive))
    print(f"{len(todo) - broken - len(alive)} passed, {broken} failed, "
          f"{len(wanted) - len(todo) + len(alive)} skipped")
    return 0 if good and todo else 1


if __name__ == "__main__":
    sys.exit(main())
