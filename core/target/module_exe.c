/* SPDX-License-Identifier: MIT */
/*
 * Which module is the executable; and, when the core has no table of mapped
 * files, which modules there are at all. The auxiliary vector tells where the
 * kernel put the executable's program headers and entry point. Without it, the
 * build-id of the file the user gave, the command name, and at last the one
 * ELF file in memory whose DT_DEBUG the dynamic linker has filled in.
 */
#include <elf.h>

#include "base/text.h"
#include "target/target_private.h"

static const uint64_t page_mask = 4095;
static const char unnamed[] = "(unnamed)";

static struct target_module *
module_with(struct target *t, bt_addr_t address)
{
	for (size_t i = 0; i < t->modules.count; i++) {
		struct target_module *m = &t->modules.items[i];

		if (address >= m->start && address < m->end)
			return m;
	}
	return NULL;
}

/* The file name the program was started by. */
static const char *
exec_name(struct target *t)
{
	uint64_t address;
	char text[4096];
	bool truncated;

	if (target_auxv(t, AT_EXECFN, &address) &&
	    target_read_cstr(t, address, text, sizeof(text), &truncated) > 0 &&
	    !truncated)
		return strings_add(&t->strings, text);
	if (t->exe_path != NULL)
		return t->exe_path;
	return t->process.comm != NULL ? t->process.comm : unnamed;
}

static void
module_rename(struct target_module *m, const char *path)
{
	m->path = path;
	m->name = text_basename(path);
}

/* ELF headers in memory that nothing named. */
static bool
add_unnamed(struct target *t)
{
	const size_t unnamed_max = 10000;
	size_t added = 0;

	for (size_t i = 0; i < t->mappings.count; i++) {
		const struct target_mapping *m = &t->mappings.items[i];
		struct memelf elf;
		bool absent;

		if (m->path != NULL || m->dumped == 0 ||
		    !memelf_read(t, m->start, &elf, &absent) ||
		    elf.start != m->start || !memelf_code_in_place(t, &elf) ||
		    module_with(t, m->start) != NULL)
			continue;
		if (added++ == unnamed_max)
			break;
		if (module_add_elf(t, unnamed, m->start, &elf) == NULL)
			return false;
	}
	return true;
}

static struct target_module *
exe_by_auxv(struct target *t)
{
	struct target_module *m = NULL;
	uint64_t address;

	if (target_auxv(t, AT_PHDR, &address))
		m = module_with(t, address);
	if (m == NULL && target_auxv(t, AT_ENTRY, &address))
		m = module_with(t, address);
	return m != NULL && !m->is_vdso ? m : NULL;
}

/* The file table did not have the executable: its program headers, which the
 * kernel tells the address of, may be in memory. */
static struct target_module *
exe_by_phdrs(struct target *t)
{
	struct target_module *m;
	struct memelf elf, whole;
	uint64_t phdr, count;
	bool absent;

	if (!target_auxv(t, AT_PHDR, &phdr) ||
	    !target_auxv(t, AT_PHNUM, &count) ||
	    !memelf_from_phdrs(t, phdr, count, &elf) ||
	    module_with(t, elf.start) != NULL)
		return NULL;
	m = module_add_elf(t, exec_name(t), elf.start, &elf);
	if (m != NULL)
		m->has_header = memelf_read(t, elf.start, &whole, &absent);
	return m;
}

/* Without any of it in memory: a file of this machine at the bias that the
 * entry point tells; all its segments must lie in mappings. */
static struct target_module *
exe_by_image(struct target *t, const struct image *image)
{
	const struct image_segment *segments;
	size_t n = image_segments(image, &segments);
	uint64_t entry, bias = 0, low = UINT64_MAX, high = 0;
	struct target_module *m;

	if (target_auxv(t, AT_ENTRY, &entry))
		bias = entry - image_entry(image);
	else if (image_elf_type(image) != ET_EXEC)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		const struct image_segment *s = &segments[i];

		if (s->type != PT_LOAD || s->memsz == 0)
			continue;
		if (mapping_index(t, s->vaddr + bias) == SIZE_MAX)
			return NULL;
		if ((s->vaddr & ~page_mask) < low)
			low = s->vaddr & ~page_mask;
		if (s->vaddr + s->memsz > high)
			high = s->vaddr + s->memsz;
	}
	if (low >= high || (bias & page_mask) != 0 ||
	    module_with(t, low + bias) != NULL)
		return NULL;
	m = module_add(t, exec_name(t), low + bias,
	    ((high + page_mask) & ~page_mask) + bias);
	if (m != NULL)
		m->bias = bias;
	return m;
}

