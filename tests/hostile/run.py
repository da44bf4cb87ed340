#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Bad input and bad places for output: one case per row, each with the exit
status it must give, what its one line on standard error must say, and a limit
on processor time and memory. What must never happen: a crash or a hang of the program, a
half file, a line on standard output that is no path.

    run.py --build DIR [--list] [NAME...]
"""
import argparse
import gzip
import json
import lzma
import os
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
import crash  # noqa: E402

SECONDS = 10  # of processor time, all processes of a run together
# Of the clock: for what waits and does not work. The machine may be busy.
PATIENCE = 120
THREADS = 4  # of demo.c
MEMORY = 1 << 30  # of private memory (RLIMIT_DATA)
SANITIZED_FACTOR = 4
CASES = []


def case(function):
    CASES.append(function)
    return function


def processor_time():
    """Of all processes that have ended below this one."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class World:
    """Good inputs to start from, and the programs under test."""

    def __init__(self, build, where):
        self.build, self.dir = os.path.abspath(build), where
        self.exe = crash.build(
            os.path.join(ROOT, "tests", "programs", "demo.c"),
            ["-g", "-O0"], "gcc", where)
        self.core = crash.core(self.exe, where)
        with open(self.core, "rb") as f:
            self.bytes = f.read()
        self.failures = []
        self.name = ""
        self.checks = 0
        with open(os.path.join(self.build, "ptrace"), "rb") as f:
            self.sanitized = b"__asan_init" in f.read()

    def expect(self, good, *what):
        self.checks += 1
        if not good:
            self.failures.append(self.name)
            print("FAIL", self.name + ":", *what)
        return good

    def file(self, name, data):
        path = os.path.join(tempfile.mkdtemp(dir=self.dir), name)
        with open(path, "wb") as f:
            f.write(data)
        return path

    def limits(self, extra=()):
        def apply():
            if not self.sanitized:
                resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            for which, value in extra:
                resource.setrlimit(which, (value, value))
        return apply

    def run(self, *args, program="ptrace", limits=(), **options):
        options.setdefault("stdout", subprocess.PIPE)
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
        allowed = SECONDS * (SANITIZED_FACTOR if self.sanitized else 1)
        before = processor_time()
        try:
            done = subprocess.run(
                [os.path.join(self.build, program), *args],
                stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                errors="surrogateescape", timeout=PATIENCE, env=env,
                preexec_fn=self.limits(limits), check=False, **options)
        except subprocess.TimeoutExpired:
            self.expect(False, args, f"no end after {PATIENCE} s")
            return subprocess.CompletedProcess(args, -1, "", "")
        took = processor_time() - before
        self.expect(took < allowed, args, f"took {took:.1f} s")
        self.expect(done.returncode in (0, 1, 2), args, "exit status",
                    done.returncode, done.stderr)
        self.expect(all(c.isprintable() or c == "\n" for c in
                        done.stderr.encode("utf-8", "surrogateescape")
                        .decode("utf-8", "replace")),
                    args, "raw bytes on stderr", repr(done.stderr))
        return done

    def refused(self, core, *says, args=(), status=2):
        """No snapshot: the status, one line that says all of `says`, no
        file."""
        where = tempfile.mkdtemp(dir=self.dir)
        for program in ("ptrace", "bt"):
            done = self.run(*args, "--core", core, self.exe, program=program,
                            cwd=where)
            self.expect(done.returncode == status, program, "exit status",
                        done.returncode, done.stderr)
            self.expect(done.stdout == "", program, "stdout", done.stdout)
            self.expect(done.stderr.count("\n") == 1 and
                        done.stderr.startswith(program + ": "), program,
                        "not one line:", done.stderr)
            for text in says:
                self.expect(text in done.stderr, program, "lacks", repr(text),
                            ":", done.stderr)
        self.expect(os.listdir(where) == [], "left", os.listdir(where))

    def document(self, path):
        done = self.run("-b", path, "--format=json")
        self.expect(done.returncode == 0, "-b", done.stderr)
        try:
            return json.loads(done.stdout)
        except ValueError as error:
            self.expect(False, "no JSON:", error)
            return {}

    def written(self, *args, says=(), core=None, exe=None, **options):
        """A snapshot all the same: its document, and stderr."""
        where = tempfile.mkdtemp(dir=self.dir)
        operands = [exe or self.exe] if exe is not False else []
        done = self.run(*args, "--core", core or self.core, *operands,
                        cwd=where, **options)
        if not self.expect(done.returncode == 0, "exit status",
                           done.returncode, done.stderr):
            return {}
        for text in says:
            self.expect(text in done.stderr, "stderr lacks", repr(text), ":",
                        done.stderr)
        left = os.listdir(where)
        self.expect(len(left) == 1 and left[0].endswith(".btt"), "files", left)
        return self.document(done.stdout.strip())


