/* SPDX-License-Identifier: MIT */
/*
 * What modules add and change. Additions live in the handles' lists while
 * callbacks run, so that every handle stays valid; module_commit writes the
 * lists that differ into the snapshot, once, at the end.
 */
#include "base/text.h"
#include "module/module_private.h"

/* ---- values ---- */

/* The contents, to be given a new value; NULL for a read-only view. What it
 * had of its own goes. */
static struct snap_variable *
begin_set(ptrace_variable_t *v, enum snap_kind kind)
{
	struct snap_variable *s = v->view ? NULL : v->snap;

	if (s == NULL || module_may_add(v->host) == false)
		return NULL;
	s->kind = (uint8_t)kind;
	s->flags &= SNAP_VAR_PARAMETER | SNAP_VAR_ADDRESS | SNAP_VAR_BASE |
	    SNAP_VAR_HEAP;
	s->value.u = 0;
	s->number = s->string = s->reason = NULL;
	s->string_size = 0;
	s->object = 0;
	v->set = true;
	v->host->changed = true;
	return s;
}

static void
put_text(ptrace_variable_t *v, const char *text, size_t size)
{
	enum { TEXT_MAX = 64 * 1024 };
	size_t kept = size < TEXT_MAX ? size : TEXT_MAX;
	char *copy = arena_strndup(&v->host->snapshot->arena, text, kept);

	if (copy == NULL)
		return;
	v->snap->string = copy;
	v->snap->string_size = (uint32_t)kept;
	v->snap->flags |= SNAP_VAR_STRING;
	if (kept < size) {
		v->snap->flags |= SNAP_VAR_TRUNCATED | SNAP_VAR_LENGTH;
		v->snap->length = size;
	}
}

/* What has members of the program's keeps its kind: the text stands for them
 * (formats/ shows it instead), and they are there for who wants them. */
static enum snap_kind
kind_of_text(const ptrace_variable_t *v)
{
	const struct snap_variable *s = v->snap;

	if (s != NULL && s->n_children != 0 &&
	    (s->kind == SNAP_STRUCT || s->kind == SNAP_UNION ||
		s->kind == SNAP_ARRAY))
		return (enum snap_kind)s->kind;
	return SNAP_STRING;
}

bool
pmodule_variable_set_text(ptrace_variable_t *v, const char *text, size_t size)
{

	if (begin_set(v, kind_of_text(v)) == NULL)
		return false;
	put_text(v, text, size);
	return true;
}

bool
pmodule_variable_set_string(ptrace_variable_t *v, char *text)
{
	bool done = text != NULL &&
	    pmodule_variable_set_text(v, text, strlen(text));

	free(text);
	return done;
}

bool
pmodule_variable_set_struct(ptrace_variable_t *v)
{

	return begin_set(v, SNAP_STRUCT) != NULL;
}

bool
pmodule_variable_set_array(ptrace_variable_t *v)
{

	return begin_set(v, SNAP_ARRAY) != NULL;
}

static bool
set_number(ptrace_variable_t *v, enum snap_kind kind, uint64_t value,
    const char *symbol)
{
	struct snap_variable *s = begin_set(v, kind);

	if (s == NULL)
		return false;
	s->value.u = value;
	s->flags |= SNAP_VAR_VALUE;
	if (symbol != NULL)
		put_text(v, symbol, strlen(symbol));
	return true;
}

/* Its value is where it is: of a variable without an address, nothing. */
bool
pmodule_variable_set_function(ptrace_variable_t *v, const char *symbol)
{
	uint64_t address = v->snap != NULL ? v->snap->address : 0;

	if (set_number(v, SNAP_FUNCTION, address, symbol) == false)
		return false;
	if ((v->snap->flags & SNAP_VAR_ADDRESS) == 0)
		v->snap->flags &= ~(unsigned)SNAP_VAR_VALUE;
	return true;
}

