/* SPDX-License-Identifier: MIT */
/*
 * Call frame instructions (DWARF 5 section 6.4.2): the CIE's program sets up
 * the initial row, the FDE's changes it address by address until the one that
 * is asked for. Registers that no frame of ours has (vector registers) are
 * read over. A program that is damaged gives no row at all: half of one would
 * be a wrong answer.
 */
#include "unwind/cfi.h"

enum {
	CFA_nop = 0x00,
	CFA_set_loc,
	CFA_advance_loc1,
	CFA_advance_loc2,
	CFA_advance_loc4,
	CFA_offset_extended,
	CFA_restore_extended,
	CFA_undefined,
	CFA_same_value,
	CFA_register,
	CFA_remember_state,
	CFA_restore_state,
	CFA_def_cfa,
	CFA_def_cfa_register,
	CFA_def_cfa_offset,
	CFA_def_cfa_expression,
	CFA_expression,
	CFA_offset_extended_sf,
	CFA_def_cfa_sf,
	CFA_def_cfa_offset_sf,
	CFA_val_offset,
	CFA_val_offset_sf,
	CFA_val_expression,
	CFA_MIPS_advance_loc8 = 0x1d,
	CFA_AARCH64_negate_ra_state_with_pc = 0x2c,
	CFA_AARCH64_negate_ra_state = 0x2d,
	CFA_GNU_args_size = 0x2e,
	CFA_GNU_negative_offset_extended,
	CFA_advance_loc = 0x40,
	CFA_offset = 0x80,
	CFA_restore = 0xc0,
	CFA_PRIMARY = 0xc0
};

/* GCC and clang nest one level; hand-written assembly a few. */
enum { REMEMBER_MAX = 16 };

struct program {
	const struct cfi_fde *fde;
	uint64_t location, want;
	bool has_initial; /* the FDE's part: DW_CFA_restore knows what to */
	bool done;	  /* the location has passed the one wanted */
	unsigned remembered;
	struct cfi_row *row;
	struct cfi_row initial;
	struct cfi_row memory[REMEMBER_MAX];
};

/* Rows are copied for each address; most machines use less than half. */
static size_t
row_size(const struct cfi_fde *fde)
{
	return offsetof(struct cfi_row, regs) +
	    arch_n_places(fde->section.arch) * sizeof(struct cfi_rule);
}

static void
copy_row(
    const struct cfi_fde *fde, struct cfi_row *to, const struct cfi_row *from)
{
	memcpy(to, from, row_size(fde));
}

static struct view
block(struct view *v)
{
	uint64_t size = view_uleb(v);
	const uint8_t *bytes = view_bytes(v, size);

	return view_of(bytes, bytes != NULL ? (size_t)size : 0);
}

/* The place of a column; ARCH_NO_PLACE: no frame of ours has it. */
static unsigned
place_of(const struct program *p, uint64_t reg)
{
	return reg > UINT8_MAX
	    ? ARCH_NO_PLACE
	    : arch_place(p->fde->section.arch, (unsigned)reg);
}

static void
set(struct program *p, uint64_t reg, struct cfi_rule rule)
{
	unsigned place = place_of(p, reg);

	if (place != ARCH_NO_PLACE)
		p->row->regs[place] = rule;
}

/* Offsets wrap rather than overflow: a wild one leads nowhere readable. */
static int64_t
scaled(const struct program *p, uint64_t factor)
{
	return (int64_t)(factor * (uint64_t)p->fde->cie.data_align);
}

static void
set_offset(struct program *p, enum cfi_kind kind, uint64_t reg, uint64_t factor)
{
	set(p, reg,
	    (struct cfi_rule){.kind = kind, .offset = scaled(p, factor)});
}

static bool
restore(struct program *p, uint64_t reg)
{
	unsigned place = place_of(p, reg);

	if (p->has_initial == false)
		return false;
	if (place != ARCH_NO_PLACE)
		p->row->regs[place] = p->initial.regs[place];
	return true;
}

