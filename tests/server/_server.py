# SPDX-License-Identifier: MIT
"""What the tests of the server programs share."""
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "tools"))
import _tool  # noqa: E402
from _tool import crash  # noqa: E402,F401

# Seconds, on a machine that does much else besides.
PATIENCE = 120


def program(bench, name, flags=("-g", "-O0")):
    return crash.build(os.path.join(HERE, "programs", name + ".c"),
                       list(flags), "gcc", bench.dir)


def wait_for(condition, seconds=PATIENCE):
    """The first true value of condition(), or its last."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.01)


def document(bench, path):
    """The snapshot as JSON, None when it cannot be read."""
    done = bench.run("ptrace", "-b", path, "--format=json")
    return json.loads(done.stdout) if done.returncode == 0 else None


def snapshots(where):
    return sorted(os.path.join(where, x) for x in os.listdir(where)
                  if x.endswith(".btt"))


def state_of(pid):
    """The letter in /proc/PID/stat; "" when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii",
                  errors="replace") as f:
            return f.read().rpartition(") ")[2][:1]
    except OSError:
        return ""


def run(command, **options):
    options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    env = dict(os.environ, **options.pop("env", {}))
    env.setdefault("ASAN_OPTIONS", "detect_leaks=0")
    return subprocess.run(command, env=env, text=True, check=False,
                          errors="replace", timeout=PATIENCE, **options)
