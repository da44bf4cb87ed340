/* SPDX-License-Identifier: MIT */
/*
 * Packages of .dwo files: two hash tables (.debug_cu_index, .debug_tu_index)
 * lead from an id to a row, which says where in each section the unit's part
 * begins. Version 2 is GNU's (for DWARF 4), version 5 that of DWARF 5 section
 * 7.3.5; they differ in the numbers of the sections.
 */
#include "dwarf/split.h"

enum column {
	COLUMN_INFO,
	COLUMN_TYPES,
	COLUMN_ABBREV,
	COLUMN_LOC, /* .debug_loc or .debug_loclists */
	COLUMN_STR_OFFSETS,
	COLUMN_RNGLISTS,
	COLUMN__COUNT,
	COLUMNS_MAX = 16, /* in a file; 8 are defined */
	ROWS_MAX = 1 << 24
};

struct index {
	struct view ids;     /* u64 each */
	struct view rows;    /* u32 each, 0: free */
	struct view offsets; /* u32 each, `columns` a row */
	uint32_t slots, units, columns;
	int column[COLUMN__COUNT]; /* its place in a row, or -1 */
};

struct row {
	uint64_t offset; /* of the unit in its section */
	uint32_t number; /* in the index, from 1 */
	bool type_unit;
};

struct dw_package {
	struct index cu, tu;
	VEC(struct row) rows[2]; /* of SEC_INFO and SEC_TYPES, by offset */
	bool listed;
};

/* The numbers of DWARF 5 table 7.1, and those of version 2. */
static enum column
column_of(uint32_t version, uint32_t id)
{
	switch (id) {
	case 1:
		return COLUMN_INFO;
	case 2:
		return version == 2 ? COLUMN_TYPES : COLUMN__COUNT;
	case 3:
		return COLUMN_ABBREV;
	case 5:
		return COLUMN_LOC;
	case 6:
		return COLUMN_STR_OFFSETS;
	case 8:
		return version == 5 ? COLUMN_RNGLISTS : COLUMN__COUNT;
	default:
		return COLUMN__COUNT;
	}
}

static bool
read_index(struct view v, struct index *x)
{
	uint32_t version = view_u32(&v); /* 5: a half and a padding of 0 */
	uint64_t cells;

	for (int i = 0; i < COLUMN__COUNT; i++)
		x->column[i] = -1;
	x->columns = view_u32(&v);
	x->units = view_u32(&v);
	x->slots = view_u32(&v);
	if (!view_ok(&v) || (version != 2 && version != 5) ||
	    x->columns > COLUMNS_MAX || x->units > ROWS_MAX ||
	    x->slots > ROWS_MAX * 2 || (x->slots & (x->slots - 1)) != 0)
		return false;
	x->ids = view_sub(&v, v.pos, (uint64_t)x->slots * 8);
	view_skip(&v, x->ids.size);
	x->rows = view_sub(&v, v.pos, (uint64_t)x->slots * 4);
	view_skip(&v, x->rows.size);
	for (uint32_t i = 0; i < x->columns; i++) {
		enum column c = column_of(version, view_u32(&v));

		if (c != COLUMN__COUNT)
			x->column[c] = (int)i;
	}
	cells = (uint64_t)x->units * x->columns;
	x->offsets = view_sub(&v, v.pos, cells * 4);
	return view_ok(&v) && view_ok(&x->ids) && view_ok(&x->rows) &&
	    view_ok(&x->offsets);
}

static bool
open_index(struct dwarf_file *f, const char *name, struct index *x)
{
	struct view v;
	bt_error_t e = {0};

	if (image_section_view(f->image, name, &v, &e) && read_index(v, x))
		return true;
	memset(x, 0, sizeof(*x));
	if (e.code != BT_E_NOTFOUND)
		dw_warn(f->dwarf, "dwarf-package", "%s: %s is damaged",
		    image_path(f->image), name);
	return false;
}

struct dw_package *
dw_package_open(struct dwarf_file *f)
{
	struct dw_package *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	for (int i = 0; i < 2; i++)
		vec_init(&p->rows[i], ROWS_MAX);
	(void)open_index(f, ".debug_tu_index", &p->tu);
	if (open_index(f, ".debug_cu_index", &p->cu))
		return p;
	dw_package_free(p);
	return NULL;
}

void
dw_package_free(struct dw_package *p)
{
	if (p == NULL)
		return;
	for (int i = 0; i < 2; i++)
		vec_deinit(&p->rows[i]);
	free(p);
}

static uint64_t
number_at(const struct view *table, uint64_t index, size_t size)
{
	struct view v = view_from(table, index * size);

	return view_uint(&v, size);
}

