/* SPDX-License-Identifier: MIT */
/*
 * Analysis modules. A module is a descriptor (name, load, unload, reset) and
 * callbacks that its load function registers; Inquest's own modules are built
 * on exactly this header.
 *
 *	static void
 *	analyse(ptrace_backtrace_t *bt)
 *	{
 *		pmodule_kv_add_string(bt, "color", "red");
 *	}
 *
 *	static bool
 *	load(pmodule_t *pm)
 *	{
 *
 *		return pmodule_postattach_event_add(pm, analyse);
 *	}
 *
 *	PMODULE_DEFINE("example", load, NULL, NULL)
 *
 * Handles (pm, bt, thread, frame) are valid during the callback that got them;
 * bt for all of a run. Strings given to functions are copied; strings returned
 * are borrowed for the run.
 */
#ifndef PTRACE_PMODULE_H
#define PTRACE_PMODULE_H

#include <bt.h>
#include <ptrace/target.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

typedef struct pmodule pmodule_t;
typedef struct ptrace_backtrace ptrace_backtrace_t;
typedef struct pmodule_match pmodule_match_t;

/* Version 1: the first. A host refuses a module built for another one. */
#define PMODULE_ABI_VERSION 1

typedef struct pmodule_descriptor {
	uint32_t abi_version;
	uint32_t size; /* of this struct as the module was compiled */
	const char *name;
	bool (*load)(pmodule_t *pm);   /* required; false: do not use me */
	void (*unload)(pmodule_t *pm); /* may be NULL */
	void (*reset)(pmodule_t *pm);  /* between several snapshots */
	uint64_t reserved[8];
} pmodule_descriptor_t;

/* The symbol a host looks for; modules linked into a program choose another. */
#ifndef PMODULE_SYMBOL
#define PMODULE_SYMBOL pmodule_descriptor
#endif

/* At file scope. LOAD must be static and may be defined further down. */
#define PMODULE_DEFINE(NAME, LOAD, UNLOAD, RESET)                              \
	static bool LOAD(pmodule_t *);                                         \
	extern const pmodule_descriptor_t PMODULE_SYMBOL;                      \
	__attribute__((visibility("default")))                                 \
	const pmodule_descriptor_t PMODULE_SYMBOL = {                          \
	    .abi_version = PMODULE_ABI_VERSION,                                \
	    .size = sizeof(pmodule_descriptor_t),                              \
	    .name = (NAME),                                                    \
	    .load = (LOAD),                                                    \
	    .unload = (UNLOAD),                                                \
	    .reset = (RESET)};

/* ---- which objects a callback wants ---- */

enum pmodule_match_type { PMODULE_MATCH_EXACT, PMODULE_MATCH_SUBSTR };

/* What a variable is to modules; in Lua pmodule.variable_type. */
enum ptrace_variable_type {
	PTRACE_TYPE_LL,
	PTRACE_TYPE_ULL,
	PTRACE_TYPE_FLT,
	PTRACE_TYPE_DBL,
	PTRACE_TYPE_LDBL,
	PTRACE_TYPE_CFLT,
	PTRACE_TYPE_CDBL,
	PTRACE_TYPE_CLDBL,
	PTRACE_TYPE_STRING,
	PTRACE_TYPE_ENUM,
	PTRACE_TYPE_TUPLE, /* struct, class, union */
	PTRACE_TYPE_ARRAY,
	PTRACE_TYPE_BOTTOM, /* it has no value: optimized out, ... */
	PTRACE_TYPE_FN,
	PTRACE_TYPE_REFERENCE /* pointer */
};

/*
 * Criteria, all of which must hold. Registering copies the match: it may be
 * reset and used again, and belongs to the caller.
 *
 * A thread matches object, file and frame symbol when one of its frames does;
 * variable criteria speak of variables only, and neither threads nor frames
 * are measured by them.
 */
pmodule_match_t *pmodule_match_create(void);
void pmodule_match_destroy(pmodule_match_t *m); /* NULL allowed */
void pmodule_match_reset(pmodule_match_t *m);
/* Name of the executable or library ("libc.so.6"). */
bool pmodule_match_add_object(
    pmodule_match_t *m, const char *text, enum pmodule_match_type type);
/* Source file; exact: the whole path or its last component. */
bool pmodule_match_add_file(
    pmodule_match_t *m, const char *text, enum pmodule_match_type type);
bool pmodule_match_add_frame_symbol(
    pmodule_match_t *m, const char *text, enum pmodule_match_type type);
