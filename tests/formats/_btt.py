# SPDX-License-Identifier: MIT
"""
An independent reader of snapshot files, written from docs/snapshot-format.md
with msgpack and zstandard (or the zstd program) alone. It decodes every
section and rebuilds the JSON document.
"""
import datetime
import json
import math
import subprocess
import uuid

import msgpack

KINDS = ("int uint float bool char string enum pointer struct union array "
         "function complex unavailable").split()
LEVELS = ["comment", "warning", "critical", "json"]
M64 = (1 << 64) - 1
# Bits of a shape's flags.
(PARAMETER, ADDRESS, VALUE, TRUNCATED, LENGTH, STRING, HEAP, BASE,
 ENTRY, SUMMARY) = (1 << i for i in range(10))
REF, NUMBER, REASON, ALLOCATED = 0x1000, 0x2000, 0x4000, 0x8000


def crc_table():
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
        yield n


CRC_TABLE = list(crc_table())


def crc32c(data):
    crc, table = 0xFFFFFFFF, CRC_TABLE
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def unzstd(data, size):
    try:
        import zstandard
    except ImportError:
        return subprocess.run(["zstd", "-dc"], input=data, check=True,
                              stdout=subprocess.PIPE).stdout
    return zstandard.ZstdDecompressor().decompress(data, max_output_size=size)


def load(data):
    """Header, and the sections as (name, payload)."""
    unpacker = msgpack.Unpacker(raw=False, strict_map_key=False,
                                max_buffer_size=1 << 30)
    unpacker.feed(data)
    header = unpacker.unpack()
    assert header["format"] == "btt" and header["version"] == 1
    sections, offsets = [], []
    while True:
        offset = unpacker.tell()
        value = unpacker.unpack()
        if "directory" in value:
            break
        stored = value["data"]
        assert crc32c(stored) == value["crc32c"], value["section"]
        if value["codec"] == "zstd":
            stored = unzstd(stored, value["size"])
        assert len(stored) == value["size"]
        sections.append((value["section"], msgpack.unpackb(
            stored, raw=False, strict_map_key=False)))
        offsets.append([value["section"], offset, unpacker.tell() - offset])
    assert value["directory"] == offsets, (value, offsets)
    trailer = unpacker.unpack()
    assert len(trailer) == 12 and trailer[8:] == b"btt1"
    assert int.from_bytes(trailer[:8], "big") == offset
    assert data[-14:-12] == b"\xc4\x0c" and unpacker.tell() == len(data)
    return header, sections


# ---- text and numbers ----

def text(value):
    """What a str or bin says; a byte that is not UTF-8 as \\xNN."""
    if not isinstance(value, bytes):
        return value
    out = ""
    while value:
        try:
            return out + value.decode()
        except UnicodeDecodeError as e:
            out += value[:e.start].decode() + "\\x%02x" % value[e.start]
            value = value[e.start + 1:]
    return out


def number(value):
    return value if abs(value) < 1 << 53 else str(value)


def floating(value):
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value


def signed(value):
    value &= M64
    return value - (1 << 64) if value >> 63 else value


def known(value):
    return value if value != "" else None


def raw_json(value):
    try:
        return json.loads(value)
    except ValueError:
        return value


class Strings:
    def __init__(self, section):
        self.items = section.get("strings", [])

    def __call__(self, i):
        return text(self.items[i - 1]) if i else ""

    def bytes(self, i):
        value = self.items[i - 1] if i else b""
        return value if isinstance(value, bytes) else value.encode()


def column(table, name, count=None):
    """The column; zeros when it is absent."""
    count = table.get("count", 0) if count is None else count
    values = table.get(name)
    if values is None:
        return [0] * count
    assert len(values) == count, name
    return values


def sequences(table, *names):
    """Rows of tuples."""
    sizes = column(table, "size")
    columns = [column(table, name, sum(sizes)) for name in names]
    rows, at = [], 0
    for size in sizes:
        rows.append(list(zip(*(c[at:at + size] for c in columns))))
        at += size
    return rows


# ---- values ----

