# SPDX-License-Identifier: MIT
"""GDB, of whichever machine, run with a script over a core: with none of the
user's settings, without looking for files on the network, in a fixed locale."""
import os
import subprocess


def run(gdb, words, script, env, timeout):
    """words: further options, the program, the core. What goes wrong is seen
    from what the script has not written."""
    subprocess.run(
        [gdb, "-nx", "-batch", "-iex", "set debuginfod enabled off",
         "-iex", "set auto-load off", *words, "-x", script],
        env=dict(os.environ, LC_ALL="C.UTF-8", **env),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, timeout=timeout, check=False)
