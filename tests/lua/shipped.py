#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The Lua modules that come with ptrace: found from the program's own place,
loaded only where the condition at their head holds, switched off one by one or
all; and those of this build, none of which a plain C program pays for."""
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "modules"))
import _modules  # noqa: E402

MODULE = """-- SPDX-License-Identifier: MIT
-- What it is for.
%s
pmodule.define { id = "%s", load = function()
  pmodule.register(pmodule.event.attach, function(bt)
    bt:add_kv_string("%s", "attached") end)
  pmodule.register(pmodule.event.postattach, function(bt)
    bt:add_classifier("%s") end)
end }
"""
PROGRAM = """
#include <stdlib.h>
typedef struct thing { int x; } Thing;
int find_me;
void f(const Thing *t, long n) { abort(); }
int main(void) { Thing t = {1}; f(&t, 2); return 0; }
"""
# A module's condition; is it used?
CONDITIONS = {
    "always": ("", True),
    "by_type": ("-- inquest: when type Thing", True),
    "by_tag": ("-- inquest: when type thing", True),
    "by_star": ("-- inquest: when type T*n*", True),
    "two_stars": ("-- inquest: when type *h*ng", True),
    "no_star": ("-- inquest: when type Thin? T*gg* *x", False),
    "by_base": ("-- inquest:\twhen type  long  ", True),
    "no_type": ("-- inquest: when type thin things hing Thingy", False),
    "by_object": ("-- inquest: when object libd.so libc.so*", True),
    "no_object": ("-- inquest: when object libc libd.so* so.6", False),
    "by_symbol": ("-- inquest: when symbol none find_me", True),
    "by_export": ("-- inquest: when symbol malloc in libc*", True),
    "in_other": ("-- inquest: when symbol find_me in libc*", False),
    "no_symbol": ("-- inquest: when symbol find_m ind_me", False),
    "either": ("-- inquest: when symbol none\n-- A remark.\n"
               "-- inquest: when type none\n-- inquest: when type long", True),
}
# A module's condition, and what is said.
WRONG = [
    ("-- inquest: if type x", "m.lua:3: 'when' expected"),
    ("-- inquest:", "m.lua:3: 'when' expected"),
    ("-- inquest: when moon full", "'object', 'symbol' or 'type' expected"),
    ("--\n-- inquest: when type", "m.lua:4: a name expected"),
    ("-- inquest: when symbol x in", "m.lua:3: a name expected"),
    ("-- inquest: when symbol in", None),  # a symbol of that name
    ("-- inquest: when type" + " x" * 33, "too many words"),
    ("-- inquest: when type x\n" * 9, "too many conditions"),
    # Not at the head.
    ("local x\n-- inquest: when moon", None),
]


class Installed:
    """A copy of the program with modules of our own where it looks."""

    def __init__(self, bench, t):
        self.bench = bench
        self.t = t
        self.root = bench.new_dir()
        self.dir = os.path.join(self.root, "share", "inquest", "modules")
        os.makedirs(self.dir)
        os.makedirs(os.path.join(self.root, "bin"))
        for path, _, _ in os.walk(self.root):
            os.chmod(path, 0o755)
        self.programs = {}
        for name in ("ptrace", "bt"):
            self.programs[name] = os.path.join(self.root, "bin", name)
            shutil.copy(os.path.join(bench.build, name), self.programs[name])
        source = os.path.join(self.root, "thing.c")
        with open(source, "w") as f:
            f.write(PROGRAM)
        self.exe = _modules.crash.build(source, ["-g", "-O0"], "gcc",
                                        self.root)
        self.core = _modules.crash.core(self.exe, self.root)
        self.count = 0

    def write(self, name, text, where=None):
        path = os.path.join(where or self.dir, name + ".lua")
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, 0o644)
        return path

    def clear(self):
        for name in os.listdir(self.dir):
            os.unlink(os.path.join(self.dir, name))

    def run(self, *args):
        """(stderr, ids of the modules that ran, the snapshot)"""
        self.count += 1
        out = os.path.join(self.root, f"{self.count}.btt")
        done = self.bench.run(self.programs["ptrace"], "--core", self.core,
                              self.exe, "-o", out, "-L", "DEBUG", *args)
        if not self.t.check(done.returncode == 0, args, done.stderr):
            return done.stderr, set(), {"warnings": [], "attributes": {}}
        shown = self.bench.run("ptrace", "-b", out, "--format=json")
        s = json.loads(shown.stdout)
        return done.stderr, set(s["classifiers"]) - {"abort", "stop"}, s


def module(name, condition=""):
    return MODULE % (condition, name, name, name)


def check_conditions(at, t):
    for name, (condition, _) in CONDITIONS.items():
        at.write(name, module(name, condition))
    wanted = {n for n, (_, used) in CONDITIONS.items() if used}
    err, ran, s = at.run()
    t.equal(ran, wanted, err)
    t.equal({k for k, v in s["attributes"].items() if v == "attached"}, wanted,
            "attach")
    t.equal(_modules.warnings_of(s), "", err)
    for name in CONDITIONS:
        t.equal(f"module '{name}': is used" in err, name in wanted, err)


def check_switches(at, t):
    err, ran, s = at.run("--module=always:enable,no",
                         "--module=by_type:enable,false",
                         "--module=by_tag:enable,yes,other,1",
                         "--module=no_type:enable,no")
    t.check("always" not in ran and "by_type" not in ran and "by_tag" in ran,
            ran)
    t.equal(_modules.warnings_of(s), "", err)
    err, ran, s = at.run("--module=locks:enable,no")
    t.equal(_modules.warnings_of(s), "", "a C module:", err)
    err, _, s = at.run("--module=nobody:enable,no")
    t.check("there is no module 'nobody'" in _modules.warnings_of(s), err)
    t.equal(at.run("--no-pretty-print")[1], set())
    t.check("always" in at.run("--no-pretty-print", "--pretty-print")[1])
    # A module of the user's takes the place of ours.
    own = at.bench.new_dir()
    os.chmod(own, 0o700)
    path = at.write("always", module("always").replace("attached", "mine"),
                    own)
    _, _, s = at.run("--module-load", path)
    t.equal(s["attributes"]["always"], "mine")
    t.equal(_modules.warnings_of(s), "")


def check_bt(at, t):
    def run(*args):
        done = at.bench.run(at.programs["bt"], "--core", at.core, at.exe,
                            *args)
        t.equal(done.returncode, 0, done.stderr)
        return done.stdout
    at.write("speaks", MODULE.replace(
        'bt:add_classifier("%s")',
        'bt:annotate(pmodule.annotation.comment, "said by %s")') %
             (("",) + ("speaks",) * 3))
    said = "said by speaks"
    t.check(said in run("--json"))
    t.check(said not in run("--json", "--no-pretty-print"))
    t.check(said not in run("--no-variables"))


def check_wrong(at, t):
    at.clear()
    for condition, said in WRONG:
        at.write("m", module("m", condition))
        err, ran, s = at.run()
        if said is None:
            t.equal(_modules.warnings_of(s), "", condition)
            continue
        t.equal(ran, set(), condition)
        t.check(said in _modules.warnings_of(s), condition, err)
    at.write("m", module("other"))
    err, ran, _ = at.run()
    t.equal(ran, set())
    t.check("the id is 'other', not the name of the file" in err, err)
    path = at.write("m", module("m"))
    os.chmod(path, 0o666)
    err, ran, _ = at.run()
    t.check("others can write to it" in err and not ran, err)
    os.chmod(path, 0o644)
    os.chmod(at.dir, 0o777)
    err, ran, _ = at.run()
    t.check("others can write to it" in err and not ran, err)
    os.chmod(at.dir, 0o755)
    os.unlink(path)
    os.symlink(at.write("m", module("m"), at.root), path)
    t.equal(at.run()[1], set(), "a link")
    at.clear()
    at.write("m", "while true do end")
    err, ran, s = at.run("--module-timeout=1")
    t.check("took more than" in _modules.warnings_of(s), err)
    os.unlink(os.path.join(at.dir, "m.lua"))
    os.rmdir(at.dir)
    err, ran, s = at.run()
    t.equal((ran, _modules.warnings_of(s)), (set(), ""), "no directory")


def check_build(bench, t):
    """Those of this build are there, and a plain C program uses none."""
    source = sorted(os.path.splitext(n)[0] + ".lua" for n in os.listdir(
        os.path.join(_modules.ROOT, "lua", "modules")))
    there = os.path.join(bench.build, "share", "inquest", "modules")
    t.equal(sorted(os.listdir(there)), source)
    for name in source:
        with open(os.path.join(there, name)) as f:
            head = f.read(4096)
        t.check("\n-- inquest: when " in head, name, "loads everywhere")
    prefix = bench.new_dir()
    subprocess.run(["cmake", "--install", bench.build, "--prefix", prefix],
                   check=True, stdout=subprocess.DEVNULL)
    installed = [os.path.join(where, name)
                 for where, _, names in os.walk(prefix) for name in names
                 if where.endswith(os.path.join("inquest", "modules"))]
    t.equal(sorted(map(os.path.basename, installed)), source)
    t.equal({os.stat(path).st_mode & 0o777 for path in installed}, {0o644})
    modules = _modules.Modules(bench, os.path.join(
        os.path.dirname(HERE), "modules", "programs", "crash.c"))
    done, s = modules.run("-L", "DEBUG")
    t.check("is used" not in done.stderr, done.stderr)
    t.equal(_modules.warnings_of(s), "")


def body(bench, t):
    at = Installed(bench, t)
    check_conditions(at, t)
    check_switches(at, t)
    check_bt(at, t)
    check_wrong(at, t)
    check_build(bench, t)


if __name__ == "__main__":
    sys.exit(_modules.main(body))
