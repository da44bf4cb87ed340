#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Odd stacks: nested signals, other stacks, coroutines, code without call frame
information, code made at run time, calls to nowhere, a million frames, damaged
stacks, the vdso, the PLT, threads at their ends. Each alive and as a core.

What is right is what the program knows of itself: programs/odd.c and fault.c
name each function for what it is. Where GDB gets a stack right, it must be the
same frame by frame. Everywhere: no caller outside executable memory, and
guesses are marked. The last also holds for stacks with random damage."""
import argparse
import collections
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
import crash  # noqa: E402
from checks import Checks  # noqa: E402

TIMEOUT = 60
DAMAGES = 25
SIGNAL = "<signal>"
UNKNOWN = "??"
GUESSES = {"fp", "return_slot", "prologue", "scan"}
VARIANTS = [("gcc", "-O0"), ("gcc", "-O2"), ("clang", "-O0"), ("clang", "-O2")]
NO_CFI = ["-O2", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables"]

NESTED = ["park", "on_third", SIGNAL, "on_second", SIGNAL, "on_first", SIGNAL,
          "interrupted"]

Want = collections.namedtuple("Want", "frames stop trusts gdb")


def want(frames, stop="end of stack", trusts=None, gdb=True):
    """frames: the functions that are not the C library's, in order; or a
    function that judges them. trusts: of some functions, how they must have
    been found. gdb: it gets this stack right."""
    return Want(frames.split() if isinstance(frames, str) else frames, stop,
                trusts or {}, gdb)


ODD = {
    "main": want("park main"),
    "signals": want(NESTED + ["t_signals", "begin"]),
    "altstack": want(NESTED + ["t_altstack", "begin"]),
    "leaf": want(["park", "on_spin", SIGNAL, "leaf", "leaf_caller", "t_leaf",
                  "begin"]),
    "vdso": want(["park", "on_spin", SIGNAL, "ask_vdso", "t_vdso", "begin"]),
    # What runs on a coroutine's stack has no caller but the coroutine's start.
    "ucontext": want("park context_inner context_body", gdb=False),
    "coro_zero": want("park coro_inner coro_body", gdb=False),
    "coro_return": want("park coro_inner coro_body coro_return", gdb=False),
    "coro_garbage": want("park coro_inner coro_body",
                         stop="return address is not code", gdb=False),
    "jit": want("park from_jit ?? t_jit begin", trusts={"t_jit": "fp"},
                gdb=False),
    "jit_twice": want("park from_jit ?? ?? t_jit_twice begin",
                      trusts={"t_jit_twice": "fp"}, gdb=False),
    "framed": want("park framed_inner framed_middle framed_outer t_framed "
                   "begin", trusts={"framed_middle": "fp", "t_framed": "fp"},
                   gdb=False),
    "bare": want("park bare_inner bare_middle bare_outer t_bare begin",
                 trusts={"bare_middle": "prologue", "t_bare": "prologue"},
                 gdb=False),
    # The return address of smash, and with it t_smash, is gone.
    "smash": want("park smash | t_smash begin", stop=None, gdb=False),
    "smear": want("park smear | smear_caller t_smear begin", stop=None,
                  gdb=False),
    "loop": want("park loop_back loop_caller | t_loop begin", stop=None,
                 gdb=False),
    "cycle": want("park framed_bent framed_before | framed_cycle t_cycle "
                  "begin", stop=None, gdb=False),
    "destructor": want("park key_destructor"),
    "exit": want("park cleaner leave t_exit begin"),
}

# run_... is the function; with a handler that holds, the handler and the
# signal frame come first.
FAULTS = {
    "null": want("?? call run_null main", trusts={"call": "return_slot"},
                 gdb=False),
    "unmapped": want("?? call run_unmapped main",
                     trusts={"call": "return_slot"}, gdb=False),
    "data": want("?? call run_data main", trusts={"call": "return_slot"},
                 gdb=False),
    "wild": want("call run_wild main"),
    "vdso": want("run_vdso main"),
    "plt": want("strlen@plt run_plt main"),
    "lazy": want("in_resolver pick run_lazy main"),
    "gone": want("gone run_gone main"),
    "jit": want("?? run_jit main", trusts={"run_jit": "fp"}, gdb=False),
    "handlers": want(["on_signal", SIGNAL, "on_signal", SIGNAL, "on_signal",
                      SIGNAL, "run_handlers", "main"]),
    # With a frame pointer (-O0) the rest is there.
    "lost": want("run_lost | main", stop=None, gdb=False),
    "code": want("run_code | main", stop=None, gdb=False),
}


class Tests(Checks):
    def __init__(self, build):
        super().__init__()
        self.build = os.path.abspath(build)
        self.dir = tempfile.mkdtemp(prefix="inquest-stacks.")
        self.running = []

    def document(self, what, *args):
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
        done = subprocess.run([os.path.join(self.build, "bt"), "--json",
                               *map(str, args)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=TIMEOUT, check=False, env=env)
        if not self.equal(done.returncode, 0, what, done.stderr.decode()):
            return None
        return json.loads(done.stdout)

    def start(self, command, where):
        """A process that has said "ready", and the lines before that."""
        p = subprocess.Popen(command, cwd=where, text=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             preexec_fn=crash._allow_core)
        self.running.append(p)
        lines = []
        for line in p.stdout:
            if line == "ready\n":
                return p, lines
            lines.append(line.split())
        raise crash.CrashError(f"{command} does not start")

    def close(self):
        for p in self.running:
            p.kill()
            p.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


# ---- judging ----


def executable(document, ip):
    return any("x" in m["perms"] and int(m["start"], 16) <= ip <
               int(m["end"], 16) for m in document["mappings"])


def no_invention(t, what, document, thread):
    """Callers lie in executable memory, but for what a signal interrupted."""
    after_signal, wrong, known = True, [], {}
    for f in thread["frames"]:
        if not after_signal and not f["inline"]:
            ip = int(f["ip"], 16)
            if ip not in known:
                known[ip] = executable(document, ip)
            if not known[ip]:
                wrong.append((f["index"], f["ip"]))
        after_signal = f["signal_frame"]
    t.equal(wrong, [], what, "frames that are no code")


def program_frames(thread):
    """(name, trust) of the frames that are not the system's: the test's
    programs and libraries, and code of no module. The start of the program
    and of threads is left out."""
    out = []
    for f in thread["frames"]:
        name = f["symbol"] or UNKNOWN
        if f["signal_frame"]:
            out.append((SIGNAL, f["trust"]))
        elif re.match(r"(libc|ld-linux|libpthread|libgcc_s)[-.]|\[vdso\]",
                      f["object"] or ""):
            continue
        elif name == "clock_gettime@plt":
            continue  # on its way to the vdso, when the signal came
        elif name != "_start":
            out.append((name, f["trust"]))
    return out


def is_subsequence(part, whole):
    rest = iter(whole)
    return all(x in rest for x in part)


def once(names):
    return [n for i, n in enumerate(names) if i == 0 or n != names[i - 1]]


def judge(t, what, document, thread, wanted, prefix=()):
    frames = program_frames(thread)
    names = [n for n, _ in frames]
    expected = list(prefix) + list(wanted.frames)
    no_invention(t, what, document, thread)
    if "|" in expected:
        # Certain, then: what else may be found, in order. (A stack that was
        # filled with one frame again and again has it so often.)
        at = expected.index("|")
        sure, maybe = expected[:at], expected[at + 1:]
        good = t.check(names[:len(sure)] == sure and
                       is_subsequence(once(names[len(sure) - 1:])[1:], maybe), what, names,
                       "want", expected)
        # Past the damage somebody guessed, and says so.
        beyond = thread["frames"]
        if len(names) > len(sure) and good:
            t.check(any(f["trust"] in GUESSES for f in beyond) or
                    names == sure + maybe, what, "no frame is suspect:",
                    [(f["symbol"], f["trust"]) for f in beyond])
    else:
        t.equal(names, expected, what)
    if wanted.stop is not None:
        t.check(thread["stop_reason"].startswith(wanted.stop), what,
                "stopped:", thread["stop_reason"], "want", wanted.stop)
    trusts = dict(frames)
    for name, trust in wanted.trusts.items():
        t.equal(trusts.get(name), trust, what, "trust of", name)
    if not wanted.trusts and "|" not in expected:
        t.check(not GUESSES & {f["trust"] for f in thread["frames"]}, what,
                "suspect frames:", frames)


# ---- GDB ----

GDB_SCRIPT = r"""
import gdb, json
out = {}
for thread in gdb.selected_inferior().threads():
    thread.switch()
    names, f = [], gdb.newest_frame()
    while f is not None and len(names) < 200:
        names.append("<signal>" if f.type() == gdb.SIGTRAMP_FRAME
                     else f.name() or "??")
        try:
            f = f.older()
        except gdb.error:
            break
    out[thread.ptid[1]] = names
