/* SPDX-License-Identifier: MIT */
/*
 * What is copied while the target stands still, in order of importance: the
 * stacks from their stack pointers up; the headers and the data of modules;
 * the pages to which registers and the words of the innermost frames point;
 * what is left of deep stacks. All in whole pages, each at most once.
 *
 * Pages of code and read-only data are left out: the files have them.
 */
#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/budget.h"
#include "target/capture_private.h"
#include "target/procfs.h"

enum {
	RED_ZONE = 128, /* System V psABI x86-64, section 3.2.2 */
	SEEN_SLOTS = 8192,
	BATCH_RUNS = 256,
	BATCH_PAGES = 1024,
	FAILURES_MAX = 2 /* unreadable pages of one run, then it is left */
};

static const uint64_t page_mask = CAPTURE_PAGE - 1;
static const uint64_t stack_first = (uint64_t)64 << 10;
static const uint64_t stack_most = (uint64_t)8 << 20;
static const uint64_t stacks_most = (uint64_t)256 << 20; /* of the rest */
static const uint64_t data_most = (uint64_t)2 << 20;
static const uint64_t data_each = (uint64_t)512 << 10;
static const size_t headers_most = 1024;
static const uint64_t words_most = 512 * 1024; /* looked at, all threads */
static const uint64_t words_least = 256;       /* per thread */
static const uint64_t words_each = 2048;
static const size_t pointed_most = 4096; /* pages */
static const uint64_t guard_most = (uint64_t)64 << 10;
static const uint64_t tls_before = (uint64_t)16 << 10;

/* ---- the areas ---- */

static bool
starts_with(struct view path, const char *prefix)
{
	size_t len = strlen(prefix);

	return path.size >= len && memcmp(path.data, prefix, len) == 0;
}

/* Reading a device's memory can do something; reading the kernel's own pages
 * (vvar) is refused. */
static bool
is_device(struct view path)
{
	return (starts_with(path, "/dev/") && !starts_with(path, "/dev/shm/") &&
		   !starts_with(path, "/dev/zero")) ||
	    starts_with(path, "/sys/") || starts_with(path, "[vvar");
}

bool
memory_areas(struct taking *t)
{
	struct view v = capture_view(&t->c->maps);
	struct procfs_mapping m;
	size_t bad = 0;

	while (procfs_next_mapping(&v, &m, &bad)) {
		struct capture_area *a;

		if (!m.readable || is_device(m.path))
			continue;
		if ((a = vec_push(&t->areas)) == NULL)
			break;
		a->start = m.start;
		a->end = m.end;
		a->wanted = m.writable;
		a->shared = m.shared;
		a->is_stack = starts_with(m.path, "[stack]");
	}
	return t->areas.count != 0;
}

