#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""coresnap and coresnapd: from a core on the helper's standard input to a
snapshot that a server has taken; the log lines and the list; what is tried
again and what is not; limits and broken input."""
import base64
import gzip
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import _server
from _server import run, wait_for
from _spool import Endpoint, Spool

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def one_name(s, stage, t):
    names = s.names(stage)
    t.equal(len(names), 1, f"objects in {stage}:")
    return names[0] if names else ""


def pipeline(bench, t):
    """The four lines of the log, the list on the way, the snapshot."""
    endpoint = Endpoint()
    s = Spool(bench, "format.1 = web %e /nginx$/",
              "format.1 = shop %e /mo$", url=endpoint.url + "?project=%p")
    done = s.archive(bench.core, comm="demo", exe=bench.exe)
    t.equal(done.returncode, 0, "archive:", done.stderr)
    uuid = one_name(s, "pending", t)
    t.check(re.fullmatch(UUID, uuid), uuid)
    t.equal(re.sub(r"\[\d+\]", "[PID]", done.stderr),
            f"coresnap[PID]: Crash dump archived in {s.path}/pending/{uuid}\n")
    listed = s.coresnap("list").stdout
    t.check(re.match(
        rf"^   pending/{uuid[:12]}\.\.\. c-- demo        \w{{3}} \w{{3}} [ \d]"
        rf"\d \d\d:\d\d:\d\d \d{{4}} +\d+\.\d\d[km]B\n\n"
        rf"\[pending\]/1O/\d+\.\d\d[km]B \[sending\]/0O/0\.00kB\n$", listed),
        "list:", listed)
    t.equal(s.once(), 0, "the daemon:", s.text())
    lines = s.text().splitlines()
    build, path = bench.build, s.path
    t.equal([re.sub(r"^coresnap\[\d+\]: ", "", x) for x in lines],
            [f"Executing slave: {build}/ptrace --faulted "
             f"-o{path}/sending/{uuid} --load= --kv=coresnap.object:{uuid} "
             f"--resource={path}/assets/{uuid} --core {path}/pending/{uuid} "
             f"{bench.exe}",
             f"Executing slave: {build}/coresnap-send --timeout=300 "
             f"--id={uuid} {endpoint.url}?project=shop {path}/sending/{uuid}",
             lines[-1].split(": ", 1)[1]], "log:")
    t.check(re.search(f"crash {uuid} processed in \\d+ seconds?$", lines[-1]),
            lines[-1])
    t.equal(endpoint.taken(), [uuid], "delivered:")
    body = os.path.join(s.dir, "got.btt")
    with open(body, "wb") as f:
        f.write(endpoint.posts[0][1])
    d = _server.document(bench, body)
    if t.check(d is not None, "what was delivered cannot be read"):
        t.equal(d["attributes"].get("coresnap.object"), uuid)
        t.check(any(f["symbol"] == "main" for x in d["threads"]
                    for f in x["frames"]), "no main")
    for stage in ("pending", "sending", "assets", "state", "incoming"):
        t.equal(s.names(stage), [], stage)
    endpoint.close()


def retries(bench, t):
    """A server that is down, slow to answer, or does not want it."""
    endpoint = Endpoint()
    s = Spool(bench, url="http://127.0.0.1:1/")
    s.archive(bench.core)
    s.once()
    uuid = one_name(s, "sending", t)
    t.check("again in 1 seconds" in s.text(), s.text())
    done = s.coresnap("info", "sending/" + uuid[:8])
    t.check("attempts   1" in done.stdout and "reason" in done.stdout,
            done.stdout)
    # Up again, in trouble, then with an answer that is lost on its way.
    s.url = endpoint.url
    s.configure()
    endpoint.answers = [(503, {"Retry-After": "1"}, b"busy"),
                        (429, {}, b""), "drop"]
    s.start()
    wait_for(lambda: not s.names("sending"))
    s.stop()
    t.equal([x[0] for x in endpoint.posts], [uuid] * 4,
            "the same name each time:")
    t.equal(s.names("done"), [uuid], "remembered:")
    # Never: 4xx. It is kept, with the reason, and can be tried again.
    endpoint.answers = [(413, {}, b"too \x1b[31mlarge\n")]
    s.archive(bench.core)
    s.once()
    uuid = one_name(s, "failed", t)
    entry = (s.listed() or [{}])[0]
    t.check("413" in (entry.get("reason") or ""), entry)
    t.check("\x1b" not in s.text(), "escapes of the server in the log")
    t.equal((entry.get("stage"), entry.get("snapshot")), ("failed", True))
    t.equal(s.coresnap("retry", "failed/" + uuid[:10]).returncode, 0)
    s.once()
    t.check(uuid in endpoint.taken(), "after retry:", s.text())
    endpoint.close()


def bad_objects(bench, t):
    """What ptrace cannot read, and one of our own programs."""
    s = Spool(bench)
    # Whatever the header says is a core gets a snapshot; so ptrace refuses
    # here because it is asked to.
    s.configure("ptrace.tries = 1", "ptrace.options = --no-such-option")
    broken = os.path.join(s.dir, "broken")
    with open(bench.core, "rb") as f:
        head = f.read(64)
    with open(broken, "wb") as f:
        f.write(head + b"\0" * 65536)
    t.equal(s.archive(broken).returncode, 0, "a core that is none inside")
    s.once()
    entry = [x for x in s.listed() if x["stage"] == "failed"]
    t.equal(len(entry), 1, "put aside:", s.text())
    t.check(entry and "ptrace ended with status 1" in entry[0]["reason"] and
            "no-such-option" in entry[0]["reason"], entry)
    s.configure()
    s.archive(bench.core, comm="ptrace",
              exe=os.path.join(bench.build, "ptrace"))
    s.once()
    own = [x for x in s.listed() if x["comm"] == "ptrace"]
    t.check(own and own[0]["stage"] == "failed" and
            "itself" in own[0]["reason"], "own program:", own)
    # Nothing, garbage, and a core that ends early.
    for data in (b"", b"#!/bin/sh\n" * 100, b"\x7fELF"):
        with open(broken, "wb") as f:
            f.write(data)
        done = s.archive(broken)
        t.check(done.returncode == 2 and "not kept" in done.stderr, data[:10],
                done.stderr)
    with open(bench.core, "rb") as f:
        data = f.read(200000)
    with open(broken, "wb") as f:
        f.write(data)
    t.equal(s.archive(broken, comm="cut").returncode, 0)
    s.once()
    entry = [x for x in s.listed() if x["comm"] == "cut"]
    t.check(entry and entry[0]["cut"] == "ended early" and
            entry[0]["stage"] == "sending", entry, s.text())
    t.equal(s.names("incoming"), [], "left in incoming")


def limits(bench, t):
    s = Spool(bench, "limit.executable = 3/h", "dump.concurrent = 2")
    results = [s.archive(bench.core, comm="storm") for _ in range(8)]
    t.equal([x.returncode for x in results], [0] * 3 + [2] * 5, "rate:")
    t.equal(sum(bool(x.stderr) for x in results), 3 + 3,
            "lines: three kept, and dropped numbers 1, 2 and 4")
    t.equal(s.archive(bench.core, comm="other").returncode, 0, "another one")
    s = Spool(bench, "dump.quota = 99%")
    done = s.archive(bench.core)
    t.check(done.returncode == 2 and "quota" in done.stderr, done.stderr)
    t.equal(s.names("pending") + s.names("incoming"), [], "quota:")
    s = Spool(bench, "dump.user = 1M")
    big = s.archive(bench.core)
    t.check("cut to" in big.stderr, "room of a user:", big.stderr)
    # Without a reader of the other end: slow ones do not block for ever.
    s = Spool(bench, "dump.stall = 1s")
    ours, theirs = socket.socketpair()
    with open(bench.core, "rb") as f:
        theirs.sendall(f.read(100000))
    begun = time.monotonic()
    done = s.archive(ours)
    t.check(done.returncode == 0 and "stalled" in done.stderr, done.stderr)
    t.check(time.monotonic() - begun < _server.PATIENCE, "stalled for too long")
    # Places: two are held by receivers that wait for more.
    s = Spool(bench, "dump.concurrent = 1", "dump.wait = 1s")
    slow = subprocess.Popen(
        [os.path.join(bench.build, "coresnap"), "-d", "-c", s.conf, "archive",
         "--", "4194300", "0", "0", "11", "1", "1", "1", "", "slow", "!slow"],
        stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    wait_for(lambda: s.names("incoming"))
    done = s.archive(bench.core)
    t.check(done.returncode == 2 and "places" in done.stderr, done.stderr)
    slow.stdin.close()
    slow.wait()
    t.equal(s.archive(bench.core).returncode, 0, "the place is free again")


def facts(bench, t):
    """What is taken from /proc, and that one crash is taken once."""
    s = Spool(bench)
    when = int(time.time())
    first = s.archive(bench.core, pid=os.getpid(), comm="x y\n!", when=when)
    again = s.archive(bench.core, pid=os.getpid(), comm="x y\n!", when=when)
    t.equal((first.returncode, again.returncode), (0, 0))
    t.check("known already" in again.stderr, again.stderr)
    uuid = one_name(s, "pending", t)
    assets = os.listdir(os.path.join(s.path, "assets", uuid))
    t.check({"crash", "maps", "status", "cmdline", "descriptors"} <=
            set(assets), assets)
    t.check("environ" not in assets, "the environment holds secrets")
    entry = s.listed()[0]
    t.equal((entry["pid"], entry["comm"], entry["exe"]),
            (os.getpid(), "x y\n!", os.readlink("/proc/self/exe")))
    t.check("\n!" not in s.coresnap("list").stdout, "a name breaks the list")
    # A process that is younger than the crash is another one.
    old = s.archive(bench.core, pid=os.getpid(), comm="old", when=1000000)
    t.equal(old.returncode, 0)
    entry = [x for x in s.listed() if x["comm"] == "old"][0]
    t.equal(sorted(os.listdir(os.path.join(s.path, "assets", entry["id"]))),
            ["crash"], "facts of a stranger:")
    for where, mode in (("pending/" + entry["id"], 0o600),
                        ("assets/" + entry["id"] + "/crash", 0o600),
                        ("", 0o755)):
        got = os.stat(os.path.join(s.path, where)).st_mode & 0o777
        t.equal(got & 0o707, mode & 0o707, where, "mode:")
    if os.getuid() == 0:
        access(bench, t)


def only_his_is_readable(s, t, stage):
    for entry in s.listed():
        path = os.path.join(s.path, stage, entry["id"])
        done = subprocess.run(["cat", path], user=65534, group=65534,
                              extra_groups=[], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False)
        t.equal(done.returncode == 0, entry["comm"] == "his", entry["comm"],
                stage, "readable by its user:")
        t.equal(os.stat(path).st_uid, 0, "files stay root's:")


def access(bench, t):
    """A user reads what is of his own process, and nothing else."""
    s = Spool(bench)
    for path in (s.dir, bench.dir):
        os.chmod(path, 0o755)
    def asleep(program):
        child = subprocess.Popen([program, "100"], user=65534, group=65534,
                                 extra_groups=[])
        wait_for(lambda: _server.state_of(child.pid) == "S")
        return child

    # Who runs a program with another's rights may not read its memory.
    setuid = shutil.copy(shutil.which("sleep"), bench.dir + "/his-no-more")
    os.chown(setuid, 1234, 1234)
    os.chmod(setuid, 0o4755)
    his, other, hidden = asleep("sleep"), asleep(setuid), asleep("sleep")
    with open(f"/proc/{other.pid}/status", encoding="ascii") as f:
        t.check("Uid:\t65534\t1234" in f.read(), "setuid has no effect here")
    s.archive(bench.core, pid=his.pid, comm="his", uid=65534)
    s.archive(bench.core, pid=other.pid, comm="setuid", uid=65534)
    # The kernel's own word for a process that is not to be dumped.
    s.archive(bench.core, pid=hidden.pid, comm="undumpable", uid=65534,
              dump=2)
    s.archive(bench.core, pid=os.getpid(), comm="roots", uid=0)
    for child in (his, other, hidden):
        child.kill()
        child.wait()
    t.equal(len(s.listed()), 4, "cores:")
    only_his_is_readable(s, t, "pending")
    # The snapshots as the cores.
    t.equal(s.once(), 0, s.text())
    taken = os.listdir(os.path.join(s.path, "sending"))
    t.equal(len(taken), 4, "snapshots:", s.text())
    only_his_is_readable(s, t, "sending")


def commands(bench, t):
    s = Spool(bench)
    if os.getuid() == 0:
        done = s.coresnap("list")
        t.equal(done.stdout, "\n[pending]/0O/0.00kB [sending]/0O/0.00kB\n",
                "before anything has crashed:", done.stderr)
    for i in range(3):
        s.archive(bench.core, comm=f"n{i}")
    ids = s.names("pending")
    for args, status, text in (
            (["rm", "pending/zz"], 2, "there is no"),
            (["rm", "away/1"], 2, "is no stage"),
            (["info", "pending/"], 2, "there is no"),
            ([], 1, "no command"), (["fly"], 1, "no command 'fly'"),
            (["list", "x"], 1, "takes no operand"), (["rm"], 1, "needs an"),
            (["purge", "--age=x"], 1, "not a time")):
        done = s.coresnap(*args)
        t.check(done.returncode == status and text in done.stderr, args,
                done.returncode, done.stderr)
    t.equal(s.coresnap("rm", "pending/" + ids[0]).returncode, 0)
    t.equal(s.names("pending"), ids[1:], "after rm:")
    t.equal(s.names("assets"), ids[1:], "assets after rm:")
    done = s.coresnap("debug", ids[1][:13])
    t.check("main" in done.stdout, "debug:", done.stdout, done.stderr)
    done = s.coresnap("status", "--json")
    state = json.loads(done.stdout)
    t.equal((state["daemon"], state["pending"], state["archive"]),
            (False, 2, s.path))
    s.start()
    wait_for(lambda: not s.names("pending"))
    t.equal(json.loads(s.coresnap("status", "--json").stdout)["daemon"], True)
    second = run([os.path.join(bench.build, "coresnapd"), "-d", "-c", s.conf])
    t.check(second.returncode == 2 and "another" in second.stderr,
            "two daemons:", second.stderr)
    s.configure("bogus = 1")
    s.daemon.send_signal(signal.SIGHUP)
    wait_for(lambda: "stays as it was" in s.text())
    t.check("unknown key 'bogus'" in s.text(), s.text())
    s.configure()
    s.daemon.send_signal(signal.SIGHUP)
    t.check(wait_for(lambda: "configuration read" in s.text()), s.text())
    t.equal(s.stop(), 0, "SIGTERM:")
    t.equal(s.coresnap("purge").stdout, "0 removed, 0 in work\n")
    t.equal(s.coresnap("purge", "--all").stdout, "2 removed, 0 in work\n")
    t.equal(s.names("sending") + s.names("assets") + s.names("state"), [])


def installation(bench, t):
    """install and uninstall, on files that stand for the kernel's."""
    s = Spool(bench, "socket = /run/coresnap.socket")
    where = tempfile.mkdtemp(prefix="i.", dir="/tmp")
    try:
        installed(bench, t, s, where)
    finally:
        shutil.rmtree(where)


