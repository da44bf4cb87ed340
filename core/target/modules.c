/* SPDX-License-Identifier: MIT */
/*
 * Which ELF files were loaded, and where. Trust order: the file table of the
 * core with the ELF headers that were dumped; the auxiliary vector for the
 * executable and the vdso; the dynamic linker's list; ELF headers found in
 * memory. Files that are merely mapped (locale archives, fonts) are none.
 */
#include <elf.h>

#include "base/map.h"
#include "base/text.h"
#include "target/target_private.h"

static const uint64_t page_mask = 4095;

/* All mappings of one file that belong to one loading of it. */
struct group {
	const char *path;
	bt_addr_t start, end; /* of the mappings seen so far */
	bt_addr_t load_end;   /* by its headers, 0: unknown */
	bt_addr_t file_start;
	uint64_t bias;
	uint64_t tls_size;
	bool has_elf, not_elf, exec, unknown_perms;
	struct image_build_id build_id;
};
typedef VEC(struct group) group_vec;

static struct group *
group_begin(struct target *t, group_vec *groups, const struct target_mapping *m)
{
	struct group *g = vec_push(groups);
	struct memelf elf;
	bool absent;

	if (g == NULL)
		return NULL;
	g->path = m->path;
	g->start = m->start;
	g->file_start = m->start - m->offset;
	g->bias = g->file_start;
	if (m->offset != 0)
		return g;
	g->has_elf = memelf_read(t, m->start, &elf, &absent);
	g->not_elf = !g->has_elf && !absent;
	if (g->has_elf) {
		g->bias = elf.bias;
		g->load_end = elf.end;
		g->tls_size = memelf_tls_size(elf.segments, elf.n_segments);
		g->build_id = elf.build_id;
	}
	return g;
}

/*
 * Whether a mapping goes on with what the group began. A small library may map
 * offset 0 twice (code and data share the file's first page), so the headers
 * decide when they are known.
 */
static bool
group_takes(const struct group *g, const struct target_mapping *m)
{
	if (g->load_end != 0)
		return m->start < g->load_end;
	return m->offset != 0 || m->start == g->end;
}

static bool
groups_collect(struct target *t, group_vec *groups)
{
	struct map latest; /* path -> index of its last group, plus 1 */
	bool ok = true;

	map_init(&latest, t->mappings.count + 1);
	for (size_t i = 0; ok && i < t->mappings.count; i++) {
		const struct target_mapping *m = &t->mappings.items[i];
		uint64_t *slot;
		struct group *g;

		if (m->path == NULL || m->path[0] == '[')
			continue;
		slot = map_put(&latest, (uint64_t)(uintptr_t)m->path, NULL);
		if (slot == NULL) {
			ok = false;
			break;
		}
		g = *slot != 0 ? &groups->items[*slot - 1] : NULL;
		if (g == NULL || !group_takes(g, m)) {
			g = group_begin(t, groups, m);
			*slot = groups->count;
		}
		if (g == NULL) {
			ok = false;
			break;
		}
		g->end = m->end;
		g->exec = g->exec || (m->perms & TARGET_X) != 0;
		g->unknown_perms = g->unknown_perms ||
		    (m->perms & TARGET_PERMS_UNKNOWN) != 0;
	}
	map_deinit(&latest);
	return ok;
}

/* The code of an ELF file is mapped executable where its headers say. */
bool
memelf_code_in_place(struct target *t, const struct memelf *elf)
{
	for (unsigned i = 0; i < elf->n_segments; i++) {
		const struct image_segment *s = &elf->segments[i];

		if (s->type == PT_LOAD && (s->flags & PF_X) != 0 &&
		    !target_is_executable(
			t, (s->vaddr & ~page_mask) + elf->bias))
			return false;
	}
	return true;
}

static bool
group_is_module(struct target *t, const struct group *g)
{
	struct memelf elf;
	bool absent;

	if (g->not_elf)
		return false;
	if (g->exec)
		return true;
	if (g->has_elf)
		/* No code of its own, or moved: loaded, not just read, when
		 * everything lies where the loader would put it. */
		return memelf_read(t, g->file_start, &elf, &absent) &&
		    module_layout_fits(
			t, elf.segments, elf.n_segments, elf.bias, g->path) &&
		    memelf_code_in_place(t, &elf);
	/* gdb's core, without headers: the file itself will tell. */
	return g->unknown_perms;
}

