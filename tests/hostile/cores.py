#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""More bad input, as run.py has it: cores that are large, shuffled, cut while
they are read, or lie about who they are; and what is attached to a snapshot.
Together with the unit tests they cover the list in cases.txt.

    cores.py --build DIR [--list] [NAME...]
"""
import json
import os
import struct
import subprocess
import sys
import tempfile
import threading

import run
from run import crash

run.CASES.clear()
case = run.case
THREADS = run.THREADS
PT_LOAD, PT_NOTE = 1, 4


class Parts:
    """A core taken apart, to be put together otherwise."""

    def __init__(self, data):
        self.head = bytearray(data[:64])
        self.segments, self.notes = [], []
        for at in run.phdrs(data):
            kind, flags, offset, address, _, size, memory, align = \
                struct.unpack_from("<IIQQQQQQ", data, at)
            body = data[offset:offset + size]
            if kind == PT_NOTE:
                self.notes += self.split(body)
            else:
                self.segments.append(
                    [kind, flags, address, memory, align, body])

    @staticmethod
    def split(data):
        """[type, name, descriptor] of each note."""
        at, found = 0, []
        while at + 12 <= len(data):
            namesz, descsz, kind = struct.unpack_from("<III", data, at)
            body = at + 12 + (namesz + 3) // 4 * 4
            found.append([kind, data[at + 12:at + 12 + namesz],
                          bytearray(data[body:body + descsz])])
            at = body + (descsz + 3) // 4 * 4
        return found

    @staticmethod
    def note(kind, name, body):
        return struct.pack("<III", len(name), len(body), kind) + name + \
            bytes(-len(name) % 4) + bytes(body) + bytes(-len(body) % 4)

    def bytes(self, extra=(), notes_last=False, table_last=False):
        """The file; extra: program headers with nothing behind them."""
        notes = b"".join(self.note(*n) for n in self.notes)
        count = len(self.segments) + 1 + len(extra)
        xnum = count >= 0xffff
        table_size = 56 * count
        start = 64 if table_last else 64 + table_size
        start += 64 if xnum else 0
        body, rows = b"", []
        if not notes_last:
            rows.append((PT_NOTE, 0, start, 0, 0, len(notes), 0, 4))
            body = notes
        pieces = [body]
        at = start + len(body)
        for kind, flags, address, memory, align, data in self.segments:
            rows.append((kind, flags, at, address, 0, len(data), memory,
                         align))
            pieces.append(data)
            at += len(data)
        if notes_last:
            rows.append((PT_NOTE, 0, at, 0, 0, len(notes), 0, 4))
            pieces.append(notes)
            at += len(notes)
        table = b"".join(struct.pack("<IIQQQQQQ", *row)
                         for row in [*rows, *extra])
        head = bytearray(self.head)
        struct.pack_into("<Q", head, 32, at if table_last else 64)
        struct.pack_into("<HHH", head, 54, 56, 0xffff if xnum else count, 64)
        section = b""
        if xnum:
            struct.pack_into("<Q", head, 40, start - 64)
            section = bytes(44) + struct.pack("<I", count) + bytes(16)
        else:
            struct.pack_into("<Q", head, 40, 0)
        out = [bytes(head)] + ([section] if table_last else [table, section])
        out += pieces
        if table_last:
            out.append(table)
        return b"".join(out)


def parts(w):
    return Parts(w.bytes)


def frames(document):
    return [[f.get("symbol") for f in t["frames"]]
            for t in document.get("threads", [])]


def like_the_whole(w, data, *args, **options):
    """A snapshot with the stacks of the undamaged core."""
    good = frames(w.written())
    d = w.written(*args, core=w.file("core", data), **options)
    w.expect(frames(d) == good, "stacks", frames(d))
    return d


# ---- segments ----

@case
def a_hundred_thousand_segments_in_no_order(w):
    """131,070 of them: what takes other tools a minute."""
    p = parts(w)
    empty = [(PT_LOAD, 4, 0, 0x10000000000 + (i * 7919 % 131070) * 8192, 0, 0,
              4096, 4096) for i in range(131070)]
    like_the_whole(w, p.bytes(extra=empty))


@case
def a_million_segments(w):
    """A second or two, all of which are in the snapshot."""
    p = parts(w)
    empty = [(PT_LOAD, 4, 0, 0x10000000000 + i * 8192, 0, 0, 4096, 4096)
             for i in range(1000000)]
    # More by the clock on a machine that has other things to do.
    like_the_whole(w, p.bytes(extra=empty), f"--timeout={run.PATIENCE}")


@case
def segments_in_another_order(w):
    for name, change in (("descending", lambda s: s.reverse()),
                         ("rotated", lambda s: s.append(s.pop(0)))):
        w.name = f"segments_in_another_order {name}"
        p = parts(w)
        change(p.segments)
        like_the_whole(w, p.bytes())
    w.name = "segments_in_another_order, the table at the end"
    like_the_whole(w, parts(w).bytes(table_last=True))


@case
def segments_without_length(w):
    p = parts(w)
    empty = [(PT_LOAD, 6, 0x1000, s[2], 0, 0, 0, 4096)
             for s in p.segments if s[0] == PT_LOAD]
    like_the_whole(w, p.bytes(extra=empty))


@case
def notes_behind_the_memory(w):
    like_the_whole(w, parts(w).bytes(notes_last=True))


@case
def a_hole_in_the_stack(w):
    """Of the page that the innermost frames are on, only those are there."""
    p = parts(w)
    sp = [struct.unpack_from("<Q", n[2], 112 + 19 * 8)[0]
          for n in p.notes if n[0] == 1]
    for s in p.segments:
        for at in sp:
            offset = at - s[2]
            if s[0] == PT_LOAD and 0 <= offset < len(s[5]):
                s[5] = s[5][:offset + 64]
    whole = {t["tid"]: t["frames"] for t in w.written()["threads"]}
    d = w.written(core=w.file("core", p.bytes()))
    w.expect(len(d.get("threads", [])) == THREADS, "threads")
    for thread in d.get("threads", []):
        found, wanted = ([f["ip"] for f in frames] for frames in
                         (thread["frames"], whole[thread["tid"]]))
        w.expect(found, "no frame 0")
        # What is gone is not made up for.
        w.expect(len(found) < len(wanted) and found == wanted[:len(found)],
                 "frames", found, wanted)
        w.expect(thread.get("stop_reason") not in (None, "end of stack"),
                 "why it stops:", thread.get("stop_reason"))


# ---- notes ----

@case
def two_million_empty_notes(w):
    p = parts(w)
    notes = b"".join(p.note(*n) for n in p.notes)
    p.notes = []
    data = p.bytes()
    # In front of the true ones, in a segment of their own.
    many = struct.pack("<III", 0, 0, 0) * 2000000
    at = len(data)
    table, = struct.unpack_from("<Q", data, 32)
    data = bytearray(data)
    struct.pack_into("<IIQQQQQQ", data, table, PT_NOTE, 0, at, 0, 0,
                     len(many) + len(notes), 0, 4)
    d = w.written(core=w.file("core", bytes(data) + many + notes))
    w.expect(len(d.get("threads", [])) == THREADS, "threads")


@case
def unknown_notes_by_the_thousand(w):
    p = parts(w)
    p.notes[1:1] = [[0x7000 + i, b"NOBODY\0", bytearray(i % 64)]
                    for i in range(20000)]
    like_the_whole(w, p.bytes())


@case
def extended_registers_that_lie(w):
    for name, at, value in (("features", 512, (1 << 64) - 1),
                            ("compacted", 520, (1 << 64) - 1),
                            ("the kernel's word", 464, (1 << 64) - 1),
                            ("size", 472, (1 << 64) - 1)):
        p = parts(w)
        for n in p.notes:
            if n[0] == 0x202 and len(n[2]) >= at + 8:
                struct.pack_into("<Q", n[2], at, value)
        w.name = f"extended_registers_that_lie {name}"
        like_the_whole(w, p.bytes())
    for size in (0, 1, 511, 512, 576, 600):
        p = parts(w)
        for n in p.notes:
            if n[0] == 0x202:
                n[2] = n[2][:size]
        w.name = f"extended_registers_that_lie cut at {size}"
        like_the_whole(w, p.bytes())


@case
def the_pid_of_a_stranger(w):
    """Nothing is read of a process that happens to have the core's pid."""
    with subprocess.Popen(["sleep", "60"]) as stranger:
        for pid in (os.getpid(), stranger.pid, 1):
            p = parts(w)
            for n in p.notes:
                if n[0] == 3:
                    struct.pack_into("<I", n[2], 24, pid)
            w.name = f"the_pid_of_a_stranger {pid}"
            d = like_the_whole(w, p.bytes())
            a = d.get("attributes", {})
            w.expect(a.get("process.id") == pid, "pid", a.get("process.id"))
            w.expect("sleep" not in json.dumps(a) and
                     "python" not in json.dumps(a), "of the stranger:", a)
        stranger.kill()


