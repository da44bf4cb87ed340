#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ptrace --stale-pointer: who refers to the memory at the fault, through how
many levels, and of which types. Nothing is said of a fault that has no object,
and nothing at all without the option."""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
import checks  # noqa: E402
import crash  # noqa: E402

SOURCE = os.path.join(HERE, "analyses", "stale.c")
SHAPES = os.path.join(HERE, "analyses", "stale.cpp")


def document(ptrace, exe, where, what, *options):
    core = crash.core(exe, where, [what])
    out = os.path.join(where, "s.btt")
    subprocess.run([ptrace, "--core", core, exe, "-o", out, "--overwrite",
                    *options], check=True, timeout=60,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    os.unlink(core)
    text = subprocess.run([ptrace, "-b", out, "--format=json"], check=True,
                          timeout=60, stdout=subprocess.PIPE).stdout
    return json.loads(text)


def said(d):
    """(texts, the data) of the module."""
    mine = [a for a in d["annotations"] if a.get("module") == "stale"]
    data = [a["json"]["json"] for a in mine if "json" in a]
    return " ".join(a.get("text", "") for a in mine), (data or [None])[0]


def levels(data):
    return sorted({int(r.split()[1].rstrip(":"))
                   for r in data["references"].values()})


def run(ptrace, exe, where, t):
    text, data = said(document(ptrace, exe, where, "reused",
                               "--stale-pointer"))
    t.equal(data and set(data["types"].split(", ")),
            {"struct session", "struct request"}, "types")
    t.equal(data and data["state"], "allocated", "state")
    t.check("struct session may be stale towards memory owned by "
            "struct request" in text, text)
    references = list(data["references"].values())
    for what in ("s of reuse", "r of reuse"):
        t.check(any("level 1" in r and what in r for r in references), what,
                "is missing in", references)
    # The cache holds the session, somebody holds the cache.
    t.check(not any("main_arena" in r for r in references),
            "the allocator's own", references)
    t.check(any("level 1" in r and "sessions[]" in r
                for r in references), "the session's holder", references)
    t.check(any("level 2" in r and "cache of reuse" in r
                for r in references), "the holder's holder", references)

    text, data = said(document(ptrace, exe, where, "reused",
                               "--stale-pointer=1"))
    t.equal(levels(data), [1], "one level")

    # Without types on the way: blocks of the heap lead to who holds them.
    text, data = said(document(ptrace, exe, where, "freed",
                               "--stale-pointer"))
    t.equal(data and data["state"], "freed", "freed")
    t.check("a freed block of" in text and "may be stale" not in text, text)
    references = list((data or {"references": {}})["references"].values())
    t.check(any("level 3" in r and "server (struct server *)" in r
                for r in references), "the server's holder", references)

    text, data = said(document(ptrace, exe, where, "unmapped",
                               "--stale-pointer"))
    t.equal(data and data["types"], "struct big", "unmapped")
    references = list(data["references"].values())
    t.check(any("kept (struct big *)" in r for r in references),
            "the global", references)

    text, data = said(document(ptrace, exe, where, "local",
                               "--stale-pointer"))
    t.equal(data, None, "a null pointer has no object:")
    t.check("not an access through a pointer" in text, text)

    d = document(ptrace, exe, where, "unmapped")
    t.equal(said(d), ("", None), "without the option:")


def classes(ptrace, exe, where, t):
    """A pointer that was read from an object of another class: the object it
    was read from counts, by its pointers and by its virtual functions."""
    text, data = said(document(ptrace, exe, where, "", "--stale-pointer"))
    t.equal(data and set(data["types"].split(", ")),
            {"Shape", "Square", "Circle"}, "classes")
    t.equal(data and data["state"], "allocated", "classes")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    args = parser.parse_args()
    ptrace = os.path.join(os.path.abspath(args.build), "ptrace")
    where = tempfile.mkdtemp(prefix="inquest-stale.")
    t = checks.Checks()
    try:
        for flags in (["-O0", "-g"], ["-O0", "-g", "-no-pie"]):
            exe = crash.build(SOURCE, [*flags, "-w"], "gcc", where,
                              name="exe")
            run(ptrace, exe, where, t)
        exe = crash.build(SHAPES, ["-O0", "-g", "-w"], "g++", where,
                          name="shapes")
        classes(ptrace, exe, where, t)
    except crash.CrashError as error:
        print("skipped:", error)
        return 77
    finally:
        shutil.rmtree(where, ignore_errors=True)
    return t.end()


if __name__ == "__main__":
    sys.exit(main())
