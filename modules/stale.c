/* SPDX-License-Identifier: MIT */
/*
 * Who still refers to the memory at the fault? A mark from the faulting object
 * through all writable memory finds the words that point to it, then the
 * objects that hold those words, then who points to these, for so many levels.
 * The declared types of the pointers are the candidates: when memory that one
 * part of a program gave back belongs to another now, pointers of two types
 * lead to it, and one of them is stale.
 *
 * Off unless asked for (--stale-pointer): it reads all of memory.
 *
 * The object is what the operand's base register points to. When that value
 * itself is the bad one (it was read from memory that is somebody else's now),
 * it is the object that it was read from: by the code before the fault, by a
 * variable that has the value, or because the value is in memory only once.
 */
#include <stdio.h>

#include "common/origin.h"
#include "common/quote.h"
#include "common/typed.h"
#include "common/variables.h"
#include "common/vtable.h"

#include <ptrace/heap.h>

enum {
	LEVELS = 3,
	LEVELS_MAX = 16,
	TARGETS_MAX = 256, /* objects whose holders are looked for */
	HOLDERS_MAX = 2048,
	SHOWN_MAX = 64,
	TYPES_MAX = 16,
	CHUNK_WORDS = 4096,
	THREADS_MAX = 16384
};
/* Some seconds of reading. */
static const uint64_t bytes_max = UINT64_C(2) << 30;

struct target_range {
	bt_addr_t start, end;
	unsigned level;
	const char *type; /* NULL: unknown */
};

struct holder {
	bt_addr_t at;	/* 0: a register */
	unsigned level; /* 1: points to the object itself */
	const char *where;
	bool root; /* nobody needs to point to it: a stack, module data */
	const struct typed_pointer *pointer; /* that lies there */
	const struct typed_object *object;   /* that it is part of */
};

struct stack_top {
	uint64_t sp;
	uint32_t tid;
};

struct stale {
	ptrace_backtrace_t *bt;
	ptrace_target_t *target;
	struct typed typed;
	unsigned levels;
	struct target_range targets[TARGETS_MAX]; /* each level sorted */
	uint32_t n_targets, first;		  /* of the level */
	ptrace_heap_block_t block;  /* of that; start 0: none is known */
	struct target_range object; /* the first of all */
	struct holder *holders;
	uint32_t n_holders;
	struct stack_top *stacks; /* by sp */
	uint32_t n_stacks;
	uint64_t read;
	bool cut; /* a bound was reached */
	const char *types[TYPES_MAX];
	uint32_t n_types;
};

/* ---- marking ---- */

/* A block that the program has or had, not what an allocator never gave out.
 * The last word of a block of ptmalloc's is the first of the next one's header,
 * to which the allocator's own pointers lead. */
static bool
block_at(struct stale *s, bt_addr_t address, ptrace_heap_block_t *out)
{

	if (ptrace_heap_at(s->target, address, out) == false || out->offset < 0)
		return false;
	if (out->chunk + out->extent > out->start &&
	    out->usable > out->chunk + out->extent - out->start)
		out->usable = out->chunk + out->extent - out->start;
	return (uint64_t)out->offset < out->usable &&
	    out->state != PTRACE_HEAP_UNKNOWN &&
	    out->state != PTRACE_HEAP_UNUSED &&
	    out->state != PTRACE_HEAP_METADATA;
}

static void
add_target(struct stale *s, bt_addr_t start, uint64_t size, unsigned level,
    const char *type)
{
	for (uint32_t i = 0; i < s->n_targets; i++)
		if (start >= s->targets[i].start && start < s->targets[i].end)
			return;
	if (s->n_targets == TARGETS_MAX) {
		s->cut = true;
		return;
	}
	s->targets[s->n_targets++] = (struct target_range){
	    start, start + (size > 0 ? size : 1), level, type};
}

/* The range of this level that holds a value; they are sorted and few. */
static bool
is_marked(const struct stale *s, uint64_t value)
{
	uint32_t low = s->first, high = s->n_targets;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (s->targets[middle].end <= value)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->n_targets && value >= s->targets[low].start;
}

static void
add_holder(struct stale *s, const struct holder *like, bt_addr_t at)
{
	struct holder *h;

	if (s->n_holders == HOLDERS_MAX) {
		s->cut = true;
		return;
	}
	h = &s->holders[s->n_holders++];
	*h = *like;
	h->at = at;
	if (at == 0)
		return;
	h->pointer = typed_pointer_at(&s->typed, at);
	h->object = typed_object_at(&s->typed, at);
}

