/* SPDX-License-Identifier: MIT */
/*
 * What the modules that judge a fault share: the fault resolved to one
 * instruction, one operand, one direction; and a report, which is a finding in
 * the making. Each module resolves the crash for itself (it costs decoding one
 * instruction), so that none depends on another having run.
 */
#ifndef MODULES_CRASH_H
#define MODULES_CRASH_H

#include <inttypes.h>

#include <ptrace/pmodule.h>

enum crash_kind {
	CRASH_NONE,	  /* no signal */
	CRASH_SENT,	  /* the signal was sent, by whomever */
	CRASH_EXECUTE,	  /* the pc is at what is no code */
	CRASH_PAGE,	  /* a page fault: has_address */
	CRASH_PROTECTION, /* #GP or #SS: the kernel gives no address */
	CRASH_FILE,	  /* SIGBUS, BUS_ADRERR: beyond the end of a file */
	CRASH_ALIGNMENT,  /* SIGBUS, BUS_ADRALN */
	CRASH_OTHER	  /* SIGFPE, SIGILL, SIGTRAP, SIGSYS, ... */
};

struct crash {
	ptrace_backtrace_t *bt;
	ptrace_target_t *target;
	ptrace_thread_t *thread;
	ptrace_context_t *context;
	ptrace_frame_t *frame;	/* of the context; NULL: not shown */
	ptrace_signal_t final;	/* that ended the process */
	ptrace_signal_t signal; /* of the fault */
	bool handled;		/* the context is from a handler's stack */
	ptrace_trap_t trap;
	enum crash_kind kind;
	uint64_t pc, sp;
	bool has_instruction;
	ptrace_instruction_t instruction;
	/* That faulted; NULL: unknown. Of a gather or scatter its index is
	 * that of the lane that faulted, when that could be told. */
	const ptrace_operand_t *operand;
	int lane;	       /* -1: none, or unknown */
	const char *direction; /* "read", "write", "execute"; NULL: unknown */
	bool has_address;
	bt_addr_t address;
	/* CRASH_PROTECTION: where a call, jump or return would have gone, when
	 * no processor can go there. */
	bool bad_target;
};

/* False: nothing crashed. */
bool crash_resolve(ptrace_backtrace_t *bt, struct crash *c);
/* The same of a thread that need not be the one that the signal ended. */
bool crash_resolve_thread(
    ptrace_backtrace_t *bt, ptrace_thread_t *thread, struct crash *c);

/* hlt of the C library's own: musl's checks end a process by it (a_crash()). */
bool crash_is_check(const struct crash *c);
/* Near 0 from above, or from below as container_of() of NULL is. */
bool crash_is_null(uint64_t value);
/* "SIGSEGV", "signal 40" */
const char *crash_signal_name(const struct crash *c, int32_t number);
/* "reading 4 bytes", "writing memory" */
const char *crash_access_text(const struct crash *c);
/* "rdi is 0x0" */
const char *crash_register_text(
    const struct crash *c, int32_t number, uint64_t value);
/* "lane 4 has the index 0x10000000", "rcx is 0x7"; NULL: there is no index. */
const char *crash_index_text(const struct crash *c);
bool crash_direction_is(const struct crash *c, const char *direction);
/* "lies in [heap] (rw-)", "lies in the stack of thread 12 (rw-)", "is not
 * mapped": for people. */
const char *crash_place_text(const struct crash *c, bt_addr_t address);

enum { REPORT_EVIDENCE_MAX = 12, REPORT_TOKENS_MAX = 6 };

struct report {
	ptrace_backtrace_t *bt;
	const char *class_name;
	double confidence;
	const char *text;
	ptrace_thread_t *thread;
	const ptrace_frame_t *frame;
	bool has_address;
	bt_addr_t address;
	const char *evidence[REPORT_EVIDENCE_MAX];
	uint32_t n_evidence;
	const char *tokens[REPORT_TOKENS_MAX];
	uint32_t n_tokens;
	bool background; /* not why the process died */
};

/* A report on the crash: its thread, frame and address. */
struct report report_of(const struct crash *c, const char *class_name,
    double confidence, const char *text);
void report_note(struct report *r, const char *evidence); /* NULL: nothing */
void report_token(struct report *r, const char *token);
/* Below a confidence of 0.5 it becomes an annotation, "possible ...", without
 * tokens: a guess must not look like a verdict. */
void report_publish(const struct report *r);

#endif /* MODULES_CRASH_H */
