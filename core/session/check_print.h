/* SPDX-License-Identifier: MIT */
/*
 * What is known of a module that was looked at, for people and as JSON.
 */
#ifndef SESSION_CHECK_PRINT_H
#define SESSION_CHECK_PRINT_H

#include "base/buf.h"
#include "base/vec.h"
#include "module/inspect.h"

struct check_mistake {
	unsigned line; /* 0: of no line */
	char *text;
};

struct check_result {
	const char *path;
	int fd;		    /* of a shared object; -1: there is none */
	const char *module; /* its id; NULL: unknown */
	bool loaded;
	VEC(struct check_mistake) mistakes;
};

/* host: what it registered; NULL: nothing. */
void check_print_text(const struct check_result *r,
    const struct module_host *host, struct buf *out);
void check_print_json(const struct check_result *r,
    const struct module_host *host, struct buf *out);

#endif /* SESSION_CHECK_PRINT_H */
