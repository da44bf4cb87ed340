/* SPDX-License-Identifier: MIT */
/*
 * Routing rules. The expressions are POSIX extended ones, short, and without
 * back references, with which the C library's matcher can take time that grows
 * exponentially with the text.
 */
#include "spool/rules.h"

#include <string.h>

enum { RULES_MAX = 1000, EXPRESSION_MAX = 512, SUBJECT_MAX = 4096 };

static const char fallback[] = "blackhole";

void
rules_init(struct rules *r)
{
	vec_init(&r->list, RULES_MAX);
}

void
rules_deinit(struct rules *r)
{
	for (size_t i = 0; i < r->list.count; i++) {
		free(r->list.items[i].project);
		if (r->list.items[i].any == false)
			regfree(&r->list.items[i].expression);
	}
	vec_deinit(&r->list);
}

/* A project's name becomes an operand of the uploader. */
static bool
is_project(const char *text, size_t len)
{
	if (len == 0 || len > 128 || text[0] == '-' || text[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '-' || c == '_' ||
			c == '.'))
			return false;
	}
	return true;
}

static bool
has_back_reference(const char *text, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++) {
		if (text[i] != '\\')
			continue;
		if (text[i + 1] >= '1' && text[i + 1] <= '9')
			return true;
		i++;
	}
	return false;
}

/* "/REGEX/" or "/REGEX": the first slash is a delimiter, the last may be
 * missing. */
static bool
compile(struct rule *rule, const char *text, bt_error_t *e)
{
	size_t len = strlen(text);
	char copy[EXPRESSION_MAX], what[128];
	int code;

	if (text[0] != '/')
		return bt_fail(e, BT_E_USAGE, "'%s' is not /REGEX/", text);
	text++;
	len--;
	if (len > 0 && text[len - 1] == '/')
		len--;
	if (len == 0 || len >= sizeof(copy))
		return bt_fail(e, BT_E_USAGE, "the expression is %s",
		    len == 0 ? "empty" : "longer than 511 characters");
	if (has_back_reference(text, len))
		return bt_fail(
		    e, BT_E_USAGE, "'%s': back references are not taken", text);
	memcpy(copy, text, len);
	copy[len] = '\0';
	code = regcomp(&rule->expression, copy, REG_EXTENDED | REG_NOSUB);
	if (code == 0)
		return true;
	(void)regerror(code, &rule->expression, what, sizeof(what));
	return bt_fail(e, BT_E_USAGE, "'%s': %s", copy, what);
}

bool
rules_add(struct rules *r, const char *text, bt_error_t *e)
{
	size_t name = strcspn(text, " \t");
	const char *rest = text + name + strspn(text + name, " \t");
	struct rule rule = {.any = *rest == '\0'}, *place;

	if (is_project(text, name) == false)
		return bt_fail(e, BT_E_USAGE,
		    "'%.*s' is not a project: letters, digits, '-', '_', '.'",
		    (int)name, text);
	if (rule.any == false) {
		if (strncmp(rest, "%e", 2) != 0)
			return bt_fail(e, BT_E_USAGE,
			    "'%s': a rule is PROJECT or PROJECT %%e /REGEX/",
			    text);
		rest += 2;
		rest += strspn(rest, " \t");
		if (compile(&rule, rest, e) == false)
			return false;
	}
	rule.project = strndup(text, name);
	place = rule.project != NULL ? vec_push(&r->list) : NULL;
	if (place != NULL) {
		*place = rule;
		return true;
	}
	free(rule.project);
	if (rule.any == false)
		regfree(&rule.expression);
	return bt_fail(e, BT_E_LIMIT, "too many rules");
}

const char *
rules_project(const struct rules *r, const char *exe)
{
	/* Longer names are no paths. */
	bool usable = strlen(exe) <= SUBJECT_MAX;

	for (size_t i = 0; i < r->list.count; i++) {
		const struct rule *rule = &r->list.items[i];

		if (rule->any ||
		    (usable &&
			regexec(&rule->expression, exe, 0, NULL, 0) == 0))
			return rule->project;
	}
	return fallback;
}
