/* SPDX-License-Identifier: MIT */
/* Reading `modules`, `variables`, `objects`, `memory`, `resources`. */
#include "formats/btt_read.h"

static bool
get_modules(struct btt_input *in)
{
	struct mp_fields f = btt_table(in, "modules");
	size_t n = btt_count(in, &f);
	struct mp_reader path = mp_reader_exact(&f, "path", n),
			 build_id = mp_reader_exact(&f, "build_id", n),
			 start = mp_reader_exact(&f, "start", n),
			 size = mp_reader_exact(&f, "size", n),
			 debug = mp_reader_exact(&f, "debug", n),
			 debug_path = mp_reader_exact(&f, "debug_path", n);
	uint64_t end = 0;

	if (!mp_reader_ok(&build_id))
		return btt_bad(in, "a column does not fit its table");
	for (size_t i = 0; i < n && in->bad == NULL; i++) {
		struct snap_module *m = vec_push(&in->s->modules);

		if (m == NULL)
			return btt_bad(in, "it does not fit into memory");
		m->path = btt_text(in, mp_next(&path));
		m->build_id = build_id.absent ? ""
					      : btt_read_hex(in, &build_id.v);
		m->start = end + mp_next(&start);
		m->end = end = m->start + mp_next(&size);
		m->debug = btt_text(in, mp_next(&debug));
		m->debug_path = btt_text(in, mp_next(&debug_path));
	}
	btt_done(in, &path);
	btt_done(in, &start);
	btt_done(in, &size);
	btt_done(in, &debug);
	btt_done(in, &debug_path);
	return in->bad == NULL;
}

static void
get_perms(struct btt_input *in, struct mp_reader *r, char out[5])
{
	struct view ahead = r->v;
	struct mp_value value;

	if (r->absent) {
		btt_perms_text(0, out);
		return;
	}
	if (!mp_read(&ahead, &value)) {
		btt_bad(in, "permissions are damaged");
		return;
	}
	r->v = ahead;
	if (value.type == MP_UINT) {
		btt_perms_text((unsigned)value.as.u, out);
	} else if (value.type == MP_STR || value.type == MP_BIN) {
		memset(out, 0, 5);
		memcpy(
		    out, value.data, value.size < 4 ? (size_t)value.size : 4);
	} else {
		btt_bad(in, "permissions are damaged");
	}
}

static bool
get_mappings(struct btt_input *in)
{
	struct mp_fields f = btt_table(in, "mappings");
	size_t n = btt_count(in, &f);
	struct mp_reader start = mp_reader_exact(&f, "start", n),
			 size = mp_reader_exact(&f, "size", n),
			 offset = mp_reader_exact(&f, "offset", n),
			 perms = mp_reader_exact(&f, "perms", n),
			 path = mp_reader_exact(&f, "path", n);
	struct view v = mp_field(&f, "unit");
	uint64_t unit = view_ok(&v) ? mp_read_uint(&v) : 1;
	uint64_t end = 0, following = 0;
	const char *last = "";

	if (!mp_reader_ok(&perms))
		return btt_bad(in, "a column does not fit its table");
	for (size_t i = 0; i < n && in->bad == NULL; i++) {
		struct snap_mapping *m = vec_push(&in->s->mappings);

		if (m == NULL)
			return btt_bad(in, "it does not fit into memory");
		m->path = btt_text(in, mp_next(&path));
		m->start = end + mp_next(&start) * unit;
		m->end = end = m->start + mp_next(&size) * unit;
		m->offset = mp_next(&offset) * unit;
		if (m->path[0] != '\0' && strcmp(m->path, last) == 0)
			m->offset += following;
		get_perms(in, &perms, m->perms);
		following = m->offset + (m->end - m->start);
		last = m->path;
	}
	btt_done(in, &start);
	btt_done(in, &size);
	btt_done(in, &offset);
	btt_done(in, &path);
	return in->bad == NULL;
}

bool
btt_get_modules(struct btt_input *in)
{
	size_t modules = in->s->modules.count;
	size_t mappings = in->s->mappings.count;

	if (get_modules(in) && get_mappings(in))
		return true;
	in->s->modules.count = modules;
	in->s->mappings.count = mappings;
	return false;
}

/* ---- variables ---- */

static size_t
count_frames(const struct snapshot *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->threads.count; i++)
		n += s->threads.items[i].n_frames;
	return n;
}

/* The lists of all frames, thread by thread in file order. */
static bool
get_frame_lists(struct btt_input *in, const uint32_t *order,
    const struct btt_sequences *stacks, struct btt_tree *trees)
{
	const struct snapshot *s = in->s;
	struct view v = mp_field(&in->fields, "thread_count");
	struct mp_reader threads;

	if (mp_read_uint(&v) != s->threads.count || !view_ok(&v))
		return btt_bad(in, "the threads it belongs to were not read");
	threads = mp_reader_exact(&in->fields, "threads", s->threads.count);
	for (size_t i = 0; i < s->threads.count; i++) {
		uint64_t stack = mp_next(&threads);
		uint32_t n = s->threads.items[order[i]].n_frames;

		if (stack >= stacks->count ||
		    stacks->starts[stack + 1] - stacks->starts[stack] != n)
			return btt_bad(in, "its stacks are not the threads'");
		for (uint32_t k = 0; k < n; k++)
			(trees++)->list =
			    (uint32_t)
				stacks->columns[0][stacks->starts[stack] + k];
	}
	btt_done(in, &threads);
	return in->bad == NULL;
}

