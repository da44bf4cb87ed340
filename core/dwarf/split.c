/* SPDX-License-Identifier: MIT */
/*
 * From a skeleton unit to the full one. It is looked for in the program's
 * package first and then in its own .dwo file; either way only the 64-bit id
 * that both units carry proves that it is the right one. A .dwo file's unit
 * has no addresses and no lines of its own: those of its skeleton count for it
 * (dwarf_unit.skeleton).
 */
#include "dwarf/split.h"
#include "base/text.h"
#include "dwarf/scan.h"

static bool
is_skeleton(const struct dwarf_unit *u)
{
	return u->dwo_name.form != 0 && !u->file->dwo &&
	    (u->unit_type == DW_UT_skeleton || u->version < 5);
}

/* Takes the image's reference. NULL without memory. */
static struct dwarf_file *
new_file(struct dwarf *d, struct image *image)
{
	struct dwarf_file *f = malloc(sizeof(*f));

	if (f != NULL)
		(void)dw_file_init(f, d, image, true);
	image_unref(image);
	return f;
}

/* Files are kept to the end: types and strings point into them. */
static void
keep_file(struct dwarf *d, struct dwarf_file *f)
{
	struct dwarf_file **at = &d->dwo_files;

	if (d->last_dwo != NULL)
		at = &d->last_dwo->next;
	*at = f;
	d->last_dwo = f;
}

static struct dwarf_unit *
unit_with_id(struct dwarf_file *f, uint64_t id)
{
	size_t n = dw_units(f, SEC_INFO);

	for (size_t i = 0; i < n && dw_step(f->dwarf); i++) {
		struct dwarf_unit *u = dw_unit(f, SEC_INFO, i);

		if (u != NULL && u->signature == 0 && u->dwo_id == id)
			return u;
	}
	return NULL;
}

/* ---- the package ---- */

static struct dwarf_file *
open_package(struct dwarf *d)
{
	struct image *image;
	struct dwarf_file *f;
	bt_error_t e = {0};

	if (d->package_tried)
		return d->package;
	d->package_tried = true;
	if (!debugfile_find_dwp(d->options.finder, d->main.image,
		d->options.exe_path, &image, &e)) {
		if (e.code != BT_E_NOTFOUND)
			dw_warn(d, "dwarf-package", "%s", e.text);
		return NULL;
	}
	f = new_file(d, image);
	if (f == NULL)
		return NULL;
	keep_file(d, f);
	f->package = dw_package_open(f);
	d->package = f->package != NULL ? f : NULL;
	return d->package;
}

/* ---- one .dwo file ---- */

struct candidate {
	struct dwarf *d;
	uint64_t id;
	struct dwarf_file *file;
	struct dwarf_unit *unit;
};

static const char *
refuse(void *ctx, struct image *image)
{
	struct candidate *c = ctx;

	if (image_section_find(image, ".debug_info.dwo") == NULL)
		return "has no .debug_info.dwo";
	c->file = new_file(c->d, image_ref(image));
	if (c->file == NULL)
		return "out of memory";
	c->unit = unit_with_id(c->file, c->id);
	if (c->unit != NULL)
		return NULL;
	dw_file_deinit(c->file);
	free(c->file);
	return "has another id";
}

static void
warn_missing(struct dwarf_unit *u, const bt_error_t *e)
{
	struct dwarf *d = u->file->dwarf;
	const char *path = image_path(u->file->image);

	/* One for each of thousands of units would hide everything else. */
	if (d->missing_dwos < DW_MISSING_WARNED)
		dw_warn(
		    d, "dwarf-dwo", "%s: split debug info: %s", path, e->text);
	else if (d->missing_dwos == DW_MISSING_WARNED)
		dw_warn(d, "dwarf-dwo",
		    "%s: more split debug info could not be had", path);
	d->missing_dwos++;
}

/* Several units may share one file (LTO): it is opened once. */
static struct dwarf_unit *
open_dwo(struct dwarf_unit *u, bt_error_t *e)
{
	struct dwarf *d = u->file->dwarf;
	struct candidate c = {.d = d, .id = u->dwo_id};
	struct debugfile_split where = {.debug = u->file->image,
	    .exe_path = d->options.exe_path,
	    .comp_dir = dw_unit_comp_dir(u),
	    .name = dw_string(u, &u->dwo_name),
	    .refuse = refuse,
	    .ctx = &c};
	uint64_t key = DW_HASH_START;
	struct image *image;

	if (where.name == NULL)
		return bt_fail(e, BT_E_FORMAT, "no name"), NULL;
	if (where.comp_dir != NULL)
		key = dw_hash_name(key, where.comp_dir);
	key = dw_hash_name(dw_hash_name(key, "/"), where.name);
	c.file = map_get_ptr(&d->dwos, key);
	if (c.file != NULL) {
		c.unit = unit_with_id(c.file, u->dwo_id);
		if (c.unit != NULL)
			return c.unit;
	}
	if (!debugfile_find_dwo(d->options.finder, &where, &image, e))
		return NULL;
	image_unref(image); /* the file has its own reference */
	(void)map_put_ptr(&d->dwos, key, c.file);
	keep_file(d, c.file);
	return c.unit;
}

/* ---- joining ---- */

static struct dwarf_unit *
join(struct dwarf_unit *skeleton, struct dwarf_unit *full)
{
	/* Two skeletons with one id would pull it to and fro. */
	if (full->skeleton != NULL)
		return full->skeleton == skeleton ? full : NULL;
	full->skeleton = skeleton;
	full->low = skeleton->low;
	full->low_pc = skeleton->low_pc;
	if (full->version < 5)
		full->ranges_base = skeleton->gnu_ranges_base;
	return full;
}

struct dwarf_unit *
dw_split_unit(struct dwarf_unit *u, bool loud)
{
	struct dwarf_unit *full = NULL;
	struct dwarf_file *package;
	struct dwarf *d;
	bt_error_t e = {0};

	if (u == NULL || !is_skeleton(u) ||
	    u->file->dwarf->options.finder == NULL)
		return u;
	if (u->split != NULL)
		return u->split;
	if (u->split_missing && (!loud || u->split_warned))
		return u;
	d = u->file->dwarf;
	package = open_package(d);
	if (package != NULL)
		full = dw_package_find(package, u->dwo_id);
	if (full == NULL)
		full = open_dwo(u, &e);
	if (full != NULL)
		full = join(u, full);
	u->split = full;
	u->split_missing = full == NULL;
	if (full == NULL && loud) {
		u->split_warned = true;
		warn_missing(u, &e);
	}
	return full != NULL ? full : u;
}

void
dw_split_deinit(struct dwarf *d)
{
	struct dwarf_file *next;

	for (struct dwarf_file *f = d->dwo_files; f != NULL; f = next) {
		next = f->next;
		dw_file_deinit(f);
		free(f);
	}
	map_deinit(&d->dwos);
}
