#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Containers of GLib (lua/modules/glib.lua): what the program put into them,
and GLib's own printers for GDB where they are installed; damaged ones say what
is wrong and show nothing that is not there."""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "modules"))
import _modules  # noqa: E402
import _values  # noqa: E402
from _modules import crash  # noqa: E402

PROGRAM = os.path.join(HERE, "programs", "glib.c")
PRINTERS = "/usr/share/glib-2.0/gdb"
GLOBALS = ("--global=global_list", "--global=global_string")


def pointers(*values):
    return [hex(v) for v in values]


WANTED = {
    "list": (pointers(1, 2, 3), "GList(length=3)"),
    "second": (pointers(2, 3), "GList(length=2)"),
    "long_list": (pointers(*range(1, 65)), "GList(length=200)"),
    "empty_list": ("0x0", None),
    "queue": (pointers(7, 8), "GQueue(length=2)"),
    "string": ("some text", None), "empty_string": ("", None),
    "long_string": ("x" * 1024, None),
    "array": ([0, 1, 2, 3, 4], "GArray(length=5, element size 4)"),
    "bytes": ([1, 2, 255], "GArray(length=3, element size 1)"),
    "empty_array": ([], "GArray(length=0, element size 8)"),
    "raw": ([5, 6], "GByteArray(length=2)"),
    "set": (["member", "other"], "GHashTable(size=2)"),
    "empty_table": ([], "GHashTable(size=0)"),
}
PAIRS = {
    "names": {"one": "0x1", "two": "0x2"},
    "big": {hex(i + 1): hex((1 << 40) + i) for i in range(3)},
}


def take(bench, exe, *arguments):
    directory = bench.new_dir()
    core = crash.core(exe, directory, args=arguments)
    out = os.path.join(directory, "out.btt")
    done = bench.run("ptrace", "--core", core, exe, "-o", out, "-L", "WARNING",
                     *GLOBALS)
    shown = bench.run("ptrace", "-b", out, "--format=json")
    return core, done, _modules.json.loads(shown.stdout)


def pairs_of(v):
    return {e["members"][0].get("string", e["members"][0].get("value")):
            e["members"][1]["value"] for e in v["elements"]}


def check_sound(t, done, snapshot):
    t.equal(_modules.warnings_of(snapshot), "", done.stderr)
    have = _values.frame_variables(snapshot, "show")
    for name, (want, summary) in WANTED.items():
        got = _values.plain(have[name])
        if name == "set":
            got = sorted(got)
        t.equal(got, want, name)
        t.equal(have[name].get("summary"), summary, name)
    for name, want in PAIRS.items():
        t.equal(pairs_of(have[name]), want, name)
    t.equal({k: v["length"] for k, v in have.items() if "length" in v and
             v.get("truncated")},
            {"long_list": 200, "long_string": 3000, "numbers": 100})
    numbers = pairs_of(have["numbers"])
    t.equal(len(numbers), 64)
    t.check(all(int(v, 16) == int(k, 16) + 999 for k, v in numbers.items()))
    ints = {e["members"][0]["value"] for e in have["ints"]["elements"]}
    t.equal(ints, {10, -20})
    t.equal(len(_values.plain(have["slist"])), 3)
    t.equal(have["wide"].get("summary"), "GArray(length=1, element size 24)")
    t.equal(_values.plain(have["pointers"])[1], "0x0")
    t.equal(have["block"]["string"], "twenty-four bytes of it")
    holder = {m["name"]: m for m in have["holder"]["members"]}
    t.equal(_values.plain(holder["queue"]), ["0x9"])
    t.equal(_values.plain(holder["list"]), pointers(1, 2, 3))
    t.equal(pairs_of(holder["table"]), PAIRS["names"])
    # Pointers to pointers stay pointers.
    t.equal(have["indirect"]["kind"], "pointer")
    shown = {v["name"]: _values.plain(v) for v in snapshot["globals"]}
    t.equal(shown, {"global_list": pointers(1, 2),
                    "global_string": "global"})


def gdb_says(exe, core, names):
    """With GLib's printers, which come with its development files."""
    commands = [f"python import sys; sys.path.insert(0, {PRINTERS!r})",
                "python import glib_gdb; glib_gdb.register(None)",
                "frame function show"]
    for name in names:
        commands += [f"echo \\n@{name}=", f"print {name}"]
    command = ["gdb", "-q", "-batch", "-nx"]
    for c in commands:
        command += ["-ex", c]
    out = subprocess.run(command + [exe, core], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         text=True, timeout=60, check=False).stdout
    return dict(re.findall(r"@(\w+)=\$\d+ = (.*)", out))


def check_gdb(t, exe, core, snapshot):
    if not os.path.exists(os.path.join(PRINTERS, "glib_gdb.py")):
        return
    have = _values.frame_variables(snapshot, "show")
    for name, text in gdb_says(exe, core, ("list", "second", "slist")).items():
        want = re.findall(r"0x[0-9a-f]+", text.partition("=")[2])
        t.equal(_values.plain(have[name]), want, "gdb", name, text)


CYCLE = "was there before"
DAMAGE = {
    "cyclic": {"list": (2, CYCLE), "slist": (3, CYCLE), "queue": (1, CYCLE)},
    "absurd": {"list": (1, "does not lead back"),
               "queue": (2, "length 4000000000, but 2 nodes"),
               "string": (None, "length 0x1000000000000000"),
               "array": (None, "4000000000 elements of 4 bytes"),
               "pointers": (None, "no 4000000000 elements"),
               "names": (None, "2000000000 of 8 places")},
    "freed": {"list": (1, "cannot be read"), "slist": (1, "cannot be read"),
              "queue": (None, "cannot be read"), "string": (None, "no text"),
              "array": (None, "5 elements of 4 bytes at 0x10000"),
              "pointers": (None, "no 2 elements at 0x10000"),
              "names": (None, "2 entries, of which 0 were found")},
}


def check_damaged(bench, t, exe):
    for how, cases in DAMAGE.items():
        _, done, snapshot = take(bench, exe, how)
        t.equal(_modules.warnings_of(snapshot), "", how, done.stderr)
        have = _values.frame_variables(snapshot, "show")
        for name, (n, why) in cases.items():
            v = have[name]
            t.check(why in v.get("summary", ""), how, name, v.get("summary"))
            if n is None:
                t.check("elements" not in v and "string" not in v, how, name)
            else:
                t.equal(len(v["elements"]), n, how, name)
        # What is sound stays as it is.
        t.equal(_values.plain(have["empty_string"]), "", how)
        t.equal(have["numbers"].get("summary"), "GHashTable(size=100)", how)


def body(bench, t):
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "glib-2.0"],
                           stdout=subprocess.PIPE, text=True, check=False)
    if flags.returncode != 0:
        raise crash.CrashError("no libglib2.0-dev")
    exe = crash.build(PROGRAM, ["-g", "-O0"], "gcc", bench.new_dir(),
                      libs=flags.stdout.split())
    known = crash.build(PROGRAM, ["-g", "-O0", "-DDESCRIBED"], "gcc",
                        bench.new_dir(), libs=flags.stdout.split())
    _, done, snapshot = take(bench, known)
    t.equal(_modules.warnings_of(snapshot), "", done.stderr)
    table = _values.frame_variables(snapshot, "show")["known"]
    t.equal(pairs_of(table), {"first": "0x5", "second": "0x6"})
    core, done, snapshot = take(bench, exe)
    check_sound(t, done, snapshot)
    check_gdb(t, exe, core, snapshot)
    check_damaged(bench, t, exe)


if __name__ == "__main__":
    sys.exit(_modules.main(body))
