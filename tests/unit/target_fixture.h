/* SPDX-License-Identifier: MIT */
/*
 * Writing cores, byte by byte, so that every one of their fields can lie.
 * struct core_file collects segments and notes; core_file_write lays them out
 * as Linux does (header, program headers, notes, page-aligned segments). What
 * a test wants wrong it sets in the struct before, or in the bytes after.
 */
#ifndef TARGET_FIXTURE_H
#define TARGET_FIXTURE_H

#include <elf.h>

#include "base/buf.h"
#include "harness/test.h"
#include "target/target.h"

enum { CORE_SEGMENTS_MAX = 64 };

struct core_file {
	Elf64_Ehdr ehdr;
	unsigned n_segments;
	struct {
		Elf64_Phdr phdr;
		const void *data;
	} segments[CORE_SEGMENTS_MAX];
	struct buf notes;
	uint32_t note_align;
	struct buf bytes; /* the file, once laid out */
	uint64_t notes_offset;
};

static inline void
core_file_init(struct core_file *c)
{
	memset(c, 0, sizeof(*c));
	memcpy(c->ehdr.e_ident, ELFMAG, SELFMAG);
	c->ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	c->ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	c->ehdr.e_ident[EI_VERSION] = EV_CURRENT;
	c->ehdr.e_type = ET_CORE;
	c->ehdr.e_machine = EM_X86_64;
	c->ehdr.e_version = EV_CURRENT;
	c->ehdr.e_phoff = sizeof(Elf64_Ehdr);
	c->ehdr.e_ehsize = sizeof(Elf64_Ehdr);
	c->ehdr.e_phentsize = sizeof(Elf64_Phdr);
	c->note_align = 4;
	buf_init(&c->notes, (size_t)1 << 30);
	buf_init(&c->bytes, (size_t)1 << 30);
}

static inline void
core_file_deinit(struct core_file *c)
{
	buf_deinit(&c->notes);
	buf_deinit(&c->bytes);
}

/* Returns the program header, to be damaged at will (p_offset is relative to
 * the place the data gets). */
static inline Elf64_Phdr *
core_segment(struct core_file *c, uint64_t vaddr, uint64_t memsz,
    uint32_t flags, const void *data, uint64_t filesz)
{
	Elf64_Phdr *p = &c->segments[c->n_segments].phdr;

	c->segments[c->n_segments++].data = data;
	*p = (Elf64_Phdr){.p_type = PT_LOAD,
	    .p_flags = flags,
	    .p_vaddr = vaddr,
	    .p_filesz = filesz,
	    .p_memsz = memsz,
	    .p_align = 4096};
	return p;
}

static inline void
core_note(struct core_file *c, const char *name, uint32_t type,
    const void *desc, size_t size)
{
	Elf64_Nhdr h = {
	    .n_namesz = (uint32_t)strlen(name) + 1,
	    .n_descsz = (uint32_t)size,
	    .n_type = type,
	};

	buf_append(&c->notes, &h, sizeof(h));
	buf_append(&c->notes, name, h.n_namesz);
	while (c->notes.size % c->note_align != 0)
		buf_putc(&c->notes, 0);
	if (size != 0)
		buf_append(&c->notes, desc, size);
	while (c->notes.size % c->note_align != 0)
		buf_putc(&c->notes, 0);
}

/* NT_PRSTATUS; general register word N of user_regs_struct is tid * 100 + N,
 * but for the stack pointer, if given. */
static inline void
core_thread(struct core_file *c, uint32_t tid, uint16_t signal, uint64_t sp)
{
	uint8_t d[336] = {0};
	uint32_t number = signal;

	memcpy(d, &number, 4);
	memcpy(d + 12, &signal, 2);
	memcpy(d + 32, &tid, 4);
	for (unsigned i = 0; i < 27; i++) {
		uint64_t word = (uint64_t)tid * 100 + i;

		if (i == 19 && sp != 0)
			word = sp;
		memcpy(d + 112 + i * 8, &word, 8);
	}
	core_note(c, "CORE", NT_PRSTATUS, d, sizeof(d));
}

static inline void
core_psinfo(
    struct core_file *c, uint32_t pid, const char *comm, const char *args)
{
	uint8_t d[136] = {0, 'R'};
	const uint32_t ids[6] = {1000, 100, pid, 1, pid, pid};

