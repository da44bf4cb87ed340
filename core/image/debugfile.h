/* SPDX-License-Identifier: MIT */
/*
 * Finding the debug information of an image: in the file itself, build-id
 * directories (DIR/.build-id/ab/cdef.debug), .gnu_debuglink (beside the file,
 * in .debug/ below it, DIR/path/to/), .gnu_debugaltlink (dwz), the files of
 * split DWARF, and last debuginfod, where the user has set it up. Every
 * candidate's build-id (or CRC) is checked; a refused one is told, with its
 * reason, for --stats and warnings.
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
	struct symserver *server; /* debuginfod; NULL: not asked */
};

/* { "/usr/lib/debug", NULL } */
extern const char *const debugfile_default_dirs[];

/*
 * The image that has .debug_info for this one: a new reference to the image
 * itself or to a separate file. When only a file with a symbol table (.symtab)
 * is there, it is that one: debugfile_has_info tells. real_path is where the
 * image was found on this machine. BT_E_NOTFOUND when there is none; when all
 * there was had to be refused, BT_E_MISMATCH with the first one and why. Each
 * call searches.
 */
bool debugfile_find(const struct debugfile_finder *f, struct image *image,
    const char *real_path, struct image **out, bt_error_t *e) BT_CHECK;
bool debugfile_has_info(const struct image *image);

/* The dwz file that a debug image's .gnu_debugaltlink names. */
bool debugfile_find_alt(const struct debugfile_finder *f, struct image *debug,
    struct image **out, bt_error_t *e) BT_CHECK;

/* An executable or library with this build-id, from the debuginfod server. */
bool debugfile_find_executable(const struct debugfile_finder *f,
    const struct image_build_id *id, struct image **out,
    bt_error_t *e) BT_CHECK;

/* What is known of a .dwo file (DWARF 5 section 7.3.2). */
struct debugfile_split {
	struct image *debug;  /* has the skeleton unit */
	const char *exe_path; /* its program, on this machine; or NULL */
	const char *comp_dir; /* or NULL */
	const char *name;     /* DW_AT_dwo_name */
	/* Why a candidate is not the one meant; NULL: it is. */
	const char *(*refuse)(void *ctx, struct image *candidate);
	void *ctx;
};
/* A .dwo file: where the compiler wrote it, the same below the directories of
 * debug files, beside the program. Errors as of debugfile_find. */
bool debugfile_find_dwo(const struct debugfile_finder *f,
    const struct debugfile_split *s, struct image **out,
    bt_error_t *e) BT_CHECK;
/* The package of all .dwo files: EXE.dwp, DEBUG.dwp. exe_path may be NULL. */
bool debugfile_find_dwp(const struct debugfile_finder *f, struct image *debug,
    const char *exe_path, struct image **out, bt_error_t *e) BT_CHECK;

#endif /* IMAGE_DEBUGFILE_H */