static void
mark_registers(struct stale *s, unsigned level)
{
	enum { REGISTERS = 16 };
	uint32_t n = ptrace_backtrace_n_threads(s->bt);

	for (uint32_t i = 0; i < n && i < THREADS_MAX; i++) {
		ptrace_thread_t *t = ptrace_backtrace_thread(s->bt, i);

		for (int32_t r = 0; r < REGISTERS; r++) {
			uint64_t value;

			struct holder holder = {.level = level};

			if (!ptrace_thread_register(t, r, &value) ||
			    !is_marked(s, value))
				continue;
			holder.where = pmodule_text(s->bt, "%s of thread %u",
			    ptrace_register_name(r), ptrace_thread_tid(t));
			add_holder(s, &holder, 0);
		}
	}
}

static int
by_stack(const void *a, const void *b)
{
	const struct stack_top *x = a, *y = b;

	return (x->sp > y->sp) - (x->sp < y->sp);
}

static bool
find_stacks(struct stale *s)
{
	uint32_t n = ptrace_backtrace_n_threads(s->bt);

	s->stacks = calloc((size_t)n + 1, sizeof(*s->stacks));
	for (uint32_t i = 0; s->stacks != NULL && i < n; i++) {
		ptrace_thread_t *t = ptrace_backtrace_thread(s->bt, i);
		struct stack_top *top = &s->stacks[s->n_stacks];

		top->tid = ptrace_thread_tid(t);
		s->n_stacks += ptrace_thread_register(
		    t, PTRACE_REGISTER_SP, &top->sp);
	}
	if (s->n_stacks > 0)
		qsort(s->stacks, s->n_stacks, sizeof(*s->stacks), by_stack);
	return s->stacks != NULL;
}

/* Below the stack pointers of the threads in a mapping lies what returned
 * calls left. */
static const struct stack_top *
lowest_stack(const struct stale *s, const ptrace_mapping_t *m)
{
	uint32_t low = 0, high = s->n_stacks;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (s->stacks[middle].sp < m->start)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->n_stacks && s->stacks[low].sp < m->end ? &s->stacks[low]
							       : NULL;
}

static void
mark_mapping(
    struct stale *s, const ptrace_mapping_t *m, uint64_t *words, unsigned level)
{
	ptrace_module_t module = PTRACE_MODULE_INIT;
	const struct stack_top *top = lowest_stack(s, m);
	bool data = ptrace_target_module_at(s->target, m->start, &module);
	bt_addr_t at = top != NULL ? top->sp & ~UINT64_C(7) : m->start;
	bt_addr_t end = m->start + m->dumped;
	struct holder holder = {
	    .level = level,
	    .root = top != NULL || data,
	    .where = top != NULL
		? pmodule_text(s->bt, "stack of thread %u", top->tid)
		: data ? pmodule_text(s->bt, "data of %s", module.name)
		: m->path != NULL ? m->path
				  : "anonymous memory",
	};

	for (; at < end; at += CHUNK_WORDS * 8) {
		size_t want = end - at < CHUNK_WORDS * 8 ? end - at
							 : CHUNK_WORDS * 8;
		size_t n = ptrace_target_read_some(s->target, at, words, want);

		s->read += want;
		if (s->read > bytes_max) {
			s->cut = true;
			return;
		}
		for (size_t i = 0; i < n / 8; i++)
			if (is_marked(s, words[i]))
				add_holder(s, &holder, at + i * 8);
	}
}

