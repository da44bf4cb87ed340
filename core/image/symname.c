/* SPDX-License-Identifier: MIT */
/*
 * Name -> symbol. Exported names are found through the hash table that the
 * linker made (DT_GNU_HASH); in other tables the first few questions are
 * answered by a walk, more of them by a hash table of our own. Most names that
 * are asked for are nowhere: the first walk through a large table leaves a
 * filter (one bit for the beginning of each name) that says so at once. Later
 * walks look for the text first, in the table of strings, and for a symbol with
 * such a place then: that takes a fifth of comparing all names.
 */
#include "image/internal.h"
#include <stdlib.h>

#define WALKS_FIRST 12	/* a hash table costs about as much */
#define PLACES_MAX 8	/* of one name's text that are told apart */
#define TRIES_MAX 64	/* names that begin or go on like it */
#define HASHED_MAX 1024 /* bytes of a name that are hashed */
#define FILTER_MIN 4096 /* symbols; in smaller tables a walk is cheap */
#define FILTER_BITS_MAX 27
#define VERSYM_HIDDEN 0x8000 /* not the default version of its name */

enum match { MATCH_NO, MATCH_OLD_VERSION, MATCH_YES };

/* Whether symbol number index is called name. A version that is not the
 * default one ("foo@V1", or hidden in .gnu.version) is second choice. */
static enum match
match_name(const struct symtab *t, size_t index, const Elf64_Sym *sym,
    const char *name, size_t len)
{
	const char *have = symtab_name(t, sym);
	struct view v;

	if (have[0] != name[0] || strncmp(have, name, len) != 0 ||
	    (have[len] != '\0' && have[len] != '@') ||
	    !symtab_is_definition(sym))
		return MATCH_NO;
	if (have[len] == '@' && have[len + 1] != '@')
		return MATCH_OLD_VERSION;
	v = view_from(&t->versions, index * sizeof(uint16_t));
	if (t->versions.size > 0 && (view_u16(&v) & VERSYM_HIDDEN) != 0)
		return MATCH_OLD_VERSION;
	return MATCH_YES;
}

static enum match
find_hashed(struct image *image, const char *name, Elf64_Sym *out)
{
	const struct gnu_hash *h = &image->gnu_hash;
	const struct symtab *t = &image->dynsym;
	uint32_t hash = gnu_hash_of(name), i = 0;
	size_t len = strlen(name);
	enum match best = MATCH_NO;
	Elf64_Sym sym;

	while ((i = gnu_hash_next(h, hash, i)) != 0 && symtab_get(t, i, &sym)) {
		enum match m = match_name(t, i, &sym, name, len);

		if (m > best) {
			best = m;
			*out = sym;
		}
		if (best == MATCH_YES)
			break;
	}
	return best;
}

/* The bit of a name: of its first eight bytes, without a version. */
static uint64_t
filter_bit(const struct symtab *t, const char *name, size_t most)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	uint64_t word = 0, other, end;

	if (most >= sizeof(word))
		memcpy(&word, name, sizeof(word));
	else
		memcpy(&word, name, most);
	/* The top bit of the first byte that is NUL, or '@' further on. */
	other = word ^ ones * '@';
	end = ((word - ones) & ~word & tops) |
	    ((other - ones) & ~other & tops & ~UINT64_C(0xff));
	if (end != 0)
		word &= ((end & -end) >> 7) - 1;
	return (word * UINT64_C(0x9e3779b97f4a7c15)) >> t->filter_shift;
}

/* False: no memory, or not worth it. */
static bool
begin_filter(struct symtab *t)
{
	unsigned bits = 15;

	if (t->count < FILTER_MIN || t->name_filter != NULL)
		return false;
	while (bits < FILTER_BITS_MAX && (size_t)1 << bits < t->count * 8)
		bits++;
	t->filter_shift = 64 - bits;
	t->name_filter = calloc((size_t)1 << (bits - 6), sizeof(uint64_t));
	return t->name_filter != NULL;
}

static void
add_to_filter(struct symtab *t, const Elf64_Sym *sym)
{
	struct view v = view_from(&t->strs, sym->st_name);
	uint64_t bit;

	if (!view_ok(&v) || v.size == 0)
		return;
	bit = filter_bit(t, (const char *)v.data, v.size);
	t->name_filter[bit / 64] |= UINT64_C(1) << bit % 64;
}

static bool
may_have(const struct symtab *t, const char *name)
{
	uint64_t bit;

	if (t->name_filter == NULL)
		return true;
	bit = filter_bit(t, name, strlen(name));
	return (t->name_filter[bit / 64] >> bit % 64 & 1) != 0;
}

/* Where a name stands in the table of strings: as one, with a version, or as
 * the end of a longer one, for linkers let names share their ends. */
struct places {
	uint32_t at[PLACES_MAX];
	unsigned n;
};

/* False: in more places than are worth it. */
static bool
find_places(
    const struct symtab *t, const char *name, size_t len, struct places *out)
{
	const char *start = (const char *)t->strs.data, *end, *p;
	unsigned tries = 0;

	out->n = 0;
	if (t->strs.size == 0)
		return true;
	end = start + t->strs.size;
	for (p = start; p < end; p++) {
		p = memmem(p, (size_t)(end - p), name, len);
		if (p == NULL || (size_t)(end - p) <= len)
			return true;
		if (tries++ == TRIES_MAX)
			return false;
		if (p[len] != '\0' && p[len] != '@')
			continue;
		if (out->n == PLACES_MAX || (size_t)(p - start) > UINT32_MAX)
			return false;
		out->at[out->n++] = (uint32_t)(p - start);
	}
	return true;
}

