/* SPDX-License-Identifier: MIT */
/*
 * Following a function's instructions to learn its frame's layout, calls and
 * linkage stubs. As on x86-64 (prologue.c), only what moves the stack or frame
 * pointer or saves a register is understood; any other write to one of them
 * ends the knowledge of it. A forward branch carries its state to its target,
 * and behind a return the state is that of the function's body.
 */
#include "target/arch/aarch64.h"

enum {
	INSN = 4,
	SP = 31, /* as base of an access, or in additions of constants */
	FP = 29,
	BRANCHES_MAX = 64,
	D8 = 8,
	PRESERVED_D = 8,
	PLACE_D8 = 33
};

/* Distances from the CFA down. */
struct state {
	bool sp_known, fp_known; /* fp_known: it is a frame pointer of ours */
	int64_t sp, fp;		 /* CFA - register */
	uint64_t saved, changed; /* by place */
	int32_t offset[ARCH_REGS];
};

struct branch {
	size_t to;
	struct state state;
};

struct reader {
	struct state now;
	struct state body; /* with the frame set up furthest */
	/* The register that was last loaded with a constant, for frames too
	 * large for an immediate; 32: none. */
	unsigned constant_reg;
	uint64_t constant;
	unsigned n_branches;
	struct branch branches[BRANCHES_MAX];
};

static int64_t
sign_extend(uint64_t x, unsigned bits)
{
	return (int64_t)(x << (64 - bits)) >> (64 - bits);
}

static unsigned
field(uint32_t insn, unsigned at, unsigned bits)
{
	return insn >> at & ((1u << bits) - 1);
}

static unsigned
place_of(unsigned x)
{
	return arch_place(&arch_aarch64, x);
}

/* An access to the stack that saves or restores one or two registers. */
struct access {
	bool load, vector;
	bool before, after; /* the base is changed before, or after it */
	unsigned base, n, reg[2];
	int64_t offset;
};

static bool
decode_pair(uint32_t insn, struct access *out)
{
	uint32_t kind = insn & 0xfe000000;

	if (kind != 0xa8000000 && kind != 0x6c000000)
		return false;
	out->vector = kind == 0x6c000000;
	out->load = (insn >> 22 & 1) != 0;
	out->after = field(insn, 23, 2) == 1;
	out->before = field(insn, 23, 2) == 3;
	out->n = 2;
	out->reg[0] = field(insn, 0, 5);
	out->reg[1] = field(insn, 10, 5);
	out->base = field(insn, 5, 5);
	out->offset = sign_extend(field(insn, 15, 7), 7) * 8;
	return true;
}

/* str and ldr of a whole x or d register, by an immediate. */
static bool
decode_single(uint32_t insn, struct access *out)
{
	uint32_t kind = insn & 0xff800000;

	out->vector = (insn >> 26 & 1) != 0;
	out->load = (insn >> 22 & 1) != 0;
	out->n = 1;
	out->reg[0] = field(insn, 0, 5);
	out->base = field(insn, 5, 5);
	if (kind == 0xf9000000 || kind == 0xfd000000) {
		out->offset = (int64_t)field(insn, 10, 12) * 8;
		return true;
	}
	if ((kind != 0xf8000000 && kind != 0xfc000000) || (insn >> 21 & 1) != 0)
		return false;
	out->after = field(insn, 10, 2) == 1;
	out->before = field(insn, 10, 2) == 3;
	out->offset = sign_extend(field(insn, 12, 9), 9);
	return field(insn, 10, 2) != 2; /* unprivileged */
}

/* What happens to a register that is not the stack's. */
static void
write_register(struct reader *r, unsigned x)
{
	uint64_t bit = regs_bit(place_of(x));

	if (x >= SP)
		return;
	if (x == r->constant_reg)
		r->constant_reg = 32;
	if (x == FP)
		r->now.fp_known = false;
	if ((r->now.saved & bit) == 0)
		r->now.changed |= bit;
}

static unsigned
access_place(const struct access *a, unsigned i)
{
	unsigned d = a->reg[i] - D8;

	if (!a->vector)
		return a->reg[i] < SP ? place_of(a->reg[i]) : ARCH_NO_PLACE;
	return d < PRESERVED_D ? PLACE_D8 + d : ARCH_NO_PLACE;
}

static void
move_base(struct reader *r, unsigned base, int64_t by)
{
	if (base == SP)
		r->now.sp -= by;
	else
		write_register(r, base);
}

