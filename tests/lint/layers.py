#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The arrows between the rooms. Reads the #include lines of the product and
fails on one that CMakeLists.txt (DEPENDS) or the order of the design does not
allow, and on a register name of the processor outside core/target/arch/.
"""
import os
import re
import sys

import _source

# From the bottom to the top: a room never sees one that comes later.
ORDER = ["base", "expr", "image", "target", "unwind", "dwarf", "snapshot",
         "value", "module", "lua", "formats", "session", "modules",
         "allocators"]
# Stricter than the order.
ONLY = {"base": set(), "expr": {"base"}, "image": {"base"},
        "snapshot": {"base"}, "formats": {"snapshot", "base"},
        "modules": set(), "allocators": set()}
# The public headers that rooms implement or speak.
PUBLIC = {"modules": {"bt.h", "ptrace"}, "allocators": {"bt.h", "ptrace"},
          "module": {"bt.h", "ptrace"}, "lua": {"bt.h", "ptrace"},
          "session": {"bt.h", "ptrace"}, "formats": {"bt.h", "ptrace"},
          "tools": {"bt.h", "ptrace"}}
ARCH = "core/target/arch/"
# Programs that run all the time, as root, or next to a process that dies: they
# start ptrace as a child, and see nothing that reads a core or a binary.
SERVICES = ("tools/service/", "tools/spool/", "tools/invoker/",
            "tools/coresnap/", "tools/coresnapd/", "tools/coresnap-send/")
SERVICE_ROOMS = ("base", "tools")
SERVICE_HEADERS = ("bt.h", "tools/common/options.h", "formats/json.h")

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^">]+)[">]', re.M)
ROOM = re.compile(r"^inquest_room\((\w+)\s([^)]*)\)", re.M)
REGISTER = re.compile(
    r"(?<![a-z0-9])(?:orig_)?(?:r(?:[abcd]x|[sd]i|[sb]p|ip|flags)|"
    r"r(?:8|9|1[0-5])[dwb]?|e(?:[abcd]x|[sd]i|[sb]p|ip|flags)|"
    r"[xyz]mm\d+|[fg]s_base)(?![a-z0-9])", re.I)


def declared():
    """Room -> rooms it may see, from CMakeLists.txt."""
    rooms = {}
    for name, rest in ROOM.findall(_source.read("CMakeLists.txt")):
        words = rest.split()
        start = words.index("DEPENDS") + 1 if "DEPENDS" in words else len(words)
        end = words.index("LIBRARIES") if "LIBRARIES" in words else len(words)
        rooms[name] = set(words[start:max(start, end)])
    return rooms


def room_of(path):
    parts = path.split(os.sep)
    return parts[1] if parts[0] == "core" else parts[0]


def check_declarations(rooms, report):
    for room, sees in rooms.items():
        report.check(room in ORDER,
                     f"CMakeLists.txt: room {room} has no place in the order")
        for other in sees if room in ORDER else ():
            report.check(
                other in ORDER and ORDER.index(other) < ORDER.index(room),
                f"CMakeLists.txt: {room} may not see {other}")
            # Modules and allocators are linked with the core they speak to.
            if room in ONLY and (room, other) not in (
                    ("modules", "module"), ("allocators", "module")):
                report.check(other in ONLY[room],
                             f"CMakeLists.txt: {room} may not see {other}")


def check_service(path, name, report):
    """One #include of ours in a service."""
    target = room_of(name if os.path.exists(os.path.join(_source.ROOT, name))
                     else os.path.join("core", name))
    good = name in SERVICE_HEADERS or target in SERVICE_ROOMS and \
        not name.startswith("tools/common/")
    report.check(good, f"{path}: a service may not see {name}")


def check_include(path, room, name, rooms, report):
    """One #include whose header is ours. name is relative to an include
    directory: the root, core/ or include/."""
    first = name.split("/")[0]
    if first in ("bt.h", "ptrace"):
        allowed = PUBLIC.get(room, {"bt.h"})
        report.check(first in allowed, f"{path}: {room} may not see {name}")
        return
    target = room_of(name if os.path.exists(os.path.join(_source.ROOT, name))
                     else os.path.join("core", name))
    if room == "tools" or target == room:
        return
    allowed = ONLY.get(room, rooms.get(room, set()))
    report.check(target in allowed, f"{path}: {room} may not see {name}")


def ours(path, kind, name):
    """The header's name from an include directory, or None for a foreign
    one."""
    beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
    if kind == '"' and os.path.exists(os.path.join(_source.ROOT, beside)):
        return beside
    for folder in ("include", "core", "."):
        if os.path.exists(os.path.join(_source.ROOT, folder, name)):
            return name
    if path.startswith("tools" + os.sep) and \
            os.path.exists(os.path.join(_source.ROOT, "tools", name)):
        return "tools/" + name
    return None


def check_includes(rooms, report):
    for path in _source.files(_source.PRODUCT, ".c", ".h"):
        if path.startswith("include" + os.sep):
            continue
        text = _source.read(path)
        for kind, name in INCLUDE.findall(
                _source.code(text, keep_strings=True)):
            header = ours(path, kind, name)
            report.check(header is not None or kind == "<",
                         f"{path}: there is no {name}")
            if header is not None and path.startswith(SERVICES):
                check_service(path, header, report)
            if header is not None:
                check_include(path, room_of(path), header, rooms, report)


def check_registers(report):
    for path in _source.files(_source.PRODUCT, ".c", ".h"):
        if path.startswith(ARCH):
            continue
        text = _source.code(_source.read(path), keep_strings=True)
        report.check(True, "")
        for match in REGISTER.finditer(text):
            report.check(False, f"{path}:{_source.line_of(text, match.start())}"
                         f": register name {match.group(0)} outside {ARCH}")


def self_test(report):
    for word in ("rip", "x->rax", "ORIG_RAX", "user_r15", "xmm3", "\"rsp\"",
                 "fs_base", "eflags", "REG_RIP"):
        report.check(REGISTER.search(word), f"{word} is not seen")
    for word in ("strip", "grip", "description", "r16", "tracerip", "er8",
                 "irbpx", "resi", "scrip"):
        report.check(not REGISTER.search(word), f"{word} is seen")


def main():
    _source.arguments()
    report = _source.Report()
    rooms = declared()
    report.check(len(rooms) >= len(ORDER), "CMakeLists.txt lists too few rooms")
    check_declarations(rooms, report)
    check_includes(rooms, report)
    check_registers(report)
    self_test(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
