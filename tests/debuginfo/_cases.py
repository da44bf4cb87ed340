# SPDX-License-Identifier: MIT
"""The variants of debug information: how each is compiled, linked and taken
apart afterwards. What a variant's snapshot must equal says `like`:

  same      frames, lines and variables of the plain build
  weaker    the same frames and lines; a variable may be unavailable (strict
            DWARF 2 to 4 cannot say all that GNU's extensions can), but where
            it has a value, it has the same
  mostly    same without optimization, weaker with it: GCC leaves constants
            that were propagated out of split units
  lines     frames and lines, no variables
  symbols   functions only
"""
import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
TOOL_TIMEOUT = 30
PROGRAMS = os.path.join(HERE, "programs")
SOURCES = {"c": ("main.c", "parts.c"), "c++": ("app.cpp", "zoo.cpp")}
COMPILERS = {("gcc", "c"): "gcc", ("gcc", "c++"): "g++",
             ("clang", "c"): "clang", ("clang", "c++"): "clang++"}


class Unsupported(Exception):
    """This machine's tools cannot make the variant."""


def sh(command, cwd):
    try:
        done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT, errors="replace",
                              timeout=TOOL_TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        raise Unsupported(" ".join(command) + " does not end")
    if done.returncode != 0:
        raise Unsupported(" ".join(command) + ": " + done.stdout[-600:])
    return done.stdout


def need(*tools):
    for tool in tools:
        if shutil.which(tool) is None:
            raise Unsupported(f"no {tool}")


def compile_program(where, language, cc, flags, link=(), sources=None):
    """Every unit by itself in `where`, as a build system does it; then the
    link. Relative object names, so that .dwo names are relative too."""
    compiler = COMPILERS[cc, language]
    need(compiler)
    objects = []
    for source in sources or SOURCES[language]:
        name = os.path.splitext(source)[0] + ".o"
        sh([compiler, *flags, "-c", os.path.join(PROGRAMS, source), "-o",
            name], where)
        objects.append(name)
    sh([compiler, *flags, *objects, "-o", "prog", *link], where)
    return os.path.join(where, "prog")


def build_id(exe):
    for line in sh(["readelf", "-n", exe], None).splitlines():
        if "Build ID:" in line:
            return line.split()[-1]
    raise Unsupported("no build-id")


def below_build_id(where, exe, debug):
    """The debug file goes to where --debug-path finds it by build-id."""
    name = build_id(exe)
    place = os.path.join(where, "debug", ".build-id", name[:2])
    os.makedirs(place, exist_ok=True)
    path = os.path.join(place, name[2:] + ".debug")
    shutil.move(debug, path)
    return path


# What is done after the link: f(where, exe) -> options for ptrace, or None.

def keep(where, exe):
    del where, exe


def objcopy(*flags):
    def apply(where, exe):
        sh(["objcopy", *flags, exe], where)
    return apply


def split_off(where, exe):
    sh(["objcopy", "--only-keep-debug", "prog", "prog.debug"], where)
    sh(["objcopy", "--strip-all", exe], where)


def debuglink(where, exe):
    split_off(where, exe)
    sh(["objcopy", "--add-gnu-debuglink=prog.debug", exe], where)


def debuglink_below(where, exe):
    debuglink(where, exe)
    os.mkdir(os.path.join(where, ".debug"))
    shutil.move(os.path.join(where, "prog.debug"),
                os.path.join(where, ".debug", "prog.debug"))


def by_build_id(where, exe):
    split_off(where, exe)
    below_build_id(where, exe, os.path.join(where, "prog.debug"))
    return ["--debug-path", os.path.join(where, "debug")]


def eu_strip(where, exe):
    need("eu-strip")
    sh(["eu-strip", "-f", "prog.debug", exe], where)


def symbols_only(where, exe):
    split_off(where, exe)
    debug = os.path.join(where, "prog.debug")
    sh(["objcopy", "--strip-debug", debug], where)
    below_build_id(where, exe, debug)
    return ["--debug-path", os.path.join(where, "debug")]


def minidebuginfo(where, exe):
    """As Fedora's find-debuginfo makes it: an xz file with the function
    symbols that .dynsym lacks."""
    need("xz")
    split_off(where, exe)
    names = []
    with open(os.path.join(where, "keep"), "w") as f:
        for line in sh(["nm", "--defined-only", "--format=posix",
                        "prog.debug"], where).splitlines():
            fields = line.split()
            if len(fields) > 1 and fields[1] in "tTwW":
                names.append(fields[0])
        f.write("\n".join(names) + "\n")
    sh(["objcopy", "-S", "--keep-symbols=keep", "prog.debug", "mini"], where)
    sh(["xz", "--keep", "mini"], where)
    sh(["objcopy", "--add-section", ".gnu_debugdata=mini.xz", exe], where)
    os.remove(os.path.join(where, "prog.debug"))