def installed(bench, t, s, where):
    # The kernel takes no long pattern.
    s.conf = shutil.copy(s.conf, os.path.join(where, "c"))

    def setting(name, text=None):
        path = os.path.join(where, name)
        if text is not None:
            with open(path, "w", encoding="ascii") as f:
                f.write(text)
        with open(path, encoding="ascii") as f:
            return f.read().strip()

    setting("core_pattern", "|/usr/share/apport/apport %p\n")
    setting("core_pipe_limit", "0\n")
    args = ["--sysctl", where]
    t.equal(s.coresnap("install", *args).returncode, 2, "apport is there")
    t.equal(s.coresnap("install", "--force", *args).returncode, 0)
    pattern = setting("core_pattern")
    t.check(pattern.startswith(
        f"|{bench.build}/coresnap -c {s.conf} archive -- %P "), pattern)
    t.check(len(pattern) < 128, "too long for the kernel")
    t.equal(setting("core_pipe_limit"), "16")
    t.equal(s.coresnap("install", *args).returncode, 0, "twice")
    state = json.loads(s.coresnap("status", "--json", *args).stdout)
    t.equal(state["installed"], True)
    t.equal(s.coresnap("uninstall", *args).returncode, 0)
    t.equal(setting("core_pattern"), "|/usr/share/apport/apport %p")
    t.equal(setting("core_pipe_limit"), "0")
    setting("core_pattern", "mine")
    s.coresnap("uninstall", *args)
    t.equal(setting("core_pattern"), "mine", "somebody else's pattern:")
    done = s.coresnap("install", "--socket", *args)
    kernel = tuple(int(x) for x in re.findall(r"\d+", os.uname().release)[:2])
    form = "@@" if kernel >= (6, 17) else "@" if kernel == (6, 16) else None
    if form:
        t.equal(setting("core_pattern"), form + "/run/coresnap.socket")
    else:
        t.check("sends cores to no socket" in done.stderr, done.stderr)
        t.equal(setting("core_pattern"), "mine", "nothing changed:")
    odd = os.path.join(where, "a blank.conf")
    shutil.copy(s.conf, odd)
    done = s.coresnap("-c", odd, "install", *args)
    t.equal(done.returncode, 2)
    t.check("at blanks" in done.stderr, done.stderr)