bool pmodule_match_add_variable_base_type(
    pmodule_match_t *m, const char *text, enum pmodule_match_type type);
bool pmodule_match_add_variable_ptrace_type(
    pmodule_match_t *m, enum ptrace_variable_type type);
bool pmodule_match_add_variable_name(
    pmodule_match_t *m, const char *text, enum pmodule_match_type type);
/* Only where the fault happened: its frame and that frame's variables.
 * thread: all frames and variables of the faulting thread. */
void pmodule_match_set_fault(pmodule_match_t *m, bool thread);
/* Whether all criteria hold; m NULL: yes. A variable without a frame fits no
 * criterion of frames. Handles may be NULL: then no. */
bool pmodule_match_fits_thread(const pmodule_match_t *m, ptrace_thread_t *t);
bool pmodule_match_fits_frame(const pmodule_match_t *m, ptrace_frame_t *f);
bool pmodule_match_fits_variable(
    const pmodule_match_t *m, const ptrace_variable_t *v);

/* ---- events, in the order in which they come ---- */

/* Before anything is read; bt knows no threads yet. */
bool pmodule_preattach_event_add(
    pmodule_t *pm, void (*fn)(ptrace_backtrace_t *bt));
/* The target is there; nothing has been extracted. */
bool pmodule_attach_event_add(
    pmodule_t *pm, void (*fn)(ptrace_backtrace_t *bt));
/* A variable has been extracted; members and elements come after the variable
 * they belong to. match NULL: every variable. */
bool pmodule_variable_event_add(pmodule_t *pm, const pmodule_match_t *match,
    void (*fn)(ptrace_variable_t *v, bt_variable_t *raw));
/* A thread is complete. Faulted threads come first. */
bool pmodule_thread_event_add(pmodule_t *pm, void (*fn)(ptrace_thread_t *t));
bool pmodule_thread_match_event_add(pmodule_t *pm, const pmodule_match_t *match,
    void (*fn)(ptrace_thread_t *t));
/* A frame is complete, with its variables. */
bool pmodule_frame_event_add(pmodule_t *pm, void (*fn)(ptrace_frame_t *f));
bool pmodule_frame_match_event_add(
    pmodule_t *pm, const pmodule_match_t *match, void (*fn)(ptrace_frame_t *f));
/* Everything is there. */
bool pmodule_postattach_event_add(
    pmodule_t *pm, void (*fn)(ptrace_backtrace_t *bt));

/* The value the user gave with --module=ID:key,value,...; NULL: none. */
const char *pmodule_config_option(pmodule_t *pm, const char *key);
/* Whatever the module wants to find again in its callbacks. */
void pmodule_user_set(pmodule_t *pm, void *user);
void *pmodule_user(pmodule_t *pm);
/* The module whose callback runs. */
pmodule_t *pmodule_current(ptrace_backtrace_t *bt);

/* ---- the backtrace ---- */

ptrace_target_t *ptrace_backtrace_target(ptrace_backtrace_t *bt);
/* The thread that received the deadly signal (or was named by the user); NULL:
 * nothing is faulted. */
ptrace_thread_t *ptrace_backtrace_fault_thread(ptrace_backtrace_t *bt);
uint32_t ptrace_backtrace_n_threads(ptrace_backtrace_t *bt);
ptrace_thread_t *ptrace_backtrace_thread(ptrace_backtrace_t *bt, uint32_t i);

uint32_t ptrace_thread_tid(const ptrace_thread_t *t);
bool ptrace_thread_fault(const ptrace_thread_t *t);
ptrace_backtrace_t *ptrace_thread_backtrace(ptrace_thread_t *t);
uint32_t ptrace_thread_n_frames(const ptrace_thread_t *t);
ptrace_frame_t *ptrace_thread_frame(ptrace_thread_t *t, uint32_t i);
/* Frames of a very deep stack that were left out of its middle. */
uint64_t ptrace_thread_frames_skipped(const ptrace_thread_t *t);

