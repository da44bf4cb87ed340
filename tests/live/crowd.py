#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Many at once, and a machine at its limits: snapshots of one process and of
many at the same moment, without descriptors, processes, room for files or
address space. Each is taken or refused in one line, no file is half, and the
targets run on."""
import json
import os
import resource
import shutil
import subprocess
import sys

import _live

MANY = 32


def start_all(bench, commands):
    return [subprocess.Popen(
        [os.path.join(bench.build, c[0]), *map(str, c[1:])], cwd=bench.dir,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True) for c in commands]


def ends(job):
    out, err = job.communicate(timeout=3 * _live.TIMEOUT)
    return job.returncode, out, err


def of_one_process(bench, t):
    """A process has one tracer at a time: some get it, the others are told who
    has it, and it never notices more than one at a time."""
    target = bench.known(20)
    results = list(map(ends, start_all(
        bench, [("ptrace", target.pid, "-o", f"one.{i}.btt")
                for i in range(MANY)])))
    taken = 0
    for i, (status, out, err) in enumerate(results):
        path = os.path.join(bench.dir, f"one.{i}.btt")
        t.equal(os.path.exists(path), status == 0, i, err)
        if status == 0:
            taken += 1
            d = json.loads(bench.run("ptrace", "-b", path, "--json").stdout)
            t.equal((len(d["threads"]), d["partial"]), (22, False), i)
            t.check(all(x["frames"] for x in d["threads"]), i, "no frames")
        else:
            t.equal((status, out, len(err.splitlines())), (2, "", 1), err)
            t.check("traced already" in err or "no such process" in err, err)
    t.check(taken > 0, "nobody had it")
    t.check(_live.wait_for(lambda: _live.is_free(target.pid)), "left traced")
    t.check(_live.runs_on(target), "it does not run on")
    print(f"of one process: {taken} of {MANY} taken")


def of_many_processes(bench, t):
    """None is in another's way, whatever the order in which they end."""
    targets = [bench.known(3) for _ in range(MANY)]
    results = list(map(ends, start_all(
        bench, [("ptrace", target.pid, "-O", "many")
                for target in targets])))
    names = set()
    for target, (status, out, err) in zip(targets, results):
        t.equal((status, err), (0, ""), target.pid)
        names.add(out)
        d = json.loads(bench.run("ptrace", "-b", out.rstrip("\n"),
                                 "--json").stdout)
        t.equal((d["attributes"]["process.id"], len(d["threads"])),
                (target.pid, 5))
        t.check(_live.is_free(target.pid), _live.tasks(target.pid))
    t.equal(len(names), MANY, "names of files")
    for target in targets:
        target.kill()


def limited(bench, t, target, which, value, *prefix):
    """One with a limit: 0 or 2, and nothing half."""
    where = os.path.join(bench.dir, "limited")
    shutil.rmtree(where, ignore_errors=True)
    os.mkdir(where)
    os.chmod(where, 0o777)
    done = subprocess.run(
        [*prefix, os.path.join(bench.build, "ptrace"), str(target.pid), "-o",
         "x.btt"], cwd=where, stdin=subprocess.DEVNULL, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        timeout=_live.TIMEOUT, check=False,
        preexec_fn=lambda: resource.setrlimit(which, (value, value)))
    case = (which, value)
    if done.returncode == 126 and prefix:
        return None  # the kernel did not let it begin
    t.check(done.returncode in (0, 2), *case, done.returncode, done.stderr)
    t.equal(os.listdir(where), ["x.btt"] if done.returncode == 0 else [],
            *case, done.stderr)
    if done.returncode == 2:
        t.check(done.stdout == "" and done.stderr.count("\n") == 1, *case,
                done.stdout, done.stderr)
    else:
        path = os.path.join(where, "x.btt")
        shown = bench.run("ptrace", "-b", path, "--json")
        t.equal(shown.returncode, 0, *case, shown.stderr)
    t.check(_live.wait_for(lambda: _live.is_free(target.pid)), *case,
            "left stopped")
    return done.returncode


def descriptors(bench, t):
    target = bench.known(5)
    got = [limited(bench, t, target, resource.RLIMIT_NOFILE, n)
           for n in (4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 32, 64, 256)]
    t.equal((got[0], got[-1]), (2, 0), "too few and enough:", got)


def address_space(bench, t):
    target = bench.known(5)
    if b"__asan_init" in open(os.path.join(bench.build, "ptrace"),
                              "rb").read():
        return
    got = [limited(bench, t, target, resource.RLIMIT_AS, n << 20)
           for n in (24, 32, 48, 64, 96, 128, 192, 256, 512, 1024, 8192)]
    t.equal(got[-1], 0, "enough:", got)


def room_for_files(bench, t):
    target = bench.known(5)
    got = [limited(bench, t, target, resource.RLIMIT_FSIZE, n)
           for n in (0, 1, 512, 4096, 1 << 20, 1 << 33)]
    t.equal((got[0], got[-1]), (2, 0), "too little and enough:", got)


def processes(bench, t):
    """Of a user who may have no more of them."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return
    user = 61235
    prefix = ["setpriv", "--reuid", str(user), "--regid", str(user),
              "--clear-groups"]
    if subprocess.run([*prefix, os.path.join(bench.build, "ptrace"),
                       "--version"], stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL, check=False).returncode:
        print("another user cannot run ptrace: not tried without processes")
        return
    target = bench.start(*prefix, bench.exe("known"), 3, cwd="/")
    # Its threads count; a snapshot needs a few beside them.
    got = [limited(bench, t, target, resource.RLIMIT_NPROC, n, *prefix)
           for n in (1, 4, 5, 6, 7, 8, 9, 10, 50)]
    t.check(2 in got, "too few:", got)
    if not os.path.exists("/proc/sys/kernel/yama"):
        t.equal(got[-1], 0, "enough:", got)


def body(bench, t):
    of_one_process(bench, t)
    of_many_processes(bench, t)
    descriptors(bench, t)
    address_space(bench, t)
    room_for_files(bench, t)
    processes(bench, t)


if __name__ == "__main__":
    sys.exit(_live.main(body))