bool
pmodule_variable_set_enum(
    ptrace_variable_t *v, int64_t value, const char *symbol)
{

	return set_number(v, SNAP_ENUM, (uint64_t)value, symbol);
}

bool
pmodule_variable_set_ref(
    ptrace_variable_t *v, bt_addr_t value, const char *symbol)
{

	return set_number(v, SNAP_POINTER, value, symbol);
}

bool
pmodule_variable_set_bool(ptrace_variable_t *v, bool value)
{

	return set_number(v, SNAP_BOOL, value, NULL);
}

bool
pmodule_variable_set_ull(ptrace_variable_t *v, uint64_t value)
{

	return set_number(v, SNAP_UINT, value, NULL);
}

bool
pmodule_variable_set_ll(ptrace_variable_t *v, int64_t value)
{

	return set_number(v, SNAP_INT, (uint64_t)value, NULL);
}

bool
pmodule_variable_set_dbl(ptrace_variable_t *v, double value)
{
	struct snap_variable *s = begin_set(v, SNAP_FLOAT);

	if (s == NULL)
		return false;
	s->value.f = value;
	s->flags |= SNAP_VAR_VALUE;
	return true;
}

bool
pmodule_variable_set_cdbl(ptrace_variable_t *v, double re, double im)
{
	struct snap_variable *s = begin_set(v, SNAP_COMPLEX);

	if (s == NULL)
		return false;
	s->value.complex_parts[0] = re;
	s->value.complex_parts[1] = im;
	s->flags |= SNAP_VAR_VALUE;
	return true;
}

/* ---- new variables ---- */

ptrace_variable_t *
module_variable_make(struct module_host *host, const char *type,
    const char *name, bt_addr_t address, int64_t offset,
    ptrace_variable_t *owner)
{
	ptrace_variable_t *v;

	if (module_may_add(host) == false ||
	    (owner != NULL && (owner->view || owner->depth >= SNAP_MAX_DEPTH)))
		return NULL;
	v = ARENA_NEW(&host->arena, struct ptrace_variable);
	if (v == NULL)
		return NULL;
	v->snap = ARENA_NEW(&host->arena, struct snap_variable);
	if (v->snap == NULL)
		return NULL;
	v->host = host;
	v->owner = owner;
	v->frame = owner != NULL ? owner->frame : NULL;
	v->depth = owner != NULL ? owner->depth + 1 : 0;
	v->offset = offset;
	v->own = true;
	v->snap->name = snapshot_string(host->snapshot, name);
	v->snap->type = snapshot_string(host->snapshot, type);
	v->snap->kind = SNAP_UNAVAILABLE;
	v->snap->reason = "no value";
	if (address != 0) {
		v->snap->address = address;
		v->snap->flags |= SNAP_VAR_ADDRESS;
	}
	return v;
}

ptrace_variable_t *
pmodule_variable_new(ptrace_backtrace_t *bt, const char *type, const char *name,
    bt_addr_t address, int64_t offset)
{

	return module_variable_make(
	    bt->host, type, name, address, offset, NULL);
}

ptrace_variable_t *
pmodule_variable_create(const char *type, const char *name, bt_addr_t address,
    int64_t offset, ptrace_variable_t *owner)
{

	return owner != NULL ? module_variable_make(owner->host, type, name,
				   address, offset, owner)
			     : NULL;
}

ptrace_variable_t *
pmodule_ptrace_variable_create(
    ptrace_variable_t *owner, unsigned depth, int64_t offset)
{
	ptrace_variable_t *v;

	if (owner == NULL)
		return NULL;
	/* A depth that is not below the owner's is beside it. */
	while (owner != NULL && depth <= owner->depth && owner->owner != NULL)
		owner = owner->owner;
	v = module_variable_make(owner->host, NULL, NULL, 0, offset,
	    depth > owner->depth ? owner : NULL);
	if (v != NULL)
		v->frame = owner->frame;
	return v;
}

