#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Processes that cannot be captured: each reason is told apart, in one line,
with exit status 2, and nothing is left stopped. And those that look as if they
could not, but can."""
import os
import struct
import subprocess
import sys

import _live

NOBODY = 65534


def refused(bench, t, pid, *words, program="bt", **options):
    done = bench.run(program, pid, **options)
    t.equal((done.returncode, done.stdout), (2, ""), program, pid,
            done.stderr)
    lines = done.stderr.splitlines()
    t.equal(len(lines), 1, done.stderr)
    for word in (str(pid), *words):
        t.check(lines and word in lines[0], f"'{word}' is not in", lines)
    return done.stderr


def gone(bench, t):
    child = subprocess.Popen(["true"])
    child.wait()
    refused(bench, t, child.pid, "no such process")
    refused(bench, t, child.pid, "no such process", program="ptrace")
    t.check(not [x for x in os.listdir(bench.dir) if x.endswith(".btt")],
            "a snapshot of nothing")
    for word in ("0", "-5", "99999999999"):
        done = bench.run("bt", "--", word)
        t.check(done.returncode in (1, 2), word, done.returncode)


def zombie(bench, t):
    child = subprocess.Popen(["true"])
    _live.await_state(child.pid, "Z")
    refused(bench, t, child.pid, "zombie", str(os.getpid()))
    child.wait()


def kernel_thread(bench, t):
    for pid in sorted(filter(str.isdigit, os.listdir("/proc")), key=int):
        try:
            with open(f"/proc/{pid}/stat") as f:
                flags = int(f.read().rpartition(")")[2].split()[6])
        except OSError:
            continue
        if flags & 0x00200000:
            refused(bench, t, int(pid), "kernel thread")
            return
    print("no kernel threads to be seen here")


def thread_id(bench, t):
    target = bench.known(2)
    tid = [x for x in _live.tasks(target.pid) if x != target.pid][0]
    refused(bench, t, tid, "thread of process", str(target.pid))


def traced(bench, t):
    target = bench.known(1)
    tracer = subprocess.Popen(
        ["gdb", "-nx", "-q", "-iex", "set auto-load off", "-p",
         str(target.pid)],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    # GDB attaches to the first thread first, and stops them all.
    t.check(_live.wait_for(lambda: all(s == "t" for s, _ in _live.tasks(
        target.pid).values())), "GDB does not attach")
    refused(bench, t, target.pid, "traced already", str(tracer.pid), "gdb")
    tracer.stdin.close()
    tracer.wait(_live.PATIENCE)


def as_nobody(bench, program, *args):
    return subprocess.run(
        ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY),
         "--clear-groups", os.path.join(bench.build, program),
         *map(str, args)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, timeout=_live.TIMEOUT,
        check=False, cwd="/")


def permissions(bench, t):
    if os.geteuid() != 0:
        print("not root: another user's process is not tried")
        return
    if as_nobody(bench, "bt", "--version").returncode != 0:
        print("nobody cannot run bt: permissions are not tried")
        return
    target = bench.known(1)
    done = as_nobody(bench, "bt", target.pid)
    t.equal((done.returncode, done.stdout), (2, ""), "as nobody")
    t.equal(len(done.stderr.splitlines()), 1, done.stderr)
    for word in (str(target.pid), "uid 0", f"uid {NOBODY}", "root",
                 "CAP_SYS_PTRACE"):
        t.check(word in done.stderr, word, "is not in", done.stderr)
    # Its own processes it may capture (unless Yama says otherwise), those
    # that are not dumpable it may not.
    for dumpable in (True, False):
        own = subprocess.Popen(
            [sys.executable, "-c",
             "import ctypes, os, time\n"
             f"os.setgid({NOBODY}); os.setuid({NOBODY})\n"
             f"ctypes.CDLL(None).prctl(4, {int(dumpable)}, 0, 0, 0)\n"
             "print('ready', flush=True); time.sleep(1000)"],
            stdout=subprocess.PIPE, cwd="/")
        own.stdout.readline()
        done = as_nobody(bench, "bt", f"--timeout={_live.PATIENCE}", own.pid)
        if dumpable and not os.path.exists("/proc/sys/kernel/yama"):
            t.equal((done.returncode, done.stderr), (0, ""), "own process")
            t.check("[ 0]" in done.stdout, done.stdout)
        elif not dumpable:
            t.equal(done.returncode, 2, done.stdout)
            t.check("protected" in done.stderr, done.stderr)
        own.kill()
        own.wait()


def own_parent(bench, t):
    """Crash handlers start us from the dying process: our parent waits."""
    script = ("import subprocess, sys, os\n"
              "def handler():\n"
              "    d = subprocess.run([sys.argv[1], '--no-variables',"
              " str(os.getpid())])\n"
              "    sys.exit(d.returncode)\n"
              "handler()\n")
    done = subprocess.run(
        [sys.executable, "-c", script, os.path.join(bench.build, "bt")],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, timeout=_live.TIMEOUT, check=False)
    t.equal(done.returncode, 0, "our own parent:", done.stderr)
    t.check("[ 0]" in done.stdout, done.stdout[:300])


def elf32():
    """A program of 32 bits that waits for a signal, for ever."""
    code = bytes.fromhex("b81d000000cd80ebf7")  # mov eax, pause; int 0x80; jmp
    base, head = 0x08048000, 52 + 32
    return struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\x01\x01\x01", 2, 3, 1,
                       base + head, 52, 0, 0, 52, 32, 1, 0, 0, 0) + \
        struct.pack("<IIIIIIII", 1, 0, base, base, head + len(code),
                    head + len(code), 5, 0x1000) + code


def bits32(bench, t):
    path = os.path.join(bench.dir, "small")
    with open(path, "wb") as f:
        f.write(elf32())
    os.chmod(path, 0o755)
    try:
        target = subprocess.Popen([path])
    except OSError:
        print("this kernel runs no 32-bit programs")
        return
    # It sleeps, or the kernel has killed it.
    _live.wait_for(lambda: _live.state_of(target.pid) in ("S", "Z"))
    if target.poll() is None:
        refused(bench, t, target.pid, "32-bit")
        t.check(_live.is_free(target.pid), _live.tasks(target.pid))
    target.kill()
    target.wait()


def another_operand(bench, t):
    """Crash helpers of today pass a reason behind the pid."""
    target = bench.known(1)
    done = bench.run("bt", target.pid, "watchdog")
    t.equal((done.returncode, done.stderr), (0, ""), "a second operand")
    for value in ("0", "-1", "x", "1e9"):
        done = bench.run("bt", target.pid, f"--max-pause={value}")
        t.equal(done.returncode, 1, "--max-pause", value)
    done = bench.run("bt", "--json", target.pid, "--max-pause=1")
    t.equal(done.returncode, 0, done.stderr)


def body(bench, t):
    gone(bench, t)
    zombie(bench, t)
    kernel_thread(bench, t)
    thread_id(bench, t)
    traced(bench, t)
    permissions(bench, t)
    own_parent(bench, t)
    bits32(bench, t)
    another_operand(bench, t)


if __name__ == "__main__":
    sys.exit(_live.main(body))
