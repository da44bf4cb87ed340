/* SPDX-License-Identifier: MIT */
/*
 * The shipped analysis modules.
 */
#include "common/compose.h"

/* modules/NAME.c defines pmodule_descriptor_NAME. */
extern const pmodule_descriptor_t pmodule_descriptor_fault;

static const pmodule_descriptor_t *const shipped[] = {
    &pmodule_descriptor_fault,
};

void
compose_modules(struct session_options *o)
{
	o->analysis = shipped;
	o->n_analysis = sizeof(shipped) / sizeof(*shipped);
}
