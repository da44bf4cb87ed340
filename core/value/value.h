/* SPDX-License-Identifier: MIT */
/*
 * Reads variables: DWARF type + location + frame -> snap_variable in the
 * snapshot. Values are as GDB shows them where GDB is right; what is not there
 * says why ("optimized out", "unreadable 0x...", "limit").
 *
 * Size policy: strings 1 KiB, arrays 64 elements, depth 6, pointers of the
 * faulting thread followed deepest, everything against snapshot.values_cap.
 */
#ifndef VALUE_VALUE_H
#define VALUE_VALUE_H

#include "dwarf/dwarf.h"
#include "snapshot/model.h"
#include "unwind/unwind.h"

struct value_limits {
	uint32_t string_bytes;	 /* 1024 */
	uint32_t array_elements; /* 64 */
	uint32_t depth;		 /* 6 */
	uint32_t follow_depth;	 /* pointers followed from a variable; 0: no */
	uint64_t objects;	 /* followed objects in all */
};
extern const struct value_limits value_default_limits;

/* Gives the dwarf of a module (opened and cached by the session), NULL: none.*/
typedef struct dwarf *value_dwarf_fn(void *ctx, struct target_module *module);

struct value_reader;

struct value_reader_options {
	struct target *target;
	struct unwinder *unwinder;
	struct snapshot *snapshot;
	struct budget *budget;
	value_dwarf_fn *dwarf_of;
	void *ctx;
	const struct value_limits *limits; /* NULL: default */
};

struct value_reader *value_reader_create(
    const struct value_reader_options *options);
void value_reader_destroy(struct value_reader *r);

/* One physical frame of a thread's stack, and which scope of its plan. */
struct value_frame {
	const struct target_thread *thread;
	const struct unwind_stack *stack;
	size_t index;		       /* in stack->frames */
	const struct dwarf_plan *plan; /* of that frame's lookup pc */
	unsigned scope;		       /* in plan->scopes */
	struct dwarf *dwarf;
	bool follow; /* faulting thread: follow pointers */
	bool pack;   /* packed variables will do (snapshot/pack.h) */
};

/* All variables of the scope into out (parameters first, then locals). Never
 * fails: a variable that cannot be read is UNAVAILABLE with a reason. */
void value_frame_variables(struct value_reader *r, const struct value_frame *f,
    struct snap_frame *out);

/* A global or static variable of a module into *out (--global). */
bool value_global(struct value_reader *r, const struct target_thread *thread,
    struct target_module *module, struct dwarf *dwarf,
    const struct dwarf_variable *variable, struct snap_variable *out,
    bt_error_t *e);

/* Follows the pointers queued by frames with `follow`: fills snapshot.objects
 * breadth first until the limits or the budget. Call once after all frames. */
void value_follow_pending(struct value_reader *r);

/* The i-th followed object, nearest to a variable first: its bytes in memory;
 * size 0: not known. False behind the last. */
bool value_followed(
    struct value_reader *r, size_t i, uint64_t *address, uint64_t *size);

#endif /* VALUE_VALUE_H */
