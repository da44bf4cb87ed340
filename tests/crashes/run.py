#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Verdicts on programs that die in known ways. Each file of programs/ says in
its head what the truth is:

    @cls the class     @alt other acceptable ones     @dir read|write|exec|none
    @flags for the compiler   @args   @env   @link
    @mode core (it crashes), hang (taken alive by gcore), quit (SIGQUIT)
    @variants no (why): other flags would make another program of it
    @says what the text or the evidence of the primary finding must hold, as a
          regular expression; @also of any finding or remark; @never of none.
          Only as written: other flags may leave less to say.
    @remove exe (after the crash: nothing of its code can be read)
    @needs flags of the processor, or compilers (skipped where they lack)

They are built as they say, then with other optimisation, by clang, static, and
stripped (without --all or --round, some of these). The line at the end of each round counts:

    exact   the primary finding has the class
    accept  or one of the alternatives
    family  or at least a related one
    dir     the direction of the access, where there is one
    false-alarms  findings of heap, lock or stack damage where there is none

    run.py --build DIR [--all | --round NAME] [--keep DIR] [ID...]
"""
import argparse
import concurrent.futures
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
import crash  # noqa: E402

FAMILIES = {
    "null": "null-deref null-call",
    "pointer": "wild-access noncanonical-access bit-flip ptr-truncated "
               "uninit-pointer buffer-overread protected-access "
               "readonly-write misaligned-access file-truncated "
               "stack-use-after-return ascii-pointer zeroed-object",
    "jump": "bad-jump nx-exec unloaded-module",
    "insn": "privileged-insn illegal-insn trap seccomp-violation",
    "overflow": "stack-overflow large-frame",
    "stack": "stack-smash stack-corruption fortify-overflow fortify-format",
    "heap": "double-free invalid-free heap-overflow heap-underflow "
            "use-after-free heap-corruption alloc-mismatch",
    "arithmetic": "div-zero int-overflow-div fp-exception",
    "abort": "assert abort uncaught-exception pure-virtual lib-check",
    "external": "external-signal",
    "lock": "deadlock self-deadlock orphaned-lock lock-held-while-waiting",
    "healthy": "healthy lock-contention"}
FAMILY = {c: f for f, cs in FAMILIES.items() for c in cs.split()}
ALARMS = {"heap", "lock", "stack"}

# name: extra flags (behind the program's own), compiler, strip,
# shares of the programs that must be exact and accepted, and of directions
ROUNDS = {
    "plain": ([], None, False, 0.95, 1.0, 1.0),
    "O1": (["-O1"], None, False, 0, 0.88, 0.98),
    "O2": (["-O2"], None, False, 0, 0.88, 0.98),
    "O3": (["-O3", "-fomit-frame-pointer"], None, False, 0, 0.88, 0.98),
    "clang": ([], "clang", False, 0, 0.88, 0.98),
    "static": (["-static"], None, False, 0, 0.88, 0.98),
    "stripped": ([], None, True, 0, 0.88, 0.98)}
USUAL = ["plain", "O2", "clang", "stripped"]
TIMEOUT = 60


def header(path):
    with open(path) as f:
        return dict(re.findall(r"^ @(\w+) (.*?)\s*$", f.read(), re.M))


def build_other(path, truth, directory):
    """Rust and Go: their flags are not those of C."""
    exe = os.path.join(directory, "exe")
    command = ["rustc", "-g", "-o", exe, path] if path.endswith(".rs") else \
        ["go", "build", "-o", exe, path]
    command[2:2] = truth.get("flags", "").split()
    env = dict(os.environ, GO111MODULE="off", GOFLAGS="",
               GOCACHE=os.path.join(directory, "cache"))
    done = subprocess.run(command, cwd=directory, env=env, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=TIMEOUT,
                          check=False)
    if done.returncode != 0:
        raise crash.CrashError(" ".join(command) + "\n" + done.stdout)
    return exe


def build(path, truth, directory, flags, compiler, strip):
    if path.endswith((".rs", ".go")):
        return build_other(path, truth, directory)
    cpp = path.endswith(".cpp")
    cc = "g++" if cpp else "gcc"
    if compiler is not None:
        cc = compiler + ("++" if cpp else "")
    options = truth.get("flags", "-O0 -g").split() + flags
    exe = crash.build(path, options + ["-w", "-fno-builtin-malloc",
                                       "-fno-builtin-free"],
                      cc, directory, truth.get("link", "").split(), "exe")
    if strip:
        subprocess.run(["strip", "-s", exe], check=True)
    return exe


def at_rest(pid, last):
    """What last has of a thread is what it was when this was asked before: no
    thread has moved, or it does nothing but run."""
    moved, ticks = False, os.sysconf("SC_CLK_TCK")
    for tid in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{tid}/stat") as f:
                fields = f.read().rpartition(")")[2].split()
            with open(f"/proc/{pid}/task/{tid}/status") as f:
                seen = fields[0] + f.read().partition("voluntary_ctxt")[2]
        except OSError:
            return False
        cpu = (int(fields[11]) + int(fields[12])) / ticks
        if cpu < 0.3 and (fields[0] != "S" or last.get(tid) != seen):
            moved = True
        last[tid] = seen
    return not moved


def alive(exe, directory, truth, env):
    """A core of a process that is stuck, or that was asked to quit."""
    process = subprocess.Popen(
        [exe] + truth.get("args", "").split(), cwd=directory, env=env,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2))
    try:
        # What sleeps a little before it locks is no more than 0.3 s away.
        end, last = time.monotonic() + TIMEOUT, {}
        while True:
            time.sleep(0.3)
            if at_rest(process.pid, last) or time.monotonic() > end:
                break
        if truth["mode"] == "quit":
            process.send_signal(signal.SIGQUIT)
            process.wait(TIMEOUT)
        else:
            subprocess.run(["gcore", "-o", os.path.join(directory, "core"),
                            str(process.pid)], check=False,
                           timeout=TIMEOUT, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    finally:
        process.kill()
        process.wait()
    for name in os.listdir(directory):
        if name.startswith("core"):
            return os.path.join(directory, name)
    raise crash.CrashError("no core")


def make_core(exe, directory, truth):
    env = dict(os.environ)
    env.update(kv.split("=", 1) for kv in truth.get("env", "").split())
    if truth.get("mode", "core") == "core":
        return crash.core(exe, directory, truth.get("args", "").split(), env)
    return alive(exe, directory, truth, env)


def texts(items):
    return [t for i in items
            for t in [i.get("text") or "", *(i.get("evidence") or [])]]


def unsaid(truth, document):
    """What should (or should not) be told in words, and is not (or is)."""
    primary = texts(f for f in document["findings"] if f["primary"])
    every = texts(document["findings"]) + texts(document["annotations"]) + \
        document["classifiers"]
    every += [t for thread in document["threads"]
              for o in [thread, *thread["frames"],
                        *(v for f in thread["frames"]
                          for v in f.get("variables") or [])]
              for t in texts(o.get("annotations") or [])]

    def among(key, lines):
        return any(re.search(truth[key], line) for line in lines)

    wrong = []
    if "says" in truth and not among("says", primary):
        wrong.append(f"not said: {truth['says']}; but {primary}")
    if "also" in truth and not among("also", every):
        wrong.append(f"not said: {truth['also']}; but {every}")
    if "never" in truth and among("never", every):
        wrong.append(f"said: {truth['never']} in {every}")
    return wrong


def lacking(truth):
    """What the program needs and is not there."""
    with open("/proc/cpuinfo") as f:
        flags = set(re.search(r"^flags\s*: (.*)$", f.read(), re.M)[1].split())
    return [n for n in truth.get("needs", "").split()
            if n not in flags and shutil.which(n) is None]


def judge(bt, path, where, settings):
    """One program: (truth, answer); the answer is None when it could not be
    had, with the reason in the truth's "error"."""
    truth = header(path)
    flags, compiler, strip = settings
    if lacking(truth):
        truth["skipped"] = "not there: " + " ".join(lacking(truth))
        return truth, None
    directory = tempfile.mkdtemp(prefix=truth["id"] + ".", dir=where)
    try:
        exe = build(path, truth, directory, flags, compiler, strip)
        core = make_core(exe, directory, truth)
    except crash.CrashError as error:
        truth["error"] = str(error)[:300]
        return truth, None
    command = [bt, "--json", "--core", core, exe]
    if "remove" in truth:
        os.unlink(command.pop())
    done = subprocess.run(command,
                          stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=TIMEOUT, errors="replace", check=False,
                          env=dict(os.environ,
                                   ASAN_OPTIONS="detect_leaks=0"))
    os.unlink(core)
    if done.returncode != 0:
        truth["error"] = done.stderr[:300]
        return truth, None
    document = json.loads(done.stdout)
    if settings == tuple(ROUNDS["plain"][:3]):
        truth["unsaid"] = unsaid(truth, document)
    primary = [f["class"] for f in document["findings"] if f["primary"]]
    direction = (document["fault"] or {}).get("direction")
    return truth, {
        "cls": primary[0] if primary else "healthy",
        "all": [f["class"] for f in document["findings"]],
        "dir": "exec" if direction == "execute" else direction}


