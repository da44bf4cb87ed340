#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each header compiles alone, first and twice in a file, with every compiler
there is; the installed ones also as C++."""
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import _source

FLAGS = ["-D_GNU_SOURCE", '-DINQUEST_VERSION="0"', '-DTEST_SOURCE_DIR="/"', '-DTEST_BUILD_DIR="/"',
         "-fsyntax-only", "-Wall",
         "-Wextra", "-Wshadow", "-Wformat=2", "-Wvla", "-Werror",
         "-Iinclude", "-Icore", "-I.", "-Itests", "-Itools",
         "-isystem", "/usr/include/luajit-2.1"]
C_FLAGS = ["-x", "c", "-std=gnu17", "-Wstrict-prototypes",
           "-Wmissing-prototypes"]


def compile_header(job):
    compiler, flags, path = job
    done = subprocess.run(
        [compiler, *FLAGS, *flags, "-"], cwd=_source.ROOT, text=True,
        input=f'#include "{path}"\n#include "{path}"\n',
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode == 0, f"{path} with {compiler}:\n{done.stdout}"


def main():
    _source.arguments()
    report = _source.Report()
    jobs = []
    for path in _source.files(_source.EVERYTHING, ".h"):
        flags = C_FLAGS
        if path.startswith("tests/unit/"):  # fixtures, used in part
            flags = C_FLAGS + ["-Wno-unused-function"]
        for compiler in ("gcc", "clang"):
            jobs.append((compiler, flags, path))
        if path.startswith("include/"):
            for compiler in ("g++", "clang++"):
                jobs.append((compiler, ["-x", "c++"], path))
    jobs = [job for job in jobs if shutil.which(job[0])]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for good, complaint in pool.map(compile_header, jobs):
            report.check(good, complaint)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
