/* SPDX-License-Identifier: MIT */
/*
 * pc -> source line, and the paths of source files.
 */
#include "dwarf/lines.h"

static struct dw_lines *
read_lines(struct dwarf_unit *u)
{
	struct dwarf_file *f = u->file;
	struct dw_lines *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	if (!dw_line_header_read(t, u)) {
		dw_warn(f->dwarf, "dwarf-line",
		    "%s: the line table header at 0x%llx is damaged",
		    image_path(f->image), (unsigned long long)u->stmt_list.u);
		/* Without a program; files read so far may still serve. */
		t->program = view_of(NULL, 0);
	}
	t->next = f->all_lines;
	f->all_lines = t;
	(void)map_put_ptr(&f->lines, u->stmt_list.u, t);
	return t;
}

static struct dw_lines *
lines_of(struct dwarf_unit *u)
{
	if (u->skeleton != NULL)
		u = u->skeleton; /* lines stay in the program */
	if (u->lines_tried)
		return u->lines;
	u->lines_tried = true;
	if (u->stmt_list.form == 0 ||
	    !dw_unsigned(&u->stmt_list, &(uint64_t){0}))
		return NULL;
	u->lines = map_get_ptr(&u->file->lines, u->stmt_list.u);
	if (u->lines == NULL)
		u->lines = read_lines(u);
	return u->lines;
}

void
dw_lines_free(struct dw_lines *lines)
{
	while (lines != NULL) {
		struct dw_lines *next = lines->next;

		vec_deinit(&lines->directories);
		vec_deinit(&lines->files);
		vec_deinit(&lines->points);
		vec_deinit(&lines->rows);
		vec_deinit(&lines->near);
		vec_deinit(&lines->sequences);
		dw_range_index_deinit(&lines->index);
		free(lines);
		lines = next;
	}
}

/* Rows of a damaged sequence may go back. */
static const struct dw_line *
last_unsorted(const struct dw_line *rows, size_t count, uint64_t pc)
{
	const struct dw_line *best = NULL;

	for (size_t i = 0; i < count; i++) {
		if (rows[i].address <= pc &&
		    (best == NULL || rows[i].address >= best->address))
			best = &rows[i];
	}
	return best;
}

/* The last point at or before pc. */
static const struct dw_line_point *
point_at(const struct dw_lines *t, const struct dw_sequence *s, uint64_t pc)
{
	const struct dw_line_point *points = &t->points.items[s->first];
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (points[middle].s.address <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? &points[low - 1] : NULL;
}

/* The last row at or before pc; *first is where the rows around it begin. */
static const struct dw_line *
last_row(struct dw_lines *t, const struct dw_sequence *s, uint64_t pc,
    const struct dw_line **first)
{
	const struct dw_line_point *point;
	size_t n;

	if (s->unsorted) {
		*first = &t->rows.items[s->first];
		return last_unsorted(*first, s->count, pc);
	}
	point = point_at(t, s, pc);
	vec_clear(&t->near);
	if (point == NULL || !dw_line_rows(t, point, pc, &t->near))
		return NULL;
	*first = t->near.items;
	n = t->near.count;
	while (n > 0 && (*first)[n - 1].address > pc)
		n--;
	return n > 0 ? &(*first)[n - 1] : NULL;
}

/* Of several rows at one address in one file a statement is preferred. */
static const struct dw_line *
prefer_statement(const struct dw_line *first, const struct dw_line *row)
{
	for (const struct dw_line *r = row; !r->stmt && r > first; r--) {
		if (r[-1].address != row->address || r[-1].file != row->file)
			break;
		if (r[-1].stmt)
			return &r[-1];
	}
	return row;
}

bool
dw_line_at(struct dwarf_unit *u, uint64_t pc, struct dw_line *out)
{
	struct dw_lines *t = lines_of(u);
	const struct dw_range *found;
	const struct dw_line *first, *row;

	if (t == NULL)
		return false;
	if (!t->decoded)
		dw_line_program_run(t);
	if (dw_range_find(&t->index, pc, &found, 1) != 1)
		return false;
	row = last_row(t, &t->sequences.items[found->value], pc, &first);
	if (row == NULL || row->end)
		return false;
	*out = *prefer_statement(first, row);
	return true;
}

/* Appends a path without empty and "." components. */
static void
append_path(struct buf *b, const char *path)
{
	bool absolute = path[0] == '/' && b->size == 0;

	for (const char *p = path; *p != '\0';) {
		size_t n = strcspn(p, "/");

		if (n > 0 && !(n == 1 && p[0] == '.')) {
			if (absolute || b->size > 0)
				buf_putc(b, '/');
			buf_append(b, p, n);
			absolute = false;
		}
		p += n;
		if (*p == '/')
			p++;
	}
}

static const char *
directory_of(const struct dw_lines *t, const struct dw_line_file *file)
{
	uint64_t i = file->directory;

	if (t->version < 5) {
		if (i == 0)
			return NULL; /* the compilation directory */
		i--;
	}
	return i < t->directories.count ? t->directories.items[i] : NULL;
}

/* What relative directories start from: the unit's DW_AT_comp_dir, which
 * version 5 repeats as directory 0 (glibc's are both relative: "./csu"). */
static void
append_base(struct buf *b, struct dw_lines *t)
{
	const char *base = dw_unit_comp_dir(t->unit);
	const char *first = t->version >= 5 && t->directories.count > 0
	    ? t->directories.items[0]
	    : NULL;

	if (first != NULL && (base == NULL || first[0] == '/'))
		base = first;
	if (base != NULL)
		append_path(b, base);
}

static const char *
make_path(struct dw_lines *t, const struct dw_line_file *file)
{
	struct dwarf *d = t->unit->file->dwarf;
	const char *directory = directory_of(t, file), *path;
	bool is_first = t->version >= 5 && file->directory == 0;
	struct buf b;

	buf_init(&b, 16384);
	if (file->name[0] != '/') {
		if (directory == NULL || directory[0] != '/')
			append_base(&b, t);
		if (directory != NULL && (directory[0] == '/' || !is_first))
			append_path(&b, directory);
	}
	append_path(&b, file->name);
	path = b.failed ? file->name : arena_strdup(&d->arena, buf_text(&b));
	buf_deinit(&b);
	return path;
}

const char *
dw_line_path(struct dwarf_unit *u, uint64_t number)
{
	struct dw_lines *t = lines_of(u);
	struct dw_line_file *file = t != NULL ? dw_line_file(t, number) : NULL;

	if (file == NULL || file->name == NULL)
		return NULL;
	if (file->path == NULL)
		file->path = make_path(t, file);
	return file->path;
}