	memcpy(d + 16, ids, sizeof(ids));
	/* the kernel need not terminate either */
	memcpy(d + 40, comm, strlen(comm) < 16 ? strlen(comm) : 16);
	memcpy(d + 56, args, strlen(args) < 80 ? strlen(args) : 80);
	core_note(c, "CORE", NT_PRPSINFO, d, sizeof(d));
}

static inline void
core_siginfo(
    struct core_file *c, int32_t number, int32_t code, uint64_t address)
{
	uint8_t d[128] = {0};

	memcpy(d, &number, 4);
	memcpy(d + 8, &code, 4);
	memcpy(d + 16, &address, 8);
	core_note(c, "CORE", NT_SIGINFO, d, sizeof(d));
}

struct core_mapped {
	uint64_t start, end, pages;
	const char *path;
};

static inline void
core_mapped_files(struct core_file *c, uint64_t count, uint64_t unit,
    const struct core_mapped *files, size_t n)
{
	struct buf d;

	buf_init(&d, (size_t)1 << 30);
	buf_append(&d, &count, 8);
	buf_append(&d, &unit, 8);
	for (size_t i = 0; i < n; i++)
		buf_append(&d, &files[i], 24);
	for (size_t i = 0; i < n; i++) {
		if (files[i].path != NULL)
			buf_append(
			    &d, files[i].path, strlen(files[i].path) + 1);
	}
	core_note(c, "CORE", NT_FILE, d.data, d.size);
	buf_deinit(&d);
}

static inline void
core_auxv(struct core_file *c, const uint64_t *pairs, size_t words)
{
	core_note(c, "CORE", NT_AUXV, pairs, words * 8);
}

/* Lays the file out. Afterwards c->bytes may be changed. */
static inline void
core_file_layout(struct core_file *c)
{
	static const uint8_t zeros[4096];
	unsigned n = c->n_segments + (c->notes.size != 0);
	uint64_t offset = sizeof(Elf64_Ehdr) + n * sizeof(Elf64_Phdr);
	Elf64_Phdr note = {.p_type = PT_NOTE,
	    .p_offset = offset,
	    .p_filesz = c->notes.size,
	    .p_align = c->note_align};

	c->notes_offset = offset;
	if (c->ehdr.e_phnum == 0)
		c->ehdr.e_phnum = (uint16_t)n;
	buf_append(&c->bytes, &c->ehdr, sizeof(c->ehdr));
	if (c->notes.size != 0)
		buf_append(&c->bytes, &note, sizeof(note));
	offset = (offset + c->notes.size + 4095) & ~UINT64_C(4095);
	for (unsigned i = 0; i < c->n_segments; i++) {
		Elf64_Phdr *p = &c->segments[i].phdr;

		p->p_offset += offset;
		if (c->segments[i].data != NULL)
			offset += (p->p_filesz + 4095) & ~UINT64_C(4095);
		buf_append(&c->bytes, p, sizeof(*p));
	}
	if (c->notes.size != 0)
		buf_append(&c->bytes, c->notes.data, c->notes.size);
	for (unsigned i = 0; i < c->n_segments; i++) {
		if (c->bytes.size % 4096 != 0)
			buf_append(
			    &c->bytes, zeros, 4096 - c->bytes.size % 4096);
		if (c->segments[i].data != NULL)
			buf_append(&c->bytes, c->segments[i].data,
			    c->segments[i].phdr.p_filesz);
	}
	assert_false(c->bytes.failed);
}

static inline void
put64(void *bytes, size_t offset, uint64_t value)
{
	memcpy((uint8_t *)bytes + offset, &value, 8);
}

static inline void
put32(void *bytes, size_t offset, uint32_t value)
{
	memcpy((uint8_t *)bytes + offset, &value, 4);
}

static inline void
put16(void *bytes, size_t offset, uint16_t value)
{
	memcpy((uint8_t *)bytes + offset, &value, 2);
}

struct opened {
	struct opener_local opener;
	struct target *t; /* NULL: refused */
	bt_error_t e;
};

static inline void
open_file(struct opened *o, const char *core, const char *exe, bool force)
{
	struct target_options options = {
	    .core_path = core, .exe_path = exe, .force = force};

	memset(o, 0, sizeof(*o));
	assert_ok(opener_local_init(&o->opener, NULL, &o->e), &o->e);
	options.opener = &o->opener.base;
	if (!target_core_open(&options, &o->t, &o->e))
		o->t = NULL;
}

