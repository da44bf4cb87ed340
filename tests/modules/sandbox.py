#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The sandbox from inside and from outside. A module in C, which stands for a
worker that was taken over, tries what a worker has no business with: each is
refused, named in the warnings, and the snapshot comes all the same. And what
/proc says of a worker while it runs."""
import os
import subprocess
import time

import _modules

PATIENCE = 60  # seconds, on a machine that does much else besides

PRISONER = r"""
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <ptrace/pmodule.h>

static void
say(ptrace_backtrace_t *bt, const char *what, long result)
{
	char key[64];
	int error = errno;

	snprintf(key, sizeof(key), "try.%s", what);
	pmodule_kv_add_int(bt, key, result < 0 ? error : 0);
}

static char page[8192] __attribute__((aligned(4096)));

static void
run(ptrace_backtrace_t *bt)
{
	char *const none[] = {NULL};
	struct rlimit limit = {1000, 1000};
	char byte;
	struct iovec here = {&byte, 1}, there = {&byte, 1};

	say(bt, "open", open("/etc/hostname", O_RDONLY));
	say(bt, "create", open("/tmp/inquest-prisoner", O_CREAT | O_RDWR, 0600));
	say(bt, "unlink", unlink("/tmp/inquest-prisoner"));
	say(bt, "stat", syscall(SYS_newfstatat, AT_FDCWD, "/", page, 0));
	say(bt, "socket", socket(AF_INET, SOCK_STREAM, 0));
	say(bt, "execve", execve("/bin/true", none, none));
	say(bt, "ptrace", ptrace(PTRACE_SEIZE, getppid(), 0, 0));
	say(bt, "kill", kill(getppid(), 0));
	say(bt, "tgkill", syscall(SYS_tgkill, getppid(), getppid(), 0));
	say(bt, "fork", syscall(SYS_fork));
	say(bt, "clone", syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
	say(bt, "vfork", syscall(SYS_vfork));
	say(bt, "read-other", syscall(SYS_process_vm_readv,
	    getppid(), &here, 1, &there, 1, 0));
	say(bt, "code", mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
	say(bt, "protect", mprotect(page, 4096, PROT_READ | PROT_EXEC));
	say(bt, "limit", setrlimit(RLIMIT_NOFILE, &limit));
	say(bt, "setuid", setuid(0));
	say(bt, "dumpable", prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	say(bt, "mount", syscall(SYS_mount, "x", "/", "tmpfs", 0, 0));
	say(bt, "unshare", syscall(SYS_unshare, 0x10000000));
	say(bt, "bpf", syscall(SYS_bpf, 0, 0, 0));
	say(bt, "io_uring", syscall(SYS_io_uring_setup, 1, page));
	say(bt, "newer", syscall(500));
	say(bt, "clone3", syscall(SYS_clone3, page, 64));
}
static bool load(pmodule_t *pm) { return pmodule_postattach_event_add(pm, run); }
PMODULE_DEFINE("prisoner", load, NULL, NULL)
"""

# The result of a try -> the name that the warnings must have.
REFUSED = {
    "open": "openat", "create": "openat", "unlink": "unlink",
    "stat": "newfstatat", "socket": "socket", "execve": "execve",
    "ptrace": "ptrace", "kill": "kill", "tgkill": "tgkill", "fork": "fork",
    "clone": "clone", "vfork": "vfork", "read-other": "process_vm_readv",
    "code": "mmap", "protect": "mprotect", "limit": "prlimit64",
    "setuid": "setuid", "dumpable": "prctl", "mount": "mount",
}
# There is room for so many in the warnings; the rest is refused as well.
UNNAMED = ("unshare", "bpf", "io_uring")
NAMED = 16
# Not told: C libraries try these and do without.
ABSENT = ("newer", "clone3")
EPERM, ENOSYS = 1, 38

# Goes on when its standard input has ended.
SLEEPER = r"""
#include <unistd.h>
#include <ptrace/pmodule.h>
static void
run(ptrace_backtrace_t *bt)
{
	char c;
	(void)bt;
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
}
static bool load(pmodule_t *pm) { return pmodule_postattach_event_add(pm, run); }
PMODULE_DEFINE("sleeper", load, NULL, NULL)
"""

PEACEFUL = r"""
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <ptrace/pmodule.h>
static int order(const void *a, const void *b)
{ return *(const int *)a - *(const int *)b; }
static void
run(ptrace_backtrace_t *bt)
{
	static int numbers[100000];
	struct timespec t;
	char *text = NULL;
	for (int i = 0; i < 100000; i++)
		numbers[i] = i * 7919 % 100003;
	qsort(numbers, 100000, sizeof(int), order);
	clock_gettime(CLOCK_REALTIME, &t);
	free(malloc(10000000));
	usleep(1000);
	if (asprintf(&text, "%d", numbers[5]) > 0)
		pmodule_backtrace_annotate(bt, PAT_COMMENT, "peaceful");
	free(text);
	fprintf(stderr, "%s", "");
}
static bool load(pmodule_t *pm) { return pmodule_postattach_event_add(pm, run); }
PMODULE_DEFINE("peaceful", load, NULL, NULL)
"""


def attribute(snapshot, key):
    return snapshot["attributes"].get(key)


def lacks(snapshot):
    return any(w["code"] == "sandbox.missing" for w in snapshot["warnings"])


def check_prisoner(modules, t):
    prisoner = modules.compile("prisoner", PRISONER)
    done, snapshot = modules.run("--module-load", prisoner)
    if not t.check(snapshot is not None, "prisoner", done.stderr):
        return False
    if lacks(snapshot):
        print("this kernel lacks a part of the sandbox:",
              _modules.warnings_of(snapshot))
        return True
    t.equal(done.returncode, 0, "prisoner", done.stderr)
    t.equal(snapshot["partial"], True, "prisoner")
    t.check(snapshot["findings"] and snapshot["threads"][0]["frames"],
            "everything else is there")
    instrumented = _modules.is_instrumented(modules)
    open_there = ("open", "create", "stat", "limit", "dumpable")
    texts = [w["text"] for w in snapshot["warnings"]
             if w["code"] == "sandbox.refused"]
    t.check(all(x.startswith("module 'prisoner': ") for x in texts), texts)
    names = list(dict.fromkeys(REFUSED.values()))
    for what, name in REFUSED.items():
        if instrumented and what in open_there:
            continue
        t.equal(attribute(snapshot, "try." + what), EPERM, what)
        if instrumented or names.index(name) < NAMED:
            t.check(any(f"'{name}'" in x for x in texts), what, name, texts)
            t.check(f"'{name}'" in done.stderr, what, done.stderr)
    for what in UNNAMED:
        t.equal(attribute(snapshot, "try." + what), EPERM, what)
    for what in ABSENT:
        t.equal(attribute(snapshot, "try." + what), ENOSYS, what)
    t.check(not any("clone3" in x for x in texts), texts)
    if not instrumented:
        t.check(any("'openat' (2 times)" in x for x in texts), texts)
    return lacks(snapshot)


def check_free(modules, t):
    """Nothing of the kind without the sandbox, and no false alarm with it."""
    opener = modules.compile("opener", PRISONER.replace(
        'say(bt, "create"', 'return; say(bt, "create"').replace(
            '"prisoner"', '"opener"'))
    done, snapshot = modules.run("--module-load", opener, "--no-sandbox")
    t.equal((done.returncode, done.stderr), (0, ""), "--no-sandbox")
    t.equal(attribute(snapshot, "try.open"), 0, "--no-sandbox")
    t.equal(snapshot["partial"], False, "--no-sandbox")
    peaceful = modules.compile("peaceful", PEACEFUL, "-D_GNU_SOURCE")
    done, snapshot = modules.run("--module-load", peaceful)
    t.equal((done.returncode, done.stderr), (0, ""), "peaceful")
    t.check("peaceful" in _modules.texts(snapshot), "peaceful")
    t.equal(snapshot["partial"], False, "peaceful")
    t.equal([w for w in snapshot["warnings"] if w["stage"] != "modules"
             and w["code"].startswith("sandbox")], [], "peaceful")


def check_libraries(modules, t):
    """Lua modules that were given io can use it."""
    path = os.path.join(modules.dir, "given")
    with open(path, "w") as f:
        f.write("given to io")
    os.chmod(path, 0o644)
    for p in (modules.dir, os.path.dirname(modules.dir)):
        os.chmod(p, os.stat(p).st_mode | 0o011)
    reader = modules.write("reader.lua", """
pmodule.define { id = "reader", load = function()
  pmodule.register(pmodule.event.postattach, function(bt)
    local f = assert(io.open("%s"))
    bt:annotate(pmodule.annotation.comment, f:read("*a"))
  end)
end }
""" % path)
    done, snapshot = modules.run("--module-load", reader,
                                 "--sandbox-whitelist=io")
    t.equal((done.returncode, done.stderr), (0, ""), "io")
    t.check("given to io" in _modules.texts(snapshot), "io",
            _modules.texts(snapshot))


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return f.read().split()


def status_of(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f
                    if ":\t" in line)


def wait_for_worker(pid):
    """The status of the child that has raised its walls, and its pid."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for child in children(pid):
            try:
                status = status_of(child)
            except OSError:
                continue
            if status.get("Seccomp") == "2":
                return child, status
        time.sleep(0.02)
    return None, {}


def check_outside(modules, t):
    sleeper = modules.compile("sleeper", SLEEPER)
    me = os.geteuid()
    for args, uid in (([], me or None), (["--as-user=4242"], 4242)):
        if args and me != 0:
            continue
        out = os.path.join(modules.dir, "outside.btt")
        # A descriptor of the caller's that a worker has no business with.
        secret = os.open(modules.exe, os.O_RDONLY)
        process = subprocess.Popen(
            [os.path.join(modules.bench.build, "ptrace"), "--core",
             modules.core, modules.exe, "-o", out, "--overwrite",
             "--module-load", sleeper, f"--module-timeout={PATIENCE}",
             f"--timeout={2 * PATIENCE}", *args], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            pass_fds=[secret])
        os.close(secret)
        try:
            child, status = wait_for_worker(process.pid)
            if not t.check(child is not None, args, "no filtered child"):
                continue
            if uid is not None:
                t.equal(status["Uid"].split(), [str(uid)] * 4, args)
            else:
                t.check("0" not in status["Uid"].split(), status["Uid"])
                t.check("0" not in status["Gid"].split(), status["Gid"])
                t.equal(status["Groups"].split(), [], "groups")
            for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                t.equal(int(status[name], 16), 0, args, name)
            if me == 0:
                t.equal(int(status["CapBnd"], 16), 0, args, "CapBnd")
            t.equal(status["NoNewPrivs"], "1", args)
            check_descriptors(child, t, modules)
        finally:
            text = process.communicate(timeout=3 * PATIENCE)[1]
        t.equal((process.returncode, text), (0, ""), args)
        t.equal(os.stat(out).st_mode & 0o777, 0o600, "mode")
        t.equal(os.stat(out).st_uid, me, "owner")


def check_descriptors(child, t, modules):
    """Only root sees those of an undumpable process."""
    if os.geteuid() != 0:
        t.check(not os.access(f"/proc/{child}/mem", os.R_OK), "dumpable")
        return
    end = time.monotonic() + PATIENCE
    strange = ["?"]
    # The filter is seen a moment before its descriptor has been handed over.
    while strange and time.monotonic() < end:
        kinds = {}
        for fd in os.listdir(f"/proc/{child}/fd"):
            try:
                if int(fd) > 2:
                    kinds[fd] = os.readlink(f"/proc/{child}/fd/{fd}")
            except OSError:
                pass  # closed meanwhile
        # Files of modules are opened before the walls are raised.
        strange = [k for k in kinds.values()
                   if not k.startswith(("pipe:", "socket:")) and
                   not k.endswith((".lua", ".so"))]
    t.equal(strange, [], "descriptors of the worker")


def check_usage(modules, t):
    for value in ("0", "", "root", "-1", "4294967295", "99999999999"):
        done = modules.bench.run("ptrace", "--core", modules.core,
                                 "--as-user=" + value)
        t.equal(done.returncode, 1, "--as-user", value)
        t.check("--as-user" in done.stderr, value, done.stderr)
    if os.geteuid() != 0:
        done = modules.bench.run("ptrace", "--core", modules.core,
                                 "--as-user=1234")
        t.equal(done.returncode, 1, "--as-user as a user")
        t.check("only root" in done.stderr, done.stderr)


def body(bench, t):
    modules = _modules.Modules(bench, os.path.join(
        _modules.ROOT, "tests", "programs", "demo.c"))
    missing = check_prisoner(modules, t)
    check_free(modules, t)
    check_libraries(modules, t)
    check_usage(modules, t)
    if not missing:
        check_outside(modules, t)


if __name__ == "__main__":
    raise SystemExit(_modules.main(body))
