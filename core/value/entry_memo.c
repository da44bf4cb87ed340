/* SPDX-License-Identifier: MIT */
/*
 * Remembers entry values. In a recursion each frame's entry value depends on
 * that of its caller: without memory a stack of n frames costs n^2 (GDB: 1.4 ms
 * a frame), and the chain is as deep as the stack. A chain that is too deep for
 * our own stack is cut; the rest is evaluated first, from the caller's end,
 * and then everything before it is at hand.
 */
#include "value/entry.h"

enum {
	/* Evaluations within each other; then the chain is cut. */
	ENTRY_DEPTH = 24,
	/* Parts of a chain; with the depth: the longest one. */
	ENTRY_PARTS_MAX = 16384,
	ENTRY_MEMO_MAX = 1 << 20
};

struct part { /* of a cut chain: what is to be evaluated */
	struct evaluator ev;
	struct view block;
};

struct entry_memo {
	const struct target_thread *thread;
	struct map values, failures;
	bool cut;	  /* the evaluation in progress met the depth limit */
	struct part rest; /* there */
};

struct entry_memo *
entry_memo_create(void)
{
	struct entry_memo *m = calloc(1, sizeof(*m));

	if (m != NULL) {
		map_init(&m->values, ENTRY_MEMO_MAX);
		map_init(&m->failures, ENTRY_MEMO_MAX);
	}
	return m;
}

void
entry_memo_destroy(struct entry_memo *m)
{
	if (m == NULL)
		return;
	map_deinit(&m->failures);
	map_deinit(&m->values);
	free(m);
}

/* Frame, function and place; 0 when the frame cannot be told from others. */
static uint64_t
memo_key(const struct evaluator *ev, struct view block)
{
	const struct unwind_frame *frame;
	uint64_t key;

	if (ev->stack == NULL || ev->function == NULL ||
	    ev->index >= ev->stack->frames.count)
		return 0;
	frame = ev->stack->frames.items[ev->index];
	if (frame->cfa_known == false)
		return 0;
	key = map_mix(frame->cfa) ^ ev->index;
	key = map_mix(key) ^ (ev->function->low_pc + ev->bias);
	for (size_t i = 0; i < block.size; i++)
		key = map_mix(key) ^ block.data[i];
	return map_mix(key) | 1;
}

static void
memo_thread(struct entry_memo *m, const struct target_thread *thread)
{
	if (m->thread == thread)
		return;
	m->thread = thread;
	map_clear(&m->values);
	map_clear(&m->failures);
}

static bool
evaluate(struct evaluator *ev, struct view block, uint64_t *out, bt_error_t *e)
{
	struct entry_memo *m = ev->r->entry_memo;
	uint64_t key = memo_key(ev, block), *known;

	if (key != 0 && (known = map_get(&m->values, key)) != NULL) {
		*out = *known;
		return true;
	}
	if (key != 0 && map_get(&m->failures, key) != NULL)
		return bt_fail(e, BT_E_NOTFOUND, "entry value is not known");
	if (ev->entry_depth >= ENTRY_DEPTH) {
		m->cut = true;
		m->rest = (struct part){*ev, block};
		m->rest.ev.entry_depth = 0;
		m->rest.ev.nesting = 0;
		return bt_fail(e, BT_E_LIMIT, "entry values nest too deeply");
	}
	if (entry_compute(ev, block, out, e)) {
		if (key != 0 &&
		    (known = map_put(&m->values, key, NULL)) != NULL)
			*known = *out;
		return true;
	}
	if (key != 0 && m->cut == false)
		(void)map_put(&m->failures, key, NULL);
	return false;
}

/* The first part is what was asked for; each next one is where the one before
 * was cut. */
static bool
evaluate_parts(
    struct evaluator *ev, struct view block, uint64_t *out, bt_error_t *e)
{
	struct entry_memo *m = ev->r->entry_memo;
	VEC(struct part) parts;
	struct part *p;
	bool ok;

	/* Mostly there is one part. */
	m->cut = false;
	ev->r->runs_left = VALUE_RUNS_MAX;
	ok = evaluate(ev, block, out, e);
	if (ok || m->cut == false)
		return ok;
	vec_init(&parts, ENTRY_PARTS_MAX);
	p = vec_push(&parts);
	if (p != NULL)
		*p = (struct part){*ev, block};
	while (parts.count > 0 && budget_step(ev->r->budget)) {
		p = &parts.items[parts.count - 1];
		m->cut = false;
		ev->r->runs_left = VALUE_RUNS_MAX;
		ok = evaluate(&p->ev, p->block, out, e);
		if (ok == false && m->cut) {
			p = vec_push(&parts);
			if (p == NULL)
				break;
			*p = m->rest;
			continue;
		}
		parts.count--;
	}
	if (parts.count > 0)
		ok = bt_fail(e, BT_E_LIMIT, "entry values nest too deeply");
	m->cut = false;
	vec_deinit(&parts);
	return ok;
}

bool
value_on_entry(
    struct evaluator *ev, struct view block, uint64_t *out, bt_error_t *e)
{
	struct entry_memo *m = ev->r->entry_memo;

	if (ev->thread == NULL || ev->stack == NULL)
		return bt_fail(e, BT_E_NOTFOUND, "no frame");
	if (entry_known(ev, block, out))
		return true;
	memo_thread(m, ev->thread);
	if (ev->entry_depth > 0)
		return evaluate(ev, block, out, e);
	return evaluate_parts(ev, block, out, e);
}
