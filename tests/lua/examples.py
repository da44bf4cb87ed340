#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The examples of lua/examples, each on the program it is for."""
import json
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "modules"))
import _modules  # noqa: E402
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "live"))
import _live  # noqa: E402


EXAMPLES = os.path.join(_modules.ROOT, "lua", "examples")


def copy_of(modules, name):
    """In a directory that only we can write to, as modules have to be."""
    path = os.path.join(modules.dir, os.path.basename(name))
    shutil.copy(os.path.join(EXAMPLES, name), path)
    os.chmod(path, 0o700)
    return path


def modules_of(bench, program, *flags):
    return _modules.Modules(
        bench, os.path.join(HERE, "programs", program), ("-g", "-O0") + flags)


def check_arrays(bench, t):
    modules = modules_of(bench, "arrays.c")
    done, snapshot = modules.run("--module-load",
                                 copy_of(modules, "arrays.lua"))
    if not t.check(snapshot is not None, done.stderr):
        return
    t.equal(_modules.warnings_of(snapshot), "", done.stderr)
    for i in range(10):
        t.check(f"node {i + 1} of struct(node) *: {i * i}\n" in done.stderr, i,
                done.stderr)
    found = 0
    for frame in snapshot["threads"][0]["frames"][:2]:
        for v in frame["variables"]:
            if v["kind"] == "struct" and v["name"].startswith("papa"):
                found += 1
                kids = v["members"][-1]
                t.equal(kids["name"], "kids (all)")
                t.equal([k["string"] for k in kids["elements"]],
                        [f"a={i} b={i / 2:g} c=99" for i in range(10)])
    t.equal(found, 2, "papa and its copy")


def texts_in(value):
    """All text of a document."""
    if isinstance(value, dict):
        for v in value.values():
            yield from texts_in(v)
    elif isinstance(value, list):
        for v in value:
            yield from texts_in(v)
    else:
        yield str(value)


def secrets_in(document):
    return sorted({x for x in texts_in(document)
                   if "hunter2" in x or x in ("271828", "314159")})


def check_scrub(bench, t):
    modules = modules_of(bench, "scrub.c")
    path = copy_of(modules, "scrub.lua")
    # By itself: without what ptrace does of that kind.
    show = ["--global=account", "--no-scrub"]
    _, open_ = modules.run(*show)
    t.equal(secrets_in(open_), ["271828", "314159", "hunter2-argument",
                                "hunter2-behind-pointer", "hunter2-in-array",
                                "hunter2-in-struct"])
    done, snapshot = modules.run(*show, "--module-load", path)
    t.equal(_modules.warnings_of(snapshot), "", done.stderr)
    t.equal(secrets_in(snapshot), [])
    t.check("alice" in set(texts_in(snapshot)), "what is no secret stays")
    removed = [x for x in texts_in(snapshot) if x == "(removed)"]
    t.check(len(removed) >= 10, len(removed))
    # Beside it: the module has the last word, and nothing comes back.
    _, both = modules.run(show[0], "--module-load", path)
    t.equal(secrets_in(both), [])
    t.check("(removed)" in json.dumps(both), "the module's word")
    _, snapshot = modules.run(*show, "--module-load", path,
                              "--module=scrub:names,user+pin")
    t.check("alice" not in set(texts_in(snapshot)))
    t.equal(secrets_in(snapshot), ["314159", "hunter2-argument",
                                   "hunter2-behind-pointer",
                                   "hunter2-in-array", "hunter2-in-struct"])


class Dumper:
    """lua/examples/asterisk/ast_coredumper and its module."""

    def __init__(self, bench, modules):
        self.bench, self.modules = bench, modules
        copy_of(modules, "asterisk/asterisk.lua")
        self.script = copy_of(modules, "asterisk/ast_coredumper")

    def run(self, *arguments, **environment):
        env = dict(os.environ, HOME=self.modules.dir,
                   PTRACE=os.path.join(self.bench.build, "ptrace"),
                   BT=os.path.join(self.bench.build, "bt"), **environment)
        env.setdefault("ASAN_OPTIONS", "detect_leaks=0")
        return subprocess.run([self.script, *arguments], env=env, text=True,
                              stdin=subprocess.DEVNULL, cwd=self.modules.dir,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=_modules.crash.TIMEOUT, check=False)

    def take(self, out, *arguments):
        """(finished, suffix -> text)"""
        done = self.run(f"--outputdir={out}", "--no-rename",
                        f"--asterisk-bin={self.modules.exe}", *arguments)
        files = {}
        for name in os.listdir(out):
            if name.endswith(".txt"):
                with open(os.path.join(out, name)) as f:
                    files[name.rpartition("-")[2][:-4]] = f.read()
        return done, files


