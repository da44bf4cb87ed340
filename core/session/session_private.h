/* SPDX-License-Identifier: MIT */
/*
 * What the files of this room share: the state of one collection. Each
 * collect function fills its part of the snapshot and never fails: what it
 * cannot have is absent, with a warning where that helps somebody.
 */
#ifndef SESSION_PRIVATE_H
#define SESSION_PRIVATE_H

#include "module/shipped.h"
#include "session/hostkey.h"
#include "session/session.h"
#include "unwind/unwind.h"
#include "value/value.h"

struct session;

enum {
	/* Frames kept per thread: the first and last halves. A stack of 8 MiB
	 * holds some 500,000 of the smallest; nobody reads the middle. */
	SESSION_FRAMES_MAX = 65536,
	SESSION_REGISTERS_MAX = 64,
	SESSION_SCOPES_MAX = 256, /* inline levels at one pc */
	SESSION_DIRS_MAX = 32,
	SESSION_RECENT = 1024 /* power of two */
};

/* What a pc means: the locations of its inline levels, innermost first; the
 * last is the physical function. */
struct frame_plan {
	struct target_module *module;
	struct dwarf *dwarf; /* NULL: none */
	uint64_t pc;	     /* look-up address in the module's own numbers */
	bool has_scopes;
	uint64_t entry; /* of the physical function in those; 0: unknown */
	unsigned n_locations;
	const struct snap_location **locations;
	/* The innermost, for a frame that is shown once (tail calls). */
	const struct snap_location *alone;
	/* As a caller: the answer of tail_chain_between for the last callee. */
	const struct frame_plan *callee;
	const struct tail_chain *chain;
};

struct session_dwarf { /* per module, opened on first use */
	bool tried;
	struct dwarf *dwarf;
};

/* Modules, which may stay loaded from one collection to the next. */
struct session_kept {
	struct module_host *host;
	struct module_loader *loader;
	VEC(const pmodule_descriptor_t *) loaded;
	uint64_t modules_used_ns;	 /* for loading them */
	struct shipped_modules *shipped; /* NULL: none */
	const char **shipped_names;	 /* NULL: none */

	/* Between collections the modules stand over these. */
	const struct session_sink *sink;
	struct target *nothing;
	struct snapshot blank;
	bool has_blank;
	struct budget budget;
};

/* kept.c */
void kept_init(struct session_kept *k);
void kept_deinit(struct session_kept *k);
/* The modules end; nothing else is freed. */
void kept_end(struct session_kept *k);
/* What is collected is about to be freed. */
void kept_leave(struct session_kept *k, const struct session *s);

/* The plan of a frame's pc, found without a look into the map. */
struct frame_place {
	uint64_t pc;
	bool exact;
	struct frame_plan *plan; /* NULL: none yet */
};

struct session {
	const struct session_options *options;
	const struct session_sink *sink;
	struct snapshot *snapshot;
	struct session_stats *stats;
	enum session_stage stage;
	uint64_t stage_started, started, timeout_ns;
	struct budget budget; /* of the current stage */

	struct opener *opener;
	struct host_key key;	     /* unless somebody else has it */
	struct map secret_templates; /* while secrets are looked for */
	uint64_t scrubbed;	     /* values that were replaced */
	bt_addr_t handled_sp;	     /* signal frame of a live fault; 0: none */
	bool secrets_missed;	     /* more of them than can be looked for */
	bool packed_clean;	     /* no row of the snapshot has a secret */
	struct opener_local local;   /* unless somebody else opens */
	bool has_local;
	const char *dirs[SESSION_DIRS_MAX];
	struct debugfile_finder finder;
	struct symserver *server; /* NULL: the user has set none */
	struct target *target;
	struct unwinder *unwinder;
	struct value_reader *reader;
	struct session_kept *kept; /* the modules: own, or the caller's */
	struct session_kept own;

	struct arena scratch; /* plans */
	struct frame_place recent[SESSION_RECENT];
	struct map by_pc[2];	   /* by look-up pc: returned to, exact */
	struct map tails;	   /* tail-call chains by return address */
	struct ahead_stack *ahead; /* ahead.c */
	uint32_t n_ahead;
	/* The thread that is being walked. */
	const struct target_thread *walked; /* whose stack is below */
	struct unwind_stack stack;
	/* The same with tail-call frames, which alone are its own. */
	struct unwind_stack expanded;
	const struct unwind_stack *shown;		/* one of the two */
	VEC(struct frame_plan *) plans, expanded_plans; /* of shown's frames */
	struct prefetch *prefetch;    /* NULL: one processor */
	struct spare *spare;	      /* the same */
	struct session_dwarf *dwarfs; /* by module index */
	size_t n_dwarfs;
	struct target_thread *fault;	/* NULL: nothing is faulted */
	struct target_thread **threads; /* as in the snapshot */
	uint32_t n_threads;
	size_t warnings_taken; /* of the target's */
};

