/* SPDX-License-Identifier: MIT */
/*
 * Symbols and memory for modules, by the names of the original.
 */
#include <elf.h>

#include "image/demangle.h"
#include "module/module_private.h"

struct data_search {
	struct budget *budget;
	uint64_t vaddr;
	struct image_symbol best;
	bool found;
};

/* Data symbols have a size; the smallest that covers the address says most. */
static bool
look_at(void *ctx, const struct image_symbol *symbol)
{
	struct data_search *search = ctx;

	if (symbol->type == STT_OBJECT && symbol->value <= search->vaddr &&
	    search->vaddr - symbol->value < symbol->size &&
	    (search->found == false || symbol->size < search->best.size)) {
		search->best = *symbol;
		search->found = true;
	}
	return budget_step(search->budget);
}

static const char *
data_symbol(struct module_host *host, bt_addr_t address, bt_addr_t *start)
{
	struct target_module *m = target_module_at(host->target, address);
	struct data_search search = {.budget = host->options.budget};
	struct image *image = NULL;

	if (m != NULL && target_is_executable(host->target, address) == false)
		image = target_module_image(host->target, m);
	if (image == NULL || host->options.budget == NULL)
		return NULL;
	search.vaddr = address - m->bias;
	image_symbols_each(image, look_at, &search);
	if (search.found == false)
		return NULL;
	*start = search.best.value + m->bias;
	return search.best.name;
}

const char *
pmodule_address_symbol(ptrace_backtrace_t *bt, bt_addr_t address)
{
	struct module_host *host = bt->host;
	bt_addr_t start = 0;
	const char *name = ptrace_target_symbol(
	    &host->target_handle, address, &start);

	if (name == NULL)
		name = data_symbol(host, address, &start);
	if (name == NULL || address == start)
		return name;
	return snapshot_printf(host->snapshot, "%s+%llu", name,
	    (unsigned long long)(address - start));
}

const char *
pmodule_demangle(ptrace_backtrace_t *bt, const char *symbol)
{

	return symbol != NULL ? demangle(&bt->host->arena, symbol, true) : NULL;
}

bool
pmodule_symbol_address(ptrace_backtrace_t *bt, const char *symbol,
    const char *object, bt_addr_t *out)
{
	ptrace_target_t *t = &bt->host->target_handle;
	uint32_t n = ptrace_target_n_modules(t);

	for (uint32_t i = 0; symbol != NULL && i < n; i++) {
		ptrace_module_t m = PTRACE_MODULE_INIT;

		if (ptrace_target_module(t, i, &m) == false ||
		    (object != NULL && object[0] != '\0' &&
			strstr(m.path, object) == NULL))
			continue;
		if (ptrace_target_symbol_named(t, &m, symbol, out, NULL))
			return true;
	}
	return false;
}

size_t
pmodule_address_read_raw(
    ptrace_backtrace_t *bt, bt_addr_t address, void *out, size_t size)
{

	return target_read(bt->host->target, address, out, size);
}

ssize_t
pmodule_address_read_string(
    ptrace_backtrace_t *bt, bt_addr_t address, char *out, size_t size)
{
	bool cut;

	return target_read_cstr(bt->host->target, address, out, size, &cut);
}

size_t
pmodule_symbol_read_raw(ptrace_backtrace_t *bt, const char *symbol,
    const char *object, void *out, size_t size)
{
	bt_addr_t address;

	return pmodule_symbol_address(bt, symbol, object, &address)
	    ? pmodule_address_read_raw(bt, address, out, size)
	    : 0;
}

ssize_t
pmodule_symbol_read_string(ptrace_backtrace_t *bt, const char *symbol,
    const char *object, char *out, size_t size)
{
	bt_addr_t address;

	return pmodule_symbol_address(bt, symbol, object, &address)
	    ? pmodule_address_read_string(bt, address, out, size)
	    : -1;
}