# ---- what is no core at all ----

@case
def missing(w):
    w.refused("/nonexistent/core", "/nonexistent/core", "No such file")


@case
def empty(w):
    w.refused(w.file("core", b""), "empty")


@case
def few_bytes(w):
    for n in (1, 3, 4, 15, 16, 63):
        w.refused(w.file(f"core.{n}", w.bytes[:n]), f"core.{n}")


@case
def text(w):
    w.refused(w.file("core", b"#!/bin/sh\necho core\n" * 100), "not a core")


@case
def compressed(w):
    """Read as they are; a stream that ends early gives what it held."""
    for name, pack in (("gz", gzip.compress), ("xz", lzma.compress)):
        whole = pack(w.bytes)
        for cut in (len(whole), len(whole) * 3 // 4):
            w.name = f"compressed {name} {cut} of {len(whole)}"
            where = tempfile.mkdtemp(dir=w.dir)
            done = w.run("--core", w.file("core." + name, whole[:cut]), w.exe,
                         cwd=where)
            w.expect(done.returncode == 0 or
                     (cut < len(whole) and done.stderr.count("\n") == 1),
                     done.returncode, done.stderr)
            names = os.listdir(where)
            w.expect(len(names) == (done.returncode == 0), names)
            if names:
                d = w.document(os.path.join(where, names[0]))
                w.expect(len(d["threads"]) == THREADS, "threads")
                w.expect(d["partial"] == (cut < len(whole)), "partial")
        w.name = f"compressed {name} damaged"
        w.refused(w.file("core." + name, whole[:64] + bytes(100)), "core.")
        w.refused(w.file("core." + name, whole[:8]), "core.")
    # 1 GiB of zeros in 1 MB is no core, and must not cost 1 GiB.
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    data = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(1024))
    w.name = "compressed bomb"
    w.refused(w.file("core.gz", data + bomb.flush()), "core.gz")


@case
def zeros(w):
    w.refused(w.file("core", bytes(100000)), "not a core")


@case
def directory_device_fifo_socket(w):
    where = tempfile.mkdtemp(dir=w.dir)
    fifo, sock = os.path.join(where, "f"), os.path.join(where, "s")
    os.mkfifo(fifo)
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(sock)
        for path in (where, "/dev/null", "/dev/zero", fifo, sock):
            w.refused(path, path)


@case
def executable_as_core(w):
    w.refused(w.exe, "executable")


@case
def snapshot_as_core(w):
    path = os.path.join(tempfile.mkdtemp(dir=w.dir), "x.btt")
    w.run("-o", path, "--core", w.core, w.exe)
    w.refused(path, "not a core")


@case
def odd_names(w):
    """The name of the file is foreign text too."""
    w.refused(w.file("core\n\033[31m\u202e", b"x"), "\\n")


def patched(w, offset, data):
    return w.bytes[:offset] + data + w.bytes[offset + len(data):]


