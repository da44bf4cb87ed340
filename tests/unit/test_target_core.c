/* SPDX-License-Identifier: MIT */
/*
 * What a core says and how it is refused: threads, signal, process, memory,
 * mappings of well-formed cores; the one clear line for what is no core.
 */
#include <signal.h>
#include <sys/stat.h>

#include "unit/target_fixture.h"

static uint8_t page_a[4096], page_b[8192];

static void
fill_pages(void)
{
	for (size_t i = 0; i < sizeof(page_a); i++)
		page_a[i] = (uint8_t)(i * 3);
	for (size_t i = 0; i < sizeof(page_b); i++)
		page_b[i] = (uint8_t)(i * 5 + 1);
}

/* A core like the kernel's: two threads, SIGSEGV, stack at 0x7000. */
static void
usual(struct core_file *c)
{
	fill_pages();
	core_file_init(c);
	core_thread(c, 77, SIGSEGV, 0x7100);
	core_psinfo(c, 77, "victim", "./victim --now ");
	core_siginfo(c, SIGSEGV, 1, 0x18);
	core_thread(c, 78, SIGSEGV, 0);
	core_segment(c, 0x7000, 0x1000, PF_R | PF_W, page_a, 0x1000);
	core_segment(c, 0x9000, 0x3000, PF_R | PF_X, page_b, 0x2000);
}

TEST(usual_core)
{
	const struct target_process *p;
	const struct target_signal *s;
	struct target_thread *threads;
	struct core_file c;
	struct opened o;
	struct target *t;
	uint64_t value = 0;

	usual(&c);
	t = open_core(&o, &c);
	assert_uint(target_threads(t, &threads), 2);
	expect_uint(threads[0].tid, 77);
	expect_true(threads[0].fault);
	expect_str(threads[0].name, "victim");
	expect_true(threads[0].has_regs);
	assert_true(regs_get(&threads[0].regs.regs, ARCH_PC, &value));
	expect_uint(value, 7716);
	assert_true(regs_get(&threads[0].regs.regs, ARCH_SP, &value));
	expect_uint(value, 0x7100);
	expect_uint(threads[1].tid, 78);
	expect_false(threads[1].fault);
	expect_null(threads[1].name);
	p = target_process(t);
	expect_int(p->pid, 77);
	expect_int(p->ppid, 1);
	expect_true(p->has_ids);
	expect_uint(p->uid, 1000);
	expect_uint(p->gid, 100);
	expect_str(p->comm, "victim");
	expect_str(p->args, "./victim --now");
	expect_false(p->core_truncated);
	expect_false(p->from_gcore);
	expect_uint(p->core_size, c.bytes.size);
	s = target_signal(t);
	expect_true(s->present);
	expect_true(s->has_info);
	expect_int(s->number, SIGSEGV);
	expect_int(s->code, 1);
	expect_true(s->has_address);
	expect_uint(s->address, 0x18);
	expect_false(s->has_sender);
	const struct target_warning *w;
	/* no file table and no vdso in this one, nothing else is wrong */
	expect_uint(target_warnings(t, &w), 1);
	close_core(&o);
	core_file_deinit(&c);
}

TEST(memory)
{
	const struct target_mapping *maps;
	struct core_file c;
	struct opened o;
	struct target *t;
	const uint8_t *bytes;
	uint8_t buffer[0x3000];
	bt_error_t e;

	usual(&c);
	t = open_core(&o, &c);
	expect_uint(target_read(t, 0x7000, buffer, sizeof(buffer)), 0x1000);
	expect_mem(buffer, page_a, 0x1000);
	expect_uint(target_read(t, 0x6fff, buffer, 16), 0);
	expect_uint(target_read(t, 0x7ff0, buffer, 32), 16);
	/* the part of a mapping that was not dumped is absent, not zero */
	expect_uint(target_read(t, 0x9800, buffer, sizeof(buffer)), 0x1800);
	expect_mem(buffer, page_b + 0x800, 0x1800);
	expect_uint(target_read(t, 0xb000, buffer, 1), 0);
	expect_uint(target_view(t, 0xa000, 0x100, &bytes), 0x100);
	expect_mem(bytes, page_b + 0x1000, 0x100);
	expect_uint(target_view(t, 0xafff, 0x100, &bytes), 1);
	expect_uint(target_view(t, 0x8000, 0x100, &bytes), 0);
	expect_true(target_read_exact(t, 0x7000, buffer, 0x1000, &e));
	assert_code(
	    target_read_exact(t, 0x7ff8, buffer, 16, &e), &e, BT_E_FAULT);
	expect_uint(e.address, 0x8000);
	expect_uint(target_read(t, UINT64_MAX, buffer, 16), 0);

	assert_uint(target_mappings(t, &maps), 2);
	expect_uint(maps[0].start, 0x7000);
	expect_uint(maps[0].dumped, 0x1000);
	expect_str(maps[0].path, "[stack]");
	expect_uint(maps[1].end, 0xc000);
	expect_uint(maps[1].dumped, 0x2000);
	expect_uint(maps[1].perms, TARGET_R | TARGET_X);
	expect_true(target_is_executable(t, 0xb000));
	expect_false(target_is_executable(t, 0x7000));
	expect_false(target_is_executable(t, 0xc000));
	expect_null(target_mapping_at(t, 0x8000));
	close_core(&o);
	core_file_deinit(&c);
}

