/* SPDX-License-Identifier: MIT */
/*
 * Locks by what threads wait for, without any symbols: a waiting thread is in
 * the system call futex, whose address, operation and value tell mutex,
 * read-write lock and join apart, and glibc's mutex holds its owner's tid
 * (sysdeps/nptl/bits/struct_mutex.h: lock 0, count 4, owner 8, nusers 12,
 * kind 16; struct_rwlock.h: writer's tid at 24). Edges from waiters to owners
 * give cycles (deadlock), owners that are no thread (orphaned), and owners
 * that wait for something else while they hold a lock. The lock of a stream
 * (FILE) has the same protocol, but its owner is the address of a thread's
 * block (sysdeps/nptl/stdio-lock.h: lock 0, count 4, owner 8).
 *
 * Contention is no fault: an owner that runs, or that reads a file, will let
 * go. Locks without an owner word (semaphores, std::atomic spins, absl, Rust's
 * and GLib's mutexes, the heap's) are not judged, and a read-write lock does
 * not know its readers. But where there is one thread alone, nobody is left who
 * could release what it waits for; and a signal handler that waits for the heap
 * waits for what it interrupted, when that was at work in the heap.
 *
 * The snapshot's list of locks has every wait for a lock whose owner is known:
 * address, symbol, kind, waiter, owner, the chain of owners that begins with
 * the waiter, and how it ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/blame.h"
#include "common/crash.h"
#include "common/quote.h"

enum {
	SYSCALL_FUTEX = 202, /* x86-64: asm/unistd_64.h */
	FUTEX_PRIVATE = 128,
	FUTEX_CLOCK_REALTIME = 256,
	FUTEX_WAIT = 0,
	FUTEX_LOCK_PI = 6,
	FUTEX_WAIT_BITSET = 9,
	FUTEX_LOCK_PI2 = 13,
	THREADS_MAX = 16384,
	CHAIN_MAX = 64,
	ROBUST = 16,	     /* in a mutex's kind */
	HEAP_FRAMES = 6,     /* from a call into the heap to what it does */
	HANDLER_FRAMES = 64, /* of a signal handler */
	LISTED_MAX = 1 << 17,
	WALKS_MAX = 64,
	PID_LIMIT = 4194304, /* PID_MAX_LIMIT of Linux: no tid is above it */
	PTHREAD_BYTES = 4096 /* more than struct pthread of any glibc */
};
static const uint32_t futex_tid_mask = 0x3fffffff;
static const uint32_t futex_waiters = 0x80000000;

enum wait_kind {
	WAIT_NONE,
	WAIT_MUTEX,
	WAIT_PI_MUTEX,
	WAIT_RWLOCK,
	WAIT_STREAM,
	WAIT_JOIN,
	WAIT_EVENT /* a condition variable, a semaphore: nobody owns it */
};

struct waiter {
	ptrace_thread_t *thread;
	uint32_t tid;
	enum wait_kind kind;
	bt_addr_t lock;
	uint32_t owner;	     /* 0: unknown */
	struct waiter *next; /* the owner's entry; NULL: no such thread */
	bool in_call;	     /* a system call, whichever */
	bool in_futex;	     /* this one */
	bool unowned;	     /* waits for a lock that names no owner */
	bool shared;	     /* the lock is one of several processes */
	uint32_t walk;	     /* that passed it */
	bool in_cycle;
	struct waiter *cycle; /* it is part of, or waits behind, by one member*/
	uint32_t behind;      /* threads that wait behind its cycle */
	bool told;	      /* as the owner of a lock */
	bool ended;	      /* its owner has */
};

struct waits {
	ptrace_backtrace_t *bt;
	ptrace_target_t *target;
	double weight;	      /* of our findings: a crash has other reasons */
	bool moves;	      /* nothing went wrong, and a thread runs */
	struct waiter *items; /* sorted by tid */
	uint32_t count;
	/* The block that was last looked for, and whose it is. */
	uint64_t block;
	uint32_t block_tid;
};

