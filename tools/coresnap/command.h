/* SPDX-License-Identifier: MIT */
/*
 * The commands of coresnap, and what they share.
 */
#ifndef CORESNAP_COMMAND_H
#define CORESNAP_COMMAND_H

#include "common/options.h"
#include "service/log.h"
#include "spool/config.h"
#include "spool/spool.h"

enum { COMMAND_DONE = 0, COMMAND_USAGE = 1, COMMAND_FAILED = 2 };

struct command_context {
	struct config config;
	const char *config_path; /* NULL: there is none */
	bool config_given;	 /* by -c, not found */
	struct service_log log;
	struct spool spool; /* open when the command asks for it */
	bool json, all, force, socket;
	const char *age, *debugger, *sysctl;
	char **operands;
	int n_operands;
};

struct command {
	const char *name, *operands, *help;
	bool spool;  /* wants it open */
	bool create; /* and made */
	bool hidden; /* not for people */
	int (*run)(struct command_context *c);
};

int command_archive(struct command_context *c);
int command_list(struct command_context *c);
int command_info(struct command_context *c);
int command_retry(struct command_context *c);
int command_rm(struct command_context *c);
int command_purge(struct command_context *c);
int command_status(struct command_context *c);
int command_install(struct command_context *c);
int command_uninstall(struct command_context *c);
int command_debug(struct command_context *c);
int command_import(struct command_context *c);

/* A line on standard error, and COMMAND_FAILED. */
int command_fail(const bt_error_t *e);
/* Writes the text to standard output; the exit status. */
int command_print(struct buf *text);

/* The one object that "STAGE/PREFIX" or "PREFIX" names. */
bool command_find(const struct command_context *c, const char *name,
    struct object *out, bt_error_t *e);

/* "9.45kB" */
void command_size(char out[32], uint64_t size);
/* The program's name, for lists. */
void command_comm(const struct command_context *c, const struct object_id *id,
    char *out, size_t size);
/* "KEY": "TEXT" with what separates it from the member before. */
void command_json(struct buf *out, const char *key, const char *text);
void command_json_number(struct buf *out, const char *key, int64_t value);
void command_json_bool(struct buf *out, const char *key, bool value);

#endif /* CORESNAP_COMMAND_H */
