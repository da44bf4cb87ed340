/* SPDX-License-Identifier: MIT */
/*
 * Variables as modules see them: a handle for each variable of the snapshot,
 * made when somebody asks, that stays valid while modules add others around
 * it.
 */
#include "module/module_private.h"

/* ---- lists ---- */

static void
list_make(struct module_host *host, struct variable_list *l,
    struct snap_variable *snaps, uint32_t n, ptrace_frame_t *frame,
    ptrace_variable_t *owner)
{
	if (l->made)
		return;
	l->made = true;
	l->block = arena_array(&host->arena, n, sizeof(*l->block));
	l->items = arena_array(&host->arena, n, sizeof(*l->items));
	if (l->block == NULL || l->items == NULL)
		return;
	l->count = l->room = n;
	for (uint32_t i = 0; i < n; i++) {
		l->items[i] = &l->block[i];
		l->block[i] = (struct ptrace_variable){
		    .host = host,
		    .frame = frame,
		    .owner = owner,
		    .snap = &snaps[i],
		    .offset = owner != NULL && owner->snap != NULL &&
			    owner->snap->kind == SNAP_ARRAY
			? (int64_t)i
			: -1,
		    .depth = owner != NULL ? owner->depth + 1 : 0,
		    .view = owner != NULL && owner->view,
		};
	}
}

struct variable_list *
module_frame_list(ptrace_frame_t *f)
{
	struct snap_frame *s = module_snap_frame(f);

	snapshot_unpack(f->host->snapshot, s);
	list_make(
	    f->host, &f->variables, s->variables, s->n_variables, f, NULL);
	return &f->variables;
}

struct variable_list *
module_member_list(ptrace_variable_t *v)
{
	struct snap_variable *s = module_snap_variable(v);

	list_make(v->host, &v->members, s != NULL ? s->children : NULL,
	    s != NULL && v->depth < SNAP_MAX_DEPTH ? s->n_children : 0,
	    v->frame, v);
	return &v->members;
}

/* A view is filled when somebody looks. */
struct snap_variable *
module_snap_variable(const ptrace_variable_t *v)
{
	ptrace_variable_t *view = (ptrace_variable_t *)(uintptr_t)v;

	if (v->snap != NULL || v->raw == NULL)
		return v->snap;
	view->snap = calloc(1, sizeof(*view->snap));
	if (view->snap != NULL)
		value_raw_fill(v->raw, view->snap);
	return view->snap;
}

static const struct snap_variable *
contents(const ptrace_variable_t *v)
{
	static const struct snap_variable nothing = {
	    .name = "", .type = "", .kind = SNAP_UNAVAILABLE};
	const struct snap_variable *s = module_snap_variable(v);

	return s != NULL ? s : &nothing;
}

/* ---- frames ---- */

uint32_t
ptrace_frame_n_variables(ptrace_frame_t *f)
{

	return f->variables.made ? f->variables.count
				 : snap_frame_count(module_snap_frame(f));
}

ptrace_variable_t *
ptrace_frame_variable(ptrace_frame_t *f, uint32_t i)
{
	struct variable_list *l = module_frame_list(f);

	return i < l->count ? l->items[i] : NULL;
}

uint32_t
ptrace_variable_n_members(ptrace_variable_t *v)
{

	return module_member_list(v)->count;
}

ptrace_variable_t *
ptrace_variable_member(ptrace_variable_t *v, uint32_t i)
{
	struct variable_list *l = module_member_list(v);

	return i < l->count ? l->items[i] : NULL;
}

const ptrace_variable_t *
ptrace_variable_child(const ptrace_variable_t *v, uint32_t i)
{

	return ptrace_variable_member((ptrace_variable_t *)(uintptr_t)v, i);
}

/* ---- what it is ---- */

static uint32_t
info_kind(const struct snap_variable *v)
{
	switch (v->kind) {
	case SNAP_INT:
	case SNAP_UINT:
	case SNAP_BOOL:
	case SNAP_CHAR:
	case SNAP_ENUM:
		return PTRACE_VARIABLE_NUMBER;
	case SNAP_POINTER:
	case SNAP_FUNCTION:
		return PTRACE_VARIABLE_POINTER;
	case SNAP_STRUCT:
	case SNAP_UNION:
		return PTRACE_VARIABLE_STRUCT;
	case SNAP_STRING:
	case SNAP_ARRAY:
		return PTRACE_VARIABLE_ARRAY;
	default:
		return PTRACE_VARIABLE_OTHER;
	}
}

bool
ptrace_variable_info(const ptrace_variable_t *handle, ptrace_variable_info_t *o)
{
	const struct snap_variable *v = contents(handle);

	if (o->size < offsetof(ptrace_variable_info_t, reserved))
		return false;
	o->kind = info_kind(v);
	o->parameter = (v->flags & SNAP_VAR_PARAMETER) != 0;
	o->has_address = (v->flags & SNAP_VAR_ADDRESS) != 0;
	o->has_value = (v->flags & SNAP_VAR_VALUE) != 0 &&
	    (o->kind == PTRACE_VARIABLE_NUMBER ||
		o->kind == PTRACE_VARIABLE_POINTER);
	o->n_children = v->n_children;
	o->name = v->name;
	o->type = v->type;
	o->address = o->has_address ? v->address : 0;
	o->value = o->has_value ? v->value.u : 0;
	o->length = (v->flags & SNAP_VAR_LENGTH) != 0 ? v->length
	    : v->kind == SNAP_STRING		      ? v->string_size
						      : v->n_children;
	return true;
}

