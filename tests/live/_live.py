# SPDX-License-Identifier: MIT
"""What the tests of live processes share: programs that run, ptrace and bt on
them with a time limit, and what /proc says of a target afterwards."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
import crash  # noqa: E402
import checks  # noqa: E402

# For what takes a moment, on a machine that does much else besides.
PATIENCE = 60
TIMEOUT = 2 * PATIENCE


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
        if ready:
            said = target.stdout.readline()
            # No reason to skip anything, as CrashError would be.
            assert said == "ready\n", (exe, args, said, target.poll())
        return target

    def known(self, threads, *mode, **options):
        """The program of that name, all threads of it where they stay."""
        target = self.start(self.exe("known"), threads, *mode, **options)
        await_state(target.pid, "Z" if "leader" in mode else "S")
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
        # Not the limit for callers that kill tracers, on a busy machine.
        done = self.run("bt", "--json", f"--timeout={PATIENCE}", pid, *args)
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


def state_of(tid):
    """The letter in /proc/TID/stat; "" of what is not there."""
    try:
        with open(f"/proc/{tid}/stat", errors="replace") as f:
            return f.read().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def wait_for(what, seconds=PATIENCE):
    """Until it is true; False: it never was."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.001)
    return True


def await_state(tid, state):
    if not wait_for(lambda: state_of(tid) == state):
        raise AssertionError(f"{tid} is '{state_of(tid)}', never '{state}'")


def wait_asleep(tid):
    """Until that thread waits: what it said before is long behind it."""
    await_state(tid, "S")


def stop(target):
    """Stops it; all its threads stand still afterwards."""
    target.send_signal(signal.SIGSTOP)
    if not wait_for(lambda: all(s == "T" for s, _ in
                                tasks(target.pid).values())):
        raise AssertionError(f"not stopped: {tasks(target.pid)}")


def await_vfork(target):
    """Until a thread of it waits in vfork for its child."""
    if not wait_for(lambda: children(target.pid) and sorted(
            s for s, _ in tasks(target.pid).values()) == ["D", "S"]):
        raise AssertionError(f"no vfork: {tasks(target.pid)}")


def children(pid):
    """All of its children, dead ones included."""
    found = []
    try:
        for tid in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{tid}/children") as f:
                found += [int(x) for x in f.read().split()]
    except OSError:
        pass  # it, or a thread of it, has ended
    return found


def beats(target):
    """How often the heart of a known program has beaten."""
    target.stdin.write("\n")
    target.stdin.flush()
    return int(target.stdout.readline())


def runs_on(target):
    before = beats(target)
    return wait_for(lambda: beats(target) > before)


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
    return checks.run(Bench, body)
