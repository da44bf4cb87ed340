/* SPDX-License-Identifier: MIT */
/*
 * From a thread's registers to its frames. In this order, for each frame:
 * call frame information (.eh_frame by .eh_frame_hdr's table or a scan,
 * .debug_frame, with rules cached per pc), the signal trampoline, frame
 * pointers, the return address at the stack pointer when frame 0's pc is
 * unmapped, prologue reading, stack scan. Each frame carries its trust. A
 * caller frame never lies outside executable memory; frame 0 is the context
 * as it is. The walk ends with a reason.
 */
#ifndef UNWIND_UNWIND_H
#define UNWIND_UNWIND_H

#include "base/vec.h"
#include "target/target.h"

enum unwind_trust {
	UNWIND_CONTEXT,	    /* frame 0: the registers as they were */
	UNWIND_CFI,	    /* .eh_frame */
	UNWIND_DEBUG_FRAME, /* .debug_frame */
	UNWIND_FP,	    /* frame pointer chain */
	UNWIND_RETURN_SLOT, /* [sp] after a call to an unmapped address */
	UNWIND_PROLOGUE,    /* reading the instructions */
	UNWIND_SCAN,	    /* a return address found on the stack */
	UNWIND_TAILCALL,    /* not on the stack: known from call sites */
	UNWIND_TRUST__COUNT
};
/* "context", "cfi", ... as in the snapshot. */
const char *unwind_trust_name(enum unwind_trust trust);

struct unwind_frame {
	bt_addr_t pc;
	bt_addr_t cfa; /* canonical frame address; 0: unknown */
	bool cfa_known;
	bool signal_frame; /* this frame is the signal trampoline */
	/* pc was interrupted, not returned to: frame 0 and the frame above a
	 * signal trampoline; or no call put it there: the trampoline, the start
	 * code of a coroutine. Look-ups use pc, else pc - 1. */
	bool exact_pc;
	enum unwind_trust trust;
	struct target_module *module; /* NULL: none */
	/* Values in this frame, known bits. Last: a stack of a machine that
	 * uses few of its places has no memory for the others. */
	struct regs regs;
};

/* Bytes of a frame in a stack of this architecture (NULL: x86-64). Such a frame
 * may not be copied by assignment. */
static inline size_t
unwind_frame_size(const struct arch *arch)
{
	return offsetof(struct unwind_frame, regs) +
	    offsetof(struct regs, value) +
	    arch_n_places(arch) * sizeof(uint64_t);
}

/* The address to look up symbols, lines and scopes with. */
static inline bt_addr_t
unwind_lookup_pc(const struct unwind_frame *f)
{
	return f->exact_pc || f->pc == 0 ? f->pc : f->pc - 1;
}

enum unwind_stop {
	UNWIND_STOP_END, /* outermost frame: return address undefined, or
			    zero, as the start code leaves it */
	UNWIND_STOP_NO_REGISTERS,
	UNWIND_STOP_UNREADABLE,	 /* stack memory is not in the core */
	UNWIND_STOP_NOT_CODE,	 /* the return address is not executable */
	UNWIND_STOP_NO_PROGRESS, /* the CFA does not rise: corrupt or cyclic */
	UNWIND_STOP_LIMIT,	 /* frame limit */
	UNWIND_STOP_BUDGET,
	UNWIND_STOP_NO_INFO, /* nothing tells where the caller is */
	UNWIND_STOP_ARCH,    /* stacks of this architecture are not read */
	UNWIND_STOP__COUNT
};
/* "end of stack", "stack memory unreadable", ... */
const char *unwind_stop_text(enum unwind_stop stop);

struct unwind_stack {
	VEC(struct unwind_frame *) frames; /* innermost first */
	enum unwind_stop stop;
	bt_addr_t stop_address; /* that could not be read or executed; else 0 */
	uint64_t skipped; /* frames left out in the middle (limit), usually 0 */
	uint64_t skipped_at; /* index of the first frame after the gap */
	/* Where its own frames lie. They do not move when there are more, and
	 * their places are used again for the next thread. */
	VEC(uint8_t *) blocks;
	size_t own; /* how many of them are in use */
	size_t frame_size;
};

struct unwinder;

/* One per target; caches rules and FDE tables. budget is borrowed. */
struct unwinder *unwinder_create(struct target *t, struct budget *budget);
void unwinder_destroy(struct unwinder *u);
/* From now on steps are taken from this one; the one before is returned. */
struct budget *unwinder_budget(struct unwinder *u, struct budget *budget);

void unwind_stack_init(struct unwind_stack *s, size_t max_frames);
void unwind_stack_deinit(struct unwind_stack *s);
/* No frames, and room for those of this architecture (NULL: x86-64); memory is
 * kept. */
void unwind_stack_begin(struct unwind_stack *s, const struct arch *arch);
/* One frame more, outermost: a copy of one of the same architecture. It is the
 * stack's. NULL: limit, or out of memory. */
struct unwind_frame *unwind_stack_copy(
    struct unwind_stack *s, const struct unwind_frame *frame);
/* The same without a copy: the frame stays its owner's, who must keep it as
 * long as the stack is used. False: limit, or out of memory. */
bool unwind_stack_share(struct unwind_stack *s, struct unwind_frame *frame);

/* Unwinds one thread into the stack (which is cleared first). At least frame 0
 * results when the thread has registers. Past max_frames the first and last
 * halves are kept and the middle is counted in skipped. */
void unwind_thread(struct unwinder *u, const struct target_thread *thread,
    struct unwind_stack *out);

/* Only its innermost frames, at most n of them (and max_frames); false: the
 * stack goes on, and why it stops is not known. */
bool unwind_innermost(struct unwinder *u, const struct target_thread *thread,
    size_t n, struct unwind_stack *out);

/* One step from a frame to its caller, for callers that hold a frame of their
 * own (a context taken from a signal frame). False at the end, *stop says
 * why. */
bool unwind_step(struct unwinder *u, const struct unwind_frame *frame,
    bool innermost, struct unwind_frame *caller, enum unwind_stop *stop,
    bt_addr_t *stop_address);

/*
 * A register (DWARF number of a general one or of xmm0 to xmm15) that no call
 * frame information restores in the frame: when the functions called since have
 * provably left it alone, *holder is the younger frame that still has the
 * frame's value. False: it may have been overwritten.
 */
bool unwind_untouched(struct unwinder *u, const struct unwind_stack *stack,
    size_t index, unsigned number, size_t *holder);

/* Function bounds from the FDE that covers pc (run-time addresses), when there
 * is one. */
bool unwind_function_range(
    struct unwinder *u, bt_addr_t pc, bt_addr_t *start, bt_addr_t *end);

/* For --stats and tests. */
struct unwind_stats {
	uint64_t frames, rule_hits, rule_misses;
};
const struct unwind_stats *unwinder_stats(const struct unwinder *u);

#endif /* UNWIND_UNWIND_H */
