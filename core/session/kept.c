/* SPDX-License-Identifier: MIT */
/*
 * Analysis modules that stay loaded while several snapshots are taken. What a
 * module remembers of one is still there at the next, after its `reset`.
 * Between two, when what was collected is freed, and when they are unloaded,
 * they stand over an empty target and an empty snapshot: a module that looks at
 * something then finds nothing, instead of memory that is gone.
 */
#include <stdlib.h>

#include "session/session_private.h"

enum { BLANK_BYTES = 16 << 20, BLANK_STEPS = 1 << 20 };

void
kept_init(struct session_kept *k)
{

	memset(k, 0, sizeof(*k));
	vec_init(&k->loaded, 256);
}

void
kept_end(struct session_kept *k)
{

	module_host_destroy(k->host);
	module_loader_destroy(k->loader);
	k->host = NULL;
	k->loader = NULL;
}

void
kept_deinit(struct session_kept *k)
{

	kept_end(k);
	shipped_modules_close(k->shipped);
	free(k->shipped_names);
	vec_deinit(&k->loaded);
	target_close(k->nothing);
	if (k->has_blank)
		snapshot_deinit(&k->blank);
}

static void
running(void *ctx, const char *module)
{
	const struct session_kept *k = ctx;

	if (k->sink->enter != NULL)
		k->sink->enter(k->sink->ctx, SESSION_ANALYSIS, module);
}

static void
log_line(void *ctx, enum pmodule_log_level level, const char *module,
    const char *text)
{
	const struct session_kept *k = ctx;

	session_log_line(k->sink, level, module, text);
}

/* What modules said of the last blank is nobody's business. */
static bool
make_blank(struct session_kept *k, bt_error_t *e)
{

	if (k->has_blank)
		snapshot_deinit(&k->blank);
	k->has_blank = snapshot_init(&k->blank, BLANK_BYTES);
	if (k->has_blank == false)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	return k->nothing != NULL || target_empty(&k->nothing, e);
}

void
kept_leave(struct session_kept *k, const struct session *s)
{
	const struct session_options *o = s->options;
	struct module_host_options options = {
	    .running = running,
	    .log = log_line,
	    .ctx = k,
	    .config = o->module_options,
	    .n_config = o->n_module_options,
	    .without = o->without,
	    .known = k->shipped_names,
	};
	bt_error_t e;

	k->sink = s->sink;
	if (k->host == NULL)
		return;
	if (make_blank(k, &e) == false) {
		/* Without memory nothing goes on: they end here. */
		module_host_destroy(k->host);
		k->host = NULL;
		return;
	}
	budget_init(&k->budget, BLANK_STEPS, 0);
	options.budget = &k->budget;
	options.snapshot = &k->blank;
	options.target = k->nothing;
	module_host_leave(k->host, &options);
}

struct session_kept *
session_kept_create(void)
{
	struct session_kept *k = calloc(1, sizeof(*k));

	if (k != NULL)
		kept_init(k);
	return k;
}

void
session_kept_destroy(struct session_kept *k)
{

	if (k == NULL)
		return;
	kept_deinit(k);
	free(k);
}
