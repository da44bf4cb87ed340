#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the seeds of the fuzz targets, tests/fuzz/corpus/TARGET/seed-*, from
small programs and their cores.

    seeds.py --build DIR [--to DIRECTORY]

They are kept in the repository, so that a replay needs no compiler and is the
same everywhere; this makes them anew when a target's input changes. What a
fuzzer found lies beside them under other names and is left alone. The whole
corpus stays below 1 MB (tests/lint/corpus.py)."""
import argparse
import os
import struct
import subprocess
import sys
import tempfile
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
sys.path.insert(0, os.path.join(ROOT, "tests", "formats"))
import crash  # noqa: E402

TINY = [f"-ffile-prefix-map={HERE}=.", "-static", "-nostdlib", "-no-pie", "-fno-stack-protector",
        "-Wl,--build-id", "-Wl,-z,norelro", "-Wl,-z,noseparate-code"]
PT_LOAD, PT_NOTE, NT_XSTATE = 1, 4, 0x202
# The order of the sections in fuzz_dwarf.c.
DEBUG = [".debug_info", ".debug_abbrev", ".debug_str", ".debug_line",
         ".debug_line_str", ".debug_str_offsets", ".debug_addr",
         ".debug_rnglists", ".debug_loclists", ".debug_ranges", ".debug_loc",
         ".debug_types", ".debug_aranges", ".debug_names", ".gdb_index"]


class Seeds:
    def __init__(self, to):
        self.to = to

    def put(self, target, name, data):
        where = os.path.join(self.to, target)
        os.makedirs(where, exist_ok=True)
        with open(os.path.join(where, "seed-" + name), "wb") as f:
            f.write(data)


def read(path):
    with open(path, "rb") as f:
        return f.read()


# ---- cores, without what no target looks at ----

class Core:
    def __init__(self, data):
        self.data = data
        phoff, = struct.unpack_from("<Q", data, 32)
        count, = struct.unpack_from("<H", data, 56)
        self.loads, self.notes = [], b""
        for i in range(count):
            kind, flags, offset, address, _, size, memsz = struct.unpack_from(
                "<IIQQQQQ", data, phoff + 56 * i)
            if kind == PT_NOTE:
                self.notes += self.short(data[offset:offset + size])
            elif kind == PT_LOAD:
                self.loads.append((address, memsz, flags,
                                   data[offset:offset + size]))
        self.keep = set()

    def short(self, notes):
        """Extended registers take 11 KB of a thread; the first kilobyte has
        all that is not zero."""
        out, at, self.sp, self.auxv = b"", 0, [], {}
        while at + 12 <= len(notes):
            namesz, descsz, kind = struct.unpack_from("<III", notes, at)
            body = at + 12 + (namesz + 3) // 4 * 4
            desc = notes[body:body + descsz]
            name = notes[at + 12:body]
            if kind == 1:
                self.sp.append(struct.unpack_from("<Q", desc, 112 + 19 * 8)[0])
            if kind == 6:
                words = struct.unpack("<%dQ" % (len(desc) // 8), desc)
                self.auxv = dict(zip(words[::2], words[1::2]))
            if kind == NT_XSTATE:
                desc = desc[:832]
            out += struct.pack("<III", namesz, len(desc), kind) + name + desc
            out += bytes(-len(desc) % 4)
            at = body + (descsz + 3) // 4 * 4
        return out

    def memory(self, address, size):
        for start, _, _, data in self.loads:
            if start <= address < start + len(data):
                return data[address - start:address - start + size]
        return b""

    def need(self, address, size):
        """These bytes stay, by lines of 64."""
        self.keep.update(range(address // 64, (address + size + 63) // 64))

    def links(self):
        """The loader's list, by the executable's dynamic section."""
        phdr, count = self.auxv.get(3, 0), self.auxv.get(5, 0)
        table = self.memory(phdr, 56 * count)
        rows = [struct.unpack_from("<IIQQQQQ", table, 56 * i)
                for i in range(len(table) // 56)]
        bias = next((phdr - r[3] for r in rows if r[0] == 6), 0)
        for row in rows:
            if row[0] != 2:
                continue
            self.need(bias + row[3], row[6])
            words = struct.unpack("<%dQ" % (row[6] // 8),
                                  self.memory(bias + row[3], row[6]))
            debug = dict(zip(words[::2], words[1::2])).get(21, 0)
            self.need(debug, 40)
            at = struct.unpack("<Q", self.memory(debug + 8, 8))[0]
            while at:
                self.need(at, 1200)
                _, name, _, after, _ = struct.unpack(
                    "<5Q", self.memory(at, 40))
                self.need(name, 64)
                at = after

    def trim(self, stack=2048):
        for address, _, flags, data in self.loads:
            if data[:4] == b"\x7fELF":
                self.need(address, 64 + 14 * 56 + 256)
        for sp in self.sp:
            self.need(sp - 128, stack)

    def bytes(self):
        """The core again: what does not stay is mapped but not dumped."""
        pieces = []
        for start, memsz, flags, data in self.loads:
            at = start
            while at < start + memsz:
                kept = at // 64 in self.keep and at - start < len(data)
                end = at
                while end < start + memsz and kept == (
                        end // 64 in self.keep and end - start < len(data)):
                    end += 64
                end = min(end, start + memsz)
                pieces.append((at, end - at, flags,
                               data[at - start:end - start] if kept else b""))
                at = end
        head = bytearray(self.data[:64])
        struct.pack_into("<Q", head, 32, 64)
        struct.pack_into("<HHH", head, 56, len(pieces) + 1, 0, 0)
        struct.pack_into("<Q", head, 40, 0)
        offset = 64 + 56 * (len(pieces) + 1)
        table = struct.pack("<IIQQQQQQ", PT_NOTE, 0, offset, 0, 0,
                            len(self.notes), 0, 4)
        body = self.notes
        for at, size, flags, data in pieces:
            table += struct.pack("<IIQQQQQQ", PT_LOAD, flags,
                                 offset + len(body), at, 0, len(data), size, 1)
            body += data
        return bytes(head) + table + body


def pair(exe, core):
    return struct.pack("<I", len(exe)) + exe + core


def cores(seeds, where):
    source = os.path.join(HERE, "programs", "tiny.c")
    for name, flags in (("c", ["-g", "-O1"]),
                        ("optimised", ["-g", "-O2", "-gdwarf-4"]),
                        ("frame-pointers", ["-O0", "-fno-asynchronous-"
                                            "unwind-tables"])):
        exe = crash.build(source, [*flags, *TINY], "gcc", where, name=name)
        subprocess.run(["objcopy", "-R", ".comment", exe], check=True)
        core = Core(read(crash.core(exe, where)))
        core.trim()
        for start, _, flags, data in core.loads:
            if flags & 2 and start < 1 << 32:
                core.need(start, min(len(data), 1024))
        seeds.put("core", name, pair(read(exe), core.bytes()))
    exe = crash.build(os.path.join(HERE, "programs", "linked.c"),
                      ["-O1"], "gcc", where)
    core = Core(read(crash.core(exe, where)))
    core.trim(1024)
    core.links()
    seeds.put("core", "linked", pair(read(exe), core.bytes()))
    seeds.put("image", "linked", read(exe))


# ---- parts of files ----

def section(exe, name):
    """Its bytes; b"" when it has none of that name."""
    data = read(exe)
    shoff, = struct.unpack_from("<Q", data, 40)
    count, strings = struct.unpack_from("<HH", data, 60)
    rows = [struct.unpack_from("<IIQQQQ", data, shoff + 64 * i)
            for i in range(count)]
    names = rows[strings][4]
    for row in rows:
        start = names + row[0]
        if data[start:data.index(b"\0", start)] == name.encode():
            return data[row[4]:row[4] + row[5]] if row[1] != 8 else b""
    return b""


def split(front, rest):
    return struct.pack("<H", len(front)) + front + rest


def dwarf(seeds, where):
    tiny = os.path.join(HERE, "programs", "tiny.c")
    shapes = os.path.join(HERE, "programs", "shapes.cc")
    link = ["-nostdlib", "-static", "-no-pie", "-Wl,-Ttext=0x401000",
            "-fno-exceptions", "-fno-rtti", "-fno-stack-protector", "-w",
            f"-ffile-prefix-map={HERE}=."]
    for name, compiler, source, flags in (
            ("gcc-5", "gcc", tiny, ["-g", "-O1"]),
            ("gcc-4", "gcc", tiny, ["-gdwarf-4", "-O2",
                                    "-fdebug-types-section"]),
            ("gcc-2", "gcc", tiny, ["-gdwarf-2", "-gstrict-dwarf", "-O1"]),
            ("gcc-64", "gcc", tiny, ["-gdwarf64", "-gdwarf-5", "-O0"]),
            ("clang-5", "clang", tiny, ["-gdwarf-5", "-O1"]),
            ("cplusplus", "g++", shapes, ["-g", "-O2"]),
            ("cplusplus-clang", "clang++", shapes,
             ["-g", "-O1", "-gpubnames"])):
        exe = crash.build(source, [*flags, *link], compiler, where, name=name)
        seeds.put("dwarf", name, b"".join(
            struct.pack("<BI", i, len(section(exe, s))) + section(exe, s)
            for i, s in enumerate(DEBUG) if section(exe, s)))
        seeds.put("line", name, split(section(exe, ".debug_line_str"),
                                      section(exe, ".debug_line")))
        seeds.put("cfi", name, split(section(exe, ".eh_frame_hdr"),
                                     section(exe, ".eh_frame")))
    exe = crash.build(tiny, ["-g", "-fno-asynchronous-unwind-tables", *link],
                      "gcc", where, name="debug-frame")
    seeds.put("cfi", "debug-frame", split(b"", section(exe, ".debug_frame")))
    for name, flags in (("plain", ["-O1"]), ("compressed", ["-g", "-gz"]),
                        ("gnu-compressed", ["-g", "-gz=zlib-gnu"])):
        exe = crash.build(tiny, [*flags, *TINY], "gcc", where, name=name)
        seeds.put("image", name, read(exe))


def expressions(seeds):
    for name, code in (
            ("breg", "8000 77 10 06 23 08 9f"),
            ("pieces", "0005 50 93 04 51 93 02 9d 10 00 93 02"),
            ("loop", "0004 30 2f fd ff"),
            ("arithmetic", "0005 12 1a 1b 1c 1d 1e 1f 20 21 22 24 25 26 27"),
            ("literals", "0005 08 ff 0a ff ff 0c ffffffff 0e ffffffffffffffff"
                         " 10 e5 8e 26 11 9b f1 59 22 22 22 22 22"),
            ("typed", "0005 a5 05 29 a6 05 a8 0a a9 0b a4 29 04 01 02 03 04"
                      " 1e 9f"),
            ("entry", "0005 a3 01 55 9f"),
            ("entry-of-entry", "0005 a3 03 a3 01 55 9f"),
            ("implicit", "0005 9e 04 01 02 03 04"),
            ("pointer", "0005 a0 10 00 00 00 04"),
            ("call", "0005 98 00 00 99 00 00 00 00"),
            ("frame", "0005 91 70 06 94 04 9c 22 97"),
            ("tls", "0005 0e 10 00 00 00 00 00 00 00 e0 e0 9b"),
            ("index", "0005 a1 01 a2 02 22"),
            ("condition", "0005 12 30 29 28 03 00 31 2f 01 00 32 9f")):
        seeds.put("expr", name, bytes.fromhex(code.replace(" ", "")))


def deflated(seeds):
    """Blocks of each kind; small ones, one after the other."""
    text = b"".join(b"%d %x %d\n" % (i, i * i, i % 7) for i in range(400))
    for name, data, level, memory, strategy in (
            ("dynamic", text, 9, 9, zlib.Z_DEFAULT_STRATEGY),
            ("many", text, 6, 1, zlib.Z_DEFAULT_STRATEGY),
            ("fixed", text[:300], 6, 8, zlib.Z_FIXED),
            ("huffman", text[:900], 6, 1, zlib.Z_HUFFMAN_ONLY),
            ("runs", b"a" * 3000 + b"ab" * 900, 6, 8, zlib.Z_RLE),
            ("stored", text[:200], 0, 8, zlib.Z_DEFAULT_STRATEGY),
            ("empty", b"", 6, 8, zlib.Z_DEFAULT_STRATEGY)):
        packer = zlib.compressobj(level, zlib.DEFLATED, -15, memory, strategy)
        seeds.put("deflate", name, b"\x10" + packer.compress(data) +
                  packer.flush() + b"rest")


def texts(seeds, where):
    for name in ("stat", "status", "maps", "stack", "syscall", "io", "limits"):
        try:
            text = read(f"/proc/self/{name}")
        except OSError:
            continue
        seeds.put("procfs", name, text[:2000])
    seeds.put("procfs", "odd", b"7 (a) (b)\n) R -1 2 3 4 5\n"
              b"0-f r-xp 0 0:0 0 /a\\012b (deleted)\nState:\tS (x)\n"
              b"running\n202 0x1 0x2 0x3 0x4 0x5 0x6 0x7ffc 0x7f\n"
              b"[<0>] futex_wait+0x5d/0x80 [mod]\n")
    for name, text in (
            ("plain", '{"a": [1, -2.5e10, "x\\u00e9\\n"], "b": null}'),
            ("nested", "[[[[{\"k\":[true,false,{}]}]]]]"),
            ("odd", '"\\ud800" 01 {"a":,} [1,]\x80\xff')):
        seeds.put("json", name, text.encode("latin-1"))
    for name, text in (
            ("options", "# comment\nnumber = 12k\ntext = a b\nflag\n"
                        "flag = no\nmaybe\nmaybe = x\n"),
            ("attributes", "a:b,c:d,e,f:g:h"),
            ("condition", "-- inquest: when type std::vector<* foo*\n"
                          "-- inquest: when object lib*.so* bin\n"
                          "-- inquest: when symbol _Py* in python3*\n")):
        seeds.put("config", name, text.encode())
    for name, text in (
            ("cplusplus", "_ZNSt6vectorIN2ns3fooIiLi4EEESaIS2_EE9push_back"
                          "ERKS2_"),
            ("lambda", "_ZZ4mainENKUlvE_clEv"),
            ("rust-0", "_RNvCskwGfYPst2Cb_3foo16example_function"),
            ("rust-legacy", "_ZN4core3fmt9Formatter3pad17h0123456789abcdefE"),
            ("d", "_D8demangle4testFaZv"),
            ("clone", "_ZN1a1bEv.constprop.0.cold"),
            ("nested", "_Z1fI" + "1AI" * 40 + "iE" * 40 + "Evv")):
        seeds.put("demangle", name, text.encode())


def sequences(seeds):
    """Programs for the machine of fuzz_lua.c: every name once, as a function
    and as a method of what came last."""
    with open(os.path.join(ROOT, "lua", "inquest.d.lua")) as f:
        count = sum(line.startswith("function ") for line in f)
    for args in range(4):
        for op in (0, 3):
            # Operation, name (two bytes), arguments, the object, arguments.
            seeds.put("lua", f"op{op}-{args}", bytes([8]) + b"".join(
                bytes([op, i & 255, i >> 8, args]) +
                (b"\x70\x01" if op == 3 else b"") +
                bytes([112 + i % 8, 10 + i % 20, 2])[:args]
                for i in range(count)))
    seeds.put("lua", "walk", bytes([0]) + bytes(
        [6, 0, 0, 3, 112] + [7, 0, 0, 0, 112, 14]) * 30)


# ---- snapshots ----

def snapshots(seeds, build, where):
    import msgpack
    import zstandard
    names = ["process", "threads", "modules", "variables", "objects",
             "analysis", "memory", "resources", "warnings"]
    exe = crash.build(os.path.join(HERE, "programs", "tiny.c"),
                      ["-g", "-O1", *TINY], "gcc", where, name="t")
    core = crash.core(exe, where)
    path = os.path.join(where, "x.btt")
    subprocess.run([os.path.join(build, "ptrace"), "-o", path, "--core", core,
                    "--kv", "key:value", exe], check=True,
                   stdout=subprocess.DEVNULL)
    golden = os.path.join(ROOT, "tests", "golden")
    for name, file in (("tiny", path), ("full", golden + "/v1.btt"),
                       ("extremes", golden + "/v1-extremes.btt"),
                       ("threads", golden + "/v1-threads.btt")):
        data = read(file)
        parts = b"S"
        for value in msgpack.Unpacker(
                open(file, "rb"), strict_map_key=False,
                max_buffer_size=1 << 26):
            if isinstance(value, dict) and "section" in value:
                payload = value["data"]
                if value["codec"] == "zstd":
                    payload = zstandard.decompress(
                        payload, max_output_size=value["size"])
                parts += struct.pack("<BI", names.index(value["section"]),
                                     len(payload)) + payload
        if len(data) < 20000:
            seeds.put("btt", name + "-file", b"F" + data)
        if len(parts) < 60000:
            seeds.put("btt", name, parts)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--to", default=os.path.join(HERE, "corpus"))
    args = parser.parse_args()
    seeds = Seeds(args.to)
    # The environment lies in cores, too.
    for name in set(os.environ) - {"PATH", "TMPDIR"}:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="seeds.") as where:
        cores(seeds, where)
        dwarf(seeds, where)
        expressions(seeds)
        deflated(seeds)
        texts(seeds, where)
        sequences(seeds)
        snapshots(seeds, os.path.abspath(args.build), where)
    return 0


if __name__ == "__main__":
    sys.exit(main())
