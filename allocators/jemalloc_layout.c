/* SPDX-License-Identifier: MIT */
/*
 * What changed in jemalloc between 5.2 and 5.3 (x86-64). Offsets follow from
 * the declarations in include/jemalloc/internal of each release:
 *
 *	5.2.0, 5.2.1	extent_structs.h: the state has two bits, behind the
 *			mark of pages that a core has; descriptions are
 *			aligned to a cache line; rtree.h: an entry has one
 *			flag; cache_bin.h: a bin counts what it holds
 *	5.3		edata.h, rtree.h, cache_bin.h
 *
 * 5.1 and older had no shards of bins; 4 had headers in chunks.
 */
#include <string.h>

#include "allocators/jemalloc.h"

static const struct je_layout table[] = {
    {.prefix = "5.3.",
	.state_shift = 17,
	.state_mask = 7,
	.class_shift = 20,
	.free_shift = 28,
	.align = 128,
	.entry_flags = 0x7f},
    {.prefix = "5.2.",
	.state_shift = 16,
	.state_mask = 3,
	.class_shift = 18,
	.free_shift = 26,
	.align = 64,
	.entry_flags = 1,
	.counted_bins = true},
};

const struct je_layout *
je_layout_of(const char *version, size_t i)
{
	/* Built from sources that did not know their version: the shape alone
	 * decides. */
	bool any = version == NULL || strncmp(version, "0.0.0-", 6) == 0;

	for (size_t k = 0; k < sizeof(table) / sizeof(*table); k++)
		if ((any ||
			strncmp(version, table[k].prefix,
			    strlen(table[k].prefix)) == 0) &&
		    i-- == 0)
			return &table[k];
	return NULL;
}
