/* SPDX-License-Identifier: MIT */
/*
 * The name behind a PLT stub. A stub jumps through a slot of the global offset
 * table, and a relocation names the symbol whose address goes into the slot
 * (x86-64 psABI, "Procedure Linkage Table"):
 *
 *	[endbr64] [bnd] jmp *slot(pc)		.plt, .plt.sec, .plt.got
 *	[endbr64] push $n; [bnd] jmp plt0	.plt beside a .plt.sec
 *
 * The second form carries the number of the relocation in .rela.plt. aarch64:
 *
 *	[bti c] adrp x16, slot; ldr x17, [x16, slot]; add; br x17
 */
#include "image/internal.h"

#define STUB 16

struct relocation {
	uint64_t offset;
	uint32_t type, symbol;
	int64_t addend;
};

static struct relocation
read_relocation(struct view *v)
{
	struct relocation r;
	uint64_t info;

	r.offset = view_u64(v);
	info = view_u64(v);
	r.addend = (int64_t)view_u64(v);
	r.type = (uint32_t)ELF64_R_TYPE(info);
	r.symbol = (uint32_t)ELF64_R_SYM(info);
	return r;
}

static bool
is_slot_type(uint32_t type)
{
	/* The two machines have no number in common. */
	return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT ||
	    type == R_X86_64_IRELATIVE || type == R_AARCH64_JUMP_SLOT ||
	    type == R_AARCH64_GLOB_DAT || type == R_AARCH64_IRELATIVE;
}

static bool
find_by_slot(struct view table, uint64_t slot, struct relocation *out)
{
	while (view_left(&table) >= sizeof(Elf64_Rela)) {
		*out = read_relocation(&table);
		if (out->offset == slot && is_slot_type(out->type))
			return true;
	}
	return false;
}

static bool
find_by_number(struct view table, uint32_t n, struct relocation *out)
{
	struct view v = view_from(&table, (uint64_t)n * sizeof(Elf64_Rela));

	*out = read_relocation(&v);
	return view_ok(&v) && is_slot_type(out->type);
}

static bool
relocation_name(
    struct image *image, const struct relocation *r, const char **name)
{
	struct image_symbol symbol;
	Elf64_Sym sym;

	image_load_symbols(image);
	if (r->type == R_X86_64_IRELATIVE || r->type == R_AARCH64_IRELATIVE) {
		/* No symbol: the addend is the address of the resolver, which
		 * bears the function's name (STT_GNU_IFUNC). */
		if (!image_symbol_at(image, (uint64_t)r->addend, &symbol) ||
		    symbol.value != (uint64_t)r->addend)
			return false;
	} else if (r->symbol == 0 ||
	    !symtab_get(&image->dynsym, r->symbol, &sym) ||
	    !symtab_fill(&image->dynsym, &sym, &symbol)) {
		return false;
	}
	*name = symbol.name;
	return true;
}

struct stub {
	uint64_t slot; /* address of the GOT entry, or 0 */
	bool pushes;
	uint32_t number; /* with pushes: which relocation */
};

/* Decodes what one of the forms above says; address is where it begins. */
static bool
decode_stub(struct view code, uint64_t address, struct stub *out)
{
	static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
	uint8_t op;

	*out = (struct stub){0};
	if (view_left(&code) >= sizeof(endbr64) &&
	    memcmp(code.data, endbr64, sizeof(endbr64)) == 0)
		view_skip(&code, sizeof(endbr64));
	op = view_u8(&code);
	if (op == 0x68) { /* push imm32 */
		out->pushes = true;
		out->number = view_u32(&code);
		op = view_u8(&code);
		if (op == 0xf2)
			op = view_u8(&code);
		return view_ok(&code) && op == 0xe9; /* jmp rel32 */
	}
	if (op == 0xf2) /* bnd */
		op = view_u8(&code);
	if (op != 0xff || view_u8(&code) != 0x25) /* jmp *disp32(pc) */
		return false;
	out->slot = (uint64_t)(int64_t)(int32_t)view_u32(&code);
	out->slot += address + code.pos;
	return view_ok(&code);
}

static bool
decode_aarch64(struct view code, uint64_t address, struct stub *out)
{
	const uint32_t bti_c = 0xd503245f;
	uint32_t page = view_u32(&code), load;
	uint64_t pages;

	*out = (struct stub){0};
	if (page == bti_c) {
		page = view_u32(&code);
		address += 4;
	}
	load = view_u32(&code);
	if (!view_ok(&code) || (page & 0x9f00001f) != 0x90000010 ||
	    (load & 0xffc003ff) != 0xf9400211)
		return false;
	/* 21 bits with a sign, in two fields. */
	pages = (uint64_t)(page >> 5 & 0x7ffff) << 2 | (page >> 29 & 3);
	pages = (pages ^ UINT64_C(1) << 20) - (UINT64_C(1) << 20);
	out->slot = (address & ~UINT64_C(4095)) + pages * 4096 +
	    (uint64_t)(load >> 10 & 0xfff) * 8;
	return true;
}

static bool
read_stub(
    const struct image *image, uint64_t start, size_t size, struct stub *out)
{
	const uint8_t *bytes;
	size_t n = image_read_vaddr(image, start, size, &bytes);

	if (n == 0)
		return false;
	return image->machine == EM_AARCH64
	    ? decode_aarch64(view_of(bytes, n), start, out)
	    : decode_stub(view_of(bytes, n), start, out);
}

/* The stub that vaddr lies in, by the section headers. */
static bool
stub_by_section(const struct image *image, uint64_t vaddr, struct stub *out)
{
	for (size_t i = 0; i < image->nsections; i++) {
		const struct image_section *s = &image->sections[i];
		uint64_t at = vaddr - s->addr, size = STUB;

		if (vaddr < s->addr || at >= s->size ||
		    (s->flags & SHF_EXECINSTR) == 0 ||
		    (strncmp(s->name, ".plt", 4) != 0 &&
			strcmp(s->name, ".iplt") != 0))
			continue;
		/* GNU ld says 8 for .plt.got without endbr64; LLD says 0. */
		if (s->entsize == 8)
			size = 8;
		return read_stub(image, vaddr - at % size, (size_t)size, out);
	}
	return false;
}

static struct view
table_bytes(struct image *image, const char *name)
{
	struct view v;

	if (!image_section_view(image, name, &v, NULL))
		return view_of(NULL, 0);
	return v;
}

bool
image_plt_name(struct image *image, uint64_t vaddr, const char **name)
{
	struct view plt, all = view_of(NULL, 0);
	struct relocation r;
	struct stub stub;

	if (image->debug_only)
		return false;
	if (image->nsections > 0) {
		if (!stub_by_section(image, vaddr, &stub))
			return false;
		plt = table_bytes(image, ".rela.plt");
		if (plt.size == 0) /* LLD's name in static programs */
			plt = table_bytes(image, ".rela.iplt");
		all = table_bytes(image, ".rela.dyn");
	} else {
		/* Without section names any code might look like a stub (a tail
		 * call through the GOT does): only slots of DT_JMPREL count. */
		if (!read_stub(
			image, vaddr & ~(uint64_t)(STUB - 1), STUB, &stub))
			return false;
		plt = image_dynamic(image)->jmprel;
	}
	if (stub.pushes ? !find_by_number(plt, stub.number, &r)
			: !find_by_slot(plt, stub.slot, &r) &&
		    !find_by_slot(all, stub.slot, &r))
		return false;
	return relocation_name(image, &r, name);
}
