/* SPDX-License-Identifier: MIT */
#include "module/inspect.h"
#include "module/module_private.h"

static const char *const event_names[] = {
    [MODULE_EVENT_PREATTACH] = "preattach",
    [MODULE_EVENT_ATTACH] = "attach",
    [MODULE_EVENT_VARIABLE] = "variable",
    [MODULE_EVENT_THREAD] = "thread",
    [MODULE_EVENT_FRAME] = "frame",
    [MODULE_EVENT_POSTATTACH] = "postattach",
};

static const char *const criterion_names[] = {
    [CRITERION_OBJECT] = "object",
    [CRITERION_FILE] = "file",
    [CRITERION_SYMBOL] = "frame_symbol",
    [CRITERION_BASE_TYPE] = "variable_base_type",
    [CRITERION_TYPE] = "variable_ptrace_type",
    [CRITERION_NAME] = "variable_name",
};

static const char *const type_names[] = {
    [PTRACE_TYPE_LL] = "ll",
    [PTRACE_TYPE_ULL] = "ull",
    [PTRACE_TYPE_FLT] = "flt",
    [PTRACE_TYPE_DBL] = "dbl",
    [PTRACE_TYPE_LDBL] = "ldbl",
    [PTRACE_TYPE_CFLT] = "cflt",
    [PTRACE_TYPE_CDBL] = "cdbl",
    [PTRACE_TYPE_CLDBL] = "cldbl",
    [PTRACE_TYPE_STRING] = "string",
    [PTRACE_TYPE_ENUM] = "enum",
    [PTRACE_TYPE_TUPLE] = "tuple",
    [PTRACE_TYPE_ARRAY] = "array",
    [PTRACE_TYPE_BOTTOM] = "bottom",
    [PTRACE_TYPE_FN] = "fn",
    [PTRACE_TYPE_REFERENCE] = "reference",
};

size_t
module_inspect_count(const struct module_host *host)
{

	return host->callbacks.count;
}

void
module_inspect(
    const struct module_host *host, size_t i, struct module_registration *out)
{
	const struct module_callback *c = &host->callbacks.items[i];
	const struct module_place *place = c->place;

	*out = (struct module_registration){
	    .module = c->module->name,
	    .event = event_names[c->event],
	    .match = c->match,
	};
	if (place != NULL) {
		out->file = place->file;
		out->line = place->line;
		out->function_line = place->function_line;
	}
	/* All members of the union are pointers to functions. */
	if (c->object == NULL)
		memcpy(&out->function, &c->fn, sizeof(out->function));
}

size_t
module_inspect_criteria(const pmodule_match_t *m)
{

	return m->criteria.count;
}

void
module_inspect_criterion(
    const pmodule_match_t *m, size_t i, struct module_criterion *out)
{
	const struct criterion *c = &m->criteria.items[i];

	*out = (struct module_criterion){
	    .kind = criterion_names[c->kind],
	    .text = c->kind == CRITERION_TYPE ? type_names[c->type] : c->text,
	    .substr = c->substr,
	};
}

const char *
module_inspect_fault(const pmodule_match_t *m)
{

	return m->fault == false ? NULL : m->fault_thread ? "thread" : "frame";
}

/* ---- options ---- */

void
module_note_asked(pmodule_t *pm, const char *key)
{
	struct module_host *host = pm->host;
	const char **asked;

	if (module_inspect_has_asked(host, key) ||
	    (asked = vec_push(&host->asked)) == NULL)
		return;
	*asked = snapshot_string(host->snapshot, key);
}

size_t
module_inspect_asked_count(const struct module_host *host)
{

	return host->asked.count;
}

const char *
module_inspect_asked(const struct module_host *host, size_t i)
{

	return host->asked.items[i];
}

bool
module_inspect_has_asked(const struct module_host *host, const char *key)
{
	for (size_t i = 0; i < host->asked.count; i++)
		if (strcmp(host->asked.items[i], key) == 0)
			return true;
	return false;
}
