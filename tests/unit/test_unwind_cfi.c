/* SPDX-License-Identifier: MIT */
/*
 * Call frame information, hand-assembled: records, pointer encodings, every
 * instruction, the tables that find an FDE, and what must not be believed. The
 * files are ELF images in memory.
 */
#include "harness/test.h"

#include <elf.h>

#include "unwind/cfi.h"

enum {
	EH = 0x1000,	/* .eh_frame, file offset and address */
	HDR = 0x3000,	/* .eh_frame_hdr */
	DEBUG = 0x5000, /* .debug_frame, file offset; not loaded */
	NAMES = 0x7000,
	SECTIONS = 0x7100,
	FILE_SIZE = 0x8000,
	CODE = 0x10000,
	CODE_SIZE = 0x10000
};

struct out {
	uint8_t bytes[0x2000];
	size_t size;
};

static void
put(struct out *o, const void *bytes, size_t size)
{
	assert_true(size <= sizeof(o->bytes) - o->size);
	if (size != 0)
		memcpy(o->bytes + o->size, bytes, size);
	o->size += size;
}

static void
u8(struct out *o, uint8_t v)
{
	put(o, &v, sizeof(v));
}

static void
u32(struct out *o, uint32_t v)
{
	put(o, &v, sizeof(v));
}

static void
u64(struct out *o, uint64_t v)
{
	put(o, &v, sizeof(v));
}

/* Opens a record; close fills in its length. */
static size_t
record(struct out *o)
{
	u32(o, 0);
	return o->size;
}

static void
close_record(struct out *o, size_t start)
{
	uint32_t length;

	while ((o->size - start) % 4 != 0)
		u8(o, 0); /* DW_CFA_nop */
	length = (uint32_t)(o->size - start);
	memcpy(o->bytes + start - 4, &length, sizeof(length));
}

/* A CIE: CFA sp + 8, return address at CFA - 8. Its offset. */
static size_t
cie(struct out *o, const char *augmentation, const void *data, size_t size)
{
	static const uint8_t program[] = {0x0c, 7, 8, 0x90, 1};
	size_t start = record(o);

	u32(o, 0);
	u8(o, 1); /* version */
	put(o, augmentation, strlen(augmentation) + 1);
	u8(o, 1);    /* code alignment */
	u8(o, 0x78); /* data alignment: -8 */
	u8(o, 16);   /* return address column */
	if (augmentation[0] == 'z')
		u8(o, (uint8_t)size);
	put(o, data, size);
	put(o, program, sizeof(program));
	close_record(o, start);
	return start - 4;
}

/* An FDE with pc-relative addresses, as linkers leave them. Its offset. */
static size_t
fde_with(struct out *o, size_t cie_offset, uint64_t start, uint32_t size,
    const void *data, size_t data_size, const void *program,
    size_t program_size)
{
	size_t at = record(o);

	u32(o, (uint32_t)(at - cie_offset));
	u32(o, (uint32_t)(start - (EH + o->size)));
	u32(o, size);
	u8(o, (uint8_t)data_size); /* augmentation data */
	put(o, data, data_size);
	put(o, program, program_size);
	close_record(o, at);
	return at - 4;
}

static size_t
fde(struct out *o, size_t cie_offset, uint64_t start, uint32_t size,
    const void *program, size_t program_size)
{
	return fde_with(
	    o, cie_offset, start, size, NULL, 0, program, program_size);
}

static size_t
plain_cie(struct out *o)
{
	static const uint8_t pcrel4[] = {0x1b};

	return cie(o, "zR", pcrel4, sizeof(pcrel4));
}

struct file {
	struct out eh, hdr, debug;
	bool no_sections;
};

static void
section(Elf64_Shdr *s, uint32_t name, uint32_t type, uint64_t addr,
    uint64_t offset, uint64_t size)
{
	s->sh_name = name;
	s->sh_type = type;
	s->sh_addr = addr;
	s->sh_offset = offset;
	s->sh_size = size;
	s->sh_addralign = 1;
}

