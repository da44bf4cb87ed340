#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Real programs as the distribution ships them, as core and live: every frame
of every thread that GDB has must be in the snapshot, in its order, and no
caller's frame may lie outside executable memory.

    real.py --build DIR [--long] [--only WORD] [--keep DIR]

vim, python3, nginx, redis and rustc are stripped, with libc6-dbg beside them.
Debian's python3.11-dbg has the debug information of code built with LTO: at
least as many frames, the inlined ones included, as GDB. --long adds Chromium,
which has no unwind tables: GDB is no reference there (it invents frames), but
LLDB and eu-stack are where they agree. The process sleeps, so that its stacks
are the same for all who look.

A program that is not installed is skipped; with none installed the test is.
"""
import argparse
import contextlib
import difflib
import glob
import os
import pty
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import crash  # noqa: E402
import matrix  # noqa: E402
import run  # noqa: E402

TRIES = 4  # of a live process, which may just have been awake

PYTHON = """
import threading, time, ctypes
def deep(n, wait):
    if n:
        return deep(n - 1, wait)
    wait.wait()
    return sorted([3, 1, 2], key=lambda x: time.sleep(1000))
wait = threading.Event()
for i in range(4):
    threading.Thread(target=deep, args=(i * 5, wait), daemon=True).start()