ptrace_thread_t *ptrace_frame_thread(ptrace_frame_t *f);
uint32_t ptrace_frame_index(const ptrace_frame_t *f);
bt_addr_t ptrace_frame_ip(const ptrace_frame_t *f);
const char *ptrace_frame_symbol(const ptrace_frame_t *f); /* "": unknown */
const char *ptrace_frame_object(const ptrace_frame_t *f);
const char *ptrace_frame_path(const ptrace_frame_t *f);
uint32_t ptrace_frame_line(const ptrace_frame_t *f); /* 0: unknown */
bool ptrace_frame_inline(const ptrace_frame_t *f);
/* The trampoline through which a signal handler was called. */
bool ptrace_frame_signal(const ptrace_frame_t *f);
bool ptrace_frame_stack_pointer(const ptrace_frame_t *f, uint64_t *out);
/* Line of the function's declaration, 0: unknown. */
uint32_t ptrace_frame_decl_line(ptrace_frame_t *f);
/* The frame in which the fault happened. */
bool ptrace_frame_fault(const ptrace_frame_t *f);
int32_t ptrace_backtrace_pid(ptrace_backtrace_t *bt);
const char *ptrace_backtrace_application_name(ptrace_backtrace_t *bt);
/* "running", "sleeping", "disk", "stopped", "traced", "zombie", "dead", "idle",
 * "unknown". */
const char *ptrace_backtrace_process_state(ptrace_backtrace_t *bt);
/* The same of a thread of a running process, just before it was stopped for us;
 * "unknown" in a core. */
const char *ptrace_thread_state(const ptrace_thread_t *t);
uint32_t ptrace_thread_n_kframes(const ptrace_thread_t *t);

/* ---- variables ---- */

const char *ptrace_variable_name(const ptrace_variable_t *v);
enum ptrace_variable_type ptrace_variable_type(const ptrace_variable_t *v);
/* "struct(crash)", "int"; the name without words and pointers ("crash"). */
const char *ptrace_variable_type_name(const ptrace_variable_t *v);
const char *ptrace_variable_base_type(const ptrace_variable_t *v);
bool ptrace_variable_address(const ptrace_variable_t *v, bt_addr_t *out);
/* Its text, enumerator, function, or what a pointer points to, as
 * pmodule_address_symbol says it; NULL: none. */
const char *ptrace_variable_symbol(const ptrace_variable_t *v);
/* Integers, enumerations and pointers. */
bool ptrace_variable_ull(const ptrace_variable_t *v, uint64_t *out);
/* Floating point; complex numbers have a second part. */
bool ptrace_variable_dbl(
    const ptrace_variable_t *v, double *real, double *imaginary);
/* It has a value, or members. */
bool ptrace_variable_resolved(const ptrace_variable_t *v);
bool ptrace_variable_is_string(const ptrace_variable_t *v);
/* Among the parameters of its function, from 0; -1: it is none. */
int ptrace_variable_fprm_offset(const ptrace_variable_t *v);
/* NULL: of none (globals, followed objects, variables of no owner). */
ptrace_variable_t *ptrace_variable_owner(const ptrace_variable_t *v);
ptrace_thread_t *ptrace_variable_thread(const ptrace_variable_t *v);
ptrace_backtrace_t *ptrace_variable_backtrace(const ptrace_variable_t *v);
/* Visits the variables that hold a pointer into [low, high), until the visitor
 * says false: of the frames of all threads (faulted threads first), globals,
 * objects that were followed; members and elements, too. Cheaper by far than
 * asking each variable. */
typedef bool ptrace_pointer_fn(void *ctx, ptrace_variable_t *v);
void ptrace_backtrace_pointers(ptrace_backtrace_t *bt, bt_addr_t low,
    bt_addr_t high, ptrace_pointer_fn *fn, void *ctx);
uint32_t ptrace_variable_n_members(ptrace_variable_t *v);
ptrace_variable_t *ptrace_variable_member(ptrace_variable_t *v, uint32_t i);

/* ---- the debugger's view ---- */

/* A global or static variable; object and cu (parts of the names of the library
 * and of the source file) may be NULL. On the heap: bt_variable_deinit. */
bt_variable_t *pmodule_bt_query(ptrace_backtrace_t *bt, const char *symbol,
    const char *object, const char *cu);
/* Globals that match (NULL: any); thread: its thread-local ones only. Stops
 * when fn says false. */
void pmodule_globals_each(ptrace_backtrace_t *bt, ptrace_thread_t *thread,
    const char *object, const char *cu, const char *name,
    bool (*fn)(void *ctx, bt_variable_t *v, const char *object, const char *cu),
    void *ctx);
/* A view of a raw variable: read-only, cannot be added to the snapshot. Free it
 * with pmodule_variable_release, or leave it to the end of the run. */
ptrace_variable_t *pmodule_variable_from_bt(
    ptrace_backtrace_t *bt, bt_variable_t *v);
void pmodule_variable_release(ptrace_variable_t *v);

