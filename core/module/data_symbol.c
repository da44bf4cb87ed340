/* SPDX-License-Identifier: MIT */
/*
 * Names of data: variables with static storage, by their symbols. A module that
 * asks once asks for many pointers, so the symbols of an executable or library
 * are sorted at the first question about it.
 *
 * Of those that hold an address, the one that starts last says most; of several
 * at one place the smallest, then one that is not local, then, as GDB does for
 * functions, the name that sorts last.
 */
#include <elf.h>

#include "module/module_private.h"

/* Symbols that hold others are rare and few: how far back one is looked for. */
enum { LOOK_BACK = 16, SYMBOLS_MAX = 4 << 20 };

struct data_symbol {
	uint64_t value, size;
	const char *name;
	bool local;
};

struct data_index {
	VEC(struct data_symbol) items;
};

static bool
take(void *ctx, const struct image_symbol *s)
{
	struct data_index *index = ctx;
	struct data_symbol *place;

	if (s->type != STT_OBJECT || s->size == 0 || s->name[0] == '\0')
		return true;
	place = vec_push(&index->items);
	if (place != NULL)
		*place = (struct data_symbol){
		    s->value, s->size, s->name, s->bind == STB_LOCAL};
	return place != NULL;
}

/* The best of a place comes last. */
static int
compare(const void *a, const void *b)
{
	const struct data_symbol *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	if (x->size != y->size)
		return x->size < y->size ? 1 : -1;
	if (x->local != y->local)
		return x->local ? -1 : 1;
	return strcmp(x->name, y->name);
}

static struct data_index *
make_index(struct module_host *host, struct target_module *m)
{
	struct image *image = target_module_image(host->target, m);
	struct image *debug = target_module_debug(host->target, m);
	struct data_index *index = ARENA_NEW(&host->arena, struct data_index);

	if (index == NULL)
		return NULL;
	vec_init(&index->items, SYMBOLS_MAX);
	if (image != NULL)
		image_symbols_each(image, take, index);
	if (debug != NULL && debug != image)
		image_symbols_each(debug, take, index);
	if (index->items.count != 0)
		qsort(index->items.items, index->items.count,
		    sizeof(*index->items.items), compare);
	return index;
}

static struct data_index *
index_of(struct module_host *host, struct target_module *m)
{
	uint64_t key = (uint64_t)m->index + 1;
	struct data_index *index = map_get_ptr(&host->data_symbols, key);

	if (index != NULL)
		return index;
	index = make_index(host, m);
	if (index != NULL &&
	    map_put_ptr(&host->data_symbols, key, index) == false) {
		vec_deinit(&index->items);
		return NULL;
	}
	return index;
}

const char *
module_data_symbol(
    struct module_host *host, bt_addr_t address, bt_addr_t *start)
{
	struct target_module *m = target_module_at(host->target, address);
	struct data_index *index;
	size_t low = 0, high;

	if (m == NULL || target_is_executable(host->target, address) ||
	    (index = index_of(host, m)) == NULL)
		return NULL;
	high = index->items.count;
	while (low < high) { /* the first one behind the address */
		size_t middle = low + (high - low) / 2;

		if (index->items.items[middle].value <= address - m->bias)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = low; i > 0 && low - i < LOOK_BACK; i--) {
		const struct data_symbol *s = &index->items.items[i - 1];

		if (address - m->bias - s->value >= s->size)
			continue;
		*start = s->value + m->bias;
		return s->name;
	}
	return NULL;
}

void
module_data_symbols_end(struct module_host *host)
{
	uint64_t key, value;
	size_t at = 0;

	while (map_next(&host->data_symbols, &at, &key, &value)) {
		struct data_index *index = (void *)(uintptr_t)value;

		vec_deinit(&index->items);
	}
	map_clear(&host->data_symbols);
}
