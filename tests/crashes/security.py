#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ptrace --security: each check finds what it is for, and nothing in programs
as linkers make them, in one that compiles at run time, and in a stack full of
addresses of functions. Without the option nothing is looked for."""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
import checks  # noqa: E402
import crash  # noqa: E402

SOURCE = os.path.join(HERE, "analyses", "tamper.c")
CLASSES = {"writable-code", "modified-text", "linkage-tampering",
           "constructor-tampering", "return-chain", "stack-execution"}
BUILDS = {
    "full": ["-fPIE", "-pie", "-Wl,-z,relro,-z,now"],
    "partial": ["-fPIE", "-pie", "-Wl,-z,relro,-z,lazy"],
    "lazy": ["-fPIE", "-pie", "-Wl,-z,norelro,-z,lazy"],
    "no-pie": ["-fno-pie", "-no-pie"],
    "static-pie": ["-static-pie", "-fPIE", "-DSTATIC"],
    "static": ["-static", "-DSTATIC"],
    "execstack": ["-fPIE", "-pie", "-z", "execstack"],
}
HEALTHY = [(build, "healthy") for build in BUILDS] + [
    ("full", "jit"), ("full", "callbacks"), ("no-pie", "callbacks"),
    ("full", "breakpoint")]
# build, what it does, the class, and what one line of evidence contains
BAD = [
    ("full", "text", "modified-text", "unused_function"),
    ("static", "text", "modified-text", "90 90 90"),
    ("full", "writable", "writable-code", "exe"),
    ("full", "slot-data", "linkage-tampering", "for strlen"),
    ("lazy", "slot-code", "linkage-tampering", "belongs to no module"),
    ("lazy", "slot-other", "linkage-tampering", "is not that function"),
    ("partial", "slot-own", "linkage-tampering", "other"),
    ("no-pie", "slot-other", "linkage-tampering", "for printf"),
    ("full", "constructor", "constructor-tampering", "constructor of exe"),
    ("no-pie", "destructor", "constructor-tampering", "destructor of exe"),
    ("full", "chain", "return-chain", "in a row"),
    ("static-pie", "chain", "return-chain", "in a row"),
    ("full", "stack", "stack-execution", "of its stack"),
]


class Bench:
    def __init__(self, build, where):
        self.ptrace = os.path.join(os.path.abspath(build), "ptrace")
        self.where = where
        self.programs = {}

    def program(self, name):
        if name not in self.programs:
            self.programs[name] = crash.build(
                SOURCE, ["-O1", "-g", "-w", *BUILDS[name]], "gcc",
                os.path.join(self.where, name), name="exe")
        return self.programs[name]

    def document(self, name, what, *options):
        exe = self.program(name)
        core = crash.core(exe, os.path.dirname(exe), [what])
        out = os.path.join(self.where, "s.btt")
        subprocess.run([self.ptrace, "--core", core, exe, "-o", out,
                        "--overwrite", *options], check=True, timeout=60,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        os.unlink(core)
        text = subprocess.run([self.ptrace, "-b", out, "--format=json"],
                              check=True, timeout=60,
                              stdout=subprocess.PIPE).stdout
        return json.loads(text)


def found(d):
    return {f["class"]: f for f in d["findings"] if f["class"] in CLASSES}


def healthy(bench, t):
    for name, what in HEALTHY:
        d = bench.document(name, what, "--security")
        t.check(not found(d), name, what, found(d))
        t.check("security" not in d["classifiers"], name, what,
                d["classifiers"])
        texts = " ".join(a.get("text", "") for a in d["annotations"])
        if what == "jit":
            t.check("1 writable and executable mapping" in texts, name, what,
                    "the fact is not told:", texts)
        if what == "breakpoint":
            t.check("1 breakpoint in the code of exe" in texts, name, what,
                    texts)


def bad(bench, t):
    for name, what, cls, text in BAD:
        d = bench.document(name, what, "--security")
        if not t.equal(sorted(found(d)), [cls], name, what):
            continue
        f = found(d)[cls]
        t.check(any(text in e for e in f["evidence"]), name, what,
                "no evidence with", text, f["evidence"])
        t.check("security" in d["classifiers"], name, what, d["classifiers"])
        # The process aborted: that comes first.
        t.check(not f["primary"], name, what, "the finding is primary")


def options(bench, t):
    d = bench.document("full", "text")
    t.check(not found(d), "found without --security")
    d = bench.document("full", "text", "--security=slots,chains")
    t.check(not found(d), "a check ran that was not asked for")
    d = bench.document("full", "text", "--security=text")
    t.equal(sorted(found(d)), ["modified-text"])
    d = bench.document("full", "text", "--module=security:enable,true")
    t.equal(sorted(found(d)), ["modified-text"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    args = parser.parse_args()
    where = tempfile.mkdtemp(prefix="inquest-security.")
    t = checks.Checks()
    try:
        bench = Bench(args.build, where)
        healthy(bench, t)
        bad(bench, t)
        options(bench, t)
    except crash.CrashError as error:
        print("skipped:", error)
        return 77
    finally:
        shutil.rmtree(where, ignore_errors=True)
    return t.end()


if __name__ == "__main__":
    sys.exit(main())