@case
def other_class_order_machine(w):
    # e_machine at 18; class at 4; data at 5 (ELF specification, figure 1-3).
    # A header that lies is found out by what is behind it.
    for name, data in (
            ("aarch64", patched(w, 18, struct.pack("<H", 183))),
            ("number 999", patched(w, 18, struct.pack("<H", 999))),
            ("32 bits", patched(w, 4, b"\1")),
            ("big-endian", patched(w, 5, b"\2")),
            ("neither", patched(w, 4, b"\7\7"))):
        w.name = f"other_class_order_machine {name}"
        d = w.written(core=w.file("core", data), says=("file header",))
        w.expect(len(d.get("threads", [])) == THREADS, "threads")
    # Cores of other machines, as far as their headers and one thread.
    for name, machine, order, wide, registers in (
            ("aarch64", 183, "<", True, 34), ("i386", 3, "<", False, 17),
            ("s390x", 22, ">", True, 35), ("unknown", 999, "<", True, 0)):
        w.name = f"other_class_order_machine core of {name}"
        d = w.written(core=w.file("core", core_of(machine, order, wide)))
        threads = d.get("threads", [])
        w.expect(len(threads) == 1, "threads")
        w.expect(len(threads[0]["registers"]) == registers, "registers")
        w.expect(d["attributes"].get("cpu.arch") == name, "cpu.arch")
        w.expect((registers == 0) == any(
            x["code"] == "core.machine" for x in d["warnings"]), "warning")
        w.expect(threads[0]["stop_reason"] in (
            "not unwound: architecture", "no registers")
            or name == "aarch64", "stop reason")


def core_of(machine, order, wide):
    """A core of one thread, all of whose registers are zero."""
    size = 392 if wide else 144
    note = struct.pack(order + "III8s", 5, size, 1, b"CORE") + bytes(size)
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2,
                                1]) + bytes(9)
    if wide:
        return ident + struct.pack(
            order + "HHIQQQIHHHHHH", 4, machine, 1, 0, 64, 0, 0, 64, 56, 1,
            0, 0, 0) + struct.pack(
                order + "IIQQQQQQ", 4, 0, 120, 0, 0, len(note), 0, 4) + note
    return ident + struct.pack(
        order + "HHIIIIIHHHHHH", 4, machine, 1, 0, 52, 0, 0, 52, 32, 1,
        0, 0, 0) + struct.pack(
            order + "8I", 4, 84, 0, 0, len(note), 0, 0, 4) + note


# ---- damaged cores: what can be had must be there ----

def phdrs(data):
    phoff, = struct.unpack_from("<Q", data, 32)
    phentsize, phnum = struct.unpack_from("<HH", data, 54)
    return [phoff + i * phentsize for i in range(phnum)]


def notes_of(data):
    for at in phdrs(data):
        kind, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", data, at)
        if kind == 4:
            return offset, size
    raise ValueError("the core has no notes")


