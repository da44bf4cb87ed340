/* SPDX-License-Identifier: MIT */
/* Reading `threads`: see btt_write_threads.c for its tables. */
#include "formats/btt_read.h"

struct input {
	struct btt_input *in;
	const struct snap_location **locations;
	size_t n_locations;
	struct btt_sequences stacks, layouts, sets, kernels;
	uint32_t *thread_sets; /* register set of each thread */
	uint64_t *positions;   /* of each thread in the document */
};

enum { STACK_LOCATION, STACK_IP, STACK_TRUST, STACK_FLAGS };

static bool
get_locations(struct input *x)
{
	struct btt_input *in = x->in;
	struct mp_fields f = btt_table(in, "locations");
	size_t n = btt_count(in, &f);
	struct mp_reader symbol = mp_reader_exact(&f, "symbol", n),
			 linkage = mp_reader_exact(&f, "linkage_name", n),
			 object = mp_reader_exact(&f, "object", n),
			 object_path = mp_reader_exact(&f, "object_path", n),
			 offset = mp_reader_exact(&f, "offset", n),
			 path = mp_reader_exact(&f, "path", n),
			 line = mp_reader_exact(&f, "line", n),
			 is_inline = mp_reader_exact(&f, "inline", n);

	x->locations = calloc(n + 1, sizeof(*x->locations));
	if (x->locations == NULL)
		return btt_bad(in, "there is no memory for it");
	for (size_t i = 0; i < n && in->bad == NULL; i++) {
		struct snap_location l = {
		    .symbol = btt_text(in, mp_next(&symbol)),
		    .linkage_name = btt_text(in, mp_next(&linkage)),
		    .object = btt_text(in, mp_next(&object)),
		    .object_path = btt_text(in, mp_next(&object_path)),
		    .path = btt_text(in, mp_next(&path)),
		    .line = (uint32_t)mp_next(&line),
		    .is_inline = mp_next(&is_inline) != 0,
		};

		l.has_offset = mp_next_or_nil(&offset, &l.offset);
		x->locations[i] = snapshot_location(in->s, &l);
	}
	x->n_locations = n;
	btt_done(in, &symbol);
	btt_done(in, &linkage);
	btt_done(in, &object);
	btt_done(in, &object_path);
	btt_done(in, &offset);
	btt_done(in, &path);
	btt_done(in, &line);
	btt_done(in, &is_inline);
	return in->bad == NULL;
}

static bool
no_memory(struct input *x)
{
	return btt_bad(x->in, "it does not fit into memory");
}

static bool
get_frames(struct input *x, struct snap_thread *t, uint64_t stack)
{
	const struct btt_sequences *q = &x->stacks;
	static const struct snap_location nowhere = {.id = SNAP_NONE,
	    .symbol = "",
	    .linkage_name = "",
	    .object = "",
	    .object_path = "",
	    .path = ""};
	uint64_t ip = 0;
	size_t start, n;

	if (stack >= q->count)
		return btt_bad(x->in, "a stack is missing");
	start = q->starts[stack];
	n = q->starts[stack + 1] - start;
	if (n == 0)
		return true;
	t->frames = arena_array(&x->in->s->arena, n, sizeof(*t->frames));
	if (t->frames == NULL)
		return no_memory(x);
	for (size_t i = 0; i < n; i++) {
		struct snap_frame *f = &t->frames[i];
		uint64_t location = q->columns[STACK_LOCATION][start + i];
		uint64_t flags = q->columns[STACK_FLAGS][start + i];

		if (location > x->n_locations)
			return btt_bad(x->in, "a location is missing");
		f->location = location != 0 ? x->locations[location - 1]
					    : &nowhere;
		ip += q->columns[STACK_IP][start + i];
		f->ip = ip;
		f->trust = btt_text(x->in, q->columns[STACK_TRUST][start + i]);
		f->signal_frame = (flags & BTT_FRAME_SIGNAL) != 0;
		f->has_sp = (flags & BTT_FRAME_SP) != 0;
	}
	t->n_frames = (uint32_t)n;
	return x->in->bad == NULL;
}