const struct capture_area *
memory_area_at(const struct taking *t, bt_addr_t address)
{
	size_t low = 0, high = t->areas.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (t->areas.items[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || address >= t->areas.items[low - 1].end)
		return NULL;
	return &t->areas.items[low - 1];
}

/* ---- asking and reading ---- */

/* The copy can wait; what is not copied from it is read there later. */
static bool
is_late(const struct taking *t)
{
	uint64_t start = t->resumed ? t->c->copy_start : t->c->pause_start;

	return bt_now_ns() > start + t->c->options.max_pause_ns;
}

bool
capture_in_gap(const struct capture *c, bt_addr_t address)
{
	size_t low = 0, high = c->fork.n_gaps;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c->fork.gaps[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < c->fork.n_gaps && address >= c->fork.gaps[low].start;
}

/* Of the frozen copy, only what is its own is as it was during the stop. */
static bool
is_to_be_had(const struct taking *t, bt_addr_t page)
{
	const struct capture_area *a;

	if (!t->resumed)
		return true;
	a = memory_area_at(t, page);
	return a != NULL && !(a->shared && a->wanted) &&
	    !capture_in_gap(t->c, page);
}

static bool
ask_page(struct taking *t, uint64_t address)
{
	uint64_t *slot;
	bool is_new;

	if (!is_to_be_had(t, address & ~page_mask))
		return true;
	if (map_put(&t->asked, address / CAPTURE_PAGE, &is_new) == NULL)
		return false;
	if (!is_new)
		return true;
	slot = vec_push(&t->pages);
	if (slot == NULL)
		return false;
	*slot = address & ~page_mask;
	return true;
}

static void
ask(struct taking *t, bt_addr_t start, bt_addr_t end)
{
	for (bt_addr_t at = start & ~page_mask; at < end; at += CAPTURE_PAGE) {
		if (!ask_page(t, at))
			return;
	}
}

static bool
add_range(struct capture *c, bt_addr_t start, uint64_t size, uint8_t *bytes)
{
	const size_t first = 1024;
	struct capture_range *last =
	    c->n_ranges != 0 ? &c->ranges[c->n_ranges - 1] : NULL;

	c->bytes += size;
	if (last != NULL && last->start + last->size == start &&
	    last->bytes + last->size == bytes) {
		last->size += size;
		return true;
	}
	if (c->n_ranges == c->ranges_room) {
		size_t room = c->ranges_room != 0 ? c->ranges_room * 2 : first;
		struct capture_range *moved = capture_alloc(
		    c, room * sizeof(*moved));

		if (moved == NULL)
			return false;
		if (c->n_ranges != 0)
			memcpy(moved, c->ranges, c->n_ranges * sizeof(*moved));
		c->ranges = moved;
		c->ranges_room = room;
	}
	c->ranges[c->n_ranges++] = (struct capture_range){start, size, bytes};
	return true;
}

/* Some container runtimes refuse process_vm_readv. */
static ssize_t
read_remote(struct taking *t, uint8_t *to, const struct iovec *from, int n)
{
	size_t total = 0;
	ssize_t got = -1;

	for (int i = 0; i < n; i++)
		total += from[i].iov_len;
	struct iovec local = {to, total};
	if (!t->no_vm_readv) {
		got = process_vm_readv(
		    t->resumed ? t->c->fork.pid : (pid_t)t->c->mm_tid, &local,
		    1, from, (unsigned long)n, 0);
		if (t->resumed || got >= 0 ||
		    (errno != ENOSYS && errno != EPERM))
			return got;
		t->no_vm_readv = true;
	}
	total = 0;
	for (int i = 0; i < n; i++) {
		got = pread(t->c->mem_fd, to + total, from[i].iov_len,
		    (off_t)(uintptr_t)from[i].iov_base);
		if (got < 0)
			return total != 0 ? (ssize_t)total : -1;
		total += (size_t)got;
		if ((size_t)got < from[i].iov_len)
			break;
	}
	return (ssize_t)total;
}

/* Notes what was read of the runs; returns the number of whole runs. */
static int
note_read(
    struct capture *c, uint8_t *to, const struct iovec *from, int n, size_t got)
{
	int i = 0;

	for (; i < n && got >= from[i].iov_len; i++) {
		(void)add_range(c, (bt_addr_t)(uintptr_t)from[i].iov_base,
		    from[i].iov_len, to);
		to += from[i].iov_len;
		got -= from[i].iov_len;
	}
	got &= ~(size_t)page_mask;
	if (i < n && got != 0)
		(void)add_range(
		    c, (bt_addr_t)(uintptr_t)from[i].iov_base, got, to);
	return i;
}

/* Reads the runs, without the pages that cannot be read. False when nothing
 * more can be had. */
static bool
read_runs(struct taking *t, struct iovec *runs, int n)
{
	int failures = 0;

	while (n > 0) {
		size_t total = 0, within;
		uint8_t *to;
		ssize_t got;
		int whole;

		for (int i = 0; i < n; i++)
			total += runs[i].iov_len;
		to = capture_alloc(t->c, total);
		if (to == NULL)
			return false;
		got = read_remote(t, to, runs, n);
		if (got < 0 && errno == ESRCH)
			return false;
		whole = note_read(t->c, to, runs, n, got > 0 ? (size_t)got : 0);
		if (whole == n)
			return true;
		/* The page at which it stopped is left out. */
		for (int i = 0; i < whole; i++)
			got -= (ssize_t)runs[i].iov_len;
		within = got > 0 ? (size_t)got & ~(size_t)page_mask : 0;
		within += CAPTURE_PAGE;
		failures = whole == 0 ? failures + 1 : 1;
		runs += whole;
		n -= whole;
		if (failures > FAILURES_MAX || within >= runs->iov_len) {
			runs++;
			n--;
			failures = 0;
		} else {
			runs->iov_base = (uint8_t *)runs->iov_base + within;
			runs->iov_len -= within;
		}
	}
	return true;
}

static int
page_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Reads the pages asked for, neighbours together. */
static void
flush(struct taking *t)
{
	struct iovec runs[BATCH_RUNS];
	size_t i = 0, n_pages = t->pages.count;
	const uint64_t *pages = t->pages.items;

	if (n_pages == 0)
		return;
	qsort(t->pages.items, n_pages, sizeof(*pages), page_compare);
	while (i < n_pages && !is_late(t)) {
		int n = 0;

		for (size_t taken = 0; i < n_pages && taken < BATCH_PAGES;
		     taken++, i++) {
			struct iovec *last = n != 0 ? &runs[n - 1] : NULL;

			if (last != NULL &&
			    (uintptr_t)last->iov_base + last->iov_len ==
				pages[i]) {
				last->iov_len += CAPTURE_PAGE;
				continue;
			}
			if (n == BATCH_RUNS)
				break;
			runs[n++] = (struct iovec){
			    (void *)(uintptr_t)pages[i], CAPTURE_PAGE};
		}
		if (!read_runs(t, runs, n))
			break;
	}
	t->c->left_out += (n_pages - i) * CAPTURE_PAGE;
	vec_clear(&t->pages);
}

/* ---- what is asked for ---- */

static bool
is_chosen(const struct capture *c, uint32_t tid)
{
	for (size_t i = 0; i < c->options.n_threads; i++) {
		if (c->options.threads[i] == tid)
			return true;
	}
	return c->options.n_threads == 0;
}

/* Registers of a thread whose stack is wanted. */
static bool
context_of(const struct capture *c, size_t i, struct arch_thread_regs *out)
{
	const struct capture_thread *thread = &c->threads[i];

	memset(out, 0, sizeof(*out));
	if (!is_chosen(c, thread->tid))
		return false;
	if (thread->gregs_size != 0)
		return arch_gregs_parse(
		    view_of(thread->gregs, thread->gregs_size), out);
	if (thread->kind != CAPTURE_UNINTERRUPTIBLE || !thread->has_context)
		return false;
	regs_set(&out->regs, ARCH_SP, thread->context.sp);
	return true;
}

/* The part of the stack of that many bytes from the stack pointer up. */
static bool
stack_of(const struct taking *t, const struct arch_thread_regs *regs,
    uint64_t most, bt_addr_t *start, bt_addr_t *end)
{
	const struct capture_area *a;
	uint64_t sp;

	if (!regs_get(&regs->regs, ARCH_SP, &sp))
		return false;
	a = memory_area_at(t, sp);
	/* A stack that overflowed points into its guard. */
	if (a == NULL && (a = memory_area_at(t, sp + guard_most)) != NULL)
		sp = a->start;
	if (a == NULL)
		return false;
	*start = sp - a->start > RED_ZONE ? sp - RED_ZONE : a->start;
	*end = a->end - sp > most ? sp + most : a->end;
	return true;
}

uint64_t
memory_expected(const struct taking *t)
{
	/* The control block, and the thread's own variables below it; and what
	 * is mostly in use of a stack whose pointer is not known. */
	const uint64_t besides = 2 * CAPTURE_PAGE, unknown = 2 * CAPTURE_PAGE;
	uint64_t sum = 0;

	for (size_t i = 0; i < t->c->n_threads; i++) {
		const struct capture_thread *thread = &t->c->threads[i];
		struct arch_thread_regs regs = {0};
		bt_addr_t start = 0, end = unknown;

		if (!is_chosen(t->c, thread->tid))
			continue;
		if (thread->has_context) {
			regs_set(&regs.regs, ARCH_SP, thread->context.sp);
			(void)stack_of(t, &regs, stack_first, &start, &end);
		}
		sum += end - start + besides;
	}
	return sum;
}

static void
ask_stack(struct taking *t, const struct arch_thread_regs *regs)
{
	bt_addr_t start, end, tp, live = 0;
	const struct capture_area *a;

	if (stack_of(t, regs, stack_first, &start, &end)) {
		ask(t, start, end);
		live = start;
	}
	/* The thread's own variables lie below its thread pointer, its control
	 * block above. Mostly both are at the far end of its stack; then what
	 * is below the stack pointer is none of them, and often no memory yet.
	 */
	if (!arch_thread_pointer(regs, &tp) ||
	    (a = memory_area_at(t, tp)) == NULL)
		return;
	start = tp - a->start > tls_before ? tp - tls_before : a->start;
	if (live >= a->start && live <= tp && start < live)
		start = live;
	end = a->end - tp > CAPTURE_PAGE ? tp + CAPTURE_PAGE : a->end;
	ask(t, start, end);
}

/* All of them, or that of one thread alone. */
static void
ask_stacks(struct taking *t, uint32_t only)
{
	for (size_t i = 0; i < t->c->n_threads; i++) {
		struct arch_thread_regs regs;

		if ((only == 0 || t->c->threads[i].tid == only) &&
		    context_of(t->c, i, &regs))
			ask_stack(t, &regs);
	}
}

static void
ask_rest_of_stacks(struct taking *t)
{
	uint64_t asked = 0;

	for (size_t i = 0; i < t->c->n_threads && asked < stacks_most; i++) {
		struct arch_thread_regs regs;
		bt_addr_t start, end;

		if (!context_of(t->c, i, &regs) ||
		    !stack_of(t, &regs, stack_most, &start, &end) ||
		    end - start <= stack_first)
			continue;
		ask(t, start + stack_first, end);
		asked += end - start - stack_first;
	}
}

/* Headers and data of modules: which files they are, the dynamic linker's
 * list, the allocator's state, global variables as long as they are few. */
static void
ask_modules(struct taking *t)
{
	struct view v = capture_view(&t->c->maps);
	struct procfs_mapping m;
	bt_addr_t data_end = 0;
	uint64_t data = 0;
	size_t bad = 0, headers = 0;

	while (procfs_next_mapping(&v, &m, &bad)) {
		uint64_t size = m.end - m.start;
		bool is_file = starts_with(m.path, "/");
		/* The zeroed part of the data follows it, without a name. */
		bool is_data = m.writable && !m.shared &&
		    (is_file || (m.path.size == 0 && m.start == data_end));

		if (!m.readable || is_device(m.path))
			continue;
		if (is_file && m.offset == 0 && headers++ < headers_most)
			ask(t, m.start, m.start + 1);
		if (starts_with(m.path, "[vdso]"))
			ask(t, m.start, m.end);
		if (!is_data)
			continue;
		data_end = is_file ? m.end : 0;
		size = size < data_each ? size : data_each;
		if (data + size <= data_most)
			ask(t, m.start, m.start + size);
		data += size;
	}
}

/* Asks for the page that a word points to, if no file has it. */
static void
follow(struct taking *t, uint64_t word)
{
	const uint64_t lowest = 65536;
	uint64_t page = word / CAPTURE_PAGE, *seen;
	const struct capture_area *a;

	if (word < lowest || word >> 47 != 0)
		return;
	seen = &t->seen[page % SEEN_SLOTS];
	if (*seen == page)
		return;
	*seen = page;
	a = memory_area_at(t, word);
	if (a != NULL && a->wanted && t->pages.count < pointed_most)
		(void)ask_page(t, word);
}

static const struct capture_range *
range_at(const struct capture *c, size_t first, size_t end, bt_addr_t address)
{
	size_t low = first, high = end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c->ranges[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == first ||
	    address - c->ranges[low - 1].start >= c->ranges[low - 1].size)
		return NULL;
	return &c->ranges[low - 1];
}

/* Words from the stack pointer up. Stacks were read in order, that of the
 * faulting thread before all others: both parts of the ranges are sorted. */
static void
follow_stack(struct taking *t, const struct arch_thread_regs *regs,
    size_t first, size_t end, uint64_t words)
{
	const struct capture_range *r;
	uint64_t sp, word;

	for (unsigned i = 0; i < ARCH_REGS; i++) {
		if (regs_get(&regs->regs, i, &word))
			follow(t, word);
	}
	if (!regs_get(&regs->regs, ARCH_SP, &sp))
		return;
	sp &= ~UINT64_C(7);
	r = range_at(t->c, first, end, sp);
	if (r == NULL)
		r = range_at(t->c, 0, first, sp);
	if (r == NULL)
		return;
	for (uint64_t at = sp - r->start; words != 0 && at + 8 <= r->size;
	     at += 8, words--) {
		memcpy(&word, r->bytes + at, sizeof(word));
		if (word - r->start >= r->size) /* else it is there */
			follow(t, word);
	}
}

static void
ask_pointed(struct taking *t, size_t first, size_t end)
{
	size_t n = t->c->n_threads;
	uint64_t words = words_most / (n != 0 ? n : 1);

	if (words < words_least)
		words = words_least;
	if (words > words_each)
		words = words_each;
	t->seen = calloc(SEEN_SLOTS, sizeof(*t->seen));
	if (t->seen == NULL)
		return;
	for (size_t i = 0; i < n && !is_late(t); i++) {
		struct arch_thread_regs regs;

		if (context_of(t->c, i, &regs))
			follow_stack(t, &regs, first, end, words);
	}
}

void
memory_copy(struct taking *t)
{
	size_t n_first, n_sorted;

	if (t->c->options.fault_thread != 0) {
		ask_stacks(t, t->c->options.fault_thread);
		flush(t);
	}
	n_first = t->c->n_ranges;
	ask_stacks(t, 0);
	flush(t);
	n_sorted = t->c->n_ranges;
	ask_modules(t);
	flush(t);
	ask_pointed(t, n_first, n_sorted);
	flush(t);
	ask_rest_of_stacks(t);
	flush(t);
}
