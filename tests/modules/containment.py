#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A module that misbehaves costs its own results and nobody else's: the
snapshot is written, names it, and has what the others said."""
import os
import sys
import time

import _modules

GOOD = """
pmodule.define { id = "good", load = function()
  pmodule.register(pmodule.event.postattach, function(bt)
    bt:annotate(pmodule.annotation.comment, "good was here")
  end)
end }
"""

LUA = """
pmodule.define { id = "bad", load = function()
  pmodule.register(pmodule.event.postattach, function(bt)
    bt:annotate(pmodule.annotation.comment, "bad began")
    %s
  end)
end }
"""

# Name, what the module does, a text of the warnings. All end by themselves:
# what was said before stays.
CAUGHT = [
    ("loop", "while true do end", "took more than"),
    ("pcall", "while true do pcall(function() while true do end end) end",
     "took more than"),
    ("nested", "local function f() pcall(f) while true do end end "
     "while true do pcall(f) end", "took more than"),
    ("coroutine", "while true do coroutine.wrap(function() "
     "while true do end end)() end", "took more than"),
    ("handler", "while true do xpcall(function() error('x') end, function() "
     "while true do end end) end", "took more than"),
    ("memory", "local t, n = {}, 0 while true do n = n + 1 "
     "t[n] = ('x'):rep(1e6) .. n end", "not enough memory"),
    ("rep", "local s = ('x'):rep(2^30)", "memory"),
    ("huge read", "local sp = bt:pid() pmodule.address_read_raw(2^47 - 1, "
     "2^40) error('read ' .. tostring(pmodule.address_read_raw(1, 2^40)))",
     "read nil"),
    ("error", "error('on purpose')", "bad.lua:5: on purpose"),
    ("error object", "error({})", "error object is a table"),
    ("stack", "local function f() return f() + 1 end f()", "overflow"),
    ("throwing handler", "xpcall(error, function() error('again') end) "
     "error('after')", "after"),
    ("flood", "for i = 1, 1e6 do bt:annotate(pmodule.annotation.comment, "
     "'flood %d', i) end", "said or added too much"),
    ("synthesis", "for i = 1, 1e6 do pmodule.create_variable('int', 'x') end",
     "too many variables"),
    ("kv", "for i = 1, 1e6 do bt:add_kv_string('k' .. i, ('v'):rep(1000)) "
     "end", "said or added too much"),
]

C = """
#include <ptrace/pmodule.h>
%s
static void
run(ptrace_backtrace_t *bt)
{
	pmodule_backtrace_annotate(bt, PAT_COMMENT, "bad began");
	%s
}
static bool load(pmodule_t *pm)
{
	%s
	return pmodule_postattach_event_add(pm, run);
}
PMODULE_DEFINE("bad", load, NULL, NULL)
"""

CRASH = "*(volatile int *)8 = 1;"

# These take the worker with them.
KILLED = [
    ("crash", C % ("", CRASH, ""), "signal 11"),
    ("abort", C % ("", "abort();", ""), "signal 6"),
    ("exit", C % ("#include <unistd.h>", "_exit(3);", ""), "status 3"),
    ("crash in load", C % ("", "", CRASH), "signal 11"),
    ("crash in constructor", C % (
        "__attribute__((constructor)) static void c(void) { "
        "%s }" % CRASH, "", ""), "signal 11"),
    ("loop in C", C % ("", "for (;;) __asm__ volatile(\"\");", ""),
     "took too long"),
    ("pattern", LUA % "local s = ('a'):rep(40) "
     "s:find(('a-'):rep(40) .. 'b')", "took too long"),
    ("wild handle", C % ("", "ptrace_thread_frame((void *)bt, 0); "
                         + CRASH, ""), "signal 11"),
]


def check_caught(modules, t):
    for what, body, text in CAUGHT:
        bad = modules.write("bad.lua", LUA % body)
        begun = time.monotonic()
        # A second is enough for what never ends; what is to meet another
        # limit gets the time that a busy machine needs.
        limit = ["--module-timeout=1"] if text == "took more than" else []
        done, snapshot = modules.run(
            "--module-load", bad, "--module-load", modules.good, *limit)
        if not t.check(snapshot is not None, what, done.stderr):
            continue
        took = time.monotonic() - begun
        t.equal(done.returncode, 0, what, done.stderr)
        said = _modules.texts(snapshot)
        t.check("good was here" in said, what, "the other module's word")
        t.check("bad began" in said, what, "its own word")
        t.check(text in _modules.warnings_of(snapshot), what, text, "not in",
                _modules.warnings_of(snapshot))
        t.check("module:bad" in _modules.warnings_of(snapshot), what)
        # Where a limit was met explains nothing: one line.
        if what in ("error", "synthesis"):
            t.equal("stack traceback" in done.stderr, what == "error", what,
                    done.stderr)
        t.check(took < 15, what, f"took {took:.1f} s")
        t.check(snapshot["threads"][0]["frames"], what, "frames")


def check_killed(modules, t):
    for what, text, why in KILLED:
        if text.startswith("\n#include"):
            bad = modules.compile("bad", text)
        else:
            bad = modules.write("bad.lua", text)
        done, snapshot = modules.run(
            "--module-load", modules.good, "--module-load", bad,
            "--module-timeout=1", env=_modules.CRASHES)
        if not t.check(snapshot is not None, what, done.stderr):
            continue
        t.equal(done.returncode, 0, what, done.stderr)
        t.check("good was here" in _modules.texts(snapshot), what)
        t.check("bad began" not in _modules.texts(snapshot), what)
        warnings = _modules.warnings_of(snapshot)
        t.check("module:bad/" in warnings and why in warnings, what, why,
                "not in", warnings)
        t.check("module 'bad' was left out" in warnings, what, warnings)
        t.check(snapshot["findings"], what, "findings of shipped modules")
        t.equal(snapshot["partial"], True, what)


def load_all(paths):
    return [a for p in paths for a in ("--module-load", p)]


def check_together(modules, t):
    """Many that each stay below the limit for one."""
    loops = []
    for name in "abc":
        text = (LUA % "while true do end").replace('"bad"', f'"{name}"')
        loops.append(modules.write(name + ".lua", text))
    begun = time.monotonic()
    done, snapshot = modules.run(
        *load_all(loops + [modules.good]), "--module-timeout=1",
        "--modules-timeout=1")
    t.check(time.monotonic() - begun < 10, "together: too slow")
    if t.check(snapshot is not None, "together", done.stderr):
        warnings = _modules.warnings_of(snapshot)
        for text in ("a.lua:5: module 'a' took more than",
                     "b.lua:5: module 'b' was ended: the time for all modules is over",
                     "the loaded modules took more than 1000 ms together, 'a' "
                     "most of it"):
            t.check(text in warnings, "together", text, warnings)
        t.equal(_modules.texts(snapshot), ["bad began", "bad began"])
        t.check(snapshot["findings"], "findings of shipped modules")
    # Enough time for all: nothing is skipped.
    done, snapshot = modules.run(
        *load_all(loops + [modules.good]), "--module-timeout=1",
        "--modules-timeout=60")
    t.check("good was here" in _modules.texts(snapshot), done.stderr)
    t.check("modules.time" not in _modules.warnings_of(snapshot))


def check_loading_together(modules, t):
    """At the start of their files, before there is a snapshot."""
    loops = [modules.write(f"loop{i:02}.lua", "while true do end")
             for i in range(20)]
    begun = time.monotonic()
    done, snapshot = modules.run(*load_all(loops + [modules.good]),
                                 "--module-timeout=1", "--modules-timeout=2")
    t.check(time.monotonic() - begun < 15, "loading: too slow")
    if t.check(snapshot is not None, "loading", done.stderr):
        warnings = _modules.warnings_of(snapshot)
        t.check("refused: loop00.lua:1: module 'loop00.lua' took more than "
                "800 ms and was ended | " in warnings, warnings)
        t.check("loop19.lua: not loaded" in warnings, warnings)
        t.check(snapshot["findings"], "findings of shipped modules")


def check_many_killers(modules, t):
    """More than there are attempts."""
    bad = [modules.compile(f"bad{i}", (C % ("", "", CRASH)).replace(
        '"bad"', f'"bad{i}"')) for i in range(6)]
    done, snapshot = modules.run(*load_all(bad + [modules.good]), env=_modules.CRASHES)
    if t.check(snapshot is not None, "killers", done.stderr):
        warnings = _modules.warnings_of(snapshot)
        t.check("all loaded modules were left out" in warnings, warnings)
        t.check("module:bad2/" in warnings, warnings)
        t.check(snapshot["findings"], "findings of shipped modules")
        t.check(snapshot["threads"][0]["frames"], "frames")


def body(bench, t):
    modules = _modules.Modules(bench, os.path.join(
        _modules.HERE, "programs", "crash.c"))
    modules.good = modules.write("good.lua", GOOD)
    check_caught(modules, t)
    check_killed(modules, t)
    check_together(modules, t)
    check_loading_together(modules, t)
    check_many_killers(modules, t)


if __name__ == "__main__":
    sys.exit(_modules.main(body))
