/* SPDX-License-Identifier: MIT */
/*
 * Reading frame layouts from instructions, and calls from their ends.
 */
#include "harness/test.h"

#include "target/arch/prologue.h"

#define BYTES(...)                                                             \
	(const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

#define PUSH_RBP 0x55
#define PUSH_RBX 0x53
#define POP_RBP 0x5d
#define POP_RBX 0x5b
#define RET 0xc3
#define NOP 0x90
#define LEAVE 0xc9
#define MOV_RBP_RSP 0x48, 0x89, 0xe5
#define SUB_RSP(N) 0x48, 0x83, 0xec, (N)
#define ADD_RSP(N) 0x48, 0x83, 0xc4, (N)
#define AND_RSP_16 0x48, 0x83, 0xe4, 0xf0
#define XOR_EBP 0x31, 0xed
#define XOR_EBX 0x31, 0xdb
#define CALL 0xe8, 0, 0, 0, 0
#define JE(N) 0x74, (N)
#define JMP(N) 0xeb, (N)
#define UD2 0x0f, 0x0b
#define STORE_RBX(N) 0x48, 0x89, 0x5c, 0x24, (N) /* mov %rbx,N(%rsp) */
#define LOAD_RBX(N) 0x48, 0x8b, 0x5c, 0x24, (N)
#define LEA_RSP_RBP(N) 0x48, 0x8d, 0x65, (N)
#define SUB_RSP_RAX 0x48, 0x29, 0xc4
#define JMP_RAX 0xff, 0xe0
#define PUSH_IMM 0x6a, 1
#define PUSH_16 0x66, 0x53

static const struct {
	const char *name;
	const uint8_t *code;
	size_t size;
	const char *want; /* NULL: not to be told; at the end of the code */
} layouts[] = {
    {"entry", BYTES(0), "7+8"},
    {"leaf", BYTES(NOP, NOP), "7+8"},
    {"push", BYTES(PUSH_RBP), "7+16 6@-16"},
    {"framed", BYTES(PUSH_RBP, MOV_RBP_RSP, PUSH_RBX, SUB_RSP(24), CALL),
	"6+16 3@-24 6@-16"},
    {"framed, aligned",
	BYTES(PUSH_RBP, MOV_RBP_RSP, PUSH_RBX, AND_RSP_16, SUB_RSP(96), CALL),
	"6+16 3@-24 6@-16"},
    {"framed, alloca", BYTES(PUSH_RBP, MOV_RBP_RSP, SUB_RSP_RAX, CALL),
	"6+16 6@-16"},
    {"no frame pointer", BYTES(PUSH_RBX, SUB_RSP(32), CALL), "7+48 3@-16"},
    {"pushed argument", BYTES(PUSH_RBX, PUSH_IMM, CALL), "7+24 3@-16"},
    {"16-bit push", BYTES(PUSH_16), NULL},
    {"aligned without a frame pointer", BYTES(AND_RSP_16, CALL), NULL},
    {"start code", BYTES(XOR_EBP, AND_RSP_16, CALL), NULL},
    {"not the caller's value any more", BYTES(XOR_EBX, PUSH_RBX), "7+16 ~3"},
    {"clobbered", BYTES(XOR_EBX, NOP), "7+8 ~3"},
    {"saved, then clobbered", BYTES(PUSH_RBX, XOR_EBX), "7+16 3@-16 ~3"},
    {"stored", BYTES(SUB_RSP(24), STORE_RBX(8), XOR_EBX), "7+32 3@-24 ~3"},
    {"loaded back",
	BYTES(SUB_RSP(24), STORE_RBX(8), XOR_EBX, LOAD_RBX(8), ADD_RSP(24)),
	"7+8"},
    {"epilogue", BYTES(PUSH_RBX, SUB_RSP(16), CALL, ADD_RSP(16), POP_RBX),
	"7+8"},
    {"leave", BYTES(PUSH_RBP, MOV_RBP_RSP, SUB_RSP(16), LEAVE), "7+8"},
    {"stack pointer from the frame pointer",
	BYTES(PUSH_RBP, MOV_RBP_RSP, PUSH_RBX, SUB_RSP_RAX, LEA_RSP_RBP(0xf8),
	    POP_RBX, POP_RBP),
	"7+8"},
    {"behind an early return",
	BYTES(
	    PUSH_RBX, SUB_RSP(16), JE(6), ADD_RSP(16), POP_RBX, RET, NOP, CALL),
	"7+32 3@-16"},
    {"fast path before the prologue",
	BYTES(JE(1), RET, PUSH_RBX, SUB_RSP(16), CALL), "7+32 3@-16"},
    {"branch back from behind a return", BYTES(PUSH_RBX, JMP(1), RET, CALL),
	"7+16 3@-16"},
    {"jump table", BYTES(PUSH_RBX, JMP_RAX, NOP, CALL), "7+16 3@-16"},
    {"past the function's end", BYTES(PUSH_RBX, POP_RBX, RET, NOP, NOP, CALL),
	NULL},
    {"past a trap", BYTES(PUSH_RBX, UD2, CALL), NULL},
    {"noreturn call at the end", BYTES(PUSH_RBX, CALL), "7+16 3@-16"},
    {"no instruction", BYTES(0x06, NOP), NULL},
    {"cut instruction", BYTES(NOP, 0x48), NULL},
};

static const char *
text_of(const struct arch_layout *l)
{
	static char text[200];
	int n = snprintf(text, sizeof(text), "%u%+lld", l->cfa_reg,
	    (long long)l->cfa_offset);

	for (unsigned i = 0; i < ARCH_X86_64_REGS; i++) {
		if ((l->saved >> i & 1) != 0)
			n += snprintf(text + n, sizeof(text) - (size_t)n,
			    " %u@%d", i, l->offset[i]);
	}
	for (unsigned i = 0; i < ARCH_X86_64_REGS; i++) {
		if ((l->changed >> i & 1) != 0 && arch_callee_saved(i) &&
		    i != ARCH_FP && i != ARCH_SP)
			n += snprintf(
			    text + n, sizeof(text) - (size_t)n, " ~%u", i);
	}
	return text;
}

TEST(layouts_at_the_end)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		struct arch_layout l;
		size_t at = layouts[i].size;
		bool good;

		if (strcmp(layouts[i].name, "entry") == 0)
			at = 0;
		good = arch_layout_at(layouts[i].code, layouts[i].size, at, &l);
		if (good != (layouts[i].want != NULL))
			test_fail(TEST_SOFT, "%s: %s", layouts[i].name,
			    good ? text_of(&l) : "nothing");
		else if (good && strcmp(text_of(&l), layouts[i].want) != 0)
			test_fail(TEST_SOFT, "%s: %s, not %s", layouts[i].name,
			    text_of(&l), layouts[i].want);
	}
}

