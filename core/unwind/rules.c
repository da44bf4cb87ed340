/* SPDX-License-Identifier: MIT */
/*
 * The cache of rules by pc. Programs have few distinct pcs (35,000 frames of a
 * thousand threads: 40), so all that costs anything is done here, once: module,
 * permissions, the bytes around the pc, the search for an FDE and its program.
 */
#include "unwind/unwinder.h"
#include <stdlib.h>

enum {
	SLOTS_FIRST = 256,
	CALL_MAX = 8, /* bytes that a call instruction can have */
	TRAMPOLINE_MAX = 16
};
static const size_t ARENA_CAP = (size_t)512 << 20;

bool
rules_init(struct unwinder *u)
{
	u->n_slots = SLOTS_FIRST;
	u->slots = calloc(u->n_slots, sizeof(u->slots[0]));
	arena_init(&u->arena, ARENA_CAP);
	return u->slots != NULL;
}

void
rules_deinit(struct unwinder *u)
{
	for (size_t i = 0; i < u->n_tables; i++) {
		if (u->opened[i])
			cfi_tables_deinit(&u->tables[i]);
	}
	free(u->tables);
	free(u->opened);
	free(u->debug_tried);
	free(u->slots);
	arena_deinit(&u->arena);
}

static struct cfi_tables *
tables_of(struct unwinder *u, struct target_module *module)
{
	uint32_t i = module->index;

	if (i >= u->n_tables)
		return NULL;
	if (u->opened[i] == false) {
		cfi_tables_init(&u->tables[i],
		    target_module_image(u->t, module), u->budget);
		u->opened[i] = true;
	}
	return &u->tables[i];
}

/* .debug_frame lies in the image or in its separate debug file; either is
 * looked at only when .eh_frame has no answer. */
static bool
open_debug(
    struct unwinder *u, struct cfi_tables *tables, struct target_module *module)
{
	if (u->debug_tried[module->index] == false) {
		u->debug_tried[module->index] = true;
		if (cfi_tables_debug(tables, tables->image) == false)
			(void)cfi_tables_debug(
			    tables, target_module_debug(u->t, module));
	}
	return tables->debug.bytes.size != 0;
}

bool
rules_fde(struct unwinder *u, bt_addr_t lookup, struct cfi_fde *out,
    struct target_module **module, bool *debug_frame)
{
	struct target_module *m = target_module_at(u->t, lookup);
	struct cfi_tables *tables;
	uint64_t vaddr;

	*module = m;
	*debug_frame = false;
	if (m == NULL || (tables = tables_of(u, m)) == NULL ||
	    tables->image == NULL)
		return false;
	vaddr = lookup - m->bias;
	if (cfi_find_eh(tables, vaddr, out))
		return true;
	*debug_frame = open_debug(u, tables, m) &&
	    cfi_find_debug(tables, vaddr, out);
	return *debug_frame;
}

static bool
fits32(int64_t value)
{
	return value >= INT32_MIN && value <= INT32_MAX;
}

/* The packed form, when the row fits it. */
static bool
pack(const struct unwinder *u, struct rule *r, const struct cfi_row *row)
{
	if (row->cfa_is_block || fits32(row->cfa_offset) == false)
		return false;
	r->cfa_reg = (uint8_t)row->cfa_reg;
	r->cfa_offset = (int32_t)row->cfa_offset;
	r->n_saved = 0;
	r->saved = 0;
	r->lowest = 0;
	for (unsigned i = 0; i < u->n_regs; i++) {
		const struct cfi_rule *rule = &row->regs[i];

		switch (rule->kind) {
		case CFI_UNSPECIFIED:
		case CFI_UNDEFINED:
		case CFI_SAME:
			break;
		case CFI_OFFSET:
			/* A saved stack pointer overrides the CFA. */
			if (r->n_saved == RULE_SAVED_MAX || i == ARCH_SP ||
			    fits32(rule->offset) == false ||
			    rule->offset > -(int64_t)sizeof(uint64_t))
				return false;
			if (rule->offset < r->lowest)
				r->lowest = (int32_t)rule->offset;
			r->saved |= regs_bit(i);
			r->saved_reg[r->n_saved] = (uint8_t)i;
			r->saved_offset[r->n_saved++] = (int32_t)rule->offset;
			break;
		default:
			return false;
		}
	}
	return true;
}

