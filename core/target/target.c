/* SPDX-License-Identifier: MIT */
/*
 * The parts of a target that do not depend on where it came from: its birth
 * and end, the lists it hands out, its warnings.
 */
#include <elf.h>

#include "base/text.h"
#include "target/arch/prologue.h"
#include "target/target_private.h"

/* A target of 130,000 mappings with long paths needs about 50 MB. */
static const size_t arena_cap = (size_t)1 << 30;
static const size_t threads_max = (size_t)1 << 22;
static const size_t ranges_max = (size_t)1 << 22;
static const size_t modules_max = (size_t)1 << 20;
static const size_t auxv_max = 4096;
static const size_t warnings_max = 1000;
static const size_t facts_max = 1000;
static const size_t limits_max = 64; /* there are 16 */
static const size_t descriptors_max = 1 << 16;
static const uint64_t own_steps = UINT64_C(1) << 32;

bool
target_init(struct target *t, const struct target_ops *ops,
    const struct target_options *options, bt_error_t *e)
{
	t->ops = ops;
	t->arch = &arch_x86_64;
	arena_init(&t->arena, arena_cap);
	strings_init(&t->strings, &t->arena);
	vec_init(&t->threads, threads_max);
	vec_init(&t->files, ranges_max);
	vec_init(&t->loads, ranges_max);
	vec_init(&t->mappings, 2 * ranges_max);
	vec_init(&t->modules, modules_max);
	vec_init(&t->auxv, auxv_max);
	vec_init(&t->warnings, warnings_max);
	vec_init(&t->facts, facts_max);
	vec_init(&t->limits, limits_max);
	vec_init(&t->descriptors, descriptors_max);
	t->opener = options->opener;
	t->finder = options->finder;
	if (t->finder.opener == NULL)
		t->finder.opener = options->opener;
	if (t->finder.dirs == NULL)
		t->finder.dirs = debugfile_default_dirs;
	t->load = options->load;
	t->force = options->force;
	budget_init(&t->own_budget, own_steps, 0);
	t->budget = options->budget != NULL ? options->budget : &t->own_budget;
	if (options->exe_path != NULL) {
		t->exe_path = arena_strdup(&t->arena, options->exe_path);
		if (t->exe_path == NULL)
			return bt_fail(e, BT_E_NOMEM, "out of memory");
	}
	return true;
}

void
target_deinit(struct target *t)
{
	for (size_t i = 0; i < t->modules.count; i++) {
		image_unref(t->modules.items[i].debug);
		image_unref(t->modules.items[i].image);
	}
	vec_deinit(&t->threads);
	vec_deinit(&t->files);
	vec_deinit(&t->loads);
	vec_deinit(&t->mappings);
	vec_deinit(&t->modules);
	vec_deinit(&t->auxv);
	vec_deinit(&t->warnings);
	vec_deinit(&t->facts);
	vec_deinit(&t->limits);
	vec_deinit(&t->descriptors);
	strings_deinit(&t->strings);
	arena_deinit(&t->arena);
}

bool
target_finish(struct target *t, bt_error_t *e)
{
	uint64_t address;
	char text[4096];
	bool truncated;

	if (!mappings_build(t, e) || !modules_build(t, e))
		return false;
	mappings_name_heap(t);
	if (t->exe != NULL && t->exe->path[0] != '(') {
		t->process.exe = t->exe->path;
	} else if (target_auxv(t, AT_EXECFN, &address) &&
	    target_read_cstr(t, address, text, sizeof(text), &truncated) > 0 &&
	    !truncated) {
		t->process.exe = strings_add(&t->strings, text);
	}
	/* The executable the user gave is judged at once: a refusal is the
	 * first thing to be told. */
	if (t->exe_path != NULL && t->exe != NULL)
		(void)target_module_image(t, t->exe);
	if (t->arena.exhausted)
		return bt_fail(
		    e, BT_E_LIMIT, "the target needs too much memory");
	return true;
}

void
target_close(struct target *t)
{
	if (t != NULL)
		t->ops->close(t);
}

const struct arch *
target_arch(const struct target *t)
{
	return t->arch;
}

bt_addr_t
target_code_pointer(const struct target *t, uint64_t value)
{
	uint64_t mask = t->code_mask;

	if (mask == 0 && t->arch->unwind != NULL)
		mask = t->arch->unwind->signature;
	return value & ~mask;
}

const struct target_process *
target_process(const struct target *t)
{
	return &t->process;
}

const struct target_signal *
target_signal(const struct target *t)
{
	return &t->signal;
}

void
target_set_signal(struct target *t, const struct target_signal *signal)
{

	t->signal = *signal;
}

size_t
target_threads(struct target *t, struct target_thread **out)
{
	*out = t->threads.items;
	return t->threads.count;
}

size_t
target_mappings(const struct target *t, const struct target_mapping **out)
{
	*out = t->mappings.items;
	return t->mappings.count;
}

size_t
target_modules(struct target *t, struct target_module **out)
{
	*out = t->modules.items;
	return t->modules.count;
}

size_t
target_warnings(const struct target *t, const struct target_warning **out)
{
	*out = t->warnings.items;
	return t->warnings.count;
}

size_t
target_facts(const struct target *t, const struct target_fact **out)
{
	*out = t->facts.items;
	return t->facts.count;
}

size_t
target_limits(const struct target *t, const struct target_limit **out)
{
	*out = t->limits.items;
	return t->limits.count;
}

size_t
target_descriptors(const struct target *t, const struct target_descriptor **out)
{
	*out = t->descriptors.items;
	return t->descriptors.count;
}

void
target_warn(struct target *t, const char *code, const char *format, ...)
{
	struct target_warning *w;
	va_list ap;

	w = vec_push(&t->warnings);
	if (w == NULL) {
		t->warnings_dropped++;
		return;
	}
	va_start(ap, format);
	w->text = arena_vprintf(&t->arena, format, ap);
	va_end(ap);
	w->code = strings_add(&t->strings, code);
	if (w->text == NULL)
		w->text = "(out of memory)";
}

const char *
target_show(struct target *t, const char *path)
{
	char text[1024];

	if (path == NULL)
		return "(unnamed)";
	return strings_add(
	    &t->strings, text_escape_into(text, sizeof(text), path));
}

bool
target_auxv(const struct target *t, uint64_t type, uint64_t *value)
{
	for (size_t i = 0; i < t->auxv.count; i++) {
		if (t->auxv.items[i].type == type) {
			*value = t->auxv.items[i].value;
			return true;
		}
	}
	return false;
}

const struct target_mapping *
target_mapping_at(const struct target *t, bt_addr_t address)
{
	size_t i = mapping_index(t, address);

	return i != SIZE_MAX ? &t->mappings.items[i] : NULL;
}

struct target_module *
target_module_at(struct target *t, bt_addr_t address)
{
	size_t low = 0, high = t->modules.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (t->modules.items[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || address >= t->modules.items[low - 1].end)
		return NULL;
	return &t->modules.items[low - 1];
}

/*
 * A file part that the core names but does not hold, whose file is gone, too:
 * its permissions are unknown. gdb leaves out exactly the unmodified private
 * parts, code first of all, so an address there may be code.
 */
bool
target_is_executable(const struct target *t, bt_addr_t address)
{
	const struct target_mapping *m = target_mapping_at(t, address);

	return m != NULL && (m->perms & (TARGET_X | TARGET_PERMS_UNKNOWN)) != 0;
}
