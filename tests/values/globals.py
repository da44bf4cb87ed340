#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Requested globals and thread-locals (--global), in every module model:
initial-exec and local-exec, a linked library, a loaded one, static programs;
types and variables that one unit or image declares and another defines; names
with scopes, many of one name, none."""
import os
import subprocess
import sys
import tempfile

import _values
import crash

WANTED = {
    "plain": 23 + 1 + 31 + 3 + 52, "tls_static": 121, "tls_extern": 122,
    "text": "global text", "array": [1, 2, 3], "in_library": 31,
    "tls_library": 42, "tls_library_static": 52, "tls_plugin": 62,
    "tls_plugin_extern": 64, "plugin_global": 64, "other.c::same": 3,
    "globals.c::same": 1,
}
NAMES = {
    "ns::x": 7, "ns::S::count": 8, "ns::S::in_class": 9,
    "ns::(anonymous namespace)::hidden": 10, "ns::Pair<int>::value": 39,
    "ns::local": 14, "_ZN2ns1xE": 7,
}


def compile_(directory, out, compiler, *arguments):
    subprocess.run([compiler, "-g", *arguments, "-o", out], cwd=directory,
                   check=True, stdin=subprocess.DEVNULL,
                   timeout=_values.TIMEOUT)


def source(name):
    return os.path.join(_values.PROGRAMS, name)


def globals_of(build, exe, core, names):
    options = [f"--global={name}" for name in names]
    doc = _values.document(build, exe, core, *options)
    found = {}
    for v in doc["globals"]:
        value = v.get("string") if v["kind"] == "pointer" else None
        found.setdefault(v["name"], []).append(value or _values.plain(v))
    return doc, found


def check_modules(c, build, directory):
    compile_(directory, "library.so", "gcc", "-shared", "-fPIC",
             source("library.c"))
    compile_(directory, "plugin.so", "gcc", "-shared", "-fPIC", "-DPLUGIN",
             source("library.c"))
    compile_(directory, "globals", "gcc", source("globals.c"),
             source("other.c"), f"{directory}/library.so", "-ldl",
             f'-DPLUGIN="{directory}/plugin.so"')
    exe = os.path.join(directory, "globals")
    core = crash.core(exe, directory)
    doc, found = globals_of(build, exe, core, [*WANTED, "nothing"])
    c.equal(found, {n: [v] for n, v in WANTED.items()}, "modules")
    c.equal([w["code"] for w in doc["warnings"] if "nothing" in w["text"]],
            ["global"], "no such name")
    doc, found = globals_of(build, exe, core, ["same", "opaque", "handle"])
    c.equal((found.get("globals.c::same"), found.get("other.c::same")),
            ([1], [3]), "two of one name")
    check_types(c, doc)


def check_types(c, doc):
    """What a unit or image only declares is shown as another defines it."""
    v = _values.variables(doc, "main")["declared"]
    target = doc["objects"].get(v.get("ref"))
    c.equal(target and _values.plain(target),
            {"magic": 4711, "name": "handle"}, "type of another image")
    opaque = [v for v in doc["globals"] if v["name"] == "opaque"][0]
    target = doc["objects"].get(opaque.get("ref"))
    c.equal(target and _values.plain(target),
            {"secret": 99, "self": opaque["value"]}, "type of another unit")
    pieces = {m["address"]: m["size"] for m in doc["memory"]
              if m["why"] == "object"}
    c.equal(pieces.get(opaque["value"]), 16, "memory behind the object")


def check_alone(c, build, directory):
    wanted = {"plain": [24], "same": [1], "tls_static": [121],
              "tls_extern": [122], "text": ["global text"]}
    for form in ("-static", "-static-pie", "-no-pie", "-pie"):
        name = "alone" + form
        compile_(directory, name, "gcc", form, "-DALONE",
                 source("globals.c"), "-ldl")
        exe = os.path.join(directory, name)
        found = globals_of(build, exe, crash.core(exe, directory), wanted)[1]
        c.equal(found, wanted, form)


def check_names(c, build, directory):
    compile_(directory, "names", "g++", "-std=c++17", source("names.cpp"))
    exe = os.path.join(directory, "names")
    found = globals_of(build, exe, crash.core(exe, directory), NAMES)[1]
    c.equal(found, {n: [v] for n, v in NAMES.items()}, "names")


def main():
    build = _values.build_directory()
    c = _values.Checks()
    with tempfile.TemporaryDirectory(prefix="values.") as directory:
        check_modules(c, build, directory)
        check_alone(c, build, directory)
        check_names(c, build, directory)
    return c.end()


if __name__ == "__main__":
    sys.exit(main())
