#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which crashes are grouped: the fingerprint and the callstack are the same for
one bug, whatever the run (addresses, thread ids) and the version of the run-time
library it died in, and the findings of one core are the same each time; other
bugs have other fingerprints.

The second version of a library is a library of that name with other functions
inside, and one without symbols. (With a real one: build a program with
-Wl,--dynamic-linker and -rpath into an unpacked libc6 of a newer release.)"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
import crash  # noqa: E402

# Aborts, threads, handlers, exceptions, library functions, jumps, overflows.
PROGRAMS = ["a01.c", "a09.c", "a14.c", "b06.c", "d01.c", "e01.c", "i01.c",
            "i03.cpp", "j01.c", "o01.c", "o02.c"]
LIBRARIES = {"old": [], "new": ["-DNEWER"], "stripped": ["-s"]}
WORDS = ("class", "confidence", "primary", "frame")


def document(bt, core, exe):
    done = subprocess.run([bt, "--json", "--core", core, exe],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          timeout=60, check=True)
    return json.loads(done.stdout)


def findings(d):
    return [[f[w] for w in WORDS] for f in d["findings"]]


def versions(bt, where, check):
    """One program over three builds of a library."""
    analyses = os.path.join(HERE, "analyses")
    first = None
    for name, flags in LIBRARIES.items():
        place = os.path.join(where, "library-" + name)
        library = crash.build(
            os.path.join(analyses, "library.c"),
            ["-O0", "-g", "-w", "-shared", "-fPIC", *flags], "gcc", place,
            name="libmimalloc.so.2")
        exe = crash.build(os.path.join(analyses, "libraries.c"),
                          ["-O0", "-g", "-w"], "gcc", place,
                          [library, "-Wl,-rpath," + place], name="exe")
        seen = {}
        for what in ("die", "fault", "callback", "other"):
            core = crash.core(exe, place, [what])
            seen[what] = document(bt, core, exe)
            os.unlink(core)
        first = first or seen
        for what, d in seen.items():
            for key in ("fingerprint", "callstack"):
                check(d[key] == first[what][key], "library", name, what, key,
                      d["callstack"], first[what]["callstack"])
        check(len({d["fingerprint"] for d in seen.values()}) == len(seen),
              "library", name, "other bugs have the same fingerprint")
        check(seen["die"]["callstack"] == ["mi_check", "use", "main"],
              "library", name, seen["die"]["callstack"])
        check(seen["callback"]["callstack"] ==
              ["visit", "mi_each", "walk", "main"],
              "library", name, seen["callback"]["callstack"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    args = parser.parse_args()
    if crash.method() != "kernel":
        print("skipped: kernel.core_pattern does not name a plain file")
        return 77
    where = tempfile.mkdtemp(prefix="inquest-groups.")
    bt = os.path.join(os.path.abspath(args.build), "bt")
    seen, failed = {}, 0

    def check(good, *what):
        nonlocal failed
        if not good:
            failed += 1
            print("FAIL:", *what)

    try:
        for name in PROGRAMS:
            path = os.path.join(HERE, "programs", name)
            compiler = "g++" if name.endswith("cpp") else "gcc"
            built = [crash.build(path, ["-g", "-O0", "-w", *more], compiler,
                                 os.path.join(where, f"{name}{i}"), name="exe")
                     for i, more in enumerate(([], ["-DOTHER_BUILD"]))]
            cores = [crash.core(built[0], where), crash.core(built[0], where),
                     crash.core(built[1], where)]
            runs = [document(bt, core, exe) for core, exe in
                    zip(cores, (built[0], built[0], built[1]))]
            again = document(bt, cores[0], built[0])
            for other, what in ((runs[1], "another run"),
                                (runs[2], "a rebuild")):
                check(runs[0]["fingerprint"] == other["fingerprint"],
                      name, "fingerprint differs in", what)
                check(runs[0]["callstack"] == other["callstack"],
                      name, "callstack differs in", what)
                check(findings(runs[0]) == findings(other),
                      name, "findings differ in", what)
            check(again["findings"] == runs[0]["findings"],
                  name, "the same core gives other findings")
            check(again["classifiers"] == runs[0]["classifiers"],
                  name, "the same core gives other classifiers")
            twin = seen.setdefault(runs[0]["fingerprint"], name)
            check(twin == name, name, "has the fingerprint of", twin)
            for core in cores:
                os.unlink(core)
        versions(bt, where, check)
    except crash.CrashError as error:
        print("skipped:", error)
        return 77
    finally:
        shutil.rmtree(where, ignore_errors=True)
    print(f"{len(PROGRAMS)} programs, {failed} failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
