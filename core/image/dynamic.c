/* SPDX-License-Identifier: MIT */
/*
 * The loader's view of an image: PT_DYNAMIC and the symbol hash tables. Used
 * where the section table is gone (sstrip, an image found in memory). The
 * dynamic symbol table has no size of its own there; the hash tables know it.
 */
#include "image/internal.h"

#define MAX_TAGS 4096

/* File bytes from an address of the dynamic section to its segment's end. */
static struct view
at_address(const struct image *image, uint64_t vaddr)
{
	const uint8_t *p;
	size_t n;

	if (vaddr >= image->bias)
		vaddr -= image->bias;
	n = image_read_vaddr(image, vaddr, SIZE_MAX, &p);
	return view_of(p, n);
}

static void
limit(struct view *v, uint64_t size)
{
	if (v->size > size)
		v->size = (size_t)size;
}

struct tags { /* values of the entries we need, 0: absent */
	uint64_t symtab, strtab, strsz, hash, gnu_hash, versym;
	uint64_t jmprel, jmprelsz, rela, relasz;
};

static void
take_tag(struct tags *t, int64_t tag, uint64_t value)
{
	switch (tag) {
	case DT_SYMTAB:
		t->symtab = value;
		break;
	case DT_STRTAB:
		t->strtab = value;
		break;
	case DT_STRSZ:
		t->strsz = value;
		break;
	case DT_HASH:
		t->hash = value;
		break;
	case DT_GNU_HASH:
		t->gnu_hash = value;
		break;
	case DT_VERSYM:
		t->versym = value;
		break;
	case DT_JMPREL:
		t->jmprel = value;
		break;
	case DT_PLTRELSZ:
		t->jmprelsz = value;
		break;
	case DT_RELA:
		t->rela = value;
		break;
	case DT_RELASZ:
		t->relasz = value;
		break;
	default:
		break;
	}
}

static bool
read_tags(const struct image *image, struct tags *t)
{
	const struct image_segment *s = NULL;
	struct view v;

	for (size_t i = 0; i < image->nsegments && s == NULL; i++)
		if (image->segments[i].type == PT_DYNAMIC)
			s = &image->segments[i];
	if (s == NULL || image->debug_only)
		return false;
	v = view_from(&image->file, s->offset);
	limit(&v, s->filesz);
	for (int i = 0; i < MAX_TAGS; i++) {
		int64_t tag = (int64_t)view_u64(&v);
		uint64_t value = view_u64(&v);

		if (!view_ok(&v) || tag == DT_NULL)
			break;
		take_tag(t, tag, value);
	}
	return true;
}

/* Number of symbols: DT_HASH says it, DT_GNU_HASH implies it, and the linker
 * puts the strings behind the symbols. */
static uint64_t
count_symbols(const struct dynamic *d, const struct tags *t)
{
	struct view v = d->hash;
	struct gnu_hash h;
	uint32_t count;

	view_skip(&v, sizeof(uint32_t)); /* nbucket */
	count = view_u32(&v);
	if (d->hash.size > 0 && view_ok(&v))
		return count;
	if (d->gnu_hash.size > 0 && gnu_hash_open(d->gnu_hash, &h))
		return gnu_hash_count(&h);
	if (t->strtab > t->symtab)
		return (t->strtab - t->symtab) / sizeof(Elf64_Sym);
	return 0;
}

const struct dynamic *
image_dynamic(struct image *image)
{
	struct dynamic *d = &image->dynamic;
	struct tags t = {0};

	if (image->dynamic_tried)
		return d;
	image->dynamic_tried = true;
	memset(d, 0, sizeof(*d));
	if (!read_tags(image, &t))
		return d;
	if (t.hash != 0)
		d->hash = at_address(image, t.hash);
	if (t.gnu_hash != 0)
		d->gnu_hash = at_address(image, t.gnu_hash);
	if (t.strtab != 0 && t.symtab != 0) {
		uint64_t count = count_symbols(d, &t);

		d->strtab = at_address(image, t.strtab);
		limit(&d->strtab, t.strsz);
		d->symtab = at_address(image, t.symtab);
		if (count < IMAGE_MAX_SYMBOLS)
			limit(&d->symtab, count * sizeof(Elf64_Sym));
		if (t.versym != 0)
			d->versym = at_address(image, t.versym);
	}
	if (t.jmprel != 0) {
		d->jmprel = at_address(image, t.jmprel);
		limit(&d->jmprel, t.jmprelsz);
	}
	if (t.rela != 0) {
		d->rela = at_address(image, t.rela);
		limit(&d->rela, t.relasz);
	}
	return d;
}

bool
gnu_hash_open(struct view bytes, struct gnu_hash *out)
{
	uint32_t nbuckets = view_u32(&bytes), first = view_u32(&bytes);
	uint32_t bloom = view_u32(&bytes);

	view_skip(&bytes, sizeof(uint32_t)); /* bloom shift */
	view_skip(&bytes, (size_t)bloom * sizeof(uint64_t));
	out->buckets = view_sub(
	    &bytes, bytes.pos, (uint64_t)nbuckets * sizeof(uint32_t));
	view_skip(&bytes, (size_t)nbuckets * sizeof(uint32_t));
	out->chains = view_from(&bytes, bytes.pos);
	out->nbuckets = nbuckets;
	out->first = first;
	return view_ok(&bytes) && nbuckets > 0;
}

static bool
chain_word(const struct gnu_hash *h, uint32_t symbol, uint32_t *word)
{
	struct view v = view_from(
	    &h->chains, (uint64_t)(symbol - h->first) * sizeof(uint32_t));

	*word = view_u32(&v);
	return symbol >= h->first && view_ok(&v);
}

size_t
gnu_hash_count(const struct gnu_hash *h)
{
	struct view v = h->buckets;
	uint32_t last = 0, word = 0;

	while (!view_end(&v)) {
		uint32_t symbol = view_u32(&v);

		if (symbol > last)
			last = symbol;
	}
	if (last < h->first)
		return h->first;
	while (chain_word(h, last, &word) && (word & 1) == 0)
		last++;
	return (size_t)last + 1;
}

uint32_t
gnu_hash_of(const char *name)
{
	uint32_t h = 5381;

	for (const unsigned char *p = (const unsigned char *)name; *p; p++)
		h = h * 33 + *p;
	return h;
}

uint32_t
gnu_hash_next(const struct gnu_hash *h, uint32_t hash, uint32_t after)
{
	uint32_t symbol, word;

	if (after == 0) {
		struct view v = view_from(&h->buckets,
		    (uint64_t)(hash % h->nbuckets) * sizeof(uint32_t));

		symbol = view_u32(&v);
		if (symbol == 0)
			return 0;
	} else if (!chain_word(h, after, &word) || (word & 1) != 0 ||
	    after == UINT32_MAX) {
		return 0;
	} else {
		symbol = after + 1;
	}
	for (; chain_word(h, symbol, &word); symbol++) {
		if ((word | 1) == (hash | 1))
			return symbol;
		if ((word & 1) != 0 || symbol == UINT32_MAX)
			break;
	}
	return 0;
}