static bool
read_u32(struct waits *w, bt_addr_t at, uint32_t *out)
{

	return ptrace_target_read(w->target, at, out, sizeof(*out), NULL);
}

static int
by_tid(const void *a, const void *b)
{
	const struct waiter *x = a, *y = b;

	return (x->tid > y->tid) - (x->tid < y->tid);
}

static struct waiter *
find_thread(struct waits *w, uint32_t tid)
{
	struct waiter key = {.tid = tid};

	return bsearch(&key, w->items, w->count, sizeof(key), by_tid);
}

/* A mutex of glibc: contended (2; a robust one: the owner's tid and a bit),
 * owned, of a known kind. Low-level locks of libc (stdio's, malloc's) share the
 * futex protocol but not the rest. */
static bool
is_mutex(struct waits *w, bt_addr_t lock, uint32_t expected, uint32_t *owner)
{
	struct {
		uint32_t lock, count, owner, users;
		int32_t kind;
	} m;
	bool robust;

	if (!ptrace_target_read(w->target, lock, &m, sizeof(m), NULL))
		return false;
	*owner = m.owner;
	/* Type in bits 0-1, robust 16, inherit 32, protect 64, shared 128,
	 * elision 256 and 512. */
	robust = (m.kind & ROBUST) != 0 && (m.lock & futex_waiters) != 0 &&
	    (m.lock & futex_tid_mask) == m.owner;
	return m.lock == expected && (m.lock == 2 || robust) &&
	    (m.kind & ~0x3f3) == 0 && m.users < 0x10000 && m.users > 0 &&
	    m.owner != 0 && m.owner <= PID_LIMIT;
}

/* 0: no thread of ours has its block there. */
static uint32_t
tid_of_block(struct waits *w, uint64_t wanted)
{
	uint64_t block;

	/* Many threads may wait for one stream. */
	if (wanted == w->block)
		return w->block_tid;
	w->block = wanted;
	w->block_tid = 0;
	for (uint32_t i = 0; i < w->count && w->block_tid == 0; i++)
		if (ptrace_thread_register(w->items[i].thread,
			PTRACE_REGISTER_THREAD_POINTER, &block) &&
		    block == wanted)
			w->block_tid = w->items[i].tid;
	return w->block_tid;
}

/* The lock of a stream that a thread of ours has. Its owner's address would
 * pass for an owner and a number of users. */
static bool
is_stream(struct waits *w, bt_addr_t lock, uint32_t expected, uint32_t *owner)
{
	struct {
		uint32_t lock, count;
		uint64_t owner;
	} l;

	if (!ptrace_target_read(w->target, lock, &l, sizeof(l), NULL) ||
	    l.lock != expected || l.lock != 2 || l.count == 0 || l.owner == 0)
		return false;
	*owner = tid_of_block(w, l.owner);
	return *owner != 0;
}

/* A read-write lock of glibc that a writer has. Waiters sleep on its words at 8
 * and 12. When the writer has ended only the shape tells: both phase bits, no
 * padding, a known kind. */
static bool
is_rwlock(struct waits *w, bt_addr_t word, bt_addr_t *lock, uint32_t *owner)
{

	for (unsigned offset = 8; offset <= 12; offset += 4) {
		struct {
			uint32_t readers, writers, phase, writer_futex;
			uint32_t padding[2];
			uint32_t writer, shared;
			uint8_t elision[8];
			uint64_t more;
			uint32_t kind;
		} l;

		if (!ptrace_target_read(
			w->target, word - offset, &l, sizeof(l), NULL) ||
		    l.writer == 0 || (l.readers & 3) == 0)
			continue;
		if (find_thread(w, l.writer) == NULL &&
		    ((l.readers & 3) != 3 || l.padding[0] != 0 ||
			l.padding[1] != 0 || l.shared > 1 || l.more != 0 ||
			l.kind > 3 || l.writer > futex_tid_mask))
			continue;
		*lock = word - offset;
		*owner = l.writer;
		return true;
	}
	return false;
}