static struct image *
image_of(const struct file *f)
{
	static const char names[] = "\0.eh_frame\0.debug_frame\0.shstrtab";
	uint8_t *bytes = calloc(1, FILE_SIZE);
	Elf64_Ehdr *h = (void *)bytes;
	Elf64_Phdr *p = (void *)(bytes + sizeof(*h));
	Elf64_Shdr *s = (void *)(bytes + SECTIONS);
	struct image *image = NULL;
	bt_error_t e = {0};

	assert_not_null(bytes);
	memcpy(h->e_ident, ELFMAG, SELFMAG);
	h->e_ident[EI_CLASS] = ELFCLASS64;
	h->e_ident[EI_DATA] = ELFDATA2LSB;
	h->e_ident[EI_VERSION] = h->e_version = EV_CURRENT;
	h->e_type = ET_DYN;
	h->e_machine = EM_X86_64;
	h->e_ehsize = sizeof(*h);
	h->e_phoff = sizeof(*h);
	h->e_phentsize = sizeof(*p);
	h->e_phnum = f->hdr.size != 0 ? 3 : 2;
	p[0] = (Elf64_Phdr){.p_type = PT_LOAD,
	    .p_flags = PF_R,
	    .p_filesz = DEBUG,
	    .p_memsz = DEBUG,
	    .p_align = 0x1000};
	p[1] = (Elf64_Phdr){.p_type = PT_LOAD,
	    .p_flags = PF_R | PF_X,
	    .p_offset = 0,
	    .p_vaddr = CODE,
	    .p_filesz = 0x100,
	    .p_memsz = CODE_SIZE,
	    .p_align = 0x1000};
	p[2] = (Elf64_Phdr){.p_type = PT_GNU_EH_FRAME,
	    .p_flags = PF_R,
	    .p_offset = HDR,
	    .p_vaddr = HDR,
	    .p_filesz = f->hdr.size,
	    .p_memsz = f->hdr.size,
	    .p_align = 4};
	memcpy(bytes + EH, f->eh.bytes, f->eh.size);
	memcpy(bytes + HDR, f->hdr.bytes, f->hdr.size);
	memcpy(bytes + DEBUG, f->debug.bytes, f->debug.size);
	if (f->no_sections == false) {
		h->e_shoff = SECTIONS;
		h->e_shentsize = sizeof(*s);
		h->e_shnum = 4;
		h->e_shstrndx = 3;
		memcpy(bytes + NAMES, names, sizeof(names));
		section(&s[1], 1, SHT_PROGBITS, EH, EH, f->eh.size);
		s[1].sh_flags = SHF_ALLOC;
		section(&s[2], 11, SHT_PROGBITS, 0, DEBUG, f->debug.size);
		section(&s[3], 24, SHT_STRTAB, 0, NAMES, sizeof(names));
	}
	assert_ok(image_from_memory(bytes, FILE_SIZE, "test", &image, &e), &e);
	return image;
}

static struct cfi_section
section_of(const struct out *o, bool eh)
{
	return (struct cfi_section){view_of(o->bytes, o->size), EH, eh, NULL};
}

/* A row as text: "cfa=7+8 16@-8". */
static const char *
row_text(const struct cfi_row *row)
{
	static char text[400];
	static const char kinds[] = "?u=@#r*!";
	int n;

	if (row->cfa_is_block)
		n = snprintf(
		    text, sizeof(text), "cfa=[%zu]", row->cfa_block.size);
	else
		n = snprintf(text, sizeof(text), "cfa=%u%+lld", row->cfa_reg,
		    (long long)row->cfa_offset);
	for (unsigned i = 0; i < ARCH_X86_64_REGS; i++) {
		const struct cfi_rule *r = &row->regs[i];
		long long shown = r->kind == CFI_REGISTER ? (long long)r->reg
		    : r->kind == CFI_EXPRESSION || r->kind == CFI_VAL_EXPRESSION
		    ? (long long)r->block.size
		    : (long long)r->offset;

		if (r->kind != CFI_UNSPECIFIED)
			n += snprintf(text + n, sizeof(text) - (size_t)n,
			    " %u%c%lld", i, kinds[r->kind], shown);
	}
	return text;
}

