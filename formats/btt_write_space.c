/* SPDX-License-Identifier: MIT */
/*
 * The sections `modules` (with mappings), `variables`, `objects`, `memory`,
 * `resources`. A mapping mostly begins where the one before ends, and maps its
 * file from where the one before stopped: both differences are then 0. Where
 * all numbers are whole pages they are counted in pages ("unit").
 */
#include "formats/btt_write.h"

static void
put_modules(const struct snapshot *s, struct texts *texts, struct mp_table *out)
{
	struct mp_column path, build_id, start, size, debug, debug_path;
	struct mp_column *all[] = {
	    &path, &build_id, &start, &size, &debug, &debug_path};
	static const char *const keys[] = {
	    "path", "build_id", "start", "size", "debug", "debug_path"};
	struct mp_table t;
	uint64_t end = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		mp_column_init(all[i]);
	for (size_t i = 0; i < s->modules.count; i++) {
		const struct snap_module *m = &s->modules.items[i];

		mp_column_uint(&path, texts_id(texts, m->path));
		btt_put_hex(mp_column_next(&build_id),
		    m->build_id != NULL ? m->build_id : "");
		mp_column_int(&start, (int64_t)(m->start - end));
		mp_column_int(&size, (int64_t)(m->end - m->start));
		mp_column_uint(&debug, texts_id(texts, m->debug));
		mp_column_uint(&debug_path, texts_id(texts, m->debug_path));
		end = m->end;
	}
	mp_table_init(&t);
	mp_uint(mp_table_key(&t, "count"), s->modules.count);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		mp_column_end(all[i], &t, keys[i]);
	mp_table_end(&t, mp_table_key(out, "modules"));
}

/* False: none of the 16 usual texts. */
static inline bool
perms_bits(const char perms[5], unsigned *bits)
{
	static const char usual[16][5] = {"---p", "r--p", "-w-p", "rw-p",
	    "--xp", "r-xp", "-wxp", "rwxp", "---s", "r--s", "-w-s", "rw-s",
	    "--xs", "r-xs", "-wxs", "rwxs"};

	*bits = (perms[0] == 'r' ? 1u : 0) | (perms[1] == 'w' ? 2u : 0) |
	    (perms[2] == 'x' ? 4u : 0) | (perms[3] == 's' ? 8u : 0);
	return memcmp(usual[*bits], perms, sizeof(usual[0])) == 0;
}

void
btt_perms_text(unsigned bits, char out[5])
{
	out[0] = bits & 1 ? 'r' : '-';
	out[1] = bits & 2 ? 'w' : '-';
	out[2] = bits & 4 ? 'x' : '-';
	out[3] = bits & 8 ? 's' : 'p';
	out[4] = '\0';
}

/* The bits of "rwxs"; when some are unusual, those as text. */
static void
put_perms(const struct snapshot *s, struct mp_column *out)
{
	size_t n = s->mappings.count, i = 0;
	struct mp_run run;
	unsigned bits;

	if (!mp_run_begin(&run, out, n))
		return; /* the column has failed */
	for (; i < n && perms_bits(s->mappings.items[i].perms, &bits); i++)
		mp_run_int(&run, bits);
	mp_run_end(&run, i);
	for (; i < n; i++) {
		const char *perms = s->mappings.items[i].perms;

		if (perms_bits(perms, &bits))
			mp_column_uint(out, bits);
		else
			mp_text(mp_column_next(out), perms, strnlen(perms, 5));
	}
}

static uint64_t
mapping_unit(const struct snapshot *s)
{
	uint64_t all = 0;

	for (size_t i = 0; i < s->mappings.count; i++) {
		const struct snap_mapping *m = &s->mappings.items[i];

		all |= m->start | m->end | m->offset;
	}
	return (all & 4095) == 0 ? 4096 : 1;
}

/* A difference of multiples of the unit, divided exactly: the sign must
 * survive, so this is a shift of signed numbers. */
static void
put_units(struct mp_run *r, uint64_t difference, unsigned unit_bits)
{
	mp_run_int(r, (int64_t)difference >> unit_bits);
}

