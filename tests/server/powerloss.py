#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Power is lost at any moment. What helper and daemon did to the disk is traced
and done again to a model of one, which knows what an fsync has made safe; from
each moment disks are made that a machine may find when it comes up again, and a
daemon is started on them. What was acknowledged before must arrive, under one
name.

The model is harsher than a journal: what no fsync has made safe, of names and of
contents, may be there or not, each by itself; only a rename is one step."""
import ast
import os
import random
import re
import shutil
import sys

import _server
from _spool import Endpoint, Spool
from crashsafe import nothing_left, quiet_spool, small_core

CALLS = ("execve,openat,mkdir,mkdirat,write,pwrite64,ftruncate,rename,renameat,"
         "renameat2,unlink,unlinkat,rmdir,linkat,fsync,fdatasync,"
         "copy_file_range,sendfile,sync_file_range")
LINE = re.compile(r"(\d+) +(?:(\w+)\((.*)\) += (-?\d+|\?)|(\+\+\+ .*))")
ARGUMENT = re.compile(r'"(?:[^"\\]|\\.)*"|[^,\s<]*<[^>]*>|[^,\s]+')
VARIANTS = 2  # by chance, for each moment


class Dir:
    def __init__(self):
        self.names = {}


class File:
    def __init__(self):
        self.now, self.safe = b"", b""


class Change:
    """Names that change in one step: [(directory, name, what it is then)]."""

    def __init__(self, entries):
        self.entries, self.safe = entries, False


class Disk:
    """What is below one directory: as it is, and as far as it is safe."""

    def __init__(self, base):
        self.base, self.root, self.changes = base, Dir(), []

    def parts(self, path):
        if not path.startswith(self.base + "/"):
            return None
        return path[len(self.base) + 1:].split("/")

    def find(self, path):
        if path == self.base:
            return self.root
        node = self.root
        for name in self.parts(path) or [None]:
            node = node.names.get(name) if isinstance(node, Dir) else None
        return node

    def parent(self, path):
        return self.find(path.rpartition("/")[0]), path.rpartition("/")[2]

    def change(self, *entries):
        """(path, node or None), all at once."""
        done = Change([(*self.parent(path), node) for path, node in entries])
        for directory, name, node in done.entries:
            directory.names[name] = node
            if node is None:
                del directory.names[name]
        self.changes.append(done)

    def sync(self, path):
        node = self.find(path)
        if isinstance(node, File):
            node.safe = node.now
        for change in self.changes:
            if any(directory is node for directory, _, _ in change.entries):
                change.safe = True

    def after_loss(self, names, contents):
        """The tree that is found: names(change) and contents(file) say what of
        the unsafe is there. {path: bytes, None for a directory}"""
        found = {}
        for change in self.changes:
            if change.safe or names(change):
                for directory, name, node in change.entries:
                    found.setdefault(directory, {})[name] = node
        tree = {}

        def walk(directory, path):
            for name, node in found.get(directory, {}).items():
                at = path + "/" + name
                if isinstance(node, Dir):
                    tree[at] = None
                    walk(node, at)
                elif node is not None:
                    tree[at] = node.now if contents(node) else node.safe

        walk(self.root, "")
        return tree


def text(argument):
    return ast.literal_eval("b" + argument).decode("latin-1")


def path_of(argument):
    return text('"' + argument[argument.index("<") + 1:-1] + '"')


def at(directory, name):
    name = text(name)
    return name if name[0] == "/" else path_of(directory) + "/" + name


class Trace:
    """What strace saw, done to a disk. said: names that were acknowledged;
    sent: what the server had taken."""

    def __init__(self, base):
        self.disk, self.said, self.sent = Disk(base), set(), set()
        self.programs = {}

    def each(self, path):
        """Yields after each call that changes something."""
        waiting = {}
        with open(path, encoding="latin-1") as f:
            for line in f:
                pid, _, rest = line.strip().partition(" ")
                rest = rest.strip()
                if rest.endswith("<unfinished ...>"):
                    waiting[pid] = rest[:-len("<unfinished ...>")]
                    continue
                resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", rest)
                if resumed:
                    rest = waiting.pop(pid) + resumed.group(1)
                found = LINE.match(f"{pid} {rest}")
                if found and self.done(*found.groups()):
                    yield

    def done(self, pid, call, arguments, result, end):
        if end:
            if end.startswith("+++ exited with 0") and \
                    self.programs.get(pid, "").endswith("/coresnap-send"):
                self.sent |= self.said
            return False
        if result == "?" or int(result) < 0:
            return False
        a = ARGUMENT.findall(arguments)
        handler = getattr(self, "do_" + call, None)
        if call == "execve":
            self.programs[pid] = text(a[0])
        if handler is None:
            raise AssertionError(f"a call the model does not know: {call}")
        return handler(a, int(result))

    def do_execve(self, _a, _result):
        return False

    def inside(self, path):
        return self.disk.parts(path) is not None

    def do_openat(self, a, _result):
        path = at(a[0], a[1])
        if "O_CREAT" not in a[2] or not self.inside(path):
            return False
        node = self.disk.find(path)
        if node is None:
            self.disk.change((path, File()))
        elif "O_TRUNC" in a[2]:
            node.now = b""
        return True

    def make_dir(self, path):
        if self.inside(path):
            self.disk.change((path, Dir()))
        return self.inside(path)

    def do_mkdir(self, a, _result):
        return self.make_dir(text(a[0]))

    def do_mkdirat(self, a, _result):
        return self.make_dir(at(a[0], a[1]))

    def do_write(self, a, result):
        if a[0].startswith("2<"):
            found = re.search(r"archived in \S*/(\S+)", text(a[1]))
            if found:
                self.said.add(found.group(1))
            return bool(found)
        return self.put(a[0], a[1], result, None)

    def do_pwrite64(self, a, result):
        return self.put(a[0], a[1], result, int(a[3]))

    def put(self, fd, data, size, offset):
        node = self.disk.find(path_of(fd)) if self.inside(path_of(fd)) else None
        if node is None:
            return False
        data = ast.literal_eval("b" + data)
        assert len(data) >= size, "the trace has not all of what was written"
        offset = len(node.now) if offset is None else offset
        node.now = node.now[:offset].ljust(offset, b"\0") + data[:size] + \
            node.now[offset + size:]
        return True

    def do_ftruncate(self, a, _result):
        node = self.disk.find(path_of(a[0]))
        if node is not None:
            node.now = node.now[:int(a[1])].ljust(int(a[1]), b"\0")
        return node is not None

    def move(self, old, new):
        if not self.inside(old):
            return False
        node = self.disk.find(old)
        self.disk.change((old, None), (new, node))
        return True

    def do_rename(self, a, _result):
        return self.move(text(a[0]), text(a[1]))

    def do_renameat(self, a, _result):
        return self.move(at(a[0], a[1]), at(a[2], a[3]))

    do_renameat2 = do_renameat

    def do_linkat(self, a, _result):
        new = at(a[2], a[3])
        if self.inside(new):
            self.disk.change((new, self.disk.find(at(a[0], a[1]))))
        return self.inside(new)

    def remove(self, path):
        if not self.inside(path):
            return False
        self.disk.change((path, None))
        return True

    def do_unlink(self, a, _result):
        return self.remove(text(a[0]))

    do_rmdir = do_unlink

    def do_unlinkat(self, a, _result):
        return self.remove(at(a[0], a[1]))

    def do_fsync(self, a, _result):
        self.disk.sync(path_of(a[0]))
        return self.inside(path_of(a[0])) or path_of(a[0]) == self.disk.base

    do_fdatasync = do_fsync


def strace(out, size):
    return ["strace", "-f", "-y", "-xx", "-s", str(size), "-q", "-e",
            "trace=" + CALLS, "-e", "signal=none", "-o", out]


def build(tree, where):
    for path, data in tree.items():
        if data is None:
            os.makedirs(where + path, exist_ok=True)
    for path, data in tree.items():
        if data is not None:
            with open(where + path, "wb") as f:
                f.write(data)


def comes_up(bench, t, endpoint, tree, said, sent, moment):
    """A daemon on what is left."""
    before = len(endpoint.taken())
    s = quiet_spool(bench, endpoint)
    build(tree, s.dir)
    t.equal(s.once(), 0, moment, s.text()[-2000:])
    taken = endpoint.taken()[before:]
    t.check(said <= set(taken) | sent, moment, "lost:", said, taken, sorted(
        tree), s.text()[-2000:])
    t.check(len(taken) <= 1, moment, "delivered twice:", taken)
    nothing_left(s, t)
    t.equal(len(os.listdir(os.path.join(s.path, "incoming"))), 0, moment)
    shutil.rmtree(s.dir, ignore_errors=True)


def losses(bench, t, endpoint, traces, base):
    """Each moment of the traces, with the disks that may be found after it."""
    chance, seen, moments = random.Random(5), set(), 0
    trace = Trace(base)
    for what, path in traces:
        for number, _ in enumerate(trace.each(path)):
            moments += 1
            ways = [(lambda c: False, lambda f: False),
                    (lambda c: True, lambda f: False)]
            ways += [(lambda c: chance.random() < 0.5,
                      lambda f: chance.random() < 0.5)] * VARIANTS
            for way in ways:
                tree = trace.disk.after_loss(*way)
                key = hash((frozenset(tree.items()), frozenset(trace.said),
                            frozenset(trace.sent)))
                if key not in seen:
                    seen.add(key)
                    comes_up(bench, t, endpoint, tree, set(trace.said), set(trace.sent),
                             f"{what}, after step {number}")
    return trace, moments, len(seen)


def body(bench, t):
    core = small_core(bench)
    size = os.path.getsize(core)
    endpoint = Endpoint()
    s = quiet_spool(bench, endpoint)
    first, second = (os.path.join(bench.dir, x) for x in ("helper", "daemon"))
    done = s.archive(core, prefix=strace(first, size))
    t.equal(done.returncode, 0, done.stderr)
    s.start("--once", prefix=strace(second, size))
    t.equal(s.daemon.wait(_server.PATIENCE), 0, s.text())
    s.daemon = None
    names = endpoint.taken()
    t.equal(len(names), 1, "delivered:")
    trace, moments, disks = losses(
        bench, t, endpoint, [("helper", first), ("daemon", second)], s.dir)
    # Somebody removes what is known of a core: it is worth a snapshot still.
    alone = Trace(s.dir)
    for _ in alone.each(first):
        pass
    tree = {path: data for path, data in alone.disk.after_loss(
        lambda c: False, lambda f: False).items() if "/assets/" not in path}
    comes_up(bench, t, endpoint, tree, alone.said, set(), "assets removed")
    t.equal(trace.said, set(names), "acknowledged in the trace:")
    t.equal(trace.sent, set(names), "sent in the trace:")
    t.check(moments > 40 and disks > 40, moments, disks)
    # The model is right: without any loss it has what the disk has.
    real = {os.path.relpath(os.path.join(d, f), s.dir)
            for d, _, files in os.walk(s.path) for f in files}
    model = {p[1:] for p, data in trace.disk.after_loss(
        lambda c: True, lambda f: True).items() if data is not None}
    t.equal(model, real, "the model's files:")
    print(f"power lost at {moments} moments, {disks} disks")
    endpoint.close()


if __name__ == "__main__":
    if shutil.which("strace") is None:
        print("skipped: there is no strace")
        sys.exit(77)
    sys.exit(_server._tool.main(body))
