/* SPDX-License-Identifier: MIT */
/*
 * Locks by what threads wait for, without any symbols: a waiting thread is in
 * the system call futex, whose address, operation and value tell mutex,
 * read-write lock and join apart, and glibc's mutex holds its owner's tid
 * (sysdeps/nptl/bits/struct_mutex.h: lock 0, count 4, owner 8, nusers 12,
 * kind 16; struct_rwlock.h: writer's tid at 24). Edges from waiters to owners
 * give cycles (deadlock), owners that are no thread (orphaned), and owners
 * that wait for something else while they hold a lock.
 *
 * Contention is no fault: an owner that runs will let go. Locks without an
 * owner word (semaphores, std::atomic spins, absl) are not judged.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/blame.h"
#include "common/crash.h"

enum {
	SYSCALL_FUTEX = 202, /* x86-64: asm/unistd_64.h */
	FUTEX_PRIVATE = 128,
	FUTEX_CLOCK_REALTIME = 256,
	FUTEX_WAIT = 0,
	FUTEX_LOCK_PI = 6,
	FUTEX_WAIT_BITSET = 9,
	FUTEX_LOCK_PI2 = 13,
	THREADS_MAX = 16384,
	CHAIN_MAX = 64
};
static const uint32_t futex_tid_mask = 0x3fffffff;

enum wait_kind {
	WAIT_NONE,
	WAIT_MUTEX,
	WAIT_PI_MUTEX,
	WAIT_RWLOCK,
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
	bool in_cycle;
	bool told; /* as the owner of a lock */
};

