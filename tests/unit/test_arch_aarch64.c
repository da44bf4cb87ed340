/* SPDX-License-Identifier: MIT */
/*
 * aarch64: places of registers, instructions, signal frames, and the table of
 * architectures. The encodings are an assembler's.
 */
#include <elf.h>

#include "harness/test.h"

#include "target/arch/aarch64.h"

enum {
	STP_FRAME = 0xa9bd7bfd, /* stp x29, x30, [sp, #-48]! */
	MOV_FP_SP = 0x910003fd,
	STP_X19_X20 = 0xa90153f3, /* [sp, #16] */
	STR_X21 = 0xf90013f5,	  /* [sp, #32] */
	STP_D8_D9 = 0x6d02a7e8,	  /* [sp, #40] */
	LDP_X19_X20 = 0xa94153f3,
	LDP_FRAME = 0xa8c37bfd, /* ldp x29, x30, [sp], #48 */
	SUB_SP_40 = 0xd10103ff,
	SUB_SP_1000 = 0xd14007ff,
	ADD_SP_40 = 0x910103ff,
	ADD_FP_SP_10 = 0x910043fd,
	MOV_SP_FP = 0x910003bf,
	MOV_X16_5678 = 0xd28acf10,
	MOVK_X16_1 = 0xf2a00030, /* lsl #16 */
	SUB_SP_X16 = 0xcb3063ff,
	SUB_SP_X1 = 0xcb2163ff,
	PUSH_X30 = 0xf81f0ffe, /* str x30, [sp, #-16]! */
	POP_X30 = 0xf84107fe,
	CBZ_20 = 0x340000a0, /* cbz w0, .+20 */
	TBZ_12 = 0x36180061,
	CLEAR_FP = 0xd280001d,	     /* mov x29, #0 */
	ADD_X19 = 0x91000673,	     /* add x19, x19, #1 */
	ALIGN_SP = 0x927ced3f,	     /* and sp, x9, #-16 */
	STP_Q0_Q1_PRE = 0xadbf07e0,  /* [sp, #-32]! */
	STR_W0_PRE = 0xb81f0fe0,     /* [sp, #-16]! */
	STR_Q8_PRE = 0x3c9f0fe8,     /* [sp, #-16]! */
	LDP_W1_W2_POST = 0x28c10be1, /* [sp], #8 */
	LDP_Q0_Q1_POST = 0xacc107e0, /* [sp], #32 */
	STP_Q8_Q9 = 0xad00a7e8,	     /* [sp, #16] */
	ST1_POST = 0x4c9f73e0,
	NOP = 0xd503201f,
	PACIASP = 0xd503233f,
	BTI_C = 0xd503245f,
	BL_16 = 0x94000004,
	BLR = 0xd63f0060,
	BLRAA = 0xd73f0864,
	RET = 0xd65f03c0,
	RETAA = 0xd65f0bff,
	B_BACK_8 = 0x17fffffe,
	BR = 0xd61f0220,
	SVC = 0xd4000001,
	ADRP_X16 = 0x90000090, /* .+0x10000 */
	LDR_X17 = 0xf9400e11,  /* [x16, #24] */
	ADD_X16 = 0x91006210,  /* x16, x16, #24 */
	CODE_MAX = 12
};

