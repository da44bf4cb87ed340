#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ptrace --core: where the snapshot lies, what is printed, and what every
option puts into it."""
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time

import _tool


def take(bench, t, *args, cwd=None, env=None, status=0):
    """Runs ptrace; the document of the snapshot it names."""
    where = cwd or bench.new_dir()
    done = bench.run("ptrace", *args, "--core", bench.core, bench.exe,
                     cwd=where, env=env or {})
    t.equal(done.returncode, status, args, done.stderr)
    if done.returncode != 0:
        return None, done
    t.equal(done.stdout.count("\n"), 1, args, "stdout:", done.stdout)
    path = os.path.join(where, done.stdout[:-1])
    t.check(os.path.isfile(path), args, "no file", path)
    printed = bench.run("ptrace", "-b", path, "--format=json")
    t.equal((printed.returncode, printed.stderr), (0, ""), args, "-b:")
    document = json.loads(printed.stdout)
    document["path"] = path
    return document, done


def names(bench, t):
    where = bench.new_dir()
    before = int(time.time())
    a, done = take(bench, t, cwd=where)
    t.equal(done.stderr, "", "stderr:")
    found = re.fullmatch(r"demo\.(\d+)\.(\d+)\.btt",
                         os.path.basename(a["path"]))
    t.check(found and int(found[1]) == a["attributes"]["process.id"] and
            before <= int(found[2]) <= time.time(), "name:", a["path"])
    mode = stat.S_IMODE(os.stat(a["path"]).st_mode)
    t.equal(mode, 0o600, "mode:")
    t.equal(os.listdir(where), [os.path.basename(a["path"])], "left over:")

    b, _ = take(bench, t, "-O", "spool", cwd=where)
    t.check(re.fullmatch(r"spool\.\d+\.\d+\.btt", os.path.basename(b["path"])),
            "-O:", b["path"])
    for args in (["-o", "one"], ["-otwo"], ["--output=three"],
                 ["--output", "four.btt"]):
        c, done = take(bench, t, *args, cwd=where)
        name = re.sub(r"^(-o|--output=)", "", args[-1])
        t.equal(done.stdout, name + "\n", args, "printed path:")


def numbering(bench, t):
    """Two snapshots in one second must not fight over a name."""
    where = bench.new_dir()
    paths = set()
    for _ in range(4):
        document, _ = take(bench, t, cwd=where)
        paths.add(document["path"])
    t.equal(len(paths), 4, "distinct names:", paths)


def existing(bench, t):
    where = bench.new_dir()
    path = os.path.join(where, "x.btt")
    with open(path, "w") as f:
        f.write("precious")
    _, done = take(bench, t, "-o", path, status=2)
    t.check("exists" in done.stderr and done.stderr.count("\n") == 1,
            done.stderr)
    with open(path) as f:
        t.equal(f.read(), "precious", "an existing file:")
    document, _ = take(bench, t, "-o", path, "--overwrite")
    t.equal(document["path"], path, "--overwrite")
    t.equal(os.listdir(where), ["x.btt"], "left over:")


def attributes(bench, t):
    d, _ = take(
        bench, t, "--kv=a:1,b:x:y", "--kv", "time:2016/11/20 21:29:46",
        "--kv", "m:invalid memory, or nil,z:end", "--kv=", "--kv", "a:2",
        "--application=shop", "--classifier", "one", "--classifier=two",
        env={"BACKTRACE_DEFAULTS": "d=from env\n\nbad line\nb=lost\ne=x=y\n"})
    a = d["attributes"]
    for key, value in (("a", "2"), ("b", "x:y"), ("z", "end"),
                       ("time", "2016/11/20 21:29:46"),
                       ("m", "invalid memory, or nil"), ("d", "from env"),
                       ("e", "x=y"), ("application", "shop")):
        t.equal(a.get(key), value, "attribute", key)
    t.check({"one", "two"} <= set(d["classifiers"]), d["classifiers"])
    t.check("bad line" not in a, "a line without = became an attribute")

    d, _ = take(bench, t)
    a = d["attributes"]
    uname = os.uname()
    for key, value in (("application", "demo"), ("process.thread.count", 4),
                       ("hostname", uname.nodename),
                       ("uname.sysname", uname.sysname),
                       ("uname.release", uname.release),
                       ("uname.version", uname.version),
                       ("uname.machine", uname.machine),
                       ("process.exe", bench.exe),
                       ("fault.address", d["signal"]["address"]),
                       ("fault.thread", d["threads"][0]["tid"])):
        t.equal(a.get(key), value, "attribute", key)
    t.check("error.message" not in a and "snapshot.partial" not in a, a)


def threads(bench, t):
    d, _ = take(bench, t)
    tids = [x["tid"] for x in d["threads"]]
    t.equal([x["fault"] for x in d["threads"]], [True, False, False, False], "fault")
    t.equal(d["threads"][0]["state"], "F", "state of the faulting thread:")
    other = tids[2]
    d, _ = take(bench, t, f"--thread={other}")
    t.equal([x["tid"] for x in d["threads"]], [other], "--thread:")
    t.equal(d["threads"][0]["fault"], False, "a thread that did not fault:")
    d, _ = take(bench, t, "--thread", str(tids[1]), f"--thread={tids[0]}")
    t.equal([x["tid"] for x in d["threads"]], tids[:2], "two --thread:")
    d, _ = take(bench, t, f"--fault-thread={other}", "--faulted")
    t.equal([x["tid"] for x in d["threads"] if x["fault"]], [other],
            "--fault-thread:")
    t.equal(d["threads"][0]["tid"], other, "--fault-thread comes first:")
    d, done = take(bench, t, "--fault-thread=2147483647")
    t.check("no such thread" in done.stderr, done.stderr)
    t.equal(d["threads"][0]["tid"], tids[0], "unknown --fault-thread:")


def resources(bench, t):
    where = bench.new_dir()
    tree = os.path.join(where, "logs")
    os.makedirs(os.path.join(tree, "deep"))
    for name, text in (("a.log", "alpha"), ("deep/b.log", "beta")):
        with open(os.path.join(tree, name), "w") as f:
            f.write(text)
    os.mkfifo(os.path.join(tree, "fifo"))
    os.symlink("/etc/hostname", os.path.join(tree, "link"))
    d, done = take(bench, t, "--resource", tree,
                   "--resource=" + os.path.join(tree, "a.log"),
                   "--resource=/nonexistent", "--resource",
                   os.path.join(tree, "fifo"))
    for named in ("/nonexistent", "fifo"):
        t.check(named in done.stderr, "stderr does not name", named,
                done.stderr)
    found = {x["name"]: x["size"] for x in d["resources"]}
    t.equal(found, {"logs/a.log": 5, "logs/deep/b.log": 4, "a.log": 5},
            "resources:")
    told = " ".join(x["text"] for x in d["warnings"])
    for word in ("/nonexistent", "logs/fifo", "logs/link"):
        t.check(word in told, "no warning names", word)
    big = os.path.join(where, "big")
    with open(big, "wb") as f:
        f.truncate(1 << 30)
    d, _ = take(bench, t, "--resource", big, "--max-size=256k")
    t.equal(d["resources"][0]["truncated"], True, "a file over the cap:")
    t.check(os.path.getsize(d["path"]) <= 256 * 1024, "--max-size:",
            os.path.getsize(d["path"]))


def config(bench, t):
    path = os.path.join(bench.new_dir(), "ptrace.conf")
    with open(path, "w") as f:
        f.write("# comment\n\n kv = from:config,x:1 \napplication=cfg\n"
                "faulted\nforce = no\n")
    d, _ = take(bench, t, "--application", "line", "--config=" + path)
    t.equal((d["attributes"]["from"], d["attributes"]["application"]),
            ("config", "line"), "--config and command line:")


def load(bench, t):
    d, _ = take(bench, t, "--load=no-such-module")
    frames = [f for f in d["threads"][0]["frames"] if f["object"] == "demo"]
    t.check(frames and all(not f.get("path") for f in frames),
            "--load loaded what it should not")
    t.check(any(f["symbol"] for f in frames), "symbols without --load")
    d, _ = take(bench, t, "--load=")
    t.check(any(f.get("path") for f in d["threads"][0]["frames"]), "--load=")


def others(bench, t):
    _, done = take(bench, t, "--stats")
    t.check(re.search(r"^stage threads +[\d.]+ ms$", done.stderr, re.M),
            "--stats:", done.stderr)
    d, _ = take(bench, t)
    printed = bench.run("ptrace", "-b", d["path"])
    t.equal(printed.returncode, 0, "-b:")
    t.check(re.search(r"^Group: [0-9a-f]{64}$", printed.stdout, re.M),
            "no Group line:", printed.stdout[:300])
    t.check("\033" not in printed.stdout, "colours in a file")
    t.check(d["memory"] and {"stack", "code"} <=
            {x["why"] for x in d["memory"]}, "memory:", d["memory"])


def message_and_globals(bench, t):
    """The error message of libbcd, and variables asked for by name."""
    exe = _tool.crash.build(
        os.path.join(_tool.HERE, "programs", "emit.c"), ["-g", "-O0"], "gcc",
        bench.dir)
    core = _tool.crash.core(exe, bench.dir)
    path = os.path.join(bench.new_dir(), "x.btt")
    done = bench.run("ptrace", "-o", path, "--global", "lookup",
                     "--global=hidden", "--global", "per_thread",
                     "--global=nowhere", "--core", core, exe)
    t.equal(done.returncode, 0, done.stderr)
    d = json.loads(bench.run("ptrace", "-b", path, "--format=json").stdout)
    t.equal(d["attributes"].get("error.message"), "disk of shard 7 is gone",
            "error.message:")
    found = {x["name"]: x for x in d["globals"]}
    t.equal(sorted(found), ["hidden", "lookup", "per_thread"], "globals:")
    t.equal(found["hidden"]["value"], 42, "a static variable:")
    t.equal(found["per_thread"]["value"], 9, "a thread-local variable:")
    t.equal([m["name"] for m in found["lookup"]["members"]],
            ["size", "label"], "a struct:")
    t.check(any("nowhere" in w["text"] for w in d["warnings"]),
            "no warning names the global that is not there")
    # The message decides the group: another one is another error.
    other = bench.run("ptrace", "-o", path, "--overwrite", "--load=nothing",
                      "--core", core, exe)
    t.equal(other.returncode, 0, other.stderr)
    e = json.loads(bench.run("ptrace", "-b", path, "--format=json").stdout)
    t.check("error.message" not in e["attributes"] and
            e["fingerprint"] != d["fingerprint"], "grouping by message")


def lines_of(bench, t, *args):
    """Source paths of the faulting thread's frames in the program itself."""
    path = os.path.join(bench.new_dir(), "x.btt")
    done = bench.run("ptrace", "-o", path, *args)
    t.equal(done.returncode, 0, args, done.stderr)
    d = json.loads(bench.run("ptrace", "-b", path, "--format=json").stdout)
    return [f.get("path") for f in d["threads"][0]["frames"]
            if f["object"] == "demo"], done.stderr, d


