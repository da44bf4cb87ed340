# SPDX-License-Identifier: MIT
"""Adds notes to a 64-bit little-endian core: those that a kernel writes and QEMU
does not. The new notes follow the old ones, so those of a thread belong to the
last thread of the core.
"""
import struct

PT_NOTE = 4
SIGINFO, FILES, FPREGS = 0x53494749, 0x46494c45, 2
ARM_TLS, ARM_PAC_MASK = 0x401, 0x406


def note(name, kind, desc):
    name = name.encode() + b"\0"
    head = struct.pack("<III", len(name), len(desc), kind) + name
    return head + bytes(-len(head) % 4) + desc + bytes(-len(desc) % 4)


def siginfo(number, code, address):
    desc = struct.pack("<iiiiQ", number, 0, code, 0, address)
    return note("CORE", SIGINFO, desc + bytes(128 - len(desc)))


def files(entries, page=4096):
    """(start, end, offset in bytes, path) of each mapping."""
    desc = struct.pack("<QQ", len(entries), page)
    for start, end, offset, _ in entries:
        desc += struct.pack("<QQQ", start, end, offset // page)
    for entry in entries:
        desc += entry[3].encode() + b"\0"
    return note("CORE", FILES, desc)


def tls(pointer):
    return note("LINUX", ARM_TLS, struct.pack("<QQ", pointer, 0))


def pac_mask(data, code):
    return note("LINUX", ARM_PAC_MASK, struct.pack("<QQ", data, code))


def vectors(values):
    """user_fpsimd_state: 32 registers of 16 bytes, two words of state."""
    desc = b"".join(values) + bytes(16 * (32 - len(values)) + 16)
    return note("CORE", FPREGS, desc)


def add(core, *notes):
    """The core's bytes with these notes behind its own."""
    data = bytearray(core)
    table, = struct.unpack_from("<Q", data, 32)
    count, = struct.unpack_from("<H", data, 56)
    for i in range(count):
        at = table + 56 * i
        if struct.unpack_from("<I", data, at)[0] != PT_NOTE:
            continue
        offset, = struct.unpack_from("<Q", data, at + 8)
        size, = struct.unpack_from("<Q", data, at + 32)
        old = bytes(data[offset:offset + size])
        data += bytes(-len(data) % 4)
        struct.pack_into("<Q", data, at + 8, len(data))
        new = old + b"".join(notes)
        struct.pack_into("<Q", data, at + 32, len(new))
        return bytes(data + new)
    raise ValueError("no PT_NOTE")
