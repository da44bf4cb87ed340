/* SPDX-License-Identifier: MIT */
/*
 * Damaged and hostile images: cut short, with bytes changed, with headers that
 * lie. Every question the room answers is asked of each; none may crash, read
 * outside (run under ASan), or take long.
 */
#include "base/budget.h"
#include "image/internal.h"
#include "image_fixture.h"
#include <fcntl.h>
#include <unistd.h>

static bool
count_symbol(void *ctx, const struct image_symbol *symbol)
{
	size_t *count = ctx;

	*count += strlen(symbol->name) > 0;
	return true;
}

static void
ask_sections(struct image *image)
{
	const struct image_section *sections;
	size_t count = image_sections(image, &sections);

	for (size_t i = 0; i < count && i < 100; i++) {
		struct view v;
		uint8_t sum = 0;

		expect_not_null(image_section_find(image, sections[i].name));
		if (!image_section_view(image, sections[i].name, &v, NULL))
			continue;
		for (size_t k = 0; k < v.size; k += 97)
			sum ^= v.data[k];
		if (v.size > 0)
			sum ^= v.data[v.size - 1];
		__asm__ volatile("" ::"r"(sum));
	}
}

static void
ask_addresses(struct image *image, uint64_t at, uint64_t step, int count)
{
	for (; count > 0; count--, at += step) {
		struct image_symbol symbol;
		Elf64_Sym a, b;
		const uint8_t *bytes;
		const char *name;
		size_t n = image_read_vaddr(image, at, 64, &bytes);

		if (n > 0)
			__asm__ volatile("" ::"r"(bytes[n - 1]));
		if (image_symbol_at(image, at, &symbol))
			expect_true(strlen(symbol.name) > 0);
		if (image_plt_name(image, at, &name))
			expect_true(strlen(name) > 0);
		if (image->symtab.count > 0)
			expect_true(symtab_at_scan(&image->symtab, at, &a) ==
			    symtab_at_index(&image->symtab, at, &b));
	}
}

/* Asks everything. */
static void
ask_all(struct image *image)
{
	static const char *const names[] = {
	    "main", "visible", "printf", "absent", "counter"};
	struct image_build_id id;
	struct image_symbol symbol;
	const char *text;
	size_t count = 0;
	uint32_t crc;

	ask_sections(image);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (image_symbol_named(image, names[i], &symbol))
			expect_str(symbol.name, names[i]);
	image_symbols_each(image, count_symbol, &count);
	ask_addresses(image, 0, 61, 300);
	ask_addresses(image, UINT64_MAX - 300, 61, 5);
	(void)image_build_id(image);
	if (image_debuglink(image, &text, &crc))
		expect_null(strchr(text, '/'));
	if (image_debugaltlink(image, &text, &id))
		expect_true(strlen(text) > 0);
}

/* The bytes are copied to a block of exactly their size, so that a sanitizer
 * sees a read behind them. */
static bool
try_bytes(const void *bytes, size_t size)
{
	void *copy = malloc(size > 0 ? size : 1);
	struct image *image;
	bt_error_t e;

	memcpy(copy, bytes, size);
	if (!image_from_memory(copy, size, "hostile", &image, &e)) {
		expect_true(e.text[0] != '\0');
		return false;
	}
	ask_all(image);
	image_unref(image);
	return true;
}

/* A program with all the parts there are: compressed debug info, debug link,
 * mini debug info, PLT, versions. */
static char *
make_victim(size_t *size)
{
	build("whole", "-rdynamic -gz=zlib");
	must_run("cd %s && cp whole w2 && strip --keep-symbol=hidden w2 && "
		 "xz -kc w2 > mini.xz && "
		 "objcopy --add-section .gnu_debugdata=mini.xz whole v && "
		 "cp whole link && objcopy --add-gnu-debuglink=link v",
	    test_dir());
	return test_read_file(test_path("v"), size);
}

TEST_WITHIN(cut_short, 60)
{
	size_t size, opened = 0;
	char *bytes;

	need_tool("xz");
	bytes = make_victim(&size);
	for (size_t n = 0; n < size; n += 64)
		opened += try_bytes(bytes, n);
	for (size_t n = size - 64; n <= size; n++)
		opened += try_bytes(bytes, n);
	/* Without its section table, at the end, it is an image still. */
	expect_true(opened > size / 64);
	free(bytes);
}

