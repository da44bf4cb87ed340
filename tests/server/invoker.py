#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""invoker, under a program that speaks the protocol of Traffic Server on the
helper's standard input: its options, its steps and what it exits with."""
import os
import signal
import subprocess
import sys
import time

import _server
from _server import run, snapshots, state_of, wait_for

# What Traffic Server 6 and 7, and 8 and later, give to their helper.
ATS7 = ["--syslog", "--wait", "--host", "x86_64-pc-linux-gnu"]
ATS8 = ATS7 + ["--user", "nobody"]


class Scene:
    """A directory, the server that crashes, and the helper."""

    def __init__(self, bench):
        self.bench = bench
        self.server = _server.program(bench, "parent")
        self.invoker = os.path.join(bench.build, "invoker")
        self.ptrace = os.path.join(bench.build, "ptrace")

    def script(self, text):
        path = os.path.join(self.bench.new_dir(), "tracer")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o755)
        return path

    def crash(self, form, *args, **options):
        """(directory, what the server printed, standard error)"""
        where = self.bench.new_dir()
        done = run([self.server, form, self.invoker, "-d", *args], cwd=where,
                   **options)
        return where, done.stdout, done.stderr


def snapshot_is_right(s, t, where, what, key=None):
    found = snapshots(where)
    if not t.equal(len(found), 1, what, "snapshots:"):
        return
    d = _server.document(s.bench, found[0])
    if not t.check(d is not None, what, "cannot be read"):
        return
    names = [f["symbol"] for x in d["threads"] for f in x["frames"]]
    t.check("serve" in names and "on_crash" in names, what, names)
    t.equal(d["attributes"].get("application"), "parent", what)
    if key:
        t.equal(d["attributes"].get(key[0]), key[1], what, "attribute:")


def records(s, t):
    """Each form of the record leads to a snapshot of the server."""
    for form, args in (("old", ATS7), ("old", ATS8), ("new", ATS8)):
        what = f"{form}, {len(args)} arguments:"
        where, out, err = s.crash(form, *args)
        t.equal(out.splitlines()[0], "start stopped", what, err)
        t.equal(out.splitlines()[-1], "end exit 0", what, err)
        t.check("executing tracer: " in err, what, err)
        t.equal("signal 11 in thread" in err, form == "new", what, err)
        snapshot_is_right(s, t, where, what)
    where, out, err = s.crash(
        "old", *ATS8, "-t", f"{s.ptrace} --kv=version:9.2,site:a %p -O ats")
    found = snapshots(where)
    t.check(found and os.path.basename(found[0]).startswith("ats."), found)
    snapshot_is_right(s, t, where, "-O after the pid:", ("version", "9.2"))


def broken_records(s, t):
    for form in ("short", "none"):
        where, out, err = s.crash(form, *ATS8)
        t.equal(out.splitlines()[-1], "end exit 1", form, err)
        t.check("failed to read data from pipe: pipe is closed" in err, form,
                err)
        t.equal(snapshots(where), [], form)
    where, out, err = s.crash("none", *ATS8, "-n", "-t", "/bin/true")
    t.equal(out.splitlines()[-1], "end exit 0", "-n reads nothing:", err)


def chains(s, t):
    """One tracer after the other, to the first that fails."""
    note = s.script("#!/bin/sh\necho \"$@\" >>notes\nexit ${1#x}\n")
    where, out, err = s.crash("old", *ATS8, "-t", note + " x0 a",
                              "-t", note + " x3 b", "-t", note + " x0 c")
    with open(os.path.join(where, "notes"), encoding="ascii") as f:
        t.equal(f.read(), "x0 a\nx3 b\n", "tracers that ran:")
    t.equal(out.splitlines()[-1], "end exit 3", "exit status of the chain:")
    t.check("child tracer exited with code 3" in err, err)
    die = s.script("#!/bin/sh\nkill -9 $$\n")
    _, out, err = s.crash("old", *ATS8, "-t", die)
    t.equal(out.splitlines()[-1], "end exit 255", "a tracer that is killed:")
    where, out, err = s.crash("old", *ATS8, "-t", note + " x0 first", env={
        "INVOKER_TRACER": note + " x0 second"})
    with open(os.path.join(where, "notes"), encoding="ascii") as f:
        t.equal(f.read(), "x0 first\nx0 second\n", "INVOKER_TRACER:")
    sixteen = [x for i in range(16) for x in ("-t", f"{note} x0 {i}")]
    where, out, err = s.crash("old", *ATS8, *sixteen, env={
        "INVOKER_TRACER": note + " x0 late"})
    with open(os.path.join(where, "notes"), encoding="ascii") as f:
        t.equal(len(f.readlines()), 16, "no room for INVOKER_TRACER:")
    _, out, err = s.crash("old", *ATS8, *sixteen, "-t", note)
    t.equal(out, "start exit 1\n", "17 tracers:", err)
    # Known only after the crash, and before any of them runs.
    where, out, err = s.crash("old", *ATS8, "-t", note + " x0 never",
                              "-t", "/nonexistent/tracer %p")
    t.equal(out, "start stopped\nend exit 1\n", "a wrong path:", err)
    t.equal(os.listdir(where), [], "nothing ran:")


