/* SPDX-License-Identifier: MIT */
/*
 * Copies of ELF files with inflated sections: they hold what was compressed and
 * all the rest, and there is none of a file that is damaged or says that
 * sections share their bytes.
 */
#include "image/copy.h"
#include "image_fixture.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* The first goes through memory in parts, the second at once. */
enum { SECTIONS = 2, LARGE = 18 << 20, SMALL = 300 << 10 };

static const char *const names[SECTIONS] = {".debug_info", ".debug_str"};
static const size_t sizes[SECTIONS] = {LARGE, SMALL};
static uint8_t *contents[SECTIONS];

/* Compresses to about a half. */
static uint8_t *
make_contents(uint32_t state, size_t size)
{
	uint8_t *bytes = malloc(size);

	assert_not_null(bytes);
	for (size_t i = 0; i < size; i++) {
		state = state * 1664525 + 1013904223;
		bytes[i] = (uint8_t)((state >> 24) % 16 * 7);
	}
	return bytes;
}

/* A program with both sections, compressed. */
static const char *
packed_file(void)
{
	need_tool("objcopy");
	build("packed", "-nostartfiles -Wl,-e,main -Wl,--build-id -s");
	for (int k = 0; k < SECTIONS; k++) {
		contents[k] = make_contents((uint32_t)k, sizes[k]);
		test_write_file(test_path("contents"), contents[k], sizes[k]);
		must_run("objcopy --add-section %s=%s %s", names[k],
		    test_path("contents"), test_path("packed"));
	}
	must_run(
	    "objcopy --compress-debug-sections=zlib %s", test_path("packed"));
	return test_path("packed");
}

