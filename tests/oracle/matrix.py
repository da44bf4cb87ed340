# SPDX-License-Identifier: MIT
"""What the oracle builds: programs x compilers x levels x forms of debug
information. The programs are its own and those of the crash tests that leave a
stack for GDB to walk. A form is how the information reaches the reader: in the file,
compressed, split off, shared, in another DWARF version. Each form is a recipe
with the tools of the distribution; a tool that is not installed takes its
form out, counted by the caller.
"""
import functools
import os
import re
import shutil
import subprocess
from functools import partial

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = os.path.join(HERE, "programs")
CRASHES = os.path.join(HERE, "..", "crashes", "programs")
# Overwritten or exhausted stacks: of the first GDB shows frames that never
# were, the second take it minutes. d08 is as deep.
NO_STACK = {"stack-smash", "stack-corruption", "stack-overflow",
            "large-frame", "fortify-overflow"}
TOO_DEEP = {"d08.c"}
# Their stacks are all the same: below free or malloc.
HEAP = {"double-free", "invalid-free", "heap-overflow", "heap-underflow",
        "use-after-free", "heap-corruption", "alloc-mismatch"}
TIMEOUT = 300

LANGUAGES = {".c": "C", ".cpp": "C++", ".rs": "Rust"}
COMPILERS = {("gcc", "C"): "gcc", ("gcc", "C++"): "g++",
             ("clang", "C"): "clang", ("clang", "C++"): "clang++",
             # Debian's, not one of rustup's that comes first in PATH.
             ("rustc", "Rust"): "/usr/bin/rustc"}
STANDARDS = {"C": "-std=gnu17", "C++": "-std=c++17"}
RUST_LEVELS = {
    "O0": ["-Copt-level=0"], "O2": ["-Copt-level=2"],
    "O2-flto": ["-Copt-level=2", "-Clto=fat", "-Cembed-bitcode=yes"]}


class BuildError(Exception):
    """The text says which command failed, and how."""


class Built:
    """A program as we read it, and as GDB reads it: the same code, but GDB
    may need other arguments to find the same information."""

    def __init__(self, exe, language=None):
        self.exe = exe
        self.language = language
        self.gdb_exe = exe
        self.bare = False  # GDB knows more than there is: compare.bare()
        self.gdb = []
        self.bt = []


