#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The examples of lua/examples, each on the program it is for."""
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "modules"))
import _modules  # noqa: E402


def check_arrays(bench, t):
    modules = _modules.Modules(
        bench, os.path.join(HERE, "programs", "arrays.c"))
    path = os.path.join(modules.dir, "arrays.lua")
    shutil.copy(os.path.join(_modules.ROOT, "lua", "examples", "arrays.lua"),
                path)
    os.chmod(path, 0o600)
    done, snapshot = modules.run("--module-load", path)
    if not t.check(snapshot is not None, done.stderr):
        return
    t.equal(_modules.warnings_of(snapshot), "", done.stderr)
    for i in range(10):
        t.check(f"node {i + 1} of struct(node) *: {i * i}\n" in done.stderr, i,
                done.stderr)
    found = 0
    for frame in snapshot["threads"][0]["frames"][:2]:
        for v in frame["variables"]:
            if v["kind"] == "struct" and v["name"].startswith("papa"):
                found += 1
                kids = v["members"][-1]
                t.equal(kids["name"], "kids (all)")
                t.equal([k["string"] for k in kids["elements"]],
                        [f"a={i} b={i / 2:g} c=99" for i in range(10)])
    t.equal(found, 2, "papa and its copy")


def body(bench, t):
    check_arrays(bench, t)
    names = os.listdir(os.path.join(_modules.ROOT, "lua", "examples"))
    t.equal(sorted(names), ["arrays.lua"], "examples without a test:")


if __name__ == "__main__":
    sys.exit(_modules.main(body))
