/* SPDX-License-Identifier: MIT */
/*
 * Names of code addresses, for function pointers: the demangled symbol that
 * covers the address, with an offset when it is not the start, as GDB.
 */
#include "image/demangle.h"
#include "value/value_private.h"

/* Of the file and its separate debug file, where one is open already, the
 * symbol that starts last: a stripped file may know only an earlier one. */
static bool
symbol_at(struct target_module *module, struct image *image, uint64_t vaddr,
    struct image_symbol *out)
{
	bool found = image_symbol_at(image, vaddr, out);
	struct image_symbol other;

	if (module->debug == NULL || module->debug == image ||
	    image_symbol_at(module->debug, vaddr, &other) == false ||
	    (found && other.value <= out->value))
		return found;
	*out = other;
	return true;
}

static const char *
find_symbol(struct value_reader *r, uint64_t address)
{
	struct target_module *module = target_module_at(r->target, address);
	struct image_symbol symbol;
	const char *name, *plt;
	struct image *image;
	uint64_t vaddr;

	if (module == NULL ||
	    (image = target_module_image(r->target, module)) == NULL)
		return NULL;
	vaddr = address - module->bias;
	if (symbol_at(module, image, vaddr, &symbol)) {
		name = demangle(&r->scratch, symbol.name, true);
		if (name == NULL)
			name = symbol.name;
		return vaddr == symbol.value
		    ? snapshot_string(r->snapshot, name)
		    : snapshot_printf(r->snapshot, "%s+%llu", name,
			  (unsigned long long)(vaddr - symbol.value));
	}
	if (image_plt_name(image, vaddr, &plt))
		return snapshot_printf(r->snapshot, "%s@plt", plt);
	return NULL;
}

const char *
value_symbol(struct value_reader *r, uint64_t address)
{
	uint64_t *place = map_get(&r->symbols, address);
	const char *name;

	if (place != NULL)
		return (const char *)(uintptr_t)*place;
	name = target_is_executable(r->target, address)
	    ? find_symbol(r, address)
	    : NULL;
	(void)map_put_ptr(&r->symbols, address, (void *)(uintptr_t)name);
	return name;
}
