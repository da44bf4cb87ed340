/* SPDX-License-Identifier: MIT */
/*
 * The ELF header and the two tables it points to (System V ABI, "Object
 * Files"). Only an unusable identification is an error; a table that is cut
 * off or misdescribed is taken as far as it goes.
 */
#include "image/internal.h"
#include <stdlib.h>

#define SECTION_NAME_MAX 4096

static const char *
machine_name(uint16_t machine)
{
	switch (machine) {
	case EM_386:
		return "i386";
	case EM_ARM:
		return "arm";
	case EM_AARCH64:
		return "aarch64";
	case EM_PPC64:
		return "ppc64";
	case EM_S390:
		return "s390";
	case EM_RISCV:
		return "riscv";
	default:
		return "unknown";
	}
}

/* Little-endian machines of 64 bits: symbols, lines and types are the same on
 * all of them. */
static bool
machine_is_read(uint16_t machine)
{
	return machine == EM_X86_64 || machine == EM_AARCH64 ||
	    machine == EM_RISCV || machine == EM_PPC64;
}

static bool
check_ident(const struct view *file, bt_error_t *e)
{
	struct view v = *file;
	const uint8_t *ident = view_bytes(&v, EI_NIDENT);
	uint16_t machine;

	if (ident == NULL || memcmp(ident, ELFMAG, SELFMAG) != 0)
		return bt_fail_format(e, 0, "not an ELF file");
	if (ident[EI_CLASS] != ELFCLASS64)
		return bt_fail(e, BT_E_UNSUPPORTED, "not a 64-bit ELF file");
	if (ident[EI_DATA] != ELFDATA2LSB)
		return bt_fail(
		    e, BT_E_UNSUPPORTED, "not a little-endian ELF file");
	view_skip(&v, sizeof(uint16_t)); /* e_type */
	machine = view_u16(&v);
	if (file->size < sizeof(Elf64_Ehdr))
		return bt_fail_format(e, file->size, "truncated ELF header");
	if (!machine_is_read(machine))
		return bt_fail(e, BT_E_UNSUPPORTED,
		    "ELF machine %u (%s) is not supported", machine,
		    machine_name(machine));
	return true;
}

/* How many whole entries of a table lie inside the file, at most count and
 * cap. */
static size_t
entries_inside(const struct view *file, uint64_t offset, size_t stride,
    uint64_t count, uint32_t cap)
{
	uint64_t room;

	if (offset == 0 || offset >= file->size)
		return 0;
	room = (file->size - offset) / stride;
	if (count > room)
		count = room;
	return count > cap ? cap : (size_t)count;
}

static bool
parse_segments(
    struct image *image, const Elf64_Ehdr *eh, uint64_t count, bt_error_t *e)
{
	size_t n;

	if (eh->e_phentsize < sizeof(Elf64_Phdr))
		return true;
	n = entries_inside(&image->file, eh->e_phoff, eh->e_phentsize, count,
	    IMAGE_MAX_SEGMENTS);
	if (n == 0)
		return true;
	image->segments = calloc(n, sizeof(*image->segments));
	if (image->segments == NULL)
		return bt_fail(e, BT_E_NOMEM, "no memory for segments");
	for (size_t i = 0; i < n; i++) {
		struct view v = view_from(
		    &image->file, eh->e_phoff + i * eh->e_phentsize);
		struct image_segment *s = &image->segments[i];

		s->type = view_u32(&v);
		s->flags = view_u32(&v);
		s->offset = view_u64(&v);
		s->vaddr = view_u64(&v);
		view_skip(&v, sizeof(uint64_t)); /* p_paddr */
		s->filesz = view_u64(&v);
		s->memsz = view_u64(&v);
		s->align = view_u64(&v);
	}
	image->nsegments = n;
	return true;
}

static uint32_t
read_section(struct view v, struct image_section *s)
{
	uint32_t name = view_u32(&v);

	s->type = view_u32(&v);
	s->flags = view_u64(&v);
	s->addr = view_u64(&v);
	s->offset = view_u64(&v);
	s->size = view_u64(&v);
	s->link = view_u32(&v);
	s->info = view_u32(&v);
	view_skip(&v, sizeof(uint64_t)); /* sh_addralign */
	s->entsize = view_u64(&v);
	return name;
}

static const char *
name_in(const struct view *strings, uint64_t offset)
{
	struct view v = view_from(strings, offset);

	if (!view_ok(&v) || v.size == 0)
		return "";
	if (v.size > SECTION_NAME_MAX)
		v.size = SECTION_NAME_MAX;
	const char *name = view_cstr(&v);
	return name != NULL ? name : "";
}

/* A file made by "objcopy --only-keep-debug" or eu-strip keeps the headers of
 * the code sections, but as SHT_NOBITS. */
static bool
lacks_code(const struct image *image)
{
	bool without = false;

	for (size_t i = 0; i < image->nsections; i++) {
		const struct image_section *s = &image->sections[i];

		if ((s->flags & SHF_EXECINSTR) == 0)
			continue;
		if (s->type != SHT_NOBITS)
			return false;
		without = true;
	}
	return without;
}

static bool
parse_sections(struct image *image, const Elf64_Ehdr *eh, uint64_t count,
    uint64_t names, bt_error_t *e)
{
	struct view strings = view_of(NULL, 0);
	size_t n;

	n = entries_inside(&image->file, eh->e_shoff, eh->e_shentsize, count,
	    IMAGE_MAX_SECTIONS);
	if (n == 0)
		return true;
	image->sections = calloc(n, sizeof(*image->sections));
	if (image->sections == NULL)
		return bt_fail(e, BT_E_NOMEM, "no memory for sections");
	image->nsections = n;
	if (names != SHN_UNDEF && names < n) {
		struct image_section s;

		read_section(view_from(&image->file,
				 eh->e_shoff + names * eh->e_shentsize),
		    &s);
		if (!section_raw(image, &s, &strings, NULL))
			strings = view_of(NULL, 0);
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t name = read_section(
		    view_from(&image->file, eh->e_shoff + i * eh->e_shentsize),
		    &image->sections[i]);

		image->sections[i].name = name_in(&strings, name);
	}
	image->debug_only = lacks_code(image);
	return true;
}

bool
image_parse(struct image *image, bt_error_t *e)
{
	struct image_section zero = {0};
	struct view v;
	uint64_t phnum, shnum, shstrndx;
	Elf64_Ehdr eh;
	const uint8_t *p;

	if (!check_ident(&image->file, e))
		return false;
	v = image->file;
	p = view_bytes(&v, sizeof(eh));
	if (p == NULL)
		return bt_fail_format(e, 0, "truncated ELF header");
	memcpy(&eh, p, sizeof(eh));
	image->type = eh.e_type;
	image->machine = eh.e_machine;
	image->entry = eh.e_entry;
	/* Numbers too large for the header are in section 0. */
	if (eh.e_shentsize >= sizeof(Elf64_Shdr) &&
	    entries_inside(&image->file, eh.e_shoff, eh.e_shentsize, 1, 1) == 1)
		read_section(view_from(&image->file, eh.e_shoff), &zero);
	else
		eh.e_shoff = 0;
	phnum = eh.e_phnum == PN_XNUM ? zero.info : eh.e_phnum;
	shnum = eh.e_shnum == 0 ? zero.size : eh.e_shnum;
	shstrndx = eh.e_shstrndx == SHN_XINDEX ? zero.link : eh.e_shstrndx;
	if (!parse_segments(image, &eh, phnum, e))
		return false;
	return eh.e_shoff == 0 ||
	    parse_sections(image, &eh, shnum, shstrndx, e);
}
