#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ptrace --module-check: what a module registers, and its mistakes with their
lines. Modules that are right get no complaint: the shipped ones, the examples,
and idioms that look like mistakes."""
import glob
import json
import os
import re
import subprocess
import sys

import _modules
from _modules import ROOT

WRONG = """\
local function request(var, raw)
  local id = pmodule.variable_from_bt(raw.id):value()
  var:anotate(pmodule.annotation.critcal, "request %d", id)
  helpr(var:adress())
  os.time()
  require("other")
end
function helper() end
pmodule.define {
  id = "queue",
  load = function()
    pmodule.config_option("length")
    pmodule.register(pmodule.event.variable, request)
    pmodule.register(pmodule.event.postatach, request)
  end,
}
"""

WRONG_LINES = [
    (3, "no method 'anotate' on any object; did you mean 'annotate'?"),
    (3, "no name 'critcal' in pmodule.annotation; did you mean 'critical'?"),
    (4, "no global variable 'helpr'; did you mean 'helper'?"),
    (4, "no method 'adress' on any object; did you mean 'address'?"),
    (5, "'os' is not allowed; --sandbox-whitelist=os does that"),
    (6, "'require' is not allowed; --sandbox-whitelist=package does that"),
    (14, "no name 'postatach' in pmodule.event; did you mean 'postattach'?"),
]

RIGHT = """\
local object = {}
function object:adress() return self end
local made = {anotate = print}
object:adress()
made:anotate()
local unpack = unpack or table.unpack
local has = os and os.time
if bit32 == nil then later = 1 end
defined_below = nil
local function f(raw) return raw.adress, raw.anything, later, defined_below end
local s, t = "text", {}
local function g(v) return s:upper(), ("x"):rep(2), v:foreign_method() end
pmodule.define {
  id = "right",
  load = function()
    local m = pmodule.match():add_object("libx", pmodule.match_type.substr)
    m:set_fault(true)
    pmodule.config_option("a")
    pmodule.config_option("b")
    pmodule.config_option("a")
    pmodule.register(pmodule.event.frame, f, m)
    pmodule.register(pmodule.event.thread, g)
  end,
}
"""

DEFINE = 'pmodule.define { id = "m", load = function() %s end }\n'

# Text, line, what is said.
BROKEN = [
    ("x = = 1\n", 1, "m.lua:1: unexpected symbol near '='"),
    ("\n\nlocal function f(\n", 4, "expected near '<eof>'"),
    ("\nerror('at start')\n", 2, "m.lua:2: at start"),
    ("local a = 1\n", None, "does not call pmodule.define"),
    ("\n" + DEFINE % "local x = nil; x.y = 1", 2,
     "m.lua:2: attempt to index local 'x' (a nil value)"),
    (DEFINE % "pmodule.register(pmodule.event.frame, nil)", 1,
     "function expected"),
    (DEFINE % "while true do end", 1, "took more than 800 ms"),
    ("local s = ('a'):rep(40) s:find(('a-'):rep(40) .. 'b')", None,
     "the process that loaded it took too long"),
    (DEFINE % "print(pmodule.symbol_address('x'), pmodule.bt_query('x'), "
     "pmodule.address_read_raw(1, 8), pmodule.address_symbol(1)) error('end')",
     1, "m.lua:1: end"),
    ("\x1bLJ\x02", None, "only sources are loaded"),
]


def check(modules, path, *args):
    done = modules.bench.run("ptrace", "--module-check", path, "--json", *args,
                             env=_modules.CRASHES)
    return done, json.loads(done.stdout)


def check_wrong(modules, t):
    path = modules.write("queue.lua", WRONG)
    done, found = check(modules, path)
    t.equal(done.returncode, 2)
    t.equal([(m["line"], m["text"]) for m in found["mistakes"]],
            [(n, f"queue.lua:{n}: {text}") for n, text in WRONG_LINES])
    t.equal((found["module"], found["loaded"]), ("queue", False))
    done = modules.bench.run("ptrace", "--module-check", path)
    t.check(f"{path}: module 'queue': cannot be loaded\n" in done.stdout,
            done.stdout)
    t.equal(re.findall(r"^queue.lua:\d+: .*", done.stdout, re.M),
            [f"queue.lua:{n}: {text}" for n, text in WRONG_LINES])
    # Allowed, they are no mistakes.
    done, found = check(modules, path, "--sandbox-whitelist=os,package")
    t.check(not any("whitelist" in m["text"] for m in found["mistakes"]),
            found["mistakes"])


def check_right(modules, t):
    path = modules.write("right.lua", RIGHT)
    done, found = check(modules, path, "--module=right:a,1,b,2,enable,true")
    t.equal((done.returncode, found["mistakes"]), (0, []), done.stderr)
    t.equal(found["options"], ["a", "b"])
    t.equal([(c["event"], c["line"], c["function_line"])
             for c in found["callbacks"]], [("frame", 21, 10),
                                            ("thread", 22, 12)])
    t.equal(found["callbacks"][0]["match"], {
        "criteria": [{"kind": "object", "text": "libx", "substr": True}],
        "fault": "thread"})
    t.equal(found["callbacks"][1]["match"], None)
    done = modules.bench.run("ptrace", "--module-check", path)
    t.equal(done.stdout, f"{path}: module 'right'\n"
            "  right.lua:21: frame: the function of line 10 where object "
            "contains 'libx', it is the faulting thread\n"
            "  right.lua:22: thread: the function of line 12\n"
            "  options: a, b\n")
    done, found = check(modules, path, "--module=right:c,1",
                        "--module=wrong:a,1")
    t.equal(done.returncode, 2)
    t.equal([m["text"] for m in found["mistakes"]], [
        "--module: load of 'right' does not ask for the option 'c'",
        "--module: the module's id is 'right', not 'wrong'"])


def check_broken(modules, t):
    for text, line, why in BROKEN:
        path = modules.write("m.lua", text)
        done, found = check(modules, path, "--module-timeout=1")
        t.equal(done.returncode, 2, text)
        t.check(any(m["line"] == line and why in m["text"]
                    for m in found["mistakes"]), text, found)
        t.equal(len(found["mistakes"]), 1, text, found)


def check_ours(modules, t):
    """No false alarm on modules that work."""
    sources = glob.glob(os.path.join(ROOT, "lua", "examples", "*.lua"))
    sources += glob.glob(os.path.join(
        modules.bench.build, "share", "inquest", "modules", "*.lua"))
    t.check(len(sources) >= 3, sources)
    for source in sources:
        with open(source) as f:
            path = modules.write(os.path.basename(source), f.read())
        done, found = check(modules, path)
        t.equal((done.returncode, found["mistakes"]), (0, []), source)


def check_c(modules, t):
    with open(os.path.join(_modules.HERE, "programs", "every.c")) as f:
        path = modules.compile("every", f.read())
    done, found = check(modules, path)
    t.equal((done.returncode, found["mistakes"]), (0, []), done.stderr)
    t.equal(found["module"], "every")
    first = found["callbacks"][0]
    t.equal((first["event"], first["function"], first["line"]),
            ("variable", "on_variable", None))
    t.equal(first["match"]["criteria"][2], {
        "kind": "variable_ptrace_type", "text": "tuple", "substr": False})
    # Without its symbols it still works.
    subprocess.run(["strip", path], check=True)
    done, found = check(modules, path)
    t.equal(found["callbacks"][0]["function"], None)
    for what, body, why in (
            ("crash", "return *(volatile int *)8 != 0;", "ended by signal 11"),
            ("loop", "for (;;) __asm__ volatile(\"\");", "took too long"),
            ("no", "return false;", "module bad refused to load")):
        path = modules.compile("bad", "#include <ptrace/pmodule.h>\n"
                               "static bool load(pmodule_t *pm) "
                               "{ (void)pm; " + body + " return true; }\n"
                               'PMODULE_DEFINE("bad", load, NULL, NULL)\n')
        done, found = check(modules, path, "--module-timeout=1")
        t.equal(done.returncode, 2, what)
        t.equal(len(found["mistakes"]), 1, what)
        t.check(why in found["mistakes"][0]["text"], what, found)


def check_usage(modules, t):
    path = modules.write("right.lua", RIGHT)
    missing = os.path.join(modules.dir, "missing.lua")
    done, found = check(modules, missing)
    t.equal(done.returncode, 2)
    t.check("No such file" in found["mistakes"][0]["text"], found)
    os.chmod(path, 0o622)
    done, found = check(modules, path)
    t.check("others can write to it" in found["mistakes"][0]["text"], found)
    done = modules.bench.run("ptrace", "--module-check", path, "1")
    t.equal(done.returncode, 1)
    t.check("takes a module and nothing else" in done.stderr, done.stderr)
    # What a module says reaches a terminal only escaped.
    path = modules.write("m.lua", "error('\\27[31mred')\n")
    done = modules.bench.run("ptrace", "--module-check", path)
    t.check("\x1b" not in done.stdout and "\\x1b[31mred" in done.stdout,
            repr(done.stdout))


def body(bench, t):
    modules = _modules.Modules(bench, os.path.join(
        _modules.HERE, "programs", "crash.c"))
    check_wrong(modules, t)
    check_right(modules, t)
    check_broken(modules, t)
    check_ours(modules, t)
    check_c(modules, t)
    check_usage(modules, t)


if __name__ == "__main__":
    sys.exit(_modules.main(body))
