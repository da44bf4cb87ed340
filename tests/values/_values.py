# SPDX-License-Identifier: MIT
"""What the tests of values share: the snapshot of a crashed program as a
document, its variables by name, and a short way to say what a value is."""
import argparse
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = os.path.join(HERE, "programs")
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import crash  # noqa: E402
from checks import Checks  # noqa: E402, F401

TIMEOUT = 60


def build_directory():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    return os.path.abspath(parser.parse_args().build)


def document(build, exe, core, *options):
    """ptrace's snapshot, as its JSON document: values as they are, without the
    modules that show them as something else."""
    path = core + ".btt"
    ptrace = os.path.join(build, "ptrace")
    for command in ([ptrace, "--core", core, exe, "-o", path, "--overwrite",
                     "--no-pretty-print", *options], [ptrace, "-b", path, "--format=json"]):
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT,
                              stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            raise RuntimeError(" ".join(command) + "\n" +
                               done.stderr.decode(errors="replace"))
    return json.loads(done.stdout)


def variables(doc, function):
    """The variables of the first frame of that function."""
    for thread in doc["threads"]:
        for frame in thread["frames"]:
            if frame["symbol"] == function:
                return {v["name"]: v for v in frame["variables"]}
    raise RuntimeError(f"no frame of {function}")


def plain(v):
    """A value without types and addresses. Structs are dictionaries; one that
    has text (a variant's name, a string) is a pair of it and its members."""
    if v["kind"] == "unavailable":
        return None
    if v["kind"] in ("struct", "union"):
        members = {m["name"]: plain(m) for m in v["members"]}
        return (v["string"], members) if "string" in v else members
    if v["kind"] == "array":
        return [plain(e) for e in v["elements"]]
    if v["kind"] in ("string", "enum", "char"):
        return v["string"]
    return v["value"]
