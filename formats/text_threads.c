/* SPDX-License-Identifier: MIT */
/*
 * Threads: the faulted one first, then the others, those that stand in the
 * same stack under one heading.
 */
#include <stdio.h>

#include "formats/text_out.h"

/* So many of a group's numbers and names are shown. */
enum { MAX_LISTED = 12, INDENT = 5 };

/* Recursion through at most so many functions is folded, when at least so many
 * frames are spared. */
enum { MAX_PERIOD = 12, MIN_HIDDEN = 100 };

struct group {
	uint32_t first, last; /* threads, linked through next[] */
	uint32_t count;
};

struct groups {
	struct group *items;
	uint32_t *next;
	size_t count;
};

/* ---- grouping ---- */

/* What a reader sees of a frame. Locations' strings are interned. */
static uint64_t
frame_key(const struct snap_frame *f, uint64_t h)
{
	const struct snap_location *l = f->location;

	if (l == NULL || l->symbol == NULL || l->symbol[0] == '\0')
		h = map_mix(h ^ f->ip);
	if (l == NULL)
		return h;
	h = map_mix(h ^ (uint64_t)(uintptr_t)l->symbol);
	h = map_mix(h ^ (uint64_t)(uintptr_t)l->object);
	h = map_mix(h ^ (uint64_t)(uintptr_t)l->path);
	return map_mix(h ^
	    ((uint64_t)l->line << 2 | (unsigned)l->is_inline |
		(unsigned)f->signal_frame << 1));
}

static bool
same_frame(const struct snap_frame *a, const struct snap_frame *b)
{
	const struct snap_location *x = a->location, *y = b->location;

	if (a->signal_frame != b->signal_frame || (x == NULL) != (y == NULL) ||
	    strcmp(a->trust != NULL ? a->trust : "",
		b->trust != NULL ? b->trust : "") != 0)
		return false;
	if (x == NULL || x->symbol[0] == '\0')
		return a->ip == b->ip && x == y;
	return x == y ||
	    (x->symbol == y->symbol && x->object == y->object &&
		x->path == y->path && x->line == y->line &&
		x->is_inline == y->is_inline);
}

