/* SPDX-License-Identifier: MIT */
/*
 * Which ELF files a core shows as loaded, and which file of this machine is
 * believed to be one of them. The cores are written here; the files, too.
 */
#include <signal.h>
#include <sys/stat.h>

#include "unit/target_fixture.h"

enum { ELF_FILE_SIZE = 0x3000 };

/* An ELF file of three pages: header, code (0xcc ...), data (0xdd ...). */
static void
elf_file(uint8_t *bytes, uint16_t type, uint64_t base, uint8_t id)
{
	elf_page(bytes, type, base, id, false);
	for (unsigned i = 0; i < 0x1000; i++)
		bytes[0x1000 + i] = (uint8_t)(0xcc + i);
	memset(bytes + 0x2000, 0xdd, 0x1000);
}

static const char *
write_elf(const char *name, uint8_t id)
{
	uint8_t bytes[ELF_FILE_SIZE];

	elf_file(bytes, ET_DYN, 0, id);
	test_write_file(test_path(name), bytes, sizeof(bytes));
	return test_path(name);
}

/* A core with one ELF file at 0x10000, its first page as given. */
static void
one_file(struct core_file *c, const uint8_t *page, const char *path)
{
	struct core_mapped files[3];

	core_file_init(c);
	core_thread(c, 5, SIGSEGV, 0);
	core_mapped_files(c, 3, 4096, files, elf_mapped(files, 0x10000, path));
	elf_segments(c, 0x10000, page, NULL);
}

TEST(from_file_table)
{
	static const uint64_t auxv[] = {
	    AT_PHDR, 0x400040, AT_PHNUM, 5, AT_ENTRY, 0x401000, AT_NULL, 0};
	uint8_t exe[ELF_PAGE_SIZE], lib[ELF_PAGE_SIZE], data[ELF_PAGE_SIZE];
	struct core_mapped files[16];
	struct target_module *m;
	const struct target_mapping *map;
	struct core_file c;
	struct opened o;
	struct target *t;
	size_t n = 0;

	elf_page(exe, ET_EXEC, 0x400000, 1, true);
	elf_page(lib, ET_DYN, 0, 2, false);
	memset(data, 'd', sizeof(data));
	core_file_init(&c);
	core_thread(&c, 5, SIGSEGV, 0);
	n += elf_mapped(files + n, 0x400000, "/nowhere/exe");
	n += elf_mapped(files + n, 0x700000, "/nowhere/lib.so");
	/* the same file loaded once more (another namespace) */
	n += elf_mapped(files + n, 0x800000, "/nowhere/lib.so");
	/* fonts; an ELF file being read; code that is no ELF file */
	files[n++] = (struct core_mapped){
	    0x900000, 0x910000, 0, "/nowhere/font"};
	files[n++] = (struct core_mapped){
	    0xa00000, 0xa03000, 0, "/nowhere/read.so"};
	files[n++] = (struct core_mapped){
	    0xb00000, 0xb10000, 0, "/nowhere/jit"};
	core_mapped_files(&c, n, 4096, files, n);
	core_auxv(&c, auxv, 8);
	elf_segments(&c, 0x400000, exe, NULL);
	elf_segments(&c, 0x700000, lib, NULL);
	elf_segments(&c, 0x800000, lib, NULL);
	core_segment(&c, 0x900000, 0x10000, PF_R, NULL, 0);
	core_segment(&c, 0xa00000, 0x3000, PF_R, lib, 0x1000);
	core_segment(&c, 0xb00000, 0x10000, PF_R | PF_X, data, 0x1000);
	t = open_core(&o, &c);
	assert_uint(target_modules(t, &m), 3);
	expect_str(m[0].path, "/nowhere/exe");
	expect_str(m[0].name, "exe");
	expect_true(m[0].is_exe);
	expect_uint(m[0].bias, 0);
	expect_uint(m[0].start, 0x400000);
	expect_uint(m[0].end, 0x404000);
	expect_uint(m[0].build_id.size, 20);
	expect_uint(m[0].build_id.bytes[19], 1);
	expect_str(target_process(t)->exe, "/nowhere/exe");
	for (unsigned i = 1; i < 3; i++) {
		expect_str(m[i].name, "lib.so");
		expect_uint(m[i].bias, 0x600000 + i * UINT64_C(0x100000));
		expect_uint(m[i].start, m[i].bias);
		expect_uint(m[i].build_id.bytes[0], 2);
		expect_uint(m[i].index, i);
		expect_false(m[i].is_exe);
	}
	expect_true(target_module_at(t, 0x703fff) == &m[1]);
	expect_null(target_module_at(t, 0x704000));
	expect_null(target_module_at(t, 0x3fffff));
	expect_null(target_module_at(t, 0xa00000));
	map = target_mapping_at(t, 0x803000);
	assert_not_null(map);
	expect_uint(map->module, 2);
	map = target_mapping_at(t, 0x900000);
	assert_not_null(map);
	expect_uint(map->module, TARGET_NO_MODULE);
	close_core(&o);
	core_file_deinit(&c);
}

