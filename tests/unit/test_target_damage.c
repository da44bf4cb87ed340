/* SPDX-License-Identifier: MIT */
/*
 * Damaged cores: every field that can lie does, and what can still be had is
 * there, with a warning that says what was lost.
 */
#include <signal.h>

#include "unit/target_fixture.h"

static uint8_t page_a[4096], page_b[4096];

/* One thread (tid 7), a stack page at 0x7000, another at 0x9000. */
static void
usual(struct core_file *c)
{
	memset(page_a, 0xaa, sizeof(page_a));
	memset(page_b, 0xbb, sizeof(page_b));
	core_file_init(c);
	core_thread(c, 7, SIGSEGV, 0x7100);
	core_psinfo(c, 7, "victim", "./victim");
	core_segment(c, 0x7000, 0x1000, PF_R | PF_W, page_a, 0x1000);
	core_segment(c, 0x9000, 0x1000, PF_R | PF_W, page_b, 0x1000);
}

static void
expect_usual(struct target *t)
{
	struct target_thread *threads;
	uint8_t byte = 0;

	assert_uint(target_threads(t, &threads), 1);
	expect_uint(threads[0].tid, 7);
	expect_true(threads[0].has_regs);
	expect_uint(target_read(t, 0x7fff, &byte, 1), 1);
	expect_uint(byte, 0xaa);
	expect_uint(target_read(t, 0x9000, &byte, 1), 1);
	expect_uint(byte, 0xbb);
}

/* Fields of the file header that lie, all of them survivable. */
TEST(header)
{
	static const struct {
		const char *name;
		unsigned offset, size;
		uint64_t value;
	} cases[] = {
	    {"class", EI_CLASS, 1, ELFCLASS32},
	    {"byte order", EI_DATA, 1, ELFDATA2MSB},
	    {"machine nobody knows", 18, 2, 0x1234},
	    {"machine of another", 18, 2, EM_AARCH64},
	    {"class and byte order", EI_CLASS, 2, 0x0201},
	    {"byte order nobody knows", EI_DATA, 1, 0xff},
	    {"class nobody knows", EI_CLASS, 1, 0},
	    {"phoff past the end", 32, 8, UINT64_C(1) << 40},
	    {"phoff elsewhere", 32, 8, 0x1000},
	    {"phoff wraps", 32, 8, UINT64_MAX - 8},
	    {"phoff 0", 32, 8, 0},
	    {"phentsize 0", 54, 2, 0},
	    {"phentsize 1", 54, 2, 1},
	    {"phentsize 65535", 54, 2, 65535},
	    {"phnum 0", 56, 2, 0},
	    {"phnum too big", 56, 2, 60000},
	    {"PN_XNUM without section", 56, 2, PN_XNUM},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct core_file c;
		struct opened o;
		struct target *t;

		printf("%s\n", cases[i].name);
		usual(&c);
		core_file_layout(&c);
		memcpy(c.bytes.data + cases[i].offset, &cases[i].value,
		    cases[i].size);
		t = open_core(&o, &c);
		expect_usual(t);
		expect_true(warning_of(t, "core.header")[0] != '\0');
		close_core(&o);
		core_file_deinit(&c);
	}
}

/* e_shoff and friends do not matter, nor does a huge extended count. */
TEST(section_headers)
{
	static const uint32_t counts[] = {0, 1, 0xfffffffe, 0xffffffff};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct core_file c;
		struct opened o;

		usual(&c);
		c.ehdr.e_phnum = PN_XNUM;
		c.ehdr.e_shentsize = 64;
		c.ehdr.e_shnum = 1;
		core_file_layout(&c);
		put64(c.bytes.data, 40, c.bytes.size - 64);
		put32(c.bytes.data, c.bytes.size - 64 + 44, counts[i]);
		expect_usual(open_core(&o, &c));
		close_core(&o);
		core_file_deinit(&c);
	}
}

