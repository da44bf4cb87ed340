#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every name of the interfaces is there and does something. names.txt is the
list; the modules tests/lua/programs/api.lua and programs/every.c check what
each name does. So each name in turn is made to do nothing, and they have to
notice; and what is there without being in the list is named, too."""
import concurrent.futures
import os
import re
import subprocess
import sys

import _modules
import abi

sys.path.insert(0, os.path.join(_modules.ROOT, "tests", "lua"))
import api  # noqa: E402
from checks import Checks  # noqa: E402

NAMES = os.path.join(_modules.HERE, "names.txt")

SILENT = {
    # Nobody but a leak checker can see whether memory was given back.
    "bt_variable_deinit()", "pmodule_match_destroy()",
    "pmodule_variable_release()",
    # False and 0 in crash.c; unit.module_next has others.
    "ptrace_frame_inline()", "ptrace_frame_signal()",
    "ptrace_thread_frames_skipped()", "ptrace_thread_n_kframes()",
    # Of C++ only: lua.containers.
    "bt_type_template_type()", "bt_type_template_value()",
    "bt_type:template_argument"}

# In front of the module, on its first line.
BREAK = """
local d, name = debug, "%s" debug = nil
local function nothing() end
local function class(of)
  local mt = d.getregistry()[of]
  if mt == nil then error("MISSING " .. name) end
  return mt
end
local function replace(t, key, value)
  if rawget(t, key) == nil then error("MISSING " .. name) end
  rawset(t, key, value)
end
local group, key = name:match("^pmodule%%.([%%w_]+)%%.([%%w_]+)$")
local of, method = name:match("^([%%w_]+):([%%w_]+)$")
if group then
  replace(pmodule[group], key, nil)
elseif of then
  local methods = class(of).__index
  replace(methods, method, nothing)
elseif name:match("%%(%%)$") then
  replace(class(name:sub(1, -3)), "__call", nothing)
elseif name == "bt_variable.member" then
  replace(class("bt_variable"), "__index", nothing)
elseif name == "siginfo.tostring" then
  replace(class("siginfo"), "__tostring", nil)
else
  local key = name:match("^pmodule%%.([%%w_]+)$")
  local is_table = type(rawget(pmodule, key)) == "table"
  replace(pmodule, key, not is_table and nothing or nil)
