/* SPDX-License-Identifier: MIT */
/*
 * The table of architectures, and what follows from a description alone. x86-64
 * comes first and is asked first: of live processes, and of nearly all cores,
 * nothing else is.
 */
#include "target/arch/table.h"

static const struct arch *const table[] = {
    &arch_x86_64,
    &arch_aarch64,
    &arch_i386,
    &arch_arm,
    &arch_riscv64,
    &arch_ppc64le,
    &arch_s390x,
};

const struct arch arch_unknown_64 = {.name = "unknown"};
const struct arch arch_unknown_64be = {.name = "unknown", .big_endian = true};
const struct arch arch_unknown_32 = {.name = "unknown", .narrow = true};
const struct arch arch_unknown_32be = {
    .name = "unknown", .narrow = true, .big_endian = true};

const struct arch *
arch_at(size_t i)
{
	return i < sizeof(table) / sizeof(*table) ? table[i] : NULL;
}

const struct arch *
arch_find(uint16_t machine, bool narrow, bool big_endian)
{
	const struct arch *a;

	for (size_t i = 0; (a = arch_at(i)) != NULL; i++) {
		if (a->machine == machine && a->narrow == narrow &&
		    a->big_endian == big_endian)
			return a;
	}
	return NULL;
}

static uint64_t
read_register(const struct arch *arch, struct view *v, unsigned size)
{
	uint64_t value = view_uint(v, size);

	if (!arch->big_endian)
		return value;
	return __builtin_bswap64(value) >> (64 - 8 * size);
}

static unsigned
size_of(const struct arch *arch, const struct arch_greg *g)
{
	return g->size != 0 ? g->size : arch_word(arch);
}

bool
arch_gregs_read(
    const struct arch *arch, struct view v, struct arch_thread_regs *out)
{
	struct view all = v;

	out->arch = arch;
	if (arch_is_x86_64(arch))
		return arch_gregs_parse(v, out);
	if (arch->gregs == NULL)
		return false;
	for (unsigned i = 0; i < arch->n_gregs; i++) {
		const struct arch_greg *g = &arch->gregs[i];
		uint64_t value = read_register(arch, &v, size_of(arch, g));

		if (view_ok(&v) && g->place != ARCH_NO_PLACE)
			regs_set(&out->regs, g->place, value);
	}
	out->gregs = view_ok(&v) ? view_sub(&all, 0, v.pos) : view_of(NULL, 0);
	return view_ok(&v);
}

static __attribute__((noinline)) bool
list_gregs(const struct arch_thread_regs *r, unsigned i, const char **name,
    uint64_t *value)
{
	const struct arch *arch = r->arch;
	struct view v = r->gregs;

	for (unsigned k = 0; k < arch->n_gregs; k++) {
		const struct arch_greg *g = &arch->gregs[k];

		*value = read_register(arch, &v, size_of(arch, g));
		if (g->name == NULL || i-- != 0)
			continue;
		*name = g->name;
		return view_ok(&v);
	}
	return false;
}

bool
arch_reg_list(const struct arch_thread_regs *r, unsigned i, const char **name,
    uint64_t *value)
{
	return arch_is_x86_64(r->arch) ? x86_64_reg_list(r, i, name, value)
				       : list_gregs(r, i, name, value);
}

size_t
arch_reg_bytes(const struct arch_thread_regs *thread, const struct regs *regs,
    bool innermost, unsigned number, uint8_t *out, size_t size)
{
	uint64_t value;
	size_t n;

	if (thread == NULL || arch_is_x86_64(thread->arch))
		return x86_64_reg_bytes(
		    thread, regs, innermost, number, out, size);
	if (innermost && thread->arch->vector_bytes != NULL) {
		n = thread->arch->vector_bytes(thread, number, out, size);
		if (n != 0)
			return n;
	}
	if (size < sizeof(value) ||
	    !regs_get(regs, arch_place(thread->arch, number), &value))
		return 0;
	memcpy(out, &value, sizeof(value));
	return sizeof(value);
}

bool
arch_thread_pointer(const struct arch_thread_regs *thread, bt_addr_t *out)
{
	if (arch_is_x86_64(thread->arch))
		return x86_64_thread_pointer(thread, out);
	return thread->arch->thread_pointer != NULL &&
	    thread->arch->thread_pointer(thread, out);
}
