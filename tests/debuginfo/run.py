#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Debug information in every form that real machines have: one C and one C++
program, built in each variant of _cases.py with and without optimization,
crashed, and the snapshot compared with that of the plain build of the same
program.

    run.py --build DIR [--list] [--keep] [--jobs N] [VARIANT...]
"""
import argparse
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading

import _cases

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
import crash  # noqa: E402

LEVELS = ("-O0", "-O2")
FOLLOW = 3  # how deep behind pointers values are compared
TIMEOUT = 60


class Snapshot:
    """What is compared of one snapshot."""

    def __init__(self, document):
        self.document = document
        self.objects = document.get("objects", {})
        self.warnings = [w["text"] for w in document.get("warnings", [])]
        self.frames = []
        for thread in document["threads"]:
            if not thread["fault"]:
                continue
            for frame in thread["frames"]:
                self.frames.append(frame)
                if frame.get("symbol") == "main" and not frame["inline"]:
                    break

    def functions(self):
        return [plain_name(f.get("symbol")) for f in self.frames
                if not f["inline"]]

    def lines(self):
        return [(f.get("symbol"), os.path.basename(f.get("path") or ""),
                 f.get("line"), f["inline"]) for f in self.frames]

    def variables(self):
        """{(frame, place of the variable in it): (name, type, value)}"""
        found = {}
        for i, frame in enumerate(self.frames):
            for k, v in enumerate(frame.get("variables", [])):
                found[i, k] = self.value(v, FOLLOW)
        return found

    def value(self, v, depth):
        v = {k: x for k, x in v.items()
             if k not in ("address", "annotations")}
        for part in ("members", "elements"):
            if part in v:
                v[part] = [self.value(x, depth) for x in v[part]]
        value = v.get("value")
        if v["kind"] in ("pointer", "function") and value not in (None, "0x0"):
            v["value"] = "somewhere"
        if "string" in v:  # argv[0], and what the linker made of a name
            v["string"] = re.sub(r"/\S*/prog$", "prog", v["string"])
        ref = v.pop("ref", None)
        if ref in self.objects and depth > 0:
            v["->"] = self.value(self.objects[ref], depth - 1)
        return v


def plain_name(name):
    """What is the same in a symbol and in DWARF: no result, no parameters,
    no template arguments, no scopes of a local class."""
    name = re.sub(r" \[clone .*|\.(constprop|part|isra|cold)\..*", "", name)
    name = re.sub(r"operator\(\)", "call", name)
    while re.search(r"[<({][^<>(){}]*[>)}]", name):
        name = re.sub(r"[<({][^<>(){}]*[>)}]", "", name)
    return re.split(r"::", name.replace(" const", "").split()[-1])[-1]


def unavailable(v):
    """Nothing of it is known."""
    if v["kind"] == "unavailable":
        return True
    parts = v.get("members", []) + v.get("elements", [])
    return bool(parts) and all(unavailable(x) for x in parts)


def agrees(a, b):
    """Equal, where both are known: unavailable parts match anything."""
    if unavailable(a) or unavailable(b):
        return a["name"] == b["name"]
    for part in ("members", "elements"):
        if len(a.get(part, [])) != len(b.get(part, [])):
            return False
        for x, y in zip(a.get(part, []), b.get(part, [])):
            if not agrees(x, y):
                return False
    if "->" in a and "->" in b and not agrees(a["->"], b["->"]):
        return False
    return (all(a.get(k) == b.get(k) for k in ("kind", "value")) and
            all(bare(a.get(k, "")) == bare(b.get(k, ""))
                for k in ("name", "type", "string")))


def bare(text):
    """DWARF 2 knows no namespaces, DWARF before 4 no scoped enumerations, and
    LTO renames functions."""
    return re.sub(r"\.llvm\.\d+|\w+::", "", text)


def weaker(have, want):
    """The same, but for lines that are not known: DWARF 2 has no place for
    that of the call of an inlined function."""
    return len(have) == len(want) and all(
        h[0] == w[0] and (h[1:] == w[1:] or h[2] is None)
        for h, w in zip(have, want))


class Runner:
    def __init__(self, build, where):
        self.build, self.dir = os.path.abspath(build), where
        self.plain, self.lock = {}, threading.Lock()
        self.counts = {"checked": 0, "failed": 0, "skipped": 0}

    def snapshot(self, exe, core, options=()):
        out = tempfile.mktemp(suffix=".btt", dir=self.dir)
        env = {k: v for k, v in os.environ.items() if k != "DEBUGINFOD_URLS"}
        env.setdefault("ASAN_OPTIONS", "detect_leaks=0")
        ptrace = os.path.join(self.build, "ptrace")
        done = subprocess.run([ptrace, "-o", out, *options, "--core", core,
                               exe], env=env, text=True, timeout=TIMEOUT,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              errors="replace", check=False)
        if done.returncode != 0:
            raise AssertionError(f"exit status {done.returncode}: "
                                 + done.stderr)
        text = subprocess.run([ptrace, "-b", out, "--format=json"], env=env,
                              text=True, timeout=TIMEOUT, check=True,
                              capture_output=True).stdout
        return Snapshot(json.loads(text))

    def take(self, variant, language, level):
        """Builds, crashes, and takes the snapshot."""
        where = os.path.join(self.dir, f"{variant.name}.{language}{level}")
        os.mkdir(where)
        exe = _cases.compile_program(
            where, language, variant.cc,
            [level, *variant.flags, *variant.code], variant.link)
        options = variant.after(where, exe) or []
        if not os.path.exists(exe):
            exe = os.path.join(where, "moved", "prog")
        return self.snapshot(exe, crash.core(exe, where), options)

    def reference(self, cc, language, level, code, link):
        """The plain build by the same compiler to the same code."""
        key = (cc, language, level, tuple(code), tuple(link))
        with self.lock:
            if key not in self.plain:
                future = concurrent.futures.Future()
                self.plain[key] = future
                mine = True
            else:
                mine, future = False, self.plain[key]
        if mine:
            try:
                name = f"plain{len(self.plain)}-{cc}"
                future.set_result(self.take(
                    _cases.Variant(name, ["-g"], cc=cc, code=code, link=link),
                    language, level))
            except Exception as error:  # handed to all who wait for it
                future.set_exception(error)
        return future.result()

    def compare(self, variant, language, level):
        plain = self.reference(variant.cc, language, level, [], [])
        like = variant.like
        if like == "mostly":
            like = "same" if level == "-O0" else "weaker"
        got = self.take(variant, language, level)
        problems = []
        if like == "symbols":
            if got.functions() != plain.functions():
                problems.append(f"functions {got.functions()}, not "
                                f"{plain.functions()}")
            return problems + self.check_warnings(variant, got)
        want = plain.lines()
        if like == "lines":  # inlined functions are in the .dwo
            physical = [x for x in got.lines() if not x[3]]
            want = [(plain_name(x[0]), *x[1:]) for x in innermost(want)]
            have = [(plain_name(x[0]), *x[1:3]) for x in physical]
        else:
            have = got.lines()
        if variant.code:  # other code may have other functions inlined
            have, want = [x[:3] for x in have], [x[:3] for x in want]
        if have != want and not (like == "weaker" and weaker(have, want)):
            problems.append(f"frames {have}, not {want}")
        elif like in ("same", "weaker"):
            problems += self.compare_variables(like, got, plain)
        return problems + self.check_warnings(variant, got)

    @staticmethod
    def compare_variables(like, got, plain):
        a, b = got.variables(), plain.variables()
        problems = []
        if like == "same" and a.keys() != b.keys():
            problems.append(f"variables {sorted(a.keys() ^ b.keys())}")
        if like == "weaker":
            a = {(i, v["name"]): v for (i, _), v in a.items()}
            b = {(i, v["name"]): v for (i, _), v in b.items()}
        for key in a.keys() & b.keys():
            good = a[key] == b[key] if like == "same" \
                else agrees(a[key], b[key])
            if not good:
                problems.append(f"variable {key}:\n    got  "
                                + json.dumps(a[key])[:2000]
                                + "\n    want " + json.dumps(b[key])[:2000])
        return problems

    @staticmethod
    def check_warnings(variant, got):
        if variant.warns is None:
            return [f"warnings {got.warnings}"] if got.warnings else []
        found = [w for w in got.warnings if variant.warns in w]
        if not found or len(found) != len(got.warnings):
            return [f"warnings {got.warnings}"]
        return []

    def run(self, variant, language, level):
        name = f"{variant.name} {language} {level}"
        try:
            problems = self.compare(variant, language, level)
        except _cases.Unsupported as why:
            self.count("skipped", f"skipped {name}: {str(why).strip()[-300:]}")
            return
        except (AssertionError, crash.CrashError, OSError,
                subprocess.SubprocessError) as error:
            problems = [repr(error)]
        if problems:
            self.count("failed", f"FAIL {name}: " + "\n  ".join(problems))
        self.count("checked")

    def count(self, what, text=None):
        with self.lock:
            self.counts[what] += 1
            if text:
                print(text, flush=True)


def innermost(lines):
    """Physical frames with the line where the innermost inline stands."""
    place = None
    for name, path, line, inline in lines:
        if place is None:
            place = (path, line)
        if not inline:
            yield (name, *place)
            place = None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("variants", nargs="*")
    args = parser.parse_args()
    if args.list:
        print("\n".join(v.name for v in _cases.VARIANTS))
        return 0
    where = tempfile.mkdtemp(prefix="inquest-debuginfo.")
    runner = Runner(args.build, where)
    work = [(v, language, level) for v in _cases.VARIANTS
            for language in v.languages for level in LEVELS
            if not args.variants or v.name in args.variants]
    try:
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
            for future in [pool.submit(runner.run, *x) for x in work]:
                future.result()
    finally:
        if args.keep:
            print("kept", where)
        else:
            shutil.rmtree(where, ignore_errors=True)
    c = runner.counts
    print(f"{c['checked']} variants checked, {c['failed']} failed, "
          f"{c['skipped']} skipped")
    if c["failed"]:
        return 1
    return 0 if c["checked"] else 77


if __name__ == "__main__":
    sys.exit(main())
