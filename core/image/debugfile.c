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
#include "image/internal.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

const char *const debugfile_default_dirs[] = {"/usr/lib/debug", NULL};

struct search {
	const struct debugfile_finder *f;
	struct image *image;		 /* whose debug info it is */
	const struct image_build_id *id; /* it must have; NULL: CRC */
	bool exact;			 /* no CRC in place of the id */
	uint32_t crc;
	bool needs_info; /* must have .debug_info */
	struct image *found;
};

static bool
has_debug_info(const struct image *image)
{
	const struct image_section *s = image_section_find(
	    image, ".debug_info");

	return s != NULL && s->type != SHT_NOBITS && s->size > 0;
}

static void
report(const struct search *s, const char *path, const char *reason)
{
	struct debugfile_candidate candidate = {path, reason};

	if (s->f->tried != NULL)
		s->f->tried(s->f->ctx, s->image, &candidate);
}

/* Why an opened candidate does not belong to the image; NULL: it does. */
static const char *
refusal(const struct search *s, struct image *candidate)
{
	const struct image_build_id *id = image_build_id(candidate);

	if (s->needs_info && !has_debug_info(candidate))
		return "has no .debug_info";
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

/* True when the search is over. */
static bool
try_path(struct search *s, const char *path)
{
	struct image *candidate;
	const char *reason;
	bt_error_t e = {0};

	if (!image_open(s->f->opener, OPENER_DEBUG, path, &candidate, &e)) {
		report(s, path, e.code == BT_E_NOTFOUND ? "not found" : e.text);
		return false;
	}
	reason = refusal(s, candidate);
	report(s, path, reason);
	if (reason != NULL) {
		image_unref(candidate);
		return false;
	}
	s->found = candidate;
	return true;
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
		report(s, ".gnu_debuglink", "is damaged, or names a path");
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

bool
debugfile_find(const struct debugfile_finder *f, struct image *image,
    const char *real_path, struct image **out, bt_error_t *e)
{
	struct search s = {.f = f,
	    .image = image,
	    .id = image_build_id(image),
	    .exact = true,
	    .needs_info = true};

	*out = NULL;
	if (has_debug_info(image)) {
		*out = image_ref(image);
		return true;
	}
	if (!try_build_id(&s) && !try_debuglink(&s, real_path)) {
		char shown[128];

		return bt_fail(e, BT_E_NOTFOUND, "no debug info for %s",
		    text_escape_into(shown, sizeof(shown), real_path));
	}
	*out = s.found;
	return true;
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
	    .needs_info = true};
	const char *path;
	char shown[128];

	*out = NULL;
	if (!image_debugaltlink(debug, &path, &id))
		return bt_fail(e, BT_E_NOTFOUND, "no .gnu_debugaltlink");
	text_escape_into(shown, sizeof(shown), path);
	if (own != NULL && image_build_id_equal(own, &id))
		return bt_fail(e, BT_E_MISMATCH,
		    "alternate debug file %s is the file itself", shown);
	if (!try_altlink(&s, path))
		return bt_fail(e, BT_E_NOTFOUND,
		    "alternate debug file %s not found", shown);
	*out = s.found;
	return true;
}