/*
 * A register without a rule keeps its value if the ABI makes callees preserve
 * it; the others may have been overwritten, and nobody can tell.
 */
static uint64_t
kept_registers(const struct unwinder *u, const struct cfi_row *row)
{
	uint64_t keep = 0;

	for (unsigned i = 0; i < u->n_regs; i++) {
		enum cfi_kind kind = row->regs[i].kind;

		if (kind == CFI_SAME ||
		    (kind == CFI_UNSPECIFIED && (u->preserved >> i & 1) != 0))
			keep |= regs_bit(i);
	}
	return keep & ~(regs_bit(ARCH_PC) | regs_bit(ARCH_SP));
}

static void
rule_from_row(struct unwinder *u, struct rule *r, const struct cfi_row *row)
{
	enum cfi_kind pc_kind = row->regs[ARCH_PC].kind;

	r->keep = kept_registers(u, row);
	r->flags |= RULE_CFI;
	if (row->ra_signed)
		r->flags |= RULE_SIGNED;
	if (pc_kind == CFI_UNDEFINED)
		r->flags |= RULE_OUTERMOST;
	/* No rule for the return address is no information: the program of
	 * every CIE gives one. */
	else if (pc_kind == CFI_UNSPECIFIED || pc_kind == CFI_SAME)
		r->flags &= (uint16_t)~RULE_CFI;
	if (pack(u, r, row))
		return;
	struct cfi_row *copy = ARENA_NEW(&u->arena, struct cfi_row);

	if (copy == NULL)
		r->flags &= (uint16_t)~RULE_CFI;
	else
		*copy = *row;
	r->row = copy;
}

static void
look_around(struct unwinder *u, struct rule *r)
{
	uint8_t bytes[TRAMPOLINE_MAX];
	size_t size = target_read(u->t, r->pc, bytes, sizeof(bytes));

	if (size > 0 && u->arch->is_sigtramp(bytes, size))
		r->flags |= RULE_TRAMPOLINE;
	if (r->pc < CALL_MAX)
		return;
	/* The instruction before may be the first thing in its mapping. */
	for (size = CALL_MAX; size >= 2; size--) {
		if (target_read(u->t, r->pc - size, bytes, size) == size) {
			r->flags |= u->arch->is_after_call(bytes, size)
			    ? RULE_AFTER_CALL
			    : RULE_NO_CALL;
			return;
		}
	}
}

/*
 * Which FDE speaks for the pc. A return address belongs to the call before it.
 * Two are none: that of a signal handler, which is a trampoline's first
 * instruction, and a function's start put on the stack by hand (glibc's
 * makecontext). glibc's own trampoline has an FDE that begins one byte early,
 * for debuggers that subtract one regardless (sigaction.c, do_expand).
 */
static bool
choose_fde(
    struct unwinder *u, struct rule *r, struct cfi_fde *fde, uint64_t *vaddr)
{
	bt_addr_t lookup = r->exact || r->pc == 0 ? r->pc : r->pc - 1;
	struct target_module *module;
	bool debug_frame, found;

	found = rules_fde(u, lookup, fde, &module, &debug_frame);
	if (r->exact == false && (r->flags & RULE_AFTER_CALL) == 0 &&
	    (found == false || fde->cie.signal == false)) {
		struct cfi_fde here;
		struct target_module *m;
		bool d;

		if (rules_fde(u, r->pc, &here, &m, &d) &&
		    here.start == r->pc - m->bias) {
			*fde = here;
			module = m;
			debug_frame = d;
			found = true;
			lookup = r->pc;
			r->flags |= RULE_STARTS_HERE;
		} else if ((r->flags & RULE_TRAMPOLINE) != 0) {
			found = false;
		}
	}
	if (found && (r->flags & RULE_TRAMPOLINE) != 0 &&
	    fde->cie.signal == false)
		found = false;
	r->module = module;
	if (debug_frame)
		r->flags |= RULE_DEBUG_FRAME;
	*vaddr = module != NULL ? lookup - module->bias : 0;
	return found;
}