def sockets(bench, t):
    """The kernel's side of @ and @@."""
    s = Spool(bench)
    path = os.path.join(s.dir, "socket")
    s.configure("socket = " + path)
    s.start()
    wait_for(lambda: os.path.exists(path))
    t.equal(os.stat(path).st_mode & 0o777, 0o600, "mode of the socket:")
    with open(bench.core, "rb") as f:
        core = f.read()

    def connect():
        c = socket.socket(socket.AF_UNIX)
        c.settimeout(_server.PATIENCE)
        c.connect(path)
        return c

    plain = connect()
    plain.sendall(core)
    plain.shutdown(socket.SHUT_WR)
    t.equal(plain.recv(1), b"", "it waits until all is safe")
    # A process crashes once in a second, and this one is always the same.
    time.sleep(1.1)
    asked = connect()
    asked.sendall(struct.pack("<IIQ", 24, 16, 15) + b"\0" * 8)
    size, _, mask = struct.unpack("<IIQ", asked.recv(16, socket.MSG_WAITALL))
    t.equal((size, mask), (16, 1 | 8), "answer: the kernel writes, and waits")
    asked.sendall(struct.pack("<I", 0) + core)
    asked.shutdown(socket.SHUT_WR)
    t.equal(asked.recv(1), b"", "it waits until all is safe")
    wait_for(lambda: len(s.names("sending")) == 2)
    t.equal(len(s.names("sending")), 2, s.text())
    # What is no kernel.
    for data in (b"", b"abc", struct.pack("<IIQ", 4, 16, 15),
                 struct.pack("<IIQ", 16, 16, 0), b"GET / HTTP/1.0\r\n\r\n" * 9):
        c = connect()
        c.sendall(data)
        c.shutdown(socket.SHUT_WR)
        try:
            t.equal(c.recv(1), b"", data[:8])
        except ConnectionResetError:
            pass  # it closed without having read all of it
    t.equal(s.names("incoming"), [], "left in incoming:")
    s.stop()
    t.check(not os.path.exists(path), "the socket is left")
    s.configure("socket = " + path, "dump.quota = 99%")
    s.start()
    wait_for(lambda: os.path.exists(path))
    asked = connect()
    asked.sendall(struct.pack("<IIQ", 16, 16, 15))
    t.equal(struct.unpack("<IIQ", asked.recv(16, socket.MSG_WAITALL))[2], 4,
            "no room: rejected")
    asked.close()
    s.stop()