def dwz_single(where, exe):
    need("dwz")
    sh(["dwz", exe], where)


def dwz_multi(where, exe):
    need("dwz")
    shutil.copy(exe, os.path.join(where, "twin"))
    sh(["dwz", "-m", "common.dwz", "-M", "common.dwz", exe, "twin"], where)


def dwz_debug(where, exe):
    """As distributions have it: a debug file with a dwz file."""
    split_off(where, exe)
    need("dwz")
    shutil.copy(os.path.join(where, "prog.debug"), os.path.join(where, "twin"))
    sh(["dwz", "-m", "common.dwz", "-M", "../../.dwz/common.dwz",
        "prog.debug", "twin"], where)
    below_build_id(where, exe, os.path.join(where, "prog.debug"))
    os.makedirs(os.path.join(where, "debug", ".dwz"))
    shutil.move(os.path.join(where, "common.dwz"),
                os.path.join(where, "debug", ".dwz", "common.dwz"))
    return ["--debug-path", os.path.join(where, "debug")]


def dwp(tool, debug_file=False):
    def apply(where, exe):
        need(tool)
        sh([tool, "-e", exe, "-o", "prog.dwp"], where)
        for name in os.listdir(where):
            if name.endswith(".dwo"):
                os.remove(os.path.join(where, name))
        if debug_file:
            debuglink(where, exe)
            shutil.move(os.path.join(where, "prog.dwp"),
                        os.path.join(where, "prog.debug.dwp"))
    return apply


def dwo_moved(where, exe):
    """The build tree is gone; the .dwo files lie beside the program."""
    del exe
    place = os.path.join(where, "moved")
    os.mkdir(place)
    for name in os.listdir(where):
        if name.endswith(".dwo") or name == "prog":
            shutil.move(os.path.join(where, name), os.path.join(place, name))


def dwo_below_debug_path(where, exe):
    del exe
    place = os.path.join(where, "debug") + where
    os.makedirs(place)
    for name in os.listdir(where):
        if name.endswith(".dwo"):
            shutil.move(os.path.join(where, name), os.path.join(place, name))
    return ["--debug-path", os.path.join(where, "debug")]


def dwo_missing(where, exe):
    del exe
    for name in os.listdir(where):
        if name.endswith(".dwo"):
            os.remove(os.path.join(where, name))


class Variant:
    def __init__(self, name, flags, after=keep, like="same", cc="gcc",
                 link=(), code=(), languages=("c", "c++"), warns=None):
        self.name, self.flags, self.after = name, list(flags), after
        self.like, self.cc, self.link = like, cc, list(link)
        self.code = list(code)  # what changes the code, not its description
        self.languages, self.warns = languages, warns


V = Variant
G5 = ["-g", "-gdwarf-5"]
S5 = ["-g", "-gdwarf-5", "-gsplit-dwarf"]
S4 = ["-g", "-gdwarf-4", "-gsplit-dwarf"]
TYPES = ["-fdebug-types-section"]
LTO = ["-flto", "-ffat-lto-objects"]