static bool
advance(struct program *p, uint64_t delta)
{
	p->location += delta * p->fde->cie.code_align;
	p->done = p->location > p->want;
	return true;
}

static bool
set_location(struct program *p, struct view *v)
{
	uint64_t location;

	if (cfi_pointer(v, p->fde->cie.encoding, p->fde->section.vaddr, 0,
		&location) == false)
		return false;
	p->location = location;
	p->done = location > p->want;
	return true;
}

static bool
remember(struct program *p)
{
	if (p->remembered == REMEMBER_MAX)
		return false;
	copy_row(p->fde, &p->memory[p->remembered++], p->row);
	return true;
}

static bool
recall(struct program *p)
{
	if (p->remembered == 0)
		return false;
	copy_row(p->fde, p->row, &p->memory[--p->remembered]);
	return true;
}

static bool
def_cfa(struct program *p, uint64_t reg, int64_t offset)
{
	unsigned place = place_of(p, reg);

	if (place == ARCH_NO_PLACE)
		return false;
	p->row->cfa_is_block = false;
	p->row->cfa_reg = place;
	p->row->cfa_offset = offset;
	return true;
}

/* Instructions that define the CFA. */
static bool
cfa_instruction(struct program *p, unsigned op, struct view *v)
{
	uint64_t reg;

	switch (op) {
	case CFA_def_cfa:
		reg = view_uleb(v);
		return def_cfa(p, reg, (int64_t)view_uleb(v));
	case CFA_def_cfa_sf:
		reg = view_uleb(v);
		return def_cfa(p, reg, scaled(p, (uint64_t)view_sleb(v)));
	case CFA_def_cfa_register:
		return p->row->cfa_is_block == false &&
		    def_cfa(p, view_uleb(v), p->row->cfa_offset);
	case CFA_def_cfa_offset:
		p->row->cfa_offset = (int64_t)view_uleb(v);
		return p->row->cfa_is_block == false;
	case CFA_def_cfa_offset_sf:
		p->row->cfa_offset = scaled(p, (uint64_t)view_sleb(v));
		return p->row->cfa_is_block == false;
	default: /* CFA_def_cfa_expression */
		p->row->cfa_is_block = true;
		p->row->cfa_block = block(v);
		return true;
	}
}

/* Instructions that give one register a rule. */
static bool
register_instruction(struct program *p, unsigned op, struct view *v)
{
	uint64_t reg = view_uleb(v), other;

	switch (op) {
	case CFA_offset_extended:
		set_offset(p, CFI_OFFSET, reg, view_uleb(v));
		return true;
	case CFA_offset_extended_sf:
		set_offset(p, CFI_OFFSET, reg, (uint64_t)view_sleb(v));
		return true;
	case CFA_GNU_negative_offset_extended:
		set_offset(p, CFI_OFFSET, reg, -view_uleb(v));
		return true;
	case CFA_val_offset:
		set_offset(p, CFI_VAL_OFFSET, reg, view_uleb(v));
		return true;
	case CFA_val_offset_sf:
		set_offset(p, CFI_VAL_OFFSET, reg, (uint64_t)view_sleb(v));
		return true;
	case CFA_restore_extended:
		return restore(p, reg);
	case CFA_undefined:
		set(p, reg, (struct cfi_rule){.kind = CFI_UNDEFINED});
		return true;
	case CFA_same_value:
		set(p, reg, (struct cfi_rule){.kind = CFI_SAME});
		return true;
	case CFA_register:
		other = place_of(p, view_uleb(v));
		set(p, reg,
		    other != ARCH_NO_PLACE
			? (struct cfi_rule){.kind = CFI_REGISTER,
			      .reg = (unsigned)other}
			: (struct cfi_rule){.kind = CFI_UNDEFINED});
		return true;
	default: /* CFA_expression, CFA_val_expression */
		set(p, reg,
		    (struct cfi_rule){.kind = op == CFA_expression
			    ? CFI_EXPRESSION
			    : CFI_VAL_EXPRESSION,
			.block = block(v)});
		return true;
	}
}