static uint32_t
next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static const uint64_t nasty[] = {0, 1, 2, 7, 8, 23, 24, 25, 63, 64, 0x7f, 0xff,
    0xffff, 0xfff1, 0xfff2, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
    0x7fffffffffffffff, 0x8000000000000000, 0xfffffffffffffff0,
    0xffffffffffffffff};

/* Changes one field at a multiple of its size. */
static void
mutate(char *bytes, size_t from, size_t size, uint32_t *state)
{
	static const size_t widths[] = {1, 2, 4, 8};
	size_t width = widths[next_random(state) % 4], at;
	uint64_t value =
	    nasty[next_random(state) % (sizeof(nasty) / sizeof(nasty[0]))];

	if (size <= width)
		return;
	at = from + next_random(state) % (size - width);
	if (next_random(state) % 4 != 0)
		at &= ~(width - 1);
	if (next_random(state) % 3 == 0)
		value = next_random(state);
	memcpy(bytes + at, &value, width);
}

static void
mutations(const char *bytes, size_t size, size_t from, size_t len, int rounds,
    uint32_t seed)
{
	char *copy = malloc(size);

	for (int i = 0; i < rounds; i++) {
		memcpy(copy, bytes, size);
		for (uint32_t k = 0; k <= seed % 3; k++)
			mutate(copy, from, len, &seed);
		try_bytes(copy, size);
	}
	free(copy);
}

TEST_WITHIN(changed_bytes, 120)
{
	static const char *const parts[] = {".symtab", ".strtab", ".dynsym",
	    ".dynstr", ".gnu.hash", ".dynamic", ".rela.plt", ".plt",
	    ".debug_info", ".gnu_debugdata", ".note.gnu.build-id", ".shstrtab",
	    ".gnu.version", ".gnu_debuglink"};
	struct image *image;
	size_t size;
	char *bytes;
	Elf64_Ehdr eh;

	need_tool("xz");
	bytes = make_victim(&size);
	memcpy(&eh, bytes, sizeof(eh));
	mutations(bytes, size, 16, 48, 300, 1);
	mutations(bytes, size, eh.e_phoff, eh.e_phnum * 56u, 300, 2);
	mutations(bytes, size, eh.e_shoff, eh.e_shnum * 64u, 600, 3);
	mutations(bytes, size, 0, size, 300, 4);
	image = must_open(test_path("v"));
	for (uint32_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const struct image_section *s = image_section_find(
		    image, parts[i]);

		if (s != NULL)
			mutations(bytes, size, s->offset, s->size, 60, 5 + i);
	}
	image_unref(image);
	/* Again with nothing but PT_DYNAMIC. */
	memset(bytes + offsetof(Elf64_Ehdr, e_shoff), 0, 8);
	image = must_open(test_path("v"));
	for (uint32_t i = 2; i < 8; i++) {
		const struct image_section *s = image_section_find(
		    image, parts[i]);

		if (s != NULL)
			mutations(bytes, size, s->offset, s->size, 100, 50 + i);
	}
	image_unref(image);
	free(bytes);
}

/* Header fields that lie, one at a time, each with all the nasty values. */
TEST_WITHIN(lying_headers, 120)
{
	static const struct {
		size_t offset, width;
	} fields[] = {
	    {offsetof(Elf64_Ehdr, e_phoff), 8},
	    {offsetof(Elf64_Ehdr, e_shoff), 8},
	    {offsetof(Elf64_Ehdr, e_phentsize), 2},
	    {offsetof(Elf64_Ehdr, e_phnum), 2},
	    {offsetof(Elf64_Ehdr, e_shentsize), 2},
	    {offsetof(Elf64_Ehdr, e_shnum), 2},
	    {offsetof(Elf64_Ehdr, e_shstrndx), 2},
	};
	size_t size, kinds = sizeof(nasty) / sizeof(nasty[0]);
	char *bytes, *copy;
	Elf64_Ehdr eh;

	need_tool("xz");
	bytes = make_victim(&size);
	copy = malloc(size);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		for (size_t k = 0; k < kinds; k++) {
			memcpy(copy, bytes, size);
			memcpy(copy + fields[i].offset, &nasty[k],
			    fields[i].width);
			expect_true(try_bytes(copy, size));
		}
	/* The same for every field of every section. */
	memcpy(&eh, bytes, sizeof(eh));
	for (size_t i = 0; i < eh.e_shnum; i++)
		for (size_t f = 4; f < 64; f += 4)
			for (size_t k = i % 5; k < kinds; k += 5) {
				memcpy(copy, bytes, size);
				memcpy(copy + eh.e_shoff + i * 64 + f,
				    &nasty[k], 4);
				expect_true(try_bytes(copy, size));
			}
	free(copy);
	free(bytes);
}

