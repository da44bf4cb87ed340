/* SPDX-License-Identifier: MIT */
/*
 * The file behind a module. A file of this machine is believed only when it
 * is proven to be the one that was mapped: by build-id; where there is none,
 * by its first page; where that was not dumped either, by the layout of its
 * mappings (and entry point and header count of the executable), which is
 * then said. What is refused is named in a warning.
 */
#include <elf.h>
#include <unistd.h>

#include "base/text.h"
#include "image/copy.h"
#include "target/target_private.h"

enum verdict { SAME, LIKELY, DIFFERENT };

static const uint64_t page_mask = 4095;

const char *
module_file_path(struct target *t, const char *path, bool *deleted)
{
	static const char suffix[] = " (deleted)";
	size_t len = strlen(path), cut = sizeof(suffix) - 1;

	*deleted = len > cut && strcmp(path + len - cut, suffix) == 0;
	return *deleted ? strings_addn(&t->strings, path, len - cut) : path;
}

bool
module_layout_fits(struct target *t, const struct image_segment *segments,
    size_t n, uint64_t bias, const char *path)
{
	size_t loads = 0;

	for (size_t i = 0; i < n; i++) {
		const struct image_segment *s = &segments[i];
		bt_addr_t at = (s->vaddr & ~page_mask) + bias;
		const struct target_mapping *m;

		if (s->type != PT_LOAD || s->filesz == 0)
			continue;
		loads++;
		m = target_mapping_at(t, at);
		/* Code moved to huge pages is anonymous. */
		if (m == NULL ||
		    (m->path != NULL &&
			(m->path != path ||
			    m->offset + (at - m->start) !=
				(s->offset & ~page_mask))))
			return false;
	}
	return loads != 0;
}

/* Without a header in memory, the place of the file's first byte and the
 * image's own segments give the bias. */
static bool
bias_from_image(struct target_module *m, const struct image *image,
    uint64_t *bias, bt_addr_t *end)
{
	const struct image_segment *segments;
	size_t n = image_segments(image, &segments);
	bool found = false;
	uint64_t high = 0;

	for (size_t i = 0; i < n; i++) {
		const struct image_segment *s = &segments[i];

		if (s->type != PT_LOAD)
			continue;
		if (!found) {
			*bias = m->file_start - (s->vaddr - s->offset);
			found = true;
		}
		if (s->vaddr + s->memsz > high)
			high = s->vaddr + s->memsz;
	}
	*end = ((high + page_mask) & ~page_mask) + *bias;
	return found;
}

static enum verdict
judge_by_header(
    struct target *t, struct target_module *m, const struct image *image)
{
	uint8_t ours[4096];
	const uint8_t *theirs;
	size_t got, have;

	got = target_read_own(t, m->file_start, ours, sizeof(ours));
	have = image_read_vaddr(image, m->file_start - m->bias, got, &theirs);
	/* The first segment may be shorter than the page. */
	if (have < 64 || memcmp(ours, theirs, have) != 0)
		return DIFFERENT;
	return LIKELY;
}

static enum verdict
judge_by_layout(
    struct target *t, struct target_module *m, const struct image *image)
{
	const struct image_segment *segments;
	size_t n = image_segments(image, &segments);
	uint64_t bias = 0, value;
	bt_addr_t end = 0;

	if (!bias_from_image(m, image, &bias, &end) ||
	    !module_layout_fits(t, segments, n, bias, m->path))
		return DIFFERENT;
	if (m->is_exe) {
		if (target_auxv(t, AT_ENTRY, &value) &&
		    value != image_entry(image) + bias)
			return DIFFERENT;
		if (target_auxv(t, AT_PHNUM, &value) && value != n)
			return DIFFERENT;
	}
	return LIKELY;
}

static enum verdict
judge(struct target *t, struct target_module *m, struct image *image)
{
	const struct image_build_id *id = image_build_id(image);

	if (m->build_id.size != 0)
		return id != NULL && image_build_id_equal(id, &m->build_id)
		    ? SAME
		    : DIFFERENT;
	return m->has_header ? judge_by_header(t, m, image)
			     : judge_by_layout(t, m, image);
}

static void
warn_mismatch(struct target *t, struct target_module *m, struct image *image,
    const char *path, bool used)
{
	const struct image_build_id *id = image_build_id(image);
	char ours[2 * IMAGE_BUILD_ID_MAX + 1] = "none";
	char theirs[2 * IMAGE_BUILD_ID_MAX + 1] = "none";
	const char *end = used ? "used all the same (--force)"
			       : "not used for symbols";

	if (id != NULL)
		image_build_id_hex(id, theirs);
	if (m->build_id.size != 0) {
		image_build_id_hex(&m->build_id, ours);
		target_warn(t, "module.mismatch",
		    "%s is not the file that was mapped: its build-id is %s, "
		    "the %s has %s; %s",
		    target_show(t, path), theirs,
		    t->ops->is_live ? "process" : "core", ours, end);
		return;
	}
	target_warn(t, "module.mismatch",
	    "%s is not the file that was mapped: %s differs, and the %s has "
	    "no build-id of it; %s",
	    target_show(t, path), m->has_header ? "its header" : "its layout",
	    t->ops->is_live ? "process" : "core", end);
}

