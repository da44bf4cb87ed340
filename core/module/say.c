/* SPDX-License-Identifier: MIT */
/*
 * What a module says: annotations, attributes, classifiers, findings, log
 * lines. All of it is copied into the snapshot with the module's name.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "module/module_private.h"

_Static_assert((int)PAT_COMMENT == (int)SNAP_COMMENT &&
	(int)PAT_WARNING == (int)SNAP_WARNING &&
	(int)PAT_CRITICAL == (int)SNAP_CRITICAL &&
	(int)PAT_JSON == (int)SNAP_JSON,
    "annotation levels are the same in the interface and in the model");

/*
 * One JSON object and nothing else. formats/ has a writer, no reader, and lies
 * above us; what is needed here is only yes or no.
 */
enum { JSON_DEPTH = 32 };

static const char *
json_space(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
		p++;
	return p;
}

static const char *
json_text(const char *p)
{
	for (p++; *p != '"'; p++) {
		if ((unsigned char)*p < 0x20)
			return NULL;
		if (*p == '\\') {
			p++;
			if (*p == '\0' || strchr("\"\\/bfnrtu", *p) == NULL)
				return NULL;
			for (int i = 0; *p == 'u' && i < 4; i++)
				if (isxdigit((unsigned char)p[i + 1]) == 0)
					return NULL;
		}
	}
	return p + 1;
}

static const char *
json_digits(const char *p)
{
	if (isdigit((unsigned char)*p) == 0)
		return NULL;
	while (isdigit((unsigned char)*p))
		p++;
	return p;
}

static const char *
json_number(const char *p)
{
	p += *p == '-';
	p = *p == '0' ? p + 1 : json_digits(p);
	if (p != NULL && *p == '.')
		p = json_digits(p + 1);
	if (p != NULL && (*p == 'e' || *p == 'E')) {
		p++;
		p += *p == '+' || *p == '-';
		p = json_digits(p);
	}
	return p;
}

/* Scalars, and the brackets that open. */
static const char *
json_scalar(const char *p)
{
	static const char *const words[] = {"true", "false", "null"};

	if (*p == '"')
		return json_text(p);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strncmp(p, words[i], strlen(words[i])) == 0)
			return p + strlen(words[i]);
	return json_number(p);
}

/* A key and its colon. */
static const char *
json_key(const char *p)
{
	p = json_space(p);
	p = *p == '"' ? json_text(p) : NULL;
	if (p == NULL || *(p = json_space(p)) != ':')
		return NULL;
	return json_space(p + 1);
}

static bool
json_is_object(const char *p)
{
	char closes[JSON_DEPTH];
	int depth = 0;

	p = json_space(p);
	if (*p != '{')
		return false;
	do {
		/* A value. */
		if (*p == '{' || *p == '[') {
			if (depth == JSON_DEPTH)
				return false;
			closes[depth++] = *p == '{' ? '}' : ']';
			p = json_space(p + 1);
			if (*p != closes[depth - 1]) {
				if (closes[depth - 1] == '}')
					p = json_key(p);
				if (p == NULL)
					return false;
				continue;
			}
		} else if ((p = json_scalar(p)) == NULL) {
			return false;
		}
		/* What follows it. */
		p = json_space(p);
		while (depth > 0 && *p == closes[depth - 1]) {
			depth--;
			p = json_space(p + 1);
		}
		if (depth == 0)
			return *p == '\0';
		if (*p != ',')
			return false;
		p = closes[depth - 1] == '}' ? json_key(p + 1)
					     : json_space(p + 1);
	} while (p != NULL);
	return false;
}

static bool BT_PRINTF(4, 0)
    annotate(struct module_host *host, struct snap_annotation **list,
	enum pmodule_level level, const char *format, va_list ap)
{
	char *text;

	if ((unsigned)level > PAT_JSON || module_may_say(host, 0) == false)
		return false;
	text = arena_vprintf(&host->snapshot->arena, format, ap);
	if (text == NULL || module_may_say(host, strlen(text)) == false ||
	    (level == PAT_JSON && json_is_object(text) == false))
		return false;
	snapshot_annotate(host->snapshot, list, (enum snap_level)level,
	    module_current_name(host), text);
	return true;
}

