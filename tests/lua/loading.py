#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""LuaJIT is loaded when modules may run, and only then; where it is not there
all the rest works, and who asks for a Lua module is told why there is none."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "modules"))
import _modules  # noqa: E402

MODULE = """pmodule.define { id = "m", load = function()
  pmodule.register(pmodule.event.attach, function(bt)
    bt:add_kv_string("m", "attached") end)
end }
"""
# In place of the C library's: no LuaJIT is to be found.
HIDE = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
void *dlopen(const char *name, int flags)
{
    void *(*next)(const char *, int) = dlsym(RTLD_NEXT, "dlopen");
    if (name != 0 && strstr(name, "luajit") != 0)
        name = "libluajit-that-is-hidden.so";
    return next(name, flags);
}
"""


def check_needed(bench, t):
    for program in "ptrace", "bt":
        path = os.path.join(bench.build, program)
        needed = subprocess.run(["readelf", "-dW", path], text=True,
                                stdout=subprocess.PIPE, check=True).stdout
        t.check("NEEDED" in needed and "luajit" not in needed, program, needed)


def is_loaded(modules, *args):
    done = modules.bench.run(*args, env={"LD_DEBUG": "files"})
    return done.returncode == 0, "luajit" in done.stderr


def check_when(modules, t):
    core = ["--core", modules.core, modules.exe]
    _, snapshot = modules.run(out="kept")
    out = os.path.join(modules.dir, "kept.btt")
    t.check(snapshot is not None)
    for args, wanted in (
            (["bt", "--version"], False),
            (["bt", "--no-variables", *core], False),
            (["bt", out], False),
            (["bt", *core], True),
            (["ptrace", "-b", out], False),
            (["ptrace", "--overwrite", *core, "-o", out], True)):
        t.equal(is_loaded(modules, *args), (True, wanted), args)


def check_hidden(modules, t):
    path = modules.write("m.lua", MODULE)
    hide = modules.compile("hide", HIDE)
    for env, wanted in ({}, "attached"), ({"LD_PRELOAD": hide}, None):
        done, snapshot = modules.run("--module-load", path, env=env)
        t.equal(done.returncode, 0, done.stderr)
        if not t.check(snapshot is not None, done.stderr):
            continue
        t.equal(snapshot["attributes"].get("m"), wanted)
        t.check(snapshot["threads"][0]["frames"], done.stderr)
        why = "Lua modules need LuaJIT, which cannot be loaded: " \
            "libluajit-that-is-hidden.so"
        for text in _modules.warnings_of(snapshot), done.stderr:
            t.equal(why in text, wanted is None, text)


def body(bench, t):
    modules = _modules.Modules(bench, os.path.join(
        _modules.HERE, "programs", "crash.c"))
    check_needed(bench, t)
    check_when(modules, t)
    # The sanitizers' library has to come before all others.
    if not _modules.is_instrumented(modules):
        check_hidden(modules, t)


if __name__ == "__main__":
    sys.exit(_modules.main(body))