VARIANTS = [
    # versions
    *(V(f"dwarf{n}", ["-g", f"-gdwarf-{n}"],
        like="same" if n > 2 else "weaker") for n in (2, 3, 4)),
    *(V(f"strict{n}", ["-g", f"-gdwarf-{n}", "-gstrict-dwarf"],
        like="weaker") for n in (2, 3, 4, 5)),
    V("dwarf64", [*G5, "-gdwarf64"]),
    V("dwarf64-4", ["-g", "-gdwarf-4", "-gdwarf64"]),
    V("g3", ["-g3"]),
    V("types4", ["-g", "-gdwarf-4", *TYPES]),
    V("types5", [*G5, *TYPES]),
    V("inner-lines", [*G5, "-gno-as-loc-support"]),
    # one file
    V("zlib", ["-g"], objcopy("--compress-debug-sections=zlib")),
    V("zlib-gnu", ["-g"], objcopy("--compress-debug-sections=zlib-gnu")),
    V("zstd", ["-g"], objcopy("--compress-debug-sections=zstd")),
    V("zlib-types", ["-g", *TYPES],
      objcopy("--compress-debug-sections=zlib")),
    # separate files
    V("debuglink", ["-g"], debuglink),
    V("debuglink-below", ["-g"], debuglink_below),
    V("build-id", ["-g"], by_build_id),
    V("eu-strip", ["-g"], eu_strip),
    V("symbols-only", ["-g"], symbols_only, like="symbols"),
    V("minidebuginfo", ["-g"], minidebuginfo, like="symbols"),
    V("no-debug", [], like="symbols"),
    # dwz
    V("dwz4", ["-g", "-gdwarf-4"], dwz_single),
    V("dwz5", G5, dwz_single),
    V("dwz-multi4", ["-g", "-gdwarf-4"], dwz_multi),
    V("dwz-multi5", G5, dwz_multi),
    V("dwz-debug", G5, dwz_debug),
    # split
    V("split5", S5, like="mostly"),
    V("split4", S4, like="mostly"),
    V("split5-types", [*S5, *TYPES], like="mostly"),
    V("split4-types", [*S4, *TYPES], like="mostly"),
    V("split5-zlib", [*S5, "-gz=zlib"], like="mostly"),
    V("split5-dwarf64", [*S5, "-gdwarf64"], like="mostly"),
    V("split5-moved", S5, dwo_moved, like="mostly"),
    V("split5-debug-path", S5, dwo_below_debug_path, like="mostly"),
    V("split5-debuglink", S5, debuglink, like="mostly"),
    V("split5-missing", S5, dwo_missing, like="lines", warns=".dwo"),
    V("split4-missing", S4, dwo_missing, like="lines", warns=".dwo"),
    V("dwp4", S4, dwp("dwp"), like="mostly"),
    V("dwp4-types", [*S4, *TYPES], dwp("dwp"), like="mostly"),
    # GNU's dwp knows no version 5, and llvm-dwp 14 mostly hangs on GCC's.
    V("dwp4-debuglink", S4, dwp("dwp", debug_file=True), like="mostly"),
    # clang: no .debug_aranges
    V("clang4", ["-g", "-gdwarf-4"], cc="clang"),
    V("clang5", G5, cc="clang"),
    V("clang3", ["-g", "-gdwarf-3"], cc="clang", like="weaker"),
    V("clang-types4", ["-g", "-gdwarf-4", *TYPES], cc="clang"),
    V("clang-types5", [*G5, *TYPES], cc="clang"),
    V("clang-split5", S5, cc="clang"),
    V("clang-split4", S4, cc="clang"),
    V("clang-split5-types", [*S5, *TYPES], cc="clang"),
    V("clang-split-single", ["-g", "-gdwarf-5", "-gsplit-dwarf=single"],
      cc="clang"),
    V("clang-split5-missing", S5, dwo_missing, like="lines", cc="clang",
      warns=".dwo"),
    V("clang-dwp5", S5, dwp("llvm-dwp"), cc="clang"),
    V("clang-dwp4", S4, dwp("llvm-dwp"), cc="clang"),
    V("clang-dwp5-types", [*S5, *TYPES], dwp("llvm-dwp"), cc="clang"),
    V("clang-lld", G5, cc="clang", link=["-fuse-ld=lld"]),
    # code
    V("lto", ["-g"], code=LTO, like="weaker"),
    V("clang-lto", ["-g"], cc="clang", code=["-flto"],
      link=["-fuse-ld=lld"], like="weaker"),
    V("clang-thinlto", ["-g"], cc="clang", code=["-flto=thin"],
      link=["-fuse-ld=lld"], like="weaker"),
    V("debug-frame", ["-g"], code=["-fno-asynchronous-unwind-tables",
                                   "-fno-exceptions"], like="weaker"),
    V("no-eh-frame", ["-g"], objcopy("-R", ".eh_frame", "-R",
                                     ".eh_frame_hdr"),
      code=["-fno-asynchronous-unwind-tables", "-fno-exceptions"],
      like="weaker", languages=("c",)),
    V("no-pie", ["-g"], code=["-fno-pie"], link=["-no-pie"], like="weaker"),
    V("static", ["-g"], link=["-static"], like="weaker"),
    V("static-pie", ["-g"], link=["-static-pie"], like="weaker"),
    V("static-no-pie", ["-g"], code=["-fno-pie"],
      link=["-static", "-no-pie"], like="weaker"),
    V("sections", ["-g"], code=["-ffunction-sections", "-fdata-sections"],
      link=["-Wl,--gc-sections"], like="weaker"),
    V("reordered", ["-g"], code=["-freorder-blocks-and-partition"],
      like="weaker"),
    V("medium", ["-g"], code=["-mcmodel=large"], like="weaker"),
]
