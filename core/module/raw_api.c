/* SPDX-License-Identifier: MIT */
/*
 * include/bt.h over the value reader: raw variables and types.
 */
#include "module/module_private.h"

/* What lies in the opaque part of a bt_variable_t. */
struct raw_part {
	struct module_host *host;
	const bt_variable_t *self; /* set on the heap: this very one */
	struct value_raw raw;
};

_Static_assert(sizeof(struct raw_part) <= sizeof(((bt_variable_t *)0)->opaque),
    "what the host keeps fits into a module's variable");
_Static_assert(sizeof(bt_variable_t) == 256 && sizeof(struct bt_type) == 96,
    "sizes that modules were compiled with");

static struct raw_part *
part(const bt_variable_t *v)
{

	return (struct raw_part *)(uintptr_t)v->opaque;
}

const struct value_raw *
module_raw(const bt_variable_t *v)
{

	return v != NULL && part(v)->host != NULL ? &part(v)->raw : NULL;
}

struct value_reader *
module_reader(struct module_host *host)
{

	return host->options.reader != NULL
	    ? host->options.reader(host->options.ctx)
	    : NULL;
}

/* What `dwarf` of types and variables points to. */
struct dwarf_part {
	struct module_host *host;
	struct value_reader *reader;
	struct dwarf *dwarf;
};

static struct dwarf_part *
dwarf_part(struct module_host *host, struct value_reader *r, struct dwarf *d)
{
	uint64_t key = (uint64_t)(uintptr_t)d;
	struct dwarf_part *p = map_get_ptr(&host->types, key);

	if (p != NULL)
		return p;
	p = ARENA_NEW(&host->arena, struct dwarf_part);
	if (p == NULL)
		return NULL;
	*p = (struct dwarf_part){host, r, d};
	(void)map_put_ptr(&host->types, key, p);
	return p;
}

static struct bt_type *
type_of(struct module_host *host, struct value_reader *r, struct shape *s)
{
	uint64_t key = (uint64_t)(uintptr_t)s;
	struct bt_type *type;

	if (s == NULL)
		return NULL;
	type = map_get_ptr(&host->types, key);
	if (type != NULL)
		return type;
	type = ARENA_NEW(&host->arena, struct bt_type);
	if (type == NULL || map_put_ptr(&host->types, key, type) == false)
		return NULL;
	type->name = value_shape_name(s);
	type->die = value_shape_die(s);
	type->dwarf = dwarf_part(host, r, value_shape_dwarf(s));
	type->size = value_shape_size(r, s);
	type->opaque[0] = host;
	type->opaque[1] = r;
	type->opaque[2] = s;
	return type;
}

void
module_raw_set(
    struct module_host *host, bt_variable_t *out, const struct value_raw *raw)
{

	memset(out, 0, sizeof(*out));
	out->name = raw->name;
	out->type = type_of(host, raw->r, raw->shape);
	out->dwarf = dwarf_part(host, raw->r, value_shape_dwarf(raw->shape));
	part(out)->host = host;
	part(out)->raw = *raw;
}

static bt_variable_t *
on_heap(struct module_host *host, const struct value_raw *raw)
{
	bt_variable_t *v = malloc(sizeof(*v));

	if (v == NULL)
		return NULL;
	module_raw_set(host, v, raw);
	part(v)->self = v;
	return v;
}

void
bt_variable_deinit(bt_variable_t *v)
{

	if (v == NULL)
		return;
	/* A copy of one on the heap does not free the original. */
	if (part(v)->self == v) {
		memset(v, 0, sizeof(*v));
		free(v);
		return;
	}
	memset(v, 0, sizeof(*v));
}

bt_variable_t *
bt_variable_member_value_get(bt_variable_t *v, const char *name)
{
	const struct value_raw *raw = module_raw(v);
	struct value_raw member;

	if (raw == NULL || name == NULL ||
	    value_raw_member(raw, name, &member, NULL) == false)
		return NULL;
	return on_heap(part(v)->host, &member);
}

bool
bt_variable_number(bt_variable_t *v, uint64_t *out, bt_error_t *e)
{
	const struct value_raw *raw = module_raw(v);

	if (raw == NULL) {
		if (e != NULL)
			*e = (bt_error_t){.code = BT_E_USAGE,
			    .text = "the variable was not initialised"};
		return false;
	}
	return value_raw_number(raw, out, e);
}

