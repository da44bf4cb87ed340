/* SPDX-License-Identifier: MIT */
/*
 * Finding the files of split DWARF. Their names are foreign (a path the
 * compiler was given), so they are opened by the opener only; whether a file is
 * the right one only its unit's id can tell, which is the caller's to read.
 */
#include "base/text.h"
#include "image/debugfile.h"
#include <limits.h>
#include <stdio.h>

struct split_search {
	const struct debugfile_finder *f;
	struct image *image; /* whose file it is */
	const char *(*refuse)(void *ctx, struct image *candidate);
	void *ctx;
	struct image *found;
	bt_error_t refused; /* the first that was there and was refused */
};

static void
report(struct split_search *s, const char *path, const char *reason)
{
	struct debugfile_candidate candidate = {path, reason};

	if (s->f->tried != NULL)
		s->f->tried(s->f->ctx, s->image, &candidate);
}

/* True when the search is over. */
static bool
try_path(struct split_search *s, const char *path)
{
	struct image *candidate;
	const char *reason;
	char shown[160];
	bt_error_t e = {0};

	if (!image_open(s->f->opener, OPENER_DEBUG, path, &candidate, &e)) {
		report(s, path, e.code == BT_E_NOTFOUND ? "not found" : e.text);
		if (e.code != BT_E_NOTFOUND && s->refused.code == 0) {
			s->refused = e;
			s->refused.code = BT_E_MISMATCH;
		}
		return false;
	}
	reason = s->refuse(s->ctx, candidate);
	report(s, path, reason);
	if (reason == NULL) {
		s->found = candidate;
		return true;
	}
	if (s->refused.code == 0)
		bt_fail(&s->refused, BT_E_MISMATCH, "%s: %s",
		    text_escape_into(shown, sizeof(shown), path), reason);
	image_unref(candidate);
	return false;
}

/* Tries the path that the format makes; one too long is passed over. */
static bool __attribute__((format(printf, 2, 3)))
try_format(struct split_search *s, const char *format, ...)
{
	char path[PATH_MAX];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(path, sizeof(path), format, ap);
	va_end(ap);
	return n > 0 && (size_t)n < sizeof(path) && try_path(s, path);
}

/* In the directory of a file: by the name as written, and its last part. */
static bool
try_beside(struct split_search *s, const char *file, const char *name)
{
	const char *base = text_basename(name);
	const char *last = text_basename(file);
	int n = last - file < PATH_MAX ? (int)(last - file) : 0;

	if (name[0] != '/' && base != name &&
	    try_format(s, "%.*s%s", n, file, name))
		return true;
	return try_format(s, "%.*s%s", n, file, base);
}

static bool
try_dirs(struct split_search *s, const char *full, const char *name)
{
	const char *const *dir = s->f->dirs != NULL ? s->f->dirs
						    : debugfile_default_dirs;

	for (; *dir != NULL; dir++) {
		if (full[0] == '/' && try_format(s, "%s%s", *dir, full))
			return true;
		if (try_format(s, "%s/%s", *dir, text_basename(name)))
			return true;
	}
	return false;
}

static bool
search_dwo(struct split_search *s, const struct debugfile_split *d)
{
	const char *debug = image_path(d->debug);
	const char *exe = d->exe_path != NULL ? d->exe_path : debug;
	char full[PATH_MAX] = "";

	if (d->name[0] == '/' || d->comp_dir == NULL)
		(void)snprintf(full, sizeof(full), "%s", d->name);
	else
		(void)snprintf(
		    full, sizeof(full), "%s/%s", d->comp_dir, d->name);
	/* A relative one (-fdebug-prefix-map=...=.) would mean our directory,
	 * so it counts from the program's. */
	if (full[0] == '/' ? try_path(s, full) : try_beside(s, exe, full))
		return true;
	if (try_beside(s, exe, d->name) ||
	    (strcmp(exe, debug) != 0 && try_beside(s, debug, d->name)))
		return true;
	return try_dirs(s, full, d->name);
}

static bool
finish(
    struct split_search *s, const char *what, struct image **out, bt_error_t *e)
{
	char shown[160];

	*out = s->found;
	if (s->found != NULL)
		return true;
	if (s->refused.code == 0)
		return bt_fail(e, BT_E_NOTFOUND, "%s not found",
		    text_escape_into(shown, sizeof(shown), what));
	if (e != NULL)
		*e = s->refused;
	return false;
}

bool
debugfile_find_dwo(const struct debugfile_finder *f,
    const struct debugfile_split *d, struct image **out, bt_error_t *e)
{
	struct split_search s = {
	    .f = f, .image = d->debug, .refuse = d->refuse, .ctx = d->ctx};

	if (d->name[0] != '\0')
		(void)search_dwo(&s, d);
	return finish(&s, d->name, out, e);
}

static const char *
no_package(void *ctx, struct image *candidate)
{
	(void)ctx;
	return image_section_find(candidate, ".debug_cu_index") != NULL
	    ? NULL
	    : "has no .debug_cu_index";
}

/* FILE.dwp, and of FILE.debug also that of FILE. */
static bool
try_package(struct split_search *s, const char *directory, const char *file)
{
	static const char suffix[] = ".debug";
	size_t n = strlen(file), cut = sizeof(suffix) - 1;

	if (try_format(s, "%s%s.dwp", directory, file))
		return true;
	return n > cut && n < PATH_MAX && strcmp(file + n - cut, suffix) == 0 &&
	    try_format(s, "%s%.*s.dwp", directory, (int)(n - cut), file);
}

bool
debugfile_find_dwp(const struct debugfile_finder *f, struct image *debug,
    const char *exe_path, struct image **out, bt_error_t *e)
{
	struct split_search s = {.f = f, .image = debug, .refuse = no_package};
	const char *const *dir = f->dirs != NULL ? f->dirs
						 : debugfile_default_dirs;
	const char *path = image_path(debug);
	bool found = (exe_path != NULL && try_package(&s, "", exe_path)) ||
	    ((exe_path == NULL || strcmp(path, exe_path) != 0) &&
		try_package(&s, "", path));

	if (exe_path == NULL)
		exe_path = path;
	for (; !found && *dir != NULL; dir++)
		found =
		    (exe_path[0] == '/' && try_package(&s, *dir, exe_path)) ||
		    try_format(&s, "%s/%s.dwp", *dir, text_basename(exe_path));
	return finish(&s, "package of .dwo files", out, e);
}