print("STACKS " + json.dumps(out))
"""


def gdb_stacks(exe, core, where):
    script = os.path.join(where, "stacks.py")
    with open(script, "w") as f:
        f.write(GDB_SCRIPT)
    done = subprocess.run(
        ["gdb", "-nx", "-batch", "-iex", "set auto-load off", "-iex",
         "set debuginfod enabled off", "-ex", "set backtrace past-main on",
         "-x", script, exe, core], stdin=subprocess.DEVNULL, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=TIMEOUT,
        check=False)
    for line in done.stdout.splitlines():
        if line.startswith("STACKS "):
            return {int(k): v for k, v in json.loads(line[7:]).items()}
    return {}


def plain(name):
    """GDB's and our spelling of one function of the C library."""
    return name.split("@")[0] if "@@" in name else name


def same_as_gdb(t, what, thread, gdb):
    ours = [SIGNAL if f["signal_frame"] else f["symbol"] or UNKNOWN
            for f in thread["frames"]]
    t.equal([plain(n) for n in ours], [plain(n) for n in gdb], what, "gdb:")


# ---- the two programs ----


def build(t, cc, level):
    where = os.path.join(t.dir, cc + level)
    os.makedirs(where)
    programs = os.path.join(HERE, "programs")

    def run(*command):
        done = subprocess.run(command, cwd=programs, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=TIMEOUT, check=False)
        if done.returncode != 0:
            raise crash.CrashError(" ".join(command) + "\n" + done.stdout)

    def at(name):
        return os.path.join(where, name)

    # Without -g: it would bring .debug_frame.
    run(cc, *NO_CFI, "-fno-omit-frame-pointer", "-DCYCLE", "-DNAME=framed",
        "-c", "nocfi.c", "-o", at("framed.o"))
    run(cc, *NO_CFI, "-fomit-frame-pointer", "-DNAME=bare", "-c", "nocfi.c",
        "-o", at("bare.o"))
    run(cc, "-g", level, "odd.c", at("framed.o"), at("bare.o"), "-o",
        at("odd"), "-pthread", "-Wl,--build-id")
    run(cc, "-g", level, "-shared", "-fPIC", "picked.c", "-o",
        at("libpicked.so"))
    run(cc, "-g", level, "fault.c", "-o", at("fault"), "-Wl,-z,lazy",
        "-Wl,-z,norelro", "-fno-builtin", "-fcf-protection=none", "-L" + where,
        "-lpicked", "-Wl,-rpath," + where)
    return where