/* A signal trampoline that is the first thing in its mapping, as QEMU has it:
 * there is no code before it, and no call. */
static bool
mapping_begins(struct unwinder *u, const struct rule *r)
{
	uint8_t bytes[TRAMPOLINE_MAX];

	return r->exact == false && target_is_executable(u->t, r->pc) &&
	    u->arch->is_sigtramp(
		bytes, target_read(u->t, r->pc, bytes, sizeof(bytes)));
}

static void
rule_make(struct unwinder *u, struct rule *r)
{
	bt_addr_t lookup = r->exact || r->pc == 0 ? r->pc : r->pc - 1;
	struct cfi_fde fde;
	struct cfi_row row;
	uint64_t vaddr;

	if (u->arch == NULL) {
		r->module = target_module_at(u->t, lookup);
		return;
	}
	if (target_is_executable(u->t, lookup) || mapping_begins(u, r)) {
		r->flags |= RULE_EXECUTABLE;
		look_around(u, r);
	} else {
		r->module = target_module_at(u->t, lookup);
		/* A hole in a module: code that was taken away from under the
		 * thread, and what its file said of it still holds. Only of
		 * where a thread was; nothing returns there. */
		if (r->exact == false || r->module == NULL ||
		    target_mapping_at(u->t, lookup) != NULL)
			return;
	}
	if (choose_fde(u, r, &fde, &vaddr) == false ||
	    cfi_row(&fde, vaddr, &row) == false)
		return;
	rule_from_row(u, r, &row);
	if (fde.cie.signal && (r->flags & RULE_CFI) != 0)
		r->flags |= RULE_SIGNAL;
}

static size_t
slot_of(const struct unwinder *u, bt_addr_t pc, bool exact)
{
	uint64_t key = (pc * 2 + exact) * UINT64_C(0x9e3779b97f4a7c15);

	return (size_t)(key >> 32) & (u->n_slots - 1);
}

static void
insert(struct unwinder *u, struct rule *r)
{
	size_t i = slot_of(u, r->pc, r->exact);

	while (u->slots[i] != NULL)
		i = (i + 1) & (u->n_slots - 1);
	u->slots[i] = r;
}

static bool
make_room(struct unwinder *u)
{
	size_t n_old = u->n_slots;
	struct rule **old = u->slots, **slots;

	if (u->n_rules < u->n_slots / 2)
		return true;
	slots = calloc(n_old * 2, sizeof(slots[0]));
	if (slots == NULL)
		return u->n_rules < u->n_slots - 1;
	u->slots = slots;
	u->n_slots = n_old * 2;
	for (size_t i = 0; i < n_old; i++) {
		if (old[i] != NULL)
			insert(u, old[i]);
	}
	free(old);
	return true;
}

bool
rules_trim_now(struct unwinder *u)
{
	memset(u->slots, 0, u->n_slots * sizeof(u->slots[0]));
	arena_reset(&u->arena);
	u->n_rules = 0;
	return true;
}

static struct rule *
rule_new(struct unwinder *u, bt_addr_t pc, bool exact)
{
	struct rule *r = NULL;

	if (make_room(u))
		r = ARENA_NEW(&u->arena, struct rule);
	if (r == NULL) {
		u->nothing = (struct rule){.pc = pc, .exact = exact};
		return &u->nothing;
	}
	r->pc = pc;
	r->exact = exact;
	rule_make(u, r);
	insert(u, r);
	u->n_rules++;
	return r;
}

struct rule *
rule_find(struct unwinder *u, bt_addr_t pc, bool exact)
{
	size_t i = slot_of(u, pc, exact);

	for (; u->slots[i] != NULL; i = (i + 1) & (u->n_slots - 1)) {
		if (u->slots[i]->pc == pc && u->slots[i]->exact == exact) {
			u->stats.rule_hits++;
			return u->slots[i];
		}
	}
	u->stats.rule_misses++;
	return rule_new(u, pc, exact);
}