bool
pmodule_variable_value(ptrace_variable_t *v, bt_variable_t *raw, bool deep)
{
	const struct value_raw *from = module_raw(raw);
	struct snap_variable *s, value;

	if (v == NULL || v->view || v->snap == NULL || from == NULL ||
	    module_may_add(v->host) == false)
		return false;
	value_raw_fill(from, &value);
	s = v->snap;
	if (deep == false) {
		value.n_children = 0;
		value.children = NULL;
	}
	value.flags |= s->flags & SNAP_VAR_PARAMETER;
	value.annotations = s->annotations;
	if (s->name[0] != '\0')
		value.name = s->name;
	else /* elements have no name */
		value.name = snapshot_string(
		    v->host->snapshot, v->offset < 0 ? raw->name : "");
	if (s->type[0] != '\0')
		value.type = s->type;
	*s = value;
	v->raw = arena_alloc(&v->host->arena, sizeof(*v->raw));
	if (v->raw != NULL)
		*v->raw = *from;
	v->members = (struct variable_list){0};
	v->set = true;
	v->host->changed = true;
	return value.kind != SNAP_UNAVAILABLE;
}

/* ---- into lists ---- */

static bool
list_insert(struct module_host *host, struct variable_list *l, uint32_t at,
    ptrace_variable_t *v)
{
	if (l->count == l->room) {
		uint32_t room = l->room < 8 ? 16 : l->room * 2;
		ptrace_variable_t **items = arena_array(
		    &host->arena, room, sizeof(*items));

		if (items == NULL)
			return false;
		if (l->count != 0)
			memcpy(items, l->items, l->count * sizeof(*items));
		l->items = items;
		l->room = room;
	}
	for (uint32_t i = l->count; i > at; i--)
		l->items[i] = l->items[i - 1];
	l->items[at] = v;
	l->count++;
	l->dirty = true;
	v->added = true;
	host->changed = true;
	return true;
}

/* Whatever holds a changed list has to be written too. */
static void
mark_owners(ptrace_variable_t *v)
{
	for (ptrace_variable_t *at = v->owner; at != NULL; at = at->owner)
		at->members.dirty = true;
	if (v->frame != NULL)
		v->frame->variables.dirty = true;
	v->host->changed = true;
}

/* Something with members shows them. */
static void
open_owner(ptrace_variable_t *owner, const ptrace_variable_t *v)
{
	struct snap_variable *s = owner->snap;

	if (s->kind == SNAP_UNAVAILABLE && owner->own) {
		s->kind = v->offset >= 0 ? SNAP_ARRAY : SNAP_STRUCT;
		s->reason = NULL;
	}
}

bool
module_list_add(ptrace_variable_t *owner, ptrace_variable_t *v)
{
	struct variable_list *l = module_member_list(owner);

	if (list_insert(v->host, l, l->count, v) == false)
		return false;
	open_owner(owner, v);
	mark_owners(v);
	return true;
}

static bool
add_variable(ptrace_frame_t *f, ptrace_variable_t *v, bool after)
{
	struct variable_list *l;

	if (v->owner != NULL)
		return module_list_add(v->owner, v);
	if (f == NULL)
		return false;
	v->frame = f;
	l = module_frame_list(f);
	return list_insert(v->host, l, after ? 0 : l->count, v);
}

bool
pmodule_frame_add_variable(
    ptrace_frame_t *f, ptrace_variable_t *v, bool insert_after)
{

	return v != NULL && v->own && v->added == false && v->view == false &&
	    add_variable(f, v, insert_after);
}

/* ---- frames ---- */

static const struct snap_location *
empty_location(struct module_host *host)
{
	struct snap_location like = {.symbol = "",
	    .linkage_name = "",
	    .object = "",
	    .object_path = "",
	    .path = ""};

	return snapshot_location(host->snapshot, &like);
}

