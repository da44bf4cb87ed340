/* SPDX-License-Identifier: MIT */
/*
 * What a bad pointer's value tells about its making: text that was taken for a
 * pointer, the fill pattern of fresh memory, a pointer cut to 32 bits, one
 * flipped bit, one step past the end of a buffer's mapping, a look into a
 * function's stack after it returned.
 *
 * Every rule needs a second witness besides the value: any number may look
 * like anything.
 */
#include <string.h>

#include <ptrace/heap.h>

#include "common/origin.h"
#include "common/scan.h"
#include "common/stack.h"
#include "common/variables.h"

/* The pointer that was bad: the base of the operand, or, where control went
 * wrong, the place it would have gone. */
static bool
bad_value(const struct crash *c, uint64_t *out)
{

	if (c->bad_target || c->kind == CRASH_EXECUTE) {
		*out = c->address;
		return true;
	}
	if (c->operand == NULL || c->operand->segment_relative)
		return false;
	/* A gather or scatter through a vector of pointers. */
	if (c->operand->base < 0 && c->lane >= 0 && c->operand->scale == 1) {
		*out = c->operand->index_value;
		return true;
	}
	if (c->operand->base_known == false)
		return false;
	*out = c->operand->base_value;
	return true;
}

/* ---- text ---- */

static bool
is_printable(uint8_t byte)
{

	return byte >= ' ' && byte < 0x7f;
}

/* Seven or eight characters: six would be a canonical address now and then,
 * and fewer are every other number. */
static void
judge_text(const struct crash *c, uint64_t value)
{
	char text[9] = "";
	unsigned n = 0;
	struct report r;

	for (unsigned i = 0; i < 8; i++) {
		uint8_t byte = (uint8_t)(value >> i * 8);

		if (is_printable(byte) == false && !(i == 7 && byte == 0))
			return;
		text[i] = (char)byte;
		n += byte != 0;
	}
	/* One byte over and over is a fill pattern, whatever it spells. */
	if (n < 7 || value << 8 >> 8 == value >> 8)
		return;
	r = report_of(c, "ascii-pointer", 0.7,
	    pmodule_text(c->bt,
		"the pointer holds text, \"%s\": a string was written over it, "
		"or it was read from a string",
		text));
	report_note(
	    &r, pmodule_text(c->bt, "the pointer is 0x%" PRIx64, value));
	report_token(&r, "ascii");
	report_publish(&r);
}

/* ---- fill patterns ---- */

static const struct {
	uint8_t byte;
	const char *who;
} patterns[] = {
    {0xcc, "debug builds and malloc's perturb option"},
    {0xcd, "debug heaps"},
    {0xaa, "clang's -ftrivial-auto-var-init=pattern"},
    {0xfe, "gcc's -ftrivial-auto-var-init=pattern"},
    {0xa5, "jemalloc's junk option for new memory"},
    {0xbe, "AddressSanitizer's fill of new memory"},
    {0xbd, "debug heaps"},
};

/* The low two bytes may have been changed by adding an index. */
static void
judge_pattern(const struct crash *c, uint64_t value)
{
	uint8_t byte = (uint8_t)(value >> 56);

	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		uint64_t all = byte * UINT64_C(0x0101010101010101);
		struct report r;

		if (patterns[i].byte != byte || value >> 16 != all >> 16)
			continue;
		r = report_of(c, "uninit-pointer", 0.85,
		    pmodule_text(c->bt,
			"the pointer was never set: 0x%" PRIx64
			" is the fill pattern 0x%02x of fresh memory",
			value, byte));
		report_note(&r,
		    pmodule_text(
			c->bt, "0x%02x is used by %s", byte, patterns[i].who));
		report_token(&r, "uninit");
		report_publish(&r);
		return;
	}
}

/* ---- cut to 32 bits ---- */

struct truncated {
	uint64_t low; /* the 32 bits that are left */
	uint64_t found;
};

