#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Our ptrace under the original open-source invoker, unmodified:

    tests/server/extra/original.py --build DIR --invoker PROGRAM

PROGRAM is built from a checkout that the caller has. The server that crashes is
that of invoker.py, which speaks the protocol of Traffic Server 6 and 7, the last
whose options the original takes."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import _server  # noqa: E402
import invoker  # noqa: E402


def original():
    """Takes --invoker out of the command line."""
    at = sys.argv.index("--invoker")
    path = os.path.abspath(sys.argv[at + 1])
    del sys.argv[at:at + 2]
    return path


def body(bench, t):
    s = invoker.Scene(bench)
    s.invoker = PROGRAM
    where, out, err = s.crash("old", *invoker.ATS7, "-t", s.ptrace + " %p")
    lines = out.splitlines()
    t.equal((lines[0], lines[-1]), ("start stopped", "end exit 0"), err)
    t.equal(lines[1:-1], _server.snapshots(where), "the path is said:")
    invoker.snapshot_is_right(s, t, where, "a plain tracer:")
    # As the pair of scripts of the original's documentation calls it.
    script = s.script(f"#!/bin/sh\nexec {s.ptrace} --kv=\"version:9.2.9\" $1 "
                      "-O $PWD/ats\n")
    where, out, err = s.crash("old", *invoker.ATS7, "-t", script + " %p")
    t.equal(out.splitlines()[-1], "end exit 0", err)
    invoker.snapshot_is_right(s, t, where, "a script:", ("version", "9.2.9"))
    t.check(_server.snapshots(where)[0].rsplit("/", 1)[1].startswith("ats."),
            _server.snapshots(where))
    # What fails ends the chain, and its status comes through.
    where, out, err = s.crash("old", *invoker.ATS7, "-t",
                              s.ptrace + " --no-such-option %p", "-t",
                              s.ptrace + " %p")
    t.equal(out.splitlines()[-1], "end exit 1", "a tracer that refuses:", err)
    t.equal(_server.snapshots(where), [], "the next did not run:")
    where, out, err = s.crash("old", *invoker.ATS7, env={
        "INVOKER_TRACER": s.ptrace + " %p"})
    t.equal(out.splitlines()[-1], "end exit 0", err)
    invoker.snapshot_is_right(s, t, where, "INVOKER_TRACER:")


if __name__ == "__main__":
    PROGRAM = original()
    sys.exit(_server._tool.main(body))