static const struct {
	const char *name;
	uint32_t code[CODE_MAX];
	const char *want; /* NULL: not to be told; at the first zero */
} layouts[] = {
    {"entry", {0}, "7+0"},
    {"leaf", {NOP, NOP}, "7+0"},
    {"framed", {STP_FRAME, MOV_FP_SP, STP_X19_X20, STR_X21},
	"6+48 6@-48 19@-32 20@-24 21@-16 30@-40"},
    {"no frame pointer", {PUSH_X30, SUB_SP_40}, "7+80 30@-16"},
    {"vectors", {STP_FRAME, STP_D8_D9}, "7+48 6@-48 30@-40 33@-8"},
    {"record in the middle",
	{SUB_SP_40, 0xa9017bfd /* stp x29, x30, [sp, #16] */, ADD_FP_SP_10},
	"6+48 6@-48 30@-40"},
    {"grown", {STP_FRAME, MOV_FP_SP, SUB_SP_X1}, "6+48 6@-48 30@-40"},
    {"grown without a frame pointer", {PUSH_X30, SUB_SP_X1}, NULL},
    {"aligned without a frame pointer", {PUSH_X30, ALIGN_SP}, NULL},
    {"large", {PUSH_X30, SUB_SP_1000, SUB_SP_40}, "7+4176 30@-16"},
    {"very large", {PUSH_X30, MOV_X16_5678, MOVK_X16_1, SUB_SP_X16},
	"7+87688 30@-16"},
    {"left", {STP_FRAME, MOV_FP_SP, STP_X19_X20, LDP_X19_X20, LDP_FRAME},
	"7+0"},
    {"behind the return",
	{STP_FRAME, MOV_FP_SP, STP_X19_X20, LDP_X19_X20, LDP_FRAME, RET},
	"6+48 6@-48 19@-32 20@-24 30@-40"},
    {"where an early exit leads", {CBZ_20, STP_FRAME, NOP, LDP_FRAME, RET},
	"7+0"},
    {"not where it leads", {TBZ_12, STP_FRAME, NOP, NOP}, "7+48 6@-48 30@-40"},
    {"given back", {SUB_SP_40, ADD_SP_40}, "7+0"},
    {"given back by the frame pointer",
	{STP_FRAME, MOV_FP_SP, SUB_SP_X1, MOV_SP_FP, LDP_FRAME}, "7+0"},
    {"start code", {CLEAR_FP}, "7+0 ~6"},
    {"clobbered", {ADD_X19}, "7+0 ~19"},
    {"saved, then clobbered", {STP_FRAME, STP_X19_X20, ADD_X19},
	"7+48 6@-48 19@-32 20@-24 30@-40"},
    {"clobbered, then saved", {STP_FRAME, ADD_X19, STP_X19_X20},
	"7+48 6@-48 20@-24 30@-40 ~19"},
    {"has called", {SUB_SP_40, BL_16}, "7+64 ~30"},
    {"popped", {PUSH_X30, POP_X30}, "7+0"},
    {"pushed vectors", {PUSH_X30, STP_Q0_Q1_PRE, STR_Q8_PRE}, "7+64 30@-16"},
    {"pushed and popped words", {STR_W0_PRE, LDP_W1_W2_POST}, "7+8"},
    {"popped vectors", {STP_Q0_Q1_PRE, LDP_Q0_Q1_POST}, "7+0"},
    {"stored vectors", {SUB_SP_40, STP_Q8_Q9}, "7+64"},
    {"popped structures", {SUB_SP_40, ST1_POST}, NULL},
};

static const char *
text_of(const struct arch_layout *l)
{
	const uint64_t shown = arch_aarch64.unwind->preserved |
	    regs_bit(AARCH64_LINK);
	static char text[300];
	int n = snprintf(text, sizeof(text), "%u%+lld", l->cfa_reg,
	    (long long)l->cfa_offset);

	for (unsigned i = 0; i < ARCH_REGS; i++) {
		if ((l->saved >> i & 1) != 0)
			n += snprintf(text + n, sizeof(text) - (size_t)n,
			    " %u@%d", i, l->offset[i]);
	}
	for (unsigned i = 0; i < ARCH_REGS; i++) {
		if ((l->changed & shown) >> i & 1)
			n += snprintf(
			    text + n, sizeof(text) - (size_t)n, " ~%u", i);
	}
	return text;
}

TEST(layouts_at_the_end)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		const uint32_t *code = layouts[i].code;
		struct arch_layout l;
		size_t n = 0;
		bool good;

		while (code[n] != 0)
			n++;
		good = aarch64_layout_at(
		    (const uint8_t *)code, n * 4, n * 4, &l);
		if (good != (layouts[i].want != NULL))
			test_fail(TEST_SOFT, "%s: %s", layouts[i].name,
			    good ? text_of(&l) : "nothing");
		else if (good && strcmp(text_of(&l), layouts[i].want) != 0)
			test_fail(TEST_SOFT, "%s: %s, not %s", layouts[i].name,
			    text_of(&l), layouts[i].want);
	}
}

