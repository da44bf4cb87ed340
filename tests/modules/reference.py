#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The reference pages are up to date, and nothing in them is missing or stale:
lua/inquest.d.lua has every name that modules in Lua find, each constant with
its value, each method with as many arguments as it takes; docs/reference-c.md
every function that the compiler finds in the installed headers."""
import os
import re
import sys

import _modules
import abi
from _modules import ROOT

sys.path.insert(0, os.path.join(ROOT, "scripts"))
import reference  # noqa: E402

VALUES = """
pmodule.define { id = "values", load = function()
  for key, value in pairs(pmodule) do
    for name, number in pairs(type(value) == "table" and value or {}) do
      print("VALUE pmodule." .. key .. "." .. name .. "=" .. number)
    end
  end
end }
"""


def names_of(text):
    """Names as names.txt has them, and the values of constants."""
    names, values = set(), {}
    for name in re.findall(r"^function ([\w.:]+)\(", text, re.M):
        names.add(name)
    names.update(re.findall(r"^(pmodule\.\w+) = ", text, re.M))
    for table, body in re.findall(r"^(pmodule\.\w+) = \{\n(.*?)^\}", text,
                                  re.M | re.S):
        for name, value in re.findall(r"^  (\w+) = (-?\d+),", body, re.M):
            names.add(f"{table}.{name}")
            values[f"{table}.{name}"] = int(value)
    for name, body in re.findall(r"---@class (\w+)\n((?:---.*\n)*)local",
                                 text):
        if "---@operator call" in body:
            names.add(name + "()")
    return names, values


def check_lua(modules, t):
    with open(os.path.join(ROOT, reference.LUA)) as f:
        text = f.read()
    names, values = names_of(text)
    with open(os.path.join(_modules.HERE, "names.txt")) as f:
        known = {line.strip() for line in f
                 if re.match(r"[a-z_]+[.:]|(backtrace|thread|frame)\(\)",
                             line)}
    known -= {"bt_variable.member", "siginfo.tostring"}
    t.check(len(known) > 150, len(known))
    t.equal(sorted(known - names), [], "not in", reference.LUA)
    t.equal(sorted(names - known), [], "only in", reference.LUA)
    path = modules.write("values.lua", VALUES)
    done, _ = modules.run("--module-load", path)
    real = {name: int(value) for name, value in
            re.findall(r"VALUE ([\w.]+)=(-?\d+)", done.stderr)
            if not name.startswith("pmodule.event_type.")}
    t.check(len(real) > 50, done.stderr)
    t.equal(sorted(set(values.items()) - set(real.items())), [],
            "other values in", reference.LUA)
    t.equal(sorted(set(real.items()) - set(values.items())), [],
            "other values than in", reference.LUA)
    # Each parameter is described, and only those there are.
    for doc, name, arguments in re.findall(
            r"((?:^---.*\n)*)^function ([\w.:]+)\((.*)\) end", text, re.M):
        described = [p.rstrip("?") for p in
                     re.findall(r"^---@param (\S+)", doc, re.M)]
        t.equal(described, [a for a in arguments.split(", ") if a], name)
    # It is Lua: the only thing that is wrong with it is that it is no module.
    path = modules.write("inquest.lua", text)
    done = modules.bench.run("ptrace", "--module-check", path)
    t.check("does not call pmodule.define" in done.stdout, done.stdout)


def check_c(t):
    with open(os.path.join(ROOT, "docs", "reference-c.md")) as f:
        text = f.read()
    code = "".join(re.findall(r"^```c\n(.*?)^```", text, re.M | re.S))
    declared = abi.declared()
    t.check(len(declared) > 150, len(declared))
    for name in declared:
        t.check(re.search(rf"\b{name}\(", code), name,
                "is not in docs/reference-c.md")
    for header in abi.HEADERS:
        t.check(header in reference.HEADERS, header, "has no reference")


def body(bench, t):
    modules = _modules.Modules(bench, os.path.join(
        _modules.HERE, "programs", "crash.c"))
    for path, make in reference.PAGES:
        with open(os.path.join(ROOT, path)) as f:
            t.check(f.read() == make().rstrip("\n") + "\n", path,
                    "is out of date: run scripts/reference.py")
    check_lua(modules, t)
    check_c(t)


if __name__ == "__main__":
    sys.exit(_modules.main(body))