static int
by_range(const void *a, const void *b)
{
	const struct target_range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* One level: who points to the targets of the level before; the objects that
 * hold these pointers are the next targets. Objects of stacks and of modules
 * are roots: nobody needs to point to them. */
static void
mark_level(struct stale *s, unsigned level, uint64_t *words)
{
	const uint32_t data = PTRACE_PERM_READ | PTRACE_PERM_WRITE;
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	uint32_t before = s->n_holders, end = s->n_targets;

	qsort(s->targets + s->first, end - s->first, sizeof(*s->targets),
	    by_range);
	mark_registers(s, level);
	for (bt_addr_t at = 0; ptrace_target_mapping_next(s->target, at, &m);
	     at = m.end)
		if ((m.permissions & data) == data && m.permissions <= 7)
			mark_mapping(s, &m, words, level);
	for (uint32_t i = before; i < s->n_holders; i++) {
		const struct holder *h = &s->holders[i];
		ptrace_heap_block_t b = PTRACE_HEAP_BLOCK_INIT;

		if (h->at == 0 || h->root)
			continue;
		if (block_at(s, h->at, &b))
			add_target(s, b.start, b.usable, level,
			    h->object != NULL ? h->object->type : NULL);
		else if (h->object != NULL)
			add_target(s, h->object->start, h->object->size, level,
			    h->object->type);
	}
	s->first = end;
}

/* ---- what to start from ---- */

/* The block of the heap around the address; else what debug information knows
 * of an object there; else what was accessed. */
static void
start_at(struct stale *s, bt_addr_t address, uint64_t size)
{
	const struct typed_object *o = typed_object_at(&s->typed, address);
	ptrace_heap_block_t b = PTRACE_HEAP_BLOCK_INIT;

	if (block_at(s, address, &b)) {
		if (s->block.start == 0)
			s->block = b;
		add_target(s, b.start, b.usable, 0, o != NULL ? o->type : NULL);
	} else if (o != NULL) {
		add_target(s, o->start, o->size, 0, o->type);
	} else {
		add_target(s, address, size, 0, NULL);
	}
}

static bool
is_pointer(const struct crash *c, uint64_t value)
{

	return !crash_is_null(value) &&
	    ptrace_target_canonical(c->target, value) && value >> 47 == 0;
}

static uint64_t
reach(const ptrace_operand_t *o)
{
	uint64_t size = o->access_size > 0 ? o->access_size : 1;

	return o->displacement > 0 && o->displacement < 1 << 20
	    ? (uint64_t)o->displacement + size
	    : size;
}

/* In the mapping of the stack pointer: variables, no objects of their own. */
static bool
on_stack(const struct crash *c, bt_addr_t address)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;

	return ptrace_target_mapping(c->target, address, &m) &&
	    c->sp >= m.start && c->sp < m.end;
}

/* The one place off the stack that holds the value; 0: none, several, or more
 * memory than is read. */
static bt_addr_t
only_place(struct stale *s, const struct crash *c, uint64_t value)
{
	const uint32_t data = PTRACE_PERM_READ | PTRACE_PERM_WRITE;
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	uint64_t words[512];
	bt_addr_t place = 0;

	for (bt_addr_t at = 0; ptrace_target_mapping_next(s->target, at, &m);
	     at = m.end) {
		bt_addr_t end = m.start + m.dumped;

		if ((m.permissions & data) != data || m.permissions > 7 ||
		    (c->sp >= m.start && c->sp < m.end))
			continue;
		for (bt_addr_t p = m.start; p < end; p += sizeof(words)) {
			size_t want = end - p < sizeof(words) ? end - p
							      : sizeof(words);
			size_t n = ptrace_target_read_some(
			    s->target, p, words, want);

			s->read += want;
			for (size_t i = 0; i < n / 8; i++) {
				if (words[i] != value)
					continue;
				if (place != 0)
					return 0;
				place = p + i * 8;
			}
		}
		if (s->read > bytes_max)
			return 0;
	}
	return place;
}

/* Where the bad value was read from. */
static void
start_at_source(struct stale *s, const struct crash *c, uint64_t value)
{
	struct origin origin;
	const ptrace_operand_t *o = &origin.instruction.operands[0];
	bt_addr_t place;

	origin_of_base(c, &origin);
	if (origin.kind == ORIGIN_LOAD && !on_stack(c, origin.address)) {
		start_at(
		    s, origin.address - (uint64_t)o->displacement, reach(o));
		return;
	}
	for (size_t i = typed_pointers_from(&s->typed, value);
	     i < s->typed.n_pointers && s->typed.pointers[i].value == value;
	     i++) {
		place = s->typed.pointers[i].address;
		if (place == 0 || on_stack(c, place))
			continue;
		start_at(s, place, 8);
		return;
	}
	place = only_place(s, c, value);
	if (place != 0)
		start_at(s, place, 8);
}

static bool
start(struct stale *s, const struct crash *c)
{
	const ptrace_operand_t *o = c->operand;
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;

	if (o == NULL || o->base_known == false || o->segment_relative ||
	    crash_is_null(o->base_value) || on_stack(c, o->base_value))
		return false;
	if (is_pointer(c, o->base_value))
		start_at(s, o->base_value, reach(o));
	if (!is_pointer(c, o->base_value) ||
	    !ptrace_target_mapping(c->target, o->base_value, &m))
		start_at_source(s, c, o->base_value);
	return s->n_targets > 0;
}

/* What it is about: the block of the heap among them, for the other is only the
 * bad value that was read there. */
static struct target_range
main_object(const struct stale *s)
{
	for (uint32_t i = 0; i < s->n_targets; i++)
		if (s->block.start != 0 &&
		    s->targets[i].start == s->block.start)
			return s->targets[i];
	return s->targets[0];
}

