#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Secrets stay out of snapshots: fifty are planted, and neither the bytes of
the file, decompressed, nor its JSON has one of them, or six bytes of one in a
row. What is no secret stays as it is."""
import hashlib
import hmac
import json
import os
import stat
import subprocess
import sys

import _tool

sys.path.insert(0, os.path.join(_tool.ROOT, "tests", "formats"))
sys.path.insert(0, os.path.join(_tool.ROOT, "tests", "live"))
import _live  # noqa: E402
import msgpack  # noqa: E402
import zstandard  # noqa: E402

crash = _tool.crash
EACH = 10
# So much of one in a row is a leak.
PART = 6
LETTERS = str.maketrans("0123456789abcdef", "GHIJKLMNOPQRSTUV")


def secret(kind, number):
    """Reproducible, and in no file: 24 letters, no six of them in a
    row that an address or a digest may have as well."""
    digest = hashlib.sha256(f"{kind} {number}".encode()).hexdigest()
    return "Zq" + digest[:22].translate(LETTERS)


def secrets(kind):
    return [secret(kind, i) for i in range(EACH)]


KINDS = ("environment", "argument", "heap", "stack", "tls")
ENV_NAMES = ("DB_PASSWORD", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY",
             "API_KEY", "PGPASSWORD", "MY_CREDENTIALS", "PRIVATE_KEY",
             "BEARER", "App_Passphrase", "DATABASE_URL")


def environment():
    values = secrets("environment")
    values[9] = f"postgres://user:{values[9]}@db.example/main"
    return dict(zip(ENV_NAMES, values), HARMLESS="Zq-harmless-value",
                EMPTY_TOKEN="")


def arguments():
    values = secrets("argument")
    return [x for i, v in enumerate(values) for x in
            ((f"--password={v}",), ("--api-key", v), (f"-token={v}",),
             (f"http://me:{v}@host/",))[i % 4]]


def payloads(path):
    """The decompressed sections, and the file itself."""
    with open(path, "rb") as f:
        whole = f.read()
    out = {"file": whole}
    unpacker = msgpack.Unpacker(raw=True, strict_map_key=False,
                                max_buffer_size=len(whole))
    unpacker.feed(whole)
    for value in unpacker:
        if not isinstance(value, dict) or b"section" not in value:
            continue
        data = value[b"data"]
        if value[b"codec"] == b"zstd":
            data = zstandard.ZstdDecompressor().decompress(
                data, max_output_size=value[b"size"])
        out.setdefault(value[b"section"].decode(), b"")
        out[value[b"section"].decode()] += data
    return out


def parts(value):
    return [value[i:i + PART] for i in range(len(value) - PART + 1)]


def leaks(data, values):
    return [v for v in values
            if any(p.encode() in data for p in parts(v))]


def make_core(bench):
    where = bench.new_dir()
    source = os.path.join(_tool.ROOT, "tests", "tools", "programs",
                          "secrets.c")
    exe = crash.build(source, ["-g", "-O0"], "gcc", where)
    planted = os.path.join(where, "planted")
    with open(planted, "w") as f:
        for kind in KINDS[2:]:
            f.writelines(s + "\n" for s in secrets(kind))
    core = crash.core(exe, where, [planted, *arguments()],
                      env=dict(os.environ, **environment()))
    attached = os.path.join(where, "log.txt")
    with open(attached, "w") as f:
        f.write("login with " + secret("heap", 1) + " and " +
                secret("environment", 0) + "\nharmless\n")
    return exe, core, attached


def snapshot(bench, t, given, name, *options):
    exe, core, attached = given
    out = os.path.join(os.path.dirname(core), name + ".btt")
    done = bench.run("ptrace", "--core", core, exe, "-o", out,
                     "--resource", attached, "--global=tls_secret",
                     "--global=logins", "--global=copies", *options,
                     env={"INQUEST_STATE_DIR": os.path.join(bench.dir,
                                                            "state")})
    t.equal((done.returncode, done.stderr), (0, ""), name)
    shown = bench.run("ptrace", "-b", out, "--format=json")
    text = bench.run("bt", out)
    t.equal(text.returncode, 0, name)
    return out, shown.stdout, text.stdout


def key_of(bench):
    path = os.path.join(bench.dir, "state", "scrub.key")
    with open(path, "rb") as f:
        return path, f.read()


def variables(document):
    """All variables, members included."""
    todo = [v for thread in document["threads"] for frame in thread["frames"]
            for v in frame.get("variables", [])]
    todo += document["globals"] + list(document["objects"].values())
    while todo:
        v = todo.pop()
        todo += v.get("members", []) + v.get("elements", [])
        yield v


def check_nothing_leaks(bench, t, given):
    path, shown, text = snapshot(bench, t, given, "scrubbed")
    everything = [s for kind in KINDS for s in secrets(kind)]
    for section, data in payloads(path).items():
        t.equal(leaks(data, everything), [], section)
    t.equal(leaks(shown.encode(), everything), [], "json")
    t.equal(leaks(text.encode(), everything), [], "text")
    document = json.loads(shown)
    t.check(document["attributes"].get("scrub.count", 0) >= 40,
            "count", document["attributes"].get("scrub.count"))
    t.equal(document["partial"], False, document["warnings"])
    found = [v for v in variables(document)
             if v.get("summary", "").startswith("<scrubbed: ")]
    t.check(len(found) >= EACH, "variables", len(found))
    keys, key = key_of(bench)
    t.equal(len(key), 32, "key")
    t.equal(stat.S_IMODE(os.stat(keys).st_mode), 0o600, "key")
    check_marks(t, document, key)
    for section, data in payloads(path).items():
        t.check(key not in data, "the key is in", section)
    t.equal([v["string"] for v in variables(document)
             if v["name"] == "user" and "string" in v][:1], ["somebody"],
            "what is no secret")
    names = {f["symbol"] for f in document["threads"][0]["frames"]}
    t.check({"fail", "main"} <= names, names)
    resource = document["resources"]
    t.check(resource, "resource")
    return path


def check_marks(t, document, key):
    """The HMAC is that of the value, so equal values have equal ones."""
    value = secret("heap", 0).encode()
    want = hmac.new(key, value, hashlib.sha256).hexdigest()[:16]
    marks = {v.get("summary") for v in variables(document)
             if v["name"] == "password"}
    t.check(f"<scrubbed: {len(value)} bytes, hmac {want}>" in marks, want,
            marks)


def check_without(bench, t, given):
    path, shown, _ = snapshot(bench, t, given, "open", "--no-scrub")
    data = b"".join(payloads(path).values())
    for kind in ("heap", "stack", "tls"):
        t.check(leaks(data, secrets(kind)), "--no-scrub", kind)
    t.check("scrub.count" not in json.loads(shown)["attributes"], "count")


def check_pattern(bench, t, given):
    _, shown, _ = snapshot(bench, t, given, "pattern", "--scrub", "us?r")
    users = [v["summary"] for v in variables(json.loads(shown))
             if v["name"] == "user" and "summary" in v]
    t.check(users and all(u.startswith("<scrubbed: 8") for u in users),
            users)
    t.check("somebody" not in shown, "copies of it")


def check_keys(bench, t, given):
    """A key that others could have read is not used, and none is no reason to
    have no snapshot."""
    path, _ = key_of(bench)
    os.chmod(path, 0o644)
    _, shown, _ = snapshot(bench, t, given, "open-key")
    t.check("hmac" not in shown and "<scrubbed: 24 bytes>" in shown,
            "a key of mode 0644")
    os.chmod(path, 0o600)
    _, shown, _ = snapshot(bench, t, given, "kept-key")
    t.check("hmac" in shown, "the key is kept")


def check_live(bench, t):
    """The same of a running process."""
    where = bench.new_dir()
    process = subprocess.Popen(
        ["/bin/sh", "-c", "read line", "x", "--password=" +
         secret("argument", 0)], stdin=subprocess.PIPE,
        env=dict(os.environ, **environment()))
    try:
        _live.wait_asleep(process.pid)
        out = os.path.join(where, "live.btt")
        done = bench.run("ptrace", str(process.pid), "-o", out, env={
            "INQUEST_STATE_DIR": os.path.join(bench.dir, "state")})
        if done.returncode != 0 and "traced" in done.stderr:
            return
        t.equal((done.returncode, done.stderr), (0, ""), "live")
        data = b"".join(payloads(out).values())
        t.equal(leaks(data, secrets("environment")), [], "live")
        shown = {v["name"]: v["value"] for v in json.loads(bench.run(
            "ptrace", "-b", out, "--format=json").stdout)["environment"]}
        t.equal(shown.get("HARMLESS"), environment()["HARMLESS"], "live")
        want = hmac.new(key_of(bench)[1], secrets("environment")[0].encode(),
                        hashlib.sha256).hexdigest()[:16]
        t.equal(shown.get("DB_PASSWORD"),
                f"<scrubbed: 24 bytes, hmac {want}>", "live")
        done = bench.run("ptrace", str(process.pid), "-o", out, "--overwrite",
                         "--no-scrub")
        data = b"".join(payloads(out).values())
        t.equal(len(leaks(data, secrets("environment"))), EACH, "--no-scrub")
        shown = bench.run("bt", "--json", str(process.pid)).stdout
        t.equal(leaks(shown.encode(), secrets("environment")), [], "bt")
    finally:
        process.kill()
        process.wait()


def check_environment(bench, t):
    """Of a core: what the process was started with, or none of it."""
    where = bench.new_dir()
    exe = crash.build(os.path.join(_tool.ROOT, "tests", "tools", "programs",
                                   "title.c"), ["-g", "-O0"], "gcc", where)
    env = {"FIRST": "1", "SECOND": "two = 2", "EMPTY": "",
           "A_TOKEN": "0123456789abcdef", "LAST": "x" * 2000}
    for mode, want in (("none", True), ("text", False), ("moved", False),
                       ("cleared", True)):
        core = crash.core(exe, where, [mode], env=env)
        done = bench.run("bt", "--json", "--core", core, exe)
        found = json.loads(done.stdout).get("environment", [])
        if not want:
            t.equal(found, [], mode)
            continue
        shown = {v["name"]: v for v in found if v["name"] in env}
        t.equal(list(shown), list(env), mode)
        t.equal((shown["SECOND"]["value"], shown["EMPTY"]["value"],
                 shown["LAST"]["length"]), ("two = 2", "", 2000), mode)
        t.check("0123456789" not in done.stdout, "a token is shown")
        # A core without that page has none.
        with open(core, "rb") as f:
            data = f.read()
        with open(core, "wb") as f:
            f.write(data.replace(b"SECOND=two", b"\0" * 10))
        d = json.loads(bench.run("bt", "--json", "--core", core, exe).stdout)
        t.check("SECOND" not in [v["name"] for v in d["environment"]])


def body(bench, t):
    check_environment(bench, t)
    given = make_core(bench)
    check_nothing_leaks(bench, t, given)
    check_without(bench, t, given)
    check_pattern(bench, t, given)
    check_keys(bench, t, given)
    check_live(bench, t)


if __name__ == "__main__":
    sys.exit(_tool.main(body))
