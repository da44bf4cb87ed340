#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""C modules: what ptrace lends them is what the installed headers declare, no
more and no less; and modules of another interface, of other people's making,
or that are none are refused in one line."""
import os
import re
import subprocess
import sys

import _modules
from _modules import ROOT

HEADERS = ("bt.h", "ptrace/target.h", "ptrace/pmodule.h",
           "ptrace/heap.h")


def declared(headers=HEADERS):
    """Functions declared by the installed headers, from the compiler."""
    text = "".join(f"#include <{h}>\n" for h in headers)
    out = subprocess.run(
        ["gcc", "-x", "c", "-fsyntax-only", "-aux-info", "/dev/stdout",
         "-I", os.path.join(ROOT, "include"), "-"],
        input=text, text=True, stdout=subprocess.PIPE, check=True).stdout
    names = set()
    for line in out.splitlines():
        if any("/include/" + h + ":" in line for h in headers):
            names.add(re.findall(r"(\w+) \(", line.split("*/", 1)[1])[0])
    return names


def exported(bench):
    out = subprocess.run(
        ["nm", "-D", "--defined-only", os.path.join(bench.build, "ptrace")],
        text=True, stdout=subprocess.PIPE, check=True).stdout
    return {line.split()[2] for line in out.splitlines()
            if line.split()[1] in "TD"}


def check_exports(bench, t):
    want, got = declared(), exported(bench)
    t.check(len(want) > 150, "only", len(want), "functions are declared")
    t.equal(sorted(want - got), [], "declared, not exported:")
    # A sanitizer exports what it needs.
    ours = {n for n in got if re.match(r"(bt|pmodule|ptrace)_", n)}
    t.equal(sorted(ours - want), [], "exported, not declared:")


# Sizes and offsets that modules were compiled with.
LAYOUT = """
#include <ptrace/pmodule.h>
#define AT(T, M, N) _Static_assert(offsetof(T, M) == N, #T "." #M)
_Static_assert(PMODULE_ABI_VERSION == 1, "version");
_Static_assert(sizeof(bt_variable_t) == 256, "bt_variable_t");
_Static_assert(sizeof(struct bt_type) == 96, "bt_type");
_Static_assert(sizeof(bt_error_t) == 256, "bt_error_t");
_Static_assert(sizeof(pmodule_descriptor_t) == 104, "descriptor");
AT(pmodule_descriptor_t, abi_version, 0);
AT(pmodule_descriptor_t, size, 4);
AT(pmodule_descriptor_t, name, 8);
AT(pmodule_descriptor_t, load, 16);
AT(bt_variable_t, name, 0);
AT(bt_variable_t, type, 8);
AT(bt_variable_t, dwarf, 16);
AT(struct bt_type, name, 0);
AT(struct bt_type, die, 8);
AT(bt_error_t, code, 0);
AT(bt_error_t, text, 40);
"""

MODULE = """
#include <ptrace/pmodule.h>
static bool load(pmodule_t *pm) { (void)pm; return %s; }
%s
"""
NAMED = 'PMODULE_DEFINE("tiny", load, NULL, NULL)'
DESCRIPTOR = """
__attribute__((visibility("default")))
const pmodule_descriptor_t pmodule_descriptor = {
    .abi_version = %s, .size = %s, .name = "tiny", .load = load};
