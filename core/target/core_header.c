/* SPDX-License-Identifier: MIT */
/*
 * The ELF header of a core, and where its program headers are. A header field
 * that lies (a flipped class byte, a table offset or count that cannot be) is
 * reported and worked around when the rest of the file shows what it should
 * be: Linux and gdb both put the table right behind the header.
 */
#include <elf.h>

#include "target/core_private.h"

enum {
	EHDR_SIZE = 64,
	PHDR_SIZE = 56,
	PHDRS_DAMAGED = 8, /* one after the other, in a table */
	/* Bytes, to see whether the content is what the header denies. */
	LOOKED_AT = 1 << 20,
	LOOKED_AT_NAMED = 1 << 14
};

struct core_ehdr {
	uint8_t class, data;
	uint16_t type, machine, ehsize, phentsize, phnum, shentsize;
	uint64_t phoff, shoff;
};

static const char *
machine_name(uint16_t machine)
{
	static const struct {
		uint16_t machine;
		const char *name;
	} names[] = {
	    {EM_386, "i386"},
	    {EM_AARCH64, "aarch64"},
	    {EM_ARM, "arm"},
	    {EM_RISCV, "riscv"},
	    {EM_PPC64, "powerpc64"},
	    {EM_PPC, "powerpc"},
	    {EM_S390, "s390x"},
	    {EM_MIPS, "mips"},
	    {EM_SPARCV9, "sparc64"},
	    {EM_IA_64, "ia64"},
	    {EM_LOONGARCH, "loongarch"},
	    {EM_ALPHA, "alpha"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].machine == machine)
			return names[i].name;
	}
	return NULL;
}

static uint16_t
swap16(uint16_t x)
{
	return (uint16_t)(x << 8 | x >> 8);
}

static bool
read_ehdr(struct core *c, struct core_ehdr *h, bt_error_t *e)
{
	static const uint8_t magic[] = {0x7f, 'E', 'L', 'F'};
	struct view v = c->file;

	if (c->size < sizeof(magic) || memcmp(c->map, magic, 4) != 0)
		return bt_fail_format(e, 0,
		    "%s is not a core file (no ELF magic at offset 0)",
		    c->path);
	view_seek(&v, EI_CLASS);
	h->class = view_u8(&v);
	h->data = view_u8(&v);
	view_seek(&v, 16);
	h->type = view_u16(&v);
	h->machine = view_u16(&v);
	view_seek(&v, 32);
	h->phoff = view_u64(&v);
	h->shoff = view_u64(&v);
	view_skip(&v, 4);
	h->ehsize = view_u16(&v);
	h->phentsize = view_u16(&v);
	h->phnum = view_u16(&v);
	h->shentsize = view_u16(&v);
	if (!view_ok(&v) || c->size < EHDR_SIZE)
		return bt_fail_format(e, c->size,
		    "%s is cut off at offset %llu, inside the ELF header; "
		    "nothing can be recovered",
		    c->path, (unsigned long long)c->size);
	return true;
}

/* The class and byte order bytes lie, but the 64-bit little-endian header
 * behind them is beyond doubt: there is no other byte order of this machine,
 * and of classes only that of x32, whose headers have other sizes. */
static bool
ehdr_is_ours(const struct core_ehdr *h)
{
	if (h->type != ET_CORE || h->machine != EM_X86_64)
		return false;
	return h->class != ELFCLASS32 ||
	    (h->ehsize == EHDR_SIZE && h->phentsize == PHDR_SIZE);
}

static bool
check_machine(struct core *c, const struct core_ehdr *h, bt_error_t *e)
{
	uint16_t machine = h->machine;
	const char *name;

	if (h->data == ELFDATA2MSB)
		machine = swap16(machine);
	if (machine == EM_X86_64 && h->class == ELFCLASS64 &&
	    h->data == ELFDATA2LSB)
		return true;
	name = machine_name(machine);
	if (machine == EM_X86_64)
		name = h->class == ELFCLASS32 ? "x32" : "x86-64, big-endian";
	if (name == NULL)
		return bt_fail(e, BT_E_UNSUPPORTED,
		    "%s is a core of an unknown machine (number %u); only "
		    "x86-64 is supported",
		    c->path, machine);
	return bt_fail(e, BT_E_UNSUPPORTED,
	    "%s is a core of another machine (%s); only x86-64 is supported",
	    c->path, name);
}

static bool
check_type(struct core *c, const struct core_ehdr *h, bt_error_t *e)
{
	uint16_t type = h->type;

	if (h->data == ELFDATA2MSB)
		type = swap16(type);
	switch (type) {
	case ET_CORE:
		return true;
	case ET_EXEC:
	case ET_DYN:
		return bt_fail(e, BT_E_FORMAT,
		    "%s is an executable, not a core file; give the core "
		    "after --core",
		    c->path);
	case ET_REL:
		return bt_fail(e, BT_E_FORMAT,
		    "%s is an object file, not a core file", c->path);
	default:
		return bt_fail_format(e, 16,
		    "%s is not a core file (ELF type %u at offset 16)", c->path,
		    type);
	}
}

static void
parse_phdr(struct view *v, struct core_phdr *out)
{
	out->type = view_u32(v);
	out->flags = view_u32(v);
	out->offset = view_u64(v);
	out->vaddr = view_u64(v);
	view_skip(v, 8);
	out->filesz = view_u64(v);
	out->memsz = view_u64(v);
	out->align = view_u64(v);
}

