#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Nothing that was acknowledged is lost, nothing is delivered under two names:
the helper and the daemon are killed before each of their system calls that
change something, one after the other, and started again.

strace kills at the n-th call of each kind; a daemon that is started afterwards
must bring everything to its end."""
import os
import signal
import sys
import threading
import time

import _server
from _server import run, wait_for
from _spool import Endpoint, Spool

# Calls that change the disk, or tell somebody.
CALLS = ("write pwrite64 fsync fdatasync renameat renameat2 rename unlinkat "
         "unlink mkdirat mkdir openat fchmod fchmodat flock fsetxattr "
         "ftruncate sendto fork vfork clone clone3").split()


def killer(call, n):
    return ["strace", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e",
            f"inject={call}:signal=KILL:when={n}"]


def each_kill(t, attempt):
    """attempt(prefix) is True when the program came to its end in spite of it.
    The number of kills."""
    kills = 0
    for call in CALLS:
        n = 1
        while not attempt(killer(call, n)):
            kills += 1
            # Files that are only read at the start need no test each.
            n += 1 if call != "openat" else 4
            if not t.check(n < 300, call, "it never comes to its end"):
                break
    return kills


def stand_in(s):
    """A ptrace that takes no time."""
    path = os.path.join(s.dir, "ptrace")
    with open(path, "w", encoding="ascii") as f:
        f.write("#!/bin/sh\nfor x; do case $x in -o*) out=${x#-o};; esac; done\n"
                "echo snapshot >$out.tmp && mv $out.tmp $out\n")
    os.chmod(path, 0o755)
    return path


def small_core(bench):
    """A core without its largest segments would be another one: the file is cut
    off instead, which is what a full disk leaves, too."""
    path = os.path.join(bench.dir, "small")
    with open(bench.core, "rb") as f, open(path, "wb") as out:
        out.write(f.read(300000))
    return path


def quiet_spool(bench, endpoint, *lines):
    s = Spool(bench, url=endpoint.url if endpoint else None)
    s.configure("limit.executable = 0", "limit.user = 0",
                "ptrace = " + stand_in(s), *lines)
    return s


def nothing_left(s, t):
    t.equal(sum((s.names(x) for x in ("incoming", "pending", "assets", "state",
                                      "sending", "failed")), []),
            [], "left over:", s.text()[-2000:])


def helper(bench, t):
    """Killed at each call. What it said is archived must be there; else nothing
    or a beginning; never anything half."""
    core = small_core(bench)
    endpoint = Endpoint()
    s = quiet_spool(bench, endpoint)
    acknowledged = set()

    def attempt(prefix):
        done = s.archive(core, prefix=prefix)
        if "archived in" in done.stderr:
            acknowledged.add(done.stderr.strip().rsplit("/", 1)[1])
        return done.returncode == 0

    kills = each_kill(t, attempt)
    whole = set(s.names("pending"))
    t.check(acknowledged <= whole, "lost:", acknowledged - whole)
    s.once()
    nothing_left(s, t)
    taken = endpoint.taken()
    t.check(acknowledged <= set(taken), "not delivered")
    t.check(len(taken) > len(acknowledged), "nothing of a killed one was used")
    t.equal(len(taken), len(set(taken)), "delivered twice:")
    t.check(kills > 25, "calls at which it was killed:", kills)
    print(f"helper: killed at {kills} calls, {len(acknowledged)} "
          f"acknowledged, {len(taken)} delivered")
    endpoint.close()


def daemon(bench, t):
    """Killed at each call, each time with an object on its way."""
    core = small_core(bench)
    endpoint = Endpoint()
    s = quiet_spool(bench, endpoint)
    names = set()

    def attempt(prefix):
        done = s.archive(core)
        names.add(done.stderr.strip().rsplit("/", 1)[1])
        s.start("--once", prefix=prefix)
        status = s.daemon.wait(_server.PATIENCE)
        s.daemon = None
        return status == 0

    kills = each_kill(t, attempt)
    # Whoever was killed after the answer had come asks once more, under the
    # same name; the server knows it by that.
    wait_for(lambda: s.once() == 0 and not s.names("sending") and
             not s.names("pending"))
    taken = endpoint.taken()
    t.equal(set(taken), names, "delivered:")
    nothing_left(s, t)
    t.check(kills > 30, "calls at which it was killed:", kills)
    print(f"daemon: killed at {kills} calls, {len(names)} objects, "
          f"{len(taken)} posts")
    endpoint.close()


def storm(bench, t):
    """1,000 crashes of one program, and of many, as fast as they come; the
    helpers run at once, as the kernel starts them."""
    core = small_core(bench)
    s = quiet_spool(bench, None, "limit.executable = 20/h",
                    "dump.concurrent = 4")
    s.start()
    most, stop = [0], threading.Event()

    def watch():
        while not stop.is_set():
            most[0] = max(most[0], len(s.names("incoming")))
            time.sleep(0.002)

    threading.Thread(target=watch, daemon=True).start()
    begun, kept, left = time.monotonic(), [], list(range(1000))

    def feed():
        while left:
            try:
                i = left.pop()
            except IndexError:
                return
            done = s.archive(core, comm=f"p{i % 5}")
            if done.returncode == 0:
                kept.append(i)

    feeders = [threading.Thread(target=feed) for _ in range(8)]
    for x in feeders:
        x.start()
    for x in feeders:
        x.join()
    seconds = time.monotonic() - begun
    stop.set()
    t.equal(len(kept), 100, "kept, 20 of each of five programs:")
    t.check(most[0] <= 4, "received at once:", most[0])
    wait_for(lambda: len(s.names("sending")) == 100)
    t.equal(len(s.names("sending")), 100, "snapshots:")
    t.equal(s.names("incoming") + s.names("failed"), [])
    s.stop()
    print(f"storm: 1000 in {seconds:.1f} s, {len(kept)} kept, "
          f"at most {most[0]} at once")


def together(bench, t):
    """Two helpers with the same crash at the same moment: one object."""
    core = small_core(bench)
    s = Spool(bench)
    when = int(time.time())
    feeders = [threading.Thread(target=lambda: s.archive(
        core, pid=os.getpid(), when=when)) for _ in range(4)]
    for x in feeders:
        x.start()
    for x in feeders:
        x.join()
    t.equal(len(s.names("pending")), 1, "one crash, four deliveries:")
    t.equal(s.names("incoming"), [])


def stopped(bench, t):
    """SIGTERM in the middle of work: at its end at once, and nothing lost."""
    s = Spool(bench)
    for i in range(5):
        s.archive(bench.core, comm=f"n{i}")
    s.start()
    wait_for(lambda: "Executing" in s.text())
    begun = time.monotonic()
    t.equal(s.stop(signal.SIGTERM), 0)
    t.check(time.monotonic() - begun < 30, "too slow to end")
    t.equal(len(s.names("pending")) + len(set(s.names("sending")) -
                                          set(s.names("pending"))), 5)
    s.once()
    t.equal(len(s.names("sending")), 5, "after that:", s.text())
    t.equal(s.names("failed"), [])


def body(bench, t):
    parts = [together, stopped, storm]
    probe = run(["strace", "-qq", "-o", "/dev/null", "true"]) \
        if os.access("/usr/bin/strace", os.X_OK) else None
    if probe is not None and probe.returncode == 0:
        parts += [helper, daemon]
    else:
        print("skipped: the kills need strace")
    for part in parts:
        begun = time.monotonic()
        part(bench, t)
        print(f"{part.__name__}: {time.monotonic() - begun:.1f} s")


if __name__ == "__main__":
    sys.exit(_server._tool.main(body))