"""

REFUSED = [
    ("a newer interface", MODULE % ("true", DESCRIPTOR % (
        "PMODULE_ABI_VERSION + 1", "sizeof(pmodule_descriptor_t)")),
     "built for interface version 2, this is version 1: rebuild it"),
    ("a short descriptor", MODULE % ("true", DESCRIPTOR % (
        "PMODULE_ABI_VERSION", "16")), "descriptor has 16 bytes"),
    ("no descriptor", MODULE % ("true", "void *x(void);\n"
                                "void *x(void) { return (void *)load; }"),
     "has no symbol pmodule_descriptor"),
    ("one that says no", MODULE % ("false", NAMED), "tiny refused to load"),
    ("an unknown function", "void ptrace_no_such(void);\n" + MODULE % (
        "(ptrace_no_such(), true)", NAMED),
     "undefined symbol: ptrace_no_such"),
]


def check_refusals(modules, t):
    for what, text, why in REFUSED:
        path = modules.compile("tiny", text)
        done, snapshot = modules.run("--module-load", path)
        t.equal(done.returncode, 0, what, done.stderr)
        lines = [l for l in done.stderr.splitlines() if why in l]
        t.equal(len(lines), 1, what, done.stderr)
        t.check(snapshot and why in _modules.warnings_of(snapshot), what)
    path = modules.write("text.so", "this is no shared object\n")
    done, _ = modules.run("--module-load", path)
    t.check("cannot be loaded" in done.stderr, done.stderr)
    done, _ = modules.run("--module-load", path + ".missing")
    t.check("No such file" in done.stderr, done.stderr)


def check_owners(bench, modules, t):
    """Only files and directories that others cannot write."""
    path = modules.compile("tiny", MODULE % ("true", NAMED))
    os.chmod(path, 0o722)
    done, _ = modules.run("--module-load", path)
    t.check("others can write to it (mode 0722)" in done.stderr, done.stderr)
    os.chmod(path, 0o700)
    open_dir = bench.new_dir()
    os.chmod(open_dir, 0o777)
    inside = os.path.join(open_dir, "tiny.so")
    os.rename(path, inside)
    link = os.path.join(modules.dir, "link.so")
    os.symlink(inside, link)
    for given in (["--module-load", inside], ["--modules-path", open_dir],
                  ["--module-path=" + open_dir], ["--module-load", link]):
        done, _ = modules.run(*given)
        t.check("others can write to it (mode 0777)" in done.stderr, given,
                done.stderr)
    os.chmod(open_dir, 0o755)
    for given in (["--module-load", inside], ["--modules-path", open_dir]):
        done, snapshot = modules.run(*given)
        t.equal(_modules.warnings_of(snapshot), "", given, done.stderr)
    if os.geteuid() == 0:
        os.chown(inside, 12345, 12345)
        done, _ = modules.run("--module-load", inside)
        t.check("belongs to user 12345" in done.stderr, done.stderr)
    os.mkfifo(os.path.join(modules.dir, "pipe.so"))
    done, _ = modules.run(
        "--module-load", os.path.join(modules.dir, "pipe.so"))
    t.check("not a regular file" in done.stderr, done.stderr)
    # Two of the same name: the second is refused.
    os.chown(inside, os.geteuid(), os.getegid())
    twice = ["--module-load", inside, "--module-load", inside]
    done, _ = modules.run(*twice)
    t.check("module tiny is already loaded" in done.stderr, done.stderr)
    done, _ = modules.run("--module=ghost:a,b")
    t.check("there is no module 'ghost'" in done.stderr, done.stderr)


def run_every(modules, path, out):
    return modules.run("--module-load", path, "--module=every:answer,42,more,x",
                       out=out)


def check_made(frame, t):
    """A variable for each setter."""
    shown = {v["name"]: v for v in frame["variables"]}
    for name, kind, value, string in (
            ("ll", "int", -5, None),
            ("ull", "uint", "18446744073709551615", None),
            ("dbl", "float", 0.25, None), ("cdbl", "complex", [1, -1], None),
            ("enum", "enum", 2, "TWO"), ("ref", "pointer", "0x1000", "page"),
            ("fn", "function", None, "f"), ("text", "string", None, "a\0b"),
            ("struct", "struct", None, None), ("array", "array", None, None),
            ("bool", "bool", True, None), ("contents", "array", None, None)):
        v = shown[name]
        t.equal((v["kind"], v.get("value"), v.get("string")),
                (kind, value, string), name)
    contents = shown["contents"]
    t.equal((contents["summary"], contents["length"],
             [(e["name"], e["kind"]) for e in contents["elements"]]),
            ("four of many", 5, [("", "int"), ("", "int"), ("", "pointer"),
                                 ("named", "pointer")]))


def check_every(done, snapshot, t):
    t.equal(_modules.warnings_of(snapshot), "", done.stderr)
    failed = [l for l in done.stderr.splitlines() if "FAIL" in l]
    t.equal(failed, [], "inside the module:")
    t.check("checked" in done.stderr, done.stderr)
    t.equal(snapshot["attributes"]["answer"], "42")
    t.equal(snapshot["attributes"]["every.int"], -7)
    t.equal(snapshot["attributes"]["every.address"], "0x1234")
    t.equal(snapshot["attributes"]["tag.every"], True)
    t.check("every" in snapshot["classifiers"], snapshot["classifiers"])
    t.equal((snapshot["fault"]["operand"], snapshot["fault"]["direction"]),
            ("[r9]", "write"))
    t.check({"kind": "every"} in snapshot["locks"], snapshot["locks"])
    t.check({"kind": "every"} in snapshot["heap"], snapshot["heap"])
    found = [f for f in snapshot["findings"] if f["class"] == "every-class"]
    t.equal([(f["text"], f["evidence"], f["module"]) for f in found],
            [("every was here", ["an eye witness"], "every")])
    t.equal([f["evidence"].count("a witness of another's")
             for f in snapshot["findings"] if f["primary"]], [1])
    thread = snapshot["threads"][0]
    t.equal(thread["name"], "renamed")
    t.equal(thread["annotations"][0]["text"], "thread 1")
    made, beside, frame = thread["frames"][:3]
    t.equal((made["path"], made["line"]), ("/d/c.c", 3))
    check_made(made, t)
    t.equal(beside["symbol"], "beside")
    t.equal(frame["symbol"], "recurse", "frames were put before it")
    t.equal(frame["annotations"][0]["text"], "frame 0")
    shown = {v["name"]: v for v in frame["variables"]}
    t.equal(shown["local"]["string"], "item(7)")
    t.equal([m["name"] for m in shown["local"]["members"]], ["CustomName"],
            "hidden contents, and what was added")
    t.equal(shown["local"]["members"][0]["members"][0]["value"], 2)
    t.equal(shown["local"]["annotations"][0]["text"], "seen by every")


def body(bench, t):
    modules = _modules.Modules(bench, os.path.join(
        _modules.HERE, "programs", "crash.c"))
    check_exports(bench, t)
    modules.compile("layout", LAYOUT)
    check_refusals(modules, t)
    check_owners(bench, modules, t)


if __name__ == "__main__":
    sys.exit(_modules.main(body))
