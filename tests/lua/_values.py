# SPDX-License-Identifier: MIT
"""Variables of a snapshot's JSON as Python values, for tests of the modules
that show containers."""


def plain(v):
    """Text, numbers, lists, and dicts of members."""
    kind = v["kind"]
    if kind == "array":
        return [plain(e) for e in v.get("elements", [])]
    if kind in ("struct", "union") and "string" in v and not v.get("members"):
        return v["string"]  # text stands for them
    if kind in ("struct", "union"):
        return {m["name"]: plain(m) for m in v.get("members", [])}
    if kind in ("string", "char"):
        return v.get("string")
    return v.get("value")


def frame_variables(snapshot, symbol):
    """name -> variable, of the first frame of that function."""
    for thread in snapshot["threads"]:
        for frame in thread["frames"]:
            if frame["symbol"] == symbol:
                return {v["name"]: v for v in frame["variables"]}
    raise KeyError(symbol)