static void
do_access(struct reader *r, const struct access *a)
{
	struct state *s = &r->now;
	bool known = a->base == SP ? s->sp_known : a->base == FP && s->fp_known;
	int64_t down;

	if (a->before)
		move_base(r, a->base, a->offset);
	down = (a->base == SP ? s->sp : s->fp) -
	    (a->before || a->after ? 0 : a->offset);
	for (unsigned i = 0; i < a->n; i++) {
		unsigned place = access_place(a, i);
		int64_t at = (int64_t)i * 8 - down;

		if (place == ARCH_NO_PLACE)
			continue;
		if (!a->load) {
			/* The first time it is the caller's that is saved. */
			if (!known || (s->saved & regs_bit(place)) != 0 ||
			    (s->changed & regs_bit(place)) != 0 || at >= 0 ||
			    at < INT32_MIN)
				continue;
			s->saved |= regs_bit(place);
			s->offset[place] = (int32_t)at;
		} else if (known && (s->saved & regs_bit(place)) != 0 &&
		    s->offset[place] == at) {
			s->saved &= ~regs_bit(place); /* the caller's again */
			if (place == ARCH_FP)
				s->fp_known = false;
		} else if (!a->vector) {
			write_register(r, a->reg[i]);
		} else {
			s->changed |= regs_bit(place) & ~s->saved;
		}
	}
	if (a->after)
		move_base(r, a->base, a->offset);
}

/* add and sub of an immediate, where the stack's registers take part. */
static bool
do_add(struct reader *r, uint32_t insn)
{
	struct state *s = &r->now;
	unsigned to = field(insn, 0, 5), from = field(insn, 5, 5);
	int64_t by = (int64_t)field(insn, 10, 12)
	    << ((insn >> 22 & 1) != 0 ? 12 : 0);
	bool known;

	if ((insn & 0xbf800000) != 0x91000000)
		return false;
	if ((insn >> 30 & 1) != 0) /* sub */
		by = -by;
	known = from == SP ? s->sp_known : from == FP && s->fp_known;
	by = (from == SP ? s->sp : s->fp) - by;
	if (to == SP) {
		s->sp_known = known;
		s->sp = by;
	} else if (to == FP && known) {
		s->fp_known = true;
		s->fp = by;
		if ((s->saved & regs_bit(ARCH_FP)) == 0)
			s->changed |= regs_bit(ARCH_FP);
	} else {
		write_register(r, to);
	}
	return true;
}

/* A frame too large for an immediate: mov x16, #n; movk; sub sp, sp, x16. */
static bool
do_large(struct reader *r, uint32_t insn)
{
	unsigned to = field(insn, 0, 5), shift = field(insn, 21, 2) * 16;
	uint64_t value = (uint64_t)field(insn, 5, 16) << shift;
	struct state *s = &r->now;

	if ((insn & 0xff800000) == 0xd2800000) { /* movz */
		write_register(r, to);
		r->constant_reg = to;
		r->constant = value;
		return true;
	}
	if ((insn & 0xff800000) == 0xf2800000) { /* movk */
		if (to == r->constant_reg)
			r->constant =
			    (r->constant & ~(UINT64_C(0xffff) << shift)) |
			    value;
		else
			write_register(r, to);
		return true;
	}
	if ((insn & 0xbfe0001f) == 0x8b20001f) { /* add, sub: sp, extended */
		s->sp_known = s->sp_known && field(insn, 5, 5) == SP &&
		    field(insn, 16, 5) == r->constant_reg &&
		    field(insn, 10, 3) == 0;
		s->sp += (insn >> 30 & 1) != 0 ? (int64_t)r->constant
					       : -(int64_t)r->constant;
		return true;
	}
	/* and, orr, eor of an immediate: into sp, to align it */
	if ((insn & 0x1f800000) == 0x12000000 && field(insn, 29, 2) != 3 &&
	    to == SP) {
		s->sp_known = false;
		return true;
	}
	return false;
}

/* Accesses of other sizes save nothing, but may move the stack pointer. */
static void
do_writeback(struct reader *r, uint32_t insn)
{
	bool vector = (insn >> 26 & 1) != 0;
	unsigned opc = field(insn, 30, 2);
	int64_t size = vector ? 4 << opc : opc == 2 ? 8 : 4;

	if (field(insn, 5, 5) != SP)
		return;
	if ((insn & 0x3a800000) == 0x28800000) /* pairs */
		r->now.sp -= sign_extend(field(insn, 15, 7), 7) * size;
	else if ((insn & 0x3b200400) == 0x38000400) /* single ones */
		r->now.sp -= sign_extend(field(insn, 12, 9), 9);
	else if ((insn & 0xbe800000) == 0x0c800000) /* structures */
		r->now.sp_known = false;
}

