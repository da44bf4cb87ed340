/* SPDX-License-Identifier: MIT */
/*
 * The searches are bounded by size, not by time, so that two runs agree.
 */
#include "scan.h"

enum {
	REGISTERS = 16,
	STACK_BYTES = 64 * 1024,
	NEAR_BYTES = 4096,
	DATA_BYTES = 1 << 20,
	THREADS_MAX = 1024,
	CHUNK_WORDS = 512
};

const char *
scan_registers(const struct crash *c, scan_match *match, void *ctx)
{

	for (int32_t i = 0; i < REGISTERS; i++) {
		const char *name = ptrace_register_name(i);
		uint64_t value;

		if (name != NULL &&
		    ptrace_context_register(c->context, i, &value) &&
		    match(c, ctx, value, name))
			return name;
	}
	return NULL;
}

static const char *
scan_memory(const struct crash *c, bt_addr_t start, bt_addr_t end,
    const char *what, scan_match *match, void *ctx)
{
	uint64_t words[CHUNK_WORDS];

	start = (start + 7) & ~UINT64_C(7);
	for (bt_addr_t at = start; at < end; at += sizeof(words)) {
		size_t want = end - at < sizeof(words) ? end - at
						       : sizeof(words);
		size_t n = ptrace_target_read_some(c->target, at, words, want) /
		    8;

		for (size_t i = 0; i < n; i++)
			if (match(c, ctx, words[i], what))
				return pmodule_text(c->bt, "%s at 0x%" PRIx64,
				    what, at + i * 8);
	}
	return NULL;
}

const char *
scan_near(const struct crash *c, scan_match *match, void *ctx)
{
	const char *where = scan_registers(c, match, ctx);

	if (where != NULL)
		return where;
	return scan_memory(
	    c, c->sp, c->sp + NEAR_BYTES, "the stack", match, ctx);
}

static const char *
scan_stacks(const struct crash *c, scan_match *match, void *ctx)
{
	uint32_t n = ptrace_backtrace_n_threads(c->bt);

	for (uint32_t i = 0; i < n && i < THREADS_MAX; i++) {
		ptrace_thread_t *t = ptrace_backtrace_thread(c->bt, i);
		bt_addr_t start, end;
		const char *where;

		if (ptrace_thread_stack(t, &start, &end) == false)
			continue;
		if (t == c->thread && c->sp >= start && c->sp < end)
			start = c->sp;
		if (end - start > STACK_BYTES)
			end = start + STACK_BYTES;
		where = scan_memory(c, start, end,
		    pmodule_text(
			c->bt, "the stack of thread %u", ptrace_thread_tid(t)),
		    match, ctx);
		if (where != NULL)
			return where;
	}
	return NULL;
}

const char *
scan_words(const struct crash *c, scan_match *match, void *ctx)
{
	const uint32_t data = PTRACE_PERM_READ | PTRACE_PERM_WRITE;
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	const char *where = scan_registers(c, match, ctx);

	if (where == NULL)
		where = scan_stacks(c, match, ctx);
	for (bt_addr_t at = 0;
	     where == NULL && ptrace_target_mapping_next(c->target, at, &m);
	     at = m.end) {
		ptrace_module_t module = PTRACE_MODULE_INIT;
		bt_addr_t end = m.end;

		if (m.permissions != data ||
		    !ptrace_target_module_at(c->target, m.start, &module))
			continue;
		if (end - m.start > DATA_BYTES)
			end = m.start + DATA_BYTES;
		where = scan_memory(c, m.start, end,
		    pmodule_text(c->bt, "the data of %s", module.name), match,
		    ctx);
	}
	return where;
}
