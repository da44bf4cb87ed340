/* SPDX-License-Identifier: MIT */
/*
 * Symbols and memory for modules, by the names of the original.
 */
#include "image/demangle.h"
#include "module/module_private.h"

const char *
pmodule_address_symbol(ptrace_backtrace_t *bt, bt_addr_t address)
{
	struct module_host *host = bt->host;
	bt_addr_t start = 0;
	const char *name = ptrace_target_symbol(
	    &host->target_handle, address, &start);

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