class Values:
    def __init__(self, section):
        self.strings = Strings(section)
        shapes = section.get("shapes", {})
        self.shapes = list(zip(*(column(shapes, name) for name in
                                 ("name", "type", "kind", "flags", "list"))))
        self.lists, last = [[]], 0
        for row in sequences(section.get("lists", {}), "shape"):
            ids = []
            for (delta,) in row:
                last += delta
                ids.append(last)
            self.lists.append(ids)
        self.columns = {k: iter(v) for k, v in section["values"].items()}
        self.last = {"address": 0, "pointer": 0, "string": 0, "ref": 0}

    def next(self, name):
        # An absent column is all zeros.
        return next(self.columns[name]) if name in self.columns else 0

    def deltas(self, name, n, remembered):
        last = self.last[name] if remembered else 0
        out = []
        for i in range(n):
            last = last + self.next(name) & M64
            out.append(last)
            if i == 0 and remembered:
                self.last[name] = last
        return out

    def pointers(self, n):
        last, out = self.last["pointer"], []
        for i in range(n):
            delta = self.next("integer")
            if delta is not None:
                last = last + delta & M64
            out.append(0 if delta is None else last)
            if i == 0:
                self.last["pointer"] = last
        return out

    def node(self, shape, n):
        """The n variables of one node, as JSON without their members."""
        name, type_, kind, flags, _ = self.shapes[shape]
        kind = KINDS[kind] if kind < len(KINDS) else "unavailable"
        out = [{"name": self.strings(name), "type": self.strings(type_),
                "kind": kind, "parameter": bool(flags & PARAMETER)}
               for _ in range(n)]

        def put(key, values):
            for variable, value in zip(out, values):
                variable[key] = value

        if flags & ADDRESS:
            put("address", map(hex, self.deltas("address", n, True)))
        if flags & VALUE:
            put("value", self.values(kind, n))
        if flags & NUMBER:
            texts = map(self.strings, self.deltas("number", n, False))
            put("value", [json.loads(t) if kind == "float" and
                          t[0] in "-0123456789" else t for t in texts])
        if flags & STRING:
            for v, i in zip(out, self.deltas("string", n, True)):
                data = self.strings.bytes(i)
                v["summary" if flags & SUMMARY else "string"] = text(data)
                try:
                    data.decode()
                except UnicodeDecodeError:
                    v["bytes"] = data.hex()
        if flags & REASON:
            put("reason", map(self.strings, self.deltas("reason", n, False)))
        elif kind == "unavailable":
            put("reason", ["unknown"] * n)
        for v in out:
            if flags & TRUNCATED:
                v["truncated"] = True
            if flags & BASE:
                v["base"] = True
            if flags & ENTRY:
                v["entry"] = True
        if flags & LENGTH:
            put("length", map(number, self.deltas("length", n, False)))
        if flags & REF:
            put("ref", map(str, self.deltas("ref", n, True)))
        if flags & HEAP:
            state = "allocated" if flags & ALLOCATED else "freed"
            put("heap", [{"state": state, "size": number(size),
                          "offset": number(offset)} for size, offset in
                         zip(self.deltas("heap_size", n, False),
                             self.deltas("heap_offset", n, False))])
        if kind in ("struct", "union", "array"):
            for v in out:
                v["elements" if kind == "array" else "members"] = []
        return out

    def values(self, kind, n):
        if kind in ("pointer", "function"):
            return [hex(v) for v in self.pointers(n)]
        if kind == "float":
            return [floating(self.next("float")) for _ in range(n)]
        if kind == "complex":
            return [[floating(self.next("float")) for _ in range(2)]
                    for _ in range(n)]
        last, out = 0, []
        for _ in range(n):
            last = last + self.next("integer") & M64
            if kind == "bool":
                out.append(last != 0)
            elif kind in ("int", "char", "enum"):
                out.append(number(signed(last)))
            else:
                out.append(number(last))
        return out

    def group(self, number_, n):
        """n lists of variables."""
        out = [[] for _ in range(n)]
        for shape in self.lists[number_]:
            nodes = self.node(shape, n)
            members = self.shapes[shape][4]
            if members and self.lists[members]:
                key = "elements" if nodes[0]["kind"] == "array" else "members"
                for v, m in zip(nodes, self.group(members, n)):
                    v[key] = m
            for variables, v in zip(out, nodes):
                variables.append(v)
        return out

    def roots(self, numbers):
        out = [[] for _ in numbers]
        for number_ in range(1, len(self.lists)):
            group = [i for i, v in enumerate(numbers) if v == number_]
            if group:
                for i, variables in zip(group, self.group(number_,
                                                          len(group))):
                    out[i] = variables
        for rest in self.columns.values():
            assert next(rest, "end") == "end"
        return out


