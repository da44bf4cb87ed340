#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--cache: copies of debug files with their sections inflated. They are made
after the first snapshot, used by the next, and nothing but time depends on them:
not when they are damaged, somebody else's, too large, made by several at once,
or of a file that has changed since."""
import concurrent.futures
import glob
import hashlib
import json
import os
import shutil
import stat
import struct
import sys
import time
import zlib

import _tool
import crash

# A file that changed less than this ago is not copied yet.
SETTLED = 3.5
SHF_COMPRESSED = 0x800
SHT_NOBITS = 8


def source(marker):
    """A program with enough debug information for a copy to pay, in names that
    hardly compress."""
    lines = []
    for i in range(9000):
        word = hashlib.sha256(b"%d" % i).hexdigest()
        lines.append(f"struct s_{word[:14]} {{ int m_{word[14:26]}; }};")
    return "\n".join(lines) + f"""
struct pair {{ int first; struct pair *next; }};
__attribute__((noinline)) int fault(struct pair *p, int {marker})
{{
	return p->next->next->first + {marker};
}}
int main(void)
{{
	struct pair one = {{1, 0}};
	return fault(&one, 4711);
}}
"""


class Program:
    """Compiled, with its core; debug: where its debug files are, or None."""

    def __init__(self, where, name, marker="marker_value", flags=()):
        self.dir = os.path.join(where, name)
        os.makedirs(self.dir)
        text = os.path.join(self.dir, "prog.c")
        with open(text, "w") as f:
            f.write(source(marker))
        self.exe = crash.build(
            text, ["-g", "-O0", "-fno-eliminate-unused-debug-types",
                   "-Wl,--build-id", *flags], "gcc", self.dir)
        self.debug = self.file = None

    def crash(self):
        self.core = crash.core(self.exe, self.dir)
        return self

    def split(self):
        """Debug information apart from the program, compressed."""
        build_id = build_id_of(self.exe)
        self.debug = os.path.join(self.dir, "debug")
        self.file = os.path.join(self.debug, ".build-id", build_id[:2],
                                 build_id[2:] + ".debug")
        os.makedirs(os.path.dirname(self.file))
        crash.subprocess.run(
            ["objcopy", "--only-keep-debug", "--compress-debug-sections",
             self.exe, self.file], check=True)
        crash.subprocess.run(["strip", "-g", self.exe], check=True)
        return self

    @property
    def args(self):
        debug = ["--debug-path", self.debug] if self.debug else []
        # Not of the C library, which may have debug information or not.
        return [*debug, "--load=prog", "--core", self.core, self.exe]


def sections(data):
    """[(name, flags, type, inflated bytes)] of an ELF file; independent of what
    is tested."""
    shoff, = struct.unpack_from("<Q", data, 40)
    size, count, names = struct.unpack_from("<HHH", data, 58)
    headers = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * size)
               for i in range(count)]
    start = headers[names][4]
    result = []
    for name, kind, flags, _, offset, length, *_ in headers:
        end = data.index(b"\0", start + name)
        body = b"" if kind == SHT_NOBITS else data[offset:offset + length]
        if flags & SHF_COMPRESSED:
            body = zlib.decompress(body[24:])
        result.append((data[start + name:end].decode(),
                       flags & ~SHF_COMPRESSED, kind, body))
    return result


def build_id_of(path):
    with open(path, "rb") as f:
        for name, _, _, body in sections(f.read()):
            if name == ".note.gnu.build-id":
                return body[16:].hex()
    raise crash.CrashError("no build-id in " + path)


def entries(cache):
    return sorted(glob.glob(os.path.join(cache, "*.inflated")))


def take(bench, t, program, *args, said="", tool="ptrace"):
    """The document without what differs from run to run."""
    where = bench.new_dir()
    done = bench.run("ptrace", *args, "--output=x.btt", *program.args,
                     cwd=where)
    t.equal(done.returncode, 0, args, done.stderr)
    t.check(said in done.stderr if said else done.stderr == "",
            "stderr of", args, done.stderr)
    if done.returncode != 0:
        return None
    shown = bench.run("bt", "--json", os.path.join(where, "x.btt"))
    document = json.loads(shown.stdout)
    for key in ("uuid", "created"):
        document.pop(key)
    document["attributes"].pop("timestamp")
    return document


def variables(document):
    frames = [f for f in document["threads"][0]["frames"]
              if f["symbol"] == "fault"]
    return [v["name"] for v in frames[0]["variables"]] if frames else []


def made_and_used(bench, t, program, cache):
    plain = take(bench, t, program)
    t.equal(variables(plain), ["p", "marker_value"], "variables:")
    t.equal(take(bench, t, program, "--cache", cache), plain, "first:")
    found = entries(cache)
    t.equal(len(found), 1, "entries:", os.listdir(cache))
    t.equal(os.listdir(cache), [os.path.basename(x) for x in found],
            "left over:")
    t.equal(stat.S_IMODE(os.stat(found[0]).st_mode), 0o600, "mode:")
    t.equal(take(bench, t, program, "--cache", cache), plain, "second:")
    t.equal(entries(cache), found, "entries after the second:")
    # A mark in the copy shows that it is what was read.
    with open(found[0], "rb") as f:
        data = f.read()
    original = program.file or program.exe
    with open(original, "rb") as f:
        t.equal(sections(data), sections(f.read()), "sections:")
    t.check(data.count(b"marker_value\0") >= 1, "no marker in the copy")
    with open(found[0], "r+b") as f:
        f.write(data.replace(b"marker_value\0", b"marker_VALUE\0"))
    t.equal(variables(take(bench, t, program, "--cache", cache)),
            ["p", "marker_VALUE"], "of the copy:")
    for args in (["--no-sandbox"], []):
        done = bench.run("bt", "--cache", cache, *args, *program.args)
        t.check("marker_VALUE" in done.stdout, "bt", args, done.stdout)
    with open(found[0], "r+b") as f:
        f.write(data)
    return plain, found[0]


def damaged(bench, t, program, cache, plain, entry):
    """Never worse than without: another answer only where bytes are changed
    that no file has a checksum for. What is seen to be damaged is made again."""
    with open(entry, "rb") as f:
        data = f.read()
    for what, other in (("cut", data[:len(data) // 2]), ("empty", b""),
                        ("cut by one", data[:-1]),
                        ("zeroes", bytes(len(data))),
                        ("another program", b"\x7fELF" + data[4:64] * 99),
                        ("not inflated", open(program.file, "rb").read())):
        with open(entry, "wb") as f:
            f.write(other)
        t.equal(take(bench, t, program, "--cache", cache), plain, what)
        with open(entry, "rb") as f:
            t.check(f.read() == data, what, "and was not made again")
    step = 997
    noise = bytearray(data)
    for i in range(len(data) // 2, len(data) * 9 // 10, step):
        noise[i] ^= 0x55
    with open(entry, "wb") as f:
        f.write(noise)
    done = bench.run("bt", "--cache", cache, *program.args)
    t.check(done.returncode == 0 and "fault" in done.stdout,
            "noise:", done.returncode, done.stderr, done.stdout)
    with open(entry, "wb") as f:
        f.write(data)


def others_files(bench, t, program, cache, plain, entry):
    aside = entry + ".aside"
    os.rename(entry, aside)
    with open(aside, "rb") as f:
        data = f.read()
    forged = data.replace(b"marker_value\0", b"forged_value\0")

    def check(what):
        t.equal(take(bench, t, program, "--cache", cache), plain, what)

    with open(entry, "wb") as f:
        f.write(forged)
    os.chmod(entry, 0o622)
    check("others may write it")
    os.chmod(entry, 0o600)
    if os.getuid() == 0:
        os.chown(entry, 65534, 65534)
        check("somebody else's")
    os.remove(entry)
    elsewhere = os.path.join(bench.new_dir(), "forged")
    with open(elsewhere, "wb") as f:
        f.write(forged)
    os.symlink(elsewhere, entry)
    check("a link")
    os.remove(entry)
    os.mkdir(entry)
    check("a directory")
    os.rmdir(entry)
    os.mkfifo(entry)
    check("a pipe")
    os.remove(entry)
    os.rename(aside, entry)


def directories(bench, t, program, plain):
    where = bench.new_dir()
    loose = os.path.join(where, "loose")
    os.mkdir(loose)
    os.chmod(loose, 0o777)
    file = os.path.join(where, "file")
    with open(file, "w"):
        pass
    for path, said in ((loose, "written to by others"),
                       (file, "ot a directory"),
                       (os.path.join(where, "no", "where"), "cannot make")):
        t.equal(take(bench, t, program, "--cache", path, said=said), plain,
                path)
    t.equal(os.listdir(loose), [], "in a directory of others:")
    if os.getuid() == 0:
        os.chown(loose, 65534, 65534)
        os.chmod(loose, 0o755)
        t.equal(take(bench, t, program, "--cache", loose,
                     said="belongs to user 65534"), plain, "another's")
    done = bench.run("ptrace", "--cache", where, "--cache-size=much",
                     *program.args)
    t.check(done.returncode == 1 and "--cache-size" in done.stderr,
            "--cache-size=much:", done.stderr)
    t.equal(take(bench, t, program, "--cache="), plain, "no directory")


def too_large(bench, t, program, plain):
    cache = os.path.join(bench.new_dir(), "cache")
    t.equal(take(bench, t, program, "--cache", cache, "--cache-size=64k",
                 said="65536 are to be had"), plain, "too large")
    t.equal(os.listdir(cache), [], "of one that is too large:")


def room(bench, t, program, other):
    """The one that was used last stays."""
    cache = os.path.join(bench.new_dir(), "cache")
    take(bench, t, program, "--cache", cache)
    first = entries(cache)
    size = os.stat(first[0]).st_blocks * 512
    with open(os.path.join(cache, "mine.txt"), "w") as f:
        f.write("x" * 100000)
    limit = f"--cache-size={size * 3 // 2}"
    take(bench, t, other, "--cache", cache, limit)
    second = entries(cache)
    t.check(len(second) == 1 and second != first, "room:", first, second)
    t.check(os.path.exists(os.path.join(cache, "mine.txt")),
            "a file of the user's is gone")
    take(bench, t, program, "--cache", cache)
    t.equal(len(entries(cache)), 2, "with room again:")


def at_once(bench, t, program, plain):
    cache = os.path.join(bench.new_dir(), "cache")
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        got = list(pool.map(
            lambda _: take(bench, t, program, "--cache", cache), range(6)))
    t.check(all(d == plain for d in got), "at once: another answer")
    t.equal((len(os.listdir(cache)), len(entries(cache))), (1, 1), "at once:")


def changed(bench, t, old, new, cache):
    """Another file with the same build-id gets no other's copy."""
    for _ in range(2):
        t.equal(variables(take(bench, t, old, "--cache", cache)),
                ["p", "marker_value"], "before:")
    t.equal(len(entries(cache)), 1, "of the old one:")
    # In its place, as an update would do it, and with its times.
    times = os.stat(old.file)
    shutil.copyfile(new.file, old.file)
    os.utime(old.file, ns=(times.st_atime_ns, times.st_mtime_ns))
    t.equal(variables(take(bench, t, old, "--cache", cache)),
            ["p", "number_value"], "just changed:")
    t.equal(len(entries(cache)), 1, "of a file that has just changed:")
    time.sleep(SETTLED)
    for _ in range(2):
        t.equal(variables(take(bench, t, old, "--cache", cache)),
                ["p", "number_value"], "after:")
    t.equal(len(entries(cache)), 2, "of the new one:")


