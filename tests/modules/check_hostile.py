#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ptrace --module-check of modules that nobody should trust: what they try in a
constructor, in load, and in Lua is refused, memory and time end, and however
they end, there is one line that says so and exit status 2."""
import json
import os
import re
import subprocess
import sys

import _modules

# argv of the compiler: -DWHERE=1 in a constructor, 2 in load.
BURGLAR = r"""
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <ptrace/pmodule.h>

static void
say(const char *what, long result)
{
	printf("TRY %s %d\n", what, result < 0 ? errno : 0);
}

static void
attempt(void)
{
	say("create", open(VICTIM ".new", O_CREAT | O_WRONLY, 0600));
	say("unlink", unlink(VICTIM));
#ifndef FREE
	char *const none[] = {NULL};

	say("socket", socket(AF_INET, SOCK_STREAM, 0));
	say("write", open(VICTIM, O_WRONLY));
	say("truncate", open(VICTIM, O_TRUNC));
	say("rename", rename(VICTIM, VICTIM ".old"));
	say("chmod", chmod(VICTIM, 0777));
	say("mkdir", mkdir(VICTIM ".dir", 0700));
	say("execve", execve("/bin/true", none, none));
	say("fork", syscall(SYS_fork));
	say("clone", syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
	say("kill", kill(getppid(), 0));
	say("ptrace", ptrace(PTRACE_SEIZE, getppid(), 0, 0));
	say("mount", syscall(SYS_mount, "x", "/", "tmpfs", 0, 0));
	say("bpf", syscall(SYS_bpf, 0, 0, 0));
	say("io_uring", syscall(SYS_io_uring_setup, 1, 0));
	if (WHERE == 2) {
		say("open", open(VICTIM, O_RDONLY));
		say("code", mprotect((void *)((long)none & -4096L), 4096,
		    PROT_READ | PROT_WRITE | PROT_EXEC));
	}
#endif
	printf("UID %d\n", WHERE == 2 ? (int)geteuid() : -1);
	fflush(stdout);
}

__attribute__((constructor)) static void
at_once(void)
{
	if (WHERE == 1)
		attempt();
}

static bool
load(pmodule_t *pm)
{
	(void)pm;
	if (WHERE == 2)
		attempt();
	return true;
}
PMODULE_DEFINE("burglar", load, NULL, NULL)
"""

# What it is called by the kernel, of those that are told.
NAMES = {"create": "openat", "kill": "kill", "socket": "socket",
         "execve": "execve", "unlink": "unlink", "fork": "fork"}
EPERM = 1

# Never written to: what counts is what it may have.
HUNGRY = "for (int i = 0; i < 64; i++) if (!malloc(1 << 28)) abort();"

# (what it does, where, what is said of it); one line each.
BOTH = ("load", "constructor")
ENDS = [
    ("crash", BOTH, "*(volatile int *)8 = 1;", "was ended by signal 11"),
    ("abort", BOTH, "abort();", "was ended by signal 6"),
    ("exit", BOTH, "exit(0);", "stopped with status 0"),
    ("status", BOTH, "_exit(7);", "stopped with status 7"),
    ("loop", BOTH[1:], "for (;;) __asm__ volatile(\"\");", "took too long"),
    ("sleep", BOTH[:1], "for (;;) sleep(1000);", "took too long"),
    ("deep", BOTH[:1], "char *volatile p = alloca(1 << 30); p[0] = 1;",
     "was ended by signal 11"),
    ("memory", BOTH, HUNGRY, "was ended by signal 6"),
]


def check(modules, path, *args):
    return modules.bench.run("ptrace", "--module-check", path, *args,
                             env=_modules.CRASHES)


def burglar(modules, victim, where, *flags):
    return modules.compile("burglar", BURGLAR, f"-DWHERE={where}",
                           f'-DVICTIM="{victim}"', *flags)


def check_burglar(modules, t, victim):
    """Nothing that it tries comes to anything."""
    with open(victim) as f:
        before = f.read()
    for where in (1, 2):
        done = check(modules, burglar(modules, victim, where))
        t.equal(done.returncode, 0, where, done.stdout, done.stderr)
        if "sandbox:" in done.stderr:
            t.skipped += 1  # a kernel that cannot
            return
        tried = dict(re.findall(r"^TRY (\w+) (\d+)$", done.stdout, re.M))
        t.check(len(tried) >= 16, where, tried)
        for what, error in tried.items():
            t.equal(int(error), EPERM, where, what)
        t.check("UID 0\n" not in done.stdout, done.stdout)
        for what, name in NAMES.items():
            t.check(re.search(
                "module 'burglar': the sandbox refused the system call "
                f"'{name}'.* while it was checked; --no-sandbox allows it\n",
                done.stderr), where, what, done.stderr)
        t.check("burglar.so: module 'burglar'\n" in done.stdout, done.stdout)
    with open(victim) as f:
        t.equal(f.read(), before, "the file")
    t.equal([x for x in os.listdir(os.path.dirname(victim))
             if x.startswith("victim")], ["victim"])


def check_free(modules, t, victim):
    """The test can see what is not refused."""
    done = check(modules, burglar(modules, victim, 2, "-DFREE"),
                 "--no-sandbox")
    t.equal(re.findall(r"^TRY (\w+ \d+)$", done.stdout, re.M),
            ["create 0", "unlink 0"], done.stdout)
    t.equal((done.returncode, done.stderr), (0, ""))
    t.check(os.path.exists(victim + ".new"), "not created")


def check_ends(modules, t):
    instrumented = _modules.is_instrumented(modules)
    for what, places, body, said in ENDS:
        for where in places:
            if instrumented and what in ("memory", "deep"):
                continue  # the sanitizer's memory has no limit
            path = modules.compile("bad", "#include <alloca.h>\n"
                                   "#include <stdlib.h>\n#include <unistd.h>\n"
                                   "#include <ptrace/pmodule.h>\n"
                                   "static void act(void) { " + body + " }\n"
                                   + ("__attribute__((constructor)) static "
                                      "void begin(void) { act(); }\n"
                                      if where == "constructor" else "") +
                                   "static bool load(pmodule_t *pm) "
                                   "{ (void)pm; act(); return true; }\n"
                                   'PMODULE_DEFINE("bad", load, NULL, NULL)\n',
                                   "-w")
            done = check(modules, path, "--json", "--module-timeout=1")
            t.equal(done.returncode, 2, what, where)
            found = json.loads(done.stdout)
            t.equal((found["loaded"], len(found["mistakes"])), (False, 1),
                    what, where)
            t.check(said in found["mistakes"][0]["text"], what, where,
                    found["mistakes"])
            t.equal(done.stderr, "", what, where)
            if "too long" in said:
                continue
            done = check(modules, path, "--module-timeout=1")
            t.equal((done.returncode, done.stdout.count("\n")), (2, 2), what,
                    where, done.stdout)


def check_lua(modules, t, victim):
    """Allowed by the user, io opens what nobody in particular may read."""
    text = ("local f, why = io.open('%s') pmodule.define{id='m', load="
            "function() error(f and 'opened' or 'refused: ' .. why) end}\n")
    path = modules.write("m.lua", text % victim)
    done = check(modules, path)
    t.check(done.returncode == 2 and "sandbox-whitelist" in done.stdout,
            done.stdout)
    done = check(modules, path, "--sandbox-whitelist=io")
    t.check(done.returncode == 2 and
            ("refused: " if os.geteuid() == 0 else "opened") in done.stdout,
            done.stdout)
    # With walls or without, the report of a sound module is the same.
    path = modules.write("m.lua", "pmodule.define{id='m', load=function() "
                         "pmodule.register('thread', print) end}\n")
    t.equal(check(modules, path).stdout,
            check(modules, path, "--no-sandbox").stdout)


def body(bench, t):
    modules = _modules.Modules(bench, os.path.join(
        _modules.HERE, "programs", "crash.c"))
    victim = modules.write("victim", "as it was\n")
    # Who opens a file is checked before anybody can read it for others.
    check_lua(modules, t, victim)
    check_ends(modules, t)
    if _modules.is_instrumented(modules):
        t.skipped += 1
        return
    check_burglar(modules, t, victim)
    check_free(modules, t, victim)


if __name__ == "__main__":
    sys.exit(_modules.main(body))