def directories(bench, t):
    """A watched directory, and import."""
    s = Spool(bench)
    watched = bench.new_dir()
    s.configure("watch.1 = " + watched)
    with open(bench.core, "rb") as f:
        core = f.read()

    def drop(name, data=core):
        with open(os.path.join(watched, name), "wb") as f:
            f.write(data)

    drop("before")
    s.start()
    wait_for(lambda: len(s.names("sending")) == 1)
    drop("after")
    drop("not-a-core", b"text\n")
    os.symlink(bench.core, os.path.join(watched, "link"))
    wait_for(lambda: len(s.names("sending")) == 2)
    time.sleep(0.2)
    t.equal(len(s.names("sending")), 2, s.text())
    entry = s.listed()[0]
    t.equal((entry["comm"], entry["signal"]), ("demo", 11), "from the notes:")
    s.stop()
    drop("third")
    s.start()
    wait_for(lambda: len(s.names("sending")) == 3)
    s.stop()
    t.equal(len(s.names("sending")), 3, "taken once, over a restart:")
    s = Spool(bench)
    done = s.coresnap("import", watched, bench.core)
    t.check(done.stdout.endswith("4 imported, 0 known, 0 failed\n"),
            done.stdout, done.stderr)
    done = s.coresnap("import", watched)
    t.check(done.stdout.endswith("0 imported, 3 known, 0 failed\n"),
            done.stdout)
    done = s.coresnap("import", os.path.join(watched, "not-a-core"))
    t.check(done.returncode == 2 and "no core" in done.stderr, done.stderr)


