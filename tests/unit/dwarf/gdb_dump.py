# SPDX-License-Identifier: MIT
"""Run by gdb: prints for every address in the file $PCS what GDB knows of it,
in the lines that dwarf_fixture.h writes from a plan."""
import os
import re

import gdb

GONE = gdb.SYMBOL_LOC_OPTIMIZED_OUT
CONSTANTS = (gdb.SYMBOL_LOC_CONST, gdb.SYMBOL_LOC_CONST_BYTES)
IGNORED = (gdb.SYMBOL_LOC_TYPEDEF, gdb.SYMBOL_LOC_LABEL, gdb.SYMBOL_LOC_BLOCK,
           gdb.SYMBOL_LOC_UNRESOLVED)


def without_parameters(name):
    if "thunk to " in name:
        return name  # GDB does not take them apart either
    for suffix in (" const", " volatile", " &&", " &"):
        if name.endswith(suffix):
            name = name[:-len(suffix)]
    if not name.endswith(")") or name.endswith("operator()") or \
            name.endswith("(anonymous namespace)"):
        return name
    depth = 0
    for i in range(len(name) - 1, -1, -1):
        depth += (name[i] == ")") - (name[i] == "(")
        if depth == 0:
            return name[:i]
    return name


def path_of(symtab):
    if not symtab:
        return "-"
    # With a relative compilation directory, which version 5 repeats in the
    # line table, GDB writes it twice: glibc's "./csu/./csu/init-first.c".
    path = os.path.normpath(symtab.fullname())
    return path if path[0] == "/" else re.sub(r"^([^/]+/)\1", r"\1", path)


def is_enumerator(symbol):
    t = symbol.type.strip_typedefs()
    return t.code == gdb.TYPE_CODE_ENUM and any(
        f.name == symbol.name for f in t.fields())


def pointed(t):
    t = t.strip_typedefs()
    while t.code in (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_ARRAY, gdb.TYPE_CODE_REF,
                     gdb.TYPE_CODE_RVALUE_REF):
        t = t.target().strip_typedefs()
    return t.unqualified()


def layout(t, layouts):
    t = pointed(t)
    name = str(t)
    if name in layouts or "{...}" in name:
        return
    lines = layouts[name] = []
    if t.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
        for f in t.fields():
            member = "" if f.is_base_class else f.name or ""
            if not hasattr(f, "bitpos"):
                lines.append("%s|%s|static" % (member, f.type))
            elif f.bitpos is None:
                lines.append("%s|%s|dynamic" % (member, f.type))
            else:
                lines.append("%s|%s|%d|%d" % (
                    member, f.type, f.bitpos, f.bitsize))
            layout(f.type, layouts)
    elif t.code == gdb.TYPE_CODE_ENUM:
        for f in t.fields():
            lines.append("%s=%d" % (
                f.name, f.enumval - (1 << 64) if f.enumval >= 1 << 63
                else f.enumval))


def variable(symbol, layouts):
    if symbol.addr_class in IGNORED or not symbol.name:
        return None
    if symbol.addr_class in CONSTANTS:
        if is_enumerator(symbol):
            return None
    elif not (symbol.is_variable or symbol.is_argument):
        return None
    layout(symbol.type, layouts)
    where = "gone" if symbol.addr_class == GONE else (
        "constant" if symbol.addr_class in CONSTANTS else "somewhere")
    return "%s %s|%s|%s" % ("P" if symbol.is_argument else "L",
                            symbol.name, symbol.type, where)


def is_nested(block):
    """Whether a function's block was inlined into one around it. GNU C nested
    functions have blocks inside, too, but their code lies elsewhere."""
    outer = block.superblock
    while outer is not None and not outer.is_static and not outer.is_global:
        if outer.function is not None and outer.start <= block.start and \
                block.start < outer.end:
            return True
        outer = outer.superblock
    return False


def dump(pc, layouts):
    sal = gdb.find_pc_line(pc)
    line = (path_of(sal.symtab), sal.line)
    print("PC 0x%x %s:%d" % (pc, line[0], line[1]))
    block = gdb.block_for_pc(pc)
    blocks = []
    while block is not None and not block.is_static and not block.is_global:
        blocks.append(block)
        if block.function is not None:
            inlined = is_nested(block)
            print("S %s|%s:%d|%d" % (
                without_parameters(block.function.name), line[0], line[1],
                inlined))
            lines = [variable(s, layouts) for b in blocks for s in b]
            for text in sorted(x for x in lines if x):
                print(text)
            if not inlined:
                return
            line = (path_of(block.function.symtab), block.function.line)
            blocks = []
        block = block.superblock


LAYOUTS = {}
for text in open(os.environ["PCS"]):
    dump(int(text, 16), LAYOUTS)
for name, lines in sorted(LAYOUTS.items()):
    for line in lines:
        print("T %s: %s" % (name, line))