LOCKS = """\
pbx_thread pbx.c 100 serve holding &lock_a | 0x | M | 1 | 0 | 1
pbx_thread pbx.c 101 serve waiting &lock_b | 0x | M | 1 | 0 | 1
held at: channel.c:7 hangup() by monitor
monitor pbx.c 7 hangup holding &lock_b | 0x | M | 1 | 0 | 1
monitor pbx.c 8 hangup holding list | 0x | RD | 3 | 0 | -
monitor pbx.c 9 hangup failed tried | 0x | WR | 1 | 0 | -"""
INFO = """\
Asterisk 20.0.0-stand-in built by builder @ forge on a x86_64 running Linux \
on 2024-01-02 03:04:05 UTC
System started: 2023-11-14 22:13:20 UTC
Last reload: 2023-11-14 23:13:20 UTC
Build options = DEBUG_THREADS, OPTIONAL_API
TaskProcessors (4):
Processor Processed In Queue Max Depth Low water High water
app_voicemail 1001 1 10 450 500
core_event 1003 3 30 450 500
subm:cdr_engine 1002 2 20 450 500
subp:PJSIP 1000 0 0 450 500
Bridges (3):
Bridge-ID Chans Type Technology Created
b-1 1 basic simple_bridge 2023-11-15 00:13:20 UTC
b-2 0 basic simple_bridge 2023-11-15 00:13:20 UTC
b-3 2 basic simple_bridge 2023-11-15 00:13:20 UTC
Channels (2):
Channel Context Extension Prio State Application Data Created
PJSIP/alice-1 default 100 1 6 Dial PJSIP/bob,30 2023-11-15 00:13:20 UTC
PJSIP/bob-2 default 101 2 6 2023-11-15 00:13:20 UTC
2 active channels
2 active calls
17 calls processed"""


def squeezed(text):
    """Columns one blank apart, addresses without their digits."""
    return re.sub(r"0x[0-9a-f]+", "0x", re.sub(" +", " ", text)).replace(
        "\n ", "\n").strip()


def check_files(t, done, files, verdict):
    t.equal(done.returncode, 0, done.stderr)
    t.equal(set(files), {"thread1", "brief", "full", "locks", "info"})
    for name, text in files.items():
        t.check("[asterisk]" not in text, name)
        t.check(verdict in text, name)
    t.check(squeezed(files["info"]).endswith(INFO), files["info"])
    t.check(squeezed(files["locks"]).endswith(LOCKS), files["locks"])


def check_cores(bench, t, dumper):
    modules = dumper.modules
    out = bench.new_dir()
    done, files = dumper.take(out, modules.core)
    check_files(t, done, files, "SIGSEGV")
    for name in ("thread1", "brief", "full"):
        t.check("pbx main" in files[name], name)
    t.check(" how = " in files["thread1"] and " how = " in files["full"])
    t.check("(argc = 1" in files["brief"])
    t.check(" how = " not in files["brief"])
    base = os.path.join(out, os.path.basename(modules.core))
    for name in os.listdir(out):
        t.equal(os.stat(os.path.join(out, name)).st_mode & 0o777, 0o600, name)
        t.check(f"Creating {os.path.join(out, name)}\n" in done.stdout or
                name.endswith(".btt"), name)
    t.check(os.path.exists(base + ".btt"))
    done = dumper.run(f"--outputdir={out}", "--dry-run", modules.core)
    t.equal(done.stdout, f"Processing {modules.core}\n")
    # A copy, since it is to be deleted.
    victim = os.path.join(out, "core-a:b")
    shutil.copy(modules.core, victim)
    done = dumper.run(f"--outputdir={out}", "--no-rename",
                      f"--asterisk-bin={modules.exe}", "--tarball-coredumps",
                      "--tarball-results", "--delete-coredumps-after",
                      "--delete-results-after", victim)
    t.equal(done.returncode, 0, done.stderr)
    t.check(not os.path.exists(victim), "the core is deleted")
    left = sorted(n for n in os.listdir(out) if n.startswith("core-a"))
    t.equal(left, ["core-a-b.results.tar.gz", "core-a-b.tar.gz"])
    inside = subprocess.run(
        ["tar", "-tzf", os.path.join(out, "core-a-b.tar.gz")], text=True,
        stdout=subprocess.PIPE, check=True).stdout
    for name in ("core-a:b", "core-a-b-full.txt", "core-a-b.btt", "pbx"):
        t.check(f"/{name}\n" in inside, name, inside)