/* A program at 0x400000 to 0x404000 with a mapping of `perms` at `heap`, one
 * behind it, and perhaps a library at `lib`; says what is called [heap]. */
static const char *
heap_names(uint64_t heap, uint32_t perms, uint64_t lib)
{
	static const uint64_t auxv[] = {
	    AT_PHDR, 0x400040, AT_PHNUM, 5, AT_ENTRY, 0x401000, AT_NULL, 0};
	static char text[64];
	uint8_t exe[ELF_PAGE_SIZE], so[ELF_PAGE_SIZE];
	const struct target_mapping *maps;
	struct core_mapped files[16];
	struct core_file c;
	struct opened o;
	struct target *t;
	size_t n = 0, count;

	elf_page(exe, ET_EXEC, 0x400000, 1, true);
	elf_page(so, ET_DYN, 0, 2, false);
	core_file_init(&c);
	core_thread(&c, 5, SIGSEGV, 0);
	n += elf_mapped(files + n, 0x400000, "/nowhere/exe");
	if (lib != 0)
		n += elf_mapped(files + n, lib, "/nowhere/lib.so");
	core_mapped_files(&c, n, 4096, files, n);
	core_auxv(&c, auxv, 8);
	elf_segments(&c, 0x400000, exe, NULL);
	if (lib != 0)
		elf_segments(&c, lib, so, NULL);
	core_segment(&c, heap, 0x2000, perms, exe, 0x1000);
	core_segment(&c, heap + 0x2000, 0x1000, PF_R | PF_W, exe, 0x1000);
	core_segment(&c, heap + 0x4000, 0x1000, PF_R | PF_W, exe, 0x1000);
	t = open_core(&o, &c);
	count = target_mappings(t, &maps);
	text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		if (maps[i].path != NULL && strcmp(maps[i].path, "[heap]") == 0)
			snprintf(text + strlen(text),
			    sizeof(text) - strlen(text), "%llx ",
			    (unsigned long long)maps[i].start);
	close_core(&o);
	core_file_deinit(&c);
	return text;
}

TEST(heap_by_its_place)
{
	const uint32_t data = PF_R | PF_W;

	/* At the program's end or at random above it, in one or more parts. */
	expect_str(heap_names(0x404000, data, 0), "404000 406000 ");
	expect_str(heap_names(0x1404000, data, 0), "1404000 1406000 ");
	expect_str(
	    heap_names(0x1404000, data, 0x7f0000000000), "1404000 1406000 ");
	/* Code, or too far away; or among the loader's mappings. */
	expect_str(heap_names(0x1404000, PF_R | PF_X, 0), "");
	expect_str(heap_names(0x7f0000000000, data, 0), "");
	expect_str(heap_names(0x404000, data, 0x1000000), "");
}

/* Code and data in the file's first page: offset 0 is mapped twice. */
TEST(first_page_mapped_twice)
{
	static const struct core_mapped files[] = {
	    {0x10000, 0x11000, 0, "/nowhere/small.so"},
	    {0x11000, 0x12000, 0, "/nowhere/small.so"}};
	uint8_t page[ELF_PAGE_SIZE];
	struct target_module *m;
	struct core_file c;
	struct opened o;
	Elf64_Phdr *p = (Elf64_Phdr *)(void *)(page + 64);

	elf_page(page, ET_DYN, 0, 3, false);
	p[0].p_flags = PF_R | PF_X;
	p[1] = (Elf64_Phdr){
	    PT_LOAD, PF_R | PF_W, 0xf00, 0x1f00, 0x1f00, 0x80, 0x80, 0x1000};
	p[2].p_type = PT_NULL;
	core_file_init(&c);
	core_thread(&c, 5, SIGSEGV, 0);
	core_mapped_files(&c, 2, 4096, files, 2);
	core_segment(&c, 0x10000, 0x1000, PF_R | PF_X, page, 0x1000);
	core_segment(&c, 0x11000, 0x1000, PF_R | PF_W, page, 0x1000);
	assert_uint(target_modules(open_core(&o, &c), &m), 1);
	expect_uint(m[0].start, 0x10000);
	expect_uint(m[0].end, 0x12000);
	close_core(&o);
	core_file_deinit(&c);
}

