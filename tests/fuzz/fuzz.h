/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets share. Each file fuzz_NAME.c is one target, in the form
 * that libFuzzer calls; built by clang with -DINQUEST_FUZZ=ON it is fuzzed, and
 * in every build replay.c makes a plain program of it, which goes through
 * files.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "base/opener.h"
#include "base/view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Optional in a target: changes data in place, and gives its new size. */
size_t LLVMFuzzerCustomMutator(
    uint8_t *data, size_t size, size_t max, unsigned seed);
/* libFuzzer's own way to do so; replay.c has a simple one. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

/* A file of those bytes that has no name: its descriptor, or -1. */
int fuzz_file(const void *data, size_t size);
/* The name by which it can be opened. */
enum { FUZZ_PATH_SIZE = 32 };
const char *fuzz_path(int fd, char *out);
/* An empty directory, which is removed at the end: below it nothing that an
 * input names exists, whatever this machine has. */
const char *fuzz_empty_dir(void);
/* Uses a value in a way that no compiler leaves out, so that bytes nobody has
 * set are noticed. */
void fuzz_use(const void *data, size_t size);
/* The same with a string; NULL allowed. */
void fuzz_use_text(const char *text);
/* data, cut into two at a length that its first two bytes give. */
void fuzz_split(struct view all, struct view *a, struct view *b);

#endif /* FUZZ_FUZZ_H */