def words(s, t):
    """What becomes of a tracer's words."""
    show = s.script("#!/bin/sh\nprintf '[%s]' \"$@\" >words\n"
                    "echo $PPID >ppid\n")
    where, out, err = s.crash(
        "old", *ATS8, "-t", show + " a  'b c' %p pid=%p.tail x%dy %% %", )
    with open(os.path.join(where, "words"), encoding="ascii") as f:
        text = f.read()
    pid = text.split("[")[4].rstrip("]")
    t.check(pid.isdigit(), "%p:", text)
    t.equal(text, f"[a]['b][c'][{pid}][pid={pid}][x][][]", "words:")
    target = os.getpid()
    where, out, err = s.crash("old", *ATS8, "-p", str(target),
                              "-t", show + " %p")
    with open(os.path.join(where, "words"), encoding="ascii") as f:
        t.equal(f.read(), f"[{target}]", "--target:")


def waiting(s, t):
    """Stopped until SIGCONT; gone with the parent; never stuck."""
    where = s.bench.new_dir()
    done = run([s.server, "live", s.invoker, *ATS8], cwd=where)
    t.equal(done.stdout, "start stopped\n", "a server that ends in peace:")
    t.equal(os.listdir(where), [], "no snapshot of it:")
    left = [p for p in os.listdir("/proc") if p.isdigit() and
            _cwd(p) == where]
    t.equal(wait_for(lambda: not [p for p in left if state_of(p)]), True,
            "helpers left:")
    # A signal that comes before, while and after it falls asleep.
    stuck = 0
    for _ in range(60):
        _, out, _ = s.crash("early", *ATS8, "-t", "/bin/true")
        stuck += out.splitlines()[-1:] != ["end exit 0"]
    t.equal(stuck, 0, "helpers that slept through SIGCONT:")
    _, out, _ = s.crash("unused", "-n", "-t", "/bin/true")
    t.equal(out, "start exit 0\n", "without --wait:")


def _cwd(pid):
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""


def pid_files(s, t):
    where = s.bench.new_dir()
    path = os.path.join(where, "pid")
    command = [s.invoker, "-n", "-w", "-P", path, "-t", "/bin/true"]
    first = subprocess.Popen(command)
    wait_for(lambda: state_of(first.pid) == "T")
    with open(path, encoding="ascii") as f:
        t.equal(f.read(), str(first.pid), "pid file:")
    second = subprocess.Popen(command)
    wait_for(lambda: state_of(second.pid) == "T")
    t.equal(first.wait(_server.PATIENCE), -signal.SIGKILL, "the old invoker:")
    with open(path, encoding="ascii") as f:
        t.equal(f.read(), str(second.pid), "pid file:")
    second.send_signal(signal.SIGCONT)
    t.equal(second.wait(_server.PATIENCE), 0, "the new invoker:")
    # Another program with that id lives on.
    other = subprocess.Popen(["sleep", "100"])
    with open(path, "w", encoding="ascii") as f:
        f.write(str(other.pid))
    t.equal(run(command[:2] + command[3:]).returncode, 0, "foreign pid:")
    t.equal(other.poll(), None, "a foreign process was killed")
    other.kill()
    other.wait()
    os.unlink(path)
    os.symlink("/etc/hostname", path)
    t.equal(run(command[:2] + command[3:]).returncode, 1, "a symbolic link:")


def command_line(s, t):
    for args in (["--bogus"], ["-p", "x"], ["-p", "0"], ["-t"], ["word"],
                 ["-P", ""]):
        done = run([s.invoker, *args])
        t.equal(done.returncode, 1, args)
        t.check("Usage: invoker" in done.stderr and done.stdout == "", args,
                done.stderr)
    for args in (["-h"], ["--help"]):
        done = run([s.invoker, *args])
        t.check(done.returncode == 0 and "--no-ats-compat" in done.stdout,
                args)
    t.check(run([s.invoker, "-v"]).stdout.startswith("invoker (Inquest) "),
            "-v")


def body(bench, t):
    s = Scene(bench)
    begun = time.monotonic()
    for part in (records, broken_records, chains, words, waiting, pid_files,
                 command_line):
        part(s, t)
    print(f"{time.monotonic() - begun:.1f} s")


if __name__ == "__main__":
    sys.exit(_server._tool.main(body))