/* The word lies in the struct pthread of the thread: its tid, which the kernel
 * clears when the thread ends. */
static bool
is_end_of(struct waits *w, bt_addr_t word, uint32_t tid)
{
	struct waiter *t = find_thread(w, tid);
	uint64_t block;

	return t != NULL &&
	    ptrace_thread_register(
		t->thread, PTRACE_REGISTER_THREAD_POINTER, &block) &&
	    word - block < PTHREAD_BYTES;
}

/* Its result is there: it is on its way out, and what it waited for has come (a
 * mutex that inherits priority is its own by then). One that was interrupted
 * will be restarted; -ENOSYS is what stands there until there is a result
 * (arch/x86/entry). */
static bool
has_result(const struct waiter *t)
{
	enum { RESULT, NONE = -38, RESTART_FIRST = -516, RESTART_LAST = -512 };
	uint64_t value;
	int64_t result;

	if (!ptrace_thread_register(t->thread, RESULT, &value))
		return false;
	result = (int64_t)value;
	return result != NONE &&
	    (result < RESTART_FIRST || result > RESTART_LAST);
}

/* Locked, and somebody waits: 2 is what Linux programs have agreed upon (glibc,
 * GLib, Rust; Drepper, "Futexes are tricky"), and of musl's mutexes EBUSY with
 * the highest bit. Values of events are counts, of other sizes most of the
 * time. */
static bool
is_contended(uint32_t value)
{
	const uint32_t musl = 0x80000010;

	return value == 2 || value == musl;
}

/* pthread_once, that waits for an initialisation to end. */
static bool
is_once(const struct waiter *t, uint32_t value)
{
	enum { STATE = 3, IN_PROGRESS = 1, FRAMES = 4 };
	uint32_t n = ptrace_thread_n_frames(t->thread);

	if ((value & STATE) != IN_PROGRESS)
		return false;
	for (uint32_t i = 0; i < n && i < FRAMES; i++) {
		const ptrace_frame_t *f = ptrace_thread_frame(t->thread, i);

		if (f != NULL &&
		    strstr(ptrace_frame_symbol(f), "pthread_once") != NULL)
			return true;
	}
	return false;
}

static void
classify_futex(struct waits *w, struct waiter *t, const ptrace_syscall_t *call)
{
	bt_addr_t word = call->arguments[0];
	uint32_t op = (uint32_t)call->arguments[1] &
	    ~(uint32_t)(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME);
	uint32_t expected = (uint32_t)call->arguments[2], now;

	/* Condition variables and semaphores wait by bit sets; the plain waits
	 * that are no mutex are short ones inside of them. Wakes wait not. */
	if (op != FUTEX_WAIT && op != FUTEX_WAIT_BITSET &&
	    op != FUTEX_LOCK_PI && op != FUTEX_LOCK_PI2)
		return;
	/* A wait with a time limit ends by itself. */
	if (call->arguments[3] != 0)
		return;
	if (op == FUTEX_WAIT_BITSET)
		t->kind = WAIT_EVENT;
	t->lock = word;
	t->shared = ((uint32_t)call->arguments[1] & FUTEX_PRIVATE) == 0;
	if (!read_u32(w, word, &now))
		return;
	if (op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2) {
		t->kind = WAIT_PI_MUTEX;
		t->owner = now & futex_tid_mask;
	} else if (op == FUTEX_WAIT && expected == now &&
	    is_mutex(w, word, expected, &t->owner)) {
		t->kind = WAIT_MUTEX;
	} else if (op == FUTEX_WAIT && expected == now &&
	    is_stream(w, word, expected, &t->owner)) {
		t->kind = WAIT_STREAM;
	} else if (op == FUTEX_WAIT_BITSET && expected == now &&
	    expected != t->tid && is_end_of(w, word, expected)) {
		t->kind = WAIT_JOIN;
		t->owner = expected;
	} else if (op == FUTEX_WAIT_BITSET && expected == now &&
	    is_rwlock(w, word, &t->lock, &t->owner)) {
		t->kind = WAIT_RWLOCK;
	} else {
		t->unowned = expected == now && t->shared == false &&
		    (is_contended(now) || is_once(t, now));
	}
}

