/* SPDX-License-Identifier: MIT */
/*
 * More on the pointer of the access that failed, as evidence for whatever was
 * found: which object it points to, by that object's table of virtual
 * functions; which table a virtual call went through; and who else has the same
 * pointer, in all threads. Judges nothing, so it runs last.
 */
#include <string.h>

#include <ptrace/heap.h>

#include "common/blame.h"
#include "common/caller.h"
#include "common/crash.h"
#include "common/typed.h"
#include "common/vtable.h"

enum {
	NAMED_MAX = 4,	 /* aliases that the evidence names */
	MARKED_MAX = 64, /* and that are marked */
	FRAMES_MAX = 4
};

/* Nothing is mapped below; small numbers are no pointers. */
static const uint64_t smallest = 65536;
/* What an index adds at most to a pointer that is still told to be the same. */
static const uint64_t near = 32768;

/* ---- who else has it ---- */

struct aliases {
	ptrace_backtrace_t *bt;
	const ptrace_thread_t *only; /* NULL: variables of all threads */
	uint64_t value;
	uint32_t marked, count; /* places in the snapshot, variables */
	uint32_t same;		/* of these, with the very value */
	/* One variable may be shown in several places: by its name, and as part
	 * of what a pointer was followed to. */
	bt_addr_t places[MARKED_MAX];
	uint32_t n_places;
	uint64_t table; /* of functions, that an object has; 0: none */
	bt_addr_t object;
	const char *names;
};

static const char *
distance(ptrace_backtrace_t *bt, uint64_t value, uint64_t from)
{

	if (value == from)
		return "";
	return value > from
	    ? pmodule_text(bt, " (%" PRIu64 " bytes above)", value - from)
	    : pmodule_text(bt, " (%" PRIu64 " bytes below)", from - value);
}

static bool
is_new(struct aliases *a, const ptrace_variable_t *v)
{
	bt_addr_t at;

	if (!ptrace_variable_address(v, &at))
		return true;
	for (uint32_t i = 0; i < a->n_places; i++)
		if (a->places[i] == at)
			return false;
	if (a->n_places < MARKED_MAX)
		a->places[a->n_places++] = at;
	return true;
}

static bool
mark(void *ctx, ptrace_variable_t *v)
{
	struct aliases *a = ctx;
	uint64_t value;

	if (!ptrace_variable_ull(v, &value) ||
	    (a->only != NULL && pmodule_variable_frame(v) != NULL &&
		ptrace_variable_thread(v) != a->only))
		return true;
	if (value == a->value)
		pmodule_variable_annotate(
		    v, PAT_COMMENT, "the pointer of the access that failed");
	else
		pmodule_variable_annotate(v, PAT_COMMENT,
		    "near the pointer of the access that failed%s",
		    distance(a->bt, value, a->value));
	a->marked++;
	if (is_new(a, v) == false)
		return a->marked < MARKED_MAX;
	/* g++ and clang++ call it so: "_vptr.Base", "_vptr$Base". */
	if (strncmp(ptrace_variable_name(v), "_vptr", 5) == 0 &&
	    ptrace_variable_address(v, &a->object))
		a->table = value;
	if (a->count < NAMED_MAX)
		a->names = pmodule_text(a->bt, "%s%s%s%s",
		    a->names != NULL ? a->names : "",
		    a->names != NULL ? "; " : "", typed_label(a->bt, v),
		    distance(a->bt, value, a->value));
	a->count++;
	a->same += value == a->value;
	return a->marked < MARKED_MAX;
}

/* The block of the heap that the pointer is in, else just the pointer. */
static void
object_range(
    const struct crash *c, uint64_t value, uint64_t *low, uint64_t *high)
{
	ptrace_heap_block_t block = PTRACE_HEAP_BLOCK_INIT;

	*low = value;
	*high = value + 1;
	if (ptrace_target_canonical(c->target, value) &&
	    ptrace_heap_at(c->target, value, &block) && block.usable > 0 &&
	    value - block.start < block.usable &&
	    block.start + block.usable > block.start) {
		*low = block.start;
		*high = block.start + block.usable;
	}
}

