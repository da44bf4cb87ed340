#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Real programs as the distribution ships them: vim and python3, stripped,
with libc6-dbg. Every frame of every thread that GDB has must be in the
snapshot, by pc, and no caller frame may lie outside executable memory.

    real.py --build DIR [--keep DIR]

A program that is not installed is skipped; with none installed the test is.
"""
import argparse
import os
import pty
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import run  # noqa: E402

PYTHON = """
import threading, time, ctypes
def deep(n, wait):
    if n:
        return deep(n - 1, wait)
    wait.wait()
    return sorted([3, 1, 2], key=lambda x: time.sleep(1000))
wait = threading.Event()
for i in range(4):
    threading.Thread(target=deep, args=(i * 5, wait), daemon=True).start()
print("ready", flush=True)
deep(3, wait)
"""


def vim(where):
    path = shutil.which("vim.basic") or shutil.which("vim")
    if path is None:
        return None
    text = os.path.join(where, "text")
    with open(text, "w") as f:
        f.write("a few words\n" * 50)
    main, child = pty.openpty()
    process = subprocess.Popen(
        [path, "-N", "-u", "NONE", "-i", "NONE", "-n", text], stdin=child,
        stdout=child, stderr=child, env=dict(os.environ, TERM="vt100"),
        start_new_session=True)
    os.read(main, 100)
    return process


def python(where):
    path = "/usr/bin/python3"
    if not os.path.exists(path):
        return None
    script = os.path.join(where, "script.py")
    with open(script, "w") as f:
        f.write(PYTHON)
    process = subprocess.Popen([path, script], stdout=subprocess.PIPE)
    process.stdout.readline()
    return process


def settle(pid):
    """Waits until the process sleeps: its state is then a fixed one."""
    for _ in range(200):
        with open(f"/proc/{pid}/stat") as f:
            if f.read().rpartition(")")[2].split()[0] == "S":
                return
        time.sleep(0.02)


def gcore(pid, where):
    subprocess.run(["gcore", "-o", os.path.join(where, "core"), str(pid)],
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, check=False, timeout=120)
    return os.path.join(where, f"core.{pid}")


def executable(document, ip):
    return any(int(m["start"], 16) <= ip < int(m["end"], 16) and
               "x" in m["perms"] for m in document["mappings"])


def check(name, document, reference):
    bad = frames = 0
    ours = {t["tid"]: t for t in document["threads"]}
    for theirs in reference["threads"]:
        mine = ours.get(theirs["tid"])
        have = [int(f["ip"], 16) for f in mine["frames"]
                if not f["inline"] and f["trust"] != "tailcall"] if mine else []
        want = [f["pc"] for f in theirs["frames"]
                if f["kind"] in ("normal", "signal", "arch")]
        frames += len(want)
        missing = [pc for pc in want if pc not in have]
        stray = [ip for ip in have[1:] if not executable(document, ip)]
        if missing or stray:
            bad += 1
            print(f"{name} thread {theirs['tid']}: missing "
                  f"{[hex(pc) for pc in missing]}, not executable "
                  f"{[hex(ip) for ip in stray]}")
            print("  ours", [hex(ip) for ip in have])
            print("  gdb ", [hex(pc) for pc in want])
    print(f"{name}: {len(reference['threads'])} threads, {frames} frames, "
          f"{bad} threads wrong")
    return bad == 0 and frames > 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--keep", help="keep the cores here")
    args = parser.parse_args()
    good, tried = True, 0
    for start in (vim, python):
        with tempfile.TemporaryDirectory() as scratch:
            where = os.path.join(args.keep, start.__name__) \
                if args.keep else scratch
            os.makedirs(where, exist_ok=True)
            process = start(where)
            if process is None:
                print(f"{start.__name__}: not installed, skipped")
                continue
            tried += 1
            try:
                settle(process.pid)
                exe = os.path.realpath(f"/proc/{process.pid}/exe")
                core = gcore(process.pid, where)
            finally:
                process.kill()
                process.wait()
            theirs = run.reference(exe, core, os.path.join(where, "gdb.json"))
            ours = run.snapshot(args.build, exe, core)
            good = check(start.__name__, ours, theirs) and good
    if tried == 0:
        return 77
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