class Score:
    def __init__(self):
        self.n = self.exact = self.accept = self.family = 0
        self.dirs = self.dir = self.alarms = self.broken = 0
        self.skipped = self.unsaid = 0

    def add(self, truth, answer):
        """True when nothing is to be told."""
        cls = truth["cls"]
        if "skipped" in truth:
            self.skipped += 1
            print(f"  {truth['id']}: skipped: {truth['skipped']}")
            return
        for wrong in truth.get("unsaid", ()):
            self.unsaid += 1
            print(f"  {truth['id']}: {wrong}")
        if answer is None:
            self.broken += 1
            print(f"  {truth['id']}: not judged: {truth['error']}")
            return
        self.n += 1
        good = [cls] + [a for a in truth.get("alt", "").split(",") if a]
        self.exact += answer["cls"] == cls
        self.accept += answer["cls"] in good
        self.family += FAMILY.get(answer["cls"], answer["cls"]) == \
            FAMILY.get(cls, cls)
        if truth.get("dir") in ("read", "write", "exec"):
            self.dirs += 1
            self.dir += answer["dir"] == truth["dir"]
            if answer["dir"] != truth["dir"]:
                print(f"  {truth['id']}: direction {answer['dir']}, "
                      f"truth {truth['dir']}")
        families = {FAMILY.get(c) for c in good}
        wrong = [c for c in answer["all"] if FAMILY.get(c) in ALARMS
                 and FAMILY[c] not in families]
        if wrong:
            self.alarms += 1
            print(f"  {truth['id']}: false alarm {wrong}")
        if answer["cls"] not in good:
            print(f"  {truth['id']}: {answer['cls']}, truth {cls}")

    def line(self):
        n = max(self.n, 1)
        return (f"n={self.n} exact={self.exact} "
                f"({100 * self.exact / n:.1f}%) accept={self.accept} "
                f"({100 * self.accept / n:.1f}%) family={self.family} "
                f"dir={self.dir}/{self.dirs} false-alarms={self.alarms}" +
                (f" skipped={self.skipped}" if self.skipped else "") +
                (f" unsaid={self.unsaid}" if self.unsaid else ""))

    def reaches(self, exact, accept, direction):
        return (self.n > 0 and self.alarms == 0 and self.unsaid == 0 and
                self.exact >= exact * self.n and
                self.accept >= accept * self.n and
                self.dir >= direction * self.dirs)


