#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Snapshots are small, and nothing is missing for it.

vim, a program of 3 MB without debug information, gives at most 9.4 kB from
each of three cores (taken alive by gcore; killed; crashed), with everything
that READ_BACK and ATTRIBUTES name. A thousand threads that do the same cost
little more than one. What does not fit into --max-size is left out from the
outer end, and nothing else is."""
import argparse
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
sys.path.insert(0, os.path.join(ROOT, "tests", "formats"))
import crash  # noqa: E402
from checks import Checks  # noqa: E402

TIMEOUT = 60
VIM_MAX = 9400
# Of one thread among a thousand equal ones.
SHARE, PER_THREAD = 1.5, 32

# What a core can give of the attributes that the contract lists: its notes
# (process.*, vm.sigpnd), its segments (vm.*), and the machine on which the
# snapshot is made (hostname, uname.*, cpu.arch). A core has neither times of
# start nor counts of descriptors, context switches, resident or locked memory;
# /proc/stat and /proc/meminfo would be those of another moment.
ATTRIBUTES = """
application hostname timestamp uname.sysname uname.release uname.version
uname.machine cpu.arch process.id process.parent process.group process.session
process.uid process.gid process.comm process.args process.exe
process.thread.count core.size core.mtime vm.vma.size vm.stack.size vm.sigpnd
""".split()
# GDB leaves parts of the address space out.
KERNEL_ATTRIBUTES = "vm.exe vm.shared.size vm.data.size fault.thread".split()
# Alive and as a core they are the same.
SAME = """
application hostname uname.sysname uname.release uname.version uname.machine
cpu.arch process.id process.parent process.group process.session process.uid
process.gid process.comm process.exe process.thread.count vm.stack.size
vm.sigpnd
""".split()
KERNEL_SAME = """
process.args vm.vma.size vm.exe vm.shared.size vm.data.size
""".split()
REGISTERS = """
rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip eflags cs ss
ds es fs gs fs_base gs_base orig_rax
""".split()


class Tests(Checks):
    def __init__(self, build):
        super().__init__()
        self.build = os.path.abspath(build)
        self.dir = tempfile.mkdtemp(prefix="inquest-size.")

    def run(self, program, *args):
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
        return subprocess.run([os.path.join(self.build, program),
                               *map(str, args)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=TIMEOUT, check=False, text=True, env=env)

    def snapshot(self, what, core, *args):
        """Path and document of the snapshot of a core."""
        path = core + ".btt"
        done = self.run("ptrace", "-o", path, "--core", core, *args)
        if not self.equal((done.returncode, done.stderr), (0, ""), what):
            return None, None
        shown = self.run("ptrace", "-b", path, "--format=json")
        self.equal(shown.returncode, 0, what, shown.stderr)
        return path, json.loads(shown.stdout)


# ---- vim ----


class Vim:
    """A running vim on a terminal of its own."""

    def __init__(self, where):
        self.where = where
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            ["vim", "-u", "NONE", "-i", "NONE"], cwd=where, stdin=slave,
            stdout=slave, stderr=slave, start_new_session=True,
            env=dict(os.environ, TERM="xterm", HOME=where),
            preexec_fn=crash._allow_core)
        os.close(slave)
        self.pid = self.process.pid
        self.wait()

    def wait(self):
        """Until it does nothing: the same CPU time, asleep, for 0.3 s."""
        last, since = None, time.monotonic()
        while time.monotonic() - since < 0.3:
            with open(f"/proc/{self.pid}/stat") as f:
                stat = f.read().rsplit(")", 1)[1].split()
            now = (stat[0], stat[11], stat[12], len(self.maps()))
            if now != last or stat[0] != "S":
                last, since = now, time.monotonic()
            time.sleep(0.02)

    def maps(self):
        with open(f"/proc/{self.pid}/maps") as f:
            lines = [line.split(None, 5) for line in f]
        out = []
        for line in lines:
            start, end = (int(x, 16) for x in line[0].split("-"))
            out.append((start, end, line[1], int(line[2], 16),
                        line[5].strip() if len(line) > 5 else ""))
        return out

    def tids(self):
        return sorted(map(int, os.listdir(f"/proc/{self.pid}/task")))

    def core(self):
        self.process.wait(TIMEOUT)
        for entry in os.listdir(self.where):
            path = os.path.join(self.where, entry)
            if os.path.isfile(path) and crash._is_core(path):
                return path
        raise crash.CrashError("vim left no core")

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)


def build_ids(maps):
    """{path: build-id} of the ELF files that have code mapped."""
    out = {}
    for path in {m[4] for m in maps if "x" in m[2] and m[4][:1] == "/"}:
        done = subprocess.run(["readelf", "-n", path], text=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)
        found = re.search(r"Build ID: ([0-9a-f]+)", done.stdout)
        if found:
            out[path] = found[1]
    return out


def judge_modules(t, what, d, maps):
    got = {os.path.realpath(m["path"]): m for m in d["modules"]}
    for path, build_id in build_ids(maps).items():
        module = got.get(os.path.realpath(path))
        if t.check(module is not None, what, path, "is no module"):
            t.equal(module["build_id"], build_id, what, path)
            low = min(m[0] for m in maps if m[4] == path)
            t.equal(int(module["start"], 16), low, what, path, "start")
    t.check("[vdso]" in d["modules"][-1]["path"] or
            any(m["path"] == "[vdso]" for m in d["modules"]), what, "no vdso")


def judge_mappings(t, what, d, maps, complete):
    got = {(int(m["start"], 16), int(m["end"], 16)): m for m in d["mappings"]}
    for start, end, perms, offset, path in maps:
        m = got.get((start, end))
        if m is None:
            # GDB dumps no vvar, and not what nobody may read.
            t.check(not complete and (path.startswith("[v") or
                                      "r" not in perms), what,
                    f"mapping {start:x}-{end:x} {perms} {path} is missing")
            continue
        # GDB can read everything, and says so.
        if complete or "r" in perms:
            t.equal(m["perms"][:3], perms[:3], what, f"{start:x} {path}")
        if path.startswith("/"):
            t.equal((m["path"], m["offset"]), (path, offset), what,
                    f"{start:x}")


def has_names():
    """Whether vim has a table of its functions: that of some packages exports
    all, that of others has next to none."""
    done = subprocess.run(["readelf", "-sW",
                           os.path.realpath(shutil.which("vim"))], text=True,
                          stdout=subprocess.PIPE, check=True)
    return re.search(r" main_loop$", done.stdout, re.M) is not None


def judge_threads(t, what, d, tids):
    t.equal(sorted(th["tid"] for th in d["threads"]), tids, what, "threads")
    for thread in d["threads"]:
        at = (what, "thread", thread["tid"])
        missing = set(REGISTERS) - set(thread["registers"])
        t.equal(missing, set(), at, "registers")
        t.check(len(thread["frames"]) > 2, at, "frames", thread["frames"])
        t.equal(thread["stop_reason"], "end of stack", at)
        t.check("frames_skipped" not in thread, at, "frames are skipped")
        for f in thread["frames"]:
            t.check(f["object"] or f["trust"] == "context" or
                    f["symbol"] is None, at, f)
            t.check(f["ip"] and f["sp"], at, "ip and sp:", f)
    first = d["threads"][0]
    if has_names():
        names = [f["symbol"] for f in first["frames"]]
        t.check("main_loop" in names and "_start" in names, what, names)
    objects = [os.path.basename(f["object"] or "") for f in first["frames"]]
    t.check(objects[-1].startswith("vim") and
            "libc.so.6" in objects[objects.index(objects[-1]):], what, objects)
    sp = int(first["frames"][0]["sp"], 16)
    end = int(next(f["sp"] for f in first["frames"] if f["sp"] is not None and
                   int(f["sp"], 16) > sp), 16)
    t.check(any(int(m["address"], 16) <= sp and
                end <= int(m["address"], 16) + m["size"] for m in d["memory"]),
            what, f"the stack memory of frame 0 ({sp:x}-{end:x}) is missing")


def judge_attributes(t, what, d, live, kernel):
    a = d["attributes"]
    wanted = ATTRIBUTES + (KERNEL_ATTRIBUTES if kernel else [])
    t.equal([k for k in wanted if a.get(k) in (None, "")], [], what,
            "attributes that are missing")
    for key in SAME + (KERNEL_SAME if kernel else []):
        t.equal(a.get(key), live["attributes"].get(key), what, key,
                "alive and as a core")
    for key in ("created", "uuid", "generator"):
        t.check(d[key], what, key)
    t.equal((d["partial"], d["warnings"]), (False, []), what)


def judge_size(t, what, path):
    size = os.path.getsize(path)
    print(f"{what}: {size} bytes")
    t.check(size <= VIM_MAX, what, "snapshot of", size, "bytes")


def judge(t, what, core, vim, live, kernel):
    path, d = t.snapshot(what, core)
    if d is None:
        return None
    judge_size(t, what, path)
    judge_attributes(t, what, d, live, kernel)
    judge_threads(t, what, d, vim["tids"])
    judge_modules(t, what, d, vim["maps"])
    judge_mappings(t, what, d, vim["maps"], kernel)
    return d


def fault_by_gdb(pid):
    """Lets it go on at address 0, which is a call through null for it."""
    subprocess.run(["gdb", "-nx", "-batch", "-iex", "set auto-load off", "-iex",
                    "set debuginfod enabled off", "-p", str(pid), "-ex",
                    "set $orig_rax=-1", "-ex", "set $pc=0", "-ex", "detach"],
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=TIMEOUT, check=False)


def vim_cores(t):
    for how in ("gcore", "killed", "crashed"):
        if how != "gcore" and crash.method() != "kernel":
            t.skipped += 1
            continue
        where = tempfile.mkdtemp(dir=t.dir)
        vim = Vim(where)
        try:
            facts = {"tids": vim.tids(), "maps": vim.maps()}
            live = json.loads(t.run("bt", "--json", "--no-variables",
                                    vim.pid).stdout)
            if how == "gcore":
                subprocess.run(["gcore", "-o", os.path.join(where, "core"),
                                str(vim.pid)], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, timeout=TIMEOUT,
                               check=False)
                core = os.path.join(where, f"core.{vim.pid}")
            else:
                if how == "killed":
                    os.kill(vim.pid, signal.SIGSEGV)
                else:
                    fault_by_gdb(vim.pid)
                core = vim.core()
            d = judge(t, how, core, facts, live, how != "gcore")
        finally:
            vim.close()
        if d is not None and how != "gcore":
            judge_death(t, how, d)
        shutil.rmtree(where, ignore_errors=True)


def judge_death(t, what, d):
    s = d["signal"]
    t.equal((s["number"], s["name"]), (11, "SIGSEGV"), what)
    t.check(s["code_name"] and s["sender_pid"] is not None, what, s)
    t.check("segv" in d["classifiers"], what, d["classifiers"])
    t.check(re.fullmatch("[0-9a-f]{64}", d["fingerprint"]), what, "fingerprint")
    t.check(("main_loop" in d["callstack"]) == has_names() and
            any(name.startswith(("main_loop", "vim"))
                for name in d["callstack"]), what, d["callstack"])
    t.check(d["threads"][0]["fault"], what, "no faulting thread")
    if what == "crashed":
        # Behind vim's own handler, which dies by the same signal again.
        t.equal(d["fault"].get("direction"), "execute", what, d["fault"])
        t.equal(d["fault"].get("address"), "0x0", what)
        t.check(d["findings"] and d["findings"][0]["primary"] and
                d["findings"][0]["evidence"] is not None, what, d["findings"])
        t.check({"null", "memory.execute"} <= set(d["classifiers"]), what,
                d["classifiers"])


# ---- many threads ----


def section(path, name):
    try:
        import _btt
    except ImportError:
        return None
    with open(path, "rb") as f:
        _, sections = _btt.load(f.read())[:2]
    return dict(sections).get(name)


def many_threads(t):
    exe = crash.build(os.path.join(HERE, "programs", "same.c"), ["-g", "-O0"],
                      "gcc", t.dir)
    sizes = {}
    for n in (1, 1000):
        core = crash.core(exe, t.dir, [str(n)])
        path, d = t.snapshot(f"{n} threads", core, exe)
        if d is None:
            return
        t.equal(len(d["threads"]), n + 1, "threads")
        numbers = set()
        for thread in d["threads"][1:]:
            names = [f["symbol"] for f in thread["frames"]]
            at = names.index("serve") if "serve" in names else None
            if not t.check(at is not None and "worker" in names, names):
                return
            v = {v["name"]: v for v in thread["frames"][at]["variables"]}
            numbers.add(v["number"].get("value") if "number" in v else None)
        t.equal(len(numbers), n, "values of the threads")
        sizes[n] = os.path.getsize(path)
        payload = section(path, "threads")
        if payload is not None:
            t.check(payload["stacks"]["count"] == 2, "identical stacks:",
                    payload["stacks"]["count"], "are stored")
    limit = SHARE * sizes[1] + PER_THREAD * 1000
    print(f"1 thread: {sizes[1]} bytes, 1,000 threads: {sizes[1000]} bytes")
    t.check(sizes[1000] <= limit, f"1,000 threads: {sizes[1000]} bytes, more "
            f"than {limit:.0f}")


# ---- less than there is ----


def too_large(t):
    frames, limit = 4000, 65536
    exe = crash.build(os.path.join(HERE, "programs", "deep.c"), ["-g", "-O0"],
                      "gcc", t.dir)
    core = crash.core(exe, t.dir, [str(frames)])
    path, whole = t.snapshot("deep", core, exe)
    if whole is None or not t.check(os.path.getsize(path) > limit, "deep:",
                                    os.path.getsize(path), "bytes"):
        return
    done = t.run("ptrace", "-o", path, "--overwrite", "--max-size=64k",
                 "--core", core, exe)
    t.equal(done.returncode, 0, "--max-size:", done.stderr)
    t.check("variables left out" in done.stderr, "--max-size:", done.stderr)
    t.check(os.path.getsize(path) <= limit, "--max-size: the file has",
            os.path.getsize(path), "bytes")
    d = json.loads(t.run("ptrace", "-b", path, "--format=json").stdout)
    t.equal((d["partial"], d["attributes"].get("snapshot.partial"),
             [w["code"] for w in d["warnings"]]), (True, True, ["limit"]),
            "--max-size: partial")
    for key in ("signal", "modules", "findings", "classifiers", "memory"):
        t.equal(d[key], whole[key], "--max-size:", key)
    had, has = whole["threads"][0]["frames"], d["threads"][0]["frames"]
    t.equal(len(has), len(had), "--max-size: frames")
    kept = sum("variables" in f and f["variables"] != [] for f in has)
    t.check(frames // 10 < kept < frames, "--max-size:", kept,
            "frames have variables")
    for i, (a, b) in enumerate(zip(had, has)):
        if b.get("variables") and not t.equal(b["variables"], a["variables"],
                                              "--max-size: frame", i):
            break


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    t = Tests(parser.parse_args().build)
    try:
        many_threads(t)
        too_large(t)
        if all(map(shutil.which, ("vim", "gdb", "gcore"))):
            vim_cores(t)
        else:
            t.skipped += 1
    except crash.CrashError as error:
        print("skipped:", error)
        return 77
    finally:
        shutil.rmtree(t.dir, ignore_errors=True)
    return t.end()


if __name__ == "__main__":
    sys.exit(main())
