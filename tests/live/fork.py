#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--fork: a frozen copy is examined, the target notices nothing of it, and
goes on by itself at whatever step we die."""
import json
import os
import signal
import subprocess
import sys
import time

import _live
from _live import children, wait_for

# Reads memory some time after the process has run on.
READER = r"""
#include <ptrace/pmodule.h>
#include <ptrace/target.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
enum { PAGES = 2048, PAGE = 4096 };
static const bt_addr_t frozen = 0x200000000000, special = 0x210000000000;
static unsigned long word(ptrace_target_t *t, bt_addr_t at)
{
	unsigned long value = 0;
	if (ptrace_target_read_some(t, at, &value, sizeof(value)) !=
	    sizeof(value))
		return 0xdead;
	return value;
}
static void after(ptrace_backtrace_t *bt)
{
	const struct timespec while_it_runs = {.tv_nsec = 200000000};
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	unsigned long first, previous, torn = 0;
	nanosleep(&while_it_runs, NULL);
	first = previous = word(t, frozen);
	for (int i = 1; i < PAGES; i++) {
		unsigned long now = word(t, frozen + (bt_addr_t)i * PAGE);
		/* One round of stamps is under way, never more. */
		if (now > previous || first - now > 1)
			torn++;
		previous = now;
	}
	pmodule_kv_add_int(bt, "reader.torn", (long)torn);
	pmodule_kv_add_int(bt, "reader.first", (long)first);
	pmodule_kv_add_int(bt, "reader.live", ptrace_target_live(t));
	for (int i = 0; i < 3; i++) {
		char key[] = "reader.special0";
		key[strlen(key) - 1] = (char)('0' + i);
		pmodule_kv_add_int(bt, key,
		    (long)word(t, special + (bt_addr_t)i * PAGE * 16));
	}
}
static bool load(pmodule_t *pm)
{
	return pmodule_postattach_event_add(pm, after);
}
PMODULE_DEFINE("reader", load, NULL, NULL)
"""

# Stamps pages in order, and has pages that a child does not get.
STAMPS = r"""
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>
enum { PAGES = 2048, PAGE = 4096 };
int main(void)
{
	char *stamps = mmap((void *)0x200000000000, PAGES * PAGE,
	    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
	    -1, 0);
	for (int i = 0; i < 3; i++) {
		unsigned long *p = mmap((char *)0x210000000000 + i * PAGE * 16,
		    PAGE * 4, PROT_READ | PROT_WRITE, (i == 2 ? MAP_SHARED :
		    MAP_PRIVATE) | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		*p = 7000 + (unsigned long)i;
		if (i < 2)
			madvise(p, PAGE * 4,
			    i == 0 ? MADV_WIPEONFORK : MADV_DONTFORK);
	}
	puts("ready");
	fflush(stdout);
	for (unsigned long n = 1;; n++)
		for (int i = 0; i < PAGES; i++)
			*(volatile unsigned long *)(stamps + i * PAGE) = n;
}
"""


def build(bench, name, text, *flags):
    source = os.path.join(bench.dir, name + ".c")
    with open(source, "w") as f:
        f.write(text)
    path = os.path.join(bench.dir, name)
    subprocess.run(["gcc", "-O1", "-Werror", *flags, "-I",
                    os.path.join(_live.ROOT, "include"), "-o", path, source],
                   check=True)
    return path


def status(target):
    """What a steady program has noticed."""
    os.kill(target.pid, signal.SIGUSR1)
    return [int(x) for x in target.stdout.readline().split()]


def blocked(target):
    """Signals that its first thread does not take now, as a mask."""
    with open(f"/proc/{target.pid}/status") as f:
        lines = dict(x.split(":", 1) for x in f.read().splitlines())
    return int(lines["SigBlk"], 16)


def check_untouched(t, target, what, early=0):
    t.check(wait_for(lambda: _live.is_free(target.pid)), what, "left stopped:",
            _live.tasks(target.pid))
    # It may be free, on its way back, and not yet have had a processor.
    t.check(wait_for(lambda: blocked(target) in (0, 1 << signal.SIGUSR1 - 1)),
            what, f"signals are blocked: {blocked(target):x}")
    before = status(target)
    t.check(len(before) == 5, what, "is not alive")
    if len(before) != 5:
        return
    t.check(before[1] <= early, what, "calls that ended early:", before)
    t.equal(before[2:], [0, 0, 0], what, "registers, SIGCHLD, children:")
    t.check(wait_for(lambda: status(target)[0] > before[0]), what,
            "does not run on")
    t.equal(children(target.pid), [], what, "children:")


def frozen(bench, t):
    exe = build(bench, "stamps", STAMPS)
    build(bench, "reader.so", READER, "-shared", "-fPIC")
    target = bench.start(exe)

    def take(*how):
        done = bench.run("ptrace", target.pid, *how, "--module-load=reader.so",
                         "-o", "r.btt", "--overwrite", "--max-pause=3000")
        t.equal(done.returncode, 0, done.stderr)
        return document(bench, "r.btt")

    torn = {}
    for how in ((), ("--fork",)):
        # While the reader runs, the program may just not have a processor.
        for _ in range(1 if how else 50):
            d = take(*how)
            a = d["attributes"]
            torn[how] = a.get("reader.torn")
            if torn[how]:
                break
        t.equal(a.get("reader.live"), 0 if how else 1, how)
        t.equal([a.get(f"reader.special{i}") for i in range(3)],
                [7000, 7001, 7002], how, "what a child does not get:")
        if how:
            t.equal([w for w in d["warnings"] if w["code"] == "live.fork"], [])
            t.check(a.get("ptrace.fork.pause", 0) > 0, a)
            t.check(a.get("ptrace.fork.size", 0) >= 8192, a)
            t.check(d["heap"], "the heap was not walked")
        else:
            t.check("ptrace.fork.pause" not in a, a)
            t.equal(d["heap"], [], "the heap of a running process")
    t.equal(torn[("--fork",)], 0, "the copy is not of one moment:")
    t.check(torn[()] and torn[()] > 0, "the program is too slow to prove anything")
    t.equal(children(target.pid), [])


def document(bench, path):
    return json.loads(bench.run("ptrace", "-b", path, "--json").stdout)


def unnoticed(bench, t):
    for mode in ("blocked", "timed", "busy"):
        target = bench.start(bench.exe("steady"), mode)
        for _ in range(12):
            done = bench.run("bt", "--json", "--fork", target.pid,
                             "--max-pause=3000")
            t.equal(done.returncode, 0, done.stderr)
            t.check('"live.fork"' not in done.stdout, mode, done.stdout[-600:])
        check_untouched(t, target, mode)
        target.kill()


def every_step(bench, t):
    """We die at each request of ours in turn, before and after it."""
    preload = build(bench, "die_at.so",
                    open(os.path.join(_live.HERE, "programs",
                                      "die_at.c")).read(),
                    "-shared", "-fPIC", "-D_GNU_SOURCE", "-ldl")
    if b"__asan_init" in open(os.path.join(bench.build, "bt"), "rb").read():
        print("not under the address sanitizer, which is preloaded, too")
        return
    steps = early = 0
    # The first covers all; what differs in the others are only registers.
    for mode, stride in (("blocked", 1), ("timed", 4), ("busy", 4)):
        target = bench.start(bench.exe("steady"), mode)
        for at in range(1, 400, stride):
            died = False
            for when in ("before", "after"):
                reading, writing = os.pipe()
                subprocess.run(
                    [os.path.join(bench.build, "bt"), "--no-variables",
                     "--fork", str(target.pid)], stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                    timeout=_live.TIMEOUT, check=False, pass_fds=(writing,),
                    env=dict(os.environ, LD_PRELOAD=preload, DIE_AT=str(at),
                             DIE_WHEN=when, DIE_FD=str(writing)))
                os.close(writing)
                died |= os.read(reading, 4) == b"died"
                os.close(reading)
                # A call with a time limit may end early by that.
                early += 1 if mode == "timed" else 0
                check_untouched(t, target,
                                f"{mode}, killed {when} step {at}:", early)
                steps += 1
            if not died:
                break
        t.check(30 < at < 390, mode, "steps:", at)
        target.kill()
    print(f"killed at {steps} steps")


def refusals(bench, t):
    def why(pid, *words, args=()):
        d = bench.json(t, pid, "--fork", *args)
        texts = [w["text"] for w in d["warnings"] if w["code"] == "live.fork"]
        t.equal(len(texts), 1, "warnings:", d["warnings"])
        for word in words:
            t.check(texts and word in texts[0], f"'{word}' is not in", texts)
        t.check(all(x["frames"] for x in d["threads"]), "without frames")
        t.check("ptrace.fork.pause" not in d["attributes"])
        t.check(wait_for(lambda: _live.is_free(pid)), _live.tasks(pid))
        t.equal(children(pid), [], "children")

    def python(text):
        return bench.start(
            sys.executable, "-c", "import ctypes, os, sys, time\n"
            "libc = ctypes.CDLL(None)\n" + text +
            "\nprint('ready', flush=True)\nsys.stdin.read()")

    why(python("libc.prctl(36, 1, 0, 0, 0)").pid, "adopts orphans")
    # A filter that allows everything: what it forbids cannot be seen.
    why(python("libc.prctl(38, 1, 0, 0, 0)\n"
               "code = ctypes.create_string_buffer("
               "bytes.fromhex('06000000' + '0000ff7f'))\n"
               "prog = ctypes.create_string_buffer((1).to_bytes(8, 'little') +"
               " ctypes.addressof(code).to_bytes(8, 'little'))\n"
               "assert libc.prctl(22, 2, prog, 0, 0) == 0").pid, "seccomp")
    target = bench.known(2)
    _live.stop(target)
    d = bench.json(t, target.pid, "--fork")
    t.check(any(w["code"] == "live.fork" and "stopped" in w["text"]
                for w in d["warnings"]), d["warnings"])
    t.equal({s for s, _ in _live.tasks(target.pid).values()}, {"T"})
    target.send_signal(signal.SIGCONT)
    # 600 MiB in pages of their own take longer than a pause of 2 ms.
    target = python("x = bytearray(600 << 20)")
    why(target.pid, "MiB takes some", "--max-pause=2", args=("--max-pause=2",))
    target.kill()
    target = bench.start(bench.exe("slow_page"), ready=False)
    if target.stdout.readline() == "ready\n":
        d = bench.json(t, target.pid, "--fork", "--no-variables")
        t.check(any("userfaultfd" in w["text"] for w in d["warnings"]),
                d["warnings"])
        t.equal(children(target.pid), [])
    target.kill()
    target = bench.start(bench.exe("storm"), "vfork")
    _live.await_vfork(target)
    d = bench.json(t, target.pid, "--fork")
    t.check(any(w["code"] == "live.fork" and "vfork" in w["text"]
                for w in d["warnings"]), d["warnings"])
    target.kill()
    limited(bench, t, why)


def below(bench, t):
    """Stacks with something else below them are not written to."""
    for mode in ("heap", "coroutine", "alternate"):
        target = bench.start(bench.exe("below"), mode, ready=False)
        said = target.stdout.readline()
        if said == "no room\n":
            continue
        t.equal(said, "ready\n", mode)
        d = bench.json(t, target.pid, "--fork")
        t.check(any(w["code"] == "live.fork" and "room to spare" in w["text"]
                    for w in d["warnings"]), mode, d["warnings"])
        target.stdin.write("\n")
        target.stdin.flush()
        t.equal(target.stdout.readline(), "whole\n", mode)
        target.kill()


def limited(bench, t, why):
    """RLIMIT_NPROC, which root is not bound by."""
    if os.geteuid() != 0:
        return
    target = bench.start(
        sys.executable, "-c", "import os, resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))\n"
        "os.setgid(61234); os.setuid(61234)\n"
        "print('ready', flush=True); sys.stdin.read()", cwd="/")
    why(target.pid, "RLIMIT_NPROC")


def threads_and_storms(bench, t):
    """Many threads, and such as come and go."""
    target = bench.known(300)
    d = bench.json(t, target.pid, "--fork", "--max-pause=3000")
    t.equal(len(d["threads"]), 302)
    t.check(all(x["frames"] for x in d["threads"]), "without frames")
    t.equal([w for w in d["warnings"] if w["code"] in
             ("live.fork", "live.running", "live.incomplete")], [])
    target.kill()
    target = bench.start(bench.exe("storm"), "threads")
    for _ in range(5):
        d = bench.json(t, target.pid, "--fork", "--no-variables")
        t.check(len(d["threads"]) >= 3)
        t.check(wait_for(lambda: _live.is_free(target.pid)))
        t.equal(children(target.pid), [])
    target.kill()


def copies_end(bench, t):
    """With us, however we end: nothing of the target's name is left."""
    target = bench.start(bench.exe("steady"), "blocked")
    before = copies(target)
    for how in (None, signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        tracer = subprocess.Popen(
            [os.path.join(bench.build, "ptrace"), str(target.pid), "--fork",
             "-o", "e.btt", "--overwrite"], cwd=bench.dir,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        if how is not None:
            wait_for(lambda: copies(target) > before, 3)
            tracer.send_signal(how)
        tracer.wait(_live.PATIENCE)
        t.check(wait_for(lambda: copies(target) == before), how,
                "copies left running")
        check_untouched(t, target, f"{how}:")


def copies(target):
    """Processes of that program that are not dead."""
    name = os.path.realpath(f"/proc/{target.pid}/exe")
    count = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            count += os.readlink(f"/proc/{pid}/exe") == name
        except OSError:
            pass
    return count


def repeated(bench, t):
    """With --watch each snapshot has a copy of its own."""
    exe = build(bench, "stamps", STAMPS)
    build(bench, "reader.so", READER, "-shared", "-fPIC")
    target = bench.start(exe)
    done = bench.run("ptrace", target.pid, "--fork", "--watch=0.1",
                     "--max-pause=3000", "--count=3", "--module-load=reader.so", "-O", "w")
    t.equal(done.returncode, 0, done.stderr)
    docs = [document(bench, p) for p in done.stdout.splitlines()]
    t.equal([d["attributes"].get("reader.torn") for d in docs], [0, 0, 0])
    first = [d["attributes"].get("reader.first") for d in docs]
    t.check(len(first) == 3 and first[0] < first[1] < first[2], first)


def body(bench, t):
    frozen(bench, t)
    unnoticed(bench, t)
    refusals(bench, t)
    below(bench, t)
    threads_and_storms(bench, t)
    copies_end(bench, t)
    repeated(bench, t)
    every_step(bench, t)


if __name__ == "__main__":
    sys.exit(_live.main(body))
