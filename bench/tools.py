# SPDX-License-Identifier: MIT
"""The programs that are compared: their command lines, and how the threads,
frames and variables in what they print are counted."""
import functools
import json
import os
import re
import shutil
import subprocess

GDB = ["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off",
       "-iex", "set auto-load off", "-iex", "set width 0",
       "-iex", "set pagination off"]


class Tool:
    """args(case, out): the command line without the program's path."""

    def __init__(self, name, program, args, count, ours=False, cache=False):
        self.name = name
        self.program = program
        self.args = args
        self.count = count  # path of the output -> {"threads": n, ...}
        self.ours = ours
        self.cache = cache  # keeps something from one run to the next

    def words(self, case, out):
        return [self.program, *self.args(case, out)]


def lldb_path():
    """The newest that is installed."""
    found = [shutil.which(f"lldb-{n}") for n in range(40, 13, -1)]
    return next(filter(None, found), None) or shutil.which("lldb")


def lines_of(path):
    with open(path, "rb") as f:
        for line in f:
            yield line


def counted(thread, frame):
    """Counts lines that begin a thread and a frame."""
    def count(path):
        threads = frames = 0
        for line in lines_of(path):
            threads += thread.match(line) is not None
            frames += frame.match(line) is not None
        return {"threads": threads, "frames": frames}
    return count


by_gdb = counted(re.compile(rb"Thread \d+ \("), re.compile(rb"#\d+ "))
by_lldb = counted(re.compile(rb"[* ] thread #\d+"),
                  re.compile(rb"\s+[* ]? ?frame #\d+:"))
by_eu_stack = counted(re.compile(rb"TID \d+:"), re.compile(rb"#\d+ "))


def gdb_variables(path):
    """Of `bt full`: locals are indented, one a line; parameters stand in the
    frames' lines."""
    local = re.compile(rb"        [A-Za-z_]\w* = ")
    out = by_gdb(path)
    out["variables"] = sum(local.match(line) is not None
                           for line in lines_of(path))
    return out


def by_snapshot(build):
    def count(path):
        document = snapshot(build, path + ".btt")
        threads = document["threads"]
        skipped = sum(t.get("frames_skipped", 0) for t in threads)
        return {"threads": len(threads),
                "frames": sum(len(t["frames"]) for t in threads) + skipped,
                "variables": sum(len(f.get("variables", []))
                                 for t in threads for f in t["frames"]),
                "size": os.path.getsize(path + ".btt")}
    return count


by_bt = counted(re.compile(rb"Thread \d+"), re.compile(rb"\[\s*\d+\] "))


@functools.lru_cache(maxsize=1)
def snapshot(build, path):
    done = subprocess.run([os.path.join(build, "ptrace"), "-b", path,
                           "--format=json"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def all_tools(build):
    """Those that are installed, ours first."""
    def process(case):
        return [str(case.pid)] if case.pid else ["--core", case.core, case.exe]

    def cache(out):
        return ["--cache", os.path.join(os.path.dirname(out), "cache")]

    def gdb(*commands):
        def args(case, _):
            what = ["-p", str(case.pid)] if case.pid else [case.exe, case.core]
            options = [x for o in case.gdb for x in ("-iex", o)]
            return [*GDB[1:], *options,
                    *[x for c in commands for x in ("-ex", c)], *what]
        return args

    def lldb(case, _):
        target = f"process attach -p {case.pid}" if case.pid else \
            f"target create {case.exe} --core {case.core}"
        return ["--no-lldbinit", "--batch", "-o", target,
                "-o", "thread backtrace all"]

    def eu_stack(*more):
        def args(case, _):
            what = ["-p", str(case.pid)] if case.pid else \
                [f"--core={case.core}", "-e", case.exe]
            return ["-n", "0", *more, *case.eu_stack, *what]
        return args

    tools = [
        Tool("ptrace", os.path.join(build, "ptrace"),
             lambda case, out: ["-o", out + ".btt", "--overwrite",
                                *case.ours, *process(case)],
             by_snapshot(build), ours=True),
        Tool("bt", os.path.join(build, "bt"),
             lambda case, _: [*case.ours, *process(case)], by_bt, ours=True),
        Tool("bt --no-variables", os.path.join(build, "bt"),
             lambda case, _: ["--no-variables", *case.ours, *process(case)],
             by_bt, ours=True),
        Tool("ptrace --cache", os.path.join(build, "ptrace"),
             lambda case, out: ["-o", out + ".btt", "--overwrite",
                                *cache(out), *case.ours, *process(case)],
             by_snapshot(build), ours=True, cache=True),
        Tool("bt --no-variables --cache", os.path.join(build, "bt"),
             lambda case, out: ["--no-variables", *cache(out), *case.ours,
                                *process(case)],
             by_bt, ours=True, cache=True),
        Tool("gdb bt", "gdb", gdb("thread apply all bt"), by_gdb),
        Tool("gdb bt, no arguments", "gdb",
             gdb("set print frame-arguments none", "thread apply all bt"),
             by_gdb),
        Tool("gdb bt full", "gdb", gdb("thread apply all bt full"),
             gdb_variables),
        Tool("lldb", lldb_path() or "lldb", lldb, by_lldb),
        Tool("eu-stack", "eu-stack", eu_stack(), by_eu_stack),
        Tool("eu-stack -i", "eu-stack", eu_stack("-i"), by_eu_stack)]
    return [t for t in tools if shutil.which(t.program)]


def versions(tools):
    """{program: its version line}"""
    out = {}
    for program in sorted({t.program for t in tools}):
        done = subprocess.run([program, "--version"], text=True, check=False,
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
        out[os.path.basename(program)] = (done.stdout.splitlines()
                                          or ["unknown"])[0]
    return out
