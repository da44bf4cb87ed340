/* SPDX-License-Identifier: MIT */
/*
 * Where musl's allocator keeps itself. Its state begins with a secret, which is
 * the second half of the random bytes that the kernel gave the process
 * (AT_RANDOM), and each page of struct meta begins with the same; so the state
 * is the place in musl's data that holds the secret and leads to such a page.
 * No symbol is needed, and the layout has not changed since 1.2.1.
 */
#include <elf.h>
#include <signal.h>
#include <stdlib.h>

#include "allocators/musl.h"

enum { /* places in struct malloc_context and struct meta_area */
	CONTEXT_READY = 8,
	CONTEXT_HEAD = 56,
	CONTEXT_TAIL = 64,
	AREA_NEXT = 8,
	AREA_SLOTS = 16,
	AREA_FIRST = 24,
	META_BYTES = 40,
	META_PAGE = 4096
};

/* Sizes of the classes in units of 16 bytes. */
static const uint16_t class_units[MU_CLASSES] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    12, 15, 18, 20, 25, 31, 36, 42, 50, 63, 72, 84, 102, 127, 146, 170, 204,
    255, 292, 340, 409, 511, 584, 682, 818, 1023, 1169, 1364, 1637, 2047, 2340,
    2730, 3276, 4095, 4680, 5460, 6552, 8191};

/* ---- the state ---- */

static bool
is_context(struct mu *mu, bt_addr_t at)
{
	uint64_t ready, head, tail, check;

	return memory_u64(&mu->memory, at + CONTEXT_READY, &ready) &&
	    (uint32_t)ready == 1 &&
	    memory_u64(&mu->memory, at + CONTEXT_HEAD, &head) &&
	    memory_u64(&mu->memory, at + CONTEXT_TAIL, &tail) && head != 0 &&
	    head % META_PAGE == 0 && tail % META_PAGE == 0 &&
	    memory_u64(&mu->memory, head, &check) && check == mu->secret;
}

static bool
search_module(struct mu *mu)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;

	for (bt_addr_t at = mu->module.start; at < mu->module.end &&
	     ptrace_target_mapping_next(mu->target, at, &m) &&
	     m.start < mu->module.end;
	     at = m.end) {
		bt_addr_t from = m.start, found;
		uint64_t value;

		while ((m.permissions & PTRACE_PERM_WRITE) != 0 &&
		    ptrace_target_find_word(mu->target, from, m.end, mu->secret,
			mu->secret, &found, &value)) {
			from = found + 8;
			if (is_context(mu, found)) {
				mu->context = found;
				return true;
			}
		}
	}
	return false;
}

static bool
may_be(struct mu *mu, const ptrace_module_t *m)
{

	if (m->name != NULL &&
	    (strstr(m->name, "musl") != NULL ||
		strcmp(m->name, "libc.so") == 0))
		return true;
	return m->executable && ptrace_target_n_modules(mu->target) <= 2;
}

static bool
find_context(struct mu *mu)
{
	uint32_t n = ptrace_target_n_modules(mu->target);
	uint64_t random;

	if (!ptrace_target_auxv(mu->target, AT_RANDOM, &random) ||
	    ptrace_target_read_some(mu->target, random + 8, &mu->secret, 8) !=
		8 ||
	    mu->secret == 0)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		mu->module = (ptrace_module_t)PTRACE_MODULE_INIT;
		if (ptrace_target_module_listed(mu->target, i, &mu->module) &&
		    may_be(mu, &mu->module) && search_module(mu))
			return true;
	}
	return false;
}

/* ---- threads ---- */

static const char *const functions[] = {"malloc", "free", "calloc", "realloc",
    "aligned_alloc", "memalign", "posix_memalign", "malloc_usable_size",
    "__libc_malloc_impl", "__libc_malloc", "__libc_free", "__libc_realloc",
    "__malloc_alloc_meta", "__libc_calloc"};

static bool
is_function(const char *name)
{

	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++)
		if (strcmp(name, functions[i]) == 0)
			return true;
	return false;
}

/* In one of its functions, or in code of the module that has no name. */
static bool
is_inside(struct mu *mu, ptrace_thread_t *thread)
{
	uint32_t n = ptrace_thread_n_frames(thread);

	for (uint32_t i = 0; i < n && i < 16; i++) {
		ptrace_frame_t *f = ptrace_thread_frame(thread, i);
		bt_addr_t ip = f != NULL ? ptrace_frame_ip(f) : 0;
		const char *name = f != NULL ? ptrace_frame_symbol(f) : "";

		if (ip >= mu->module.start && ip < mu->module.end &&
		    (name[0] == '\0' || is_function(name)))
			return true;
	}
	return false;
}

/* A thread that died there did so by a check at the door, before anything was
 * changed; the others may be in the middle. */
