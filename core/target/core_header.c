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
	EHDR_SIZE_32 = 52,
	PHDR_SIZE_32 = 32,
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

static size_t
ehdr_size(const struct core *c)
{
	return c->narrow ? EHDR_SIZE_32 : EHDR_SIZE;
}

static size_t
phdr_size(const struct core *c)
{
	return c->narrow ? PHDR_SIZE_32 : PHDR_SIZE;
}

/* A machine that is in our table, whatever its class and byte order: there may
 * be cores of it. */
static bool
machine_is_known(uint16_t machine)
{
	const struct arch *a;

	for (size_t i = 0; (a = arch_at(i)) != NULL; i++) {
		if (a->machine == machine)
			return true;
	}
	return false;
}

/* As class and byte order, in c, say. */
static void
parse_ehdr(const struct core *c, struct core_ehdr *h)
{
	struct view v = c->file;

	view_seek(&v, 16);
	h->type = core_u16(c, &v);
	h->machine = core_u16(c, &v);
	view_skip(&v, 4 + core_word_size(c)); /* e_version, e_entry */
	h->phoff = core_word(c, &v);
	h->shoff = core_word(c, &v);
	view_skip(&v, 4);
	h->ehsize = core_u16(c, &v);
	h->phentsize = core_u16(c, &v);
	h->phnum = core_u16(c, &v);
	h->shentsize = core_u16(c, &v);
}

/* How much of the header speaks for class and byte order in c. Two bytes claim
 * them; the type shows the order, and the sizes of header and table entry show
 * both. */
static unsigned
credit(const struct core *c, const struct core_ehdr *h)
{
	unsigned n = 0;

	n += h->type == ET_CORE ? 4 : 0;
	n += h->ehsize == ehdr_size(c) ? 2 : 0;
	n += h->phentsize == phdr_size(c) ? 2 : 0;
	n += arch_find(h->machine, c->narrow, c->big_endian) != NULL;
	n += (h->class == ELFCLASS32) == c->narrow;
	n += (h->data == ELFDATA2MSB) == c->big_endian;
	return n;
}

/* Any of these fields may be damaged: what most of them say goes, and of equals
 * what x86-64 has. */
static void
find_form(struct core *c, struct core_ehdr *h)
{
	struct core_ehdr best = *h;
	unsigned most = 0;
	bool narrow = false, big_endian = false;

	for (unsigned form = 0; form < 4; form++) {
		c->narrow = (form & 1) != 0;
		c->big_endian = (form & 2) != 0;
		parse_ehdr(c, h);
		if (credit(c, h) <= most)
			continue;
		most = credit(c, h);
		best = *h;
		narrow = c->narrow;
		big_endian = c->big_endian;
	}
	*h = best;
	c->narrow = narrow;
	c->big_endian = big_endian;
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
	find_form(c, h);
	if (c->size < ehdr_size(c))
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
ehdr_is_ours(const struct core *c, const struct core_ehdr *h)
{
	return !c->narrow && !c->big_endian && h->type == ET_CORE &&
	    h->machine == EM_X86_64 &&
	    (h->class != ELFCLASS32 ||
		(h->ehsize == EHDR_SIZE && h->phentsize == PHDR_SIZE));
}

/* A machine that is not in the table may write its notes as others do: then
 * its threads and mappings can be told, and no register. */
static bool
check_machine(struct core *c, const struct core_ehdr *h, bt_error_t *e)
{
	c->base.arch = arch_find(h->machine, c->narrow, c->big_endian);
	if (c->base.arch != NULL)
		return true;
	if (h->machine == EM_X86_64)
		return bt_fail(e, BT_E_UNSUPPORTED,
		    "%s is a core of another machine (%s), which is not "
		    "supported",
		    c->path, c->narrow ? "x32" : "x86-64, big-endian");
	c->base.arch = c->narrow
	    ? c->big_endian ? &arch_unknown_32be : &arch_unknown_32
	    : c->big_endian ? &arch_unknown_64be
			    : &arch_unknown_64;
	target_warn(&c->base, "core.machine",
	    "the core is of a machine that is not known (number %u): no "
	    "registers, no stacks",
	    h->machine);
	return true;
}

static bool
check_type(struct core *c, const struct core_ehdr *h, bt_error_t *e)
{
	switch (h->type) {
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
		    h->type);
	}
}

static void
parse_phdr(const struct core *c, struct view *v, struct core_phdr *out)
{
	out->type = core_u32(c, v);
	if (!c->narrow)
		out->flags = core_u32(c, v);
	out->offset = core_word(c, v);
	out->vaddr = core_word(c, v);
	view_skip(v, core_word_size(c));
	out->filesz = core_word(c, v);
	out->memsz = core_word(c, v);
	if (c->narrow)
		out->flags = core_u32(c, v);
	out->align = core_word(c, v);
}

