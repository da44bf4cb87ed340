# SPDX-License-Identifier: MIT
"""What is measured: programs that die (or live) in a known way. Each case is
made once in a folder of its own and kept there for the next run."""
import contextlib
import glob
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

import measure

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = os.path.join(HERE, "programs")
sys.path.insert(0, PROGRAMS)
sys.path.insert(0, os.path.join(HERE, "..", "tests", "oracle"))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "lib"))
import many  # noqa: E402
import real  # noqa: E402  (how Debian's programs are started)


class Unavailable(Exception):
    """The case cannot be made here; the text says why."""


class Case:
    """make(where) leaves a program and a core there, or a process."""
    text = ""
    packages = ()      # of Debian, that the case itself needs
    reference = "gdb"  # whose frames are taken for right
    cold = False       # measured with an empty page cache
    slow = ()          # tools that are run once only: minutes each

    def __init__(self, name):
        self.name = name
        self.exe = self.core = None
        self.pid = None
        self.gdb = []       # commands before the files are read
        self.eu_stack = []  # more options
        self.ours = []
        self.process = None

    def prepare(self, where):
        """Makes it, or takes what an earlier run has left."""
        os.makedirs(where, exist_ok=True)
        note = os.path.join(where, "made.json")
        if not os.path.exists(note):
            self.make(where)
            if self.core is not None:
                real.write(note, json.dumps({"exe": self.exe,
                                             "core": self.core}))
            return
        with open(note) as f:
            made = json.load(f)
        self.exe, self.core = made["exe"], made["core"]

    def make(self, where):
        raise NotImplementedError

    def end(self):
        """Ends a process that was examined alive."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def run(*words, **more):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, **more)
    if done.returncode != 0:
        raise Unavailable(f"{' '.join(words[:3])}: {done.stdout[-300:]}")
    return done.stdout


def crash(where, words, stack=None):
    """Runs a program until it has dumped core; returns the core's path."""
    if real.crash.method() != "kernel":
        raise Unavailable("kernel.core_pattern is not the name of a file")
    for path in glob.glob(os.path.join(where, "core*")):
        os.unlink(path)

    def limits():
        measure.unlimited_core()
        if stack is not None:
            resource.setrlimit(resource.RLIMIT_STACK, (stack, stack))
    subprocess.run(words, cwd=where, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   preexec_fn=limits, check=False, timeout=600)
    found = glob.glob(os.path.join(where, "core*"))
    if len(found) != 1:
        raise Unavailable(f"{words[0]} left no core")
    return found[0]


def room(where, gib):
    free = shutil.disk_usage(where).free
    with open("/proc/meminfo") as f:
        memory = int(re.search(r"MemAvailable:\s+(\d+)", f.read()).group(1))
    if free < (gib + 2) << 30 or memory < (gib + 2) << 20:
        raise Unavailable(f"needs {gib + 2} GiB of disk and memory")


class Many(Case):
    """Threads whose stacks hold one frame of each of many units."""

    def __init__(self, name, threads, depth, compiler="gcc", live=False):
        super().__init__(name)
        self.threads, self.depth = threads, depth
        self.compiler, self.live = compiler, live
        self.text = (f"{threads:,} threads of {depth} frames and more, "
                     f"{compiler}" + (", alive" if live else ""))
        self.packages = () if compiler == "gcc" else (compiler,)
        if threads >= 1000:
            self.slow = ("eu-stack", "eu-stack -i")

    def make(self, where):
        paths = many.generate(os.path.join(where, "src"), self.depth)
        self.exe = os.path.join(where, "many")
        run(self.compiler, "-O1", "-g", "-pthread", "-o", self.exe, *paths)
        words = [self.exe, str(self.threads), "0" if self.live else "1"]
        if not self.live:
            self.core = crash(where, words)
            return
        self.process = real.start(words, stdout=subprocess.PIPE)
        self.pid = int(self.process.stdout.readline().split()[1])
        os.set_blocking(self.process.stdout.fileno(), False)

    def stopped(self):
        """The longest time, in ms, that the process was held up since the
        last call, by its own clock."""
        time.sleep(0.1)
        text = (self.process.stdout.read() or b"").decode()
        return max(map(float, re.findall(r"stopped ([\d.]+)", text)),
                   default=0.0)


