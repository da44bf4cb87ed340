#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The Lua interface: a module that uses every name and checks the answers,
what of it is in the snapshot, and what is said about mistakes in a module."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "modules"))
import _modules  # noqa: E402


def check_run(done, s, t):
    """What the module found wrong, and what the snapshot has of it."""
    failed = [l for l in done.stderr.splitlines() if "FAIL" in l]
    t.equal(failed, [], "inside the module:")
    t.check(" checks" in done.stderr, done.stderr)
    t.check("unloaded" in done.stderr, done.stderr)
    warnings = _modules.warnings_of(s)
    t.check("annotation dropped: it is not one JSON object" in warnings,
            warnings)
    t.equal(len(s["warnings"]), 3, warnings)
    for level, mark in ("info", ""), ("warning", "warning: "), ("error", ""):
        t.check(f"ptrace: {mark}module 'api': a line of level {level}\n"
                in done.stderr, level, done.stderr)
    t.check("level debug" not in done.stderr, done.stderr)
    check_snapshot(s, t)


def check_contents(shown, t):
    """What was added from raw variables."""
    v = shown["contents"]
    t.equal((v["summary"], v["length"], v["truncated"]),
            ("5 of many", 6, True))
    t.equal([(e["name"], e["kind"], e.get("value")) for e in v["elements"]],
            [("", "int", 10), ("", "int", 20), ("named", "struct", None),
             ("", "float", 0.5), ("b", "bool", True)])
    t.equal(v["elements"][2]["members"][0]["value"], 3)
    t.check("string" not in v, v)
    t.check("length" not in shown["exact"], shown["exact"])
    t.equal([shown["cut"].get(k) for k in ("string", "length", "truncated")],
            ["cut", 9, True])
    t.equal([[m["name"] for m in shown[name]["members"]]
             for name in ("skipped", "shown", "flat")],
            [["only"], ["v", "next", "only"], []])


def check_snapshot(s, t):
    t.equal(s["attributes"]["answer"], 42)
    t.equal(s["attributes"]["color"], "red")
    t.equal(s["attributes"]["tag.tagged"], True)
    t.check("lua" in s["classifiers"], s["classifiers"])
    thread = s["threads"][0]
    t.equal(thread["name"], "renamed")
    t.equal([f["symbol"] for f in thread["frames"]][:3],
            ["made up", "beside", "recurse"])
    t.equal(thread["frames"][-1]["symbol"], "outermost")
    made = thread["frames"][0]
    t.equal((made["path"], made["line"]), ("/d/e.c", 3))
    shown = {v["name"]: v for v in made["variables"]}
    t.equal(shown["ll"]["value"], -5)
    t.equal(shown["ull"]["value"], "18446744073709551615")
    t.equal(shown["dbl"]["value"], 0.25)
    t.equal(shown["enum"]["string"], "TWO")
    t.equal(shown["ref"]["value"], "0x1000")
    t.equal(shown["fn"]["string"], "f")
    t.equal(shown["text"]["string"], "a\0b")
    # A value of its own takes the place of a summary.
    t.equal((shown["told"].get("string"), shown["told"].get("summary")),
            ("the value", None))
    t.equal((shown["cdbl"]["kind"], shown["cdbl"]["value"]),
            ("complex", [1.0, -1.0]))
    t.equal((shown["integer"]["kind"], shown["integer"]["value"],
             shown["integer"]["string"]), ("enum", 2, "ZWEI"))
    t.equal((shown["label"]["kind"], shown["label"]["value"]), ("enum", 3))
    t.equal(shown["struct"]["kind"], "struct")
    t.equal(shown["empty"]["kind"], "array")
    check_contents(shown, t)
    t.equal(thread["annotations"][0]["text"], "thread 1")
    t.equal([e["value"] for e in shown["array"]["elements"]], [0, 1, 4])
    frame = thread["frames"][2]
    local = [v for v in frame["variables"] if v["name"] == "local"][0]
    t.equal(local["members"][-1]["string"], "made")
    t.equal(local["annotations"][0]["text"], "struct local")
    t.equal(frame["annotations"][0]["text"], "100%")
    jsons = [a["json"] for a in s["annotations"] if a["level"] == "json"]
    t.equal(jsons, [{"json": {"context": "Fault", "Reason": "SEGV_MAPERR",
                              "Num": 11}}])
    # What was found before speaks of the frames as they are now.
    t.equal(thread["frames"][s["fault"]["frame"]]["symbol"], "recurse")
    t.equal({f["frame"] for f in s["findings"]}, {2})


DEFINE = 'pmodule.define { id = "m", load = function() %s end }\n'

# A module, what is said about it.
MISTAKES = [
    ("x = = 1", "m.lua:1: unexpected symbol near '='"),
    ("error('at start')", "m.lua:1: at start"),
    ("local a = 1", "does not call pmodule.define"),
    ("pmodule.define { load = print }", "id is no text"),
    ("pmodule.define { id = 'm' }", "load is missing"),
    ("pmodule.define { id = 'm', load = 1 }", "load is a number"),
    ("\x1bLJ\x02", "only sources are loaded"),
    ("while true do end", "took more than"),
    (DEFINE % "error('in load')", "m.lua:1: in load"),
    (DEFINE % "pmodule.register('variable', print)",
     "m.lua:1: bad argument #1 to 'register' (one of pmodule.event expected, "
     "got string)"),
    (DEFINE % "pmodule.register(pmodule.event.frame, nil)",
     "function expected"),
    ("pmodule.backtrace()", "m.lua:1: there is no backtrace yet"),
    ("pmodule.register(pmodule.event.frame, print)",
     "registered by the load function"),
    (DEFINE % "pmodule.match():add_flie('x')",
     "no method 'add_flie' on match; did you mean 'add_file'?"),
]


