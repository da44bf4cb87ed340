/* SPDX-License-Identifier: MIT */
/*
 * What the commands share: output, names, sizes.
 */
#include "coresnap/command.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "formats/json.h"
#include "service/file.h"
#include "spool/facts.h"

int
command_fail(const bt_error_t *e)
{
	(void)fprintf(stderr, "coresnap: %s\n", e->text);
	return COMMAND_FAILED;
}

int
command_print(struct buf *text)
{
	bt_error_t e;

	if (text->failed)
		return command_fail(
		    (bt_fail(&e, BT_E_LIMIT, "too much to print"), &e));
	if (file_write(STDOUT_FILENO, text->data, text->size, &e))
		return COMMAND_DONE;
	(void)bt_wrap(&e, "standard output");
	return command_fail(&e);
}

/* "STAGE/" of the name, if it has one. */
static bool
split_name(const char *name, int *stage, const char **prefix, bt_error_t *e)
{
	const char *slash = strchr(name, '/');
	enum stage found;

	*stage = -1;
	*prefix = name;
	if (slash == NULL)
		return true;
	if (stage_parse(name, (size_t)(slash - name), &found) == false)
		return bt_fail(e, BT_E_USAGE,
		    "'%.*s' is no stage: pending, sending or failed",
		    (int)(slash - name), name);
	*stage = (int)found;
	*prefix = slash + 1;
	return true;
}

bool
command_find(const struct command_context *c, const char *name,
    struct object *out, bt_error_t *e)
{
	struct objects all;
	const char *prefix;
	size_t n = 0;
	int stage;

	if (split_name(name, &stage, &prefix, e) == false ||
	    spool_list(&c->spool, &all, e) == false)
		return false;
	for (size_t i = 0; i < all.list.count; i++) {
		const struct object *o = &all.list.items[i];

		if ((stage >= 0 && (int)o->stage != stage) ||
		    strncmp(o->id.text, prefix, strlen(prefix)) != 0)
			continue;
		*out = *o;
		n++;
	}
	objects_deinit(&all);
	if (n == 0 || *prefix == '\0')
		return bt_fail(e, BT_E_NOTFOUND, "there is no '%s'", name);
	return n == 1 ||
	    bt_fail(e, BT_E_USAGE, "'%s' is not one object but %zu", name, n);
}

void
command_size(char out[32], uint64_t size)
{
	static const char units[] = {'k', 'm', 'g', 't'};
	double value = (double)size / 1024;
	size_t unit = 0;

	while (value >= 1000 && unit + 1 < sizeof(units)) {
		value /= 1024;
		unit++;
	}
	(void)snprintf(out, 32, "%.2f%cB", value, units[unit]);
}

void
command_comm(const struct command_context *c, const struct object_id *id,
    char *out, size_t size)
{
	struct fields crash;
	struct facts facts;

	fields_init(&crash);
	spool_load_crash(&c->spool, id, &crash);
	facts_read(&facts, &crash);
	text_escape_into(out, size,
	    facts.comm[0] != '\0' ? facts.comm
				  : text_basename(facts_program(&facts)));
	fields_deinit(&crash);
}

static void
put_key(struct buf *out, const char *key)
{
	if (out->size != 0 && out->data[out->size - 1] != '{')
		buf_puts(out, ", ");
	json_string(out, key, strlen(key));
	buf_puts(out, ": ");
}

void
command_json(struct buf *out, const char *key, const char *text)
{
	put_key(out, key);
	if (text != NULL)
		json_string(out, text, strlen(text));
	else
		buf_puts(out, "null");
}

void
command_json_number(struct buf *out, const char *key, int64_t value)
{
	put_key(out, key);
	buf_printf(out, "%lld", (long long)value);
}

void
command_json_bool(struct buf *out, const char *key, bool value)
{
	put_key(out, key);
	buf_puts(out, value ? "true" : "false");
}
