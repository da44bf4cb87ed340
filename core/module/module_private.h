/* SPDX-License-Identifier: MIT */
/*
 * What the files of this room share: the handles behind the opaque types of
 * include/ptrace/.
 */
#ifndef MODULE_PRIVATE_H
#define MODULE_PRIVATE_H

#include "base/map.h"
#include "base/vec.h"
#include "module/module.h"
#include "snapshot/pack.h"
#include "target/arch/xstate.h"
#include "unwind/unwind.h"
#include "value/raw.h"

enum {
	MODULE_MODULES_MAX = 256,
	MODULE_CALLBACKS_MAX = 4096,
	MODULE_FINDINGS_MAX = 1000,
	MODULE_EVIDENCE_MAX = 32,
	/* Handles and lists of a run. */
	MODULE_ARENA_CAP = 512 << 20,
	/* What one module may say and add: a flood must leave room for what
	 * others say. */
	MODULE_SAYS_MAX = 10000,
	MODULE_SAYS_BYTES_MAX = 4 << 20,
	MODULE_ADDS_MAX = 100000,
	MODULE_CRITERIA_MAX = 256,
	MODULE_GLOBALS_MAX = 100000,
	MODULE_CONSTRAINTS_MAX = 4096,
	MODULE_ASKED_MAX = 1000
};

enum module_event {
	MODULE_EVENT_PREATTACH,
	MODULE_EVENT_ATTACH,
	MODULE_EVENT_VARIABLE,
	MODULE_EVENT_THREAD,
	MODULE_EVENT_FRAME,
	MODULE_EVENT_POSTATTACH
};

struct pmodule { /* one module */
	struct module_host *host;
	const pmodule_descriptor_t *descriptor;
	const char *name; /* interned in the snapshot */
	void *user;
	uint32_t says, adds; /* against the limits above */
	size_t says_bytes;
	bool told_limit;
	bool loaded; /* from a file: its time counts */
	uint64_t used_ns;
};

enum criterion_kind {
	CRITERION_OBJECT,
	CRITERION_FILE,
	CRITERION_SYMBOL,
	CRITERION_BASE_TYPE,
	CRITERION_TYPE,
	CRITERION_NAME
};

struct criterion {
	enum criterion_kind kind;
	bool substr;
	uint32_t type; /* CRITERION_TYPE */
	char *text;
};

struct pmodule_match {
	VEC(struct criterion) criteria;
	bool fault, fault_thread;
};

/* An ordered list of handles over an array of the snapshot: the originals lie
 * together in `block`, what modules added comes in between. */
struct variable_list {
	bool made;
	bool dirty; /* differs from the snapshot's array */
	uint32_t count, room;
	ptrace_variable_t **items;
	ptrace_variable_t *block;
};

struct ptrace_variable {
	struct module_host *host;
	ptrace_frame_t *frame;	    /* NULL: none */
	ptrace_variable_t *owner;   /* NULL: none */
	struct snap_variable *snap; /* NULL: a view that was not filled yet */
	struct variable_list members;
	struct value_raw *raw; /* of views and of what was filled from one */
	int64_t offset;
	uint32_t depth, state;
	bool visit; /* callbacks for variables are to see it: it has a raw */
	bool own;   /* created by a module */
	bool added; /* and added */
	bool set;   /* a module gave it a value */
	bool view;  /* read-only, malloc'd */
};

/* A callback with a context, for hosts of other languages: object is a
 * backtrace, thread, frame or variable, raw only comes with a variable. */
typedef void module_object_fn(void *ctx, void *object, bt_variable_t *raw);

/* Where a callback is in a source. */
struct module_place {
	char file[64];
	unsigned line;		/* of the registration */
	unsigned function_line; /* of the function; 0: unknown */
};

struct module_callback {
	module_object_fn *object; /* NULL: fn */
	void *ctx;
	const struct module_place *place; /* as long as ctx; NULL: unknown */
	enum module_event event;
	struct pmodule *module;
	struct pmodule_match *match; /* NULL: all */
	union {
		void (*backtrace)(ptrace_backtrace_t *);
		void (*thread)(ptrace_thread_t *);
		void (*frame)(ptrace_frame_t *);
		void (*variable)(ptrace_variable_t *, bt_variable_t *);
	} fn;
};

struct ptrace_frame {
	struct module_host *host;
	ptrace_thread_t *thread; /* NULL: not added yet */
	uint32_t index;		 /* in the snapshot's thread */
	struct snap_frame *own;	 /* created by a module, not committed */
	bool has_decl_line;
	uint32_t decl_line;
	struct variable_list variables;
	/* frame_order.c: its neighbours; its index in the thread's order. */
	struct ptrace_frame *before, *behind;
	uint32_t place;
};

