/* SPDX-License-Identifier: MIT */
/*
 * The snapshot's life, its strings, and the small lists everybody adds to:
 * attributes, classifiers, warnings, annotations.
 */
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "snapshot/model.h"
#include "snapshot/scrub.h"

/*
 * Caps of the lists: far above what a real process has (the kernel allows
 * 4 million threads and 65,530 mappings unless raised), low enough that a
 * hostile file cannot make us allocate without end.
 */
enum {
	MAX_ATTRIBUTES = 65536,
	MAX_CLASSIFIERS = 1024,
	MAX_CALLSTACK = 1024,
	MAX_FINDINGS = 65536,
	MAX_SURROUNDINGS = 65536,
	MAX_THREADS = 1 << 22,
	MAX_LOCATIONS = 1 << 24,
	MAX_GLOBALS = 1 << 20,
	MAX_OBJECTS = 1 << 24,
	MAX_MODULES = 1 << 20,
	MAX_MAPPINGS = 1 << 24,
	MAX_MEMORY = 1 << 20,
	MAX_RESOURCES = 65536,
	MAX_WARNINGS = 10000,
	MAX_TEXTS = 65536,
	MAX_POINTED = 1 << 22,
	MAX_ANNOTATIONS = 65536 /* of one owner */
};

static const char *const kind_names[SNAP_KIND__COUNT] = {
    [SNAP_INT] = "int",
    [SNAP_UINT] = "uint",
    [SNAP_FLOAT] = "float",
    [SNAP_BOOL] = "bool",
    [SNAP_CHAR] = "char",
    [SNAP_STRING] = "string",
    [SNAP_ENUM] = "enum",
    [SNAP_POINTER] = "pointer",
    [SNAP_STRUCT] = "struct",
    [SNAP_UNION] = "union",
    [SNAP_ARRAY] = "array",
    [SNAP_FUNCTION] = "function",
    [SNAP_COMPLEX] = "complex",
    [SNAP_UNAVAILABLE] = "unavailable",
};

const char *
snap_kind_name(enum snap_kind kind)
{
	if ((unsigned)kind >= SNAP_KIND__COUNT)
		return "unavailable";
	return kind_names[kind];
}

enum snap_kind
snap_kind_of(const char *name)
{
	for (int i = 0; i < SNAP_KIND__COUNT; i++) {
		if (strcmp(kind_names[i], name) == 0)
			return (enum snap_kind)i;
	}
	return SNAP_UNAVAILABLE;
}

const char *
snap_level_name(enum snap_level level)
{
	switch (level) {
	case SNAP_COMMENT:
		return "comment";
	case SNAP_WARNING:
		return "warning";
	case SNAP_CRITICAL:
		return "critical";
	case SNAP_JSON:
		return "json";
	}
	return "comment";
}

/* A version 4 UUID (RFC 9562) and the present time. */
static void
stamp(struct snapshot *s)
{
	struct timespec now;

	if (getrandom(s->uuid, sizeof(s->uuid), GRND_NONBLOCK) !=
	    (ssize_t)sizeof(s->uuid))
		memset(s->uuid, 0, sizeof(s->uuid));
	s->uuid[6] = (uint8_t)((s->uuid[6] & 0x0f) | 0x40);
	s->uuid[8] = (uint8_t)((s->uuid[8] & 0x3f) | 0x80);
	if (clock_gettime(CLOCK_REALTIME, &now) == 0) {
		s->created_seconds = now.tv_sec;
		s->created_nanoseconds = (uint32_t)now.tv_nsec;
	}
}