TEST(bounds)
{
	static const uint8_t nops[ARCH_FUNCTION_MAX + 1] = {NOP};
	struct arch_layout l;

	expect_false(arch_layout_at(nops, 1, 2, &l));
	expect_false(
	    arch_layout_at(nops, sizeof(nops), ARCH_FUNCTION_MAX + 1, &l));
	/* Inside an instruction. */
	expect_false(arch_layout_at(BYTES(MOV_RBP_RSP), 2, &l));
}

static const struct {
	const char *name;
	const uint8_t *before;
	size_t n_before;
	const uint8_t *after;
	size_t n_after;
	const char *want;
} edges[] = {
    {"push ahead", BYTES(RET), BYTES(PUSH_RBP, MOV_RBP_RSP), "7+8"},
    {"endbr and push ahead", BYTES(RET),
	BYTES(0xf3, 0x0f, 0x1e, 0xfa, PUSH_RBP, MOV_RBP_RSP), "7+8"},
    {"between push and mov", BYTES(PUSH_RBP), BYTES(MOV_RBP_RSP), "7+16 6@-16"},
    {"the other mov", BYTES(PUSH_RBP), BYTES(0x48, 0x8b, 0xec), "7+16 6@-16"},
    {"at ret", BYTES(POP_RBP), BYTES(RET), "7+8"},
    {"at pop and ret", BYTES(NOP), BYTES(POP_RBP, RET), "7+16 6@-16"},
    {"in the body", BYTES(NOP), BYTES(NOP, NOP), NULL},
    {"push for another reason", BYTES(NOP), BYTES(PUSH_RBP, NOP, NOP), NULL},
    {"nothing readable", BYTES(NOP), NULL, 0, NULL},
};

