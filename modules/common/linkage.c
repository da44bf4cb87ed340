/* SPDX-License-Identifier: MIT */
/*
 * Did the dynamic linker write what now stands in the tables of function
 * addresses? An entry for `name` may hold
 *
 *	what the file has, moved by the bias: not bound yet (lazy binding);
 *	a definition of `name` in the module it points into, also the entry of
 *	    the linkage table of a program without position independence;
 *	any code of that module when its `name` is chosen at run time (IFUNC),
 *	    also of the vdso, which libc chooses for time and gettimeofday;
 *	0: a weak function that is nowhere.
 *
 * Everything else was written by somebody else. Interposers (LD_PRELOAD,
 * allocators) define the name themselves and pass.
 */
#include "dynamic.h"
#include "tampering.h"

enum {
	MODULES_MAX = 4096,
	ENTRIES_MAX = 1 << 20, /* relocations of all modules */
	ARRAY_MAX = 1 << 16    /* constructors of one */
};

struct linkage {
	struct tampering *report;
	ptrace_target_t *target;
	struct dynamic *modules; /* by address */
	uint32_t n_modules;
	uint32_t entries_left;
};

static int
by_start(const void *a, const void *b)
{
	const struct dynamic *x = a, *y = b;

	return (x->module.start > y->module.start) -
	    (x->module.start < y->module.start);
}

static bool
linkage_open(struct linkage *l, struct tampering *report)
{
	uint32_t n;

	*l = (struct linkage){.report = report,
	    .target = report->target,
	    .entries_left = ENTRIES_MAX};
	l->n_modules = ptrace_target_n_modules(l->target);
	if (l->n_modules > MODULES_MAX)
		l->n_modules = MODULES_MAX;
	l->modules = calloc(l->n_modules + 1, sizeof(*l->modules));
	if (l->modules == NULL)
		return false;
	n = l->n_modules;
	l->n_modules = 0;
	for (uint32_t i = 0; i < n; i++) {
		ptrace_module_t m = PTRACE_MODULE_INIT;

		l->n_modules += ptrace_target_module(l->target, i, &m) &&
		    dynamic_open(l->target, &m, &l->modules[l->n_modules]);
	}
	if (l->n_modules > 0)
		qsort(l->modules, l->n_modules, sizeof(*l->modules), by_start);
	return true;
}

static void
linkage_close(struct linkage *l)
{
	for (uint32_t i = 0; i < l->n_modules; i++)
		dynamic_close(&l->modules[i]);
	free(l->modules);
}

static struct dynamic *
module_of(struct linkage *l, bt_addr_t address)
{
	uint32_t low = 0, high = l->n_modules;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (l->modules[middle].module.start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && address < l->modules[low - 1].module.end
	    ? &l->modules[low - 1]
	    : NULL;
}

/* What the module's file has at the place, moved to where it was loaded: the
 * linker has not touched it, or the core lacks the page. */
static bool
is_as_in_file(const struct dynamic *d, bt_addr_t place, uint64_t value)
{
	uint64_t file;

	return ptrace_target_read_file(d->target, place, &file, sizeof(file)) ==
	    sizeof(file) &&
	    (value == file || value == file + d->module.bias);
}

/* An address that the module gives for the name. */
static bool
gives(struct dynamic *d, const char *name, uint64_t value, bool *chosen)
{
	bool found = false;

	for (const Elf64_Sym *s = NULL;
	     (s = dynamic_named(d, name, s)) != NULL;) {
		if (dynamic_defines(s) == false)
			continue;
		*chosen |= ELF64_ST_TYPE(s->st_info) == STT_GNU_IFUNC;
		found |= s->st_value + d->module.bias == value;
	}
	return found;
}

/* The name is chosen at run time, by whichever module defines it. */
static bool
is_chosen(struct linkage *l, const char *name)
{
	bool chosen = false;

	for (uint32_t i = 0; i < l->n_modules && chosen == false; i++)
		if (dynamic_symbols(&l->modules[i]))
			(void)gives(&l->modules[i], name, 0, &chosen);
	return chosen;
}

/* NULL: all is well, or it cannot be told. */
static const char *
wrong_slot(struct linkage *l, struct dynamic *d, bt_addr_t place,
    const char *name, uint64_t value)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	ptrace_module_t module = PTRACE_MODULE_INIT;
	struct dynamic *owner;
	bool chosen = false;

	if (value == 0 || is_as_in_file(d, place, value))
		return NULL;
	if (tampering_is_code(l->target, value, &m) == false)
		return "is no code";
	if (ptrace_target_module_at(l->target, value, &module) == false)
		return "is code that belongs to no module";
	if (module.vdso)
		return NULL;
	owner = module_of(l, value);
	if (owner == NULL || dynamic_symbols(owner) == false)
		return NULL;
	if (gives(owner, name, value, &chosen) || chosen)
		return NULL;
	return is_chosen(l, name) ? NULL : "is not that function";
}

