/* SPDX-License-Identifier: MIT */
/*
 * The section `threads`. A stack (locations, ips, trust) is stored once for
 * all threads that stand in it; so is a layout (the differences between the
 * stack pointers of its frames), a set of register names and a kernel stack.
 * A thread is then a few numbers, each column as differences to the thread
 * before.
 */
#include "formats/btt_write.h"

struct threads {
	const struct btt_stacks *s;
	struct texts texts;
	struct sequences stacks, layouts, register_sets, kernel_stacks;
	VEC(int64_t) scratch;
	struct mp_column position, tid, name, state, fault, stop_reason,
	    skipped, skipped_at, stack, layout, sp, registers, kernel;
	uint32_t *order; /* positions of the threads in file order */
	uint32_t *sets;	 /* register set of each thread, in file order */
	bool failed;
};

static void
push(struct threads *x, int64_t value)
{
	int64_t *item = vec_push(&x->scratch);

	if (item != NULL)
		*item = value;
	else
		x->failed = true;
}

static uint32_t
intern(struct threads *x, struct sequences *q)
{
	uint32_t id = sequences_id(q, x->scratch.items, x->scratch.count);

	x->failed |= q->failed;
	vec_clear(&x->scratch);
	return id;
}

static uint32_t
frame_flags(const struct snap_frame *f)
{
	return (f->signal_frame ? BTT_FRAME_SIGNAL : 0) |
	    (f->has_sp ? BTT_FRAME_SP : 0);
}

/* Per frame: location + 1 (0: none), ip as a difference to the frame before,
 * trust, flags. */
static uint32_t
stack_id(struct threads *x, const struct snap_thread *t)
{
	uint64_t ip = 0;

	for (uint32_t i = 0; i < t->n_frames; i++) {
		const struct snap_frame *f = &t->frames[i];
		bool known = f->location != NULL &&
		    f->location->id < x->s->n_locations;

		push(x, known ? (int64_t)f->location->id + 1 : 0);
		push(x, (int64_t)(f->ip - ip));
		push(x, texts_id(&x->texts, f->trust));
		push(x, frame_flags(f));
		ip = f->ip;
	}
	return intern(x, &x->stacks);
}

/* Of the frames that have a stack pointer: the difference to the one before;
 * *base is the first. */
static uint32_t
layout_id(struct threads *x, const struct snap_thread *t, uint64_t *base)
{
	uint64_t sp = 0;
	bool first = true;

	*base = 0;
	for (uint32_t i = 0; i < t->n_frames; i++) {
		const struct snap_frame *f = &t->frames[i];

		if (!f->has_sp)
			continue;
		if (first)
			*base = f->sp;
		push(x, first ? 0 : (int64_t)(f->sp - sp));
		first = false;
		sp = f->sp;
	}
	return intern(x, &x->layouts);
}

static uint32_t
set_id(struct threads *x, const struct snap_thread *t)
{
	for (uint32_t i = 0; i < t->n_registers; i++)
		push(x, texts_id(&x->texts, t->registers[i].name));
	return intern(x, &x->register_sets);
}

static uint32_t
kernel_id(struct threads *x, const struct snap_thread *t)
{
	for (uint32_t i = 0; i < t->n_kernel_frames; i++)
		push(x, texts_id(&x->texts, t->kernel_frames[i]));
	return intern(x, &x->kernel_stacks);
}

static const struct snap_thread *
thread_at(const struct threads *x, size_t i)
{
	return &x->s->threads[x->order[i]];
}

static void
put_threads(struct threads *x)
{
	uint64_t last_tid = 0, last_sp = 0, next = 0;

	for (size_t i = 0; i < x->s->n_threads; i++) {
		const struct snap_thread *t = thread_at(x, i);
		uint64_t base;

		mp_column_int(&x->position, (int64_t)(x->order[i] - next));
		next = (uint64_t)x->order[i] + 1;

		mp_column_int(&x->tid, (int64_t)(t->tid - last_tid));
		last_tid = t->tid;
		mp_column_uint(&x->name, texts_id(&x->texts, t->name));
		mp_column_uint(&x->state, (uint8_t)t->state);
		mp_column_uint(&x->fault, t->fault);
		mp_column_uint(
		    &x->stop_reason, texts_id(&x->texts, t->stop_reason));
		mp_column_uint(&x->skipped, t->frames_skipped);
		mp_column_uint(&x->skipped_at, t->frames_skipped_at);
		mp_column_uint(&x->stack, stack_id(x, t));
		mp_column_uint(&x->layout, layout_id(x, t, &base));
		mp_column_int(&x->sp, (int64_t)(base - last_sp));
		last_sp = base;
		x->sets[i] = set_id(x, t);
		mp_column_uint(&x->registers, x->sets[i]);
		mp_column_uint(&x->kernel, kernel_id(x, t));
	}
}

/* Set by set, register by register, thread by thread: the values of one
 * register stand together. */
static void
put_register_values(struct threads *x, struct mp_table *t)
{
	struct mp_column values;

	mp_column_init(&values);
	for (uint32_t set = 0; set < x->register_sets.ends.count; set++) {
		size_t count = x->register_sets.ends.items[set] -
		    sequences_start(&x->register_sets, set);

		for (size_t k = 0; k < count; k++) {
			uint64_t last = 0;

			for (size_t i = 0; i < x->s->n_threads; i++) {
				uint64_t value;

				if (x->sets[i] != set)
					continue;
				value = thread_at(x, i)->registers[k].value;
				mp_column_int(&values, (int64_t)(value - last));
				last = value;
			}
		}
	}
	mp_column_end(&values, t, "register_values");
}