TEST(edges_of_functions)
{
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		struct arch_layout l;
		bool good = arch_layout_at_edge(edges[i].before,
		    edges[i].n_before, edges[i].after, edges[i].n_after, &l);

		if (good != (edges[i].want != NULL) ||
		    (good && strcmp(text_of(&l), edges[i].want) != 0))
			test_fail(TEST_SOFT, "%s: %s", edges[i].name,
			    good ? text_of(&l) : "nothing");
	}
}

TEST(framed)
{
	struct arch_layout l;

	arch_layout_framed(&l);
	expect_uint(l.cfa_reg, ARCH_FP);
	expect_int(l.cfa_offset, 16);
	expect_int(l.offset[ARCH_FP], -16);
	expect_true((l.changed >> 3 & 1) != 0); /* nobody knows */
}

static const struct {
	const uint8_t *code;
	size_t size;
	enum arch_call want;
	uint64_t target;
} calls[] = {
    {BYTES(NOP, 0xe8, 0x10, 0, 0, 0), ARCH_CALL_DIRECT, 0x1010},
    {BYTES(0xe8, 0xf0, 0xff, 0xff, 0xff), ARCH_CALL_DIRECT, 0xff0},
    {BYTES(0xff, 0x15, 0x10, 0, 0, 0), ARCH_CALL_SLOT, 0x1010},
    {BYTES(NOP, NOP, NOP, NOP, 0xff, 0xd0), ARCH_CALL_INDIRECT, 0},
    {BYTES(NOP, NOP, 0x41, 0xff, 0x54, 0x24, 0x08), ARCH_CALL_INDIRECT, 0},
    {BYTES(NOP, NOP, NOP, NOP, NOP, NOP), ARCH_CALL_NONE, 0},
    {BYTES(0xff, 0x25, 0x10, 0, 0, 0), ARCH_CALL_NONE, 0}, /* a jump */
    {BYTES(0x10, 0, 0), ARCH_CALL_NONE, 0},
    {NULL, 0, ARCH_CALL_NONE, 0},
};

TEST(calls_from_their_ends)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		bt_addr_t target = 0;
		enum arch_call kind = arch_call_before(
		    calls[i].code, calls[i].size, 0x1000, &target);

		if (kind != calls[i].want || target != calls[i].target)
			test_fail(TEST_SOFT, "%zu: kind %d, 0x%llx", i, kind,
			    (unsigned long long)target);
	}
}

static const struct {
	const uint8_t *code;
	size_t size;
	enum arch_call want;
	uint64_t target;
} jumps[] = {
    {BYTES(0xff, 0x25, 0x10, 0, 0, 0), ARCH_CALL_SLOT, 0x1016},
    {BYTES(0xf3, 0x0f, 0x1e, 0xfa, 0xff, 0x25, 0x10, 0, 0, 0), ARCH_CALL_SLOT,
	0x101a},
    {BYTES(0xf3, 0x0f, 0x1e, 0xfa, 0xf2, 0xff, 0x25, 0x10, 0, 0, 0),
	ARCH_CALL_SLOT, 0x101b},
    {BYTES(0xe9, 0x10, 0, 0, 0), ARCH_CALL_DIRECT, 0x1015},
    {BYTES(0xe9, 0x10, 0, 0), ARCH_CALL_NONE, 0},
    {BYTES(0xff, 0x25, 0x10), ARCH_CALL_NONE, 0},
    {BYTES(PUSH_RBP, MOV_RBP_RSP), ARCH_CALL_NONE, 0},
    {NULL, 0, ARCH_CALL_NONE, 0},
};

TEST(linkage_stubs)
{
	for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		bt_addr_t target = 0;
		enum arch_call kind = arch_jump_at(
		    jumps[i].code, jumps[i].size, 0x1000, &target);

		if (kind != jumps[i].want || target != jumps[i].target)
			test_fail(TEST_SOFT, "%zu: kind %d, 0x%llx", i, kind,
			    (unsigned long long)target);
	}
}

/* Random bytes: any answer, no crash. */
TEST(random_code)
{
	uint8_t code[512];
	uint64_t x = 88172645463325252u;
	struct arch_layout l;

	for (int round = 0; round < 2000; round++) {
		for (size_t i = 0; i < sizeof(code); i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			code[i] = (uint8_t)(x >> 11);
		}
		(void)arch_layout_at(
		    code, sizeof(code), (size_t)(x % sizeof(code)), &l);
		(void)arch_layout_at_edge(code, 8, code + 8, 8, &l);
	}
}
