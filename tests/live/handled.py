#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Processes that sit in their own crash handler: the signal that it deals with,
the address, and the verdict as a core would have it, also when the handler is
what started us; and no signal where there is none, whatever lies on stacks."""
import os
import subprocess
import sys

import _live
from _live import names


def take(bench, t, *mode):
    target = bench.start(bench.exe("handled", "-O0"), *mode)
    _live.wait_asleep(target.pid)
    return target, bench.json(t, target.pid)


def primary(d):
    return [f["class"] for f in d.get("findings", []) if f["primary"]]


def check_fault(t, d, what, number, code, address, finding, symbol):
    signal = d.get("signal") or {}
    t.equal((signal.get("number"), signal.get("code_name"),
             signal.get("address")), (number, code, address), what, "signal:")
    faults = [x for x in d["threads"] if x["fault"]]
    if not t.equal(len(faults), 1, what, "faulted threads:"):
        return
    t.equal(d["threads"][0]["tid"], faults[0]["tid"], what, "it comes first")
    t.check("crash_handler" in names(faults[0]), what, names(faults[0]))
    t.equal(primary(d), [finding], what, "verdict:")
    t.check("handler" in d["classifiers"], what, d["classifiers"])
    frame = (d.get("fault") or {}).get("frame")
    t.equal(frame is not None and names(faults[0])[frame], symbol, what)
    t.equal(d["callstack"][:1], [symbol], what, "call stack:")
    texts = [a["text"] for a in d["annotations"] if "caught by" in
             a.get("text", "")]
    t.check(len(texts) == 1 and texts[0].endswith("which did not return"),
            what, texts)


def faults(bench, t):
    for how in ("", "plain", "stack", "deferred", "interrupted"):
        _, d = take(bench, t, "null", *filter(None, [how]))
        check_fault(t, d, f"null {how}:", 11, "SEGV_MAPERR", "0x0",
                    "null-deref", "serve")
        t.equal(d["threads"][0]["name"], "faulty", how)
        t.equal((d.get("fault") or {}).get("direction"), "write", how)
    _, d = take(bench, t, "wild")
    check_fault(t, d, "wild:", 11, "SEGV_MAPERR", "0x123456789000",
                "wild-access", "look")
    target, d = take(bench, t, "divide")
    t.equal((d["signal"].get("name"), d["signal"].get("code_name")),
            ("SIGFPE", "FPE_INTDIV"), "divide:")
    t.equal(primary(d), ["div-zero"], "divide:")
    # Of two, the one that began it.
    _, d = take(bench, t, "nested")
    t.equal((d["signal"].get("name"), d["signal"].get("address")),
            ("SIGSEGV", "0x0"), "nested:")
    t.equal(primary(d), ["null-deref"], "nested:")
    t.check(_live.is_free(target.pid), _live.tasks(target.pid))


def sent(bench, t):
    for how in ("", "plain"):
        target, d = take(bench, t, "abort", *filter(None, [how]))
        s = d["signal"]
        t.equal((s.get("name"), s.get("code_name"), s.get("sender_pid")),
                ("SIGABRT", "SI_TKILL", target.pid), "abort", how)
        t.equal(primary(d), ["abort"], how)
        t.equal(d["callstack"][:1], ["main"], how, d["callstack"])
    target = bench.start(bench.exe("handled", "-O0"), "killed", ready=False)
    target.stdout.readline()
    target.send_signal(11)
    t.equal(target.stdout.readline(), "ready\n", "its handler")
    _live.wait_asleep(target.pid)
    s = bench.json(t, target.pid)["signal"]
    t.equal((s.get("name"), s.get("code_name"), s.get("sender_pid")),
            ("SIGSEGV", "SI_USER", os.getpid()), "sent by us:")


    # Zeros mean a sender that our namespace does not know, or nothing at all:
    # that its handler blocks the signal decides.
    _, d = take(bench, t, "nobody", "deferred")
    s = d["signal"]
    t.equal((s.get("name"), s.get("code_name"), s.get("sender_pid")),
            ("SIGSEGV", "SI_QUEUE", 0), "sent by nobody:")


def nothing(bench, t):
    """Handlers that have returned, of other signals, or never ran; and what
    an earlier signal left on the stack, for handlers that ask for none."""
    for mode in ("ready", "repaired", "alarm", "stale", "zeros", "profiled"):
        _, d = take(bench, t, mode)
        t.equal((d["signal"], primary(d), d["fault"]), ({}, [], {}), mode)
        t.check(not any(x["fault"] for x in d["threads"]), mode)
        t.check("handler" not in d["classifiers"], mode)


def barrier(bench, t):
    """In the middle of a handler, by chance: the next moment it is out."""
    for how in ([], ["open"], ["stack"]):
        target = bench.start(bench.exe("handled", "-O0"), "barrier", *how)
        for _ in range(12):
            d = bench.json(t, target.pid)
            t.equal((d["signal"], primary(d), d["fault"]), ({}, [], {}), how)
            t.check("handler" not in d["classifiers"], d["classifiers"])
        target.kill()


def helper(bench, t):
    """Started by the dying process, which waits for us in its handler."""
    exe = bench.exe("handled", "-O0")
    out = os.path.join(bench.dir, "helper.btt")
    done = subprocess.run(
        [exe, "null", "helper", os.path.join(bench.build, "ptrace"), "-o",
         out, "PID"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, timeout=_live.TIMEOUT, check=False)
    t.equal((done.returncode, done.stderr, done.stdout), (0, "", out + "\n"),
            "as its child:")
    shown = bench.run("ptrace", "-b", out)
    t.check(shown.stdout.startswith("SIGSEGV (SEGV_MAPERR) at 0x0: handled"),
            shown.stdout[:300])
    t.check("null pointer" in shown.stdout, shown.stdout[:1000])


def chosen(bench, t):
    """The user's word counts: of another thread nothing is said."""
    target, d = take(bench, t, "null")
    faulty = d["threads"][0]["tid"]
    d = bench.json(t, target.pid)
    t.equal((d["threads"][0]["tid"], d["signal"].get("number")), (faulty, 11))
    out = os.path.join(bench.dir, "x.btt")
    for tid, number in ((faulty, "SIGSEGV"), (target.pid, "No signal")):
        bench.run("ptrace", target.pid, "--fault-thread", tid, "-o", out,
                  "--overwrite")
        shown = bench.run("ptrace", "-b", out).stdout
        t.check(shown.startswith(number), tid, shown[:200])


def body(bench, t):
    faults(bench, t)
    sent(bench, t)
    nothing(bench, t)
    barrier(bench, t)
    helper(bench, t)
    chosen(bench, t)


if __name__ == "__main__":
    sys.exit(_live.main(body))