#define BYTES(...)                                                             \
	(const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static const struct {
	const char *name;
	const uint8_t *program;
	size_t size;
	unsigned at;	  /* address, from the function's start */
	const char *want; /* NULL: no row */
} programs[] = {
    {"initial", BYTES(0), 0, "cfa=7+8 16@-8"},
    {"push", BYTES(0x41, 0x0e, 16, 0x86, 2), 1, "cfa=7+16 6@-16 16@-8"},
    {"before the push", BYTES(0x41, 0x0e, 16, 0x86, 2), 0, "cfa=7+8 16@-8"},
    {"advance_loc1", BYTES(0x02, 200, 0x0e, 16), 199, "cfa=7+8 16@-8"},
    {"advance_loc1 reached", BYTES(0x02, 200, 0x0e, 16), 200, "cfa=7+16 16@-8"},
    {"advance_loc2", BYTES(0x03, 0, 2, 0x0e, 16), 0x200, "cfa=7+16 16@-8"},
    {"advance_loc4", BYTES(0x04, 0, 1, 0, 0, 0x0e, 16), 0xff, "cfa=7+8 16@-8"},
    {"MIPS_advance_loc8", BYTES(0x1d, 8, 0, 0, 0, 0, 0, 0, 0, 0x0e, 16), 8,
	"cfa=7+16 16@-8"},
    {"offset_extended", BYTES(0x05, 3, 4), 0, "cfa=7+8 3@-32 16@-8"},
    {"vector register is read over", BYTES(0x05, 33, 4, 0x0e, 16), 0,
	"cfa=7+16 16@-8"},
    {"restore", BYTES(0x86, 2, 0xc6), 0, "cfa=7+8 16@-8"},
    {"restore of the initial rule", BYTES(0x90, 3, 0xd0), 0, "cfa=7+8 16@-8"},
    {"restore_extended", BYTES(0x86, 2, 0x06, 6), 0, "cfa=7+8 16@-8"},
    {"undefined", BYTES(0x07, 16), 0, "cfa=7+8 16u0"},
    {"same_value", BYTES(0x08, 3), 0, "cfa=7+8 3=0 16@-8"},
    {"register", BYTES(0x09, 3, 12), 0, "cfa=7+8 3r12 16@-8"},
    {"in a vector register", BYTES(0x09, 3, 40), 0, "cfa=7+8 3u0 16@-8"},
    {"remember and restore",
	BYTES(0x0e, 16, 0x86, 2, 0x0a, 0xc6, 0x0e, 8, 0x0b), 0,
	"cfa=7+16 6@-16 16@-8"},
    {"def_cfa", BYTES(0x0c, 6, 16), 0, "cfa=6+16 16@-8"},
    {"def_cfa_register", BYTES(0x0d, 6), 0, "cfa=6+8 16@-8"},
    {"def_cfa_sf", BYTES(0x12, 6, 0x7e), 0, "cfa=6+16 16@-8"},
    {"def_cfa_offset_sf", BYTES(0x13, 0x7d), 0, "cfa=7+24 16@-8"},
    {"def_cfa_expression", BYTES(0x0f, 2, 0x77, 8), 0, "cfa=[2] 16@-8"},
    {"expression", BYTES(0x10, 3, 2, 0x77, 8), 0, "cfa=7+8 3*2 16@-8"},
    {"val_expression", BYTES(0x16, 3, 3, 0x77, 8, 6), 0, "cfa=7+8 3!3 16@-8"},
    {"offset_extended_sf", BYTES(0x11, 3, 0x7e), 0, "cfa=7+8 3@16 16@-8"},
    {"val_offset", BYTES(0x14, 3, 2), 0, "cfa=7+8 3#-16 16@-8"},
    {"val_offset_sf", BYTES(0x15, 3, 0x7e), 0, "cfa=7+8 3#16 16@-8"},
    {"GNU_args_size", BYTES(0x2e, 0x80, 1, 0x0e, 16), 0, "cfa=7+16 16@-8"},
    {"GNU_negative_offset_extended", BYTES(0x2f, 3, 2), 0,
	"cfa=7+8 3@16 16@-8"},
    {"set_loc", BYTES(0x01, 0, 0, 1, 0, 0x0e, 16), 0, "cfa=7+8 16@-8"},
    {"set_loc reached", BYTES(0x01, 0x10, 0, 0, 0, 0x0e, 16), 0,
	"cfa=7+16 16@-8"},
    {"what comes after the address is not read", BYTES(0x41, 0x0e, 16, 0x3f), 0,
	"cfa=7+8 16@-8"},
    {"unknown instruction", BYTES(0x3f), 0, NULL},
    {"window save", BYTES(0x2d), 0, NULL},
    {"restore without remember", BYTES(0x0b), 0, NULL},
    {"cut", BYTES(0x0e, 0x80, 0x80), 0, NULL},
    {"cut expression", BYTES(0x0f, 100), 0, NULL},
    {"cfa in a vector register", BYTES(0x0d, 17), 0, NULL},
    {"cfa register after an expression", BYTES(0x0f, 1, 0x9c, 0x0d, 6), 0,
	NULL},
    {"cfa offset after an expression", BYTES(0x0f, 1, 0x9c, 0x0e, 8), 0, NULL},
};

TEST(instructions)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		struct out o = {.size = 0};
		size_t c = plain_cie(&o);
		size_t f = fde(
		    &o, c, CODE, 0x1000, programs[i].program, programs[i].size);
		struct cfi_section s = section_of(&o, true);
		struct cfi_fde read;
		struct cfi_row row;
		bool good;

		assert_true(cfi_fde_read(&s, f, &read));
		good = cfi_row(&read, CODE + programs[i].at, &row);
		if (good != (programs[i].want != NULL))
			test_fail(TEST_SOFT, "%s: %s", programs[i].name,
			    good ? row_text(&row) : "no row");
		else if (good && strcmp(row_text(&row), programs[i].want) != 0)
			test_fail(TEST_SOFT, "%s: %s, not %s", programs[i].name,
			    row_text(&row), programs[i].want);
	}
}

