#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The debuginfod server as the last place to look, against Debian's own
`debuginfod` on the loopback interface: debug files, executables, servers that
are dead or never answer, and that nothing is asked when the user has set none.

    server.py --build DIR
"""
import argparse
import glob
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import _cases
import run
from checks import Checks

LIBRARY = "/usr/lib/*/libdebuginfod.so.1"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def serve(where, files):
    """The server over a directory, once it has found everything there."""
    port = free_port()
    with open(os.path.join(where, "server.log"), "w") as log:
        server = subprocess.Popen(
            ["debuginfod", "-F", "-p", str(port), "-d", ":memory:", "-t", "2",
             files], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=dict(os.environ, DEBUGINFOD_URLS=""))
    return server, f"http://127.0.0.1:{port}"


def wait_for(url, build_id, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(
                    f"{url}/buildid/{build_id}/debuginfo", timeout=5) as f:
                return f.read(4) == b"\x7fELF"
        except OSError:
            time.sleep(0.2)
    return False


def snapshot(build, where, core, exe, url, options=()):
    """Document and seconds; an empty client cache each time."""
    cache = tempfile.mkdtemp(dir=where)
    out = os.path.join(cache, "x.btt")
    env = {k: v for k, v in os.environ.items()
           if not k.startswith("DEBUGINFOD")}
    env.update(DEBUGINFOD_CACHE_PATH=os.path.join(cache, "client"),
               ASAN_OPTIONS="detect_leaks=0")
    if url is not None:
        env["DEBUGINFOD_URLS"] = url
    ptrace = os.path.join(os.path.abspath(build), "ptrace")
    start = time.monotonic()
    done = subprocess.run(
        [ptrace, "-o", out, *options, "--core", core, *exe], env=env,
        text=True, timeout=60, stdin=subprocess.DEVNULL, capture_output=True,
        check=False)
    took = time.monotonic() - start
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    text = subprocess.run([ptrace, "-b", out, "--format=json"], text=True,
                          capture_output=True, check=True).stdout
    asked = os.path.isdir(os.path.join(cache, "client"))
    return run.Snapshot(json.loads(text)), took, asked


def body(build, where, checks):
    files = os.path.join(where, "files")
    program = os.path.join(where, "program")
    os.mkdir(files)
    os.mkdir(program)
    exe = _cases.compile_program(program, "c", "gcc", ["-g", "-O0"])
    core = run.crash.core(exe, program)
    plain, _, asked = snapshot(build, where, core, [exe], None)
    checks.check(not asked, "asked without DEBUGINFOD_URLS")
    build_id = _cases.build_id(exe)
    shutil.copy(exe, os.path.join(files, "whole"))
    # The same program, stripped: its core still fits.
    _cases.sh(["strip", exe], program)
    server, url = serve(where, files)
    try:
        if not wait_for(url, build_id):
            print("skipped: debuginfod does not serve")
            return 77
        got, _, _ = snapshot(build, where, core, [exe], url)
        checks.check(got.lines() == plain.lines(), "lines", got.lines())
        checks.check(got.variables() == plain.variables(), "variables")
        checks.check(not got.warnings, "warnings", got.warnings)
        got, _, asked = snapshot(build, where, core, [exe], None)
        checks.check(not asked, "asked without DEBUGINFOD_URLS")
        checks.check(got.lines()[0][2] is None, "lines out of nowhere")
        got, _, asked = snapshot(build, where, core, [exe], " ")
        checks.check(not asked, "asked with an empty DEBUGINFOD_URLS")
        # Neither the file nor its debug information is on this machine.
        os.rename(exe, exe + ".away")
        got, _, _ = snapshot(build, where, core, [], url)
        checks.check(got.lines() == plain.lines(), "executable:", got.lines())
        os.rename(exe + ".away", exe)
    finally:
        server.terminate()
        server.wait()
    # A server that is gone is passed over at once.
    got, took, _ = snapshot(build, where, core, [exe], url)
    checks.check(took < 5 and len(got.frames) > 1, "dead server:", took)
    # One that accepts and never answers costs ten seconds at most.
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        url = "http://127.0.0.1:%d" % silent.getsockname()[1]
        got, took, _ = snapshot(build, where, core, [exe], url)
        checks.check(took < 13 and len(got.frames) > 1, "silent server:", took)
        checks.check(any("in time" in w for w in got.warnings),
                     "silent server:", got.warnings)
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    args = parser.parse_args()
    if shutil.which("debuginfod") is None or not glob.glob(LIBRARY):
        print("skipped: no debuginfod")
        return 77
    where, checks = tempfile.mkdtemp(prefix="inquest-server."), Checks()
    try:
        status = body(args.build, where, checks)
    except _cases.Unsupported as why:
        print("skipped:", why)
        return 77
    finally:
        shutil.rmtree(where, ignore_errors=True)
    checks.end()
    return 1 if checks.failed else status


if __name__ == "__main__":
    sys.exit(main())
