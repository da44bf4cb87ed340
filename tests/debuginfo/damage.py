#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Debug files that are wrong, damaged, missing or traps: the snapshot is
written all the same, exit status 0, the frames keep their symbols, and a
warning names the file.

    damage.py --build DIR [--rounds N] [--seed S] [NAME...]
"""
import argparse
import os
import random
import shutil
import struct
import sys
import tempfile
import zlib

import _cases
import run

SPLIT5 = ["-g", "-O0", "-gdwarf-5", "-gsplit-dwarf"]
SPLIT4 = ["-g", "-O0", "-gdwarf-4", "-gsplit-dwarf"]
SYMBOLS = ["ledger_fail", "ledger_audit", "run", "main"]
CASES = []


def case(function):
    CASES.append(function)
    return function


class Bench:
    def __init__(self, build, where):
        self.runner, self.where = run.Runner(build, where), where
        self.cores, self.name, self.failures, self.checks = {}, "", 0, 0

    def program(self, flags, after=_cases.keep, link=()):
        """A fresh directory with the program; its core is made once."""
        where = tempfile.mkdtemp(dir=self.where)
        exe = _cases.compile_program(where, "c", "gcc", flags, link)
        options = after(where, exe) or []
        core = run.crash.core(exe, where)
        return where, exe, core, options

    def expect(self, program, *says, symbols=None, quiet=False):
        _, exe, core, options = program
        self.checks += 1
        try:
            got = self.runner.snapshot(exe, core, options)
        except Exception as error:  # whatever it is, it is a failure
            self.fail(repr(error))
            return
        names = [f.get("symbol") for f in got.frames]
        if names != (symbols or SYMBOLS):
            self.fail(f"frames {names}")
        if any("worker" in w or "signal" in w for w in got.warnings):
            self.fail(f"died: {got.warnings}")
        if quiet and got.warnings:
            self.fail(f"warnings {got.warnings}")
        for text in says:
            if not any(text in w for w in got.warnings):
                self.fail(f"no warning says {text!r}: {got.warnings}")

    def fail(self, text):
        self.failures += 1
        print(f"FAIL {self.name}: {text}", flush=True)


def keep_symbols(where, exe):
    """A debug link, but .symtab stays: the frames need it."""
    _cases.sh(["objcopy", "--only-keep-debug", "prog", "prog.debug"], where)
    _cases.sh(["objcopy", "--strip-debug", exe], where)
    _cases.sh(["objcopy", "--add-gnu-debuglink=prog.debug", exe], where)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, data):
    if os.path.lexists(path):
        os.remove(path)
    with open(path, "wb") as f:
        f.write(data)


def section(data, name):
    """(offset of the header, offset, size) of a section of an ELF file."""
    shoff, = struct.unpack_from("<Q", data, 40)
    entsize, count, strings = struct.unpack_from("<HHH", data, 58)
    table, = struct.unpack_from("<Q", data, shoff + strings * entsize + 24)
    for i in range(count):
        header = shoff + i * entsize
        text, = struct.unpack_from("<I", data, header)
        end = data.index(b"\0", table + text)
        if data[table + text:end] == name.encode():
            offset, size = struct.unpack_from("<QQ", data, header + 24)
            return header, offset, size
    raise KeyError(name)


def traps(path, good):
    """What may lie in a file's place, and what the warning says."""
    os.remove(path)
    os.mkfifo(path)
    yield "regular"
    os.remove(path)
    os.mkdir(path)
    yield "directory"
    os.rmdir(path)
    for data in (b"", b"text\n", good[:40], good[:64]):
        write(path, data)
        yield os.path.basename(path)
    os.remove(path)
    os.symlink("/dev/zero", path)
    yield "regular"
    os.remove(path)
    os.symlink(os.path.basename(path), path)
    yield os.path.basename(path)


@case
def wrong_build_id(bench):
    program = bench.program(["-g", "-O0"], keep_symbols)
    other = bench.program(["-g", "-O0", "-DOTHER", "-funsigned-char",
                           "-ffunction-sections"])
    shutil.copy(other[1], os.path.join(program[0], "prog.debug"))
    bench.expect(program, "prog.debug: has another build-id")


@case
def wrong_crc(bench):
    program = bench.program(["-g", "-O0"], keep_symbols,
                            ["-Wl,--build-id=none"])
    path = os.path.join(program[0], "prog.debug")
    data = bytearray(read(path))
    data[-1] ^= 1
    write(path, data)
    bench.expect(program, "prog.debug: has another CRC")


