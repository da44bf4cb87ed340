/* SPDX-License-Identifier: MIT */
/*
 * Headers lie between blocks, so who damaged one came from below or from
 * above. What was written there goes on on one side: the same byte over and
 * over, text, the same word. If it reaches down into the block before, that
 * one was written past its end; if it begins with the header and goes up, the
 * block itself was written before its start. A header that is whole while the
 * links in a freed block are not tells of a write after free.
 */
#include <string.h>

#include "damage.h"
#include "holder.h"

enum { BELOW = 256, ABOVE = 64, HEADER = 16, SIZE_AT = 8 };

/* The bytes around a header; bytes[BELOW] is its first. */
struct around {
	uint8_t bytes[BELOW + ABOVE];
	unsigned first, last; /* that could be read: [first, last) */
};

static const struct { /* the one that says most comes first */
	uint32_t check;
} order[] = {{PTRACE_HEAP_CHECK_SIZE}, {PTRACE_HEAP_CHECK_TOP},
    {PTRACE_HEAP_CHECK_OVERLAP}, {PTRACE_HEAP_CHECK_TWICE},
    {PTRACE_HEAP_CHECK_LINK}, {PTRACE_HEAP_CHECK_IN_USE},
    {PTRACE_HEAP_CHECK_BIN}, {PTRACE_HEAP_CHECK_KEY},
    {PTRACE_HEAP_CHECK_FOREIGN}, {PTRACE_HEAP_CHECK_PREV_SIZE},
    {PTRACE_HEAP_CHECK_METADATA}, {PTRACE_HEAP_CHECK_COUNT}};

bool
damage_any(ptrace_target_t *t, bool *transient)
{
	ptrace_heap_anomaly_t a = PTRACE_HEAP_ANOMALY_INIT;
	bool found = false;

	*transient = false;
	for (uint32_t i = 0; ptrace_heap_anomaly(t, i, &a); i++) {
		*transient = *transient || a.transient;
		found = found || !a.transient;
	}
	return found;
}

static bool
is_near(const ptrace_heap_anomaly_t *a, const ptrace_heap_block_t *b)
{
	bt_addr_t end = b->chunk + b->extent;

	return a->chunk == b->chunk || a->before == b->start ||
	    a->chunk == end || (a->address >= b->chunk && a->address < end);
}

bool
damage_near(ptrace_target_t *t, const ptrace_heap_block_t *block)
{
	ptrace_heap_anomaly_t a = PTRACE_HEAP_ANOMALY_INIT;

	for (uint32_t i = 0; ptrace_heap_anomaly(t, i, &a); i++)
		if (!a.transient && is_near(&a, block))
			return true;
	return false;
}

static unsigned
rank(uint32_t check)
{
	unsigned i = 0;

	while (i < sizeof(order) / sizeof(*order) && order[i].check != check)
		i++;
	return i;
}

/* Of equal ones the first by address: damage goes up. */
static bool
choose(ptrace_target_t *t, const ptrace_heap_block_t *near,
    ptrace_heap_anomaly_t *out)
{
	ptrace_heap_anomaly_t a = PTRACE_HEAP_ANOMALY_INIT;
	unsigned best = UINT32_MAX;

	for (uint32_t i = 0; ptrace_heap_anomaly(t, i, &a); i++) {
		if (a.transient || rank(a.check) >= best ||
		    (near != NULL && !is_near(&a, near)))
			continue;
		best = rank(a.check);
		*out = a;
	}
	return best != UINT32_MAX;
}

/* A list whose backward half leads elsewhere is read from both of its ends, and
 * so a block of it comes up twice. Freed again, a block would be its own
 * neighbour: this is what glibc makes of that. */
static void
prefer_link(ptrace_target_t *t, ptrace_heap_anomaly_t *twice)
{
	ptrace_heap_anomaly_t a = PTRACE_HEAP_ANOMALY_INIT;

	for (uint32_t i = 0; ptrace_heap_anomaly(t, i, &a); i++) {
		if (a.transient || a.check != PTRACE_HEAP_CHECK_LINK ||
		    a.chunk != twice->chunk || !a.has_values ||
		    a.found == a.chunk)
			continue;
		*twice = a;
		return;
	}
}

/* ---- words for people ---- */