static struct target_module *
exe_by_user(struct target *t)
{
	const struct image_build_id *id;
	struct target_module *found = NULL;
	struct image *image;

	if (t->exe_path == NULL ||
	    !image_open(t->opener, OPENER_EXE_USER, t->exe_path, &image, NULL))
		return NULL;
	if (image_machine(image) != t->arch->machine) {
		image_unref(image);
		return NULL;
	}
	id = image_build_id(image);
	for (size_t i = 0; id != NULL && i < t->modules.count; i++) {
		if (image_build_id_equal(id, &t->modules.items[i].build_id))
			found = &t->modules.items[i];
	}
	if (found == NULL)
		found = exe_by_image(t, image);
	image_unref(image);
	return found;
}

/* Names starting with the command name, which the kernel cuts at 15. */
static struct target_module *
exe_by_command(struct target *t)
{
	const char *comm = t->process.comm;

	if (comm == NULL || t->auxv.count != 0)
		return NULL;
	for (size_t i = 0; i < t->modules.count; i++) {
		struct target_module *m = &t->modules.items[i];

		if (strncmp(m->name, comm, strlen(comm)) == 0)
			return m;
	}
	return NULL;
}

static struct target_module *
exe_by_debug_entry(struct target *t)
{
	for (size_t i = 0; i < t->modules.count; i++) {
		struct target_module *m = &t->modules.items[i];
		linkmap_vec list;
		struct memelf elf;
		bool absent, found;

		if (!m->has_header || m->is_vdso ||
		    !memelf_read(t, m->file_start, &elf, &absent) ||
		    !elf.has_interp || elf.dynamic == 0)
			continue;
		found = linkmap_read(t, elf.dynamic, elf.dynamic_size, &list);
		vec_deinit(&list);
		if (found)
			return m;
	}
	return NULL;
}

static struct target_module *
find_exe(struct target *t)
{
	static struct target_module *(*const ways[])(struct target *) = {
	    exe_by_auxv, exe_by_phdrs, exe_by_user, exe_by_command,
	    exe_by_debug_entry};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct target_module *m = ways[i](t);

		if (m != NULL)
			return m;
	}
	return NULL;
}

/* What the dynamic linker's list says of one file: its name, or that it is
 * there at all. */
static bool
apply_linked(struct target *t, const struct linkmap_entry *entry)
{
	struct target_module *m = module_with(t, entry->dynamic);
	const struct target_mapping *last;
	struct memelf elf;
	bool absent;

	if (entry->name[0] == '\0')
		return true;
	if (m != NULL) {
		if (m->path == unnamed)
			module_rename(m, entry->name);
		return true;
	}
	if (memelf_read(t, entry->bias, &elf, &absent))
		return module_add_elf(t, entry->name, entry->bias, &elf) !=
		    NULL;
	last = target_mapping_at(t, entry->dynamic);
	if (last == NULL || mapping_index(t, entry->bias) == SIZE_MAX ||
	    last->end <= entry->bias)
		return true;
	return module_add(t, entry->name, entry->bias, last->end) != NULL;
}

static bool
apply_linkmap(struct target *t)
{
	linkmap_vec list;
	bool ok = true;

	if (linkmap_of_exe(t, &list)) {
		target_warn(t, "core.files",
		    "the core names no mapped files; took the dynamic "
		    "linker's list of %zu",
		    list.count);
		for (size_t i = 0; ok && i < list.count; i++)
			ok = apply_linked(t, &list.items[i]);
	} else {
		target_warn(t, "core.files",
		    "the core names no mapped files, and the dynamic linker's "
		    "list cannot be read");
	}
	vec_deinit(&list);
	return ok;
}

bool
modules_find_exe(struct target *t)
{
	bool tabled = t->files.count != 0;

	if (!tabled && !add_unnamed(t))
		return false;
	t->exe = find_exe(t);
	if (t->exe != NULL) {
		t->exe->is_exe = true;
		if (t->exe->path == unnamed)
			module_rename(t->exe, exec_name(t));
	}
	if (!tabled && !apply_linkmap(t))
		return false;
	/* The list of modules still moves. */
	t->exe = NULL;
	return true;
}
