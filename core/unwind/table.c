/* SPDX-License-Identifier: MIT */
/*
 * Finding the FDE for an address. .eh_frame_hdr (found by its program header,
 * so that a file without sections will do) has a sorted table; it is believed
 * when it answers, because the FDE confirms the answer, and checked once when
 * it does not. Everything else goes through an index built by one pass over
 * the records.
 */
#include "unwind/cfi.h"

#include <elf.h>
#include <stdlib.h>

/* DW_EH_PE_*: the encoding of every table that a linker writes. */
enum { PE_SDATA4 = 0x0b, PE_DATAREL = 0x30 };

enum {
	INDEX_MAX = 4 * 1024 * 1024, /* FDEs; large browsers have 700,000 */
	RECORDS_A_STEP = 64,	     /* records that cost one budget step */
	OVERLAP_MAX = 16	     /* FDEs looked back for an outer one */
};

/* The file's bytes from vaddr on to the end of its segment. */
static struct view
bytes_from(struct image *image, uint64_t vaddr)
{
	const uint8_t *bytes = NULL;
	size_t size = image_read_vaddr(image, vaddr, SIZE_MAX / 2, &bytes);

	return view_of(bytes, size);
}

static void
open_table(struct cfi_tables *t, const struct image_segment *s)
{
	struct view v = bytes_from(t->image, s->vaddr);
	uint8_t version = view_u8(&v), eh_encoding = view_u8(&v);
	uint8_t count_encoding = view_u8(&v), encoding = view_u8(&v);
	uint64_t eh, count;

	if (version != 1 ||
	    cfi_pointer(&v, eh_encoding, s->vaddr, s->vaddr, &eh) == false ||
	    eh_encoding == CFI_PE_OMIT)
		return;
	t->eh.bytes = bytes_from(t->image, eh);
	t->eh.vaddr = eh;
	if (count_encoding == CFI_PE_OMIT || encoding == CFI_PE_OMIT ||
	    cfi_pointer(&v, count_encoding, s->vaddr, s->vaddr, &count) ==
		false)
		return;
	t->table.width = cfi_pointer_size(encoding);
	if (t->table.width == 0)
		return;
	t->table.vaddr = s->vaddr;
	t->table.encoding = encoding;
	t->table.plain = encoding == (PE_DATAREL | PE_SDATA4);
	if (count > view_left(&v) / (2 * t->table.width))
		count = view_left(&v) / (2 * t->table.width);
	t->table.count = count;
	t->table.bytes = v;
}

static void
open_eh(struct cfi_tables *t)
{
	const struct image_segment *segments;
	const struct image_section *section;
	size_t n = image_segments(t->image, &segments);
	struct view v;

	t->eh.eh = true;
	for (size_t i = 0; i < n; i++) {
		if (segments[i].type == PT_GNU_EH_FRAME) {
			open_table(t, &segments[i]);
			break;
		}
	}
	/* The section knows where it ends, the segment goes on. */
	section = image_section_find(t->image, ".eh_frame");
	if (section != NULL && section->addr != 0 &&
	    image_section_view(t->image, ".eh_frame", &v, NULL) &&
	    v.size != 0) {
		t->eh.bytes = v;
		t->eh.vaddr = section->addr;
	}
}

/* Images are of 64 bits and little-endian. */
static const struct arch *
arch_of(const struct image *image)
{
	return arch_find(image_machine(image), false, false);
}

void
cfi_tables_init(
    struct cfi_tables *t, struct image *image, struct budget *budget)
{
	*t = (struct cfi_tables){.image = image, .budget = budget};
	vec_init(&t->eh_index.ranges, INDEX_MAX);
	vec_init(&t->debug_index.ranges, INDEX_MAX);
	if (image != NULL) {
		t->eh.arch = arch_of(image);
		open_eh(t);
	}
}