def foreign_reports(bench, t):
    """A report of apport, and a compressed core of systemd-coredump."""
    s = Spool(bench, "ptrace.options = --load= --no-pretty-print")
    with open(bench.core, "rb") as f:
        packed = gzip.compress(f.read(), 1)
    where = bench.new_dir()
    report = os.path.join(where, "_usr_bin_demo.0.crash")

    def write(core, key="CoreDump"):
        with open(report, "w", encoding="ascii") as f:
            f.write("ProblemType: Crash\nArchitecture: amd64\nSignal: 11\n"
                    f"ExecutablePath: {bench.exe}\n{key}: base64\n")
            for i in range(0, len(core), 1000):
                line = base64.b64encode(core[i:i + 1000]).decode()
                f.write(f" {line}\n")
            f.write("ProcCwd: /\n")

    write(packed)
    done = s.coresnap("import", where)
    t.check(done.stdout.endswith("1 imported, 0 known, 0 failed\n"),
            done.stdout, done.stderr)
    entry = s.listed()[0]
    t.equal((entry["exe"], entry["signal"]), (bench.exe, 11), "report:")
    pending = os.path.join(s.path, "pending", entry["id"])
    with open(pending, "rb") as f:
        t.check(f.read() == packed, "the core in the report is another")
    packed_file = os.path.join(where, "core.demo.zst")
    subprocess.run(["zstd", "-q", "-1", bench.core, "-o", packed_file],
                   check=True)
    for key, value in (("comm", "compressed"), ("exe", bench.exe),
                       ("signal", "11"), ("pid", "42")):
        try:
            os.setxattr(packed_file, "user.coredump." + key, value.encode())
        except OSError:
            pass
    t.equal(s.coresnap("import", packed_file).returncode, 0)
    s.once()
    t.equal(len(s.names("sending")), 2, "snapshots of both:", s.text())
    for name in s.names("sending"):
        d = _server.document(bench, os.path.join(s.path, "sending", name))
        t.check(d and any(x["symbol"] == "main" for y in d["threads"]
                          for x in y["frames"]), name)
    write(packed, key="Coffee")
    done = s.coresnap("import", report)
    t.check(done.returncode == 2 and "no core in the report" in done.stderr,
            done.stderr)