/* Where a row's part of a section begins; 0 when the section has none. */
static uint64_t
cell(const struct index *x, uint32_t row, enum column c)
{
	if (x->column[c] < 0 || row == 0 || row > x->units)
		return 0;
	return number_at(&x->offsets,
	    (uint64_t)(row - 1) * x->columns + (uint32_t)x->column[c], 4);
}

/* The row of an id, or 0. The table is open-addressed: DWARF 5 section
 * 7.3.5.3. */
static uint32_t
find_row(struct dwarf *d, const struct index *x, uint64_t id)
{
	uint32_t mask = x->slots - 1;
	uint32_t slot = (uint32_t)id & mask;
	uint32_t step = ((uint32_t)(id >> 32) & mask) | 1;

	for (uint32_t i = 0; i < x->slots && dw_step(d); i++) {
		uint32_t row = (uint32_t)number_at(&x->rows, slot, 4);

		if (row == 0)
			return 0;
		if (number_at(&x->ids, slot, 8) == id)
			return row;
		slot = (slot + step) & mask;
	}
	return 0;
}

static int
by_offset(const void *pa, const void *pb)
{
	const struct row *a = pa, *b = pb;

	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static void
list_rows(struct dw_package *p, struct dwarf *d, const struct index *x,
    bool type_units)
{
	bool in_types = type_units && x->column[COLUMN_TYPES] >= 0;
	enum column c = in_types ? COLUMN_TYPES : COLUMN_INFO;

	if (x->column[c] < 0)
		return;
	for (uint32_t i = 1; i <= x->units && dw_step(d); i++) {
		struct row *r = vec_push(&p->rows[in_types]);

		if (r == NULL)
			return;
		r->offset = cell(x, i, c);
		r->number = i;
		r->type_unit = type_units;
	}
}

static void
list(struct dw_package *p, struct dwarf *d)
{
	if (p->listed)
		return;
	p->listed = true;
	list_rows(p, d, &p->cu, false);
	list_rows(p, d, &p->tu, true);
	for (int i = 0; i < 2; i++) {
		if (p->rows[i].count > 1)
			qsort(p->rows[i].items, p->rows[i].count,
			    sizeof(struct row), by_offset);
	}
}

static const struct row *
row_at(const struct dw_package *p, enum dw_section section, uint64_t offset)
{
	struct row key = {.offset = offset};

	if (p->rows[section].count == 0)
		return NULL;
	return bsearch(&key, p->rows[section].items, p->rows[section].count,
	    sizeof(key), by_offset);
}

void
dw_package_units(struct dwarf_file *f, enum dw_section section)
{
	struct dw_package *p = f->package;
	uint64_t last = UINT64_MAX;

	list(p, f->dwarf);
	for (size_t i = 0; i < p->rows[section].count; i++) {
		struct unit_slot *slot;

		if (p->rows[section].items[i].offset == last)
			continue; /* damage: two rows for one unit */
		slot = vec_push(&f->units[section].slots);
		if (slot == NULL)
			return;
		slot->offset = last = p->rows[section].items[i].offset;
	}
}

bool
dw_package_contribution(const struct dwarf_file *f, enum dw_section section,
    uint64_t offset, struct dw_contribution *out)
{
	const struct row *r;
	const struct index *x;

	list(f->package, f->dwarf);
	r = row_at(f->package, section, offset);
	if (r == NULL)
		return false;
	x = r->type_unit ? &f->package->tu : &f->package->cu;
	out->info = r->offset;
	out->abbrev = cell(x, r->number, COLUMN_ABBREV);
	out->str_offsets = cell(x, r->number, COLUMN_STR_OFFSETS);
	out->loc = cell(x, r->number, COLUMN_LOC);
	out->ranges = cell(x, r->number, COLUMN_RNGLISTS);
	return true;
}

static struct dwarf_unit *
unit_of(struct dwarf_file *f, const struct index *x, uint64_t id)
{
	bool in_types = x->column[COLUMN_TYPES] >= 0 && x == &f->package->tu;
	uint32_t row = x->slots != 0 ? find_row(f->dwarf, x, id) : 0;
	uint64_t offset;

	if (row == 0 || row > x->units)
		return NULL;
	offset = cell(x, row, in_types ? COLUMN_TYPES : COLUMN_INFO);
	return dw_unit_starting(f, in_types ? SEC_TYPES : SEC_INFO, offset);
}

struct dwarf_unit *
dw_package_find(struct dwarf_file *f, uint64_t id)
{
	return unit_of(f, &f->package->cu, id);
}

struct dwarf_unit *
dw_package_type(struct dwarf_file *f, uint64_t signature)
{
	return unit_of(f, &f->package->tu, signature);
}
