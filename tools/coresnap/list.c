/* SPDX-License-Identifier: MIT */
/*
 * coresnap list, info and status.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "coresnap/command.h"
#include "coresnap/pattern.h"
#include "formats/json.h"
#include "service/file.h"

enum { OUTPUT_MAX = 256 * 1024 * 1024 };

static void
date_of(int64_t seconds, char out[32])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	out[0] = '\0';
	if (localtime_r(&t, &tm) != NULL)
		(void)strftime(out, 32, "%a %b %e %H:%M:%S %Y", &tm);
}

static void
list_line(
    const struct command_context *c, const struct object *o, struct buf *out)
{
	char comm[64], date[32], size[32], name[40];

	command_comm(c, &o->id, comm, sizeof(comm));
	date_of(o->time, date);
	command_size(size, o->size);
	(void)snprintf(name, sizeof(name), "%s/%.12s...", stage_name(o->stage),
	    o->id.text);
	buf_printf(out, "   %-23s %c%c%c %-11s %s %9s\n", name,
	    o->has_core ? 'c' : '-', o->has_snapshot ? 's' : '-',
	    spool_is_busy(&c->spool, &o->id) ? 'a' : '-', comm, date, size);
}

static void
list_sums(const struct objects *all, struct buf *out)
{
	for (int stage = 0; stage < STAGE__COUNT; stage++) {
		uint64_t size = 0, n = 0;
		char text[32];

		for (size_t i = 0; i < all->list.count; i++)
			if ((int)all->list.items[i].stage == stage) {
				size += all->list.items[i].size;
				n++;
			}
		if (n == 0 && stage == STAGE_FAILED)
			continue;
		command_size(text, size);
		buf_printf(out, "%s[%s]/%lluO/%s", stage != 0 ? " " : "\n",
		    stage_name((enum stage)stage), (unsigned long long)n, text);
	}
	buf_putc(out, '\n');
}

static void
json_object(
    const struct command_context *c, const struct object *o, struct buf *out)
{
	struct fields crash, state;
	const char *names[] = {"pid", "uid", "gid", "signal", "time"};
	const char *reason;

	fields_init(&crash);
	fields_init(&state);
	spool_load_crash(&c->spool, &o->id, &crash);
	spool_load_state(&c->spool, &o->id, &state);
	reason = fields_get(&state, "reason");
	buf_putc(out, '{');
	command_json(out, "id", o->id.text);
	command_json(out, "stage", stage_name(o->stage));
	command_json_bool(out, "core", o->has_core);
	command_json_bool(out, "snapshot", o->has_snapshot);
	command_json_bool(out, "active", spool_is_busy(&c->spool, &o->id));
	command_json(out, "comm", fields_get(&crash, "comm"));
	command_json(out, "exe", fields_get(&crash, "exe"));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		command_json_number(
		    out, names[i], fields_get_i64(&crash, names[i], -1));
	command_json(out, "cut", fields_get(&crash, "cut"));
	command_json_number(
	    out, "attempts", fields_get_i64(&state, "attempts", 0));
	command_json(out, "reason", reason);
	command_json_number(out, "modified", o->time);
	command_json_number(out, "size", (int64_t)o->size);
	buf_putc(out, '}');
	fields_deinit(&crash);
	fields_deinit(&state);
}

static void
json_list(
    const struct command_context *c, const struct objects *all, struct buf *out)
{
	buf_putc(out, '[');
	for (size_t i = 0; i < all->list.count; i++) {
		struct buf one;

		buf_init(&one, 1024 * 1024);
		json_object(c, &all->list.items[i], &one);
		buf_puts(out, i != 0 ? ",\n " : "");
		buf_append(out, one.data, one.size);
		buf_deinit(&one);
	}
	buf_puts(out, "]\n");
}

int
command_list(struct command_context *c)
{
	struct objects all;
	struct buf out;
	bt_error_t e;
	int status;

	if (spool_list(&c->spool, &all, &e) == false)
		return command_fail(&e);
	buf_init(&out, OUTPUT_MAX);
	if (c->json) {
		json_list(c, &all, &out);
	} else {
		for (size_t i = 0; i < all.list.count; i++)
			list_line(c, &all.list.items[i], &out);
		list_sums(&all, &out);
	}
	status = command_print(&out);
	buf_deinit(&out);
	objects_deinit(&all);
	return status;
}

/* ---- info ---- */