/* A function that the module chooses for itself at run time, without a name. */
static void
check_chosen(struct linkage *l, struct dynamic *d, bt_addr_t place)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	uint64_t value;

	if (!ptrace_target_read(
		l->target, place, &value, sizeof(value), NULL) ||
	    value == 0 || is_as_in_file(d, place, value) ||
	    (module_of(l, value) == d &&
		tampering_is_code(l->target, value, &m)))
		return;
	tampering_add(l->report, place,
	    pmodule_text(l->report->bt,
		"the entry of %s at 0x%" PRIx64
		" holds %s, which is no code of that module",
		d->module.name, place, tampering_place(l->report, value)));
}

static void
check_slot(struct linkage *l, struct dynamic *d, const Elf64_Rela *r)
{
	uint32_t type = ELF64_R_TYPE(r->r_info);
	uint64_t index = ELF64_R_SYM(r->r_info), value;
	bt_addr_t place = r->r_offset + d->module.bias;
	const Elf64_Sym *symbol;
	const char *name, *wrong;

	if (type == R_X86_64_IRELATIVE) {
		check_chosen(l, d, place);
		return;
	}
	if ((type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT) ||
	    d->buckets == NULL || index == 0 || index >= d->n_symbols)
		return;
	symbol = &d->symbols[index];
	name = dynamic_name(d, symbol);
	/* Of data the table has addresses as well. */
	if (name[0] == '\0' ||
	    (type == R_X86_64_GLOB_DAT &&
		ELF64_ST_TYPE(symbol->st_info) != STT_FUNC) ||
	    !ptrace_target_read(l->target, place, &value, sizeof(value), NULL))
		return;
	wrong = wrong_slot(l, d, place, name, value);
	if (wrong == NULL)
		return;
	tampering_add(l->report, place,
	    pmodule_text(l->report->bt,
		"the entry of %s for %s at 0x%" PRIx64 " holds %s, which %s",
		d->module.name, name, place, tampering_place(l->report, value),
		wrong));
}

static void
check_slots(
    struct linkage *l, struct dynamic *d, const struct dynamic_table *table)
{
	Elf64_Rela r;

	for (uint64_t i = 0;
	     l->entries_left > 0 && dynamic_relocation(d, table, i, &r);
	     i++, l->entries_left--)
		check_slot(l, d, &r);
}

void
tampering_slots(struct tampering *t)
{
	struct linkage l;

	if (linkage_open(&l, t) == false)
		return;
	for (uint32_t i = 0; i < l.n_modules; i++) {
		struct dynamic *d = &l.modules[i];

		/* Without symbols what has no name is checked. */
		(void)dynamic_symbols(d);
		check_slots(&l, d, &d->slots);
		check_slots(&l, d, &d->relocations);
	}
	linkage_close(&l);
}

/* ---- constructors ---- */

/* A relocation by a symbol: which address it gave is not known here. */
#define BY_SYMBOL UINT64_MAX

/* What relocations put into the table: run-time addresses; 0 where there is
 * none, or a packed one: then the file has the address in its place. */