bool
snapshot_init(struct snapshot *s, size_t cap)
{
	memset(s, 0, sizeof(*s));
	arena_init(&s->arena, cap);
	strings_init(&s->strings, &s->arena);
	s->values_cap = cap / 2;
	s->generator = "inquest " INQUEST_VERSION;
	s->fingerprint = "";
	s->signal.name = s->signal.code_name = "";
	s->fault.direction = s->fault.instruction = s->fault.operand = "";
	s->fault.tid = s->fault.frame = SNAP_NONE;
	vec_init(&s->attributes, MAX_ATTRIBUTES);
	vec_init(&s->classifiers, MAX_CLASSIFIERS);
	vec_init(&s->callstack, MAX_CALLSTACK);
	vec_init(&s->findings, MAX_FINDINGS);
	vec_init(&s->environment, MAX_SURROUNDINGS);
	vec_init(&s->limits, MAX_SURROUNDINGS);
	vec_init(&s->descriptors, MAX_SURROUNDINGS);
	vec_init(&s->threads, MAX_THREADS);
	vec_init(&s->locations, MAX_LOCATIONS);
	vec_init(&s->globals, MAX_GLOBALS);
	vec_init(&s->objects, MAX_OBJECTS);
	vec_init(&s->modules, MAX_MODULES);
	vec_init(&s->mappings, MAX_MAPPINGS);
	vec_init(&s->memory, MAX_MEMORY);
	vec_init(&s->resources, MAX_RESOURCES);
	vec_init(&s->warnings, MAX_WARNINGS);
	vec_init(&s->heap, MAX_TEXTS);
	vec_init(&s->locks, MAX_TEXTS);
	vec_init(&s->pointed, MAX_POINTED);
	map_init(&s->object_ids, MAX_OBJECTS);
	map_init(&s->location_ids, MAX_LOCATIONS);
	map_init(&s->attribute_ids, MAX_ATTRIBUTES);
	map_init(&s->warning_ids, MAX_WARNINGS);
	stamp(s);
	return true;
}

void
snapshot_deinit(struct snapshot *s)
{
	vec_deinit(&s->attributes);
	vec_deinit(&s->classifiers);
	vec_deinit(&s->callstack);
	vec_deinit(&s->findings);
	vec_deinit(&s->environment);
	vec_deinit(&s->limits);
	vec_deinit(&s->descriptors);
	vec_deinit(&s->threads);
	vec_deinit(&s->locations);
	vec_deinit(&s->globals);
	vec_deinit(&s->objects);
	vec_deinit(&s->modules);
	vec_deinit(&s->mappings);
	vec_deinit(&s->memory);
	vec_deinit(&s->resources);
	vec_deinit(&s->warnings);
	vec_deinit(&s->heap);
	vec_deinit(&s->locks);
	vec_deinit(&s->pointed);
	map_deinit(&s->object_ids);
	map_deinit(&s->location_ids);
	map_deinit(&s->attribute_ids);
	map_deinit(&s->warning_ids);
	scrub_free(s->scrub);
	strings_deinit(&s->strings);
	arena_deinit(&s->arena);
}

/* ---- strings ---- */

const char *
snapshot_string(struct snapshot *s, const char *text)
{
	return strings_add(&s->strings, text);
}

const char *
snapshot_stringn(struct snapshot *s, const char *text, size_t len)
{
	return strings_addn(&s->strings, text, len);
}

static const char *print_string(struct snapshot *s, const char *format,
    va_list ap) __attribute__((format(printf, 2, 0)));

static const char *
print_string(struct snapshot *s, const char *format, va_list ap)
{
	char small[512];
	va_list again;
	int len;

	va_copy(again, ap);
	len = vsnprintf(small, sizeof(small), format, ap);
	if (len < 0) {
		va_end(again);
		return "";
	}
	const char *text = small;
	if ((size_t)len >= sizeof(small))
		text = arena_vprintf(&s->arena, format, again);
	va_end(again);
	return strings_add(&s->strings, text);
}

const char *
snapshot_printf(struct snapshot *s, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	const char *text = print_string(s, format, ap);
	va_end(ap);
	return text;
}

/* ---- attributes and classifiers ---- */

static uint64_t
pointer_key(const char *interned)
{
	return map_mix((uint64_t)(uintptr_t)interned);
}

/* The attribute of this key, new or old; NULL when there is no room. */
static struct snap_attribute *
attribute(struct snapshot *s, const char *key)
{
	const char *name = strings_add(&s->strings, key);
	bool is_new;
	uint64_t *index;

	if (name[0] == '\0' ||
	    (index = map_put(&s->attribute_ids, pointer_key(name), &is_new)) ==
		NULL) {
		s->warnings_lost++;
		return NULL;
	}
	if (!is_new && *index < s->attributes.count)
		return &s->attributes.items[*index];

	struct snap_attribute *a = vec_push(&s->attributes);
	if (a == NULL) {
		*index = UINT64_MAX;
		s->warnings_lost++;
		return NULL;
	}
	*index = s->attributes.count - 1;
	a->key = name;
	return a;
}