static inline bool
is_place(const struct places *places, uint32_t at)
{
	for (unsigned i = 0; i < places->n; i++)
		if (places->at[i] == at)
			return true;
	return false;
}

static enum match
find_linear(struct symtab *t, const char *name, Elf64_Sym *out)
{
	size_t len = strlen(name);
	enum match best = MATCH_NO;
	struct view v = t->syms;
	struct places places = {.n = 0};
	bool filter = begin_filter(t), placed;
	Elf64_Sym sym;

	symtab_read_ahead(t);
	placed = filter == false && find_places(t, name, len, &places);
	if (placed && places.n == 0)
		return MATCH_NO;
	for (size_t i = 0; symtab_next(t, &v, &sym); i++) {
		enum match m;

		if (placed && !is_place(&places, sym.st_name))
			continue;
		m = match_name(t, i, &sym, name, len);
		if (m > best) {
			best = m;
			*out = sym;
		}
		if (filter)
			add_to_filter(t, &sym);
		else if (best == MATCH_YES)
			break;
	}
	return best;
}

/* Chains of symbols whose names, without version, have equal hashes. */

static uint32_t
hash_name(const char *name)
{
	uint32_t h = 5381;

	for (size_t i = 0;
	     i < HASHED_MAX && name[i] != '\0' && (name[i] != '@' || i == 0);
	     i++)
		h = h * 33 + (unsigned char)name[i];
	return h * UINT32_C(2654435769);
}

static uint32_t *
chain_head(const struct symtab *t, const char *name)
{
	return &t->name_heads[hash_name(name) >> t->name_shift];
}

/* Symbol 0 is no symbol, so that 0 can end a chain. Inserted backwards at the
 * head, a chain is in table order. */
static bool
build_names(struct symtab *t)
{
	unsigned bits = 6;
	Elf64_Sym sym;

	while (bits < 24 && (size_t)1 << bits < t->count)
		bits++;
	t->name_shift = 32 - bits;
	t->name_heads = calloc((size_t)1 << bits, sizeof(uint32_t));
	t->name_next = calloc(t->count, sizeof(uint32_t));
	if (t->name_heads == NULL || t->name_next == NULL) {
		free(t->name_heads);
		free(t->name_next);
		t->name_heads = t->name_next = NULL;
		return false;
	}
	for (size_t i = t->count; i-- > 1 && symtab_get(t, i, &sym);) {
		uint32_t *head;

		if (!symtab_is_definition(&sym))
			continue;
		head = chain_head(t, symtab_name(t, &sym));
		t->name_next[i] = *head;
		*head = (uint32_t)i;
	}
	return true;
}

static enum match
find_chained(const struct symtab *t, const char *name, Elf64_Sym *out)
{
	size_t len = strlen(name);
	enum match best = MATCH_NO;
	Elf64_Sym sym;

	for (uint32_t i = *chain_head(t, name);
	     i != 0 && best != MATCH_YES && symtab_get(t, i, &sym);
	     i = t->name_next[i]) {
		enum match m = match_name(t, i, &sym, name, len);

		if (m > best) {
			best = m;
			*out = sym;
		}
	}
	return best;
}

static enum match
find_in(struct symtab *t, const char *name, Elf64_Sym *out)
{
	if (!may_have(t, name))
		return MATCH_NO;
	if (t->name_heads == NULL && t->walks < WALKS_FIRST) {
		t->walks++;
		return find_linear(t, name, out);
	}
	if (t->name_heads == NULL && !build_names(t))
		return find_linear(t, name, out);
	return find_chained(t, name, out);
}

bool
image_symbol_exported(
    struct image *image, const char *name, struct image_symbol *out)
{
	Elf64_Sym sym;

	if (name[0] == '\0')
		return false;
	image_load_symbols(image);
	return image->gnu_hash.nbuckets > 0 &&
	    find_hashed(image, name, &sym) == MATCH_YES &&
	    symtab_fill(&image->dynsym, &sym, out);
}

bool
image_symbol_named(
    struct image *image, const char *name, struct image_symbol *out)
{
	enum match dynamic, full;
	Elf64_Sym sym, old;

	if (name[0] == '\0')
		return false;
	image_load_symbols(image);
	/* What is exported is found without a walk through .symtab. */
	dynamic = image->gnu_hash.nbuckets > 0
	    ? find_hashed(image, name, &old)
	    : find_in(&image->dynsym, name, &old);
	if (dynamic == MATCH_YES)
		return symtab_fill(&image->dynsym, &old, out);
	full = find_in(&image->symtab, name, &sym);
	if (full > dynamic)
		return symtab_fill(&image->symtab, &sym, out);
	if (dynamic != MATCH_NO)
		return symtab_fill(&image->dynsym, &old, out);
	if (image->symtab.count > 0 || image_mini(image) == NULL ||
	    find_in(&image->mini->symtab, name, &sym) == MATCH_NO)
		return false;
	return symtab_fill(&image->mini->symtab, &sym, out);
}