static const char *
state_text(const ptrace_heap_block_t *b)
{
	static const char *const states[] = {"of unknown state", "in use",
	    "free", "freed", "never handed out", "freed", "the allocator's"};

	return b->state < sizeof(states) / sizeof(*states) ? states[b->state]
							   : states[0];
}

const char *
damage_block_text(ptrace_backtrace_t *bt, const ptrace_heap_block_t *b)
{
	bool place = b->place != NULL && b->place[0] != '\0';

	return pmodule_text(bt,
	    "the block of %" PRIu64 " bytes at 0x%" PRIx64 " (%s%s%s)",
	    b->usable, b->start, state_text(b), place ? ": " : "",
	    place ? b->place : "");
}

const char *
damage_too_small(ptrace_backtrace_t *bt, ptrace_frame_t *f,
    const ptrace_variable_info_t *info, const ptrace_heap_block_t *b)
{
	char member[128];

	/* By its type alone, there is more behind the end of the block. */
	if (b->state != PTRACE_HEAP_ALLOCATED || b->offset != 0 ||
	    !ptrace_frame_member(
		f, info->name, b->usable, member, sizeof(member)))
		return NULL;
	return pmodule_text(bt,
	    "the block is too small for what %s (%s) points to: %s->%s lies at "
	    "offset %" PRIu64 ", behind its end",
	    info->name, info->type, info->name, member, b->usable);
}

/* ---- what was written ---- */

struct run {
	int from, to; /* offsets from the header; to: behind the last byte */
	const char *what;
};

static void
read_around(ptrace_target_t *t, bt_addr_t header, struct around *a)
{
	size_t n = 0;

	/* The bytes below may end at a page that is not there. */
	for (a->first = 0; a->first < BELOW; a->first += 16) {
		n = ptrace_target_read_some(t, header - BELOW + a->first,
		    a->bytes + a->first, sizeof(a->bytes) - a->first);
		if (n > BELOW - a->first)
			break;
	}
	a->last = a->first + (unsigned)n;
}

static bool
is_text(uint8_t byte)
{

	return (byte >= ' ' && byte < 0x7f) || byte == '\n' || byte == '\t';
}

/* The bytes that go on in both directions from the one at `at` as it is: equal
 * ones, or text. */
static struct run
extend(const struct around *a, unsigned at, bool text)
{
	uint8_t byte = a->bytes[at];
	unsigned from = at, to = at + 1;

	while (from > a->first &&
	    (text ? is_text(a->bytes[from - 1]) : a->bytes[from - 1] == byte))
		from--;
	while (to < a->last &&
	    (text ? is_text(a->bytes[to]) : a->bytes[to] == byte))
		to++;
	return (struct run){(int)from - BELOW, (int)to - BELOW, NULL};
}

/* The same byte, at least four times. Zeros are everywhere. */
static bool
run_of_bytes(ptrace_backtrace_t *bt, const struct around *a, struct run *out)
{
	const unsigned low = BELOW + SIZE_AT, high = BELOW + HEADER - 1;
	const int enough = 4;

	/* The last byte of the header belongs to whatever came from above. */
	*out = extend(a, a->bytes[low] != 0 ? low : high, false);
	out->what = pmodule_text(
	    bt, "bytes 0x%02x", a->bytes[out->from + BELOW]);
	return out->to - out->from >= enough &&
	    a->bytes[out->from + BELOW] != 0;
}

/* Text that begins below the header; it ends with a NUL, which may be all that
 * reaches the size. */
static bool
run_of_text(const struct around *a, struct run *out)
{
	const unsigned low = BELOW + SIZE_AT;

	*out = extend(a, is_text(a->bytes[low]) ? low : low - 1, true);
	out->what = "text";
	return out->from < 0 && is_text(a->bytes[out->from + BELOW]) &&
	    (is_text(a->bytes[low]) || a->bytes[low] == 0);
}

static uint64_t
number_at(const struct around *a, unsigned at, unsigned width)
{
	uint64_t v = 0;

	memcpy(&v, a->bytes + at, width);
	return v;
}

static bool
is_wide(const struct around *a, unsigned at, unsigned width)
{
	uint64_t unit = number_at(a, at, width);

	return unit <= UINT8_MAX && is_text((uint8_t)unit);
}

/* Numbers of which each differs from the one before by the same amount: the
 * same word again and again, or a counter. */
