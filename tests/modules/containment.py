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
        done, snapshot = modules.run(
            "--module-load", bad, "--module-load", modules.good,
            "--module-timeout=1")
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
            "--module-timeout=1")
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


def body(bench, t):
    modules = _modules.Modules(bench, os.path.join(
        _modules.HERE, "programs", "crash.c"))
    modules.good = modules.write("good.lua", GOOD)
    check_caught(modules, t)
    check_killed(modules, t)


if __name__ == "__main__":
    sys.exit(_modules.main(body))