static void
note_no_table(const struct crash *c, bt_addr_t object, uint64_t table)
{

	pmodule_finding_note(c->bt,
	    pmodule_text(c->bt,
		"the first word of the object at 0x%" PRIx64 " is 0x%" PRIx64
		", which is no table of functions%s",
		object, table,
		table == 0 ? ": it was zeroed or never constructed"
			   : ": the object was destroyed or overwritten"));
}

/*
 * The compiler may have added an index to the pointer. Where nothing is mapped
 * two pointers so near are hardly there by chance; in memory that is used they
 * are, so there only the same pointer, or the same block, counts.
 */
static void
note_aliases(const struct crash *c, uint64_t value)
{
	struct aliases a = {.bt = c->bt, .value = value};
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	uint64_t low, high;

	object_range(c, value, &low, &high);
	ptrace_backtrace_pointers(c->bt, low, high, mark, &a);
	if (a.count == 0 && !ptrace_target_mapping(c->target, value, &m)) {
		a.only = c->thread;
		ptrace_backtrace_pointers(
		    c->bt, value - near, value + near, mark, &a);
	}
	if (a.count == 0)
		return;
	if (a.table != 0 && vtable_may_be(c->bt, a.table) == false)
		note_no_table(c, a.object, a.table);
	pmodule_finding_note(c->bt,
	    pmodule_text(c->bt, "0x%" PRIx64 "%s is held by %s%s", value,
		a.same == a.count    ? ""
		    : a.only != NULL ? ", or a pointer near it,"
				     : ", or a pointer into the same block,",
		a.names,
		a.marked >= MARKED_MAX ? "; and more"
		    : a.count <= NAMED_MAX
		    ? ""
		    : pmodule_text(
			  c->bt, "; and %u more", a.count - NAMED_MAX)));
}

/* ---- what it is ---- */

static void
note_object(const struct crash *c, uint64_t value)
{
	struct vtable v;

	if (vtable_of(c->bt, value, &v))
		pmodule_finding_note(c->bt,
		    pmodule_text(c->bt,
			"the object at 0x%" PRIx64
			" is of the class %s, by its "
			"table of virtual functions",
			value, v.type));
	else if (vtable_at(c->bt, value, &v))
		pmodule_finding_note(c->bt,
		    pmodule_text(c->bt,
			"0x%" PRIx64 " is the table of virtual functions of "
			"the class %s",
			value, v.type));
}

/* The call through a table of functions that ends the process, at the pc or
 * before it: its memory operand, with the register that held the table. */
static bool
table_call(const struct crash *c, int32_t *base, int64_t *slot)
{
	ptrace_instruction_t call = PTRACE_INSTRUCTION_INIT;
	const ptrace_instruction_t *in = &c->instruction;

	if (c->kind == CRASH_EXECUTE) {
		if (caller_way(c, &call) != CALLER_CALL)
			return false;
		in = &call;
	} else if (c->has_instruction == false ||
	    (in->flow != PTRACE_FLOW_CALL && in->flow != PTRACE_FLOW_JUMP)) {
		return false;
	}
	if (in->target_operand < 0)
		return false;
	*base = in->operands[in->target_operand].base;
	*slot = in->operands[in->target_operand].displacement;
	return in->operands[in->target_operand].scale == 0 && *base >= 0 &&
	    *slot >= 0 && *slot % 8 == 0;
}

/*
 * The object of a virtual call is the first argument, and its first word is the
 * table that the call went through: both still stand in their registers. With
 * plain structs of functions it is the same, so the words used here fit both.
 */
static void
note_virtual_call(const struct crash *c)
{
	uint64_t table, object, word;
	struct vtable v;
	int64_t slot;
	int32_t base;

	if (!table_call(c, &base, &slot) ||
	    !ptrace_context_register(c->context, base, &table) ||
	    !ptrace_context_register(
		c->context, ptrace_argument_register(0), &object) ||
	    object < smallest ||
	    !ptrace_target_read(c->target, object, &word, sizeof(word), NULL) ||
	    word != table)
		return;
	if (vtable_at(c->bt, table, &v))
		pmodule_finding_note(c->bt,
		    pmodule_text(c->bt,
			"virtual function %" PRId64
			" of the object at 0x%" PRIx64
			", which is of the class %s",
			slot / 8, object, v.type));
	else if (vtable_may_be(c->bt, table) == false)
		note_no_table(c, object, table);
}