static bool
run_of_numbers(const struct around *a, unsigned width, struct run *out)
{
	const unsigned low = BELOW + SIZE_AT, end = BELOW + HEADER, enough = 4;
	const uint64_t mask = width == 8 ? UINT64_MAX : UINT32_MAX;
	uint64_t step =
	    (number_at(a, low, width) - number_at(a, low - width, width)) &
	    mask;
	unsigned from = low, to = low;

	while (from >= a->first + width &&
	    ((number_at(a, from, width) - number_at(a, from - width, width)) &
		mask) == step)
		from -= width;
	while (to + 2 * width <= a->last &&
	    ((number_at(a, to + width, width) - number_at(a, to, width)) &
		mask) == step)
		to += width;
	to += width;
	*out = (struct run){(int)from - BELOW, (int)to - BELOW,
	    step == 0 ? "the same number again and again"
		      : "numbers in equal steps"};
	/* Zeros are everywhere. The last of several may be half a size. */
	return (to >= end || (step != 0 && low - from >= enough * width)) &&
	    (low - from) / width + 1 >= enough && number_at(a, low, 8) != 0;
}

/* Text of wide characters. */
static bool
run_of_wide_text(const struct around *a, unsigned width, struct run *out)
{
	const unsigned low = BELOW + SIZE_AT, enough = 4;
	unsigned from = low, to = low;

	while (to + width <= a->last && is_wide(a, to, width))
		to += width;
	while (from >= a->first + width && is_wide(a, from - width, width))
		from -= width;
	*out = (struct run){(int)from - BELOW, (int)to - BELOW, "wide text"};
	/* What it did not reach of the size is zero: else something else did.
	 */
	return to > low && (low - from) / width >= enough &&
	    (to >= low + 8 || number_at(a, to, low + 8 - to) == 0);
}

/* The word over the size is what stands one record before, two, three, or goes
 * on in equal steps: a member of the elements of an array. */
static bool
run_of_records(const struct around *a, unsigned width, struct run *out)
{
	const unsigned low = BELOW + SIZE_AT, times = 3;
	unsigned from = low;
	uint64_t step;

	if (number_at(a, low, 8) == 0 || a->first + times * width > low)
		return false;
	step = number_at(a, low, 8) - number_at(a, low - width, 8);
	while (from >= a->first + width &&
	    number_at(a, from, 8) - number_at(a, from - width, 8) == step)
		from -= width;
	*out = (struct run){(int)from - BELOW, HEADER, "records of one form"};
	return low - from >= times * width;
}

/* Zeros over all of the size and two words more, which the program had below:
 * it is seldom that somebody clears memory downwards. */
static bool
run_of_zeros(const struct around *a, struct run *out)
{
	*out = extend(a, BELOW + SIZE_AT, false);
	out->what = "zeros";
	return a->bytes[BELOW + SIZE_AT] == 0 && out->from <= -HEADER &&
	    out->to >= HEADER;
}

/* Of several the one that reaches furthest down. */
static bool
find_run(ptrace_backtrace_t *bt, const struct around *a, struct run *out)
{
	enum { RUNS = 6, RECORD_MAX = 64 };
	struct run runs[RUNS];
	bool good[RUNS], found = false;

	if (a->last < BELOW + HEADER || a->first > BELOW)
		return false;
	good[0] = run_of_bytes(bt, a, &runs[0]);
	good[1] = run_of_text(a, &runs[1]);
	good[2] = run_of_numbers(a, 8, &runs[2]);
	good[3] = run_of_numbers(a, 4, &runs[3]);
	good[4] = run_of_wide_text(a, 4, &runs[4]) ||
	    run_of_wide_text(a, 2, &runs[4]);
	good[5] = false;
	for (unsigned width = 16; !good[5] && width <= RECORD_MAX; width += 8)
		good[5] = run_of_records(a, width, &runs[5]);
	for (unsigned i = 0; i < RUNS; i++) {
		if (good[i] == false || (found && runs[i].from >= out->from))
			continue;
		*out = runs[i];
		found = true;
	}
	return found;
}

/* ---- headers ---- */

static void
fill(struct report *r, const char *class_name, const char *token,
    double confidence, const char *text)
{

	r->class_name = class_name;
	r->confidence = confidence;
	r->text = text;
	report_token(r, token);
}

