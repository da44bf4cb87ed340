/* SPDX-License-Identifier: MIT */
/*
 * Images: what is refused and how it is said, headers and sections compared
 * with readelf, compressed sections with the plain ones, build-ids, PLT names
 * compared with objdump, images from memory.
 */
#include "image_fixture.h"
#include <ctype.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include "image/inflate.h"

static void
ehdr_with(Elf64_Ehdr *eh, int class, int data, int machine)
{
	memset(eh, 0, sizeof(*eh));
	memcpy(eh->e_ident, ELFMAG, SELFMAG);
	eh->e_ident[EI_CLASS] = (unsigned char)class;
	eh->e_ident[EI_DATA] = (unsigned char)data;
	eh->e_ident[EI_VERSION] = EV_CURRENT;
	eh->e_type = ET_EXEC;
	eh->e_machine = (Elf64_Half)machine;
}

TEST(what_is_not_an_image_is_refused)
{
	static const struct {
		int class, data, machine;
		size_t size;
		enum bt_error_code code;
		const char *says;
	} cases[] = {
	    {ELFCLASS64, ELFDATA2LSB, EM_X86_64, 0, BT_E_FORMAT, "empty"},
	    {ELFCLASS64, ELFDATA2LSB, EM_X86_64, 3, BT_E_FORMAT, "not an ELF"},
	    {ELFCLASS64, ELFDATA2LSB, EM_X86_64, 15, BT_E_FORMAT, "not an ELF"},
	    {ELFCLASS64, ELFDATA2LSB, EM_X86_64, 17, BT_E_FORMAT, "truncated"},
	    {ELFCLASS64, ELFDATA2LSB, EM_X86_64, 63, BT_E_FORMAT, "truncated"},
	    {ELFCLASS32, ELFDATA2LSB, EM_386, 64, BT_E_UNSUPPORTED, "64-bit"},
	    {ELFCLASS64, ELFDATA2MSB, EM_S390, 64, BT_E_UNSUPPORTED, "endian"},
	    {ELFCLASS64, ELFDATA2LSB, EM_386, 64, BT_E_UNSUPPORTED, "i386"},
	    {ELFCLASS64, ELFDATA2LSB, EM_ARM, 64, BT_E_UNSUPPORTED, "(arm)"},
	    {ELFCLASS64, ELFDATA2LSB, EM_S390, 64, BT_E_UNSUPPORTED, "s390"},
	    {ELFCLASS64, ELFDATA2LSB, 4711, 64, BT_E_UNSUPPORTED, "4711"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *path = test_path("bad");
		struct image *image;
		Elf64_Ehdr eh;
		bt_error_t e;

		ehdr_with(&eh, cases[i].class, cases[i].data, cases[i].machine);
		test_write_file(path, &eh, cases[i].size);
		expect_code(image_open(test_opener(), OPENER_EXE_USER, path,
				&image, &e),
		    &e, cases[i].code);
		expect_null(image);
		expect_contains(e.text, cases[i].says);
		expect_contains(e.text, "bad");
	}
}

TEST(what_is_not_a_file_is_refused)
{
	struct image *image;
	bt_error_t e;

	expect_code(image_open(test_opener(), OPENER_MODULE,
			test_path("missing"), &image, &e),
	    &e, BT_E_NOTFOUND);
	assert_int(mkfifo(test_path("fifo"), 0600), 0);
	expect_code(image_open(test_opener(), OPENER_MODULE, test_path("fifo"),
			&image, &e),
	    &e, BT_E_FORMAT);
	expect_false(
	    image_open(test_opener(), OPENER_MODULE, test_dir(), &image, &e));
	expect_null(image);
}

TEST(header_alone_is_an_image)
{
	struct image *image;
	const struct image_segment *segments;
	const struct image_section *sections;
	struct image_symbol symbol;
	const uint8_t *bytes;
	const char *name;
	Elf64_Ehdr eh;
	struct view v;
	bt_error_t e;

	ehdr_with(&eh, ELFCLASS64, ELFDATA2LSB, EM_X86_64);
	eh.e_entry = 0x401000;
	test_write_file(test_path("header"), &eh, sizeof(eh));
	image = must_open(test_path("header"));
	expect_uint(image_entry(image), 0x401000);
	expect_int(image_elf_type(image), ET_EXEC);
	expect_str(image_path(image), test_path("header"));
	expect_uint(image_segments(image, &segments), 0);
	expect_uint(image_sections(image, &sections), 0);
	expect_false(image_has_segments(image));
	expect_false(image_has_symtab(image));
	expect_false(image_symbol_at(image, 0x401000, &symbol));
	expect_false(image_symbol_named(image, "main", &symbol));
	expect_false(image_plt_name(image, 0x401000, &name));
	expect_null(image_build_id(image));
	expect_uint(image_read_vaddr(image, 0x401000, 16, &bytes), 0);
	expect_code(image_section_view(image, ".debug_info", &v, &e), &e,
	    BT_E_NOTFOUND);
	image_unref(image_ref(image));
	image_unref(image);
	image_unref(NULL);
}

/* readelf -SW: "  [ 1] .interp PROGBITS addr off size es flg lk inf al" */
TEST(sections_are_those_of_readelf)
{
	struct image *image = must_open(build("prog", ""));
	char *text = output_of("readelf -SW %s | sed -n 's/^ *\\[ *//p' | "
			       "tr ']' ' '",
	    test_path("prog"));
	const struct image_section *sections;
	size_t count = image_sections(image, &sections), seen = 0;

	for (char *line = strtok(text, "\n"); line != NULL;
	     line = strtok(NULL, "\n")) {
		unsigned index;
		unsigned long addr, offset, size;
		char name[64], type[32];

		if (sscanf(line, "%u %63s %31s %lx %lx %lx", &index, name, type,
			&addr, &offset, &size) != 6 ||
		    name[0] != '.')
			continue;
		assert_true(index < count);
		expect_str(sections[index].name, name);
		expect_uint(sections[index].addr, addr);
		expect_uint(sections[index].offset, offset);
		expect_uint(sections[index].size, size);
		seen++;
	}
	expect_true(seen > 25);
	expect_uint(count, seen + 1);
	expect_true(image_section_find(image, ".text") != NULL);
	expect_null(image_section_find(image, ".nothing"));
	free(text);
	image_unref(image);
}

TEST(segments_are_those_of_readelf)
{
	struct image *image = must_open(build("prog", "-no-pie"));
	char *text = output_of(
	    "readelf -lW %s | grep '^  LOAD'", test_path("prog"));
	const struct image_segment *segments;
	size_t count = image_segments(image, &segments), i = 0;

	for (char *line = strtok(text, "\n"); line != NULL;
	     line = strtok(NULL, "\n"), i++) {
		unsigned long offset, vaddr, paddr, filesz, memsz;

		assert_int(sscanf(line, " LOAD %lx %lx %lx %lx %lx", &offset,
			       &vaddr, &paddr, &filesz, &memsz),
		    5);
		while (i < count && segments[i].type != PT_LOAD)
			i++;
		assert_true(i < count);
		expect_uint(segments[i].offset, offset);
		expect_uint(segments[i].vaddr, vaddr);
		expect_uint(segments[i].filesz, filesz);
		expect_uint(segments[i].memsz, memsz);
	}
	expect_true(i > 0);
	expect_true(image_has_segments(image));
	free(text);
	image_unref(image);
}

TEST(bytes_by_address)
{
	struct image *image = must_open(build("prog", ""));
	const struct image_section *text = image_section_find(image, ".text");
	const struct image_section *bss = image_section_find(image, ".bss");
	const struct image_segment *segments;
	size_t count = image_segments(image, &segments);
	const uint8_t *bytes;
	struct view v;
	bt_error_t e;

	assert_ok(image_section_view(image, ".text", &v, &e), &e);
	assert_uint(
	    image_read_vaddr(image, text->addr, v.size, &bytes), v.size);
	expect_mem(bytes, v.data, v.size);
	expect_uint(image_read_vaddr(image, text->addr + 5, 8, &bytes), 8);
	expect_mem(bytes, v.data + 5, 8);
	for (size_t i = 0; i < count; i++) {
		const struct image_segment *s = &segments[i];

		if (s->type != PT_LOAD)
			continue;
		/* As far as the file reaches, not a byte further. */
		expect_uint(image_read_vaddr(
				image, s->vaddr + s->filesz - 3, 100, &bytes),
		    3);
	}
	expect_uint(
	    image_read_vaddr(image, bss->addr + bss->size + 0x10000, 1, &bytes),
	    0);
	expect_uint(image_read_vaddr(image, UINT64_MAX, 1, &bytes), 0);
	/* The zeroes of .bss are not in the file. */
	expect_false(image_section_view(image, ".bss", &v, &e));
	image_unref(image);
}

static void
compare_sections(const char *plain_path, const char *packed_path)
{
	static const char *const names[] = {".debug_info", ".debug_abbrev",
	    ".debug_line", ".debug_str", ".text"};
	struct image *plain = must_open(plain_path);
	struct image *packed = must_open(packed_path);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct view a, b, again;
		bt_error_t e;

		assert_ok(image_section_view(plain, names[i], &a, &e), &e);
		assert_ok(image_section_view(packed, names[i], &b, &e), &e);
		assert_uint(b.size, a.size);
		expect_mem(b.data, a.data, a.size);
		assert_ok(image_section_view(packed, names[i], &again, &e), &e);
		expect_true(again.data == b.data);
	}
	image_unref(plain);
	image_unref(packed);
}

