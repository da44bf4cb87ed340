# SPDX-License-Identifier: MIT
"""Are the frames right? A time only counts for the right stack. Every frame of
every thread that the reference has must be ours, in its order; the reference is
GDB, where it can unwind, else what others agree on."""
import json
import os
import re
import subprocess

import tools
from cases import real


def by_gdb(case):
    """{tid: pcs}; inlined frames, which repeat a pc, once."""
    words = [*tools.GDB, *[x for o in case.gdb for x in ("-iex", o)],
             "-iex", "set print frame-arguments none", "-iex",
             "set backtrace past-main on", case.exe, case.core, "-ex",
             "thread apply all bt -frame-info location-and-address"]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, text=True,
                          errors="replace", stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    out, current = {}, []
    for line in done.stdout.splitlines():
        match = re.match(r"Thread \d+ \((?:Thread .*\(LWP|LWP) (\d+)\)", line)
        if match:
            current = out.setdefault(int(match.group(1)), [])
        match = re.match(r"#\d+ +0x([0-9a-f]+) in", line)
        if match and (not current or current[-1] != int(match.group(1), 16)):
            current.append(int(match.group(1), 16))
    return out


def by_lldb(case):
    """LLDB alone, for stacks that eu-stack cannot follow."""
    done = subprocess.run(
        [tools.lldb_path(), "--no-lldbinit", "--batch",
         "-o", r'settings set thread-stop-format "\nTHREAD ${thread.id}\n"',
         "-o", f"target create {case.exe} --core {case.core}",
         "-o", "thread backtrace all"], stdin=subprocess.DEVNULL, text=True,
        errors="replace", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        check=False)
    out, current, inlined = {}, [], False
    for line in done.stdout.splitlines():
        match = re.match(r"THREAD (\w+)", line)
        if match:
            current, inlined = out.setdefault(int(match.group(1), 0), []), False
        match = re.match(r"\s+[* ]? *frame #\d+: 0x([0-9a-f]+) ", line)
        if match:
            # Of a function with inlined ones, the innermost has the pc; the
            # others have the start of what they inlined.
            if not inlined:
                current.append(int(match.group(1), 16))
            inlined = "[inlined]" in line
    return out


def reference(case, where):
    """{tid: pcs}, kept beside the core."""
    path = os.path.join(where, "frames.json")
    if os.path.exists(path) and \
            os.path.getmtime(path) > os.path.getmtime(case.core):
        with open(path) as f:
            return {int(tid): pcs for tid, pcs in json.load(f).items()}
    if case.reference == "gdb":
        out = by_gdb(case)
    elif case.reference == "lldb":
        out = by_lldb(case)
    else:
        out = real.agreed(case.exe, case.core)
    real.write(path, json.dumps(out))
    return out


def wrong(case, where, build, out):
    """What is wrong with the frames of our snapshot: lines, none if all is
    well."""
    document = tools.snapshot(build, out + ".btt")
    if case.pid:  # nobody else can have seen the same moment
        short = [t["tid"] for t in document["threads"]
                 if not t["frames"] or t["frames"][-1]["symbol"] not in
                 ("_start", "clone3", "__clone3", "clone")]
        return [f"threads without a whole stack: {short[:5]}"] if short else []
    theirs = reference(case, where)
    if not theirs:
        return [f"the reference ({case.reference}) has no threads"]
    ours = {t["tid"]: t for t in document["threads"]}
    return [line for tid, pcs in theirs.items()
            for line in compare(tid, ours.get(tid), pcs)]


def compare(tid, thread, pcs):
    if thread is None:
        return [f"thread {tid}: missing"]
    have = [int(f["ip"], 16) for f in thread["frames"] if not f["inline"]]
    skipped = thread.get("frames_skipped", 0)
    if skipped:  # the middle of an endless recursion is only counted
        at = thread["frames_skipped_at"]
        if len(have) + skipped < len(pcs):
            return [f"thread {tid}: {len(have) + skipped} of {len(pcs)}"]
        lost = real.missing_from(pcs[:at // 2], have)
        lost += real.missing_from(pcs[-(len(have) - at) // 2:], have)
    else:
        lost = real.missing_from(pcs, have)
    return [f"thread {tid}: missing {len(lost)} of {len(pcs)}: "
            f"{[hex(pc) for pc in lost[:4]]}"] if lost else []