TEST(layout_bounds)
{
	static const uint8_t zeros[ARCH_FUNCTION_MAX + 8];
	struct arch_layout l;

	expect_false(aarch64_layout_at(zeros, 4, 8, &l));
	expect_false(aarch64_layout_at(zeros, 8, 2, &l));
	expect_false(
	    aarch64_layout_at(zeros, sizeof(zeros), ARCH_FUNCTION_MAX + 4, &l));
	expect_true(
	    aarch64_layout_at(zeros, sizeof(zeros), ARCH_FUNCTION_MAX, &l));
}

TEST(edges_of_functions)
{
	static const struct {
		uint32_t insn;
		bool edge;
	} cases[] = {{RET, true}, {RETAA, true}, {PACIASP, true}, {BTI_C, true},
	    {STP_FRAME, true}, {STP_X19_X20, false}, {NOP, false}, {BR, false},
	    {LDP_FRAME, false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arch_layout l;

		expect_int(aarch64_layout_at_edge(
			       NULL, 0, (const uint8_t *)&cases[i].insn, 4, &l),
		    cases[i].edge);
		if (cases[i].edge) {
			expect_uint(l.cfa_reg, ARCH_SP);
			expect_int(l.cfa_offset, 0);
			expect_uint(l.saved, 0);
		}
		expect_false(aarch64_layout_at_edge(
		    NULL, 0, (const uint8_t *)&cases[i].insn, 3, &l));
	}
}

/* All through a stub the return address is where the call has put it. */
TEST(inside_a_stub)
{
	static const uint32_t stub[] = {NOP, ADRP_X16, LDR_X17, ADD_X16, BR},
			      other[] = {NOP, ADRP_X16, LDR_X17, NOP, BR};
	const uint8_t *code = (const uint8_t *)stub;
	struct arch_layout l;

	for (size_t at = 4; at < sizeof(stub); at += 4) {
		expect_true(aarch64_layout_at_edge(
		    code, at, code + at, sizeof(stub) - at, &l));
		expect_uint(l.cfa_reg, ARCH_SP);
		expect_int(l.cfa_offset, 0);
		expect_uint(l.saved, 0);
		/* Not without all of it in sight. */
		expect_false(aarch64_layout_at_edge(
		    code + 4, at - 4, code + at, sizeof(stub) - at - 1, &l));
		expect_false(aarch64_layout_at_edge((const uint8_t *)other, at,
		    (const uint8_t *)other + at, sizeof(other) - at, &l));
	}
	expect_false(aarch64_layout_at_edge(
	    code + 8, 4, code + 12, sizeof(stub) - 12, &l));
}

TEST(calls_and_stubs)
{
	static const struct {
		uint32_t code[3];
		enum arch_call before, jump;
		bt_addr_t target; /* the code lies, or ends, at 0x400010 */
	} cases[] = {
	    {{BL_16}, ARCH_CALL_DIRECT, ARCH_CALL_NONE, 0x40001c},
	    {{BLR}, ARCH_CALL_INDIRECT, ARCH_CALL_NONE, 0},
	    {{BLRAA}, ARCH_CALL_INDIRECT, ARCH_CALL_NONE, 0},
	    {{BR}, ARCH_CALL_NONE, ARCH_CALL_NONE, 0},
	    {{SVC}, ARCH_CALL_NONE, ARCH_CALL_NONE, 0},
	    {{B_BACK_8}, ARCH_CALL_NONE, ARCH_CALL_DIRECT, 0x400008},
	    {{ADRP_X16, LDR_X17, BR}, ARCH_CALL_NONE, ARCH_CALL_SLOT, 0x410018},
	    {{BTI_C, ADRP_X16, LDR_X17}, ARCH_CALL_NONE, ARCH_CALL_SLOT,
		0x410018},
	    {{ADRP_X16, NOP, NOP}, ARCH_CALL_NONE, ARCH_CALL_NONE, 0},
	};
	const bt_addr_t pc = 0x400010;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const uint8_t *code = (const uint8_t *)cases[i].code;
		bt_addr_t to = 0;

		expect_int(
		    aarch64_call_before(code, 4, pc, &to), cases[i].before);
		expect_int(aarch64_is_after_call(code, 4),
		    cases[i].before != ARCH_CALL_NONE);
		expect_int(
		    aarch64_call_before(code, 3, pc, &to), ARCH_CALL_NONE);
		if (cases[i].before == ARCH_CALL_DIRECT)
			expect_uint(to, cases[i].target);
		expect_int(
		    aarch64_jump_at(code, sizeof(cases[i].code), pc, &to),
		    cases[i].jump);
		if (cases[i].jump != ARCH_CALL_NONE)
			expect_uint(to, cases[i].target);
		expect_int(aarch64_jump_at(code, 3, pc, &to), ARCH_CALL_NONE);
	}
}

