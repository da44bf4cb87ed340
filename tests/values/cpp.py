#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Values of C++: strings with their text, pointers to members with their names,
virtual bases, virtual tables that are no data; by gcc and clang."""
import os
import shutil
import sys
import tempfile

import _values
import crash


def base_of(v, name):
    return [m for m in v["members"] if m["name"] == name][0]


def check_text(c, have, what):
    for name, want in {"name": "a name", "own": "hello", "none": "",
                       "view": "view", "text8": "u8 text", "c8": "x"}.items():
        c.equal(have[name].get("string"), want, f"{what} {name}")
    c.equal((have["longer"].get("string"), have["longer"].get("length"),
             have["longer"].get("truncated")), ("z" * 1024, 2000, True),
            f"{what} longer")
    pointer = have["wide"]["members"][0]["members"][-1]
    c.equal(pointer.get("string"), "wide", f"{what} wide")


def check_pointers(c, have, what):
    for name, want in {"member": "&Device::id", "inherited": "&Part::id",
                       "extra": "&Part::extra", "no_member": None,
                       "method": "Device::plain(double)"}.items():
        c.equal(have[name].get("string"), want, f"{what} {name}")
    c.equal(have["null"]["value"], "0x0", f"{what} nullptr")


def check_classes(c, doc, have, what):
    disk = base_of(have["both"], "Disk")
    device = base_of(disk, "Device")
    values = {m["name"]: m["value"] for m in device["members"]}
    c.equal(values["id"], 42, f"{what} virtual base")
    tables = [m for m in device["members"] if m["name"].startswith("_vptr")]
    c.equal([t.get("ref") for t in tables], [None], f"{what} virtual table")
    target = doc["objects"][have["base"]["ref"]]
    c.equal(target["type"], "Device", f"{what} object")


def main():
    build = _values.build_directory()
    c = _values.Checks()
    with tempfile.TemporaryDirectory(prefix="values.") as directory:
        for cc in filter(shutil.which, ("g++", "clang++")):
            where = os.path.join(directory, cc)
            exe = crash.build(os.path.join(_values.PROGRAMS, "classes.cpp"),
                              ["-g", "-std=c++20", "-fstandalone-debug"]
                              if cc == "clang++" else ["-g", "-std=c++20"],
                              cc, where)
            doc = _values.document(build, exe, crash.core(exe, where))
            have = _values.variables(doc, "show")
            check_text(c, have, cc)
            check_pointers(c, have, cc)
            check_classes(c, doc, have, cc)
    return c.end()


if __name__ == "__main__":
    sys.exit(main())
