# SPDX-License-Identifier: MIT
"""Runs inside GDB: writes every thread, frame, parameter and local of the
loaded core as JSON to the file named by $ORACLE_OUT. GDB's own interpreter is
the oracle, so nothing here interprets memory: all values come from gdb.Value.
A variable on which GDB fails, even by an internal error, costs itself only.
"""
import json
import os

import gdb

ELEMENTS = 64  # as many as a snapshot shows
DEPTH = 6
# KeyboardInterrupt is how an internal error of GDB ends a command.
FAILURES = (gdb.error, ValueError, OverflowError, RuntimeError, TypeError,
            KeyboardInterrupt)
AGGREGATES = (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION, gdb.TYPE_CODE_ARRAY)


def scalar(v, t):
    code = t.code
    if code == gdb.TYPE_CODE_FLT:
        return {"k": "float", "v": str(v) if t.sizeof > 8 else repr(float(v))}
    if code in (gdb.TYPE_CODE_COMPLEX,):
        return {"k": "complex", "v": v.format_string()}
    if code == gdb.TYPE_CODE_BOOL:
        return {"k": "bool", "v": int(v)}
    if code == gdb.TYPE_CODE_PTR:
        # The address of an object that has none (DW_OP_implicit_pointer):
        # int() gives 0 for it, only printing tells.
        if v.address is None and "(synthetic pointer)" in v.format_string():
            return {"k": "synthetic"}
        return {"k": "pointer", "v": int(v) & (2**64 - 1)}
    if code == gdb.TYPE_CODE_FUNC:
        return {"k": "pointer", "v": int(v.address)}
    if code in (gdb.TYPE_CODE_MEMBERPTR, gdb.TYPE_CODE_METHODPTR):
        return {"k": "opaque", "v": str(v)}
    if code in (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_CHAR, gdb.TYPE_CODE_ENUM):
        try:
            return {"k": "int", "v": int(v)}
        except gdb.error:  # integers of more than 8 bytes
            return {"k": "int", "v": int(v.format_string(format="x"), 16)}
    return {"k": "opaque", "v": str(v)}


def byte(v):
    return None if v.is_optimized_out else int(v) & 255


def array(v, t, depth):
    low, high = t.range()
    n = high - low + 1
    element = t.target().strip_typedefs()
    text = element.code in (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_CHAR) and \
        element.sizeof == 1 and not getattr(t, "is_vector", False)
    if text:
        return {"k": "bytes", "n": n,
                "v": [byte(v[low + i]) for i in range(min(n, 1024))]}
    return {"k": "array", "n": n,
            "v": [canon(v[low + i], depth + 1)
                  for i in range(min(n, ELEMENTS))]}


def members(v, t, depth):
    # GDB dies of an internal error on a base class of a lazy value that is
    # made of pieces.
    if v.address is None:
        v.fetch_lazy()
    out = []
    for f in t.fields():
        if hasattr(f, "bitpos"):  # else a static member
            out.append([f.name or "", bool(f.is_base_class),
                        canon(v[f], depth + 1)])
    return out


def reference(v, depth):
    target = v.referenced_value()
    address = target.address  # none for a synthetic reference
    return {"k": "ref", "a": None if address is None else int(address),
            "v": canon(target, depth)}


def canon(v, depth=0):
    try:
        t = v.type.strip_typedefs()
        # A struct of which some members are gone counts as optimized out as
        # a whole for GDB; its members tell.
        if v.is_optimized_out and t.code not in AGGREGATES:
            return {"k": "optimized"}
        if depth > DEPTH:
            return {"k": "deep"}
        if t.code in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF):
            return reference(v, depth)
        if t.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
            out = {"k": "struct", "v": members(v, t, depth)}
            if gdb.selected_frame().language() == "rust" and out["v"] \
                    and out["v"][0][0] == "":
                out["variant"] = True
            return out
        if t.code == gdb.TYPE_CODE_ARRAY:
            return array(v, t, depth)
        v.fetch_lazy()
        return scalar(v, t)
    except gdb.MemoryError as e:
        return {"k": "unreadable", "v": str(e)}
    except FAILURES as e:
        if "optimized out" in str(e):
            return {"k": "optimized"}
        return {"k": "error", "v": str(e)}


def is_enumerator(sym):
    t = sym.type.strip_typedefs()
    return t.code == gdb.TYPE_CODE_ENUM and \
        sym.name in [f.name for f in t.fields()]


def variables(frame):
    """What `info args` and `info locals` list: all blocks up to the function's
    own, innermost first."""
    out = []
    try:
        block = frame.block()
    except RuntimeError:
        return out
    while block is not None and not block.is_global and not block.is_static:
        for sym in block:
            # A local the compiler turned into a constant; enumerators that
            # are declared in the function look the same but for their name.
            constant = sym.is_constant and sym.type is not None and \
                not is_enumerator(sym)
            if not (sym.is_variable or sym.is_argument or constant):
                continue
            try:
                value = frame.read_var(sym, block)
                c, t = canon(value), str(value.type)
            except FAILURES as e:
                c, t = {"k": "error", "v": str(e)}, str(sym.type)
            out.append({"name": sym.print_name, "type": t, "parameter":
                        bool(sym.is_argument), "constant": constant,
                        "value": c})
        if block.function is not None:
            break
        block = block.superblock
    return out


KINDS = {gdb.INLINE_FRAME: "inline", gdb.SIGTRAMP_FRAME: "signal",
         gdb.TAILCALL_FRAME: "tailcall"}


def linkage(frame):
    try:
        function = frame.function()
    except gdb.error:
        return None
    return function.linkage_name if function else None


def frames():
    out = []
    frame = gdb.newest_frame()
    while frame is not None and len(out) < 5000:
        frame.select()  # also sets the language in which types print
        sal = frame.find_sal()
        entry = {"pc": frame.pc(), "name": frame.name(),
                 "kind": KINDS.get(frame.type(), "normal"),
                 "line": sal.line if sal.symtab else 0,
                 "path": sal.symtab.fullname() if sal.symtab else None,
                 "file": sal.symtab.filename if sal.symtab else None,
                 "linkage": linkage(frame), "language": frame.language()}
        entry["variables"] = variables(frame)
        out.append(entry)
        try:
            frame = frame.older()
        except gdb.error as e:
            entry["error"] = str(e)
            break
    return out


def main():
    threads = []
    for thread in sorted(gdb.selected_inferior().threads(),
                         key=lambda t: t.num):
        thread.switch()
        threads.append({"tid": thread.ptid[1] or thread.ptid[0],
                        "frames": frames()})
    with open(os.environ["ORACLE_OUT"], "w") as f:
        json.dump({"threads": threads}, f)


for setting in ("backtrace past-main on", "print object off",
                "print static-members off", "max-value-size unlimited",
                "width 0"):
    gdb.execute("set " + setting)
for setting in ("quit no", "corefile no"):
    gdb.execute("maint set internal-error " + setting)
main()
