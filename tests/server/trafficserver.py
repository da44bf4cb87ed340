#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""invoker under the real Apache Traffic Server: started on the loopback with
crash_log_helper set, killed by SIGSEGV, found in a snapshot that has the
server's version as an attribute. Skipped where Debian's package trafficserver
is not installed; nothing of the system's own server is touched."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys

import _server
from _server import snapshots, wait_for

SERVER = "/usr/bin/traffic_server"
RECORDS = """
CONFIG proxy.config.crash_log_helper STRING {helper}
CONFIG proxy.config.http.server_ports STRING {port}:ip-in=127.0.0.1
CONFIG proxy.config.admin.user_id STRING {user}
CONFIG proxy.config.exec_thread.autoconfig INT 0
CONFIG proxy.config.exec_thread.limit INT 2
CONFIG proxy.config.cache.ram_cache.size INT 1M
CONFIG proxy.config.url_remap.remap_required INT 1
CONFIG proxy.config.body_factory.enable_customizations INT 0
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def layout(bench, port):
    """A server of its own: configuration, cache, logs and run time files."""
    root = bench.new_dir()
    for name in ("etc", "log", "run", "cache", "out"):
        os.makedirs(os.path.join(root, name))
    helper = os.path.join(root, "helper")
    version = re.search(r"Traffic Server (\S+)", subprocess.run(
        [SERVER, "-V"], capture_output=True, text=True,
        check=False).stdout).group(1)
    with open(helper, "w", encoding="ascii") as f:
        f.write(f"#!/bin/sh\nexec {bench.build}/invoker -d -t '{bench.build}"
                f"/ptrace --kv=version:{version} %p -O {root}/out/ats' "
                f"\"$@\" 2>>{root}/helper.log\n")
    os.chmod(helper, 0o755)
    etc = os.path.join(root, "etc")
    if os.path.isdir("/etc/trafficserver"):
        shutil.copytree("/etc/trafficserver", etc, dirs_exist_ok=True)
    with open(os.path.join(etc, "records.config"), "w") as f:
        f.write(RECORDS.format(helper=helper, port=port, user="#-1"))
    with open(os.path.join(etc, "storage.config"), "w") as f:
        f.write(f"{root}/cache 16M\n")
    with open(os.path.join(etc, "runroot.yaml"), "w") as f:
        for name, path in (
                ("prefix", root), ("exec_prefix", root), ("bindir", "/usr/bin"),
                ("sbindir", "/usr/bin"), ("sysconfdir", etc),
                ("datadir", root + "/cache"), ("includedir", "/usr/include"),
                ("libdir", "/usr/lib/trafficserver"),
                ("libexecdir", "/usr/lib/trafficserver/modules"),
                ("localstatedir", root), ("runtimedir", root + "/run"),
                ("logdir", root + "/log"), ("cachedir", root + "/cache")):
            f.write(f"{name}: {path}\n")
    return root, version


def listens(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


def log_of(root):
    try:
        with open(os.path.join(root, "helper.log"), errors="replace") as f:
            return f.read()
    except OSError:
        return "no log"


def judge(bench, t, root, version, pid):
    found = snapshots(os.path.join(root, "out"))
    if not t.equal(len(found), 1, "snapshots:", log_of(root)):
        return
    t.check(f"ats.{pid}." in found[0], "name:", found[0])
    d = _server.document(bench, found[0])
    if not t.check(d is not None, "cannot be read"):
        return
    t.equal(d["attributes"].get("version"), version, "attribute version:")
    t.equal(str(d["attributes"].get("process.id")), str(pid), "process:")
    t.check(len(d["threads"]) > 3, "threads:", len(d["threads"]))
    symbols = {f["symbol"] for x in d["threads"] for f in x["frames"]}
    t.check(any(s and "crash_logger_invoke" in s for s in symbols) or
            any(f["signal_frame"] for x in d["threads"]
                for f in x["frames"]), "nothing of the crash in its stacks")


def body(bench, t):
    port = free_port()
    root, version = layout(bench, port)
    with open(os.path.join(root, "server.log"), "w") as log:
        server = subprocess.Popen(
            [SERVER, "--run-root=" + os.path.join(root, "etc",
                                                  "runroot.yaml")],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"), cwd=root)
    try:
        up = wait_for(lambda: server.poll() is not None or listens(port))
        if not t.check(up and server.poll() is None, "the server did not "
                       "start:", open(root + "/server.log").read()[-2000:]):
            return
        os.kill(server.pid, signal.SIGSEGV)
        t.equal(server.wait(_server.PATIENCE), -signal.SIGSEGV,
                "how the server ended:")
        judge(bench, t, root, version, server.pid)
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()


if __name__ == "__main__":
    if not os.access(SERVER, os.X_OK):
        print("skipped: Debian's package trafficserver is not installed")
        sys.exit(77)
    sys.exit(_server._tool.main(body))