static void
put_locations(struct threads *x, struct mp_table *out)
{
	struct mp_column symbol, linkage, object, object_path, offset, path,
	    line, is_inline;
	struct mp_column *all[] = {&symbol, &linkage, &object, &object_path,
	    &offset, &path, &line, &is_inline};
	static const char *const keys[] = {"symbol", "linkage_name", "object",
	    "object_path", "offset", "path", "line", "inline"};
	struct mp_table t;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		mp_column_init(all[i]);
	for (size_t i = 0; i < x->s->n_locations; i++) {
		const struct snap_location *l = x->s->locations[i];

		mp_column_uint(&symbol, texts_id(&x->texts, l->symbol));
		mp_column_uint(&linkage, texts_id(&x->texts, l->linkage_name));
		mp_column_uint(&object, texts_id(&x->texts, l->object));
		mp_column_uint(
		    &object_path, texts_id(&x->texts, l->object_path));
		if (l->has_offset)
			mp_column_uint(&offset, l->offset);
		else
			mp_column_nil(&offset);
		mp_column_uint(&path, texts_id(&x->texts, l->path));
		mp_column_uint(&line, l->line);
		mp_column_uint(&is_inline, l->is_inline);
	}
	mp_table_init(&t);
	mp_uint(mp_table_key(&t, "count"), x->s->n_locations);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		mp_column_end(all[i], &t, keys[i]);
	mp_table_end(&t, mp_table_key(out, "locations"));
}

/* Sequences of `width` numbers per item, one column each, behind "size", the
 * number of items. */
static void
put_sequences(const struct sequences *q, const char *key,
    const char *const *columns, size_t width, struct mp_table *out)
{
	struct mp_column column;
	struct mp_table t;

	mp_table_init(&t);
	mp_uint(mp_table_key(&t, "count"), q->ends.count);
	mp_column_init(&column);
	for (uint32_t i = 0; i < q->ends.count; i++)
		mp_column_uint(&column,
		    (q->ends.items[i] - sequences_start(q, i)) / width);
	mp_column_end(&column, &t, "size");
	for (size_t k = 0; k < width; k++) {
		mp_column_init(&column);
		for (size_t i = k; i < q->values.count; i += width)
			mp_column_int(&column, q->values.items[i]);
		mp_column_end(&column, &t, columns[k]);
	}
	mp_table_end(&t, mp_table_key(out, key));
}

static void
put_tables(struct threads *x, struct mp_table *t)
{
	struct mp_table threads;

	put_locations(x, t);
	put_sequences(&x->stacks, "stacks",
	    (const char *const[]){"location", "ip", "trust", "flags"}, 4, t);
	put_sequences(
	    &x->layouts, "layouts", (const char *const[]){"sp"}, 1, t);
	put_sequences(&x->register_sets, "register_sets",
	    (const char *const[]){"name"}, 1, t);
	put_sequences(&x->kernel_stacks, "kernel_stacks",
	    (const char *const[]){"frame"}, 1, t);
	mp_table_init(&threads);
	mp_uint(mp_table_key(&threads, "count"), x->s->n_threads);
	mp_column_end(&x->position, &threads, "position");
	mp_column_end(&x->tid, &threads, "tid");
	mp_column_end(&x->name, &threads, "name");
	mp_column_end(&x->state, &threads, "state");
	mp_column_end(&x->fault, &threads, "fault");
	mp_column_end(&x->stop_reason, &threads, "stop_reason");
	mp_column_end(&x->skipped, &threads, "frames_skipped");
	mp_column_end(&x->skipped_at, &threads, "frames_skipped_at");
	mp_column_end(&x->stack, &threads, "stack");
	mp_column_end(&x->layout, &threads, "layout");
	mp_column_end(&x->sp, &threads, "sp");
	mp_column_end(&x->registers, &threads, "registers");
	mp_column_end(&x->kernel, &threads, "kernel");
	mp_table_end(&threads, mp_table_key(t, "threads"));
	put_register_values(x, t);
}

bool
btt_stacks_take(struct btt_stacks *x, const struct snapshot *s)
{
	size_t n = s->locations.count;

	*x = (struct btt_stacks){.threads = s->threads.items,
	    .n_threads = s->threads.count,
	    .locations = malloc((n + 1) * sizeof(*x->locations)),
	    .n_locations = n};
	if (x->locations != NULL && n != 0)
		memcpy(x->locations, s->locations.items,
		    n * sizeof(*x->locations));
	return x->locations != NULL;
}

void
btt_stacks_free(struct btt_stacks *x)
{

	free(x->locations);
}

bool
btt_put_threads(const struct btt_stacks *s, struct mp_table *t)
{
	struct threads x = {.s = s};
	struct sequences *sequences[] = {
	    &x.stacks, &x.layouts, &x.register_sets, &x.kernel_stacks};
	struct mp_column *columns[] = {&x.position, &x.tid, &x.name, &x.state,
	    &x.fault, &x.stop_reason, &x.skipped, &x.skipped_at, &x.stack,
	    &x.layout, &x.sp, &x.registers, &x.kernel};

	if (s->n_threads == 0)
		return true;
	texts_init(&x.texts);
	vec_init(&x.scratch, UINT32_MAX);
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++)
		sequences_init(sequences[i]);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		mp_column_init(columns[i]);
	x.sets = calloc(s->n_threads, sizeof(*x.sets));
	x.order = btt_thread_order(s->threads, s->n_threads);
	if (x.sets != NULL && x.order != NULL)
		put_threads(&x);
	else
		x.failed = true;
	if (!x.failed)
		put_tables(&x, t);
	texts_end(&x.texts, t);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		mp_column_deinit(columns[i]);
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++)
		sequences_deinit(sequences[i]);
	vec_deinit(&x.scratch);
	free(x.sets);
	free(x.order);
	return !x.failed;
}
