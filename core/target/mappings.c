/* SPDX-License-Identifier: MIT */
/*
 * The list of mappings, from what the backend reported: the parts of the
 * address space with their permissions, and the parts that come from files. A
 * part may be in either or in both; gdb's cores name unmodified file parts
 * only in the second list.
 */
#include <elf.h>

#include "target/target_private.h"

static int
file_compare(const void *a, const void *b)
{
	const struct file_range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

size_t
files_normalise(file_vec *files)
{
	size_t kept = 0, overlaps = 0;
	bool sorted = true;

	for (size_t i = 1; i < files->count && sorted; i++)
		sorted = files->items[i - 1].start <= files->items[i].start;
	if (!sorted)
		qsort(files->items, files->count, sizeof(files->items[0]),
		    file_compare);
	for (size_t i = 0; i < files->count; i++) {
		struct file_range x = files->items[i];
		bt_addr_t end = kept != 0 ? files->items[kept - 1].end : 0;

		if (kept != 0 && x.start < end) {
			overlaps++;
			if (x.end <= end)
				continue;
			x.offset += end - x.start;
			x.start = end;
		}
		files->items[kept++] = x;
	}
	files->count = kept;
	return overlaps;
}

static int
load_compare(const void *a, const void *b)
{
	const struct load_range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

/* A range ends where the next one starts: one damaged size must not hide
 * everything above it. Of equal starts the longest stays. */
size_t
loads_normalise(load_vec *loads)
{
	size_t kept = 0, overlaps = 0, i = 1;
	bool sorted = true;

	/* As the kernel writes them, nothing is to be done. */
	while (i < loads->count &&
	    loads->items[i - 1].end <= loads->items[i].start)
		i++;
	if (i >= loads->count)
		return 0;
	for (; i < loads->count && sorted; i++)
		sorted = loads->items[i - 1].start <= loads->items[i].start;
	if (!sorted)
		qsort(loads->items, loads->count, sizeof(loads->items[0]),
		    load_compare);
	for (i = 0; i < loads->count; i++) {
		struct load_range *last = kept != 0 ? &loads->items[kept - 1]
						    : NULL;

		if (last != NULL && loads->items[i].start < last->end) {
			overlaps++;
			if (loads->items[i].start == last->start)
				kept--;
			else
				last->end = loads->items[i].start;
		}
		loads->items[kept++] = loads->items[i];
	}
	loads->count = kept;
	return overlaps;
}

/* What lies between two boundaries: of one list, of both, or of none. */
struct part {
	bt_addr_t start, end;
	bool in_l, in_f;
};

/* From pos on. l or f may be NULL: that list is at its end. */
static struct part
next_part(const struct load_range *l, const struct file_range *f, bt_addr_t pos)
{
	struct part p = {UINT64_MAX, UINT64_MAX, false, false};

	if (l != NULL)
		p.start = l->start > pos ? l->start : pos;
	if (f != NULL && (f->start > pos ? f->start : pos) < p.start)
		p.start = f->start > pos ? f->start : pos;
	p.in_l = l != NULL && l->start <= p.start;
	p.in_f = f != NULL && f->start <= p.start;
	if (l != NULL)
		p.end = p.in_l ? l->end : l->start;
	if (f != NULL && (p.in_f ? f->end : f->start) < p.end)
		p.end = p.in_f ? f->end : f->start;
	return p;
}

static bool
emit(struct target *t, const struct part *p, const struct load_range *l,
    const struct file_range *f)
{
	struct target_mapping *m;
	bt_addr_t end = p->end < TARGET_TOP ? p->end : TARGET_TOP;

	if (p->start >= end)
		return true;
	m = vec_push(&t->mappings);
	if (m == NULL)
		return false;
	m->start = p->start;
	m->end = end;
	m->perms = p->in_l ? l->perms : TARGET_PERMS_UNKNOWN;
	m->module = TARGET_NO_MODULE;
	if (p->in_f) {
		m->path = f->path;
		m->offset = f->offset + (p->start - f->start);
	}
	return true;
}

/* Walks both sorted lists at once; each turn reaches the next boundary of
 * either. */
static bool
merge(struct target *t)
{
	size_t i = 0, j = 0;
	bt_addr_t pos = 0;

	vec_reserve(&t->mappings, t->loads.count + t->files.count);
	while (i < t->loads.count || j < t->files.count) {
		const struct load_range *l =
		    i < t->loads.count ? &t->loads.items[i] : NULL;
		const struct file_range *f =
		    j < t->files.count ? &t->files.items[j] : NULL;
		struct part p;

		/* Nearly all are of no file. */
		if (l != NULL && l->start >= pos &&
		    (f == NULL || f->start >= l->end))
			p = (struct part){l->start, l->end, true, false};
		else
			p = next_part(l, f, pos);
		if ((p.in_l || p.in_f) && p.start < p.end && !emit(t, &p, l, f))
			return false;
		pos = p.end;
		i += l != NULL && l->end <= pos;
		j += f != NULL && f->end <= pos;
	}
	return true;
}

size_t
mapping_index(const struct target *t, bt_addr_t address)
{
	size_t low = 0, high = t->mappings.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (t->mappings.items[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || address >= t->mappings.items[low - 1].end)
		return SIZE_MAX;
	return low - 1;
}

static void
count_dumped(struct target *t)
{
	size_t at = 0;

	for (size_t i = 0; i < t->mappings.count; i++) {
		struct target_mapping *m = &t->mappings.items[i];
		const uint8_t *bytes;
		size_t got;

		if (t->ops->is_live && (m->perms & TARGET_R) != 0) {
			m->dumped = m->end - m->start;
			continue;
		}
		if (t->ops->held != NULL) {
			m->dumped = t->ops->held(t, m->start, m->end, &at);
			continue;
		}
		while (m->dumped < m->end - m->start &&
		    (got = t->ops->view(t, m->start + m->dumped,
			 (size_t)(m->end - m->start - m->dumped), &bytes)) != 0)
			m->dumped += got;
	}
}

static void
name_at(struct target *t, bt_addr_t address, uint32_t perms, const char *name)
{
	size_t i = mapping_index(t, address);

	if (i != SIZE_MAX && t->mappings.items[i].path == NULL &&
	    (t->mappings.items[i].perms & perms) == perms)
		t->mappings.items[i].path = name;
}

/*
 * The kernel's own names are not in a core. The initial stack holds the random
 * bytes and the file name that the auxiliary vector points to; without that
 * the main thread's stack pointer tells.
 */
static void
name_special(struct target *t)
{
	const bt_addr_t vsyscall = UINT64_C(0xffffffffff600000);
	uint64_t address, sp;

	if (target_auxv(t, AT_SYSINFO_EHDR, &address))
		name_at(t, address, TARGET_X, "[vdso]");
	name_at(t, vsyscall, TARGET_X, "[vsyscall]");
	if (target_auxv(t, AT_RANDOM, &address) ||
	    target_auxv(t, AT_EXECFN, &address)) {
		name_at(t, address, TARGET_W, "[stack]");
		return;
	}
	for (size_t i = 0; i < t->threads.count; i++) {
		struct target_thread *thread = &t->threads.items[i];

		if (thread->has_regs &&
		    (int32_t)thread->tid == t->process.pid &&
		    regs_get(&thread->regs.regs, ARCH_SP, &sp)) {
			name_at(t, sp, TARGET_W, "[stack]");
			return;
		}
	}
}

bool
mappings_build(struct target *t, bt_error_t *e)
{
	size_t overlaps = files_normalise(&t->files);

	if (overlaps != 0)
		target_warn(t, "core.files",
		    "%zu entries of the file table overlap others", overlaps);
	if (!merge(t))
		return bt_fail(e, BT_E_NOMEM, "out of memory for mappings");
	count_dumped(t);
	name_special(t);
	return true;
}

static bool
module_within(const struct target *t, bt_addr_t start, bt_addr_t end)
{
	for (size_t i = 0; i < t->modules.count; i++) {
		const struct target_module *m = &t->modules.items[i];

		if (m != t->exe && m->start >= start && m->start < end)
			return true;
	}
	return false;
}

/*
 * The kernel does not tell in a core where the heap (brk) is. It begins at the
 * end of the executable, or at random up to 1 GiB above it (arch_randomize_brk;
 * 32 MiB before Linux 6.9), and nothing else is put there unasked. When there
 * are other modules so near, the executable itself lies among the mappings of
 * the loader (a static one that is position-independent, or one started by
 * ld.so as a command), and its heap is elsewhere.
 */
void
mappings_name_heap(struct target *t)
{
	const uint64_t reach = UINT64_C(1) << 30;
	const uint32_t data = TARGET_R | TARGET_W;
	bt_addr_t end = t->exe != NULL ? t->exe->end : 0;

	if (end == 0 || end > UINT64_MAX - reach ||
	    module_within(t, end, end + reach))
		return;
	for (size_t i = 0; i < t->mappings.count; i++) {
		struct target_mapping *m = &t->mappings.items[i];

		if (m->end <= end)
			continue;
		/* Parts of it may have got other permissions. */
		if (m->start - end >= reach || m->path != NULL ||
		    (m->perms & ~TARGET_SHARED) != data)
			return;
		m->path = "[heap]";
		end = m->end;
		if (i + 1 == t->mappings.count || m[1].start != end)
			return;
	}
}
