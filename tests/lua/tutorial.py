#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/writing-modules.md, taken at its word: its files are written, its
commands are run in order, and its output is what it says."""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "tools"))
import _tool  # noqa: E402

GUIDE = os.path.join(_tool.ROOT, "docs", "writing-modules.md")
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.M | re.S)


def run(bench, line, where):
    """One command of the guide. The crash is the only one that may fail."""
    words = line.split()
    if words[0] == "./queue":
        core = _tool.crash.core(os.path.join(where, "queue"), where)
        os.replace(core, os.path.join(where, "core"))
        return ""
    line = line.replace("-I/usr/include",
                        "-I" + os.path.join(_tool.ROOT, "include"))
    env = dict(os.environ, PATH=bench.build + ":" + os.environ["PATH"],
               ASAN_OPTIONS="detect_leaks=0")
    done = subprocess.run(line, shell=True, cwd=where, env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=60, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{line}: {done.stdout}")
    return done.stdout


def body(bench, t):
    where = bench.new_dir()
    output, found = "", 0
    with open(GUIDE) as f:
        blocks = BLOCK.findall(f.read())
    for language, attribute, text in blocks:
        if attribute.startswith("file="):
            path = os.path.join(where, attribute[5:])
            with open(path, "w") as f:
                f.write(text)
            os.chmod(path, 0o600)
        elif language == "sh":
            os.umask(0o077)
            output = "".join(run(bench, line, where)
                             for line in text.splitlines())
        elif attribute == "expect":
            for line in text.splitlines():
                found += 1
                t.check(line in output, line, "not in", output)
    t.equal(found, 7, "lines of output in the guide")


if __name__ == "__main__":
    sys.exit(_tool.main(body))