struct ptrace_context {
	ptrace_thread_t *thread;
	struct arch_thread_regs regs;
	uint8_t xstate[ARCH_XSTATE_MAX]; /* of regs, when from_handler */
	bool from_handler, live;	 /* saved for a signal handler */
	struct arch_trap trap;
	bt_addr_t handler; /* pc of the frame it interrupted us with, or 0 */
	bool has_signal;
	struct target_signal signal;
};

struct ptrace_thread {
	struct module_host *host;
	struct ptrace_context *now, *fault; /* made on first use */
	uint32_t index;			    /* in snapshot->threads */
	const struct target_thread *target; /* NULL: not in the target */
	/* Of the frames that were found, made when they are asked for
	 * (module_found_frame); none at frames_end or behind. */
	struct ptrace_frame *frames;
	uint32_t n_frames, frames_end;
	/* frame_order.c: with what modules added; not linked: as in the
	 * snapshot. */
	bool linked, order_stale;
	struct ptrace_frame *first, *last;
	struct ptrace_frame **order;
	uint32_t n_order, order_room;
	bool has_decl_lines;
};

struct ptrace_target {
	struct module_host *host;
};

struct ptrace_backtrace {
	struct module_host *host;
};

struct module_host {
	struct module_host_options options;
	struct snapshot *snapshot;
	struct target *target;
	struct ptrace_target target_handle;
	struct ptrace_backtrace backtrace;
	struct ptrace_thread *threads; /* NULL until the run */
	uint32_t n_threads;
	struct arena arena; /* handles */
	struct map types;   /* shape -> struct bt_type */
	struct map base_names;
	struct map data_symbols;	 /* data_symbol.c: by module */
	VEC(ptrace_variable_t *) others; /* globals and objects with handles */
	unsigned dispatching;		 /* callbacks within callbacks */
	bool changed; /* threads or variables of the snapshot */
	VEC(struct pmodule *) modules;
	VEC(const char *) skipped; /* names of those that were not to run */
	VEC(struct module_callback) callbacks;
	VEC(const char *) asked; /* options; kept only on request */
	size_t attached;	 /* callbacks that were told of attaching */
	struct pmodule *current; /* whose callback runs */
	/* Counts snapshots: a handle of an earlier one is stale. */
	uint32_t generation;
	/* Of loaded modules, without the one that runs since entered_ns. */
	uint64_t loaded_used_ns, entered_ns;
	bool told_time;
	/* frame_api.c: the thread that was unwound last. */
	struct unwinder *unwinder; /* made on first use */
	struct budget unwind_budget;
	struct unwind_stack stack;
	const struct ptrace_thread *unwound;
	bool unwound_all;	/* else its innermost frames */
	size_t unwound_certain; /* its frames that are beyond doubt */
	struct map guards;	/* pc -> struct guard_place, NULL: none */
	size_t unwound_at;	/* the frame that was asked for last */
	/* The thread whose plain frames were counted last, and how many. */
	const struct ptrace_thread *plain;
	uint32_t n_plain;
	VEC(pmodule_constraint_t *) constraints;
	bool background[MODULE_FINDINGS_MAX]; /* of the snapshot's findings */
	uint64_t search_left;	  /* bytes that searches may still read */
	struct module_heap *heap; /* heap_api.c, at the first question */
	/* The last one that heap_types.c has found: members are asked for one
	 * by one. */
	const struct dwarf_type *heap_type;
	bt_addr_t heap_type_code;
	char heap_type_name[40];
};

/* Bytes that all searches of a run may read together: some 0.1 s. */
#define MODULE_SEARCH_MAX (UINT64_C(256) << 20)

/* frame_api.c */
struct unwinder *module_unwinder(struct module_host *host);
void module_unwinder_end(struct module_host *host);

/* heap_types.c: what ptrace_heap_host_t has as `member`. */
bool module_heap_member(struct module_host *host, bt_addr_t code,
    const char *type, const char *member, bool open, ptrace_heap_member_t *out);

/* heap_api.c */
void module_heap_end(struct module_host *host);

/* target_api.c: decodes at the pc of the registers. */
bool module_fill_mapping(const struct target_mapping *m, ptrace_mapping_t *out);
bool module_decode(struct module_host *host,
    const struct arch_thread_regs *regs, ptrace_instruction_t *out,
    bt_error_t *e);

void module_signal(const struct target_signal *s, ptrace_signal_t *out);
struct insn;
/* Instructions, signal frames and registers by number are those of x86-64. */
bool module_reads_code(const struct module_host *host);
bool module_decode_raw(struct module_host *host,
    const struct arch_thread_regs *regs, struct insn *out, bt_error_t *e);

