#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Types of Rust's standard library (lua/modules/rust.lua): with rustc as Debian
has it and any other in PATH, what they hold is what the program put in and
prints, and what Rust's own printers for GDB show where they are installed;
damaged ones say what is wrong."""
import json
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "modules"))
import _modules  # noqa: E402
import _values  # noqa: E402
from _modules import crash  # noqa: E402

DEBIAN = "/usr/bin/rustc"
PROGRAM = os.path.join(HERE, "programs", "collections.rs")
SHOW = "collections::show"


def pair(n):
    return {"left": n, "right": f"pair {n}"}


WANTED = {
    "string": "hello, wörld", "empty_string": "", "text": "a str",
    "numbers": [1, -2, 3], "empty": [], "spare": [],
    "strings": ["one", "two"], "pairs": [pair(1), pair(2)],
    "nested": [[1], [], [2, 3]], "long": list(range(64)), "units": [{}, {}],
    "boxed_slice": [5, 6],
    "some_string": {"Some": {"__0": "inside"}}, "no_string": {"None": {}},
    "good": {"Ok": {"__0": [9]}}, "bad": {"Err": {"__0": "broken"}},
    "rc": {"value": pair(3)}, "rc2": {"value": pair(3)},
    "weak": {"value": pair(3)}, "gone": {},
    "arc": {"value": "shared"}, "arc2": {"value": "shared"},
    "arc_slice": {"value": [1, 2, 3]}, "rc_str": {"value": "text of rc"},
    "cell": {"value": 42}, "idle": {"value": 1}, "reading": {"value": "read"},
    "writing": {"value": 5}, "shared_cell": {"value": {"value": [1, 2]}},
    "by_name": [{"__0": "x", "__1": pair(24)}], "no_map": [], "no_tree": [],
    "names": [{"__0": "a", "__1": [1]}, {"__0": "b", "__1": []}],
    "no_ring": [], "path": "/usr/lib/x", "os": "os string",
    "c_string": "c string", "mutex": {"value": pair(5)},
    "locked": {"value": 8}, "rw": {"value": "rw"},
    "atomic": -6, "atomic_size": 77, "flag": True, "slice": [-2, 3],
    "tuple": {"__0": "t", "__1": [1]},
    "r1": {"value": "read"}, "r2": {"value": "read"}, "w": {"value": 5},
    "guard": {"value": 8}, "nonzero": -9, "nonzero_big": str(1 << 60),
    "big_tree": [{"__0": i, "__1": {}} for i in range(64)],
}
SUMMARIES = {
    "numbers": "Vec(size=3)", "spare": "Vec(size=0)", "units": "Vec(size=2)",
    "long": "Vec(size=1000)", "ring": "VecDeque(size=4)",
    "map": "HashMap(size=19)", "set": "HashSet(size=2)",
    "big_map": "HashMap(size=500)", "tree": "BTreeMap(size=30)",
    "ordered": "BTreeSet(size=4)", "big_tree": "BTreeMap(size=2000)",
    "rc": "Rc(strong=2, weak=1)", "weak": "Weak(strong=2, weak=1)",
    "gone": "Weak(dangling)", "arc": "Arc(strong=2, weak=0)",
    "idle": "RefCell(borrow=0)", "reading": "RefCell(borrow=2)",
    "writing": "RefCell(borrow_mut=1)", "w": "RefMut(borrow_mut=1)",
    "r1": "Ref(borrow=2)", "guard": "MutexGuard",
    "timeout": "1.500000000s", "mutex": "Mutex(unlocked)",
    "locked": "Mutex(locked)", "rw": "RwLock(unlocked)",
    "string": None, "path": None, "atomic": None,
}
LENGTHS = {"long": 1000, "big_map": 500, "big_tree": 2000, "hurt_tree": 100}


def build(bench, rustc, *options):
    exe = os.path.join(bench.new_dir(), "collections")
    subprocess.run([rustc, "-g", "--edition=2021", "-Awarnings", *options,
                    "-o", exe, PROGRAM], check=True, stdin=subprocess.DEVNULL, timeout=60)
    return exe


def take(bench, exe, *arguments):
    directory = bench.new_dir()
    core = crash.core(exe, directory, args=arguments)
    out = os.path.join(directory, "out.btt")
    done = bench.run("ptrace", "--core", core, exe, "-o", out, "-L",
                     "WARNING")
    shown = bench.run("ptrace", "-b", out, "--format=json")
    return core, done, json.loads(shown.stdout)


def printed(exe):
    """What the program says of its own values: in the order of this run only
    for what has one."""
    out = subprocess.run([exe], stdout=subprocess.PIPE, text=True, timeout=60,
                         stderr=subprocess.DEVNULL, check=False).stdout
    return json.loads(out)


def entries(v):
    return [f"{e['__0']}={e['__1']}" for e in _values.plain(v)]


def check_printed(t, have, truth, what):
    t.equal(sorted(entries(have["map"])), sorted(truth["map"]), what)
    t.equal(sorted(_values.plain(have["set"])), sorted(truth["set"]), what)
    t.equal(entries(have["tree"]), truth["tree"], what)
    t.equal(_values.plain(have["ring"]), truth["ring"], what)
    t.equal(_values.plain(have["ordered"]), truth["ordered"], what)
    for name in ("big_map", "long", "big_tree"):
        t.equal(have[name]["length"], truth[name], what, name)
    shown = _values.plain(have["big_map"])
    t.equal(len({e["__0"] for e in shown}), 64, what)
    t.check(all(e["__0"] == e["__1"] < 500 for e in shown), what)


def check_sound(t, done, snapshot, truth, what):
    t.equal(_modules.warnings_of(snapshot), "", what, done.stderr)
    have = _values.frame_variables(snapshot, SHOW)
    for name, want in WANTED.items():
        t.equal(_values.plain(have[name]), want, what, name)
    for name, want in SUMMARIES.items():
        t.equal(have[name].get("summary"), want, what, name)
    t.equal({k: v["length"] for k, v in have.items() if v.get("truncated")},
            LENGTHS, what)
    check_printed(t, have, truth, what)
    boxed = snapshot["objects"][have["boxed"]["ref"]]
    t.equal(_values.plain(boxed), pair(7), what)


GDB = """
import sys
sys.path.insert(0, {path!r})
import gdb
import gdb_lookup
gdb_lookup.register_printers(gdb.objfiles()[0])
gdb.execute("frame function {show}")
for name in {names!r}:
    text = gdb.parse_and_eval(name).format_string(pretty_structs=False)
    print("@%s=%s" % (name, text))