bool
pmodule_backtrace_annotate(
    ptrace_backtrace_t *bt, enum pmodule_level level, const char *format, ...)
{
	va_list ap;
	bool done;

	va_start(ap, format);
	done = annotate(
	    bt->host, &bt->host->snapshot->annotations, level, format, ap);
	va_end(ap);
	return done;
}

bool
pmodule_thread_annotate(
    ptrace_thread_t *t, enum pmodule_level level, const char *format, ...)
{
	va_list ap;
	bool done;

	va_start(ap, format);
	done = annotate(
	    t->host, &module_snap_thread(t)->annotations, level, format, ap);
	va_end(ap);
	return done;
}

bool
pmodule_frame_annotate(
    ptrace_frame_t *f, enum pmodule_level level, const char *format, ...)
{
	va_list ap;
	bool done;

	va_start(ap, format);
	done = annotate(f->thread->host, &module_snap_frame(f)->annotations,
	    level, format, ap);
	va_end(ap);
	return done;
}

bool
pmodule_variable_annotate(
    ptrace_variable_t *v, enum pmodule_level level, const char *format, ...)
{
	va_list ap;
	bool done;

	if (v->view || v->snap == NULL)
		return false;
	va_start(ap, format);
	done = annotate(v->host, &v->snap->annotations, level, format, ap);
	va_end(ap);
	return done;
}

static bool
valid_key(const char *key)
{

	return key != NULL && key[0] != '\0' && strlen(key) <= 256;
}

bool
pmodule_kv_add_string(
    ptrace_backtrace_t *bt, const char *key, const char *value)
{

	if (valid_key(key) == false || value == NULL ||
	    module_may_say(bt->host, strlen(value)) == false)
		return false;
	snapshot_attr_string(bt->host->snapshot, key, value);
	return true;
}

bool
pmodule_kv_add_int(ptrace_backtrace_t *bt, const char *key, int64_t value)
{

	if (valid_key(key) == false || module_may_say(bt->host, 0) == false)
		return false;
	snapshot_attr_int(bt->host->snapshot, key, value);
	return true;
}

bool
pmodule_kv_add_address(ptrace_backtrace_t *bt, const char *key, bt_addr_t value)
{

	if (valid_key(key) == false || module_may_say(bt->host, 0) == false)
		return false;
	snapshot_attr_address(bt->host->snapshot, key, value);
	return true;
}

bool
pmodule_classifier_add(ptrace_backtrace_t *bt, const char *name)
{

	if (valid_key(name) == false || module_may_say(bt->host, 0) == false)
		return false;
	snapshot_classifier(bt->host->snapshot, name);
	return true;
}

bool
pmodule_tag_add(ptrace_backtrace_t *bt, const char *name)
{

	if (valid_key(name) == false || module_may_say(bt->host, 0) == false)
		return false;
	snapshot_attr_bool(bt->host->snapshot,
	    snapshot_printf(bt->host->snapshot, "tag.%s", name), true);
	return true;
}

bool
pmodule_fault_set(ptrace_thread_t *t, const pmodule_fault_t *fault)
{
	struct snapshot *s = t->host->snapshot;
	struct snap_fault *out = &s->fault;

	if (fault->size < offsetof(pmodule_fault_t, reserved))
		return false;
	out->present = true;
	out->tid = module_snap_thread(t)->tid;
	out->frame = fault->frame;
	out->direction = snapshot_string(s, fault->direction);
	out->instruction = snapshot_string(s, fault->instruction);
	out->operand = snapshot_string(s, fault->operand);
	out->has_address = fault->has_address;
	out->address = fault->address;
	return true;
}

static bool
copy_evidence(struct snapshot *s, const pmodule_finding_t *finding,
    struct snap_finding *out)
{
	uint32_t n = finding->n_evidence;

	if (n > MODULE_EVIDENCE_MAX)
		n = MODULE_EVIDENCE_MAX;
	if (n == 0 || finding->evidence == NULL)
		return true;
	out->evidence = arena_array(&s->arena, n, sizeof(*out->evidence));
	if (out->evidence == NULL)
		return false;
	for (uint32_t i = 0; i < n; i++)
		out->evidence[i] = snapshot_string(s, finding->evidence[i]);
	out->n_evidence = n;
	return true;
}

