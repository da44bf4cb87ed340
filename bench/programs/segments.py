# SPDX-License-Identifier: MIT
"""A core with more segments: one core, and as many mappings more of one page
each, all of whose bytes are the same page of the file. The kernel writes such
cores where vm.max_map_count was raised."""
import os
import struct

PAGE = 4096
EHDR, PHDR, SHDR = 64, 56, 64
PT_LOAD, PN_XNUM = 1, 0xffff


def with_segments(core, out, total):
    """Writes a core with `total` segments; returns how many it has."""
    with open(core, "rb") as f:
        header = bytearray(f.read(EHDR))
        offset, = struct.unpack_from("<Q", header, 32)
        count, = struct.unpack_from("<H", header, 56)
        f.seek(offset)
        table = f.read(count * PHDR)
        f.seek(0, os.SEEK_END)
        size = f.tell()
    page = (size + PAGE - 1) // PAGE * PAGE
    more = max(0, total - count)
    # With gaps: neighbours could be taken for one mapping. In the order of
    # addresses, as the kernel writes them; notes come first.
    entries = [table[i:i + PHDR] for i in range(0, len(table), PHDR)]
    entries += [struct.pack("<IIQQQQQQ", PT_LOAD, 4 | (i & 1) << 1, page,
                            0x100000000000 + i * 2 * PAGE, 0, PAGE, PAGE,
                            PAGE) for i in range(more)]
    entries.sort(key=lambda entry: struct.unpack_from("<Q", entry, 16))
    table = b"".join(entries)
    start = page + PAGE
    sections = start + len(table)
    with open(core, "rb") as f, open(out, "wb") as g:
        while block := f.read(1 << 20):
            g.write(block)
        g.seek(page)
        g.write(bytes(PAGE))
        g.write(table)
        # The first section header has the count where 16 bits do not.
        g.write(struct.pack("<IIQQQQIIQQ", 0, 0, 0, 0, 0, 1, 0, count + more,
                            0, 0))
        struct.pack_into("<Q", header, 32, start)
        struct.pack_into("<Q", header, 40, sections)
        struct.pack_into("<HHHHHH", header, 52, EHDR, PHDR,
                         min(count + more, PN_XNUM), SHDR, 1, 0)
        g.seek(0)
        g.write(header)
    return count + more