static bool
instruction(struct program *p, struct view *v)
{
	unsigned op = view_u8(v), low = op & ~(unsigned)CFA_PRIMARY;

	switch (op & CFA_PRIMARY) {
	case CFA_advance_loc:
		return advance(p, low);
	case CFA_offset:
		set_offset(p, CFI_OFFSET, low, view_uleb(v));
		return true;
	case CFA_restore:
		return restore(p, low);
	}
	switch (op) {
	case CFA_nop:
		return true;
	case CFA_set_loc:
		return set_location(p, v);
	case CFA_advance_loc1:
		return advance(p, view_u8(v));
	case CFA_advance_loc2:
		return advance(p, view_u16(v));
	case CFA_advance_loc4:
		return advance(p, view_u32(v));
	case CFA_MIPS_advance_loc8:
		return advance(p, view_u64(v));
	case CFA_remember_state:
		return remember(p);
	case CFA_restore_state:
		return recall(p);
	case CFA_AARCH64_negate_ra_state:
	case CFA_AARCH64_negate_ra_state_with_pc:
		p->row->ra_signed = !p->row->ra_signed;
		return !arch_is_x86_64(p->fde->section.arch);
	case CFA_GNU_args_size: /* for exceptions only */
		(void)view_uleb(v);
		return true;
	case CFA_def_cfa:
	case CFA_def_cfa_register:
	case CFA_def_cfa_offset:
	case CFA_def_cfa_expression:
	case CFA_def_cfa_sf:
	case CFA_def_cfa_offset_sf:
		return cfa_instruction(p, op, v);
	case CFA_offset_extended:
	case CFA_restore_extended:
	case CFA_undefined:
	case CFA_same_value:
	case CFA_register:
	case CFA_expression:
	case CFA_offset_extended_sf:
	case CFA_val_offset:
	case CFA_val_offset_sf:
	case CFA_val_expression:
	case CFA_GNU_negative_offset_extended:
		return register_instruction(p, op, v);
	default:
		return false;
	}
}

/* Every turn takes at least one byte, so the record's size bounds it. */
static bool
run(struct program *p, struct view v)
{
	while (p->done == false && view_end(&v) == false) {
		if (instruction(p, &v) == false)
			return false;
	}
	return view_ok(&v);
}

/* The return address is in a column of its own: in that register, as long as
 * no rule says otherwise. */
static void
return_address(const struct cfi_fde *fde, struct cfi_row *row)
{
	struct cfi_rule *pc = &row->regs[ARCH_PC];
	unsigned ra = fde->cie.ra;

	*pc = row->regs[ra];
	if (arch_is_x86_64(fde->section.arch))
		return;
	if (pc->kind == CFI_UNSPECIFIED || pc->kind == CFI_SAME)
		*pc = (struct cfi_rule){.kind = CFI_REGISTER, .reg = ra};
}

bool
cfi_row(const struct cfi_fde *fde, uint64_t vaddr, struct cfi_row *out)
{
	struct program p;

	p.fde = fde;
	p.location = fde->start;
	p.want = vaddr;
	p.has_initial = p.done = false;
	p.remembered = 0;
	p.row = out;
	memset(out, 0, row_size(fde));
	out->cfa_reg = ARCH_REGS;
	if (run(&p, fde->cie.program) == false)
		return false;
	copy_row(fde, &p.initial, out);
	p.has_initial = true;
	p.location = fde->start;
	p.done = false;
	p.remembered = 0;
	if (run(&p, fde->program) == false ||
	    (out->cfa_is_block == false && out->cfa_reg == ARCH_REGS))
		return false;
	if (fde->cie.ra != ARCH_PC)
		return_address(fde, out);
	return true;
}