/* ---- words ---- */

static void
add_type(struct stale *s, const char *type)
{
	for (uint32_t i = 0; i < s->n_types; i++)
		if (strcmp(s->types[i], type) == 0)
			return;
	if (s->n_types < TYPES_MAX)
		s->types[s->n_types++] = type;
}

/* The class of a C++ object, by its table of virtual functions. */
static const char *
class_at(struct stale *s, bt_addr_t address)
{
	struct vtable table;

	return vtable_of(s->bt, address, &table) ? table.type : NULL;
}

/* The global variable at the place of a holder in a module's data, and its
 * type when debug information has it. */
static void
describe_global(struct stale *s, struct holder *h)
{
	ptrace_module_t module = PTRACE_MODULE_INIT;
	bt_variable_t *raw;
	struct bt_type *type, *target;
	const char *name;

	if (h->at == 0 || h->pointer != NULL ||
	    !ptrace_target_module_at(s->target, h->at, &module))
		return;
	name = pmodule_address_symbol(s->bt, h->at);
	if (name == NULL)
		return;
	h->where = pmodule_text(s->bt, "%s: %s", h->where, name);
	raw = strchr(name, '+') == NULL
	    ? pmodule_bt_query(s->bt, name, module.name, NULL)
	    : NULL;
	type = raw != NULL ? bt_variable_bt_type(raw) : NULL;
	target = type != NULL ? bt_type_target(type) : NULL;
	if (target != NULL && target->name != NULL && target->size != 0) {
		h->where = pmodule_text(s->bt, "%s (%s)", h->where, type->name);
		if (h->level == 1)
			add_type(s, target->name);
	}
	bt_variable_deinit(raw);
}

/* Candidates: what pointers to the object are declared to point to, and what
 * its own vtable says. */
static void
collect_types(struct stale *s)
{
	uint32_t n = s->n_targets;

	for (uint32_t i = 0; i < n && s->targets[i].level == 0; i++) {
		const struct target_range *t = &s->targets[i];
		const char *name = class_at(s, t->start);

		for (size_t j = typed_pointers_from(&s->typed, t->start);
		     j < s->typed.n_pointers &&
		     s->typed.pointers[j].value < t->end;
		     j++)
			if (s->typed.pointers[j].type != NULL)
				add_type(s, s->typed.pointers[j].type);
		if (name != NULL)
			add_type(s, name);
	}
	for (uint32_t i = 0; i < s->n_holders && i < SHOWN_MAX; i++)
		describe_global(s, &s->holders[i]);
}

static const char *
joined_types(const struct stale *s, uint32_t from, const char *but)
{
	const char *text = "";

	for (uint32_t i = from; i < s->n_types; i++) {
		if (but != NULL && strcmp(s->types[i], but) == 0)
			continue;
		text = pmodule_text(s->bt, "%s%s%s", text,
		    *text != '\0' ? ", " : "", s->types[i]);
	}
	return text;
}

static const char *
holder_text(const struct stale *s, const struct holder *h)
{
	const char *text = h->at == 0
	    ? h->where
	    : pmodule_text(s->bt, "0x%" PRIx64 ", %s", h->at, h->where);

	if (h->pointer != NULL)
		text = pmodule_text(s->bt, "%s: %s (%s)", text,
		    typed_label(s->bt, h->pointer->variable),
		    ptrace_variable_type_name(h->pointer->variable));
	else if (h->object != NULL)
		text = pmodule_text(s->bt, "%s: in a %s at offset 0x%" PRIx64,
		    text, h->object->type, h->at - h->object->start);
	return text;
}

/* "a freed block of 32 bytes (tcache of thread 7)" */
static const char *
block_text(const struct stale *s)
{
	const ptrace_heap_block_t *b = &s->block;
	bool place = b->place != NULL && b->place[0] != '\0';

	if (b->start == 0)
		return "";
	return pmodule_text(s->bt, ", %s block of %" PRIu64 " bytes%s%s%s",
	    b->state == PTRACE_HEAP_ALLOCATED ? "an allocated" : "a freed",
	    b->usable, place ? " (" : "", place ? b->place : "",
	    place ? ")" : "");
}

static bool
is_freed(const struct stale *s)
{

	return s->block.start != 0 && s->block.state != PTRACE_HEAP_ALLOCATED;
}

