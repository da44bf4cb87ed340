/* SPDX-License-Identifier: MIT */
/*
 * What is secret goes by its name: that of an environment variable, of an
 * option on the command line, of a variable or member. Such a value is replaced
 * by its length and an HMAC where it was found, and wherever else it turns up
 * in the snapshot (memory, other variables, messages, attached files) it is
 * blanked when the section is written (formats/btt_scrub.c). Passwords within
 * URLs are found by their form.
 *
 * A number called "token" is more often one of a parser than a credential:
 * texts and arrays of bytes are replaced, other numbers are not.
 */
#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>

#include "session/session_private.h"
#include "snapshot/pack.h"
#include "snapshot/scrub.h"

/* Parts of names, in small letters. */
static const char *const words[] = {"password", "passwd", "passphrase",
    "secret", "token", "credential", "apikey", "api_key", "api-key",
    "accesskey", "access_key", "access-key", "privatekey", "private_key",
    "private-key", "auth_key", "authkey", "auth-key", "encryption_key",
    "signing_key", "session_key", "bearer"};

enum { NAME_MAX_SIZE = 128, URL_SCHEME_MAX = 16 };

bool
session_is_secret_name(
    const struct session_options *o, const char *name, size_t size)
{
	char lower[NAME_MAX_SIZE];
	size_t n = size < sizeof(lower) - 1 ? size : sizeof(lower) - 1;

	if (n == 0)
		return false;
	for (size_t i = 0; i < n; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	lower[n] = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strstr(lower, words[i]) != NULL)
			return true;
	for (const char *const *p = o->scrub.patterns; p != NULL && *p != NULL;
	     p++)
		if (fnmatch(*p, lower, FNM_CASEFOLD) == 0)
			return true;
	return false;
}

/* ---- one value ---- */

static bool
digest(struct session *s, const void *bytes, size_t size, char mark[17])
{
	struct opener *o = s->opener;

	mark[0] = '\0';
	return o->digest != NULL && size <= OPENER_DIGEST_MAX &&
	    o->digest(o, bytes, size, mark);
}

/* Remembers it to be looked for; mark (room for 17 bytes) becomes its HMAC, or
 * "". The broker is asked once for a value that is everywhere. */
static void
remember(struct session *s, const void *bytes, size_t size, char *mark)
{
	struct scrub *scrub = s->snapshot->scrub;
	const char *known = scrub_mark(scrub, bytes, size);

	s->scrubbed++;
	if (known != NULL) {
		memcpy(mark, known, strlen(known) + 1);
		return;
	}
	(void)digest(s, bytes, size, mark);
	if (s->sink->settle != NULL)
		s->sink->settle(s->sink->ctx);
	if (scrub_add(scrub, bytes, size, mark) == false &&
	    size >= SCRUB_LEAST && s->secrets_missed == false) {
		s->secrets_missed = true;
		snapshot_warn(s->snapshot, "collect", "scrub.limit",
		    "copies of some secret values were not looked for: more "
		    "than %d of them, or longer than %d bytes",
		    SCRUB_VALUES_MAX, SCRUB_MOST);
	}
}

/* What stands in its place. */
static const char *
scrubbed_text(struct session *s, size_t size, const char *mark)
{
	return mark != NULL && mark[0] != '\0'
	    ? snapshot_printf(
		  s->snapshot, "<scrubbed: %zu bytes, hmac %s>", size, mark)
	    : snapshot_printf(s->snapshot, "<scrubbed: %zu bytes>", size);
}

/* ---- the command line and the environment ---- */

/* "scheme://user:PASSWORD@host": where the first one is at or behind *at, and
 * its size; *at is moved behind it. 0: there is none. */
static size_t
url_password(const char *text, size_t size, size_t *at, const char **out)
{
	const char *end = text + size, *slashes, *sign, *colon;

	while (*at < size &&
	    (slashes = memmem(text + *at, size - *at, "://", 3)) != NULL) {
		const char *host = slashes + 3;
		size_t left = (size_t)(end - host);

		*at = (size_t)(host - text);
		sign = memchr(host, '@', left);
		colon = memchr(host, ':', left);
		if (slashes == text || sign == NULL || colon == NULL ||
		    colon > sign || sign - colon < 2 ||
		    memchr(host, '/', (size_t)(sign - host)) != NULL)
			continue;
		*at = (size_t)(sign - text);
		*out = colon + 1;
		return (size_t)(sign - colon) - 1;
	}
	return 0;
}