const char *
ptrace_variable_name(const ptrace_variable_t *v)
{

	return v->snap == NULL && v->raw != NULL ? v->raw->name
						 : contents(v)->name;
}

static bool
is_long_double(const char *type)
{

	return strstr(type, "long double") != NULL ||
	    strstr(type, "float128") != NULL;
}

static bool
is_float(const char *type)
{

	return strstr(type, "float") != NULL;
}

enum ptrace_variable_type
module_type_of(const struct snap_variable *v)
{
	switch (v->kind) {
	case SNAP_INT:
		return PTRACE_TYPE_LL;
	case SNAP_CHAR:
		return strstr(v->type, "unsigned") != NULL ? PTRACE_TYPE_ULL
							   : PTRACE_TYPE_LL;
	case SNAP_UINT:
	case SNAP_BOOL:
		return PTRACE_TYPE_ULL;
	case SNAP_FLOAT:
		return is_long_double(v->type) ? PTRACE_TYPE_LDBL
		    : is_float(v->type)	       ? PTRACE_TYPE_FLT
					       : PTRACE_TYPE_DBL;
	case SNAP_COMPLEX:
		return is_long_double(v->type) ? PTRACE_TYPE_CLDBL
		    : is_float(v->type)	       ? PTRACE_TYPE_CFLT
					       : PTRACE_TYPE_CDBL;
	case SNAP_STRING:
		return PTRACE_TYPE_STRING;
	case SNAP_ENUM:
		return PTRACE_TYPE_ENUM;
	case SNAP_STRUCT:
	case SNAP_UNION:
		return PTRACE_TYPE_TUPLE;
	case SNAP_ARRAY:
		return PTRACE_TYPE_ARRAY;
	case SNAP_FUNCTION:
		return PTRACE_TYPE_FN;
	case SNAP_POINTER:
		return (v->flags & SNAP_VAR_VALUE) != 0 ? PTRACE_TYPE_REFERENCE
							: PTRACE_TYPE_BOTTOM;
	default:
		return PTRACE_TYPE_BOTTOM;
	}
}

enum ptrace_variable_type
ptrace_variable_type(const ptrace_variable_t *v)
{

	return module_type_of(contents(v));
}

/* Position behind the qualifiers at the start of a type's name. */
static const char *
skip_words(const char *type, bool kinds)
{
	static const char *const words[] = {
	    "const ", "volatile ", "struct ", "class ", "union ", "enum "};
	size_t n = sizeof(words) / sizeof(*words);

	for (size_t i = 0; i < (kinds ? n : 2); i++) {
		if (strncmp(type, words[i], strlen(words[i])) == 0) {
			type += strlen(words[i]);
			i = (size_t)-1;
		}
	}
	return type;
}

/* How much of the name is left without pointers, references, array bounds and
 * qualifiers at its end. */
static size_t
bare_length(const char *type)
{
	static const char *const ends[] = {" const", " volatile", " restrict"};
	size_t n = strlen(type), before;

	do {
		before = n;
		while (n > 0 && strchr(" *&", type[n - 1]) != NULL)
			n--;
		if (n > 0 && type[n - 1] == ']')
			while (n > 0 && type[--n] != '[')
				;
		for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
			size_t len = strlen(ends[i]);

			if (n > len &&
			    strncmp(type + n - len, ends[i], len) == 0)
				n -= len;
		}
	} while (n != before);
	return n;
}

const char *
module_base_name(struct module_host *host, const char *type)
{
	uint64_t key = (uint64_t)(uintptr_t)type;
	const char *bare = skip_words(type, true), *name;
	uint64_t *place = map_get(&host->base_names, key);

	if (place != NULL)
		return (const char *)(uintptr_t)*place;
	name = snapshot_stringn(host->snapshot, bare, bare_length(bare));
	(void)map_put_ptr(&host->base_names, key, (void *)(uintptr_t)name);
	return name;
}

const char *
ptrace_variable_base_type(const ptrace_variable_t *v)
{

	if (v->raw != NULL)
		return value_base_name(v->raw->r, v->raw->shape);
	return module_base_name(v->host, contents(v)->type);
}

