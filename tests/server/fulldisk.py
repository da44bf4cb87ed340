#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A disk without room, or without inodes: what a receiver does that finds it so,
and that everything goes on when there is room again.

The disk is a small tmpfs, in a mount namespace of this test's own: for root."""
import os
import shutil
import subprocess
import sys
import time

import _server
from _spool import Endpoint, Spool

PRIVATE = "INQUEST_TEST_PRIVATE"
FULL = "no space left on the disk"


def mount(path, options):
    os.makedirs(path, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "disk", path],
                   check=True)


def fill(path):
    """Nothing is left; the file that holds it."""
    name = os.path.join(path, "ballast")
    with open(name, "wb", buffering=0) as f:
        try:
            while True:
                f.write(b"x" * 4096)
        except OSError:
            pass
    return name


def spool(bench, options, *lines, url=None):
    s = Spool(bench, *lines, url=url)
    # Every test its own disk.
    mount(s.path, options)
    os.chmod(s.path, 0o755)
    return s


def nothing_half(s, t, what):
    t.equal(s.names("incoming") + s.names("pending") + s.names("assets"), [],
            what, "left over:")


def receiving(bench, t):
    """Less room than the core needs: a part of it is kept, and there is still
    room for its snapshot."""
    size = os.path.getsize(bench.core) // 2 + (3 << 19)
    s = spool(bench, f"size={size // 4096 * 4096}")
    done = s.archive(bench.core)
    t.equal(done.returncode, 0, "a beginning is kept:", done.stderr)
    t.check("was cut to" in done.stderr, done.stderr)
    t.equal(s.once(), 0)
    sent = s.names("sending")
    if t.equal(len(sent), 1, "snapshots:", s.text()):
        d = _server.document(bench, os.path.join(s.path, "sending", sent[0]))
        t.equal((d or {}).get("partial"), True, "it says that it is partial")
        t.check((d or {}).get("threads"), "it has threads")


def none_at_all(bench, t, options, what):
    s = spool(bench, options)
    t.equal(s.coresnap("status").returncode, 0, what)
    s.coresnap("import", "/nowhere")
    ballast = fill(s.path)
    done = s.archive(bench.core)
    t.equal(done.returncode, 2, what, done.stderr)
    t.check(FULL in done.stderr, what, done.stderr)
    t.equal(len(done.stderr.splitlines()), 1, what, done.stderr)
    nothing_half(s, t, what)
    os.unlink(ballast)
    done = s.archive(bench.core)
    t.equal(done.returncode, 0, what, "room again:", done.stderr)


def inodes(bench, t):
    s = spool(bench, "size=16m,nr_inodes=64")
    s.coresnap("import", "/nowhere")
    ballast = []
    while True:
        name = os.path.join(s.path, f"ballast{len(ballast)}")
        try:
            with open(name, "wb"):
                ballast.append(name)
        except OSError:
            break
    done = s.archive(bench.core)
    t.equal(done.returncode, 2, "inodes:", done.stderr)
    t.check("o space left" in done.stderr, "inodes:", done.stderr)
    nothing_half(s, t, "inodes:")
    for name in ballast:
        os.unlink(name)
    t.equal(s.archive(bench.core).returncode, 0, "inodes: room again")


def snapshots(bench, t):
    """No room for the snapshot: the core waits."""
    endpoint = Endpoint()
    s = spool(bench, "size=16m", url=endpoint.url)
    t.equal(s.archive(bench.core).returncode, 0)
    ballast = fill(s.path)
    s.start()
    _server.wait_for(lambda: "snapshots wait" in s.text())
    time.sleep(2.5)
    t.equal((len(s.names("pending")), s.names("failed"), endpoint.taken()),
            (1, [], []), "while it is full:", s.text()[-2000:])
    t.equal((s.text().count("Executing"), s.text().count("wait")), (0, 1),
            "nothing is tried, and that is said once:", s.text())
    os.unlink(ballast)
    _server.wait_for(lambda: len(endpoint.taken()) == 1)
    _server.wait_for(lambda: s.names("sending") == [])
    s.stop()
    t.equal(s.names("pending") + s.names("failed"), [], "after it:")
    endpoint.close()


def nearly(bench, t):
    """Room for the daemon's own files, not for the snapshot."""
    endpoint = Endpoint()
    s = spool(bench, "size=4m", url=endpoint.url)
    mount(s.path + "/sending", "size=4k")
    t.equal(s.archive(bench.core).returncode, 0)
    s.start()
    _server.wait_for(lambda: s.text().count("again in") >= 3)
    t.equal((len(s.names("pending")), s.names("failed")), (1, []),
            "attempts on a full disk count:", s.text())
    s.stop()
    subprocess.run(["umount", s.path + "/sending"], check=True)
    _server.wait_for(lambda: s.once() == 0 and endpoint.taken())
    t.equal(len(endpoint.taken()), 1, "room again:", s.text())
    endpoint.close()


def body(bench, t):
    receiving(bench, t)
    none_at_all(bench, t, "size=8m", "full:")
    inodes(bench, t)
    snapshots(bench, t)
    nearly(bench, t)


def main():
    if os.environ.get(PRIVATE) is None and shutil.which("unshare"):
        probe = ["unshare", "-m", "sh", "-c", "mount -t tmpfs disk /mnt"]
        if subprocess.run(probe, stderr=subprocess.DEVNULL,
                          check=False).returncode == 0:
            os.environ[PRIVATE] = "1"
            os.execvp("unshare", ["unshare", "-m", sys.executable, *sys.argv])
    if os.environ.get(PRIVATE) is None:
        print("skipped: no mount namespace of its own")
        return 77
    return _server._tool.main(body)


if __name__ == "__main__":
    sys.exit(main())