/* session.c */
bool session_skips(const struct session *s, enum session_stage stage);
void session_mark_partial(struct session *s);
/* False when the stage's time is over (then once a warning). */
bool session_has_time(struct session *s);

/* variables.c: made on first use; NULL: no memory. */
struct value_reader *session_reader(struct session *s);

/* frames.c */
/* The plan that is already there, or NULL. */
struct frame_plan *frame_plan_known(
    struct session *s, const struct unwind_frame *f);
/* Plans of these frames will be asked for, in this order: debug information of
 * their modules is opened, and inflated ahead. */
void frames_expect(
    struct session *s, struct unwind_frame *const *frames, size_t count);
struct frame_plan *frame_plan_at(
    struct session *s, const struct unwind_frame *f);
struct dwarf *session_dwarf(struct session *s, struct target_module *module);

/* tailcall.c: the functions that left the stack by a tail call between a
 * frame and its caller: where their jumps return to, innermost first. NULL:
 * none. */
struct tail_chain {
	unsigned n;
	const uint64_t *ips;
};
const struct tail_chain *tail_chain_between(struct session *s,
    const struct unwind_frame *caller, const struct frame_plan *caller_plan,
    const struct frame_plan *callee_plan);

/* ahead.c: begins what takes long, and unwinds stacks meanwhile. */
void ahead_begin(struct session *s);
/* Before the stack of thread `from` is read, and those behind it: they are
 * asked for, dozens at once, unless the disk is not needed. */
void ahead_stacks(struct session *s, uint32_t from);
/* Puts t's stack into s->stack, if it was unwound then; once. */
bool ahead_take(struct session *s, const struct target_thread *t);
void ahead_deinit(struct session *s);

/* walk.c: unwinds a thread into s->shown, with tail-call frames put in, and
 * s->plans, one for each of its frames. Valid until the next thread. */
void walk_thread(struct session *s, const struct target_thread *t);
/* How many frames the snapshot shows of it: inlined ones count. */
uint32_t walk_count(const struct session *s);

/* One collector each. */
void collect_exe(struct session *s); /* opened, or why not */
/* Was the thread asked for (--thread)? */
bool session_wants_thread(const struct session_options *o, uint32_t tid);
void collect_handled(struct session *s);       /* a signal being handled */
void collect_handled_frame(struct session *s); /* what it interrupted */
void collect_facts(struct session *s);	       /* signal, attributes */
void collect_surroundings(struct session *s);  /* environment, limits, files */
void collect_threads_begin(struct session *s); /* order, names, registers */
void collect_thread(struct session *s, uint32_t index);
void collect_modules(struct session *s);
void collect_variables(struct session *s);
void collect_globals(struct session *s);
void collect_error_message(struct session *s);
void collect_modules_load(struct session *s); /* those of the user's */
void collect_analysis_begin(struct session *s);
void session_log_line(const struct session_sink *sink,
    enum pmodule_log_level level, const char *module, const char *text);
void collect_analysis(struct session *s);
/* Names of credentials, and the user's patterns. */
/* What is shown of a variable of the environment, "NAME=VALUE" with so long a
 * name and value, without what is secret; NULL: the value itself. */
const char *session_environment_value(
    struct session *s, const char *text, size_t name, size_t size);
bool session_is_secret_name(
    const struct session_options *o, const char *name, size_t size);
/* What must not be in the file: of the command line and the environment, and of
 * the variables that there are by now. */
void collect_start_secrets(struct session *s);
void collect_secrets(struct session *s);
void collect_memory(struct session *s);
void collect_resources(struct session *s);
void collect_warnings(struct session *s); /* the target's, so far */

/* How the snapshot's frames follow from the walked thread: called once per
 * frame, innermost first. */
struct frame_step {
	const struct unwind_frame *frame;
	size_t index; /* in s->shown */
	const struct frame_plan *plan;
	unsigned scope; /* in plan->locations */
	const struct snap_location *location;
};
typedef bool frame_visit(void *ctx, const struct frame_step *step);
/* False when the visitor returned false. */
bool walk_each(struct session *s, frame_visit *visit, void *ctx);

#endif /* SESSION_PRIVATE_H */