/* remember_state without end must not take memory without end. */
TEST(remember_is_bounded)
{
	static uint8_t program[0x1000];
	struct out o = {.size = 0};
	size_t c = plain_cie(&o), f;
	struct cfi_section s;
	struct cfi_fde read;
	struct cfi_row row;

	memset(program, 0x0a, sizeof(program));
	f = fde(&o, c, CODE, 16, program, sizeof(program));
	s = section_of(&o, true);
	assert_true(cfi_fde_read(&s, f, &read));
	expect_false(cfi_row(&read, CODE, &row));
}

static const struct {
	const char *name;
	const char *letters;
	const uint8_t *data;
	size_t size;
	bool good, signal;
	uint8_t encoding;
} augmentations[] = {
    {"none", "", BYTES(0), true, false, 0},
    {"R", "zR", BYTES(0x1b), true, false, 0x1b},
    {"S", "zRS", BYTES(0x1b), true, true, 0x1b},
    {"P and L before R", "zPLR", BYTES(0x9b, 1, 2, 3, 4, 0x0b, 0x1b), true,
	false, 0x1b},
    {"P absolute", "zPR", BYTES(0, 1, 2, 3, 4, 5, 6, 7, 8, 0x03), true, false,
	0x03},
    {"B is ignored", "zRB", BYTES(0x1b), true, false, 0x1b},
    {"unknown behind R", "zRX", BYTES(0x1b, 9, 9), true, false, 0x1b},
    {"P does not fit", "zPR", BYTES(0, 1, 2), false, false, 0},
    {"unknown without z", "X", BYTES(0), false, false, 0},
    {"old eh", "eh", BYTES(0), false, false, 0},
};

