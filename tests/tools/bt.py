#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bt: the same stacks from a core and from its snapshot, the frame format of
the contract, colours only where they belong."""
import json
import os
import pty
import re
import subprocess
import sys

import _tool

FRAME = re.compile(r"^\[ *(\d+)\] (\S+) (.+?)(?: \((\S+):(\d+)\))?(?: \[.*\])?$")


def stacks(text):
    """The frames of each thread block, as (index, object, symbol)."""
    blocks = []
    for line in text.splitlines():
        found = FRAME.match(line)
        if found is None:
            continue
        if found[1] == "0":
            blocks.append([])
        blocks[-1].append(found.groups())
    return blocks


def core_and_snapshot(bench, t):
    where = bench.new_dir()
    path = os.path.join(where, "x.btt")
    done = bench.run("ptrace", "-o", path, "--core", bench.core, bench.exe)
    t.equal(done.returncode, 0, done.stderr)
    for args in ([], ["--no-variables"]):
        live = bench.run("bt", *args, "--core", bench.core, bench.exe)
        kept = bench.run("bt", *args, path)
        t.equal((live.returncode, live.stderr), (0, ""), args)
        t.equal((kept.returncode, kept.stderr), (0, ""), args)
        a, b = stacks(live.stdout), stacks(kept.stdout)
        t.check(a and a[0], "no frames:", live.stdout)
        t.equal(a, b, args, "core and snapshot:")
        t.equal("\n     " in live.stdout, not args, "variables with", args)
    t.check(any("main" == f[2] for s in stacks(live.stdout) for f in s),
            "no main:", live.stdout)
    t.equal(stacks(live.stdout)[0][0][3] is None, False,
            "source line of the faulting frame")
    again = bench.run("bt", path, "reason")
    t.equal(again.returncode, 0, "a second operand:", again.stderr)


def documents(bench, t):
    done = bench.run("bt", "--json", "--core", bench.core, bench.exe)
    d = json.loads(done.stdout)
    t.check(any(f.get("variables") for f in d["threads"][0]["frames"]),
            "--json has no variables")
    done = bench.run("bt", "--json", "--no-variables", "--core", bench.core)
    d = json.loads(done.stdout)
    t.check(all(not f.get("variables") for f in d["threads"][0]["frames"]),
            "--no-variables has variables")
    t.equal(len(d["threads"]), 4, "threads:")
    t.equal(d["threads"][0]["fault"], True, "faulted first:")
    t.check(all(m["path"] for m in d["modules"]) and d["modules"], "modules")


def on_terminal(bench, args, env):
    """Output of bt when its standard output is a terminal."""
    master, slave = pty.openpty()
    with subprocess.Popen(
            [os.path.join(bench.build, "bt"), *args, "--core", bench.core],
            stdin=subprocess.DEVNULL, stdout=slave, stderr=slave,
            env=dict(os.environ, TERM="xterm", **env)) as process:
        os.close(slave)
        out = b""
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:  # EIO: the other side is closed
                break
            if not part:
                break
            out += part
        process.wait(_tool.TIMEOUT)
    os.close(master)
    return out


def colours(bench, t):
    for args, env, wanted in (
            ([], {}, True), (["--color=never"], {}, False),
            ([], {"NO_COLOR": "1"}, False), ([], {"NO_COLOR": ""}, True),
            (["--color", "always"], {"NO_COLOR": "1"}, True)):
        out = on_terminal(bench, args, env)
        t.equal(b"\033[" in out, wanted, "colours on a terminal", args, env)
    for args, wanted in (([], False), (["--color=auto"], False),
                         (["--color=always"], True)):
        done = bench.run("bt", *args, "--core", bench.core)
        t.equal("\033[" in done.stdout, wanted, "colours in a pipe", args)
    done = bench.run("bt", "--color=red", "--core", bench.core)
    t.equal(done.returncode, 1, "--color=red")


def refusals(bench, t):
    for args in (["/nonexistent.btt"], [bench.core], ["/dev/null"],
                 [bench.exe]):
        done = bench.run("bt", *args)
        t.equal((done.returncode, done.stdout), (2, ""), args)
        t.equal(done.stderr.count("\n"), 1, args, done.stderr)
        t.check(args[0] in done.stderr, args, done.stderr)
    done = bench.run("bt", bench.core)
    t.check("--core" in done.stderr, "a core without --core:", done.stderr)


def body(bench, t):
    for test in (core_and_snapshot, documents, colours, refusals):
        test(bench, t)


if __name__ == "__main__":
    sys.exit(_tool.main(body))