def check_statuses(bench, t, dumper):
    out = bench.new_dir()
    cases = [(20, ["--outputdir=/no/such/directory"]), (2, ["--nonsense"]),
             (2, [f"--outputdir={out}", "/no/such/core"]),
             (22, [f"--outputdir={out}", "--pid=999999999"]),
             (125, [f"--outputdir={out}", f"--pid={os.getpid()}"]),
             (125, [f"--outputdir={out}", dumper.script])]
    for status, arguments in cases:
        done = dumper.run(*arguments)
        t.equal(done.returncode, status, arguments, done.stderr)
        t.check(done.stderr.startswith(("ast_coredumper: ", "ptrace: ")),
                arguments, done.stderr)
    # Nobody said yes.
    t.equal(os.listdir(out), [])
    t.equal(dumper.run("--help").returncode, 0)
    # A configuration that anybody could have written is not run.
    path = os.path.join(dumper.modules.dir, "ast_debug_tools.conf")
    with open(path, "w") as f:
        f.write("OUTPUTDIR=/no/such/place\n")
    os.chmod(path, 0o666)
    done = dumper.run("--dry-run", dumper.modules.core)
    t.equal(done.returncode, 0, done.stderr)
    t.check("is ignored" in done.stderr, done.stderr)
    os.chmod(path, 0o600)
    t.equal(dumper.run("--dry-run", dumper.modules.core).returncode, 20)
    os.unlink(path)


def check_running(bench, t, dumper):
    process = subprocess.Popen([dumper.modules.exe, "run"],
                               stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, text=True)
    try:
        process.stdout.readline()
        _live.wait_asleep(process.pid)
        out = bench.new_dir()
        done, files = dumper.take(out, "--RUNNING", f"--pid={process.pid}")
        check_files(t, done, files, "pbx")
        t.equal(process.poll(), None, "it runs on")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


EARLY = {
    "no-locks": [],
    "cyclic": ["TaskProcessors end early, at a node that was there before",
               "Bridges end early, at a node that was there before",
               "the table ends early, at a node that was there before"],
    "absurd": ["TaskProcessors end early, at 2147483647 buckets, which "
               "cannot be", "the table ends early, at 4000000000 locks of a "
               "thread, which cannot be"],
    "freed": ["TaskProcessors end early, at an object that cannot be read",
              "Bridges end early, at memory that cannot be read",
              "Channels end early, at memory that cannot be read",
              "the table ends early, at memory that cannot be read"],
}


def check_damaged(bench, t, dumper):
    for how, want in EARLY.items():
        core = _modules.crash.core(dumper.modules.exe, bench.new_dir(),
                                   args=[how])
        done, files = dumper.take(bench.new_dir(), core)
        t.equal(done.returncode, 0, how, done.stderr)
        early = [line.strip() for name in ("info", "locks")
                 for line in files[name].splitlines() if " early, " in line]
        t.equal(early, want, how)
        t.check("17 calls processed" in files["info"], how)
        t.equal("Lock name" in files["locks"], how != "no-locks", how)


def check_asterisk(bench, t):
    dumper = Dumper(bench, modules_of(bench, "pbx.c", "-pthread"))
    check_cores(bench, t, dumper)
    check_statuses(bench, t, dumper)
    check_running(bench, t, dumper)
    check_damaged(bench, t, dumper)
    # The module has nothing to say of other programs.
    other = modules_of(bench, "scrub.c")
    done, snapshot = other.run("--module-load",
                               copy_of(other, "asterisk/asterisk.lua"))
    t.equal(_modules.warnings_of(snapshot), "", done.stderr)
    t.equal(snapshot["annotations"], [])


def body(bench, t):
    check_arrays(bench, t)
    check_scrub(bench, t)
    check_asterisk(bench, t)
    names = os.listdir(EXAMPLES)
    t.equal(sorted(names), ["arrays.lua", "asterisk", "scrub.lua"],
            "examples without a test:")


if __name__ == "__main__":
    sys.exit(_modules.main(body))
