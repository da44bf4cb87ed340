#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A core that is larger than there is room for keeps its notes, its stacks and
what they point to, and the snapshot says that it is partial."""
import os
import struct
import subprocess
import sys
import time

import _server
from _server import crash
from _spool import Spool


def judge(bench, t, s, what):
    entry = s.listed()
    if not t.equal(len(entry), 1, what, "objects:"):
        return
    entry = entry[0]
    t.equal(entry["cut"], "no room", what)
    t.check(entry["size"] <= 3 << 20, what, "size:", entry["size"])
    s.once()
    if not t.equal(s.names("sending"), [entry["id"]], what, s.text()):
        return
    d = _server.document(bench, os.path.join(s.path, "sending", entry["id"]))
    if not t.check(d is not None, what, "cannot be read"):
        return
    t.equal((d["partial"], d["attributes"].get("snapshot.partial")),
            (True, True), what, "partial:")
    t.equal(d["attributes"].get("coresnap.cut"), "no room", what)
    names = [[f["symbol"] for f in x["frames"]] for x in d["threads"]]
    t.equal(len(names), 2, what, "threads:")
    t.check(any("ship" in x and "main" in x for x in names) and
            any("idle" in x for x in names), what, names)
    text = bench.run("bt", os.path.join(s.path, "sending",
                                        entry["id"])).stdout
    t.check("4711" in text and "Ada Lovelace" in text, what,
            "what the stack points to is lost:", text)


def body(bench, t):
    exe = _server.program(bench, "big")
    core = crash.core(exe, bench.dir, ["crash"])
    with open(core, "rb") as f:
        head = f.read(64 + 56)
    # GDB writes the notes at the end, the kernel first.
    if struct.unpack_from("<Q", head, 64 + 8)[0] > 1 << 20:
        raise crash.CrashError("no core in the order of the kernel's")
    # From a file, whose stacks can be read before the rest.
    s = Spool(bench, "dump.max = 3M")
    done = s.coresnap("import", core)
    t.equal(done.returncode, 0, done.stderr)
    judge(bench, t, s, "file:")
    # GDB writes the notes behind the memory.
    process = subprocess.Popen([exe, "await"], stdout=subprocess.PIPE)
    process.stdout.readline()
    last = os.path.join(bench.dir, "notes-last")
    subprocess.run(["gcore", "-o", last, str(process.pid)], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    last += f".{process.pid}"
    process.kill()
    process.wait()
    with open(last, "rb") as f:
        t.check(struct.unpack_from("<Q", f.read(120), 72)[0] > 3 << 20,
                "gcore's notes are at the beginning")
    s = Spool(bench, "dump.max = 3M")
    done = s.coresnap("import", last)
    t.equal(done.returncode, 0, done.stderr)
    judge(bench, t, s, "notes last:")
    # From a pipe, with the process still there.
    process = subprocess.Popen([exe, "await"], stdout=subprocess.PIPE)
    process.stdout.readline()
    s = Spool(bench, "dump.max = 3M")
    cat = subprocess.Popen(["cat", core], stdout=subprocess.PIPE)
    done = s.archive(cat.stdout, pid=process.pid, comm="big", exe=exe,
                     when=int(time.time()) + 1)
    cat.stdout.close()
    cat.wait()
    t.equal(done.returncode, 0, done.stderr)
    judge(bench, t, s, "pipe:")
    process.kill()
    process.wait()
    # Room enough: nothing is touched.
    s = Spool(bench)
    s.coresnap("import", core)
    with open(core, "rb") as a, \
            open(os.path.join(s.path, "pending", s.names("pending")[0]),
                 "rb") as b:
        t.check(a.read() == b.read(), "a core that fits is not the same")


if __name__ == "__main__":
    sys.exit(_server._tool.main(body))
