/* SPDX-License-Identifier: MIT */
/*
 * What functions of the C library expect of their arguments.
 */
#ifndef MODULES_EXPECTS_H
#define MODULES_EXPECTS_H

#include <ptrace/pmodule.h>

/* NULL: nothing is known of the function. */
const pmodule_constraint_t *expects_known(const char *name);

#endif /* MODULES_EXPECTS_H */