static const char *
wait_text(const struct waiter *t)
{

	switch (t->kind) {
	case WAIT_MUTEX:
	case WAIT_PI_MUTEX:
		return "mutex";
	case WAIT_RWLOCK:
		return "read-write lock";
	case WAIT_STREAM:
		return "stream's lock";
	case WAIT_JOIN:
		return "end of thread";
	default:
		return "event";
	}
}

static bool
is_lock(const struct waiter *t)
{

	return t->kind == WAIT_MUTEX || t->kind == WAIT_PI_MUTEX ||
	    t->kind == WAIT_RWLOCK || t->kind == WAIT_STREAM;
}

/* "first", "table+16": of a lock that is a variable of a module. */
static const char *
lock_name(struct waits *w, const struct waiter *t)
{

	return pmodule_address_symbol(w->bt, t->lock);
}

static const char *
function_text(struct waits *w, const struct waiter *t)
{
	ptrace_frame_t *f = blame_frame(t->thread, NULL);

	if (f == NULL || ptrace_frame_symbol(f)[0] == '\0')
		return "";
	return pmodule_text(w->bt, " in %s", ptrace_frame_symbol(f));
}

static const char *
edge_text(struct waits *w, const struct waiter *t)
{
	const char *name = lock_name(w, t);

	if (t->kind == WAIT_JOIN)
		return pmodule_text(w->bt,
		    "thread %u%s waits for the end of thread %u", t->tid,
		    function_text(w, t), t->owner);
	return pmodule_text(w->bt,
	    "thread %u%s waits for the %s %s%s0x%" PRIx64
	    "%s, held by thread %u",
	    t->tid, function_text(w, t), wait_text(t),
	    name != NULL ? name : "at ", name != NULL ? " (" : "", t->lock,
	    name != NULL ? ")" : "", t->owner);
}

static struct report
lock_report(struct waits *w, const struct waiter *t, const char *class_name,
    double confidence, const char *text)
{

	return (struct report){
	    .bt = w->bt,
	    .class_name = class_name,
	    .confidence = confidence * w->weight,
	    .text = text,
	    .thread = t->thread,
	    .frame = blame_frame(t->thread, NULL),
	    .has_address = true,
	    .address = t->lock,
	};
}

/* How the chain of owners ends that `last` is the last thread of. */
static const char *
end_text(const struct waiter *last)
{

	if (last->in_cycle)
		return "deadlock";
	if (last->owner != 0)
		return last->ended ? "orphaned" : "not shown";
	if (is_lock(last))
		return "unknown";
	return last->kind == WAIT_EVENT ? "event"
	    : last->in_call		? "system call"
					: "running";
}

/* One entry of the snapshot's list of locks. The chain goes on to the owner
 * that is no thread, or once round its cycle. */
static void
add_data(struct waits *w, const struct waiter *t)
{
	const struct waiter *last = t, *turn = NULL;
	const char *name = lock_name(w, t);
	const char *chain = pmodule_text(w->bt, "%u", t->tid);

	for (uint32_t n = 0; last->next != NULL && n < CHAIN_MAX; n++) {
		if (turn == NULL && last->in_cycle)
			turn = last;
		last = last->next;
		chain = pmodule_text(w->bt, "%s,%u", chain, last->tid);
		if (last == turn)
			break;
	}
	if (last->next == NULL && last->owner != 0)
		chain = pmodule_text(w->bt, "%s,%u", chain, last->owner);
	pmodule_lock_add(w->bt,
	    pmodule_text(w->bt,
		"{\"address\":\"0x%" PRIx64
		"\",\"symbol\":%s,\"kind\":\"%s\",\"waiter\":%u,\"owner\":%u,"
		"\"chain\":[%s],\"end\":\"%s\"}",
		t->lock, name != NULL ? quote_json(w->bt, name) : "null",
		wait_text(t), t->tid, t->owner, chain, end_text(last)));
}