static void
set_attribute(struct snapshot *s, const char *key, struct snap_attribute as)
{
	struct snap_attribute *a = attribute(s, key);

	if (a == NULL)
		return;
	as.key = a->key;
	*a = as;
}

void
snapshot_attr_string(struct snapshot *s, const char *key, const char *value)
{

	set_attribute(s, key,
	    (struct snap_attribute){.kind = SNAP_ATTR_STRING,
		.value.s = strings_add(&s->strings, value)});
}

void
snapshot_attr_int(struct snapshot *s, const char *key, int64_t value)
{

	set_attribute(s, key,
	    (struct snap_attribute){.kind = SNAP_ATTR_INT, .value.i = value});
}

void
snapshot_attr_uint(struct snapshot *s, const char *key, uint64_t value)
{

	set_attribute(s, key,
	    (struct snap_attribute){.kind = SNAP_ATTR_UINT, .value.u = value});
}

void
snapshot_attr_double(struct snapshot *s, const char *key, double value)
{

	set_attribute(s, key,
	    (struct snap_attribute){
		.kind = SNAP_ATTR_DOUBLE, .value.f = value});
}

void
snapshot_attr_bool(struct snapshot *s, const char *key, bool value)
{
	struct snap_attribute as = {.kind = SNAP_ATTR_BOOL, .value.u = 0};

	as.value.b = value;
	set_attribute(s, key, as);
}

void
snapshot_attr_address(struct snapshot *s, const char *key, uint64_t value)
{

	set_attribute(s, key,
	    (struct snap_attribute){
		.kind = SNAP_ATTR_ADDRESS, .value.u = value});
}

const struct snap_attribute *
snapshot_attr_find(const struct snapshot *s, const char *key)
{
	for (size_t i = 0; i < s->attributes.count; i++) {
		if (strcmp(s->attributes.items[i].key, key) == 0)
			return &s->attributes.items[i];
	}
	return NULL;
}

void
snapshot_classifier(struct snapshot *s, const char *name)
{
	const char *text = strings_add(&s->strings, name);

	if (text[0] == '\0')
		return;
	for (size_t i = 0; i < s->classifiers.count; i++) {
		if (strcmp(s->classifiers.items[i], text) == 0)
			return;
	}
	const char **item = vec_push(&s->classifiers);
	if (item != NULL)
		*item = text;
	else
		s->warnings_lost++;
}

/* ---- warnings and annotations ---- */

/* A warning said twice is kept once: a damaged core with ten thousand threads
 * says the same of each. */
void
snapshot_warn(struct snapshot *s, const char *stage, const char *code,
    const char *format, ...)
{
	va_list ap;
	bool is_new;

	va_start(ap, format);
	const char *text = print_string(s, format, ap);
	va_end(ap);
	stage = strings_add(&s->strings, stage);
	code = strings_add(&s->strings, code);
	uint64_t key = pointer_key(text) + 3 * pointer_key(stage) +
	    5 * pointer_key(code);
	if (text[0] == '\0' || map_put(&s->warning_ids, key, &is_new) == NULL) {
		s->warnings_lost++;
		return;
	}
	if (!is_new)
		return;

	struct snap_warning *w = vec_push(&s->warnings);
	if (w == NULL) {
		s->warnings_lost++;
		return;
	}
	w->stage = stage;
	w->code = code;
	w->text = text;
}

void
snapshot_annotate(struct snapshot *s, struct snap_annotation **list,
    enum snap_level level, const char *module, const char *text)
{
	struct snap_annotation *first = *list, *a = NULL;

	if (first == NULL || first->count < MAX_ANNOTATIONS)
		a = ARENA_NEW(&s->arena, struct snap_annotation);
	if (a == NULL) {
		s->warnings_lost++;
		return;
	}
	a->level = level;
	a->module = module != NULL ? strings_add(&s->strings, module) : NULL;
	a->text = strings_add(&s->strings, text);
	if (first == NULL)
		*list = first = a;
	else
		first->last->next = a;
	first->last = a;
	first->count++;
}
