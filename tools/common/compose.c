/* SPDX-License-Identifier: MIT */
/*
 * The shipped analysis modules.
 */
#include "common/compose.h"

extern const pmodule_descriptor_t pmodule_descriptor; /* modules/fault.c */

static const pmodule_descriptor_t *const shipped[] = {
    &pmodule_descriptor,
};

void
compose_modules(struct session_options *o)
{
	o->analysis = shipped;
	o->n_analysis = sizeof(shipped) / sizeof(*shipped);
}