unsigned long long
bt_variable_ull(bt_variable_t *v)
{
	uint64_t value = 0;

	return bt_variable_number(v, &value, NULL) ? value : 0;
}

long long
bt_variable_ll(bt_variable_t *v)
{

	return (long long)bt_variable_ull(v);
}

bool
bt_variable_value(bt_variable_t *v)
{
	const struct value_raw *raw = module_raw(v);

	return raw != NULL && value_raw_readable(raw, NULL);
}

bool
bt_variable_deref(bt_variable_t *out, bt_variable_t *pointer, bt_error_t *e)
{
	const struct value_raw *raw = module_raw(pointer);
	struct module_host *host;
	struct value_raw target;

	if (raw == NULL) {
		if (e != NULL)
			*e = (bt_error_t){.code = BT_E_USAGE,
			    .text = "the variable was not initialised"};
		return false;
	}
	host = part(pointer)->host;
	if (value_raw_deref(raw, &target, e) == false)
		return false;
	module_raw_set(host, out, &target);
	return true;
}

bool
bt_variable_element(
    bt_variable_t *out, bt_variable_t *v, int64_t i, bt_error_t *e)
{
	const struct value_raw *raw = module_raw(v);
	struct module_host *host;
	struct value_raw element;

	if (raw == NULL) {
		if (e != NULL)
			*e = (bt_error_t){.code = BT_E_USAGE,
			    .text = "the variable was not initialised"};
		return false;
	}
	host = part(v)->host;
	if (value_raw_element(raw, i, &element, e) == false)
		return false;
	module_raw_set(host, out, &element);
	return true;
}

bool
bt_variable_field(
    bt_variable_t *out, bt_variable_t *v, unsigned i, bool *is_base)
{
	const struct value_raw *raw = module_raw(v);
	struct value_raw field;
	bool base;

	if (raw == NULL || value_raw_field(raw, i, &field, &base) == false)
		return false;
	if (is_base != NULL)
		*is_base = base;
	module_raw_set(part(v)->host, out, &field);
	return true;
}

bool
bt_variable_type_deref_at(bt_variable_t *out, bt_variable_t *prototype,
    struct bt_type *type, unsigned long long address)
{
	const struct value_raw *raw = module_raw(prototype);
	struct module_host *host;
	struct value_raw made;

	if (raw == NULL || type == NULL)
		return false;
	host = part(prototype)->host;
	if (value_raw_at(raw, type->opaque[2], address, &made, NULL) == false)
		return false;
	module_raw_set(host, out, &made);
	return true;
}

ssize_t
bt_variable_strncpy(char *out, bt_variable_t *v, size_t size)
{
	const struct value_raw *raw = module_raw(v);

	return raw != NULL && out != NULL ? value_raw_text(raw, out, size, NULL)
					  : -1;
}

bool
bt_variable_address(const bt_variable_t *v, bt_addr_t *out)
{
	const struct value_raw *raw = module_raw(v);

	if (raw == NULL || raw->in_memory == false || raw->reason != NULL)
		return false;
	*out = raw->address;
	return true;
}

size_t
bt_variable_sizeof(const bt_variable_t *v)
{

	return v != NULL && v->type != NULL ? (size_t)v->type->size : 0;
}

struct bt_type *
bt_variable_bt_type(bt_variable_t *v)
{

	return v != NULL ? v->type : NULL;
}

/* ---- types ---- */

const char *
bt_type_pp(struct bt_type *type, enum bt_type_lang lang)
{
	struct value_raw raw = {0};
	ptrace_variable_t v = {0};

	if (type == NULL || lang != BT_TYPE_LANG_C)
		return "";
	raw.r = type->opaque[1];
	raw.shape = type->opaque[2];
	v.host = type->opaque[0];
	v.raw = &raw;
	return ptrace_variable_type_name(&v);
}

struct bt_type *
bt_type_base(struct bt_type *type)
{

	return type != NULL
	    ? type_of(type->opaque[0], type->opaque[1],
		  value_shape_base(type->opaque[1], type->opaque[2]))
	    : NULL;
}