static bool
get_layout(struct input *x, struct snap_thread *t, uint64_t layout, uint64_t sp)
{
	const struct btt_sequences *q = &x->layouts;
	size_t at, end;

	if (layout >= q->count)
		return btt_bad(x->in, "a stack layout is missing");
	at = q->starts[layout];
	end = q->starts[layout + 1];
	for (uint32_t i = 0; i < t->n_frames; i++) {
		if (!t->frames[i].has_sp)
			continue;
		if (at == end)
			return btt_bad(x->in, "a stack layout is too short");
		sp += q->columns[0][at++];
		t->frames[i].sp = sp;
	}
	return true;
}

static bool
get_kernel(struct input *x, struct snap_thread *t, uint64_t kernel)
{
	const struct btt_sequences *q = &x->kernels;
	size_t start, n;

	if (kernel >= q->count)
		return btt_bad(x->in, "a kernel stack is missing");
	start = q->starts[kernel];
	n = q->starts[kernel + 1] - start;
	if (n == 0)
		return true;
	t->kernel_frames = arena_array(
	    &x->in->s->arena, n, sizeof(*t->kernel_frames));
	if (t->kernel_frames == NULL)
		return no_memory(x);
	for (size_t i = 0; i < n; i++)
		t->kernel_frames[i] = btt_text(x->in, q->columns[0][start + i]);
	t->n_kernel_frames = (uint32_t)n;
	return x->in->bad == NULL;
}

static bool
get_set(struct input *x, struct snap_thread *t, uint64_t set)
{
	const struct btt_sequences *q = &x->sets;
	size_t start, n;

	if (set >= q->count)
		return btt_bad(x->in, "a register set is missing");
	start = q->starts[set];
	n = q->starts[set + 1] - start;
	if (n == 0)
		return true;
	t->registers = arena_array(&x->in->s->arena, n, sizeof(*t->registers));
	if (t->registers == NULL)
		return no_memory(x);
	for (size_t i = 0; i < n; i++)
		t->registers[i].name = btt_text(
		    x->in, q->columns[0][start + i]);
	t->n_registers = (uint32_t)n;
	return x->in->bad == NULL;
}

static bool
get_threads(struct input *x)
{
	struct btt_input *in = x->in;
	struct mp_fields f = btt_table(in, "threads");
	size_t n = btt_count(in, &f);
	struct mp_reader position = mp_reader_exact(&f, "position", n),
			 tid = mp_reader_exact(&f, "tid", n),
			 name = mp_reader_exact(&f, "name", n),
			 state = mp_reader_exact(&f, "state", n),
			 fault = mp_reader_exact(&f, "fault", n),
			 stop = mp_reader_exact(&f, "stop_reason", n),
			 skipped = mp_reader_exact(&f, "frames_skipped", n),
			 at = mp_reader_exact(&f, "frames_skipped_at", n),
			 stack = mp_reader_exact(&f, "stack", n),
			 layout = mp_reader_exact(&f, "layout", n),
			 sp = mp_reader_exact(&f, "sp", n),
			 set = mp_reader_exact(&f, "registers", n),
			 kernel = mp_reader_exact(&f, "kernel", n);
	struct mp_reader *all[] = {&position, &tid, &name, &state, &fault,
	    &stop, &skipped, &at, &stack, &layout, &sp, &set, &kernel};
	uint64_t last_tid = 0, last_sp = 0, following = 0;

	x->thread_sets = calloc(n + 1, sizeof(*x->thread_sets));
	x->positions = calloc(n + 1, sizeof(*x->positions));
	if (x->thread_sets == NULL || x->positions == NULL)
		return btt_bad(in, "there is no memory for it");
	for (size_t i = 0; i < n && in->bad == NULL; i++) {
		struct snap_thread *t = vec_push(&in->s->threads);
		uint64_t set_id = mp_next(&set);

		if (t == NULL)
			return no_memory(x);
		x->positions[i] = following + mp_next(&position);
		following = x->positions[i] + 1;
		last_tid += mp_next(&tid);
		t->tid = (uint32_t)last_tid;
		t->name = btt_text(in, mp_next(&name));
		t->state = (char)mp_next(&state);
		t->fault = mp_next(&fault) != 0;
		t->stop_reason = btt_text(in, mp_next(&stop));
		t->frames_skipped = mp_next(&skipped);
		t->frames_skipped_at = mp_next(&at);
		last_sp += mp_next(&sp);
		x->thread_sets[i] = (uint32_t)set_id;
		if (!get_frames(x, t, mp_next(&stack)) ||
		    !get_layout(x, t, mp_next(&layout), last_sp) ||
		    !get_set(x, t, set_id) ||
		    !get_kernel(x, t, mp_next(&kernel)))
			return false;
	}
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		btt_done(in, all[i]);
	return in->bad == NULL;
}