TEST(augmentations_are_read)
{
	size_t n = sizeof(augmentations) / sizeof(augmentations[0]);

	for (size_t i = 0; i < n; i++) {
		struct out o = {.size = 0};
		struct cfi_section s;
		struct cfi_cie read;
		bool good;
		bool z = augmentations[i].letters[0] == 'z';

		cie(&o, augmentations[i].letters, augmentations[i].data,
		    z ? augmentations[i].size : 0);
		s = section_of(&o, true);
		good = cfi_cie_read(&s, 0, &read);
		/* GCC 2's form has a pointer where ours has the rest. */
		if (strcmp(augmentations[i].letters, "eh") == 0)
			continue;
		if (good != augmentations[i].good)
			test_fail(TEST_SOFT, "%s: %s", augmentations[i].name,
			    good ? "read" : "refused");
		else if (good &&
		    (read.signal != augmentations[i].signal ||
			read.encoding != augmentations[i].encoding))
			test_fail(TEST_SOFT, "%s: signal %d, encoding 0x%x",
			    augmentations[i].name, read.signal, read.encoding);
	}
}

TEST(exception_tables_are_noticed)
{
	static const uint8_t lr[] = {0x1b, 0x1b}, r[] = {0x1b};
	static const uint8_t table[] = {8, 0, 0, 0}, null[] = {0, 0, 0, 0};
	const struct {
		const uint8_t *data;
		size_t size;
		bool lands;
	} kinds[] = {{table, 4, true}, {null, 4, false}, {NULL, 0, false},
	    {table, 2, true}}; /* cut off: there may be one */

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct out o = {.size = 0};
		size_t c = cie(&o, "zLR", lr, sizeof(lr)), f;
		struct cfi_section s;
		struct cfi_fde read;

		f = fde_with(
		    &o, c, CODE, 16, kinds[i].data, kinds[i].size, "", 0);
		s = section_of(&o, true);
		assert_true(cfi_fde_read(&s, f, &read));
		expect_int(read.lands, kinds[i].lands);
		expect_uint(read.end, CODE + 16);
		/* The same data under a CIE that has no such letter. */
		o.size = 0;
		c = cie(&o, "zR", r, sizeof(r));
		f = fde_with(
		    &o, c, CODE, 16, kinds[i].data, kinds[i].size, "", 0);
		s = section_of(&o, true);
		assert_true(cfi_fde_read(&s, f, &read));
		expect_false(read.lands);
	}
}

static const struct {
	uint8_t encoding;
	const uint8_t *bytes;
	size_t size;
	bool good;
	uint64_t want;
} pointers[] = {
    {0x00, BYTES(1, 2, 3, 4, 5, 6, 7, 8), true, UINT64_C(0x0807060504030201)},
    {0x01, BYTES(0x80, 1), true, 128},
    {0x02, BYTES(0xff, 0xff), true, 0xffff},
    {0x03, BYTES(0xff, 0xff, 0xff, 0xff), true, 0xffffffff},
    {0x04, BYTES(1, 0, 0, 0, 0, 0, 0, 0x80), true,
	UINT64_C(0x8000000000000001)},
    {0x09, BYTES(0x7f), true, UINT64_MAX},
    {0x0a, BYTES(0xfe, 0xff), true, UINT64_MAX - 1},
    {0x0b, BYTES(0xfe, 0xff, 0xff, 0xff), true, UINT64_MAX - 1},
    {0x0c, BYTES(1, 0, 0, 0, 0, 0, 0, 0x80), true,
	UINT64_C(0x8000000000000001)},
    {0x1b, BYTES(0x10, 0, 0, 0), true, 0x2010},
    {0x1b, BYTES(0, 0, 0, 0), true, 0}, /* null stays null */
    {0x3b, BYTES(0x10, 0, 0, 0), true, 0x9010},
    {0x9b, BYTES(0x10, 0, 0, 0), true, 0x2010}, /* not followed */
    {0x50, BYTES(1, 0, 0, 0, 0, 0, 0, 0), true, 1},
    {0xff, BYTES(0), true, 0},
    {0x2b, BYTES(0x10, 0, 0, 0), false, 0}, /* textrel */
    {0x4b, BYTES(0x10, 0, 0, 0), false, 0}, /* funcrel */
    {0x05, BYTES(0x10, 0, 0, 0), false, 0},
    {0x0f, BYTES(0x10, 0, 0, 0), false, 0},
    {0x03, BYTES(1, 2, 3), false, 0},
};

