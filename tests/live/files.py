#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The files behind a live process: deleted, replaced, never in a directory, or
below another root. The symbols are those of what runs."""
import ctypes
import os
import shutil
import subprocess
import sys

import _live

LIBC = ctypes.CDLL(None, use_errno=True)


def worker_of(d):
    for x in d["threads"]:
        if "innermost" in _live.names(x):
            return x
    return None


def check_whole(t, d, what):
    thread = worker_of(d)
    if not t.check(thread, what, "no symbols:",
                   [_live.names(x) for x in d["threads"]]):
        return
    t.equal([f for f in _live.names(thread)
             if f in ("innermost", "middle", "worker")],
            ["innermost", "middle", "worker"], what)
    got = _live.variable(thread, "innermost", "doubled")
    t.equal(got and got.get("value"), 0, what, "value:")


def deleted(bench, t):
    path = os.path.join(bench.dir, "gone")
    shutil.copy(bench.exe("known"), path)
    target = bench.start(path, 1)
    os.unlink(path)
    d = bench.json(t, target.pid)
    check_whole(t, d, "deleted:")
    t.equal(d["attributes"].get("process.exe"), path)
    t.check(any(w["code"] == "live.deleted" for w in d["warnings"]),
            d["warnings"])
    done = bench.run("ptrace", target.pid)
    t.check(os.path.basename(done.stdout).startswith(f"gone.{target.pid}."),
            done.stdout, done.stderr)


def replaced(bench, t):
    """By another build, as a package upgrade does: the name then leads to a
    file whose symbols would all be wrong."""
    path = os.path.join(bench.dir, "upgraded")
    shutil.copy(bench.exe("known"), path)
    target = bench.start(path, 1)
    shutil.copy(bench.exe("known", "-O2", "-DNEWER"), path + ".new")
    os.rename(path + ".new", path)
    check_whole(t, bench.json(t, target.pid), "replaced:")


def in_memory(bench, t):
    """memfd_create and fexecve: no directory has it."""
    fd = LIBC.memfd_create(b"in memory", 0)
    if fd < 0:
        return
    with open(bench.exe("known"), "rb") as f:
        os.write(fd, f.read())
    target = bench.start(f"/proc/self/fd/{fd}", 1, pass_fds=(fd,))
    d = bench.json(t, target.pid)
    check_whole(t, d, "memfd:")
    os.close(fd)


def other_root(bench, t):
    """As in a container: paths mean something else inside."""
    if os.geteuid() != 0:
        print("not root: no other root directory is tried")
        return
    root = os.path.join(bench.dir, "root")
    os.makedirs(os.path.join(root, "bin"))
    exe = bench.exe("known", "-O1", "-static")
    shutil.copy(exe, os.path.join(root, "bin", "inside"))
    # A file of the same name outside that is something else.
    outside = "/bin/inside"
    target = subprocess.Popen(
        ["chroot", root, outside, "1"], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True)
    try:
        t.equal(target.stdout.readline(), "ready\n", "in its own root")
        d = bench.json(t, target.pid)
        check_whole(t, d, "another root:")
        t.equal(d["attributes"].get("process.root"), root)
    finally:
        target.kill()
        target.wait()


def namespace(bench, t):
    """Another pid namespace: the numbers are those of ours."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return
    target = subprocess.Popen(
        ["unshare", "--pid", "--fork", "--mount-proc", bench.exe("known"),
         "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        if target.stdout.readline() != "ready\n":
            print("no namespaces here")
            return
        with open(f"/proc/{target.pid}/task/{target.pid}/children") as f:
            pid = int(f.read().split()[0])
        d = bench.json(t, pid)
        check_whole(t, d, "pid namespace:")
        a = d["attributes"]
        t.equal((a.get("process.id"), a.get("process.id.inner")), (pid, 1))
        t.equal(a.get("process.namespaces"), "mnt,pid")
    finally:
        target.stdin.close()
        target.kill()
        target.wait()


def overmounted_library(bench, t):
    """A library is replaced while it is mapped."""
    source = os.path.join(bench.dir, "lib.c")
    for number, name in ((1, "libthing.so"), (2, "libthing.so.new")):
        with open(source, "w") as f:
            f.write(f"#include <unistd.h>\nint pad_{number};\n"
                    f"__attribute__((noinline)) int waits_{number}(void)\n"
                    "{ for (;;) pause(); }\n"
                    "int thing(void) { return 1 + waits_%d(); }\n" % number)
        subprocess.run(["gcc", "-g", "-O1", "-shared", "-fPIC", "-o",
                        os.path.join(bench.dir, name), source], check=True)
    with open(source, "w") as f:
        f.write("#include <stdio.h>\nint thing(void);\nint main(void)\n"
                "{ puts(\"ready\"); fflush(stdout); return thing(); }\n")
    exe = os.path.join(bench.dir, "uses")
    subprocess.run(["gcc", "-g", "-o", exe, source, "-L", bench.dir,
                    "-l:libthing.so", "-Wl,-rpath," + bench.dir], check=True)
    target = bench.start(exe)
    _live.wait_asleep(target.pid)
    os.rename(os.path.join(bench.dir, "libthing.so.new"),
              os.path.join(bench.dir, "libthing.so"))
    d = bench.json(t, target.pid)
    found = [f for x in d["threads"] for f in _live.names(x)]
    t.check("waits_1" in found and "waits_2" not in found, found)


def body(bench, t):
    deleted(bench, t)
    replaced(bench, t)
    in_memory(bench, t)
    other_root(bench, t)
    namespace(bench, t)
    overmounted_library(bench, t)


if __name__ == "__main__":
    sys.exit(_live.main(body))
