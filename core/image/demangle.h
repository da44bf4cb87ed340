/* SPDX-License-Identifier: MIT */
/*
 * Demangling: by libiberty (C++, D, Rust's old scheme; recursion limit on) and
 * by image/demangle_rust.h. Input is capped at 4 KiB, output at 64 KiB.
 */
#ifndef IMAGE_DEMANGLE_H
#define IMAGE_DEMANGLE_H

#include "base/arena.h"

/* The demangled form in the arena, or NULL when the name is not mangled (or too
 * long). With params also the parameter list: "ns::f(int)" instead of
 * "ns::f". */
const char *demangle(struct arena *a, const char *linkage_name, bool params);

#endif /* IMAGE_DEMANGLE_H */
