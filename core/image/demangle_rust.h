/* SPDX-License-Identifier: MIT */
/*
 * Names of Rust's "v0" mangling ("_RNvCs1234_4name4main"), which every compiler
 * since 1.59 can make: RFC 2603, and "Symbol Mangling" in the rustc book.
 */
#ifndef IMAGE_DEMANGLE_RUST_H
#define IMAGE_DEMANGLE_RUST_H

#include <stddef.h>

/* The name as rustc would write the path, without hashes of crates: its length
 * in out, which has no NUL behind it. 0: it is not such a name, or is longer
 * than size, or takes too many steps (a name may refer back to its own parts,
 * and so stand for more text than there is memory). */
size_t demangle_rust(const char *name, char *out, size_t size);

#endif /* IMAGE_DEMANGLE_RUST_H */