TEST(extended_numbers)
{
	size_t size;
	struct image *image;
	const struct image_segment *segments;
	const struct image_section *sections;
	size_t nsegments, nsections;
	uint16_t xnum = PN_XNUM, zero = 0, xindex = SHN_XINDEX;
	Elf64_Ehdr eh;
	Elf64_Shdr sh;
	char *bytes;
	bt_error_t e;

	build("whole", "");
	bytes = test_read_file(test_path("whole"), &size);
	memcpy(&eh, bytes, sizeof(eh));
	memcpy(&sh, bytes + eh.e_shoff, sizeof(sh));
	sh.sh_size = eh.e_shnum;
	sh.sh_info = eh.e_phnum;
	sh.sh_link = eh.e_shstrndx;
	memcpy(bytes + eh.e_shoff, &sh, sizeof(sh));
	nsegments = eh.e_phnum;
	nsections = eh.e_shnum;
	memcpy(bytes + offsetof(Elf64_Ehdr, e_phnum), &xnum, 2);
	memcpy(bytes + offsetof(Elf64_Ehdr, e_shnum), &zero, 2);
	memcpy(bytes + offsetof(Elf64_Ehdr, e_shstrndx), &xindex, 2);
	assert_ok(image_from_memory(bytes, size, "x", &image, &e), &e);
	expect_uint(image_segments(image, &segments), nsegments);
	expect_uint(image_sections(image, &sections), nsections);
	expect_not_null(image_section_find(image, ".text"));
	image_unref(image);
}

/* An image on disk with one symbol table of `count` symbols, all made by
 * `fill`; the file is sparse where fill leaves zeroes. */
static void
write_huge(const char *path, size_t count, size_t strings,
    void (*fill)(Elf64_Sym *sym, size_t i))
{
	Elf64_Ehdr eh = {.e_ident = ELFMAG, .e_machine = EM_X86_64};
	uint64_t syms_at = 4096, strs_at = syms_at + count * sizeof(Elf64_Sym);
	Elf64_Sym *block = malloc(4096 * sizeof(*block));
	char *text = malloc(strings);
	Elf64_Shdr sh[3] = {{0}};
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	eh.e_ident[EI_CLASS] = ELFCLASS64;
	eh.e_ident[EI_DATA] = ELFDATA2LSB;
	eh.e_shoff = 64;
	eh.e_shentsize = 64;
	eh.e_shnum = 3;
	sh[1] = (Elf64_Shdr){.sh_type = SHT_SYMTAB,
	    .sh_offset = syms_at,
	    .sh_size = count * sizeof(Elf64_Sym),
	    .sh_link = 2};
	sh[2] = (Elf64_Shdr){
	    .sh_type = SHT_STRTAB, .sh_offset = strs_at, .sh_size = strings};
	assert_true(pwrite(fd, &eh, sizeof(eh), 0) == sizeof(eh));
	assert_true(pwrite(fd, sh, sizeof(sh), 64) == sizeof(sh));
	for (size_t i = 0; i < count; i += 4096) {
		size_t n = count - i < 4096 ? count - i : 4096;

		memset(block, 0, n * sizeof(*block));
		for (size_t k = 0; k < n; k++)
			fill(&block[k], i + k);
		assert_true(pwrite(fd, block, n * sizeof(*block),
				(off_t)(syms_at + i * sizeof(*block))) ==
		    (ssize_t)(n * sizeof(*block)));
	}
	memset(text, 'a', strings);
	text[0] = text[strings - 1] = '\0';
	assert_true(
	    pwrite(fd, text, strings, (off_t)strs_at) == (ssize_t)strings);
	close(fd);
	free(text);
	free(block);
}

