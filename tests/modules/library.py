#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""libinquest-snapshot: a program that is compiled against the installed header
and the library alone reads a snapshot, and damage is no crash."""
import json
import os
import subprocess
import sys

import _modules

READER = r"""
#include <stdio.h>
#include <ptrace/snapshot.h>

int
main(int argc, char **argv)
{
	ptrace_snapshot_thread_t thread = PTRACE_SNAPSHOT_THREAD_INIT;
	ptrace_snapshot_frame_t frame = PTRACE_SNAPSHOT_FRAME_INIT;
	ptrace_snapshot_frame_t old = {.size = 4};
	ptrace_snapshot_t *s;
	bt_error_t e;
	size_t size;

	if (argc < 2 || !ptrace_snapshot_open(argv[1], &s, &e)) {
		printf("error: %s\n", e.text);
		ptrace_snapshot_close(NULL);
		return 3;
	}
	printf("%s\n", ptrace_snapshot_fingerprint(s));
	printf("%d\n", ptrace_snapshot_partial(s));
	for (uint32_t i = 0; i < ptrace_snapshot_n_classifiers(s); i++)
		printf("%s ", ptrace_snapshot_classifier(s, i));
	printf("\n%s\n", ptrace_snapshot_attribute(s, "application"));
	printf("%d\n", ptrace_snapshot_attribute(s, "nothing") == NULL);
	if (!ptrace_snapshot_thread_at(s, 0, &thread) ||
	    ptrace_snapshot_thread_at(s, 99, &thread) ||
	    ptrace_snapshot_frame_at(s, 0, 0, &old) ||
	    ptrace_snapshot_frame_at(s, 0, 9999, &frame))
		return 4;
	printf("%u %d\n", thread.tid, thread.fault);
	for (uint32_t i = 0; ptrace_snapshot_frame_at(s, 0, i, &frame); i++)
		printf("%s:%u ", frame.symbol, frame.line);
	printf("\n%s\n", ptrace_snapshot_json(s, &size));
	ptrace_snapshot_close(s);
	return 0;
}
"""


def build(bench, where):
    source = os.path.join(where, "reader.c")
    with open(source, "w") as f:
        f.write(READER)
    exe = os.path.join(where, "reader")
    subprocess.run(
        ["gcc", "-Wall", "-Wextra", "-Werror", "-I",
         os.path.join(_modules.ROOT, "include"), source, "-o", exe, "-L",
         bench.build, "-linquest-snapshot", "-Wl,-rpath," + bench.build],
        check=True)
    return exe


def read(exe, path):
    return subprocess.run([exe, path], text=True, stdout=subprocess.PIPE,
                          errors="surrogateescape", timeout=30, check=False)


def body(bench, t):
    where = bench.new_dir()
    library = os.path.join(bench.build, "libinquest-snapshot.so.1")
    t.check(os.path.exists(library), library)
    exported = subprocess.run(["nm", "-D", "--defined-only", library],
                              text=True, stdout=subprocess.PIPE, check=True)
    names = {line.split()[2].split("@")[0]
             for line in exported.stdout.splitlines() if " T " in line}
    t.check(len(names) == 12 and
            all(n.startswith("ptrace_snapshot_") for n in names), names)
    exe = build(bench, where)
    path = os.path.join(where, "x.btt")
    bench.run("ptrace", "--core", bench.core, bench.exe, "-o", path)
    want = json.loads(
        bench.run("ptrace", "-b", path, "--format=json").stdout)
    done = read(exe, path)
    t.equal(done.returncode, 0, done.stdout)
    lines = done.stdout.split("\n", 7)
    t.equal(lines[0], want["fingerprint"])
    t.equal(lines[1], "0")
    t.equal(lines[2].split(), want["classifiers"])
    t.equal(lines[3:5], ["demo", "1"])
    thread = want["threads"][0]
    t.equal(lines[5], f"{thread['tid']} 1")
    t.equal(lines[6].split(), [f"{f['symbol']}:{f['line'] or 0}"
                               for f in thread["frames"]])
    t.equal(json.loads(lines[7]), want)
    with open(path, "rb") as f:
        data = f.read()
    for size in (0, 1, 10, 100, len(data) // 2, len(data) - 1):
        with open(path, "wb") as f:
            f.write(data[:size])
        done = read(exe, path)
        t.check(done.returncode in (0, 3, 4), size, done.returncode)
    done = read(exe, path + ".missing")
    t.check("No such file" in done.stdout, done.stdout)


if __name__ == "__main__":
    sys.exit(_modules.main(body))