/* Where a thread's own block keeps its number, as we know it (glibc and musl
 * have it in struct pthread). 0: it does not: seen from another pid namespace
 * the numbers differ from those in memory, and every owner looks dead. */
static uint32_t
tid_offset(struct waits *w, const struct waiter *t, bt_addr_t *block)
{
	uint32_t words[256];
	size_t n;

	if (!ptrace_thread_register(
		t->thread, PTRACE_REGISTER_THREAD_POINTER, block))
		return 0;
	n = ptrace_target_read_some(w->target, *block, words, sizeof(words)) /
	    sizeof(words[0]);
	for (size_t i = 0; i < n; i++)
		if (words[i] == t->tid)
			return (uint32_t)(i * sizeof(words[0]));
	return 0;
}

/* Goes round the list of threads that a block is in: glibc's struct pthread has
 * its links right before the tid (nptl/descr.h, since 2.3). The kernel clears
 * the tid of a thread that ends, so one that is still there is alive. */
static bool
is_listed(struct waits *w, bt_addr_t links, uint32_t tid)
{
	struct {
		bt_addr_t next, previous;
		uint32_t tid;
	} node;
	bt_addr_t at = links;

	for (uint32_t i = 0; i < LISTED_MAX; i++) {
		if (!ptrace_target_read(
			w->target, at, &node, sizeof(node), NULL))
			return false;
		if (node.tid == tid)
			return true;
		at = node.next;
		if (at == links)
			return false;
	}
	return false;
}

/* An owner that is none of the threads we have may be one that is not shown
 * (--thread), or that the core lacks: gdb drops threads that move while it
 * looks. Threads are on two lists, those with stacks of their own making are
 * with the main thread. */
static bool
has_ended(struct waits *w, const struct waiter *t)
{
	const struct waiter *main_thread = find_thread(
	    w, (uint32_t)ptrace_target_pid(w->target));
	const struct waiter *known[] = {t, main_thread};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		bt_addr_t block;
		uint32_t offset =
		    known[i] != NULL ? tid_offset(w, known[i], &block) : 0;
		const uint32_t links = 2 * sizeof(bt_addr_t);

		if (known[i] == t && offset == 0)
			return false;
		if (offset >= links &&
		    is_listed(w, block + offset - links, t->owner))
			return false;
	}
	return true;
}

/* ---- judgements ---- */

static void
judge_cycle(struct waits *w, struct waiter *first)
{
	const struct waiter *t = first;
	const char *chain = pmodule_text(w->bt, "thread %u", first->tid);
	uint32_t length = 0;
	struct report r;

	do {
		length++;
		t = t->next;
		if (length <= CHAIN_MAX)
			chain = pmodule_text(
			    w->bt, "%s -> thread %u", chain, t->tid);
	} while (t != first);
	if (length == 1)
		r = lock_report(w, first, "self-deadlock", 0.95,
		    pmodule_text(w->bt,
			"thread %u waits for a %s that it holds itself",
			first->tid, wait_text(first)));
	else
		r = lock_report(w, first, "deadlock", 0.95,
		    pmodule_text(w->bt,
			"deadlock of %u threads, each waits for the next: %s",
			length, chain));
	do {
		report_note(&r, edge_text(w, t));
		t = t->next;
	} while (t != first);
	if (first->behind > 0)
		report_note(&r,
		    pmodule_text(w->bt, "%u more thread%s behind %s",
			first->behind, first->behind == 1 ? " waits" : "s wait",
			length == 1 ? "it" : "them"));
	report_token(&r, length == 1 ? "lock.self" : "lock.deadlock");
	report_publish(&r);
}

