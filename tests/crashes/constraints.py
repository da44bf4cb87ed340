#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Rules about arguments that a module adds: violated ones are found in every
thread, those that are kept are not."""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
import checks  # noqa: E402
import crash  # noqa: E402

ANALYSES = os.path.join(HERE, "analyses")
BAD = {
    "size": ("copy_name", "size is -40, not between 0 and 4096"),
    "limit": ("copy_name", "size is 5000, not between 0 and 4096"),
    "null": ("copy_name", "to is NULL"),
    "constant": ("copy_name", "is not writable"),
    "range": ("copy_name", "of whose 10 bytes those from"),
    "unended": ("copy_name", "bytes those from"),
    "function": ("draw", "is no code"),
    "number": ("draw", "n is -3, not between 0 and 100"),
}
GOOD = ["", "empty", "fits", "none"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    args = parser.parse_args()
    ptrace = os.path.join(os.path.abspath(args.build), "ptrace")
    where = tempfile.mkdtemp(prefix="inquest-constraints.")
    rules = shutil.copy(os.path.join(ANALYSES, "constraints.lua"), where)
    os.chmod(rules, 0o644)
    t = checks.Checks()

    def document(exe, *words):
        core = crash.core(exe, where, list(words))
        out = os.path.join(where, "s.btt")
        subprocess.run([ptrace, "--core", core, exe, "-o", out, "--overwrite",
                        "--module-load", rules], check=True, timeout=60,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        os.unlink(core)
        return json.loads(subprocess.run(
            [ptrace, "-b", out, "--format=json"], check=True, timeout=60,
            stdout=subprocess.PIPE).stdout)

    try:
        exe = crash.build(os.path.join(ANALYSES, "constraints.c"),
                          ["-O0", "-g", "-w"], "gcc", where, name="exe")
        for what, (function, text) in BAD.items():
            for words in ([what], [what, "die"]):
                d = document(exe, *words)
                found = [f for f in d["findings"]
                         if f["class"] == "bad-argument"]
                if not t.equal(len(found), 1, words):
                    continue
                t.check(any(text in e for e in found[0]["evidence"]), words,
                        found)
                t.check(f"constraint.{function}" in d["classifiers"], words,
                        d["classifiers"])
                # Of a thread that did not die it is not the reason.
                t.check(len(words) == 2 or not found[0]["primary"], words,
                        "is primary")
        for what in GOOD:
            d = document(exe, what)
            t.equal([f["text"] for f in d["findings"]
                     if f["class"] == "bad-argument"], [], what)
    except crash.CrashError as error:
        print("skipped:", error)
        return 77
    finally:
        shutil.rmtree(where, ignore_errors=True)
    return t.end()


if __name__ == "__main__":
    sys.exit(main())