static void
look_at_url(struct session *s, const char *text, size_t size)
{
	const char *password;
	size_t at = 0, n;
	char mark[17];

	while ((n = url_password(text, size, &at, &password)) != 0)
		remember(s, password, n, mark);
}

/* One string of them. *next: the string after it is a value. */
static void
look_at(struct session *s, const char *text, size_t size, bool *next)
{
	const char *equals = memchr(text, '=', size);
	char mark[17];
	bool named = *next && text[0] != '-';

	*next = false;
	if (named) {
		remember(s, text, size, mark);
		return;
	}
	if (equals != NULL &&
	    session_is_secret_name(s->options, text, (size_t)(equals - text))) {
		if (equals + 1 < text + size)
			remember(s, equals + 1,
			    size - (size_t)(equals - text) - 1, mark);
		return;
	}
	look_at_url(s, text, size);
	*next = equals == NULL && size > 1 && text[0] == '-' &&
	    session_is_secret_name(s->options, text, size);
}

/* The value with stars for passwords; NULL: it has none. Also those that are
 * too short to be looked for. */
static const char *
without_passwords(struct session *s, const char *value, size_t size)
{
	const char *password;
	char *copy = NULL;
	size_t at = 0, n;

	while ((n = url_password(value, size, &at, &password)) != 0) {
		if (copy == NULL)
			copy = arena_strndup(&s->snapshot->arena, value, size);
		if (copy == NULL)
			return "";
		memset(copy + (password - value), '*', n);
	}
	return copy;
}

const char *
session_environment_value(
    struct session *s, const char *text, size_t name, size_t size)
{
	const char *value = text + name + 1, *mark = NULL;

	if (size == 0 || s->options->scrub.none)
		return NULL;
	if (!session_is_secret_name(s->options, text, name))
		return without_passwords(s, value, size);
	if (s->snapshot->scrub != NULL)
		mark = scrub_mark(s->snapshot->scrub, value, size);
	return scrubbed_text(s, size, mark);
}

void
collect_start_secrets(struct session *s)
{
	struct buf strings;
	bool next = false;
	size_t at = 0;

	if (!s->options->scrub.on || (s->snapshot->scrub = scrub_new()) == NULL)
		return;
	buf_init(&strings, 4 << 20);
	(void)target_start_strings(s->target, &strings);
	while (at < strings.size) {
		const char *text = (const char *)strings.data + at;
		size_t size = strnlen(text, strings.size - at);

		if (size != 0)
			look_at(s, text, size, &next);
		at += size + 1;
	}
	buf_deinit(&strings);
	if (s->scrubbed != 0)
		snapshot_attr_uint(s->snapshot, "scrub.count", s->scrubbed);
}

/* ---- variables ---- */

/* A module's words about a value ("std::vector of length 3") hold blanks, and
 * what it, or we, put in the place of one is in brackets. */
static bool
is_remark(const struct session *s, const struct snap_variable *v)
{
	bool about = (v->flags & SNAP_VAR_SUMMARY) != 0;

	if (!about && s->stage != SESSION_ANALYSIS)
		return false; /* modules have not run */
	return v->string_size == 0 || v->string[0] == '(' ||
	    v->string[0] == '<' ||
	    (about && memchr(v->string, ' ', v->string_size) != NULL);
}

static void
replace(
    struct session *s, struct snap_variable *v, size_t size, const char *mark)
{
	const char *text = scrubbed_text(s, size, mark);

	v->string = text;
	v->string_size = (uint32_t)strlen(text);
	v->flags =
	    (uint16_t)((v->flags | (SNAP_VAR_STRING | SNAP_VAR_SUMMARY)) &
		~(SNAP_VAR_TRUNCATED | SNAP_VAR_LENGTH));
}

/* Elements that are bytes: what they are together, their number. */
static size_t
bytes_of(const struct snap_variable *v, uint8_t *out, size_t max)
{
	size_t n = 0;

	if (v->kind != SNAP_ARRAY)
		return 0;
	for (; n < v->n_children && n < max; n++) {
		const struct snap_variable *c = &v->children[n];

		if ((c->kind != SNAP_INT && c->kind != SNAP_UINT &&
			c->kind != SNAP_CHAR) ||
		    (c->flags & SNAP_VAR_VALUE) == 0 || c->value.i < -128 ||
		    c->value.i > 255)
			return 0;
		out[n] = (uint8_t)c->value.i;
	}
	return n;
}