bool
core_foreign_phdr_at(const struct core *c, uint64_t i, struct core_phdr *out)
{
	struct view v;

	if (i >= c->n_phdrs)
		return false;
	v = view_sub(&c->table, i * phdr_size(c), phdr_size(c));
	parse_phdr(c, &v, out);
	return view_ok(&v);
}

static bool
phdr_plausible(const struct core *c, const struct core_phdr *p)
{
	if (p->type != PT_LOAD && p->type != PT_NOTE)
		return false;
	if ((p->flags & ~(uint32_t)(PF_R | PF_W | PF_X)) != 0)
		return false;
	if (p->offset < ehdr_size(c) || p->filesz > UINT64_MAX - p->offset)
		return false;
	return p->type == PT_NOTE ||
	    (p->memsz <= UINT64_MAX - p->vaddr && p->filesz <= p->memsz);
}

/* How many entries from offset on look like a core's program headers, or that
 * there are `enough`; a few in between may be damaged. */
static uint64_t
count_plausible(const struct core *c, uint64_t offset, uint64_t enough)
{
	struct view v = view_from(&c->file, offset);
	uint64_t n = 0, seen = 0;

	while (n < enough && view_ok(&v) && view_left(&v) >= phdr_size(c) &&
	    seen - n <= PHDRS_DAMAGED && budget_step(c->base.budget)) {
		struct core_phdr p;

		parse_phdr(c, &v, &p);
		seen++;
		if (phdr_plausible(c, &p))
			n = seen;
	}
	return n;
}

/* More than 65,534 segments: the count is in section header 0 (gABI, e_phnum
 * and PN_XNUM). False when that is not there. */
static bool
extended_count(const struct core *c, const struct core_ehdr *h, uint64_t *count)
{
	size_t size = c->narrow ? 40 : 64;
	struct view v = view_sub(&c->file, h->shoff, size);

	if (h->shoff == 0 || h->shentsize != size)
		return false;
	view_seek(&v, c->narrow ? 28 : 44);
	*count = core_u32(c, &v); /* sh_info */
	return view_ok(&v) && *count >= PN_XNUM;
}

static void
find_table(struct core *c, const struct core_ehdr *h)
{
	struct target *t = &c->base;
	uint64_t start = ehdr_size(c);
	uint64_t offset = h->phoff, count = h->phnum, room, guess;
	bool known = true;

	if (count == PN_XNUM)
		known = extended_count(c, h, &count);
	if (h->phentsize != phdr_size(c)) {
		target_warn(t, "core.header",
		    "the program header size is %u instead of %zu (offset "
		    "0x%x)",
		    h->phentsize, phdr_size(c), c->narrow ? 0x2a : 0x36);
		known = false;
	}
	if (offset < start || offset >= c->size ||
	    (offset != start && count_plausible(c, offset, 1) == 0 &&
		count_plausible(c, start, 1) != 0)) {
		target_warn(t, "core.header",
		    "the program headers cannot be at offset 0x%llx; looked "
		    "behind the file header",
		    (unsigned long long)offset);
		offset = start;
		known = false;
	}
	room = (c->size - offset) / phdr_size(c);
	if (!known || count > room || count == 0) {
		guess = count_plausible(c, offset, UINT64_MAX);
		target_warn(t, "core.header",
		    "the count of program headers is damaged or the table is "
		    "cut off; %llu found at offset 0x%llx",
		    (unsigned long long)guess, (unsigned long long)offset);
		count = guess;
	}
	c->n_phdrs = count;
	c->table = view_sub(&c->file, offset, count * phdr_size(c));
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
	size_t most = machine_is_known(h->machine) ? LOOKED_AT_NAMED
						   : LOOKED_AT;

	/* A header that is throughout one of 32 bits or big-endian is no
	 * damaged one of ours; i386 has the last of these notes, too. */
	if (c->narrow || c->big_endian)
		return false;
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
	    (ehdr_is_ours(c, &h) || content_is_ours(c, &h))) {
		target_warn(&c->base, "core.header",
		    "class, byte order or machine in the file header is wrong "
		    "(offsets 4, 5, 18); the rest is an x86-64 core");
		h.class = ELFCLASS64;
		h.data = ELFDATA2LSB;
		h.machine = EM_X86_64;
	} else if (h.class != (c->narrow ? ELFCLASS32 : ELFCLASS64) ||
	    h.data != (c->big_endian ? ELFDATA2MSB : ELFDATA2LSB)) {
		target_warn(&c->base, "core.header",
		    "class or byte order in the file header is wrong (offsets "
		    "4, 5); the rest has %d bits, %s-endian",
		    c->narrow ? 32 : 64, c->big_endian ? "big" : "little");
	}
	if (!check_type(c, &h, e) || !check_machine(c, &h, e))
		return false;
	find_table(c, &h);
	return true;
}