/* ---- registers ---- */

TEST(places)
{
	const struct arch *a = &arch_aarch64;
	uint64_t seen = 0;

	expect_uint(arch_place(a, 31), ARCH_SP);
	expect_uint(arch_place(a, 32), ARCH_PC);
	expect_uint(arch_place(a, 29), ARCH_FP);
	expect_uint(arch_place(a, 30), AARCH64_LINK);
	expect_uint(arch_place(a, 0), 0);
	for (unsigned i = 0; i < 300; i++) {
		unsigned place = arch_place(a, i);

		if (place == ARCH_NO_PLACE)
			continue;
		assert_true(place < ARCH_REGS);
		expect_uint(seen >> place & 1, 0);
		seen |= regs_bit(place);
	}
	expect_uint(seen, (UINT64_C(1) << ARCH_REGS) - 1);
	expect_uint(arch_place(NULL, 16), ARCH_PC);
	expect_uint(arch_place(&arch_x86_64, 17), ARCH_NO_PLACE);
	/* Known by name only. */
	expect_uint(arch_place(&arch_riscv64, 2), ARCH_NO_PLACE);
}

TEST(registers)
{
	static uint64_t words[34];
	uint8_t vectors[528], bytes[16];
	struct arch_thread_regs t = {0};
	const char *name;
	uint64_t value;

	for (unsigned i = 0; i < 34; i++)
		words[i] = 0x100 + i;
	for (unsigned i = 0; i < sizeof(vectors); i++)
		vectors[i] = (uint8_t)(i / 16);
	expect_false(arch_gregs_read(
	    &arch_aarch64, view_of(words, sizeof(words) - 1), &t));
	t = (struct arch_thread_regs){0};
	assert_true(
	    arch_gregs_read(&arch_aarch64, view_of(words, sizeof(words)), &t));
	t.arch->take_vectors(&t, view_of(vectors, sizeof(vectors)));
	expect_true(regs_get(&t.regs, ARCH_SP, &value));
	expect_uint(value, 0x11f);
	expect_true(arch_reg_list(&t, 29, &name, &value));
	expect_str(name, "x29");
	expect_uint(value, 0x11d);
	expect_true(arch_reg_list(&t, 33, &name, &value));
	expect_str(name, "pstate");
	expect_false(arch_reg_list(&t, 34, &name, &value));
	/* x7 by its number; v9 whole, and its preserved half further out. */
	expect_uint(arch_reg_bytes(&t, &t.regs, false, 7, bytes, 16), 8);
	expect_uint(bytes[0], 7);
	expect_uint(arch_reg_bytes(&t, &t.regs, true, 64 + 9, bytes, 16), 16);
	expect_uint(bytes[15], 9);
	expect_uint(arch_reg_bytes(&t, &t.regs, false, 64 + 9, bytes, 16), 8);
	expect_uint(bytes[7], 9);
	expect_uint(arch_reg_bytes(&t, &t.regs, false, 64 + 7, bytes, 16), 0);
	expect_uint(arch_reg_bytes(&t, &t.regs, true, 40, bytes, 16), 0);
	expect_false(arch_thread_pointer(&t, &value));
	t.thread_pointer = 0x5000;
	expect_true(arch_thread_pointer(&t, &value));
	expect_uint(value, 0x5000);
}