static bool
copy_of(const char *path, uint64_t most, bt_error_t *e)
{
	struct image *image = must_open(path);
	int fd = open(test_path("copy"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	bool done;

	assert_true(fd >= 0);
	done = image_copy_write(image, fd, most, e);
	(void)close(fd);
	image_unref(image);
	return done;
}

static void
expect_same(struct image *image, struct image *copy)
{
	const struct image_section *a, *b;
	size_t n = image_sections(image, &a);
	bt_error_t e = {0};

	assert_uint(image_sections(copy, &b), n);
	for (size_t i = 0; i < n; i++) {
		struct view x, y;
		bool ok = image_section_view(image, a[i].name, &x, &e);

		assert_str(b[i].name, a[i].name);
		assert_uint(b[i].type, a[i].type);
		assert_uint(b[i].flags, a[i].flags & ~(uint64_t)SHF_COMPRESSED);
		assert_int(image_section_view(copy, b[i].name, &y, &e), ok);
		assert_uint(y.size, x.size);
		if (ok && x.size > 0)
			assert_mem(y.data, x.data, x.size);
	}
}

TEST_WITHIN(a_copy_has_the_same_sections, 120)
{
	const char *path = packed_file();
	struct image *image = must_open(path), *copy;
	bt_error_t e = {0};
	struct view v;

	assert_true(image_copy_pays(image));
	assert_ok(copy_of(path, UINT64_MAX, &e), &e);
	copy = must_open(test_path("copy"));
	assert_false(image_copy_pays(copy));
	expect_same(image, copy);
	for (int k = 0; k < SECTIONS; k++) {
		assert_ok(image_section_view(copy, names[k], &v, &e), &e);
		assert_uint(v.size, sizes[k]);
		assert_mem(v.data, contents[k], v.size);
	}
	assert_true(
	    image_build_id_equal(image_build_id(image), image_build_id(copy)));
	image_unref(copy);
	image_unref(image);
}

/* Changes bytes of the file by a function of its section headers. */
static const char *
changed(const char *path,
    void (*change)(uint8_t *file, Elf64_Shdr *info, Elf64_Shdr *string))
{
	size_t size = 0;
	uint8_t *file = (uint8_t *)test_read_file(path, &size);
	Elf64_Shdr *found[SECTIONS] = {NULL};
	Elf64_Ehdr *header = (void *)file;
	Elf64_Shdr *table = (void *)(file + header->e_shoff);
	const char *strings = (const char *)file +
	    table[header->e_shstrndx].sh_offset;

	for (int i = 0; i < header->e_shnum; i++)
		for (int k = 0; k < SECTIONS; k++)
			if (strcmp(strings + table[i].sh_name, names[k]) == 0)
				found[k] = &table[i];
	assert_not_null(found[0]);
	assert_not_null(found[1]);
	change(file, found[0], found[1]);
	test_write_file(test_path("changed"), file, size);
	free(file);
	return test_path("changed");
}

static void
last_byte_of(uint8_t *file, const Elf64_Shdr *section)
{
	file[section->sh_offset + section->sh_size - 1] ^= 1;
}

static void
wrong_large_sum(uint8_t *file, Elf64_Shdr *info, Elf64_Shdr *string)
{
	(void)string;
	last_byte_of(file, info);
}

static void
wrong_small_sum(uint8_t *file, Elf64_Shdr *info, Elf64_Shdr *string)
{
	(void)info;
	last_byte_of(file, string);
}

static void
wrong_data(uint8_t *file, Elf64_Shdr *info, Elf64_Shdr *string)
{
	(void)string;
	memset(file + info->sh_offset + info->sh_size / 2, 0xff, 64);
}

static void
shared_bytes(uint8_t *file, Elf64_Shdr *info, Elf64_Shdr *string)
{
	(void)file;
	string->sh_offset = info->sh_offset + 8;
	string->sh_flags &= ~(uint64_t)SHF_COMPRESSED;
}

static void
over_the_header(uint8_t *file, Elf64_Shdr *info, Elf64_Shdr *string)
{
	(void)file;
	(void)info;
	string->sh_size += string->sh_offset;
	string->sh_offset = 0;
}

static void
too_many_sections(uint8_t *file, Elf64_Shdr *info, Elf64_Shdr *string)
{
	(void)info;
	(void)string;
	((Elf64_Ehdr *)(void *)file)->e_shnum = 0xfe00;
}

static void
claims_too_much(uint8_t *file, Elf64_Shdr *info, Elf64_Shdr *string)
{
	uint64_t size = UINT64_C(1) << 40;

	(void)string;
	memcpy(file + info->sh_offset + offsetof(Elf64_Chdr, ch_size), &size,
	    sizeof(size));
}

TEST_WITHIN(none_of_a_damaged_file, 120)
{
	static const struct {
		void (*change)(uint8_t *, Elf64_Shdr *, Elf64_Shdr *);
		enum bt_error_code code;
	} cases[] = {
	    {wrong_large_sum, BT_E_FORMAT},
	    {wrong_small_sum, BT_E_FORMAT},
	    {wrong_data, BT_E_FORMAT},
	    {shared_bytes, BT_E_FORMAT},
	    {over_the_header, BT_E_FORMAT},
	    {too_many_sections, BT_E_FORMAT},
	    {claims_too_much, BT_E_LIMIT},
	};
	const char *path = packed_file();

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bt_error_t e = {0};

		if (copy_of(changed(path, cases[i].change), UINT64_MAX, &e))
			fail("there is a copy of case %zu", i);
		expect_uint(e.code, cases[i].code);
	}
}

TEST_WITHIN(none_where_there_is_no_room, 60)
{
	const char *path = packed_file();
	struct image *image = must_open(path);
	int full = open("/dev/full", O_WRONLY);
	bt_error_t e = {0};

	assert_code(copy_of(path, LARGE, &e), &e, BT_E_LIMIT);
	assert_true(full >= 0);
	assert_code(image_copy_write(image, full, UINT64_MAX, &e), &e, BT_E_OS);
	(void)close(full);
	image_unref(image);
}

TEST(little_is_not_worth_it)
{
	struct image *image = must_open(build("little", "-gz=zlib"));

	assert_false(image_copy_pays(image));
	image_unref(image);
}
