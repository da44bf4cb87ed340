#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a target notices of being captured: nothing that it could not have
noticed without. Signals are neither lost nor doubled, calls are restarted,
stopped processes stay stopped, and it runs on whatever becomes of us."""
import ctypes
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import _live
from _live import wait_for

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
    least, most = (time.monotonic() + x for x in (2.5, _live.PATIENCE))
    while time.monotonic() < least or (time.monotonic() < most and
                                       (sent < 300 or len(statuses) < 5)):
        value = random.randrange(1, 1000)
        if queue(target.pid, RTMIN, value):
            sent += 1
            total += value
        time.sleep(0.0005)
    stop.set()
    loop.join()
    count, added, alarms = map(int, target.communicate(
        f"{sent}\n", timeout=3 * _live.PATIENCE)[0].split())
    t.check(len(statuses) > 3 and set(statuses) == {0}, statuses)
    t.check(sent > 200, "too few signals:", sent)
    t.equal((count, added), (sent, total), "queued signals:")
    # Those that come while one is pending are no more: not counted on.
    t.check(alarms > 20, "alarms:", alarms)
    print(f"signals: {sent} sent, {len(statuses)} captures")


def restarted_calls(bench, t):
    """Captures follow each other more closely than the time limits of the
    calls: one that began anew each time would never end."""
    captures = limit = 0
    # A busy machine may need longer for a few captures.
    for limit in (1500, 8000, 40000):
        captures = 0
        target = bench.start(bench.exe("sleeper"), limit)
        deadline = time.monotonic() + limit / 1000 + _live.PATIENCE
        while target.poll() is None and time.monotonic() < deadline:
            if bench.run("bt", "--no-variables", target.pid).returncode == 0:
                captures += 1
            time.sleep(0.05)
        if captures > 3 or target.poll() is None:
            break
    if not t.check(target.poll() is not None, "calls that never end"):
        return
    out = target.stdout.read().split("\n")
    results = {line.split()[0]: line.split()[1:] for line in out if line}
    t.check(captures > 3, "captures:", captures)
    t.equal(len(results), 4, results)
    for name, (result, error, ms) in results.items():
        if name == "futex":
            t.equal((result, error), ("-1", "110"), name, "ETIMEDOUT:")
        else:
            t.equal((result, error), ("0", "0"), name)
        t.check(limit - 10 <= int(ms), name, "took", ms, "ms")


def requests(text, name):
    """The threads of that request, in the order of the requests."""
    return [int(x) for x in re.findall(rf"ptrace\(PTRACE_{name}, (\d+)", text)]


def order(bench, t):
    """Who does something is stopped last and let go first."""
    if not shutil.which("strace"):
        t.skipped += 1
        return
    target = bench.start(bench.exe("steady"), "blocked")
    _live.wait_asleep(target.pid)
    seen = os.path.join(bench.dir, "requests")
    done = subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=ptrace", "-o", seen,
         os.path.join(bench.build, "bt"), "--json", str(target.pid)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        timeout=_live.TIMEOUT, check=False)
    t.equal(done.returncode, 0, "bt below strace:")
    busy = [x["tid"] for x in json.loads(done.stdout)["threads"]
            if any(a["text"].startswith("CPU-bound")
                   for a in x["annotations"])]
    with open(seen) as f:
        text = f.read()
    stopped_in, freed = (requests(text, x) for x in ("INTERRUPT", "DETACH"))
    t.equal(sorted(stopped_in), sorted(freed), "stopped and let go:")
    t.check(len(freed) == 3 and len(busy) >= 1, freed, busy)
    t.check(all(stopped_in.index(target.pid) < stopped_in.index(x) and
                freed.index(target.pid) > freed.index(x) for x in busy),
            "stopped:", stopped_in, "let go:", freed, "busy:", busy)
    t.check(_live.is_free(target.pid), "left traced")


def stopped(bench, t):
    target = bench.known(3)
    _live.stop(target)
    for _ in range(5):
        d = bench.json(t, target.pid)
        t.equal({x["state"] for x in d["threads"]}, {"T"}, "states:")
        t.check(all(x["frames"] for x in d["threads"]), "no frames")
        t.equal(set(_live.tasks(target.pid).values()), {("T", 0)})
    target.send_signal(signal.SIGCONT)
    t.check(wait_for(lambda: _live.is_free(target.pid)), "SIGCONT")


def killed_tracer(bench, t, times=50):
    """SIGKILL at random moments: of the program, which takes its capturing
    child with it, and of that child alone."""
    target = bench.known(200)
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
                     tracer_of(target.pid) != 0)
            time.sleep(rng.uniform(0, 0.008))
        else:
            time.sleep(rng.uniform(0, 0.08))
        children = _live.children(tracer.pid) if i % 2 else []
        busy += any(tracer != 0 for _, tracer in
                    _live.tasks(target.pid).values())
        for pid in children or [tracer.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        tracer.wait(_live.PATIENCE)
        if not wait_for(lambda: _live.is_free(target.pid)):
            left += 1
            print("left behind:", _live.tasks(target.pid))
    t.equal(left, 0, f"of {times} left stopped or traced (seed {seed}):")
    t.check(_live.runs_on(target), "the target does not run on")
    print(f"killed tracers: {times}, {busy} of them while tracing")


def tracer_of(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(f.read().split("TracerPid:")[1].split()[0])


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
    _live.await_vfork(target)
    # Its child sleeps for a quarter of an hour; bench.json has less patience.
    d = bench.json(t, target.pid)
    t.equal(sorted(x["state"] for x in d["threads"]), ["D", "S"])
    blocked = [x for x in d["threads"] if x["state"] == "D"]
    t.check(blocked and blocked[0]["frames"], "frames of the blocked one")
    t.check(blocked and any("vfork" in f for f in _live.names(blocked[0])),
            blocked and _live.names(blocked[0]))
    t.check(any(w["code"] == "live.uninterruptible" for w in d["warnings"]),
            d["warnings"])
    t.check(d["attributes"].get("ptrace.pause", 0) < 10000000, "pause")
    t.check(_live.is_free(target.pid), _live.tasks(target.pid))


def page_that_never_comes(bench, t):
    target = bench.start(bench.exe("slow_page"), ready=False)
    if target.stdout.readline() != "ready\n":
        print("no userfaultfd here")
        return
    d = bench.json(t, target.pid, "--no-variables")
    t.equal([f for x in d["threads"] for f in _live.names(x)
             if f in ("waits", "main")], ["waits", "main"])
    t.check(any(w["code"] == "live.incomplete" for w in d["warnings"]),
            d["warnings"])
    t.check(250000 < d["attributes"].get("ptrace.pause", 0) < 20000000,
            d["attributes"].get("ptrace.pause"))
    t.check(wait_for(lambda: _live.is_free(target.pid)), "left stopped")


def killed_target(bench, t):
    """The target dies at a random moment: a snapshot of what was, or a line."""
    rng = random.Random(5)
    for _ in range(15):
        target = bench.known(100)
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
    order(bench, t)
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
