# SPDX-License-Identifier: MIT
"""What the heap tests share: the churning program in its variants, its journal,
and the walk of its heap as tests/heap/programs/walk.c writes it."""
import bisect
import os
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
import crash  # noqa: E402

PROGRAMS = os.path.join(HERE, "programs")
WRAP = ["-DWRAP"] + [f"-Wl,--wrap={name}" for name in (
    "malloc", "free", "calloc", "realloc", "aligned_alloc")]
THREADS_MAX = 64
HEAD = 8 + THREADS_MAX * 8 + 8

# Name: what the walk calls it, compiler, flags, libraries.
ALLOCATORS = {
    "ptmalloc": ("ptmalloc", "gcc", [], []),
    "ptmalloc-1-arena": ("ptmalloc", "gcc", [], []),
    "ptmalloc-16-arenas": ("ptmalloc", "gcc", [], []),
    "ptmalloc-no-tcache": ("ptmalloc", "gcc", [], []),
    "ptmalloc-deep-tcache": ("ptmalloc", "gcc", [], []),
    "ptmalloc-perturb": ("ptmalloc", "gcc", [], []),
    "ptmalloc-mmap": ("ptmalloc", "gcc", [], []),
    "ptmalloc-static": ("ptmalloc", "gcc", ["-static", *WRAP], []),
    "jemalloc": ("jemalloc", "gcc", [], ["-ljemalloc"]),
    "jemalloc-junk": ("jemalloc", "gcc", [], ["-ljemalloc"]),
    "jemalloc-no-tcache": ("jemalloc", "gcc", [], ["-ljemalloc"]),
    "jemalloc-static": ("jemalloc", "gcc", WRAP, [
        "-Wl,-Bstatic", "-ljemalloc", "-Wl,-Bdynamic", "-lstdc++", "-lm"]),
    "tcmalloc-static": ("tcmalloc", "gcc", WRAP, [
        "-Wl,-Bstatic", "-ltcmalloc_minimal", "-Wl,-Bdynamic", "-lstdc++",
        "-lm"]),
    "tcmalloc": ("tcmalloc", "gcc", [], ["-l:libtcmalloc.so.4"]),
    "tcmalloc-minimal": ("tcmalloc", "gcc", [], ["-l:libtcmalloc_minimal.so.4"]),
    "musl": ("musl", "musl-gcc", [], []),
    "musl-static": ("musl", "musl-gcc", ["-static", *WRAP], []),
}
# A library of another version, built by whoever runs the test.
if "HEAP_JEMALLOC" in os.environ:
    given = os.path.abspath(os.environ["HEAP_JEMALLOC"])
    ALLOCATORS["jemalloc-given"] = (
        "jemalloc", "gcc", [],
        [given, "-Wl,-rpath," + os.path.dirname(given)])
# The same program under other conditions.
ENVIRONMENTS = {
    name: {"GLIBC_TUNABLES": ":".join(f"glibc.malloc.{t}" for t in tunables)}
    for name, tunables in {
        "ptmalloc-1-arena": ["arena_max=1"],
        "ptmalloc-16-arenas": ["arena_max=16"],
        "ptmalloc-no-tcache": ["tcache_count=0"],
        "ptmalloc-deep-tcache": ["tcache_count=200"],
        "ptmalloc-perturb": ["perturb=165"],
        "ptmalloc-mmap": ["mmap_threshold=8192", "trim_threshold=4096"],
    }.items()}
ENVIRONMENTS["jemalloc-junk"] = {"MALLOC_CONF": "junk:true,narenas:1"}
ENVIRONMENTS["jemalloc-no-tcache"] = {"MALLOC_CONF": "tcache:false"}


def build(name, where, source="churn.c", flags=("-g", "-O1")):
    """The program's path; None when its allocator is not installed."""
    _, cc, more, libs = ALLOCATORS[name]
    try:
        return crash.build(os.path.join(PROGRAMS, source), [*flags, *more],
                           cc, where, libs, name)
    except (crash.CrashError, FileNotFoundError) as error:
        text = str(error)
        if isinstance(error, FileNotFoundError) or "cannot find -l" in text:
            return None
        raise


def build_walk(where):
    return build_module(where, "walk.c")


def build_module(where, source):
    out = os.path.join(where, source[:-2] + ".so")
    subprocess.run(["gcc", "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-O2",
                    "-shared", "-fPIC", "-I", os.path.join(ROOT, "include"),
                    os.path.join(PROGRAMS, source), "-o", out], check=True)
    os.chmod(out, 0o700)
    return out