/* The cycle that t is part of: its members, and the one it goes by. */
static void
close_cycle(struct waiter *t)
{
	struct waiter *first = t, *at = t;

	do {
		at = at->next;
		at->in_cycle = true;
		if (at->tid < first->tid)
			first = at;
	} while (at != t);
	do {
		at = at->next;
		at->cycle = first;
	} while (at != t);
}

/* Each thread waits for one other at most, so every walk ends nowhere, in a
 * cycle, or where an earlier walk has been: each thread is passed once. */
static void
find_cycles(struct waits *w)
{
	for (uint32_t i = 0; i < w->count; i++) {
		struct waiter *start = &w->items[i], *t = start;

		for (; t != NULL && t->walk == 0; t = t->next)
			t->walk = i + 1;
		if (t != NULL && t->walk == i + 1 && t->in_cycle == false)
			close_cycle(t);
		if (t == NULL || t->cycle == NULL)
			continue;
		for (struct waiter *at = start; at->cycle == NULL;
		     at = at->next) {
			at->cycle = t->cycle;
			t->cycle->behind++;
		}
	}
}

static void
judge_orphan(struct waits *w, struct waiter *t)
{
	struct report r;

	if (t->ended == false) {
		pmodule_backtrace_annotate(w->bt, PAT_COMMENT,
		    "lock contention: %s, which is not among the threads "
		    "here%s",
		    edge_text(w, t),
		    t->shared ? " (other processes may have the lock as well)"
			      : "");
		return;
	}
	r = lock_report(w, t, "orphaned-lock", 0.93,
	    pmodule_text(w->bt,
		"thread %u waits for a %s whose owner, thread %u, has ended",
		t->tid, wait_text(t), t->owner));

	report_note(&r, edge_text(w, t));
	report_token(&r, "lock.orphan");
	report_publish(&r);
}

/* The owner sleeps as well, but not for a lock. Who waits for an event with a
 * lock in hand (a collection of garbage, an answer) may just be waiting for one
 * of those that run. */
static void
judge_holder(struct waits *w, struct waiter *t)
{
	struct waiter *owner = t->next;
	struct report r;

	if (owner->told || is_lock(owner))
		return;
	if (owner->kind == WAIT_NONE ||
	    (owner->kind == WAIT_EVENT && w->moves)) {
		owner->told = true;
		pmodule_backtrace_annotate(w->bt, PAT_COMMENT,
		    "lock contention: %s, which is %s", edge_text(w, t),
		    owner->kind == WAIT_EVENT ? "waiting for something else"
			: owner->in_call      ? "in a system call"
					      : "running");
		return;
	}
	owner->told = true;
	r = lock_report(w, t, "lock-held-while-waiting", 0.7,
	    pmodule_text(w->bt,
		"thread %u waits for a %s that thread %u holds while it waits "
		"for something else",
		t->tid, wait_text(t), owner->tid));
	report_note(&r, edge_text(w, t));
	report_note(&r,
	    owner->kind == WAIT_JOIN
		? edge_text(w, owner)
		: pmodule_text(w->bt,
		      "thread %u%s waits for a condition or a semaphore "
		      "(0x%" PRIx64 ")",
		      owner->tid, function_text(w, owner), owner->lock));
	report_token(&r, "lock.held-waiting");
	report_publish(&r);
}

/* ---- locks that name no owner ---- */

/* glibc's heap, from what a program calls to what does the work. Names of
 * libc's are with and without prefixes, as symbols are there or not. */