struct waits {
	ptrace_backtrace_t *bt;
	ptrace_target_t *target;
	double weight;	      /* of our findings: a crash has other reasons */
	struct waiter *items; /* sorted by tid */
	uint32_t count;
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

/* A mutex of glibc: contended (2), owned, of a known kind. Low-level locks of
 * libc (stdio's, malloc's) share the futex protocol but not the rest. */
static bool
is_mutex(struct waits *w, bt_addr_t lock, uint32_t *owner)
{
	struct {
		uint32_t lock, count, owner, users;
		int32_t kind;
	} m;

	if (!ptrace_target_read(w->target, lock, &m, sizeof(m), NULL))
		return false;
	*owner = m.owner;
	/* Type in bits 0-1, robust 16, inherit 32, protect 64, shared 128,
	 * elision 256 and 512. */
	return m.lock == 2 && (m.kind & ~0x3f3) == 0 && m.users < 0x10000 &&
	    m.users > 0 && m.owner != 0;
}

/* Readers and writers sleep on words at 8 and 12 of the lock. */
static bool
is_rwlock(struct waits *w, bt_addr_t word, bt_addr_t *lock, uint32_t *owner)
{

	for (unsigned offset = 8; offset <= 12; offset += 4) {
		uint32_t writer, readers;
		struct waiter *t;

		if (!read_u32(w, word - offset + 24, &writer) ||
		    !read_u32(w, word - offset, &readers) || writer == 0)
			continue;
		t = find_thread(w, writer);
		if (t == NULL || (readers & 3) == 0)
			continue;
		*lock = word - offset;
		*owner = writer;
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
	if (!read_u32(w, word, &now))
		return;
	if (op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2) {
		t->kind = WAIT_PI_MUTEX;
		t->owner = now & futex_tid_mask;
	} else if (expected == 2 && now == 2 && is_mutex(w, word, &t->owner)) {
		t->kind = WAIT_MUTEX;
	} else if (op == FUTEX_WAIT_BITSET && expected == now &&
	    expected != t->tid && find_thread(w, expected) != NULL) {
		/* The kernel clears the tid word of a thread that ends. */
		t->kind = WAIT_JOIN;
		t->owner = expected;
	} else if (is_rwlock(w, word, &t->lock, &t->owner)) {
		t->kind = WAIT_RWLOCK;
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
	    t->kind == WAIT_RWLOCK;
}

static const char *
edge_text(struct waits *w, const struct waiter *t)
{
	bt_addr_t start;
	const char *name = ptrace_target_symbol(w->target, t->lock, &start);
	ptrace_frame_t *f = blame_frame(t->thread, NULL);

	return pmodule_text(w->bt,
	    "thread %u%s%s waits for the %s at 0x%" PRIx64
	    "%s%s%s, held by thread %u",
	    t->tid, f != NULL && ptrace_frame_symbol(f)[0] ? " in " : "",
	    f != NULL ? ptrace_frame_symbol(f) : "", wait_text(t), t->lock,
	    name != NULL ? " (" : "", name != NULL ? name : "",
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

/* One entry of the snapshot's list of locks. All strings are ours. */
static void
add_data(struct waits *w, const struct waiter *t, const char *state)
{
	const char *json = pmodule_text(w->bt,
	    "{\"address\":\"0x%" PRIx64
	    "\",\"kind\":\"%s\",\"waiter\":%u,\"owner\":%u,\"state\":\"%s\"}",
	    t->lock, wait_text(t), t->tid, t->owner, state);

	if (json != NULL)
		pmodule_lock_add(w->bt, json);
}

/* Does the thread's own block hold its number as we know it (glibc and musl
 * keep it in struct pthread)? Seen from another pid namespace the numbers
 * differ from those in memory, and then every owner looks dead. */
static bool
knows_itself(struct waits *w, const struct waiter *t)
{
	uint32_t words[256];
	uint64_t block;
	size_t n;

	if (!ptrace_thread_register(
		t->thread, PTRACE_REGISTER_THREAD_POINTER, &block))
		return false;
	n = ptrace_target_read_some(w->target, block, words, sizeof(words)) /
	    sizeof(words[0]);
	for (size_t i = 0; i < n; i++)
		if (words[i] == t->tid)
			return true;
	return false;
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
	report_token(&r, length == 1 ? "lock.self" : "lock.deadlock");
	report_publish(&r);
}

/* Marks and reports the cycle that the chain from t runs into, once. */
static void
find_cycle(struct waits *w, struct waiter *t)
{
	struct waiter *slow = t, *fast = t, *first;

	do {
		if (fast == NULL || fast->next == NULL)
			return;
		slow = slow->next;
		fast = fast->next->next;
	} while (slow != fast && fast != NULL);
	if (fast == NULL || slow->in_cycle)
		return;
	first = slow;
	do {
		slow->in_cycle = true;
		slow = slow->next;
		if (slow->tid < first->tid)
			first = slow;
	} while (!slow->in_cycle);
	judge_cycle(w, first);
}

static void
judge_orphan(struct waits *w, struct waiter *t)
{
	struct report r = lock_report(w, t, "orphaned-lock", 0.93,
	    pmodule_text(w->bt,
		"thread %u waits for a %s whose owner, thread %u, has ended",
		t->tid, wait_text(t), t->owner));

	report_note(&r, edge_text(w, t));
	report_token(&r, "lock.orphan");
	report_publish(&r);
}

/* The owner sleeps as well, but not for a lock. */
static void
judge_holder(struct waits *w, struct waiter *t)
{
	struct waiter *owner = t->next;
	ptrace_syscall_t call = PTRACE_SYSCALL_INIT;
	struct report r;

	if (owner->kind != WAIT_EVENT && owner->kind != WAIT_JOIN) {
		if (owner->kind == WAIT_NONE &&
		    !ptrace_thread_syscall(owner->thread, &call))
			pmodule_backtrace_annotate(w->bt, PAT_COMMENT,
			    "lock contention: %s, which is running",
			    edge_text(w, t));
		return;
	}
	if (owner->told)
		return;
	owner->told = true;
	r = lock_report(w, t, "lock-held-while-waiting", 0.7,
	    pmodule_text(w->bt,
		"thread %u waits for a %s that thread %u holds while it waits "
		"for something else",
		t->tid, wait_text(t), owner->tid));
	report_note(&r, edge_text(w, t));
	report_token(&r, "lock.held-waiting");
	report_publish(&r);
}

static void
judge_all(struct waits *w)
{

	for (uint32_t i = 0; i < w->count; i++)
		if (is_lock(&w->items[i]) || w->items[i].kind == WAIT_JOIN)
			find_cycle(w, &w->items[i]);
	for (uint32_t i = 0; i < w->count; i++) {
		struct waiter *t = &w->items[i];

		if (is_lock(t) == false)
			continue;
		add_data(w, t,
		    t->in_cycle		  ? "deadlock"
			: t->owner == 0	  ? "unknown"
			: t->next == NULL ? "orphaned"
					  : "waiting");
		if (t->in_cycle || t->owner == 0)
			continue;
		if (t->next == NULL && knows_itself(w, t))
			judge_orphan(w, t);
		else if (t->next == NULL)
			continue;
		else if (t->next->in_cycle == false)
			judge_holder(w, t);
	}
}

static void
analyse(ptrace_backtrace_t *bt)
{
	struct waits w = {.bt = bt, .target = ptrace_backtrace_target(bt)};
	uint32_t n = ptrace_backtrace_n_threads(bt);
	struct crash c;

	/* A process that was killed or that gave up may have hung; one that
	 * crashed did not crash because of other threads' locks. */
	w.weight = crash_resolve(bt, &c) && c.kind != CRASH_SENT ? 0.6 : 1;

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

		if (ptrace_thread_syscall(t->thread, &call) &&
		    call.number == SYSCALL_FUTEX)
			classify_futex(&w, t, &call);
		t->next = t->owner != 0 ? find_thread(&w, t->owner) : NULL;
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