void
cfi_tables_deinit(struct cfi_tables *t)
{
	vec_deinit(&t->eh_index.ranges);
	vec_deinit(&t->debug_index.ranges);
}

bool
cfi_tables_debug(struct cfi_tables *t, struct image *image)
{
	struct view v;

	if (image == NULL ||
	    image_section_view(image, ".debug_frame", &v, NULL) == false ||
	    v.size == 0)
		return false;
	t->debug = (struct cfi_section){.bytes = v, .arch = arch_of(image)};
	vec_clear(&t->debug_index.ranges);
	t->debug_index.built = false;
	return true;
}

/* Functions that the linker dropped keep their FDEs, at address 0 or at one of
 * its tombstones: never in executable memory. */
static bool
is_code(struct cfi_tables *t, uint64_t vaddr)
{
	const struct image_segment *s;
	size_t n = t->image != NULL ? image_segments(t->image, &s) : 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i].type == PT_LOAD && (s[i].flags & PF_X) != 0 &&
		    vaddr - s[i].vaddr < s[i].memsz)
			return true;
	}
	return false;
}

static int
by_start(const void *a, const void *b)
{
	const struct cfi_range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static bool
add_range(struct cfi_tables *t, struct cfi_index *index,
    const struct cfi_fde *fde, uint64_t offset)
{
	struct cfi_range *r;

	if (fde->start >= fde->end || is_code(t, fde->start) == false)
		return true;
	r = vec_push(&index->ranges);
	if (r != NULL)
		*r = (struct cfi_range){fde->start, fde->end, offset};
	return r != NULL;
}

/*
 * All records in turn, until each says no or the section or the budget is at
 * its end. A terminator is passed over: linkers leave those of old crt files
 * in the middle of .eh_frame. So is a damaged record, if its length is sane.
 */
static void
each_record(struct cfi_tables *t, const struct cfi_section *s,
    bool (*each)(void *ctx, uint64_t offset, const struct cfi_record *record),
    void *ctx)
{
	struct cfi_record record;
	uint64_t n = 0;

	for (uint64_t offset = 0; offset < s->bytes.size;
	     offset = record.next) {
		bool good = cfi_record_read(s, offset, &record);

		if (record.next <= offset ||
		    (n++ % RECORDS_A_STEP == 0 &&
			budget_step(t->budget) == false))
			break;
		if (good && record.is_cie == false && record.is_end == false &&
		    each(ctx, offset, &record) == false)
			break;
	}
}

struct builder {
	struct cfi_tables *t;
	const struct cfi_section *section;
	struct cfi_index *index;
	/* FDEs of one CIE follow each other. */
	uint64_t cie_offset;
	bool cie_read, cie_good;
	struct cfi_cie cie;
};

static bool
index_record(void *ctx, uint64_t offset, const struct cfi_record *record)
{
	struct builder *b = ctx;
	struct cfi_fde fde;

	if (b->cie_read == false || b->cie_offset != record->cie) {
		b->cie_read = true;
		b->cie_offset = record->cie;
		b->cie_good = cfi_cie_read(b->section, record->cie, &b->cie);
	}
	return b->cie_good == false ||
	    cfi_fde_of(b->section, record, &b->cie, &fde) == false ||
	    add_range(b->t, b->index, &fde, offset);
}

static void
build_index(
    struct cfi_tables *t, const struct cfi_section *s, struct cfi_index *index)
{
	struct builder b = {.t = t, .section = s, .index = index};
	size_t n;
	bool sorted = true;

	index->built = true;
	each_record(t, s, index_record, &b);
	n = index->ranges.count;
	for (size_t i = 1; i < n && sorted; i++)
		sorted = by_start(&index->ranges.items[i - 1],
			     &index->ranges.items[i]) < 0;
	if (sorted == false)
		qsort(index->ranges.items, n, sizeof(index->ranges.items[0]),
		    by_start);
}

/* The innermost range that covers the address, of ranges that may overlap in
 * hostile files only. */
static bool
search_index(struct cfi_tables *t, const struct cfi_section *s,
    struct cfi_index *index, uint64_t vaddr, struct cfi_fde *out)
{
	size_t low = 0, high;

	if (s->bytes.size == 0)
		return false;
	if (index->built == false)
		build_index(t, s, index);
	high = index->ranges.count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (index->ranges.items[middle].start <= vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = 0; i < OVERLAP_MAX && low > 0; i++) {
		const struct cfi_range *r = &index->ranges.items[--low];

		if (vaddr < r->end)
			return cfi_fde_read(s, r->offset, out);
	}
	return false;
}

static bool
table_entry(
    const struct cfi_tables *t, uint64_t i, uint64_t *start, uint64_t *fde)
{
	struct view v = t->table.bytes;
	int32_t pair[2];

	view_seek(&v, v.pos + (size_t)i * 2 * t->table.width);
	if (t->table.plain) {
		const uint8_t *bytes = view_bytes(&v, sizeof(pair));

		if (bytes == NULL)
			return false;
		memcpy(pair, bytes, sizeof(pair));
		*start = t->table.vaddr + (uint64_t)(int64_t)pair[0];
		*fde = t->table.vaddr + (uint64_t)(int64_t)pair[1];
		return true;
	}
	return cfi_pointer(&v, t->table.encoding, t->table.vaddr,
		   t->table.vaddr, start) &&
	    cfi_pointer(
		&v, t->table.encoding, t->table.vaddr, t->table.vaddr, fde);
}

static bool
count_record(void *ctx, uint64_t offset, const struct cfi_record *record)
{
	uint64_t *n = ctx;

	(void)offset, (void)record;
	(*n)++;
	return true;
}

/* A sorted table with as many entries as the section has FDEs misses none. */
static bool
table_is_honest(struct cfi_tables *t)
{
	uint64_t last = 0, start, fde, n = 0;

	each_record(t, &t->eh, count_record, &n);
	if (t->table.count < n)
		return false;
	for (uint64_t i = 0; i < t->table.count; i++) {
		if (table_entry(t, i, &start, &fde) == false || start < last)
			return false;
		last = start;
	}
	return true;
}

enum found { FOUND, FOUND_GAP, FOUND_LIE };

static enum found
search_table(struct cfi_tables *t, uint64_t vaddr, struct cfi_fde *out)
{
	uint64_t low = 0, high = t->table.count, start, fde;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (table_entry(t, middle, &start, &fde) == false)
			return FOUND_LIE;
		if (start <= vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return FOUND_GAP;
	if (table_entry(t, low - 1, &start, &fde) == false ||
	    fde < t->eh.vaddr || fde - t->eh.vaddr >= t->eh.bytes.size ||
	    cfi_fde_read(&t->eh, fde - t->eh.vaddr, out) == false ||
	    out->start != start)
		return FOUND_LIE;
	return vaddr < out->end ? FOUND : FOUND_GAP;
}

bool
cfi_find_eh(struct cfi_tables *t, uint64_t vaddr, struct cfi_fde *out)
{
	if (t->table.count != 0 && t->verdict != CFI_TABLE_LIES) {
		enum found found = search_table(t, vaddr, out);

		if (found == FOUND)
			return true;
		if (found == FOUND_LIE)
			t->verdict = CFI_TABLE_LIES;
		else if (t->verdict == CFI_TABLE_UNCHECKED)
			t->verdict = table_is_honest(t) ? CFI_TABLE_HONEST
							: CFI_TABLE_LIES;
		if (t->verdict == CFI_TABLE_HONEST)
			return false;
	}
	return search_index(t, &t->eh, &t->eh_index, vaddr, out);
}

bool
cfi_find_debug(struct cfi_tables *t, uint64_t vaddr, struct cfi_fde *out)
{
	return search_index(t, &t->debug, &t->debug_index, vaddr, out);
}
