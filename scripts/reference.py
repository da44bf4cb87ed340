#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes docs/reference-lua.md from lua/inquest.d.lua and docs/reference-c.md
from the installed headers. tests/modules/reference.py fails when they are not
up to date, and compares the names with those of the programs."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LUA = "lua/inquest.d.lua"
HEADERS = ("ptrace/pmodule.h", "bt.h", "ptrace/target.h", "ptrace/heap.h")

# ---- Lua ----

LUA_HEAD = """\
# Reference: modules in Lua

[Writing analysis modules](writing-modules.md) explains; this lists. It is made
from `lua/inquest.d.lua` by `scripts/reference.py`; the same file, installed as
`share/inquest/lua/inquest.d.lua`, makes editors with a Lua language server
complete and check these names.

"""


class Entry:
    """A doc comment and what it stands before."""

    def __init__(self):
        self.text, self.params, self.returns, self.fields = [], [], [], []
        self.tags = {}

    def add(self, line):
        tag = re.match(r"---@(\w+) ?(.*)", line)
        if tag is None:
            self.text.append(line[3:].strip())
        elif tag[1] == "param":
            self.params.append(re.match(r"(\S+) (.*)", tag[2]).groups())
        elif tag[1] == "return":
            self.returns.append(tag[2])
        elif tag[1] == "field":
            self.fields.append(re.match(r"(\S+) (.*)", tag[2]).groups())
        else:
            self.tags[tag[1]] = tag[2]

    def paragraph(self):
        return "\n".join(self.text) + "\n\n" if self.text else ""


def split_type(text):
    """A type and what is said about it: types have no spaces outside of
    brackets but after a comma or colon."""
    depth = 0
    for i, c in enumerate(text):
        depth += (c in "({<") - (c in ")}>")
        if c == " " and depth == 0 and text[i - 1] not in ",:":
            return text[:i], text[i + 1:]
    return text, ""


def item(name, text):
    kind, said = split_type(text)
    optional = name.endswith("?")
    return (f"* `{name.rstrip('?')}`: `{kind}`"
            + (", may be left out" if optional else "")
            + (f"; {said}" if said else "") + "\n")


def function(entry, name, arguments):
    optional = {p[0].rstrip("?") for p in entry.params if p[0].endswith("?")}
    shown = ", ".join(a + "?" if a in optional else a
                      for a in re.split(r", *", arguments) if a)
    out = f"### `{name}({shown})`\n\n" + entry.paragraph()
    for param in entry.params:
        out += item(*param)
    if entry.returns:
        out += "* gives " + ", ".join(f"`{r}`" for r in entry.returns) + "\n"
    return out if out.endswith("\n\n") else out + "\n"


def constants(entry, name, lines):
    out = f"### `{name}`\n\n" + entry.paragraph()
    for line in lines:
        key, said = re.match(r" +(\w+) = -?\d+,(?: -- (.*))?$", line).groups()
        out += f"* `{name}.{key}`" + (f": {said}" if said else "") + "\n"
    return out + "\n"


def class_(entry, name, title):
    out = f"## {title}\n\n" + entry.paragraph()
    for field in entry.fields:
        if not field[0].startswith("["):
            out += item(*field)
    return out if out.endswith("\n\n") else out + "\n"


def lua_reference():
    with open(os.path.join(ROOT, LUA)) as f:
        lines = f.read().split("\n")
    out, entry, i = LUA_HEAD, Entry(), 0
    while not lines[i].startswith("---@alias") and not lines[i] == "":
        i += 1
    while i < len(lines):
        line = lines[i]
        i += 1
        called = re.match(r"function ([\w.:]+)\((.*)\) end", line)
        table = re.match(r"(pmodule\.\w+) = \{$", line)
        same = re.match(r"(pmodule\.\w+) = pmodule", line)
        if line.startswith("---"):
            entry.add(line)
            if "alias" in entry.tags:
                out += "## Integers\n\n" + entry.paragraph()
                entry = Entry()
            continue
        if called:
            out += function(entry, *called.groups())
        elif table:
            end = lines.index("}", i)
            out += constants(entry, table[1], lines[i:end])
            i = end + 1
        elif same:
            out += f"### `{same[1]}`\n\n" + entry.paragraph()
        elif line.startswith("-- "):
            out += f"## {line[3:]}\n\n"
        elif "class" in entry.tags and not line.startswith("pmodule ="):
            name = entry.tags["class"]
            if name == "pmodule.definition":
                definition = entry
            elif name != "pmodule":
                out += class_(entry, name, name)
        if called and called[1] == "pmodule.define":
            out += "".join(item(*f) for f in definition.fields) + "\n"
        entry = Entry()
    return out


# ---- C ----

C_HEAD = """\
# Reference: modules in C

[Writing analysis modules](writing-modules.md) explains; this lists, in the
order of the headers. It is made from them by `scripts/reference.py`.

"""


def comment_text(text):
    text = re.sub(r"^/\*+|\*/$", "", text.strip())
    lines = [re.sub(r"^[ \t]*\*? ?", "", l) if n else l.strip()
             for n, l in enumerate(text.split("\n"))]
    return "\n".join(lines).strip()


def as_markdown(text):
    """Indented parts of comments are code already."""
    return re.sub(r"(?m)^\t", "    ", text)


def c_header(name):
    with open(os.path.join(ROOT, "include", name)) as f:
        text = f.read()
    text = text[text.index("*/") + 2:]
    out = f"## `<{name}>`\n\n"
    head = re.match(r"\s*(/\*.*?\*/)", text, re.S)
    if head:
        out += as_markdown(comment_text(head[1])) + "\n\n"
        text = text[head.end():]
    # What is for the compiler alone.
    text = re.sub(r"#ifdef __(cplusplus|GNUC__)\n.*?#endif\n", "", text,
                  flags=re.S)
    text = re.sub(r"#(ifndef|define) \w+_H\n|#include .*\n|#endif /\*.*\n?",
                  "", text)
    tokens = re.split(r"(?m)^(/\*.*?\*/)$|^$", text, flags=re.S)
    comment = None
    for part in (p.strip("\n") for p in tokens if p and p.strip()):
        title = re.match(r"/\* ---- (.*) ---- \*/$", part)
        if title:
            out += f"### {title[1]}\n\n"
        elif part.startswith("/*") and part.endswith("*/") and \
                part.count("*/") == 1:
            comment = as_markdown(comment_text(part))
            continue
        else:
            if comment:
                out += comment + "\n\n"
            # Blocks of declarations: their comments stay with them.
            out += "```c\n" + part + "\n```\n\n"
        comment = None
    return out


def c_reference():
    return C_HEAD + "".join(
        c_header(h) for h in HEADERS
        if os.path.exists(os.path.join(ROOT, "include", h)))


PAGES = (("docs/reference-lua.md", lua_reference),
         ("docs/reference-c.md", c_reference))


def main():
    for path, make in PAGES:
        text = make().rstrip("\n") + "\n"
        with open(os.path.join(ROOT, path), "w") as f:
            f.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
