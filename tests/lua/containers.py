#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Containers of the C++ standard library, as the module cpp shows them: by
each library, string ABI and level of optimisation against what the program
itself wrote down and, for libstdc++, against GDB's own printers; damaged ones
and such as are not constructed yet; and the cost."""
import concurrent.futures
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "modules"))
import _modules  # noqa: E402

crash = _modules.crash
SOURCE = os.path.join(HERE, "programs", "containers.cpp")
LIBCXX = "-stdlib=libc++"
BUILDS = {
    "gcc-O0": ("g++", ["-O0"]),
    "gcc-O2": ("g++", ["-O2"]),
    "gcc-old-debug": ("g++", ["-O0", "-D_GLIBCXX_USE_CXX11_ABI=0",
                              "-D_GLIBCXX_DEBUG"]),
    "clang-O0": ("clang++", ["-O0", "-fstandalone-debug"]),
    "libcxx-O0": ("clang++", ["-O0", LIBCXX]),
    "libcxx-O2": ("clang++", ["-O2", LIBCXX]),
}
SHOWN = 64  # elements, of each container
MAPS = re.compile(r"^std::(unordered_)?(multi)?map ")


def plain(v):
    """A variable as the program tells it: lists, numbers, texts."""
    kind, summary = v["kind"], v.get("summary", "")
    if kind == "enum":
        return v["string"].split("::")[-1]
    if "string" in v and kind != "char":
        return v["string"]
    if kind in ("struct", "array", "union"):
        inner = v.get("elements", v.get("members"))
        if MAPS.match(summary):
            return [pair(m) for m in inner]
        if summary.startswith("std::unique_ptr"):
            return [plain(m) for m in inner if m["name"] == "*get()"]
        return [plain(m) for m in inner]
    return v.get("value")


def pair(m):
    """An element of a map: its key is its name."""
    key = m["name"]
    if re.match(r'^\[".*"\]$', key, re.S):
        return [key[2:-2], plain(m)]
    key = key[1:-1]
    if m["kind"] == "struct" and [x["name"] for x in m["members"]] == \
            ["first", "second"]:
        return plain(m)
    if re.match(r"^-?\d+(\.\d+)?$", key):
        return [float(key), plain(m)]
    return [key.split("::")[-1], plain(m)]


def cut(value):
    """The truth, as far as it is shown."""
    if isinstance(value, list):
        return [cut(v) for v in value[:SHOWN]]
    if isinstance(value, str):
        return value[:1024]
    return value


def check_truth(shown, truth, t, what):
    for name, want in truth.items():
        if name == "":
            continue
        got = plain(shown[name])
        if not t.equal(got, cut(want), what, name):
            continue
        if isinstance(want, list) and len(want) > SHOWN:
            t.equal((shown[name].get("length"), shown[name].get("truncated")),
                    (len(want), True), what, name)
        else:
            t.equal(shown[name].get("length", len(want)), len(want), what,
                    name)


# Member, summary, and (when not None) what it holds.
VALUES = [
    ("vector", "std::vector of length 3, capacity 8", None),
    ("empty_vector", "std::vector of length 0, capacity 0", []),
    ("moved", "std::vector of length 0, capacity 0", []),
    ("bits", r"std::vector<bool> of length 70, capacity (128|192|320)", None),
    ("deque", "std::deque of length 41", None),
    ("list", "std::list with 2 elements", None),
    ("forward", "std::forward_list with 2 elements", None),
    ("empty_map", "std::map with 0 elements", []),
    ("multimap", "std::multimap with 3 elements", None),
    ("names", "std::set with 2 elements", None),
    ("multiset", "std::multiset with 3 elements", None),
    ("unordered", "std::unordered_map with 3 elements", None),
    ("empty_unordered", "std::unordered_set with 0 elements", []),
    ("full", "std::optional", [5]),
    ("none", "std::optional without a value", []),
    ("choice", r"std::variant \[index 1\]", ["chosen"]),
    ("number", r"std::variant \[index 2\]", [2.5]),
    ("tuple", "std::tuple", [1, "two", 51, [], 4.5]),
    ("empty_tuple", None, []),
    ("array", "std::array of length 4", None),
    ("empty_array", "std::array of length 0", []),
    ("fixed_span", "std::span of length 2", [4, 5]),
    ("shared", r"std::shared_ptr \(use count 2, weak count 1\)", None),
    ("no_shared", r"std::shared_ptr \(empty\)", ["0x0"]),
    ("weak", r"std::weak_ptr \(use count 2, weak count 1\)", None),
    ("expired", r"std::weak_ptr \(expired, weak count 1\)", None),
    ("function", r"std::function calling increment\(int\)", []),
    ("lambda", r"std::function calling .*fill_values.*", []),
    ("no_function", "std::function, empty", []),
    ("any_text", "std::any holding std::string", ["any"]),
    ("any_int", "std::any holding int", [77]),
    ("any_point", "std::any holding Point", [[6, "any"]]),
    ("no_any", "std::any without a value", []),
    ("atomic", None, 8),
    ("flag", None, True),
    ("bitset", r"std::bitset 1010100101 \(5 of 10 set\)", []),
    ("long_bitset", r"std::bitset 10+1 \(2 of 200 set\)", []),
    ("duration", "1500 ms", 1500),
    ("minutes", "2.5 min", 2.5),
    ("time", "2023-11-14 22:13:20.25 UTC", None),
    ("before", "1969-12-30 23:59:59 UTC", -86401),
    ("steady", "5000000000 ns of steady_clock", 5000000000),
]
TEXTS = [("wide_text", "w\u00edde \U0001F600"),
         ("text16", "sixteen \u20ac \U0001F600"), ("text32", "thirty-two")]


def check_values(shown, t, what):
    for name, summary, want in VALUES:
        v = shown[name]
        if summary is None:
            t.check(v.get("summary") in (None, "std::tuple"), what, name, v)
        else:
            t.check(re.fullmatch(summary, v.get("summary", "")), what, name,
                    v.get("summary"))
        if want is not None:
            t.equal(plain(v), want, what, name)
    for name, want in TEXTS:
        t.equal(shown[name].get("string"), want, what, name)
    long_text = shown["long_text"]
    t.equal((long_text.get("length"), long_text.get("truncated")),
            (3000, True), what, "long_text")
    for name in "shared", "other", "weak":
        got, target = shown[name]["members"][:2]
        t.equal((got["name"], target["name"]), ("get()", "*get()"), what, name)
        t.equal(plain(target), [4, "shared"], what, name)
        t.equal(got["value"], target["address"], what, name)
    t.equal([m["name"] for m in shown["expired"]["members"]], ["get()"],
            what, "what is gone is not shown")
    t.equal(shown["pointer"]["value"],
            shown["unique"]["members"][0]["value"], what, "pointer")


# Member of `broken`, which of it, and what has to be said.
DAMAGE = [
    ("vector", "vector", "not valid"), ("backwards", "vector", "not valid"),
    ("far", "vector", "of length 64, whose memory at .* cannot be read"),
    ("list", "list", "not valid"),
    ("ring", "list", "damaged: element 1 .* is not linked back"),
    ("map", "map", "not valid"),
    ("inner", "map", r"damaged: element \d+ cannot be reached"),
    ("unordered", "unordered", "not valid"),
    ("short_chain", "unordered", "damaged: its nodes are 1"),
    ("deque", "deque", "not valid"),
    ("forward", "forward", "with 3 elements, damaged: element 2 leads back to element 0"),
    ("shared", "shared", "cannot be one"),
]


def check_damage(broken, debug, t, what):
    for name, member, said in DAMAGE:
        if debug and name in ("backwards", "far"):
            continue  # its pointers are not where the program put those
        v = [m for m in broken[name]["members"] if m["name"] == member][0]
        t.check(re.search(said, v.get("summary", "")), what, name,
                v.get("summary"))
        # What the debugger sees is there for who wants to look into it.
        if "not valid" in v.get("summary", ""):
            t.check(v["members"], what, name)
    t.check("not valid" in broken["optional"].get("summary", ""), what,
            broken["optional"])
    t.check("no alternative" in broken["variant"].get("summary", ""), what,
            broken["variant"])


def check_locals(snapshot, t, what):
    """In die(): parameters as they are, locals that are not constructed."""
    frame = [f for f in snapshot["threads"][0]["frames"]
             if f["symbol"].startswith("die")][0]
    v = {v["name"]: v for v in frame["variables"]}
    t.equal(plain(v["points"]), [[1, "one"], [2, "two"]], what, "points")
    for name in ("later", "later_list", "later_map", "later_set",
                 "later_deque"):
        t.check(re.search("not valid|cannot be read",
                          v[name].get("summary", "")), what, name,
                v[name].get("summary"))
    t.check("string" not in v["later_text"], what, v["later_text"])


def leaves(v, out):
    """The same as _gdb_containers.py gives of GDB's printers."""
    kind = v["kind"]
    if "string" in v and kind != "enum" and kind != "char":
        out.append(v["string"])
    elif kind in ("struct", "array", "union"):
        for m in v.get("elements", v.get("members")):
            if MAPS.match(v.get("summary", "")) and m["name"][1:2] == '"':
                out.append(m["name"][2:-2])
            elif MAPS.match(v.get("summary", "")) and re.match(
                    r"^\[-?[\d.]+\]$", m["name"]) and not (
                        m["kind"] == "struct" and
                        m["members"][0]["name"] == "first"):
                out.append(float(m["name"][1:-1]))
            elif m["name"] == "*get()":
                continue
            leaves(m, out)
    elif kind == "pointer":
        out.append(v.get("string", v["value"]))
    else:
        value = v.get("value")
        out.append(int(value) if isinstance(value, str) else value)