TEST(pointer_encodings)
{
	for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
		struct view v = view_of(pointers[i].bytes, pointers[i].size);
		uint64_t value;
		bool good = cfi_pointer(
		    &v, pointers[i].encoding, 0x2000, 0x9000, &value);

		if (good != pointers[i].good ||
		    (good && value != pointers[i].want))
			test_fail(TEST_SOFT, "%zu (0x%02x): %d 0x%llx", i,
			    pointers[i].encoding, good,
			    (unsigned long long)value);
	}
}

static const struct {
	const char *name;
	const uint8_t *bytes;
	size_t size;
} damaged[] = {
    {"no length", BYTES(1, 0)},
    {"longer than the section", BYTES(0x20, 0, 0, 0, 4, 0, 0, 0)},
    {"64-bit length past the end",
	BYTES(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0x7f)},
    {"too short for an id", BYTES(2, 0, 0, 0, 0, 0)},
    {"CIE before the section", BYTES(4, 0, 0, 0, 0xff, 0, 0, 0)},
    {"its own CIE", BYTES(8, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0)},
};

TEST(damaged_records)
{
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		struct cfi_section s = {
		    view_of(damaged[i].bytes, damaged[i].size), EH, true, NULL};
		struct cfi_fde read;

		if (cfi_fde_read(&s, 0, &read))
			test_fail(TEST_SOFT, "%s: read", damaged[i].name);
	}
}

/* Versions 3 and 4, 64-bit lengths, absolute addresses: .debug_frame. */
static size_t
debug_cie(struct out *o, uint8_t version, bool wide)
{
	static const uint8_t program[] = {0x0c, 7, 8, 0x90, 1, 0, 0};
	size_t start = o->size;

	if (wide) {
		u32(o, UINT32_MAX);
		u64(o, 8 + 1 + 1 + (version >= 4 ? 2 : 0) + 3 + 7);
		u64(o, UINT64_MAX);
	} else {
		u32(o, 4 + 1 + 1 + (version >= 4 ? 2 : 0) + 3 + 7);
		u32(o, UINT32_MAX);
	}
	u8(o, version);
	u8(o, 0);
	if (version >= 4) {
		u8(o, 8);
		u8(o, 0);
	}
	u8(o, 1);
	u8(o, 0x78);
	u8(o, 16);
	put(o, program, sizeof(program));
	return start;
}

static void
debug_fde(struct out *o, size_t cie_offset, bool wide, uint64_t start,
    uint64_t size, uint8_t cfa_offset)
{
	if (wide) {
		u32(o, UINT32_MAX);
		u64(o, 8 + 16 + 2);
		u64(o, cie_offset);
	} else {
		u32(o, 4 + 16 + 2);
		u32(o, (uint32_t)cie_offset);
	}
	u64(o, start);
	u64(o, size);
	u8(o, 0x0e);
	u8(o, cfa_offset);
}

static void
expect_row(struct cfi_tables *t, bool debug, uint64_t vaddr, const char *want)
{
	struct cfi_fde f;
	struct cfi_row row;
	bool found = debug ? cfi_find_debug(t, vaddr, &f)
			   : cfi_find_eh(t, vaddr, &f);

	if (want == NULL) {
		if (found)
			test_fail(TEST_SOFT, "0x%llx is found",
			    (unsigned long long)vaddr);
	} else if (found == false || cfi_row(&f, vaddr, &row) == false) {
		test_fail(TEST_SOFT, "0x%llx is not found",
		    (unsigned long long)vaddr);
	} else {
		expect_str(row_text(&row), want);
	}
}

