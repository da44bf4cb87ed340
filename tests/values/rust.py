#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Values of Rust, of rustc as Debian has it and of any other in PATH: what is
wanted is what the program sets, in the form GDB shows (language rust)."""
import os
import shutil
import subprocess
import sys
import tempfile

import _values
import crash

DEBIAN = "/usr/bin/rustc"
WANTED = {
    "n": 42, "name": "a name", "slice": [20, 30], "change": [1, 2],
    "some": ("Some", {"Some": {"__0": 42}}),
    "none": ("None", {"None": {}}),
    "none_box": ("None", {"None": {}}),
    "ok": ("Ok", {"Ok": {"__0": 3}}),
    "circle": ("Circle", {"Circle": {"__0": 2.5}}),
    "rect": ("Rect", {"Rect": {"w": 3, "h": 4}}),
    "unit_shape": ("Unit", {"Unit": {}}),
    "color": "kinds::Color::Green",
    "only": ("Only", {"Only": {"__0": 5}}),
    "niche_b": ("B", {"B": {}}), "niche_c": ("C", {"C": {}}),
    "multi": [("X", {"X": {"__0": True}}), ("Y", {"Y": {}}),
              ("Z", {"Z": {"__0": 8}}), ("W", {"W": {}})],
    "low": ("Lo", {"Lo": {"__0": str(0x1234567890abcdef1234567890abcdef)}}),
    "high": ("Hi", {"Hi": {"__0": str(-2**127)}}),
    "p": ("P", {"P": {"__0": 513}}), "q": ("Q", {"Q": {}}),
    "point": {"x": 1, "y": -2}, "pair": {"__0": 7, "__1": "text"},
    "nothing": {}, "both": {"a": 0x3f800000, "b": 1.0}, "unit": {},
    "tuple": {"__0": 1, "__1": "x", "__2": 2.5, "__3": True},
    "array": [[1, 2], [3, 4]], "ch": "λ", "chars": ["a", "é", "😀"],
    "big": str(2**128 - 1), "small": str(-2**127),
    "text_or": ("Some", {"Some": {"__0": "opt"}}),
    "text_none": ("None", {"None": {}}),
    "slice_or": ("Some", {"Some": {"__0": [20, 30]}}),
    "nested": ("Some", {"Some": {"__0": ("None", {"None": {}})}}),
    "color_none": ("None", {"None": {}}),
    "empty": [], "words": ["p", "q"], "boxed_slice": [1, 2],
    "boxed_text": "boxed",
}
TYPES = {
    "slice": "&[i32]", "change": "&mut [u16]", "array": "[[i32; 2]; 2]",
    "bytes": "&[u8; 6]", "reference": "&kinds::Point", "unit": "()",
    "some": "core::option::Option<i32>", "object": "&dyn kinds::Speak",
    "function": "fn(i32)", "tuple": "(u8, char, f32, bool)",
}
GLOBALS = {"kinds::MUTABLE": -5 + 77 + 12,
           "kinds::GREETING": "hello static"}


def first(v):
    """The innermost first member, through wrappers."""
    while isinstance(v, dict) or isinstance(v, tuple):
        v = v[1] if isinstance(v, tuple) else v
        v = next(iter(v.values()))
    return v


def check_followed(c, doc, have, what):
    """Pointers lead to objects of the snapshot."""
    for name, want in {"boxed": {"x": 5, "y": 6},
                       "reference": {"x": 1, "y": -2},
                       "bytes": list(b"bytes!")}.items():
        target = doc["objects"][have[name]["ref"]]
        c.equal(_values.plain(target), want, f"{what} *{name}")


def check(c, build, rustc, directory):
    os.makedirs(directory)
    exe = os.path.join(directory, "kinds")
    subprocess.run([rustc, "-g", "--edition=2021", "-Awarnings", "-o", exe,
                    os.path.join(_values.PROGRAMS, "kinds.rs")], check=True,
                   stdin=subprocess.DEVNULL, timeout=_values.TIMEOUT)
    options = [f"--global={name}" for name in GLOBALS]
    doc = _values.document(build, exe, crash.core(exe, directory), *options)
    have = _values.variables(doc, "kinds::show")
    for name, want in WANTED.items():
        c.equal(_values.plain(have[name]), want, f"{rustc} {name}")
    for name, want in TYPES.items():
        c.equal(have[name]["type"], want, f"{rustc} type of {name}")
    for name, want in {"owned": "owned", "err": "Err", "named": "Named",
                       "nonzero": "Some"}.items():
        c.equal(have[name].get("string"), want, f"{rustc} {name}")
    c.equal(_values.plain(have["vector"])["len"], 3, f"{rustc} vector")
    c.equal(first(_values.plain(have["nonzero"])), 7, f"{rustc} nonzero")
    text = have["err"]["members"][0]["members"][0]
    c.equal(text["string"], "bad", f"{rustc} err")
    check_followed(c, doc, have, rustc)
    c.equal({v["name"]: _values.plain(v) for v in doc["globals"]}, GLOBALS,
            f"{rustc} globals")


def main():
    build = _values.build_directory()
    compilers = {shutil.which(DEBIAN), shutil.which("rustc")} - {None}
    if not compilers:
        print("SKIP: no rustc")
        return 77
    c = _values.Checks()
    with tempfile.TemporaryDirectory(prefix="values.") as directory:
        for i, rustc in enumerate(sorted(compilers)):
            check(c, build, rustc, f"{directory}/{i}")
    return c.end()


if __name__ == "__main__":
    sys.exit(main())
