#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A child's heap is several mappings in a row: all of it is walked, and nothing
of it is damage (servers that fork, and then work)."""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

import _heap
from checks import Checks


def document(build, *args):
    done = subprocess.run([os.path.join(build, "bt"), "--json", *args],
                          stdout=subprocess.PIPE, timeout=120, check=True)
    return json.loads(done.stdout)


def judge(t, d, what):
    t.equal([f["class"] for f in d["findings"]], [], what)
    t.equal([c for c in d["classifiers"] if c.startswith("heap")], [], what)
    if t.equal(len(d["heap"]), 1, what, "heaps:", d["warnings"]):
        heap = d["heap"][0]
        t.equal(heap["anomalies"], [], what)
        t.check(heap["complete"], what, "is not complete")
        # As many as the program has at its end.
        t.check(heap["allocated"]["blocks"] >= 2000, what, heap["allocated"])


def core_of(pid, where):
    base = os.path.join(where, "core")
    subprocess.run(["gcore", "-o", base, pid], check=True, timeout=120,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return f"{base}.{pid}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    args = parser.parse_args()
    if shutil.which("gcore") is None:
        print("skipped: no gcore")
        return 77
    t = Checks()
    with tempfile.TemporaryDirectory(prefix="heap.") as where:
        exe = _heap.build("ptmalloc", where, "forked.c",
                          ("-g", "-O1", "-pthread"))
        for mode in ([], ["arena"]):
            parent = subprocess.Popen([exe, *mode], text=True,
                                      stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE)
            child = parent.stdout.readline().strip()
            try:
                judge(t, document(args.build, "--core", core_of(child, where),
                                  exe), mode)
                if not mode:
                    judge(t, document(args.build, "--fork", child), "live")
            finally:
                parent.kill()
                parent.wait()
    return t.end()


if __name__ == "__main__":
    sys.exit(main())