def preorder(variables):
    for v in variables:
        yield v
        yield from preorder(v.get("members", v.get("elements", [])))


def paths(variables, prefix="", elements=False):
    """(variable, path) in preorder."""
    for i, v in enumerate(variables):
        if elements:
            path = "%s[%d]" % (prefix, i)
        elif v["name"]:
            path = prefix + ("." if prefix else "") + v["name"]
        else:
            path = prefix
        yield v, path
        yield from paths(v.get("members", v.get("elements", [])), path,
                         v["kind"] == "array")


# ---- sections ----

def attribute(value):
    if isinstance(value, list):
        return hex(value[0])
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return number(value)
    if isinstance(value, float):
        return floating(value)
    return text(value)


class Document:
    def __init__(self, data):
        self.header, sections = load(data)
        created = datetime.datetime.fromtimestamp(
            self.header["created"][0], datetime.timezone.utc)
        stamp = created.strftime("%Y-%m-%dT%H:%M:%S")
        if self.header["created"][1]:
            stamp += ".%09d" % self.header["created"][1]
        self.doc = {
            "version": 1, "generator": text(self.header["generator"]),
            "uuid": str(uuid.UUID(bytes=self.header["uuid"])),
            "created": stamp + "Z", "partial": False, "attributes": {},
            "classifiers": [], "fingerprint": "", "callstack": [],
            "signal": {}, "fault": {}, "findings": [], "threads": [],
            "globals": [], "objects": {}, "modules": [], "mappings": [],
            "heap": [], "locks": [], "memory": [], "annotations": [],
            "warnings": [], "resources": [], "environment": [],
            "limits": [], "descriptors": []}
        self.lost = 0
        self.names = [name for name, _ in sections]
        for name, section in sections:
            getattr(self, "get_" + name)(section)
        self.place_annotations()
        if self.lost:
            self.doc["warnings"].append({
                "stage": "snapshot", "code": "lost",
                "text": "%d further entries found no room" % self.lost})

    def common(self, s):
        doc = self.doc
        for key, value in s.get("attributes", {}).items():
            doc["attributes"][text(key)] = attribute(value)
        doc["classifiers"] += map(text, s.get("classifiers", []))
        if "fault" in s:
            f = s["fault"]
            doc["fault"] = {
                "tid": f.get("tid"), "frame": f.get("frame"),
                "direction": text(f.get("direction")),
                "address": hex(f["address"]) if "address" in f else None,
                "instruction": text(f.get("instruction")),
                "operand": text(f.get("operand"))}
        if "fingerprint" in s:
            doc["fingerprint"] = (s["fingerprint"] or b"").hex()
        if "callstack" in s:
            doc["callstack"] = [text(t) for t in s["callstack"]]

    def get_process(self, s):
        self.doc["partial"] |= s.get("partial", False)
        if "signal" in s:
            g = s["signal"]
            self.doc["signal"] = {
                "number": g["number"], "name": text(g.get("name")),
                "code": g.get("code"), "code_name": text(g.get("code_name")),
                "address": hex(g["address"]) if "address" in g else None,
                "sender_pid": g.get("sender_pid"),
                "sender_uid": g.get("sender_uid")}
        for name, value, *length in s.get("environment", []):
            self.doc["environment"].append(dict(
                {"name": text(name), "value": text(value)},
                **({"length": number(length[0]), "truncated": True}
                   if length else {})))
        for name, unit, soft, hard in s.get("limits", []):
            self.doc["limits"].append({
                "name": text(name), "unit": known(text(unit)),
                "soft": soft, "hard": hard})
        for fd, path in s.get("descriptors", []):
            self.doc["descriptors"].append(
                {"number": fd, "path": text(path)})
        self.common(s)

    def get_threads(self, s):
        strings = Strings(s)
        table = s["locations"]
        locations = list(zip(*(column(table, name) for name in (
            "symbol", "linkage_name", "object", "object_path", "offset",
            "path", "line", "inline"))))
        stacks = sequences(s["stacks"], "location", "ip", "trust", "flags")
        layouts = sequences(s["layouts"], "sp")
        sets = sequences(s["register_sets"], "name")
        kernels = sequences(s["kernel_stacks"], "frame")
        threads = s["threads"]
        tid = sp = following = 0
        owners, positions = {}, []
        for (dposition, dtid, name, state, fault, stop, skipped, at, stack, layout, dsp,
             registers, kernel) in zip(*(column(threads, c) for c in (
                 "position", "tid", "name", "state", "fault", "stop_reason",
                 "frames_skipped", "frames_skipped_at", "stack", "layout",
                 "sp", "registers", "kernel"))):
            tid, sp = tid + dtid, sp + dsp & M64
            positions.append(following + dposition)
            following = positions[-1] + 1
            thread = {
                "tid": tid, "name": known(strings(name)), "state": chr(state or 63),
                "fault": bool(fault), "stop_reason": known(strings(stop)),
                "registers": {}, "frames": [], "annotations": [],
                "kernel_frames": [strings(k) for (k,) in kernels[kernel]]}
            if skipped:
                thread["frames_skipped"] = skipped
                thread["frames_skipped_at"] = at
            owners.setdefault(registers, []).append(thread)
            ip, here, steps = 0, sp, iter(layouts[layout])
            for index, (location, dip, trust, flags) in enumerate(
                    stacks[stack]):
                ip = ip + dip & M64
                if flags & 2:
                    here = here + next(steps)[0] & M64
                thread["frames"].append(self.frame(
                    strings, locations, index, location, ip,
                    here if flags & 2 else None, trust, flags))
            self.doc["threads"].append(thread)
        self.registers(s, strings, sets, owners)
        # Threads were appended in file order.
        self.file_order = self.doc["threads"]
        assert sorted(positions) == list(range(len(positions)))
        self.doc["threads"] = [t for _, t in sorted(
            zip(positions, self.file_order), key=lambda pair: pair[0])]

    @staticmethod
    def frame(strings, locations, index, location, ip, sp, trust, flags):
        symbol = linkage = object_ = object_path = path = line = inline = 0
        offset = None
        if location:
            (symbol, linkage, object_, object_path, offset, path, line,
             inline) = locations[location - 1]
        return {"index": index, "ip": hex(ip),
                "sp": hex(sp) if sp is not None else None,
                "symbol": known(strings(symbol)),
                "linkage_name": known(strings(linkage or symbol)),
                "object": known(strings(object_)),
                "object_path": known(strings(object_path)),
                "offset": None if offset is None else number(offset),
                "path": known(strings(path)), "line": line or None,
                "inline": bool(inline), "trust": known(strings(trust)),
                "signal_frame": bool(flags & 1), "variables": [],
                "annotations": []}

    @staticmethod
    def registers(s, strings, sets, owners):
        values = s.get("register_values")
        values = iter(values) if values is not None else None
        for i, row in enumerate(sets):
            for (name,) in row:
                last = 0
                for thread in owners.get(i, []):
                    last = last + (next(values) if values else 0) & M64
                    thread["registers"][strings(name)] = hex(last)

    def get_modules(self, s):
        strings = Strings(s)
        end = 0
        for path, build, start, size, debug, debug_path in zip(*(
                column(s.get("modules", {}), c) for c in (
                    "path", "build_id", "start", "size", "debug",
                    "debug_path"))):
            start, end = end + start & M64, end + start + size & M64
            module = {"path": strings(path),
                      "build_id": build.hex() if isinstance(build, bytes)
                      else build, "start": hex(start), "end": hex(end),
                      "debug": strings(debug) or None}
            if debug_path:
                module["debug_path"] = strings(debug_path)
            self.doc["modules"].append(module)
        table = s.get("mappings", {})
        unit = table.get("unit", 1)
        end = following = 0
        last = None
        for start, size, offset, perms, path in zip(*(column(table, c) for c in
                ("start", "size", "offset", "perms", "path"))):
            start = end + start * unit & M64
            end = start + size * unit & M64
            offset = offset * unit & M64
            if path and path == last:
                offset = offset + following & M64
            following, last = offset + end - start, path
            if isinstance(perms, int):
                perms = "".join((
                    "r" if perms & 1 else "-", "w" if perms & 2 else "-",
                    "x" if perms & 4 else "-", "s" if perms & 8 else "p"))
            self.doc["mappings"].append({
                "start": hex(start), "end": hex(end),
                "offset": number(offset), "perms": text(perms),
                "path": known(strings(path))})

    def get_variables(self, s):
        threads = self.file_order
        assert s["thread_count"] == len(threads)
        stacks = sequences(s["stacks"], "list")
        rows = [stacks[i] for i in column(s, "threads", len(threads))]
        roots = Values(s).roots([n for row in rows for (n,) in row])
        frames = [f for t in threads for f in t["frames"]]
        assert len(frames) == len(roots)
        for frame, variables in zip(frames, roots):
            frame["variables"] = variables

    def get_objects(self, s):
        roots = Values(s).roots(s["roots"])
        self.doc["globals"] = roots[0]
        for i, root in enumerate(roots[1:], 1):
            (self.doc["objects"][str(i)],) = root

    def get_analysis(self, s):
        self.common(s)
        for f in s.get("findings", []):
            self.doc["findings"].append({
                "class": text(f["class"]), "confidence": f["confidence"],
                "primary": f.get("primary", False),
                "module": text(f.get("module")), "tid": f.get("tid"),
                "frame": f.get("frame"),
                "address": hex(f["address"]) if "address" in f else None,
                "text": text(f.get("text", "")),
                "evidence": [text(t) for t in f.get("evidence", [])]})
        self.doc["heap"] += [raw_json(text(t)) for t in s.get("heap", [])]
        self.doc["locks"] += [raw_json(text(t)) for t in s.get("locks", [])]
        self.placed = s.get("annotations", [])

    placed = ()

    def place_annotations(self):
        """Hangs each annotation on its owner and lists it with its place.
        The list's order is that of the owners."""
        threads, objects = self.doc["threads"], self.doc["objects"]
        for level, module, said, owner, *at in self.placed:
            said = text(said)
            note = {"level": LEVELS[level], "module": text(module)}
            value = raw_json(said) if LEVELS[level] == "json" else said
            if LEVELS[level] == "json" and value != said:
                note["json"] = value
            else:
                note["text"] = said
            place = {}
            if owner in (1, 2, 3):
                place["tid"] = threads[at[0]]["tid"]
            if owner in (2, 3):
                place["frame"] = at[1]
            if owner == 5:
                place["object"] = str(at[0])
            target = path = None
            if owner == 1:
                target = threads[at[0]]
            elif owner == 2:
                target = threads[at[0]]["frames"][at[1]]
            elif owner in (3, 4, 5):
                variables = (
                    threads[at[0]]["frames"][at[1]]["variables"]
                    if owner == 3 else self.doc["globals"]
                    if owner == 4 else [objects[str(at[0])]])
                target, path = list(paths(variables))[at[-1]]
            if path:
                place["variable"] = path
            if target is not None:
                target.setdefault("annotations", []).append(note)
            self.doc["annotations"].append({**note, **place})

    def get_memory(self, s):
        end = 0
        for address, why, data in zip(column(s, "address"), s["why"],
                                      s["data"]):
            start = end + address & M64
            end = start + len(data)
            self.doc["memory"].append({"address": hex(start),
                                       "size": len(data), "why": text(why)})

    def get_resources(self, s):
        for name, data, truncated in zip(s["name"], s["data"],
                                         column(s, "truncated")):
            resource = {"name": text(name), "size": len(data)}
            if truncated:
                resource["truncated"] = True
            self.doc["resources"].append(resource)

    def get_warnings(self, s):
        self.doc["partial"] |= s.get("partial", False)
        self.lost += s.get("lost", 0)
        for stage, code, said, *_ in s.get("warnings", []):
            self.doc["warnings"].append({"stage": text(stage),
                                         "code": text(code),
                                         "text": text(said)})


def document(data):
    return Document(data).doc


def difference(a, b, path="$"):
    """The first difference between two documents, or None."""
    if isinstance(a, float) or isinstance(b, float):
        same = type(a) is not bool and type(b) is not bool and a == b
        return None if same else "%s: %r != %r" % (path, a, b)
    if type(a) is not type(b):
        return "%s: %r != %r" % (path, a, b)
    if isinstance(a, dict):
        if set(a) != set(b):
            return "%s: keys %s" % (path, sorted(set(a) ^ set(b)))
        for key in a:
            found = difference(a[key], b[key], path + "." + key)
            if found:
                return found
        return None
    if isinstance(a, list):
        if len(a) != len(b):
            return "%s: %d != %d elements" % (path, len(a), len(b))
        for i, (x, y) in enumerate(zip(a, b)):
            found = difference(x, y, "%s[%d]" % (path, i))
            if found:
                return found
        return None
    return None if a == b else "%s: %r != %r" % (path, a, b)