/* ---- the file behind a module ---- */

TEST(right_file)
{
	const char *path = write_elf("lib.so", 7);
	uint8_t page[ELF_PAGE_SIZE], buffer[16];
	struct target_module *m;
	struct core_file c;
	struct opened o;
	struct target *t;

	elf_page(page, ET_DYN, 0, 7, false);
	one_file(&c, page, path);
	t = open_core(&o, &c);
	assert_uint(target_modules(t, &m), 1);
	/* code that was not dumped comes from the file ... */
	assert_uint(target_read(t, 0x11010, buffer, 16), 16);
	expect_uint(buffer[0], 0xdc);
	expect_uint(target_read(t, 0x11ff8, buffer, 16), 8);
	/* ... writable data does not, whatever the file has */
	expect_uint(target_read(t, 0x13000, buffer, 16), 0);
	assert_not_null(target_module_image(t, m));
	expect_str(m->image_path, path);
	expect_false(m->mismatched);
	expect_false(m->unproven);
	expect_str(warning_of(t, "module.mismatch"), "");
	close_core(&o);
	core_file_deinit(&c);
}

TEST(wrong_file)
{
	const char *path = write_elf("lib.so", 8);
	uint8_t page[ELF_PAGE_SIZE], buffer[16];
	struct target_module *m;
	struct core_file c;
	struct opened o;

	elf_page(page, ET_DYN, 0, 7, false);
	one_file(&c, page, path);
	core_file_layout(&c);
	test_write_file(test_path("core"), c.bytes.data, c.bytes.size);
	for (int force = 0; force < 2; force++) {
		const char *text;

		open_file(&o, test_path("core"), NULL, force != 0);
		assert_not_null(o.t);
		assert_uint(target_modules(o.t, &m), 1);
		expect_int(target_module_image(o.t, m) != NULL, force);
		expect_true(m->mismatched);
		/* never as memory: those bytes were not in the process */
		expect_uint(target_read(o.t, 0x11010, buffer, 16), 0);
		text = warning_of(o.t, "module.mismatch");
		expect_contains(text, path);
		expect_contains(text, "0808080808");
		expect_contains(text, "0707070707");
		expect_contains(text, force != 0 ? "--force" : "not used");
		close_core(&o);
	}
	core_file_deinit(&c);
}