def other_places(bench, t):
    """The program below a sysroot, and its debug information apart."""
    where = bench.new_dir()
    exe = shutil.copy(bench.exe, os.path.join(where, "demo"))
    core = _tool.crash.core(exe, where)
    root = os.path.join(where, "root")
    inside = root + exe
    os.makedirs(os.path.dirname(inside))
    shutil.move(exe, inside)
    found, _, d = lines_of(bench, t, "--core", core, "--sysroot", root)
    t.check(found and all(found), "--sysroot:", found, d["warnings"])
    found, _, d = lines_of(bench, t, "--core", core)
    t.check(not any(found), "a program that is gone has lines:", found)
    t.check(any(exe in w["text"] for w in d["warnings"]),
            "no warning names the program that is gone:", d["warnings"])
    done = bench.run("ptrace", "--core", core, "--sysroot=/nonexistent")
    t.equal((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)

    # Stripped, with the debug file in a build-id directory.
    build_id = [m["build_id"] for m in d["modules"] if m["path"] == exe][0]
    store = os.path.join(where, "store")
    debug = os.path.join(store, ".build-id", build_id[:2],
                         build_id[2:] + ".debug")
    os.makedirs(os.path.dirname(debug))
    subprocess.run(["objcopy", "--only-keep-debug", inside, debug],
                   check=True)
    subprocess.run(["strip", "-o", exe, inside], check=True)
    found, told, d = lines_of(
        bench, t, "--stats", "--core", core, exe, "--debug-path", store)
    t.check(found and all(found), "--debug-path:", found, d["warnings"])
    t.check(f"debug {exe}: {debug}: taken" in told, "--stats:", told)
    t.equal([m.get("debug_path") for m in d["modules"] if m["path"] == exe],
            [debug], "debug_path")
    found, told, _ = lines_of(bench, t, "--stats", "--core", core, exe)
    t.check(not any(found), "lines without debug information:", found)
    t.check(re.search(re.escape(f"debug {exe}: ") + ".*: not found", told),
            "--stats does not say where it looked:", told)


def callers(bench, t):
    """Command lines of programs that call ptrace on cores today."""
    where = bench.new_dir()
    asset = os.path.join(where, "asset")
    with open(asset, "w") as f:
        f.write("x")
    uuid = "143fc129-af4c-4b5e-9d5c-000000000000"
    for args, check in (
            (["--faulted", "-o" + os.path.join(where, uuid), "--load=libc-",
              "--kv=coresnap.object:" + uuid, "--resource=" + asset, "--core",
              bench.core, bench.exe],
             lambda d: d["attributes"]["coresnap.object"] == uuid and
             d["resources"][0]["name"] == "asset"),
            (["--kv=coredump:ffmpeg", "--core", bench.core, bench.exe,
              "--load="], lambda d: d["attributes"]["coredump"] == "ffmpeg"),
            (["--core", bench.core, bench.exe, "--load=", "--application=a",
              "--kv=", "-O", os.path.join(where, "spool")],
             lambda d: d["attributes"]["application"] == "a"),
            (["--kv=location:NYC,environment:development", "--kv",
              "error:runtime error: invalid memory, or nil", "--classifier",
              "runtime.errorString", "-L", "WARNING", "--core", bench.core],
             lambda d: "runtime.errorString" in d["classifiers"] and
             d["attributes"]["error"] ==
             "runtime error: invalid memory, or nil")):
        done = bench.run("ptrace", *args, cwd=where)
        t.equal((done.returncode, done.stdout.count("\n")), (0, 1), args,
                done.stderr)
        path = os.path.join(where, done.stdout.strip())
        shown = bench.run("ptrace", "-b", path, "--format=json")
        t.check(shown.returncode == 0 and check(json.loads(shown.stdout)),
                args, shown.stderr)


def body(bench, t):
    for test in (names, numbering, existing, attributes, threads, resources,
                 config, load, others, message_and_globals,
                 other_places, callers):
        test(bench, t)


if __name__ == "__main__":
    sys.exit(_tool.main(body))
