/* SPDX-License-Identifier: MIT */
/*
 * Where the bad value was read: the pointer, or the address that was called.
 */
#ifndef MODULES_USE_H
#define MODULES_USE_H

#include "origin.h"

struct use {
	const struct crash *c;
	uint64_t value;	  /* that was bad */
	bt_addr_t holder; /* where it was read */
	bool called_since;
	const char *how; /* it is known */
	/* Where the pointer was read that led to the holder. */
	bool has_through;
	bt_addr_t through;
};

/* By a slice that led to a load. */
bool use_of_origin(struct use *u, const struct origin *o);
/* By the code of the function that failed, or that called what is no code. */
bool use_in_function(struct use *u);

#endif /* MODULES_USE_H */