static bool
same_low_half(
    const struct crash *c, void *ctx, uint64_t word, const char *where)
{
	struct truncated *t = ctx;
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;

	(void)where;
	if ((word & UINT32_MAX) != t->low || word >> 32 == 0 ||
	    word >> 32 == UINT32_MAX ||
	    !ptrace_target_mapping(c->target, word, &m) ||
	    (m.permissions & PTRACE_PERM_READ) == 0)
		return false;
	t->found = word;
	return true;
}

/* The heap and the stack are where truncated pointers point to most: their
 * upper half with this lower half is an address of them. */
static bool
fits_heap(const struct crash *c, uint64_t low, uint64_t *out)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;

	*out = (c->sp & ~(uint64_t)UINT32_MAX) | low;
	if (low % 4 == 0 && *out >= c->sp &&
	    ptrace_target_mapping(c->target, c->sp, &m) && *out < m.end)
		return true;

	for (bt_addr_t at = 0; ptrace_target_mapping_next(c->target, at, &m);
	     at = m.end) {
		uint64_t address = (m.start & ~(uint64_t)UINT32_MAX) | low;

		if (m.path == NULL || strcmp(m.path, "[heap]") != 0 ||
		    address < m.start || address >= m.end)
			continue;
		*out = address;
		return low % 8 == 0;
	}
	return false;
}

static bool
judge_truncated(const struct crash *c, uint64_t value)
{
	struct truncated t = {.low = value & UINT32_MAX};
	const uint64_t smallest = 1 << 16;
	const char *where;
	bool heap = false;
	struct report r;

	/* Zero- or sign-extended. */
	if ((value >> 32 != 0 && (value >> 31 != (UINT64_C(1) << 33) - 1)) ||
	    t.low < smallest)
		return false;
	where = scan_words(c, same_low_half, &t);
	if (where == NULL)
		heap = fits_heap(c, t.low, &t.found);
	if (where == NULL && heap == false)
		return false;
	r = report_of(c, "ptr-truncated", where != NULL ? 0.85 : 0.7,
	    pmodule_text(c->bt,
		"the pointer 0x%" PRIx64 " was cut to 32 bits: the whole one "
		"is 0x%" PRIx64,
		value, t.found));
	report_note(&r,
	    where != NULL
		? pmodule_text(c->bt, "0x%" PRIx64 " is in %s", t.found, where)
		: "only with the upper half of addresses of the heap, or of "
		  "the "
		  "stack, does it point to memory");
	report_token(&r, "ptr.truncated");
	report_publish(&r);
	return true;
}

/* ---- one flipped bit ---- */

/* A block that glibc's allocator hands out: its size lies in the word before,
 * and another plausible size follows it. */
static bool
is_heap_block(const struct crash *c, uint64_t address)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	uint64_t size, next;

	if (address % 16 != 0 ||
	    !ptrace_target_mapping(c->target, address, &m) ||
	    (m.permissions & PTRACE_PERM_WRITE) == 0 ||
	    (m.path != NULL && strcmp(m.path, "[heap]") != 0) ||
	    !ptrace_target_read(
		c->target, address - 8, &size, sizeof(size), NULL))
		return false;
	size &= ~UINT64_C(7);
	if (size < 0x20 || size % 16 != 0 || size > m.end - address)
		return false;
	return ptrace_target_read(
		   c->target, address - 8 + size, &next, sizeof(next), NULL) &&
	    (next & ~UINT64_C(7)) >= 0x20 &&
	    (next & ~UINT64_C(7)) <= m.end - m.start && (next & 8) == 0;
}

/* A pointer that went bad in memory still stands there; what was computed from
 * a sound one, with an index that is a power of two, does not. True as well
 * when there is too much memory to look through. */
static bool
is_kept(const struct crash *c, uint64_t value)
{
	const uint64_t most = UINT64_C(256) << 20;
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	uint64_t read = 0, word;
	bt_addr_t found;

	for (bt_addr_t at = 0; ptrace_target_mapping_next(c->target, at, &m);
	     at = m.end) {
		if ((m.permissions & PTRACE_PERM_WRITE) == 0)
			continue;
		read += m.end - m.start;
		if (read > most ||
		    ptrace_target_find_word(
			c->target, m.start, m.end, value, value, &found, &word))
			return true;
	}
	return false;
}