TEST(truncated)
{
	struct core_file c;
	struct opened o;
	struct target_thread *threads;
	const struct target_mapping *maps;
	uint8_t byte;

	usual(&c);
	core_file_layout(&c);
	/* in the middle of the last segment */
	open_bytes(&o, c.bytes.data, c.bytes.size - 0x800);
	assert_not_null(o.t);
	expect_true(target_process(o.t)->core_truncated);
	expect_uint(target_process(o.t)->core_missing, 0x800);
	expect_contains(warning_of(o.t, "core.truncated"), "2048 bytes");
	expect_uint(target_read(o.t, 0x97ff, &byte, 1), 1);
	expect_uint(target_read(o.t, 0x9800, &byte, 1), 0);
	assert_uint(target_mappings(o.t, &maps), 2);
	expect_uint(maps[1].end, 0xa000);
	expect_uint(maps[1].dumped, 0x800);
	close_core(&o);
	/* at every length there is an answer or a refusal */
	for (size_t size = 0; size < 1024; size += 7) {
		open_bytes(&o, c.bytes.data, size);
		if (o.t == NULL)
			expect_true(o.e.text[0] != '\0');
		else
			target_threads(o.t, &threads);
		close_core(&o);
	}
	/* the first note is whole, the second is not */
	open_bytes(&o, c.bytes.data, (size_t)c.notes_offset + 400);
	assert_not_null(o.t);
	expect_uint(target_threads(o.t, &threads), 1);
	expect_false(target_process(o.t)->has_ids);
	close_core(&o);
	core_file_deinit(&c);
}

TEST(segments)
{
	static const struct {
		const char *name, *warning;
		size_t field; /* of the second segment's Elf64_Phdr */
		uint64_t value;
		uint64_t readable; /* bytes from 0x9000 on */
	} cases[] = {
	    {"filesz 0", "", offsetof(Elf64_Phdr, p_filesz), 0, 0},
	    {"filesz > memsz", "core.segment", offsetof(Elf64_Phdr, p_memsz),
		0x800, 0x1000},
	    {"filesz huge", "core.truncated", offsetof(Elf64_Phdr, p_filesz),
		UINT64_MAX - 0x100, 0x1000},
	    {"memsz wraps", "core.segment", offsetof(Elf64_Phdr, p_memsz),
		UINT64_MAX, 0x1000},
	    {"memsz huge", "", offsetof(Elf64_Phdr, p_memsz), UINT64_C(1) << 46,
		0x1000},
	    {"offset past the end", "core.truncated",
		offsetof(Elf64_Phdr, p_offset), UINT64_C(1) << 40, 0},
	    {"offset wraps", "core.truncated", offsetof(Elf64_Phdr, p_offset),
		UINT64_MAX - 0x10, 0},
	    {"align 0", "", offsetof(Elf64_Phdr, p_align), 0, 0x1000},
	    {"align 3", "", offsetof(Elf64_Phdr, p_align), 3, 0x1000},
	    {"align 2^63", "", offsetof(Elf64_Phdr, p_align), UINT64_C(1) << 63,
		0x1000},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t buffer[0x2000];
		struct core_file c;
		struct opened o;
		struct target *t;

		printf("%s\n", cases[i].name);
		usual(&c);
		core_file_layout(&c);
		put64(
		    c.bytes.data, 64 + 2 * 56 + cases[i].field, cases[i].value);
		t = open_core(&o, &c);
		expect_uint(target_read(t, 0x7000, buffer, 0x1000), 0x1000);
		expect_uint(
		    target_read(t, 0x9000, buffer, 0x2000), cases[i].readable);
		if (cases[i].warning[0] != '\0')
			expect_true(warning_of(t, cases[i].warning)[0] != '\0');
		close_core(&o);
		core_file_deinit(&c);
	}
}

/* One segment that claims everything must not hide the others. */
TEST(giant_segment)
{
	const struct target_mapping *maps;
	struct core_file c;
	struct opened o;
	struct target *t;
	uint8_t byte = 0;

	core_file_init(&c);
	memset(page_a, 0xaa, sizeof(page_a));
	core_segment(&c, 0, UINT64_MAX, PF_R, NULL, 0);
	core_segment(&c, 0x7000, 0x1000, PF_R | PF_X, page_a, 0x1000);
	t = open_core(&o, &c);
	assert_uint(target_mappings(t, &maps), 2);
	expect_uint(maps[0].end, 0x7000);
	expect_uint(maps[1].start, 0x7000);
	expect_uint(target_read(t, 0x7000, &byte, 1), 1);
	expect_uint(byte, 0xaa);
	close_core(&o);
	core_file_deinit(&c);
}

