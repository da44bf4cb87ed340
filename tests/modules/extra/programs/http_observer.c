/* SPDX-License-Identifier: MIT */
/*
 * The list of requests that are being served, in a library of its own.
 */
#include "mtev_hash.h"

typedef struct {
	void *ctx;
	unsigned long times[15];
	mtev_hash_table info;
} http_entry_t;
_Static_assert(offsetof(http_entry_t, info) == 128, "info");

static struct entry info_entries[] = {
    {"/index", "uri", "uri"}, {"GET", "method", "method"}};
static void *info_slots[8], *lookup_slots[4];
static struct ck_hs_map info_map, lookup_map;
static http_entry_t request;
static struct entry lookup_entries[] = {{&request, "0x1234", "0x1234"}};

mtev_hash_table lookup;

void
observe(void)
{

	hash_fill(&request.info, &info_map, info_slots, 8, info_entries, 2);
	hash_fill(&lookup, &lookup_map, lookup_slots, 4, lookup_entries, 1);
}
