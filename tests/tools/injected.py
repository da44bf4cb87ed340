#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Faults from outside, end to end: each call by which a snapshot is published
fails, ends short, is interrupted, or is the last that the process makes; so do
the calls by which a running process is stopped, read and let go; and memory
runs out at any moment. Afterwards the file under the final name is what it was
or is whole, there is none beside it, and the target runs."""
import ctypes
import errno
import json
import os
import subprocess
import sys

import _tool
from _tool import crash

sys.path.insert(0, os.path.join(_tool.ROOT, "tests", "live"))
import _live  # noqa: E402

FILE_ERRORS = [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG]
NAME_ERRORS = [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS]
# The calls of publishing, on what they are made, and how they go wrong. EINTR
# and a short write are no faults: the call is made again.
PUBLISHING = [
    ("write", "file", [*FILE_ERRORS, errno.EINTR, "short", "kill", "killed"]),
    ("fsync", "any", [errno.EIO, errno.ENOSPC, "kill", "killed"]),
    ("fchmod", "any", [errno.EPERM, "kill", "killed"]),
    ("linkat", "any", [*NAME_ERRORS, "kill", "killed"]),
    ("renameat", "any", [*NAME_ERRORS, "kill", "killed"]),
    ("renameat2", "any", [*NAME_ERRORS, "kill", "killed"]),
    ("unlinkat", "any", [errno.EIO, "kill", "killed"]),
]
HARMLESS = (errno.EINTR, "short")
OLD = b"what was there before\n" * 100
LAST = (1 << 62)


class Injector:
    def __init__(self, bench):
        self.bench = bench
        self.library = os.path.join(bench.dir, "inject.so")
        # No crash.build: that this cannot be compiled is no reason to skip.
        subprocess.run(["gcc", "-D_GNU_SOURCE", "-O1", "-shared", "-fPIC",
                        "-o", self.library, os.path.join(
                            _tool.HERE, "programs", "inject.c"), "-ldl"],
                       check=True)
        self.counter = os.path.join(bench.dir, "count")

    def run(self, where, call, on, how, first, last, *args):
        """The result, and how many such calls there were."""
        with open(self.counter, "wb") as f:
            f.write(bytes(8))
        done = subprocess.run(
            [os.path.join(self.bench.build, "ptrace"), *args], cwd=where,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, errors="replace",
            timeout=_tool.TIMEOUT, check=False,
            env=dict(os.environ, LD_PRELOAD=self.library,
                     INJECT=f"{call} {on} {how} {first} {last}",
                     INJECT_COUNT=self.counter))
        with open(self.counter, "rb") as f:
            return done, int.from_bytes(f.read(8), "little")


def few(n, most):
    """At most that many of range(n), the first and the last among them."""
    if n <= most:
        return range(n)
    return sorted({i * (n - 1) // (most - 1) for i in range(most)})


def is_whole(bench, path):
    done = bench.run("ptrace", "-b", path, "--format=json")
    return done.returncode == 0 and not json.loads(done.stdout)["partial"]


def look(bench, t, case, where, done, old, harmless):
    """The state of the directory after a run."""
    path = os.path.join(where, "x.btt")
    # A file is replaced by renaming another over it, which has a name of its
    # own then: killed in between, it stays, and it is whole.
    names = [name for name in os.listdir(where)
             if not (old and done.returncode == -9 and
                     name.startswith(".inquest.") and
                     is_whole(bench, os.path.join(where, name)))]
    t.check(set(names) <= {"x.btt"}, *case, "left", names, done.stderr)
    t.check(done.returncode in (0, 2, -9), *case, done.returncode,
            done.stderr)
    data = None
    if os.path.exists(path):
        with open(path, "rb") as f:
            data = f.read()
    if data is None or data == OLD:
        t.check((data == OLD) == old, *case, "the old file is gone")
        t.check(done.returncode != 0 and not harmless, *case,
                "no snapshot, and the exit status is", done.returncode)
    else:
        t.check(is_whole(bench, path), *case, "half a file")
    if done.returncode == 2:
        t.check(done.stderr.count("\n") == 1 and done.stdout == "", *case,
                done.stdout, done.stderr)


def publishing(bench, t, injector):
    for old in (False, True):
        args = ["-o", "x.btt", *(["--overwrite"] if old else []), "--core",
                bench.core, bench.exe]
        for call, on, hows in PUBLISHING:
            where = bench.new_dir()
            done, n = injector.run(where, call, on, "count", 0, LAST, *args)
            t.equal(done.returncode, 0, call, done.stderr)
            for how in hows:
                for first in few(n, 4):
                    where = bench.new_dir()
                    if old:
                        with open(os.path.join(where, "x.btt"), "wb") as f:
                            f.write(OLD)
                    done, _ = injector.run(where, call, on, how, first, first
                                           if how in HARMLESS else LAST, *args)
                    look(bench, t, (call, how, first, "old" if old else "new"),
                         where, done, old, how in HARMLESS)


def between_the_processes(bench, t, injector):
    """What the worker sends: a pipe that is interrupted or takes little at a
    time loses nothing; one that fails costs what had not been sent."""
    args = ["-o", "x.btt", "--core", bench.core, bench.exe]
    for how in (errno.EINTR, "short", errno.EIO, "kill", "killed"):
        for call in ("write", "read"):
            if call == "read" and how == "short":
                continue
            where = bench.new_dir()
            done, n = injector.run(where, call, "pipe", "count", 0, LAST,
                                   *args)
            for first in few(n, 6):
                where = bench.new_dir()
                done, _ = injector.run(where, call, "pipe", how, first, first,
                                       *args)
                case = ("pipe", call, how, first)
                t.check(done.returncode in (0, 2, -9), *case, done.returncode,
                        done.stderr)
                path = os.path.join(where, "x.btt")
                # The name is printed into a pipe, too, when the file is there.
                if done.returncode != -9:
                    t.equal(os.path.exists(path), done.returncode == 0, *case)
                if how in HARMLESS:
                    t.check(is_whole(bench, path), *case, done.stderr)
                elif done.returncode == 0:
                    t.equal(bench.run("ptrace", "-b", path).returncode, 0,
                            *case)


def memory(bench, t, injector):
    """From some allocation on there is none, or a single one fails."""
    args = ["-o", "x.btt", "--core", bench.core, bench.exe]
    _, n = injector.run(bench.new_dir(), "malloc", "any", "count", 0, LAST,
                        *args)
    t.check(n > 100, "only", n, "allocations")
    for first in few(n, 40):
        for last in (first, LAST):
            where = bench.new_dir()
            done, _ = injector.run(where, "malloc", "any", errno.ENOMEM, first,
                                   last, *args)
            case = ("allocation", first, "of", n,
                    "alone" if last == first else "and all after it")
            names = os.listdir(where)
            t.check(done.returncode in (0, 2), *case, done.returncode,
                    done.stderr)
            t.equal(names, ["x.btt"] if done.returncode == 0 else [], *case)
            if names:
                t.equal(bench.run("ptrace", "-b", os.path.join(
                    where, "x.btt")).returncode, 0, *case)


def target(bench):
    exe = crash.build(os.path.join(_tool.ROOT, "tests", "live", "programs",
                                   "known.c"), ["-g", "-O1"], "gcc",
                      bench.dir)
    process = subprocess.Popen([exe, "4"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    if process.stdout.readline() != "ready\n":
        raise crash.CrashError(f"{exe} does not start")
    return process


def runs_on(pid):
    """Nobody traces or stops it; the kernel may take a moment for that."""
    return _live.wait_for(lambda: _live.is_free(pid))


def living(bench, t, injector):
    process = target(bench)
    # What a killed supervisor leaves behind becomes ours to collect, and the
    # target must not be a child of something that is killed.
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    try:
        for call, on, hows in (
                ("ptrace", "any", [errno.EPERM, errno.ESRCH, errno.EIO,
                                   "kill", "killed"]),
                ("process_vm_readv", "any", [errno.EFAULT, errno.ENOSYS,
                                             "kill"]),
                ("waitpid", "any", [errno.EINTR, "kill"]),
                ("fork", "any", [errno.EAGAIN, "kill", "killed"]),
                ("pipe2", "any", [errno.EMFILE]),
                ("mmap64", "any", [errno.ENOMEM]),
                ("write", "any", [errno.EIO, "kill", "killed"]),
                ("linkat", "any", ["kill", "killed"])):
            where = bench.new_dir()
            done, n = injector.run(where, call, on, "count", 0, LAST, "-o",
                                   "x.btt", str(process.pid))
            t.equal(done.returncode, 0, "live", call, done.stderr)
            for how in hows:
                for first in few(n, 5):
                    where = bench.new_dir()
                    done, _ = injector.run(
                        where, call, on, how, first,
                        first if how == errno.EINTR else LAST, "-o", "x.btt",
                        str(process.pid))
                    case = ("live", call, how, first)
                    t.check(done.returncode in (0, 2, -9), *case,
                            done.returncode, done.stderr)
                    t.check(process.poll() is None, *case, "it has ended")
                    t.check(runs_on(process.pid), *case, "it is stopped",
                            _live.tasks(process.pid))
                    t.check(set(os.listdir(where)) <= {"x.btt"}, *case)
    finally:
        process.kill()
        process.wait()


def body(bench, t):
    with open(os.path.join(bench.build, "ptrace"), "rb") as f:
        if b"__asan_init" in f.read():
            raise crash.CrashError("the sanitizers bear no preloaded library")
    injector = Injector(bench)
    publishing(bench, t, injector)
    between_the_processes(bench, t, injector)
    memory(bench, t, injector)
    living(bench, t, injector)


if __name__ == "__main__":
    sys.exit(_tool.main(body))