class Deep(Case):
    def __init__(self, name, depth):
        super().__init__(name)
        self.depth = depth
        self.text = f"recursion, {depth:,} frames"
        self.slow = ("gdb bt", "gdb bt full", "eu-stack", "eu-stack -i")

    def make(self, where):
        self.exe = os.path.join(where, "deep")
        run("gcc", "-O2", "-g", "-fno-optimize-sibling-calls", "-o", self.exe,
            os.path.join(PROGRAMS, "deep.c"))
        self.core = crash(where, [self.exe, str(self.depth)],
                          stack=max(8 << 20, self.depth * 256))


class Edge(Case):
    text = "twelve threads in states that unwinders get wrong"
    reference = "lldb"

    def make(self, where):
        self.exe = os.path.join(where, "edge")
        for kind in ("fp", "nofp"):
            run("gcc", "-O1", "-c", "-fno-asynchronous-unwind-tables",
                *(("-fno-omit-frame-pointer", "-DFP") if kind == "fp"
                  else ("-fomit-frame-pointer",)),
                "-o", os.path.join(where, kind + ".o"),
                os.path.join(PROGRAMS, "nocfi.c"))
        run("gcc", "-O2", "-g", "-pthread", "-o", self.exe,
            os.path.join(PROGRAMS, "edge.c"), os.path.join(where, "fp.o"),
            os.path.join(where, "nofp.o"))
        self.core = crash(where, [self.exe])


