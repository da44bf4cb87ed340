# SPDX-License-Identifier: MIT
"""Runs inside GDB: what its pretty printers show of the members of the global
`all`, as the list of values at the leaves, in order. Written as JSON to the
file named by $out."""
import json

import gdb

SCALARS = (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_CHAR, gdb.TYPE_CODE_BOOL,
           gdb.TYPE_CODE_ENUM, gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_FLT)


def scalar(value, type_):
    if type_.code == gdb.TYPE_CODE_FLT:
        return float(value)
    if type_.code == gdb.TYPE_CODE_PTR:
        target = type_.target().strip_typedefs().unqualified()
        if target.code == gdb.TYPE_CODE_INT and target.sizeof == 1:
            return value.string() if int(value) else "0x0"
        return hex(int(value) & (1 << 64) - 1)
    if type_.code == gdb.TYPE_CODE_BOOL:
        return bool(int(value))
    return int(value)


def text_of(string):
    if hasattr(string, "value"):  # a lazy string
        length = string.length
        value = string.value()
        return value.string(length=length) if length >= 0 else value.string()
    if isinstance(string, gdb.Value):
        return string.string()
    return string


def leaves(value, out, depth=0):
    if not isinstance(value, gdb.Value):  # a printer's child may be plain
        out.append(value)
        return
    type_ = value.type.strip_typedefs().unqualified()
    printer = gdb.default_visualizer(value)
    if printer is not None and depth < 20:
        if getattr(printer, "display_hint", lambda: None)() == "string":
            out.append(text_of(printer.to_string()))
            return
        if hasattr(printer, "children"):
            for _, child in printer.children():
                leaves(child, out, depth + 1)
            return
    if type_.code in SCALARS:
        out.append(scalar(value, type_))
    elif type_.code == gdb.TYPE_CODE_ARRAY:
        for i in range(type_.range()[1] + 1):
            leaves(value[i], out, depth + 1)
    elif type_.code == gdb.TYPE_CODE_STRUCT:
        for field in type_.fields():
            if not field.is_base_class and hasattr(field, "bitpos"):
                leaves(value[field], out, depth + 1)


def body():
    found = {}
    everything = gdb.parse_and_eval("all")
    for field in everything.type.fields():
        out = []
        try:
            leaves(everything[field], out)
        except (gdb.error, RuntimeError, ValueError,
                AttributeError) as error:  # of GDB's own printers
            out = "GDB: " + str(error)
        found[field.name] = out
    with open(gdb.parse_and_eval("$out").string(), "w") as f:
        json.dump(found, f)


body()