static void
info_text(
    const struct command_context *c, const struct object *o, struct buf *out)
{
	struct fields all;
	char date[32], size[32];

	fields_init(&all);
	spool_load_crash(&c->spool, &o->id, &all);
	spool_load_state(&c->spool, &o->id, &all);
	date_of(o->time, date);
	command_size(size, o->size);
	buf_printf(out, "%s/%s/%s\n  size       %s\n  modified   %s\n",
	    c->spool.path, stage_name(o->stage), o->id.text, size, date);
	for (size_t i = 0; i < all.entries.count; i++) {
		const char *value = all.entries.items[i].value;

		buf_printf(out, "  %-10s ", all.entries.items[i].key);
		text_escape(out, value, strlen(value));
		buf_putc(out, '\n');
	}
	fields_deinit(&all);
}

int
command_info(struct command_context *c)
{
	struct buf out;
	int status = COMMAND_DONE;

	buf_init(&out, OUTPUT_MAX);
	for (int i = 0; i < c->n_operands && status == COMMAND_DONE; i++) {
		struct object o;
		bt_error_t e;

		if (command_find(c, c->operands[i], &o, &e) == false) {
			status = command_fail(&e);
		} else if (c->json) {
			struct buf one;

			buf_init(&one, 1024 * 1024);
			json_object(c, &o, &one);
			buf_append(&out, one.data, one.size);
			buf_deinit(&one);
			buf_putc(&out, '\n');
		} else {
			info_text(c, &o, &out);
		}
	}
	if (status == COMMAND_DONE)
		status = command_print(&out);
	buf_deinit(&out);
	return status;
}

/* ---- status ---- */

/* The daemon holds a lock as long as it runs. */
static bool
daemon_runs(const struct command_context *c)
{
	int fd = openat(c->spool.limits, "daemon", O_RDONLY | O_CLOEXEC);
	bool runs;

	if (fd < 0)
		return false;
	runs = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	(void)close(fd);
	return runs;
}

int
command_status(struct command_context *c)
{
	char pattern[PATTERN_MAX];
	struct objects all;
	uint64_t count[STAGE__COUNT] = {0};
	struct buf out;
	bool ours, runs = daemon_runs(c);
	bt_error_t e;
	int status;

	if (spool_list(&c->spool, &all, &e) == false)
		return command_fail(&e);
	for (size_t i = 0; i < all.list.count; i++)
		count[all.list.items[i].stage]++;
	objects_deinit(&all);
	if (pattern_read(c->sysctl, pattern, &e) == false)
		pattern[0] = '\0';
	ours = pattern_is_ours(pattern);
	buf_init(&out, OUTPUT_MAX);
	if (c->json) {
		buf_putc(&out, '{');
		command_json_bool(&out, "daemon", runs);
		command_json_bool(&out, "installed", ours);
		command_json(&out, "core_pattern", pattern);
		command_json(&out, "archive", c->spool.path);
		command_json(&out, "config", c->config_path);
		for (int i = 0; i < STAGE__COUNT; i++)
			command_json_number(
			    &out, stage_name((enum stage)i), (int64_t)count[i]);
		buf_puts(&out, "}\n");
	} else {
		buf_printf(&out,
		    "daemon        %s\narchive       %s\n"
		    "configuration %s\ncore_pattern  %s%s\n",
		    runs ? "running" : "not running", c->spool.path,
		    c->config_path != NULL ? c->config_path : "defaults",
		    pattern, ours ? "" : " (not coresnap's)");
		for (int i = 0; i < STAGE__COUNT; i++)
			buf_printf(&out, "%-13s %llu\n",
			    stage_name((enum stage)i),
			    (unsigned long long)count[i]);
	}
	status = command_print(&out);
	buf_deinit(&out);
	return status == COMMAND_DONE && runs == false && c->json == false
	    ? COMMAND_DONE
	    : status;
}