class Heap(Case):
    def __init__(self, name, mib):
        super().__init__(name)
        self.mib = mib
        self.text = f"a heap of {mib / 1024:.1f} GiB, with full walk"

    def make(self, where):
        room(where, self.mib // 1024)
        self.exe = os.path.join(where, "bigheap")
        run("gcc", "-O2", "-g", "-pthread", "-o", self.exe,
            os.path.join(PROGRAMS, "bigheap.c"))
        self.core = crash(where, [self.exe, str(self.mib), "16"])


PYTHON = """
import threading, time
def ordered(n, wait):
    if n == 0:
        wait.wait()
        time.sleep(1000)
    return sorted([1], key=lambda x: list(map(lambda y: ordered(n - 1, wait),
                                              [x])))
def fork(n, wait):
    ordered(n, wait)
threading.stack_size(64 << 20)
wait = threading.Barrier(9)
import sys
sys.setrecursionlimit(10000)
for i in range(8):
    threading.Thread(target=fork, args=(60, wait), daemon=True).start()
wait.wait()
time.sleep(0.3)
print("ready", flush=True)
time.sleep(1000)
"""


class Python(Case):
    text = "python3.11 with its -dbg package: 8 threads, deep in callbacks"
    packages = ("python3.11", "python3.11-dbg")

    def make(self, where):
        script = real.write(os.path.join(where, "deep.py"), PYTHON)
        self.exe = os.path.realpath("/usr/bin/python3.11")
        process = real.start([self.exe, script], stdout=subprocess.PIPE,
                             cwd=where)
        process.stdout.readline()
        self.core = dumped(process, where)


def dumped(process, where):
    """The core of a process that waits, by gcore; ends the process."""
    try:
        real.settle(process.pid)
        core = real.gcore(process.pid, where)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if not os.path.exists(core):
        raise Unavailable("gcore made no core")
    return core


class Redis(Case):
    text = "redis, Debian's, stripped"
    packages = ("redis-server",)

    def make(self, where):
        process = real.redis(where)
        if process is None:
            raise Unavailable("redis-server is not installed")
        self.exe = os.path.realpath(f"/proc/{process.pid}/exe")
        self.core = dumped(process, where)


class Chromium(Case):
    reference = "lldb and eu-stack"
    packages = ("chromium",)

    def __init__(self, name, who, cold=False):
        super().__init__(name)
        self.who, self.cold = who, cold
        self.text = f"chromium {who}, Debian's, no unwind tables" + (
            ", empty page cache" if cold else "")

    def prepare(self, where):
        # With and without the page cache it is one core.
        os.makedirs(where, exist_ok=True)
        super().prepare(os.path.join(os.path.dirname(where),
                                     f"chromium-{self.who}"))

    def make(self, where):
        process = real.chromium(where)
        if process is None:
            raise Unavailable("chromium is not installed, or "
                              "kernel.core_pattern is not a file's name")
        try:
            pid = process.pid if self.who == "browser" else \
                real.renderer(process.pid)
            if pid is None:
                raise Unavailable("chromium started no renderer")
            self.exe = os.path.realpath(f"/proc/{pid}/exe")
            real.settle(pid)
            self.core = real.killed(pid, where)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


CEPH = {"ceph-mon": "/usr/bin/ceph-mon", "monmaptool": "/usr/bin/monmaptool"}


class Ceph(Case):
    """A monitor that runs alone."""
    packages = ("ceph-mon", "ceph-mon-dbg")

    def __init__(self, name, inflated):
        super().__init__(name)
        self.inflated = inflated
        self.text = "ceph-mon with its -dbg package, " + (
            "decompressed" if inflated else "as installed: compressed DWARF")

    def make(self, where):
        for path in CEPH.values():
            if not os.path.exists(path):
                raise Unavailable(f"{path} is not installed")
        self.exe = CEPH["ceph-mon"]
        monmap = os.path.join(where, "monmap")
        data = os.path.join(where, "data")
        conf = real.write(os.path.join(where, "conf"), CEPH_CONF)
        shutil.rmtree(data, ignore_errors=True)
        os.makedirs(data)
        run(CEPH["monmaptool"], "--create", "--clobber", "--add", "a",
            "127.0.0.1:6799", "--fsid",
            "11111111-2222-3333-4444-555555555555", monmap)
        common = ["-c", conf, "-i", "a", "--mon-data", data]
        run(self.exe, "--mkfs", "--monmap", monmap, *common)
        process = real.start([self.exe, "-f", *common], cwd=where)
        time.sleep(8)
        self.core = dumped(process, where)

    def prepare(self, where):
        if not self.inflated:
            super().prepare(where)
            return
        plain = Ceph("ceph-mon", False)
        plain.prepare(os.path.join(os.path.dirname(where), "ceph-mon"))
        self.exe, self.core = plain.exe, plain.core
        tree = os.path.join(where, "debug")
        notes = run("readelf", "-nW", self.exe)
        name = re.search(r"Build ID: (\w+)", notes).group(1)
        below = os.path.join(".build-id", name[:2], name[2:] + ".debug")
        copy = os.path.join(tree, below)
        if not os.path.exists(copy):
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            run("objcopy", "--decompress-debug-sections",
                os.path.join("/usr/lib/debug", below), copy)
        self.gdb = [f"set debug-file-directory {tree}:/usr/lib/debug"]
        self.eu_stack = [f"--debuginfo-path={tree}:/usr/lib/debug"]
        self.ours = [f"--debug-path={tree}"]


CEPH_CONF = """[global]
fsid = 11111111-2222-3333-4444-555555555555
auth cluster required = none
auth service required = none
auth client required = none
mon host = 127.0.0.1:6799
log file = /dev/null
run dir = .
[mon]
mon cluster log file = /dev/null
mon data avail crit = 0
"""


def all_cases():
    return [Chromium("chromium-browser", "browser"),
            Chromium("chromium-renderer", "renderer"),
            Chromium("chromium-browser-cold", "browser", cold=True),
            Many("many1000", 1000, 30),
            Many("many1000-clang", 1000, 30, compiler="clang"),
            Deep("deep100k", 100000),
            Python("python"),
            Ceph("ceph-mon", inflated=False),
            Ceph("ceph-mon-inflated", inflated=True),
            Redis("redis"),
            Heap("bigheap4g", 4096),
            Many("live1000", 1000, 30, live=True),
            Edge("edge")]


def small_cases():
    """For the frame check in the tests: seconds, and no package."""
    return [Many("many50", 50, 10), Deep("deep5k", 5000), Edge("edge")]
