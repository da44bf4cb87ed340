#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is installed for a server: the Debian package that CPack makes, its
scripts, the units, the init script and the configuration in it."""
import os
import re
import shutil
import stat
import subprocess
import sys

import _server
from _server import run, wait_for
from _spool import Spool

WANTED = """bin/ptrace bin/bt bin/invoker bin/coresnap bin/coresnap-send
    sbin/coresnapd share/man/man8/coresnapd.8 share/man/man8/coresnap.8
    share/man/man5/coresnap.conf.5 share/man/man1/invoker.1
    lib/systemd/system/coresnapd.service lib/systemd/system/coresnapd.socket
    lib/tmpfiles.d/coresnap.conf share/inquest/coresnap/coresnapd.init
    share/inquest/coresnap/defaults.example""".split()


def package(bench, t):
    """Files, modes, dependencies, scripts."""
    where = bench.new_dir()
    done = run(["cpack", "-G", "DEB", "-B", where], cwd=bench.build)
    if not t.equal(done.returncode, 0, "cpack:", done.stdout[-800:]):
        return None
    found = [x for x in os.listdir(where) if x.endswith(".deb")]
    t.equal(len(found), 1, found)
    deb, root, control = (os.path.join(where, x)
                          for x in (found[0], "root", "control"))
    run(["dpkg-deb", "-x", deb, root])
    run(["dpkg-deb", "-e", deb, control])
    names = [os.path.relpath(os.path.join(d, x), root)
             for d, _, files in os.walk(root) for x in files]
    for wanted in WANTED:
        t.check(any(x.endswith("/" + wanted) for x in names), wanted,
                "is not in the package")
    for name in names:
        path = os.path.join(root, name)
        mode = os.lstat(path).st_mode
        if stat.S_ISREG(mode):
            t.check(mode & 0o022 == 0, name, "others may write to it")
            t.check(mode & 0o6000 == 0, name, "is set-id")
    with open(os.path.join(control, "control"), encoding="utf-8") as f:
        text = f.read()
    t.check("libcurl4" in text and "libc6" in text, text)
    for script in ("postinst", "prerm", "postrm"):
        path = os.path.join(control, script)
        t.check(os.access(path, os.X_OK), script, "cannot be run")
        t.equal(run(["sh", "-n", path]).returncode, 0, script)
        with open(path, encoding="utf-8") as f:
            t.check("@" not in f.read(), script, "is not configured")
    with open(os.path.join(control, "conffiles"), encoding="utf-8") as f:
        for name in f.read().split():
            t.check(name[1:] in names, name, "is a conffile and not there")
    return root


def files_ending(root, end):
    return [os.path.join(d, x) for d, _, files in os.walk(root)
            for x in files if os.path.join(d, x).endswith(end)]


def units(bench, t, root):
    """As systemd reads them, with programs that are there."""
    if not shutil.which("systemd-analyze"):
        print("systemd-analyze is not there")
        return
    where = bench.new_dir()
    for name in ("coresnapd.service", "coresnapd.socket"):
        with open(files_ending(root, "system/" + name)[0],
                  encoding="utf-8") as f:
            text = f.read()
        text = re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={bench.build}/"
                      "coresnapd", text)
        text = re.sub(r"(?m)^Documentation=.*\n", "", text)
        with open(os.path.join(where, name), "w", encoding="utf-8") as f:
            f.write(text)
    # It reads the system's own units, too, and may have something to say of
    # those.
    done = run(["systemd-analyze", "verify",
                os.path.join(where, "coresnapd.service"),
                os.path.join(where, "coresnapd.socket")])
    ours = [x for x in done.stderr.splitlines() if "coresnapd" in x]
    t.equal(ours, [], "systemd-analyze verify:")


def configuration(bench, t, root):
    """The file that is installed is one that is taken, and everything in it
    that is commented out, too."""
    s = Spool(bench)
    with open(files_ending(root, "coresnap/coresnap.conf")[0],
              encoding="utf-8") as f:
        text = f.read()
    with open(s.conf, "w", encoding="utf-8") as f:
        f.write(f"archive = {s.path}\n" + text)
    s.coresnap("import", bench.core)
    t.equal(s.coresnap("list").returncode, 0, "as it is installed")
    full = re.sub(r"(?m)^#(?=[a-z0-9.]+ = )", "", text)
    with open(s.conf, "w", encoding="utf-8") as f:
        f.write(re.sub(r"(?m)^archive = .*", f"archive = {s.path}", full))
    done = s.coresnap("list")
    t.equal(done.returncode, 0, "with everything that it shows:", done.stderr)
    names = set(re.findall(r"(?m)^([a-z0-9.]+) = ", full))
    with open(os.path.join(_server.ROOT, "docs", "man", "coresnap.conf.5"),
              encoding="utf-8") as f:
        manual = f.read().replace("\\-", "-")
    for name in names - {"jobs"}:
        t.check(re.sub(r"\.1$", "", name) in manual, name,
                "is not in the manual")


def init_script(bench, t, root):
    """start, status, reload, stop, as on a system without systemd."""
    s = Spool(bench)
    script = files_ending(root, "coresnap/coresnapd.init")[0]
    env = {"CORESNAPD": os.path.join(bench.build, "coresnapd"),
           "CORESNAPD_PID": os.path.join(s.dir, "pid"),
           "CORESNAPD_OPTS": ""}
    # Options come from a file of the system's; here by a program in between.
    wrapper = os.path.join(s.dir, "coresnapd")
    with open(wrapper, "w", encoding="ascii") as f:
        f.write(f"#!/bin/sh\nexec {bench.build}/coresnapd -c {s.conf} \"$@\"\n")
    os.chmod(wrapper, 0o755)
    env["CORESNAPD"] = wrapper

    def call(verb):
        return run(["sh", script, verb], env=env).returncode

    t.equal(call("status"), 3, "status before")
    t.equal(call("start"), 0, "start")
    t.equal(call("status"), 0, "status")
    t.equal(call("start"), 0, "start again")
    t.equal(call("reload"), 0, "reload")
    s.coresnap("import", bench.core)
    t.check(wait_for(lambda: s.names("sending")), "it does not work")
    t.equal(call("stop"), 0, "stop")
    t.equal(call("status"), 3, "status after")
    t.equal(call("fly"), 2, "an unknown verb")


def body(bench, t):
    root = package(bench, t)
    if root is not None:
        units(bench, t, root)
        configuration(bench, t, root)
        init_script(bench, t, root)


if __name__ == "__main__":
    if not shutil.which("cpack") or not shutil.which("dpkg-deb") or \
            not shutil.which("dpkg-shlibdeps"):
        print("skipped: no cpack or no Debian tools")
        sys.exit(77)
    sys.exit(_server._tool.main(body))