# GDB shows these in other ways (bits by number, callables by their bytes), or
# keys by name of the enumerator.
NOT_GDB = {"bitset", "long_bitset", "function", "lambda", "no_function",
           "colors", "atomic", "flag", "pointer", "with_deleter"}


def check_gdb(modules, shown, least, t, what):
    out = os.path.join(modules.dir, "gdb.json")
    done = subprocess.run(
        ["gdb", "-q", "-batch", "-nx", "-iex", "set debuginfod enabled off",
         "-iex", "add-auto-load-safe-path /usr/share/gdb", "-ex",
         "set print elements 0", "-ex", f'set $out = "{out}"', "-x",
         os.path.join(HERE, "_gdb_containers.py"), modules.exe, modules.core],
        capture_output=True, text=True, timeout=crash.TIMEOUT, check=False)
    if not t.check(os.path.exists(out), what, done.stderr[-500:]):
        return
    with open(out) as f:
        theirs = json.load(f)
    t.check(len(theirs) > 70, what, "GDB shows", len(theirs))
    compared = 0
    for name, want in theirs.items():
        if name in NOT_GDB or isinstance(want, str):
            continue
        ours = []
        leaves(shown[name], ours)
        if len(want) > len(ours):
            # Ours are cut where theirs are not.
            t.check("length" in shown[name], what, name, len(ours), len(want))
            want = want[:len(ours)]
        compared += 1
        t.equal([x[:1024] if isinstance(x, str) else x for x in ours],
                [x[:1024] if isinstance(x, str) else x for x in want],
                what, name, "GDB:")
    t.check(compared >= least, what, "compared with GDB:", compared)


