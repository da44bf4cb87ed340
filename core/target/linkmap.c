/* SPDX-License-Identifier: MIT */
/*
 * The dynamic linker's own list of what it loaded (struct r_debug and struct
 * link_map of <link.h>), found through DT_DEBUG of the executable. It names
 * the modules when the core has no NT_FILE, and it is where thread-local
 * storage finds a module's number. Everything in it is foreign memory: the
 * walk is counted, and each entry is taken once.
 */
#include <elf.h>

#include "base/map.h"
#include "target/target_private.h"

static const size_t entries_max = 16384;
static const size_t dynamic_max = 4096; /* entries */

static bool
find_r_debug(struct target *t, bt_addr_t dynamic, uint64_t size, bt_addr_t *out)
{
	uint64_t tag, value;

	unsigned word = arch_word(t->arch);

	for (size_t i = 0; i < dynamic_max && (i + 1) * 2 * word <= size; i++) {
		bt_addr_t at = dynamic + i * 2 * word;

		if (!target_read_word(t, at, &tag) ||
		    !target_read_word(t, at + word, &value) || tag == DT_NULL)
			return false;
		if (tag == DT_DEBUG) {
			*out = value;
			return value != 0;
		}
	}
	return false;
}

static bool
read_entry(
    struct target *t, bt_addr_t at, struct linkmap_entry *out, bt_addr_t *next)
{
	uint64_t name;
	char text[4096];
	bool truncated;

	unsigned word = arch_word(t->arch);

	out->address = at;
	if (!target_read_word(t, at, &out->bias) ||
	    !target_read_word(t, at + word, &name) ||
	    !target_read_word(t, at + 2 * (bt_addr_t)word, &out->dynamic) ||
	    !target_read_word(t, at + 3 * (bt_addr_t)word, next))
		return false;
	out->name = "";
	out->name_at = name;
	if (name != 0 &&
	    target_read_cstr(t, name, text, sizeof(text), &truncated) > 0 &&
	    !truncated)
		out->name = strings_add(&t->strings, text);
	return true;
}

bool
linkmap_read(struct target *t, bt_addr_t dynamic, uint64_t dynamic_size,
    linkmap_vec *out)
{
	bt_addr_t r_debug, at;
	struct map seen;
	bool complete = true;

	vec_init(out, entries_max);
	if (!find_r_debug(t, dynamic, dynamic_size, &r_debug) ||
	    !target_read_word(t, r_debug + arch_word(t->arch), &at))
		return false;
	map_init(&seen, entries_max + 1);
	while (at != 0) {
		struct linkmap_entry entry, *kept;
		bool is_new = false;

		if (map_put(&seen, at, &is_new) == NULL || !is_new ||
		    !budget_step(t->budget) ||
		    !read_entry(t, at, &entry, &at) ||
		    (kept = vec_push(out)) == NULL) {
			complete = false;
			break;
		}
		*kept = entry;
	}
	map_deinit(&seen);
	if (!complete)
		target_warn(t, "core.link-map",
		    "the dynamic linker's list is damaged or cyclic after %zu "
		    "entries",
		    out->count);
	return out->count != 0;
}

/* The linker's own name is not a copy: it is the PT_INTERP of the executable,
 * whose pages may not have been dumped. */
static void
name_linker(struct target *t, const struct target_module *exe,
    const struct image_segment *interp, linkmap_vec *list)
{
	const uint8_t *bytes;
	size_t n = image_read_vaddr(
	    exe->image, interp->vaddr, (size_t)interp->filesz, &bytes);

	if (n == 0 || memchr(bytes, '\0', n) == NULL)
		return;
	for (size_t i = 0; i < list->count; i++) {
		struct linkmap_entry *entry = &list->items[i];

		if (entry->name[0] == '\0' &&
		    entry->name_at == interp->vaddr + exe->bias)
			entry->name = strings_add(
			    &t->strings, (const char *)bytes);
	}
}

static bool
of_file(struct target *t, const struct target_module *exe, linkmap_vec *out)
{
	const struct image_segment *segments, *interp = NULL;
	size_t n = image_segments(exe->image, &segments);
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		if (segments[i].type == PT_INTERP)
			interp = &segments[i];
		if (segments[i].type == PT_DYNAMIC && found == false)
			found = linkmap_read(t, segments[i].vaddr + exe->bias,
			    segments[i].memsz, out);
	}
	if (found && interp != NULL)
		name_linker(t, exe, interp, out);
	return found;
}

bool
linkmap_of_exe(struct target *t, linkmap_vec *out)
{
	struct memelf m;
	bool absent, found = false;
	uint64_t phdr, count;

	vec_init(out, entries_max);
	if (t->exe != NULL && t->exe->has_header)
		found = memelf_read(t, t->exe->file_start, &m, &absent);
	if (!found && target_auxv(t, AT_PHDR, &phdr) &&
	    target_auxv(t, AT_PHNUM, &count))
		found = memelf_from_phdrs(t, phdr, count, &m);
	if (found)
		return m.dynamic != 0 &&
		    linkmap_read(t, m.dynamic, m.dynamic_size, out);
	/* Its headers were not dumped: those of the file. */
	if (t->exe == NULL || target_module_image(t, t->exe) == NULL)
		return false;
	return of_file(t, t->exe, out);
}