TEST(strings)
{
	struct core_file c;
	struct opened o;
	struct target *t;
	char text[64];
	bool truncated;

	usual(&c);
	memset(page_a, 'x', sizeof(page_a));
	memcpy(page_a + 0x100, "hello", 6);
	page_a[0x200] = 0;
	t = open_core(&o, &c);
	expect_int(target_read_cstr(t, 0x7100, text, 64, &truncated), 5);
	expect_str(text, "hello");
	expect_false(truncated);
	expect_int(target_read_cstr(t, 0x7200, text, 64, &truncated), 0);
	expect_false(truncated);
	expect_int(target_read_cstr(t, 0x7300, text, 64, &truncated), 63);
	expect_true(truncated);
	expect_uint(strlen(text), 63);
	/* to the end of what is readable */
	expect_int(target_read_cstr(t, 0x7ffc, text, 64, &truncated), 4);
	expect_str(text, "xxxx");
	expect_true(truncated);
	expect_int(target_read_cstr(t, 0x8000, text, 64, &truncated), -1);
	close_core(&o);
	core_file_deinit(&c);
}

/* Adjacent ranges that lie apart in the file read as one. */
TEST(reads_cross_ranges)
{
	struct core_file c;
	struct opened o;
	struct target *t;
	uint8_t buffer[0x3000];
	uint64_t value = 0, want;

	fill_pages();
	core_file_init(&c);
	core_segment(&c, 0x9000, 0x2000, PF_R, page_b, 0x2000);
	core_segment(&c, 0x8000, 0x1000, PF_R, page_a, 0x1000);
	t = open_core(&o, &c);
	assert_uint(target_read(t, 0x8000, buffer, 0x3000), 0x3000);
	expect_mem(buffer, page_a, 0x1000);
	expect_mem(buffer + 0x1000, page_b, 0x2000);
	memcpy(&want, page_a + 0xffc, 4);
	memcpy((uint8_t *)&want + 4, page_b, 4);
	assert_true(target_read_u64(t, 0x8ffc, &value));
	expect_uint(value, want);
	expect_false(target_read_u64(t, 0xaffc, &value));
	close_core(&o);
	core_file_deinit(&c);
}

/* Hints about any memory, there or not, leave it as it is. */
TEST(hints)
{
	static const bt_addr_t at[] = {
	    0, 0x6fff, 0x7000, 0x7fff, 0x8000, 0x9123, 0xafff, UINT64_MAX};
	static const size_t size[] = {0, 1, 0x1001, 0x7000, SIZE_MAX};
	uint8_t buffer[0x2000];
	struct core_file c;
	struct opened o;
	struct target *t;

	usual(&c);
	t = open_core(&o, &c);
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++)
		for (size_t k = 0; k < sizeof(size) / sizeof(*size); k++) {
			target_expect(t, at[i], size[k]);
			target_stream(t, at[i], size[k]);
		}
	expect_uint(target_read(t, 0x7000, buffer, 0x1000), 0x1000);
	expect_mem(buffer, page_a, 0x1000);
	expect_uint(target_read(t, 0x9000, buffer, 0x2000), 0x2000);
	expect_mem(buffer, page_b, 0x2000);
	close_core(&o);
	core_file_deinit(&c);
}

