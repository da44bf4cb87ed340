#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Python frames in the stacks of CPython processes (lua/modules/cpython.lua):
function, file, line and locals against what the program itself says, as a core
and alive, with debug information and without; damaged frames end where the
damage is.

    cpython.py --build DIR [--python PATH]...    other interpreters as well
"""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "modules"))
import _modules  # noqa: E402
from _modules import ROOT, crash  # noqa: E402
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "live"))
import _live  # noqa: E402

PROGRAM = os.path.join(HERE, "programs", "frames.py")
SOUND = ["plain", "method", "deep", "through_c", "generator", "coroutine",
         "multiline", "handler", "threads", "collecting", "in_class",
         "executed", "metaclass"]


GIL = "holds the interpreter's lock (GIL)"


def is_python(frame):
    return frame["trust"] == "module"


def simple(name, qualified):
    return name if qualified else name.rpartition(".")[2]


class Case:
    """One run of the program: its truth, and the snapshot."""

    def __init__(self, bench, python, what, *options):
        self.dir = bench.new_dir()
        self.truth_path = os.path.join(self.dir, "truth")
        core = crash.core(python, self.dir,
                          args=[PROGRAM, what, self.truth_path])
        self.take(bench, "--core", core, python, *options)
        os.unlink(core)

    def take(self, bench, *arguments):
        out = os.path.join(self.dir, "out.btt")
        self.done = bench.run("ptrace", "-o", out, "-L", "WARNING",
                              *arguments)
        self.snapshot = json.loads(
            bench.run("ptrace", "-b", out, "--format=json").stdout)
        self.warnings = _modules.warnings_of(self.snapshot)
        self.truth = None
        if os.path.exists(self.truth_path):
            with open(self.truth_path) as f:
                self.truth = json.load(f)

    def stacks(self):
        """Of each thread that has Python frames."""
        for thread in self.snapshot["threads"]:
            frames = [f for f in thread["frames"] if is_python(f)]
            if frames:
                yield thread, frames


def check_stacks(t, case, what):
    """Every stack of the truth is there, once, and nothing else."""
    qualified = case.snapshot["attributes"]["python.version"] >= "3.11"
    got = []
    for _, frames in case.stacks():
        got.append([[f["symbol"], f["path"], f.get("line")] for f in frames])
    want = [s for s in case.truth["stacks"]]
    for stack in got + want:
        if stack[0][0] == "end":
            stack[0][2] = None
    t.equal(sorted(map(repr, got)), sorted(map(repr, want)), what)
    t.equal(len(got), len(case.truth["stacks"]), what)
    return qualified


def check_places(t, case, what):
    """Python frames stand in front of the loop that ran them, one group for
    each loop, and none stands alone."""
    for thread, _ in case.stacks():
        groups, loops, before = 0, 0, False
        for frame in thread["frames"]:
            if is_python(frame):
                groups += not before
                before = True
            elif (frame["symbol"] or "").startswith("_PyEval_EvalFrameDefault"):
                t.check(before, what, "loop without a frame", frame["index"])
                loops, before = loops + 1, False
        t.check(loops > 0 and not before, what, "no loop behind frames")
        t.check(groups <= loops, what, groups, loops)


def shown(v):
    """What repr(...) would say, from the variable of the snapshot."""
    kind = v["kind"]
    if kind == "int":
        return str(v["value"])
    if kind == "float":
        value = v["value"]
        return repr(float(value))
    if kind == "string":
        return repr(v["string"])
    return v["string"]


def check_locals(t, case, what):
    leaf = [f for _, frames in case.stacks() for f in frames
            if f["symbol"] == "leaf"]
    if not t.equal(len(leaf), 1, what):
        return
    have = {v["name"]: shown(v) for v in leaf[0]["variables"]}
    for name, want in case.truth["locals"].items():
        if want == "-0.0":
            want = "0.0"  # JSON's -0 is an integer to Python
        t.equal(have.get(name), want, what, name)
    names = [v["name"] for v in leaf[0]["variables"]]
    t.equal(len(names), len(set(names)), what, "twice in", names)
    types = {v["name"]: v["type"] for v in leaf[0]["variables"]}
    for name, want in {"none": "NoneType", "yes": "bool", "small": "int",
                       "real": "float", "text": "str", "pair": "tuple",
                       "mapping": "dict", "inner": "function",
                       "kind": "type"}.items():
        t.equal(types.get(name), want, what, "type of", name)
    long_text = [v for v in leaf[0]["variables"] if v["name"] == "long_text"]
    t.equal([(v["string"], v["length"]) for v in long_text],
            [("long" * 256, 4000)], what)
    t.equal(have.get("deep"), "[[[...]], {'k': {...}}]", what)


def check_case(bench, t, python, what, *options):
    label = f"{python} {what} {' '.join(options)}"
    case = Case(bench, python, what, *options)
    t.equal(case.warnings, "", label)
    if not t.check(case.truth is not None, label, "no truth"):
        return case
    check_stacks(t, case, label)
    check_places(t, case, label)
    check_locals(t, case, label)
    annotations = [(th["fault"], a["text"]) for th in case.snapshot["threads"]
                   for a in th.get("annotations", [])]
    t.equal(annotations, [(True, GIL)], label)
    return case


def check_sound(bench, t, python, cases):
    version = subprocess.run(
        [python, "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"],
        stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    for what in cases:
        case = check_case(bench, t, python, what)
        t.equal(case.snapshot["attributes"].get("python.version"), version)
        t.equal("Python: a garbage collection was running"
                in _modules.texts(case.snapshot), what == "collecting", what)
    # As it is for a stripped interpreter.
    check_case(bench, t, python, "through_c", "--load=no-such-file")


DAMAGED = {
    "cyclic": "which was there before",
    "wild": "where there is no frame",
    "no_code": "where there is no frame",
}


def check_damaged(bench, t, python):
    for what, why in DAMAGED.items():
        label = f"{python} {what}"
        case = Case(bench, python, what)
        t.equal(case.warnings, "", label)
        stacks = list(case.stacks())
        t.equal(len(stacks), 1, label)
        thread, frames = stacks[0]
        names = [f["symbol"] for f in frames]
        # Those inside the damage are right.
        wanted = 2 if what == "no_code" else 3
        t.equal(names[:wanted], [what] * wanted, label)
        texts = [a["text"] for a in thread.get("annotations", [])]
        t.check(len(texts) >= 2 and why in " ".join(texts), label, texts)
    case = Case(bench, python, "states")
    t.equal(case.warnings, "", "states")
    t.equal([f["symbol"] for _, frames in case.stacks() for f in frames],
            ["states", "<module>"])
    t.check("was there before" in " ".join(
        x or "" for x in _modules.texts(case.snapshot)), python, "states")
    case = Case(bench, python, "foreign")
    t.equal(case.warnings, "", "foreign")
    t.equal(list(case.stacks()), [], "foreign")
    t.check("which is none" in " ".join(
        x or "" for x in _modules.texts(case.snapshot)), python, "foreign")
    case = Case(bench, python, "absurd")
    t.equal(case.warnings, "", "absurd")
    _, frames = next(case.stacks())
    have = {v["name"]: v["string"] for v in frames[0]["variables"]
            if "string" in v}
    t.equal(frames[0]["symbol"], "absurd")
    for name in ("text", "numbers", "mapping", "number", "members", "gone"):
        t.check(have.get(name, "").startswith("<"),
                f"{python} absurd {name}", have.get(name))


def check_live(bench, t, python):
    directory = bench.new_dir()
    truth = os.path.join(directory, "truth")
    process = subprocess.Popen([python, PROGRAM, "threads", truth, "sleep"],
                               stdin=subprocess.DEVNULL)
    try:
        _live.wait_for(lambda: os.path.exists(truth))
        _live.wait_asleep(process.pid)
        case = Case.__new__(Case)
        case.dir, case.truth_path = directory, truth
        case.take(bench, str(process.pid))
        t.check("module" not in case.warnings, "live", case.warnings)
        check_stacks(t, case, "live")
        # All sleep or wait.
        t.equal([a for th in case.snapshot["threads"]
                 for a in th.get("annotations", [])], [], "live")
        check_places(t, case, "live")
        t.equal(process.poll(), None, "it runs on")
    finally:
        process.kill()
        process.wait()


def check_others(bench, t):
    """Nothing is said about a program that is not Python."""
    modules = _modules.Modules(
        bench, os.path.join(ROOT, "tests", "programs", "demo.c"))
    done, snapshot = modules.run()
    t.equal(_modules.warnings_of(snapshot), "", done.stderr)
    t.check("python.version" not in snapshot["attributes"])
    t.equal([f for th in snapshot["threads"] for f in th["frames"]
             if is_python(f)], [])


def body(bench, t):
    others = OTHERS or []
    check_others(bench, t)
    for python in ["/usr/bin/python3", *others]:
        real = os.path.realpath(python)
        check_sound(bench, t, real, SOUND)
        check_damaged(bench, t, real)
        check_live(bench, t, real)


OTHERS = []
while "--python" in sys.argv:
    at = sys.argv.index("--python")
    OTHERS.append(sys.argv[at + 1])
    del sys.argv[at:at + 2]

if __name__ == "__main__":
    sys.exit(_modules.main(body))