static bool
judge_flip(const struct crash *c, uint64_t value)
{
	const unsigned lowest = 12;
	const uint64_t smallest = UINT64_C(1) << 32;
	uint64_t found = 0;
	unsigned bit = 0, matches = 0;
	struct report r;

	if (value < smallest)
		return false;
	for (unsigned i = lowest; i < 64; i++) {
		uint64_t candidate = value ^ UINT64_C(1) << i;

		if (is_heap_block(c, candidate)) {
			found = candidate;
			bit = i;
			matches++;
		}
	}
	if (matches != 1 || is_kept(c, value) == false)
		return false;
	r = report_of(c, "bit-flip", 0.82,
	    pmodule_text(c->bt,
		"one bit of the pointer is wrong: 0x%" PRIx64
		" with bit %u flipped is the heap block 0x%" PRIx64,
		value, bit, found));
	report_note(&r,
	    "a single wrong bit is a sign of bad memory, or of a flag set "
	    "through a wrong pointer");
	report_token(&r, "bitflip");
	report_publish(&r);
	return true;
}

/* ---- past the end ---- */

struct span {
	bt_addr_t start, end;
	bt_addr_t besides; /* not itself a witness */
};

static bool
points_into(const struct crash *c, void *ctx, uint64_t word, const char *where)
{
	const struct span *s = ctx;

	(void)c;
	(void)where;
	return word >= s->start && word < s->end && word != s->besides;
}

/* The first byte that failed is the first one after readable memory, and the
 * pointer was on its way there: the access begins before the end, or something
 * still points into that memory. */
static bool
judge_overread(const struct crash *c)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	const ptrace_operand_t *o = c->operand;
	const char *where = NULL;
	struct span span;
	struct report r;

	if (crash_direction_is(c, "read") == false || c->address == 0 ||
	    !ptrace_target_mapping(c->target, c->address - 1, &m) ||
	    m.end != c->address || (m.permissions & PTRACE_PERM_READ) == 0)
		return false;
	if (o->effective_known && o->effective < c->address) {
		where = "the access begins inside and ends outside";
	} else if (o->base_known && o->base_value >= m.start &&
	    o->base_value < m.end) {
		where = "the pointer is inside, the index leads outside";
	} else {
		span = (struct span){m.start, m.end, c->address};
		where = scan_registers(c, points_into, &span);
		if (where == NULL)
			return false;
		where = pmodule_text(c->bt, "%s still points into it", where);
	}
	r = report_of(c, "buffer-overread", 0.85,
	    pmodule_text(c->bt,
		"%s at 0x%" PRIx64 ", right behind the end of the memory that "
		"was being read: the end of the data was missed",
		crash_access_text(c), c->address));
	report_note(&r,
	    pmodule_text(c->bt, "0x%" PRIx64 "-0x%" PRIx64 " is readable; %s",
		m.start, m.end, where));
	report_token(&r, "overread");
	report_publish(&r);
	return true;
}

/* Bytes of the same value, or text, that end at the address; at most `most`. */
static uint64_t
run_below(const struct crash *c, bt_addr_t end, uint64_t most)
{
	uint8_t page[4096], last;
	uint64_t n = 0;
	bool text;

	if (!ptrace_target_read(c->target, end - 1, &last, 1, NULL) ||
	    last == 0)
		return 0;
	text = is_printable(last);
	while (n < most &&
	    ptrace_target_read(
		c->target, end - n - sizeof(page), page, sizeof(page), NULL)) {
		unsigned i = sizeof(page);

		while (i > 0 &&
		    (text ? is_printable(page[i - 1]) : page[i - 1] == last))
			i--;
		n += sizeof(page) - i;
		if (i > 0)
			break;
	}
	return n;
}

/* The write went on up to where it must not: what it wrote fills all of the
 * memory below, and tells where it began. */
