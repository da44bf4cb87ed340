/* SPDX-License-Identifier: MIT */
/*
 * Opening and closing: a struct dwarf, its files, and their sections, each
 * fetched (and inflated) only when something in it is asked for.
 */
#include "dwarf/split.h"
#include <stdarg.h>
#include <stdio.h>

static const char *const section_names[SEC__COUNT] = {
    [SEC_INFO] = ".debug_info",
    [SEC_TYPES] = ".debug_types",
    [SEC_ABBREV] = ".debug_abbrev",
    [SEC_STR] = ".debug_str",
    [SEC_LINE_STR] = ".debug_line_str",
    [SEC_STR_OFFSETS] = ".debug_str_offsets",
    [SEC_ADDR] = ".debug_addr",
    [SEC_RANGES] = ".debug_ranges",
    [SEC_RNGLISTS] = ".debug_rnglists",
    [SEC_LOC] = ".debug_loc",
    [SEC_LOCLISTS] = ".debug_loclists",
    [SEC_LINE] = ".debug_line",
    [SEC_ARANGES] = ".debug_aranges",
};

/* No real image's plans and types come near; a hostile one stops here. */
static const size_t arena_cap = (size_t)1 << 30;

void
dw_warn(struct dwarf *d, const char *code, const char *format, ...)
{
	char text[256];
	va_list ap;

	if (d->options.warn == NULL || d->warnings >= DW_WARNINGS_MAX)
		return;
	d->warnings++;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	d->options.warn(d->options.ctx, code, text);
}

static const char *
name_of(const struct dwarf_file *f, enum dw_section s, char *out, size_t size)
{
	(void)snprintf(
	    out, size, "%s%s", section_names[s], f->dwo ? ".dwo" : "");
	return out;
}

static void
warn_section(struct dwarf_file *f, enum dw_section s, const bt_error_t *e)
{
	char name[32];

	if (f->sections[s].warned || e->code == BT_E_NOTFOUND)
		return;
	f->sections[s].warned = true;
	dw_warn(f->dwarf, "dwarf-section", "%s: %s: %s", image_path(f->image),
	    name_of(f, s, name, sizeof(name)), e->text);
}

static struct image_bytes *
section_of(struct dwarf_file *f, enum dw_section s)
{
	struct image_bytes *b = &f->sections[s].bytes;
	bt_error_t e = {0};
	char name[32];

	if (f->sections[s].tried)
		return b;
	f->sections[s].tried = true;
	if (!image_section_open(
		f->image, name_of(f, s, name, sizeof(name)), b, &e)) {
		*b = (struct image_bytes){.view = view_of(NULL, 0)};
		warn_section(f, s, &e);
	}
	/* Read by unit, and of few units. */
	if (s == SEC_INFO || s == SEC_TYPES)
		image_section_sparse(b);
	return b;
}

struct view
dw_section_part(
    struct dwarf_file *f, enum dw_section s, uint64_t from, uint64_t to)
{
	struct image_bytes *b = section_of(f, s);
	bt_error_t e = {0};

	if (b->sparse == false)
		return dw_section_to(f, s, to);
	if (!image_section_range(b, from, to, &e))
		warn_section(f, s, &e);
	return b->view;
}

struct view
dw_section_to(struct dwarf_file *f, enum dw_section s, uint64_t to)
{
	struct image_bytes *b = section_of(f, s);
	bt_error_t e = {0};

	if (b->view.size < to && b->view.size < b->size &&
	    !image_section_reach(b, to, &e))
		warn_section(f, s, &e);
	return b->view;
}

struct view
dw_section(struct dwarf_file *f, enum dw_section s)
{
	return dw_section_to(f, s, UINT64_MAX);
}

size_t
dw_section_size(struct dwarf_file *f, enum dw_section s)
{
	return section_of(f, s)->size;
}

const uint8_t *
dw_section_start(struct dwarf_file *f, enum dw_section s)
{
	return section_of(f, s)->view.data;
}

void
dw_section_more(struct view *v, struct dwarf_file *f, enum dw_section s)
{
	if (v->failed || v->size - v->pos >= DW_MARGIN)
		return;
	v->size = dw_section_to(f, s, (uint64_t)v->pos + DW_AHEAD).size;
}

/* What every plan needs, while .debug_info is being inflated. Of those that
 * have a part for each unit nothing yet: see dwarf_expect. */
