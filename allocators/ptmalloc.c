/* SPDX-License-Identifier: MIT */
/*
 * glibc's allocator: how it is found, and what it answers.
 */
#include <stdlib.h>

#include "allocators/ptmalloc.h"

/* "libc.so.6", "libc-2.31.so". */
static bool
is_libc(const char *name)
{

	return strncmp(name, "libc.so.6", 9) == 0 ||
	    strncmp(name, "libc-2.", 7) == 0;
}

static bool
open_module(struct ptmalloc *p, bool libc)
{
	uint32_t n = ptrace_target_n_modules(p->host->target);

	for (uint32_t i = 0; i < n; i++) {
		ptrace_module_t m = PTRACE_MODULE_INIT;

		if (!ptrace_target_module(p->host->target, i, &m) ||
		    (libc ? !is_libc(m.name) : !m.executable))
			continue;
		p->module = m;
		if (pt_find(p))
			return true;
	}
	return false;
}

static bool
choose_layout(struct ptmalloc *p)
{
	unsigned minor = pt_minor(p);
	const struct pt_layout *l;
	const char *remark;

	p->version = "";
	if (minor == 0)
		return true;
	l = pt_layout_of(minor);
	if (l == NULL || l->next != p->layout.next) {
		remark = p->host->text(p->host->ctx,
		    "glibc 2.%u: this version's heap is not known", minor);
		if (remark != NULL)
			p->host->remark(p->host->ctx, remark);
		return false;
	}
	p->layout = *l;
	p->version = p->host->text(p->host->ctx, "glibc 2.%u", minor);
	return true;
}

static void
pt_close(void *allocator)
{
	struct ptmalloc *p = allocator;

	free(p);
}

static void *
pt_open(const ptrace_heap_host_t *host)
{
	struct ptmalloc *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->host = host;
	p->module = (ptrace_module_t)PTRACE_MODULE_INIT;
	memory_init(&p->memory, host->target);
	if ((open_module(p, true) || open_module(p, false)) && choose_layout(p))
		return p;
	pt_close(p);
	return NULL;
}

static bool
pt_interposes(void *allocator)
{
	struct ptmalloc *p = allocator;
	bt_addr_t address;

	return ptrace_target_symbol_named(
		   p->host->target, NULL, "malloc", &address, NULL) &&
	    address >= p->module.start && address < p->module.end;
}

static bool
pt_at(void *allocator, bt_addr_t address, ptrace_heap_block_t *out)
{
	(void)allocator;
	(void)address;
	(void)out;
	return false;
}

static bool
pt_beside(
    void *allocator, const ptrace_heap_block_t *block, ptrace_heap_block_t *out)
{
	(void)allocator;
	(void)block;
	(void)out;
	return false;
}

static bool
pt_walk(void *allocator, ptrace_heap_visit_fn *visit, void *ctx)
{
	(void)allocator;
	(void)visit;
	(void)ctx;
	return false;
}

static bool
pt_check(void *allocator, ptrace_heap_report_fn *report, void *ctx,
    ptrace_heap_statistics_t *out)
{
	struct ptmalloc *p = allocator;

	(void)report;
	(void)ctx;
	out->version = p->version;
	return false;
}

extern const ptrace_allocator_t ptrace_allocator_ptmalloc;
const ptrace_allocator_t ptrace_allocator_ptmalloc = {
    .size = sizeof(ptrace_allocator_t),
    .name = "ptmalloc",
    .open = pt_open,
    .close = pt_close,
    .interposes = pt_interposes,
    .at = pt_at,
    .before = pt_beside,
    .after = pt_beside,
    .walk = pt_walk,
    .check = pt_check,
};