struct bt_type *
bt_type_target(struct bt_type *type)
{

	return type != NULL
	    ? type_of(type->opaque[0], type->opaque[1],
		  value_shape_target(type->opaque[1], type->opaque[2]))
	    : NULL;
}

static struct shape *
template_argument(struct bt_type *type, unsigned n, bool is_value, int64_t *out)
{
	struct shape *shape;
	int64_t value;
	bool found;

	if (type == NULL ||
	    value_shape_argument(type->opaque[1], type->opaque[2], n, &shape,
		&found, &value) == false ||
	    found != is_value)
		return NULL;
	if (out != NULL)
		*out = value;
	return shape;
}

struct bt_type *
bt_type_template_type(struct bt_type *type, unsigned n)
{
	struct shape *shape = template_argument(type, n, false, NULL);

	return shape != NULL ? type_of(type->opaque[0], type->opaque[1], shape)
			     : NULL;
}

bool
bt_type_template_value(struct bt_type *type, unsigned n, int64_t *out)
{

	return template_argument(type, n, true, out) != NULL;
}

/* ---- globals ---- */

static bool
in_object(const struct target_module *m, const char *object)
{

	return object == NULL || object[0] == '\0' ||
	    strstr(m->path, object) != NULL ||
	    /* The program itself also goes by the name of its file. */
	    strcmp(m->name, object) == 0;
}

/* Whose thread-local variables are meant when no thread is named. */
static const struct target_thread *
some_thread(struct module_host *host)
{
	struct target_thread *all;
	size_t n = target_threads(host->target, &all);

	for (uint32_t i = 0; i < host->n_threads; i++)
		if (host->threads[i].target != NULL)
			return host->threads[i].target;
	for (size_t i = 0; i < n; i++)
		if (all[i].fault)
			return &all[i];
	return n != 0 ? &all[0] : NULL;
}

bt_variable_t *
pmodule_bt_query(ptrace_backtrace_t *bt, const char *symbol, const char *object,
    const char *cu)
{
	struct module_host *host = bt->host;
	struct value_reader *r = module_reader(host);
	struct target_module *modules;
	size_t n = target_modules(host->target, &modules);

	if (cu != NULL && cu[0] == '\0')
		cu = NULL;
	for (size_t i = 0; r != NULL && symbol != NULL && i < n; i++) {
		struct dwarf_variable variable;
		struct value_raw raw;
		struct dwarf *dwarf;

		if (in_object(&modules[i], object) == false ||
		    (dwarf = value_reader_dwarf(r, &modules[i])) == NULL ||
		    dwarf_global(dwarf, symbol, cu, &variable) == false)
			continue;
		if (value_raw_global(r, some_thread(host), &modules[i], dwarf,
			&variable, &raw, NULL))
			return on_heap(host, &raw);
	}
	return NULL;
}

struct each {
	struct module_host *host;
	struct value_reader *reader;
	ptrace_thread_t *thread;
	struct target_module *module;
	struct dwarf *dwarf;
	bool (*fn)(void *, bt_variable_t *, const char *, const char *);
	void *ctx;
	uint32_t left;
	bool stop;
};

/* DW_OP_form_tls_address and its GNU forerunner end the expression. */
static bool
is_thread_local(const struct dwarf_variable *v)
{
	const struct dwarf_location *l = &v->location;
	uint8_t last;

	if (l->kind != DWARF_LOC_EXPR || l->block.size == 0)
		return false;
	last = l->block.data[l->block.size - 1];
	return last == 0x9b || last == 0xe0;
}

static bool
visit_global(void *ctx, const struct dwarf_variable *variable)
{
	struct each *each = ctx;
	const struct target_thread *thread = each->thread != NULL
	    ? each->thread->target
	    : some_thread(each->host);
	struct value_raw raw;
	bt_variable_t v;

	if (each->left-- == 0 || budget_step(each->host->options.budget) == 0) {
		each->stop = true;
		return false;
	}
	if ((each->thread != NULL && is_thread_local(variable) == false) ||
	    variable->location.kind == DWARF_LOC_NONE ||
	    value_raw_global(each->reader, thread, each->module, each->dwarf,
		variable, &raw, NULL) == false)
		return true;
	module_raw_set(each->host, &v, &raw);
	each->stop = each->fn(each->ctx, &v, each->module->name,
			 variable->die.unit != NULL
			     ? dwarf_unit_name(variable->die.unit)
			     : "") == false;
	return each->stop == false;
}

