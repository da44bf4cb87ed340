# SPDX-License-Identifier: MIT
"""One run of a command, measured as a whole: seconds by the clock, processor
seconds of it and of its children, peak resident memory, bytes it read from
the disk. And instructions, under callgrind, which repeat where seconds do
not."""
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import time


class Sample:
    def __init__(self, wall, cpu, peak, read, status):
        self.wall = wall    # seconds
        self.cpu = cpu      # seconds, user and system
        self.peak = peak    # bytes: the largest process of the tree
        self.read = read    # bytes from the disk
        self.status = status  # exit status; negative: the signal


def drop_caches():
    """Empties the page cache; False where that is not allowed."""
    os.sync()
    try:
        with open("/proc/sys/vm/drop_caches", "w") as f:
            f.write("3\n")
    except OSError:
        return False
    return True


def once(words, output, timeout, cold=False):
    """Runs it with its output in a file. None: it took too long."""
    if cold and not drop_caches():
        raise PermissionError("the page cache cannot be emptied: run as root")
    # A process is charged with the peak of the one that started it (exec(2)
    # keeps ru_maxrss), and we have read large snapshots: a small one starts
    # it.
    done = subprocess.run(
        [sys.executable, os.path.abspath(__file__), str(timeout), output,
         *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        check=True)
    figures = json.loads(done.stdout)
    return None if figures is None else Sample(*figures)


def launch(words, output, timeout):
    """once(), in the small process: the figures, or None."""
    with open(output, "wb") as out:
        begin = time.perf_counter()
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=subprocess.DEVNULL,
                                   start_new_session=True)
        used = wait(process, begin + timeout)
        wall = time.perf_counter() - begin
    if used is None:
        return None
    return [wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024,
            used.ru_inblock * 512, process.returncode]


def wait(process, deadline):
    """What it used (getrusage(2)); None: killed at the deadline."""
    # A blocking wait: polling would cost what is measured. The deadline is
    # kept by a child that kills the session.
    left = max(1, int(deadline - time.perf_counter()))
    guard = subprocess.Popen(
        ["sh", "-c", f"sleep {left}; kill -9 -- -{process.pid}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    late = time.perf_counter() >= deadline
    os.killpg(guard.pid, 9)
    guard.wait()
    return None if late else used


def medians(samples):
    """One Sample of the medians."""
    def middle(name):
        return statistics.median(getattr(s, name) for s in samples)
    return Sample(middle("wall"), middle("cpu"), middle("peak"),
                  middle("read"), max(s.status for s in samples))


def instructions(words):
    """Instructions of the whole tree of processes; None without valgrind, or
    when not all was done under it (it cannot map any file)."""
    try:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--trace-children=yes",
             "--callgrind-out-file=/dev/null", *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    except FileNotFoundError:
        return None
    if done.returncode != 0 or "is partial" in done.stderr:
        return None
    counts = re.findall(r"Collected : (\d+)", done.stderr)
    return sum(int(count) for count in counts) or None


def unlimited_core():
    resource.setrlimit(resource.RLIMIT_CORE,
                       (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


if __name__ == "__main__":
    print(json.dumps(launch(sys.argv[3:], sys.argv[2], float(sys.argv[1]))))
