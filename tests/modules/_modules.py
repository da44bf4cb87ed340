# SPDX-License-Identifier: MIT
"""What the tests of user's modules share: a crashed program, modules compiled
or written next to it, and ptrace run with them."""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "tools"))
import _tool  # noqa: E402
from _tool import ROOT, main  # noqa: E402,F401

crash = _tool.crash


# The environment in which a module's crash remains one, also in a build with
# sanitizers.
CRASHES = {"ASAN_OPTIONS": "detect_leaks=0:handle_segv=0:handle_abort=0"}


def is_instrumented(modules):
    """Builds with sanitizers or counts let more through."""
    exe = os.path.join(modules.bench.build, "ptrace")
    with open(exe, "rb") as f:
        text = f.read()
    return b"__asan_init" in text or b"__gcov_init" in text


class Modules:
    """A program that crashed, and a directory for modules."""

    def __init__(self, bench, source, flags=("-g", "-O0"), compiler="gcc",
                 timeout=crash.TIMEOUT):
        self.bench = bench
        self.dir = bench.new_dir()
        os.chmod(self.dir, 0o700)
        self.exe = crash.build(source, list(flags), compiler, self.dir,
                               timeout=timeout)
        self.core = crash.core(self.exe, self.dir)
        self.count = 0

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, 0o600)
        return path

    def compile(self, name, text, *flags):
        """A C module against the installed headers and nothing else."""
        source = self.write(name + ".c", text)
        out = os.path.join(self.dir, name + ".so")
        subprocess.run(
            ["gcc", "-std=gnu99", "-Wall", "-W", "-shared", "-fPIC", "-g",
             "-I", os.path.join(ROOT, "include"), *flags, source, "-o", out],
            check=True)
        os.chmod(out, 0o700)
        return out

    def run(self, *args, out=None, **options):
        """(finished process, the snapshot's JSON or None)."""
        self.count += 1
        out = os.path.join(self.dir, f"{out or self.count}.btt")
        done = self.bench.run("ptrace", "--core", self.core, self.exe, "-o",
                              out, "-L", "INFO", *args, **options)
        if not os.path.exists(out):
            return done, None
        shown = self.bench.run("ptrace", "-b", out, "--format=json")
        return done, json.loads(shown.stdout)


def warnings_of(snapshot):
    return " | ".join(f"{w['stage']}/{w['code']}: {w['text']}"
                      for w in snapshot["warnings"])


def texts(snapshot):
    return [a.get("text") for a in snapshot["annotations"]]