@case
def debug_file_traps(bench):
    program = bench.program(["-g", "-O0"], keep_symbols)
    path = os.path.join(program[0], "prog.debug")
    for says in traps(path, read(path)):
        bench.expect(program, "prog.debug", says)


@case
def truncated_debug_file(bench):
    program = bench.program(["-g", "-O0"], keep_symbols)
    path = os.path.join(program[0], "prog.debug")
    good = read(path)
    for part in (2, 3, 10):
        write(path, good[:len(good) * (part - 1) // part])
        bench.expect(program)


@case
def bombs(bench):
    """Sections that claim, or reach, more than they can hold."""
    size = 1 << 28
    stream = zlib.compress(b"\0" * size, 9)
    for kind, body, claim in ((1, stream, size), (1, stream, 1 << 50),
                              (1, stream[:100], 1 << 31), (2, stream, 4096),
                              (1, stream, 4096), (9, stream, 4096),
                              (1, b"", 0), (1, b"\0" * 50, 1 << 20)):
        for name in (".debug_info", ".debug_abbrev", ".debug_str"):
            program = bench.program(["-g", "-O0"])
            exe = program[1]
            data = bytearray(read(exe))
            header, _, _ = section(data, name)
            blob = struct.pack("<IIQQ", kind, 0, claim, 1) + body
            struct.pack_into("<QQ", data, header + 24, len(data), len(blob))
            flags, = struct.unpack_from("<Q", data, header + 8)
            struct.pack_into("<Q", data, header + 8, flags | 0x800)
            write(exe, data + blob)
            os.chmod(exe, 0o755)
            genuine = claim == size or claim == 0
            bench.expect(program, *([] if genuine else [name]))


@case
def zdebug_in_zdebug(bench):
    program = bench.program(["-g", "-O0"], _cases.objcopy(
        "--compress-debug-sections=zlib-gnu"))
    data = bytearray(read(program[1]))
    _, offset, _ = section(data, ".zdebug_info")
    data[offset:offset + 4] = b"ZLIX"
    write(program[1], data)
    bench.expect(program, ".debug_info")


def dwz(where, exe):
    _cases.need("dwz")
    shutil.copy(exe, os.path.join(where, "twin"))
    _cases.sh(["dwz", "-m", "common.dwz", "-M", "common.dwz", exe, "twin"],
              where)


@case
def dwz_traps(bench):
    program = bench.program(["-g", "-O0"], dwz)
    path = os.path.join(program[0], "common.dwz")
    good = read(path)
    for says in traps(path, good):
        bench.expect(program, "common.dwz", says)
    os.remove(path)
    bench.expect(program, "common.dwz not found")
    shutil.copy(program[1], path)
    bench.expect(program, "common.dwz: has another build-id")


@case
def dwz_cycles(bench):
    """An alternate file that names itself, or the file that named it."""
    program = bench.program(["-g", "-O0"], dwz)
    where, exe = program[:2]
    path = os.path.join(where, "common.dwz")
    mine, its = _cases.build_id(exe), _cases.build_id(path)
    data = read(exe)
    link = b"common.dwz\0" + bytes.fromhex(its)
    assert link in data
    write(exe, data.replace(link, b"common.dwz\0" + bytes.fromhex(mine)))
    os.chmod(exe, 0o755)
    bench.expect(program, "common.dwz is the file itself")
    # The dwz file gets a link back to the program.
    write(exe, data)
    os.chmod(exe, 0o755)
    back = os.path.join(where, "link")
    write(back, b"prog\0" + bytes.fromhex(mine))
    _cases.sh(["objcopy", "--add-section", ".gnu_debugaltlink=" + back, path],
              where)
    bench.expect(program)


@case
def mini_debug_info(bench):
    """Garbage and bombs in .gnu_debugdata: .dynsym is left."""
    program = bench.program(["-O0", "-rdynamic"])
    where, exe = program[:2]
    blob = os.path.join(where, "mini.xz")
    import lzma
    for data in (b"", b"garbage" * 9, lzma.compress(b"\0" * (1 << 28)),
                 lzma.compress(b"not ELF"), lzma.compress(read(exe))[:-20]):
        fresh = bench.program(["-O0", "-rdynamic"])
        write(blob, data)
        _cases.sh(["strip", fresh[1]], where)
        _cases.sh(["objcopy", "--add-section", ".gnu_debugdata=" + blob,
                   fresh[1]], where)
        # ledger_fail and run are static: no name is left of them.
        bench.expect(fresh, symbols=[None, "ledger_audit", None, "main"])


@case
def dwo_traps(bench):
    for flags in (SPLIT5, SPLIT4):
        program = bench.program(flags)
        for name in ("parts.dwo", "main.dwo"):
            path = os.path.join(program[0], name)
            good = read(path)
            for says in traps(path, good):
                bench.expect(program, name, says)
            os.remove(path)
            bench.expect(program, name + " not found")
            write(path, good)
        bench.expect(program, quiet=True)
        other = bench.program([*flags, "-DOTHER", "-funsigned-char"])
        shutil.copy(os.path.join(other[0], "parts.dwo"), program[0])
        bench.expect(program, "parts.dwo: has another id")


@case
def package_traps(bench):
    program = bench.program(SPLIT4, _cases.dwp("dwp"))
    path = os.path.join(program[0], "prog.dwp")
    good = read(path)
    bench.expect(program, quiet=True)
    for says in traps(path, good):
        bench.expect(program, "prog.dwp", says)
    os.remove(path)
    bench.expect(program, "not found")
    _, index, _ = section(good, ".debug_cu_index")
    for at, value in ((0, 7), (4, 1 << 31), (8, 1 << 31), (12, 1 << 30),
                      (12, 3), (12, 0), (4, 0), (8, 0)):
        data = bytearray(good)
        struct.pack_into("<I", data, index + at, value)
        write(path, data)
        bench.expect(program, ".dwo not found")
    for word in range(4, 30):
        data = bytearray(good)
        struct.pack_into("<I", data, index + 4 * word, 0xfffffff0)
        write(path, data)
        bench.expect(program)


@case
def debug_path_outside_sysroot(bench):
    """A sysroot does not hide the directories that the user names."""
    where, exe, core, options = bench.program(["-g", "-O0"],
                                              _cases.by_build_id)
    root = os.path.join(where, "root")
    os.mkdir(root)
    outside = (where, exe, core, ["--sysroot", root, *options])
    bench.expect(outside)  # the symbols are only there
    # By default the debug files are looked for below the sysroot.
    inside = os.path.join(root, "usr", "lib")
    os.makedirs(inside)
    shutil.move(os.path.join(where, "debug"), os.path.join(inside, "debug"))
    bench.expect((where, exe, core, ["--sysroot", root]))


def mutate(bench, program, path, rounds, seed):
    good = read(path)
    for i in range(rounds):
        rng = random.Random(f"{seed}.{i}")
        data = bytearray(good)
        for _ in range(rng.choice((1, 2, 8, 40))):
            at = rng.randrange(64, len(data))
            data[at] = rng.choice((0, 0xff, 0x80, rng.randrange(256)))
        write(path, data)
        before = bench.failures
        bench.expect(program)
        if bench.failures > before:
            print(f"  round {i} of {os.path.basename(path)}, seed {seed}")
    write(path, good)


@case
def random_damage(bench):
    """Names may be damaged with the rest; nothing worse may happen."""
    for flags, after, name in (
            (SPLIT5, _cases.keep, "parts.dwo"),
            (SPLIT4, _cases.keep, "parts.dwo"),
            ([*SPLIT5, "-fdebug-types-section"], _cases.keep, "main.dwo"),
            (SPLIT4, _cases.dwp("dwp"), "prog.dwp"),
            (["-g", "-O0"], dwz, "common.dwz"),
            (["-g", "-O0"], keep_symbols, "prog.debug")):
        program = bench.program(flags, after)
        path = os.path.join(program[0], name)
        plain, bench.expect = bench.expect, lambda p: survive(bench, p)
        try:
            mutate(bench, program, path, bench.rounds, bench.seed)
        finally:
            bench.expect = plain


def survive(bench, program):
    bench.checks += 1
    try:
        got = bench.runner.snapshot(program[1], program[2], program[3])
    except Exception as error:
        bench.fail(repr(error))
        return
    died = [w for w in got.warnings if "worker" in w or "signal" in w]
    if died or len([f for f in got.frames if not f["inline"]]) < 4:
        bench.fail(f"{died} {[f.get('symbol') for f in got.frames]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    where = tempfile.mkdtemp(prefix="inquest-damage.")
    bench = Bench(args.build, where)
    bench.rounds, bench.seed = args.rounds, args.seed
    skipped = 0
    try:
        for function in CASES:
            if args.names and function.__name__ not in args.names:
                continue
            bench.name = function.__name__
            try:
                function(bench)
            except _cases.Unsupported as why:
                skipped += 1
                print(f"skipped {bench.name}: {why}")
    finally:
        shutil.rmtree(where, ignore_errors=True)
    print(f"{bench.checks} checks, {bench.failures} failed, "
          f"{skipped} cases skipped")
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
