/* SPDX-License-Identifier: MIT */
/*
 * PT_LOAD segments. They are kept twice, each list sorted and free of
 * overlaps: the ranges of bytes that the file really holds, and the mappings
 * the process had. Where dumped segments overlap, the one that starts lower
 * wins, and of two with the same start the earlier in the table. A segment
 * that reaches beyond the end of the file is cut there: what is missing is
 * absent, not zero.
 */
#include <sys/mman.h>

#include <elf.h>

#include "target/core_private.h"

static int
range_compare(const void *a, const void *b)
{
	const struct core_range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* How many come first that are as they should be already. */
static size_t
ranges_normal(const core_range_vec *r)
{
	size_t i = 1;

	for (; i < r->count; i++) {
		const struct core_range *x = &r->items[i], *before = x - 1;
		bt_addr_t end = before->start + before->size;

		if (x->start < end ||
		    (x->start == end &&
			x->offset == before->offset + before->size))
			break;
	}
	return i < r->count ? i : r->count;
}

static bool
ranges_sorted(const core_range_vec *r, size_t from)
{
	for (size_t i = from; i < r->count; i++) {
		if (r->items[i].start < r->items[i - 1].start)
			return false;
	}
	return true;
}

/* Sorts, cuts overlaps, joins what lies together in memory and in the file.
 * Returns how many overlapped. */
static size_t
ranges_normalise(core_range_vec *r)
{
	size_t kept = ranges_normal(r), overlaps = 0;

	if (kept == r->count)
		return 0;
	if (!ranges_sorted(r, kept)) {
		qsort(r->items, r->count, sizeof(r->items[0]), range_compare);
		kept = 1;
	}
	for (size_t i = kept; i < r->count; i++) {
		struct core_range x = r->items[i];
		struct core_range *last = &r->items[kept - 1];
		bt_addr_t end = last->start + last->size;

		if (x.start < end) {
			uint64_t cut = end - x.start;

			overlaps++;
			if (cut >= x.size)
				continue;
			x.start += cut;
			x.offset += cut;
			x.size -= cut;
		}
		if (x.start == end && last->offset + last->size == x.offset)
			last->size += x.size;
		else
			r->items[kept++] = x;
	}
	r->count = kept;
	return overlaps;
}

struct segment_faults {
	uint64_t wrapping, oversized, truncated;
};

static bool
add_segment(struct core *c, uint64_t index, struct core_phdr *p,
    struct segment_faults *faults)
{
	struct target_process *process = &c->base.process;
	uint64_t room = p->vaddr < TARGET_TOP ? TARGET_TOP - p->vaddr : 0, have;
	struct load_range *load;

	if (p->filesz > p->memsz) {
		faults->oversized++;
		p->memsz = p->filesz;
	}
	if (p->memsz > room) {
		faults->wrapping++;
		p->memsz = room;
		if (p->filesz > room)
			p->filesz = room;
	}
	if (p->memsz == 0)
		return true;
	have = p->offset < c->size ? c->size - p->offset : 0;
	if (p->filesz > have) {
		faults->truncated++;
		if (process->core_missing + (p->filesz - have) >=
		    process->core_missing)
			process->core_missing += p->filesz - have;
		p->filesz = have;
	}
	load = vec_push(&c->base.loads);
	if (load == NULL)
		return false;
	load->start = p->vaddr;
	load->end = p->vaddr + p->memsz;
	load->perms = p->flags & (TARGET_R | TARGET_W | TARGET_X);
	if (p->filesz != 0) {
		struct core_range *r = vec_push(&c->ranges);

		if (r == NULL)
			return false;
		r->start = p->vaddr;
		r->size = p->filesz;
		r->offset = p->offset;
		r->index = index;
	}
	return true;
}

static void
report(struct core *c, const struct segment_faults *f, size_t overlaps)
{
	struct target *t = &c->base;

	if (f->truncated != 0) {
		t->process.core_truncated = true;
		target_warn(t, "core.truncated",
		    "%s ends at offset %llu, before its segments do: %llu "
		    "bytes of memory in %llu segments are missing",
		    c->path, (unsigned long long)c->size,
		    (unsigned long long)t->process.core_missing,
		    (unsigned long long)f->truncated);
	}
	if (f->oversized != 0)
		target_warn(t, "core.segment",
		    "%llu segments have more bytes in the file than in memory",
		    (unsigned long long)f->oversized);
	if (f->wrapping != 0)
		target_warn(t, "core.segment",
		    "%llu segments reach beyond the end of the address space",
		    (unsigned long long)f->wrapping);
	if (overlaps != 0)
		target_warn(t, "core.overlap",
		    "%llu segments overlap others; the lower start wins",
		    (unsigned long long)overlaps);
}

bool
core_segments(struct core *c, bt_error_t *e)
{
	struct segment_faults faults = {0};
	struct core_phdr p;
	size_t overlaps, mapped;

	/* The table is no longer than the file. */
	vec_reserve(&c->base.loads, c->n_phdrs);
	vec_reserve(&c->ranges, c->n_phdrs);
	for (uint64_t i = 0; i < c->n_phdrs; i++) {
		if (!budget_step(c->base.budget)) {
			target_warn(&c->base, "core.limit",
			    "stopped after %llu segments",
			    (unsigned long long)i);
			break;
		}
		if (!core_phdr_at(c, i, &p) || p.type != PT_LOAD)
			continue;
		if (!add_segment(c, i, &p, &faults)) {
			target_warn(&c->base, "core.limit",
			    "more than %llu segments; the rest is left out",
			    (unsigned long long)i);
			break;
		}
	}
	overlaps = ranges_normalise(&c->ranges);
	mapped = loads_normalise(&c->base.loads);
	report(c, &faults, overlaps > mapped ? overlaps : mapped);
	if (c->base.arena.exhausted)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	return true;
}

static size_t
range_index(const struct core *c, bt_addr_t address)
{
	size_t low = 0, high = c->ranges.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c->ranges.items[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? SIZE_MAX : low - 1;
}

size_t
core_view(struct target *t, bt_addr_t address, size_t size, const uint8_t **out)
{
	struct core *c = (struct core *)t;
	const struct core_range *r;
	struct view v;
	uint64_t left;

	if (c->last >= c->ranges.count ||
	    address - c->ranges.items[c->last].start >=
		c->ranges.items[c->last].size) {
		size_t i = c->last + 1;

		/* Many go from one to the next. */
		if (i >= c->ranges.count ||
		    address - c->ranges.items[i].start >=
			c->ranges.items[i].size)
			i = range_index(c, address);
		if (i == SIZE_MAX ||
		    address - c->ranges.items[i].start >=
			c->ranges.items[i].size)
			return 0;
		c->last = i;
	}
	r = &c->ranges.items[c->last];
	left = r->size - (address - r->start);
	if (left < size)
		size = (size_t)left;
	v = view_sub(&c->file, r->offset + (address - r->start), size);
	*out = view_bytes(&v, size);
	return *out != NULL ? size : 0;
}

/* Both lists are sorted: the ranges go along with the mappings. */
size_t
core_held(struct target *t, bt_addr_t start, bt_addr_t end, size_t *at)
{
	const core_range_vec *ranges = &((const struct core *)t)->ranges;
	const struct core_range *r;
	bt_addr_t pos = start;

	for (; *at < ranges->count; (*at)++) {
		r = &ranges->items[*at];
		if (r->start + r->size > start)
			break;
	}
	for (; *at < ranges->count; (*at)++) {
		r = &ranges->items[*at];
		if (r->start > pos)
			break;
		pos = r->start + r->size;
		if (pos >= end) {
			pos = end; /* what follows may go on with it */
			break;
		}
	}
	return (size_t)(pos - start);
}

void
core_will_read(struct core *c, uint64_t offset, uint64_t size)
{
	const uint64_t page = 4096;
	uint64_t from = offset & ~(page - 1);

	if (c->inflated || offset >= c->size)
		return;
	if (size > c->size - offset)
		size = c->size - offset;
	(void)madvise(
	    (uint8_t *)c->map + from, offset - from + size, MADV_WILLNEED);
}

void
core_expect(struct target *t, bt_addr_t address, size_t size)
{
	struct core *c = (struct core *)t;
	const uint8_t *bytes;

	size = core_view(t, address, size, &bytes);
	if (size != 0)
		core_will_read(
		    c, (uint64_t)(bytes - (const uint8_t *)c->map), size);
}

/* The map is told to expect random access, for that is what unwinding does. A
 * core that is partly out of the page cache would be read page by page (4.6 GB:
 * 6 s, with this 2). The pages of a file that were read stay in the system's
 * cache; only our view of them is given up. */
void
core_stream(struct target *t, bt_addr_t address, size_t size)
{
	struct core *c = (struct core *)t;
	const size_t page = 4096;
	const uint8_t *bytes;
	size_t from, ahead;

	if (c->inflated || size > SIZE_MAX / 2)
		return;
	if (c->streamed_end > c->streamed)
		(void)madvise((uint8_t *)c->map + c->streamed,
		    c->streamed_end - c->streamed, MADV_DONTNEED);
	c->streamed = c->streamed_end = 0;
	/* As much again, so that the disk works while we do. */
	ahead = core_view(t, address, 2 * size, &bytes);
	if (ahead == 0)
		return;
	if (size > ahead)
		size = ahead;
	from = (size_t)(bytes - (const uint8_t *)c->map);
	/* The last page may be shared with what comes next. */
	c->streamed = from & ~(page - 1);
	c->streamed_end = (from + size) & ~(page - 1);
	core_will_read(c, from, ahead);
}