static inline void
open_bytes(struct opened *o, const void *bytes, size_t size)
{
	const char *path = test_path("core");

	test_write_file(path, bytes, size);
	open_file(o, path, NULL, false);
}

/* Lays out, writes, opens; the core must open. */
static inline struct target *
open_core(struct opened *o, struct core_file *c)
{
	if (c->bytes.size == 0)
		core_file_layout(c);
	open_bytes(o, c->bytes.data, c->bytes.size);
	if (o->t == NULL)
		fail("the core was refused: %s", o->e.text);
	return o->t;
}

static inline void
close_core(struct opened *o)
{
	target_close(o->t);
	opener_local_deinit(&o->opener);
}

/* The text of the first warning with this code; "" when there is none. */
static inline const char *
warning_of(const struct target *t, const char *code)
{
	const struct target_warning *w;
	size_t n = target_warnings(t, &w);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(w[i].code, code) == 0)
			return w[i].text;
	}
	return "";
}

/*
 * The first page of an ELF file as the kernel would dump it: PT_LOADs at file
 * offsets 0 (read-only), 0x1000 (code), and 0x2000 (data, at 0x3000 in memory),
 * a build-id of 20 times `id`, and an empty dynamic section at 0x3000.
 */
enum { ELF_PAGE_SIZE = 4096, ELF_PAGE_SPAN = 0x4000 };

static inline void
elf_page(uint8_t *page, uint16_t type, uint64_t base, uint8_t id, bool interp)
{
	Elf64_Ehdr e = {.e_type = type,
	    .e_machine = EM_X86_64,
	    .e_version = 1,
	    .e_entry = base + 0x1000,
	    .e_phoff = 64,
	    .e_ehsize = 64,
	    .e_phentsize = 56,
	    .e_phnum = interp ? 6 : 5};
	const Elf64_Phdr p[] = {
	    {PT_LOAD, PF_R, 0, base, base, 0x1000, 0x1000, 0x1000},
	    {PT_LOAD, PF_R | PF_X, 0x1000, base + 0x1000, base + 0x1000, 0x1000,
		0x1000, 0x1000},
	    {PT_LOAD, PF_R | PF_W, 0x2000, base + 0x3000, base + 0x3000, 0x800,
		0x1000, 0x1000},
	    {PT_NOTE, PF_R, 0x800, base + 0x800, base + 0x800, 36, 36, 4},
	    {PT_DYNAMIC, PF_R | PF_W, 0x2000, base + 0x3000, base + 0x3000,
		0x100, 0x100, 8},
	    {PT_INTERP, PF_R, 0x900, base + 0x900, base + 0x900, 0x10, 0x10, 1},
	};
	const uint32_t note[] = {4, 20, NT_GNU_BUILD_ID};

	memset(page, 0, ELF_PAGE_SIZE);
	memcpy(e.e_ident, ELFMAG, SELFMAG);
	e.e_ident[EI_CLASS] = ELFCLASS64;
	e.e_ident[EI_DATA] = ELFDATA2LSB;
	e.e_ident[EI_VERSION] = 1;
	memcpy(page, &e, sizeof(e));
	memcpy(page + 64, p, sizeof(p));
	if (id != 0) {
		memcpy(page + 0x800, note, sizeof(note));
		memcpy(page + 0x80c, "GNU", 4);
		memset(page + 0x810, id, 20);
	}
}

/* Its three mappings in a core: first page dumped, code not, data dumped. */
static inline void
elf_segments(
    struct core_file *c, uint64_t at, const uint8_t *page, const uint8_t *data)
{
	core_segment(c, at, 0x1000, PF_R, page, page != NULL ? 0x1000 : 0);
	core_segment(c, at + 0x1000, 0x1000, PF_R | PF_X, NULL, 0);
	core_segment(c, at + 0x3000, 0x1000, PF_R | PF_W, data,
	    data != NULL ? 0x1000 : 0);
}

static inline size_t
elf_mapped(struct core_mapped *out, uint64_t at, const char *path)
{
	out[0] = (struct core_mapped){at, at + 0x1000, 0, path};
	out[1] = (struct core_mapped){at + 0x1000, at + 0x2000, 1, path};
	out[2] = (struct core_mapped){at + 0x3000, at + 0x4000, 2, path};
	return 3;
}

#endif /* TARGET_FIXTURE_H */