static bool
judge_overrun(const struct crash *c)
{
	const uint64_t least = 256, most = UINT64_C(64) << 20;
	ptrace_heap_block_t b = PTRACE_HEAP_BLOCK_INIT;
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	ptrace_mapping_t stack = PTRACE_MAPPING_INIT;
	struct report r;
	bt_addr_t start;
	uint64_t n;

	if (crash_direction_is(c, "write") == false || c->address % 4096 != 0 ||
	    c->address == 0 ||
	    !ptrace_target_mapping(c->target, c->address - 1, &m) ||
	    m.end != c->address || (m.permissions & PTRACE_PERM_WRITE) == 0 ||
	    pmodule_finding_confidence(c->bt, "heap-overflow") > 0)
		return false;
	n = run_below(c, c->address, most);
	if (n < least)
		return false;
	start = c->address - n;
	r = report_of(c, "stack-corruption", 0.95, NULL);
	if (ptrace_target_mapping(c->target, c->sp, &stack) && start >= c->sp &&
	    start < stack.end) {
		r.text = "the stack was written over, up to its end and beyond";
		report_token(&r, "stack.corrupt");
	} else if (ptrace_heap_at(c->target, start, &b) &&
	    b.state == PTRACE_HEAP_ALLOCATED && b.offset >= 0 &&
	    b.chunk + b.extent <= c->address) {
		r.class_name = "heap-overflow";
		r.text = pmodule_text(c->bt,
		    "the block of %" PRIu64 " bytes at 0x%" PRIx64
		    " was written past its end",
		    b.usable, b.start);
		report_token(&r, "heap.overflow");
	} else {
		return false;
	}
	report_note(&r,
	    pmodule_text(c->bt,
		"the same was written to all %" PRIu64 " bytes from 0x%" PRIx64
		" on, up to 0x%" PRIx64 ", where it failed",
		n, start, c->address));
	report_publish(&r);
	return true;
}

/* ---- into a stack frame that is gone ---- */

/* A pointer below the stack pointer (and its red zone) in our own stack, whose
 * memory held the bad value where an object would hold it. */
static bool
points_to_dead_frame(
    const struct crash *c, void *ctx, uint64_t word, const char *where)
{
	const struct span *s = ctx; /* of the dead part of the stack */
	uint64_t words[8];
	size_t n;

	(void)where;
	if (word < s->start || word >= s->end || word % 8 != 0)
		return false;
	n = ptrace_target_read_some(c->target, word, words, sizeof(words)) / 8;
	for (size_t i = 0; i < n; i++)
		if (words[i] == s->besides)
			return true;
	return false;
}

/* The pointer is a variable's: the best witness. The red zone below the stack
 * pointer may hold locals of the innermost function, but no pointer that a
 * caller has can mean those. */
static const char *
dead_frame_variable(const struct crash *c, const struct span *dead)
{
	struct span whole = {dead->start, c->sp, dead->besides};
	uint32_t first = c->frame != NULL ? ptrace_frame_index(c->frame) : 0;
	uint32_t n = ptrace_thread_n_frames(c->thread);
	bool caller = false;

	for (uint32_t i = first; i < n && i < first + 3; i++) {
		ptrace_frame_t *f = ptrace_thread_frame(c->thread, i);
		uint32_t count = f != NULL ? ptrace_frame_n_variables(f) : 0;
		struct span span = caller ? whole : *dead;

		for (uint32_t j = 0; j < count; j++) {
			const ptrace_variable_t *v = ptrace_frame_variable(
			    f, j);
			ptrace_variable_info_t info = PTRACE_VARIABLE_INFO_INIT;

			if (v == NULL || !ptrace_variable_info(v, &info) ||
			    info.kind != PTRACE_VARIABLE_POINTER ||
			    info.has_value == false ||
			    !points_to_dead_frame(c, &span, info.value, NULL))
				continue;
			return pmodule_text(c->bt, "%s of %s", info.name,
			    ptrace_frame_symbol(f));
		}
		caller = caller || (f != NULL && !ptrace_frame_inline(f));
	}
	return NULL;
}

