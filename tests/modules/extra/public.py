#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Modules of other people, unmodified, from checkouts that the caller has:

    public.py --build BUILD --example CHECKOUT     the original vendor's example
                            --libmtev CHECKOUT     the modules of libmtev

The example (backtrace-labs/ptrace-module-example) is built with the flags of
its own Makefile against an installation of ours, its program as its README
says, and ptrace is run on the running program as its README says. The modules
of libmtev (circonus-labs/libmtev, src/backtrace-support) are run, as their
README says, on a program with structures like theirs. Nothing of either is
part of this project.
"""
import argparse
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import _modules  # noqa: E402
from checks import Checks  # noqa: E402

crash = _modules.crash


def run(*args, **options):
    print("$", " ".join(args))
    done = subprocess.run(args, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.PIPE, check=False, timeout=120,
                          **options)
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr)
    return done


def private_copy(source, where):
    """Modules are only loaded from where nobody else can write."""
    shutil.copytree(source, where, ignore=shutil.ignore_patterns(".git"))
    for folder, _, files in os.walk(where):
        os.chmod(folder, 0o700)
        for name in files:
            os.chmod(os.path.join(folder, name), 0o600)


def report(ptrace, file):
    return json.loads(run(ptrace, "-b", file, "--format=json").stdout)


def check_example(build, checkout, work, t):
    where = os.path.join(work, "example")
    private_copy(checkout, where)
    prefix = os.path.join(work, "prefix")
    run("cmake", "--install", build, "--prefix", prefix)
    run("make", "-s", "-C", where, f"INCLUDE=-I{prefix}/include")
    run("g++", "-std=c++11", "program.cpp", "-ggdb", "-o", "program",
        cwd=where)
    ptrace = os.path.join(prefix, "bin", "ptrace")
    with subprocess.Popen(["./program"], cwd=where) as program:
        time.sleep(0.3)
        try:
            done = run(ptrace, str(program.pid), "--pretty-print",
                       "--module-load=pmodule-example.so", cwd=where)
        finally:
            program.kill()
    print(done.stdout, done.stderr, sep="")
    files = glob.glob(os.path.join(where, "program.*.btt"))
    t.equal(files, [done.stdout.strip()],
            "a file in the current directory, and its path alone")
    t.check(done.stderr.count("example_dynamic_pmodule") == 0, done.stderr)
    s = report(ptrace, files[0])
    t.equal(_modules.warnings_of(s), "")
    main = [f for f in s["threads"][0]["frames"] if f["symbol"] == "main"][0]
    shown = {v["name"]: v for v in main["variables"]}
    t.equal(shown["p"]["string"], "my_pair(42, (nil))")
    v = shown["my_type_my_pair"]
    t.equal(v["string"], "my_type<my_pair>(name: MY_PAIR, i: 2020)")
    t.equal([(m["name"], m["string"]) for m in v["members"]],
            [("", "my_pair(2020, (nil))"),
             ("CustomName", "my_pair(2020, (nil))")])
    t.equal(shown["my_type_int"]["string"], "my_type<int>(name: INT)")
    # bt shows the same.
    text = run(os.path.join(prefix, "bin", "bt"), files[0]).stdout
    for line in ("my_pair(42, (nil))", "CustomName",
                 "my_type<my_pair>(name: MY_PAIR, i: 2020)",
                 "my_type<int>(name: INT)"):
        t.check(line in text, line, "not in", text)
        print("  bt shows", line)


def build_server(work):
    programs = os.path.join(HERE, "programs")
    library = os.path.join(work, "http_observer.so")
    run("gcc", "-g", "-O0", "-shared", "-fPIC",
        os.path.join(programs, "http_observer.c"), "-o", library)
    exe = os.path.join(work, "server")
    run("gcc", "-g", "-O0", os.path.join(programs, "mtev_http.c"), library,
        "-o", exe, "-lpthread", "-Wl,-rpath," + work)
    return exe, library


def check_libmtev(build, checkout, work, t):
    where = os.path.join(work, "libmtev")
    private_copy(os.path.join(checkout, "src", "backtrace-support"), where)
    exe, library = build_server(work)
    core = crash.core(exe, work)
    ptrace = os.path.join(build, "ptrace")
    out = os.path.join(work, "mtev.btt")
    done = run(ptrace, "--core", core, exe, "-o", out,
               "--module-path=" + where, "--load=" + library,
               "--load=server", "--global", "lookup", "-L", "INFO")
    print(done.stderr)
    for name in ("mtev-hash", "mtev-http-observer", "mtev-http1",
                 "mtev-http2"):
        t.check(name + ": load" in done.stderr, name)
    s = report(ptrace, out)
    t.equal(_modules.warnings_of(s), "")
    said = {a["text"] for thread in s["threads"]
            for a in thread["annotations"]}
    t.equal(said, {"mtev_http1_request: GET /index?a=1&b=2 (-1)",
                   "mtev_http2_request: POST /upload (5)"})
    t.check(s["attributes"]["mtev_http_request"] in
            ("GET /index?a=1&b=2 (-1)", "POST /upload (5)"),
            s["attributes"]["mtev_http_request"])
    t.check(s["attributes"]["mtev_http_payload_in"] in ("hello", "(empty)"))
    jsons = [a["json"] for a in s["annotations"] if a["level"] == "json"]
    t.equal(jsons, [{"json": {"http_observer": {
        "[0] /index": {"uri": "/index", "method": "GET"}}}}])
    copies = [v for f in s["threads"][0]["frames"] for v in f["variables"]
              if v["name"] in ("copy", "settings") and v["kind"] == "struct"]
    t.equal(len(copies), 2)
    for v in copies:
        added = {m["name"]: m for m in v["members"][1:]}
        t.equal(added["filled (extracted)"]["string"], "2")
        t.equal(added["capacity (extracted)"]["string"], "8")
        t.equal([(m["name"], m["string"]) for m in
                 added["map (extracted)"]["elements"]],
                [("feature", "on"), ("listen", "127.0.0.1")])
    print("  libmtev:", len(done.stderr.splitlines()), "lines logged,",
          len(said), "requests,", json.dumps(jsons[0]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--example")
    parser.add_argument("--libmtev")
    args = parser.parse_args()
    if not args.example and not args.libmtev:
        print("no checkout of either given: --example, --libmtev")
        return 77
    t = Checks()
    build = os.path.abspath(args.build)
    os.umask(0o077)
    with tempfile.TemporaryDirectory(prefix="inquest-public.") as work:
        if args.example:
            check_example(build, args.example, work, t)
        if args.libmtev:
            check_libmtev(build, args.libmtev, work, t)
    return t.end()


if __name__ == "__main__":
    sys.exit(main())