/* ---- a pure virtual call ---- */

/* Pointers of the innermost frames of the program to objects whose table has
 * pure virtual functions: such tables are only in use while a constructor or
 * destructor of the base class runs, and after the latter. */
static void
note_abstract(const struct crash *c)
{
	const ptrace_frame_t *first = blame_frame(c->thread, c->frame);
	uint32_t at = first != NULL ? ptrace_frame_index(first) : 0;

	for (uint32_t i = at; i < at + FRAMES_MAX; i++) {
		ptrace_frame_t *f = ptrace_thread_frame(c->thread, i);
		uint32_t n = f != NULL ? ptrace_frame_n_variables(f) : 0;

		for (uint32_t k = 0; k < n; k++) {
			ptrace_variable_info_t info = PTRACE_VARIABLE_INFO_INIT;
			ptrace_variable_t *v = ptrace_frame_variable(f, k);
			struct vtable table;

			if (v == NULL || !ptrace_variable_info(v, &info) ||
			    info.kind != PTRACE_VARIABLE_POINTER ||
			    !info.has_value ||
			    !vtable_of(c->bt, info.value, &table) ||
			    !vtable_is_abstract(c->bt, &table))
				continue;
			pmodule_finding_note(c->bt,
			    pmodule_text(c->bt,
				"%s of %s points to 0x%" PRIx64
				", whose table of virtual functions is that of "
				"%s, which has pure ones: the object is being "
				"constructed or destroyed, or was destroyed",
				info.name, ptrace_frame_symbol(f), info.value,
				table.type));
			return;
		}
	}
}

/* ---- which pointer ---- */

/* Of the frame at fault itself: reached through its stack or frame pointer,
 * which are no pointers of the program's. */
static bool
in_own_frame(const struct crash *c, uint64_t value)
{
	bt_addr_t cfa;

	if (value == c->sp)
		return true;
	return c->frame != NULL && ptrace_frame_cfa(c->frame, &cfa) &&
	    value >= c->sp && value < cfa;
}

/* False: there is none worth telling of. */
static bool
pointer_of(const struct crash *c, uint64_t *out)
{
	const ptrace_operand_t *o = c->operand;

	if (c->kind == CRASH_EXECUTE || c->bad_target)
		*out = c->address;
	else if (o == NULL || o->segment_relative)
		return false;
	else if (o->base < 0 && c->lane >= 0)
		*out = o->index_value;
	else if (o->base >= 0 && o->base_known)
		*out = o->base_value;
	else
		return false;
	/* The code's own address is the base of its constants. */
	if (c->kind != CRASH_EXECUTE && *out - c->pc <= c->instruction.length)
		return false;
	return *out >= smallest && *out < -smallest &&
	    in_own_frame(c, *out) == false;
}

static void
analyse(ptrace_backtrace_t *bt)
{
	struct crash c;
	const char *ahead;
	uint64_t value;

	if (crash_resolve(bt, &c) == false || c.context == NULL)
		return;
	ahead = pmodule_finding_ahead(bt);
	if (ahead == NULL)
		return;
	if (strcmp(ahead, "pure-virtual") == 0) {
		note_abstract(&c);
		return;
	}
	if (c.kind != CRASH_PAGE && c.kind != CRASH_PROTECTION &&
	    c.kind != CRASH_EXECUTE && c.kind != CRASH_FILE)
		return;
	if (strcmp(ahead, "stack-overflow") == 0)
		return;
	note_virtual_call(&c);
	if (pointer_of(&c, &value) == false)
		return;
	if (c.kind != CRASH_EXECUTE)
		note_object(&c, value);
	note_aliases(&c, value);
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("operand", load, NULL, NULL)