@case
def truncated(w):
    offset, size = notes_of(w.bytes)
    whole = len(w.bytes)
    full = {x["tid"] for x in w.written()["threads"]}
    for cut in (offset + size, offset + size + 4096, whole // 2,
                whole * 9 // 10, whole - 1):
        w.name = f"truncated at {cut} of {whole}"
        d = w.written(core=w.file("core", w.bytes[:cut]),
                      says=("ends at offset",))
        w.expect({x["tid"] for x in d["threads"]} == full, "threads")
        w.expect(all(x["frames"] for x in d["threads"]), "no frame 0")
        w.expect(d["partial"] and
                 d["attributes"].get("snapshot.partial") is True, "partial")
        w.expect(d["warnings"], "no warning")


@case
def truncated_in_notes(w):
    offset, size = notes_of(w.bytes)
    for part in (3, 2, 1):
        cut = offset + size * part // 4
        w.name = f"truncated_in_notes at {cut}"
        d = w.written(core=w.file("core", w.bytes[:cut]))
        w.expect(d.get("threads"), "no thread")
        w.expect(d.get("partial"), "partial")


@case
def truncated_before_notes(w):
    offset, _ = notes_of(w.bytes)
    for cut in (64, 65, 64 + 56, offset - 1, offset):
        w.name = f"truncated_before_notes at {cut}"
        where = tempfile.mkdtemp(dir=w.dir)
        done = w.run("--core", w.file("core", w.bytes[:cut]), w.exe,
                     cwd=where)
        # Without notes there may be nothing, but never half a file.
        w.expect(done.returncode in (0, 2) and done.stderr, done.stderr)
        w.expect(len(os.listdir(where)) == (done.returncode == 0), "files")


@case
def header_lies(w):
    # Offset, format, value: e_phoff 32, e_phentsize 54, e_phnum 56.
    for name, offset, form, value in (
            ("phoff past the end", 32, "<Q", len(w.bytes) + 1),
            ("phoff wraps", 32, "<Q", (1 << 64) - 8),
            ("phentsize 0", 54, "<H", 0), ("phentsize 1", 54, "<H", 1),
            ("phentsize 65535", 54, "<H", 65535),
            ("phnum 0", 56, "<H", 0), ("phnum 65535", 56, "<H", 65535),
            ("phnum 65534", 56, "<H", 65534)):
        w.name = f"header_lies {name}"
        where = tempfile.mkdtemp(dir=w.dir)
        data = patched(w, offset, struct.pack(form, value))
        done = w.run("--core", w.file("core", data), w.exe, cwd=where)
        w.expect(done.returncode in (0, 2) and
                 (done.returncode == 0 or done.stderr.count("\n") == 1),
                 done.returncode, done.stderr)
        w.expect(len(os.listdir(where)) == (done.returncode == 0), "files")


@case
def segment_lies(w):
    # p_type 0, p_offset 8, p_vaddr 16, p_filesz 32, p_memsz 40, p_align 48.
    tables = phdrs(w.bytes)
    for name, field, value in (
            ("filesz huge", 32, 1 << 62), ("memsz huge", 40, 1 << 63),
            ("memsz wraps", 40, (1 << 64) - 1), ("offset wraps", 8,
                                                 (1 << 64) - 4096),
            ("same address", 16, 0x400000), ("align 3", 48, 3),
            ("align huge", 48, 1 << 63), ("filesz 0", 32, 0)):
        w.name = f"segment_lies {name}"
        data = bytearray(w.bytes)
        for at in tables:
            if struct.unpack_from("<I", data, at)[0] == 1:
                struct.pack_into("<Q", data, at + field, value)
        d = w.written(core=w.file("core", bytes(data)))
        w.expect(len(d.get("threads", [])) == THREADS, "threads")


@case
def note_lies(w):
    offset, _ = notes_of(w.bytes)
    for name, at, value in (("namesz", 0, 0xffffffff),
                            ("namesz rounds", 0, 0xfffffffd),
                            ("descsz", 4, 0xffffffff),
                            ("descsz rounds", 4, 0xfffffffd),
                            ("type", 8, 0xffffffff)):
        w.name = f"note_lies {name}"
        data = patched(w, offset + at, struct.pack("<I", value))
        where = tempfile.mkdtemp(dir=w.dir)
        done = w.run("--core", w.file("core", data), w.exe, cwd=where)
        w.expect(done.returncode == 0, done.stderr)


def replaced(w, old, new):
    """The core with a path in it replaced by one of the same length."""
    return w.bytes.replace(old, new[:len(old)].ljust(len(old), b"\0"))


@case
def paths_to_a_fifo(w):
    """A library path in the core that names a FIFO must not hang us."""
    fifo = os.path.join(w.dir, "fifo")
    os.mkfifo(fifo)
    data = replaced(w, w.exe.encode(), fifo.encode())
    d = w.written(core=w.file("core", data), exe=False)
    w.expect(len(d.get("threads", [])) == THREADS, "threads")


@case
def escapes_in_paths(w):
    data = replaced(w, w.exe.encode(), b"/\033[2J\n\xff/..")
    where = tempfile.mkdtemp(dir=w.dir)
    done = w.run("--core", w.file("core", data), w.exe, cwd=where)
    w.expect(done.returncode == 0, done.stderr)
    names = os.listdir(where)
    w.expect(len(names) == 1 and names[0].isascii() and
             names[0].isprintable() and names[0][0] not in ".-",
             "file name", names)
    done = w.run("--core", w.file("core", data), w.exe, program="bt")
    w.expect("\033" not in done.stdout, "an escape reached the terminal")


@case
def name_that_leads_elsewhere(w):
    for comm in (b"../../x", b"/etc/p", b"-rf", b"..", b".hid"):
        # pr_fname of NT_PRPSINFO (type 3), 40 bytes into it; and the paths,
        # so that the name comes from there.
        data = bytearray(replaced(w, w.exe.encode(), b"/"))
        offset, size = notes_of(data)
        end = offset + size
        while offset + 12 <= end:
            namesz, descsz, kind = struct.unpack_from("<III", data, offset)
            desc = offset + 12 + (namesz + 3) // 4 * 4
            if kind == 3:
                data[desc + 40:desc + 56] = comm.ljust(16, b"\0")
                break
            offset = desc + (descsz + 3) // 4 * 4
        where = tempfile.mkdtemp(dir=w.dir)
        done = w.run("--core", w.file("core", bytes(data)), cwd=where)
        w.expect(done.returncode == 0, comm, done.stderr)
        names = os.listdir(where)
        w.expect(len(names) == 1 and names[0].endswith(".btt") and
                 names[0][0] not in ".-", comm, names)


# ---- executables ----

@case
def wrong_executable(w):
    for exe, says in (("/bin/true", "not the file that was mapped"),
                      ("/nonexistent/exe", "/nonexistent/exe"),
                      (w.dir, w.dir), ("/dev/null", "/dev/null"),
                      (w.file("exe", b""), "exe"),
                      (w.file("exe", b"text"), "exe"),
                      (w.core, "core")):
        w.name = f"wrong_executable {exe}"
        d = w.written(exe=exe, says=(says,))
        w.expect(any(says in x["text"] for x in d.get("warnings", [])),
                 "no warning says", says)
        w.expect(len(d.get("threads", [])) == THREADS, "threads")


@case
def wrong_executable_says_one_line(w):
    done = w.run("--core", w.core, "/bin/true",
                 cwd=tempfile.mkdtemp(dir=w.dir))
    w.expect(done.stderr.count("\n") == 1, done.stderr)


@case
def fifo_executable(w):
    fifo = os.path.join(tempfile.mkdtemp(dir=w.dir), "exe")
    os.mkfifo(fifo)
    d = w.written(exe=fifo, says=(fifo,))
    w.expect(len(d.get("threads", [])) == THREADS, "threads")


@case
def other_build_of_the_program(w):
    exe = crash.build(os.path.join(ROOT, "tests", "programs", "demo.c"),
                      ["-g", "-O2"], "gcc", tempfile.mkdtemp(dir=w.dir))
    d = w.written(exe=exe, says=("build-id",))
    w.expect(d.get("threads"), "threads")
    d = w.written("--force", exe=exe)
    w.expect(d.get("warnings"), "a forced executable is not marked")


# ---- places for output ----

def no_output(w, *args, says=(), where=None, status=2, **options):
    where = where or tempfile.mkdtemp(dir=w.dir)
    before = sorted(os.listdir(where))
    done = w.run(*args, "--core", w.core, w.exe, cwd=where, **options)
    w.expect(done.returncode == status, args, done.returncode, done.stderr)
    w.expect(not done.stdout, "stdout", done.stdout)
    w.expect(done.stderr.count("\n") == 1, "not one line:", done.stderr)
    for text in says:
        w.expect(text in done.stderr, "lacks", repr(text), done.stderr)
    w.expect(sorted(os.listdir(where)) == before, "left", os.listdir(where))


@case
def output_directory_missing(w):
    no_output(w, "-o", "/nonexistent/x.btt", says=("/nonexistent",))
    no_output(w, "-O", "/nonexistent/x", says=("/nonexistent",))


@case
def output_is_a_directory(w):
    no_output(w, "-o", w.dir, says=(w.dir, "directory"))
    no_output(w, "-o", w.dir, "--overwrite", says=("directory",))


@case
def output_exists(w):
    path = w.file("x.btt", b"precious")
    no_output(w, "-o", path, says=(path, "exists"))
    with open(path, "rb") as f:
        w.expect(f.read() == b"precious", "it was changed")


@case
def output_is_a_link(w):
    victim = w.file("victim", b"precious")
    where = tempfile.mkdtemp(dir=w.dir)
    for name, target in (("x.btt", victim), ("y.btt", "/nonexistent")):
        link = os.path.join(where, name)
        os.symlink(target, link)
        for extra in ((), ("--overwrite",)):
            no_output(w, "-o", link, *extra, says=(link,), where=where)
        w.expect(os.path.islink(link), "the link is gone")
    with open(victim, "rb") as f:
        w.expect(f.read() == b"precious", "a link was followed")


@case
def output_is_a_fifo_or_socket(w):
    where = tempfile.mkdtemp(dir=w.dir)
    fifo, sock = os.path.join(where, "f"), os.path.join(where, "s")
    os.mkfifo(fifo)
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(sock)
        for path in (fifo, sock):
            for extra in ((), ("--overwrite",)):
                no_output(w, "-o", path, *extra, says=(path,), where=where)


@case
def unwritable_directory(w):
    if os.geteuid() != 0:
        where = tempfile.mkdtemp(dir=w.dir)
        os.chmod(where, 0o500)
        no_output(w, "-o", os.path.join(where, "x"), says=(where,))
        os.chmod(where, 0o700)
        return
    no_output(w, "-o", "/proc/x.btt", says=("/proc",))
    if os.path.isdir("/sys/kernel"):
        no_output(w, "-o", "/sys/kernel/x.btt", says=("/sys/kernel",))


@case
def file_size_limit(w):
    """EFBIG stands for every failing write; SIGXFSZ must not kill."""
    no_output(w, says=(".btt",), limits=((resource.RLIMIT_FSIZE, 512),))
    no_output(w, "-o", "x.btt", says=("x.btt",),
              limits=((resource.RLIMIT_FSIZE, 512),))


@case
def full_disk(w):
    if os.geteuid() != 0:
        return
    where = tempfile.mkdtemp(dir=w.dir)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", where],
        stderr=subprocess.DEVNULL, check=False)
    if mounted.returncode != 0:
        return
    try:
        filler = os.open(os.path.join(where, "filler"),
                         os.O_WRONLY | os.O_CREAT)
        try:
            while True:
                os.write(filler, bytes(4096))
        except OSError:
            os.close(filler)
        no_output(w, says=("No space left",), where=where)
        no_output(w, "-o", "x.btt", says=("No space left",), where=where)
    finally:
        subprocess.run(["umount", where], check=False)


