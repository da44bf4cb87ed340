#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A long walk over a heap shows on a terminal how far it has come, and nowhere
else."""
import argparse
import os
import pty
import re
import subprocess
import sys
import tempfile
import threading
import time

import _heap
from _heap import crash
from checks import Checks

BLOCKS = 25000  # a tenth of a millisecond each, at least


def read_all(fd, out):
    while True:
        try:
            data = os.read(fd, 65536)
        except OSError:  # the other end is closed
            return
        if not data:
            return
        out.append(data)


def on_terminal(command):
    """What the command says to a terminal."""
    ours, theirs = pty.openpty()
    said = []
    reader = threading.Thread(target=read_all, args=(ours, said))
    reader.start()
    done = subprocess.run(command, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=theirs,
                          env=dict(os.environ, TERM="xterm"), timeout=300,
                          check=False)
    os.close(theirs)
    reader.join()
    os.close(ours)
    return done.returncode, b"".join(said).decode(errors="replace")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    args = parser.parse_args()
    t = Checks()
    with tempfile.TemporaryDirectory(prefix="heap.") as where:
        exe = _heap.build("ptmalloc", where, "many.c")
        module = _heap.build_module(where, "slow.c")
        core = crash.core(exe, where, [str(BLOCKS), "40"])
        command = [os.path.join(args.build, "ptrace"), "--core", core, exe,
                   "-o", os.path.join(where, "out.btt"), "--overwrite",
                   f"--module-load={module}", "--module-timeout=200"]
        begun = time.monotonic()
        status, said = on_terminal(command)
        seconds = time.monotonic() - begun
        t.equal(status, 0, said)
        shown = re.findall(r"\rptrace: analysis, (\d+) heap blocks, (\d+) %, "
                           r"\d+ s", said)
        t.check(shown, said)
        counts = [int(blocks) for blocks, _ in shown]
        t.equal(counts, sorted(counts))
        t.check(all(4096 <= n <= BLOCKS + 1000 for n in counts), counts)
        t.check(all(int(percent) <= 100 for _, percent in shown), shown)
        # A few lines a second, not one for each report.
        t.check(len(shown) <= 20 * (seconds + 1), len(shown), seconds)
        # The line does not stay.
        t.check(said.endswith("\r\x1b[K"), said[-200:])
        done = subprocess.run(command, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=300, check=True)
        t.equal(done.stderr, "")
    return t.end()


if __name__ == "__main__":
    sys.exit(main())
