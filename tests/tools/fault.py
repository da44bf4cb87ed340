#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The verdict of the fault module: for each way to die, compiled by gcc and
clang with and without optimisation, the direction, the address, the class and
the classifiers must be those the program was written to have."""
import json
import os
import sys

import _tool
from _tool import crash

ANY = object()
NULL_FIELD = "0x40"  # of struct object in faults.c

# how -> direction, address, class of the primary finding, classifiers
CASES = {
    "null-read": ("read", NULL_FIELD, "null-deref", {"segv", "null"}),
    "null-write": ("write", NULL_FIELD, "null-deref", {"segv", "null"}),
    "null-update": ("write", NULL_FIELD, "null-deref", {"segv", "null"}),
    "null-index": ("read", "0x7a1200", "null-deref", {"segv", "null"}),
    "null-call": ("execute", "0x0", "null-call", {"segv", "null", "jump"}),
    "null-table": ("read", "0x48", "null-deref", {"segv", "null"}),
    "null-copy": ("read", "0x0", "null-deref", {"segv", "null"}),
    "null-cmpxchg": ("write", "0x0", "null-deref", {"segv", "null"}),
    "wild-read": ("read", "0x123456789040", "wild-access",
                  {"segv", "wild"}),
    "noncanonical-read": ("read", "0x4141414141414181",
                          "noncanonical-access", {"segv", "noncanonical"}),
    "noncanonical-write": ("write", "0x8000123412341270",
                           "noncanonical-access", {"segv", "noncanonical"}),
    "noncanonical-call": ("execute", "0x4242424242424242", "bad-jump",
                          {"segv", "jump"}),
    "wild-call": ("execute", "0x133713371000", "bad-jump",
                  {"segv", "jump"}),
    "data-call": ("execute", ANY, "nx-exec", {"segv", "jump", "nx"}),
    "smashed-return": ("execute", "0x4242424242424242", "stack-corruption",
                       {"segv", "stack.corrupt"}),
    "readonly-write": ("write", ANY, "readonly-write",
                       {"segv", "readonly"}),
    "protected-read": ("read", ANY, "protected-access",
                       {"segv", "protected"}),
    "misaligned": ("read", ANY, "misaligned-access", {"segv", "align"}),
    "privileged": (None, None, "privileged-insn", {"segv", "privileged"}),
    "recursion": ("write", ANY, "stack-overflow",
                  {"segv", "stack.overflow", "rlimit.stack"}),
    "abort": (None, None, "abort", {"abort", "stop"}),
    "raise": (None, None, "abort", {"segv", "stop"}),
}
FLAGS = ["-g", "-w", "-fno-omit-frame-pointer", "-fno-stack-protector",
         "-fno-optimize-sibling-calls"]
VARIANTS = [("gcc", "-O0"), ("gcc", "-O2"), ("clang", "-O0"),
            ("clang", "-O2")]


def document(bench, exe, core):
    done = bench.run("bt", "--json", "--core", core, exe)
    return json.loads(done.stdout) if done.returncode == 0 else None


def judge(checks, name, d, want):
    direction, address, cls, classifiers = want
    if not checks.check(d is not None, name, "no snapshot"):
        return
    fault = d["fault"] or {}
    primary = [f for f in d["findings"] if f["primary"]]
    checks.equal(fault.get("direction"), direction, name, "direction")
    if address is not ANY:
        checks.equal(fault.get("address"), address, name, "address")
        checks.equal(d["attributes"].get("fault.address"),
                     address, name, "attribute fault.address")
    checks.equal(primary[0]["class"] if primary else None, cls, name, "class")
    if direction is not None:
        classifiers = classifiers | {"memory." + direction}
    checks.equal(set(d["classifiers"]), classifiers, name, "classifiers")
    if direction is not None and fault.get("instruction"):
        if direction != "execute":
            checks.check(fault["operand"] and "[" in fault["operand"], name,
                         "operand", fault.get("operand"))


def body(bench, checks):
    source = os.path.join(_tool.ROOT, "tests", "programs", "faults.c")
    for cc, level in VARIANTS:
        exe = crash.build(source, FLAGS + [level], cc, bench.dir,
                          name=f"faults{cc}{level}")
        for how, want in CASES.items():
            core = crash.core(exe, bench.dir, [how])
            judge(checks, f"{how} ({cc} {level})",
                  document(bench, exe, core), want)
            os.unlink(core)


if __name__ == "__main__":
    sys.exit(_tool.main(body))
