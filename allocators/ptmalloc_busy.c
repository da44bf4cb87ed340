/* SPDX-License-Identifier: MIT */
/*
 * A heap that was caught in the middle of an operation looks damaged and is
 * not. It was, when an arena's lock is held, or when a thread is inside the
 * allocator: a process with one thread takes no locks, and caches have none.
 * Of the thread that died of what it met there, the opposite is true.
 */
#include <signal.h>

#include "allocators/ptmalloc.h"

enum {
	FRAMES_MAX = 256, /* of a thread, the innermost */
	FUNCTIONS = 12,
	RANGES_MAX = 64,
	CODE_MAX = 8192, /* bytes of a function that are read for its calls */
	FUTEX = 202	 /* the system call: it waits, and changes nothing */
};

static const char *const names[FUNCTIONS] = {"malloc", "free", "calloc",
    "realloc", "memalign", "aligned_alloc", "posix_memalign", "valloc",
    "pvalloc", "malloc_trim", "mallopt", "__libc_memalign"};

/* Names that frames have where symbols are at hand: parts of functions that
 * were moved elsewhere, and what no exported function calls. */
static const char *const internal[] = {"_int_malloc", "_int_free",
    "_int_realloc", "_int_memalign", "malloc_consolidate", "sysmalloc",
    "tcache_thread_shutdown", "__malloc_arena_thread_freeres", "tcache_init",
    "malloc.cold", "free.cold", "calloc.cold", "realloc.cold"};

struct functions {
	bt_addr_t start[RANGES_MAX], end[RANGES_MAX];
	unsigned n;
};

static void
add_range(struct functions *f, bt_addr_t start, bt_addr_t end)
{

	for (unsigned i = 0; i < f->n; i++)
		if (f->start[i] == start)
			return;
	if (f->n == RANGES_MAX || end <= start)
		return;
	f->start[f->n] = start;
	f->end[f->n++] = end;
}

/* Most of the allocator has no exported name, and who is called by a jump (as
 * aligned_alloc calls) leaves no frame of the caller. So what the exported
 * functions call and jump to in the library belongs to them: it is theirs
 * alone, but for waiting for a lock. */
static void
add_called(struct ptmalloc *p, struct functions *f, unsigned of)
{
	bt_addr_t at = f->start[of], end = f->end[of], start, stop;

	if (end - at > CODE_MAX)
		end = at + CODE_MAX;
	while (at < end) {
		ptrace_instruction_t in = PTRACE_INSTRUCTION_INIT;

		if (!ptrace_target_instruction(p->host->target, at, &in) ||
		    in.length == 0)
			return;
		at += in.length;
		if ((in.flow != PTRACE_FLOW_CALL &&
			in.flow != PTRACE_FLOW_JUMP) ||
		    in.target_known == false ||
		    (in.target >= f->start[of] && in.target < f->end[of]) ||
		    in.target < p->module.start || in.target >= p->module.end)
			continue;
		/* Through the linkage table: memset, which everybody uses. */
		in.flow = PTRACE_FLOW_CALL;
		if (ptrace_target_call_name(p->host->target, &in) == NULL &&
		    ptrace_target_function(
			p->host->target, in.target, &start, &stop) &&
		    start == in.target)
			add_range(f, start, stop);
	}
}

static void
find_functions(struct ptmalloc *p, struct functions *f)
{
	unsigned named;

	f->n = 0;
	for (unsigned i = 0; i < FUNCTIONS; i++) {
		bt_addr_t start, end = 0;
		uint64_t size = 0;

		if (!ptrace_target_symbol_named(
			p->host->target, &p->module, names[i], &start, &size))
			continue;
		if (size != 0)
			end = start + size;
		else if (!ptrace_target_function(
			     p->host->target, start, &start, &end))
			continue;
		add_range(f, start, end);
	}
	named = f->n;
	for (unsigned i = 0; i < named; i++)
		add_called(p, f, i);
}

static bool
is_inside(const struct ptmalloc *p, const struct functions *f,
    const ptrace_frame_t *frame)
{
	bt_addr_t ip = ptrace_frame_ip(frame);
	const char *symbol;

	if (ip < p->module.start || ip >= p->module.end)
		return false;
	for (unsigned i = 0; i < f->n; i++)
		if (ip >= f->start[i] && ip < f->end[i])
			return true;
	symbol = ptrace_frame_symbol(frame);
	for (size_t i = 0; i < sizeof(internal) / sizeof(*internal); i++) {
		size_t n = strlen(internal[i]);

		if (strncmp(symbol, internal[i], n) == 0 &&
		    (symbol[n] == '\0' || symbol[n] == '.'))
			return true;
	}
	return false;
}

/* The frame in which a thread is inside the allocator; false: it is not.
 * handler: a signal handler runs on top of it. */