TEST(compressed_sections_are_the_plain_ones)
{
	static const char *const forms[] = {"zlib-gabi", "zlib-gnu", "zstd"};
	/* Repetitive, so that every section shrinks and is kept packed. */
	char source[4096] = "";
	size_t n = 0;

	for (int i = 0; i < 40; i++)
		n += (size_t)snprintf(source + n, sizeof(source) - n,
		    "struct s%d { int a, b, c; } v%d;\n", i, i);
	snprintf(source + n, sizeof(source) - n, "int main(void){return 0;}\n");
	test_write_file(test_path("many.c"), source, strlen(source));
	must_run("gcc -g -o %s %s", test_path("plain"), test_path("many.c"));
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct image *image;

		if (test_shell("objcopy --compress-debug-sections=%s %s %s "
			       "2>/dev/null",
			forms[i], test_path("plain"), test_path("packed")) != 0)
			continue; /* zstd needs binutils 2.40 */
		image = must_open(test_path("packed"));
		assert_true(
		    image_section_find(image, ".debug_info")->size < 40 * 40);
		image_unref(image);
		compare_sections(test_path("plain"), test_path("packed"));
	}
	must_run("gcc -g -gz=zlib -o %s %s", test_path("packed"),
	    test_path("many.c"));
}

/* An ELF file of one section, ".debug_x", with the bytes and flags given. */
static struct image *
one_section(const char *name, uint64_t flags, const void *bytes, size_t size)
{
	char strings[32] = "";
	uint8_t *file = calloc(1, 64 + size + 32 + 3 * 64);
	Elf64_Shdr sh[3] = {{0}};
	struct image *image;
	Elf64_Ehdr eh;
	bt_error_t e;

	strcpy(strings + 1, name);
	ehdr_with(&eh, ELFCLASS64, ELFDATA2LSB, EM_X86_64);
	eh.e_shoff = 64 + size + 32;
	eh.e_shentsize = 64;
	eh.e_shnum = 3;
	eh.e_shstrndx = 2;
	sh[1].sh_name = 1;
	sh[1].sh_type = SHT_PROGBITS;
	sh[1].sh_flags = flags;
	sh[1].sh_offset = 64;
	sh[1].sh_size = size;
	sh[2].sh_type = SHT_STRTAB;
	sh[2].sh_offset = 64 + size;
	sh[2].sh_size = 32;
	memcpy(file, &eh, sizeof(eh));
	memcpy(file + 64, bytes, size);
	memcpy(file + 64 + size, strings, sizeof(strings));
	memcpy(file + eh.e_shoff, sh, sizeof(sh));
	assert_ok(image_from_memory(
		      file, eh.e_shoff + sizeof(sh), "made", &image, &e),
	    &e);
	return image;
}