@case
def closed_standard_output(w):
    """The caller chose the name: it has its snapshot. It did not: it cannot
    find it, and is told where it is."""
    for close in (lambda: os.close(1), lambda: os.dup2(
            os.open("/dev/full", os.O_WRONLY), 1)):
        for args, status in ((("-o", "x.btt"), 0), ((), 2)):
            where = tempfile.mkdtemp(dir=w.dir)
            done = subprocess.run(
                [os.path.join(w.build, "ptrace"), *args, "--core", w.core],
                cwd=where, preexec_fn=close, stderr=subprocess.PIPE,
                text=True, timeout=PATIENCE, check=False)
            names = os.listdir(where)
            w.expect(done.returncode == status, args, done.returncode)
            w.expect(len(names) == 1 and names[0] in done.stderr and
                     done.stderr.count("\n") == 1, names, done.stderr)
            w.expect(w.document(os.path.join(where, names[0])), "document")
    done = subprocess.run(
        [os.path.join(w.build, "bt"), "--core", w.core],
        preexec_fn=lambda: os.close(1), stderr=subprocess.PIPE, text=True,
        timeout=PATIENCE, check=False)
    w.expect(done.returncode == 2 and done.stderr.count("\n") == 1,
             "bt", done.returncode, done.stderr)


@case
def all_descriptors_closed(w):
    where = tempfile.mkdtemp(dir=w.dir)
    done = subprocess.run(
        [os.path.join(w.build, "ptrace"), "-o", "x.btt", "--core", w.core],
        cwd=where, preexec_fn=lambda: os.closerange(0, 3),
        timeout=PATIENCE, check=False)
    w.expect(done.returncode == 0, "exit status", done.returncode)
    w.expect(os.listdir(where) == ["x.btt"], os.listdir(where))
    d = w.document(os.path.join(where, "x.btt"))
    w.expect(len(d.get("threads", [])) == THREADS, "threads")