static bool
is_heap_function(const ptrace_frame_t *f)
{
	static const char *const prefixes[] = {"__GI_", "__libc_"};
	static const char *const names[] = {"malloc", "free", "calloc",
	    "realloc", "cfree", "memalign", "posix_memalign", "aligned_alloc",
	    "_int_malloc", "_int_free", "_int_realloc", "_int_memalign",
	    "sysmalloc", "malloc_consolidate", "unlink_chunk"};
	const char *symbol = f != NULL ? ptrace_frame_symbol(f) : "";

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (strncmp(symbol, prefixes[i], strlen(prefixes[i])) == 0)
			symbol += strlen(prefixes[i]);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t n = strlen(names[i]);

		/* The compiler makes "_int_free.part.0" of some. */
		if (strncmp(symbol, names[i], n) == 0 &&
		    (symbol[n] == '\0' || symbol[n] == '.'))
			return true;
	}
	return false;
}

/* One of some frames, from the first one on. */
static ptrace_frame_t *
heap_frame(ptrace_thread_t *thread, uint32_t first, uint32_t end)
{
	uint32_t n = ptrace_thread_n_frames(thread);

	for (uint32_t i = first; i < n && i < end; i++) {
		ptrace_frame_t *f = ptrace_thread_frame(thread, i);

		if (is_heap_function(f))
			return f;
	}
	return NULL;
}

/* Another thread that does something in the heap may be who has the lock. */
static bool
is_heap_idle(struct waits *w, const struct waiter *but)
{
	for (uint32_t i = 0; i < w->count; i++)
		if (&w->items[i] != but && w->items[i].in_futex == false &&
		    heap_frame(w->items[i].thread, 0, HEAP_FRAMES) != NULL)
			return false;
	return true;
}

static uint32_t
signal_frame(ptrace_thread_t *thread)
{
	uint32_t n = ptrace_thread_n_frames(thread);

	for (uint32_t i = 0; i < n && i < HANDLER_FRAMES; i++) {
		ptrace_frame_t *f = ptrace_thread_frame(thread, i);

		if (f != NULL && ptrace_frame_signal(f))
			return i;
	}
	return 0;
}

/* The handler of a signal needs the heap, and the signal came in the heap. */
static bool
judge_handler(struct waits *w, struct waiter *t)
{
	uint32_t at = signal_frame(t->thread);
	ptrace_frame_t *f;
	struct report r;

	if (at == 0 || heap_frame(t->thread, 0, at) == NULL)
		return false;
	f = heap_frame(t->thread, at + 1, at + 1 + HEAP_FRAMES);
	if (f == NULL || is_heap_idle(w, t) == false)
		return false;
	r = lock_report(w, t, "self-deadlock", 0.9,
	    pmodule_text(w->bt,
		"thread %u waits for the heap's lock in a signal handler%s, "
		"and holds it: the signal came in %s",
		t->tid, function_text(w, t), ptrace_frame_symbol(f)));
	report_note(
	    &r, pmodule_text(w->bt, "the lock is at 0x%" PRIx64, t->lock));
	report_note(&r,
	    "no other thread is at work in the heap; a signal handler must "
	    "not use it");
	report_token(&r, "lock.self");
	report_publish(&r);
	return true;
}

/* Not all threads of the process need be here (--thread); glibc counts them. */
static bool
is_alone(struct waits *w, const struct waiter *t)
{
	bt_addr_t counter;
	uint32_t count;

	return w->count == 1 &&
	    t->tid == (uint32_t)ptrace_target_pid(w->target) &&
	    (!ptrace_target_symbol_named(
		 w->target, NULL, "__nptl_nthreads", &counter, NULL) ||
		!read_u32(w, counter, &count) || count == 1);
}

static void
judge_alone(struct waits *w, struct waiter *t)
{
	struct report r = lock_report(w, t, "self-deadlock", 0.8,
	    pmodule_text(w->bt,
		"thread %u%s waits for a lock, and no other thread is there "
		"that could release it",
		t->tid, function_text(w, t)));

	report_note(&r,
	    pmodule_text(w->bt,
		"the lock at 0x%" PRIx64 " names no owner: the thread holds "
		"it itself, or who held it has ended",
		t->lock));
	report_token(&r, "lock.self");
	report_publish(&r);
}