@case
def mapped_files_of_all_kinds(w):
    """Names in NT_FILE that lead elsewhere, or nowhere."""
    names = [b"/dev/zero", b"/proc/self/fd/0", b"/proc/1/root/etc/passwd",
             b"//deleted (deleted)", b"anon_inode:[x]",
             b"/memfd:x (deleted)", b"/SYSV00000000 (deleted)",
             b"../../etc/passwd", b"a\nb\033[31m", b"\xff\xfe\x80", b"",
             b"/" + b"x" * 65536, b"/etc/passwd", b"/dev/full", b"."]
    p = parts(w)
    for n in p.notes:
        if n[0] == 0x46494c45:
            count, = struct.unpack_from("<Q", n[2], 0)
            n[2] = n[2][:16 + 24 * count] + b"".join(
                names[i % len(names)] + b"\0" for i in range(count))
    d = w.written(core=w.file("core", p.bytes()), exe=False)
    w.expect(len(d.get("threads", [])) == THREADS, "threads")
    with open("/etc/passwd") as f:
        w.expect(f.readline() not in json.dumps(d), "a file was read")


# ---- the file itself ----

@case
def cut_while_it_is_read(w):
    """What was mapped is gone: the worker may die of it, nobody else."""
    for delay in (0, 0.001, 0.003, 0.01, 0.03):
        path = w.file("core", w.bytes)
        where = tempfile.mkdtemp(dir=w.dir)
        cut = threading.Timer(delay, os.truncate, (path, 5000))
        cut.start()
        done = w.run("--core", path, w.exe, cwd=where)
        cut.join()
        w.name = f"cut_while_it_is_read after {delay}"
        w.expect(len(os.listdir(where)) == (done.returncode == 0),
                 os.listdir(where), done.stderr)
        if done.returncode == 0:
            w.document(done.stdout.strip())


