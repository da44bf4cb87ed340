#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The independent reader agrees with our own JSON: on the samples that
test_btt_samples writes, on the golden files, and, when the programs are
there, on the snapshot of a real crash.

    read_btt.py --build DIR
    read_btt.py FILE.btt        prints the document
"""
import glob
import json
import os
import resource
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
try:
    import _btt
except ImportError as e:
    print("skipped:", e)
    sys.exit(77)

ALL = {"process", "threads", "modules", "variables", "objects", "analysis",
       "memory", "resources", "warnings"}


def read(path):
    with open(path, "rb") as f:
        return f.read()


def check(name, snapshot, ours):
    """Both documents are the same; returns the sections that were there."""
    theirs = _btt.Document(snapshot)
    found = _btt.difference(theirs.doc, json.loads(ours))
    if found:
        print("not ok", name, found)
        sys.exit(1)
    # Also as text: the order of keys does not matter, all else does.
    print("ok", name, len(snapshot), "bytes,", " ".join(theirs.names))
    return set(theirs.names)


def check_samples(build):
    program = os.path.join(build, "tests", "test_btt_samples")
    if not os.path.exists(program):
        print("no test_btt_samples")
        return set()
    seen = set()
    with tempfile.TemporaryDirectory() as out:
        subprocess.run([program], check=True, stdout=subprocess.DEVNULL,
                       env=dict(os.environ, SNAPSHOT_SAMPLES=out))
        files = sorted(glob.glob(out + "/*.btt"))
        assert files, "no samples were written"
        for path in files:
            seen |= check(os.path.basename(path), read(path),
                          read(path[:-4] + ".json"))
    assert seen == ALL, "sections without a sample: %s" % (ALL - seen)
    return seen


def check_golden(build):
    program = os.path.join(build, "ptrace")
    for path in sorted(glob.glob(HERE + "/../golden/*.btt")):
        name = os.path.basename(path)
        check(name, read(path), read(path[:-4] + ".json"))
        if os.path.exists(program):
            ours = subprocess.run([program, "-b", path, "--format=json"],
                                  check=True, stdout=subprocess.PIPE).stdout
            assert not _btt.difference(
                json.loads(ours), json.loads(read(path[:-4] + ".json"))), name


CRASH = r"""
#include <signal.h>
#include <string.h>
struct list { int n; double d; const char *text; struct list *next; };
static int walk(struct list *l, unsigned bits, char tag)
{ int sum[3] = {1, 2, l->n}; l = l->next; return l->next->n + sum[bits % 3] + tag; }
int main(void)
{ struct list a = {7, 0.5, "caf\xc3\xa9 \xff", 0}; a.next = &a; a.next = 0;
  signal(SIGALRM, SIG_DFL); return walk(&a, 5, 'x'); }
"""


def check_crash(build):
    tracer = os.path.join(build, "ptrace")
    if not os.path.exists(tracer):
        print("no ptrace")
        return
    with tempfile.TemporaryDirectory() as d:
        with open(d + "/crash.c", "w") as f:
            f.write(CRASH)
        if subprocess.run(["gcc", "-g", "-O0", "-o", d + "/crash",
                           d + "/crash.c"]).returncode:
            print("no compiler")
            return
        # gdb makes the core: core_pattern may point anywhere.
        subprocess.run(["gdb", "-q", "-batch", "-ex", "run", "-ex",
                        "generate-core-file " + d + "/core", d + "/crash"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not os.path.exists(d + "/core"):
            print("no core")
            return
        out = subprocess.run([tracer, "--core", d + "/core", "-o", d + "/s",
                              d + "/crash"], stdout=subprocess.PIPE)
        assert out.returncode == 0, out
        ours = subprocess.run([tracer, "-b", d + "/s", "--format=json"],
                              check=True, stdout=subprocess.PIPE).stdout
        check("crash", read(d + "/s"), ours)


def main():
    if len(sys.argv) == 2 and not sys.argv[1].startswith("-"):
        json.dump(_btt.document(read(sys.argv[1])), sys.stdout, indent=1)
        print()
        return
    build = sys.argv[sys.argv.index("--build") + 1]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    check_samples(build)
    check_golden(build)
    check_crash(build)


if __name__ == "__main__":
    main()
