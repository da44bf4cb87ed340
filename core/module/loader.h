/* SPDX-License-Identifier: MIT */
/*
 * Modules of the user's: shared objects with a descriptor, and files of a
 * language that somebody above us speaks. A module runs with our rights, so a
 * file is taken only when nobody else could have put it there: it and its
 * directory belong to root or to us and others cannot write to them. The file
 * that was checked is the file that is loaded: both go by one descriptor.
 */
#ifndef MODULE_LOADER_H
#define MODULE_LOADER_H

#include <ptrace/pmodule.h>

struct module_loader;

/* Line 0: not of a line. text is "FILE:LINE: what is wrong". */
typedef void module_mistake_fn(void *arg, unsigned line, const char *text);
/* The line of such a text; 0: it is of another file, or of none. */
unsigned module_mistake_line(const char *path, const char *text);

/* A language other than C. */
struct module_language {
	const char *suffix; /* ".lua" */
	void *ctx;
	/* Makes a descriptor of a source text (text[size] is NUL), or fails
	 * with a line that names file and line. */
	const pmodule_descriptor_t *(*open)(void *ctx, const char *path,
	    const char *text, size_t size, bt_error_t *e);
	/* Tells mistakes that can be seen without running it. False: it cannot
	 * even be compiled. */
	bool (*inspect)(void *ctx, const char *path, const char *text,
	    size_t size, module_mistake_fn *tell, void *arg);
	/* Ends it, after the host has ended. */
	void (*close)(void *ctx, const pmodule_descriptor_t *descriptor);
};

struct module_loader *module_loader_create(
    const struct module_language *language);
/* Ends the modules of other languages. Shared objects stay mapped. NULL
 * allowed. */
void module_loader_destroy(struct module_loader *l);

/* The descriptor lives as long as the loader. */
const pmodule_descriptor_t *module_loader_file(
    struct module_loader *l, const char *path, bt_error_t *e);
/* The steps of it: the file, checked (-1: see e), which is opened by itself or
 * with its directory (path is for messages); and the module in it. The file is
 * taken, and closed unless it is a shared object, whose stays open. */
int module_loader_open(const char *path, bt_error_t *e);
int module_loader_open_dir(const char *path, bt_error_t *e);
int module_loader_open_at(
    int at, const char *base, const char *path, bt_error_t *e);
const pmodule_descriptor_t *module_loader_from(
    struct module_loader *l, int fd, const char *path, bt_error_t *e);
/* Between them: tells mistakes that can be seen without running it. False: it
 * cannot be loaded, and why was told. */
bool module_loader_inspect(struct module_loader *l, int fd, const char *path,
    module_mistake_fn *tell, void *arg);
/* To be loaded by the dynamic linker. */
bool module_loader_is_shared(const struct module_loader *l, const char *path);
/* Paths of the modules in a directory, sorted; ends with NULL. Free each and
 * the list. NULL: see e. */
char **module_loader_list(
    const struct module_loader *l, const char *dir, bt_error_t *e);

/* What a module goes by before it has said its name: the file's, without
 * directory and suffix. */
void module_loader_name(const char *path, char *out, size_t size);

#endif /* MODULE_LOADER_H */
