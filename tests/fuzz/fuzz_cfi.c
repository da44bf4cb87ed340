/* SPDX-License-Identifier: MIT */
/*
 * Call frame information: .eh_frame with its sorted table, and the same bytes
 * as .debug_frame. An ELF file is made around them.
 */
#include "fuzz.h"

#include <elf.h>
#include <stdlib.h>

#include "unwind/cfi.h"

enum {
	EH = 0x1000,
	HDR = 0x9000,
	NAMES = 0x11000,
	SECTIONS = 0x11100,
	FILE_SIZE = 0x12000,
	PART_MAX = 0x8000,
	CODE = 0x20000,
	CODE_SIZE = 0x10000
};

static void
section(Elf64_Shdr *s, uint32_t name, uint32_t type, uint64_t offset,
    uint64_t size, bool loaded)
{
	s->sh_name = name;
	s->sh_type = type;
	s->sh_offset = offset;
	s->sh_addr = loaded ? offset : 0;
	s->sh_flags = loaded ? SHF_ALLOC : 0;
	s->sh_size = size;
	s->sh_addralign = 1;
}

static struct image *
image_of(struct view eh, struct view hdr)
{
	static const char names[] = "\0.eh_frame\0.debug_frame\0.shstrtab";
	uint8_t *bytes = calloc(1, FILE_SIZE);
	Elf64_Ehdr *h = (void *)bytes;
	Elf64_Phdr *p = (void *)(bytes + sizeof(*h));
	Elf64_Shdr *s = (void *)(bytes + SECTIONS);
	struct image *image;

	if (bytes == NULL)
		return NULL;
	*h = (Elf64_Ehdr){
	    .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
	    .e_type = ET_DYN,
	    .e_machine = EM_X86_64,
	    .e_version = 1,
	    .e_ehsize = sizeof(*h),
	    .e_phoff = sizeof(*h),
	    .e_phentsize = sizeof(*p),
	    .e_phnum = hdr.size != 0 ? 3 : 2,
	    .e_shoff = SECTIONS,
	    .e_shentsize = sizeof(*s),
	    .e_shnum = 4,
	    .e_shstrndx = 3,
	};
	p[0] = (Elf64_Phdr){PT_LOAD, PF_R, 0, 0, 0, NAMES, NAMES, 0x1000};
	p[1] = (Elf64_Phdr){
	    PT_LOAD, PF_R | PF_X, 0, CODE, CODE, 0x100, CODE_SIZE, 0x1000};
	p[2] = (Elf64_Phdr){
	    PT_GNU_EH_FRAME, PF_R, HDR, HDR, HDR, hdr.size, hdr.size, 4};
	if (eh.size != 0)
		memcpy(bytes + EH, eh.data, eh.size);
	if (hdr.size != 0)
		memcpy(bytes + HDR, hdr.data, hdr.size);
	memcpy(bytes + NAMES, names, sizeof(names));
	section(&s[1], 1, SHT_PROGBITS, EH, eh.size, true);
	section(&s[2], 11, SHT_PROGBITS, EH, eh.size, false);
	section(&s[3], 24, SHT_STRTAB, NAMES, sizeof(names), false);
	return image_from_memory(bytes, FILE_SIZE, "input", &image, NULL)
	    ? image
	    : NULL;
}

static void
use_fde(const struct cfi_fde *fde, uint64_t at)
{
	struct cfi_row row;

	if (!cfi_row(fde, at, &row))
		return;
	if (row.cfa_is_block)
		fuzz_use(row.cfa_block.data, row.cfa_block.size);
	for (unsigned i = 0; i < ARCH_X86_64_REGS; i++)
		if (row.regs[i].kind == CFI_EXPRESSION ||
		    row.regs[i].kind == CFI_VAL_EXPRESSION)
			fuzz_use(
			    row.regs[i].block.data, row.regs[i].block.size);
}

/* Record after record, as a linear search goes. */
static void
records(const struct cfi_section *s)
{
	struct cfi_record r;
	struct cfi_cie cie;
	struct cfi_fde fde;

	for (uint64_t at = 0; cfi_record_read(s, at, &r); at = r.next) {
		if (r.next <= at)
			abort();
		if (r.is_cie)
			(void)cfi_cie_read(s, at, &cie);
		else if (!r.is_end && cfi_fde_read(s, at, &fde)) {
			use_fde(&fde, fde.start);
			use_fde(&fde, fde.end - 1);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view hdr, eh;
	struct cfi_section plain;
	struct cfi_tables tables;
	struct budget budget;
	struct image *image;
	struct cfi_fde fde;

	fuzz_split(view_of(data, size), &hdr, &eh);
	if (hdr.size > PART_MAX || eh.size > PART_MAX)
		return 0;
	plain = (struct cfi_section){eh, EH, true, NULL};
	records(&plain);
	plain.eh = false;
	records(&plain);
	image = image_of(eh, hdr);
	if (image == NULL)
		return 0;
	budget_init(&budget, 1 << 20, 0);
	cfi_tables_init(&tables, image, &budget);
	(void)cfi_tables_debug(&tables, image);
	for (uint64_t at = CODE; at < CODE + 0x1000; at += 0x10) {
		if (cfi_find_eh(&tables, at, &fde))
			use_fde(&fde, at);
		if (cfi_find_debug(&tables, at, &fde))
			use_fde(&fde, at);
	}
	cfi_tables_deinit(&tables);
	image_unref(image);
	return 0;
}