static void
accept(struct target *t, struct target_module *m, struct image *image,
    const char *path, enum verdict verdict)
{
	m->image = image;
	m->image_path = strings_add(&t->strings, path);
	m->mismatched = verdict == DIFFERENT;
	m->unproven = verdict == LIKELY;
	if (!m->has_header && verdict != DIFFERENT) {
		bt_addr_t end = m->end;

		/* Unlike the file table the file knows of the zeroed part. */
		if (bias_from_image(m, image, &m->bias, &end) && end > m->end)
			m->end = end;
		if (m->build_id.size == 0 && image_build_id(image) != NULL)
			target_warn(t, "module.unproven",
			    "the core holds no build-id for %s; the file fits "
			    "its mappings and was used",
			    target_show(t, path));
	}
}

/* Tries one file. *e says why it could not be opened; a refusal is warned of
 * here. */
static bool
try_file(struct target *t, struct target_module *m, enum opener_kind kind,
    const char *path, bool guessed, bt_error_t *e)
{
	enum verdict verdict;
	struct image *image;

	if (!image_open(t->opener, kind, path, &image, e))
		return false;
	image_prefer_copy(t->opener, kind, &image);
	if (image_machine(image) != t->arch->machine) {
		m->mismatched = true;
		target_warn(t, "module.mismatch",
		    "%s is not the file that was mapped: it is of another "
		    "machine; not used for symbols",
		    target_show(t, path));
		image_unref(image);
		return bt_fail(e, BT_E_MISMATCH, "of another machine");
	}
	verdict = judge(t, m, image);
	if (guessed && verdict != SAME) {
		image_unref(image);
		return bt_fail(e, BT_E_NOTFOUND,
		    "the core names it relative to an unknown directory");
	}
	if (verdict == DIFFERENT) {
		m->mismatched = true;
		warn_mismatch(t, m, image, path, t->force);
		if (!t->force) {
			image_unref(image);
			return bt_fail(e, BT_E_MISMATCH, "not the file mapped");
		}
	} else if (guessed) {
		target_warn(t, "module.relative",
		    "%s was found by a relative name and has the right "
		    "build-id",
		    target_show(t, path));
	}
	accept(t, m, image, path, verdict);
	return true;
}

static bool
from_memory(struct target *t, struct target_module *m)
{
	struct image *image;
	struct memelf elf;
	uint8_t *bytes;
	size_t size;
	bool absent;

	if (!m->has_header || !memelf_read(t, m->file_start, &elf, &absent) ||
	    !memelf_to_file(t, &elf, &bytes, &size) ||
	    !image_from_memory(bytes, size, m->path, &image, NULL))
		return false;
	/* The loader has relocated the copy's PT_DYNAMIC. */
	image_set_dynamic_bias(image, m->bias);
	m->image = image;
	m->image_path = m->path;
	m->mismatched = false;
	return true;
}

/* A file that is not on this machine, from the user's debuginfod server. */
static bool
from_server(struct target *t, struct target_module *m)
{
	struct image *image;
	bt_error_t e = {0};

	if (t->finder.server == NULL || m->build_id.size == 0)
		return false;
	if (!debugfile_find_executable(&t->finder, &m->build_id, &image, &e)) {
		if (e.code != BT_E_NOTFOUND)
			target_warn(t, "module.server", "%s: %s",
			    target_show(t, m->path), e.text);
		return false;
	}
	m->mismatched = false;
	accept(t, m, image, image_path(image), SAME);
	return true;
}

/* Names under these directories mean something of this machine, not of the
 * target's. */
static bool
names_local_thing(const char *path)
{
	return strncmp(path, "/proc/", 6) == 0 ||
	    strncmp(path, "/sys/", 5) == 0;
}

/*
 * A relative name is relative to a directory we do not know. The same name
 * below ours may be another program, so only the build-id can say it is not.
 */
static bool
try_relative(
    struct target *t, struct target_module *m, const char *path, bt_error_t *e)
{
	char *cwd = getcwd(NULL, 0);
	const char *full = NULL;

	if (strncmp(path, "./", 2) == 0)
		path += 2;
	if (cwd != NULL)
		full = arena_printf(&t->arena, "%s/%s", cwd, path);
	free(cwd);
	if (full == NULL || m->build_id.size == 0)
		return bt_fail(e, BT_E_NOTFOUND,
		    "the core names it relative to an unknown directory");
	return try_file(t, m, OPENER_MODULE, full, true, e);
}

