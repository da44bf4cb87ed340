#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The shape of the source: short functions, short files, a licence line, and
none of the C functions that cannot be used safely."""
import re
import sys

import _source

FUNCTION_LINES = 120
FILE_LINES = 1000
BANNED = ("strcpy", "strcat", "sprintf", "vsprintf", "gets", "strtok", "atoi",
          "atol", "atoll", "atof", "strtol", "strtoul", "strtoll", "strtoull",
          "alloca", "system", "popen", "tmpnam", "tempnam", "mktemp", "rand")
BANNED_CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
# These also write or exit, which a library does not do.
LIBRARY_BANNED = re.compile(
    r"(?<![\w.>])(printf|vprintf|puts|putchar|perror|exit|abort|signal|"
    r"sigaction)\s*\(|(?<!\w)(stdout|stderr)(?!\w)")
# The supervisor's children end by _exit, which is allowed everywhere.
LIBRARY = ("core/", "formats/", "modules/", "allocators/")
# Crash programs and the like are not the product.
FREE = ("tests/oracle/programs/", "tests/programs/", "tests/formats/programs/",
        "tests/tools/programs/", "tests/hostile/programs/", "bench/programs/")


def functions(text):
    """(name, first line, lines) of every function body: clang-format puts the
    brace of a function, and only that, at the left edge alone."""
    lines = text.split("\n")
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start is not None:
            head = start - 1
            while head > 0 and lines[head - 1].strip() and \
                    not re.match(r"^\w+\(", lines[head - 1]):
                head -= 1
            name = lines[head - 1].split("(")[0] if head else "?"
            yield name, start, number - start + 1
            start = None


def check_file(path, report):
    text = _source.read(path)
    count = text.count("\n")
    report.check(count <= FILE_LINES, f"{path}: {count} lines")
    report.check("SPDX-License-Identifier: MIT" in
                 "\n".join(text.split("\n", 3)[:3]), f"{path}: no SPDX line")
    if not path.endswith((".c", ".h")):
        return
    for name, start, length in functions(text):
        report.check(length <= FUNCTION_LINES,
                     f"{path}:{start}: {name} has {length} lines")
    code = _source.code(text)
    patterns = [BANNED_CALL]
    if path.startswith(LIBRARY):
        patterns.append(LIBRARY_BANNED)
    for pattern in () if path.startswith("tests/") else patterns:
        for match in pattern.finditer(code):
            report.check(
                False, f"{path}:{_source.line_of(code, match.start())}: "
                f"{match.group(1) or match.group(2)} is not used here")


def self_test(report):
    body = "int\nf(int a)\n{\n" + "\tx;\n" * 130 + "}\n"
    found = list(functions(body))
    report.check(found == [("f", 3, 132)], f"functions() found {found}")
    for text, seen in (("strcpy(a, b)", True), ("a = atoi (s)", True),
                       ("xstrcpy(a)", False), ("o->system(1)", False),
                       ("o.gets(1)", False)):
        report.check(bool(BANNED_CALL.search(text)) == seen, text)
    blank = _source.code('a("strcpy(") /* gets( */ // atoi(\nb')
    report.check(not BANNED_CALL.search(blank) and "\nb" in blank, blank)


def main():
    _source.arguments()
    report = _source.Report()
    for path in _source.files(_source.EVERYTHING, ".c", ".h", ".py", ".cpp"):
        if not path.startswith(FREE):
            check_file(path, report)
    self_test(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
