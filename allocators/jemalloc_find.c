/* SPDX-License-Identifier: MIT */
/*
 * Where jemalloc keeps itself, without any of its private symbols:
 * distributions ship the library with exported names alone, and nobody ships
 * its debug information.
 *
 * Each thread's local data hold its cache (jemalloc_cache.c) and a small cache
 * of the radix tree: 24 pairs of a key (an address, cut to what one leaf
 * covers) and that leaf. The tree's root is where an entry for the key, in the
 * module's zero-initialized data, leads to the very leaf. Every other pair must
 * then agree, and so must the extents that the tree names.
 */
#include <stdlib.h>
#include <string.h>

#include "allocators/jemalloc.h"

enum {
	PAIRS = 24,
	LOCAL_MAX = 64 << 10, /* bytes of a thread's block that are searched */
	TEXT_MAX = 64 << 20,  /* of a program that is searched for a version */
	VERSION_MAX = 80,
	PROOFS = 16 /* extents that must be what the tree says */
};

struct pair {
	uint64_t key, leaf;
};

static const struct je_tree shapes[] = {
    /* Where addresses have 48 bits; entries are packed into one word. */
    {.root_bits = 18, .node_bits = 0, .leaf_bits = 18, .stride = 8},
    /* Built on a machine with 57: three levels, entries of two words. */
    {.root_bits = 15, .node_bits = 15, .leaf_bits = 15, .stride = 16}};

/* ---- the version ---- */