/* The lower start wins where bytes overlap; of equal starts the first. */
TEST(overlaps)
{
	static uint8_t page_c[4096];
	uint8_t buffer[0x1800];
	struct core_file c;
	struct opened o;
	struct target *t;

	memset(page_a, 0xaa, sizeof(page_a));
	memset(page_b, 0xbb, sizeof(page_b));
	memset(page_c, 0xcc, sizeof(page_c));
	core_file_init(&c);
	core_segment(&c, 0x7800, 0x1000, PF_R, page_b, 0x1000);
	core_segment(&c, 0x7000, 0x1000, PF_R, page_a, 0x1000);
	core_segment(&c, 0x7000, 0x1000, PF_R, page_c, 0x1000);
	t = open_core(&o, &c);
	assert_uint(target_read(t, 0x7000, buffer, 0x1800), 0x1800);
	expect_uint(buffer[0], 0xaa);
	expect_uint(buffer[0xfff], 0xaa);
	expect_uint(buffer[0x1000], 0xbb);
	expect_uint(buffer[0x17ff], 0xbb);
	expect_contains(warning_of(t, "core.overlap"), "lower start wins");
	close_core(&o);
	core_file_deinit(&c);
}

TEST(all_at_one_address)
{
	const struct target_mapping *maps;
	struct core_file c;
	struct opened o;

	core_file_init(&c);
	for (unsigned i = 0; i < CORE_SEGMENTS_MAX; i++)
		core_segment(&c, 0x7000, 0x1000 * (i + 1), PF_R, NULL, 0);
	assert_uint(target_mappings(open_core(&o, &c), &maps), 1);
	expect_uint(maps[0].end, 0x7000 + 0x1000 * CORE_SEGMENTS_MAX);
	close_core(&o);
	core_file_deinit(&c);
}

/* A damaged note costs itself, not those behind it. */
TEST(note_headers)
{
	static const struct {
		size_t field;
		uint32_t value;
	} cases[] = {{0, 0xffffffff}, {0, 0xfffffffd}, {0, 0x10000},
	    {4, 0xffffffff}, {4, 0xfffffffd}, {4, 0x7fffffff}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct target_thread *threads;
		struct core_file c;
		struct opened o;
		struct target *t;
		size_t second;

		printf("case %zu\n", i);
		core_file_init(&c);
		core_thread(&c, 1, SIGSEGV, 0);
		second = c.notes.size;
		core_thread(&c, 2, SIGSEGV, 0);
		core_thread(&c, 3, SIGSEGV, 0);
		put32(c.notes.data, second + cases[i].field, cases[i].value);
		t = open_core(&o, &c);
		assert_uint(target_threads(t, &threads), 2);
		expect_uint(threads[0].tid, 1);
		expect_uint(threads[1].tid, 3);
		expect_contains(warning_of(t, "core.note"),
		    test_format("0x%llx",
			(unsigned long long)(c.notes_offset + second)));
		close_core(&o);
		core_file_deinit(&c);
	}
}

TEST(note_names)
{
	struct target_thread *threads;
	struct core_file c;
	struct opened o;
	uint8_t status[336] = {0};

	core_file_init(&c);
	core_note(&c, "GNU", NT_PRSTATUS, status, sizeof(status));
	core_note(&c, "COREX", NT_PRSTATUS, status, sizeof(status));
	core_note(&c, "", NT_PRSTATUS, status, sizeof(status));
	core_thread(&c, 5, SIGSEGV, 0);
	for (unsigned i = 0; i < 5000; i++)
		core_note(&c, "CORE", 0x70000000 + i, status, i % 16);
	core_thread(&c, 6, SIGSEGV, 0);
	assert_uint(target_threads(open_core(&o, &c), &threads), 2);
	expect_uint(threads[1].tid, 6);
	close_core(&o);
	core_file_deinit(&c);
}

TEST(eight_byte_notes)
{
	struct target_thread *threads;
	struct core_file c;
	struct opened o;

	core_file_init(&c);
	c.note_align = 8;
	core_note(&c, "CORE", 0x7777, "abcde", 5);
	core_thread(&c, 5, SIGSEGV, 0);
	core_thread(&c, 6, SIGSEGV, 0);
	assert_uint(target_threads(open_core(&o, &c), &threads), 2);
	expect_uint(threads[1].tid, 6);
	close_core(&o);
	/* p_align says 8, the notes are packed to 4, as Linux wrote them */
	core_file_deinit(&c);
	core_file_init(&c);
	core_note(&c, "CORE", 0x7777, "abcde", 5);
	core_thread(&c, 5, SIGSEGV, 0);
	core_thread(&c, 6, SIGSEGV, 0);
	core_file_layout(&c);
	put64(c.bytes.data, 64 + offsetof(Elf64_Phdr, p_align), 8);
	assert_uint(target_threads(open_core(&o, &c), &threads), 2);
	close_core(&o);
	core_file_deinit(&c);
}