def damage(program):
    """Wrong checksums behind the compressed sections."""
    with open(program.file, "rb") as f:
        data = bytearray(f.read())
    shoff, = struct.unpack_from("<Q", data, 40)
    size, count, _ = struct.unpack_from("<HHH", data, 58)
    for i in range(count):
        _, _, flags, _, offset, length = struct.unpack_from(
            "<IIQQQQ", data, shoff + i * size)
        if flags & SHF_COMPRESSED:
            data[offset + length - 1] ^= 1
    with open(program.file, "wb") as f:
        f.write(data)
    return program


def unsound(bench, t, program):
    """Of a damaged debug file there is no copy."""
    cache = os.path.join(bench.new_dir(), "cache")
    done = bench.run("bt", "--cache", cache, *program.args)
    t.check(done.returncode == 0 and "fault" in done.stdout, "unsound:",
            done.stdout, done.stderr)
    t.check("no copy of" in done.stderr, "unsound:", done.stderr)
    t.equal(os.listdir(cache), [], "of a damaged file:")


def body(bench, t):
    where = bench.new_dir()
    build_id = "-Wl,--build-id=0x" + "ab" * 20
    program, other, broken, old = (
        Program(where, name, flags=flags).crash().split()
        for name, flags in (("split", []), ("other", []), ("broken", []),
                            ("old", [build_id])))
    new = Program(where, "new", "number_value", [build_id]).crash().split()
    inside = Program(where, "inside", flags=["-gz=zlib"]).crash()
    damage(broken)
    time.sleep(SETTLED)
    cache = os.path.join(where, "cache")
    plain, entry = made_and_used(bench, t, program, cache)
    made_and_used(bench, t, inside, os.path.join(where, "inside-cache"))
    damaged(bench, t, program, cache, plain, entry)
    others_files(bench, t, program, cache, plain, entry)
    directories(bench, t, program, plain)
    too_large(bench, t, program, plain)
    room(bench, t, program, other)
    at_once(bench, t, program, plain)
    changed(bench, t, old, new, os.path.join(where, "changed-cache"))
    unsound(bench, t, broken)


if __name__ == "__main__":
    sys.exit(_tool.main(body))
