/* SPDX-License-Identifier: MIT */
/*
 * coresnap.conf: "key = value" lines, "[section]" lines, '#' comments. A key
 * after "[daemon]" is "daemon.key". All keys with their defaults stand in
 * coresnap.conf(5).
 */
#ifndef SPOOL_CONFIG_H
#define SPOOL_CONFIG_H

#include "spool/rules.h"

#include <sys/types.h>

enum { CONFIG_PATHS_MAX = 16, CONFIG_WORDS_MAX = 64 };

/* At most count events of one kind in so many seconds; count 0: no limit. */
struct config_rate {
	uint32_t count, seconds;
};

/* Where snapshots go. */
enum config_upload {
	UPLOAD_CORONER, /* upload.command, `coroner put` unless set */
	UPLOAD_HTTP,	/* upload.url */
	UPLOAD_NONE	/* they stay in sending/ */
};

struct config {
	char *archive; /* the spool */
	char *ptrace;  /* program */
	char *send;    /* program that does an HTTP POST */
	char
	    *defaults; /* program whose output is BACKTRACE_DEFAULTS; "" none */
	char *options; /* words between -o and --kv of ptrace */
	char *socket;  /* for kernel.core_pattern = @socket; "": none */
	char *watch[CONFIG_PATHS_MAX];
	size_t n_watch;
	bool watch_remove;
	struct rules rules;

	enum config_upload upload;
	char *upload_command, *upload_url;
	uint32_t upload_timeout;	  /* seconds */
	uint32_t retry_first, retry_most; /* seconds */
	uint32_t retry_count;		  /* 0: never gives up */

	uint32_t quota_percent; /* of the file system stays free */
	uint64_t quota_bytes;	/* likewise; the larger of both counts */
	uint64_t core_max;	/* bytes; larger ones are cut */
	uint64_t user_max;	/* bytes in the spool by one user; 0: any */
	uint32_t concurrent;	/* cores received at once */
	uint32_t wait;		/* seconds for a place among them */
	uint32_t stall;		/* seconds without a byte of a core */
	struct config_rate per_executable, per_user;
	bool owner_reads; /* users may read what is of their processes */

	uint32_t jobs;	  /* ptrace children at once */
	uint32_t timeout; /* seconds for one of them */
	uint32_t tries;	  /* before an object is moved to failed/ */
	uint32_t purge_age;
	bool purge_disabled;
};

/* Reads the file. Without one, path NULL or BT_E_NOTFOUND, everything has its
 * default. A line that is wrong is BT_E_USAGE with file, line and what is
 * expected. */
bool config_load(struct config *c, const char *path, bt_error_t *e);
void config_deinit(struct config *c);

/* The file that is read when none is named: the first that exists of those in
 * the order of the original's documentation; NULL: none does. */
const char *config_default_path(void);

/* "1d" and the like (s m h d w M; a plain number is seconds) in seconds. */
bool config_duration(const char *text, uint32_t *out);

#endif /* SPOOL_CONFIG_H */
