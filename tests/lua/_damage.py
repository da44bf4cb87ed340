# SPDX-License-Identifier: MIT
"""Cores whose memory is damaged at random, reproducible by the seed: words of
writable memory that are in use become null, garbage, other words of the same
memory, or a little more or less than they were. Whatever a module reads of
that, it may not fail."""
import json
import os
import random
import struct
import subprocess

import _modules
from _modules import crash

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = os.path.join(HERE, "programs")
PT_LOAD, PF_W = 1, 2


class Core:
    def __init__(self, path):
        with open(path, "rb") as f:
            self.data = f.read()
        self.words = []
        for offset, size in self.writable():
            for at in range(offset, offset + size - 7, 8):
                if self.data[at:at + 8] != bytes(8):
                    self.words.append(at)
        self.samples = [struct.unpack_from("<Q", self.data, at)[0] for at in
                        random.Random(0).sample(self.words,
                                                min(1000, len(self.words)))]

    def writable(self):
        table, = struct.unpack_from("<Q", self.data, 32)
        count, = struct.unpack_from("<H", self.data, 56)
        for i in range(count):
            kind, flags, offset, _, _, size = struct.unpack_from(
                "<IIQQQQ", self.data, table + 56 * i)
            if kind == PT_LOAD and flags & PF_W:
                yield offset, size

    def damaged(self, seed):
        """A copy; how much of it is damaged differs, too."""
        r, data = random.Random(seed), bytearray(self.data)
        share = r.choice((0.002, 0.02, 0.1, 0.3))
        for _ in range(int(len(self.words) * share) + 1):
            at = r.choice(self.words)
            old, = struct.unpack_from("<Q", data, at)
            new = r.choice((0, r.getrandbits(64), r.choice(self.samples),
                            old ^ 1 << r.randrange(64), 2**63 - 1,
                            old + r.choice((-8, 8, 1, 16, 4096))))
            struct.pack_into("<Q", data, at, new % 2**64)
        return bytes(data)


def try_one(bench, t, name, exe, core, seed, options=()):
    directory = bench.new_dir()
    path = os.path.join(directory, "core.damaged")
    out = os.path.join(directory, "out.btt")
    with open(path, "wb") as f:
        f.write(core.damaged(seed))
    done = bench.run("ptrace", "--core", path, exe, "-o", out, *options)
    os.unlink(path)
    label = f"{name} seed {seed}"
    if not t.equal(done.returncode, 0, label, done.stderr):
        return
    shown = bench.run("ptrace", "-b", out, "--format=json")
    if not t.equal(shown.returncode, 0, label, shown.stderr):
        return
    said = [w["text"] for w in json.loads(shown.stdout)["warnings"]
            if w["stage"].startswith("module") and w["code"] != "limit"]
    t.equal(said, [], label)
    t.equal(bench.run("bt", out).returncode, 0, label)
    os.unlink(out)


def rust(bench):
    exe = os.path.join(bench.new_dir(), "collections")
    subprocess.run(["/usr/bin/rustc", "-g", "-Awarnings", "-o", exe,
                    os.path.join(PROGRAMS, "collections.rs")], check=True,
                   stdin=subprocess.DEVNULL, timeout=60)
    return exe, [], ()


def glib(bench):
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "glib-2.0"],
                           stdout=subprocess.PIPE, text=True, check=True)
    return crash.build(os.path.join(PROGRAMS, "glib.c"), ["-g", "-O0"], "gcc",
                       bench.new_dir(), libs=flags.stdout.split()), [], ()


def cpp(bench):
    return crash.build(os.path.join(PROGRAMS, "containers.cpp"),
                       ["-g", "-O0", "-std=c++20"], "g++",
                       bench.new_dir()), [], ()


def python(bench):
    truth = os.path.join(bench.new_dir(), "truth")
    program = os.path.join(PROGRAMS, "frames.py")
    return os.path.realpath("/usr/bin/python3"), [program, "through_c",
                                                  truth], ()


def asterisk(bench):
    modules = _modules.Modules(bench, os.path.join(PROGRAMS, "pbx.c"))
    source = os.path.join(_modules.ROOT, "lua", "examples", "asterisk",
                          "asterisk.lua")
    with open(source) as f:
        path = modules.write("asterisk.lua", f.read())
    return modules.exe, [], ("--module-load", path)


SUBJECTS = {"cpp": cpp, "rust": rust, "glib": glib, "python": python,
            "asterisk": asterisk}


def run(bench, t, seeds):
    """seeds: of each subject. Those that cannot be built are told."""
    for name, make in SUBJECTS.items():
        try:
            exe, arguments, options = make(bench)
        except (OSError, subprocess.CalledProcessError,
                crash.CrashError) as error:
            print("without", name + ":", error)
            continue
        core = Core(crash.core(exe, bench.new_dir(), args=arguments))
        for seed in seeds:
            try_one(bench, t, name, exe, core, seed, options)