struct target_module *
module_add(struct target *t, const char *path, bt_addr_t start, bt_addr_t end)
{
	struct target_module *m = vec_push(&t->modules);

	if (m == NULL)
		return NULL;
	m->path = path;
	m->name = text_basename(path);
	m->start = start;
	m->end = end;
	m->file_start = start;
	m->bias = start;
	return m;
}

struct target_module *
module_add_elf(struct target *t, const char *path, bt_addr_t file_start,
    const struct memelf *elf)
{
	struct target_module *m = module_add(t, path, elf->start, elf->end);

	if (m == NULL)
		return NULL;
	m->file_start = file_start;
	m->bias = elf->bias;
	m->build_id = elf->build_id;
	m->has_header = true;
	m->tls_size = memelf_tls_size(elf->segments, elf->n_segments);
	return m;
}

static bool
add_groups(struct target *t)
{
	group_vec groups;
	bool ok;

	vec_init(&groups, t->modules.limit);
	ok = groups_collect(t, &groups);
	for (size_t i = 0; ok && i < groups.count; i++) {
		const struct group *g = &groups.items[i];
		struct target_module *m;

		if (!group_is_module(t, g))
			continue;
		m = module_add(t, g->path, g->start,
		    g->load_end != 0 ? g->load_end : g->end);
		ok = m != NULL;
		if (!ok)
			break;
		m->file_start = g->file_start;
		m->bias = g->bias;
		m->build_id = g->build_id;
		m->has_header = g->has_elf;
		m->tls_size = g->tls_size;
	}
	vec_deinit(&groups);
	return ok;
}

static bool
add_vdso_at(struct target *t, size_t index)
{
	struct target_mapping *map = &t->mappings.items[index];
	struct target_module *m;
	struct memelf elf;
	bool absent;

	if (!memelf_read(t, map->start, &elf, &absent))
		return false;
	map->path = "[vdso]";
	m = module_add_elf(t, "[vdso]", map->start, &elf);
	if (m == NULL)
		return false;
	m->end = map->end;
	m->is_vdso = true;
	return true;
}

/* Without the auxiliary vector the vdso is still the only small anonymous
 * code that begins with an ELF header. */
static void
add_vdso(struct target *t)
{
	const uint64_t vdso_max = 65536;
	uint64_t address;
	size_t index;

	if (target_auxv(t, AT_SYSINFO_EHDR, &address)) {
		index = mapping_index(t, address);
		if (index != SIZE_MAX &&
		    t->mappings.items[index].start == address &&
		    (t->mappings.items[index].perms & TARGET_X) != 0 &&
		    add_vdso_at(t, index))
			return;
		target_warn(t, "core.auxv",
		    "no vdso at 0x%llx, where the auxiliary vector has it",
		    (unsigned long long)address);
	}
	for (size_t i = 0; i < t->mappings.count; i++) {
		const struct target_mapping *m = &t->mappings.items[i];

		if (m->path == NULL && (m->perms & TARGET_X) != 0 &&
		    (m->perms & TARGET_W) == 0 && m->dumped != 0 &&
		    m->end - m->start <= vdso_max && add_vdso_at(t, i))
			return;
	}
}