/* Everything else that has a destination: data processing and loads. */
static void
do_other(struct reader *r, uint32_t insn)
{
	unsigned op = field(insn, 25, 4), to = field(insn, 0, 5);

	do_writeback(r, insn);
	if ((op & 0xe) == 8 || (op & 7) == 5)
		write_register(r, to);
	else if ((op & 5) == 4 && (insn >> 26 & 1) == 0 &&
	    (insn >> 22 & 3) != 0)
		write_register(r, to);
}

static bool
is_return(uint32_t insn) /* ret, retaa, retab */
{
	return (insn & 0xfffffc1f) == 0xd65f0000 ||
	    (insn & 0xfffffbff) == 0xd65f0bff;
}

static bool
is_jump(uint32_t insn) /* b; br, braa, ... */
{
	return (insn & 0xfc000000) == 0x14000000 ||
	    (insn & 0xfefff800) == 0xd61f0800 ||
	    (insn & 0xfffffc1f) == 0xd61f0000;
}

static bool
is_call(uint32_t insn) /* bl; blr, blraa, ... */
{
	return (insn & 0xfc000000) == 0x94000000 ||
	    (insn & 0xfffffc1f) == 0xd63f0000 ||
	    (insn & 0xfefff800) == 0xd63f0800;
}

/* Where a branch of this function leads; false: it is none, or unknown. */
static bool
branch_distance(uint32_t insn, int64_t *out)
{
	if ((insn & 0xfc000000) == 0x14000000) /* b */
		*out = sign_extend(field(insn, 0, 26), 26) * INSN;
	else if ((insn & 0xff000000) == 0x54000000 || /* b.cond */
	    (insn & 0x7e000000) == 0x34000000)	      /* cbz, cbnz */
		*out = sign_extend(field(insn, 5, 19), 19) * INSN;
	else if ((insn & 0x7e000000) == 0x36000000) /* tbz, tbnz */
		*out = sign_extend(field(insn, 5, 14), 14) * INSN;
	else
		return false;
	return true;
}

static void
remember(struct reader *r, size_t to)
{
	for (unsigned i = 0; i < r->n_branches; i++) {
		if (r->branches[i].to == to)
			return;
	}
	if (r->n_branches < BRANCHES_MAX)
		r->branches[r->n_branches++] = (struct branch){to, r->now};
}

/* After what does not go on: the state that led here, or the body's. */
static void
resume(struct reader *r, size_t at)
{
	r->now = r->body;
	r->constant_reg = 32;
	for (unsigned i = 0; i < r->n_branches; i++) {
		if (r->branches[i].to == at) {
			r->now = r->branches[i].state;
			return;
		}
	}
}

static void
step(struct reader *r, uint32_t insn, size_t at)
{
	struct access a = {0};
	int64_t distance;

	if (branch_distance(insn, &distance) && distance > 0)
		remember(r, at + (size_t)distance);
	if (is_return(insn) || is_jump(insn)) {
		resume(r, at + INSN);
		return;
	}
	if (is_call(insn)) {
		write_register(r, AARCH64_LINK);
		return;
	}
	if (decode_pair(insn, &a) ||
	    (a = (struct access){0}, decode_single(insn, &a)))
		do_access(r, &a);
	else if (!do_add(r, insn) && !do_large(r, insn))
		do_other(r, insn);
	if (__builtin_popcountll(r->now.saved) >
		__builtin_popcountll(r->body.saved) ||
	    (r->now.saved == r->body.saved && r->now.sp_known &&
		(r->now.sp > r->body.sp || r->now.fp_known)))
		r->body = r->now;
}

static uint32_t
insn_at(const uint8_t *code)
{
	uint32_t insn;

	memcpy(&insn, code, sizeof(insn));
	return insn;
}

static bool
layout_from(const struct state *s, struct arch_layout *out)
{
	*out = (struct arch_layout){
	    .saved = s->saved,
	    .changed = s->changed,
	};
	memcpy(out->offset, s->offset, sizeof(out->offset));
	if (s->fp_known) {
		out->cfa_reg = ARCH_FP;
		out->cfa_offset = s->fp;
	} else {
		out->cfa_reg = ARCH_SP;
		out->cfa_offset = s->sp;
	}
	return s->fp_known || s->sp_known;
}