def core_of(t, p, where):
    """The core of a waiting process, which is dead after this."""
    if crash.method() == "kernel":
        p.send_signal(signal.SIGSEGV)
        p.wait(TIMEOUT)
        for entry in os.listdir(where):
            if crash._is_core(os.path.join(where, entry)):
                return os.path.join(where, entry)
        raise crash.CrashError("no core")
    subprocess.run(["gcore", "-o", os.path.join(where, "core"), str(p.pid)],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   timeout=TIMEOUT, check=False)
    p.kill()
    p.wait()
    path = os.path.join(where, f"core.{p.pid}")
    if not os.path.exists(path):
        raise crash.CrashError("gcore writes no core")
    return path


def ips(document):
    return {th["tid"]: [f["ip"] for f in th["frames"] if not f["inline"] and
                        f["trust"] != "tailcall"] for th in document["threads"]}


def odd(t, variant, where):
    exe = os.path.join(where, "odd")
    here = tempfile.mkdtemp(dir=where)
    p, lines = t.start([exe], here)
    tids = {name: int(tid) for name, tid in lines}
    alive = t.document((variant, "live"), p.pid)
    core = core_of(t, p, here)
    dead = t.document((variant, "core"), "--core", core, exe)
    gdb = gdb_stacks(exe, core, here)
    t.check(len(gdb) == len(ODD), variant, "gdb sees", len(gdb), "threads")
    for kind, document in (("live", alive), ("core", dead)):
        if document is None:
            continue
        threads = {th["tid"]: th for th in document["threads"]}
        t.equal(len(threads), len(ODD), variant, kind, "threads")
        for name, wanted in ODD.items():
            what = (*variant, kind, name)
            thread = threads.get(tids.get(name))
            if not t.check(thread is not None, what, "no such thread"):
                continue
            judge(t, what, document, thread, wanted)
            if wanted.gdb and kind == "core" and tids[name] in gdb:
                same_as_gdb(t, what, thread, gdb[tids[name]])
    if alive is not None and dead is not None:
        a, b = ips(alive), ips(dead)
        for tid, name in [(v, k) for k, v in tids.items()]:
            # Frame 0 in the kernel is the same for both.
            t.equal(a.get(tid), b.get(tid), variant, name, "live and core:")
        stripped(t, variant, where, exe, core, b)
    if dead is not None and variant == ("gcc", "-O2"):
        damaged(t, variant, exe, core, dead, here)