static int
module_compare(const void *a, const void *b)
{
	const struct target_module *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

static void
sort_modules(struct target *t)
{
	if (t->modules.count == 0)
		return;
	qsort(t->modules.items, t->modules.count, sizeof(t->modules.items[0]),
	    module_compare);
	for (size_t i = 0; i < t->modules.count; i++) {
		struct target_module *m = &t->modules.items[i];

		m->index = (uint32_t)i;
		if (i + 1 < t->modules.count && m->end > m[1].start)
			m->end = m[1].start;
	}
}

/*
 * Modules whose header is not in the core (coredump_filter without bit 4): the
 * file decides whether it is one, where its addresses are counted from and
 * which of its parts may be executed.
 */
static void
settle_headless(struct target *t)
{
	const size_t looked_max = 4096; /* files opened, whatever is claimed */
	size_t kept = 0, looked = 0;

	for (size_t i = 0; i < t->modules.count; i++) {
		struct target_module *m = &t->modules.items[i];
		const struct target_mapping *map;
		size_t warned = t->warnings.count;

		if (!m->has_header && !m->is_vdso && looked++ < looked_max)
			(void)target_module_image(t, m);
		map = target_mapping_at(t, m->start);
		/* Not known to be code, and no ELF file: data. */
		if (!m->has_header && m->image == NULL && !m->is_exe &&
		    map != NULL && (map->perms & TARGET_PERMS_UNKNOWN) != 0 &&
		    strstr(m->name, ".so") == NULL) {
			/* That a locale archive is no ELF file is no news. */
			t->warnings.count = warned;
			continue;
		}
		t->modules.items[kept++] = *m;
	}
	t->modules.count = kept;
}

/* The core has no table of mapped files: what the module's headers say is
 * mapped from its file is; where it lacks those, too (QEMU writes neither),
 * those of the file. */
static void
name_from_elf(struct target *t, const struct target_module *module,
    struct target_mapping *m)
{
	const struct image_segment *segments = NULL;
	struct memelf elf;
	bool absent;
	size_t n = 0;

	if (m->path != NULL || module->path[0] == '(')
		return;
	if (module->has_header &&
	    memelf_read(t, module->file_start, &elf, &absent)) {
		segments = elf.segments;
		n = elf.n_segments;
	} else if (!module->has_header && module->image != NULL &&
	    !module->mismatched) {
		n = image_segments(module->image, &segments);
	}
	for (size_t i = 0; i < n; i++) {
		const struct image_segment *s = &segments[i];
		bt_addr_t start = (s->vaddr & ~page_mask) + module->bias;

		if (s->type != PT_LOAD || m->start < start ||
		    m->start >= s->vaddr + s->filesz + module->bias)
			continue;
		m->path = module->path;
		m->offset = (s->offset & ~page_mask) + (m->start - start);
	}
}

static void
perms_from_elf(
    struct target *t, struct target_module *module, struct target_mapping *m)
{
	const struct image_segment *segments;
	struct memelf elf;
	bool absent;
	uint32_t perms;
	size_t n;

	if (module->has_header &&
	    memelf_read(t, module->file_start, &elf, &absent)) {
		if (memelf_perms(elf.segments, elf.n_segments, module->bias,
			m->start, &perms))
			m->perms = perms;
	} else if (module->image != NULL) {
		n = image_segments(module->image, &segments);
		if (memelf_perms(segments, n, module->bias, m->start, &perms))
			m->perms = perms;
	}
}

static void
assign_mappings(struct target *t)
{
	size_t i = 0;

	for (size_t k = 0; k < t->modules.count; k++) {
		struct target_module *module = &t->modules.items[k];

		while (i < t->mappings.count &&
		    t->mappings.items[i].end <= module->start)
			i++;
		for (; i < t->mappings.count &&
		     t->mappings.items[i].start < module->end;
		     i++) {
			struct target_mapping *m = &t->mappings.items[i];

			m->module = module->index;
			if (t->files.count == 0)
				name_from_elf(t, module, m);
			if ((m->perms & TARGET_PERMS_UNKNOWN) != 0)
				perms_from_elf(t, module, m);
		}
	}
}

/* Files that are no modules are data: nobody executes them. */
static void
clear_unknown_data(struct target *t)
{
	for (size_t i = 0; i < t->mappings.count; i++) {
		struct target_mapping *m = &t->mappings.items[i];

		if (m->module == TARGET_NO_MODULE &&
		    (m->perms & TARGET_PERMS_UNKNOWN) != 0)
			m->perms = TARGET_R;
	}
}

bool
modules_build(struct target *t, bt_error_t *e)
{
	bool ok = add_groups(t);

	if (ok) {
		add_vdso(t);
		ok = modules_find_exe(t);
	}
	if (!ok)
		return bt_fail(e, BT_E_NOMEM, "out of memory for modules");
	sort_modules(t);
	settle_headless(t);
	sort_modules(t);
	assign_mappings(t);
	clear_unknown_data(t);
	t->exe = NULL;
	for (size_t i = 0; i < t->modules.count; i++) {
		if (t->modules.items[i].is_exe)
			t->exe = &t->modules.items[i];
	}
	if (t->exe == NULL && t->exe_path != NULL)
		target_warn(t, "exe.unplaced",
		    "the core does not tell where %s was loaded; not used",
		    target_show(t, t->exe_path));
	return true;
}
