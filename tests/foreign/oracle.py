#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The oracle for aarch64: C and C++ programs of tests/oracle/programs, crashed
under QEMU, every frame and every variable against gdb-multiarch over the same
core. Where GDB is no help (it does not come back from QEMU's signal frames,
does not know the signatures of return addresses in these cores, and is wrong
without call frame information) the functions of the program itself must be
there, in order.

    oracle.py --build DIR [--all] [--only WORD] [--verbose] [--keep DIR]

Without the tools (scripts/install-deps foreign) it is skipped; fixtures.py needs
none of them.
"""
import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ORACLE = os.path.join(HERE, "..", "oracle")
sys.path[1:1] = [HERE, ORACLE, os.path.join(HERE, "..", "lib")]
import _aarch64  # noqa: E402
import compare  # noqa: E402
import proof  # noqa: E402
import run as oracle  # noqa: E402

PROGRAMS = os.path.join(ORACLE, "programs")
LEVELS = {"O0": ["-g", "-O0"], "O2": ["-g", "-O2"],
          "no-fp": ["-g", "-O2", "-fomit-frame-pointer"]}
# As many as a run of ./check has the time for: with threads, exceptions,
# recursion, frames that grow, leaves, a call of null, tail calls, callbacks out
# of the C library, member pointers, long double and unsigned char.
USUAL = ("bindings", "classes", "exception", "inherit", "libc_fault", "nested",
         "null_call", "numbers", "qsort_callback", "recursion", "setjmp",
         "tailcall", "threads", "varargs", "vla")
# x0 to x18 and the vector registers but for the lower halves of v8 to v15
# belong to the callee (AAPCS64, section 6.1).
CLOBBERED = re.compile(r"\$(?:[xw](?:\d|1[0-8])|[vqdshb](?:[0-7]|1[6-9]|2\d|"
                       r"3[01]))\b")
# A value in which GDB is proved wrong, as in tests/oracle; of all values.
EXCEPTIONS_MAX = 0.02
NO_CFI = ["-fno-asynchronous-unwind-tables", "-fno-unwind-tables"]
SIGNED = ["-mbranch-protection=standard"]
EVEN = ["even", "odd"] * 3 + ["even", "main"]
SORT = ["compare", "qsort_r", "main"]
HANDLED = ["report", "handler", "<signal>", "touch", "main"]
# The same code with call frame information and without has the same frames.
SAME = "same"
# Program, name of the form, flags, functions in this order.
KNOWN = (
    ("altstack.c", "signal", ["-g", "-O0"], HANDLED),
    ("altstack.c", "signal-no-cfi", [*NO_CFI, "-O0"], HANDLED),
    ("nested_signals.c", "signals", ["-g", "-O2"],
     ["level"] + ["<signal>", "raise"] * 3 + ["main"]),
    ("recursion.c", "signed", ["-g", "-O2", *SIGNED], EVEN),
    ("recursion.c", "no-cfi", ["-O0", *NO_CFI], EVEN),
    ("recursion.c", "no-cfi-O2", ["-O2", *NO_CFI], EVEN),
    ("recursion.c", "no-cfi-no-fp",
     ["-O2", "-fomit-frame-pointer", *NO_CFI], EVEN),
    ("recursion.c", "no-cfi-signed", ["-O2", *NO_CFI, *SIGNED], EVEN),
    ("qsort_callback.c", "no-cfi", ["-O2", *NO_CFI], SORT),
    ("qsort_callback.c", "no-symbols", ["-O2", "-s", *NO_CFI], ["qsort_r"]),
)


def cases(only, everything):
    """(name, source, flags, functions or None)"""
    for source in sorted(os.listdir(PROGRAMS)):
        stem, ext = os.path.splitext(source)
        if ext not in (".c", ".cpp") or stem == "vdso" or \
                any(source == known[0] and "signal" in known[1]
                    for known in KNOWN):
            continue
        for level, flags in LEVELS.items():
            if everything or (stem in USUAL and level != "no-fp"):
                yield f"{source}/{level}", source, flags, None
            if everything and ext == ".c":
                yield f"{source}/{level}-same", source, flags[1:], SAME
    for source, form, flags, functions in KNOWN:
        yield f"{source}/{form}", source, flags, functions


def dumped(name, source, flags, work):
    """(program, core)"""
    where = os.path.join(work, name.replace("/", "_"))
    os.makedirs(where, exist_ok=True)
    exe = os.path.join(where, source + ".aarch64")
    _aarch64.build(os.path.join(PROGRAMS, source), exe,
                   ["-no-pie", "-I", PROGRAMS, *flags])
    return exe, _aarch64.core(exe, where)


def in_order(wanted, found):
    rest = iter(found)
    return all(any(f == w for f in rest) for w in wanted)


def same(name, source, flags, build, work):
    """None, or what differs."""
    found = []
    for extra in ([], NO_CFI):
        exe, core = dumped(f"{name}{len(found)}", source, [*flags, *extra],
                           work)
        d = oracle.bt(build, "--sysroot", _aarch64.SYSROOT, "--core", core,
                      exe)
        found.append((_aarch64.told(d), d["threads"][0]["stop_reason"]))
    return None if found[0] == found[1] else f"{found[0]} and {found[1]}"


def one(job):
    """(tally, what GDB said, None), or the text of what went wrong last."""
    (name, source, flags, functions), build, work = job
    try:
        if functions == SAME:
            return None, None, same(name, source, flags, build, work)
        exe, core = dumped(name, source, flags, work)
        ours = oracle.bt(build, "--sysroot", _aarch64.SYSROOT, "--core", core,
                         exe)
        if functions is not None:
            found = _aarch64.told(ours)
            good = in_order(functions, found) and \
                ours["threads"][0]["stop_reason"] == "end of stack"
            return None, None, None if good or functions == ["qsort_r"] and \
                in_order(functions, found) else f"found only {found}"
        out = core + ".json"
        _aarch64.gdb(exe, core, os.path.join(ORACLE, "gdb_dump.py"),
                     {"ORACLE_OUT": out, "ORACLE_EVIDENCE": "1"})
        with open(out) as f:
            theirs = json.load(f)
    except (RuntimeError, OSError, ValueError, _aarch64.Error,
            subprocess.SubprocessError) as e:
        return None, None, str(e)
    return compare.compare(ours, theirs, name), theirs, None


def settle(tally, name):
    """An exception is as good as its proof: none has an entry."""
    for d in tally.differences:
        d["case"] = name
    tally.excuse(lambda d: d["what"] == "value" and
                 proof.find(d) is not None)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--only", help="cases whose name has this word")
    parser.add_argument("--all", action="store_true",
                        help="every program, also without frame pointers")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--keep", help="keep programs and cores here")
    args = parser.parse_args()
    if _aarch64.lacks():
        print(f"{_aarch64.lacks()} is not installed "
              "(scripts/install-deps foreign)")
        return 77
    proof.CLOBBERED = CLOBBERED
    oracle.EXCEPTIONS_MAX = EXCEPTIONS_MAX
    todo = [c for c in cases(args.only, args.all or args.only)
            if args.only is None or args.only in c[0]]
    with tempfile.TemporaryDirectory() as scratch:
        work = os.path.abspath(args.keep or scratch)
        build = os.path.abspath(args.build)
        with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
            answers = list(pool.map(one, [(c, build, work) for c in todo]))
    groups, broken = {}, 0
    for (name, *_), (tally, _, error) in zip(todo, answers):
        if error is not None:
            print(f"{name}: {error}")
            broken += 1
        if tally is not None:
            settle(tally, name)
            groups.setdefault(("aarch64", name.rpartition("/")[2]),
                              compare.Tally()).add(tally)
    good = oracle.report(groups, args.verbose)
    print(f"{len(todo) - broken} passed, {broken} failed, 0 skipped")
    return 0 if good and broken == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
