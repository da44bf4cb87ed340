#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Stacks, values, names, states and attributes of live processes: against what
the program knows of itself and against GDB attached to the same process."""
import json
import os
import re
import resource
import socket
import subprocess
import sys
import time

import _live
from _live import names

GDB_THREAD = re.compile(r"^Thread \d+ \(.*LWP (\d+)\)|^Thread \d+ \(process "
                        r"(\d+)\)", re.M)
GDB_FRAME = re.compile(r"^#(\d+)\s+(?:0x[0-9a-f]+ in )?(\S+) ?\(", re.M)

# What contract and man page promise; those that some kernels do not tell
# (VmallocChunk and the like) included, for this one does.
ATTRIBUTES = """
application hostname timestamp uname.sysname uname.release uname.version
uname.machine process.age process.starttime process.thread.count process.id
process.parent process.group process.session process.uid process.gid
process.comm process.args process.exe cpu.boottime cpu.count cpu.brand
cpu.frequency cpu.arch cpu.user cpu.nice cpu.sys cpu.idle cpu.iowait cpu.irq
cpu.context cpu.process.count cpu.thread.count cpu.uptime descriptor.count
sched.cs.voluntary sched.cs.involuntary vm.vma.peak vm.vma.size vm.rss.peak
vm.rss.size vm.locked.size vm.data.size vm.stack.size vm.shared.size
vm.pte.size vm.swap.size vm.exe vm.sigpnd vm.shdpnd state system.memory.total
system.memory.free system.memory.available system.memory.buffers
system.memory.cached system.memory.active system.memory.inactive
system.memory.dirty system.memory.writeback system.memory.slab
system.memory.swap.total system.memory.swap.free system.memory.swap.cached
system.memory.vmalloc.total system.memory.vmalloc.used ptrace.pause
""".split()


def gdb_stacks(pid):
    """{tid: [function, ...]} as GDB sees a process it attaches to."""
    done = subprocess.run(
        ["gdb", "-nx", "-batch", "-iex", "set auto-load off", "-iex",
         "set debuginfod enabled off", "-p", str(pid), "-ex",
         "thread apply all bt"], stdin=subprocess.DEVNULL, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        timeout=_live.TIMEOUT, check=False)
    parts = GDB_THREAD.split(done.stdout)
    return {int(a or b): [f for _, f in GDB_FRAME.findall(text)]
            for a, b, text in zip(parts[1::3], parts[2::3], parts[3::3])}


def known(bench, t):
    count = 12
    target = bench.known(count)
    d = bench.json(t, target.pid)
    threads = {x["tid"]: x for x in d["threads"]}
    t.equal(len(threads), count + 2, "threads:")
    t.equal(d["attributes"].get("process.thread.count"), count + 2)
    workers = {x["name"]: x for x in d["threads"]
               if x["name"].startswith("worker-")}
    t.equal(len(workers), count, "workers by name:")
    for name, thread in workers.items():
        number = int(name.split("-")[1])
        t.equal([f for f in names(thread) if f in
                 ("innermost", "middle", "worker")],
                ["innermost", "middle", "worker"], name)
        t.equal(thread["state"], "S", "state of", name)
        t.check(thread["stop_reason"].startswith("end"), thread)
        for function, local, want in (("innermost", "doubled", number * 2),
                                      ("middle", "id", number)):
            got = _live.variable(thread, function, local)
            t.equal(got and got.get("value"), want, name, local)
        pair = _live.variable(thread, "middle", "known")
        t.equal([m.get("value") for m in (pair or {}).get("members", [])],
                [number + 1000, number + 2000], name, "known:")
    t.check(any(x["name"] == "heart) R (x" for x in d["threads"]),
            "a name with a parenthesis:", [x["name"] for x in d["threads"]])
    against_gdb(t, target, threads)
    alive(bench, t, target)


def bare(symbol):
    """Names as both print them, without what only one adds."""
    return re.sub(r"^__GI_+|\(.*|@.*", "", symbol).lstrip("_")


def against_gdb(t, target, threads):
    reference = gdb_stacks(target.pid)
    if not t.check(reference, "gdb shows nothing"):
        return
    t.equal(sorted(reference), sorted(threads), "tids:")
    same = 0
    for tid, stack in reference.items():
        ours = [bare(f["symbol"]) for f in threads[tid]["frames"]]
        theirs = [bare(f) for f in stack]
        # GDB does not go beyond main.
        if theirs[-1:] == ["main"] and "main" in ours:
            ours = ours[:ours.index("main") + 1]
        # Where a thread that is awake now and then stands differs.
        if threads[tid]["name"].startswith("heart"):
            ours, theirs = ours[-3:], theirs[-3:]
        same += ours == theirs
        t.equal(ours, theirs, "stack of", tid)
    t.check(same >= 12, "too few equal stacks:", same)


def alive(bench, t, target):
    for args in ((), ("--no-variables",)):
        done = bench.run("bt", target.pid, *args)
        t.equal((done.returncode, done.stderr), (0, ""), "bt", *args)
    t.check(_live.runs_on(target), "the target does not run on")
    t.check(_live.is_free(target.pid), _live.tasks(target.pid))


def attributes(bench, t):
    env = {"SECRET": "gR4veyard", "HARMLESS": "a b=c", "EMPTY": "",
           "SOME_URL": "db://me:pW1@host/x", "LONG": "x" * 5000,
           "NOT_TEXT": os.fsdecode(b"\xff\xfe")}
    with open(os.path.join(bench.dir, "open file"), "w") as file, \
            socket.socket() as other:
        target = bench.known(
            2, env=env, pass_fds=(file.fileno(), other.fileno()),
            preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_NOFILE, (321, 654)))
        opened = {file.fileno(): file.name, other.fileno(): os.readlink(
            f"/proc/self/fd/{other.fileno()}")}
    begun = time.monotonic()
    d = bench.json(t, target.pid)
    took = (time.monotonic() - begun) * 1000000
    a = d["attributes"]
    t.equal([x for x in ATTRIBUTES if x not in a], [], "absent attributes:")
    t.equal(a.get("process.id"), target.pid)
    t.equal(a.get("vm.vma.size"), status(target.pid, "VmSize"))
    t.check(a.get("vm.rss.peak", 0) >= a.get("vm.rss.size", 1) > 100, "rss")
    t.check(0 <= a.get("process.age", -1) < 100, a.get("process.age"))
    t.check(abs(a.get("process.starttime", 0) - time.time()) < 100, "start")
    t.equal(a.get("state"), "S")
    t.check(0 < a.get("ptrace.pause", 0) < took, a.get("ptrace.pause"), took)
    t.check("core.size" not in a, "a live process has no core")
    surroundings(t, target, d, env, opened)
    t.equal((d["signal"] or {}).get("number"), None, "no signal:")


def surroundings(t, target, d, env, opened):
    """Environment, limits, open files, and where it lives; what is secret in
    the environment goes by its name, for those who print it, too."""
    t.check("gR4veyard" not in str(d) and "pW1" not in str(d), "secrets")
    got = {v["name"]: v for v in d["environment"]}
    t.equal(sorted(got), sorted(env), "environment:")
    if sorted(got) == sorted(env):
        for name in ("HARMLESS", "EMPTY"):
            t.equal(got[name], {"name": name, "value": env[name]})
        t.equal(got["SECRET"]["value"], "<scrubbed: 9 bytes>")
        t.equal(got["SOME_URL"]["value"], "db://me:***@host/x")
        t.equal(got["NOT_TEXT"]["value"], "\\xff\\xfe")
        t.equal(got["LONG"], {"name": "LONG", "value": "x" * 1024,
                              "length": 5000, "truncated": True})
    limits = {x["name"]: x for x in d["limits"]}
    t.equal(limits.get("nofile"), {"name": "nofile", "soft": 321,
                                   "hard": 654, "unit": "files"})
    t.equal(len(limits), 16, sorted(limits))
    for name, which in (("stack", resource.RLIMIT_STACK),
                        ("core", resource.RLIMIT_CORE),
                        ("nice", resource.RLIMIT_NICE),
                        ("cpu", resource.RLIMIT_CPU)):
        want = [None if x == resource.RLIM_INFINITY else x
                for x in resource.prlimit(target.pid, which)]
        x = limits.get(name, {})
        t.equal([x.get("soft"), x.get("hard")], want, name)
    a = d["attributes"]
    files = {x["number"]: x["path"] for x in d["descriptors"]}
    want = {int(n): os.readlink(f"/proc/{target.pid}/fd/{n}")
            for n in os.listdir(f"/proc/{target.pid}/fd")}
    t.equal(files, want, "open files:")
    t.equal({n: files.get(n) for n in opened}, opened, "open files:")
    t.equal(a.get("descriptor.open"), len(want))
    t.equal(a.get("process.cwd"), os.readlink(f"/proc/{target.pid}/cwd"))
    t.equal(a.get("process.root"), "/")
    t.check("process.namespaces" not in a and "process.id.inner" not in a,
            "it lives where we do:", a)


def many_descriptors(bench, t):
    """The first are named, all are counted."""
    target = bench.start(
        sys.executable, "-c", "import os, resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3000, 3000))\n"
        "fds = [os.dup(1) for _ in range(2000)]\n"
        "print('ready', flush=True); sys.stdin.read()")
    count = len(os.listdir(f"/proc/{target.pid}/fd"))
    bench.run("ptrace", target.pid, "-o", "fds.btt")
    d = json.loads(bench.run("ptrace", "-b", "fds.btt", "--json").stdout)
    t.equal([x["number"] for x in d["descriptors"]], list(range(1024)))
    t.equal(d["attributes"].get("descriptor.open"), count)
    text = bench.run("ptrace", "-b", "fds.btt").stdout
    for words in ("Environment:", "Limits (soft, hard):", "Open files:",
                  f"and {count - 1024} more", "nofile"):
        t.check(words in text, words, "is not in the report")
    live = bench.run("bt", "--details", "--no-variables", target.pid).stdout
    for words in ("Environment:", "Limits (soft, hard):", "Open files:",
                  "Modules:", "Attributes:"):
        t.check(words in live, words, "is not in bt --details")
    t.check("Open files:" not in bench.run("bt", target.pid).stdout, "bt")
    target.kill()


def status(pid, key):
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith(key + ":"):
                return int(line.split()[1])
    return None


def chosen(bench, t):
    """--thread and --fault-thread, as the crash handlers of today pass."""
    target = bench.known(3, "handler")
    d = bench.json(t, target.pid)
    inside = [x for x in d["threads"] if "on_signal" in names(x)]
    if not t.equal(len(inside), 1, "threads in the handler:"):
        return
    frames = inside[0]["frames"]
    at = [i for i, f in enumerate(frames) if f["signal_frame"]]
    t.equal(len(at), 1, "signal frames:")
    t.check(at and "signalled" in [f["symbol"] for f in frames[at[0]:]],
            "what was interrupted:", names(inside[0]))
    tid = inside[0]["tid"]
    done = bench.run("ptrace", target.pid, f"--thread={tid}",
                     "--kv=build:7,who:me", "--fault-thread", tid)
    t.equal((done.returncode, done.stderr), (0, ""), "ptrace")
    path = done.stdout.rstrip("\n")
    t.check(re.fullmatch(rf".*/known-\d\.{target.pid}\.\d+\.btt", path),
            "path:", path)
    d = json.loads(bench.run("ptrace", "-b", path, "--format=json").stdout)
    t.equal([(x["tid"], x["fault"], x["state"]) for x in d["threads"]],
            [(tid, True, "F")], "the one thread:")
    t.equal((d["attributes"].get("build"), d["attributes"].get("who")),
            ("7", "me"))
    t.check(any(m["why"] == "stack" for m in d["memory"]), "its stack")
    done = bench.run("ptrace", target.pid, "--thread=1", "-o", "x.btt")
    t.check("the process has no such thread" in done.stderr, done.stderr)


def leader_gone(bench, t):
    target = bench.known(4, "leader")
    t.equal(_live.tasks(target.pid)[target.pid][0], "Z", "the leader:")
    d = bench.json(t, target.pid)
    states = {x["tid"]: x["state"] for x in d["threads"]}
    t.equal(states.get(target.pid), "Z", "the leader's state:")
    t.equal(sum("innermost" in names(x) for x in d["threads"]), 4)
    t.equal(d["attributes"].get("process.exe"), bench.exe("known"))
    alive(bench, t, target)


def globals_and_tls(bench, t):
    target = bench.known(2)
    done = bench.run("ptrace", target.pid, "--global", "global_number", "-o",
                     "g.btt")
    t.equal(done.returncode, 0, done.stderr)
    d = json.loads(bench.run("ptrace", "-b", "g.btt", "--format=json").stdout)
    t.equal([(v["name"], v.get("value")) for v in d["globals"]],
            [("global_number", 77)])


def kernel(bench, t):
    target = bench.known(1)
    try:
        with open(f"/proc/{target.pid}/stack") as f:
            readable = f.read() != ""
    except OSError:
        readable = False
    if not readable:
        return
    d = bench.json(t, target.pid)
    for x in d["threads"]:
        if x["name"] == "worker-0":
            t.check(any("read" in f for f in x["kernel_frames"]),
                    "kernel frames:", x["kernel_frames"])


def busy(bench, t):
    """Threads that do nothing but run are marked, those that sleep are not."""
    def marked(mode):
        target = bench.start(bench.exe("steady"), mode)
        _live.wait_asleep(target.pid)
        found = [[a["text"] for a in x["annotations"]
                  if a["text"].startswith("CPU-bound")]
                 for x in bench.json(t, target.pid)["threads"]]
        target.kill()
        return sorted(map(len, found))

    # On a busy machine one that sleeps now and then may wait for a processor
    # at both looks, which is the same from outside; not each time.
    for mode, want in (("blocked", [0, 0, 1]), ("timed", [0, 0])):
        for _ in range(5):
            got = marked(mode)
            if got == want:
                break
        t.equal(got, want, mode)


def body(bench, t):
    busy(bench, t)
    known(bench, t)
    attributes(bench, t)
    many_descriptors(bench, t)
    chosen(bench, t)
    leader_gone(bench, t)
    globals_and_tls(bench, t)
    kernel(bench, t)


if __name__ == "__main__":
    sys.exit(_live.main(body))