def stripped(t, variant, where, exe, core, wanted):
    """Without symbols no function's start is known, and all frames are still
    there. (The dynamic symbols of the test's own functions are none.)"""
    bare = os.path.join(where, "odd.stripped")
    done = subprocess.run(["strip", "-s", "-o", bare, exe], check=False)
    if done.returncode != 0:
        return
    document = t.document((variant, "stripped"), "--core", core, bare)
    if document is None:
        return
    got = ips(document)
    for tid, addresses in wanted.items():
        t.equal(got.get(tid), addresses, variant, "stripped, thread", tid)
    for thread in document["threads"]:
        no_invention(t, (variant, "stripped"), document, thread)


def faults(t, variant, where):
    exe = os.path.join(where, "fault")
    for name, wanted in FAULTS.items():
        what = (*variant, "core", name)
        here = tempfile.mkdtemp(dir=where)
        core = crash.core(exe, here, [name])
        document = t.document(what, "--core", core, exe)
        if document is not None:
            judge(t, what, document, document["threads"][0], wanted)
            if wanted.gdb:
                gdb = gdb_stacks(exe, core, here)
                same_as_gdb(t, what, document["threads"][0],
                            next(iter(gdb.values()), []))
        what = (*variant, "live", name)
        p, _ = t.start([exe, name, "hold"], here)
        document = t.document(what, p.pid)
        p.kill()
        if document is not None:
            judge(t, what, document, document["threads"][0], wanted,
                  ["hold", SIGNAL])
        shutil.rmtree(here, ignore_errors=True)


# ---- threads that begin ----

