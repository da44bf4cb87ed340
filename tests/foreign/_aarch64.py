# SPDX-License-Identifier: MIT
"""Programs of aarch64 and their cores, on any machine: a cross compiler builds
them, QEMU runs them and writes the core of what it runs itself, whatever the
kernel's core_pattern. Such a core has registers, the auxiliary vector, and
memory that was written to; no siginfo, no table of mapped files, no header of
an ELF file and no vector registers.
"""
import glob
import os
import resource
import shutil
import subprocess

import debugger

SYSROOT = "/usr/aarch64-linux-gnu"
GCC = "aarch64-linux-gnu-gcc"
GXX = "aarch64-linux-gnu-g++"
QEMU = "qemu-aarch64"
GDB = "gdb-multiarch"
TIMEOUT = 20


class Error(Exception):
    """Could not be built, or left no core."""


def lacks():
    """What is not installed, or None."""
    for tool in (GCC, QEMU, GDB):
        if shutil.which(tool) is None:
            return tool
    return None


def build(source, exe, flags):
    compiler = GXX if source.endswith(".cpp") else GCC
    done = subprocess.run([compiler, "-w", *flags, source, "-o", exe,
                           "-lpthread", "-lm"],
                          capture_output=True, text=True, timeout=TIMEOUT,
                          check=False)
    if done.returncode != 0:
        raise Error("does not build: " + done.stderr[:300])


def _allow_core():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)


def core(exe, where):
    """The core of the program, run in the directory, which must be fresh."""
    try:
        # Of a thread that QEMU runs at that moment the registers may be older
        # than the stack; with the linker's work done before, few run.
        done = subprocess.run([QEMU, "-L", SYSROOT, exe], cwd=where,
                              env=dict(os.environ, LD_BIND_NOW="1"),
                              preexec_fn=_allow_core, timeout=TIMEOUT,
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False)
    except subprocess.TimeoutExpired as e:
        raise Error("does not end") from e
    # Where the kernel writes plain files, QEMU's own core lies beside it.
    cores = glob.glob(os.path.join(where, "qemu_*.core"))
    for other in set(glob.glob(os.path.join(where, "core*"))) - set(cores):
        os.unlink(other)
    if len(cores) != 1:
        raise Error(f"ended with status {done.returncode}, {len(cores)} cores")
    return cores[0]


def gdb(exe, path, script, env, sysroot=SYSROOT):
    debugger.run(GDB, ["-iex", f"set sysroot {sysroot}", exe, path], script,
                 env, TIMEOUT)


def told(document):
    """The functions of the thread that died, without what the compiler adds to
    the names of clones."""
    return ["<signal>" if f["signal_frame"] else
            (f.get("symbol") or "?").split(".")[0]
            for f in document["threads"][0]["frames"]]