print("ready", flush=True)
deep(3, wait)
"""

NGINX = """
daemon off; master_process off; pid {0}/pid; error_log {0}/error.log;
events {{ worker_connections 16; }}
http {{
  access_log off;
  client_body_temp_path {0}/t; proxy_temp_path {0}/t; fastcgi_temp_path {0}/t;
  uwsgi_temp_path {0}/t; scgi_temp_path {0}/t;
  server {{ listen unix:{0}/socket; }}
}}
"""

PAGE = """<!doctype html><title>a page</title><p id=p>text</p>
<script>let n = 0; setInterval(() => { p.textContent = ++n; }, 1e7);</script>
"""


def allow_core():
    resource.setrlimit(resource.RLIMIT_CORE,
                       (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def start(words, **more):
    return subprocess.Popen(
        words, **{"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
                  "stderr": subprocess.DEVNULL, "start_new_session": True,
                  **more})


def wait_for(path):
    for _ in range(500):
        if os.path.exists(path):
            return
        time.sleep(0.02)


def write(path, text):
    with open(path, "w") as f:
        f.write(text)
    return path


def vim(where):
    path = shutil.which("vim.basic") or shutil.which("vim")
    if path is None:
        return None
    text = write(os.path.join(where, "text"), "a few words\n" * 50)
    main, child = pty.openpty()
    process = start([path, "-N", "-u", "NONE", "-i", "NONE", "-n", text],
                    stdin=child, stdout=child, stderr=child,
                    env=dict(os.environ, TERM="vt100"))
    os.read(main, 100)
    return process


def python(where):
    path = "/usr/bin/python3"
    if not os.path.exists(path):
        return None
    script = write(os.path.join(where, "script.py"), PYTHON)
    process = start([path, script], stdout=subprocess.PIPE)
    process.stdout.readline()
    return process


def nginx(where):
    path = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if path is None:
        return None
    config = write(os.path.join(where, "conf"), NGINX.format(where))
    process = start([path, "-p", where, "-c", config,
                     "-e", os.path.join(where, "error.log")])
    wait_for(os.path.join(where, "socket"))
    return process


def redis(where):
    path = shutil.which("redis-server")
    if path is None:
        return None
    socket = os.path.join(where, "socket")
    process = start([path, "--port", "0", "--unixsocket", socket, "--save",
                     "", "--dir", where])
    wait_for(socket)
    return process


def rustc(where):
    """A large Rust program of several threads, waiting for its input."""
    path = matrix.COMPILERS["rustc", "Rust"]
    if not os.path.exists(path):
        return None
    process = start([path, "-", "-o", os.path.join(where, "out")],
                    stdin=subprocess.PIPE)
    time.sleep(0.3)
    return process


PROGRAMS = [vim, python, nginx, redis, rustc]


def chromium(where):
    """Its browser process; the renderers are below it."""
    path = "/usr/lib/chromium/chromium"
    if not os.path.exists(path) or crash.method() != "kernel" or \
            shutil.which("eu-stack") is None:
        return None
    page = write(os.path.join(where, "page.html"), PAGE)
    profile = os.path.join(where, "profile")
    process = start([path, "--headless", "--no-sandbox", "--disable-gpu",
                     "--disable-background-networking", "--no-first-run",
                     "--disable-breakpad", "--disable-crash-reporter",
                     "--disable-in-process-stack-traces",
                     f"--user-data-dir={profile}",
                     "--remote-debugging-port=0", f"file://{page}"],
                    cwd=where, preexec_fn=allow_core)
    for _ in range(60):
        time.sleep(0.5)
        if renderer(process.pid):
            break
    time.sleep(4)
    return process


def renderer(pid):
    """The first renderer among the descendants of a process, or None."""
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        with contextlib.suppress(OSError):
            with open(path) as f:
                children = [int(child) for child in f.read().split()]
            for child in children:
                with open(f"/proc/{child}/cmdline", "rb") as f:
                    if b"--type=renderer" in f.read():
                        return child
                below = renderer(child)
                if below is not None:
                    return below
    return None


def settle(pid):
    """Waits until all threads sleep: their state is then a fixed one."""
    for _ in range(200):
        states = set()
        for path in glob.glob(f"/proc/{pid}/task/*/stat"):
            with contextlib.suppress(OSError):
                with open(path) as f:
                    states.add(f.read().rpartition(")")[2].split()[0])
        if states == {"S"}:
            return
        time.sleep(0.02)


def gcore(pid, where):
    subprocess.run(["gcore", "-o", os.path.join(where, "core"), str(pid)],
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, check=False, timeout=300)
    return os.path.join(where, f"core.{pid}")


def executable(document, ip):
    return any(int(m["start"], 16) <= ip < int(m["end"], 16) and
               "x" in m["perms"] for m in document["mappings"])


def missing_from(want, have):
    """The elements of `want` that are not in `have` in their order."""
    out, at = [], 0
    for pc in want:
        try:
            at = have.index(pc, at) + 1
        except ValueError:
            out.append(pc)
    return out


def physical(thread):
    return [int(f["ip"], 16) for f in thread["frames"]
            if not f["inline"] and f["trust"] != "tailcall"]


def check(name, document, reference):
    """Against GDB. Returns the lines that say what is wrong."""
    wrong = []
    frames = inlined = 0
    ours = {t["tid"]: t for t in document["threads"]}
    for theirs in reference["threads"]:
        where = f"{name} thread {theirs['tid']}"
        mine = ours.get(theirs["tid"])
        if mine is None:
            wrong.append(f"{where}: missing")
            continue
        have = physical(mine)
        want = [f["pc"] for f in theirs["frames"]
                if f["kind"] in ("normal", "signal", "arch")]
        virtual = [sum(f["inline"] for f in mine["frames"]),
                   sum(f["kind"] == "inline" for f in theirs["frames"])]
        frames += len(want)
        inlined += virtual[1]
        lost = missing_from(want, have)
        stray = [ip for ip in have[1:] if not executable(document, ip)]
        if lost or stray or virtual[0] < virtual[1]:
            wrong.append(f"{where}: missing {[hex(pc) for pc in lost]}, not "
                         f"executable {[hex(ip) for ip in stray]}, inlined "
                         f"{virtual[0]} of {virtual[1]}")
    print(f"{name}: {len(reference['threads'])} threads, {frames} frames, "
          f"{inlined} inlined, {len(wrong)} threads wrong")
    if frames == 0:
        wrong.append(f"{name}: the reference has no frame")
    return wrong


def live(args, name, pid, reference):
    """The same process, asked itself."""
    wrong = []
    for _ in range(TRIES):
        settle(pid)
        wrong = check(name, run.bt(args.build, str(pid)), reference)
        if not wrong:
            break
    return wrong


def against_gdb(args, begin, process, where):
    name = begin.__name__
    settle(process.pid)
    built = matrix.Built(os.path.realpath(f"/proc/{process.pid}/exe"))
    core = gcore(process.pid, where)
    theirs = run.reference(built, core, os.path.join(where, "gdb.json"),
                           evidence=False)
    wrong = check(name + " core", run.snapshot(args.build, built, core),
                  theirs)
    return wrong + live(args, name + " live", process.pid, theirs)


def printed(words, thread, frame):
    """{tid: pcs} from the output of a program that prints stacks. Inlined
    frames, which repeat the pc of the function around them, count once."""
    done = subprocess.run(words, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          timeout=900, check=False)
    out, current = {}, []
    for text in done.stdout.splitlines():
        match = re.search(thread, text)
        if match:
            current = out.setdefault(int(match.group(1), 0), [])
        match = re.search(frame, text)
        if match and (not current or current[-1] != int(match.group(1), 16)):
            current.append(int(match.group(1), 16))
    return out


def agreed(exe, core):
    """{tid: pcs} of what LLDB and eu-stack both have."""
    lldb = shutil.which("lldb-22") or shutil.which("lldb")
    first = printed(
        [lldb, "--no-lldbinit", "--batch",
         "-o", r'settings set thread-stop-format "\nTHREAD ${thread.id}\n"',
         "-o", r'settings set frame-format "FRAME ${frame.pc}\n"',
         "-o", f"target create {exe} --core {core}",
         "-o", "thread backtrace all"],
        r"THREAD (\w+)", r"FRAME 0x([0-9a-f]+)")
    second = printed(["eu-stack", "--core=" + core, "-e", exe],
                     r"^TID (\d+):", r"^#\d+\s+0x([0-9a-f]+)")
    out = {}
    for tid, pcs in first.items():
        blocks = difflib.SequenceMatcher(
            None, pcs, second.get(tid, []), autojunk=False)
        out[tid] = [pc for block in blocks.get_matching_blocks()
                    for pc in pcs[block.a:block.a + block.size]]
    return out


def killed(pid, where):
    """The core that the kernel writes: gcore would write out the terabyte
    that V8 reserves."""
    os.kill(pid, signal.SIGSEGV)
    with contextlib.suppress(OSError):  # its parent may wait for it
        for _ in range(600):
            time.sleep(0.2)
            with open(f"/proc/{pid}/stat") as f:
                if f.read().rpartition(")")[2].split()[0] == "Z":
                    break
    [core] = [path for path in glob.glob(os.path.join(where, "core*"))
              if not path.endswith(".seen")]
    os.rename(core, core + f".{pid}.seen")
    return core + f".{pid}.seen"


def against_lldb(args, _, process, where):
    """Browser and renderer of Chromium, which die for it."""
    wrong = []
    for pid, name in ((renderer(process.pid), "chromium renderer"),
                      (process.pid, "chromium browser")):
        settle(pid)
        built = matrix.Built(os.path.realpath(f"/proc/{pid}/exe"))
        documents = [run.bt(args.build, str(pid)) for _ in range(TRIES)]
        core = killed(pid, where)
        theirs = {"threads": [
            {"tid": tid, "frames": [{"pc": pc, "kind": "normal"}
                                    for pc in pcs]}
            for tid, pcs in agreed(built.exe, core).items()]}
        wrong += check(name + " core", run.snapshot(args.build, built, core),
                       theirs)
        wrong += min((check(name + " live", document, theirs)
                      for document in documents), key=len)
    return wrong


def one(args, begin, compare_with):
    """The lines that say what is wrong; None when it is not installed."""
    with tempfile.TemporaryDirectory() as scratch:
        where = os.path.join(args.keep, begin.__name__) if args.keep \
            else scratch
        os.makedirs(where, exist_ok=True)
        process = begin(where)
        if process is None:
            return None
        try:
            return compare_with(args, begin, process, where)
        except (OSError, RuntimeError, ValueError,
                subprocess.SubprocessError) as e:
            return [f"{begin.__name__}: {e}"]
        finally:
            # The session that it leads, with all its children.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--long", action="store_true", help="also Chromium")
    parser.add_argument("--only", help="programs whose name has this word")
    parser.add_argument("--keep", help="keep the cores here")
    args = parser.parse_args()
    passed = failed = skipped = 0
    programs = [(begin, against_gdb) for begin in PROGRAMS]
    if args.long:
        programs.append((chromium, against_lldb))
    for begin, compare_with in programs:
        if args.only and args.only not in begin.__name__:
            continue
        wrong = one(args, begin, compare_with)
        if wrong is None:
            print(f"{begin.__name__}: not installed, skipped")
            skipped += 1
            continue
        for text in wrong:
            print("  " + text)
        passed += not wrong
        failed += bool(wrong)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    if passed + failed == 0:
        return 77
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