def defaults(bench, t):
    s = Spool(bench)
    script = os.path.join(s.dir, "defaults")
    with open(script, "w", encoding="ascii") as f:
        f.write("#!/bin/sh\necho \"crashed=$1\"\necho rack=7\n")
    os.chmod(script, 0o755)
    s.configure("defaults.command = " + script)
    s.archive(bench.core, exe=bench.exe)
    s.once()
    d = _server.document(bench, os.path.join(
        s.path, "sending", one_name(s, "sending", t)))
    if t.check(d is not None, s.text()):
        t.equal((d["attributes"].get("crashed"), d["attributes"].get("rack")),
                (bench.exe, "7"), "attributes:")


def idle(bench, t):
    """Asleep, it runs not at all, and is small."""
    s = Spool(bench)
    s.start()

    def switches():
        with open(f"/proc/{s.daemon.pid}/status", encoding="ascii") as f:
            text = f.read()
        return (int(re.search(r"\nvoluntary_ctxt_switches:\s*(\d+)",
                              text).group(1)),
                int(re.search(r"\nVmRSS:\s*(\d+) kB", text).group(1)))

    # When it has begun is not to be seen: some two seconds must be quiet, which
    # none are of a program that looks around now and then.
    after, rss = switches()
    for _ in range(10):
        before = after
        time.sleep(2)
        after, rss = switches()
        if after == before and _server.state_of(s.daemon.pid) == "S":
            break
    t.equal(after, before, "it woke up without a reason:")
    # The sanitizers' shadow is no part of it.
    if "asan" not in open(f"/proc/{s.daemon.pid}/maps").read():
        t.check(rss < 5000, "resident:", rss, "kB")
    print(f"idle: {rss} kB resident")
    s.stop()


