# SPDX-License-Identifier: MIT
"""What the lint tests share: the files, and C without comments and strings."""
import argparse
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
PRODUCT = ("core", "formats", "include", "lua", "modules", "allocators",
           "tools")
EVERYTHING = PRODUCT + ("tests", "bench")


def files(folders, *suffixes):
    """Paths relative to the root, sorted."""
    for folder in folders:
        for where, folders_below, names in os.walk(os.path.join(ROOT, folder)):
            folders_below.sort()
            for name in sorted(names):
                if name.endswith(suffixes) and not name.startswith("."):
                    yield os.path.relpath(os.path.join(where, name), ROOT)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


_TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.S)


def code(text, keep_strings=False):
    """The text with comments (and strings) blanked, lines kept."""
    def blank(match):
        token = match.group(0)
        if token[0] in "\"'" and keep_strings:
            return token
        return re.sub(r"[^\n]", " ", token)
    return _TOKEN.sub(blank, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


class Report:
    """Collects complaints; prints them and the tally that ./check sums."""

    def __init__(self):
        self.checked = 0
        self.bad = []

    def check(self, good, complaint):
        self.checked += 1
        if not good:
            self.bad.append(complaint)

    def finish(self):
        for complaint in self.bad:
            print(complaint)
        if self.checked == 0:
            print("nothing was checked")
            return 1
        return 1 if self.bad else 0


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", help="the build directory")
    return parser.parse_args()
