/* SPDX-License-Identifier: MIT */
#include "module/condition.h"

static const char marker[] = "-- inquest:";

/* Back to the last star only: linear for each star, whatever the text. */
bool
condition_fits(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL;

	while (*text != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			retry = text;
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

/* ---- reading ---- */

static char *
next_word(char **rest)
{
	char *word = *rest + strspn(*rest, " \t\r");
	size_t n = strcspn(word, " \t\r");

	if (n == 0)
		return NULL;
	*rest = word + n;
	if (**rest != '\0')
		*(*rest)++ = '\0';
	return word;
}

static bool
parse_subject(const char *word, enum condition_subject *out)
{
	static const char *const names[] = {
	    [CONDITION_OBJECT] = "object",
	    [CONDITION_SYMBOL] = "symbol",
	    [CONDITION_TYPE] = "type",
	};

	for (size_t i = 0; word != NULL && i < sizeof(names) / sizeof(*names);
	     i++) {
		if (strcmp(word, names[i]) == 0) {
			*out = (enum condition_subject)i;
			return true;
		}
	}
	return false;
}

/* What follows the marker: NULL, or what is wrong. */
static const char *
parse_rule(struct condition *out, char *rest)
{
	struct condition_rule rule = {0};
	bool in = false;
	char *word = next_word(&rest);

	if (word == NULL || strcmp(word, "when") != 0)
		return "'when' expected";
	if (parse_subject(next_word(&rest), &rule.subject) == false)
		return "'object', 'symbol' or 'type' expected after 'when'";
	while ((word = next_word(&rest)) != NULL) {
		if (rule.subject == CONDITION_SYMBOL && in == false &&
		    rule.n_words != 0 && strcmp(word, "in") == 0) {
			in = true;
			continue;
		}
		if (rule.n_words + rule.n_objects == CONDITION_WORDS_MAX)
			return "too many words";
		rule.words[rule.n_words + rule.n_objects] =
		    (uint16_t)(word - out->text);
		*(in ? &rule.n_objects : &rule.n_words) += 1;
	}
	if (rule.n_words == 0 || (in && rule.n_objects == 0))
		return "a name expected";
	if (out->n_rules == CONDITION_RULES_MAX)
		return "too many conditions";
	out->rules[out->n_rules++] = rule;
	return NULL;
}

bool
condition_parse(struct condition *out, const char *name, const char *head,
    size_t size, bt_error_t *e)
{
	bool whole = size <= CONDITION_HEAD;
	char *line, *end;
	unsigned number = 0;

	out->n_rules = 0;
	if (whole == false)
		size = CONDITION_HEAD;
	memcpy(out->text, head, size);
	out->text[size] = '\0';
	/* As long as there are comments. A line that was cut is none. */
	for (line = out->text; strncmp(line, "--", 2) == 0 || *line == '\n';
	     line = end + 1) {
		const char *wrong = NULL;

		number++;
		end = strchr(line, '\n');
		if (end != NULL)
			*end = '\0';
		else if (whole == false)
			break;
		if (strncmp(line, marker, sizeof(marker) - 1) == 0)
			wrong = parse_rule(out, line + sizeof(marker) - 1);
		if (wrong != NULL)
			return bt_fail(
			    e, BT_E_FORMAT, "%s:%u: %s", name, number, wrong);
		if (end == NULL)
			break;
	}
	return true;
}

/* ---- asking ---- */

static bool
any_fits(const struct condition *c, const uint16_t *words, unsigned n,
    const char *text)
{
	for (unsigned i = 0; i < n; i++)
		if (condition_fits(c->text + words[i], text))
			return true;
	return false;
}

static bool
defines(const struct condition *c, const struct condition_rule *rule,
    struct target *t, struct target_module *m)
{
	struct image *image = target_module_image(t, m);
	struct image_symbol symbol;

	for (unsigned i = 0; image != NULL && i < rule->n_words; i++)
		if (image_symbol_named(
			image, c->text + rule->words[i], &symbol))
			return true;
	return false;
}

static bool
objects_hold(const struct condition *c, const struct condition_rule *rule,
    struct target *t)
{
	bool symbols = rule->subject == CONDITION_SYMBOL;
	const uint16_t *in = rule->words + (symbols ? rule->n_words : 0);
	unsigned n = symbols ? rule->n_objects : rule->n_words;
	struct target_module *modules;
	size_t count = target_modules(t, &modules);

	for (size_t i = 0; i < count; i++)
		if ((n == 0 || any_fits(c, in, n, modules[i].name)) &&
		    (symbols == false || defines(c, rule, t, &modules[i])))
			return true;
	return false;
}

struct type_search {
	const struct condition *c;
	const struct condition_rule *rule;
	bool found;
};

static bool
try_type(void *ctx, const char *base_name)
{
	struct type_search *s = ctx;

	s->found = any_fits(s->c, s->rule->words, s->rule->n_words, base_name);
	return s->found == false;
}

bool
condition_holds(
    const struct condition *c, struct target *t, struct value_reader *r)
{
	for (unsigned i = 0; i < c->n_rules; i++) {
		const struct condition_rule *rule = &c->rules[i];
		struct type_search search = {c, rule, false};

		if (rule->subject != CONDITION_TYPE) {
			if (objects_hold(c, rule, t))
				return true;
			continue;
		}
		if (r != NULL)
			value_types_each(r, try_type, &search);
		if (search.found)
			return true;
	}
	return c->n_rules == 0;
}