/* Symbol at an address ("name" or "name+off"), NULL; and the way back. */
const char *pmodule_address_symbol(ptrace_backtrace_t *bt, bt_addr_t address);
bool pmodule_symbol_address(ptrace_backtrace_t *bt, const char *symbol,
    const char *object, bt_addr_t *out);
/* The name as in the source: "ns::f(int)", "vtable for ns::C" (C++, Rust, D).
 * NULL: it is no mangled name. */
const char *pmodule_demangle(ptrace_backtrace_t *bt, const char *symbol);
/* How many bytes could be read, at most size. */
size_t pmodule_address_read_raw(
    ptrace_backtrace_t *bt, bt_addr_t address, void *out, size_t size);
/* Bytes before the NUL, at most size - 1, and a NUL; -1: unreadable. */
ssize_t pmodule_address_read_string(
    ptrace_backtrace_t *bt, bt_addr_t address, char *out, size_t size);
size_t pmodule_symbol_read_raw(ptrace_backtrace_t *bt, const char *symbol,
    const char *object, void *out, size_t size);
ssize_t pmodule_symbol_read_string(ptrace_backtrace_t *bt, const char *symbol,
    const char *object, char *out, size_t size);

/* C++: the n-th (from 0) argument of "T<A, B>", malloc'd. */
bool pmodule_cpp_template_nth_argument(
    char **out, const char *type_name, unsigned n);
/* A class, struct, union, enumeration or base type ("int") by name; dwarf is
 * that of a variable or type. */
struct bt_type *pmodule_cpp_get_bt_type_from_name(
    void *dwarf, const char *name);

/* ---- synthesis: variables and frames of a module's own ---- */

/* offset: index in an array, -1: none. Has no value until one is set, and is in
 * the snapshot once it was added. An owner makes it a member. */
ptrace_variable_t *pmodule_variable_create(const char *type, const char *name,
    bt_addr_t address, int64_t offset, ptrace_variable_t *owner);
/* The same without an owner. */
ptrace_variable_t *pmodule_variable_new(ptrace_backtrace_t *bt,
    const char *type, const char *name, bt_addr_t address, int64_t offset);
ptrace_variable_t *pmodule_ptrace_variable_create(
    ptrace_variable_t *owner, unsigned depth, int64_t offset);
/* Fills it from a raw variable: name (unless it has one), type, value; members
 * too when deep. */
bool pmodule_variable_value(
    ptrace_variable_t *v, bt_variable_t *raw, bool deep);
ptrace_frame_t *pmodule_variable_frame(const ptrace_variable_t *v);
/* insert_after: behind its owner's last member or, without an owner, in front;
 * else at the end. A member goes into its owner; f may be NULL then. */
bool pmodule_frame_add_variable(
    ptrace_frame_t *f, ptrace_variable_t *v, bool insert_after);
/*
 * Members with the contents of raw variables, added to any variable. They are
 * variables like any others: when they are added in the callback that got
 * their owner, callbacks for variables see them and what is in them after it
 * has returned. They may use up what a module may add.
 */
/* name NULL: an element. NULL: a limit was reached, or owner is read-only. */
ptrace_variable_t *pmodule_variable_add_member(
    ptrace_variable_t *owner, const char *name, bt_variable_t *raw);
/* count elements one behind the other in memory, the first of which is given.
 * How many were added. */
uint32_t pmodule_variable_add_elements(
    ptrace_variable_t *owner, bt_variable_t *first, uint32_t count);
/* Runs the callbacks for variables on it. */
void pmodule_variable_dispatch(ptrace_variable_t *v, bt_variable_t *raw);
unsigned pmodule_variable_depth(const ptrace_variable_t *v);
unsigned pmodule_variable_state(const ptrace_variable_t *v);
void pmodule_variable_state_set(ptrace_variable_t *v, unsigned state);
enum {
	/* Its own contents are not shown: only what a module set or added. */
	PTRACE_VARIABLE_S_SKIP = 1
};

/* What it shows. Texts are copied, but pmodule_variable_set_string takes a
 * malloc'd text and frees it. False on a read-only view. */
bool pmodule_variable_set_string(ptrace_variable_t *v, char *text);
bool pmodule_variable_set_text(
    ptrace_variable_t *v, const char *text, size_t size);
/* One line for people in front of its members ("std::vector of length 3"). It
 * changes nothing else. */
bool pmodule_variable_set_summary(ptrace_variable_t *v, const char *text);
/* How many members or elements there are in truth (of a text: bytes): when that
 * is more than it shows, it is marked as cut. */
