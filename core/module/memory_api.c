/* SPDX-License-Identifier: MIT */
/*
 * What a module may ask of memory and modules beyond single addresses: walks
 * over mappings, bounded searches for values, names, the bytes of files.
 */
#include <elf.h>

#include "module/module_private.h"
#include "target/arch/insn.h"

#define FITS(OUT, TYPE) ((OUT)->size >= offsetof(TYPE, reserved))

bool
ptrace_target_auxv(ptrace_target_t *t, uint64_t type, uint64_t *value)
{

	return target_auxv(t->host->target, type, value);
}

/* The index of the first mapping that ends above the address. */
static size_t
mapping_index(const struct target_mapping *all, size_t count, bt_addr_t address)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (all[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool
ptrace_target_mapping_next(
    ptrace_target_t *t, bt_addr_t address, ptrace_mapping_t *out)
{
	const struct target_mapping *all;
	size_t count = target_mappings(t->host->target, &all);
	size_t i = mapping_index(all, count, address);

	return i < count && module_fill_mapping(&all[i], out);
}

/* Where the next readable byte at or above the address may be. */
static bool
next_readable(struct target *t, bt_addr_t *at)
{
	const struct target_mapping *all;
	size_t count = target_mappings(t, &all);
	size_t i = mapping_index(all, count, *at);
	const bt_addr_t page = 4096;

	if (i == count)
		return false;
	if (all[i].start > *at) {
		*at = all[i].start;
		return true;
	}
	/* Within a mapping: behind what was dumped there is nothing, or only
	 * what a file has. */
	if (*at - all[i].start < all[i].dumped) {
		*at = (*at + page) & ~(page - 1);
		return *at != 0;
	}
	if (i + 1 == count)
		return false;
	*at = all[i + 1].start;
	return true;
}

/* The first of n words that lies between; n: none does. */
static size_t
word_between(const uint8_t *bytes, size_t n, uint64_t low, uint64_t high)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t word;

		memcpy(&word, bytes + i * 8, sizeof(word));
		if (word - low <= high - low)
			return i;
	}
	return n;
}

bool
ptrace_target_find_word(ptrace_target_t *t, bt_addr_t start, bt_addr_t end,
    uint64_t low, uint64_t high, bt_addr_t *found, uint64_t *value)
{
	enum { PIECE = 4096 };
	struct module_host *host = t->host;
	uint8_t room[PIECE];

	if (low > high)
		return false;
	start = (start + 7) & ~UINT64_C(7);
	for (bt_addr_t at = start; at < end;) {
		size_t want = end - at < PIECE ? end - at : PIECE, n, i;
		const uint8_t *bytes;

		if (host->search_left < want)
			return false;
		n = target_view(host->target, at, want, &bytes);
		if (n < want) {
			n = target_read(host->target, at, room, want);
			bytes = room;
		}
		n /= 8;
		host->search_left -= n > 0 ? n * 8 : 8;
		i = word_between(bytes, n, low, high);
		if (i < n) {
			*found = at + i * 8;
			memcpy(value, bytes + i * 8, sizeof(*value));
			return true;
		}
		if (n > 0)
			at += n * 8;
		else if (!next_readable(host->target, &at))
			return false;
	}
	return false;
}

/* ---- modules ---- */

static void
fill_listed(struct target *t, struct target_module *m, ptrace_module_t *out)
{

	out->executable = m->is_exe;
	out->vdso = m->is_vdso;
	out->has_file = false;
	out->path = m->path;
	out->name = m->name;
	out->start = m->start;
	out->end = m->end;
	out->bias = m->bias;
	out->tls_size = target_module_tls_size(t, m);
}

static void
fill_module(struct target *t, struct target_module *m, ptrace_module_t *out)
{
	bool has_file = target_module_image(t, m) != NULL && !m->mismatched;

	fill_listed(t, m, out);
	out->has_file = has_file;
}

uint32_t
ptrace_target_n_modules(ptrace_target_t *t)
{
	struct target_module *all;

	return (uint32_t)target_modules(t->host->target, &all);
}

bool
ptrace_target_module(ptrace_target_t *t, uint32_t i, ptrace_module_t *out)
{
	struct target_module *all;

	if (FITS(out, ptrace_module_t) == false ||
	    i >= target_modules(t->host->target, &all))
		return false;
	target_expect_images(t->host->target, i);
	fill_module(t->host->target, &all[i], out);
	return true;
}

