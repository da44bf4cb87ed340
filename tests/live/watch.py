#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Several snapshots of one process (--watch, --count): each shows the process
as it was then, modules stay loaded and are reset in between, and neither an
exec nor a module that crashes nor the end of the process ends more than it
has to."""
import json
import os
import signal
import subprocess
import sys
import time

import _live
from _live import wait_for

COUNTER = """
local resets, taken = 0, 0
pmodule.define{
  id = "counter",
  load = function()
    pmodule.register(pmodule.event.postattach, function(bt)
      taken = taken + 1
      bt:add_kv_int("counter.taken", taken)
      bt:add_kv_int("counter.resets", resets)
    end)
    pmodule.log(pmodule.log_level.warning, "loaded")
  end,
  reset = function() resets = resets + 1 end,
  unload = function() pmodule.log(pmodule.log_level.warning, "unloaded") end,
}
"""

# In C: dies at the second snapshot of its process.
CRASHER = r"""
#include <ptrace/pmodule.h>
#include <stddef.h>
static int seen;
static void after(ptrace_backtrace_t *bt)
{
	(void)bt;
	if (++seen == 2)
		*(volatile int *)(size_t)seen = 0;
}
static bool load(pmodule_t *pm)
{
	return pmodule_postattach_event_add(pm, after);
}
PMODULE_DEFINE("crasher", load, NULL, NULL)
"""


def documents(bench, done):
    return [json.loads(bench.run("ptrace", "-b", p, "--json").stdout)
            for p in done.stdout.splitlines()]


def counted(bench, t):
    """Each is fresh, and the modules are those of the first."""
    with open(os.path.join(bench.dir, "counter.lua"), "w") as f:
        f.write(COUNTER)
    target = bench.known(3)
    started = time.monotonic()
    done = bench.run("ptrace", target.pid, "--watch=0.3", "--count", 4, "-O",
                     "w", "--global=beats", "--module-load=counter.lua")
    took = time.monotonic() - started
    t.equal(done.returncode, 0, done.stderr)
    t.check(0.9 <= took, "the interval was not kept:", took)
    docs = documents(bench, done)
    t.equal(len(docs), 4, done.stdout)
    t.equal([(d["attributes"].get("counter.taken"),
              d["attributes"].get("counter.resets")) for d in docs],
            [(1, 0), (2, 1), (3, 2), (4, 3)])
    beats = [v["value"] for d in docs for v in d["globals"]
             if v["name"] == "beats"]
    t.equal(len(beats), 4, "values:", beats)
    t.check(all(a < b for a, b in zip(beats, beats[1:])), "stale:", beats)
    t.equal(len({d["uuid"] for d in docs}), 4, "uuids")
    t.equal([len(d["threads"]) for d in docs], [5] * 4)
    for d in docs:
        t.check(all(x["frames"] for x in d["threads"]), "without frames")
        t.equal(d["partial"], False)
    for word in ("loaded", "unloaded"):
        t.equal(sum(line.endswith(": " + word)
                    for line in done.stderr.splitlines()), 1, done.stderr)
    t.check(_live.is_free(target.pid), _live.tasks(target.pid))


def one_file(bench, t):
    target = bench.known(1)
    done = bench.run("ptrace", target.pid, "--count=2", "--watch=0.1", "-o",
                     "one.btt")
    t.equal(done.returncode, 1, done.stderr)
    done = bench.run("ptrace", target.pid, "--count=2", "--watch=0.1", "-o",
                     "one.btt", "--overwrite")
    t.equal((done.returncode, done.stdout), (0, "one.btt\n" * 2), done.stderr)
    for words in (("--watch=0", target.pid), ("--watch=x", target.pid),
                  ("--watch=1.", target.pid), ("--watch=1.0001", target.pid),
                  ("--watch=-1", target.pid), ("--count=0", target.pid),
                  ("--count=1", "--core", "x"), ("--watch=1", "-b", "x")):
        t.equal(bench.run("ptrace", *words).returncode, 1, words)


def until_it_ends(bench, t):
    target = bench.known(2)
    tracer = subprocess.Popen(
        [os.path.join(bench.build, "ptrace"), str(target.pid), "--watch=0.05",
         "-O", "e", "-L", "info"], cwd=bench.dir, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    for _ in range(3):
        t.check(tracer.stdout.readline().endswith(".btt\n"), "a path")
    target.kill()
    target.wait()
    _, err = tracer.communicate(timeout=_live.PATIENCE)
    t.equal(tracer.returncode, 0, err)
    t.check(f"process {target.pid} has ended; snapshots taken: " in err, err)
    # Of a process that never was there is no snapshot.
    done = bench.run("ptrace", target.pid, "--count=2")
    t.equal((done.returncode, done.stdout), (2, ""), done.stderr)


def through_exec(bench, t):
    """Another program: with modules, files and memory of its own."""
    target = bench.start(bench.exe("storm"), "exec", 300,
                         env=dict(os.environ, SLOWLY="1"))
    done = bench.run("ptrace", target.pid, "--watch=0.08", "--count=20",
                     "-O", "x")
    t.equal(done.returncode, 0, done.stderr)
    docs = documents(bench, done)
    t.check(len(docs) >= 3, len(docs), "of 20 taken:", done.stderr)
    for d in docs:
        t.check(d["threads"] and all(x["frames"] for x in d["threads"]),
                d["threads"])
    said = {d["attributes"].get("process.args") for d in docs}
    t.check(len(said) > 1, "one program only:", said)
    t.check(_live.is_free(target.pid), _live.tasks(target.pid))


def crashing_module(bench, t):
    source = os.path.join(bench.dir, "crasher.c")
    with open(source, "w") as f:
        f.write(CRASHER)
    subprocess.run(["gcc", "-shared", "-fPIC", "-I",
                    os.path.join(_live.ROOT, "include"), "-o",
                    os.path.join(bench.dir, "crasher.so"), source],
                   check=True)
    target = bench.known(2)
    done = bench.run("ptrace", target.pid, "--watch=0.05", "--count=4", "-O",
                     "c", "--module-load=crasher.so")
    t.equal(done.returncode, 0, done.stderr)
    docs = documents(bench, done)
    t.equal(len(docs), 4, done.stderr)
    t.check(not any("crasher" in w["text"] for w in docs[0]["warnings"]),
            docs[0]["warnings"])
    for d in docs[1:]:
        t.check(any("crasher" in w["text"] for w in d["warnings"]),
                d["warnings"])
    for d in docs:
        t.equal(len(d["threads"]), 4, "threads:")
        t.check(all(x["frames"] for x in d["threads"]), "without frames")


def killed(bench, t):
    """At any time: between two, or while one is taken."""
    target = bench.known(50)
    for i in range(10):
        tracer = subprocess.Popen(
            [os.path.join(bench.build, "ptrace"), str(target.pid),
             "--watch=0.02", "-O", "k"], cwd=bench.dir,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        tracer.stdout.readline()
        time.sleep(0.007 * i)
        workers = _live.children(tracer.pid)
        tracer.send_signal((signal.SIGKILL, signal.SIGTERM)[i % 2])
        tracer.wait(_live.PATIENCE)
        tracer.stdout.close()
        t.check(wait_for(lambda: _live.is_free(target.pid)), "left stopped")
        t.check(wait_for(lambda: all(_live.state_of(w) in ("", "Z", "X")
                                     for w in workers)),
                "workers left:", workers)


def memory(bench, t):
    """What was collected is given back: many take no more than a few."""
    target = bench.known(30)
    tracer = subprocess.Popen(
        [os.path.join(bench.build, "ptrace"), str(target.pid), "--watch=0.001",
         "-o", "m.btt", "--overwrite", "--count=40"], cwd=bench.dir,
        text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    sizes = []
    while tracer.stdout.readline():
        kb = 0
        for pid in _live.children(tracer.pid):
            try:
                with open(f"/proc/{pid}/status") as f:
                    kb += sum(int(line.split()[1]) for line in f
                              if line.startswith("RssAnon"))
            except OSError:
                pass
        sizes.append(kb)
    t.equal(tracer.wait(_live.PATIENCE), 0)
    t.equal(len(sizes), 40)
    # Between two, the worker alone is there.
    seen = [s for s in sizes if s]
    if len(seen) > 20:
        t.check(min(seen[-10:]) < 2 * min(seen[2:12]) + 4096, "grows:", seen)


def body(bench, t):
    counted(bench, t)
    one_file(bench, t)
    until_it_ends(bench, t)
    through_exec(bench, t)
    crashing_module(bench, t)
    killed(bench, t)
    memory(bench, t)


if __name__ == "__main__":
    sys.exit(_live.main(body))
