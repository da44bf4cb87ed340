#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Cores of architectures whose stacks are not unwound, of 32 and 64 bits and both
byte orders, as their kernels write them: every thread, register, mapping, module
and signal that the file holds must be there, and no frame but the first.

    machines.py --build DIR
"""
import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import checks  # noqa: E402

NOTE, LOAD = 4, 1
PRSTATUS, PRPSINFO, AUXV = 1, 3, 6
SIGINFO, FILES = 0x53494749, 0x46494c45
BASE = 0x10000
PAGE = 4096


def numbered(prefix, *ranges):
    return [f"{prefix}{i}" for r in ranges for i in r]


# Name, e_machine, bits, byte order, registers in the order of elf_gregset_t
# with their bytes where those are not a word's, which of them are pc and sp.
MACHINES = {
    "i386": (3, 32, "<", "ebx ecx edx esi edi ebp eax ds es fs gs orig_eax "
             "eip cs eflags esp ss".split(), "eip", "esp"),
    "arm": (40, 32, "<", numbered("r", range(11)) +
            "fp ip sp lr pc cpsr orig_r0".split(), "pc", "sp"),
    "riscv64": (243, 64, "<", "pc ra sp gp tp t0 t1 t2 s0 s1".split() +
                numbered("a", range(8)) + numbered("s", range(2, 12)) +
                numbered("t", range(3, 7)), "pc", "sp"),
    "ppc64le": (21, 64, "<", numbered("r", range(32)) +
                "nip msr orig_r3 ctr lr xer ccr softe trap dar dsisr "
                "result".split() + [None] * 4, "nip", "r1"),
    "s390x": (22, 64, ">", ["psw_mask", "psw_addr"] +
              numbered("r", range(16)) +
              [(f"acr{i}", 4) for i in range(16)] + ["orig_r2"],
              "psw_addr", "r15"),
}


class Writer:
    """Numbers as the machine has them."""

    def __init__(self, bits, order):
        self.order, self.wide = order, bits == 64
        self.word_size = 8 if self.wide else 4

    def pack(self, codes, *values):
        return struct.pack(self.order + codes.replace(
            "W", "Q" if self.wide else "I"), *values)

    def note(self, kind, desc):
        return self.pack("III", 5, len(desc), kind) + b"CORE\0\0\0\0" + desc + \
            bytes(-len(desc) % 4)

    def prstatus(self, tid, signal, registers):
        head = self.pack("iiiHH", 0, 0, 0, signal, 0) + \
            self.pack("WW", 1 << 9, 0) + self.pack("IIII", tid, 1, tid, tid)
        head += bytes(8 * self.word_size)  # four times
        body = b"".join(
            self.pack("I" if size == 4 else "W", value)
            for size, value in registers)
        return self.note(PRSTATUS, head + body + self.pack("W", 0))

    def prpsinfo(self, pid):
        ids = self.pack("II", 1000, 1001) if self.wide else \
            self.pack("HH", 1000, 1001)
        head = self.pack("BBBB", 0, ord("R"), 0, 0)
        head += bytes(self.word_size - 4) + self.pack("W", 0) + ids
        head += self.pack("IIII", pid, 2, pid, pid)
        return self.note(PRPSINFO, head + b"far".ljust(16, b"\0") +
                         b"far away".ljust(80, b"\0"))

    def siginfo(self, number, code, address):
        desc = self.pack("iii", number, 0, code) + \
            bytes(4 if self.wide else 0) + self.pack("W", address)
        return self.note(SIGINFO, desc.ljust(128, b"\0"))

    def files(self, entries):
        desc = self.pack("WW", len(entries), PAGE)
        for start, end, page, _ in entries:
            desc += self.pack("WWW", start, end, page)
        return self.note(FILES, desc + b"".join(
            e[3].encode() + b"\0" for e in entries))

    def ehdr(self, kind, machine, phoff, phnum):
        ident = b"\x7fELF" + bytes([2 if self.wide else 1,
                                    1 if self.order == "<" else 2, 1])
        sizes = (64, 56) if self.wide else (52, 32)
        return ident.ljust(16, b"\0") + self.pack("HHI", kind, machine, 1) + \
            self.pack("WWW", BASE + 0x100, phoff, 0) + \
            self.pack("IHHHHHH", 0, sizes[0], sizes[1], phnum, 0, 0, 0)

    def phdr(self, kind, flags, offset, address, filesz, memsz):
        if self.wide:
            return self.pack("IIQQQQQQ", kind, flags, offset, address, 0,
                             filesz, memsz, PAGE)
        return self.pack("IIIIIIII", kind, offset, address, 0, filesz, memsz,
                         flags, PAGE)


def core(name, threads):
    machine, bits, order, registers, pc, sp = MACHINES[name]
    w = Writer(bits, order)
    notes, values = b"", []
    for t in range(threads):
        row, shown = [], {}
        for i, r in enumerate(registers):
            r, size = r if isinstance(r, tuple) else (r, w.word_size)
            value = {pc: BASE + 0x120 + t, sp: 0x7fff0000 + 64 * t}.get(
                r, 0x1000 * (t + 1) + i)
            row.append((size, value))
            if r is not None:
                shown[r] = value
        notes += w.prstatus(100 + t, 11 if t == 0 else 0, row)
        if t == 0:
            notes += w.prpsinfo(100) + w.siginfo(11, 1, 0x18) + w.note(
                AUXV, w.pack("WWWWWW", 9, BASE + 0x100, 6, PAGE, 0, 0)) + \
                w.files([(BASE, BASE + PAGE, 0, "/usr/bin/far")])
        values.append(shown)
    # The first page of the program, as the kernel dumps it.
    header = 64 if w.wide else 52
    image = w.ehdr(3, machine, header, 1) + w.phdr(
        LOAD, 5, 0, 0, PAGE, PAGE)
    image = image.ljust(PAGE, b"\0")
    stack = bytes(PAGE)
    size = header + 3 * (56 if w.wide else 32)
    first = -(-(size + len(notes)) // PAGE) * PAGE
    data = w.ehdr(4, machine, header, 3) + \
        w.phdr(NOTE, 0, size, 0, len(notes), 0) + \
        w.phdr(LOAD, 5, first, BASE, PAGE, PAGE) + \
        w.phdr(LOAD, 6, first + PAGE, 0x7fff0000, PAGE, 2 * PAGE) + notes
    return data.ljust(first, b"\0") + image + stack, values


class Checks(checks.Checks):
    name = ""  # of the machine

    def same(self, what, found, wanted):
        self.equal(found, wanted, self.name, what)


def document(build, path):
    done = subprocess.run([os.path.join(build, "bt"), "--json", "--core", path],
                          capture_output=True, timeout=30, check=False)
    if done.returncode != 0:
        return {"threads": [], "error": done.stderr.decode()}
    return json.loads(done.stdout)


def check_threads(c, d, values):
    c.same("threads", [t["tid"] for t in d["threads"]], [100, 101, 102])
    for thread, wanted in zip(d["threads"], values):
        registers = {k: int(v, 16) for k, v in thread["registers"].items()}
        c.same("registers", registers, wanted)
        c.same("frames", len(thread["frames"]), 1)
        c.same("stop", thread["stop_reason"], "not unwound: architecture")
        c.same("object", thread["frames"][0]["object"], "far")


def check_header(c, build, path, name, data):
    """One field of the header is wrong; the others say what it is."""
    wide = MACHINES[name][1] == 64
    sizes = (52, 54) if wide else (40, 42)  # e_ehsize, e_phentsize
    for offset, width in ((4, 1), (5, 1), (sizes[0], 2), (sizes[1], 2)):
        for value in (b"\0", b"\1", b"\2", b"\xff"):
            bad = bytearray(data)
            bad[offset:offset + width] = value * width
            with open(path, "wb") as f:
                f.write(bad)
            d = document(build, path)
            what = f"{value!r} at offset {offset}"
            c.same(what, [t["tid"] for t in d["threads"]], [100, 101, 102])
            c.same(what, d.get("attributes", {}).get("cpu.arch"), name)
            if bad == data or offset == sizes[0]:
                continue
            c.same(what, "core.header" in
                   [w["code"] for w in d.get("warnings", [])], True)


def check(c, build, where, name):
    c.name = name
    data, values = core(name, 3)
    path = os.path.join(where, name)
    with open(path, "wb") as f:
        f.write(data)
    d = document(build, path)
    check_threads(c, d, values)
    attributes = d.get("attributes", {})
    for key, value in (("cpu.arch", name), ("uname.machine", name),
                       ("process.id", 100), ("process.uid", 1000),
                       ("process.gid", 1001), ("process.comm", "far"),
                       ("process.args", "far away")):
        c.same(key, attributes.get(key), value)
    signal = d.get("signal", {})
    c.same("signal", (signal.get("number"), signal.get("code_name"),
                      signal.get("address")), (11, "SEGV_MAPERR", "0x18"))
    c.same("modules", [(m["path"], m["start"]) for m in d["modules"]],
           [("/usr/bin/far", hex(BASE))])
    c.same("mappings", [(m["start"], m["end"]) for m in d["mappings"]],
           [(hex(BASE), hex(BASE + PAGE)), ("0x7fff0000", "0x7fff2000")])
    c.same("findings", [f["class"] for f in d["findings"]], ["null-deref"])
    check_header(c, build, path, name, data)
    # Cut off anywhere: no crash, and a snapshot as soon as there is a thread.
    for part in (1, 2, 3, 5, 9):
        with open(path, "wb") as f:
            f.write(data[:len(data) * part // 10])
        short = document(build, path)
        c.same(f"cut at {part}/10", len(short["threads"]), 3 if part > 2 else
               len(short["threads"]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    args = parser.parse_args()
    c = Checks()
    with tempfile.TemporaryDirectory() as where:
        for name in MACHINES:
            check(c, os.path.abspath(args.build), where, name)
    return c.end()


if __name__ == "__main__":
    sys.exit(main())