bool
aarch64_layout_at(
    const uint8_t *code, size_t size, size_t at, struct arch_layout *out)
{
	struct reader r;

	if (at > size || at > ARCH_FUNCTION_MAX || at % INSN != 0)
		return false;
	memset(&r.now, 0, sizeof(r.now));
	r.now.sp_known = true;
	r.body = r.now;
	r.n_branches = 0;
	r.constant_reg = 32;
	r.constant = 0;
	for (size_t i = 0; i < at; i += INSN)
		step(&r, insn_at(code + i), i);
	return layout_from(&r.now, out);
}

/* A linkage stub: adrp x16, page; ldr x17, [x16, #n]; add x16, x16, #n; br x17.
 * at is how many of its instructions were executed. */
static bool
is_stub(const uint8_t *before, size_t n_before, const uint8_t *after,
    size_t n_after, size_t at)
{
	static const uint32_t mask[] = {
	    0x9f00001f, 0xffc003ff, 0xff8003ff, 0xffffffff};
	static const uint32_t value[] = {
	    0x90000010, 0xf9400211, 0x91000210, 0xd61f0220};
	const size_t n = sizeof(mask) / sizeof(*mask);

	if (n_before < at * INSN || n_after < (n - at) * INSN)
		return false;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *code = i < at
		    ? before + n_before - (at - i) * INSN
		    : after + (i - at) * INSN;

		if ((insn_at(code) & mask[i]) != value[i])
			return false;
	}
	return true;
}

/* At a return, before the frame record is made, and all through a linkage stub
 * the return address is in its register and the stack pointer the caller's. */
bool
aarch64_layout_at_edge(const uint8_t *before, size_t n_before,
    const uint8_t *after, size_t n_after, struct arch_layout *out)
{
	const uint32_t paciasp = 0xd503233f, pacibsp = 0xd503237f;
	const uint32_t bti_c = 0xd503245f;
	uint32_t insn;

	*out = (struct arch_layout){.cfa_reg = ARCH_SP};
	if (n_after < INSN)
		return false;
	for (size_t at = 0; at < 4; at++)
		if (is_stub(before, n_before, after, n_after, at))
			return true;
	insn = insn_at(after);
	if (!is_return(insn) && insn != paciasp && insn != pacibsp &&
	    insn != bti_c &&
	    (insn & 0xffc07fff) != 0xa9807bfd) /* stp x29, x30, [sp, #n]! */
		return false;
	return true;
}

bool
aarch64_is_after_call(const uint8_t *code_before, size_t size)
{
	return size >= INSN && is_call(insn_at(code_before + size - INSN));
}

enum arch_call
aarch64_call_before(
    const uint8_t *code_before, size_t size, bt_addr_t pc, bt_addr_t *target)
{
	uint32_t insn;

	if (!aarch64_is_after_call(code_before, size))
		return ARCH_CALL_NONE;
	insn = insn_at(code_before + size - INSN);
	if ((insn & 0xfc000000) != 0x94000000)
		return ARCH_CALL_INDIRECT;
	*target = pc - INSN +
	    (uint64_t)(sign_extend(field(insn, 0, 26), 26) * INSN);
	return ARCH_CALL_DIRECT;
}

/* A stub of the linker: [bti c;] adrp x16, page; ldr x17, [x16, #n]; ... */
enum arch_call
aarch64_jump_at(
    const uint8_t *code, size_t size, bt_addr_t pc, bt_addr_t *target)
{
	const uint32_t bti_c = 0xd503245f;
	uint32_t insn, load;
	uint64_t page;

	if (size >= INSN && insn_at(code) == bti_c) {
		code += INSN;
		size -= INSN;
		pc += INSN;
	}
	if (size < INSN)
		return ARCH_CALL_NONE;
	insn = insn_at(code);
	if ((insn & 0xfc000000) == 0x14000000) {
		*target = pc +
		    (uint64_t)(sign_extend(field(insn, 0, 26), 26) * INSN);
		return ARCH_CALL_DIRECT;
	}
	if (size < 2 * INSN || (insn & 0x9f00001f) != 0x90000010)
		return ARCH_CALL_NONE;
	load = insn_at(code + INSN);
	if ((load & 0xffc003ff) != 0xf9400211)
		return ARCH_CALL_NONE;
	page = (uint64_t)field(insn, 5, 19) << 2 | field(insn, 29, 2);
	*target = (pc & ~UINT64_C(4095)) +
	    (uint64_t)(sign_extend(page, 21) * 4096) +
	    (uint64_t)field(load, 10, 12) * 8;
	return ARCH_CALL_SLOT;
}
