#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A program with as much DWARF as wanted: one compiled unit, linked in again
and again. Its functions have no symbols: of those a program of this size has
some hundred thousand, ours would have sixteen million.

    units.py DIRECTORY MEGABYTES
"""
import os
import re
import subprocess
import sys

FUNCTIONS = 3000


def unit():
    lines = ["struct s0 { int a; };"]
    for i in range(1, FUNCTIONS):
        lines.append(
            f"struct s{i} {{ struct s{i - 1} *next; long key_{i}; "
            f"char name_{i}[{i % 60 + 1}]; enum {{ A{i}, B{i} }} kind; }};\n"
            f"static inline int inner{i}(struct s{i} *p, int k) "
            f"{{ int sum_{i} = k; for (int n = 0; n < k; n++) "
            f"sum_{i} += p->name_{i}[n]; return sum_{i}; }}\n"
            f"__attribute__((used)) static int "
            f"outer{i}(struct s{i} *p, int k) "
            f"{{ int r_{i} = inner{i}(p, k); return r_{i} + (int)p->key_{i}; }}")
    return "\n".join(lines) + "\n"


MAIN = """
#include <stdlib.h>
__attribute__((noinline)) static void
fails(int depth)
{
	if (depth == 0)
		abort();
	fails(depth - 1);
	__asm__ volatile("");
}
int
main(void)
{
	fails(5);
	return 0;
}
"""


def run(*words):
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)


def dwarf_bytes(path):
    text = subprocess.run(["readelf", "-SW", path], text=True, check=True,
                          stdout=subprocess.PIPE).stdout
    return sum(int(size, 16) for size in re.findall(
        r" \.debug_\w+ +PROGBITS +\w+ \w+ (\w+)", text))


def generate(where, megabytes):
    """The program's path, and how many bytes of DWARF it has."""
    os.makedirs(where, exist_ok=True)

    def path(name):
        return os.path.join(where, name)
    for name, text in ("unit.c", unit()), ("main.c", MAIN):
        with open(path(name), "w") as f:
            f.write(text)
        run("gcc", "-O1", "-g", "-c", "-o", path(name[:-1] + "o"), path(name))
    copies = max(1, (megabytes << 20) // dwarf_bytes(path("unit.o")))
    exe = path("units")
    with open(path("objects"), "w") as f:
        f.write("\n".join([path("main.o"), *[path("unit.o")] * copies]))
    run("gcc", "-Wl,--discard-all", "-o", exe, "@" + path("objects"))
    return exe, dwarf_bytes(exe)


if __name__ == "__main__":
    print(*generate(sys.argv[1], int(sys.argv[2])))