/* Two PT_NOTE segments; and none at all, but notes behind the headers. */
TEST(note_segments)
{
	struct target_thread *threads;
	struct core_file c;
	struct opened o;
	Elf64_Phdr *p;
	size_t second;

	core_file_init(&c);
	core_thread(&c, 1, SIGSEGV, 0);
	second = c.notes.size;
	core_thread(&c, 2, SIGSEGV, 0);
	p = core_segment(&c, 0, 0, PF_R, NULL, 0);
	p->p_type = PT_NOTE;
	core_file_layout(&c);
	p = (Elf64_Phdr *)(void *)(c.bytes.data + 64);
	p[1].p_offset = p[0].p_offset + second;
	p[1].p_filesz = p[0].p_filesz - second;
	p[0].p_filesz = second;
	assert_uint(target_threads(open_core(&o, &c), &threads), 2);
	expect_uint(threads[0].tid, 1);
	expect_uint(threads[1].tid, 2);
	close_core(&o);
	p[0].p_type = PT_NULL;
	p[1].p_type = PT_NULL;
	assert_uint(target_threads(open_core(&o, &c), &threads), 2);
	expect_contains(warning_of(o.t, "core.note"), "no program header");
	close_core(&o);
	core_file_deinit(&c);
}

TEST(thread_notes)
{
	struct target_thread *threads;
	uint8_t status[400] = {0};
	struct core_file c;
	struct opened o;
	struct target *t;

	core_file_init(&c);
	put32(status, 32, 1);
	core_note(&c, "CORE", NT_PRSTATUS, status, 20);	 /* not even a tid */
	core_note(&c, "CORE", NT_PRSTATUS, status, 327); /* no registers */
	put32(status, 32, 2);
	core_note(&c, "CORE", NT_PRSTATUS, status, 400); /* longer than ours */
	put32(status, 32, 0);
	core_note(&c, "CORE", NT_PRSTATUS, status, 336);
	put32(status, 32, 0xffffffff);
	core_note(&c, "CORE", NT_PRSTATUS, status, 336);
	put32(status, 32, 2);
	core_note(&c, "CORE", NT_PRSTATUS, status, 336);
	core_note(&c, "CORE", NT_PRPSINFO, status, 30);
	core_note(&c, "CORE", NT_SIGINFO, status, 8);
	t = open_core(&o, &c);
	assert_uint(target_threads(t, &threads), 5);
	expect_false(threads[0].has_regs);
	expect_uint(threads[0].regs.regs.known, 0);
	expect_true(threads[1].has_regs);
	expect_uint(threads[3].tid, 0xffffffff);
	expect_contains(warning_of(t, "core.threads"), "1 threads");
	expect_false(target_process(t)->has_ids);
	expect_null(target_process(t)->comm);
	close_core(&o);
	core_file_deinit(&c);
}

TEST(no_threads)
{
	struct target_thread *threads;
	struct core_file c;
	struct opened o;
	uint8_t byte;

	core_file_init(&c);
	memset(page_a, 0xaa, sizeof(page_a));
	core_segment(&c, 0x7000, 0x1000, PF_R, page_a, 0x1000);
	assert_uint(target_threads(open_core(&o, &c), &threads), 0);
	expect_contains(warning_of(o.t, "core.no-threads"), "no registers");
	expect_uint(target_read(o.t, 0x7000, &byte, 1), 1);
	close_core(&o);
	core_file_deinit(&c);
}

/* Text fields without an end, and with bytes a terminal would obey. */
TEST(process_text)
{
	struct core_file c;
	struct opened o;
	struct target *t;

	core_file_init(&c);
	core_psinfo(&c, 1, "0123456789abcdefXX",
	    "\033[31m----------------------------------------------------------"
	    "------------------------------");
	core_thread(&c, 1, SIGSEGV, 0);
	t = open_core(&o, &c);
	expect_str(target_process(t)->comm, "0123456789abcdef");
	expect_uint(strlen(target_process(t)->args), 80);
	close_core(&o);
	core_file_deinit(&c);
}