TEST(signals)
{
	static const struct {
		int number, code;
		uint64_t word;
		bool gcore, has_address, has_sender;
	} cases[] = {
	    {SIGSEGV, 1, 0x18, false, true, false},
	    {SIGSEGV, 0x80, 0x18, false, false, false}, /* SI_KERNEL: #GP */
	    {SIGSEGV, 0, 0x3e8000004d2, false, false, true},  /* kill */
	    {SIGABRT, -6, 0x3e8000004d2, false, false, true}, /* tkill */
	    {SIGQUIT, -1, 0x3e8000004d2, false, false, true},
	    {SIGABRT, -2, 0x18, false, false, false}, /* timer */
	    {SIGSYS, 1, 0x18, false, false, false},
	    {SIGBUS, 2, 0x1000, false, true, false},
	    {SIGBUS, 2, 0, false, true, false},
	    {SIGBUS, 1, 0x1001, false, true, false},
	    {SIGBUS, 1, 0, false, false, false}, /* BUS_ADRALN: not told */
	    {SIGFPE, 1, 0x1000, false, true, false},
	    {SIGILL, 2, 0x1000, false, true, false},
	    {SIGSTOP, 0x80, 0, true, false, false},
	    {SIGCHLD, 1, 0, true, false, false},
	    {0, 0, 0, true, false, false},
	    {-1, 0, 0, true, false, false},
	    {65, 0, 0, true, false, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct target_signal *s;
		struct target_thread *threads;
		struct core_file c;
		struct opened o;
		struct target *t;

		printf("case %zu\n", i);
		core_file_init(&c);
		core_thread(&c, 5, 0, 0);
		core_siginfo(&c, cases[i].number, cases[i].code, cases[i].word);
		t = open_core(&o, &c);
		s = target_signal(t);
		target_threads(t, &threads);
		expect_int(target_process(t)->from_gcore, cases[i].gcore);
		expect_int(threads[0].fault, !cases[i].gcore);
		expect_int(s->present, !cases[i].gcore);
		expect_int(s->has_address, cases[i].has_address);
		expect_int(s->has_sender, cases[i].has_sender);
		if (cases[i].has_address)
			expect_uint(s->address, cases[i].word);
		if (cases[i].has_sender) {
			expect_int(s->sender_pid, 1234);
			expect_uint(s->sender_uid, 1000);
		}
		close_core(&o);
		core_file_deinit(&c);
	}
}

/* Neither NT_SIGINFO nor NT_FILE is required: older kernels have none. */
TEST(signal_from_prstatus)
{
	const struct target_signal *s;
	struct core_file c;
	struct opened o;

	core_file_init(&c);
	core_thread(&c, 5, SIGBUS, 0);
	s = target_signal(open_core(&o, &c));
	expect_true(s->present);
	expect_false(s->has_info);
	expect_int(s->number, SIGBUS);
	expect_false(s->has_address);
	close_core(&o);
	core_file_deinit(&c);
}

/* gdb writes NT_PRPSINFO first and a NT_SIGINFO for each thread. */
TEST(gdb_order)
{
	struct target_thread *threads;
	struct core_file c;
	struct opened o;
	struct target *t;

	core_file_init(&c);
	core_psinfo(&c, 9, "victim", "victim");
	core_thread(&c, 9, 0, 0);
	core_siginfo(&c, SIGSEGV, 2, 0x1234);
	core_thread(&c, 10, 0, 0);
	core_siginfo(&c, SIGUSR1, 0, 0);
	t = open_core(&o, &c);
	assert_uint(target_threads(t, &threads), 2);
	expect_uint(threads[0].signal.address, 0x1234);
	expect_int(threads[1].signal.number, SIGUSR1);
	expect_int(target_signal(t)->number, SIGSEGV);
	expect_false(target_process(t)->from_gcore);
	close_core(&o);
	core_file_deinit(&c);
}

TEST(extended_state_belongs_to_its_thread)
{
	struct target_thread *threads;
	uint8_t fx[512], xsave[832];
	struct core_file c;
	struct opened o;
	struct target *t;

	memset(fx, 0x11, sizeof(fx));
	memset(xsave, 0x22, sizeof(xsave));
	core_file_init(&c);
	core_note(&c, "LINUX", 0x202, xsave, sizeof(xsave)); /* of nobody */
	core_thread(&c, 1, SIGSEGV, 0);
	core_note(&c, "CORE", NT_FPREGSET, fx, sizeof(fx));
	core_thread(&c, 2, SIGSEGV, 0);
	core_note(&c, "LINUX", 0x202, xsave, sizeof(xsave));
	core_note(&c, "CORE", NT_FPREGSET, fx, sizeof(fx));
	core_thread(&c, 3, SIGSEGV, 0);
	core_note(&c, "LINUX", 0x202, xsave, 100);
	t = open_core(&o, &c);
	assert_uint(target_threads(t, &threads), 3);
	expect_uint(threads[0].regs.xstate_size, 512);
	expect_true(threads[0].regs.xstate_is_fx);
	expect_uint(threads[1].regs.xstate_size, 832);
	expect_false(threads[1].regs.xstate_is_fx);
	expect_null(threads[2].regs.xstate);
	close_core(&o);
	core_file_deinit(&c);
}

/* More segments than e_phnum can count: the real count is in section 0. */
TEST(many_segments)
{
	const unsigned n = 131070;
	const size_t table = 64 + (size_t)(n + 1) * 56;
	uint64_t seed = 88172645463325252u, started;
	const struct target_mapping *maps;
	struct core_file c;
	struct opened o;
	uint8_t *bytes;
	Elf64_Shdr section = {.sh_info = n + 1};
	Elf64_Phdr note = {.p_type = PT_NOTE, .p_align = 4};
	unsigned *order = malloc(n * sizeof(*order));

	core_file_init(&c);
	core_thread(&c, 5, SIGSEGV, 0);
	note.p_offset = table;
	note.p_filesz = c.notes.size;
	c.ehdr.e_phnum = PN_XNUM;
	c.ehdr.e_shoff = table + c.notes.size;
	c.ehdr.e_shentsize = sizeof(section);
	c.ehdr.e_shnum = 1;
	bytes = calloc(1, table + c.notes.size + sizeof(section));
	assert_true(bytes != NULL && order != NULL);
	memcpy(bytes, &c.ehdr, 64);
	memcpy(bytes + 64, &note, sizeof(note));
	for (unsigned i = 0; i < n; i++)
		order[i] = i;
	for (unsigned i = n - 1; i > 0; i--) {
		unsigned k, other;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		k = (unsigned)(seed % (i + 1));
		other = order[k];
		order[k] = order[i];
		order[i] = other;
	}
	for (unsigned i = 0; i < n; i++) {
		Elf64_Phdr p = {.p_type = PT_LOAD,
		    .p_flags = PF_R,
		    .p_vaddr = 0x100000 + (uint64_t)order[i] * 0x2000,
		    .p_offset = 64,
		    .p_filesz = 16,
		    .p_memsz = 0x1000};

		memcpy(bytes + 64 + (size_t)(i + 1) * 56, &p, sizeof(p));
	}
	memcpy(bytes + table, c.notes.data, c.notes.size);
	memcpy(bytes + table + c.notes.size, &section, sizeof(section));
	test_write_file(
	    test_path("core"), bytes, table + c.notes.size + sizeof(section));
	started = bt_now_ns();
	open_file(&o, test_path("core"), NULL, false);
	assert_not_null(o.t);
	/* Here about 40 ms; the bound only tells it from n squared. */
	expect_true(bt_now_ns() - started < UINT64_C(5000000000));
	assert_uint(target_mappings(o.t, &maps), n);
	expect_uint(maps[n / 2].start, 0x100000 + (uint64_t)(n / 2) * 0x2000);
	expect_uint(maps[n / 2].dumped, 16);
	close_core(&o);
	core_file_deinit(&c);
	free(bytes);
	free(order);
}

TEST(many_threads)
{
	struct target_thread *threads;
	struct core_file c;
	struct opened o;
	struct target *t;

	core_file_init(&c);
	for (unsigned i = 0; i < 20000; i++)
		core_thread(&c, 1000 + i, SIGSEGV, 0);
	t = open_core(&o, &c);
	assert_uint(target_threads(t, &threads), 20000);
	expect_uint(threads[19999].tid, 20999);
	expect_str(warning_of(t, "core.threads"), "");
	close_core(&o);
	core_file_deinit(&c);
}

/* ---- what is no core ---- */

static void
refuse(
    const void *bytes, size_t size, enum bt_error_code code, const char *part)
{
	struct opened o;

	open_bytes(&o, bytes, size);
	printf("%s\n", o.e.text);
	expect_null(o.t);
	if (o.t == NULL) {
		expect_uint(o.e.code, code);
		expect_contains(o.e.text, part);
		expect_contains(o.e.text, test_path("core"));
		expect_null(strchr(o.e.text, '\n'));
	}
	close_core(&o);
}

TEST(not_elf)
{
	refuse("", 0, BT_E_FORMAT, "is empty");
	refuse("x", 1, BT_E_FORMAT, "no ELF magic");
	refuse("#!/bin/sh\nexit 0\n", 17, BT_E_FORMAT, "no ELF magic");
	refuse("\x04\x22\x4d\x18...", 8, BT_E_UNSUPPORTED, "lz4 -d");
	refuse("BZh9....", 8, BT_E_UNSUPPORTED, "bunzip2");
	refuse("\x28\xb5\x2f\xfd....", 8, BT_E_FORMAT, "zstd");
	refuse("\xfd"
	       "7zXZ\0..",
	    8, BT_E_FORMAT, "xz");
	refuse("\x1f\x8b..", 4, BT_E_FORMAT, "gzip");
	refuse("\177ELF", 4, BT_E_FORMAT, "cut off at offset 4");
}

TEST(cut_in_the_header)
{
	struct target_thread *threads;
	struct core_file c;
	struct opened o;

	usual(&c);
	core_file_layout(&c);
	refuse(c.bytes.data, 16, BT_E_FORMAT, "cut off at offset 16");
	refuse(c.bytes.data, 63, BT_E_FORMAT, "cut off at offset 63");
	/* A core by its header, though nothing else is there. */
	for (size_t size = 64; size < 64 + 56; size += 20) {
		open_bytes(&o, c.bytes.data, size);
		assert_not_null(o.t);
		expect_uint(target_threads(o.t, &threads), 0);
		expect_contains(
		    warning_of(o.t, "core.truncated"), "no threads");
		expect_true(target_process(o.t)->core_truncated);
		close_core(&o);
	}
	core_file_deinit(&c);
}

TEST(other_elf_files)
{
	static const struct {
		uint8_t class, data;
		uint16_t type, machine;
		enum bt_error_code code;
		const char *part;
	} cases[] = {
	    {2, 1, ET_EXEC, EM_X86_64, BT_E_FORMAT,
		"is an executable, not a core file; give the core after "
		"--core"},
	    {2, 1, ET_DYN, EM_X86_64, BT_E_FORMAT, "not a core file"},
	    {2, 1, ET_REL, EM_X86_64, BT_E_FORMAT, "object file"},
	    {2, 1, 77, EM_X86_64, BT_E_FORMAT, "ELF type 77"},
	    {1, 1, ET_EXEC, EM_386, BT_E_FORMAT, "executable"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* Of 34 registers: that of x86-64 would prove the header
		 * wrong (test_target_damage). */
		static const uint8_t status[392];
		struct core_file c;

		usual(&c);
		buf_clear(&c.notes);
		core_note(&c, "CORE", NT_PRSTATUS, status, sizeof(status));
		c.ehdr.e_ident[EI_CLASS] = cases[i].class;
		c.ehdr.e_ident[EI_DATA] = cases[i].data;
		c.ehdr.e_type = cases[i].type;
		c.ehdr.e_machine = cases[i].machine;
		core_file_layout(&c);
		refuse(
		    c.bytes.data, c.bytes.size, cases[i].code, cases[i].part);
		core_file_deinit(&c);
	}
}

/* 32-bit pointers on x86-64: its 32-bit header ends where a 64-bit one has
 * the sizes that would prove the class byte wrong. */
TEST(x32)
{
	Elf32_Ehdr e = {.e_type = ET_CORE,
	    .e_machine = EM_X86_64,
	    .e_phoff = 52,
	    .e_ehsize = 52,
	    .e_phentsize = 32};
	uint8_t bytes[128] = {0};

	memcpy(e.e_ident, ELFMAG, SELFMAG);
	e.e_ident[EI_CLASS] = ELFCLASS32;
	e.e_ident[EI_DATA] = ELFDATA2LSB;
	memcpy(bytes, &e, sizeof(e));
	refuse(bytes, sizeof(bytes), BT_E_UNSUPPORTED, "x32");
}

TEST(not_a_file)
{
	const char *fifo = test_path("fifo");
	struct opened o;

	assert_int(mkfifo(fifo, 0600), 0);
	open_file(&o, fifo, NULL, false);
	expect_null(o.t);
	expect_contains(o.e.text, "fifo");
	close_core(&o);
	open_file(&o, test_dir(), NULL, false);
	expect_null(o.t);
	close_core(&o);
	open_file(&o, test_path("nothing"), NULL, false);
	expect_null(o.t);
	expect_uint(o.e.code, BT_E_NOTFOUND);
	close_core(&o);
	open_file(&o, NULL, NULL, false);
	expect_null(o.t);
	expect_uint(o.e.code, BT_E_USAGE);
	close_core(&o);
}