static void
expect_entries(struct linkage *l, struct dynamic *d,
    const struct dynamic_table *table, uint64_t *expected, uint64_t n)
{
	Elf64_Rela r;

	for (uint64_t i = 0; l->entries_left > 0 &&
	     dynamic_relocation(d, &d->relocations, i, &r);
	     i++, l->entries_left--) {
		uint64_t at = r.r_offset + d->module.bias - table->address;

		if (at / sizeof(*expected) < n && at % sizeof(*expected) == 0)
			expected[at / sizeof(*expected)] =
			    ELF64_R_TYPE(r.r_info) == R_X86_64_RELATIVE
			    ? (uint64_t)r.r_addend + d->module.bias
			    : BY_SYMBOL;
	}
	for (uint64_t i = 0; l->entries_left == 0 && i < n; i++)
		expected[i] = BY_SYMBOL;
}

static void
check_constructor(struct linkage *l, struct dynamic *d, bt_addr_t place,
    uint64_t expected, const char *what)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	uint64_t value;
	bool good;

	if (!ptrace_target_read(
		l->target, place, &value, sizeof(value), NULL) ||
	    value == 0 || value == UINT64_MAX || /* "none" in old tables */
	    is_as_in_file(d, place, value))
		return;
	if (expected != BY_SYMBOL)
		good = expected != 0 ? value == expected
				     : d->module.has_file == false;
	else
		good = tampering_is_code(l->target, value, &m) &&
		    module_of(l, value) != NULL;
	if (good)
		return;
	tampering_add(l->report, place,
	    pmodule_text(l->report->bt,
		"the %s of %s at 0x%" PRIx64
		" is %s, which its file does not say",
		what, d->module.name, place,
		tampering_place(l->report, value)));
}

static void
check_array(struct linkage *l, struct dynamic *d,
    const struct dynamic_table *table, const char *what)
{
	uint64_t n = table->size / sizeof(uint64_t);
	uint64_t *expected;

	if (table->address == 0 || n == 0)
		return;
	if (n > ARRAY_MAX)
		n = ARRAY_MAX;
	expected = calloc(n, sizeof(*expected));
	if (expected == NULL)
		return;
	expect_entries(l, d, table, expected, n);
	for (uint64_t i = 0; i < n && l->report->places < TAMPERING_PLACES_MAX;
	     i++)
		check_constructor(l, d, table->address + i * sizeof(*expected),
		    expected[i], what);
	free(expected);
}

/* DT_INIT and DT_FINI stand in the dynamic section itself. */
static void
check_entries(struct linkage *l, struct dynamic *d)
{
	for (uint64_t i = 0; i < d->n_entries; i++) {
		bt_addr_t place = d->section + i * sizeof(Elf64_Dyn);
		Elf64_Dyn now, file;

		if (!ptrace_target_read(
			l->target, place, &now, sizeof(now), NULL) ||
		    (now.d_tag != DT_INIT && now.d_tag != DT_FINI) ||
		    ptrace_target_read_file(l->target, place, &file,
			sizeof(file)) != sizeof(file) ||
		    file.d_tag != now.d_tag ||
		    now.d_un.d_val == file.d_un.d_val ||
		    now.d_un.d_val == file.d_un.d_val + d->module.bias)
			continue;
		tampering_add(l->report, place,
		    pmodule_text(l->report->bt,
			"the %s function of %s is at 0x%" PRIx64
			", its file says 0x%" PRIx64,
			now.d_tag == DT_INIT ? "first" : "last", d->module.name,
			(uint64_t)now.d_un.d_val, (uint64_t)file.d_un.d_val));
	}
}

void
tampering_constructors(struct tampering *t)
{
	struct linkage l;

	if (linkage_open(&l, t) == false)
		return;
	for (uint32_t i = 0; i < l.n_modules; i++) {
		struct dynamic *d = &l.modules[i];

		check_array(&l, d, &d->constructors, "constructor");
		check_array(&l, d, &d->destructors, "destructor");
		check_entries(&l, d);
	}
	linkage_close(&l);
}
