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

typedef struct pmodule pmodule_t;
typedef struct ptrace_backtrace ptrace_backtrace_t;

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

#define PMODULE_DEFINE(NAME, LOAD, UNLOAD, RESET)                              \
	extern const pmodule_descriptor_t PMODULE_SYMBOL;                      \
	__attribute__((visibility("default")))                                 \
	const pmodule_descriptor_t PMODULE_SYMBOL = {                          \
	    .abi_version = PMODULE_ABI_VERSION,                                \
	    .size = sizeof(pmodule_descriptor_t),                              \
	    .name = (NAME),                                                    \
	    .load = (LOAD),                                                    \
	    .unload = (UNLOAD),                                                \
	    .reset = (RESET)};

/* ---- events, in the order in which they come ---- */

/* The target is there; nothing has been extracted. */
bool pmodule_attach_event_add(
    pmodule_t *pm, void (*fn)(ptrace_backtrace_t *bt));
/* A thread is complete. Faulted threads come first. */
bool pmodule_thread_event_add(pmodule_t *pm, void (*fn)(ptrace_thread_t *t));
/* A frame is complete, with its variables. */
bool pmodule_frame_event_add(pmodule_t *pm, void (*fn)(ptrace_frame_t *f));
/* Everything is there. */
bool pmodule_postattach_event_add(
    pmodule_t *pm, void (*fn)(ptrace_backtrace_t *bt));

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

/* ---- what a module says ---- */

enum pmodule_level {
	PAT_COMMENT,
	PAT_WARNING,
	PAT_CRITICAL,
	PAT_JSON /* the text is one JSON object; dropped when it is not */
};

#define PMODULE_PRINTF(F, A) __attribute__((format(printf, F, A)))

bool pmodule_backtrace_annotate(ptrace_backtrace_t *bt,
    enum pmodule_level level, const char *format, ...) PMODULE_PRINTF(3, 4);
bool pmodule_thread_annotate(ptrace_thread_t *t, enum pmodule_level level,
    const char *format, ...) PMODULE_PRINTF(3, 4);
bool pmodule_frame_annotate(ptrace_frame_t *f, enum pmodule_level level,
    const char *format, ...) PMODULE_PRINTF(3, 4);

bool pmodule_kv_add_string(
    ptrace_backtrace_t *bt, const char *key, const char *value);
bool pmodule_kv_add_int(ptrace_backtrace_t *bt, const char *key, int64_t value);
bool pmodule_kv_add_address(
    ptrace_backtrace_t *bt, const char *key, bt_addr_t value);
bool pmodule_classifier_add(ptrace_backtrace_t *bt, const char *name);

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
	uint64_t reserved[4];
} pmodule_finding_t;
#define PMODULE_FINDING_INIT                                                   \
	{                                                                      \
		.size = sizeof(pmodule_finding_t)                              \
	}
/* The host chooses the primary one when all modules have spoken: the highest
 * confidence, of equals the first. */
bool pmodule_finding_add(
    ptrace_backtrace_t *bt, const pmodule_finding_t *finding);

/* The highest confidence with which a class was found so far, by any module; 0:
 * not found. NULL: of all classes. */
double pmodule_finding_confidence(
    ptrace_backtrace_t *bt, const char *class_name);

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

#ifdef __cplusplus
}
#endif
#endif /* PTRACE_PMODULE_H */