static bool
is_busy(struct mu *mu)
{
	uint32_t n = ptrace_backtrace_n_threads(mu->host->backtrace);

	for (uint32_t i = 0; i < n; i++) {
		ptrace_thread_t *thread = ptrace_backtrace_thread(
		    mu->host->backtrace, i);
		ptrace_signal_t signal = PTRACE_SIGNAL_INIT;
		bool died = thread != NULL && ptrace_thread_fault(thread) &&
		    ptrace_target_signal(mu->target, &signal) &&
		    signal.number == SIGSEGV;

		if (thread != NULL && !died && is_inside(mu, thread))
			return true;
	}
	return false;
}

/* ---- groups ---- */

static bool
add_group(struct mu *mu, bt_addr_t meta, const uint64_t w[5])
{
	uint64_t class = w[4] >> 6 & 63, pages = w[4] >> 12;
	struct mu_group *g;

	if (w[2] == 0 || w[2] % MU_UNIT != 0 || w[2] >> 47 != 0 ||
	    (class >= MU_CLASSES && class != MU_SINGLE) || pages >> 35 != 0)
		return true; /* not in use */
	if (!array_grow((void **)&mu->groups, &mu->room_groups, mu->n_groups,
		MU_GROUPS_MAX, sizeof(*mu->groups)))
		return false;
	g = &mu->groups[mu->n_groups];
	memset(g, 0, sizeof(*g));
	g->mem = w[2];
	g->meta = meta;
	g->available = (uint32_t)w[3];
	g->freed = (uint32_t)(w[3] >> 32);
	g->last = w[4] & 31;
	g->class = (uint32_t) class;
	g->mapped = pages != 0;
	if (g->last == 0 && pages != 0)
		g->stride = pages * META_PAGE - MU_UNIT;
	else if (class < MU_CLASSES)
		g->stride = (uint64_t)class_units[class] * MU_UNIT;
	else
		return true;
	g->size = pages != 0 ? pages * META_PAGE
			     : MU_UNIT + g->stride * (g->last + 1u);
	mu->n_groups++;
	return true;
}

static bool
read_area(struct mu *mu, bt_addr_t area, bt_addr_t *next)
{
	uint64_t check, slots;

	if (!memory_u64(&mu->memory, area, &check) || check != mu->secret ||
	    !memory_u64(&mu->memory, area + AREA_NEXT, next) ||
	    !memory_u64(&mu->memory, area + AREA_SLOTS, &slots)) {
		mu->damaged_area = true;
		mu->damaged_at = area;
		return false;
	}
	slots = (uint32_t)slots;
	if (slots > (META_PAGE - AREA_FIRST) / META_BYTES)
		slots = (META_PAGE - AREA_FIRST) / META_BYTES;
	if (!mu->host->take(mu->host->ctx, slots))
		return false;
	for (uint64_t i = 0; i < slots; i++) {
		bt_addr_t meta = area + AREA_FIRST + i * META_BYTES;
		uint64_t w[5];

		for (unsigned k = 0; k < 5; k++)
			if (!memory_u64(&mu->memory, meta + k * 8, &w[k]))
				return false;
		if (!add_group(mu, meta, w))
			return false;
	}
	return true;
}

static int
compare(const void *a, const void *b)
{
	const struct mu_group *x = a, *y = b;

	if (x->mem != y->mem)
		return x->mem < y->mem ? -1 : 1;
	return (x->size < y->size) - (x->size > y->size);
}

/* Groups of small slots lie in slots of larger ones. */
static void
nest(struct mu *mu)
{

	for (size_t i = 0; i < mu->n_groups; i++) {
		uint32_t outer = i > 0 ? (uint32_t)i - 1 : UINT32_MAX;

		while (outer != UINT32_MAX &&
		    mu->groups[i].mem - mu->groups[outer].mem >=
			mu->groups[outer].size)
			outer = mu->groups[outer].outer;
		mu->groups[i].outer = outer;
	}
}

const struct mu_group *
mu_group_at(const struct mu *mu, bt_addr_t address)
{
	size_t low = 0, high = mu->n_groups;
	uint32_t i;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (mu->groups[middle].mem <= address)
			low = middle + 1;
		else
			high = middle;
	}
	i = low > 0 ? (uint32_t)low - 1 : UINT32_MAX;
	while (i != UINT32_MAX &&
	    address - mu->groups[i].mem >= mu->groups[i].size)
		i = mu->groups[i].outer;
	return i != UINT32_MAX ? &mu->groups[i] : NULL;
}

bool
mu_find(struct mu *mu)
{
	uint64_t area;

	if (!find_context(mu) ||
	    !memory_u64(&mu->memory, mu->context + CONTEXT_HEAD, &area))
		return false;
	while (
	    area != 0 && mu->areas < MU_AREAS_MAX && read_area(mu, area, &area))
		mu->areas++;
	if (mu->n_groups > 0)
		qsort(mu->groups, mu->n_groups, sizeof(*mu->groups), compare);
	nest(mu);
	mu->busy = is_busy(mu);
	return true;
}