def command(where, *words):
    try:
        done = subprocess.run(
            words, cwd=where, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired as e:
        raise BuildError(f"{' '.join(words)}: no end in {TIMEOUT} s") from e
    if done.returncode != 0:
        raise BuildError(f"{' '.join(words)}\n{done.stdout}")
    return done.stdout


def cut_off(where, exe, name):
    """Moves the debug information of the program into a file."""
    os.makedirs(os.path.dirname(os.path.join(where, name)), exist_ok=True)
    command(where, "objcopy", "--only-keep-debug", exe, name)
    command(where, "objcopy", "--strip-all", exe)


def debuglink(where, built):
    cut_off(where, built.exe, ".debug/program.debug")
    command(where, "objcopy",
            "--add-gnu-debuglink=.debug/program.debug", built.exe)


def build_id(where, built):
    notes = command(where, "readelf", "-n", built.exe)
    name = notes.partition("Build ID: ")[2].split()[0]
    cut_off(where, built.exe, f"debug/.build-id/{name[:2]}/{name[2:]}.debug")
    # The distribution's directory stays, for the C library.
    folder = os.path.join(where, "debug")
    built.gdb = ["-iex",
                 f"set debug-file-directory {folder}:/usr/lib/debug"]
    built.bt = ["--debug-path", folder]


def minidebug(where, built):
    """Function symbols that are not in .dynsym, as Fedora ships them."""
    keep = set()
    for option in ("", "-D"):
        names = {line.split()[0] for line in command(
            where, "nm", "--format=posix", "--defined-only", *option.split(),
            built.exe).splitlines() if line.split()[1] in "TtWw"}
        keep = names - keep if option == "" else keep - names
    with open(os.path.join(where, "keep"), "w") as f:
        f.write("\n".join(sorted(keep)) + "\n")
    if built.language == "Rust":
        # GDB loses its way without the .debug_frame of Rust's libraries.
        built.gdb_exe, built.bare = built.exe + ".full", True
        shutil.copy(built.exe, built.gdb_exe)
    command(where, "objcopy", "--only-keep-debug", built.exe, "mini.full")
    command(where, "objcopy", "-S", "--remove-section", ".comment",
            "--keep-symbols=keep", "mini.full", "mini")
    command(where, "objcopy", "--strip-all", built.exe)
    command(where, "xz", "-f", "mini")
    command(where, "objcopy", "--add-section", ".gnu_debugdata=mini.xz",
            built.exe)


def dwz(where, built):
    command(where, "dwz", built.exe)


def dwz_shared(where, built):
    """The part common to two files in a third (.gnu_debugaltlink)."""
    twin = os.path.join(where, "twin")
    shutil.copy(built.exe, twin)
    command(where, "dwz", "-m", "shared.dwz", "-M",
            os.path.join(where, "shared.dwz"), built.exe, twin)
    if ".gnu_debugaltlink" not in command(where, "readelf", "-SW", built.exe):
        raise BuildError("dwz found nothing to share")


def compress(kind, where, built):
    command(where, "objcopy", f"--compress-debug-sections={kind}", built.exe)


def package(tool, where, built):
    command(where, tool, "-e", built.exe, "-o", built.exe + ".dwp")
    for name in os.listdir(where):
        if name.endswith(".dwo"):
            os.unlink(os.path.join(where, name))


def split_off(where, _):
    if not any(name.endswith(".dwo") for name in os.listdir(where)):
        raise BuildError("no .dwo file was written")


class Form:
    def __init__(self, name, flags=(), link=(), recipe=None, tools=(),
                 compilers=("gcc", "clang"), rust=None, twin=None):
        self.name = name
        self.flags = list(flags)
        self.link = list(link)
        self.recipe = recipe
        self.tools = tools
        self.compilers = compilers
        self.rust = rust  # options of rustc, None: not for Rust
        # Flags in place of `flags` where GDB 13 cannot read the form: the
        # same machine code with information that it can read.
        self.twin = twin


FORMS = {form.name: form for form in [
    Form("plain", rust=[]),
    Form("nopie", ["-fno-pie"], ["-no-pie"],
         rust=["-Crelocation-model=static"]),
    Form("static", link=["-static"], rust=["-Ctarget-feature=+crt-static",
                                           "-Crelocation-model=static"]),
    Form("static-pie", ["-fPIE"], ["-static-pie"],
         rust=["-Ctarget-feature=+crt-static"]),
    Form("dwarf2", ["-gdwarf-2"], rust=["-Zdwarf-version=2"]),
    Form("dwarf3", ["-gdwarf-3"], rust=["-Zdwarf-version=3"]),
    Form("dwarf4", ["-gdwarf-4"]),
    Form("dwarf5", ["-gdwarf-5"], rust=["-Zdwarf-version=5"]),
    Form("dwarf64", ["-gdwarf-5", "-gdwarf64"]),
    Form("strict", ["-gdwarf-4", "-gstrict-dwarf"]),
    Form("types4", ["-gdwarf-4", "-fdebug-types-section"]),
    Form("types5", ["-gdwarf-5", "-fdebug-types-section"]),
    # What GDB 13 dies of with gcc's LTO: "! this_cu->is_debug_types".
    Form("types4-twin", ["-gdwarf-4", "-fdebug-types-section"],
         compilers=("gcc",), twin=["-gdwarf-4"]),
    # .debug_frame in place of .eh_frame, for all that the program itself has.
    Form("debug-frame", ["-fno-asynchronous-unwind-tables",
                         "-fno-unwind-tables", "-fno-exceptions"]),
    Form("frame-pointer", ["-fno-omit-frame-pointer"]),
    Form("inline-asis", ["-gno-variable-location-views",
                         "-gno-column-info"], compilers=("gcc",)),
    Form("split4", ["-gdwarf-4", "-gsplit-dwarf"], recipe=split_off),
    Form("split5", ["-gdwarf-5", "-gsplit-dwarf"], recipe=split_off),
    Form("split-types4", ["-gdwarf-4", "-gsplit-dwarf",
                          "-fdebug-types-section"], recipe=split_off),
    # GDB: "wrong version in compilation unit header", where type units come
    # first in the .dwo file.
    Form("split-types5", ["-gdwarf-5", "-gsplit-dwarf",
                          "-fdebug-types-section"], recipe=split_off,
         twin=["-gdwarf-5", "-fdebug-types-section"]),
    Form("dwp4", ["-gdwarf-4", "-gsplit-dwarf"], recipe=partial(package, "dwp"),
         tools=("dwp",)),
    Form("dwp-types4", ["-gdwarf-4", "-gsplit-dwarf",
                        "-fdebug-types-section"],
         recipe=partial(package, "dwp"), tools=("dwp",)),
    # Binutils' dwp dies of version 5, LLVM's does not end on gcc's, and GDB
    # 13 dies of its own assertions on what LLVM's makes of clang's.
    Form("dwp5", ["-gdwarf-5", "-gsplit-dwarf"],
         recipe=partial(package, "llvm-dwp"),
         tools=("llvm-dwp",), compilers=("clang",), twin=["-gdwarf-5"]),
    Form("dwz", recipe=dwz, tools=("dwz",), compilers=("gcc",)),
    Form("dwz4", ["-gdwarf-4"], recipe=dwz, tools=("dwz",), rust=[]),
    Form("dwz-shared", recipe=dwz_shared, tools=("dwz",),
         compilers=("gcc",)),
    Form("dwz-shared4", ["-gdwarf-4"], recipe=dwz_shared, tools=("dwz",),
         rust=[]),
    Form("zlib", ["-gz=zlib"], ["-gz=zlib"],
         rust=["-Clink-arg=-Wl,--compress-debug-sections=zlib"]),
    Form("zdebug", recipe=partial(compress, "zlib-gnu")),
    Form("zstd", recipe=partial(compress, "zstd"), rust=[]),
    Form("debuglink", recipe=debuglink, rust=[]),
    Form("build-id", recipe=build_id, rust=[]),
    Form("minidebug", recipe=minidebug, tools=("xz",), rust=[]),
]}

# What runs by default: (compiler, level, form, one of so many programs). All
# forms that a reader must know come with both compilers, each over a part of
# the programs that differs from form to form.
# -O0 comes first: it tells what the values are where others have lost them.
DEFAULT = [(compiler, level, "plain", 1) for level in ("O0", "O2")
           for compiler in ("gcc", "clang")]
DEFAULT += [("gcc", "O2-flto", "plain", 2), ("clang", "O2-flto", "plain", 2),
            ("rustc", "O0", "plain", 1), ("rustc", "O2", "plain", 1),
            ("rustc", "O2-flto", "plain", 2)]
DEFAULT += [(compiler, level, form, 11)
            for compiler, level in (("gcc", "O2"), ("clang", "O0"))
            for form in ("nopie", "static", "static-pie", "dwarf2", "dwarf3",
                         "dwarf4", "types4", "types5", "debug-frame", "split4",
                         "split5", "split-types5", "dwp4", "dwp-types4",
                         "zlib", "zdebug", "zstd", "debuglink", "build-id",
                         "minidebug")]
DEFAULT += [("gcc", "O0", "dwz", 12), ("gcc", "O2", "dwz", 12),
            ("gcc", "O2", "dwz-shared", 12), ("clang", "O2", "dwp5", 12),
            ("clang", "O2", "dwz-shared4", 12), ("gcc", "O2", "dwarf64", 14),
            ("clang", "O2", "split4", 12), ("clang", "O2", "types5", 14),
            ("clang", "O2-flto", "zstd", 14), ("gcc", "O2-flto", "dwz", 14),
            ("gcc", "O2-flto", "debuglink", 14),
            ("rustc", "O2", "dwz4", 4), ("rustc", "O2", "debuglink", 4),
            ("rustc", "O2", "minidebug", 4), ("rustc", "O0", "zstd", 4),
            ("rustc", "O0", "static-pie", 4)]


# The programs of the crash tests: one of these each, one after the other.
ROTATION = [("gcc", "O0"), ("clang", "O2"), ("gcc", "O2-flto"),
            ("clang", "O0"), ("gcc", "O2"), ("clang", "O2-flto")]
RUST_ROTATION = [("rustc", "O0"), ("rustc", "O2"), ("rustc", "O2-flto")]
GCC_FLAGS = {"-fno-lifetime-dse"}
THROWS = {"exception.cpp"}


def crash_programs():
    """{file name: flags of its own} of the crash tests' programs that die by
    themselves."""
    found = {}
    for name in sorted(os.listdir(CRASHES)):
        with open(os.path.join(CRASHES, name)) as f:
            head = dict(re.findall(r"^ @(\w+) (.*?)\s*$", f.read(), re.M))
        if os.path.splitext(name)[1] in LANGUAGES and \
                head.get("mode") == "core" and \
                head.get("needs", "rustc") == "rustc" and \
                not {"args", "env"} & set(head) and \
                head["cls"] not in NO_STACK | HEAP and name not in TOO_DEEP:
            found[name] = [w for w in head.get("flags", "").split()
                           if not w.startswith(("-O", "-g", "-C"))]
    return found


@functools.lru_cache(maxsize=None)
def rustc_knows(rustc, option):
    """-Zdwarf-version came with 1.64."""
    if not option.startswith("-Z") or shutil.which(rustc) is None:
        return True
    known = subprocess.run([rustc, "-Zhelp"], text=True, check=False,
                           env=dict(os.environ, RUSTC_BOOTSTRAP="1"),
                           stdout=subprocess.PIPE).stdout
    return option[2:].partition("=")[0] in known


class Case:
    def __init__(self, program, compiler, level, form, own=None):
        base, suffix = os.path.splitext(program)
        self.program = program
        # A program of the crash tests, which has flags of its own.
        self.foreign = own is not None
        self.own = own or []
        self.language = LANGUAGES[suffix]
        self.compiler = compiler
        self.level = level
        self.form = FORMS[form]
        self.group = (self.language, level)
        self.name = f"{base}/{compiler}-{level}" + (
            "" if form == "plain" else f"-{form}")

    def possible(self):
        if (self.compiler, self.language) not in COMPILERS:
            return False
        if self.compiler == "clang" and GCC_FLAGS & set(self.own):
            return False
        if self.language == "Rust":
            return self.form.rust is not None and \
                all(rustc_knows(COMPILERS["rustc", "Rust"], option)
                    for option in self.form.rust)
        if "flto" in self.level and self.compiler == "gcc" and \
                self.form.name == "types4":
            return False
        if "-fno-exceptions" in self.form.flags and self.program in THROWS:
            return False
        # gcc -flto -gsplit-dwarf writes references to a DIE at offset 0,
        # clang no .dwo at all.
        if "flto" in self.level and "-gsplit-dwarf" in self.form.flags:
            return False
        return self.compiler in self.form.compilers

    def lacks(self):
        """The tool that is not installed, or None."""
        wanted = (COMPILERS[self.compiler, self.language],) + \
            tuple(self.form.tools)
        return next((w for w in wanted if shutil.which(w) is None), None)

    def build(self, where):
        """The program in the directory `where`; raises BuildError."""
        exe = os.path.join(where, os.path.splitext(self.program)[0])
        self.compile(where, exe, self.form.flags)
        built = Built(exe, self.language)
        if self.form.recipe is not None:
            self.form.recipe(where, built)
        if self.form.twin is not None:
            built.gdb_exe = exe + ".twin"
            self.compile(where, built.gdb_exe, self.form.twin)
            if code(where, exe) != code(where, built.gdb_exe):
                raise BuildError("the twin has other machine code")
        return built

    def compile(self, where, exe, flags):
        source = os.path.join(
            CRASHES if self.foreign else PROGRAMS, self.program)
        compiler = COMPILERS[self.compiler, self.language]
        if self.language == "Rust":
            # rustc takes its -Z options from its own developers only.
            command(where, "env", "RUSTC_BOOTSTRAP=1", compiler, "-g",
                    "--edition=2021", "-Cpanic=abort", "-Awarnings",
                    *RUST_LEVELS[self.level], *self.form.rust, "-o", exe,
                    source)
            return
        level = ["-" + w for w in self.level.split("-")]
        common = [*level, "-g", "-w", "-pthread", *self.own, *flags]
        # In two steps: the names of .dwo files come from the object's.
        command(where, compiler, STANDARDS[self.language], *common, "-c",
                source, "-o", exe + ".o")
        command(where, compiler, *common, *self.form.link, exe + ".o", "-o",
                exe, "-lm")


def code(where, exe):
    """The machine code and its addresses, as text."""
    text = command(where, "objdump", "-d", "--no-show-raw-insn", exe)
    return text.partition("Disassembly")[2]


def own_cases(everything):
    """The oracle's own programs, in all forms or in those of DEFAULT."""
    programs = sorted(os.listdir(PROGRAMS))
    if everything:
        wanted = [(c, level, form, 1) for c in ("gcc", "clang", "rustc")
                  for level in RUST_LEVELS for form in FORMS]
    else:
        wanted = DEFAULT
    for n, (compiler, level, form, share) in enumerate(wanted):
        of_language = {}
        for program in programs:
            case = Case(program, compiler, level, form)
            if not case.possible():
                continue
            i = of_language.get(case.language, 0)
            of_language[case.language] = i + 1
            # Some programs of every language, others for each form.
            if (i + n) % share == 0:
                yield case


def crash_cases(everything):
    """The programs of the crash tests, each once or with every compiler at
    every level."""
    for program, own in crash_programs().items():
        rotation = RUST_ROTATION if program.endswith(".rs") else ROTATION
        # By its name, whichever programs come and go beside it.
        at = sum(program.encode())
        chosen = rotation if everything else [rotation[at % len(rotation)]]
        for compiler, level in chosen:
            case = Case(program, compiler, level, "plain", own)
            if case.possible():
                yield case


def cases(only, everything):
    """The cases that run, in a fixed order; `only` matches a part of their
    names."""
    for some in (own_cases, crash_cases):
        for case in some(everything):
            if only is None or only in case.name:
                yield case
