/* SPDX-License-Identifier: MIT */
/*
 * The search for separate debug files. A candidate is taken only when it is
 * proven to belong to the image: by build-id, or, where one of the two has
 * none, by the CRC of .gnu_debuglink. Paths in an image are foreign: a debug
 * link must be a mere name, and everything is opened by the opener, which
 * accepts regular files only.
 */
#include "image/debugfile.h"
#include "base/hash.h"
#include "base/text.h"
#include "image/copy.h"
#include "image/internal.h"
#include "image/symserver.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

const char *const debugfile_default_dirs[] = {"/usr/lib/debug", NULL};

struct search {
	const struct debugfile_finder *f;
	struct image *image;		 /* whose debug info it is */
	const struct image_build_id *id; /* it must have; NULL: CRC */
	bool exact;			 /* no CRC in place of the id */
	bool alternate;			 /* a dwz file is looked for */
	bool announcing;		 /* nothing is opened yet */
	uint32_t crc;
	struct image *found;
	struct image *symbols; /* belongs to it, but has only .symtab */
	bt_error_t refused;    /* the first that was there and was refused */
};

bool
debugfile_has_info(const struct image *image)
{
	const struct image_section *s = image_section_find(
	    image, ".debug_info");

	return s != NULL && s->type != SHT_NOBITS && s->size > 0;
}

static void
report(struct search *s, const char *path, const char *reason)
{
	struct debugfile_candidate candidate = {path, reason};

	if (s->f->tried != NULL)
		s->f->tried(s->f->ctx, s->image, &candidate);
}

static void
refuse(struct search *s, const char *path, const char *reason)
{
	char shown[160];

	if (s->announcing)
		return;
	report(s, path, reason);
	if (s->refused.code == 0)
		bt_fail(&s->refused, BT_E_MISMATCH, "%s: %s",
		    text_escape_into(shown, sizeof(shown), path), reason);
}

/* Why an opened candidate does not belong to the image; NULL: it does. */
static const char *
stranger(const struct search *s, struct image *candidate)
{
	const struct image_build_id *id = image_build_id(candidate);

	if (s->id != NULL && id != NULL)
		return image_build_id_equal(s->id, id) ? NULL
						       : "has another build-id";
	if (s->exact)
		return "has no build-id";
	image_will_read(candidate, candidate->file);
	if (crc32_ieee(0, candidate->file.data, candidate->file.size) != s->crc)
		return "has another CRC";
	return NULL;
}

/* What two small files have in common may be strings alone. */
static bool
has_strings(const struct image *image)
{
	const struct image_section *s = image_section_find(image, ".debug_str");

	return s != NULL && s->type != SHT_NOBITS && s->size > 0;
}

/* Takes the candidate's reference. True when the search is over. */
static bool
judge(struct search *s, const char *path, struct image *candidate)
{
	const char *reason = stranger(s, candidate);

	if (reason == NULL &&
	    (debugfile_has_info(candidate) ||
		(s->alternate && has_strings(candidate)))) {
		image_prefer_copy(s->f->opener, OPENER_DEBUG, &candidate);
		report(s, path, NULL);
		s->found = candidate;
		return true;
	}
	if (reason != NULL) {
		refuse(s, path, reason);
	} else if (s->symbols == NULL && image_has_symtab(candidate)) {
		report(s, path, "has only symbols");
		s->symbols = candidate;
		return false;
	} else {
		refuse(s, path, "has no .debug_info");
	}
	image_unref(candidate);
	return false;
}

/* True when the search is over. */
static bool
try_path(struct search *s, const char *path)
{
	struct image *candidate;
	bt_error_t e = {0};

	if (s->announcing) {
		opener_expect(s->f->opener, OPENER_DEBUG, path);
		return false;
	}
	if (image_open(s->f->opener, OPENER_DEBUG, path, &candidate, &e))
		return judge(s, path, candidate);
	if (e.code == BT_E_NOTFOUND) {
		report(s, path, "not found");
		return false;
	}
	report(s, path, e.text);
	if (s->refused.code == 0) {
		s->refused = e;
		s->refused.code = BT_E_MISMATCH;
	}
	return false;
}

/* Tries the path that the format makes; one too long is passed over. */
static bool __attribute__((format(printf, 2, 3)))
try_format(struct search *s, const char *format, ...)
{
	char path[PATH_MAX];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(path, sizeof(path), format, ap);
	va_end(ap);
	return n > 0 && (size_t)n < sizeof(path) && try_path(s, path);
}

static const char *const *
dirs_of(const struct debugfile_finder *f)
{
	return f->dirs != NULL ? f->dirs : debugfile_default_dirs;
}

static bool
try_build_id(struct search *s)
{
	char hex[2 * IMAGE_BUILD_ID_MAX + 1];

	if (s->id == NULL || s->id->size < 2)
		return false;
	image_build_id_hex(s->id, hex);
	for (const char *const *dir = dirs_of(s->f); *dir != NULL; dir++)
		if (try_format(
			s, "%s/.build-id/%.2s/%s.debug", *dir, hex, hex + 2))
			return true;
	return false;
}

/* Length of the directory part of a path, without its last slash. */
static int
dir_length(const char *path)
{
	const char *slash = strrchr(path, '/');
	ptrdiff_t n = slash != NULL ? slash - path : 0;

	return n < PATH_MAX ? (int)n : PATH_MAX;
}

/* DIR/path/to/NAME. Where /lib is a link to /usr/lib, the debug file may lie
 * under either name. */
static bool
try_link_below(
    struct search *s, const char *dir, const char *real_path, const char *name)
{
	int n = dir_length(real_path);