ptrace_frame_t *
pmodule_frame_create(ptrace_backtrace_t *bt)
{
	struct module_host *host = bt->host;
	ptrace_frame_t *f;

	if (module_may_add(host) == false)
		return NULL;
	f = ARENA_NEW(&host->arena, struct ptrace_frame);
	if (f == NULL)
		return NULL;
	f->own = ARENA_NEW(&host->arena, struct snap_frame);
	if (f->own == NULL)
		return NULL;
	f->host = host;
	f->has_decl_line = true;
	f->own->location = empty_location(host);
	f->own->trust = "module";
	f->own->variables_collected = true;
	return f;
}

static bool
relocate(ptrace_frame_t *f, const struct snap_location *like)
{

	module_snap_frame(f)->location = snapshot_location(
	    f->host->snapshot, like);
	f->host->changed = true;
	return true;
}

bool
pmodule_frame_set_symbol(ptrace_frame_t *f, const char *symbol)
{
	struct snap_location l = *module_snap_frame(f)->location;

	if (symbol == NULL)
		return false;
	l.symbol = symbol;
	l.linkage_name = "";
	return relocate(f, &l);
}

bool
pmodule_frame_set_object(ptrace_frame_t *f, const char *object)
{
	struct snap_location l = *module_snap_frame(f)->location;

	if (object == NULL)
		return false;
	l.object = l.object_path = object;
	return relocate(f, &l);
}

bool
pmodule_frame_set_path(ptrace_frame_t *f, const char *path)
{
	struct snap_location l = *module_snap_frame(f)->location;

	if (path == NULL)
		return false;
	l.path = path;
	return relocate(f, &l);
}

bool
pmodule_frame_set_basename(ptrace_frame_t *f, const char *name)
{
	const char *path = module_snap_frame(f)->location->path;
	int n = (int)(text_basename(path) - path);

	return name != NULL &&
	    pmodule_frame_set_path(
		f, snapshot_printf(f->host->snapshot, "%.*s%s", n, path, name));
}

bool
pmodule_frame_set_directory(ptrace_frame_t *f, const char *directory)
{
	const char *path = module_snap_frame(f)->location->path;
	size_t n = directory != NULL ? strlen(directory) : 0;

	return n != 0 &&
	    pmodule_frame_set_path(f,
		snapshot_printf(f->host->snapshot, "%s%s%s", directory,
		    directory[n - 1] == '/' ? "" : "/", text_basename(path)));
}

bool
pmodule_frame_set_line(ptrace_frame_t *f, uint32_t line)
{
	struct snap_location l = *module_snap_frame(f)->location;

	l.line = line;
	return relocate(f, &l);
}

bool
pmodule_frame_set_decl_line(ptrace_frame_t *f, uint32_t line)
{

	f->has_decl_line = true;
	f->decl_line = line;
	return true;
}

bool
pmodule_thread_set_name(ptrace_thread_t *t, const char *name)
{

	if (name == NULL)
		return false;
	module_snap_thread(t)->name = snapshot_string(t->host->snapshot, name);
	t->host->changed = true;
	return true;
}

/* ---- into the snapshot ---- */

static bool
is_skipped(const ptrace_variable_t *v)
{

	return v != NULL && (v->state & PTRACE_VARIABLE_S_SKIP) != 0;
}

static void commit_list(struct module_host *host,
    const ptrace_variable_t *owner, struct variable_list *l,
    struct snap_variable **array, uint32_t *count);

/* A text with members that a module made is both. */
static void
open_text(ptrace_variable_t *v)
{
	struct snap_variable *s = v->snap;

	if (v->set == false || (s->flags & SNAP_VAR_STRING) == 0 ||
	    (s->flags & SNAP_VAR_SUMMARY) != 0 ||
	    (s->kind != SNAP_STRUCT && s->kind != SNAP_UNION &&
		s->kind != SNAP_ARRAY))
		return;
	for (uint32_t i = 0; v->members.made && i < v->members.count; i++)
		if (v->members.items[i]->own)
			s->kind = SNAP_STRING;
}

