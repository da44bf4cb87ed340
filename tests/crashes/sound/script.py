# SPDX-License-Identifier: MIT
"""A sound, busy Python program: threads, locks, regular expressions, caught
exceptions, memory that comes and goes."""
import collections
import json
import queue
import re
import threading
import zlib

lock = threading.RLock()
work = queue.Queue(50)
table = collections.OrderedDict()


def produce(seed):
    i = seed
    while True:
        i += 1
        work.put(json.dumps({"n": i, "text": "x" * (i % 300)}))
        with lock:
            table[i % 700] = bytes(i % 5000)


def consume():
    while True:
        try:
            found = re.findall(r"(\w+)\W+(\d+)", work.get(timeout=0.05))
            int(found[0][0])
        except (ValueError, IndexError, queue.Empty):
            pass
        with lock:
            zlib.compress(b"".join(table.values())[:20000])


for i in range(3):
    threading.Thread(target=produce, args=(i,), daemon=True).start()
    threading.Thread(target=consume, daemon=True).start()
threading.Event().wait()