bool pmodule_variable_set_length(ptrace_variable_t *v, uint64_t length);
bool pmodule_variable_set_struct(ptrace_variable_t *v);
bool pmodule_variable_set_array(ptrace_variable_t *v);
bool pmodule_variable_set_function(ptrace_variable_t *v, const char *symbol);
bool pmodule_variable_set_enum(
    ptrace_variable_t *v, int64_t value, const char *symbol);
bool pmodule_variable_set_ref(
    ptrace_variable_t *v, bt_addr_t value, const char *symbol);
bool pmodule_variable_set_cdbl(ptrace_variable_t *v, double re, double im);
bool pmodule_variable_set_dbl(ptrace_variable_t *v, double value);
bool pmodule_variable_set_bool(ptrace_variable_t *v, bool value);
bool pmodule_variable_set_ull(ptrace_variable_t *v, uint64_t value);
bool pmodule_variable_set_ll(ptrace_variable_t *v, int64_t value);

ptrace_frame_t *pmodule_frame_create(ptrace_backtrace_t *bt);
/* first: innermost; else outermost. */
bool pmodule_thread_add_frame(
    ptrace_thread_t *t, ptrace_frame_t *f, bool first);
/* Next to at: behind it (its caller) or, without after, before it. */
bool pmodule_frame_add_frame(ptrace_frame_t *at, ptrace_frame_t *f, bool after);
bool pmodule_frame_set_symbol(ptrace_frame_t *f, const char *symbol);
/* The name of the program, library or language it belongs to. */
bool pmodule_frame_set_object(ptrace_frame_t *f, const char *object);
bool pmodule_frame_set_path(ptrace_frame_t *f, const char *path);
bool pmodule_frame_set_basename(ptrace_frame_t *f, const char *name);
bool pmodule_frame_set_directory(ptrace_frame_t *f, const char *directory);
bool pmodule_frame_set_line(ptrace_frame_t *f, uint32_t line);
bool pmodule_frame_set_decl_line(ptrace_frame_t *f, uint32_t line);
bool pmodule_thread_set_name(ptrace_thread_t *t, const char *name);

/* ---- what a module says ---- */

enum pmodule_level {
	PAT_COMMENT,
	PAT_WARNING,
	PAT_CRITICAL,
	PAT_JSON /* the text is one JSON object; refused when it is not */
};

#define PMODULE_PRINTF(F, A) __attribute__((format(printf, F, A)))

bool pmodule_backtrace_annotate(ptrace_backtrace_t *bt,
    enum pmodule_level level, const char *format, ...) PMODULE_PRINTF(3, 4);
bool pmodule_thread_annotate(ptrace_thread_t *t, enum pmodule_level level,
    const char *format, ...) PMODULE_PRINTF(3, 4);
bool pmodule_frame_annotate(ptrace_frame_t *f, enum pmodule_level level,
    const char *format, ...) PMODULE_PRINTF(3, 4);
bool pmodule_variable_annotate(ptrace_variable_t *v, enum pmodule_level level,
    const char *format, ...) PMODULE_PRINTF(3, 4);

bool pmodule_kv_add_string(
    ptrace_backtrace_t *bt, const char *key, const char *value);
bool pmodule_kv_add_int(ptrace_backtrace_t *bt, const char *key, int64_t value);
bool pmodule_kv_add_address(
    ptrace_backtrace_t *bt, const char *key, bt_addr_t value);
bool pmodule_classifier_add(ptrace_backtrace_t *bt, const char *name);
/* A tag: an attribute "tag.NAME" that is true. */
bool pmodule_tag_add(ptrace_backtrace_t *bt, const char *name);

/* The fault: which access failed. Strings may be NULL (unknown). */
typedef struct pmodule_fault {
	uint32_t size;
	uint32_t frame;	       /* index in the faulting thread */
	const char *direction; /* "read", "write", "execute" */
	const char *instruction;
	const char *operand;
	bool has_address;
	bt_addr_t address;
	uint64_t reserved[4];
} pmodule_fault_t;
#define PMODULE_FAULT_INIT                                                     \
	{                                                                      \
		.size = sizeof(pmodule_fault_t)                                \
	}
bool pmodule_fault_set(ptrace_thread_t *t, const pmodule_fault_t *fault);