# Stops at each instruction behind the system call that makes a thread, in
# parent and child, and at the thread's first function.
STARTS_SCRIPT = r"""
import gdb, re
gdb.execute("break main")
gdb.execute("run")
lines = [line for line in gdb.execute("disassemble clone3", to_string=True)
         .splitlines() if "<+" in line]
behind = [i for i, line in enumerate(lines) if line.rstrip().endswith("syscall")]
for line in lines[behind[0] + 1:]:
    gdb.execute("tbreak *" + re.search("0x[0-9a-f]+", line)[0])
gdb.execute("tbreak *start_thread")
for i in range(9):
    gdb.execute("continue")
    gdb.execute("generate-core-file start.%d" % i)
gdb.execute("kill")
"""


def starts(t, variant, where):
    script = os.path.join(where, "starts.py")
    exe = os.path.join(where, "odd")
    with open(script, "w") as f:
        f.write(STARTS_SCRIPT)
    subprocess.run(["gdb", "-nx", "-batch", "-iex", "set auto-load off",
                    "-iex", "set debuginfod enabled off", "-iex",
                    "set confirm off", "-ex", "handle all nostop noprint pass",
                    "-x", script, exe], stdin=subprocess.DEVNULL, cwd=where,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   timeout=TIMEOUT, check=False)
    seen = set()
    for i in range(9):
        core = os.path.join(where, f"start.{i}")
        if not os.path.exists(core):
            continue
        document = t.document((*variant, i), "--no-variables", "--core", core,
                              exe)
        for thread in document["threads"] if document else []:
            what = (*variant, "start", i, thread["tid"])
            names = [f["symbol"] for f in thread["frames"]]
            is_main = thread["tid"] == document["attributes"]["process.id"]
            no_invention(t, what, document, thread)
            t.equal(names[-1], "_start" if is_main else "clone3", what, names)
            t.check("scan" not in [f["trust"] for f in thread["frames"]], what,
                    names)
            t.check(thread["stop_reason"] in ("end of stack",
                                              "no unwind information"), what,
                    thread["stop_reason"])
            if not is_main:
                seen.add(" < ".join(names[:2]))
    # Without the C library's symbols GDB finds none of these places.
    if seen:
        t.check({"clone3", "start_thread < clone3"} <= seen, variant, seen)


# ---- random damage ----