class Journal:
    """live, freed: {address: usable size}; doing: addresses that are being
    given back; waiting: how many threads wait for a block."""

    def __init__(self, path):
        with open(path, "rb") as f:
            data = f.read()
        slots, = struct.unpack_from("<Q", data)
        doing = struct.unpack_from(f"<{THREADS_MAX}Q", data, 8)
        assert struct.unpack_from("<Q", data, HEAD - 8) == (0,), "full"
        self.waiting = sum(d != 0 for d in doing)
        self.doing = {d for d in doing if d > 1}
        self.live, self.freed = {}, set()
        words = struct.unpack_from(f"<{slots * 2}Q", data, HEAD)
        for address, usable in zip(words[::2], words[1::2]):
            if address & 1:
                self.freed.add(address & ~1)
            elif address:
                self.live[address] = usable


class Walk:
    """What walk.c wrote: blocks [(start, state, usable, tid, place, transient)]
    by address, of one allocator or all."""

    def __init__(self, path, allocator=None):
        self.blocks, self.differs, self.anomalies = [], [], []
        self.heaps, self.remarks, self.cut, self.owner = {}, [], False, None
        with open(path) as f:
            for line in f:
                kind, _, rest = line.rstrip("\n").partition(" ")
                if kind == "block":
                    of, state, start, usable, tid, old, place = \
                        rest.split(" ", 6)
                    if allocator in (None, of):
                        self.blocks.append((int(start, 16), state, int(usable),
                                            int(tid), place, old == "1"))
                elif kind == "differs":
                    self.differs.append(rest)
                elif kind == "anomaly":
                    of, check, address, start, old, text = rest.split(" ", 5)
                    self.anomalies.append((of, int(check), int(start, 16),
                                           old == "1", text))
                elif kind == "heap":
                    name, _, values = rest.partition(" ")
                    self.heaps[name] = dict(v.split("=", 1)
                                            for v in values.split(" ", 12))
                elif kind == "remark":
                    self.remarks.append(rest)
                elif kind == "owner":
                    self.owner = rest
                elif kind == "cut":
                    self.cut = True
        self.blocks.sort()
        self.starts = [b[0] for b in self.blocks]

    def at(self, address):
        i = bisect.bisect_right(self.starts, address) - 1
        if i < 0 or address >= self.starts[i] + max(self.blocks[i][2], 1):
            return None
        return self.blocks[i]


def ptrace(build_dir, core, exe, out, *more, timeout=120):
    return subprocess.run(
        [os.path.join(build_dir, "ptrace"), "--core", core, exe, "-o", out,
         "--overwrite", *more],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, errors="replace", timeout=timeout,
        check=False)


def walk(build_dir, module, core, exe, where, allocator=None, ask=1, more=()):
    """The walk of a core's heap; the snapshot is WHERE/walk.btt."""
    dump = os.path.join(where, "walk.txt")
    if os.path.exists(dump):
        os.unlink(dump)
    done = ptrace(build_dir, core, exe, os.path.join(where, "walk.btt"),
                  f"--module-load={module}",
                  f"--module=walk:out,{dump},ask,{ask}",
                  "--module-timeout=60",
                  "--no-sandbox",  # it writes a file
                  *more)
    if not os.path.exists(dump):
        raise RuntimeError("no walk: " + done.stderr)
    return Walk(dump, allocator)


def own(walked, journal):
    """Usable sizes of the blocks that an allocator's own start-up takes and
    nobody else sees: those of a program that does nothing."""
    return [b[2] for b in walked.blocks
            if b[1] == "allocated" and b[0] not in journal.live]


def compare(journal, walked, taken=(), spare=0):
    """Lines of what the journal and the walk say differently; how many blocks
    were not judged because a thread was just moving them. taken: own(); spare:
    how many blocks more there may be that the journal did not see."""
    used = {b[0]: b for b in walked.blocks if b[1] == "allocated"}
    out, moving = [], 0
    for address, usable in journal.live.items():
        block = used.get(address)
        if block is None:
            block = walked.at(address)
            if block is not None and block[0] == address and block[5]:
                moving += 1
            elif address not in journal.doing:
                out.append(f"live {address:x} ({usable}): {block}")
        elif block[2] != usable and usable:
            out.append(f"live {address:x}: usable {block[2]}, not {usable}")
    extra = [b for a, b in used.items()
             if a not in journal.live and a not in journal.doing]
    taken = list(taken)
    unknown = []
    for block in extra:
        if block[5]:
            moving += 1
        elif block[2] in taken:
            taken.remove(block[2])
        else:
            unknown.append(block)
    # A block may have been taken and not been noted yet.
    if len(unknown) > journal.waiting + spare:
        out += [f"not taken: {b[0]:x} {b}" for b in unknown]
    return out, moving