static bool
is_hex(char c)
{

	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* "5.3.0-0-g54eaed1d8b56...": what every release carries. */
static size_t
version_at(const char *s, size_t n)
{
	size_t i = 0, hex = 0;

	for (int part = 0; part < 4; part++) {
		size_t digits = 0;

		while (i < n && s[i] >= '0' && s[i] <= '9' && digits < 6)
			i++, digits++;
		if (digits == 0 || i >= n || s[i] != (part < 2 ? '.' : '-'))
			return 0;
		i++;
	}
	if (i >= n || s[i] != 'g')
		return 0;
	i++;
	if (n - i > 16 && memcmp(s + i, "missing_version_", 16) == 0)
		return i + 15;
	while (i < n && is_hex(s[i]))
		i++, hex++;
	return hex >= 7 && i < n && s[i] == '\0' ? i : 0;
}

static const char *
search_version(struct je *je, const char *bytes, size_t n)
{

	for (size_t i = 2; i + 16 < n; i++) {
		size_t start = i - 1, length;

		/* "-0-g": the number before it is what makes it rare. */
		if (bytes[i] != '-' || bytes[i + 2] != '-' ||
		    bytes[i + 3] != 'g')
			continue;
		while (start > 0 && bytes[start - 1] != '\0' && i - start < 12)
			start--;
		length = version_at(bytes + start, n - start);
		if (length > 0 && length < VERSION_MAX)
			return je->host->text(
			    je->host->ctx, "%.*s", (int)length, bytes + start);
	}
	return NULL;
}

/* The same in a piece of memory, in place or from a copy (room). */
static const char *
search_piece(struct je *je, bt_addr_t at, size_t size, unsigned char *room)
{
	const unsigned char *bytes;
	size_t got = ptrace_target_view(je->target, at, size, &bytes);

	if (got < size) {
		got = ptrace_target_read_some(je->target, at, room, size);
		bytes = room;
	}
	return search_version(je, (const char *)bytes, got);
}

/* Read-only data of the module, from its file or from memory. */
static const char *
find_version(struct je *je)
{
	enum { CHUNK = 256 << 10, OVERLAP = 128 };
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	const char *found = NULL;
	unsigned char *room = malloc(CHUNK);
	uint64_t budget = TEXT_MAX;

	for (bt_addr_t at = je->module.start;
	     room != NULL && found == NULL && at < je->module.end &&
	     ptrace_target_mapping_next(je->target, at, &m) &&
	     m.start < je->module.end;
	     at = m.end) {
		if ((m.permissions & PTRACE_PERM_WRITE) != 0 ||
		    (m.permissions & PTRACE_PERM_READ) == 0)
			continue;
		for (bt_addr_t p = m.start;
		     p < m.end && found == NULL && budget >= CHUNK;
		     p += CHUNK - OVERLAP, budget -= CHUNK)
			found = search_piece(
			    je, p, m.end - p < CHUNK ? m.end - p : CHUNK, room);
	}
	free(room);
	return found;
}

/* ---- which module ---- */

/* A prefix may be chosen when it is built: these are what programs chose. */
static const char *const names[] = {"mallctl", "je_mallctl", "_rjem_mallctl",
    "jemallctl", "je_malloc_conf", "malloc_stats_print", "_rjem_malloc_conf"};

static bool
module_has(struct je *je, const ptrace_module_t *m)
{
	bt_addr_t address;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (ptrace_target_symbol_named(
			je->target, m, names[i], &address, NULL) &&
		    address >= m->start && address < m->end)
			return true;
	return false;
}

/* A program without names that brings its own malloc: a stripped one exports
 * at most malloc itself, a static one nothing. */
static bool
module_may_have(struct je *je, const ptrace_module_t *m)
{
	bt_addr_t address;

	if (m->executable == false)
		return false;
	return ptrace_target_n_modules(je->target) <= 2 ||
	    (ptrace_target_symbol_named(
		 je->target, m, "malloc", &address, NULL) &&
		address >= m->start && address < m->end);
}

/* ---- threads ---- */

/* The words of a thread's local data of the module. */
static size_t
local_words(struct je *je, ptrace_thread_t *thread, bt_addr_t *block,
    uint64_t *words, size_t max)
{
	uint64_t size = 0;

	if (!ptrace_thread_local_block(thread, &je->module, block, &size))
		return 0;
	if (*block % 8 != 0) {
		uint64_t skip = 8 - *block % 8;

		if (size < skip)
			return 0;
		*block += skip;
		size -= skip;
	}
	if (size > max * 8)
		size = max * 8;
	return ptrace_target_read_some(
		   je->target, *block, words, (size_t)size & ~(size_t)7) /
	    8;
}

static bool
is_inside(struct je *je, ptrace_thread_t *thread)
{
	uint32_t n = ptrace_thread_n_frames(thread);

	for (uint32_t i = 0; i < n && i < 64; i++) {
		ptrace_frame_t *f = ptrace_thread_frame(thread, i);
		bt_addr_t ip = f != NULL ? ptrace_frame_ip(f) : 0;
		const char *name = f != NULL ? ptrace_frame_symbol(f) : "";

		if (ip < je->module.start || ip >= je->module.end)
			continue;
		if (je->module.executable == false ||
		    strncmp(name, "je_", 3) == 0 ||
		    strncmp(name, "_rjem_", 6) == 0)
			return true;
	}
	return false;
}

static size_t
pairs_of(const uint64_t *words, size_t n, uint64_t span, struct pair *out)
{
	size_t count = 0;

	for (size_t i = 0; i + 2 <= n && count < PAIRS; i++) {
		if (words[i] < 0x10000 || words[i] >> 47 != 0 ||
		    words[i] % span != 0 || words[i + 1] < 0x10000 ||
		    words[i + 1] >> 47 != 0 || words[i + 1] % 64 != 0)
			continue;
		out[count].key = words[i];
		out[count++].leaf = words[i + 1];
	}
	return count;
}

/* ---- the root ---- */

static uint64_t
span_of(const struct je_tree *tree)
{

	return UINT64_C(1) << (12 + tree->leaf_bits);
}

/* Extents that the tree names at a leaf's entries are what they should be. */
static bool
leaf_proves(struct je *je, const struct pair *pair)
{
	uint64_t entries = UINT64_C(1) << je->tree.leaf_bits;
	uint8_t chunk[JE_PAGE];
	unsigned good = 0, bad = 0;

	for (uint64_t at = 0;
	     at < entries * je->tree.stride && good + bad < PROOFS;
	     at += sizeof(chunk)) {
		if (ptrace_target_read_some(je->target, pair->leaf + at, chunk,
			sizeof(chunk)) != sizeof(chunk))
			continue;
		for (size_t i = 0; i < sizeof(chunk) && good + bad < PROOFS;
		     i += je->tree.stride) {
			bt_addr_t page = pair->key +
			    ((at + i) / je->tree.stride << 12);
			bt_addr_t edata;
			struct je_extent x;
			uint64_t word;

			/* What was entered once and taken out again keeps
			 * a size class without an extent. */
			memcpy(&word, chunk + i, sizeof(word));
			edata = word != 0 ? je_tree_edata(je, page) : 0;
			if (edata == 0)
				continue;
			if (je_extent_read(je, edata, &x) &&
			    page - x.base < x.size)
				good++;
			else
				bad++;
		}
	}
	return good > bad;
}

static bool
root_fits(struct je *je, bt_addr_t root, const struct pair *pair)
{
	const struct je_tree *tree = &je->tree;
	uint64_t shift = 12 + tree->leaf_bits, node = root, index;

	if (tree->node_bits == 0)
		return true;
	if (!je_word(je, root + (pair->key >> (shift + tree->node_bits)) * 8,
		&node) ||
	    node < 0x10000)
		return false;
	index = pair->key >> shift & ((UINT64_C(1) << tree->node_bits) - 1);
	return je_word(je, node + index * 8, &node) && node == pair->leaf;
}

/* Searches the module's data for the entry that leads to the leaf. */
static bool
find_root(struct je *je, const struct pair *pair)
{
	struct je_tree *tree = &je->tree;
	unsigned shift = 12 + tree->leaf_bits + tree->node_bits;
	uint64_t low = tree->node_bits == 0 ? pair->leaf : 0x10000;
	uint64_t high = tree->node_bits == 0 ? pair->leaf
					     : (UINT64_C(1) << 47) - 1;
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;

	for (bt_addr_t at = je->module.start; at < je->module.end &&
	     ptrace_target_mapping_next(je->target, at, &m) &&
	     m.start < je->module.end;
	     at = m.end) {
		bt_addr_t from = m.start, found;
		uint64_t value;

		if ((m.permissions & PTRACE_PERM_WRITE) == 0)
			continue;
		while (ptrace_target_find_word(
		    je->target, from, m.end, low, high, &found, &value)) {
			from = found + 8;
			tree->root = found - (pair->key >> shift) * 8;
			if (value % 64 == 0 &&
			    root_fits(je, tree->root, pair) &&
			    leaf_proves(je, pair))
				return true;
		}
	}
	return false;
}

static bool
find_tree(struct je *je, const uint64_t *words, size_t n)
{

	for (size_t s = 0; s < sizeof(shapes) / sizeof(*shapes); s++) {
		struct pair pairs[PAIRS];
		size_t count = pairs_of(words, n, span_of(&shapes[s]), pairs);

		je->tree = shapes[s];
		for (size_t i = 0; i < count; i++)
			if (find_root(je, &pairs[i]))
				return true;
	}
	je->tree.root = 0;
	return false;
}

/* ---- the quantum ---- */

struct vote {
	struct je *je;
	unsigned seen, wide, narrow;
};

static bool
vote(void *ctx, const struct je_extent *x)
{
	struct vote *v = ctx;
	uint64_t size;

	if (x->slab || x->state != JE_ACTIVE)
		return true;
	/* A block and, unless configured away, a page to move it in. */
	v->je->quantum = 16;
	size = je_class_size(v->je, x->class);
	v->wide += size == x->size || size + JE_PAGE == x->size;
	v->je->quantum = 8;
	size = je_class_size(v->je, x->class);
	v->narrow += size == x->size || size + JE_PAGE == x->size;
	return ++v->seen < 64;
}

static void
find_quantum(struct je *je)
{
	struct vote v = {.je = je};

	je_extents_each(je, vote, NULL, &v);
	je->quantum = v.narrow > v.wide ? 8 : 16;
}

/* ---- all of it ---- */

static void
add_thread(struct je *je, ptrace_thread_t *thread, uint64_t *words)
{
	struct je_thread *t = &je->threads[je->n_threads];
	bt_addr_t block;
	size_t n = local_words(je, thread, &block, words, LOCAL_MAX / 8);
	size_t place;

	t->tid = ptrace_thread_tid(thread);
	t->inside = is_inside(je, thread);
	je->busy = je->busy || t->inside;
	if (n > 0 && je_cache_find(je->layout, words, n, &place))
		t->cache = block + place;
	if (n > 0 && je->tree.root == 0)
		find_tree(je, words, n);
	je->n_threads++;
}

static bool
find_threads(struct je *je)
{
	uint32_t n = ptrace_backtrace_n_threads(je->host->backtrace);
	uint64_t *words = malloc(LOCAL_MAX);

	je->threads = calloc(n > 0 ? n : 1, sizeof(*je->threads));
	if (words == NULL || je->threads == NULL) {
		free(words);
		return false;
	}
	for (uint32_t i = 0; i < n; i++) {
		ptrace_thread_t *thread = ptrace_backtrace_thread(
		    je->host->backtrace, i);

		if (thread != NULL)
			add_thread(je, thread, words);
	}
	free(words);
	return je->tree.root != 0;
}

static void
forget_threads(struct je *je)
{

	free(je->threads);
	je->threads = NULL;
	je->n_threads = 0;
	je->busy = false;
	je->tree.root = 0;
}

static int
ascending(const void *a, const void *b)
{
	const bt_addr_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The blocks of the caches' stacks are jemalloc's own. */
static void
note_stacks(struct je *je)
{

	je->stacks = calloc(je->n_threads + 1u, sizeof(*je->stacks));
	for (uint32_t i = 0; je->stacks != NULL && i < je->n_threads; i++)
		if (je->threads[i].stack != 0)
			je->stacks[je->n_stacks++] = je->threads[i].stack;
	if (je->n_stacks > 1)
		qsort(je->stacks, je->n_stacks, sizeof(*je->stacks), ascending);
}

static void
read_caches(struct je *je)
{

	for (uint32_t i = 0; i < je->n_threads; i++) {
		struct je_thread *t = &je->threads[i];

		if (t->cache == 0)
			continue;
		t->place = je->host->text(
		    je->host->ctx, "tcache of thread %u", t->tid);
		if (je_cache_read(je, i))
			je->n_caches++;
	}
	je_cache_sort(je);
	note_stacks(je);
}

/* The layout by which threads have caches, if a version does not tell. */
static bool
find_by_layout(struct je *je)
{
	const struct je_layout *found = NULL;
	bool cached = false;

	for (size_t i = 0; cached == false &&
	     (je->layout = je_layout_of(je->version, i)) != NULL;
	     i++) {
		forget_threads(je);
		if (!find_threads(je))
			continue;
		if (found == NULL)
			found = je->layout;
		for (uint32_t k = 0; k < je->n_threads; k++)
			cached = cached || je->threads[k].cache != 0;
	}
	if (cached || found == NULL)
		return cached;
	/* Caches may be switched off. */
	je->layout = found;
	forget_threads(je);
	return find_threads(je);
}

static bool
is_supported(struct je *je)
{

	if (je_layout_of(je->version, 0) != NULL)
		return true;
	je->host->remark(je->host->ctx,
	    je->host->text(je->host->ctx, "jemalloc %s: unsupported version",
		je->version));
	return false;
}

/* The module's text says which version it is, and its threads show that it is
 * one. */
static bool
open_named(struct je *je)
{

	je->version = find_version(je);
	if (!is_supported(je))
		return false;
	if (find_by_layout(je))
		return true;
	if (je->version != NULL)
		je->host->remark(
		    je->host->ctx, "jemalloc: its tables were not found");
	return false;
}

/* Most programs without names are something else: their threads show it before
 * their text is searched. */
static bool
open_unnamed(struct je *je)
{
	const struct je_layout *found;

	if (!find_by_layout(je))
		return false;
	found = je->layout;
	je->version = find_version(je);
	if (je->version == NULL || !is_supported(je))
		return false;
	return je_layout_of(je->version, 0) == found || find_by_layout(je);
}

/* It is known by what it keeps for each thread: of a library that keeps nothing
 * no file is opened to look for names. (jemalloc without thread-local storage
 * is for systems that have none.) */
bool
je_find(struct je *je)
{
	uint32_t n = ptrace_target_n_modules(je->target);

	for (uint32_t i = 0; i < n; i++) {
		ptrace_module_t m = PTRACE_MODULE_INIT;
		bool named;

		if (!ptrace_target_module_listed(je->target, i, &m) ||
		    (m.tls_size == 0 && !m.executable))
			continue;
		named = module_has(je, &m);
		if (!named && !module_may_have(je, &m))
			continue;
		je->module = m;
		if (named ? open_named(je) : open_unnamed(je)) {
			find_quantum(je);
			read_caches(je);
			return true;
		}
		/* There is one, and it is not known. */
		if (named || je->version != NULL)
			return false;
		forget_threads(je);
	}
	return false;
}