@case
def grows_while_it_is_read(w):
    for delay in (0, 0.003):
        path = w.file("core", w.bytes[:len(w.bytes) // 2])
        where = tempfile.mkdtemp(dir=w.dir)

        def grow():
            with open(path, "ab") as f:
                f.write(w.bytes[len(w.bytes) // 2:])
        later = threading.Timer(delay, grow)
        later.start()
        done = w.run("--core", path, w.exe, cwd=where)
        later.join()
        w.expect(done.returncode == 0, done.returncode, done.stderr)
        w.expect(len(w.document(done.stdout.strip()).get("threads", [])) ==
                 THREADS, "threads")


@case
def a_terabyte_of_holes(w):
    p = parts(w)
    data = p.bytes(extra=[(PT_LOAD, 6, 1 << 40, 0x20000000000, 0, 1 << 39,
                           1 << 39, 4096)])
    path = w.file("core", data)
    try:
        os.truncate(path, 1 << 41)
    except OSError:
        return  # a file system without such files
    where = tempfile.mkdtemp(dir=w.dir)
    done = w.run("--core", path, w.exe, cwd=where)
    w.expect(done.returncode == 0, done.returncode, done.stderr)
    w.expect(len(w.document(done.stdout.strip()).get("threads", [])) ==
             THREADS, "threads")


@case
def a_core_out_of_a_pipe(w):
    """It cannot be gone back in; one that nobody writes to must not stall."""
    read, write = os.pipe()
    try:
        done = subprocess.run(
            [os.path.join(w.build, "ptrace"), "--core", "/dev/stdin", w.exe],
            stdin=read, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, timeout=run.PATIENCE,
            cwd=tempfile.mkdtemp(dir=w.dir), check=False)
        w.expect(done.returncode == 2 and done.stderr.count("\n") == 1,
                 done.returncode, done.stderr)
        w.expect("regular file" in done.stderr, done.stderr)
    finally:
        os.close(read)
        os.close(write)


# ---- sources, output, attachments ----

@case
def sources_are_not_read(w):
    """The source file that debug information names is a FIFO."""
    where = tempfile.mkdtemp(dir=w.dir)
    fifo = os.path.join(where, "secret.c")
    os.mkfifo(fifo)
    source = os.path.join(where, "a.c")
    with open(source, "w") as f:
        f.write(f'#line 1 "{fifo}"\nint main(void)\n{{\n'
                "return *(volatile int *)8;\n}\n")
    exe = crash.build(source, ["-g"], "gcc", where)
    core = crash.core(exe, where)
    d = w.written(core=core, exe=exe)
    w.expect(d["threads"][0]["frames"][0].get("path") == fifo, "path")
    done = w.run("--core", core, exe, program="bt")
    w.expect(done.returncode == 0 and "secret.c:3" in done.stdout, done.stdout)


@case
def modes_do_not_depend_on_the_umask(w):
    for mask in (0, 0o77, 0o777):
        where = tempfile.mkdtemp(dir=w.dir)
        done = subprocess.run(
            [os.path.join(w.build, "ptrace"), "-o", "x.btt", "--core", w.core],
            cwd=where, preexec_fn=lambda: os.umask(mask),
            stdout=subprocess.DEVNULL, check=False,
            timeout=run.PATIENCE)
        w.expect(done.returncode == 0, done.returncode)
        mode = os.stat(os.path.join(where, "x.btt")).st_mode & 0o7777
        w.expect(mode == 0o600, f"umask {mask:o}: mode {mode:o}")


@case
def many_write_the_same_file(w):
    """One of them has it; the others say so, and leave nothing."""
    for extra, winners in (((), 1), (("--overwrite",), 8)):
        where = tempfile.mkdtemp(dir=w.dir)
        jobs = [subprocess.Popen(
            [os.path.join(w.build, "ptrace"), "-o", "x.btt", *extra, "--core",
             w.core], cwd=where, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True) for _ in range(8)]
        said = [job.communicate(timeout=run.PATIENCE)[1] for job in jobs]
        codes = [job.returncode for job in jobs]
        w.expect(codes.count(0) == winners and codes.count(2) == 8 - winners,
                 codes, said)
        w.expect(os.listdir(where) == ["x.btt"], os.listdir(where))
        w.expect(len(w.document(os.path.join(where, "x.btt"))["threads"]) ==
                 THREADS, "threads")


@case
def attributes_in_masses(w):
    lists = [",".join(f"k{i}:{i}" for i in range(first, first + 8000))
             for first in (0, 8000)]
    d = w.written("--kv", lists[0], "--kv", lists[1])
    w.expect(d.get("attributes", {}).get("k15999") == "15999", "k15999")
    # More than may be, and one that is too long for a command line's word.
    done = w.run("--kv", lists[0], "--kv", lists[1], "--kv", lists[0],
                 "--core", w.core, cwd=tempfile.mkdtemp(dir=w.dir))
    w.expect(done.returncode == 1 and done.stderr.count("\n") == 1,
             done.returncode, done.stderr[:200])
    d = w.written("--kv", "long:" + "x" * 100000)
    w.expect(0 < len(d.get("attributes", {}).get("long", "")) <= 65536, "long")


@case
def attachments_of_all_kinds(w):
    where = tempfile.mkdtemp(dir=w.dir)
    fifo, large = os.path.join(where, "fifo"), os.path.join(where, "large")
    small = os.path.join(where, "small")
    os.mkfifo(fifo)
    with open(small, "w") as f:
        f.write("kept")
    with open(large, "w") as f:
        f.truncate(10 << 30)
    for path in (fifo, large, "/dev/zero", "/nonexistent/file"):
        w.name = f"attachments_of_all_kinds {path}"
        d = w.written("--resource", path, "--resource", small)
        w.expect(any(path in x["text"] for x in d.get("warnings", [])),
                 "no warning names it", d.get("warnings"))
        w.expect(len(d.get("resources", [])) == 1, "resources",
                 d.get("resources"))
        w.expect(len(d.get("threads", [])) == THREADS, "threads")


if __name__ == "__main__":
    sys.exit(run.main())
