/* SPDX-License-Identifier: MIT */
/*
 * The analysis modules, run over the collected snapshot. Each is announced
 * before it runs, so that the supervisor knows whom to leave out when it does
 * not come back.
 */
#include <stdio.h>

#include "session/session_private.h"

static void
running(void *ctx, const char *module)
{
	struct session *s = ctx;

	if (s->sink->enter != NULL)
		s->sink->enter(s->sink->ctx, s->stage, module);
}

static void
log_line(void *ctx, enum pmodule_log_level level, const char *module,
    const char *text)
{
	static const enum session_level levels[] = {
	    [PMODULE_LOG_DEBUG] = SESSION_DEBUG,
	    [PMODULE_LOG_INFO] = SESSION_INFO,
	    [PMODULE_LOG_WARNING] = SESSION_WARNING,
	    [PMODULE_LOG_ERROR] = SESSION_ERROR,
	};
	struct session *s = ctx;
	char line[1024];

	if (s->sink->log == NULL || level > PMODULE_LOG_ERROR)
		return;
	(void)snprintf(line, sizeof(line), "module '%s': %s", module, text);
	s->sink->log(s->sink->ctx, levels[level], line);
}

void
collect_analysis_begin(struct session *s)
{
	const struct session_options *o = s->options;
	struct module_host_options options = {
	    .target = s->target,
	    .snapshot = s->snapshot,
	    .budget = &s->budget,
	    .running = running,
	    .log = log_line,
	    .ctx = s,
	    .without = o->without,
	};
	bt_error_t e;

	if (o->n_analysis == 0 || session_skips(s, SESSION_ANALYSIS))
		return;
	s->host = module_host_create(&options);
	if (s->host == NULL)
		return;
	for (size_t i = 0; i < o->n_analysis; i++)
		if (module_host_add(s->host, o->analysis[i], &e) == false)
			snapshot_warn(s->snapshot, "analysis", "module.refused",
			    "%s", e.text);
	module_host_attach(s->host);
}

void
collect_analysis(struct session *s)
{
	if (s->host == NULL)
		return;
	module_host_run(s->host);
	for (size_t i = 0;
	     s->options->without != NULL && s->options->without[i] != NULL; i++)
		snapshot_warn(s->snapshot, "analysis", "module.left-out",
		    "module '%s' was left out", s->options->without[i]);
}
