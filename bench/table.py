# SPDX-License-Identifier: MIT
"""The table of a run, the bars it is held against, and both as Markdown and
JSON."""
import copy
import json
import os
import platform
import re
import time

MIB = 1 << 20


class Bar:
    """Ours must need at most 1/factor of theirs."""

    def __init__(self, factor, theirs, goal=None, ours="ptrace", what="wall"):
        self.factor, self.theirs, self.goal = factor, theirs, goal
        self.ours, self.what = ours, what

    def met(self, row):
        """(text, met or None when not measured)"""
        mine, other = row.get(self.ours), row.get(self.theirs)
        name = f"{self.ours}: {self.what} 1/{self.factor:g} of {self.theirs}"
        if mine is None or other is None:
            return name, None, None
        ratio = other[self.what] / max(mine[self.what], 1e-9)
        return name, ratio >= self.factor, f"1/{ratio:.1f}"


class Limit:
    """Ours must need at most so much, or have at least so much."""

    def __init__(self, what, limit, ours="ptrace", least=False):
        self.what, self.limit = what, limit
        self.ours, self.least = ours, least

    def met(self, row):
        mine = row.get(self.ours)
        shown = f"{self.limit / MIB:g} MiB" if self.what in ("peak", "read") \
            else f"{self.limit:,}"
        name = f"{self.ours}: {self.what} {'>=' if self.least else '<='} " \
            + shown
        if mine is None or mine.get(self.what) is None:
            return name, None, None
        value = mine[self.what]
        text = f"{value / MIB:.1f} MiB" if self.what in ("peak", "read") \
            else f"{value:,.3f}" if isinstance(value, float) else f"{value:,}"
        return name, (value >= self.limit if self.least
                      else value <= self.limit), text


FAST = [Limit("wall", 0.010, ours="bt --no-variables")]
CHROMIUM = [Bar(15, "gdb bt", 25), Bar(9, "lldb"), Bar(1, "eu-stack -i"),
            Bar(4, "gdb bt", what="peak"),
            Bar(60, "gdb bt", 100, ours="bt --no-variables")]
MANY = [Bar(28, "gdb bt", 40), Bar(11, "gdb bt, no arguments", 17),
        Bar(70, "gdb bt full", 110), Limit("peak", 120 * MIB),
        Limit("variables", 315019, least=True),
        Bar(60, "gdb bt", 100, ours="bt --no-variables")]
BARS = {
    "chromium-browser": CHROMIUM,
    "chromium-renderer": CHROMIUM,
    "chromium-browser-cold": [Bar(5, "gdb bt", 8), Limit("read", 60 * MIB)],
    "many1000": MANY,
    "many1000-clang": MANY[:4] + MANY[5:],
    "deep100k": [Bar(40, "gdb bt, no arguments", 60)],
    "python": [Bar(20, "gdb bt", 60),
               Bar(60, "gdb bt", 100, ours="bt --no-variables")],
    "ceph-mon": [Bar(10, "gdb bt", 20), Bar(3, "gdb bt", what="peak"),
                 Bar(60, "gdb bt", 100, ours="bt --no-variables")],
    "ceph-mon-inflated": [Bar(40, "gdb bt", 100), Limit("peak", 150 * MIB)],
    "redis": [Bar(8, "gdb bt", 12), *FAST],
    "bigheap4g": [Limit("wall", 2.0), *FAST],
    "edge": FAST,
}


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo") as f:
        match = re.search(r"model name\s*: (.*)", f.read())
        model = match.group(1) if match else model
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


def with_cache(bar):
    """The same bar for the run that has a cache; None: it has none."""
    if bar.what != "wall" or bar.ours not in ("ptrace", "bt --no-variables"):
        return None
    other = copy.copy(bar)
    other.ours += " --cache"
    return other


def verdicts(name, row):
    """Lines of bars: (text, met, figure). The bars are for runs without a
    cache; what one changes is told behind them."""
    bars = BARS.get(name, [])
    return [bar.met(row)
            for bar in [*bars, *filter(None, map(with_cache, bars))]
            if bar in bars or bar.ours in row]


def seconds(value):
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"


def markdown(result):
    lines = [f"# Side by side, {result['date']}", "", result["machine"], ""]
    lines += [f"- {program}: {version}"
              for program, version in result["versions"].items()]
    lines += ["", "Medians. `cpu` and `peak` are those of the whole tree of "
              "processes; `ratio` is that tool's wall time over ptrace's. "
              "ptrace writes the whole snapshot with all variables and the "
              "analysis; the others print. Rows with `--cache` have inflated "
              "copies of debug files of one run before; the bars are for "
              "those without.", ""]
    for name, case in result["cases"].items():
        lines += [f"## {name}: {case['text']}", ""]
        if case.get("skipped"):
            lines += [f"Skipped: {case['skipped']}", ""]
            continue
        for text in case["wrong"]:
            lines += [f"**Frames differ, the time does not count:** {text}",
                      ""]
        lines += ["| tool | runs | wall s | ratio | cpu s | peak MiB | "
                  "read MiB | threads | frames | variables | stopped ms |",
                  "|---|---|---|---|---|---|---|---|---|---|---|"]
        base = case["tools"].get("ptrace", {}).get("wall")
        for tool, row in case["tools"].items():
            lines.append(table_line(tool, row, base))
        ours = case["tools"].get("ptrace", {})
        if ours.get("size"):
            lines += ["", f"Core {case['core_size']:,} bytes ("
                      f"{case['core_disk']:,} on disk), snapshot "
                      f"{ours['size']:,} bytes."]
        for text, met, figure in case["bars"]:
            state = {True: "met", False: "MISSED", None: "not measured"}[met]
            lines += ["", f"- {text}: {state}"
                      + (f" ({figure})" if figure else "")]
        lines.append("")
    return "\n".join(lines)


def table_line(tool, row, base):
    if row.get("failed"):
        return f"| {tool} | {row['runs']} | {row['failed']} |" + " |" * 8
    def figure(name):
        return f"{row[name]:,}" if row.get(name) is not None else ""
    ratio = f"{row['wall'] / base:.1f}" if base else ""
    stopped = f"{row['stopped']:.1f}" if row.get("stopped") else ""
    return (f"| {tool} | {row['runs']} | {seconds(row['wall'])} | {ratio} | "
            f"{seconds(row['cpu'])} | {row['peak'] / MIB:.0f} | "
            f"{row['read'] / MIB:.0f} | {figure('threads')} | "
            f"{figure('frames')} | {figure('variables')} | {stopped} |")


def save(result, where):
    """Writes both forms; returns the path without its suffix."""
    os.makedirs(where, exist_ok=True)
    base = os.path.join(where, time.strftime("%Y-%m-%d"))
    with open(base + ".json", "w") as f:
        json.dump(result, f, indent=1)
        f.write("\n")
    with open(base + ".md", "w") as f:
        f.write(markdown(result))
    return base
