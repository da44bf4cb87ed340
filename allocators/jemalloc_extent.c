/* SPDX-License-Identifier: MIT */
/*
 * Extents of jemalloc: their descriptions (128 bytes, struct edata_s since 5.3,
 * struct extent_s before), and the radix tree whose leaves have one entry a
 * page. A slab is entered with all its pages, any other extent with its first
 * and its last page only, so what holds an address in the middle of a large
 * block is found in a sorted list of them.
 */
#include <stdlib.h>
#include <string.h>

#include "allocators/jemalloc.h"

enum {
	EDATA_SIZE = 128,
	LEAF_CHUNK = 8192,   /* bytes of a leaf or node read at once */
	EXTENT_MAX_LG = 47,  /* user addresses */
	CLASSES = 232,	     /* with a quantum of 16 */
	CLASSES_NARROW = 235 /* of 8 */
};

bool
je_word(struct je *je, bt_addr_t address, uint64_t *out)
{

	return ptrace_target_read_some(je->target, address, out, 8) == 8;
}

/* Size classes: up to eight times (or four, with a quantum of 8) the quantum
 * one by one, then four to a doubling. A quantum of 16 has 8 in front. */
uint64_t
je_class_size(const struct je *je, uint32_t class)
{
	uint32_t tiny = je->quantum == 16 ? 1 : 0, i, group;
	unsigned shift = je->quantum == 16 ? 4 : 3;

	if (class < tiny)
		return 8;
	if (class >= (je->quantum == 16 ? CLASSES : CLASSES_NARROW))
		return 0;
	i = class - tiny;
	group = i / 4;
	if (group == 0)
		return ((uint64_t)i + 1) << shift;
	/* Group g runs from 4 << (g - 1) quanta in steps of a quarter. */
	return ((uint64_t)(4 + i % 4 + 1)) << (shift + group - 1);
}

bool
je_extent_read(struct je *je, bt_addr_t edata, struct je_extent *out)
{
	const struct je_layout *l = je->layout;
	uint64_t w[EDATA_SIZE / 8], bits;

	if (edata % l->align != 0 ||
	    ptrace_target_read_some(je->target, edata, w, sizeof(w)) !=
		sizeof(w))
		return false;
	bits = w[0];
	out->edata = edata;
	out->address = w[1];
	out->base = w[1] & ~(uint64_t)(JE_PAGE - 1);
	out->size = w[2] & ~(uint64_t)(JE_PAGE - 1);
	out->arena = bits & 0xfff;
	out->state = bits >> l->state_shift & l->state_mask;
	/* Pages that were a slab keep the mark. */
	out->slab = (bits >> 12 & 1) != 0 && out->state == JE_ACTIVE;
	out->class = bits >> l->class_shift & 0xff;
	out->free_regions = bits >> l->free_shift & 0x3ff;
	out->region = je_class_size(je, out->class);
	memcpy(out->bitmap, &w[8], sizeof(out->bitmap));
	return out->base != 0 && out->size != 0 &&
	    out->size < UINT64_C(1) << EXTENT_MAX_LG &&
	    out->base < UINT64_C(1) << EXTENT_MAX_LG &&
	    (out->slab == false || out->address == out->base);
}

/* ---- the tree ---- */

static bt_addr_t
entry_edata(const struct je *je, const uint8_t *entry)
{
	uint64_t word;

	memcpy(&word, entry, sizeof(word));
	if (je->tree.stride != 8)
		return word;
	/* Packed: class in the upper 16 bits, flags in the lower ones. */
	return (word << 16) >> 16 & ~(uint64_t)je->layout->entry_flags;
}

static bt_addr_t
leaf_of(struct je *je, bt_addr_t address)
{
	const struct je_tree *tree = &je->tree;
	unsigned shift = 12 + tree->leaf_bits;
	uint64_t node = tree->root;

	if (address >> (shift + tree->node_bits + tree->root_bits) != 0 ||
	    !je_word(
		je, node + (address >> (shift + tree->node_bits)) * 8, &node))
		return 0;
	if (tree->node_bits == 0 || node == 0)
		return node;
	address >>= shift;
	address &= (UINT64_C(1) << tree->node_bits) - 1;
	return je_word(je, node + address * 8, &node) ? node : 0;
}

bt_addr_t
je_tree_edata(struct je *je, bt_addr_t address)
{
	bt_addr_t leaf = leaf_of(je, address);
	uint64_t i = address >> 12 & ((UINT64_C(1) << je->tree.leaf_bits) - 1);
	uint8_t entry[8];

	if (leaf == 0 ||
	    ptrace_target_read_some(je->target, leaf + i * je->tree.stride,
		entry, sizeof(entry)) != sizeof(entry))
		return 0;
	return entry_edata(je, entry);
}

struct walk {
	struct je *je;
	je_extent_fn *fn;
	je_stray_fn *stray;
	void *ctx;
	bt_addr_t last;	    /* edata of the last entry */
	bt_addr_t end;	    /* where the last extent ends */
	bt_addr_t expected; /* its last page's address */
	bool stopped, limited;
};