TEST(debug_frame)
{
	struct file f = {.no_sections = false};
	struct cfi_tables t;
	struct budget budget;
	struct image *image;
	size_t c3 = debug_cie(&f.debug, 3, false);
	size_t c4, wide;

	/* Out of order, with functions that the linker dropped. */
	debug_fde(&f.debug, c3, false, CODE + 0x100, 0x10, 24);
	debug_fde(&f.debug, c3, false, 0, 0x1000, 99);
	debug_fde(&f.debug, c3, false, UINT64_MAX - 1, 0x1000, 99);
	c4 = debug_cie(&f.debug, 4, false);
	debug_fde(&f.debug, c4, false, CODE, 0x10, 16);
	wide = debug_cie(&f.debug, 4, true);
	debug_fde(&f.debug, wide, true, CODE + 0x200, 0x10, 32);
	image = image_of(&f);
	budget_init(&budget, 1000, 0);
	cfi_tables_init(&t, image, &budget);
	expect_row(&t, true, CODE, NULL);
	assert_true(cfi_tables_debug(&t, image));
	expect_row(&t, true, CODE, "cfa=7+16 16@-8");
	expect_row(&t, true, CODE + 0xf, "cfa=7+16 16@-8");
	expect_row(&t, true, CODE + 0x10, NULL);
	expect_row(&t, true, CODE + 0x100, "cfa=7+24 16@-8");
	expect_row(&t, true, CODE + 0x20f, "cfa=7+32 16@-8");
	expect_row(&t, true, 0x10, NULL);
	expect_row(&t, true, UINT64_MAX, NULL);
	cfi_tables_deinit(&t);
	image_unref(image);
}

/* Three functions; FDEs in another order than addresses. */
static void
three_functions(struct file *f, uint64_t start[3], size_t at[3])
{
	size_t c = plain_cie(&f->eh);
	static const unsigned order[] = {2, 0, 1};

	for (unsigned i = 0; i < 3; i++) {
		unsigned k = order[i];
		const uint8_t program[] = {0x0e, (uint8_t)(16 + 8 * k)};

		start[k] = CODE + 0x100 * k;
		at[k] = fde(&f->eh, c, start[k], 0x80, program, 2);
		if (i == 1)
			u32(&f->eh, 0); /* a terminator in the middle */
	}
	u32(&f->eh, 0);
}

enum order { SORTED, REVERSED, NONSENSE };

static void
header(struct file *f, enum order order, uint32_t count, uint8_t encoding,
    const uint64_t start[3], const size_t at[3])
{
	u8(&f->hdr, 1);
	u8(&f->hdr, 0x1b);
	u8(&f->hdr, 0x03);
	u8(&f->hdr, encoding);
	u32(&f->hdr, (uint32_t)(EH - (HDR + 4)));
	u32(&f->hdr, count);
	for (unsigned i = 0; i < 3; i++) {
		unsigned k = order == REVERSED ? 2 - i : i;
		uint64_t to = order == NONSENSE ? 0xfffffff0 : EH + at[k];

		if ((encoding & 0xf) == 0x0c) {
			u64(&f->hdr, start[k] - HDR);
			u64(&f->hdr, to - HDR);
		} else {
			u32(&f->hdr, (uint32_t)(start[k] - HDR));
			u32(&f->hdr, (uint32_t)(to - HDR));
		}
	}
}