static void
read_ahead(struct dwarf_file *f)
{
	static const struct prefetch_section sections[] = {
	    {.name = ".debug_abbrev"},
	    {.name = ".debug_line", .part = true},
	    {.name = ".debug_str"},
	    {.name = ".debug_line_str"},
	    {.name = ".debug_rnglists", .part = true},
	    {.name = ".debug_ranges", .part = true},
	    /* Of variables, which come after all stacks. */
	    {.name = ".debug_loclists", .part = true, .late = true},
	    {.name = ".debug_loc", .part = true, .late = true},
	};
	size_t n = sizeof(sections) / sizeof(*sections);

	image_prefetch(f->image, f->dwarf->options.prefetch, ".debug_info",
	    sections, f->dwarf->options.locations ? n : n - 2);
}

bool
dw_file_init(
    struct dwarf_file *f, struct dwarf *d, struct image *image, bool dwo)
{
	memset(f, 0, sizeof(*f));
	f->dwo = dwo;
	f->dwarf = d;
	f->image = image_ref(image);
	for (int i = 0; i < 2; i++)
		vec_init(&f->units[i].slots, DW_UNITS_MAX);
	map_init(&f->abbrevs, DW_UNITS_MAX);
	map_init(&f->lines, DW_UNITS_MAX);
	map_init(&f->signatures, DW_UNITS_MAX);
	if (!dwo)
		read_ahead(f);
	return dw_section_part(f, SEC_INFO, 0, 1).size != 0;
}

void
dw_file_deinit(struct dwarf_file *f)
{
	for (int i = 0; i < 2; i++) {
		for (size_t k = 0; k < f->units[i].slots.count; k++)
			dw_unit_deinit(f->units[i].slots.items[k].unit);
		vec_deinit(&f->units[i].slots);
	}
	while (f->all_abbrevs != NULL) {
		struct dw_abbrev_table *t = f->all_abbrevs;

		f->all_abbrevs = t->next;
		dw_abbrev_table_free(t);
	}
	dw_lines_free(f->all_lines);
	map_deinit(&f->abbrevs);
	map_deinit(&f->lines);
	map_deinit(&f->signatures);
	dw_package_free(f->package);
	image_unref(f->image);
}

bool
dwarf_open(struct image *debug, const struct dwarf_options *options,
    struct dwarf **out, bt_error_t *e)
{
	struct dwarf *d = calloc(1, sizeof(*d));

	*out = NULL;
	if (d == NULL)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	if (options != NULL)
		d->options = *options;
	budget_init(&d->own_budget, UINT64_MAX, 0);
	d->budget = d->options.budget != NULL ? d->options.budget
					      : &d->own_budget;
	arena_init(&d->arena, arena_cap);
	dw_range_index_init(&d->aranges);
	dw_range_index_init(&d->addresses);
	dw_range_index_init(&d->orphans);
	map_init(&d->plans, SIZE_MAX);
	map_init(&d->types, SIZE_MAX);
	map_init(&d->definitions, SIZE_MAX);
	map_init(&d->resolved, SIZE_MAX);
	map_init(&d->calls, SIZE_MAX);
	map_init(&d->globals, SIZE_MAX);
	map_init(&d->dwos, DW_UNITS_MAX);
	if (!dw_file_init(&d->main, d, debug, false)) {
		dwarf_close(d);
		return bt_fail(
		    e, BT_E_NOTFOUND, "%s: no .debug_info", image_path(debug));
	}
	*out = d;
	return true;
}

void
dwarf_close(struct dwarf *d)
{
	if (d == NULL)
		return;
	if (d->alt != NULL) {
		dw_file_deinit(d->alt);
		free(d->alt);
	}
	dw_split_deinit(d);
	dw_file_deinit(&d->main);
	dw_range_index_deinit(&d->aranges);
	dw_range_index_deinit(&d->addresses);
	dw_range_index_deinit(&d->orphans);
	map_deinit(&d->plans);
	map_deinit(&d->types);
	map_deinit(&d->definitions);
	map_deinit(&d->resolved);
	map_deinit(&d->calls);
	map_deinit(&d->globals);
	arena_deinit(&d->arena);
	free(d);
}

struct dwarf_file *
dw_alt(struct dwarf *d)
{
	struct image *image;
	struct dwarf_file *f;
	bt_error_t e;

	if (d->alt_tried)
		return d->alt;
	d->alt_tried = true;
	memset(&e, 0, sizeof(e));
	if (d->options.finder == NULL)
		return NULL;
	if (!debugfile_find_alt(d->options.finder, d->main.image, &image, &e)) {
		dw_warn(d, "dwarf-alt", "%s: %s", image_path(d->main.image),
		    e.text);
		return NULL;
	}
	f = malloc(sizeof(*f));
	if (f != NULL) {
		/* Without .debug_info it may still have strings. */
		(void)dw_file_init(f, d, image, false);
		d->alt = f;
	}
	image_unref(image);
	return d->alt;
}

const struct dwarf_stats *
dwarf_stats(const struct dwarf *d)
{
	return &d->stats;
}