/* A finding: one judgement with its confidence and evidence. */
typedef struct pmodule_finding {
	uint32_t size;
	uint32_t n_evidence;
	const char *class_name;	     /* "null-deref" */
	double confidence;	     /* 0 to 1 */
	ptrace_thread_t *thread;     /* NULL: the process */
	const ptrace_frame_t *frame; /* NULL: none */
	bool has_address;
	bt_addr_t address;
	const char *text; /* one sentence for a person */
	const char *const *evidence;
	/* It says nothing of why the process died: the primary one only when
	 * there is no other. */
	bool background;
	uint64_t reserved[3];
} pmodule_finding_t;
#define PMODULE_FINDING_INIT                                                   \
	{                                                                      \
		.size = sizeof(pmodule_finding_t)                              \
	}
/* The host chooses the primary one when all modules have spoken: the highest
 * confidence, of equals the first; those in the background come last. */
bool pmodule_finding_add(
    ptrace_backtrace_t *bt, const pmodule_finding_t *finding);

/* Adds a line of evidence to the finding that is ahead so far. False: there is
 * none, or it has as much as it can hold. */
bool pmodule_finding_note(ptrace_backtrace_t *bt, const char *evidence);
/* The class of the finding that is ahead so far; NULL: there is none. */
const char *pmodule_finding_ahead(ptrace_backtrace_t *bt);

/* The highest confidence with which a class was found so far, by any module; 0:
 * not found. NULL: of all classes. */
double pmodule_finding_confidence(
    ptrace_backtrace_t *bt, const char *class_name);

/* ---- what functions expect of their arguments ---- */

enum pmodule_argument_kind {
	PMODULE_ARGUMENT_ANY,	   /* nothing */
	PMODULE_ARGUMENT_READ,	   /* a pointer to memory that is read, */
	PMODULE_ARGUMENT_WRITE,	   /* written, */
	PMODULE_ARGUMENT_UPDATE,   /* or both */
	PMODULE_ARGUMENT_STRING,   /* a pointer to text that a NUL ends */
	PMODULE_ARGUMENT_FUNCTION, /* a pointer to code */
	PMODULE_ARGUMENT_NUMBER
};

typedef struct pmodule_argument {
	const char *name; /* for people */
	uint32_t kind;	  /* enum pmodule_argument_kind */
	bool null_allowed;
	/* Of memory: the bytes of an element (0: 1), and which argument, from
	 * 0, counts the elements; -1: there is one. */
	uint32_t unit;
	int32_t count;
	/* Of a number, signed; both 0: any that can be the size of memory. */
	int64_t minimum, maximum;
	uint64_t reserved[2];
} pmodule_argument_t;

enum { PMODULE_ARGUMENTS_MAX = 8 };

typedef struct pmodule_constraint {
	uint32_t size;
	uint32_t n_arguments;
	const char *function; /* "copy_name", "net::send": no parameters */
	pmodule_argument_t arguments[PMODULE_ARGUMENTS_MAX];
	uint64_t reserved[4];
} pmodule_constraint_t;
#define PMODULE_CONSTRAINT_INIT                                                \
	{                                                                      \
		.size = sizeof(pmodule_constraint_t)                           \
	}
/* A rule for a function of the program or of a library, besides those that are
 * known. The module "constraint" looks at each frame of that function whose
 * parameters have values, in all threads, and at the call in which the process
 * died; where a rule is violated it adds a finding of class "bad-argument" and
 * the classifier "constraint.FUNCTION". Call it from load; the strings are
 * copied. False: no name, more arguments than fit, a count that is none of
 * them, or too many rules. */
bool pmodule_constraint_add(
    pmodule_t *pm, const pmodule_constraint_t *constraint);
/* The i-th that was added, from 0; NULL: no more. */
const pmodule_constraint_t *pmodule_constraint_at(
    ptrace_backtrace_t *bt, uint32_t i);

/* An entry of the snapshot's lists of locks and of heap facts: one JSON object
 * each; refused when it is not. */
bool pmodule_lock_add(ptrace_backtrace_t *bt, const char *json);
bool pmodule_heap_add(ptrace_backtrace_t *bt, const char *json);

enum pmodule_log_level {
	PMODULE_LOG_DEBUG,
	PMODULE_LOG_INFO,
	PMODULE_LOG_WARNING,
	PMODULE_LOG_ERROR
};
void pmodule_log(pmodule_t *pm, enum pmodule_log_level level,
    const char *format, ...) PMODULE_PRINTF(3, 4);

/* Text that lives until the run ends; NULL without memory. */
const char *pmodule_text(ptrace_backtrace_t *bt, const char *format, ...)
    PMODULE_PRINTF(2, 3);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif /* PTRACE_PMODULE_H */