TEST(tables)
{
	static const struct {
		const char *name;
		enum order order;
		uint32_t count;
		uint8_t encoding;
		bool no_header, no_sections;
	} cases[] = {
	    {"a linker's", SORTED, 3, 0x3b, false, false},
	    {"without sections", SORTED, 3, 0x3b, false, true},
	    {"8-byte entries", SORTED, 3, 0x3c, false, false},
	    {"no header", SORTED, 3, 0x3b, true, false},
	    {"unsorted", REVERSED, 3, 0x3b, false, false},
	    {"unsorted, without sections", REVERSED, 3, 0x3b, false, true},
	    {"count too low", SORTED, 1, 0x3b, false, false},
	    {"count 0", SORTED, 0, 0x3b, false, false},
	    {"count too high", SORTED, UINT32_MAX, 0x3b, false, false},
	    {"no table", SORTED, 3, 0xff, false, false},
	    {"table of variable size", SORTED, 3, 0x31, false, false},
	    {"bad encoding", SORTED, 3, 0x4b, false, false},
	    {"leads nowhere", NONSENSE, 3, 0x3b, false, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct file f = {.no_sections = cases[i].no_sections};
		struct cfi_tables t;
		struct budget budget;
		struct image *image;
		uint64_t start[3];
		size_t at[3];

		printf("%s\n", cases[i].name);
		three_functions(&f, start, at);
		if (cases[i].no_header == false)
			header(&f, cases[i].order, cases[i].count,
			    cases[i].encoding, start, at);
		image = image_of(&f);
		budget_init(&budget, 1000, 0);
		cfi_tables_init(&t, image, &budget);
		for (int round = 0; round < 2; round++) {
			expect_row(&t, false, start[0], "cfa=7+16 16@-8");
			expect_row(&t, false, start[2] + 1, "cfa=7+32 16@-8");
			expect_row(&t, false, start[0] + 0x80, NULL);
			expect_row(&t, false, start[0] - 1, NULL);
			expect_row(
			    &t, false, start[1] + 0x7f, "cfa=7+24 16@-8");
			expect_row(&t, false, start[2] + 0x80, NULL);
			expect_row(&t, false, UINT64_MAX, NULL);
		}
		cfi_tables_deinit(&t);
		image_unref(image);
	}
}

/* An FDE that claims all addresses does not hide the others. */
TEST(greedy_fde)
{
	struct file f = {.no_sections = false};
	struct cfi_tables t;
	struct budget budget;
	struct image *image;
	size_t c = plain_cie(&f.eh);

	fde(&f.eh, c, CODE, CODE_SIZE, BYTES(0x0e, 64));
	fde(&f.eh, c, CODE + 0x10, 0x10, BYTES(0x0e, 16));
	fde(&f.eh, c, CODE + 0x30, 0, BYTES(0x0e, 99));
	image = image_of(&f);
	budget_init(&budget, 1000, 0);
	cfi_tables_init(&t, image, &budget);
	expect_row(&t, false, CODE + 0x18, "cfa=7+16 16@-8");
	expect_row(&t, false, CODE + 0x28, "cfa=7+64 16@-8");
	expect_row(&t, false, CODE + 0x30, "cfa=7+64 16@-8");
	cfi_tables_deinit(&t);
	image_unref(image);
}

/* The budget ends the reading of a large section; what was read is used. */
TEST(budget_bounds_the_index)
{
	struct file f = {.no_sections = false};
	struct cfi_tables t;
	struct budget budget;
	struct image *image;
	uint64_t start[3];
	size_t at[3];

	three_functions(&f, start, at);
	image = image_of(&f);
	budget_init(&budget, 0, 0);
	cfi_tables_init(&t, image, &budget);
	expect_row(&t, false, start[0], NULL);
	cfi_tables_deinit(&t);
	image_unref(image);
}

TEST(no_image)
{
	struct cfi_tables t;
	struct budget budget;

	budget_init(&budget, 10, 0);
	cfi_tables_init(&t, NULL, &budget);
	expect_row(&t, false, CODE, NULL);
	expect_row(&t, true, CODE, NULL);
	expect_false(cfi_tables_debug(&t, NULL));
	cfi_tables_deinit(&t);
}

/* Every one-byte change of section and table: any answer, but no crash and no
 * hang (the sanitizer build watches). */
TEST(mutations)
{
	static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
	struct file good = {.no_sections = true}, f;
	struct budget budget;
	uint64_t start[3];
	size_t at[3];

	three_functions(&good, start, at);
	header(&good, SORTED, 3, 0x3b, start, at);
	for (size_t i = 0; i < good.eh.size + good.hdr.size; i++) {
		for (size_t k = 0; k < sizeof(values); k++) {
			struct cfi_tables t;
			struct image *image;
			struct cfi_fde fde_found;
			struct cfi_row row;

			f = good;
			if (i < good.eh.size)
				f.eh.bytes[i] = values[k];
			else
				f.hdr.bytes[i - good.eh.size] = values[k];
			image = image_of(&f);
			budget_init(&budget, 10000, 0);
			cfi_tables_init(&t, image, &budget);
			for (uint64_t a = CODE; a < CODE + 0x300; a += 0x40) {
				if (cfi_find_eh(&t, a, &fde_found))
					(void)cfi_row(&fde_found, a, &row);
			}
			cfi_tables_deinit(&t);
			image_unref(image);
		}
	}
	expect_true(budget.steps > 0);
}
