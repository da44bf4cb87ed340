# SPDX-License-Identifier: MIT
"""A Python program that does something and then dies of SIGSEGV (or sleeps),
after it has written what it knows of its stacks to a file:

    frames.py WHAT TRUTH [sleep]

The truth is one JSON object: a list of stacks, innermost frame first, each a
list of [function, file, line], and the locals of `leaf`, name to repr."""
import asyncio
import ctypes
import gc
import json
import linecache
import os
import signal
import sys
import threading
import time
import weakref

WHAT, TRUTH = sys.argv[1:3]
SLEEP = len(sys.argv) > 3
OTHERS = {}  # what other threads said of themselves
RELEASE = threading.Event()


def stack_of(frame):
    out = []
    while frame is not None:
        code = frame.f_code
        name = getattr(code, "co_qualname", code.co_name)
        out.append([name, code.co_filename, frame.f_lineno])
        frame = frame.f_back
    return out


def end(values):
    """Writes the truth and dies; the line it dies in is that of the call."""
    stacks = {}
    for ident, frame in sys._current_frames().items():
        stacks[ident] = stack_of(frame)
    # This function is at another line when it dies: it says so.
    mine = stack_of(sys._getframe())
    mine[0][2] = None
    stacks[threading.get_ident()] = mine
    with open(TRUTH + ".new", "w") as f:
        json.dump({"stacks": list(stacks.values()),
                   "locals": {k: repr(v) for k, v in values.items()},
                   "what": WHAT}, f)
    os.rename(TRUTH + ".new", TRUTH)
    if SLEEP:
        time.sleep(1000)
    os.kill(os.getpid(), signal.SIGSEGV)


class Thing:
    def method(self):
        return leaf(self)


def leaf(thing=None):
    none = None
    yes, no = True, False
    zero, small, negative = 0, 42, -7
    big, huge = 2**53, -(10**60)
    real, tiny, large, whole = 0.1, 1.5e-300, 1e22, 100.0
    infinite, minus_zero = float("inf"), -0.0
    text, quote = "plain", "it's"
    wide, astral, control = "λ — ü", "😀 x", "a\nb\x00\\"
    latin = "\xe9\xa0"
    raw = b"by\x00t'es\xff"
    pair, single, empty = (1, "b"), (1,), ()
    numbers = [1, 2.5, None, True, "x"]
    mapping = {"a": 1, 2: [3], None: (4,)}
    nothing, members, frozen = {}, {7}, frozenset({8})
    deep = [[[1]], {"k": {"v": 1}}]
    kind, builtin = Thing, int
    cell = "kept"
    long_text = "long" * 1000

    def inner():
        return cell

    values = dict(locals())
    for name in ("thing", "inner", "deep", "values", "long_text"):
        values.pop(name, None)
    end(values)
    return inner


def recurse(n):
    if n == 0:
        return leaf()
    return recurse(n - 1)


def through_c(n):
    """Every other call goes through C code of the interpreter."""
    if n == 0:
        return leaf()
    return sorted([n], key=lambda x: through_c(n - 1))


def generate():
    yield 1
    yield leaf()


def delegate():
    yield from generate()


async def wait():
    await asyncio.sleep(0)
    return leaf()


async def gathered():
    await asyncio.gather(wait())


def multiline():
    return dict(
        a=1,
        b=leaf(),
        c=3)


def handler():
    try:
        raise ValueError("x")
    except ValueError:
        try:
            return leaf()
        finally:
            pass


def is_waiting(ident):
    """Of a thread: it has come to the line in which it stays."""
    frame = sys._current_frames()[ident]
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
    return "waiter.acquire(True, timeout)" in line


def sleeper(n):
    local = "thread %d" % n
    OTHERS[threading.get_ident()] = local
    RELEASE.wait(1000)


def threads():
    for n in range(20):
        threading.Thread(target=sleeper, args=(n,), daemon=True).start()
    while len(OTHERS) < 20 or not all(map(is_waiting, OTHERS)):
        time.sleep(0.01)
    leaf()


class Loop:
    def __init__(self):
        self.me = self


def collecting():
    def gone(ref):
        leaf()

    loop = Loop()
    ref = weakref.ref(loop, gone)
    del loop
    gc.collect()
    return ref


class Meta(type):
    def __new__(mcs, name, bases, namespace):
        leaf()
        return type.__new__(mcs, name, bases, namespace)


def in_class():
    class Body:
        attribute = "of the class"
        x = leaf()
    return Body


def executed():
    exec(compile("def made():\n  x = 1\n\n  leaf()\nmade()", "<made>", "exec"),
         globals())


def poke(address, value):
    ctypes.c_uint64.from_address(address).value = value


def chain_of(frame):
    """Where the interpreter keeps the pointer to the caller's frame."""
    if sys.version_info >= (3, 11):
        inner = ctypes.c_uint64.from_address(id(frame) + 24).value
        return inner, inner + 48
    return id(frame), id(frame) + 24


def cyclic(n=5):
    if n:
        return cyclic(n - 1)
    here, back = chain_of(sys._getframe(2))
    poke(back, chain_of(sys._getframe())[0])
    os.kill(os.getpid(), signal.SIGSEGV)


def wild(n=5):
    if n:
        return wild(n - 1)
    poke(chain_of(sys._getframe(2))[1], 0x1234567890)
    os.kill(os.getpid(), signal.SIGSEGV)


def no_code(n=5):
    """A frame whose code object is none."""
    if n:
        return no_code(n - 1)
    frame = chain_of(sys._getframe(2))[0]
    poke(frame + 32, id("no code"))
    os.kill(os.getpid(), signal.SIGSEGV)


def thread_state():
    get = ctypes.pythonapi.PyThreadState_Get
    get.restype = ctypes.c_void_p
    return get()


def states():
    """The list of thread states comes back to itself."""
    poke(thread_state() + 8, thread_state())
    os.kill(os.getpid(), signal.SIGSEGV)


def foreign():
    """A thread state that belongs to no interpreter."""
    pid = os.getpid()
    poke(thread_state() + 16, 0x123456)
    os.kill(pid, signal.SIGSEGV)


def absurd(n=0):
    """Lengths and pointers of local values that cannot be."""
    text, numbers, mapping = "".join(["te", "xt"]), [1, 2], {"a": 1}
    number, members = 2**70, {1}
    gone = [1]
    poke(id(text) + 16, 2**60)
    poke(id(numbers) + 16, 2**39)
    poke(id(mapping) + 32, 0x10)
    poke(id(number) + 16, 2**50)
    poke(id(members) + 32, 2**50)
    poke(id(gone) + 8, 0x666)
    os.kill(os.getpid(), signal.SIGSEGV)


RUN = {
    "plain": leaf, "method": lambda: Thing().method(),
    "deep": lambda: recurse(900), "through_c": lambda: through_c(60),
    "generator": lambda: list(delegate()),
    "coroutine": lambda: asyncio.run(gathered()),
    "multiline": multiline, "handler": handler, "threads": threads,
    "collecting": collecting, "in_class": in_class, "executed": executed,
    "metaclass": lambda: Meta("Made", (), {}),
    "cyclic": cyclic, "wild": wild, "no_code": no_code, "absurd": absurd,
    "states": states, "foreign": foreign,
}
RUN[WHAT]()
