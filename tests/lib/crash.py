#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs that crash, and their cores, for tests.

    exe = crash.build("a.c", ["-g", "-O2"], "gcc", directory)
    path = crash.core(exe, directory)

A core comes from the kernel where kernel.core_pattern is the name of a file
(it lands in the working directory), else from GDB's generate-core-file at the
signal that kills the program. Nothing in the system is changed. method() says
which of the two it will be; core(..., how="gdb") asks for one of them.

As a program:  crash.py [--how kernel|gdb] DIRECTORY EXE [ARGUMENT...]
"""
import argparse
import os
import resource
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
# Seconds on a machine that does much else besides.
TIMEOUT = 180
# Signals whose default action dumps core (signal(7)); not SIGTRAP, which GDB
# needs itself and at which it stops anyway.
FATAL = (signal.SIGQUIT, signal.SIGILL, signal.SIGABRT, signal.SIGBUS,
         signal.SIGFPE, signal.SIGSEGV, signal.SIGXCPU, signal.SIGXFSZ,
         signal.SIGSYS)


class CrashError(Exception):
    """No program or no core could be made; the text says why."""


def build(source, flags=(), cc="gcc", where=None, libs=(), name=None,
          timeout=TIMEOUT):
    """Compiles and links one source file; returns the program's path."""
    where = where or tempfile.mkdtemp(prefix="crash.")
    os.makedirs(where, exist_ok=True)
    base = name or os.path.splitext(os.path.basename(source))[0]
    exe = os.path.join(where, base)
    command = [cc, *flags, "-o", exe, source, "-pthread", *libs]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=timeout, check=False)
    if done.returncode != 0:
        raise CrashError(" ".join(command) + "\n" + done.stdout)
    return exe


def method():
    """"kernel" when the kernel writes cores into the working directory."""
    try:
        with open("/proc/sys/kernel/core_pattern") as f:
            pattern = f.read().strip()
    except OSError:
        return "gdb"
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    plain = pattern and pattern[0] not in "|@" and "/" not in pattern
    return "kernel" if plain and hard == resource.RLIM_INFINITY else "gdb"


def _allow_core():
    resource.setrlimit(resource.RLIMIT_CORE,
                       (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _is_core(path):
    with open(path, "rb") as f:
        head = f.read(18)
    return head[:4] == b"\x7fELF" and head[16:18] == b"\x04\x00"


def _by_kernel(command, where, env, timeout):
    process = subprocess.Popen(command, cwd=where, env=env,
                               stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL,
                               preexec_fn=_allow_core)
    try:
        status = process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise CrashError(f"{command[0]} did not crash in {timeout} s")
    if status >= 0:
        raise CrashError(f"{command[0]} ended with status {status}")
    for entry in sorted(os.listdir(where)):
        path = os.path.join(where, entry)
        if os.path.isfile(path) and _is_core(path):
            return path
    raise CrashError(f"{command[0]} died of signal {-status} without a core")


# Runs inside GDB: stops at each signal that could kill, passes on those that
# the program catches or ignores, and dumps at the one that it does not.
_GDB_SCRIPT = """
import gdb

def dispositions():
    masks = {}
    with open("/proc/%d/status" % gdb.selected_inferior().pid) as f:
        for line in f:
            key, _, value = line.partition(":")
            if key in ("SigCgt", "SigIgn"):
                masks[key] = int(value, 16)
    return masks["SigCgt"] | masks["SigIgn"]

def number():
    return int(gdb.parse_and_eval("$_siginfo.si_signo"))

gdb.execute("run")
for _ in range(1000):
    if not gdb.selected_inferior().pid:
        break
    if not dispositions() >> (number() - 1) & 1:
        gdb.execute("generate-core-file " + CORE)
        gdb.execute("kill")
        break
    gdb.execute("continue")
"""


def _by_gdb(command, where, env, timeout):
    path = os.path.join(where, "core")
    script = os.path.join(where, "dump.py")
    with open(script, "w") as f:
        f.write(f"CORE = {path!r}\n" + _GDB_SCRIPT)
    handle = [x for s in FATAL
              for x in ("-ex", f"handle {s.name} stop print pass")]
    gdb = ["gdb", "-nx", "-batch", "-iex", "set auto-load off",
           "-iex", "set debuginfod enabled off",
           "-iex", "set confirm off", "-ex", "handle all nostop noprint pass",
           *handle, "-ex", "set disable-randomization off", "-x", script,
           "--args", *command]
    try:
        done = subprocess.run(gdb, cwd=where, env=env, timeout=timeout,
                              stdin=subprocess.DEVNULL, text=True,
                              errors="replace", stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
    except subprocess.TimeoutExpired:
        raise CrashError(f"{command[0]} did not crash in {timeout} s")
    if not os.path.exists(path):
        raise CrashError(f"no core of {command[0]}: "
                         + " ".join(done.stdout.split()[-30:]))
    return path


def core(exe, where=None, args=(), env=None, how=None, timeout=TIMEOUT):
    """Runs the program until it crashes; returns the path of its core, in a
    new directory below `where`. how: "kernel", "gdb" or None (method())."""
    directory = tempfile.mkdtemp(prefix="core.", dir=where)
    command = [os.path.abspath(exe), *args]
    full = dict(os.environ, **(env or {}))
    if (how or method()) == "kernel":
        return _by_kernel(command, directory, full, timeout)
    return _by_gdb(command, directory, full, timeout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--how", choices=("kernel", "gdb"))
    parser.add_argument("directory")
    parser.add_argument("exe")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    try:
        print(core(args.exe, args.directory, args.arguments, how=args.how))
    except CrashError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
