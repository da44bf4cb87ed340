/* SPDX-License-Identifier: MIT */
/*
 * Finding the debug information of an image: in the file itself, build-id
 * directories (DIR/.build-id/ab/cdef.debug), .gnu_debuglink (beside the file,
 * in .debug/ below it, DIR/path/to/), .gnu_debugaltlink (dwz). Every
 * candidate's build-id (or CRC) is checked; a refused one is remembered with
 * its reason for --stats and warnings.
 */
#ifndef IMAGE_DEBUGFILE_H
#define IMAGE_DEBUGFILE_H

#include "image/image.h"

struct debugfile_candidate {
	const char *path;
	const char *reason; /* NULL: taken */
};

struct debugfile_finder {
	struct opener *opener;
	const char *const *dirs; /* NULL-terminated, default below */
	/* Called for each candidate tried; may be NULL. */
	void (*tried)(void *ctx, const struct image *image,
	    const struct debugfile_candidate *candidate);
	void *ctx;
};

/* { "/usr/lib/debug", NULL } */
extern const char *const debugfile_default_dirs[];

/*
 * The image that has .debug_info for this one: a new reference to the image
 * itself or to a separate file. real_path is where the image was found on
 * this machine. BT_E_NOTFOUND when there is none. Each call searches.
 */
bool debugfile_find(const struct debugfile_finder *f, struct image *image,
    const char *real_path, struct image **out, bt_error_t *e) BT_CHECK;

/* The dwz file that a debug image's .gnu_debugaltlink names. */
bool debugfile_find_alt(const struct debugfile_finder *f, struct image *debug,
    struct image **out, bt_error_t *e) BT_CHECK;

#endif /* IMAGE_DEBUGFILE_H */