TEST(given_executable)
{
	static const uint64_t auxv[] = {AT_ENTRY, 0x11000, AT_NULL, 0};
	const char *right = write_elf("right", 7);
	const char *wrong = write_elf("wrong", 8);
	const char *nothing = test_path("nothing");
	const struct {
		const char *mapped, *given, *used, *warning;
	} cases[] = {
	    {"/nowhere/exe", right, right, ""},
	    {right, wrong, right, "module.mismatch"},
	    {right, nothing, right, "exe.unusable"},
	    {right, NULL, right, ""},
	    {"/nowhere/exe", wrong, NULL, "module.mismatch"},
	    {"/nowhere/exe", NULL, NULL, ""},
	    {wrong, right, right, ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t page[ELF_PAGE_SIZE];
		struct target_module *m;
		struct core_file c;
		struct opened o;

		printf("case %zu\n", i);
		elf_page(page, ET_DYN, 0, 7, false);
		one_file(&c, page, cases[i].mapped);
		core_auxv(&c, auxv, 4);
		core_file_layout(&c);
		test_write_file(test_path("core"), c.bytes.data, c.bytes.size);
		open_file(&o, test_path("core"), cases[i].given, false);
		assert_not_null(o.t);
		assert_uint(target_modules(o.t, &m), 1);
		assert_true(m->is_exe);
		/* a refusal is known once the core is open */
		if (cases[i].warning[0] != '\0')
			expect_contains(
			    warning_of(o.t, cases[i].warning), "no");
		(void)target_module_image(o.t, m);
		if (cases[i].used != NULL)
			expect_str(m->image_path, cases[i].used);
		else
			expect_null(m->image);
		expect_int(m->mismatched,
		    cases[i].used == NULL && cases[i].given == wrong);
		close_core(&o);
		core_file_deinit(&c);
	}
}

/* No build-id in either: the dumped page decides. */
TEST(without_build_id)
{
	uint8_t page[ELF_PAGE_SIZE];
	const char *path = write_elf("lib.so", 0);

	for (int differ = 0; differ < 2; differ++) {
		struct target_module *m;
		struct core_file c;
		struct opened o;
		struct target *t;

		elf_page(page, ET_DYN, 0, 0, false);
		if (differ != 0)
			page[0xa00] = 1;
		one_file(&c, page, path);
		t = open_core(&o, &c);
		assert_uint(target_modules(t, &m), 1);
		expect_int(target_module_image(t, m) != NULL, !differ);
		expect_int(m->unproven, !differ);
		expect_int(m->mismatched, differ);
		if (differ != 0)
			expect_contains(warning_of(t, "module.mismatch"),
			    "its header differs");
		close_core(&o);
		core_file_deinit(&c);
	}
}

/* No header in the core at all: the layout of the mappings decides. */
TEST(without_header)
{
	const char *path = write_elf("lib.so", 9);

	for (int differ = 0; differ < 2; differ++) {
		struct core_mapped files[3];
		struct target_module *m;
		struct core_file c;
		struct opened o;
		struct target *t;
		uint8_t byte = 0;

		core_file_init(&c);
		core_thread(&c, 5, SIGSEGV, 0);
		elf_mapped(files, 0x10000, path);
		if (differ != 0)
			files[2].pages = 3;
		core_mapped_files(&c, 3, 4096, files, 3);
		elf_segments(&c, 0x10000, NULL, NULL);
		t = open_core(&o, &c);
		assert_uint(target_modules(t, &m), 1);
		expect_int(m->image != NULL, !differ);
		expect_uint(m->bias, 0x10000);
		expect_uint(target_read(t, 0x11000, &byte, 1), !differ);
		if (differ == 0)
			expect_contains(
			    warning_of(t, "module.unproven"), "no build-id");
		else
			expect_contains(warning_of(t, "module.mismatch"),
			    "its layout differs");
		close_core(&o);
		core_file_deinit(&c);
	}
}

/* gdb leaves unmodified file parts out of its cores altogether: the headers
 * tell their permissions, or else the file. */
TEST(parts_only_in_the_file_table)
{
	const char *path = write_elf("lib.so", 7);
	const char *paths[] = {path, path, "/nowhere/lib.so", "/nowhere/y"};
	const bool headers[] = {true, false, true, false};

	for (size_t i = 0; i < 4; i++) {
		const struct target_mapping *maps;
		struct core_mapped files[3];
		uint8_t page[ELF_PAGE_SIZE];
		struct target_module *m;
		struct core_file c;
		struct opened o;
		struct target *t;

		printf("case %zu\n", i);
		elf_page(page, ET_DYN, 0, 7, false);
		core_file_init(&c);
		core_psinfo(&c, 5, "x", "x");
		core_thread(&c, 5, SIGSEGV, 0);
		core_mapped_files(
		    &c, 3, 4096, files, elf_mapped(files, 0x10000, paths[i]));
		if (headers[i])
			core_segment(&c, 0x10000, 0x1000, PF_R, page, 0x1000);
		t = open_core(&o, &c);
		assert_uint(target_mappings(t, &maps), 3);
		if (i == 3) { /* nobody can know; it is not taken for ELF */
			expect_uint(target_modules(t, &m), 0);
			close_core(&o);
			core_file_deinit(&c);
			continue;
		}
		assert_uint(target_modules(t, &m), 1);
		expect_uint(maps[1].perms, TARGET_R | TARGET_X);
		expect_uint(maps[2].perms, TARGET_R | TARGET_W);
		expect_true(target_is_executable(t, 0x11000));
		expect_false(target_is_executable(t, 0x13000));
		close_core(&o);
		core_file_deinit(&c);
	}
}

/* Names from a core that must not be opened, or lead nowhere. */
TEST(foreign_names)
{
	const char *names[] = {"/proc/self/exe", "/proc/self/fd/0",
	    "/sys/kernel/notes", "/dev/zero", test_path("fifo"), test_dir(),
	    "//deleted (deleted)", "/memfd:x (deleted)", "/SYSV00000000",
	    "anon_inode:[x]", "\033[31m\nred", "relative/name", "../../name",
	    "[stack]x"};

	assert_int(mkfifo(test_path("fifo"), 0600), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct target_warning *w;
		uint8_t page[ELF_PAGE_SIZE];
		struct target_module *m;
		struct core_file c;
		struct opened o;
		struct target *t;
		size_t n;

		printf("%zu\n", i);
		elf_page(page, ET_DYN, 0, 7, false);
		one_file(&c, page, names[i]);
		t = open_core(&o, &c);
		n = target_modules(t, &m);
		for (size_t k = 0; k < n; k++) {
			expect_null(target_module_image(t, &m[k]));
			expect_null(target_module_debug(t, &m[k]));
			expect_str(m[k].path, names[i]);
		}
		n = target_warnings(t, &w);
		for (size_t k = 0; k < n; k++) {
			expect_null(strchr(w[k].text, '\033'));
			expect_null(strchr(w[k].text, '\n'));
		}
		close_core(&o);
		core_file_deinit(&c);
	}
}

/* The file was replaced by another while the process ran: the name comes with
 * " (deleted)", and the file now there is judged as any other. */
TEST(deleted)
{
	const char *path = write_elf("lib.so", 7);
	uint8_t page[ELF_PAGE_SIZE];
	struct target_module *m;
	struct core_file c;
	struct opened o;
	struct target *t;

	elf_page(page, ET_DYN, 0, 7, false);
	one_file(&c, page, test_format("%s (deleted)", path));
	t = open_core(&o, &c);
	assert_uint(target_modules(t, &m), 1);
	expect_not_null(target_module_image(t, m));
	expect_str(m->image_path, path);
	expect_contains(m->path, " (deleted)");
	close_core(&o);
	core_file_deinit(&c);
}

/* A file that is gone, but all of which was dumped (coredump_filter bit 2). */
TEST(image_from_memory)
{
	const struct image_segment *segments;
	uint8_t file[ELF_FILE_SIZE];
	struct core_mapped files[3];
	struct target_module *m;
	struct core_file c;
	struct opened o;
	struct target *t;
	struct image *image;

	elf_file(file, ET_DYN, 0, 7);
	core_file_init(&c);
	core_thread(&c, 5, SIGSEGV, 0);
	core_mapped_files(
	    &c, 3, 4096, files, elf_mapped(files, 0x10000, "/nowhere/gone.so"));
	core_segment(&c, 0x10000, 0x1000, PF_R, file, 0x1000);
	core_segment(&c, 0x11000, 0x1000, PF_R | PF_X, file + 0x1000, 0x1000);
	core_segment(&c, 0x13000, 0x1000, PF_R | PF_W, file + 0x2000, 0x1000);
	t = open_core(&o, &c);
	assert_uint(target_modules(t, &m), 1);
	image = target_module_image(t, m);
	assert_not_null(image);
	expect_uint(image_segments(image, &segments), 5);
	expect_uint(image_entry(image), 0x1000);
	assert_not_null(image_build_id(image));
	expect_uint(image_build_id(image)->bytes[0], 7);
	close_core(&o);
	core_file_deinit(&c);
}

/* ---- the vdso ---- */

TEST(vdso)
{
	static const uint64_t auxv[] = {AT_SYSINFO_EHDR, 0x10000, AT_NULL, 0};

	for (int with_auxv = 0; with_auxv < 2; with_auxv++) {
		const struct target_mapping *map;
		uint8_t page[ELF_PAGE_SIZE];
		struct target_module *m;
		struct core_file c;
		struct opened o;
		struct target *t;
		Elf64_Phdr *p = (Elf64_Phdr *)(void *)(page + 64);

		elf_page(page, ET_DYN, 0, 4, false);
		p[0].p_flags = PF_R | PF_X;
		p[0].p_filesz = p[0].p_memsz = 0xf00;
		p[1].p_type = PT_NULL;
		p[2].p_type = PT_NULL;
		core_file_init(&c);
		core_thread(&c, 5, SIGSEGV, 0);
		if (with_auxv != 0)
			core_auxv(&c, auxv, 4);
		core_segment(&c, 0x10000, 0x1000, PF_R | PF_X, page, 0x1000);
		t = open_core(&o, &c);
		assert_uint(target_modules(t, &m), 1);
		expect_true(m->is_vdso);
		expect_str(m->path, "[vdso]");
		expect_uint(m->bias, 0x10000);
		expect_uint(m->build_id.bytes[0], 4);
		expect_not_null(target_module_image(t, m));
		map = target_mapping_at(t, 0x10800);
		assert_not_null(map);
		expect_str(map->path, "[vdso]");
		close_core(&o);
		core_file_deinit(&c);
	}
}

/* ---- without a file table: the dynamic linker's list ---- */

enum {
	DYNAMIC = 0x13000,
	R_DEBUG = 0x13200,
	MAP_EXE = 0x13300,
	MAP_LIB = 0x13380,
	NAME_LIB = 0x13400
};

static void
link_maps(uint8_t *data)
{
	memset(data, 0, ELF_PAGE_SIZE);
	put64(data, DYNAMIC & 0xfff, DT_DEBUG);
	put64(data, (DYNAMIC & 0xfff) + 8, R_DEBUG);
	put64(data, (R_DEBUG & 0xfff) + 8, MAP_EXE);
	/* l_addr, l_name, l_ld, l_next */
	put64(data, (MAP_EXE & 0xfff) + 0, 0x10000);
	put64(data, (MAP_EXE & 0xfff) + 16, DYNAMIC);
	put64(data, (MAP_EXE & 0xfff) + 24, MAP_LIB);
	put64(data, (MAP_LIB & 0xfff) + 0, 0x20000);
	put64(data, (MAP_LIB & 0xfff) + 8, NAME_LIB);
	put64(data, (MAP_LIB & 0xfff) + 16, 0x23000);
	memcpy(data + (NAME_LIB & 0xfff), "/nowhere/lib.so", 16);
}

static void
linked(
    struct core_file *c, uint8_t *exe, uint8_t *lib, uint8_t *data, bool auxv)
{
	static const uint64_t pairs[] = {
	    AT_PHDR, 0x10040, AT_PHNUM, 6, AT_ENTRY, 0x11000, AT_NULL, 0};

	elf_page(exe, ET_DYN, 0, 1, true);
	elf_page(lib, ET_DYN, 0, 2, false);
	core_file_init(c);
	core_psinfo(c, 5, "victim", "victim");
	core_thread(c, 5, SIGSEGV, 0);
	if (auxv)
		core_auxv(c, pairs, 8);
	elf_segments(c, 0x10000, exe, data);
	elf_segments(c, 0x20000, lib, NULL);
}

TEST(linked_modules)
{
	uint8_t exe[ELF_PAGE_SIZE], lib[ELF_PAGE_SIZE], data[ELF_PAGE_SIZE];

	for (int auxv = 0; auxv < 2; auxv++) {
		const struct target_mapping *map;
		struct target_module *m;
		struct core_file c;
		struct opened o;
		struct target *t;

		link_maps(data);
		linked(&c, exe, lib, data, auxv != 0);
		t = open_core(&o, &c);
		assert_uint(target_modules(t, &m), 2);
		expect_true(m[0].is_exe);
		expect_str(m[0].path, "victim");
		expect_uint(m[0].bias, 0x10000);
		expect_str(m[1].path, "/nowhere/lib.so");
		expect_uint(m[1].bias, 0x20000);
		expect_uint(m[1].build_id.bytes[0], 2);
		map = target_mapping_at(t, 0x21000);
		assert_not_null(map);
		expect_str(map->path, "/nowhere/lib.so");
		expect_uint(map->offset, 0x1000);
		close_core(&o);
		core_file_deinit(&c);
	}
}

/* Lists that are cyclic, wild, or lie about names. */
TEST(damaged_link_maps)
{
	static const struct {
		const char *name;
		unsigned at;
		uint64_t value;
		const char *lib; /* its name then */
	} cases[] = {
	    {"cycle to self", MAP_LIB + 24, MAP_LIB, "/nowhere/lib.so"},
	    {"cycle to first", MAP_LIB + 24, MAP_EXE, "/nowhere/lib.so"},
	    {"next is wild", MAP_LIB + 24, UINT64_MAX - 3, "/nowhere/lib.so"},
	    {"name is wild", MAP_LIB + 8, 0xdead0000, "(unnamed)"},
	    {"name has no end", MAP_LIB + 8, 0x13ff0, "(unnamed)"},
	    {"first is wild", R_DEBUG + 8, 0xdead0000, "(unnamed)"},
	    {"r_debug is wild", DYNAMIC + 8, 0xdead0000, "(unnamed)"},
	    {"no DT_DEBUG", DYNAMIC, DT_NULL, "(unnamed)"},
	};
	uint8_t exe[ELF_PAGE_SIZE], lib[ELF_PAGE_SIZE], data[ELF_PAGE_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct target_module *m;
		struct core_file c;
		struct opened o;
		struct target *t;

		printf("%s\n", cases[i].name);
		link_maps(data);
		memset(data + 0xff0, 'x', 16);
		put64(data, cases[i].at & 0xfff, cases[i].value);
		linked(&c, exe, lib, data, true);
		t = open_core(&o, &c);
		assert_uint(target_modules(t, &m), 2);
		expect_true(m[0].is_exe);
		expect_str(m[1].path, cases[i].lib);
		expect_uint(m[1].bias, 0x20000);
		close_core(&o);
		core_file_deinit(&c);
	}
}

/* The executable's file table entry and auxv are both lost: the file the user
 * gives is recognised by its build-id. */
TEST(executable_by_build_id)
{
	const char *path = write_elf("given", 2);
	uint8_t exe[ELF_PAGE_SIZE], lib[ELF_PAGE_SIZE];
	struct target_module *m;
	struct core_file c;
	struct opened o;

	linked(&c, exe, lib, NULL, false);
	core_file_layout(&c);
	test_write_file(test_path("core"), c.bytes.data, c.bytes.size);
	open_file(&o, test_path("core"), path, false);
	assert_not_null(o.t);
	assert_uint(target_modules(o.t, &m), 2);
	expect_false(m[0].is_exe);
	expect_true(m[1].is_exe);
	expect_str(m[1].image_path, path);
	close_core(&o);
	core_file_deinit(&c);
}

/* Nothing tells where it was: said, not guessed. */
TEST(executable_nowhere)
{
	const char *path = write_elf("given", 2);
	struct target_module *m;
	struct core_file c;
	struct opened o;

	core_file_init(&c);
	core_thread(&c, 5, SIGSEGV, 0);
	core_file_layout(&c);
	test_write_file(test_path("core"), c.bytes.data, c.bytes.size);
	open_file(&o, test_path("core"), path, false);
	assert_not_null(o.t);
	expect_uint(target_modules(o.t, &m), 0);
	expect_contains(warning_of(o.t, "exe.unplaced"), path);
	close_core(&o);
	core_file_deinit(&c);
}

/* Every allocation may fail: refused with a reason, or opened with what there
 * was memory for. */
TEST_WITHIN(out_of_memory, 60)
{
	const char *path = write_elf("lib.so", 7);
	uint8_t page[ELF_PAGE_SIZE];
	struct core_file c;
	bool starved = true;

	elf_page(page, ET_DYN, 0, 7, false);
	one_file(&c, page, path);
	core_file_layout(&c);
	test_write_file(test_path("core"), c.bytes.data, c.bytes.size);
	for (size_t n = 0; starved; n++) {
		struct target_options options = {0};
		struct opener_local opener;
		struct target_module *m;
		struct target *t;
		bt_error_t e = {0};
		bool ok;

		assert_true(n < 1000);
		assert_ok(opener_local_init(&opener, NULL, &e), &e);
		options.opener = &opener.base;
		options.core_path = test_path("core");
		test_alloc_allow(n);
		ok = target_core_open(&options, &t, &e);
		if (ok && target_modules(t, &m) == 1) {
			(void)target_module_image(t, m);
			(void)target_module_debug(t, m);
		}
		starved = test_alloc_restore();
		if (ok)
			target_close(t);
		else
			expect_true(e.text[0] != '\0');
		opener_local_deinit(&opener);
	}
	core_file_deinit(&c);
}
