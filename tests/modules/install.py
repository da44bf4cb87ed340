#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is installed is enough to write modules with: examples/c is built
against an installation, with make and pkg-config and with CMake, and the
installed ptrace runs both on the crash of its program; a program finds
libinquest-snapshot; the example uses every name of the original's C
interface."""
import json
import os
import re
import shutil
import subprocess
import sys

import _modules
from _modules import ROOT

EXAMPLE = os.path.join(ROOT, "examples", "c")


def run(*args, **options):
    done = subprocess.run(args, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, check=False, **options)
    if done.returncode != 0:
        raise AssertionError(" ".join(args) + "\n" + done.stdout)
    return done.stdout


def install(bench):
    """Not where it was configured for: an installation can be moved."""
    where = os.path.join(bench.new_dir(), "moved")
    run("cmake", "--install", bench.build, "--prefix", where)
    return where


def find(where, name):
    for folder, _, files in os.walk(where):
        if name in files:
            return folder
    raise AssertionError(name + " is not installed")


def build_with_make(bench, where):
    here = os.path.join(bench.new_dir(), "make")
    shutil.copytree(EXAMPLE, here)
    os.chmod(here, 0o700)
    env = dict(os.environ, PKG_CONFIG_PATH=find(where, "inquest.pc"))
    run("make", "-s", "CFLAGS=-O2 -g -Werror", cwd=here, env=env)
    return here


def build_with_cmake(bench, where):
    here = os.path.join(bench.new_dir(), "cmake")
    run("cmake", "-S", EXAMPLE, "-B", here, "-G", "Ninja",
        "-DCMAKE_PREFIX_PATH=" + where, "-DCMAKE_BUILD_TYPE=RelWithDebInfo")
    run("ninja", "-C", here)
    os.chmod(here, 0o700)
    return here


def snapshot(where, core, exe, module, out):
    ptrace = os.path.join(where, "bin", "ptrace")
    env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
    run(ptrace, "--core", core, exe, "-o", out, "--overwrite",
        "--module-load", module, env=env)
    return json.loads(run(ptrace, "-b", out, "--format=json", env=env))


def check_shown(s, t, how):
    t.equal(_modules.warnings_of(s), "", how)
    frames = s["threads"][0]["frames"]
    t.equal([f["symbol"].split("(")[0] for f in frames[:2]],
            ["work", "main"], how)
    for frame, name in ((frames[0], "copy"), (frames[1], "queue")):
        v = [v for v in frame["variables"] if v["name"] == name][0]
        t.equal(v["string"], "input: 3 of 4", how)
        t.equal([(m["name"], m["string"]) for m in v["members"]],
                [("", "job 7 until 1200: compress"),
                 ("next", "job 7 until 1200: compress"),
                 ("", "job 8 until -1: encrypt"),
                 ("", "job 9 until 1400: upload")], how)
    t.equal([(e["kind"], len(e["members"])) for v in frames[1]["variables"]
             if v["name"] == "slots" for e in v["elements"]],
            [("struct", 3)] * 4, how, "what a text stands for")
    slots = [v for v in frames[1]["variables"] if v["name"] == "slots"][0]
    t.equal([e["string"] for e in slots["elements"]],
            ["job 9 until 1400: upload", "job 0 until 0: ?",
             "job 7 until 1200: compress", "job 8 until -1: encrypt"], how)


def check_names(t):
    """Every name of the original, by the list."""
    with open(os.path.join(_modules.HERE, "names.txt")) as f:
        original = f.read().split("\n# ours\n")[0]
    names = re.findall(r"^((?:bt|pmodule)_\w+)\(\)$", original, re.M)
    names += ["PMODULE_DEFINE", "PTRACE_VARIABLE_S_SKIP", "BT_TYPE_LANG_C",
              "pmodule_t", "ptrace_variable_t", "bt_variable_t",
              "bt_error_t", "struct bt_type"]
    with open(os.path.join(EXAMPLE, "ring.c")) as f:
        text = f.read()
    t.check(len(names) > 30, names)
    for name in names:
        t.check(re.search(rf"\b{name}\b", text), name, "not in ring.c")


READER = r"""
#include <ptrace/snapshot.h>
int main(int argc, char **argv)
{
	ptrace_snapshot_t *s;

	if (argc < 2 || !ptrace_snapshot_open(argv[1], &s, NULL))
		return 1;
	ptrace_snapshot_close(s);
	return 0;
}
"""

READER_CMAKE = """
cmake_minimum_required(VERSION 3.16)
project(reader LANGUAGES C)
find_package(Inquest REQUIRED)
add_executable(reader reader.c)
target_link_libraries(reader PRIVATE Inquest::snapshot)
"""


def check_reader(bench, where, snapshot_file, t):
    here = bench.new_dir()
    with open(os.path.join(here, "reader.c"), "w") as f:
        f.write(READER)
    with open(os.path.join(here, "CMakeLists.txt"), "w") as f:
        f.write(READER_CMAKE)
    env = dict(os.environ,
               PKG_CONFIG_PATH=find(where, "inquest-snapshot.pc"))
    flags = run("pkg-config", "--cflags", "--libs", "inquest-snapshot",
                env=env).split()
    exe = os.path.join(here, "by-pkg-config")
    run("gcc", os.path.join(here, "reader.c"), "-o", exe, *flags)
    run("cmake", "-S", here, "-B", here + "/b", "-G", "Ninja",
        "-DCMAKE_PREFIX_PATH=" + where)
    run("ninja", "-C", here + "/b")
    env = dict(os.environ,
               LD_LIBRARY_PATH=find(where, "libinquest-snapshot.so"))
    for program in (exe, here + "/b/reader"):
        t.check(run(program, snapshot_file, env=env) == "", program)


def body(bench, t):
    check_names(t)
    where = install(bench)
    by_make = build_with_make(bench, where)
    by_cmake = build_with_cmake(bench, where)
    exe = os.path.join(by_make, "jobs")
    core = _modules.crash.core(exe, by_make)
    out = os.path.join(by_make, "x.btt")
    for how, folder in ("make", by_make), ("CMake", by_cmake):
        s = snapshot(where, core, exe, os.path.join(folder, "ring.so"), out)
        check_shown(s, t, how)
    shown = run(os.path.join(where, "bin", "bt"), out,
                env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
    shown = re.sub(r"\s+", " ", shown)
    t.check('queue = "input: 3 of 4" {"job 7 until 1200: compress", '
            'next = "job 7 until 1200: compress", "job 8 until -1: encrypt", '
            '"job 9 until 1400: upload"}' in shown, shown)
    t.check('slots = {"job 9 until 1400: upload", "job 0 until 0: ?"' in shown,
            shown)
    check_reader(bench, where, out, t)
    t.check(os.path.exists(os.path.join(
        find(where, "inquest.d.lua"), "inquest.d.lua")))


if __name__ == "__main__":
    sys.exit(_modules.main(body))
