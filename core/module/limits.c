/* SPDX-License-Identifier: MIT */
/*
 * What a module may say and add, and how long the loaded ones may take
 * together: what one of them takes too much of is lost to the others.
 */
#include "base/budget.h"
#include "module/module_private.h"

/* ---- words ---- */

/* Said once for each module that wants too much. */
bool
module_tell_limit(struct module_host *host, struct pmodule *module)
{

	if (module->told_limit == false) {
		module->told_limit = true;
		snapshot_warn(host->snapshot,
		    snapshot_printf(host->snapshot, "module:%s", module->name),
		    "limit",
		    "module '%s' said or added too much: the rest was left out",
		    module->name);
	}
	return false;
}

bool
module_may_say(struct module_host *host, size_t bytes)
{
	struct pmodule *module = host->current;

	if (module == NULL)
		return true;
	if (module->says >= MODULE_SAYS_MAX ||
	    bytes > MODULE_SAYS_BYTES_MAX - module->says_bytes)
		return module_tell_limit(host, module);
	module->says += bytes != 0;
	module->says_bytes += bytes;
	return true;
}

bool
module_may_add(struct module_host *host)
{
	struct pmodule *module = host->current;

	if (module == NULL)
		return true;
	if (module->adds >= MODULE_ADDS_MAX)
		return module_tell_limit(host, module);
	module->adds++;
	return true;
}

/* ---- time ---- */

/* Between the module that ran and the one that runs next. */
void
module_count_time(struct module_host *host, const struct pmodule *next)
{
	struct pmodule *last = host->current;
	bool ends = last != NULL && last->loaded;
	bool begins = next != NULL && next->loaded;
	uint64_t now;

	if (host->options.loaded_time_ns == 0 || (!ends && !begins))
		return;
	now = bt_now_ns();
	if (ends) {
		last->used_ns += now - host->entered_ns;
		host->loaded_used_ns += now - host->entered_ns;
	}
	host->entered_ns = now;
}

uint64_t
module_time_left(const struct module_host *host)
{
	uint64_t limit = host->options.loaded_time_ns;
	uint64_t used = host->loaded_used_ns;

	if (limit == 0)
		return UINT64_MAX;
	if (host->current != NULL && host->current->loaded)
		used += bt_now_ns() - host->entered_ns;
	return used < limit ? limit - used : 0;
}

/* Said once, with the module that took most of it. */
static void
tell_time(struct module_host *host)
{
	const struct pmodule *most = NULL;

	if (host->told_time)
		return;
	host->told_time = true;
	for (size_t i = 0; i < host->modules.count; i++) {
		const struct pmodule *m = host->modules.items[i];

		if (m->loaded && (most == NULL || m->used_ns > most->used_ns))
			most = m;
	}
	snapshot_warn(host->snapshot, "analysis", "modules.time",
	    "the loaded modules took more than %llu ms together, '%s' most "
	    "of it: what they had left to do was skipped",
	    (unsigned long long)(host->options.loaded_time_ns / 1000000),
	    most != NULL ? most->name : "");
}

bool
module_has_time(struct module_host *host)
{

	if (module_time_left(host) != 0)
		return true;
	tell_time(host);
	return false;
}