static bool
try_path(
    struct target *t, struct target_module *m, const char *named, bt_error_t *e)
{
	bool deleted;
	const char *path = module_file_path(t, named, &deleted);

	if (path[0] == '\0' || path[0] == '[' || path[0] == '(' ||
	    names_local_thing(path))
		return bt_fail(e, BT_E_NOTFOUND, "names no file");
	if (path[0] != '/')
		return try_relative(t, m, path, e);
	return try_file(t, m, OPENER_MODULE, path, false, e);
}

static bool
try_exec_name(struct target *t, struct target_module *m, bt_error_t *e)
{
	uint64_t address;
	char text[4096];
	bool truncated;

	if (!target_auxv(t, AT_EXECFN, &address) ||
	    target_read_cstr(t, address, text, sizeof(text), &truncated) <= 0 ||
	    truncated || strcmp(text, m->path) == 0)
		return false;
	return try_path(t, m, text, e);
}

static void
find_image(struct target *t, struct target_module *m)
{
	bt_error_t e = {0}, ignored = {0};

	if (m->is_vdso) {
		if (!from_memory(t, m))
			target_warn(t, "module.vdso",
			    "the vdso is not wholly in the core");
		return;
	}
	if (m->is_exe && t->exe_path != NULL) {
		if (try_file(t, m, OPENER_EXE_USER, t->exe_path, false, &e))
			return;
		if (e.code != BT_E_MISMATCH)
			target_warn(t, "exe.unusable", "%s", e.text);
	}
	if (try_path(t, m, m->path, &e) ||
	    (m->is_exe && try_exec_name(t, m, &ignored)) || from_server(t, m) ||
	    from_memory(t, m))
		return;
	if (e.code != BT_E_MISMATCH)
		target_warn(t, "module.missing", "%s: %s",
		    target_show(t, m->path), e.text);
}

struct image *
target_module_image(struct target *t, struct target_module *m)
{
	if (!m->image_tried) {
		m->image_tried = true;
		find_image(t, m);
	}
	return m->image;
}

/* The name by which find_image will first look for it; NULL: by none. */
static const char *
first_name(struct target *t, const struct target_module *m)
{
	bool deleted;
	const char *path;

	if (m->is_vdso || (m->is_exe && t->exe_path != NULL))
		return NULL;
	path = module_file_path(t, m->path, &deleted);
	return path[0] == '/' && !names_local_thing(path) ? path : NULL;
}

void
target_expect_images(struct target *t, size_t from)
{
	enum { AHEAD = 32 };
	struct target_module *modules;
	size_t n = target_modules(t, &modules), end;

	if (from >= n)
		return;
	end = n - from > AHEAD ? from + AHEAD : n;
	/* Half of them are still to come. */
	if (modules[from + (end - from) / 2].image_expected)
		return;
	for (size_t i = from; i < end; i++) {
		struct target_module *m = &modules[i];
		const char *path = m->image_tried || m->image_expected
		    ? NULL
		    : first_name(t, m);

		m->image_expected = true;
		if (path != NULL)
			opener_expect(t->opener, OPENER_MODULE, path);
	}
}

static bool
load_wanted(const struct target *t, const struct target_module *m)
{
	if (t->load == NULL)
		return true;
	for (size_t i = 0; t->load[i] != NULL; i++) {
		if (strstr(m->path, t->load[i]) != NULL)
			return true;
	}
	return false;
}

static enum target_debug
symbols_of(struct image *image)
{
	if (image_has_symtab(image))
		return TARGET_DEBUG_SYMTAB;
	if (image_section_find(image, ".dynsym") != NULL)
		return TARGET_DEBUG_DYNSYM;
	return TARGET_DEBUG_NONE;
}

struct image *
target_module_debug(struct target *t, struct target_module *m)
{
	bt_error_t e = {0};
	struct image *image;

	if (m->debug_tried)
		return m->debug;
	m->debug_tried = true;
	m->debug_kind = TARGET_DEBUG_NONE;
	image = target_module_image(t, m);
	if (image == NULL)
		return NULL;
	m->debug_kind = symbols_of(image);
	if (!load_wanted(t, m))
		return NULL;
	if (!debugfile_find(&t->finder, image, m->image_path, &m->debug, &e)) {
		m->debug = NULL;
		if (e.code != BT_E_NOTFOUND)
			target_warn(t, "module.debug", "%s: %s",
			    target_show(t, m->path), e.text);
		return NULL;
	}
	m->debug_kind = debugfile_has_info(m->debug) ? TARGET_DEBUG_DWARF
						     : TARGET_DEBUG_SYMTAB;
	m->debug_path = strings_add(&t->strings, image_path(m->debug));
	return m->debug;
}
