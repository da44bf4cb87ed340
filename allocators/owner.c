/* SPDX-License-Identifier: MIT */
/*
 * The linker's order is that of its list of loaded modules (struct link_map, a
 * public interface: link.h), which starts at _r_debug (glibc) or _dl_debug_addr
 * (musl). A module that defines malloc and is no allocator itself passes calls
 * on to the next definition, as recorders do, so it is passed over.
 */
#include <elf.h>

#include "allocators/owner.h"

enum { MODULES_MAX = 4096, SEGMENTS_MAX = 256 };

/* What only an allocator's own library defines beside malloc. */
static const char *const marks[] = {"__libc_malloc", "mallctl", "tc_malloc",
    "mi_malloc", "je_mallctl", "__libc_start_main"};

static bool
defines(ptrace_target_t *t, const ptrace_module_t *m, const char *name)
{
	bt_addr_t address;

	return ptrace_target_symbol_named(t, m, name, &address, NULL) &&
	    address >= m->start && address < m->end;
}

static bool
word(ptrace_target_t *t, bt_addr_t address, uint64_t *out)
{

	return ptrace_target_read_some(t, address, out, 8) == 8;
}

bool
owner_may_hold_libc(ptrace_target_t *t, const ptrace_module_t *m)
{
	Elf64_Ehdr head;
	Elf64_Phdr segment;

	if (ptrace_target_read_some(t, m->start, &head, sizeof(head)) !=
		sizeof(head) ||
	    head.e_phentsize != sizeof(segment) || head.e_phnum > SEGMENTS_MAX)
		return true;
	for (unsigned i = 0; i < head.e_phnum; i++) {
		bt_addr_t at = m->start + head.e_phoff + i * sizeof(segment);

		if (ptrace_target_read_some(t, at, &segment, sizeof(segment)) !=
		    sizeof(segment))
			return true;
		if (segment.p_type == PT_INTERP)
			return false;
	}
	return true;
}

/* The first entry of the linker's list. */
static bool
first_of_list(ptrace_target_t *t, bt_addr_t *entry)
{
	bt_addr_t debug, pointer;

	if (ptrace_target_symbol_named(t, NULL, "_r_debug", &debug, NULL))
		return word(t, debug + 8, entry);
	return ptrace_target_symbol_named(
		   t, NULL, "_dl_debug_addr", &pointer, NULL) &&
	    word(t, pointer, &debug) && word(t, debug + 8, entry);
}

static bool
is_allocator(ptrace_target_t *t, const ptrace_module_t *m)
{

	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		if (defines(t, m, marks[i]))
			return true;
	return false;
}

/* No list: the program is static, or its linker unknown. Then a program with a
 * malloc of its own comes first. */
static bool
without_list(ptrace_target_t *t, const ptrace_module_t *module)
{
	ptrace_module_t m = PTRACE_MODULE_INIT;
	uint32_t n = ptrace_target_n_modules(t);

	if (module->executable)
		return true;
	for (uint32_t i = 0; i < n; i++)
		if (ptrace_target_module(t, i, &m) &&
		    m.start != module->start && defines(t, &m, "malloc") &&
		    is_allocator(t, &m))
			return false;
	return true;
}

bool
owner_is(ptrace_target_t *t, const ptrace_module_t *module)
{
	bt_addr_t entry;

	if (!first_of_list(t, &entry) || entry == 0)
		return without_list(t, module);
	for (unsigned i = 0; i < MODULES_MAX && entry != 0; i++) {
		ptrace_module_t m = PTRACE_MODULE_INIT;
		uint64_t dynamic;

		if (!word(t, entry + 16, &dynamic))
			break;
		if (ptrace_target_module_at(t, dynamic, &m)) {
			bool ours = m.start == module->start;

			if ((ours || is_allocator(t, &m)) &&
			    defines(t, &m, "malloc"))
				return ours;
		}
		if (!word(t, entry + 24, &entry))
			break;
	}
	return module->executable;
}