def check_mistakes(modules, t):
    for text, why in MISTAKES:
        path = modules.write("m.lua", text)
        done, snapshot = modules.run(
            "--module-load", path, "--module-timeout=1")
        t.equal(done.returncode, 0, text, done.stderr)
        t.check(snapshot and why in _modules.warnings_of(snapshot), text, why,
                done.stderr)
        t.check(why in done.stderr, text, done.stderr)


ALLOWED = """
pmodule.define { id = "m", load = function()
  print(type(os.time()), type(io.open), type(ffi.new), type(require),
    type(debug.traceback))
end }
"""


def check_whitelist(modules, t):
    path = modules.write("m.lua", ALLOWED)
    done, _ = modules.run("--module-load", path,
                          "--sandbox-whitelist=os,io,ffi,package,debug")
    t.check("number\\tfunction\\tfunction\\tfunction\\tfunction"
            in done.stderr, done.stderr)
    done, _ = modules.run("--module-load", path, "--sandbox-whitelist=os")
    t.check("m.lua:3: attempt to index global 'io' (a nil value)"
            in done.stderr, done.stderr)


TRACE = """
local function deep(x)
  return x.member.other
end
local function middle(x) local y = deep(x) return y end
pmodule.define { id = "m", load = function()
  pmodule.register(pmodule.event.frame, function(frame)
    middle({})
  end)
end }
"""


def check_traceback(modules, t):
    """File, line and the way there: each a line on the console, the first one
    in the snapshot, and not more often than helps."""
    path = modules.write("m.lua", TRACE)
    done, snapshot = modules.run("--module-load", path)
    said = "m.lua:3: attempt to index field 'member' (a nil value)"
    lines = done.stderr.splitlines()
    at = lines.index("ptrace: module 'm': " + said)
    t.equal(lines[at + 1], "ptrace: module 'm': stack traceback:")
    for line, place in ((at + 2, "m.lua:3: in function 'deep'"),
                        (at + 3, "m.lua:5: in function 'middle'"),
                        (at + 4, "m.lua:8: in function <m.lua:7>")):
        t.check(place in lines[line], lines[line])
    warnings = [w["text"] for w in snapshot["warnings"]
                if w["stage"] == "module:m"]
    t.check(1 <= len(warnings) <= 10 and set(warnings) == {said}, warnings)


OPTIONS = """
pmodule.define { id = "m", load = function()
  for _, key in ipairs { "a", "b", "c", "d", "enable" } do
    print(key .. "=" .. tostring(pmodule.config_option(key)))
  end
end }
"""


def check_options(modules, t):
    """--module=ID:key,value: several at once, repeated, the last one wins, values
    with colons, values that are empty; another module's are not seen."""
    path = modules.write("m.lua", OPTIONS)
    for given, wanted in (
            ([], "a=nil b=nil c=nil d=nil enable=nil"),
            (["--module=m:a,1"], "a=1 b=nil c=nil d=nil enable=nil"),
            (["--module=m:a,1,b,2", "--module", "m:c,3"],
             "a=1 b=2 c=3 d=nil enable=nil"),
            (["--module=m:a,1", "--module=m:a,2,b,x:y:z,c,"],
             "a=2 b=x:y:z c= d=nil enable=nil"),
            (["--module=other:a,1", "--module=m:enable,true,d,4"],
             "a=nil b=nil c=nil d=4 enable=true")):
        done, _ = modules.run("--module-load", path, *given)
        t.equal(done.returncode, 0, given)
        got = [l.split(": ")[-1] for l in done.stderr.splitlines()
               if l.startswith("ptrace: module 'm': ")]
        t.equal(" ".join(got), wanted, given)
    done, _ = modules.run("--module-load", path, "--module=m:enable,false")
    t.check("module 'm':" not in done.stderr, done.stderr)
    for given in ("--module=m:a", "--module=m", "--module=:a,1"):
        done, _ = modules.run("--module-load", path, given)
        t.equal(done.returncode, 1, given, done.stderr)


def check_go(modules, t):
    """What the tracing library for Go passes: a snapshot, whose path is all
    that is printed, also where nothing is known of the module."""
    for go in ("go:enable,true", "go:enable,true,filter,user",
               "go:enable,true,filter,user,goid,218"):
        done, snapshot = modules.run("--load=", "--module=" + go, "--faulted",
                                     "--classifier", "runtime.errorString",
                                     "--kv", "time:2016/11/20 21:29:46")
        t.equal(done.returncode, 0, done.stderr)
        t.equal(len(done.stdout.split()), 1, done.stdout)
        t.check("runtime.errorString" in snapshot["classifiers"], go)
        t.equal(snapshot["attributes"]["time"], "2016/11/20 21:29:46")


def body(bench, t):
    modules = _modules.Modules(bench, os.path.join(
        _modules.HERE, "programs", "crash.c"))
    with open(os.path.join(HERE, "programs", "api.lua")) as f:
        path = modules.write("api.lua", f.read())
    done, snapshot = modules.run("--modules-path", modules.dir,
                                 "--module=api:option,value",
                                 "--sandbox-whitelist=")
    if not t.check(snapshot is not None, done.stderr):
        return
    check_run(done, snapshot, t)
    os.unlink(path)
    check_mistakes(modules, t)
    check_whitelist(modules, t)
    check_traceback(modules, t)
    check_options(modules, t)
    check_go(modules, t)


if __name__ == "__main__":
    sys.exit(_modules.main(body))
