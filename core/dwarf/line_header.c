/* SPDX-License-Identifier: MIT */
/*
 * The header of a line program, versions 2 to 5: DWARF 5 section 6.2.4, and
 * DWARF 3 section 6.2.4 for the older tables of directories and files.
 */
#include "dwarf/lines.h"

enum { FILES_MAX = 1 << 20, FORMATS_MAX = 32 };

struct format {
	uint64_t type[FORMATS_MAX], form[FORMATS_MAX];
	unsigned count;
};

static bool
read_formats(struct view *v, struct format *f)
{
	f->count = view_u8(v);
	if (f->count > FORMATS_MAX)
		v->failed = true;
	for (unsigned i = 0; i < f->count && view_ok(v); i++) {
		f->type[i] = view_uleb(v);
		f->form[i] = view_uleb(v);
		if (f->form[i] > UINT16_MAX)
			v->failed = true;
	}
	return view_ok(v);
}

static bool
read_entry(struct view *v, const struct dwarf_unit *u, const struct format *f,
    struct dw_line_file *out)
{
	for (unsigned i = 0; i < f->count; i++) {
		struct dw_value value;

		if (!dw_form_read(v, u, (uint16_t)f->form[i], 0, &value))
			return false;
		if (f->type[i] == DW_LNCT_path)
			out->name = dw_string(u, &value);
		else if (f->type[i] == DW_LNCT_directory_index)
			(void)dw_unsigned(&value, &out->directory);
	}
	return view_ok(v);
}

static bool
read_tables_v5(struct dw_lines *t, struct view *v, const struct dwarf_unit *u)
{
	struct format f;

	for (int table = 0; table < 2; table++) {
		uint64_t count;

		if (!read_formats(v, &f))
			return false;
		count = view_uleb(v);
		/* Each entry takes at least a byte. */
		if (!view_ok(v) || count > view_left(v))
			return false;
		for (uint64_t i = 0; i < count; i++) {
			struct dw_line_file entry = {0}, *file;
			const char **directory;

			if (!dw_step(u->file->dwarf) ||
			    !read_entry(v, u, &f, &entry))
				return false;
			if (table == 0) {
				directory = vec_push(&t->directories);
				if (directory == NULL)
					return false;
				*directory = entry.name;
				continue;
			}
			file = vec_push(&t->files);
			if (file == NULL)
				return false;
			*file = entry;
		}
	}
	return true;
}

static bool
read_tables_v2(struct dw_lines *t, struct view *v, const struct dwarf_unit *u)
{
	for (;;) {
		const char *name = view_cstr(v), **directory;

		if (name == NULL || !dw_step(u->file->dwarf))
			return false;
		if (name[0] == '\0')
			break;
		directory = vec_push(&t->directories);
		if (directory == NULL)
			return false;
		*directory = name;
	}
	for (;;) {
		const char *name = view_cstr(v);
		struct dw_line_file *file;

		if (name == NULL || !dw_step(u->file->dwarf))
			return false;
		if (name[0] == '\0')
			return true;
		file = vec_push(&t->files);
		if (file == NULL)
			return false;
		file->name = name;
		file->directory = view_uleb(v);
		(void)view_uleb(v); /* time */
		(void)view_uleb(v); /* size */
	}
}

static bool
read_fixed(struct dw_lines *t, struct view *v, uint64_t *program)
{
	uint64_t length;

	if (t->version >= 5) {
		t->address_size = view_u8(v);
		(void)view_u8(v); /* segment selector size */
	}
	length = view_uint(v, t->offset_size);
	if (!view_ok(v) || length > view_left(v))
		return false;
	*program = v->pos + length;
	t->min_instruction = view_u8(v);
	t->max_operations = t->version >= 4 ? view_u8(v) : 1;
	if (t->max_operations == 0)
		t->max_operations = 1;
	t->default_is_stmt = view_u8(v) != 0;
	t->line_base = (int8_t)view_u8(v);
	t->line_range = view_u8(v);
	t->opcode_base = view_u8(v);
	if (t->opcode_base == 0)
		return false;
	for (unsigned i = 1; i < t->opcode_base; i++)
		t->operands[i] = view_u8(v);
	return view_ok(v);
}

bool
dw_line_header_read(struct dw_lines *t, struct dwarf_unit *u)
{
	struct dwarf_unit forms = *u;
	uint64_t length, program, start = u->stmt_list.u;
	size_t size = dw_section_size(u->file, SEC_LINE);
	struct view v;

	vec_init(&t->directories, FILES_MAX);
	vec_init(&t->files, FILES_MAX);
	t->unit = u;
	if (start >= size)
		return false;
	v = dw_section_to(u->file, SEC_LINE, start + DW_MARGIN);
	view_seek(&v, start);
	length = view_u32(&v);
	t->offset_size = 4;
	if (length == UINT32_MAX) {
		t->offset_size = 8;
		length = view_u64(&v);
	}
	if (!view_ok(&v) || length > size - v.pos)
		return false;
	v.size = dw_section_to(u->file, SEC_LINE, v.pos + length).size;
	if (v.size > v.pos + length)
		v.size = v.pos + length;
	t->version = view_u16(&v);
	t->address_size = u->address_size;
	if (!view_ok(&v) || t->version < 2 || t->version > 5 ||
	    !read_fixed(t, &v, &program))
		return false;
	t->program = v;
	view_seek(&t->program, program);
	/* Forms here have the sizes of this header, not of the unit. */
	forms.offset_size = t->offset_size;
	if (t->version >= 5)
		return read_tables_v5(t, &v, &forms);
	return read_tables_v2(t, &v, &forms);
}

struct dw_line_file *
dw_line_file(struct dw_lines *t, uint64_t file)
{
	if (t->version < 5)
		file--; /* 0 wraps: no file */
	return file < t->files.count ? &t->files.items[file] : NULL;
}