def writable(core):
    """(offset, size) of the segments of data and heap in the core."""
    offset, = struct.unpack_from("<Q", core, 32)
    count, = struct.unpack_from("<H", core, 56)
    for i in range(count):
        kind, flags, at, address, _, size = struct.unpack_from(
            "<IIQQQQ", core, offset + 56 * i)
        if kind == 1 and flags & 2 and size and address < 0x7f0000000000:
            yield at, min(size, 128 * 1024)


def check_random(modules, t, what):
    """Words of data and heap that are something else: nothing worse comes of it
    than a value that says what is wrong with it."""
    with open(modules.core, "rb") as f:
        sound = f.read()
    segments = list(writable(sound))
    t.check(segments, what, "no data in the core")
    path = os.path.join(modules.dir, "damaged")
    out = os.path.join(modules.dir, "damaged.btt")
    for seed in range(8):
        random_ = random.Random(seed)
        core = bytearray(sound)
        for _ in range((30, 300, 3000)[seed % 3]):
            at, size = random_.choice(segments)
            word = random_.choice([
                0, 1, (1 << 64) - 1, random_.getrandbits(64),
                random_.getrandbits(20), struct.unpack_from(
                    "<Q", core, at + 8 * random_.randrange(size // 8))[0]])
            struct.pack_into("<Q", core, at + 8 * random_.randrange(size // 8),
                             word)
        with open(path, "wb") as f:
            f.write(core)
        done = modules.bench.run("ptrace", "--core", path, modules.exe, "-o",
                                 out, "--overwrite", "--global", "all",
                                 "--global", "broken")
        t.check(done.returncode == 0 and "cpp" not in done.stderr, what,
                "seed", seed, done.stderr)


# Of these GDB tells what is left of them; ours has to be as much.
OPTIMIZED = """
#include <bitset>
#include <cstdlib>
#include <optional>
__attribute__((noinline)) static void use(int n)
{ if (n != 99) std::abort(); }
int main(int argc, char **)
{
	std::optional<int> full = argc + 4;
	std::bitset<8> bits((unsigned long)argc + 9);
	use(*full);
	return full.value_or(1) + (int)bits.count();
}
"""


def check_optimized(bench, t):
    source = os.path.join(bench.new_dir(), "optimized.cpp")
    with open(source, "w") as f:
        f.write(OPTIMIZED)
    modules = _modules.Modules(bench, source, ["-g", "-std=c++20", "-O2"],
                               "g++")
    _, snapshot = modules.run()
    frame = [f for f in snapshot["threads"][0]["frames"]
             if f["symbol"] == "main"][0]
    shown = {v["name"]: v for v in frame["variables"]}
    done = subprocess.run(
        ["gdb", "-q", "-batch", "-nx", "-iex", "set debuginfod enabled off",
         "-iex", "set auto-load off", "-ex", "frame function main", "-ex",
         "info locals", modules.exe, modules.core],
        capture_output=True, text=True, timeout=crash.TIMEOUT, check=False)
    known = 0
    for name, said, want in (
            ("full", "_M_value = 5}, _M_engaged = true", "std::optional"),
            ("bits", "_M_w = 10", "std::bitset 00001010 (2 of 8 set)")):
        line = re.search(rf"^{name} = (.*)$", done.stdout, re.M)
        if line and said in line.group(1):
            known += 1
            t.equal(shown[name].get("summary"), want, "optimized", name)
            t.check("address" not in shown[name], "in memory", shown[name])
    t.check(known, "GDB knows none of them:", done.stdout[-500:])


MANY = """
#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>
#include <unistd.h>
std::vector<std::vector<int>> many[120];
static std::atomic<int> ready;
__attribute__((noinline)) static void wait(const std::vector<int> &elsewhere)
{ ready = 1; while (!elsewhere.empty()) pause(); }
__attribute__((noinline)) static void die(const std::vector<int> &here)
{ if (!here.empty()) std::abort(); }
int main()
{
	for (auto &m : many)
		m.assign(64, std::vector<int>{1, 2});
	std::vector<int> numbers(40, 7);
	std::thread other(wait, numbers);
	while (!ready)
		usleep(1000);
	die(numbers);
	other.join();
}
"""


def check_many(bench, t):
    """The faulting thread shows more; all together is bounded, and that is no
    news to a user."""
    source = os.path.join(bench.new_dir(), "many.cpp")
    with open(source, "w") as f:
        f.write(MANY)
    modules = _modules.Modules(bench, source, ["-g", "-std=c++17"], "g++")
    _, snapshot = modules.run("--global", "many")
    t.equal(_modules.warnings_of(snapshot), "", "many")
    shown = {}
    for thread in snapshot["threads"]:
        for frame in thread["frames"]:
            for v in frame.get("variables") or []:
                if v["name"] in ("here", "elsewhere"):
                    shown[v["name"]] = v
    for name, want, length in (("here", 40, None), ("elsewhere", 10, 40)):
        v = shown[name]
        t.equal(v["summary"], "std::vector of length 40, capacity 40", name)
        t.equal((len(v["elements"]), v.get("length")), (want, length), name)
    counts = {"summary": 0, "elements": 0}

    def count(v):
        counts["summary"] += "summary" in v
        if v.get("summary", "").startswith("std::vector of length 2,"):
            counts["elements"] += len(v["elements"])
        for m in v.get("elements", v.get("members", [])):
            count(m)
    for v in snapshot["globals"]:
        count(v)
    t.check(1000 < counts["summary"] <= 5000, "many", counts)
    t.check(1000 < counts["elements"] <= 20000, "many", counts)


def globals_of(snapshot):
    return {g["name"]: {m["name"]: m for m in g["members"]}
            for g in snapshot["globals"]}


def have_libcxx(bench):
    path = os.path.join(bench.new_dir(), "a.cpp")
    with open(path, "w") as f:
        f.write("#include <vector>\nint main() { return 0; }\n")
    done = subprocess.run(["clang++", LIBCXX, path, "-o", path + ".out"],
                          capture_output=True, check=False)
    return done.returncode == 0


def check_build(bench, name, t):
    compiler, flags = BUILDS[name]
    debug = "-D_GLIBCXX_DEBUG" in flags
    modules = _modules.Modules(bench, SOURCE, ["-g", "-std=c++20", *flags],
                               compiler, timeout=500)
    done, snapshot = modules.run("--global", "all", "--global", "broken")
    if not t.check(snapshot is not None, name, done.stderr):
        return
    t.equal(_modules.warnings_of(snapshot), "", name, done.stderr)
    t.check("module 'cpp'" not in done.stderr, name, done.stderr)
    shown = globals_of(snapshot)
    with open(os.path.join(os.path.dirname(modules.core),
                           "truth.json")) as f:
        truth = json.load(f)
    check_truth(shown["all"], truth, t, name)
    check_values(shown["all"], t, name)
    check_damage(shown["broken"], debug, t, name)
    if "-O0" in flags and not debug:
        check_locals(snapshot, t, name)
    if LIBCXX not in flags:
        # GDB's printers fail on some of them, in debug mode on many.
        check_gdb(modules, shown["all"], 30 if debug else 50, t, name)
    if name in ("gcc-O0", "libcxx-O0"):
        check_random(modules, t, name)
    # Without the module, members as they are.
    _, raw = modules.run("--global", "all", "--no-pretty-print")
    v = globals_of(raw)["all"]["map"]
    t.check("summary" not in v and "_M_t" in str(v) or "__tree_" in str(v),
            name, v)


def body(bench, t):
    names = [n for n, (cc, _) in BUILDS.items() if shutil.which(cc)]
    if not have_libcxx(bench):
        print("without libc++: not installed")
        names = [n for n in names if LIBCXX not in BUILDS[n][1]]
    check_optimized(bench, t)
    check_many(bench, t)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda n: check_build(bench, n, t), names))


if __name__ == "__main__":
    sys.exit(_modules.main(body))