static void
blame_before(ptrace_backtrace_t *bt, const ptrace_heap_block_t *before,
    double confidence, const char *how, struct report *r)
{

	fill(r, "heap-overflow", "heap.overflow", confidence,
	    pmodule_text(bt, "%s was written past its end: %s",
		damage_block_text(bt, before), how));
	r->has_address = true;
	r->address = before->start;
	holder_note(bt, r->thread, before, r);
}

static bool
block_before(ptrace_target_t *t, const ptrace_heap_anomaly_t *a,
    ptrace_heap_block_t *out)
{
	ptrace_heap_block_t b = PTRACE_HEAP_BLOCK_INIT;

	if (a->before != 0)
		return ptrace_heap_at(t, a->before, out);
	return a->chunk != 0 && ptrace_heap_at(t, a->chunk + SIZE_AT, &b) &&
	    ptrace_heap_before(t, &b, out);
}

/* One byte of the size is zero that must not be, and nothing else is wrong. */
static bool
is_terminator(const ptrace_heap_anomaly_t *a)
{

	return (a->found & 0xff) == 0 && a->found != 0 && a->found >> 40 == 0;
}

/* The upper half of a size is never in use. Who writes upwards from below gets
 * to the lower half first; and that still leads to a block. */
static bool
is_upper_half(ptrace_target_t *t, const ptrace_heap_anomaly_t *a)
{
	const uint64_t flags = 7, mapped = 2, least = 32, most = 1 << 30;
	uint64_t low = (uint32_t)a->found & ~flags, next;

	if (a->found >> 32 == 0 || (a->found & mapped) != 0 || low < least ||
	    low % 16 != 0 ||
	    !ptrace_target_read(
		t, a->chunk + low + SIZE_AT, &next, sizeof(next), NULL))
		return false;
	return (next & mapped) == 0 && (next & ~flags) >= least &&
	    next % 16 <= flags && next < most;
}

static void
blame_above(ptrace_backtrace_t *bt, const ptrace_heap_anomaly_t *a,
    const char *how, struct report *r)
{

	fill(r, "heap-underflow", "heap.underflow", 0.93,
	    pmodule_text(bt,
		"the block at 0x%" PRIx64 " was written before its start: %s",
		a->start, how));
	r->has_address = true;
	r->address = a->start;
}

static const char *
run_text(ptrace_backtrace_t *bt, const struct run *run, bt_addr_t header)
{

	return pmodule_text(bt,
	    "%d bytes (%s) from 0x%" PRIx64
	    " on run over the header of the block at 0x%" PRIx64,
	    run->to - run->from, run->what,
	    header + (uint64_t)(int64_t)run->from, header + HEADER);
}

/* The header is as the allocator wrote it, but no block begins there: the size
 * of the block before led to it, which a byte or two may have changed. */
static bool
explain_size_before(
    ptrace_backtrace_t *bt, const ptrace_heap_block_t *misled, struct report *r)
{
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	ptrace_heap_block_t before = PTRACE_HEAP_BLOCK_INIT;
	struct around around;
	struct run run = {0};

	read_around(t, misled->chunk, &around);
	if (!find_run(bt, &around, &run) || run.from >= 0 ||
	    run.to <= SIZE_AT || !ptrace_heap_before(t, misled, &before))
		return false;
	blame_before(bt, &before, 0.94, run_text(bt, &run, misled->chunk), r);
	return true;
}

static void
explain_header(
    ptrace_backtrace_t *bt, const ptrace_heap_anomaly_t *a, struct report *r)
{
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	ptrace_heap_block_t before = PTRACE_HEAP_BLOCK_INIT;
	bool has_before = block_before(t, a, &before);
	struct around around;
	struct run run = {0};

	read_around(t, a->chunk, &around);
	if (find_run(bt, &around, &run)) {
		const char *how = run_text(bt, &run, a->chunk);

		if (run.from > 0 && run.to >= HEADER) {
			blame_above(bt, a, how, r);
			return;
		}
		if (has_before && run.from < 0 && run.to >= SIZE_AT) {
			blame_before(bt, &before, 0.97, how, r);
			return;
		}
	}
	if (has_before && is_terminator(a)) {
		blame_before(bt, &before, 0.96,
		    pmodule_text(bt,
			"the byte behind it, which begins the size of the "
			"block at 0x%" PRIx64
			", is zero, as the end of a string is",
			a->start),
		    r);
		return;
	}
	if (is_upper_half(t, a)) {
		blame_above(bt, a,
		    "the upper half of its size was overwritten, and the lower "
		    "half was not",
		    r);
		return;
	}
	if (has_before && run_of_zeros(&around, &run)) {
		blame_before(
		    bt, &before, 0.85, run_text(bt, &run, a->chunk), r);
		return;
	}
	if (has_before && a->check == PTRACE_HEAP_CHECK_SIZE &&
	    explain_size_before(bt, &before, r))
		return;
	fill(r, "heap-corruption", "heap.corrupt", 0.9,
	    pmodule_text(bt,
		"the header of the block at 0x%" PRIx64
		" is damaged: by a write past the end of the block before, or "
		"before its own start",
		a->start));
	r->has_address = true;
	r->address = a->address;
	if (has_before) {
		report_note(r, damage_block_text(bt, &before));
		holder_note(bt, r->thread, &before, r);
	}
}