const char *
ptrace_variable_type_name(const ptrace_variable_t *v)
{
	const char *type = v->snap == NULL && v->raw != NULL
	    ? value_shape_name(v->raw->shape)
	    : contents(v)->type;
	static const char *const kinds[] = {
	    "struct ", "class ", "union ", "enum "};
	const char *at = skip_words(type, false);
	size_t n = bare_length(at);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		size_t len = strlen(kinds[i]);

		if (strncmp(at, kinds[i], len) == 0 && n > len)
			return snapshot_printf(v->host->snapshot,
			    "%.*s(%.*s)%s", (int)(len - 1),
			    i == 1 ? "struct" : kinds[i], (int)(n - len),
			    at + len, at + n);
	}
	/* In C++ the word is not written. */
	if ((v->snap == NULL || v->snap->kind == SNAP_STRUCT ||
		v->snap->kind == SNAP_UNION) &&
	    v->raw != NULL &&
	    value_shape_kind(value_shape_base(v->raw->r, v->raw->shape)) ==
		VALUE_RAW_STRUCT)
		return snapshot_printf(
		    v->host->snapshot, "struct(%.*s)%s", (int)n, at, at + n);
	if (v->snap != NULL && v->snap->kind == SNAP_STRUCT)
		return snapshot_printf(
		    v->host->snapshot, "struct(%.*s)%s", (int)n, at, at + n);
	return type;
}

bool
ptrace_variable_address(const ptrace_variable_t *v, bt_addr_t *out)
{
	const struct snap_variable *s;

	if (v->snap == NULL && v->raw != NULL) {
		*out = v->raw->address;
		return v->raw->in_memory;
	}
	s = contents(v);
	*out = s->address;
	return (s->flags & SNAP_VAR_ADDRESS) != 0;
}

/* ---- what it holds ---- */

const char *
ptrace_variable_symbol(const ptrace_variable_t *v)
{
	const struct snap_variable *s = contents(v);

	if ((s->flags & SNAP_VAR_STRING) != 0 &&
	    (s->flags & SNAP_VAR_SUMMARY) == 0)
		return s->string;
	if (s->kind != SNAP_POINTER || (s->flags & SNAP_VAR_VALUE) == 0 ||
	    s->value.u == 0)
		return NULL;
	return pmodule_address_symbol(&v->host->backtrace, s->value.u);
}

bool
ptrace_variable_ull(const ptrace_variable_t *v, uint64_t *out)
{
	const struct snap_variable *s = contents(v);

	if ((s->flags & SNAP_VAR_VALUE) == 0 || s->number != NULL)
		return false;
	switch (s->kind) {
	case SNAP_INT:
	case SNAP_UINT:
	case SNAP_BOOL:
	case SNAP_CHAR:
	case SNAP_ENUM:
	case SNAP_POINTER:
	case SNAP_FUNCTION:
		*out = s->value.u;
		return true;
	default:
		return false;
	}
}

bool
ptrace_variable_dbl(const ptrace_variable_t *v, double *real, double *imaginary)
{
	const struct snap_variable *s = contents(v);

	if ((s->flags & SNAP_VAR_VALUE) == 0 ||
	    (s->kind != SNAP_FLOAT && s->kind != SNAP_COMPLEX))
		return false;
	*real = s->kind == SNAP_FLOAT ? s->value.f : s->value.complex_parts[0];
	if (imaginary != NULL)
		*imaginary = s->kind == SNAP_COMPLEX ? s->value.complex_parts[1]
						     : 0;
	return true;
}

bool
ptrace_variable_resolved(const ptrace_variable_t *v)
{

	return contents(v)->kind != SNAP_UNAVAILABLE;
}

bool
ptrace_variable_is_string(const ptrace_variable_t *v)
{
	const struct snap_variable *s = contents(v);

	return (s->flags & SNAP_VAR_STRING) != 0 &&
	    (s->flags & SNAP_VAR_SUMMARY) == 0 &&
	    (s->kind == SNAP_STRING || s->kind == SNAP_POINTER);
}

/* ---- where it belongs ---- */

int
ptrace_variable_fprm_offset(const ptrace_variable_t *v)
{
	struct variable_list *l;
	int n = 0;

	if (v->frame == NULL || v->owner != NULL ||
	    (contents(v)->flags & SNAP_VAR_PARAMETER) == 0)
		return -1;
	l = module_frame_list(v->frame);
	for (uint32_t i = 0; i < l->count; i++) {
		if (l->items[i] == v)
			return n;
		n += (contents(l->items[i])->flags & SNAP_VAR_PARAMETER) != 0;
	}
	return -1;
}

ptrace_variable_t *
ptrace_variable_owner(const ptrace_variable_t *v)
{

	return v->owner;
}

ptrace_frame_t *
pmodule_variable_frame(const ptrace_variable_t *v)
{

	return v->frame;
}

ptrace_thread_t *
ptrace_variable_thread(const ptrace_variable_t *v)
{

	return v->frame != NULL ? v->frame->thread : NULL;
}

ptrace_backtrace_t *
ptrace_variable_backtrace(const ptrace_variable_t *v)
{

	return &v->host->backtrace;
}

unsigned
pmodule_variable_depth(const ptrace_variable_t *v)
{

	return v->depth;
}

unsigned
pmodule_variable_state(const ptrace_variable_t *v)
{

	return v->state;
}

void
pmodule_variable_state_set(ptrace_variable_t *v, unsigned state)
{
	for (ptrace_variable_t *at = v; at != NULL; at = at->owner)
		at->members.dirty = true;
	if (v->frame != NULL)
		v->frame->variables.dirty = true;
	v->state = state;
}
