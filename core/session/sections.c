/* SPDX-License-Identifier: MIT */
/*
 * Sections on their way from the worker into the file.
 */
#include <stdio.h>

#include "session/sections.h"

/* Room for the supervisor's own warnings and the directory. */
enum { SECTIONS_OWN = 64 * 1024 };

void
sections_init(struct sections *s, size_t cap)
{
	s->count = 0;
	buf_init(&s->bytes, cap + SECTIONS_OWN);
}

void
sections_deinit(struct sections *s)
{
	buf_deinit(&s->bytes);
}

void
sections_clear(struct sections *s)
{
	s->count = 0;
	buf_clear(&s->bytes);
}

/* Appends all bytes or none. */
static bool
append(struct sections *s, const void *data, size_t size)
{
	size_t before = s->bytes.size;

	if (s->bytes.failed)
		return false;
	buf_append(&s->bytes, data, size);
	if (s->bytes.failed) {
		s->bytes.failed = false;
		s->bytes.size = before;
		return false;
	}
	return true;
}

static bool
note_entry(struct sections *s, enum btt_section section, uint64_t offset)
{
	struct btt_entry *entry = &s->entries[s->count++];

	(void)snprintf(
	    entry->name, sizeof(entry->name), "%s", btt_section_name(section));
	entry->offset = offset;
	entry->length = s->bytes.size - offset;
	return true;
}

bool
sections_header(struct sections *s, const void *data, size_t size)
{

	return s->bytes.size == 0 && append(s, data, size);
}

bool
sections_add(
    struct sections *s, enum btt_section section, const void *data, size_t size)
{
	uint64_t offset = s->bytes.size;

	/* A section without the header before it would not be readable. */
	if (offset == 0 || section >= BTT_SECTION__COUNT ||
	    s->count == SECTIONS_MAX || append(s, data, size) == false)
		return false;
	return note_entry(s, section, offset);
}

bool
sections_warn(struct sections *s, const struct snap_warning *warnings,
    size_t count, bool partial)
{
	uint64_t offset = s->bytes.size;
	bt_error_t e;

	if (offset == 0 || s->count == SECTIONS_MAX ||
	    btt_write_warnings(warnings, count, partial, &s->bytes, &e) ==
		false) {
		s->bytes.failed = false;
		s->bytes.size = offset;
		return false;
	}
	return note_entry(s, BTT_WARNINGS, offset);
}

bool
sections_write(struct sections *s, struct publish *p, bt_error_t *e)
{

	if (btt_write_directory(
		s->entries, s->count, s->bytes.size, &s->bytes, e) == false)
		return false;
	return publish_write(p, s->bytes.data, s->bytes.size, e);
}