bool
core_phdr_at(const struct core *c, uint64_t i, struct core_phdr *out)
{
	struct view v;

	if (i >= c->n_phdrs)
		return false;
	v = view_sub(&c->table, i * PHDR_SIZE, PHDR_SIZE);
	parse_phdr(&v, out);
	return view_ok(&v);
}

static bool
phdr_plausible(const struct core_phdr *p)
{
	if (p->type != PT_LOAD && p->type != PT_NOTE)
		return false;
	if ((p->flags & ~(uint32_t)(PF_R | PF_W | PF_X)) != 0)
		return false;
	if (p->offset < EHDR_SIZE || p->filesz > UINT64_MAX - p->offset)
		return false;
	return p->type == PT_NOTE ||
	    (p->memsz <= UINT64_MAX - p->vaddr && p->filesz <= p->memsz);
}

/* How many entries from offset on look like a core's program headers; a few in
 * between may be damaged. */
static uint64_t
count_plausible(const struct core *c, uint64_t offset)
{
	struct view v = view_from(&c->file, offset);
	uint64_t n = 0, seen = 0;

	while (view_ok(&v) && view_left(&v) >= PHDR_SIZE &&
	    seen - n <= PHDRS_DAMAGED && budget_step(c->base.budget)) {
		struct core_phdr p;

		parse_phdr(&v, &p);
		seen++;
		if (phdr_plausible(&p))
			n = seen;
	}
	return n;
}

/* More than 65,534 segments: the count is in section header 0 (gABI, e_phnum
 * and PN_XNUM). False when that is not there. */
static bool
extended_count(const struct core *c, const struct core_ehdr *h, uint64_t *count)
{
	struct view v = view_sub(&c->file, h->shoff, 64);

	if (h->shoff == 0 || h->shentsize != 64)
		return false;
	view_seek(&v, 44);
	*count = view_u32(&v); /* sh_info */
	return view_ok(&v) && *count >= PN_XNUM;
}

static void
find_table(struct core *c, const struct core_ehdr *h)
{
	struct target *t = &c->base;
	uint64_t offset = h->phoff, count = h->phnum, room, guess;
	bool known = true;

	if (count == PN_XNUM)
		known = extended_count(c, h, &count);
	if (h->phentsize != PHDR_SIZE) {
		target_warn(t, "core.header",
		    "the program header size is %u instead of 56 (offset 0x36)",
		    h->phentsize);
		known = false;
	}
	if (offset < EHDR_SIZE || offset >= c->size ||
	    (offset != EHDR_SIZE && count_plausible(c, offset) == 0 &&
		count_plausible(c, EHDR_SIZE) != 0)) {
		target_warn(t, "core.header",
		    "the program headers cannot be at offset 0x%llx; looked "
		    "behind the file header",
		    (unsigned long long)offset);
		offset = EHDR_SIZE;
		known = false;
	}
	room = (c->size - offset) / PHDR_SIZE;
	if (!known || count > room || count == 0) {
		guess = count_plausible(c, offset);
		target_warn(t, "core.header",
		    "the count of program headers is damaged or the table is "
		    "cut off; %llu found at offset 0x%llx",
		    (unsigned long long)guess, (unsigned long long)offset);
		count = guess;
	}
	c->n_phdrs = count;
	c->table = view_sub(&c->file, offset, count * PHDR_SIZE);
}

/*
 * A thread's note as only x86-64 has it is near: elf_prstatus with 336 bytes
 * (27 registers; of other machines with 64 bits and little-endian aarch64 has
 * 34, riscv 32, powerpc 48, loongarch and mips 45), the 512 bytes of FXSAVE as
 * floating-point registers, or x86's extended state. A machine that we know by
 * name may have had such a core in its own memory, so there it must be among
 * what comes first.
 */
static bool
content_is_ours(const struct core *c, const struct core_ehdr *h)
{
	/* Headers of notes from namesz, or the last from the type on. */
	static const struct {
		uint8_t size, bytes[17];
	} notes[] = {
	    {17, "\5\0\0\0\x50\1\0\0\1\0\0\0CORE"},
	    {17, "\5\0\0\0\0\2\0\0\2\0\0\0CORE"},
	    {10, "\2\2\0\0LINUX"},
	};
	size_t most = machine_name(h->machine) != NULL ? LOOKED_AT_NAMED
						       : LOOKED_AT;

	if (most > c->size)
		most = c->size;
	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
		if (h->type == ET_CORE &&
		    memmem(c->file.data, most, notes[i].bytes, notes[i].size) !=
			NULL)
			return true;
	}
	return false;
}

static bool
ehdr_says_ours(const struct core_ehdr *h)
{

	return h->class == ELFCLASS64 && h->data == ELFDATA2LSB &&
	    h->machine == EM_X86_64;
}

bool
core_header(struct core *c, bt_error_t *e)
{
	struct core_ehdr h = {0};

	if (!read_ehdr(c, &h, e))
		return false;
	if (!ehdr_says_ours(&h) &&
	    (ehdr_is_ours(&h) || content_is_ours(c, &h))) {
		target_warn(&c->base, "core.header",
		    "class, byte order or machine in the file header is wrong "
		    "(offsets 4, 5, 18); the rest is an x86-64 core");
		h.class = ELFCLASS64;
		h.data = ELFDATA2LSB;
		h.machine = EM_X86_64;
	}
	if (!check_type(c, &h, e) || !check_machine(c, &h, e))
		return false;
	find_table(c, &h);
	return true;
}
