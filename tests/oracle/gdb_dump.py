# SPDX-License-Identifier: MIT
"""Runs inside GDB: writes every thread, frame, parameter and local of the
loaded core as JSON to the file named by $ORACLE_OUT. GDB's own interpreter is
the oracle, so nothing here interprets memory: all values come from gdb.Value.
A variable on which GDB fails, even by an internal error, costs itself only.
"""
import json
import os
import re

import gdb

ELEMENTS = 64  # as many as a snapshot shows
DEPTH = 6
# Also say where variables are and which registers frames save: proof.py.
EVIDENCE = "ORACLE_EVIDENCE" in os.environ
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
        return {"k": "pointer", "v": int(v) & (2**64 - 1)}
    if code == gdb.TYPE_CODE_FUNC:
        return {"k": "pointer", "v": int(v.address)}
    if code in (gdb.TYPE_CODE_MEMBERPTR, gdb.TYPE_CODE_METHODPTR):
        return {"k": "opaque", "v": str(v)}
    if code in (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_CHAR, gdb.TYPE_CODE_ENUM):
        if t.sizeof <= 8:
            return {"k": "int", "v": int(v)}
        raw = int(v.format_string(format="x"), 16)
        if t.is_signed and raw >> (t.sizeof * 8 - 1):
            raw -= 1 << (t.sizeof * 8)
        return {"k": "int", "v": raw}
    return {"k": "opaque", "v": str(v)}


def is_synthetic(v):
    return v.address is None and "synthetic pointer>" in v.format_string()


def byte(v):
    return None if v.is_optimized_out or is_synthetic(v) else int(v) & 255


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


def synthetic(v, t):
    """GDB prints <synthetic pointer> for the address of an object that has
    none (DW_OP_implicit_pointer), and also for the bits that the pieces of a
    location do not cover, which are nowhere. It can follow the former only.
    int() gives 0 for both."""
    if t.code != gdb.TYPE_CODE_PTR:
        return {"k": "optimized"}
    try:
        v.dereference().fetch_lazy()
    except (gdb.MemoryError, KeyboardInterrupt):
        return {"k": "optimized"}
    except FAILURES:
        pass
    return {"k": "synthetic"}


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


def rust(v, out, depth):
    """What Rust's structs stand for: enums, strings and slices."""
    names = [m[0] for m in out["v"]]
    if "" in names:
        out["variant"] = True  # the discriminant has no name
    if names == ["data_ptr", "length"]:
        n = min(int(v["length"]), 1024)
        pointer = v["data_ptr"]
        element = pointer.type.target().strip_typedefs()
        if element.sizeof == 1 and element.code == gdb.TYPE_CODE_INT:
            out["target"] = {"k": "bytes", "n": n,
                             "v": [int(pointer[i]) & 255 for i in range(n)]}
        else:
            out["target"] = {"k": "array", "n": n,
                             "v": [canon(pointer[i], depth + 1)
                                   for i in range(min(n, ELEMENTS))]}


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
            if gdb.selected_frame().language() == "rust":
                rust(v, out, depth)
            return out
        if t.code == gdb.TYPE_CODE_ARRAY:
            return array(v, t, depth)
        if t.sizeof == 0 and gdb.selected_frame().language() == "rust":
            return {"k": "struct", "v": []}  # (), of which GDB prints a 0
        v.fetch_lazy()
        if is_synthetic(v):
            return synthetic(v, t)
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
    where = None
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
            if EVIDENCE:
                where = location(sym.name, frame)
            out.append({"name": sym.print_name, "type": t, "parameter":
                        bool(sym.is_argument), "constant": constant,
                        "value": c, "location": where})
        if block.function is not None:
            break
        block = block.superblock
    # By its name GDB tells the location of the first only.
    names = [v["name"] for v in out]
    for v in out:
        if names.count(v["name"]) > 1:
            v["location"] = None
    return out


def location(name, frame):
    """How the debug information says where a variable is, at the instruction
    that counts: the call in all frames but the innermost."""
    try:
        text = gdb.execute("info address " + name, to_string=True)
    except FAILURES:
        return None
    if "multi-location" not in text:
        return " ".join(text.partition(" is ")[2].split()).rstrip(" ,.")
    pc = frame.pc() - (1 if frame.newer() is not None else 0)
    # Entries begin with "Range LOW-HIGH: ", expressions go on in further
    # lines.
    parts = re.split(r"Range (0x[0-9a-f]+)-(0x[0-9a-f]+): ", text)
    for low, high, what in zip(parts[1::3], parts[2::3], parts[3::3]):
        if int(low, 16) <= pc < int(high, 16):
            return " ".join(what.split()).rstrip(" ,.")
    return None


def evidence(frame, entry):
    """What the frame saves of its caller's registers, and its own call."""
    try:
        text = gdb.execute("info frame", to_string=True)
        entry["saved"] = re.findall(
            r"(\w+) at 0x", text.partition("Saved registers:")[2])
        if frame.newer() is not None:
            entry["call"] = call_before(frame)
    except FAILURES:
        pass


def call_before(frame):
    """The call instruction that ends at the frame's pc, as text."""
    for length in range(2, 9):
        one = frame.architecture().disassemble(frame.pc() - length, count=1)
        if one[0]["length"] == length and "call" in one[0]["asm"]:
            text = gdb.execute(f"x/i {frame.pc() - length:#x}",
                               to_string=True)
            # Without the absolute address, which differs in each run.
            return " ".join(re.sub(r"^\W*0x\w+|0x\w+ (?=<)", "",
                                   text).split())
    return None


KINDS = {gdb.INLINE_FRAME: "inline", gdb.SIGTRAMP_FRAME: "signal",
         gdb.TAILCALL_FRAME: "tailcall"}


def linkage(frame):
    """The linker's name. frame.name() of a function without debug information
    may be one that GDB took for Ada's: run.constprop.0 becomes
    run.constprop, report.cold becomes report[cold]."""
    try:
        function = frame.function()
        if function is not None:
            return function.linkage_name
        # Not `info symbol`, which also decodes.
        pc = frame.pc() - (1 if frame.type() == gdb.NORMAL_FRAME and
                           frame.newer() is not None else 0)
        text = gdb.execute(f"x/xb {pc:#x}", to_string=True)
        found = re.search(r"<(.*?)(?:\+\d+)?>:", text)
        return found.group(1) if found else None
    except FAILURES:
        return None


def frames():
    out = []
    frame = gdb.newest_frame()
    while frame is not None and len(out) < 5000:
        frame.select()  # also sets the language in which types print
        sal = frame.find_sal()
        where = sal.symtab.objfile.filename if sal.symtab else None
        entry = {"pc": frame.pc(), "object": where, "name": frame.name(),
                 "kind": KINDS.get(frame.type(), "normal"),
                 "line": sal.line if sal.symtab else 0,
                 "path": sal.symtab.fullname() if sal.symtab else None,
                 "file": sal.symtab.filename if sal.symtab else None,
                 "linkage": linkage(frame), "language": frame.language()}
        if EVIDENCE:
            evidence(frame, entry)
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