static bool
inside(const struct ptmalloc *p, const struct functions *f, ptrace_thread_t *t,
    bool *handler)
{
	uint32_t n = ptrace_thread_n_frames(t);

	*handler = false;
	for (uint32_t i = 0; i < n && i < FRAMES_MAX; i++) {
		ptrace_frame_t *frame = ptrace_thread_frame(t, i);

		if (frame == NULL)
			break;
		if (ptrace_frame_signal(frame))
			*handler = true;
		else if (is_inside(p, f, frame))
			return true;
	}
	return false;
}

/* glibc's last words are there, and they are malloc's: of those it has, only
 * these functions name themselves. */
static bool
allocator_spoke(struct ptmalloc *p)
{
	static const char *const words[] = {"malloc", "free", "realloc",
	    "corrupted", "tcache", "fastbin", "munmap_chunk", "mremap_chunk"};
	bt_addr_t address;
	uint64_t message;
	char text[128];
	size_t n;

	if (!ptrace_target_symbol_named(
		p->host->target, &p->module, "__abort_msg", &address, NULL) ||
	    !memory_u64(&p->memory, address, &message) || message == 0)
		return false;
	n = ptrace_target_read_some(
	    p->host->target, message + 4, text, sizeof(text) - 1);
	text[n] = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strstr(text, words[i]) != NULL)
			return true;
	return false;
}

/* The thread is inside because what it found there killed it: by a fault, or
 * by the allocator's own check. */
static bool
died_of_it(struct ptmalloc *p, ptrace_thread_t *t, bool handler)
{
	ptrace_context_t *c = ptrace_thread_fault_context(t);
	ptrace_signal_t s = PTRACE_SIGNAL_INIT;
	ptrace_trap_t trap = PTRACE_TRAP_INIT;

	if (t != ptrace_backtrace_fault_thread(p->host->backtrace) ||
	    !ptrace_target_signal(p->host->target, &s))
		return false;
	if (handler)
		return c != NULL && ptrace_context_trap(c, &trap);
	if (s.number == SIGABRT)
		return allocator_spoke(p);
	return s.has_info && s.code > 0;
}

static void
mark_arena(struct ptmalloc *p, ptrace_thread_t *t, int64_t slot)
{
	uint64_t tp, value;
	int i;

	if (slot == 0 ||
	    !ptrace_thread_register(t, PTRACE_REGISTER_THREAD_POINTER, &tp) ||
	    !memory_u64(&p->memory, tp + (uint64_t)slot, &value))
		return;
	i = pt_arena_index(p, value);
	if (i >= 0)
		p->arenas[i].transient = true;
}

static void
mark_cache(struct ptmalloc *p, ptrace_thread_t *t)
{

	for (uint32_t i = 0; i < p->n_caches; i++)
		if (p->caches[i].tid == (int32_t)ptrace_thread_tid(t))
			p->caches[i].busy = true;
}

static void
mark_everything(struct ptmalloc *p)
{

	for (uint32_t i = 0; i < p->n_arenas; i++)
		p->arenas[i].transient = true;
	for (uint32_t i = 0; i < p->n_caches; i++)
		p->caches[i].busy = true;
}

static void
judge(struct ptmalloc *p, int64_t arena_slot)
{
	uint32_t n = ptrace_backtrace_n_threads(p->host->backtrace);
	bool died_inside = false, others = false;
	struct functions f;

	/* A running process: registers and memory are of different moments. */
	if (ptrace_target_live(p->host->target)) {
		mark_everything(p);
		return;
	}
	find_functions(p, &f);
	for (uint32_t i = 0; i < n; i++) {
		ptrace_thread_t *t = ptrace_backtrace_thread(
		    p->host->backtrace, i);
		ptrace_syscall_t call = PTRACE_SYSCALL_INIT;
		bool handler;

		if (t == NULL || !inside(p, &f, t, &handler))
			continue;
		p->n_busy++;
		if (died_of_it(p, t, handler)) {
			died_inside = true;
			continue;
		}
		mark_cache(p, t);
		if (ptrace_thread_syscall(t, &call) && call.number == FUTEX)
			continue;
		others = true;
		mark_arena(p, t, arena_slot);
		if (n == 1)
			mark_everything(p);
	}
	/* Who died inside holds a lock of its own. */
	for (uint32_t i = 0; i < p->n_arenas; i++)
		if (p->arenas[i].locked && (died_inside == false || others))
			p->arenas[i].transient = true;
}

void
pt_busy(struct ptmalloc *p, int64_t arena_slot)
{

	judge(p, arena_slot);
	/* What was seen of the arenas before. */
	for (uint32_t i = 0; i < p->n_anomalies; i++) {
		int arena = pt_arena_index(p, p->anomalies[i].arena);

		if (arena < 0 || p->anomalies[i].transient ||
		    !p->arenas[arena].transient)
			continue;
		p->anomalies[i].transient = true;
		p->n_transient++;
	}
}
