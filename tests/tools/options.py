#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The command line: --help, the man pages and the shell completion name the
same options; the parser takes every spelling that existing callers use, and
tells what is wrong in one line."""
import os
import re
import sys

import _tool

# Issue of record: what ptrace and bt must have.
REQUIRED = {
    "ptrace": """--core -o --output --overwrite -O --kv --application
        --classifier --thread --fault-thread --faulted --load --resource
        --config -L -b --format --max-size --sysroot --debug-path --force
        --stats --security --stale-pointer -h --help --version""".split(),
    "bt": "--core --no-variables --json -h --help --version".split(),
}
# The same of programs with command lines of their own.
SERVICES = {
    "invoker": """-p --target -P --pid-file -t --tracer -w --wait -n
        --no-ats-compatibility -d --debug -v --version -h --help --host --user
        -s --syslog""".split(),
    "coresnap": """-c --config --json --age --all --socket --force --debugger
        -d --debug -h --help --version""".split(),
    "coresnapd": """-c --config -P --pid-file --once -d --debug -h --help
        --version""".split(),
}
SECTION = {"coresnap": 8, "coresnapd": 8}
COMPLETION = {"bt": "ptrace"}
WORD = re.compile(r"(?<![\w-])(--[a-z][a-z-]*|-[A-Za-z])(?![\w-])")


def in_help(bench, program):
    """Options of the left column of --help."""
    words = set()
    for line in bench.run(program, "--help").stdout.splitlines():
        if re.match(r"^ {2,6}-", line):
            words |= set(WORD.findall(re.split(r"  +", line.strip())[0]))
    return words


def in_man(program):
    """Options of the .TP headings of OPTIONS."""
    path = os.path.join(_tool.ROOT, "docs", "man",
                        f"{program}.{SECTION.get(program, 1)}")
    with open(path) as f:
        text = f.read()
    section = text.split(".SH OPTIONS")[1].split(".SH ")[0]
    words = set()
    for head in re.findall(r"^\.T[PQ]\n(.*)$", section, re.M):
        head = re.sub(r"\\f.|\"", " ", head.replace("\\-", "-"))
        words |= set(WORD.findall(head.split(" ", 1)[1]))
    return words


def in_completion(program):
    path = os.path.join(_tool.ROOT, "tools", "completion",
                        COMPLETION.get(program, program) + ".bash")
    with open(path) as f:
        text = f.read()
    body = text.split(f"_inquest_{program}()")[1].split("}")[0]
    return set(WORD.findall(body.split('"')[1]))


def same_everywhere(bench, t):
    for program, required in {**REQUIRED, **SERVICES}.items():
        shown = in_help(bench, program)
        t.check(set(required) <= shown, program, "--help lacks",
                set(required) - shown)
        t.equal(in_man(program), shown, program, "man page and --help:")
        t.equal(in_completion(program), shown, program,
                "completion and --help:")


# Arguments, exit status, what the one line on stderr contains.
WRONG = [
    ([], 1, "nothing given"),
    (["core.12"], 1, "not a process id; a core is given with --core"),
    (["--bogus"], 1, "unknown option '--bogus'"),
    (["--bogus=1"], 1, "unknown option '--bogus'"),
    (["-Z"], 1, "unknown option '-Z'"),
    (["--module-load="], 1, "--module-load needs a file"),
    (["--module=x", "1"], 1, "is not ID:key,value,..."),
    (["--module=x:a,b,c", "1"], 1, "key 'c' of 'x' has no value"),
    (["--sandbox-whitelist=io,net", "1"], 1, "'net' is none of ffi, io"),
    (["--module-timeout=0", "1"], 1, "not a number of seconds"),
    (["--modules-timeout=x", "1"], 1, "--modules-timeout: 'x' is not a number"),
    (["--core"], 1, "needs an argument: CORE"),
    (["--core="], 1, "--core needs a file"),
    (["-o"], 1, "'-o' needs an argument"),
    (["--faulted=1"], 1, "takes no argument"),
    # An optional argument is never the next word.
    (["--security", "core.12"], 1, "'core.12' is not a process id"),
    (["--stale-pointer=17", "1"], 1, "not a number of levels from 1 to 16"),
    (["--security=loud", "1"], 1, "'loud' is none of writable, text"),
    (["--max-pause=x", "1"], 1, "--max-pause"),
    # Larger than any: pid_max is at most 2^22 (proc(5)).
    (["2147483647"], 2, "no such process"),
    (["--core", "c", "e", "x"], 1, "too many operands: 'x'"),
    (["--core", "c", "e", "x", "y"], 1, "too many operands: 'y'"),
    (["--core", "c", "-o", "a", "-O", "b"], 1, "exclude each other"),
    (["--core", "c", "--kv", "novalue"], 1, "has no key"),
    (["--core", "c", "--kv", ":v"], 1, "has no key"),
    (["--core", "c", "--thread", "x"], 1, "not a thread id"),
    (["--core", "c", "--thread=0"], 1, "not a thread id"),
    (["--core", "c", "--fault-thread=-1"], 1, "not a thread id"),
    (["--core", "c", "-L", "loud"], 1, "none of debug, info"),
    (["--core", "c", "--max-size=1"], 1, "not between 64k and 1G"),
    (["--core", "c", "--max-size=x"], 1, "not a size"),
    (["--core", "c", "--timeout=0"], 1, "not a number of seconds"),
    (["--core", "c", "--config=/nonexistent"], 1, "/nonexistent"),
    (["-b", "f", "--format=xml"], 1, "neither text nor json"),
    (["-b", "f", "--core", "c"], 1, "takes no core"),
    (["-b", ""], 1, "needs a snapshot"),
]


def wrong_lines(bench, t):
    where = bench.new_dir()
    for args, status, text in WRONG:
        done = bench.run("ptrace", *args, cwd=where)
        t.equal(done.returncode, status, args, "exit status:")
        t.equal(done.stdout, "", args, "stdout:")
        t.equal(done.stderr.count("\n"), 1, args, done.stderr)
        t.check(done.stderr.startswith("ptrace: ") and text in done.stderr,
                args, "stderr:", done.stderr, "lacks", text)
    t.equal(os.listdir(where), [], "files left by wrong command lines:")
    for args, status in ((["--bogus"], 1), ([], 1), (["2147483647"], 2)):
        done = bench.run("bt", *args, cwd=where)
        t.equal((done.returncode, done.stdout, done.stderr.count("\n")),
                (status, "", 1), "bt", args)


def answers(bench, t):
    for program in REQUIRED:
        for args in (["-h"], ["--help"], ["--core", "x", "--help"]):
            done = bench.run(program, *args)
            t.equal(done.returncode, 0, program, args)
            t.check(done.stdout.startswith("Usage: " + program), program, args)
            t.check(all(len(x) <= 79 for x in done.stdout.splitlines()),
                    program, "--help is wider than a terminal")
        done = bench.run(program, "--version")
        with open(os.path.join(_tool.ROOT, "VERSION")) as f:
            version = f.read().strip()
        t.equal(done.stdout, f"{program} (Inquest) {version}\n", "--version")


def config_file(bench, t):
    where = bench.new_dir()
    path = os.path.join(where, "ptrace.conf")
    for text, number in (("bogus = 1\n", 1), ("# c\n\nforce = maybe\n", 3),
                         ("config = x\n", 1), ("core\n", 1),
                         ("kv = x\n", 1)):
        with open(path, "w") as f:
            f.write(text)
        done = bench.run("ptrace", "--config", path)
        t.equal(done.returncode, 1, text)
        t.check(f"{path}:{number}: " in done.stderr, text, done.stderr)
    os.mkfifo(os.path.join(where, "fifo"))
    done = bench.run("ptrace", "--config=" + os.path.join(where, "fifo"))
    t.check(done.returncode == 1 and "not a regular file" in done.stderr,
            "FIFO as configuration:", done.stderr)


def body(bench, t):
    same_everywhere(bench, t)
    wrong_lines(bench, t)
    answers(bench, t)
    config_file(bench, t)


if __name__ == "__main__":
    sys.exit(_tool.main(body))