static void
put_mappings(
    const struct snapshot *s, struct texts *texts, struct mp_table *out)
{
	struct mp_column start, size, offset, perms, path;
	struct mp_column *all[] = {&start, &size, &offset, &perms, &path};
	static const char *const keys[] = {
	    "start", "size", "offset", "perms", "path"};
	struct mp_run starts, sizes, offsets, paths;
	uint64_t unit = mapping_unit(s), end = 0, next = 0, id = 0;
	unsigned unit_bits = (unsigned)__builtin_ctzll(unit);
	size_t n = s->mappings.count;
	const char *last = NULL;
	struct mp_table t;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		mp_column_init(all[i]);
	if (!mp_run_begin(&starts, &start, n) ||
	    !mp_run_begin(&sizes, &size, n) ||
	    !mp_run_begin(&offsets, &offset, n) ||
	    !mp_run_begin(&paths, &path, n))
		n = 0; /* the columns have failed */
	for (size_t i = 0; i < n; i++) {
		const struct snap_mapping *m = &s->mappings.items[i];
		const char *name = m->path != NULL ? m->path : "";
		bool same = last == name ||
		    (last != NULL && strcmp(last, name) == 0);

		put_units(&starts, m->start - end, unit_bits);
		put_units(&sizes, m->end - m->start, unit_bits);
		put_units(&offsets, m->offset - (same && *name ? next : 0),
		    unit_bits);
		if (last != name)
			id = texts_id(texts, name);
		mp_run_int(&paths, (int64_t)id);
		end = m->end;
		next = m->offset + (m->end - m->start);
		last = name;
	}
	if (n != 0) {
		mp_run_end(&starts, n);
		mp_run_end(&sizes, n);
		mp_run_end(&offsets, n);
		mp_run_end(&paths, n);
		put_perms(s, &perms);
	}
	mp_table_init(&t);
	mp_uint(mp_table_key(&t, "count"), s->mappings.count);
	mp_uint(mp_table_key(&t, "unit"), unit);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		mp_column_end(all[i], &t, keys[i]);
	mp_table_end(&t, mp_table_key(out, "mappings"));
}

bool
btt_put_modules(const struct snapshot *s, struct mp_table *t)
{
	struct texts texts;
	bool ok;

	texts_init(&texts);
	if (s->modules.count > 0)
		put_modules(s, &texts, t);
	if (s->mappings.count > 0)
		put_mappings(s, &texts, t);
	ok = !texts.failed;
	texts_end(&texts, t);
	return ok;
}

/* ---- variables and objects ---- */

static bool
has_variables(const struct snapshot *s)
{
	for (size_t i = 0; i < s->threads.count; i++) {
		const struct snap_thread *t = &s->threads.items[i];

		for (uint32_t k = 0; k < t->n_frames; k++) {
			if (t->frames[k].variables_collected ||
			    t->frames[k].n_variables > 0)
				return true;
		}
	}
	return false;
}

/* Threads in file order, frames of each in their own. */
struct btt_variables {
	struct btt_root *roots;
	size_t count;
	uint32_t *frames; /* of each thread */
	size_t n_threads;
	struct texts texts;
	struct btt_values *values; /* NULL: there are none */
};

/* False: no memory. */
static bool
fill_root(struct btt_root *root, struct btt_values *values,
    const struct snap_packed *packed, const struct snap_variable *variables,
    uint32_t count)
{
	if (packed == NULL)
		packed = btt_values_pack(values, variables, count);
	*root = (struct btt_root){.packed = packed};
	return packed != NULL;
}

static bool
fill_frame_root(struct btt_root *root, struct btt_values *values,
    const struct snap_frame *f)
{
	if (f->variables_collected || f->n_variables > 0)
		return fill_root(
		    root, values, f->packed, f->variables, f->n_variables);
	*root = (struct btt_root){.packed = NULL};
	return true;
}

static bool
fill_roots(struct btt_variables *v, const struct snapshot *s)
{
	uint32_t *order = btt_thread_order(s->threads.items, s->threads.count);
	struct btt_root *root;
	bool ok;

	v->n_threads = s->threads.count;
	v->frames = calloc(v->n_threads + 1, sizeof(*v->frames));
	for (size_t i = 0; i < v->n_threads; i++)
		v->count += s->threads.items[i].n_frames;
	root = v->roots = malloc((v->count + 1) * sizeof(*root));
	ok = order != NULL && v->frames != NULL && root != NULL;
	for (size_t i = 0; ok && i < v->n_threads; i++) {
		const struct snap_thread *t = &s->threads.items[order[i]];

		v->frames[i] = t->n_frames;
		for (uint32_t k = 0; ok && k < t->n_frames; k++)
			ok = fill_frame_root(root++, v->values, &t->frames[k]);
	}
	free(order);
	return ok;
}

void
btt_variables_free(struct btt_variables *v)
{
	if (v == NULL)
		return;
	btt_values_free(v->values);
	texts_deinit(&v->texts);
	free(v->frames);
	free(v->roots);
	free(v);
}

struct btt_variables *
btt_variables_take(const struct snapshot *s)
{
	struct btt_variables *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return NULL;
	texts_init(&v->texts);
	if (!has_variables(s))
		return v;
	v->values = btt_values_new(&v->texts);
	if (v->values == NULL || !fill_roots(v, s)) {
		btt_variables_free(v);
		return NULL;
	}
	return v;
}

/* The lists of a thread's frames are a sequence; threads that stand in the
 * same code have the same. */