void
pmodule_globals_each(ptrace_backtrace_t *bt, ptrace_thread_t *thread,
    const char *object, const char *cu, const char *name,
    bool (*fn)(void *ctx, bt_variable_t *v, const char *object, const char *cu),
    void *ctx)
{
	struct each each = {
	    .host = bt->host,
	    .reader = module_reader(bt->host),
	    .thread = thread,
	    .fn = fn,
	    .ctx = ctx,
	    .left = MODULE_GLOBALS_MAX,
	};
	struct target_module *modules;
	size_t n = target_modules(bt->host->target, &modules);

	for (size_t i = 0; each.reader != NULL && i < n && each.stop == false;
	     i++) {
		each.module = &modules[i];
		each.dwarf = in_object(&modules[i], object)
		    ? value_reader_dwarf(each.reader, &modules[i])
		    : NULL;
		if (each.dwarf != NULL)
			dwarf_globals_each(
			    each.dwarf, cu, name, visit_global, &each);
	}
}

/* ---- views ---- */

ptrace_variable_t *
pmodule_variable_from_bt(ptrace_backtrace_t *bt, bt_variable_t *v)
{
	const struct value_raw *raw = module_raw(v);
	ptrace_variable_t *view;

	if (raw == NULL || (view = calloc(1, sizeof(*view))) == NULL)
		return NULL;
	view->raw = malloc(sizeof(*view->raw));
	if (view->raw == NULL) {
		free(view);
		return NULL;
	}
	*view->raw = *raw;
	view->host = bt->host;
	view->offset = -1;
	view->view = true;
	return view;
}

void
pmodule_variable_release(ptrace_variable_t *v)
{

	/* Members of a view lie in the host's arena and have no raw part. */
	if (v == NULL || v->view == false || v->raw == NULL)
		return;
	free(v->raw);
	free(v->snap);
	free(v);
}

/* ---- C++ ---- */

struct bt_type *
pmodule_cpp_get_bt_type_from_name(void *dwarf, const char *name)
{

	const struct dwarf_part *p = dwarf;

	return p != NULL && name != NULL
	    ? type_of(p->host, p->reader,
		  value_shape_named(p->reader, p->dwarf, name))
	    : NULL;
}

/* Spaces around an argument are not part of it. */
static char *
trimmed(const char *text, size_t n)
{
	while (n > 0 && *text == ' ') {
		text++;
		n--;
	}
	while (n > 0 && text[n - 1] == ' ')
		n--;
	return n != 0 ? strndup(text, n) : NULL;
}

/* The list is that of the last class in the name: "A<int>::B<char>" is a B.
 * '<' of operators and '>' in parentheses are no brackets. */
bool
pmodule_cpp_template_nth_argument(char **out, const char *type_name, unsigned n)
{
	const char *start = NULL, *from;
	int angle = 0, round = 0;
	unsigned i = 0;

	if (out == NULL || type_name == NULL)
		return false;
	*out = NULL;
	for (const char *p = type_name; *p != '\0'; p++) {
		if (*p == '<' && angle++ == 0)
			start = p + 1;
		else if (*p == '>' && angle > 0)
			angle--;
	}
	angle = 0;
	for (const char *p = from = start; p != NULL && *p != '\0'; p++) {
		bool ends = angle == 0 && round == 0 &&
		    (*p == ',' || *p == '>');

		if (ends && i++ == n) {
			*out = trimmed(from, (size_t)(p - from));
			return *out != NULL;
		}
		if (ends && *p == '>')
			return false;
		if (ends)
			from = p + 1;
		else if (*p == '(' || *p == '[' || *p == '{')
			round++;
		else if (*p == ')' || *p == ']' || *p == '}')
			round--;
		else if (*p == '<' && round == 0)
			angle++;
		else if (*p == '>' && round == 0)
			angle--;
	}
	return false;
}