class Core:
    """A core whose memory can be written to."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.data = bytearray(f.read())
        table, = struct.unpack_from("<Q", self.data, 32)
        count, = struct.unpack_from("<H", self.data, 56)
        headers = [struct.unpack_from("<IIQQQQQQ", self.data, table + 56 * i)
                   for i in range(count)]
        self.loads = [(h[3], h[3] + h[5], h[2]) for h in headers if h[0] == 1]

    def poke(self, address, value):
        for start, end, offset in self.loads:
            if start <= address and address + 8 <= end:
                struct.pack_into("<Q", self.data, offset + address - start,
                                 value & (1 << 64) - 1)

    def write(self, path):
        with open(path, "wb") as f:
            f.write(self.data)


def damage(rng, core, document):
    """Some words near the frames of each thread: zeros, garbage, addresses of
    code, of the stack, of themselves."""
    code = [int(f["ip"], 16) for th in document["threads"]
            for f in th["frames"]]
    for thread in document["threads"]:
        places = [int(f["sp"], 16) for f in thread["frames"] if f["sp"]]
        for _ in range(rng.choice((1, 1, 2, 5, 20))):
            at = (rng.choice(places) + 8 * rng.randrange(-4, 40)) & ~7
            core.poke(at, rng.choice((
                0, rng.getrandbits(64), 0x4141414141414141, at,
                rng.choice(code), rng.choice(code) + rng.randrange(-8, 9),
                at + 8 * rng.randrange(-20, 20))))


def damaged(t, variant, exe, core, document, where):
    path = os.path.join(where, "damaged.core")
    for seed in range(DAMAGES):
        copy = Core(core)
        damage(random.Random(seed), copy, document)
        copy.write(path)
        what = (*variant, "damage", seed)
        found = t.document(what, "--no-variables", "--core", path, exe)
        if found is None:
            continue
        t.equal([w for w in found["warnings"] if w["stage"] != "core"], [],
                what)
        for thread in found["threads"]:
            no_invention(t, what, found, thread)
            t.check(len(thread["frames"]) < 100, what, thread["tid"],
                    len(thread["frames"]), "frames")
            # Frame 0 was not on the stack.
            before = next(th for th in document["threads"]
                          if th["tid"] == thread["tid"])
            t.equal(thread["frames"][0]["ip"], before["frames"][0]["ip"], what)


# ---- stacks without end ----


def deep(t, variant, where):
    """A million frames: the first and the last are shown, the others counted;
    it takes no time and no room."""
    exe = os.path.join(where, "fault")
    for name, depth, wanted in (("deep", 1000000, {"recurse"}),
                                ("overflow", None, {"even", "odd"})):
        here = tempfile.mkdtemp(dir=where)
        for kind in ("core", "live"):
            what = (*variant, kind, name)
            if kind == "core":
                operands = ["--core", crash.core(exe, here, [name]), exe]
            else:
                p, _ = t.start([exe, name, "hold"], here)
                operands = [p.pid]
            start = time.monotonic()
            document = t.document(what, *operands)
            took = time.monotonic() - start
            if document is not None:
                judge_deep(t, what, document, depth, wanted, kind)
                t.check(took < 15, what, f"took {took:.1f} s")
                snapshot_size(t, what, operands, here)
            if kind == "live":
                p.kill()
        shutil.rmtree(here, ignore_errors=True)


def judge_deep(t, what, document, depth, wanted, kind):
    thread = document["threads"][0]
    frames = program_frames(thread)
    names = [n for n, _ in frames]
    head = ["hold", SIGNAL] if kind == "live" else []
    run = "run_" + what[-1]
    skipped = thread.get("frames_skipped", 0)
    no_invention(t, what, document, thread)
    t.equal(names[:len(head)], head, what, "first frames")
    body = names[len(head):]
    t.equal(body[-2:], [run, "main"], what, "last frames")
    t.check(set(body[:-2]) == wanted, what, set(body[:-2]))
    t.equal(thread["stop_reason"], "end of stack", what)
    t.check(skipped > 1000, what, "skipped", skipped)
    t.check(0 < thread.get("frames_skipped_at", 0) < len(thread["frames"]),
            what, thread.get("frames_skipped_at"))
    if depth is not None:
        t.equal(skipped + len(body) - 2, depth, what, "frames in all")


def snapshot_size(t, what, operands, where):
    path = os.path.join(where, "x.btt")
    done = subprocess.run([os.path.join(t.build, "ptrace"), "--overwrite",
                           "-o", path, *map(str, operands)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=TIMEOUT, check=False)
    if t.equal(done.returncode, 0, what, done.stderr):
        size = os.path.getsize(path)
        t.check(size < 64 << 10, what, "the snapshot has", size, "bytes")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--only", help="one variant, such as gcc-O2")
    args = parser.parse_args()
    for tool in ("gcc", "gdb"):
        if shutil.which(tool) is None:
            print("skipped:", tool, "is missing")
            return 77
    t = Tests(args.build)
    try:
        for variant in VARIANTS:
            if shutil.which(variant[0]) is None or \
                    args.only not in (None, "".join(variant)):
                continue
            where = build(t, *variant)
            odd(t, variant, where)
            faults(t, variant, where)
            if variant == ("gcc", "-O2"):
                deep(t, variant, where)
                starts(t, variant, where)
            shutil.rmtree(where, ignore_errors=True)
    finally:
        t.close()
    return t.end()


if __name__ == "__main__":
    sys.exit(main())