static void
hang_variables(
    struct snapshot *s, const uint32_t *order, const struct btt_tree *trees)
{
	for (size_t i = 0; i < s->threads.count; i++) {
		struct snap_thread *t = &s->threads.items[order[i]];

		for (uint32_t k = 0; k < t->n_frames; k++, trees++) {
			t->frames[k].variables = trees->variables;
			t->frames[k].n_variables = trees->count;
			t->frames[k].variables_collected = trees->list != 0;
		}
	}
}

bool
btt_get_variables(struct btt_input *in)
{
	size_t count = count_frames(in->s);
	struct btt_tree *trees = calloc(count + 1, sizeof(*trees));
	uint32_t *order = btt_thread_order(
	    in->s->threads.items, in->s->threads.count);
	struct btt_sequences stacks = {0};
	bool ok = trees != NULL && order != NULL;

	if (!ok)
		btt_bad(in, "there is no memory for it");
	ok = ok &&
	    btt_read_sequences(
		in, "stacks", (const char *const[]){"list"}, 1, &stacks) &&
	    get_frame_lists(in, order, &stacks, trees) &&
	    btt_get_values(in, trees, count);
	if (ok)
		hang_variables(in->s, order, trees);
	btt_free_sequences(&stacks);
	free(trees);
	free(order);
	return ok;
}

/* ---- objects ---- */

static bool
hang_objects(struct btt_input *in, const struct btt_tree *trees, size_t n_trees)
{
	struct snapshot *s = in->s;

	for (uint32_t i = 0; i < trees[0].count; i++) {
		struct snap_variable *v = vec_push(&s->globals);

		if (v == NULL)
			return btt_bad(in, "it does not fit into memory");
		*v = trees[0].variables[i];
	}
	for (size_t i = 1; i < n_trees; i++) {
		struct snap_object *o;

		if (trees[i].count != 1)
			return btt_bad(in, "an object is damaged");
		o = vec_push(&s->objects);
		if (o == NULL)
			return btt_bad(in, "it does not fit into memory");
		o->id = s->objects.count;
		o->variable = trees[i].variables[0];
		o->key_address = o->variable.address;
		o->key_type = o->variable.type;
	}
	return true;
}

bool
btt_get_objects(struct btt_input *in)
{
	struct mp_reader roots = mp_reader_of(&in->fields, "roots");
	size_t n = roots.left;
	struct btt_tree *trees;
	bool ok;

	if (roots.absent || !mp_reader_ok(&roots) || n == 0)
		return btt_bad(in, "it has no roots");
	trees = calloc(n, sizeof(*trees));
	if (trees == NULL)
		return btt_bad(in, "there is no memory for it");
	for (size_t i = 0; i < n; i++)
		trees[i].list = (uint32_t)mp_next(&roots);
	btt_done(in, &roots);
	ok = in->bad == NULL && btt_get_values(in, trees, n) &&
	    hang_objects(in, trees, n);
	if (!ok)
		in->s->globals.count = in->s->objects.count = 0;
	free(trees);
	return ok;
}

/* ---- memory and resources ---- */

/* The next bin of a column, copied into the arena. */
static const uint8_t *
next_data(struct btt_input *in, struct mp_reader *r, size_t *size)
{
	const char *data;
	char *copy;

	*size = 0;
	if (r->absent || r->left == 0) {
		btt_bad(in, "a column does not fit its table");
		return NULL;
	}
	r->left--;
	data = mp_read_text(&r->v, size);
	if (data == NULL) {
		btt_bad(in, "its data is damaged");
		return NULL;
	}
	copy = arena_strndup(&in->s->arena, data, *size);
	if (copy == NULL)
		btt_bad(in, "it does not fit into memory");
	return (const uint8_t *)copy;
}

static const char *
next_name(struct btt_input *in, struct mp_reader *r)
{
	if (r->absent || r->left == 0) {
		btt_bad(in, "a column does not fit its table");
		return "";
	}
	r->left--;
	return btt_read_text(in, &r->v);
}

bool
btt_get_memory(struct btt_input *in)
{
	size_t n = btt_count(in, &in->fields), before = in->s->memory.count;
	struct mp_reader address = mp_reader_exact(&in->fields, "address", n),
			 why = mp_reader_exact(&in->fields, "why", n),
			 data = mp_reader_exact(&in->fields, "data", n);
	uint64_t end = 0;

	for (size_t i = 0; i < n && in->bad == NULL; i++) {
		struct snap_memory *m = vec_push(&in->s->memory);
		size_t size;

		if (m == NULL)
			return btt_bad(in, "it does not fit into memory");
		m->address = end + mp_next(&address);
		m->why = next_name(in, &why);
		m->data = next_data(in, &data, &size);
		m->size = (uint32_t)size;
		end = m->address + size;
	}
	btt_done(in, &address);
	if (in->bad != NULL)
		in->s->memory.count = before;
	return in->bad == NULL;
}

bool
btt_get_resources(struct btt_input *in)
{
	size_t n = btt_count(in, &in->fields), before = in->s->resources.count;
	struct mp_reader name = mp_reader_exact(&in->fields, "name", n),
			 data = mp_reader_exact(&in->fields, "data", n),
			 cut = mp_reader_exact(&in->fields, "truncated", n);

	for (size_t i = 0; i < n && in->bad == NULL; i++) {
		struct snap_resource *r = vec_push(&in->s->resources);
		size_t size;

		if (r == NULL)
			return btt_bad(in, "it does not fit into memory");
		r->name = next_name(in, &name);
		r->data = next_data(in, &data, &size);
		r->size = size;
		r->truncated = mp_next(&cut) != 0;
	}
	btt_done(in, &cut);
	if (in->bad != NULL)
		in->s->resources.count = before;
	return in->bad == NULL;
}
