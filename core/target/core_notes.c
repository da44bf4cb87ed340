/* SPDX-License-Identifier: MIT */
/*
 * Walking the notes of a core. Linux writes one PT_NOTE with 4-byte alignment
 * whatever p_align says; others exist with several, and with 8. A header that
 * cannot be is skipped by looking for the next one that is beyond doubt, so
 * that one damaged note does not cost the threads behind it.
 */
#include <elf.h>

#include "target/core_private.h"

enum {
	NHDR_SIZE = 12,
	NAME_MAX_SIZE = 256,
	NOTES_AHEAD = 16 << 20 /* those of some 4,000 threads */
};

struct note {
	uint32_t namesz, descsz, type;
	size_t name, desc, next; /* positions in the segment */
};

static uint64_t
round_up(uint64_t x, uint64_t align)
{
	return (x + align - 1) & ~(align - 1);
}

/* The note at pos; false when it does not fit. All sums are of 32-bit sizes
 * and a position inside a file, so they cannot wrap in 64 bits. */
static bool
note_at(const struct core *c, const struct view *v, size_t pos, uint64_t align,
    struct note *out)
{
	struct view h = view_sub(v, pos, NHDR_SIZE);
	uint64_t name, desc, end;

	out->namesz = core_u32(c, &h);
	out->descsz = core_u32(c, &h);
	out->type = core_u32(c, &h);
	if (!view_ok(&h))
		return false;
	name = (uint64_t)pos + NHDR_SIZE;
	desc = round_up(name + out->namesz, align);
	end = desc + out->descsz;
	if (out->namesz > NAME_MAX_SIZE || desc > v->size || end > v->size)
		return false;
	out->name = (size_t)name;
	out->desc = (size_t)desc;
	end = round_up(end, align);
	out->next = end > v->size ? v->size : (size_t)end;
	return true;
}

static bool
name_is(const struct view *v, const struct note *n, const char *name)
{
	size_t len = strlen(name);
	struct view s = view_sub(v, n->name, n->namesz);
	const uint8_t *bytes = view_bytes(&s, n->namesz);

	/* FreeBSD and others leave out the NUL. */
	return bytes != NULL && n->namesz >= len &&
	    memcmp(bytes, name, len) == 0 &&
	    (n->namesz == len || bytes[len] == '\0');
}

/* The next position that holds a note of the kernel's beyond doubt. */
static bool
resync(struct core *c, const struct view *v, size_t pos, size_t *out)
{
	struct note n;

	for (pos = (pos + 4) & ~(size_t)3; pos < v->size; pos += 4) {
		if (!budget_step(c->base.budget))
			return false;
		if (note_at(c, v, pos, 4, &n) &&
		    ((n.namesz == 5 && name_is(v, &n, "CORE")) ||
			(n.namesz == 6 && name_is(v, &n, "LINUX")))) {
			*out = pos;
			return true;
		}
	}
	return false;
}

static bool
all_fit(struct core *c, const struct view *v, uint64_t align)
{
	struct note n;

	for (size_t pos = 0; v->size - pos >= NHDR_SIZE; pos = n.next) {
		if (!budget_step(c->base.budget) ||
		    !note_at(c, v, pos, align, &n))
			return false;
	}
	return true;
}

static void
walk(struct core *c, const struct view *v, uint64_t align, uint64_t offset)
{
	struct target *t = &c->base;
	struct note n;
	size_t pos = 0;

	while (pos < v->size && v->size - pos >= NHDR_SIZE) {
		if (!budget_step(t->budget)) {
			target_warn(t, "core.limit",
			    "stopped reading notes at offset 0x%llx",
			    (unsigned long long)(offset + pos));
			return;
		}
		if (!note_at(c, v, pos, align, &n)) {
			size_t next = 0;
			bool found = resync(c, v, pos, &next);

			if (c->notes_bad++ == 0)
				target_warn(t, "core.note",
				    "damaged or cut off note at offset 0x%llx; "
				    "%s",
				    (unsigned long long)(offset + pos),
				    found ? "went on at the next good one"
					  : "nothing good behind it");
			if (!found)
				return;
			pos = next;
			align = 4;
			continue;
		}
		c->notes++;
		struct view desc = view_sub(v, n.desc, n.descsz);
		if (name_is(v, &n, "CORE"))
			core_note(c, "CORE", n.type, desc, offset + n.desc);
		else if (name_is(v, &n, "LINUX"))
			core_note(c, "LINUX", n.type, desc, offset + n.desc);
		pos = n.next;
	}
}

static void
read_segment(struct core *c, const struct core_phdr *p)
{
	struct target *t = &c->base;
	uint64_t size = p->filesz, align = 4;
	struct view v;

	if (p->offset >= c->size) {
		t->process.core_truncated = true;
		target_warn(t, "core.truncated",
		    "the notes at offset 0x%llx lie beyond the end of %s "
		    "(%llu bytes): no threads from them",
		    (unsigned long long)p->offset, c->path,
		    (unsigned long long)c->size);
		return;
	}
	if (size > c->size - p->offset) {
		size = c->size - p->offset;
		t->process.core_truncated = true;
		target_warn(t, "core.truncated",
		    "the notes at offset 0x%llx are cut off after %llu bytes",
		    (unsigned long long)p->offset, (unsigned long long)size);
	}
	core_will_read(c, p->offset, size < NOTES_AHEAD ? size : NOTES_AHEAD);
	v = view_sub(&c->file, p->offset, size);
	if (p->align == 8 && !all_fit(c, &v, 4) && all_fit(c, &v, 8))
		align = 8;
	walk(c, &v, align, p->offset);
}

void
core_notes(struct core *c)
{
	/* Notes that no program header tells of lie at the start. */
	const uint64_t scan_max = UINT64_C(1) << 24;
	struct core_phdr p;
	size_t start = 0;
	bool any = false;

	for (uint64_t i = 0; i < c->n_phdrs; i++) {
		if (core_phdr_type(c, i) != PT_NOTE ||
		    !core_phdr_at(c, i, &p) || p.filesz == 0)
			continue;
		any = true;
		read_segment(c, &p);
	}
	if (!any) {
		struct view v = c->file;

		v.size = v.size > scan_max ? (size_t)scan_max : v.size;
		if (resync(c, &v, 60, &start)) {
			target_warn(&c->base, "core.note",
			    "no program header tells of notes; found some at "
			    "offset 0x%llx",
			    (unsigned long long)start);
			v = view_sub(&v, start, v.size - start);
			walk(c, &v, 4, start);
		}
	}
}