/* "hello" as zlib makes it. */
static const uint8_t hello[] = {0x78, 0x9c, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07,
    0x00, 0x06, 0x2c, 0x02, 0x15};

TEST(compression_headers)
{
	static const struct {
		uint32_t type;
		uint64_t size;
		size_t cut; /* bytes missing at the end */
		int code;   /* 0: fine */
	} cases[] = {
	    {1, 5, 0, 0},
	    {1, 4, 0, BT_E_FORMAT}, /* more than claimed */
	    {1, 6, 0, BT_E_FORMAT}, /* less than claimed */
	    {1, 0, 0, BT_E_FORMAT},
	    {1, 5, 1, BT_E_FORMAT},
	    {1, 5, sizeof(hello), BT_E_FORMAT},
	    {1, 5, sizeof(hello) + 1, BT_E_FORMAT}, /* no header */
	    {1, UINT64_C(2) << 20, 0, BT_E_LIMIT},  /* 13 bytes cannot */
	    {1, UINT64_C(1) << 40, 0, BT_E_LIMIT},
	    {1, UINT64_MAX, 0, BT_E_LIMIT},
	    {2, 5, 0, BT_E_FORMAT}, /* not zstd */
	    {2, UINT64_C(2) << 20, 0, BT_E_LIMIT},
	    {3, 5, 0, BT_E_UNSUPPORTED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[24 + sizeof(hello)] = {0};
		struct image *image;
		struct view v;
		bt_error_t e = {0};

		memcpy(bytes, &cases[i].type, 4);
		memcpy(bytes + 8, &cases[i].size, 8);
		memcpy(bytes + 24, hello, sizeof(hello));
		image = one_section(".debug_x", SHF_COMPRESSED, bytes,
		    sizeof(bytes) - cases[i].cut);
		/* The second time, the answer is remembered. */
		for (int again = 0; again < 2; again++) {
			bool ok = image_section_view(image, ".debug_x", &v, &e);

			if (cases[i].code != 0) {
				expect_code(
				    ok, &e, (enum bt_error_code)cases[i].code);
				expect_uint(v.size, 0);
				continue;
			}
			assert_ok(ok, &e);
			assert_uint(v.size, 5);
			expect_mem(v.data, "hello", 5);
		}
		image_unref(image);
	}
}

TEST(zdebug_headers)
{
	static const struct {
		const char *header;
		bool ok;
	} cases[] = {
	    {"ZLIB\0\0\0\0\0\0\0\5", true},
	    {"ZLIB\5\0\0\0\0\0\0\0", false}, /* little-endian: huge */
	    {"ZLIP\0\0\0\0\0\0\0\5", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[12 + sizeof(hello)];
		struct image *image;
		struct view v;

		memcpy(bytes, cases[i].header, 12);
		memcpy(bytes + 12, hello, sizeof(hello));
		image = one_section(".zdebug_x", 0, bytes, sizeof(bytes));
		expect_true(image_section_view(image, ".debug_x", &v, NULL) ==
		    cases[i].ok);
		if (cases[i].ok)
			expect_mem(v.data, "hello", 5);
		image_unref(image);
		image = one_section(".zdebug_x", 0, bytes, 11);
		expect_false(image_section_view(image, ".debug_x", &v, NULL));
		image_unref(image);
	}
}

TEST(inflation_stops_at_its_caps)
{
	uint8_t *out;
	size_t size, packed;
	char *xz;
	bt_error_t e;

	need_tool("xz");
	must_run("head -c 3000000 /dev/zero | xz > %s", test_path("z.xz"));
	xz = test_read_file(test_path("z.xz"), &packed);
	assert_ok(
	    inflate_xz(view_of(xz, packed), 3000000, &out, &size, &e), &e);
	expect_uint(size, 3000000);
	expect_int(out[2999999], 0);
	free(out);
	expect_code(inflate_xz(view_of(xz, packed), 2999999, &out, &size, &e),
	    &e, BT_E_LIMIT);
	expect_null(out);
	expect_code(
	    inflate_xz(view_of(xz, packed / 2), 4000000, &out, &size, &e), &e,
	    BT_E_FORMAT);
	expect_code(
	    inflate_xz(view_of(hello, sizeof(hello)), 100, &out, &size, &e), &e,
	    BT_E_FORMAT);
	expect_code(inflate_xz(view_of(NULL, 0), 100, &out, &size, &e), &e,
	    BT_E_FORMAT);
	free(xz);
}

TEST(build_ids)
{
	char hex[2 * IMAGE_BUILD_ID_MAX + 1];
	const struct image_build_id *id;
	struct image_build_id other;
	struct image *image;
	char *text;

	image = must_open(build("prog", "-Wl,--build-id=sha1"));
	text = output_of(
	    "readelf -n %s | sed -n 's/.*Build ID: //p'", test_path("prog"));
	text[strcspn(text, "\n")] = '\0';
	id = image_build_id(image);
	assert_not_null(id);
	expect_uint(id->size, 20);
	expect_str(image_build_id_hex(id, hex), text);
	other = *id;
	expect_true(image_build_id_equal(id, &other));
	other.bytes[19] ^= 1;
	expect_false(image_build_id_equal(id, &other));
	other = *id;
	other.size = 19;
	expect_false(image_build_id_equal(id, &other));
	other.size = 0;
	expect_false(image_build_id_equal(&other, &other));
	image_unref(image);
	free(text);
	image = must_open(build("none", "-Wl,--build-id=none"));
	expect_null(image_build_id(image));
	image_unref(image);
}

TEST(notes)
{
	static const struct {
		uint32_t words[16];
		size_t size;
		uint64_t align;
		uint32_t id_size;
	} cases[] = {
	    {{4, 4, 3, 0x554e47, 0x11223344}, 20, 4, 4},
	    {{4, 3, 3, 0x554e47, 0x11223344}, 20, 4, 3},
	    {{4, 4, 1, 0x554e47, 0x11223344}, 20, 4, 0},
	    {{4, 4, 3, 0x554e48, 0x11223344}, 20, 4, 0},
	    {{4, 0, 3, 0x554e47}, 16, 4, 0},
	    {{4, 8, 3, 0x554e47, 0x11223344}, 20, 4, 0}, /* cut */
	    {{0xffffffff, 4, 3, 0x554e47, 1}, 20, 4, 0},
	    {{4, 0xffffffff, 3, 0x554e47, 1}, 20, 4, 0},
	    {{4, 0xfffffffd, 3, 0x554e47, 1}, 20, 4, 0},
	    {{4, 65, 3, 0x554e47, 1}, 64, 4, 0},
	    {{4, 4, 1, 0x554e47, 0, 4, 4, 3, 0x554e47, 5}, 40, 4, 4},
	    /* Aligned to 8: the first one's content is padded. */
	    {{4, 4, 5, 0x554e47, 0, 0, 4, 4, 3, 0x554e47, 5}, 44, 8, 4},
	    {{0}, 0, 4, 0},
	    {{0, 0, 0}, 12, 4, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct image_build_id id;
		bool found = image_build_id_from_notes(
		    view_of(cases[i].words, cases[i].size), cases[i].align,
		    &id);

		expect_true(found == (cases[i].id_size != 0));
		expect_uint(id.size, cases[i].id_size);
	}
}

static void
put_link(uint8_t *bytes, size_t *size, const char *name)
{
	size_t len = strlen(name) + 1;

	memset(bytes, 0, 64);
	memcpy(bytes, name, len);
	len = (len + 3) & ~(size_t)3;
	memcpy(bytes + len, "\x78\x56\x34\x12", 4);
	*size = len + 4;
}

TEST(debug_links)
{
	static const struct {
		const char *name;
		bool ok;
	} cases[] = {{"a.debug", true}, {"abc", true}, {"..debug", true},
	    {"", false}, {"../x", false}, {"/etc/passwd", false}, {"..", false},
	    {".", false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[64];
		struct image *image;
		const char *name;
		uint32_t crc;
		size_t size;

		put_link(bytes, &size, cases[i].name);
		image = one_section(".gnu_debuglink", 0, bytes, size);
		expect_true(image_debuglink(image, &name, &crc) == cases[i].ok);
		if (cases[i].ok) {
			expect_str(name, cases[i].name);
			expect_uint(crc, 0x12345678);
		}
		image_unref(image);
		image = one_section(".gnu_debuglink", 0, bytes, size - 1);
		expect_false(image_debuglink(image, &name, &crc));
		image_unref(image);
	}
}

/* Every stub that objdump can name has that name for us. */
static size_t
compare_plt(const char *path)
{
	struct image *image = must_open(path);
	char *text = output_of("objdump -d %s | sed -n 's/^0*\\([0-9a-f]*\\) "
			       "<\\(.*\\)@plt>:$/\\1 \\2/p'",
	    path);
	size_t seen = 0;

	for (char *line = strtok(text, "\n"); line != NULL;
	     line = strtok(NULL, "\n")) {
		const char *name = NULL;
		unsigned long address;
		char want[128];

		if (sscanf(line, "%lx %127s", &address, want) != 2 ||
		    want[0] == '*')
			continue;
		for (unsigned i = 0; i < 8; i++) {
			expect_true(image_plt_name(image, address + i, &name));
			expect_str(name, want);
		}
		seen++;
	}
	free(text);
	image_unref(image);
	return seen;
}

TEST(plt_names_are_those_of_objdump)
{
	static const char *const flags[] = {"", "-no-pie", "-Wl,-z,lazy",
	    "-Wl,-z,now", "-Wl,-z,ibtplt", "-Wl,-z,ibtplt,-z,lazy",
	    "-Wl,-z,ibtplt,-z,now", "-fuse-ld=lld", "-fuse-ld=lld -no-pie"};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strstr(flags[i], "lld") != NULL && !have_tool("ld.lld"))
			continue;
		build("prog", flags[i]);
		expect_true(compare_plt(test_path("prog")) >= 3);
		must_run("strip %s", test_path("prog"));
		expect_true(compare_plt(test_path("prog")) >= 3);
	}
}

TEST(plt_without_section_headers)
{
	struct image *whole, *bare;
	const struct image_section *text, *plt;
	const char *a, *b;
	Elf64_Ehdr eh;
	char *file;
	size_t size, named = 0;

	whole = must_open(build("prog", "-Wl,-z,lazy"));
	file = test_read_file(test_path("prog"), &size);
	memcpy(&eh, file, sizeof(eh));
	eh.e_shoff = 0;
	eh.e_shnum = eh.e_shstrndx = 0;
	memcpy(file, &eh, sizeof(eh));
	test_write_file(test_path("bare"), file, size);
	bare = must_open(test_path("bare"));
	plt = image_section_find(whole, ".plt");
	for (uint64_t at = plt->addr; at < plt->addr + plt->size; at += 16) {
		bool is_a = image_plt_name(whole, at, &a);

		assert_true(image_plt_name(bare, at, &b) == is_a);
		if (is_a) {
			expect_str(b, a);
			named++;
		}
	}
	expect_true(named >= 4);
	text = image_section_find(whole, ".text");
	for (uint64_t at = text->addr; at < text->addr + text->size; at++)
		expect_false(image_plt_name(bare, at, &b));
	free(file);
	image_unref(whole);
	image_unref(bare);
}

TEST(plt_of_static_programs_names_indirect_functions)
{
	struct image *image;
	const struct image_section *plt;
	size_t named = 0;
	const char *name;

	if (test_shell("echo 'int main(){}' | gcc -static -x c - -o %s",
		test_path("try")) != 0)
		skip("no static libc");
	image = must_open(build("prog", "-static -no-pie"));
	plt = image_section_find(image, ".plt");
	assert_not_null(plt);
	for (uint64_t at = plt->addr; at < plt->addr + plt->size; at += 16)
		if (image_plt_name(image, at, &name)) {
			expect_null(strchr(name, '@'));
			named++;
		}
	expect_true(named > 5);
	image_unref(image);
}

static uint8_t *
copy_vdso(size_t *size)
{
	const uint8_t *vdso = (const uint8_t *)getauxval(AT_SYSINFO_EHDR);
	Elf64_Ehdr eh;
	uint8_t *copy;

	if (vdso == NULL)
		skip("no vdso");
	memcpy(&eh, vdso, sizeof(eh));
	*size = eh.e_shoff + (size_t)eh.e_shnum * eh.e_shentsize;
	copy = malloc(*size);
	memcpy(copy, vdso, *size);
	return copy;
}

TEST(vdso_from_memory)
{
	/* With and without its section headers. */
	for (int bare = 0; bare < 2; bare++) {
		struct image_symbol by_name, at;
		struct image *image;
		size_t size;
		uint8_t *bytes = copy_vdso(&size);
		bt_error_t e;

		if (bare) {
			Elf64_Ehdr eh;

			memcpy(&eh, bytes, sizeof(eh));
			size = eh.e_shoff;
			memset(bytes + offsetof(Elf64_Ehdr, e_shoff), 0, 8);
		}
		assert_ok(
		    image_from_memory(bytes, size, "[vdso]", &image, &e), &e);
		assert_true(
		    image_symbol_named(image, "__vdso_gettimeofday", &by_name));
		assert_true(image_symbol_at(image, by_name.value + 3, &at));
		expect_uint(at.value, by_name.value);
		expect_true(at.dynamic);
		/* "gettimeofday" is an alias; the name that sorts last. */
		expect_str(at.name, "gettimeofday");
		expect_not_null(image_build_id(image));
		image_unref(image);
	}
}

TEST(memory_of_a_wrong_kind_is_freed)
{
	struct image *image;
	bt_error_t e;

	expect_code(
	    image_from_memory(strdup("no image"), 8, "m\033", &image, &e), &e,
	    BT_E_FORMAT);
	expect_lacks(e.text, "\033");
	expect_false(image_from_memory(NULL, 0, "none", &image, &e));
}