bool
ptrace_target_module_listed(
    ptrace_target_t *t, uint32_t i, ptrace_module_t *out)
{
	struct target_module *all;

	if (FITS(out, ptrace_module_t) == false ||
	    i >= target_modules(t->host->target, &all))
		return false;
	fill_listed(t->host->target, &all[i], out);
	return true;
}

bool
ptrace_target_module_at(
    ptrace_target_t *t, bt_addr_t address, ptrace_module_t *out)
{
	struct target_module *m = target_module_at(t->host->target, address);

	if (m == NULL || FITS(out, ptrace_module_t) == false)
		return false;
	fill_module(t->host->target, m, out);
	return true;
}

static bool
named_in(struct target *t, struct target_module *m, const char *name,
    bt_addr_t *address, uint64_t *size)
{
	struct image *image = target_module_image(t, m);
	struct image_symbol symbol;

	if (image == NULL || !image_symbol_named(image, name, &symbol))
		return false;
	*address = symbol.value + m->bias;
	if (size != NULL)
		*size = symbol.size;
	return true;
}

bool
ptrace_target_symbol_named(ptrace_target_t *t, const ptrace_module_t *m,
    const char *name, bt_addr_t *address, uint64_t *size)
{
	struct target *target = t->host->target;
	struct target_module *all;
	size_t n = target_modules(target, &all);

	for (size_t i = 0; i < n; i++) {
		if (m != NULL && m->start != all[i].start)
			continue;
		if (m == NULL)
			target_expect_images(target, i);
		if (named_in(target, &all[i], name, address, size))
			return true;
	}
	return false;
}

size_t
ptrace_target_read_file(
    ptrace_target_t *t, bt_addr_t address, void *out, size_t size)
{
	struct target_module *m = target_module_at(t->host->target, address);
	struct image *image =
	    m != NULL ? target_module_image(t->host->target, m) : NULL;
	const uint8_t *bytes;
	size_t got;

	if (image == NULL || m->mismatched)
		return 0;
	got = image_read_vaddr(image, address - m->bias, size, &bytes);
	if (got > 0)
		memcpy(out, bytes, got);
	return got;
}

bool
ptrace_target_function(
    ptrace_target_t *t, bt_addr_t pc, bt_addr_t *start, bt_addr_t *end)
{
	struct unwinder *u = module_unwinder(t->host);

	return u != NULL && unwind_function_range(u, pc, start, end);
}

const char *
ptrace_target_call_name(ptrace_target_t *t, const ptrace_instruction_t *call)
{
	struct target *target = t->host->target;
	struct target_module *m;
	struct image *image;
	const char *name;

	if (call->flow != PTRACE_FLOW_CALL || call->target_known == false)
		return NULL;
	m = target_module_at(target, call->target);
	image = m != NULL ? target_module_image(target, m) : NULL;
	if (image == NULL ||
	    !image_plt_name(image, call->target - m->bias, &name))
		return NULL;
	return name;
}

/* ---- threads ---- */

bool
ptrace_thread_syscall(ptrace_thread_t *thread, ptrace_syscall_t *out)
{

	return FITS(out, ptrace_syscall_t) && thread->target != NULL &&
	    thread->target->has_regs && module_reads_code(thread->host) &&
	    arch_syscall(&thread->target->regs, &out->number, out->arguments);
}

bool
ptrace_thread_local_block(ptrace_thread_t *thread, const ptrace_module_t *m,
    bt_addr_t *address, uint64_t *size)
{
	struct target *t = thread->host->target;
	struct target_module *module = target_module_at(t, m->start);
	struct image *image = module != NULL ? target_module_image(t, module)
					     : NULL;
	const struct image_segment *segments = NULL;
	size_t n = image != NULL ? image_segments(image, &segments) : 0;
	bt_error_t e;

	for (size_t i = 0; i < n; i++) {
		if (segments[i].type != PT_TLS)
			continue;
		*size = segments[i].memsz;
		return thread->target != NULL &&
		    target_tls_address(
			t, thread->target, module, 0, address, &e);
	}
	return false;
}

bool
ptrace_thread_stack(ptrace_thread_t *thread, bt_addr_t *start, bt_addr_t *end)
{
	const struct target_mapping *m;
	uint64_t sp;

	if (!ptrace_thread_register(thread, PTRACE_REGISTER_SP, &sp))
		return false;
	m = target_mapping_at(thread->host->target, sp);
	if (m == NULL || (m->perms & TARGET_W) == 0)
		return false;
	*start = sp;
	*end = m->end;
	return true;
}
