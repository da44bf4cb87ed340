/* SPDX-License-Identifier: MIT */
/*
 * The inside of an unwinder: its caches, and how one frame leads to the next.
 *
 * A rule is all that is known about a pc, made once: its module, whether it
 * can be a return address, and how to find the caller. Nearly all code saves
 * registers at fixed offsets from a CFA that is a register plus an offset; such
 * a rule is kept in a packed form, and a frame step is then a few loads. The
 * rest keeps its whole row.
 */
#ifndef UNWIND_UNWINDER_H
#define UNWIND_UNWINDER_H

#include "base/arena.h"
#include "base/map.h"
#include "target/arch/prologue.h"
#include "unwind/cfi.h"
#include "unwind/unwind.h"

enum {
	RULE_EXECUTABLE = 1,	 /* the look-up pc is in executable memory */
	RULE_AFTER_CALL = 2,	 /* the bytes before pc are a call */
	RULE_CFI = 4,		 /* there is call frame information */
	RULE_DEBUG_FRAME = 8,	 /* it came from .debug_frame */
	RULE_SIGNAL = 16,	 /* signal trampoline, by its CFI */
	RULE_TRAMPOLINE = 32,	 /* signal trampoline, by its instructions */
	RULE_OUTERMOST = 64,	 /* the return address is undefined */
	RULE_STARTS_HERE = 128,	 /* pc is a function's first instruction */
	RULE_LAYOUT_TRIED = 256, /* the instructions were read */
	RULE_NO_CALL = 512,	 /* the bytes before pc are no call */
	RULE_SIGNED = 1024	 /* the return address has a signature */
};

enum { RULE_SAVED_MAX = 8 };

struct rule {
	bt_addr_t pc;
	struct target_module *module;
	const struct cfi_row *row;	  /* NULL: the packed form below */
	const struct arch_layout *layout; /* without CFI, NULL: unknown */
	uint64_t keep; /* registers with the callee's value */
	uint16_t flags;
	uint8_t exact;
	uint8_t cfa_reg;
	uint8_t n_saved;
	int32_t cfa_offset;
	uint64_t saved; /* which registers follow, all below the CFA */
	int32_t lowest; /* of their offsets */
	uint8_t saved_reg[RULE_SAVED_MAX];
	int32_t saved_offset[RULE_SAVED_MAX]; /* from the CFA */
};

struct unwinder {
	struct target *t;
	struct budget *budget, own_budget;
	struct cfi_tables *tables; /* one per module, opened on first use */
	bool *opened, *debug_tried;
	size_t n_tables;
	struct arena arena; /* rules and rows */
	struct rule **slots;
	size_t n_slots, n_rules;	/* n_slots is a power of two */
	struct rule nothing;		/* of any pc when memory is out */
	const struct arch_unwind *arch; /* NULL: not to be unwound */
	uint64_t preserved; /* registers the ABI preserves over calls */
	unsigned n_regs;    /* places that it uses */
	bool linked;	    /* the return address is in a register at first */
	/* A part of stack memory in place, good for one walk. */
	struct {
		bt_addr_t start;
		size_t size;
		const uint8_t *bytes;
	} window;
	bt_addr_t code_low, code_high; /* executable memory lies between */
	unsigned jumps; /* steps to a lower stack address in this walk */
	unsigned scans;
	struct map written; /* untouched.c: registers that callees change */
	struct unwind_stats stats;
};

/* Why a step ended the walk. */
struct stopped {
	enum unwind_stop why;
	bt_addr_t address;
};

/* rules.c. Rules live until rules_trim. */
struct rule *rule_find(struct unwinder *u, bt_addr_t pc, bool exact);
bool rules_init(struct unwinder *u);
void rules_deinit(struct unwinder *u);
/* Starts the cache anew when it has grown too large, and says so; called
 * between steps. */
bool rules_trim_now(struct unwinder *u);
/* The FDE for a run-time address, and its module. */
bool rules_fde(struct unwinder *u, bt_addr_t lookup, struct cfi_fde *out,
    struct target_module **module, bool *debug_frame);

enum { RULES_MAX = 1 << 18 };

static inline bool
rules_trim(struct unwinder *u)
{
	return (u->n_rules >= RULES_MAX || u->arena.exhausted) &&
	    rules_trim_now(u);
}

/* A pc that a caller frame may have. */
static inline bool
rule_is_plausible(const struct rule *r)
{
	return (r->flags & RULE_EXECUTABLE) != 0 &&
	    (r->flags &
		(RULE_AFTER_CALL | RULE_SIGNAL | RULE_TRAMPOLINE |
		    RULE_STARTS_HERE)) != 0;
}

/* step.c */
enum step { STEP_DONE, STEP_STOPPED, STEP_LOST };
bool stack_read_slow(struct unwinder *u, bt_addr_t address, uint64_t *out);

static inline bool
stack_read(struct unwinder *u, bt_addr_t address, uint64_t *out)
{
	uint64_t offset = address - u->window.start;

	if (offset < u->window.size && u->window.size - offset >= 8) {
		memcpy(out, u->window.bytes + offset, sizeof(*out));
		return true;
	}
	return stack_read_slow(u, address, out);
}

/* Fills module, CFA and signal_frame from the frame's rule. */
void frame_finish(
    struct unwinder *u, struct unwind_frame *f, struct rule *rule);
/* By call frame information only. */
enum step step_by_cfi(struct unwinder *u, const struct unwind_frame *f,
    struct rule *rule, struct unwind_frame *caller, struct stopped *s);
/* By any means; f's CFA is set when it becomes known. */
bool step_any(struct unwinder *u, struct unwind_frame *f, struct rule *rule,
    bool innermost, struct unwind_frame *caller, struct rule **caller_rule,
    struct stopped *s);

/* One reading of the code: size bytes at most, how many were had. */
size_t code_read(struct unwinder *u, bt_addr_t pc, void *out, size_t size);
/* The bytes that end at pc, as many as there are. */
size_t code_before(struct unwinder *u, bt_addr_t pc, void *out, size_t size);
/* Where the call before a return address went, through a linkage stub; NONE
 * when there is no call, INDIRECT when nobody can tell. */
enum arch_call call_target(
    struct unwinder *u, bt_addr_t return_address, bt_addr_t *target);
/* The layout of f if its function starts there; false: it cannot be. */
bool layout_from_start(struct unwinder *u, const struct unwind_frame *f,
    bt_addr_t start, struct arch_layout *out);

/* fallback.c: everything but call frame information. why holds what is known
 * of the loss and the final reason on failure. */
enum step step_without_cfi(struct unwinder *u, struct unwind_frame *f,
    struct rule *rule, bool innermost, struct unwind_frame *caller,
    struct stopped *s);

/* scan.c. Call frame information leads on from the frame, to return addresses
 * or the proper end. */
bool frame_proves_itself(
    struct unwinder *u, const struct unwind_frame *candidate);
/* The caller by looking for a return address from `from` on. */
bool step_by_scan(struct unwinder *u, struct unwind_frame *f, struct rule *rule,
    bt_addr_t from, struct unwind_frame *caller);

#endif /* UNWIND_UNWINDER_H */