bool
pmodule_finding_add(ptrace_backtrace_t *bt, const pmodule_finding_t *finding)
{
	struct snapshot *s = bt->host->snapshot;
	struct snap_finding *out;

	if (finding->size < offsetof(pmodule_finding_t, reserved) ||
	    valid_key(finding->class_name) == false ||
	    !(finding->confidence >= 0 && finding->confidence <= 1) ||
	    s->findings.count >= MODULE_FINDINGS_MAX)
		return false;
	out = vec_push(&s->findings);
	if (out == NULL)
		return false;
	out->class_name = snapshot_string(s, finding->class_name);
	out->confidence = finding->confidence;
	bt->host->background[s->findings.count - 1] = finding->background;
	out->module = snapshot_string(s, module_current_name(bt->host));
	out->tid = finding->thread != NULL
	    ? module_snap_thread(finding->thread)->tid
	    : SNAP_NONE;
	out->frame = finding->frame != NULL ? finding->frame->index : SNAP_NONE;
	out->has_address = finding->has_address;
	out->address = finding->address;
	out->text = snapshot_string(s, finding->text);
	return copy_evidence(s, finding, out);
}

bool
pmodule_finding_note(ptrace_backtrace_t *bt, const char *evidence)
{
	struct snapshot *s = bt->host->snapshot;
	struct snap_finding *f = module_best_finding(bt->host);
	const char **lines;

	if (f == NULL || evidence == NULL ||
	    f->n_evidence >= MODULE_EVIDENCE_MAX ||
	    module_may_say(bt->host, strlen(evidence)) == false)
		return false;
	lines = arena_array(&s->arena, f->n_evidence + 1, sizeof(*lines));
	if (lines == NULL)
		return false;
	if (f->n_evidence != 0)
		memcpy(lines, f->evidence, f->n_evidence * sizeof(*lines));
	lines[f->n_evidence++] = snapshot_string(s, evidence);
	f->evidence = lines;
	return true;
}

const char *
pmodule_finding_ahead(ptrace_backtrace_t *bt)
{
	const struct snap_finding *f = module_best_finding(bt->host);

	return f != NULL ? f->class_name : NULL;
}

double
pmodule_finding_confidence(ptrace_backtrace_t *bt, const char *class_name)
{
	const struct snapshot *s = bt->host->snapshot;
	double best = 0;

	for (size_t i = 0; i < s->findings.count; i++) {
		const struct snap_finding *f = &s->findings.items[i];

		if (f->confidence > best &&
		    (class_name == NULL ||
			strcmp(f->class_name, class_name) == 0))
			best = f->confidence;
	}
	return best;
}

/* The writers check the whole syntax; here only what would be a slip. */
static bool
add_json(struct snapshot *s, const char *json, const char **place)
{
	size_t n = json != NULL ? strlen(json) : 0;

	if (n < 2 || json[0] != '{' || json[n - 1] != '}' || place == NULL)
		return false;
	*place = arena_strdup(&s->arena, json);
	return *place != NULL;
}

bool
pmodule_lock_add(ptrace_backtrace_t *bt, const char *json)
{
	struct snapshot *s = bt->host->snapshot;
	const char **place = vec_push(&s->locks);

	if (add_json(s, json, place))
		return true;
	s->locks.count -= place != NULL;
	return false;
}

bool
pmodule_heap_add(ptrace_backtrace_t *bt, const char *json)
{
	struct snapshot *s = bt->host->snapshot;
	const char **place = vec_push(&s->heap);

	if (add_json(s, json, place))
		return true;
	s->heap.count -= place != NULL;
	return false;
}

void
pmodule_log(
    pmodule_t *pm, enum pmodule_log_level level, const char *format, ...)
{
	const struct module_host_options *o = &pm->host->options;
	char line[1024];
	va_list ap;

	if (o->log == NULL)
		return;
	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	o->log(o->ctx, level, pm->name, line);
}

const char *
pmodule_text(ptrace_backtrace_t *bt, const char *format, ...)
{
	va_list ap;
	char *text;

	va_start(ap, format);
	text = arena_vprintf(&bt->host->snapshot->arena, format, ap);
	va_end(ap);
	return text;
}