TEST(auxiliary_vector)
{
	static const uint64_t endless[] = {AT_PAGESZ, 4096, AT_PHNUM,
	    UINT64_C(1) << 62, AT_PHENT, 0, AT_PHDR, 0x7000, AT_ENTRY, 1,
	    AT_SYSINFO_EHDR, 0x7000, AT_EXECFN, UINT64_MAX, AT_RANDOM, 3};
	struct target_module *modules;
	struct core_file c;
	struct opened o;
	struct target *t;
	uint64_t value = 0;

	usual(&c);
	core_auxv(&c, endless, 16);
	t = open_core(&o, &c);
	expect_usual(t);
	expect_uint(target_modules(t, &modules), 0);
	assert_true(target_auxv(t, AT_PHNUM, &value));
	expect_uint(value, UINT64_C(1) << 62);
	expect_false(target_auxv(t, AT_HWCAP, &value));
	expect_null(target_process(t)->exe);
	expect_contains(warning_of(t, "core.auxv"), "no end");
	close_core(&o);
	core_file_deinit(&c);
}

TEST(file_tables)
{
	static const struct core_mapped two[] = {
	    {0x20000, 0x21000, 3, "/nowhere/b"},
	    {0x10000, 0x12000, 1, "/nowhere/a"}};
	static const struct core_mapped bad[] = {
	    {0x21000, 0x20000, 0, "/nowhere/inverted"},
	    {0x30000, 0x31000, UINT64_MAX / 2, "/nowhere/wraps"},
	    {0x40000, 0x41000, 0, ""}, {0x10000, 0x12000, 1, "/nowhere/a"},
	    {0x11000, 0x13000, 5, "/nowhere/overlaps"}};
	static const struct {
		uint64_t count, unit;
		const struct core_mapped *files;
		size_t n, mappings;
		uint64_t offset; /* of the one at 0x10000 */
		const char *warning;
	} cases[] = {
	    {2, 4096, two, 2, 2, 4096, ""},
	    {2, 1, two, 2, 2, 1, ""},
	    {UINT64_MAX, 4096, two, 2, 2, 4096, "claims"},
	    {1000000000, 4096, two, 2, 2, 4096, "claims"},
	    {2, 0, two, 2, 2, 4096, "page size"},
	    {2, UINT64_MAX, two, 2, 2, 4096, "page size"},
	    {2, 4095, two, 2, 2, 4096, "page size"},
	    {5, 4096, bad, 5, 2, 4096, "3 of 5"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct target_mapping *maps;
		struct core_file c;
		struct opened o;
		struct target *t;

		printf("case %zu\n", i);
		core_file_init(&c);
		core_thread(&c, 1, SIGSEGV, 0);
		core_mapped_files(&c, cases[i].count, cases[i].unit,
		    cases[i].files, cases[i].n);
		t = open_core(&o, &c);
		/* a count that lies may eat into the names */
		if (cases[i].count <= 5) {
			assert_uint(
			    target_mappings(t, &maps), cases[i].mappings);
			expect_str(maps[0].path, "/nowhere/a");
			expect_uint(maps[0].start, 0x10000);
			expect_uint(maps[0].end, 0x12000);
			expect_uint(maps[0].offset, cases[i].offset);
		}
		expect_contains(warning_of(t, "core.files"), cases[i].warning);
		close_core(&o);
		core_file_deinit(&c);
	}
}

TEST(file_table_without_names)
{
	static const struct core_mapped files[] = {
	    {0x10000, 0x12000, 1, "/nowhere/a"}, {0x20000, 0x21000, 3, NULL}};
	const struct target_mapping *maps;
	struct core_file c;
	struct opened o;

	core_file_init(&c);
	core_thread(&c, 1, SIGSEGV, 0);
	core_mapped_files(&c, 2, 4096, files, 2);
	expect_uint(target_mappings(open_core(&o, &c), &maps), 1);
	expect_contains(warning_of(o.t, "core.files"), "1 of 2");
	close_core(&o);
	core_file_deinit(&c);
}

/* File parts cut mappings, lie in holes, or cover several. */
TEST(merged_mappings)
{
	static const struct core_mapped files[] = {
	    {0x11000, 0x12000, 1, "/nowhere/inside"},
	    {0x13800, 0x14800, 0, "/nowhere/across"},
	    {0x18000, 0x19000, 2, "/nowhere/alone"}};
	static const struct {
		uint64_t start, end;
		const char *path;
		bool unknown;
	} want[] = {
	    {0x10000, 0x11000, NULL, false},
	    {0x11000, 0x12000, "/nowhere/inside", false},
	    {0x12000, 0x13800, NULL, false},
	    {0x13800, 0x14000, "/nowhere/across", false},
	    {0x14000, 0x14800, "/nowhere/across", false},
	    {0x14800, 0x15000, NULL, false},
	    {0x18000, 0x19000, "/nowhere/alone", true},
	};
	const struct target_mapping *maps;
	struct core_file c;
	struct opened o;

	core_file_init(&c);
	core_segment(&c, 0x10000, 0x4000, PF_R | PF_W, NULL, 0);
	core_segment(&c, 0x14000, 0x1000, PF_R, NULL, 0);
	core_mapped_files(&c, 3, 4096, files, 3);
	assert_uint(target_mappings(open_core(&o, &c), &maps), 7);
	for (size_t i = 0; i < 7; i++) {
		printf("mapping %zu\n", i);
		expect_uint(maps[i].start, want[i].start);
		expect_uint(maps[i].end, want[i].end);
		expect_true((maps[i].path == NULL) == (want[i].path == NULL));
		if (want[i].path != NULL && maps[i].path != NULL)
			expect_str(maps[i].path, want[i].path);
	}
	expect_uint(maps[4].offset, 0x800);
	close_core(&o);
	core_file_deinit(&c);
}

/* The caller's budget ends the reading, not the target. */
TEST(budget)
{
	struct target_options options = {0};
	struct opener_local opener;
	struct target_thread *threads;
	struct core_file c;
	struct budget budget;
	struct target *t;
	bt_error_t e;

	core_file_init(&c);
	for (unsigned i = 0; i < 1000; i++)
		core_thread(&c, i + 1, SIGSEGV, 0);
	core_file_layout(&c);
	test_write_file(test_path("core"), c.bytes.data, c.bytes.size);
	assert_ok(opener_local_init(&opener, NULL, &e), &e);
	budget_init(&budget, 100, 0);
	options.opener = &opener.base;
	options.core_path = test_path("core");
	options.budget = &budget;
	assert_ok(target_core_open(&options, &t, &e), &e);
	expect_true(target_threads(t, &threads) > 50);
	expect_true(target_threads(t, &threads) <= 100);
	expect_contains(warning_of(t, "core.limit"), "stopped reading notes");
	target_close(t);
	opener_local_deinit(&opener);
	core_file_deinit(&c);
}

/* Bytes flipped at random: any answer, no crash, no hang. */
TEST_WITHIN(flipped_bytes, 60)
{
	static const struct core_mapped files[] = {
	    {0x10000, 0x12000, 0, "/nowhere/a"},
	    {0x20000, 0x21000, 0, "/nowhere/b"}};
	static const uint64_t auxv[] = {
	    AT_PHDR, 0x10040, AT_PHNUM, 5, AT_ENTRY, 0x11000, AT_NULL, 0};
	uint64_t seed = 0x9e3779b97f4a7c15;
	uint8_t elf[ELF_PAGE_SIZE];
	struct core_file c;

	usual(&c);
	core_auxv(&c, auxv, 8);
	core_mapped_files(&c, 2, 4096, files, 2);
	elf_page(elf, ET_DYN, 0, 5, true);
	elf_segments(&c, 0x10000, elf, page_a);
	core_file_layout(&c);
	for (int round = 0; round < 1500; round++) {
		uint8_t *copy = malloc(c.bytes.size);
		struct target_module *modules;
		struct opened o;
		uint8_t buffer[64];

		assert_true(copy != NULL);
		memcpy(copy, c.bytes.data, c.bytes.size);
		for (int k = 0; k < 1 + round % 5; k++) {
			size_t limit = round % 2 == 0
			    ? (size_t)c.notes_offset + c.notes.size
			    : c.bytes.size;

			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			copy[seed % limit] =
			    round % 3 == 0 ? 0xff : (uint8_t)(seed >> 40);
		}
		open_bytes(&o, copy, c.bytes.size);
		if (o.t != NULL) {
			size_t n = target_modules(o.t, &modules);

			for (size_t i = 0; i < n; i++)
				(void)target_module_image(o.t, &modules[i]);
			(void)target_read(o.t, 0x11000, buffer, 64);
			(void)target_read(o.t, 0x7000, buffer, 64);
		}
		close_core(&o);
		free(copy);
	}
	core_file_deinit(&c);
}