/* ---- links ---- */

static void
explain_link(
    ptrace_backtrace_t *bt, const ptrace_heap_anomaly_t *a, struct report *r)
{

	fill(r, "use-after-free", "heap.uaf", a->chunk != 0 ? 0.94 : 0.9,
	    a->chunk != 0
		? pmodule_text(bt,
		      "the free block at 0x%" PRIx64
		      " was written to: its header is whole, but what the "
		      "allocator keeps in it is not",
		      a->start)
		: "a block was written to after it was freed: what the "
		  "allocator kept in it leads nowhere");
	r->has_address = true;
	r->address = a->start != 0 ? a->start : a->address;
}

static void
explain_other(
    ptrace_backtrace_t *bt, const ptrace_heap_anomaly_t *a, struct report *r)
{

	if (a->check == PTRACE_HEAP_CHECK_TWICE) {
		fill(r, "double-free", "heap.double-free", 0.95,
		    pmodule_text(bt,
			"the block at 0x%" PRIx64 " was freed twice: it is in "
			"the lists of free blocks more than once",
			a->start));
	} else if (a->check == PTRACE_HEAP_CHECK_FOREIGN && a->chunk == 0) {
		fill(r, "invalid-free", "heap.invalid-free", 0.85,
		    "a list of free blocks holds what is no block: something "
		    "was freed that was not allocated");
	} else if (a->check == PTRACE_HEAP_CHECK_PREV_SIZE) {
		fill(r, "heap-corruption", "heap.corrupt", 0.85,
		    pmodule_text(bt,
			"the last word of the free block before 0x%" PRIx64
			" was written to",
			a->start));
	} else {
		fill(r, "heap-corruption", "heap.corrupt", 0.8,
		    "the heap is damaged");
	}
	r->has_address = true;
	r->address = a->start != 0 ? a->start : a->address;
}

bool
damage_explain(
    ptrace_backtrace_t *bt, const ptrace_heap_block_t *block, struct report *r)
{
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	ptrace_heap_anomaly_t a = PTRACE_HEAP_ANOMALY_INIT;

	if ((block == NULL || !choose(t, block, &a)) && !choose(t, NULL, &a))
		return false;
	if (a.check == PTRACE_HEAP_CHECK_TWICE && a.cache_tid == 0)
		prefer_link(t, &a);
	if (damage_explain_foreign(bt, &a, r)) {
		report_note(r, a.text);
		return true;
	}
	switch (a.check) {
	case PTRACE_HEAP_CHECK_SIZE:
	case PTRACE_HEAP_CHECK_TOP:
	case PTRACE_HEAP_CHECK_OVERLAP:
	case PTRACE_HEAP_CHECK_IN_USE:
	case PTRACE_HEAP_CHECK_BIN:
		if (a.chunk != 0) {
			explain_header(bt, &a, r);
			break;
		}
		explain_other(bt, &a, r);
		break;
	case PTRACE_HEAP_CHECK_LINK:
	case PTRACE_HEAP_CHECK_KEY:
		explain_link(bt, &a, r);
		break;
	case PTRACE_HEAP_CHECK_FOREIGN:
		if (a.chunk != 0)
			explain_link(bt, &a, r);
		else
			explain_other(bt, &a, r);
		break;
	default:
		explain_other(bt, &a, r);
		break;
	}
	report_note(r, a.text);
	return true;
}
