#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A process with another root: its files are found where they are seen from
here, by name also after it has gone; what is not seen from here is not guessed.
For root, who may make mount namespaces."""
import os
import shutil
import subprocess
import sys

import _server
from _spool import Spool

# A root of its own, as containers get one; $1: the directory, or "tmpfs" for one
# that nobody else sees; $2: the program; the rest: its arguments.
CONTAINER = """
set -e
dir=$1 exe=$2
shift 2
if [ "$dir" = tmpfs ]; then
	mount -t tmpfs disk /mnt
	dir=/mnt
else
	mount --bind "$dir" "$dir"
fi
mkdir -p "$dir/old"
[ -e "$dir/victim" ] || cp "$exe" "$dir/victim"
cd "$dir"
pivot_root . old
exec ./victim "$@"
"""


class Contained:
    """The program in its container, and a core of it."""

    def __init__(self, bench, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE,
                                        text=True)
        said = self.process.stdout.readline()
        self.core = None
        if said == "ready\n":
            core = os.path.join(bench.dir, "contained")
            subprocess.run(["gcore", "-o", core, str(self.process.pid)],
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=True)
            self.core = f"{core}.{self.process.pid}"

    def end(self):
        self.process.kill()
        self.process.wait()


def snapshot(bench, t, command, what):
    """(document, the words of the call of ptrace) after the end of it all."""
    contained = Contained(bench, command)
    s = Spool(bench)
    if not t.check(contained.core, what, "does not start"):
        contained.end()
        return None, ""
    done = s.archive(contained.core, pid=contained.process.pid, comm="victim")
    contained.end()
    t.equal(done.returncode, 0, what, done.stderr)
    t.equal(s.once(), 0, what, s.text())
    sent = s.names("sending")
    if not t.equal(len(sent), 1, what, s.text()):
        return None, s.text()
    return _server.document(bench, os.path.join(s.path, "sending", sent[0])), \
        s.text()


def stack(d):
    return [(f["symbol"], f.get("line")) for f in d["threads"][0]["frames"]]


def body(bench, t):
    exe = _server.program(bench, "big", ("-g", "-O0", "-static"))
    unshare = ["unshare", "-m", "sh", "-c", CONTAINER, "container"]
    # A directory of ours, with a blank in its name.
    root = os.path.join(bench.dir, "a root")
    os.mkdir(root)
    d, words = snapshot(bench, t, [*unshare, root, exe, "await"], "directory:")
    if d:
        t.check(f"--sysroot={root}" in words, words)
        names = [name for name, line in stack(d) if line]
        t.check("ship" in names and "main" in names, stack(d))
    # chroot alone.
    d, words = snapshot(bench, t, ["chroot", root, "/victim", "await"],
                        "chroot:")
    if d:
        t.check(f"--sysroot={root}" in words, words)
        t.check("ship" in [name for name, _ in stack(d)], stack(d))
    # Another program under its name: the core says that it is not it.
    shutil.copy("/bin/true", os.path.join(root, "victim.new"))
    contained = Contained(bench, [*unshare, root, exe, "await"])
    os.rename(os.path.join(root, "victim.new"), os.path.join(root, "victim"))
    s = Spool(bench)
    s.archive(contained.core, pid=contained.process.pid, comm="victim")
    contained.end()
    s.once()
    d = _server.document(bench, os.path.join(s.path, "sending",
                                             s.names("sending")[0]))
    t.check(d["threads"], "threads")
    t.check("ship" not in [n for n, _ in stack(d)], "a name from nowhere")
    t.check("another file" in str(d["warnings"]) or
            "build-id" in str(d["warnings"]), d["warnings"])
    # Nobody else sees it: no file of ours is taken for one of its.
    d, words = snapshot(bench, t, [*unshare, "tmpfs", exe, "await"], "tmpfs:")
    if d:
        t.check("--sysroot" not in words, words)
        t.check(d["threads"], "threads")
    # Our own root needs no word.
    d, words = snapshot(bench, t, [exe, "await"], "host:")
    if d:
        t.check("--sysroot" not in words and words.count(exe) == 1, words)
        t.check("ship" in [name for name, _ in stack(d)], stack(d))


def main():
    probe = ["unshare", "-m", "sh", "-c", "mount -t tmpfs disk /mnt"]
    if shutil.which("unshare") is None or subprocess.run(
            probe, stderr=subprocess.DEVNULL, check=False).returncode != 0:
        print("skipped: no mount namespace of its own")
        return 77
    return _server._tool.main(body)


if __name__ == "__main__":
    sys.exit(main())