@case
def reader_goes_away(w):
    read, write = os.pipe()
    os.close(read)
    done = w.run("--core", w.core, program="bt", stdout=write)
    os.close(write)
    w.expect(done.returncode == 2, "exit status", done.returncode)


# ---- attributes and snapshots ----

@case
def hostile_attributes(w):
    d = w.written("--kv", b"bad\xff:\xfe\x80".decode("utf-8",
                                                     "surrogateescape"),
                  "--kv", "esc:\033[31m", "--kv",
                  ",".join(f"k{i}:v" for i in range(5000)))
    w.expect(d.get("attributes", {}).get("k4999") == "v", "k4999")
    w.expect(d.get("attributes", {}).get("esc") == "\033[31m", "esc")


@case
def hostile_snapshots(w):
    good = os.path.join(tempfile.mkdtemp(dir=w.dir), "x.btt")
    w.run("-o", good, "--core", w.core, w.exe)
    with open(good, "rb") as f:
        data = f.read()
    for name, bad in (("empty", b""), ("text", b"hello"), ("one", data[:1]),
                      ("zeros", bytes(4096)), ("core", w.bytes[:10000])):
        w.name = f"hostile_snapshots {name}"
        path = w.file("x.btt", bad)
        for program, args in (("ptrace", ("-b", path)), ("bt", (path,))):
            done = w.run(*args, program=program)
            w.expect(done.returncode == 2 and done.stdout == "" and
                     done.stderr.count("\n") == 1 and path in done.stderr,
                     program, done.returncode, done.stderr)
    for i in range(0, len(data), max(1, len(data) // 60)):
        w.name = f"hostile_snapshots byte {i}"
        bad = bytearray(data)
        bad[i] ^= 0xff
        w.run("-b", w.file("x.btt", bytes(bad)))
        w.run(w.file("x.btt", data[:i]), program="bt")


# ---- workers ----

def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return [int(x) for x in f.read().split()]
    except OSError:
        return []


def runs(pid):
    """A zombie that init has not collected yet does not count."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as f:
            return f.read().rpartition(b")")[2].split()[0] not in b"ZX"
    except OSError:
        return False


@case
def worker_is_killed(w):
    """The worker dies of SIGKILL at moments spread over its life: either it
    was done, or the snapshot is there all the same, or the line says why
    not."""
    for i in range(20):
        where = tempfile.mkdtemp(dir=w.dir)
        with subprocess.Popen(
                [os.path.join(w.build, "ptrace"), "--core", w.core, w.exe],
                cwd=where, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True) as process:
            end = time.monotonic() + PATIENCE
            kids = []
            while not kids and process.poll() is None and \
                    time.monotonic() < end:
                kids = children(process.pid)
            time.sleep(i * 0.001)
            for kid in kids:
                try:
                    os.kill(kid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            out, err = process.communicate(timeout=PATIENCE)
        names = os.listdir(where)
        w.expect(process.returncode in (0, 2), process.returncode, err)
        w.expect(len(names) == (process.returncode == 0), names, out, err)
        if process.returncode == 0:
            d = w.document(out.strip())
            w.expect(d.get("threads"), "threads")
            w.expect(("worker" in err) == bool(d.get("partial")), err)


@case
def supervisor_is_killed(w):
    """Nothing under the final name, and no worker left behind."""
    for i in range(10):
        where = tempfile.mkdtemp(dir=w.dir)
        with subprocess.Popen(
                [os.path.join(w.build, "ptrace"), "-o", "x.btt", "--core",
                 w.core, w.exe], cwd=where, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL) as process:
            end = time.monotonic() + PATIENCE
            kids = []
            while not kids and process.poll() is None and \
                    time.monotonic() < end:
                kids = children(process.pid)
            time.sleep(i * 0.002)
            process.kill()
        end = time.monotonic() + PATIENCE
        while any(runs(k) for k in kids) and time.monotonic() < end:
            time.sleep(0.01)
        w.expect(not any(runs(k) for k in kids), "a worker is left")
        names = os.listdir(where)
        w.expect(names in ([], ["x.btt"]), names)
        if names:
            w.expect(w.document(os.path.join(where, "x.btt"))["partial"]
                     is False, "half a file under the final name")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    if args.list:
        print("\n".join(c.__name__ for c in CASES))
        return 0
    where = tempfile.mkdtemp(prefix="inquest-hostile.")
    try:
        world = World(args.build, where)
        for function in CASES:
            if not args.names or function.__name__ in args.names:
                world.name = function.__name__
                function(world)
    except crash.CrashError as error:
        print("skipped:", error)
        return 77
    finally:
        shutil.rmtree(where, ignore_errors=True)
    print(f"{world.checks} checks, {len(world.failures)} failed")
    return 1 if world.failures else 0


if __name__ == "__main__":
    sys.exit(main())