/* limits.c */
/* May the current module say so much more? */
bool module_may_say(struct module_host *host, size_t bytes);
bool module_may_add(struct module_host *host);
/* False; and a warning, once. */
bool module_tell_limit(struct module_host *host, struct pmodule *module);
/* The current module stops, another (NULL: none) begins. */
void module_count_time(struct module_host *host, const struct pmodule *next);
/* Of the time for all loaded modules; UINT64_MAX: any. */
uint64_t module_time_left(const struct module_host *host);
/* There is some of it left; if not, a warning, once. */
bool module_has_time(struct module_host *host);

/* host.c */
/* The finding that would be the primary one now; NULL: there is none. */
struct snap_finding *module_best_finding(struct module_host *host);
void module_announce(struct module_host *host, struct pmodule *module);
/* Announces it, unless there is no time left for it. */
bool module_enter(struct module_host *host, struct pmodule *module);
bool module_event_add(pmodule_t *pm, enum module_event event,
    const pmodule_match_t *match, module_object_fn *fn, void *ctx,
    const struct module_place *place);
/* A warning of the snapshot, in the module's name. */
void module_warn(
    pmodule_t *pm, const char *code, const char *text, size_t size);

/* data_symbol.c: NULL: none, or code. */
const char *module_data_symbol(
    struct module_host *host, bt_addr_t address, bt_addr_t *start);
void module_data_symbols_end(struct module_host *host);

/* inspect.c */
void module_note_asked(pmodule_t *pm, const char *key);

/* backtrace.c: "sleeping" for the letter of /proc/PID/stat. */
const char *module_state_name(char letter);

/* match.c */
struct pmodule_match *module_match_copy(const struct pmodule_match *m);
bool module_match_frame(const struct pmodule_match *m, ptrace_frame_t *f);
bool module_match_thread(const struct pmodule_match *m, ptrace_thread_t *t);
/* The criteria of the variable itself. */
bool module_match_variable(const struct pmodule_match *m,
    const struct snap_variable *v, const char *base_type);
bool module_match_wants_frame(const struct pmodule_match *m);

/* backtrace.c: the frame that was found at that place, whatever modules have
 * added since; NULL: there is none, or no memory. */
ptrace_frame_t *module_found_frame(ptrace_thread_t *t, uint32_t i);

/* variable.c */
struct variable_list *module_frame_list(ptrace_frame_t *f);
struct variable_list *module_member_list(ptrace_variable_t *v);
/* The contents; fills a view. NULL without memory. */
struct snap_variable *module_snap_variable(const ptrace_variable_t *v);
enum ptrace_variable_type module_type_of(const struct snap_variable *v);
/* "foo" of "const struct foo *", by the text alone. */
const char *module_base_name(struct module_host *host, const char *type);

/* frame_order.c */
/* All n_order frames of a thread that modules added some to; NULL: there is no
 * such frame, or no memory. */
ptrace_frame_t **module_frame_order(ptrace_thread_t *t);
/* The index of a frame of the thread. */
uint32_t module_frame_place(ptrace_thread_t *t, const ptrace_frame_t *f);

/* synthesis.c */
bool module_list_add(ptrace_variable_t *owner, ptrace_variable_t *v);
ptrace_variable_t *module_variable_make(struct module_host *host,
    const char *type, const char *name, bt_addr_t address, int64_t offset,
    ptrace_variable_t *owner);
/* What modules added goes into the snapshot. */
void module_commit(struct module_host *host);

/* raw_api.c */
struct value_reader *module_reader(struct module_host *host);
void module_raw_set(
    struct module_host *host, bt_variable_t *out, const struct value_raw *raw);
const struct value_raw *module_raw(const bt_variable_t *v);

/* variable_event.c */
bool module_wants_variables(const struct module_host *host);
void module_fire_variables(struct module_host *host, ptrace_thread_t *t);
void module_fire_other_variables(struct module_host *host);
void module_decl_lines(struct module_host *host, ptrace_thread_t *t);
/* A handle of its own for a variable that no frame has. */
ptrace_variable_t *module_other_handle(
    struct module_host *host, struct snap_variable *s);

/* Name of the module that runs now, for what it says; NULL: none. */
static inline const char *
module_current_name(const struct module_host *host)
{
	return host->current != NULL ? host->current->name : NULL;
}

static inline struct snap_thread *
module_snap_thread(const ptrace_thread_t *t)
{
	return &t->host->snapshot->threads.items[t->index];
}

static inline struct snap_frame *
module_snap_frame(const ptrace_frame_t *f)
{
	if (f->own != NULL)
		return f->own;
	return &module_snap_thread(f->thread)->frames[f->index];
}

#endif /* MODULE_PRIVATE_H */
