/* SPDX-License-Identifier: MIT */
/*
 * What changed in glibc's malloc between 2.17 and 2.41 (x86-64), by the
 * version in which it changed. Offsets follow from the declarations in
 * malloc/malloc.c and malloc/arena.c of each release:
 *
 *	2.23  attached_threads behind next_free
 *	2.26  thread caches, counters of one byte
 *	2.27  have_fastchunks in front of the fastbins
 *	2.29  a mark in cached chunks: the address of the cache
 *	2.30  counters of two bytes
 *	2.32  single links are mangled
 *	2.34  the mark is a random number
 *	2.35  pagesize in heap_info, sizes of huge pages in malloc_par
 *
 * 2.42 has another cache, with blocks of up to 4 MiB.
 */
#include "allocators/ptmalloc.h"

enum { MINOR_MAX = 41 };

#define STATE_OLD .fastbins = 8, .top = 88, .bins = 104, .next = 2152
#define STATE_A STATE_OLD, .system_mem = 2168, .state_size = 2184
#define STATE_B STATE_OLD, .system_mem = 2176, .state_size = 2192
#define STATE_C                                                                \
	.fastbins = 16, .top = 96, .bins = 112, .next = 2160,                  \
	.system_mem = 2184, .state_size = 2200
#define CACHE_SMALL                                                            \
	.tcache_chunk = 0x250, .tcache_count = 1, .tcache_entries = 64
#define CACHE_LARGE                                                            \
	.tcache_chunk = 0x290, .tcache_count = 2, .tcache_entries = 128

#define HEAPS_OLD .heap_info = 32, .mmaps = 40, .mmapped_mem = 56
#define HEAPS_NEW .heap_info = 48, .mmaps = 60, .mmapped_mem = 80

static const struct {
	unsigned since;
	struct pt_layout layout;
} table[] = {
    {35,
	{STATE_C, CACHE_LARGE, HEAPS_NEW, .mangled = true,
	    .tcache_keyed = true}},
    {34,
	{STATE_C, CACHE_LARGE, HEAPS_OLD, .mangled = true,
	    .tcache_keyed = true}},
    {32,
	{STATE_C, CACHE_LARGE, HEAPS_OLD, .mangled = true, .tcache_keyed = true,
	    .tcache_key_is_address = true}},
    {30,
	{STATE_C, CACHE_LARGE, HEAPS_OLD, .tcache_keyed = true,
	    .tcache_key_is_address = true}},
    {29,
	{STATE_C, CACHE_SMALL, HEAPS_OLD, .tcache_keyed = true,
	    .tcache_key_is_address = true}},
    {27, {STATE_C, CACHE_SMALL, HEAPS_OLD}},
    {26, {STATE_B, CACHE_SMALL, HEAPS_OLD}},
    {23, {STATE_B, HEAPS_OLD}},
    {17, {STATE_A, HEAPS_OLD}},
};

const struct pt_layout *
pt_layout_at(size_t i)
{

	return i < sizeof(table) / sizeof(*table) ? &table[i].layout : NULL;
}

const struct pt_layout *
pt_layout_of(unsigned minor)
{

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (minor >= table[i].since && minor <= MINOR_MAX)
			return &table[i].layout;
	return NULL;
}

/* "2.36", "2.36.9000": 36. */
static unsigned
parse(const char *text)
{
	unsigned minor = 0;

	if (strncmp(text, "2.", 2) != 0)
		return 0;
	for (text += 2; *text >= '0' && *text <= '9' && minor < 1000; text++)
		minor = minor * 10 + (unsigned)(*text - '0');
	return minor;
}

/* The banner that the library prints when it is run. */
static unsigned
from_banner(struct ptmalloc *p)
{
	static const char phrase[] = "stable release version ";
	enum { STEP = 4096, BYTES_MAX = 8 << 20 };
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	char text[STEP + 64];
	uint64_t left = BYTES_MAX;

	for (bt_addr_t at = p->module.start;
	     ptrace_target_mapping_next(p->host->target, at, &m) &&
	     m.start < p->module.end;
	     at = m.end) {
		if (m.permissions != PTRACE_PERM_READ)
			continue;
		for (bt_addr_t a = m.start; a < m.end && left >= STEP;
		     a += STEP, left -= STEP) {
			size_t n = ptrace_target_read_some(
			    p->host->target, a, text, sizeof(text) - 1);
			const char *hit = memmem(
			    text, n, phrase, sizeof(phrase) - 1);

			if (hit == NULL)
				continue;
			text[n] = '\0';
			return parse(hit + sizeof(phrase) - 1);
		}
	}
	return 0;
}

unsigned
pt_minor(struct ptmalloc *p)
{
	const char *name = p->module.name;
	bt_addr_t address;
	char text[16] = "";
	unsigned minor = 0;

	if (strncmp(name, "libc-", 5) == 0)
		minor = parse(name + 5);
	if (minor == 0 &&
	    (ptrace_target_symbol_named(p->host->target, &p->module,
		 "__nptl_version", &address, NULL) ||
		ptrace_target_symbol_named(p->host->target, &p->module,
		    "nptl_version", &address, NULL))) {
		(void)ptrace_target_read_some(
		    p->host->target, address, text, sizeof(text) - 1);
		minor = parse(text);
	}
	return minor != 0 ? minor : from_banner(p);
}