static void
judge_unowned(struct waits *w)
{
	for (uint32_t i = 0; i < w->count; i++) {
		struct waiter *t = &w->items[i];

		if (t->unowned && judge_handler(w, t) == false &&
		    is_alone(w, t))
			judge_alone(w, t);
	}
}

/* Threads of other processes, that a shared lock may be of, are on no list.
 * Many threads may wait for one owner; lists are walked for a few of them. */
static void
find_ended(struct waits *w)
{
	const struct waiter *last = NULL;
	uint32_t walks = 0;

	for (uint32_t i = 0; i < w->count; i++) {
		struct waiter *t = &w->items[i];

		if (is_lock(t) == false || t->owner == 0 || t->next != NULL ||
		    t->shared)
			continue;
		if (last != NULL && last->owner == t->owner)
			t->ended = last->ended;
		else if (walks++ < WALKS_MAX)
			t->ended = has_ended(w, t);
		last = t;
	}
}

static void
judge_all(struct waits *w)
{

	find_cycles(w);
	find_ended(w);
	for (uint32_t i = 0; i < w->count; i++)
		if (w->items[i].in_cycle && w->items[i].cycle == &w->items[i])
			judge_cycle(w, &w->items[i]);
	for (uint32_t i = 0; i < w->count; i++) {
		struct waiter *t = &w->items[i];

		if (is_lock(t) == false)
			continue;
		if (t->owner == 0)
			continue;
		add_data(w, t);
		if (t->in_cycle)
			continue;
		if (t->next == NULL)
			judge_orphan(w, t);
		else if (t->next->in_cycle == false)
			judge_holder(w, t);
	}
	judge_unowned(w);
}

/* It runs, or did when the others were not yet stopped. */
static bool
is_awake(const struct waiter *t)
{

	return t->in_call == false ||
	    strcmp(ptrace_thread_state(t->thread), "running") == 0;
}

static void
analyse(ptrace_backtrace_t *bt)
{
	struct waits w = {.bt = bt, .target = ptrace_backtrace_target(bt)};
	uint32_t n = ptrace_backtrace_n_threads(bt);
	struct crash c;
	bool healthy = crash_resolve(bt, &c) == false;

	/* A process that was killed or that gave up may have hung; one that
	 * crashed did not crash because of other threads' locks. */
	w.weight = healthy || c.kind == CRASH_SENT ? 1 : 0.6;

	/* A stack of threads past this is a server that waits for work; a
	 * deadlock of it shows among the first ones as well. */
	if (n > THREADS_MAX)
		n = THREADS_MAX;
	w.items = calloc(n > 0 ? n : 1, sizeof(*w.items));
	if (w.items == NULL)
		return;
	for (uint32_t i = 0; i < n; i++) {
		w.items[i].thread = ptrace_backtrace_thread(bt, i);
		w.items[i].tid = ptrace_thread_tid(w.items[i].thread);
	}
	w.count = n;
	qsort(w.items, n, sizeof(*w.items), by_tid);
	for (uint32_t i = 0; i < n; i++) {
		ptrace_syscall_t call = PTRACE_SYSCALL_INIT;
		struct waiter *t = &w.items[i];

		t->in_call = ptrace_thread_syscall(t->thread, &call);
		t->in_futex = t->in_call && call.number == SYSCALL_FUTEX;
		if (t->in_futex && has_result(t))
			t->in_call = t->in_futex = false;
		if (t->in_futex)
			classify_futex(&w, t, &call);
		t->next = t->owner != 0 ? find_thread(&w, t->owner) : NULL;
		w.moves |= healthy && is_awake(t);
	}
	judge_all(&w);
	free(w.items);
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("locks", load, NULL, NULL)