/* The pointer was loaded from there by the function that failed: not by chance
 * does an address below the stack pointer come into a load. */
static const char *
dead_frame_load(const struct crash *c, const struct span *dead)
{
	struct origin origin;

	origin_of_base(c, &origin);
	/* Nor does a function reach its own red zone in two steps. */
	if (origin.kind != ORIGIN_LOAD || origin.has_through == false ||
	    (origin.through >= dead->start && origin.through < c->sp) ||
	    origin.address < dead->start || origin.address >= c->sp ||
	    origin.value != dead->besides)
		return NULL;
	return pmodule_text(c->bt, "what \"%s\" read, at 0x%" PRIx64 ",",
	    origin.instruction.text, origin.address);
}

/*
 * A stale register or stack word may point to a callee's frame by accident,
 * and the bad value may have been in that callee's hands; so only a variable
 * makes it a verdict, a register a suspicion, any other word a possibility.
 */
static void
judge_dead_frame(const struct crash *c, uint64_t value)
{
	ptrace_mapping_t stack = PTRACE_MAPPING_INIT;
	const uint64_t red_zone = 128, depth = 1 << 20;
	double confidence = 0.88;
	const char *where;
	struct span span;
	struct report r;

	if (c->kind == CRASH_EXECUTE || stack_of(c, &stack) == false ||
	    c->sp < stack.start + red_zone)
		return;
	span.end = c->sp - red_zone;
	span.start = span.end - stack.start > depth ? span.end - depth
						    : stack.start;
	span.besides = value;
	where = dead_frame_variable(c, &span);
	if (where == NULL)
		where = dead_frame_load(c, &span);
	if (where == NULL) {
		confidence = 0.7;
		where = scan_registers(c, points_to_dead_frame, &span);
	}
	if (where == NULL) {
		confidence = 0.45;
		where = scan_near(c, points_to_dead_frame, &span);
	}
	if (where == NULL)
		return;
	r = report_of(c, "stack-use-after-return", confidence,
	    pmodule_text(c->bt,
		"the pointer 0x%" PRIx64 " was read from a local variable of a "
		"function that has returned",
		value));
	report_note(&r,
	    pmodule_text(c->bt,
		"%s points below the stack pointer 0x%" PRIx64
		", where no frame is any more",
		where, c->sp));
	report_token(&r, "stack.uar");
	report_publish(&r);
}

static void
analyse(ptrace_backtrace_t *bt)
{
	struct crash c;
	uint64_t value;

	if (crash_resolve(bt, &c) == false || c.direction == NULL ||
	    (c.kind != CRASH_PAGE && c.kind != CRASH_PROTECTION &&
		c.kind != CRASH_EXECUTE) ||
	    pmodule_finding_confidence(bt, "null-deref") > 0 ||
	    pmodule_finding_confidence(bt, "null-call") > 0 ||
	    pmodule_finding_confidence(bt, "stack-overflow") > 0)
		return;
	/* Misaligned: the address is fine otherwise. */
	if (c.kind == CRASH_PROTECTION && c.bad_target == false &&
	    (c.operand == NULL || ptrace_target_canonical(c.target, c.address)))
		return;
	if (c.kind == CRASH_PAGE && c.operand != NULL &&
	    (judge_overread(&c) || judge_overrun(&c)))
		return;
	if (bad_value(&c, &value) == false)
		return;
	judge_text(&c, value);
	judge_pattern(&c, value);
	judge_dead_frame(&c, value);
	if (c.operand == NULL)
		return;
	if (c.kind == CRASH_PROTECTION && c.bad_target == false)
		(void)judge_flip(&c, value);
	if (c.kind != CRASH_PAGE)
		return;
	/* What is mapped was forbidden, not wrong. */
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	if (ptrace_target_mapping(c.target, c.address, &m) == false &&
	    judge_truncated(&c, value) == false)
		judge_flip(&c, value);
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("pointer", load, NULL, NULL)