def configuration(bench, t):
    s = Spool(bench)
    for line, text in (
            ("dump.quota = 100%", "is not a percentage"),
            ("[daemon]\npurge.age = 3y", "purge.age: '3y' is not a time"),
            ("format.1 = x %e /(a/", "(a"), ("format.1 = x %e /\\1/", "back"),
            ("format.1 = -x", "not a project"), ("archive = x", "absolute"),
            ("format.1 = x y", "a rule is"), ("what", "not KEY = VALUE"),
            ("daemon.jobs = 0", "from 1 to 64"), ("upload = http", "url"),
            ("limit.user = 10/y", "is not a rate"),
            ("format.1 = x %e /" + "a" * 600 + "/", "longer")):
        s.configure(line)
        done = s.coresnap("list")
        t.check(done.returncode == 1 and text in done.stderr, line,
                done.stderr)
    s.configure("# comment", "[daemon]", "purge.disabled = true",
                "purge.age = 2w")
    t.equal(s.archive("/dev/null").returncode, 2)
    t.equal(s.coresnap("list").returncode, 0)


def body(bench, t):
    for part in (pipeline, retries, bad_objects, limits, facts, commands,
                 installation, sockets, directories, foreign_reports, defaults, idle,
                 configuration):
        begun = time.monotonic()
        part(bench, t)
        print(f"{part.__name__}: {time.monotonic() - begun:.1f} s")


if __name__ == "__main__":
    sys.exit(_server._tool.main(body))
