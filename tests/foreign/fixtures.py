#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Cores of aarch64 that lie in the repository, so that each run of ./check reads
some: of QEMU, and of the same programs with the notes that a kernel adds. What
gdb-multiarch says of them lies beside them; where it is no help (see oracle.py)
the functions are listed here.

    fixtures.py --build DIR
    fixtures.py --make           makes them anew (scripts/install-deps foreign)
"""
import argparse
import json
import lzma
import os
import struct
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ORACLE = os.path.join(HERE, "..", "oracle")
sys.path[1:1] = [HERE, ORACLE, os.path.join(HERE, "..", "lib")]
import _aarch64  # noqa: E402
import _notes  # noqa: E402
import checks  # noqa: E402
import compare  # noqa: E402
import run as oracle  # noqa: E402

FIXTURES = os.path.join(HERE, "fixtures")
BARE = ["-nostdlib", "-static", "-ffreestanding", "-fno-stack-protector",
        "-Wl,--build-id", "-Wl,-z,noseparate-code",
        f"-ffile-prefix-map={HERE}="]
NO_CFI = ["-fno-asynchronous-unwind-tables", "-fno-unwind-tables"]
DOWN = ["leaf", "grow"] + ["down"] * 5 + ["start"]
# The last one jumped to `grow`, which only debug information tells.
WALKED = ["leaf", "grow"] + ["down"] * 4 + ["start"]
VECTORS = [bytes([i] * 15 + [0x40]) for i in range(32)]


def kernel(core, exe):
    """What a kernel would have added: the siginfo of the fault, the table of
    mapped files, vector registers (in d0 what `leaf` was passed)."""
    values = [struct.pack("<dQ", 9.0, 0)] + VECTORS[1:]
    return _notes.add(
        core, _notes.siginfo(11, 1, 0x18), _notes.vectors(values),
        _notes.files([(0x400000, 0x401000, 0, exe)]), _notes.tls(0),
        _notes.pac_mask(0x7f << 48, 0x7f << 48))


# Name, program, flags, functions (None: as GDB has it), with a kernel's notes.
CASES = (
    ("frames-O0", "frames.c", ["-g", "-O0"], None, False),
    ("frames-O2", "frames.c", ["-g", "-O2"], None, False),
    ("frames-kernel", "frames.c", ["-g", "-O2"], None, True),
    ("frames-no-cfi", "frames.c",
     ["-O2", "-fomit-frame-pointer", *NO_CFI], WALKED, False),
    ("frames-signed", "frames.c",
     ["-g", "-O2", "-mbranch-protection=standard"], DOWN, False),
    ("handler-O0", "handler.c", ["-g", "-O0"],
     ["handler", "<signal>", "touch", "start"], False),
    ("handler-no-cfi", "handler.c", ["-O2", *NO_CFI],
     ["handler", "<signal>", "touch", "start"], False),
)


def path(name, kind):
    return os.path.join(FIXTURES, f"{name}.{kind}")


def make_one(name, source, flags, functions, with_notes):
    with tempfile.TemporaryDirectory() as where:
        exe = os.path.join(where, name)
        _aarch64.build(os.path.join(HERE, "programs", source), exe,
                       [*BARE, *flags])
        core = _aarch64.core(exe, where)
        with open(core, "rb") as f:
            data = f.read()
        if with_notes:
            data = kernel(data, f"/usr/bin/{name}")
            with open(core, "wb") as f:
                f.write(data)
        if functions is None:
            _aarch64.gdb(exe, core, os.path.join(ORACLE, "gdb_dump.py"),
                         {"ORACLE_OUT": path(name, "json")})
        with open(exe, "rb") as f:
            program = f.read()
        for kind, content in (("core.xz", data), ("exe.xz", program)):
            with open(path(name, kind), "wb") as f:
                f.write(lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))


def read(build, name, where):
    exe, core = (os.path.join(where, f"{name}{end}") for end in ("", ".core"))
    for kind, to in (("exe.xz", exe), ("core.xz", core)):
        with lzma.open(path(name, kind)) as packed, open(to, "wb") as f:
            f.write(packed.read())
    return oracle.bt(build, "--core", core, exe)


def check_kernel(c, d):
    """Signal, files and vector registers as the notes have them."""
    signal = d["signal"]
    c.equal((signal["code_name"], signal["address"]), ("SEGV_MAPERR", "0x18"),
            "signal")
    c.equal([f["class"] for f in d["findings"]], ["null-deref"], "findings")
    c.equal(d["fault"]["instruction"], None, "instruction")
    c.equal([m["path"] for m in d["modules"]], ["/usr/bin/frames-kernel"],
            "modules")
    factor = d["threads"][0]["frames"][0]["variables"][-1]
    c.equal((factor["name"], factor.get("value")), ("factor", 9),
            "a register's value")


def check(build):
    c = checks.Checks()
    with tempfile.TemporaryDirectory() as where:
        for name, _, _, functions, with_notes in CASES:
            d = read(build, name, where)
            c.equal(d["threads"][0]["stop_reason"], "end of stack", name)
            c.equal(d["attributes"]["cpu.arch"], "aarch64", name)
            c.equal(len(d["threads"][0]["registers"]), 34, name)
            if functions is not None:
                told = _aarch64.told(d)
                c.equal(told[:len(functions)], functions, name)
                c.check(told[-1] in ("_start", functions[-1]), name, told)
            else:
                with open(path(name, "json")) as f:
                    theirs = json.load(f)
                tally = compare.compare(d, theirs, name)
                c.equal((tally.frames_right, tally.values_right),
                        (tally.frames, tally.values), name)
                for difference in tally.differences:
                    if difference["what"] != "ours only":
                        oracle.show(difference)
                c.done += tally.frames_right + tally.values_right
            if with_notes:
                check_kernel(c, d)
    return c.end()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build")
    parser.add_argument("--make", action="store_true")
    args = parser.parse_args()
    if args.make:
        os.makedirs(FIXTURES, exist_ok=True)
        for case in CASES:
            make_one(*case)
        return 0
    return check(os.path.abspath(args.build))


if __name__ == "__main__":
    sys.exit(main())