	if (try_format(s, "%s%.*s/%s", dir, n, real_path, name))
		return true;
	if (strncmp(real_path, "/usr/", 5) == 0)
		return try_format(
		    s, "%s%.*s/%s", dir, n - 4, real_path + 4, name);
	if (strncmp(real_path, "/lib", 4) == 0 ||
	    strncmp(real_path, "/bin/", 5) == 0 ||
	    strncmp(real_path, "/sbin/", 6) == 0)
		return try_format(s, "%s/usr%.*s/%s", dir, n, real_path, name);
	return false;
}

static bool
try_debuglink(struct search *s, const char *real_path)
{
	const char *name;
	int n = dir_length(real_path);

	if (image_section_find(s->image, ".gnu_debuglink") == NULL)
		return false;
	if (!image_debuglink(s->image, &name, &s->crc)) {
		refuse(s, ".gnu_debuglink", "is damaged, or names a path");
		return false;
	}
	s->exact = false;
	if (strchr(real_path, '/') == NULL) {
		if (try_path(s, name) || try_format(s, ".debug/%s", name))
			return true;
	} else if (try_format(s, "%.*s/%s", n, real_path, name) ||
	    try_format(s, "%.*s/.debug/%s", n, real_path, name)) {
		return true;
	}
	for (const char *const *dir = dirs_of(s->f);
	     real_path[0] == '/' && *dir != NULL; dir++)
		if (try_link_below(s, *dir, real_path, name))
			return true;
	return false;
}

/* The last place: the user's debuginfod server. */
static bool
try_server(struct search *s)
{
	struct image *candidate;
	bt_error_t e = {0};

	if (s->f->server == NULL || s->id == NULL || s->id->size == 0)
		return false;
	if (symserver_fetch(
		s->f->server, SYMSERVER_DEBUGINFO, s->id, &candidate, &e))
		return judge(s, image_path(candidate), candidate);
	report(s, "debuginfod", e.text);
	if (e.code != BT_E_NOTFOUND && s->refused.code == 0)
		s->refused = e;
	return false;
}

bool
debugfile_find(const struct debugfile_finder *f, struct image *image,
    const char *real_path, struct image **out, bt_error_t *e)
{
	struct search s = {
	    .f = f, .image = image, .id = image_build_id(image), .exact = true};
	char shown[128];

	*out = NULL;
	if (debugfile_has_info(image)) {
		*out = image_ref(image);
		return true;
	}
	/* Most images have no debug file: none of its names leads to one. */
	s.announcing = true;
	(void)try_build_id(&s);
	(void)try_debuglink(&s, real_path);
	s.announcing = false;
	s.exact = true;
	if (try_build_id(&s) || try_debuglink(&s, real_path) ||
	    try_server(&s)) {
		image_unref(s.symbols);
		*out = s.found;
		return true;
	}
	*out = s.symbols;
	if (s.symbols != NULL)
		return true;
	if (s.refused.code != 0) {
		if (e != NULL)
			*e = s.refused;
		return false;
	}
	return bt_fail(e, BT_E_NOTFOUND, "no debug info for %s",
	    text_escape_into(shown, sizeof(shown), real_path));
}

/* As written, then by build-id, then where dwz of Fedora and Debian puts it. */
static bool
try_altlink(struct search *s, const char *path)
{
	const char *debug = image_path(s->image);
	const char *base = text_basename(path);

	if (path[0] == '/' || strchr(debug, '/') == NULL
		? try_path(s, path)
		: try_format(s, "%.*s/%s", dir_length(debug), debug, path))
		return true;
	if (try_build_id(s))
		return true;
	for (const char *const *dir = dirs_of(s->f); *dir != NULL; dir++)
		if (try_format(s, "%s/.dwz/%s", *dir, base))
			return true;
	return false;
}

bool
debugfile_find_alt(const struct debugfile_finder *f, struct image *debug,
    struct image **out, bt_error_t *e)
{
	const struct image_build_id *own = image_build_id(debug);
	struct image_build_id id;
	struct search s = {.f = f,
	    .image = debug,
	    .id = &id,
	    .exact = true,
	    .alternate = true};
	const char *path;
	char shown[128];

	*out = NULL;
	if (!image_debugaltlink(debug, &path, &id))
		return bt_fail(e, BT_E_NOTFOUND, "no .gnu_debugaltlink");
	text_escape_into(shown, sizeof(shown), path);
	if (own != NULL && image_build_id_equal(own, &id))
		return bt_fail(e, BT_E_MISMATCH,
		    "alternate debug file %s is the file itself", shown);
	if (try_altlink(&s, path) || try_server(&s)) {
		image_unref(s.symbols);
		*out = s.found;
		return true;
	}
	image_unref(s.symbols);
	if (s.refused.code != 0)
		return bt_fail(e, BT_E_MISMATCH,
		    "alternate debug file refused: %s", s.refused.text);
	return bt_fail(
	    e, BT_E_NOTFOUND, "alternate debug file %s not found", shown);
}

bool
debugfile_find_executable(const struct debugfile_finder *f,
    const struct image_build_id *id, struct image **out, bt_error_t *e)
{
	const struct image_build_id *found;

	*out = NULL;
	if (f->server == NULL || id->size == 0)
		return bt_fail(e, BT_E_NOTFOUND, "no debuginfod server");
	if (!symserver_fetch(f->server, SYMSERVER_EXECUTABLE, id, out, e))
		return false;
	found = image_build_id(*out);
	if (found != NULL && image_build_id_equal(found, id))
		return true;
	(void)bt_fail(
	    e, BT_E_MISMATCH, "%s: has another build-id", image_path(*out));
	image_unref(*out);
	*out = NULL;
	return false;
}