def play(name, bt, ids, where):
    flags, compiler, strip, *bars = ROUNDS[name]
    paths = sorted(os.path.join(HERE, "programs", f)
                   for f in os.listdir(os.path.join(HERE, "programs")))
    if ids:
        paths = [p for p in paths if header(p)["id"] in ids]
    if name != "plain":
        paths = [p for p in paths if "variants" not in header(p)]
    score = Score()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for truth, answer in pool.map(
                lambda p: judge(bt, p, where, (flags, compiler, strip)),
                paths):
            score.add(truth, answer)
    good = score.reaches(*bars)
    print(f"{name}: {score.line()}" + ("" if good else "  FAILED"), flush=True)
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--round", choices=ROUNDS, action="append")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--keep", help="leave programs and cores here")
    parser.add_argument("ids", nargs="*")
    args = parser.parse_args()
    if crash.method() != "kernel":
        print("skipped: kernel.core_pattern does not name a plain file")
        return 77
    where = args.keep or tempfile.mkdtemp(prefix="inquest-crashes.")
    os.makedirs(where, exist_ok=True)
    bt = os.path.join(os.path.abspath(args.build), "bt")
    try:
        good = [play(name, bt, args.ids, where)
                for name in args.round or
                (ROUNDS if args.all else USUAL)]
    finally:
        if args.keep is None:
            shutil.rmtree(where, ignore_errors=True)
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