static bool
put_frame_lists(const struct btt_variables *v, struct mp_table *t)
{
	const struct btt_root *roots = v->roots;
	struct mp_column size, list, threads;
	struct mp_table lists;
	struct sequences q;
	VEC(int64_t) scratch;
	bool ok = true;

	sequences_init(&q);
	vec_init(&scratch, UINT32_MAX);
	mp_column_init(&threads);
	for (size_t i = 0; ok && i < v->n_threads; i++) {
		vec_clear(&scratch);
		for (uint32_t k = 0; ok && k < v->frames[i]; k++, roots++) {
			int64_t *item = vec_push(&scratch);

			ok = item != NULL;
			if (ok)
				*item = roots->list;
		}
		mp_column_uint(
		    &threads, sequences_id(&q, scratch.items, scratch.count));
	}
	mp_column_init(&size);
	mp_column_init(&list);
	for (uint32_t i = 0; i < q.ends.count; i++)
		mp_column_uint(&size, q.ends.items[i] - sequences_start(&q, i));
	for (size_t i = 0; i < q.values.count; i++)
		mp_column_int(&list, q.values.items[i]);
	mp_table_init(&lists);
	mp_uint(mp_table_key(&lists, "count"), q.ends.count);
	mp_column_end(&size, &lists, "size");
	mp_column_end(&list, &lists, "list");
	mp_table_end(&lists, mp_table_key(t, "stacks"));
	mp_uint(mp_table_key(t, "thread_count"), v->n_threads);
	mp_column_end(&threads, t, "threads");
	ok = ok && !q.failed;
	sequences_deinit(&q);
	vec_deinit(&scratch);
	return ok;
}

bool
btt_put_variables(struct btt_variables *v, struct mp_table *t)
{
	bool ok;

	if (v->values == NULL)
		return true;
	ok = btt_put_values(v->values, v->roots, v->count, t) &&
	    !v->texts.failed && put_frame_lists(v, t);
	texts_end(&v->texts, t);
	return ok;
}

/* The first root is the globals, then comes each object. */
bool
btt_put_objects(const struct snapshot *s, struct mp_table *t)
{
	size_t count = s->objects.count + 1;
	struct btt_values *values;
	struct btt_root *roots;
	struct mp_column lists;
	struct texts texts;
	bool ok;

	if (s->objects.count == 0 && s->globals.count == 0)
		return true;
	roots = calloc(count, sizeof(*roots));
	if (roots == NULL)
		return false;
	texts_init(&texts);
	values = btt_values_new(&texts);
	ok = values != NULL &&
	    fill_root(&roots[0], values, NULL, s->globals.items,
		(uint32_t)s->globals.count);
	for (size_t i = 0; ok && i < s->objects.count; i++)
		ok = fill_root(&roots[i + 1], values, NULL,
		    &s->objects.items[i].variable, 1);
	ok = ok && btt_put_values(values, roots, count, t) && !texts.failed;
	btt_values_free(values);
	mp_column_init(&lists);
	for (size_t i = 0; ok && i < count; i++)
		mp_column_uint(&lists, roots[i].list);
	mp_column_end(&lists, t, "roots");
	texts_end(&texts, t);
	free(roots);
	return ok;
}

/* ---- memory and resources ---- */

bool
btt_put_memory(const struct snapshot *s, struct mp_table *t)
{
	struct mp_column address, why, data;
	uint64_t end = 0;

	if (s->memory.count == 0)
		return true;
	mp_column_init(&address);
	mp_column_init(&why);
	mp_column_init(&data);
	for (size_t i = 0; i < s->memory.count; i++) {
		const struct snap_memory *m = &s->memory.items[i];

		mp_column_int(&address, (int64_t)(m->address - end));
		mp_str(mp_column_next(&why), m->why);
		mp_bin(mp_column_next(&data), m->data, m->size);
		end = m->address + m->size;
	}
	mp_uint(mp_table_key(t, "count"), s->memory.count);
	mp_column_end(&address, t, "address");
	mp_column_end(&why, t, "why");
	mp_column_end(&data, t, "data");
	return true;
}

bool
btt_put_resources(const struct snapshot *s, struct mp_table *t)
{
	struct mp_column name, data, truncated;

	if (s->resources.count == 0)
		return true;
	mp_column_init(&name);
	mp_column_init(&data);
	mp_column_init(&truncated);
	for (size_t i = 0; i < s->resources.count; i++) {
		const struct snap_resource *r = &s->resources.items[i];

		mp_str(mp_column_next(&name), r->name);
		mp_bin(mp_column_next(&data), r->data, (size_t)r->size);
		mp_column_uint(&truncated, r->truncated);
	}
	mp_uint(mp_table_key(t, "count"), s->resources.count);
	mp_column_end(&name, t, "name");
	mp_column_end(&data, t, "data");
	mp_column_end(&truncated, t, "truncated");
	return true;
}
