/* SPDX-License-Identifier: MIT */
/*
 * The modules that come with Inquest as files of another language: one
 * directory, read at the start (names and the heads of the files, with the
 * same checks as modules of the user's), of which only those are loaded whose
 * condition holds. A module is named as its file is.
 */
#ifndef MODULE_SHIPPED_H
#define MODULE_SHIPPED_H

#include "module/loader.h"
#include "target/target.h"
#include "value/value.h"

struct shipped_modules;

/* Told of each file that is not taken. */
typedef void shipped_refused_fn(void *ctx, const bt_error_t *e);

/* The directory need not exist. NULL: nothing is there. */
struct shipped_modules *shipped_modules_open(const char *dir,
    const char *suffix, shipped_refused_fn *refused, void *ctx);
void shipped_modules_close(struct shipped_modules *m); /* NULL allowed */

size_t shipped_modules_count(const struct shipped_modules *m);
const char *shipped_modules_name(const struct shipped_modules *m, size_t i);
/* Now that modules and variables of the target are known (r may be NULL). */
bool shipped_modules_wanted(const struct shipped_modules *m, size_t i,
    struct target *t, struct value_reader *r);
/* As module_loader_file; once for each module. */
const pmodule_descriptor_t *shipped_modules_load(struct shipped_modules *m,
    size_t i, struct module_loader *l, bt_error_t *e);

#endif /* MODULE_SHIPPED_H */
