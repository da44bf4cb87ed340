#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The C harness sees what goes wrong: failed checks, crashes, hangs, refused
allocations and system calls; and tells it by its output and exit status."""
import argparse
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
PROGRAM = r"""
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "harness/test.h"
TEST(passes) { puts("noise"); expect_int(1, 1); }
TEST(soft) { expect_int(1 + 1, 3); expect_str("ab", "cd"); puts("went on"); }
TEST(hard) { assert_true(0); puts("never"); }
TEST(skipped) { skip("because of %s", "it"); }
TEST(crashes) { puts("last words"); *(volatile int *)8 = 1; }
TEST_WITHIN(hangs, 1) { if (fork() == 0) pause(); for (;;) pause(); }
TEST(exits) { _exit(3); }
TEST(files)
{
	size_t size;
	test_write_file(test_path("x"), "abc", 3);
	expect_str(test_read_file(test_path("x"), &size), "abc");
	expect_int(test_shell("grep -q abc %s", test_path("x")), 0);
	expect_int(test_shell("exit 7"), 7);
	printf("dir %s\n", test_dir());
	expect_true(0);
}
TEST(faults)
{
	test_alloc_allow(1);
	void *volatile a = malloc(1), *volatile b = malloc(1);
	char *volatile c = strdup("x");
	expect_true(test_alloc_restore());
	expect_not_null(a);
	expect_null(b);
	expect_null(c);
	test_alloc_allow(1);
	free(malloc(1));
	expect_false(test_alloc_restore());
	free(a);
	test_deny_flag(SYS_openat, 2, O_WRONLY, EROFS);
	expect_int(open("/dev/null", O_WRONLY), -1);
	expect_int(errno, EROFS);
	expect_true(open("/dev/null", O_RDONLY) >= 0);
	test_deny(SYS_fsync, EIO);
	expect_int(fsync(0), -1);
	expect_int(errno, EIO);
}
TEST(errors)
{
	bt_error_t e = {.code = BT_E_LIMIT, .text = "the text"};
	expect_code(false, &e, BT_E_LIMIT);
	expect_ok(true, &e);
	expect_ok(false, &e);
	expect_code(false, &e, BT_E_OS);
	expect_code(true, &e, BT_E_LIMIT);
	expect_mem("abc", "abd", 3);
	expect_contains("abc", "x");
	expect_lacks("abc", "b");
	expect_uint(1, 2);
	expect_double(0.1, 0.2);
}
"""
# What the whole run prints, and what it must not.
PRINTED = ["1 + 1 is 2, expected 3", "went on", "expected true: 0",
           "skipped: because of it", "SKIP skipped", "last words",
           "crashes: killed by signal 11", "hangs: no end after 1 s",
           "exits: exit status 3", "FAIL soft", "FAIL hard", "FAIL crashes",
           "FAIL hangs", "FAIL exits", "FAIL files", "FAIL errors",
           "false failed: the text", "error code 3, expected 2 (the text)",
           "true did not fail", '"abc" differs at byte 2 of 3',
           "which lacks", "which must not contain", "1 is 1 (0x1)",
           "2 passed, 7 failed, 1 skipped"]
NOT_PRINTED = ["noise", "never", "PASS", "FAIL passes", "FAIL faults"]


def compile_program(where):
    source, exe = os.path.join(where, "p.c"), os.path.join(where, "p")
    with open(source, "w") as f:
        f.write(PROGRAM)
    harness = [os.path.join(ROOT, "tests/harness", name)
               for name in ("check.c", "faults.c", "runner.c")]
    wraps = ["-Wl,--wrap=" + name for name in (
        "malloc", "calloc", "realloc", "strdup", "strndup", "vasprintf",
        "asprintf")]
    subprocess.run(["gcc", "-D_GNU_SOURCE", "-fno-builtin", "-I" + ROOT
                    + "/tests", "-I" + ROOT + "/include", "-o", exe, source,
                    *harness, *wraps, "-lm"], check=True)
    return exe


def run(exe, *options):
    done = subprocess.run([exe, *options], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=60)
    return done.returncode, done.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build")
    parser.parse_args()
    bad = []

    def expect(what, value, want):
        if value != want:
            bad.append(f"{what}: {value!r}, expected {want!r}")

    with tempfile.TemporaryDirectory() as where:
        exe = compile_program(where)
        status, output = run(exe)
        expect("status of all", status, 1)
        for text in PRINTED:
            expect(text, text in output, True)
        for text in NOT_PRINTED:
            expect(text, text in output, False)
        for line in output.split("\n"):
            if line.startswith("dir "):
                expect("scratch directory", os.path.exists(line[4:]), False)
        expect("one that passes", run(exe, "passes"),
               (0, "1 passed, 0 failed, 0 skipped\n"))
        expect("only skipped", run(exe, "skipped")[0], 77)
        expect("unknown test", run(exe, "passes", "none")[0], 2)
        expect("unknown option", run(exe, "--none")[0], 2)
        status, output = run(exe, "--list")
        expect("list", (status, output.split()[:2]), (0, ["passes", "soft"]))
        expect("verbose", "noise" in run(exe, "--verbose", "passes")[1], True)
        expect("no fork", run(exe, "--no-fork", "soft", "passes")[1].split(
            "\n")[-2], "1 passed, 1 failed, 0 skipped")
        expect("time limit", "no end after 1 s" in run(
            exe, "--timeout", "1", "hangs")[1], True)
        if bad:
            print(output)
    print("\n".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