struct memory {
	bt_addr_t start;
	uint8_t bytes[1200];
};

static size_t
read_memory(void *ctx, bt_addr_t address, void *out, size_t size)
{
	const struct memory *m = ctx;

	if (address < m->start || address - m->start >= sizeof(m->bytes))
		return 0;
	if (size > sizeof(m->bytes) - (address - m->start))
		size = sizeof(m->bytes) - (size_t)(address - m->start);
	memcpy(out, m->bytes + (address - m->start), size);
	return size;
}

TEST(signal_frame)
{
	static struct memory m = {.start = 0x7000};
	const struct arch_unwind *u = arch_aarch64.unwind;
	uint32_t other[2] = {0x45585401, 16}, record[2] = {0x46508001, 528};
	uint64_t value;
	struct regs r;

	for (uint64_t i = 0; i < 33; i++) {
		value = 0x2000 + i;
		memcpy(m.bytes + 312 + 8 * i, &value, 8);
	}
	memcpy(m.bytes + 592, other, sizeof(other));
	memcpy(m.bytes + 608, record, sizeof(record));
	memset(m.bytes + 624 + 16 * 15, 0x5a, 8); /* d15 */
	assert_true(u->sigframe_regs(0x7000, read_memory, &m, &r));
	expect_true(regs_get(&r, ARCH_PC, &value));
	expect_uint(value, 0x2020);
	expect_true(regs_get(&r, arch_place(&arch_aarch64, 16), &value));
	expect_uint(value, 0x2010);
	expect_true(regs_get(&r, arch_place(&arch_aarch64, 72 + 7), &value));
	expect_uint(value, UINT64_C(0x5a5a5a5a5a5a5a5a));
	/* A record of no size does not go on for ever. */
	other[1] = 0;
	memcpy(m.bytes + 592, other, sizeof(other));
	assert_true(u->sigframe_regs(0x7000, read_memory, &m, &r));
	expect_false(regs_get(&r, arch_place(&arch_aarch64, 72), &value));
	expect_false(u->sigframe_regs(0x7400, read_memory, &m, &r));
	expect_false(u->sigframe_regs(UINT64_MAX - 8, read_memory, &m, &r));
}

TEST(trampoline)
{
	static const uint32_t code[] = {0xd2801168, SVC};
	const struct arch_unwind *u = arch_aarch64.unwind;

	expect_true(u->is_sigtramp((const uint8_t *)code, 8));
	expect_false(u->is_sigtramp((const uint8_t *)code, 7));
	expect_false(u->is_sigtramp((const uint8_t *)code + 4, 4));
}

/* ---- the table ---- */

TEST(table)
{
	const struct arch *a;

	expect_true(arch_find(EM_X86_64, false, false) == &arch_x86_64);
	expect_true(arch_find(EM_AARCH64, false, false) == &arch_aarch64);
	expect_true(arch_find(EM_S390, false, true) == &arch_s390x);
	expect_true(arch_find(EM_386, true, false) == &arch_i386);
	expect_null(arch_find(EM_386, false, false));
	expect_null(arch_find(EM_S390, false, false));
	expect_null(arch_find(EM_X86_64, true, false));
	for (size_t i = 0; (a = arch_at(i)) != NULL; i++) {
		unsigned pc = 0, sp = 0;

		expect_true(
		    arch_find(a->machine, a->narrow, a->big_endian) == a);
		for (unsigned k = 0; k < a->n_gregs; k++) {
			pc += a->gregs[k].place == ARCH_PC;
			sp += a->gregs[k].place == ARCH_SP;
		}
		expect_uint(pc, a->gregs != NULL);
		expect_uint(sp, a->gregs != NULL);
	}
}
