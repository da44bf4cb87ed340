/* SPDX-License-Identifier: MIT */
/*
 * Limits and descriptors of a captured process.
 */
#include "target/capture_private.h"
#include "target/live_private.h"
#include "target/procfs.h"

/* fs/proc/base.c, lnames; the names of getrlimit(2) on the right. */
static const struct {
	const char *label, *name;
} limit_names[] = {{"Max cpu time", "cpu"}, {"Max file size", "fsize"},
    {"Max data size", "data"}, {"Max stack size", "stack"},
    {"Max core file size", "core"}, {"Max resident set", "rss"},
    {"Max processes", "nproc"}, {"Max open files", "nofile"},
    {"Max locked memory", "memlock"}, {"Max address space", "as"},
    {"Max file locks", "locks"}, {"Max pending signals", "sigpending"},
    {"Max msgqueue size", "msgqueue"}, {"Max nice priority", "nice"},
    {"Max realtime priority", "rtprio"}, {"Max realtime timeout", "rttime"}};

/* The name of a limit that is not in the table is the kernel's own. */
static const char *
limit_name(struct live *l, struct view label)
{
	for (size_t i = 0; i < sizeof(limit_names) / sizeof(*limit_names);
	     i++) {
		if (strlen(limit_names[i].label) == label.size &&
		    memcmp(limit_names[i].label, label.data, label.size) == 0)
			return limit_names[i].name;
	}
	return strings_addn(
	    &l->base.strings, (const char *)label.data, label.size);
}

void
live_limits(struct live *l)
{
	struct view v = capture_view(&l->capture->limits);
	struct procfs_limit limit;

	while (procfs_next_limit(&v, &limit)) {
		struct target_limit *to = vec_push(&l->base.limits);

		if (to == NULL)
			return;
		to->name = limit_name(l, limit.label);
		to->unit = strings_addn(&l->base.strings,
		    (const char *)limit.unit.data, limit.unit.size);
		to->soft = limit.soft;
		to->hard = limit.hard;
	}
}

void
live_descriptors(struct live *l)
{
	const struct capture *c = l->capture;

	for (size_t i = 0; i < c->n_descriptors; i++) {
		const struct capture_descriptor *from = &c->descriptors[i];
		struct target_descriptor *to = vec_push(&l->base.descriptors);

		if (to == NULL)
			return;
		to->number = from->number;
		to->path = strings_addn(&l->base.strings,
		    (const char *)from->link.data, from->link.size);
	}
}