/* Its members, then itself; false: it is not shown. */
static bool
commit_variable(
    struct module_host *host, ptrace_variable_t *v, struct snap_variable *out)
{
	struct snap_variable *s = v->snap;

	if (is_skipped(v) && v->members.made == false) {
		s->children = NULL;
		s->n_children = 0;
	} else {
		commit_list(host, v, &v->members, &s->children, &s->n_children);
	}
	if (is_skipped(v) && v->set == false && s->n_children == 0)
		return false;
	open_text(v);
	*out = *s;
	v->snap = out;
	return true;
}

/* The snapshot's array for a list; recursion is as deep as variables are. */
static void
commit_list(struct module_host *host, const ptrace_variable_t *owner,
    struct variable_list *l, struct snap_variable **array, uint32_t *count)
{
	struct snap_variable *out;
	uint32_t n = 0;

	if (l->made == false || l->dirty == false)
		return;
	out = arena_array(&host->snapshot->arena, l->count, sizeof(*out));
	if (out == NULL)
		return;
	for (uint32_t i = 0; i < l->count; i++)
		if ((is_skipped(owner) == false || l->items[i]->own) &&
		    commit_variable(host, l->items[i], &out[n]))
			n++;
	*array = out;
	*count = n;
	l->dirty = false;
}

static void
commit_frame(struct module_host *host, ptrace_frame_t *f)
{
	struct snap_frame *s = module_snap_frame(f);

	commit_list(host, NULL, &f->variables, &s->variables, &s->n_variables);
}

/* Findings speak of frames by number. */
static void
renumber(struct module_host *host, const ptrace_thread_t *t,
    ptrace_frame_t *const *order)
{
	struct snapshot *s = host->snapshot;
	uint32_t tid = module_snap_thread(t)->tid;
	uint32_t n = module_snap_thread(t)->n_frames;
	uint32_t *now = arena_array(&host->arena, (size_t)n + 1, sizeof(*now));

	if (now == NULL)
		return;
	for (uint32_t i = 0; i < t->n_order; i++)
		if (order[i]->own == NULL)
			now[order[i]->index] = i;
	for (size_t i = 0; i < s->findings.count; i++) {
		struct snap_finding *f = &s->findings.items[i];

		if (f->tid == tid && f->frame < n)
			f->frame = now[f->frame];
	}
	if (s->fault.present && s->fault.tid == tid && s->fault.frame < n)
		s->fault.frame = now[s->fault.frame];
}

static void
commit_thread(struct module_host *host, ptrace_thread_t *t)
{
	ptrace_frame_t **order = module_frame_order(t);
	struct snap_thread *s = module_snap_thread(t);
	struct snap_frame *out;

	for (uint32_t i = 0; order == NULL && i < t->frames_end; i++)
		if (t->frames[i].thread != NULL)
			commit_frame(host, &t->frames[i]);
	if (order == NULL)
		return;
	for (uint32_t i = 0; i < t->n_order; i++)
		commit_frame(host, order[i]);
	out = arena_array(&host->snapshot->arena, t->n_order, sizeof(*out));
	if (out == NULL)
		return;
	renumber(host, t, order);
	for (uint32_t i = 0; i < t->n_order; i++)
		out[i] = *module_snap_frame(order[i]);
	for (uint32_t i = 0; i < t->n_order; i++) {
		order[i]->index = i;
		order[i]->own = NULL;
	}
	s->frames = out;
	s->n_frames = t->n_order;
}

void
module_commit(struct module_host *host)
{

	if (host->changed == false)
		return;
	for (uint32_t i = 0; i < host->n_threads; i++)
		commit_thread(host, &host->threads[i]);
	for (size_t i = 0; i < host->others.count; i++) {
		ptrace_variable_t *v = host->others.items[i];
		struct snap_variable *place = v->snap, out;

		/* Globals and objects stay where they are. */
		(void)commit_variable(host, v, &out);
		*place = *v->snap;
		v->snap = place;
	}
}