static bool
same_text(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static bool
same_stack(const struct snap_thread *a, const struct snap_thread *b)
{
	if (a->n_frames != b->n_frames || a->fault || b->fault ||
	    a->frames_skipped != b->frames_skipped || a->annotations != NULL ||
	    b->annotations != NULL ||
	    !same_text(a->stop_reason, b->stop_reason))
		return false;
	for (uint32_t i = 0; i < a->n_frames; i++) {
		if (!same_frame(&a->frames[i], &b->frames[i]))
			return false;
	}
	return true;
}

static void
add_thread(
    struct groups *g, struct map *seen, const struct snapshot *s, uint32_t i)
{
	const struct snap_thread *t = &s->threads.items[i];
	uint64_t key = map_mix(t->n_frames + 1);
	struct group *group;
	uint64_t *index;
	bool is_new;

	for (uint32_t k = 0; k < t->n_frames; k++)
		key = frame_key(&t->frames[k], key);
	for (;; key++) {
		index = map_put(seen, key, &is_new);
		if (index == NULL || is_new)
			break;
		group = &g->items[*index];
		if (!same_stack(&s->threads.items[group->first], t))
			continue;
		g->next[group->last] = i;
		group->last = i;
		group->count++;
		return;
	}
	if (index != NULL)
		*index = g->count;
	g->items[g->count++] = (struct group){i, i, 1};
}

static int
compare_threads(const void *a, const void *b, void *context)
{
	const struct snapshot *s = context;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const struct snap_thread *x = &s->threads.items[i];
	const struct snap_thread *y = &s->threads.items[k];

	if (x->fault != y->fault)
		return x->fault ? -1 : 1;
	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return i < k ? -1 : i > k;
}

/* Faulted threads come first, each alone; then by tid. */
static bool
make_groups(struct groups *g, const struct snapshot *s)
{
	size_t n = s->threads.count;
	uint32_t *order = calloc(n + 1, sizeof(*order));
	struct map seen;

	g->count = 0;
	g->items = calloc(n + 1, sizeof(*g->items));
	g->next = calloc(n + 1, sizeof(*g->next));
	if (order == NULL || g->items == NULL || g->next == NULL) {
		free(order);
		return false;
	}
	for (size_t i = 0; i < n; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, n, sizeof(*order), compare_threads, (void *)s);
	map_init(&seen, SIZE_MAX);
	for (size_t i = 0; i < n; i++)
		add_thread(g, &seen, s, order[i]);
	map_deinit(&seen);
	free(order);
	return true;
}

/* ---- headings ---- */

static bool
same_names(
    const struct groups *g, const struct group *group, const struct snapshot *s)
{
	const char *name = s->threads.items[group->first].name;
	uint32_t i = group->first;

	for (uint32_t n = 0; n < group->count; n++, i = g->next[i]) {
		if (!same_text(s->threads.items[i].name, name))
			return false;
	}
	return true;
}

static void
put_name(struct text_out *t, const char *name)
{
	if (name == NULL || name[0] == '\0')
		return;
	text_say(t, " \"");
	text_put(t, name);
	text_say(t, "\"");
}

static void
put_heading(
    struct text_out *t, const struct groups *g, const struct group *group)
{
	const struct snap_thread *first = &t->s->threads.items[group->first];
	bool one_name = same_names(g, group, t->s);
	uint32_t i = group->first;

	text_on(t, first->fault ? TEXT_ALARM : TEXT_STRONG);
	text_say(t, group->count > 1 ? "Threads " : "Thread ");
	for (uint32_t n = 0; n < group->count; n++, i = g->next[i]) {
		if (n == MAX_LISTED) {
			text_say(t, ", ...");
			break;
		}
		text_say(
		    t, "%s%u", n > 0 ? ", " : "", t->s->threads.items[i].tid);
		if (!one_name)
			put_name(t, t->s->threads.items[i].name);
	}
	if (group->count > 1)
		text_say(t, " (%u)", group->count);
	if (one_name)
		put_name(t, first->name);
	if (first->fault)
		text_say(t, ", faulted");
	text_say(t, ":");
	text_off(t);
	text_end(t);
}

/* ---- frames ---- */

static const char *
doubt_of(const char *trust)
{
	static const struct {
		const char *trust, *text;
	} doubts[] = {
	    {"fp", "suspect: frame pointer"},
	    {"prologue", "suspect: prologue"},
	    {"scan", "suspect: stack scan"},
	    {"return_slot", "suspect: return slot"},
	};

	for (size_t i = 0; i < sizeof(doubts) / sizeof(doubts[0]); i++) {
		if (trust != NULL && strcmp(doubts[i].trust, trust) == 0)
			return doubts[i].text;
	}
	return NULL;
}

static void
put_marks(struct text_out *t, const struct snap_frame *f)
{
	const char *doubt = doubt_of(f->trust);

	if (f->location != NULL && f->location->is_inline) {
		text_on(t, TEXT_DIM);
		text_say(t, " [inline]");
		text_off(t);
	}
	if (f->trust != NULL && strcmp(f->trust, "tailcall") == 0) {
		text_on(t, TEXT_DIM);
		text_say(t, " [tail call]");
		text_off(t);
	}
	if (doubt != NULL) {
		text_on(t, TEXT_DOUBT);
		text_say(t, " [%s]", doubt);
		text_off(t);
	}
}

/* What runs before main is the same in every process: its variables are in
 * the snapshot, but not worth a reader's time. */
static bool
is_start_code(const struct snap_location *l)
{
	return l != NULL && l->symbol != NULL &&
	    strncmp(l->symbol, "__libc_start_", 13) == 0;
}

/* "[ N] OBJECT SYMBOL (PATH:LINE)" */
static void
put_frame(struct text_out *t, const struct snap_frame *f, uint64_t number)
{
	const struct snap_location *l = f->location;
	bool object = l != NULL && l->object != NULL && l->object[0] != '\0';
	bool symbol = l != NULL && l->symbol != NULL && l->symbol[0] != '\0';

	text_say(t, "[%2llu] ", (unsigned long long)number);
	if (object)
		text_put(t, l->object);
	else
		text_say(t, "??");
	text_say(t, " ");
	if (f->signal_frame) {
		text_on(t, TEXT_DOUBT);
		text_say(t, "<signal handler called>");
		text_off(t);
	} else if (symbol) {
		text_styled(t, TEXT_SYMBOL, l->symbol);
	} else {
		text_say(t, "0x%llx", (unsigned long long)f->ip);
	}
	if (!f->signal_frame && l != NULL && l->path != NULL &&
	    l->path[0] != '\0') {
		text_say(t, " (");
		text_put(t, l->path);
		text_say(t, ":%u)", l->line);
	}
	put_marks(t, f);
	text_end(t);
	text_annotations(t, f->annotations, INDENT, "");
	if (t->o->variables && !is_start_code(l))
		text_variables(t, f, INDENT);
}

static void
put_note(struct text_out *t, const char *before, const char *foreign)
{
	text_say(t, "%*s", INDENT, "");
	text_on(t, TEXT_DOUBT);
	text_say(t, "%s", before);
	text_put(t, foreign);
	text_off(t);
	text_end(t);
}

static void
put_kernel(struct text_out *t, const struct snap_thread *thread)
{
	if (thread->n_kernel_frames == 0)
		return;
	text_on(t, TEXT_DIM);
	text_say(t, "%*skernel: ", INDENT, "");
	for (uint32_t i = 0; i < thread->n_kernel_frames; i++) {
		if (i > 0)
			text_say(t, " < ");
		text_put(t, thread->kernel_frames[i]);
	}
	text_off(t);
	text_end(t);
}

/* ---- recursion ---- */

struct fold {
	uint32_t period; /* frames that repeat */
	uint32_t hidden; /* frames left out: whole periods */
};

/*
 * Frames from `first` on that are the same few over and over. Two periods and
 * the last one are shown; a person learns nothing from the hundreds between.
 */
static bool
find_fold(const struct snap_thread *thread, uint32_t first, uint32_t end,
    struct fold *fold)
{
	for (uint32_t p = 1; p <= MAX_PERIOD; p++) {
		uint32_t at = first;

		while (at + p < end &&
		    same_frame(&thread->frames[at], &thread->frames[at + p]))
			at++;

		/* [first, at + p) repeats with this period. */
		uint32_t hidden = (at + p - first) / p;

		hidden = hidden > 3 ? (hidden - 3) * p : 0;
		if (hidden >= MIN_HIDDEN) {
			fold->period = p;
			fold->hidden = hidden;
			return true;
		}
	}
	return false;
}

static void
put_fold(struct text_out *t, const struct fold *fold)
{
	char text[96];

	if (fold->period == 1)
		snprintf(text, sizeof(text),
		    "... the frame above %u more times ...", fold->hidden);
	else
		snprintf(text, sizeof(text),
		    "... the %u frames above %u more times ...", fold->period,
		    fold->hidden / fold->period);
	put_note(t, text, "");
}

/* Frames [from, end), numbered with `skipped` more. */
static void
put_frames(struct text_out *t, const struct snap_thread *thread, uint32_t from,
    uint32_t end, uint64_t skipped)
{
	for (uint32_t i = from; i < end;) {
		struct fold fold;
		uint32_t shown = 1;
		bool folds = find_fold(thread, i, end, &fold);

		if (folds)
			shown = 2 * fold.period;
		for (; shown > 0; shown--, i++)
			put_frame(t, &thread->frames[i], i + skipped);
		if (folds) {
			put_fold(t, &fold);
			i += fold.hidden;
		}
	}
}

static void
put_stack(struct text_out *t, const struct snap_thread *thread)
{
	const char *stop = thread->stop_reason;
	uint32_t gap = thread->n_frames;
	char text[96];

	text_annotations(t, thread->annotations, INDENT, "");
	put_kernel(t, thread);
	if (thread->frames_skipped != 0 && thread->frames_skipped_at < gap)
		gap = (uint32_t)thread->frames_skipped_at;
	put_frames(t, thread, 0, gap, 0);
	if (thread->frames_skipped != 0) {
		snprintf(text, sizeof(text), "... %llu frames left out ...",
		    (unsigned long long)thread->frames_skipped);
		put_note(t, text, "");
		put_frames(
		    t, thread, gap, thread->n_frames, thread->frames_skipped);
	}
	if (thread->n_frames == 0)
		put_note(t, "no frames", "");
	if (stop != NULL && stop[0] != '\0' &&
	    strcmp(stop, "end of stack") != 0)
		put_note(t, "stopped: ", stop);
}

void
text_threads(struct text_out *t)
{
	struct groups g;

	if (make_groups(&g, t->s)) {
		for (size_t i = 0; i < g.count; i++) {
			text_end(t);
			put_heading(t, &g, &g.items[i]);
			put_stack(t, &t->s->threads.items[g.items[i].first]);
		}
	} else {
		t->b->failed = true;
	}
	free(g.items);
	free(g.next);
}