"""


def check_gdb(t, exe, core, have, rustc, what):
    """The same summaries as Rust's own printers, and the same elements."""
    root = subprocess.run([rustc, "--print=sysroot"], stdout=subprocess.PIPE,
                          text=True, check=True).stdout.strip()
    path = os.path.join(root, "lib", "rustlib", "etc")
    if not os.path.exists(os.path.join(path, "gdb_lookup.py")):
        return
    names = ["numbers", "map", "set", "tree", "ordered", "ring", "rc", "arc",
             "idle", "reading", "writing", "string", "os"]
    script = os.path.join(os.path.dirname(core), "show.py")
    with open(script, "w") as f:
        f.write(GDB.format(path=path, show=SHOW, names=names))
    out = subprocess.run(["gdb", "-q", "-batch", "-nx", "-x", script, exe,
                          core], stdin=subprocess.DEVNULL, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         timeout=60, check=False).stdout
    told = dict(re.findall(r"@(\w+)=(.*)", out))
    t.equal(set(told), set(names), what, out)
    for name, text in told.items():
        head, _, rest = text.partition(" = ")
        v = have[name]
        t.equal(v.get("summary") or json.dumps(v["string"],
                                               ensure_ascii=False),
                head, what, "gdb", name)
        if name in ("numbers", "ring", "set"):
            t.equal(_values.plain(v), json.loads(
                "[" + rest.strip("{}") + "]"), what, "gdb", name)
        if name in ("map", "tree"):
            want = re.findall(r"\[(\d+)\] = \"?(\w+)", rest)
            t.equal(entries(v)[:len(want)], ["=".join(p) for p in want], what,
                    "gdb", name)


BIG = "1152921504606846976"
DAMAGE = {
    "absurd": {"hurt": "length " + BIG, "hurt_string": "length " + BIG,
               "hurt_map": BIG + " elements", "hurt_tree": BIG,
               "hurt_ring": BIG, "hurt_vecs": "length " + BIG},
    "freed": {"hurt": "12 bytes at 0x10008 cannot be read",
              "hurt_string": "4 bytes at 0x10008 cannot be read",
              "hurt_map": "1 elements, of which 0 were found",
              "hurt_tree": "node 0x10008 cannot be read",
              "hurt_ring": "0x10008 cannot be read",
              "hurt_rc": "nothing can be read at 0x10008",
              "hurt_vecs": "24 bytes at 0x10008 cannot be read"},
    "cyclic": {"hurt_tree": "was there before"},
}


def check_damaged(bench, t, exe, what):
    for how, cases in DAMAGE.items():
        _, done, snapshot = take(bench, exe, how)
        label = f"{what} {how}"
        t.equal(_modules.warnings_of(snapshot), "", label, done.stderr)
        have = _values.frame_variables(snapshot, SHOW)
        for name, why in cases.items():
            v = have[name]
            said = v.get("summary", "")
            t.check(why in said and "not valid" in said, label, name, said)
            t.equal(v["kind"], "struct", label, name)
        t.equal(_values.plain(have["numbers"]), [1, -2, 3], label)


def check_optimised(bench, t, rustc):
    """Of what the compiler left, nothing is made up and nothing called
    invalid."""
    exe = build(bench, rustc, "-O")
    _, done, snapshot = take(bench, exe)
    what = rustc + " -O"
    t.equal(_modules.warnings_of(snapshot), "", what, done.stderr)
    have = _values.frame_variables(snapshot, SHOW)
    shown = [n for n in WANTED if n in have and
             "optimized out" not in json.dumps(have[n])]
    for name in shown:
        if have[name].get("summary") or have[name]["kind"] == "array":
            t.equal(_values.plain(have[name]), WANTED[name], what, name)
    t.check(len(shown) > 20, what, shown)
    t.equal([n for n, v in have.items() if "not valid" in json.dumps(v)], [],
            what)


def body(bench, t):
    compilers = {shutil.which(DEBIAN), shutil.which("rustc")} - {None}
    if not compilers:
        raise crash.CrashError("no rustc")
    for rustc in sorted(compilers):
        exe = build(bench, rustc)
        core, done, snapshot = take(bench, exe)
        check_sound(t, done, snapshot, printed(exe), rustc)
        check_gdb(t, exe, core, _values.frame_variables(snapshot, SHOW), rustc,
                  rustc)
        if rustc == min(compilers):
            check_damaged(bench, t, exe, rustc)
        check_optimised(bench, t, rustc)


if __name__ == "__main__":
    sys.exit(_modules.main(body))