/* Threads sorted by their register set: order[] of n, starts[] of sets + 1. */
static void
sort_by_set(const uint32_t *sets, size_t n, size_t *starts, size_t n_sets,
    size_t *order)
{
	for (size_t i = 0; i < n; i++)
		starts[sets[i] + 1]++;
	for (size_t i = 1; i <= n_sets; i++)
		starts[i] += starts[i - 1];
	for (size_t i = 0; i < n; i++)
		order[starts[sets[i]]++] = i;
}

static bool
get_register_values(struct input *x, size_t first)
{
	struct snapshot *s = x->in->s;
	size_t n = s->threads.count - first, n_sets = x->sets.count, from = 0;
	struct mp_reader r = mp_reader_of(&x->in->fields, "register_values");
	size_t *starts = calloc(n_sets + 2, sizeof(*starts));
	size_t *order = calloc(n + 1, sizeof(*order));

	if (starts == NULL || order == NULL) {
		free(starts);
		free(order);
		return btt_bad(x->in, "there is no memory for it");
	}
	sort_by_set(x->thread_sets, n, starts, n_sets, order);
	for (size_t set = 0; set < n_sets; from = starts[set++]) {
		size_t count = x->sets.starts[set + 1] - x->sets.starts[set];

		if (starts[set] == from)
			continue; /* no thread has it */
		for (size_t k = 0; k < count; k++) {
			uint64_t value = 0;

			for (size_t i = from; i < starts[set]; i++) {
				value += mp_next(&r);
				s->threads.items[first + order[i]]
				    .registers[k]
				    .value = value;
			}
		}
	}
	btt_done(x->in, &r);
	free(starts);
	free(order);
	return x->in->bad == NULL;
}

/* Puts the threads where the document has them. */
static bool
place_threads(struct input *x, size_t first)
{
	struct snapshot *s = x->in->s;
	size_t n = s->threads.count - first;
	struct snap_thread *threads, *sorted;
	bool *taken, ok;

	if (n == 0)
		return true;
	threads = &s->threads.items[first];
	sorted = calloc(n, sizeof(*sorted));
	taken = calloc(n, sizeof(*taken));
	ok = sorted != NULL && taken != NULL;
	if (!ok)
		btt_bad(x->in, "there is no memory for it");
	for (size_t i = 0; ok && i < n; i++) {
		uint64_t at = x->positions[i];

		ok = at < n && !taken[at];
		if (!ok) {
			btt_bad(x->in, "two threads have one position");
			break;
		}
		taken[at] = true;
		sorted[at] = threads[i];
	}
	if (ok)
		memcpy(threads, sorted, n * sizeof(*sorted));
	free(sorted);
	free(taken);
	return ok;
}

bool
btt_get_threads(struct btt_input *in)
{
	struct input x = {.in = in};
	size_t first = in->s->threads.count;
	bool ok;

	ok = get_locations(&x) &&
	    btt_read_sequences(in, "stacks",
		(const char *const[]){"location", "ip", "trust", "flags"}, 4,
		&x.stacks) &&
	    btt_read_sequences(
		in, "layouts", (const char *const[]){"sp"}, 1, &x.layouts) &&
	    btt_read_sequences(in, "register_sets",
		(const char *const[]){"name"}, 1, &x.sets) &&
	    btt_read_sequences(in, "kernel_stacks",
		(const char *const[]){"frame"}, 1, &x.kernels) &&
	    get_threads(&x) && get_register_values(&x, first) &&
	    place_threads(&x, first);
	if (!ok)
		in->s->threads.count = first;
	btt_free_sequences(&x.stacks);
	btt_free_sequences(&x.layouts);
	btt_free_sequences(&x.sets);
	btt_free_sequences(&x.kernels);
	free(x.locations);
	free(x.thread_sets);
	free(x.positions);
	return ok;
}
