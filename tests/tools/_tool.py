# SPDX-License-Identifier: MIT
"""What the tests of the programs share: a crashed program, and running ptrace
and bt on it with a time limit."""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
import crash  # noqa: E402
import checks  # noqa: E402

# Seconds on a machine that does much else besides.
TIMEOUT = 180


class Bench:
    """A directory with demo, its core, and the programs under test."""

    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.dir = tempfile.mkdtemp(prefix="inquest-tools.")
        self._core = self._exe = None

    @property
    def exe(self):
        if self._exe is None:
            self._exe = crash.build(
                os.path.join(ROOT, "tests", "programs", "demo.c"),
                ["-g", "-O0"], "gcc", self.dir)
        return self._exe

    @property
    def core(self):
        if self._core is None:
            self._core = crash.core(self.exe, self.dir)
        return self._core

    def new_dir(self):
        return tempfile.mkdtemp(dir=self.dir)

    def run(self, program, *args, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        env = dict(os.environ, **options.pop("env", {}))
        env.setdefault("ASAN_OPTIONS", "detect_leaks=0")
        return subprocess.run([os.path.join(self.build, program), *args],
                              env=env, timeout=TIMEOUT, text=True,
                              errors="surrogateescape", check=False,
                              **options)

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)


def main(body):
    return checks.run(Bench, body)