static void
take_entry(struct walk *w, bt_addr_t page, bt_addr_t edata)
{
	struct je_extent x;

	if (edata == w->last && page < w->end)
		return; /* another page of the same */
	if (!w->je->host->take(w->je->host->ctx, 1)) {
		w->limited = true;
		return;
	}
	if (!je_extent_read(w->je, edata, &x) || x.base != page) {
		if (w->stray != NULL)
			w->stray(w->ctx, page, edata);
		return;
	}
	w->last = edata;
	w->end = x.base + x.size;
	w->stopped = !w->fn(w->ctx, &x);
}

/* Reads what is not all zeros: most of a tree is. How many bytes; what is not
 * there, and zeros, are none. */
static size_t
read_filled(struct je *je, bt_addr_t at, uint8_t out[LEAF_CHUNK])
{
	static const uint8_t none[LEAF_CHUNK];
	const uint8_t *bytes;
	size_t got = ptrace_target_view(je->target, at, LEAF_CHUNK, &bytes);

	if (got == LEAF_CHUNK) {
		if (memcmp(bytes, none, LEAF_CHUNK) == 0)
			return 0;
		memcpy(out, bytes, LEAF_CHUNK);
		return got;
	}
	got = ptrace_target_read_some(je->target, at, out, LEAF_CHUNK);
	return memcmp(out, none, got) != 0 ? got : 0;
}

static void
walk_leaf(struct walk *w, bt_addr_t leaf, bt_addr_t first)
{
	const struct je_tree *tree = &w->je->tree;
	uint64_t bytes = (UINT64_C(1) << tree->leaf_bits) * tree->stride;
	uint8_t chunk[LEAF_CHUNK];

	for (uint64_t at = 0; at < bytes && !w->stopped && !w->limited;
	     at += sizeof(chunk)) {
		size_t got = read_filled(w->je, leaf + at, chunk);

		for (size_t i = 0;
		     i + tree->stride <= got && !w->stopped && !w->limited;
		     i += tree->stride) {
			bt_addr_t edata = entry_edata(w->je, chunk + i);

			if (edata != 0)
				take_entry(w,
				    first + ((at + i) / tree->stride << 12),
				    edata);
		}
	}
}

/* Visits the words of a node that are not zero: level 0 is the root. */
static void
walk_node(struct walk *w, bt_addr_t node, unsigned bits, unsigned shift,
    bt_addr_t first, bool leaves)
{
	uint64_t count = UINT64_C(1) << bits, word;
	uint8_t chunk[LEAF_CHUNK];

	for (uint64_t at = 0; at < count && !w->stopped && !w->limited;
	     at += sizeof(chunk) / 8) {
		size_t got = read_filled(w->je, node + at * 8, chunk) / 8;

		for (size_t i = 0; i < got && !w->stopped && !w->limited; i++) {
			bt_addr_t below = first + ((at + i) << shift);

			memcpy(&word, chunk + i * 8, sizeof(word));
			if (word == 0)
				continue;
			w->limited = !w->je->host->take(w->je->host->ctx, 64);
			if (leaves)
				walk_leaf(w, word, below);
			else
				walk_node(w, word, w->je->tree.node_bits,
				    shift - w->je->tree.node_bits, below, true);
		}
	}
}

bool
je_extents_each(struct je *je, je_extent_fn *fn, je_stray_fn *stray, void *ctx)
{
	const struct je_tree *tree = &je->tree;
	struct walk w = {.je = je, .fn = fn, .stray = stray, .ctx = ctx};

	walk_node(&w, tree->root, tree->root_bits,
	    12 + tree->leaf_bits + tree->node_bits, 0, tree->node_bits == 0);
	return w.limited == false;
}

/* ---- what holds an address ---- */

static bool
add_large(void *ctx, const struct je_extent *x)
{
	struct je *je = ctx;
	struct je_large *new;

	if (x->slab)
		return true;
	if (!array_grow((void **)&je->large, &je->room_large, je->n_large,
		JE_LARGE_MAX, sizeof(*je->large)))
		return false;
	new = &je->large[je->n_large++];
	new->start = x->base;
	new->end = x->base + x->size;
	new->edata = x->edata;
	return true;
}

bool
je_extent_at(struct je *je, bt_addr_t address, struct je_extent *out)
{
	bt_addr_t edata = je_tree_edata(je, address);
	size_t low = 0, high;

	if (edata != 0 && je_extent_read(je, edata, out) &&
	    address - out->base < out->size)
		return true;
	if (je->has_large == false) {
		je->has_large = true;
		je_extents_each(je, add_large, NULL, je);
	}
	high = je->n_large;
	while (low < high) { /* the last that starts at or below */
		size_t middle = low + (high - low) / 2;

		if (je->large[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && address < je->large[low - 1].end &&
	    je_extent_read(je, je->large[low - 1].edata, out) &&
	    address - out->base < out->size;
}