#define STRINGS 60000

/* All at one place, each with a different, long, nearly equal name. */
static void
same_place(Elf64_Sym *sym, size_t i)
{
	sym->st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
	sym->st_shndx = 1;
	sym->st_name = (Elf64_Word)(1 + i % (STRINGS - 10));
	sym->st_value = 0x1000;
	sym->st_size = 1 + i % 1000;
}

/* Each around all that follow. */
static void
nested(Elf64_Sym *sym, size_t i)
{
	same_place(sym, i);
	sym->st_value = 0x1000 + i;
	sym->st_size = 100000000 - 2 * i;
}

static void
labels(Elf64_Sym *sym, size_t i)
{
	same_place(sym, i);
	sym->st_info = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE);
	sym->st_size = 0;
}

TEST_WITHIN(huge_symbol_tables_take_bounded_time, 120)
{
	static void (*const fills[])(Elf64_Sym *, size_t) = {
	    same_place, nested, labels};

	for (size_t i = 0; i < sizeof(fills) / sizeof(fills[0]); i++) {
		uint64_t start = bt_now_ns();
		struct image_symbol symbol;
		struct image *image;
		Elf64_Sym a, b;

		write_huge(test_path("huge"), 400000, STRINGS, fills[i]);
		image = must_open(test_path("huge"));
		image_load_symbols(image);
		expect_uint(image->symtab.count, 400000);
		for (uint64_t at = 0x1000; at < 0x1000 + 900000; at += 90001)
			assert_true(symtab_at_scan(&image->symtab, at, &a) ==
			    symtab_at_index(&image->symtab, at, &b));
		expect_false(image_symbol_named(image, "absent", &symbol));
		image_unref(image);
		expect_true(bt_now_ns() - start < UINT64_C(20000000000));
	}
}

TEST(more_symbols_than_the_cap)
{
	Elf64_Shdr sh;
	struct image_symbol symbol;
	struct image *image;
	int fd;

	write_huge(test_path("huge"), 10, STRINGS, same_place);
	fd = open(test_path("huge"), O_RDWR);
	assert_true(pread(fd, &sh, sizeof(sh), 128) == sizeof(sh));
	sh.sh_size = UINT64_C(24) * (IMAGE_MAX_SYMBOLS + 5);
	assert_int(ftruncate(fd, (off_t)(4096 + sh.sh_size)), 0);
	assert_true(pwrite(fd, &sh, sizeof(sh), 128) == sizeof(sh));
	close(fd);
	image = must_open(test_path("huge"));
	image_load_symbols(image);
	expect_uint(image->symtab.count, IMAGE_MAX_SYMBOLS);
	expect_true(image_symbol_at(image, 0x1000, &symbol));
	image_unref(image);
}

/* Out of memory at any point: an answer is missing, nothing else. */
TEST_WITHIN(out_of_memory, 60)
{
	size_t size, refused = 0;
	char *bytes;

	need_tool("xz");
	bytes = make_victim(&size);
	for (size_t allowed = 0; allowed < 40; allowed++) {
		char *copy = malloc(size);
		struct image *image;
		struct image_symbol symbol;
		const struct image_section *s;
		const char *name;
		struct view v;
		bt_error_t e = {0};

		memcpy(copy, bytes, size);
		test_alloc_allow(allowed);
		if (image_from_memory(copy, size, "oom", &image, &e)) {
			(void)image_symbol_at(image, 0x1200, &symbol);
			(void)image_symbol_named(image, "hidden", &symbol);
			(void)image_plt_name(image, 0x1030, &name);
			for (size_t i = 0; i < image_sections(image, &s); i++)
				if (!image_section_view(
					image, s[i].name, &v, &e))
					continue;
			if (image->symtab.count > 0) {
				Elf64_Sym sym;

				(void)symtab_at_index(
				    &image->symtab, 0x1200, &sym);
			}
			image_unref(image);
		} else {
			expect_true(e.code == BT_E_NOMEM);
		}
		refused += test_alloc_restore();
	}
	expect_true(refused > 3);
	free(bytes);
}
