#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a target notices of being captured: nothing that it could not have
noticed without. Signals are neither lost nor doubled, calls are restarted,
stopped processes stay stopped, and it runs on whatever becomes of us."""
import ctypes
import os
import random
import signal
import subprocess
import sys
import threading
import time

import _live

LIBC = ctypes.CDLL(None, use_errno=True)
RTMIN = signal.SIGRTMIN


def queue(pid, number, value):
    """sigqueue(3); False when the queue is full."""
    return LIBC.sigqueue(pid, int(number), ctypes.c_void_p(value)) == 0


def capture_in_a_loop(bench, pid, stop, statuses):
    while not stop.is_set():
        done = bench.run("bt", "--no-variables", pid)
        statuses.append(done.returncode)


def signals(bench, t):
    target = bench.start(bench.exe("signals"))
    stop, statuses = threading.Event(), []
    loop = threading.Thread(target=capture_in_a_loop,
                            args=(bench, target.pid, stop, statuses))
    loop.start()
    sent = total = 0
    deadline = time.monotonic() + 2.5
    while time.monotonic() < deadline:
        value = random.randrange(1, 1000)
        if queue(target.pid, RTMIN, value):
            sent += 1
            total += value
        time.sleep(0.0005)
    stop.set()
    loop.join()
    target.send_signal(signal.SIGTERM)
    count, added, alarms = map(int, target.communicate(timeout=20)[0].split())
    t.check(len(statuses) > 3 and set(statuses) == {0}, statuses)
    t.check(sent > 200, "too few signals:", sent)
    t.equal((count, added), (sent, total), "queued signals:")
    t.check(alarms > 50, "alarms:", alarms)
    print(f"signals: {sent} sent, {len(statuses)} captures")


def restarted_calls(bench, t):
    target = bench.start(bench.exe("sleeper"))
    captures = 0
    while target.poll() is None and captures < 100:
        if bench.run("bt", "--no-variables", target.pid).returncode == 0:
            captures += 1
        time.sleep(0.05)
    out = target.stdout.read().split("\n")
    results = {line.split()[0]: line.split()[1:] for line in out if line}
    t.check(captures > 3, "captures:", captures)
    t.equal(len(results), 4, results)
    for name, (result, error, ms) in results.items():
        if name == "futex":
            t.equal((result, error), ("-1", "110"), name, "ETIMEDOUT:")
        else:
            t.equal((result, error), ("0", "0"), name)
        t.check(1490 <= int(ms) < 6000, name, "took", ms, "ms")


def stopped(bench, t):
    target = bench.start(bench.exe("known"), 3)
    target.send_signal(signal.SIGSTOP)
    wait_for(lambda: all(s == "T" for s, _ in
                         _live.tasks(target.pid).values()))
    for _ in range(5):
        d = bench.json(t, target.pid)
        t.equal({x["state"] for x in d["threads"]}, {"T"}, "states:")
        t.check(all(x["frames"] for x in d["threads"]), "no frames")
        t.equal(set(_live.tasks(target.pid).values()), {("T", 0)})
    target.send_signal(signal.SIGCONT)
    t.check(wait_for(lambda: _live.is_free(target.pid)), "SIGCONT")


def wait_for(what, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.0002)
    return True


def killed_tracer(bench, t, times=50):
    """SIGKILL at random moments: of the program, which takes its capturing
    child with it, and of that child alone."""
    target = bench.start(bench.exe("known"), 200)
    seed = random.randrange(1 << 30)
    rng = random.Random(seed)
    left = busy = 0
    for i in range(times):
        tracer = subprocess.Popen(
            [os.path.join(bench.build, "bt"), "--no-variables",
             str(target.pid)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if i % 5:
            # Most of them while it traces: that is a small part of its time.
            wait_for(lambda: tracer.poll() is not None or
                     tracer_of(target.pid) != 0, 2)
            time.sleep(rng.uniform(0, 0.008))
        else:
            time.sleep(rng.uniform(0, 0.08))
        children = child_of(tracer.pid) if i % 2 else []
        busy += any(tracer != 0 for _, tracer in
                    _live.tasks(target.pid).values())
        for pid in children or [tracer.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        tracer.wait(30)
        if not wait_for(lambda: _live.is_free(target.pid), 3):
            left += 1
            print("left behind:", _live.tasks(target.pid))
    t.equal(left, 0, f"of {times} left stopped or traced (seed {seed}):")
    before = beats(target)
    time.sleep(0.05)
    t.check(beats(target) > before, "the target does not run on")
    print(f"killed tracers: {times}, {busy} of them while tracing")


def tracer_of(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(f.read().split("TracerPid:")[1].split()[0])


def child_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return [int(x) for x in f.read().split()]
    except OSError:
        return []


def beats(target):
    target.stdin.write("\n")
    target.stdin.flush()
    return int(target.stdout.readline())


def storms(bench, t):
    target = bench.start(bench.exe("storm"), "threads")
    for _ in range(8):
        d = bench.json(t, target.pid, "--no-variables")
        t.check(len(d["threads"]) >= 3, "threads:", len(d["threads"]))
        bare = [x["tid"] for x in d["threads"] if not x["frames"]
                and x["state"] not in "ZX"]
        t.equal(bare, [], "threads without frames:")
        t.check(_live.is_free(target.pid), _live.tasks(target.pid))
    target.kill()

    # Either a whole program, the old or the new one, or the word that it
    # keeps changing; never a mixture, never a stopped one.
    target = bench.start(bench.exe("storm"), "exec", 300)
    good = 0
    for _ in range(12):
        done = bench.run("bt", "--no-variables", target.pid)
        t.check(done.returncode in (0, 2), done.stderr)
        good += done.returncode == 0
        if done.returncode == 2:
            t.equal(len(done.stderr.splitlines()), 1, done.stderr)
    t.check(target.stdout.readline() == "done\n", "the last exec")
    t.equal(bench.run("bt", target.pid).returncode, 0)
    t.check(_live.is_free(target.pid), _live.tasks(target.pid))
    print(f"exec: {good} of 12 captured")


def blocked_in_vfork(bench, t):
    target = bench.start(bench.exe("storm"), "vfork")
    wait_for(lambda: sorted(s for s, _ in _live.tasks(target.pid).values())
             == ["D", "S"])
    started = time.monotonic()
    d = bench.json(t, target.pid)
    t.check(time.monotonic() - started < 5, "waited for the vfork")
    t.equal(sorted(x["state"] for x in d["threads"]), ["D", "S"])
    blocked = [x for x in d["threads"] if x["state"] == "D"]
    t.check(blocked and blocked[0]["frames"], "frames of the blocked one")
    t.check(blocked and any("vfork" in f for f in _live.names(blocked[0])),
            blocked and _live.names(blocked[0]))
    t.check(any(w["code"] == "live.uninterruptible" for w in d["warnings"]),
            d["warnings"])
    t.check(d["attributes"].get("ptrace.pause", 0) < 1000000, "pause")
    t.check(_live.is_free(target.pid), _live.tasks(target.pid))
    for pid in child_of(target.pid):
        os.kill(pid, signal.SIGKILL)


def page_that_never_comes(bench, t):
    target = bench.start(bench.exe("slow_page"), ready=False)
    if target.stdout.readline() != "ready\n":
        print("no userfaultfd here")
        return
    started = time.monotonic()
    d = bench.json(t, target.pid, "--no-variables")
    t.check(time.monotonic() - started < 4, "took",
            time.monotonic() - started, "s")
    t.equal([f for x in d["threads"] for f in _live.names(x)
             if f in ("waits", "main")], ["waits", "main"])
    t.check(any(w["code"] == "live.incomplete" for w in d["warnings"]),
            d["warnings"])
    t.check(250000 < d["attributes"].get("ptrace.pause", 0) < 3000000,
            d["attributes"].get("ptrace.pause"))
    t.check(wait_for(lambda: _live.is_free(target.pid)), "left stopped")


def killed_target(bench, t):
    """The target dies at a random moment: a snapshot of what was, or a line."""
    rng = random.Random(5)
    for _ in range(15):
        target = bench.start(bench.exe("known"), 100)
        delay = rng.uniform(0, 0.06)
        killer = threading.Timer(delay, target.kill)
        killer.start()
        done = bench.run("bt", target.pid)
        killer.join()
        t.check(done.returncode in (0, 2), done.returncode, done.stderr)
        if done.returncode == 2:
            t.equal(len(done.stderr.splitlines()), 1, done.stderr)
        else:
            t.check("innermost" in done.stdout or "worker" in done.stdout
                    or "main" in done.stdout, done.stdout[:500])
        target.wait()


def body(bench, t):
    signals(bench, t)
    restarted_calls(bench, t)
    stopped(bench, t)
    killed_tracer(bench, t)
    storms(bench, t)
    blocked_in_vfork(bench, t)
    page_that_never_comes(bench, t)
    killed_target(bench, t)


if __name__ == "__main__":
    sys.exit(_live.main(body))
