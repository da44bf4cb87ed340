/* SPDX-License-Identifier: MIT */
/*
 * A core small enough to be written by a test: two threads that stand in no
 * known code, the second of which received a SIGSEGV, and a page of stack.
 */
#ifndef SESSION_FIXTURE_H
#define SESSION_FIXTURE_H

#include <elf.h>
#include <signal.h>
#include <sys/procfs.h>

#include "harness/test.h"

enum { FIXTURE_PID = 4711, FIXTURE_FAULT_TID = 4712, FIXTURE_SP = 0x7ff000 };

struct fixture_writer {
	uint8_t *data;
	size_t size;
};

static inline void
fixture_put(struct fixture_writer *w, const void *data, size_t size)
{
	w->data = realloc(w->data, w->size + size);
	assert_not_null(w->data);
	memcpy(w->data + w->size, data, size);
	w->size += size;
}

static inline void
fixture_note(
    struct fixture_writer *w, uint32_t type, const void *desc, size_t size)
{
	static const uint8_t zeroes[4];
	Elf64_Nhdr n = {5, (Elf64_Word)size, type};

	fixture_put(w, &n, sizeof(n));
	fixture_put(w, "CORE\0\0\0", 8);
	fixture_put(w, desc, size);
	fixture_put(w, zeroes, (4 - size % 4) % 4);
}

static inline void
fixture_thread(struct fixture_writer *w, uint32_t tid, uint64_t pc, int sig)
{
	struct elf_prstatus s;

	memset(&s, 0, sizeof(s));
	s.pr_pid = (pid_t)tid;
	s.pr_cursig = (short)sig;
	/* elf_gregset_t: 16 is the program counter, 19 the stack pointer. */
	s.pr_reg[16] = pc;
	s.pr_reg[19] = FIXTURE_SP + 64;
	fixture_note(w, NT_PRSTATUS, &s, sizeof(s));
}

static inline void
fixture_notes(struct fixture_writer *w)
{
	struct elf_prpsinfo p;
	siginfo_t info;

	memset(&p, 0, sizeof(p));
	memset(&info, 0, sizeof(info));
	p.pr_pid = FIXTURE_PID;
	memcpy(p.pr_fname, "../fixture", 11);
	info.si_signo = SIGSEGV;
	info.si_code = SEGV_MAPERR;
	info.si_addr = (void *)0x18;
	fixture_thread(w, FIXTURE_FAULT_TID, 0x401000, SIGSEGV);
	fixture_note(w, NT_PRPSINFO, &p, sizeof(p));
	fixture_note(w, NT_SIGINFO, &info, sizeof(info));
	fixture_thread(w, FIXTURE_PID, 0x402000, 0);
}

/* Writes it to a file of the test's directory; the path. */
static inline const char *
fixture_core(void)
{
	static const uint8_t page[4096] = {1, 2, 3};
	struct fixture_writer notes = {0}, file = {0};
	Elf64_Ehdr e = {
	    .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
	    .e_type = ET_CORE,
	    .e_machine = EM_X86_64,
	    .e_version = 1,
	    .e_phoff = sizeof(Elf64_Ehdr),
	    .e_ehsize = sizeof(Elf64_Ehdr),
	    .e_phentsize = sizeof(Elf64_Phdr),
	    .e_phnum = 2,
	};
	Elf64_Phdr p[2] = {{.p_type = PT_NOTE, .p_align = 4},
	    {.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W,
		.p_vaddr = FIXTURE_SP,
		.p_filesz = sizeof(page),
		.p_memsz = sizeof(page),
		.p_align = 1}};
	const char *path = test_path("core");

	fixture_notes(&notes);
	p[0].p_offset = sizeof(e) + sizeof(p);
	p[0].p_filesz = notes.size;
	p[1].p_offset = p[0].p_offset + notes.size;
	fixture_put(&file, &e, sizeof(e));
	fixture_put(&file, p, sizeof(p));
	fixture_put(&file, notes.data, notes.size);
	fixture_put(&file, page, sizeof(page));
	test_write_file(path, file.data, file.size);
	free(notes.data);
	free(file.data);
	return path;
}

#endif /* SESSION_FIXTURE_H */
