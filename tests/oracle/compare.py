# SPDX-License-Identifier: MIT
"""Compares a snapshot's JSON document with what GDB said of the same core:
every frame (function, file, line, kind) and every variable (name, type,
value). A difference is an entry in a list, with both sides, so that a person
can decide who is right."""
import difflib
import math
import os
import re


class Tally:
    """Counts of one group (language and optimisation level)."""

    def __init__(self):
        self.frames = self.frames_right = 0
        self.values = self.values_right = 0
        self.both_optimized = self.ours_only = self.excused = 0
        self.confirmed = 0
        self.differences = []

    def add(self, other):
        for name in ("frames", "frames_right", "values", "values_right",
                     "both_optimized", "ours_only", "excused",
                     "confirmed"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.differences += other.differences

    def excuse(self, is_proved):
        """Takes out the differences in which GDB is proved wrong."""
        rest = [d for d in self.differences if not is_proved(d)]
        proved = len(self.differences) - len(rest)
        self.excused += proved
        self.values_right += proved
        self.differences = rest


def strip_parameters(name):
    """'ns::f<int (*)(char)>(int) const' -> 'ns::f<int (*)(char)>'."""
    if not name:
        return ""
    depth = 0
    i = 0
    while i < len(name):
        c = name[i]
        if name.startswith("(anonymous namespace)", i):
            i += len("(anonymous namespace)")
            continue
        if name.startswith("operator()", i):
            i += len("operator()")
            continue
        if name.startswith("{lambda(", i):
            end = name.find("}", i)
            i = end + 1 if end > 0 else len(name)
            continue
        if c == "<" and not name[:i].endswith("operator"):
            depth += 1
        elif c == ">" and not name[:i].endswith(("operator", "-")):
            depth -= 1
        elif c == "(" and depth == 0:
            return name[:i]
        i += 1
    return name


def same_name(a, b):
    a, b = strip_parameters(a), strip_parameters(b)
    a = re.sub(r"\[abi:\w+\]|\s+", "", a)
    b = re.sub(r"\[abi:\w+\]|\s+", "", b)
    return a == b


def same_function(mine, theirs):
    # The hash at the end of Rust's names is the linker's business.
    name = re.sub(r"::h[0-9a-f]{16}$", "", theirs["name"] or "")
    if same_name(mine.get("symbol"), name):
        return True
    # Rust: the demangled "<impl A for B>::f" is DWARF's "{impl#2}::f<T>".
    # The linker's name tells; the last part must be equal in both.
    linkage = theirs.get("linkage")
    if theirs.get("bare"):
        # The symbol of a clone, which has no name of its own in DWARF.
        if re.sub(r"(\.(constprop|isra|part|cold|llvm)(\.\d+)?)+$", "",
                  mine.get("linkage_name") or "") in (
                      linkage, last_part(theirs["name"])):
            return True
    if not linkage or mine.get("linkage_name") != linkage:
        return False
    if mine.get("symbol") == linkage and theirs["line"] == 0:
        return True  # GDB's Ada, see gdb_dump.py
    return last_part(mine.get("symbol")) == last_part(theirs["name"])


def last_part(name):
    """'a::{closure#0}<u8>' and 'a::{{closure}}' -> '{closure}'."""
    name = name or ""
    if name.endswith(">") and not name.startswith("<"):
        depth = 0
        for i in range(len(name) - 1, -1, -1):
            depth += (name[i] == ">") - (name[i] == "<")
            if depth == 0:
                name = name[:i]
                break
    name = re.sub(r"#\d+|{{vtable\.shim}}", "", name)
    return name.replace("{{", "{").replace("}}", "}").rpartition("::")[2]


def same_path(ours, gdb_frame):
    if not ours:
        return gdb_frame["path"] is None
    ours = os.path.normpath(ours)
    for theirs in (gdb_frame["path"], gdb_frame["file"]):
        if theirs and os.path.normpath(theirs) == ours:
            return True
    return False


def number(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def same_float(ours, theirs):
    a, b = number(str(ours)), number(theirs.replace("nan(0x8000000000000)",
                                                    "nan"))
    if b is None and "nan" in theirs:
        b = math.nan
    if a is None or b is None:
        return False
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b or (a != 0 and abs(a - b) <= abs(a) * 1e-15)


def to_int(value):
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        return int(value, 0)
    return None


def our_bytes(v):
    if "bytes" in v:
        return bytes.fromhex(v["bytes"])
    if "string" in v:
        return v["string"].encode("utf-8")
    if v.get("elements") is not None:
        return [to_int(e["value"]) & 255 if "value" in e else None
                for e in v["elements"]]
    return None


def same_bytes(v, g):
    """Byte by byte; GDB's list has None where a byte is optimized out."""
    mine, theirs = our_bytes(v), g["v"]
    if mine is None:
        return False
    if any(a != b for a, b in zip(mine, theirs) if b is not None):
        return False
    if v["kind"] == "array":
        return len(mine) >= min(64, len(theirs))
    # A string ends at its first null byte.
    return bool(v.get("truncated")) or \
        not any(b for b in theirs[len(mine):])


def leaves(g):
    """(scalars that GDB shows, scalars that it says are gone)."""
    if g["k"] == "struct":
        parts = [m[2] for m in g["v"]]
        if g.get("variant") and g["v"][0][2]["k"] == "optimized":
            return 0, 1  # nobody knows which variant it is
    elif g["k"] == "array":
        parts = g["v"]
    elif g["k"] == "ref":
        parts = [g["v"]]
    elif g["k"] == "bytes":
        gone = sum(b is None for b in g["v"])
        return len(g["v"]) - gone, gone
    elif g["k"] == "deep":
        return 0, 0
    else:
        gone = g["k"] in ("optimized", "unreadable", "error")
        return int(not gone), int(gone)
    shown = gone = 0
    for part in parts:
        s, o = leaves(part)
        shown, gone = shown + s, gone + o
    return shown, gone


def is_gone(g):
    """Nothing of the value can be had. Not so for a struct without members,
    as Rust has many: there is nothing to be had."""
    shown, gone = leaves(g)
    return shown == 0 and gone > 0


def active(name, variants, discriminant):
    """GDB tells which variant is the active one for objects in memory only,
    and shows all for others. Variants count from 0; any larger discriminant
    is the niche in the one that holds something."""
    if isinstance(discriminant, int) and 0 <= discriminant < len(variants):
        return [variants[discriminant]]
    return [m for m in variants if m[0] == name and m[2]["v"]]


def same_struct(v, g, depth):
    target = g.get("target")
    if target is not None and v["kind"] in ("string", "array"):
        # A slice or string of Rust's, shown as what it is.
        return same_value(v, target, depth)
    if v["kind"] not in ("struct", "union"):
        return False
    ours, theirs = v.get("members") or [], g["v"]
    if g.get("variant"):
        discriminant = g["v"][0][2].get("v")
        ours = [m for m in ours if m["name"]]
        theirs = [m for m in theirs if m[0]]
        if len(ours) == 1 and len(theirs) > 1:
            theirs = active(ours[0]["name"], theirs, discriminant)
    if not ours and theirs and v.get("truncated"):
        return depth >= 5
    if len(ours) != len(theirs):
        return False
    for mine, (name, is_base, value) in zip(ours, theirs):
        if not is_base and mine["name"] != name:
            return False
        if is_base and not same_name(mine["name"], name) and \
                not same_name(mine.get("type", ""), name):
            return False
        if not same_value(mine, value, depth + 1):
            return False
    return True


def same_value(v, g, depth=0):
    """True when our VARIABLE v says what GDB's canonical value g says."""
    kind = g["k"]
    if v.get("kind") == "unavailable":
        # Below our depth limit both stop; GDB's own errors are no values.
        if v.get("reason") == "limit" and depth >= 5:
            return True
        return is_gone(g) or kind == "deep"
    if kind in ("optimized", "unreadable", "error"):
        return False
    if kind == "deep":
        return True
    if kind == "ref":
        if v["kind"] == "pointer" and "value" in v and \
                g["v"]["k"] != "pointer" and g["a"] is not None:
            return to_int(v["value"]) == g["a"]
        return same_value(v, g["v"], depth)
    if kind == "struct":
        return same_struct(v, g, depth)
    if kind == "bytes":
        return same_bytes(v, g)
    if kind == "array":
        ours = v.get("elements") or []
        if v["kind"] != "array":
            return False
        if len(ours) < len(g["v"]) and not v.get("truncated"):
            return False
        return all(same_value(a, b, depth + 1)
                   for a, b in zip(ours, g["v"]))
    if kind == "float":
        return v["kind"] == "float" and same_float(v.get("value"), g["v"])
    if kind == "complex":
        if v["kind"] != "complex":
            return False
        parts = v.get("value")
        theirs = re.findall(r"-?(?:nan|inf|[\d.]+(?:e[+-]?\d+)?)",
                            g["v"].replace("- ", "-").replace("+ ", ""))
        return len(theirs) >= 2 and same_float(parts[0], theirs[0]) and \
            same_float(parts[1], theirs[1])
    if kind in ("int", "bool", "pointer"):
        mine = v.get("value")
        if mine is None:
            return False
        return to_int(mine) == g["v"]
    # GDB knows what a synthetic pointer points to, not where it is.
    return kind in ("opaque", "synthetic")


def without_unknown(v, g):
    """GDB's value g without the parts that we say are unavailable."""
    if v["kind"] == "unavailable":
        return {"k": "optimized"}
    if g["k"] == "struct":
        mine = v.get("members") or []
        if g.get("variant"):
            # GDB lists all variants, we the active one.
            known = {m["name"]: m for m in mine}
            return dict(g, v=[[n, b, without_unknown(known[n], part)
                               if n in known else part]
                              for n, b, part in g["v"]])
        if len(mine) != len(g["v"]):
            return g
        return dict(g, v=[[n, b, without_unknown(m, part)]
                          for m, (n, b, part) in zip(mine, g["v"])])
    if g["k"] == "array":
        mine = v.get("elements") or []
        return dict(g, v=[without_unknown(m, part)
                          for m, part in zip(mine, g["v"])])
    return g


def all_values(reference, values=None):
    """{(function, variable): values} of what GDB shows as scalars: to be
    compared with another build of the same program."""
    values = {} if values is None else values
    for thread in reference["threads"]:
        for f in thread["frames"]:
            for v in f["variables"]:
                if v["value"]["k"] in ("int", "bool", "float"):
                    values.setdefault((f["name"], v["name"]), set()).add(
                        number(str(v["value"]["v"])))
    return values


def unboxed(text):
    """'alloc::boxed::Box<T>' -> '*T', at any depth."""
    box = "alloc::boxed::Box<"
    start = text.find(box)
    while start >= 0:
        depth, end = 1, start + len(box)
        while depth and end < len(text):
            depth += (text[end] == "<") - (text[end] == ">")
            end += 1
        text = text[:start] + "*" + text[start + len(box):end - 1] + \
            text[end:]
        start = text.find(box)
    return text


def squeeze_type(text, language):
    text = text or ""
    if language == "C++":
        # str(gdb.Type) writes "class C &" where GDB's own whatis writes
        # "C &".
        text = re.sub(r"\b(class|struct|union|enum)\s+(?!{)", "", text)
    if language == "Rust":
        # GDB has one spelling, *mut, for all kinds of pointer.
        text = re.sub(r"&mut |\*const |\*mut |&", "*", text)
        # To the debug information a Box is a pointer.
        text = re.sub(r",\s*alloc::alloc::Global>", ">", text)
        text = unboxed(text)
        text = re.sub(r"\*fn\b", "fn", text)
    return re.sub(r"\s+", "", text)


def same_type(ours, theirs, language):
    return squeeze_type(ours, language) == squeeze_type(theirs, language)


def has_value(v):
    """True when the variable, or a part of it, is said to be known."""
    if v["kind"] in ("struct", "union", "array"):
        return any(has_value(p)
                   for p in v.get("members") or v.get("elements") or [])
    return v["kind"] != "unavailable"


def compare_variables(f, g, where, tally, around):
    """All variables of a frame: f ours, g GDB's; around is what GDB has
    around it, for proof.py."""
    def differ(what, theirs, mine):
        tally.differences.append({
            "what": what, "where": where, "name": (theirs or mine)["name"],
            "function": strip_parameters(g["name"]), "gdb": theirs,
            "ours": mine, "frame": brief(g), **around})

    seen = {}
    by_name = {}
    for v in f.get("variables") or []:
        key = (v["name"], bool(v.get("parameter")))
        by_name.setdefault(key, []).append(v)
    for theirs in g["variables"]:
        key = (theirs["name"], theirs["parameter"])
        nth = seen.get(key, 0)
        seen[key] = nth + 1
        mine = by_name.get(key, [])
        v = mine[nth] if nth < len(mine) else None
        if theirs["constant"] and v is None:
            continue  # `info locals` does not show it either
        if theirs["value"]["k"] == "error":
            continue  # GDB cannot read it: no oracle
        gone = is_gone(theirs["value"])
        if gone and (v is None or not has_value(v)):
            tally.both_optimized += 1
        elif gone:
            # GDB has nothing to compare with: the caller looks elsewhere.
            tally.ours_only += 1
            differ("ours only", theirs, v)
        else:
            tally.values += 1
            what = variable_difference(v, theirs, language_of(g))
            if what is None:
                tally.values_right += 1
            else:
                differ(what, theirs, v)
    for key, mine in by_name.items():
        for v in mine[seen.get(key, 0):]:
            # GDB lists nothing of that name: a variable too many.
            tally.values += 1
            differ("extra", None, v)


def variable_difference(v, theirs, language):
    if v is None:
        return "missing"
    if not same_value(v, theirs["value"]):
        return "value"
    if not same_type(v.get("type"), theirs["type"], language):
        return "type"
    return None


def frame_kind(f):
    if f.get("signal_frame"):
        return "signal"
    if f.get("inline"):
        return "inline"
    if f.get("trust") == "tailcall":
        return "tailcall"
    return "normal"


def frame_key(kind, pc, name):
    return (kind, pc if kind != "inline" else 0, strip_parameters(name))


def gdb_kind(f):
    return f["kind"] if f["kind"] != "arch" else "normal"


def same_frame(mine, theirs):
    problems = []
    kind = gdb_kind(theirs)
    if frame_kind(mine) != kind:
        problems.append("kind")
    if to_int(mine["ip"]) != theirs["pc"]:
        problems.append("pc")
    if kind == "signal":
        return problems
    if not same_function(mine, theirs):
        problems.append("name")
    if theirs["line"] and mine.get("line", 0) != theirs["line"]:
        problems.append("line")
    if theirs["line"] and not same_path(mine.get("path"), theirs):
        problems.append("path")
    return problems


def align(ours, theirs):
    """Pairs (ours or None, theirs or None) in order: frames that only one
    side has do not shift the rest."""
    a = [frame_key(frame_kind(f), to_int(f["ip"]), f.get("symbol"))
         for f in ours]
    b = [frame_key(gdb_kind(f), f["pc"], f["name"]) for f in theirs]
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        for k in range(max(i2 - i1, j2 - j1)):
            yield (ours[i1 + k] if i1 + k < i2 else None,
                   theirs[j1 + k] if j1 + k < j2 else None)


def language_of(g):
    """Of a frame: a program may be written in several."""
    return {"rust": "Rust", "c++": "C++"}.get(g.get("language"), "C")


def surroundings(frames):
    """Of each of GDB's frames, by its identity: the frame that it called, and
    the function into which it is inlined. A frame and those inlined into it
    are one frame of the machine; the innermost called none."""
    out, callee, inlined = {}, None, []
    for g in frames:
        out[id(g)] = {"callee": brief(callee), "outer": g}
        inlined.append(g)
        if g["kind"] != "inline":
            for one in inlined:
                out[id(one)]["outer"] = g
            callee, inlined = g, []
    return out


def compare_thread(mine, theirs, where, tally):
    around = surroundings(theirs["frames"])
    for f, g in align(mine["frames"], theirs["frames"]):
        name = g["name"] if g else f.get("symbol")
        place = f"{where} frame {f['index'] if f else '-'} {name}"
        tally.frames += 1
        if f is None or g is None:
            tally.differences.append({
                "what": "frame missing" if f is None else "frame extra",
                "where": place, "gdb": brief(g), "ours": brief(f)})
            continue
        problems = same_frame(f, g)
        if problems:
            tally.differences.append({
                "what": "frame " + ",".join(problems), "where": place,
                "gdb": brief(g), "ours": brief(f)})
        else:
            tally.frames_right += 1
        compare_variables(f, g, place, tally, around[id(g)])


def brief(f):
    return f and {k: v for k, v in f.items() if k != "variables"}


def bare(reference, objects):
    """GDB's frames as they are without the debug information of `objects`:
    symbols only, no lines, no variables, nothing inlined."""
    for thread in reference["threads"]:
        kept = []
        for f in thread["frames"]:
            if f["object"] in objects:
                if f["kind"] in ("inline", "tailcall"):
                    continue
                f.update(line=0, path=None, file=None, variables=[],
                         bare=True)
            kept.append(f)
        thread["frames"] = kept


def compare(document, reference, where):
    """The tally of one core."""
    tally = Tally()
    ours = {}
    for thread in document["threads"]:
        ours.setdefault(thread["tid"], thread)
    for theirs in reference["threads"]:
        mine = ours.get(theirs["tid"], {"frames": []})
        compare_thread(mine, theirs, f"{where} thread {theirs['tid']}", tally)
    return tally