/* Replaces what the variable shows. */
static void
scrub_one(struct session *s, struct snap_variable *v)
{
	uint8_t bytes[1024];
	char mark[17] = "";
	size_t n;

	if ((v->flags & SNAP_VAR_STRING) != 0 && !is_remark(s, v) &&
	    (v->kind == SNAP_STRING || v->kind == SNAP_POINTER ||
		v->kind == SNAP_ARRAY || v->kind == SNAP_STRUCT ||
		v->kind == SNAP_UNION) &&
	    v->string_size != 0) {
		size_t size = v->string_size;

		remember(s, v->string, size, mark);
		replace(s, v, size, mark);
	}
	n = bytes_of(v, bytes, sizeof(bytes));
	if (n != 0) {
		remember(s, bytes, n, mark);
		replace(s, v, n, mark);
		v->n_children = 0;
	}
}

static void scrub_object(struct session *s, uint64_t id, unsigned depth);

/* named: something that it is a part of has such a name. */
static void
scrub_tree(
    struct session *s, struct snap_variable *v, bool named, unsigned depth)
{
	named = named ||
	    (v->name[0] != '\0' &&
		session_is_secret_name(s->options, v->name, strlen(v->name)));
	if (named) {
		scrub_one(s, v);
		if (v->object != 0)
			scrub_object(s, v->object, depth);
	}
	for (uint32_t i = 0; i < v->n_children && depth < SNAP_MAX_DEPTH; i++)
		scrub_tree(s, &v->children[i], named, depth + 1);
}

/* What a pointer of such a name points to; one step. */
static void
scrub_object(struct session *s, uint64_t id, unsigned depth)
{
	struct snap_variable *v = snapshot_object_variable(s->snapshot, id);

	if (v == NULL)
		return;
	scrub_one(s, v);
	for (uint32_t i = 0; i < v->n_children && depth < SNAP_MAX_DEPTH; i++)
		scrub_one(s, &v->children[i]);
}

static bool
template_has_secret(struct session *s, const struct snap_template *t)
{
	bool fresh;
	uint64_t *known = map_put(
	    &s->secret_templates, (uint64_t)(uintptr_t)t, &fresh);
	bool found = false;

	if (known != NULL && !fresh)
		return *known == 2;
	for (uint32_t i = 0; i < t->n_nodes && !found; i++)
		found = session_is_secret_name(
		    s->options, t->nodes[i].name, strlen(t->nodes[i].name));
	if (known != NULL)
		*known = found ? 2 : 1;
	return found;
}

static void
scrub_frame(struct session *s, struct snap_frame *f)
{
	if (f->packed != NULL && template_has_secret(s, f->packed->template))
		snapshot_unpack(s->snapshot, f);
	for (uint32_t i = 0; f->packed == NULL && i < f->n_variables; i++)
		scrub_tree(s, &f->variables[i], false, 0);
}

/* Most frames are packed, of few templates, and without secrets: those that
 * were seen last, by any thread. */
enum { CLEAN = 512 }; /* power of two */

static void
scrub_frames(struct session *s, struct snap_thread *t,
    const struct snap_template *clean[CLEAN])
{
	for (uint32_t i = 0; i < t->n_frames; i++) {
		struct snap_frame *f = &t->frames[i];
		const struct snap_template **place = NULL;

		if (f->packed != NULL) {
			if (s->packed_clean)
				continue;
			place = &clean[map_mix((uintptr_t)f->packed->template) %
			    CLEAN];
			if (*place == f->packed->template)
				continue;
		}
		scrub_frame(s, f);
		if (f->packed != NULL)
			*place = f->packed->template;
	}
}

void
collect_secrets(struct session *s)
{
	const struct snap_template *clean[CLEAN] = {NULL};
	struct snapshot *out = s->snapshot;

	if (out->scrub == NULL)
		return;
	map_init(&s->secret_templates, 1 << 20);
	for (size_t i = 0; i < out->threads.count; i++)
		scrub_frames(s, &out->threads.items[i], clean);
	for (size_t i = 0; i < out->globals.count; i++)
		scrub_tree(s, &out->globals.items[i], false, 0);
	for (size_t i = 0; i < out->objects.count; i++)
		scrub_tree(s, &out->objects.items[i].variable, false, 0);
	map_deinit(&s->secret_templates);
	/* Rows never change, and none are made by modules. */
	s->packed_clean = true;
	if (s->scrubbed != 0)
		snapshot_attr_uint(out, "scrub.count", s->scrubbed);
}
