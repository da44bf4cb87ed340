/* SPDX-License-Identifier: MIT */
/*
 * The dynamic section of a loaded module as it lies in memory: relocations,
 * dynamic symbols, constructors (System V gABI, "Dynamic Linking"). All of it
 * is foreign: sizes are capped, addresses must lie in the module.
 */
#ifndef MODULES_DYNAMIC_H
#define MODULES_DYNAMIC_H

#include <elf.h>

#include <ptrace/target.h>

struct dynamic_table {
	bt_addr_t address; /* 0: none */
	uint64_t size;	   /* bytes */
};

struct dynamic {
	ptrace_target_t *target;
	ptrace_module_t module;
	bt_addr_t section; /* the dynamic section itself */
	uint64_t n_entries;
	struct dynamic_table relocations, slots;	/* Elf64_Rela */
	struct dynamic_table constructors, destructors; /* of addresses */
	bool text_relocated; /* its code is changed when it is loaded */

	bt_addr_t symbol_table, string_table;
	uint64_t string_size;
	bt_addr_t hash, gnu_hash;
	/* By dynamic_symbols. */
	Elf64_Sym *symbols;
	uint32_t n_symbols;
	char *strings; /* string_size bytes and a NUL */
	uint32_t *chains, *buckets;
	uint32_t mask;
};

/* False: it has none, or it is damaged. */
bool dynamic_open(
    ptrace_target_t *t, const ptrace_module_t *m, struct dynamic *out);
void dynamic_close(struct dynamic *d);
/* The flags of the segment of the module's own headers that holds the address;
 * of d only target and module are needed. False: none does. */
bool dynamic_segment(
    const struct dynamic *d, bt_addr_t address, uint32_t *flags /* PF_* */);

/* Reads the symbols, once. False: there are none, or too many. */
bool dynamic_symbols(struct dynamic *d);
/* The symbol's name; "" when it has none. */
const char *dynamic_name(const struct dynamic *d, const Elf64_Sym *symbol);
/* Symbols with that name, one after the other: start with NULL. */
const Elf64_Sym *dynamic_named(
    const struct dynamic *d, const char *name, const Elf64_Sym *last);
/* It has an address of its own: a definition, or the entry in the linkage table
 * that a program without position independence takes for the function. */
bool dynamic_defines(const Elf64_Sym *symbol);

/* The i-th of a table of relocations; false: past the end, or unreadable. */
bool dynamic_relocation(const struct dynamic *d,
    const struct dynamic_table *table, uint64_t i, Elf64_Rela *out);

#endif /* MODULES_DYNAMIC_H */