end
"""

LIST = """
local d, names = debug, {}
for name, mt in pairs(d.getregistry()) do
  if type(mt) == "table" and rawget(mt, "__metatable") == name then
    if rawget(mt, "__call") then names[#names + 1] = name .. "()" end
    local methods = mt.__index
    for method in pairs(type(methods) == "table" and methods or {}) do
      names[#names + 1] = name .. ":" .. method
    end
  end
end
for key, value in pairs(pmodule) do
  names[#names + 1] = "pmodule." .. key
  for name in pairs(type(value) == "table" and key ~= "event_type" and value
      or {}) do
    names[#names + 1] = "pmodule." .. key .. "." .. name
  end
end
pmodule.define { id = "list", load = function()
  for _, name in ipairs(names) do print("NAME " .. name) end
end }
"""


def read_names():
    with open(NAMES) as f:
        return [line.strip() for line in f
                if line.strip() and not line.startswith("#")]


def is_lua(name):
    return not name.endswith("()") or name in ("backtrace()", "thread()",
                                               "frame()")


def noticed(done, snapshot, check_snapshot):
    """The module, or what looks at its snapshot, complains."""
    if snapshot is None or "FAIL" in done.stderr:
        return True
    found = Checks(quiet=True)
    try:
        check_snapshot(done, snapshot, found)
    except (KeyError, IndexError, TypeError):
        return True
    return found.failed != 0


def run_lua(modules, text, number):
    path = modules.write(f"api{number}.lua", text)
    return modules.run("--module-load", path, "--module=api:option,value",
                       "--sandbox-whitelist=debug", out=f"lua{number}")


def check_lua(modules, names, t):
    with open(os.path.join(_modules.ROOT, "tests", "lua", "programs",
                           "api.lua")) as f:
        source = f.read()
    untouched = run_lua(modules, "debug = nil " + source, "-whole")
    api.check_run(*untouched, t)

    def broken(item):
        number, name = item
        prefix = BREAK % name
        text = " ".join(prefix.split("\n")).strip() + " " + source
        return name, run_lua(modules, "do " + text.replace(
            " -- SPDX", " end -- SPDX", 1), number)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, (done, snapshot) in pool.map(broken, enumerate(names)):
            t.check("MISSING" not in done.stderr, name, "is not there")
            t.check(name in SILENT or
                    noticed(done, snapshot, api.check_run), name,
                    "could do nothing and nobody would notice")


def check_list(modules, names, t):
    path = modules.write("list.lua", LIST)
    done, _ = modules.run("--module-load", path,
                          "--sandbox-whitelist=debug", out="list")
    found = set(re.findall(r"NAME ([\w.:()]+)", done.stderr))
    known = set(names) - {"bt_variable.member", "siginfo.tostring"}
    t.check(len(found) > 100, done.stderr)
    t.equal(sorted(found - known), [], "in Lua, not in names.txt:")
    t.equal(sorted(known - found), [], "in names.txt, not in Lua:")


NOTHING = """
	.text
	.globl nothing
	.type nothing, @function
nothing:
	xorl %eax, %eax
	pxor %xmm0, %xmm0
	ret
	.section .note.GNU-stack,"",@progbits
"""


def check_c(modules, names, t):
    with open(os.path.join(_modules.HERE, "programs", "every.c")) as f:
        whole = modules.compile("every", f.read(), "-Werror")
    abi.check_every(*abi.run_every(modules, whole, "every"), t)
    source = modules.write("nothing.s", NOTHING)
    stub, object_ = (os.path.join(modules.dir, n)
                     for n in ("nothing.o", "every.o"))
    flags = ["-std=gnu99", "-fPIC", "-c", "-I",
             os.path.join(_modules.ROOT, "include")]
    subprocess.run(["gcc", *flags, source, "-o", stub], check=True)
    subprocess.run(["gcc", *flags, os.path.join(modules.dir, "every.c"),
                    "-o", object_], check=True)
    used = set(subprocess.run(
        ["nm", "-u", object_], text=True, check=True,
        stdout=subprocess.PIPE).stdout.split())

    def broken(name):
        function = name[:-2]
        if function not in used:
            return name, None
        out = os.path.join(modules.dir, function + ".so")
        subprocess.run(
            ["gcc", "-shared", "-o", out, object_, stub,
             "-Wl,--wrap=" + function,
             f"-Wl,--defsym=__wrap_{function}=nothing"], check=True)
        os.chmod(out, 0o700)
        return name, abi.run_every(modules, out, function)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, run in pool.map(broken, names):
            if not t.check(run is not None, name, "is not used by every.c"):
                continue
            t.check(name in SILENT or noticed(*run, abi.check_every), name,
                    "could do nothing and nobody would notice")


def body(bench, t):
    modules = _modules.Modules(bench, os.path.join(
        _modules.HERE, "programs", "crash.c"))
    names = read_names()
    t.equal(len(names), len(set(names)), "a name stands twice")
    lua = [n for n in names if is_lua(n)]
    in_c = [n for n in names if not is_lua(n)]
    declared = abi.declared(("bt.h", "ptrace/pmodule.h"))
    t.equal(sorted(declared - {n[:-2] for n in in_c}), [],
            "in the headers, not in names.txt:")
    t.equal(sorted({n[:-2] for n in in_c} - declared), [],
            "in names.txt, not in the headers:")
    check_list(modules, lua, t)
    check_lua(modules, lua, t)
    check_c(modules, in_c, t)


if __name__ == "__main__":
    sys.exit(_modules.main(body))
