# SPDX-License-Identifier: MIT
"""What the tests of live processes share: programs that run, ptrace and bt on
them with a time limit, and what /proc says of a target afterwards."""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
import crash  # noqa: E402
from checks import Checks  # noqa: E402

TIMEOUT = 60


class Bench:
    """A directory with the helper programs, and what was started from it."""

    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.dir = tempfile.mkdtemp(prefix="inquest-live.")
        os.chmod(self.dir, 0o755)
        self._exes, self._targets = {}, []

    def exe(self, name, *flags):
        key = (name, flags)
        if key not in self._exes:
            self._exes[key] = crash.build(
                os.path.join(HERE, "programs", name + ".c"),
                ["-g", *(flags or ["-O1"])], "gcc", self.dir,
                name=f"{name}-{len(self._exes)}")
        return self._exes[key]

    def start(self, exe, *args, ready=True, **options):
        """A running target; it has said that it is ready."""
        options.setdefault("stdin", subprocess.PIPE)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("cwd", self.dir)
        target = subprocess.Popen([exe, *map(str, args)], text=True,
                                  **options)
        self._targets.append(target)
        if ready and target.stdout.readline() != "ready\n":
            raise crash.CrashError(f"{exe} does not start")
        return target

    def run(self, program, *args, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        options.setdefault("cwd", self.dir)
        env = dict(os.environ, **options.pop("env", {}))
        env.setdefault("ASAN_OPTIONS", "detect_leaks=0")
        options["env"] = env
        return subprocess.run(
            [os.path.join(self.build, program), *map(str, args)], text=True,
            timeout=TIMEOUT, errors="surrogateescape", check=False, **options)

    def json(self, t, pid, *args):
        """The document of a live process; {} after a failure is noted."""
        done = self.run("bt", "--json", pid, *args)
        if not t.equal(done.returncode, 0, "bt", pid, *args, done.stderr):
            return {"threads": [], "attributes": {}, "warnings": []}
        return json.loads(done.stdout)

    def close(self):
        for target in self._targets:
            target.kill()
            target.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def tasks(pid):
    """{tid: (state, tracer)} of all threads."""
    found = {}
    for tid in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{tid}/status") as f:
                lines = dict(line.rstrip("\n").split(":", 1) for line in f
                             if ":" in line)
        except (FileNotFoundError, ProcessLookupError):
            continue
        found[int(tid)] = (lines["State"].strip()[0],
                           int(lines["TracerPid"]))
    return found


def wait_asleep(tid):
    """Until that thread waits: what it said before is long behind it."""
    for _ in range(10000):
        with open(f"/proc/{tid}/stat") as f:
            if f.read().rpartition(")")[2].split()[0] == "S":
                return
        time.sleep(0.001)
    raise crash.CrashError(f"{tid} does not come to rest")


def is_free(pid):
    """No thread is stopped or traced."""
    return all(state not in "tT" and tracer == 0
               for state, tracer in tasks(pid).values())


def names(thread):
    return [f["symbol"] for f in thread["frames"]]


def variable(thread, function, name):
    """The value of a local in the frame of that function; None: not there."""
    for frame in thread["frames"]:
        if frame["symbol"] == function:
            for v in frame.get("variables", []):
                if v["name"] == name:
                    return v
    return None


def main(body):
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    args = parser.parse_args()
    bench, checks = Bench(args.build), Checks()
    try:
        body(bench, checks)
    except crash.CrashError as error:
        print("skipped:", error)
        return 77
    finally:
        bench.close()
    return checks.end()