static void
tell(struct stale *s, const struct crash *c)
{
	const struct target_range *object = &s->object;
	struct variable_match used;
	const char *mine = NULL, *others, *list = "";
	uint32_t shown = 0;

	collect_types(s);
	if (variables_with_value(c, object->start, &used))
		for (size_t i = typed_pointers_from(&s->typed, object->start);
		     i < s->typed.n_pointers &&
		     s->typed.pointers[i].value == object->start;
		     i++)
			if (s->typed.pointers[i].variable == used.variable)
				mine = s->typed.pointers[i].type;
	others = joined_types(s, 0, mine);
	pmodule_backtrace_annotate(s->bt, PAT_COMMENT,
	    "stale pointer: %u place%s within %u level%s refer to the memory "
	    "at 0x%" PRIx64 "%s; candidate types: %s%s",
	    s->n_holders, s->n_holders == 1 ? "" : "s", s->levels,
	    s->levels == 1 ? "" : "s", object->start, block_text(s),
	    s->n_types > 0 ? joined_types(s, 0, NULL) : "none are known",
	    s->cut ? " (cut short: too much memory or too many places)" : "");
	/* Nobody owns a free block. */
	if (mine != NULL && *others != '\0' && is_freed(s) == false)
		pmodule_backtrace_annotate(s->bt, PAT_WARNING,
		    "%s may be stale towards memory owned by %s: %s was used "
		    "at the fault",
		    mine, others, used.text);
	for (; shown < s->n_holders && shown < SHOWN_MAX; shown++)
		list = pmodule_text(s->bt, "%s%s\"%u\":%s", list,
		    shown > 0 ? "," : "", shown + 1,
		    quote_json(s->bt,
			pmodule_text(s->bt, "level %u: %s",
			    s->holders[shown].level,
			    holder_text(s, &s->holders[shown]))));
	pmodule_backtrace_annotate(s->bt, PAT_JSON,
	    "{\"json\":{\"context\":\"Stale pointer\",\"address\":\"0x%" PRIx64
	    "\",\"state\":\"%s\",\"levels\":%u,\"places\":%u,\"types\":%s,"
	    "\"references\":{%s}}}",
	    object->start,
	    s->block.start == 0 ? "unknown"
		: is_freed(s)	? "freed"
				: "allocated",
	    s->levels, s->n_holders,
	    quote_json(s->bt, joined_types(s, 0, NULL)), list);
}

/* ---- the module ---- */

static void
collect(ptrace_variable_t *v, bt_variable_t *raw)
{
	struct stale *s = pmodule_user(
	    pmodule_current(ptrace_variable_backtrace(v)));

	typed_collect(&s->typed, v, raw);
}

static void
analyse(ptrace_backtrace_t *bt)
{
	struct stale *s = pmodule_user(pmodule_current(bt));
	uint64_t *words = malloc(CHUNK_WORDS * sizeof(*words));
	struct crash c;

	s->bt = bt;
	s->target = ptrace_backtrace_target(bt);
	s->holders = calloc(HOLDERS_MAX, sizeof(*s->holders));
	if (words != NULL && s->holders != NULL && find_stacks(s) &&
	    crash_resolve(bt, &c)) {
		typed_sort(&s->typed);
		if (start(s, &c)) {
			s->object = main_object(s);
			for (unsigned i = 1;
			     i <= s->levels && s->first < s->n_targets; i++)
				mark_level(s, i, words);
			tell(s, &c);
		} else {
			pmodule_backtrace_annotate(bt, PAT_COMMENT,
			    "stale pointer: the fault is not an access through "
			    "a pointer");
		}
	}
	free(words);
}

/* Decimal; what is no number from 1 on is the usual. */
static unsigned
level_count(const char *text)
{
	unsigned n = 0;

	for (; text != NULL && *text >= '0' && *text <= '9' && n <= LEVELS_MAX;
	     text++)
		n = n * 10 + (unsigned)(*text - '0');
	return n == 0 ? LEVELS : n > LEVELS_MAX ? LEVELS_MAX : n;
}

static bool
load(pmodule_t *pm)
{
	const char *enable = pmodule_config_option(pm, "enable");
	const char *levels = pmodule_config_option(pm, "levels");
	struct stale *s;

	if (enable == NULL || strcmp(enable, "true") != 0)
		return true;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return false;
	s->levels = level_count(levels);
	pmodule_user_set(pm, s);
	return pmodule_variable_event_add(pm, NULL, collect) &&
	    pmodule_postattach_event_add(pm, analyse);
}

static void
unload(pmodule_t *pm)
{
	struct stale *s = pmodule_user(pm);

	if (s == NULL)
		return;
	typed_end(&s->typed);
	free(s->holders);
	free(s->stacks);
	free(s);
}

PMODULE_DEFINE("stale", load, unload, NULL)
