/* SPDX-License-Identifier: MIT */
/*
 * The expression evaluator against hand-assembled expressions: every operator,
 * each with the value the standard gives it, and the errors of bad ones.
 */
#include "harness/test.h"

#include "expr/expr.h"
#include "expr/opcodes.h"

#define CFA 0x7000
#define FRAME_BASE 0x8000
#define OBJECT 0x9000
#define MEMORY 0x1000 /* 32 bytes: 0x00 0x11 0x22 ... */
#define TLS 0x5000
#define BIAS 0x400000

/* Base types by "unit offset". */
enum {
	T_S32 = 1,
	T_U32,
	T_S64,
	T_U64,
	T_S128,
	T_F32,
	T_F64,
	T_S8,
	T_F80,
	T_U8
};

static const struct expr_base_type types[] = {
    [T_S32] = {DW_ATE_signed, 4},
    [T_U32] = {DW_ATE_unsigned, 4},
    [T_S64] = {DW_ATE_signed, 8},
    [T_U64] = {DW_ATE_unsigned, 8},
    [T_S128] = {DW_ATE_signed, 16},
    [T_F32] = {DW_ATE_float, 4},
    [T_F64] = {DW_ATE_float, 8},
    [T_S8] = {DW_ATE_signed_char, 1},
    [T_F80] = {DW_ATE_float, 16},
    [T_U8] = {DW_ATE_unsigned_char, 1},
};

static bool
reg(void *ctx, unsigned number, uint64_t *out)
{
	(void)ctx;
	if (number > 16)
		return false;
	*out = 0x100 * (number + 1);
	return true;
}

static size_t
reg_bytes(void *ctx, unsigned number, uint8_t *out, size_t size)
{
	(void)ctx;
	if (number != 17 || size < 16)
		return 0;
	for (unsigned i = 0; i < 16; i++)
		out[i] = (uint8_t)(0xf0 + i);
	return 16;
}

static bool
memory(void *ctx, uint64_t address, void *out, size_t size, bt_error_t *e)
{
	uint8_t bytes[32];

	(void)ctx;
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(0x11 * i);
	if (address < MEMORY || address - MEMORY > sizeof(bytes) - size)
		return bt_fail_fault(e, address, "no memory");
	memcpy(out, bytes + (address - MEMORY), size);
	return true;
}

static bool
frame_base(void *ctx, uint64_t *out, bt_error_t *e)
{
	(void)ctx, (void)e;
	*out = FRAME_BASE;
	return true;
}

static bool
cfa(void *ctx, uint64_t *out, bt_error_t *e)
{
	(void)ctx, (void)e;
	*out = CFA;
	return true;
}

static bool
object_address(void *ctx, uint64_t *out)
{
	(void)ctx;
	*out = OBJECT;
	return true;
}

static bool
tls(void *ctx, uint64_t offset, uint64_t *out, bt_error_t *e)
{
	(void)ctx, (void)e;
	*out = TLS + offset;
	return true;
}

static bool
addrx(void *ctx, uint64_t index, uint64_t *out)
{
	(void)ctx;
	*out = 0x10 * index;
	return index < 8;
}

static bool
entry_value(void *ctx, struct view block, uint64_t *out, bt_error_t *e)
{
	unsigned op = view_u8(&block);

	(void)ctx;
	*out = 0xe5;
	if (op == DW_OP_GNU_parameter_ref && view_u32(&block) == 0x1020304 &&
	    view_end(&block)) {
		*out = 0xfa;
		return true;
	}
	if (op != DW_OP_reg0 + 5)
		return bt_fail(e, BT_E_NOTFOUND, "no call site");
	return true;
}

/* Entry 1: lit7; 2: calls itself; 3: has no location; 4: dup. */
static bool
call(void *ctx, uint64_t offset, bool ref, struct view *block)
{
	static const uint8_t lit7[] = {DW_OP_lit0 + 7};
	static const uint8_t self[] = {DW_OP_call2, 2, 0};
	static const uint8_t dup[] = {DW_OP_dup};

	(void)ctx;
	if (offset == 1)
		*block = view_of(lit7, sizeof(lit7));
	else if (offset == 2)
		*block = view_of(self, sizeof(self));
	else if (offset == 4 && ref)
		*block = view_of(dup, sizeof(dup));
	else
		return false;
	return true;
}

static bool
base_type(void *ctx, uint64_t offset, struct expr_base_type *out)
{
	(void)ctx;
	if (offset == 0 || offset >= sizeof(types) / sizeof(types[0]))
		return false;
	*out = types[offset];
	return true;
}

static bool
variable_value(void *ctx, uint64_t die, uint64_t *out, bt_error_t *e)
{
	(void)ctx, (void)e;
	*out = die + 1;
	return true;
}

static const struct expr_context context = {
    .address_size = 8,
    .offset_size = 4,
    .version = 5,
    .bias = BIAS,
    .reg = reg,
    .reg_bytes = reg_bytes,
    .memory = memory,
    .frame_base = frame_base,
    .cfa = cfa,
    .object_address = object_address,
    .tls = tls,
    .addrx = addrx,
    .entry_value = entry_value,
    .call = call,
    .base_type = base_type,
    .variable_value = variable_value,
};

#define BLOCK(...)                                                             \
	(const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define LIT(N) (DW_OP_lit0 + (N))
#define MINUS(N) DW_OP_const1s, (uint8_t)(-(N))
#define LOWEST DW_OP_const8u, 0, 0, 0, 0, 0, 0, 0, 0x80
#define TYPED(T, ...)                                                          \
	DW_OP_const_type, T, sizeof((const uint8_t[]){__VA_ARGS__}), __VA_ARGS__
#define F64_1_5 TYPED(T_F64, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f)
#define F64_2 TYPED(T_F64, 0, 0, 0, 0, 0, 0, 0, 0x40)
#define F64_NAN TYPED(T_F64, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f)
#define F64_1E300 TYPED(T_F64, 0x9c, 0x75, 0, 0x88, 0x3c, 0xe4, 0x37, 0x7e)
#define F32_2_5 TYPED(T_F32, 0, 0, 0x20, 0x40)
#define TO(T) DW_OP_convert, T

static const struct {
	const char *name;
	const uint8_t *code;
	size_t size;
	uint64_t want;
} numbers[] = {
    {"addr", BLOCK(DW_OP_addr, 0x78, 0x56, 0x34, 0x12, 0, 0, 0, 0),
	0x12345678 + BIAS},
    {"addr then op", BLOCK(DW_OP_addr, 1, 0, 0, 0, 0, 0, 0, 0, DW_OP_nop),
	1 + BIAS},
    {"const1u", BLOCK(DW_OP_const1u, 0xff), 0xff},
    {"const1s", BLOCK(MINUS(1)), UINT64_MAX},
    {"const2u", BLOCK(DW_OP_const2u, 0, 0xff), 0xff00},
    {"const2s", BLOCK(DW_OP_const2s, 0, 0xff), (uint64_t)-256},
    {"const4u", BLOCK(DW_OP_const4u, 0, 0, 0, 0xff), 0xff000000},
    {"const4s", BLOCK(DW_OP_const4s, 0, 0, 0, 0xff), (uint64_t)-0x1000000},
    {"const8u", BLOCK(LOWEST), UINT64_C(1) << 63},
    {"const8s", BLOCK(DW_OP_const8s, 1, 0, 0, 0, 0, 0, 0, 0x80),
	(UINT64_C(1) << 63) + 1},
    {"constu", BLOCK(DW_OP_constu, 0xe5, 0x8e, 0x26), 624485},
    {"consts", BLOCK(DW_OP_consts, 0x80, 0x7f), (uint64_t)-128},
    {"lit31", BLOCK(LIT(31)), 31},
    {"dup", BLOCK(LIT(3), DW_OP_dup, DW_OP_mul), 9},
    {"drop", BLOCK(LIT(3), LIT(4), DW_OP_drop), 3},
    {"over", BLOCK(LIT(3), LIT(4), DW_OP_over), 3},
    {"pick 2", BLOCK(LIT(3), LIT(4), LIT(5), DW_OP_pick, 2), 3},
    {"swap", BLOCK(LIT(9), LIT(4), DW_OP_swap, DW_OP_minus), (uint64_t)(4 - 9)},
    /* 1 2 3 (top) becomes 3 1 2. */
    {"rot top", BLOCK(LIT(1), LIT(2), LIT(3), DW_OP_rot), 2},
    {"rot second", BLOCK(LIT(1), LIT(2), LIT(3), DW_OP_rot, DW_OP_drop), 1},
    {"rot third",
	BLOCK(LIT(1), LIT(2), LIT(3), DW_OP_rot, DW_OP_drop, DW_OP_drop), 3},
    {"abs", BLOCK(MINUS(5), DW_OP_abs), 5},
    {"abs of positive", BLOCK(LIT(5), DW_OP_abs), 5},
    {"and", BLOCK(LIT(12), LIT(10), DW_OP_and), 8},
    {"div signed", BLOCK(MINUS(7), LIT(2), DW_OP_div), (uint64_t)-3},
    {"minus", BLOCK(LIT(3), LIT(5), DW_OP_minus), (uint64_t)-2},
    {"mod unsigned", BLOCK(MINUS(1), LIT(10), DW_OP_mod), UINT64_MAX % 10},
    {"mul wraps", BLOCK(LOWEST, LIT(3), DW_OP_mul), UINT64_C(1) << 63},
    {"neg", BLOCK(LIT(5), DW_OP_neg), (uint64_t)-5},
    {"not", BLOCK(LIT(0), DW_OP_not), UINT64_MAX},
    {"or", BLOCK(LIT(12), LIT(10), DW_OP_or), 14},
    {"plus", BLOCK(LIT(12), LIT(10), DW_OP_plus), 22},
    {"plus wraps", BLOCK(MINUS(1), LIT(2), DW_OP_plus), 1},
    {"plus_uconst", BLOCK(LIT(2), DW_OP_plus_uconst, 0x80, 1), 130},
    {"shl", BLOCK(LIT(1), DW_OP_const1u, 63, DW_OP_shl), UINT64_C(1) << 63},
    {"shr", BLOCK(MINUS(1), LIT(4), DW_OP_shr), UINT64_MAX >> 4},
    {"shra", BLOCK(MINUS(16), LIT(2), DW_OP_shra), (uint64_t)-4},
    {"xor", BLOCK(LIT(12), LIT(10), DW_OP_xor), 6},
    {"eq", BLOCK(LIT(1), LIT(1), DW_OP_eq), 1},
    {"ne", BLOCK(LIT(1), LIT(1), DW_OP_ne), 0},
    {"lt signed", BLOCK(MINUS(1), LIT(1), DW_OP_lt), 1},
    {"gt signed", BLOCK(MINUS(1), LIT(1), DW_OP_gt), 0},
    {"ge equal", BLOCK(LIT(1), LIT(1), DW_OP_ge), 1},
    {"ge less", BLOCK(LIT(0), LIT(1), DW_OP_ge), 0},
    {"le equal", BLOCK(LIT(1), LIT(1), DW_OP_le), 1},
    {"le greater", BLOCK(LIT(2), LIT(1), DW_OP_le), 0},
    {"skip", BLOCK(LIT(1), DW_OP_skip, 1, 0, LIT(2), DW_OP_nop), 1},
    {"bra taken", BLOCK(LIT(1), LIT(1), DW_OP_bra, 1, 0, LIT(2)), 1},
    {"bra not taken", BLOCK(LIT(1), LIT(0), DW_OP_bra, 1, 0, LIT(2)), 2},
    /* 5 + 4 + ... + 1 by a backward branch. */
    {"loop",
	BLOCK(LIT(0), LIT(5), DW_OP_swap, DW_OP_over, DW_OP_plus, DW_OP_swap,
	    LIT(1), DW_OP_minus, DW_OP_dup, DW_OP_bra, 0xf6, 0xff, DW_OP_drop),
	15},
    {"breg", BLOCK(DW_OP_breg0 + 7, 0x70), 0x800 - 16},
    {"breg then op", BLOCK(DW_OP_breg0 + 7, 0, DW_OP_lit0 + 1, DW_OP_plus),
	0x801},
    {"bregx", BLOCK(DW_OP_bregx, 6, 0x10), 0x710},
    {"fbreg", BLOCK(DW_OP_fbreg, 0x6c), FRAME_BASE - 20},
    {"fbreg then op", BLOCK(DW_OP_fbreg, 0x6c, DW_OP_nop), FRAME_BASE - 20},
    {"cfa", BLOCK(DW_OP_call_frame_cfa), CFA},
    {"cfa and more", BLOCK(DW_OP_call_frame_cfa, LIT(8), DW_OP_minus), CFA - 8},
    {"deref", BLOCK(DW_OP_const2u, 0, 0x10, DW_OP_deref),
	UINT64_C(0x7766554433221100)},
    {"deref_size 3", BLOCK(DW_OP_const2u, 1, 0x10, DW_OP_deref_size, 3),
	0x332211},
    {"object", BLOCK(DW_OP_push_object_address), OBJECT},
    {"tls", BLOCK(LIT(8), DW_OP_form_tls_address), TLS + 8},
    {"GNU tls", BLOCK(LIT(8), DW_OP_GNU_push_tls_address), TLS + 8},
    {"addrx", BLOCK(DW_OP_addrx, 3), 0x30 + BIAS},
    {"GNU addr_index", BLOCK(DW_OP_GNU_addr_index, 3), 0x30 + BIAS},
    {"constx", BLOCK(DW_OP_constx, 3), 0x30},
    {"GNU const_index", BLOCK(DW_OP_GNU_const_index, 3), 0x30},
    {"entry_value", BLOCK(DW_OP_entry_value, 1, DW_OP_reg0 + 5), 0xe5},
    {"GNU parameter_ref", BLOCK(DW_OP_GNU_parameter_ref, 4, 3, 2, 1), 0xfa},
    {"GNU parameter_ref, more",
	BLOCK(DW_OP_GNU_parameter_ref, 4, 3, 2, 1, DW_OP_stack_value), 0xfa},
    {"GNU entry_value",
	BLOCK(DW_OP_GNU_entry_value, 1, DW_OP_reg0 + 5, DW_OP_stack_value),
	0xe5},
    {"GNU variable_value", BLOCK(DW_OP_GNU_variable_value, 0x41, 0, 0, 0),
	0x42},
    {"call2", BLOCK(LIT(1), DW_OP_call2, 1, 0, DW_OP_plus), 8},
    {"call4 at the end", BLOCK(LIT(1), DW_OP_call4, 1, 0, 0, 0), 7},
    {"call without effect", BLOCK(LIT(1), DW_OP_call2, 3, 0), 1},
    {"call_ref", BLOCK(LIT(5), DW_OP_call_ref, 4, 0, 0, 0, DW_OP_plus), 10},
    {"GNU uninit", BLOCK(LIT(5), DW_OP_GNU_uninit), 5},
    {"stack_value", BLOCK(LIT(5), DW_OP_stack_value), 5},
    {"implicit_value", BLOCK(DW_OP_implicit_value, 2, 0x34, 0x12), 0x1234},
    {"const_type", BLOCK(TYPED(T_U32, 1, 2, 3, 4)), 0x04030201},
    {"const_type signed", BLOCK(TYPED(T_S8, 0xfe)), (uint64_t)-2},
    {"signed stack_value", BLOCK(TYPED(T_S8, 0xfe), DW_OP_stack_value),
	(uint64_t)-2},
    {"GNU const_type", BLOCK(DW_OP_GNU_const_type, T_U8, 1, 0xfe), 0xfe},
    {"regval_type", BLOCK(DW_OP_regval_type, 5, T_U32), 0x600},
    {"GNU regval_type", BLOCK(DW_OP_GNU_regval_type, 17, T_F64),
	UINT64_C(0xf7f6f5f4f3f2f1f0)},
    {"deref_type", BLOCK(DW_OP_const2u, 8, 0x10, DW_OP_deref_type, 4, T_S32),
	(uint64_t)(int32_t)0xbbaa9988},
    {"GNU deref_type",
	BLOCK(DW_OP_const2u, 8, 0x10, DW_OP_GNU_deref_type, 4, T_U32),
	0xbbaa9988},
    {"typed add wraps at its width",
	BLOCK(TYPED(T_U8, 0xff), TYPED(T_U8, 2), DW_OP_plus), 1},
    {"typed plus_uconst", BLOCK(TYPED(T_U8, 0xff), DW_OP_plus_uconst, 3), 2},
    {"unsigned div", BLOCK(TYPED(T_U8, 0xff), TYPED(T_U8, 2), DW_OP_div), 127},
    {"signed mod", BLOCK(TYPED(T_S8, 0xf9), TYPED(T_S8, 4), DW_OP_mod),
	(uint64_t)-3},
    {"unsigned lt", BLOCK(TYPED(T_U8, 0xff), TYPED(T_U8, 2), DW_OP_lt), 0},
    {"signed shr is logical", BLOCK(TYPED(T_S8, 0xf0), LIT(4), DW_OP_shr), 15},
    {"unsigned shra is arithmetic",
	BLOCK(TYPED(T_U8, 0xf0), LIT(4), DW_OP_shra), 0xff},
    {"generic with its like", BLOCK(MINUS(1), LIT(1), TO(T_U64), DW_OP_gt), 1},
    {"convert narrows", BLOCK(DW_OP_const2u, 0xfe, 0x01, TO(T_S8)),
	(uint64_t)-2},
    {"convert widens by sign", BLOCK(TYPED(T_S8, 0xfe), TO(T_U32)), 0xfffffffe},
    {"convert widens unsigned", BLOCK(TYPED(T_U8, 0xfe), TO(T_S64)), 0xfe},
    {"convert to generic", BLOCK(TYPED(T_S8, 0xfe), TO(0)), (uint64_t)-2},
    {"GNU convert", BLOCK(LIT(5), DW_OP_GNU_convert, T_F64, TO(T_S32)), 5},
    {"128 bits",
	BLOCK(LOWEST, TO(T_S128), LIT(16), TO(T_S128), DW_OP_mul, LIT(16),
	    TO(T_S128), DW_OP_div, TO(0)),
	UINT64_C(1) << 63},
    {"float add", BLOCK(F64_1_5, F64_2, DW_OP_plus),
	UINT64_C(0x400c000000000000)},
    {"float sub", BLOCK(F64_1_5, F64_2, DW_OP_minus),
	UINT64_C(0xbfe0000000000000)},
    {"float mul", BLOCK(F64_1_5, F64_2, DW_OP_mul),
	UINT64_C(0x4008000000000000)},
    {"float div", BLOCK(F64_1_5, F64_2, DW_OP_div),
	UINT64_C(0x3fe8000000000000)},
    {"float neg", BLOCK(F32_2_5, DW_OP_neg), 0xc0200000},
    {"float abs", BLOCK(F32_2_5, DW_OP_neg, DW_OP_abs), 0x40200000},
    {"float lt", BLOCK(F64_1_5, F64_2, DW_OP_lt), 1},
    {"nan ge", BLOCK(F64_NAN, F64_2, DW_OP_ge), 0},
    {"nan gt", BLOCK(F64_NAN, F64_2, DW_OP_gt), 0},
    {"nan ne", BLOCK(F64_NAN, F64_NAN, DW_OP_ne), 1},
    {"float to int", BLOCK(F32_2_5, TO(T_S32)), 2},
    {"float to int, negative", BLOCK(F32_2_5, DW_OP_neg, TO(T_S32)),
	(uint64_t)-2},
    {"int to float", BLOCK(MINUS(2), TO(T_F32)), 0xc0000000},
    {"float to double", BLOCK(F32_2_5, TO(T_F64)),
	UINT64_C(0x4004000000000000)},
    {"reinterpret", BLOCK(F32_2_5, DW_OP_reinterpret, T_U32), 0x40200000},
    {"GNU reinterpret", BLOCK(F64_2, DW_OP_GNU_reinterpret, 0),
	UINT64_C(0x4000000000000000)},
};

TEST(numbers)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		bt_error_t e = {0};
		uint64_t value = 0;

		if (expr_eval_u64(&context,
			view_of(numbers[i].code, numbers[i].size), NULL, false,
			&value, &e) == false)
			test_fail(TEST_SOFT, "%s: %s", numbers[i].name, e.text);
		else if (value != numbers[i].want)
			test_fail(TEST_SOFT, "%s: 0x%llx, not 0x%llx",
			    numbers[i].name, (unsigned long long)value,
			    (unsigned long long)numbers[i].want);
	}
}

static const struct {
	const char *name;
	const uint8_t *code;
	size_t size;
	enum bt_error_code want;
} errors[] = {
    {"unknown operator", BLOCK(0x01), BT_E_FORMAT},
    {"unknown vendor operator", BLOCK(0xe5), BT_E_UNSUPPORTED},
    {"cut addr", BLOCK(DW_OP_addr, 1, 2, 3), BT_E_FORMAT},
    {"cut uleb", BLOCK(DW_OP_constu, 0x80), BT_E_FORMAT},
    {"cut skip", BLOCK(DW_OP_skip, 1), BT_E_FORMAT},
    {"cut block", BLOCK(DW_OP_entry_value, 5, 1), BT_E_FORMAT},
    {"huge block", BLOCK(DW_OP_implicit_value, 0xff, 0xff, 0xff, 0xff, 0x7f),
	BT_E_FORMAT},
    {"underflow", BLOCK(DW_OP_plus), BT_E_FORMAT},
    {"binary underflow", BLOCK(LIT(1), DW_OP_plus), BT_E_FORMAT},
    {"pick past the stack", BLOCK(LIT(1), DW_OP_pick, 1), BT_E_FORMAT},
    {"drop nothing", BLOCK(DW_OP_drop), BT_E_FORMAT},
    {"swap one", BLOCK(LIT(1), DW_OP_swap), BT_E_FORMAT},
    {"rot two", BLOCK(LIT(1), LIT(1), DW_OP_rot), BT_E_FORMAT},
    {"division by zero", BLOCK(LIT(1), LIT(0), DW_OP_div), BT_E_FORMAT},
    {"remainder by zero", BLOCK(LIT(1), LIT(0), DW_OP_mod), BT_E_FORMAT},
    {"INT_MIN / -1", BLOCK(LOWEST, MINUS(1), DW_OP_div), BT_E_FORMAT},
    {"float division by zero", BLOCK(F64_2, LIT(0), TO(T_F64), DW_OP_div),
	BT_E_FORMAT},
    {"shift by 64", BLOCK(LIT(1), DW_OP_const1u, 64, DW_OP_shl), BT_E_FORMAT},
    {"shift by -1", BLOCK(LIT(1), MINUS(1), DW_OP_shr), BT_E_FORMAT},
    {"endless loop", BLOCK(DW_OP_skip, 0xfd, 0xff), BT_E_LIMIT},
    {"stack overflow", BLOCK(LIT(1), DW_OP_skip, 0xfc, 0xff), BT_E_LIMIT},
    {"branch before the start", BLOCK(DW_OP_skip, 0xfc, 0xff), BT_E_FORMAT},
    {"branch past the end", BLOCK(DW_OP_skip, 1, 0), BT_E_FORMAT},
    {"endless calls", BLOCK(DW_OP_call2, 2, 0), BT_E_LIMIT},
    {"unknown register", BLOCK(DW_OP_breg0 + 20, 0), BT_E_NOTFOUND},
    {"unknown register, more", BLOCK(DW_OP_breg0 + 20, 0, DW_OP_nop),
	BT_E_NOTFOUND},
    {"huge register",
	BLOCK(DW_OP_bregx, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1, 0),
	BT_E_NOTFOUND},
    {"unreadable memory", BLOCK(LIT(1), DW_OP_deref), BT_E_FAULT},
    {"deref of 9 bytes", BLOCK(DW_OP_const2u, 0, 0x10, DW_OP_deref_size, 9),
	BT_E_FORMAT},
    {"deref of nothing", BLOCK(DW_OP_const2u, 0, 0x10, DW_OP_deref_size, 0),
	BT_E_FORMAT},
    {"deref at a float", BLOCK(F64_2, DW_OP_deref), BT_E_FORMAT},
    {"bra on a float", BLOCK(F64_2, DW_OP_bra, 0, 0), BT_E_FORMAT},
    {"address spaces", BLOCK(LIT(1), LIT(1), DW_OP_xderef), BT_E_UNSUPPORTED},
    {"address spaces, sized", BLOCK(LIT(1), LIT(1), DW_OP_xderef_size, 4),
	BT_E_UNSUPPORTED},
    {"no call site", BLOCK(DW_OP_entry_value, 1, DW_OP_reg0), BT_E_NOTFOUND},
    {"parameter_ref", BLOCK(DW_OP_GNU_parameter_ref, 1, 0, 0, 0),
	BT_E_NOTFOUND},
    {"cut parameter_ref", BLOCK(DW_OP_GNU_parameter_ref, 1, 0, 0), BT_E_FORMAT},
    {"bad address index", BLOCK(DW_OP_addrx, 9), BT_E_FORMAT},
    {"no such type", BLOCK(LIT(1), TO(99)), BT_E_FORMAT},
    {"types differ", BLOCK(TYPED(T_U8, 1), LIT(1), DW_OP_plus), BT_E_FORMAT},
    {"int and float", BLOCK(LIT(1), F64_2, DW_OP_plus), BT_E_FORMAT},
    {"float and", BLOCK(F64_2, F64_2, DW_OP_and), BT_E_FORMAT},
    {"float not", BLOCK(F64_2, DW_OP_not), BT_E_FORMAT},
    {"float shift", BLOCK(F64_2, LIT(1), DW_OP_shl), BT_E_FORMAT},
    {"float too large", BLOCK(F64_1E300, TO(T_S64)), BT_E_FORMAT},
    {"nan to int", BLOCK(F64_NAN, TO(T_S64)), BT_E_FORMAT},
    {"negative to unsigned", BLOCK(F32_2_5, DW_OP_neg, TO(T_U32)), BT_E_FORMAT},
    {"int to long double", BLOCK(LIT(1), TO(T_F80)), BT_E_UNSUPPORTED},
    {"reinterpret another size", BLOCK(LIT(1), DW_OP_reinterpret, T_U32),
	BT_E_FORMAT},
    {"const_type too short", BLOCK(DW_OP_const_type, T_U32, 2, 1, 2),
	BT_E_FORMAT},
    {"deref_type of another size",
	BLOCK(DW_OP_const2u, 8, 0x10, DW_OP_deref_type, 8, T_U32), BT_E_FORMAT},
    {"regval_type of an unknown register", BLOCK(DW_OP_regval_type, 20, T_U32),
	BT_E_NOTFOUND},
    {"regval_type wider than the register", BLOCK(DW_OP_regval_type, 5, T_S128),
	BT_E_NOTFOUND},
    {"operator after a register", BLOCK(DW_OP_reg0, LIT(1)), BT_E_FORMAT},
    {"register location", BLOCK(DW_OP_reg0), BT_E_UNSUPPORTED},
    {"pieces", BLOCK(DW_OP_reg0, DW_OP_piece, 4), BT_E_UNSUPPORTED},
    {"implicit pointer", BLOCK(DW_OP_implicit_pointer, 1, 0, 0, 0, 0),
	BT_E_NOTFOUND},
    {"implicit value too large",
	BLOCK(DW_OP_implicit_value, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9),
	BT_E_UNSUPPORTED},
    {"nothing", BLOCK(DW_OP_nop), BT_E_NOTFOUND},
};

TEST(errors)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		bt_error_t e = {0};
		uint64_t value = 0;

		if (expr_eval_u64(&context,
			view_of(errors[i].code, errors[i].size), NULL, false,
			&value, &e))
			test_fail(TEST_SOFT, "%s: no error", errors[i].name);
		else if (e.code != errors[i].want || e.text[0] == '\0')
			test_fail(TEST_SOFT, "%s: error %u (%s)",
			    errors[i].name, e.code, e.text);
	}
}

/* A context that has nothing: every operator that asks for something fails in
 * the same way, and none crashes. */
TEST(absent_callbacks)
{
	static const struct expr_context empty = {
	    .address_size = 8, .offset_size = 4, .version = 5};
	static const uint8_t asking[][6] = {
	    {DW_OP_breg0, 0},
	    {DW_OP_fbreg, 0},
	    {DW_OP_fbreg, 0, DW_OP_nop},
	    {DW_OP_call_frame_cfa},
	    {DW_OP_lit0, DW_OP_deref},
	    {DW_OP_push_object_address},
	    {DW_OP_lit0, DW_OP_form_tls_address},
	    {DW_OP_addrx, 0},
	    {DW_OP_entry_value, 1, DW_OP_reg0},
	    {DW_OP_call2, 1, 0},
	    {DW_OP_GNU_variable_value, 0, 0, 0, 0},
	    {DW_OP_lit0, DW_OP_convert, 1},
	    {DW_OP_regval_type, 0, 1},
	};
	static const uint8_t sizes[] = {2, 2, 3, 1, 2, 1, 2, 2, 3, 3, 5, 3, 3};

	for (size_t i = 0; i < sizeof(sizes); i++) {
		bt_error_t e = {0};
		uint64_t value;
		bool ok = expr_eval_u64(&empty, view_of(asking[i], sizes[i]),
		    NULL, false, &value, &e);

		if (ok || e.code != BT_E_UNSUPPORTED)
			test_fail(
			    TEST_SOFT, "0x%02x: code %u", asking[i][0], e.code);
	}
}

static bool
locate(const uint8_t *code, size_t size, struct expr_result *out, bt_error_t *e)
{
	memset(out, 0xa5, sizeof(*out)); /* only what is said is written */
	return expr_eval(&context, view_of(code, size), NULL, out, e);
}

TEST(simple_locations)
{
	struct expr_result r;
	bt_error_t e = {0};

	assert_ok(locate(BLOCK(DW_OP_fbreg, 0x6c), &r, &e), &e);
	expect_uint(r.n_pieces, 1);
	expect_int(r.pieces[0].where, EXPR_MEMORY);
	expect_uint(r.pieces[0].address, FRAME_BASE - 20);
	expect_uint(r.pieces[0].size_bits, 0);
	expect_true(r.uses_frame);

	assert_ok(
	    locate(BLOCK(DW_OP_addr, 1, 0, 0, 0, 0, 0, 0, 0), &r, &e), &e);
	expect_uint(r.pieces[0].address, 1 + BIAS);
	expect_false(r.uses_frame);

	assert_ok(locate(BLOCK(LIT(4), DW_OP_nop), &r, &e), &e);
	expect_int(r.pieces[0].where, EXPR_MEMORY);
	expect_false(r.uses_frame);

	assert_ok(locate(BLOCK(DW_OP_reg0 + 3), &r, &e), &e);
	expect_int(r.pieces[0].where, EXPR_REGISTER);
	expect_uint(r.pieces[0].reg, 3);
	expect_true(r.uses_frame);

	assert_ok(locate(BLOCK(DW_OP_regx, 0x80, 1), &r, &e), &e);
	expect_uint(r.pieces[0].reg, 128);

	assert_ok(locate(BLOCK(MINUS(2), DW_OP_stack_value), &r, &e), &e);
	expect_int(r.pieces[0].where, EXPR_VALUE);
	expect_uint(r.pieces[0].value_size, 8);
	expect_mem(r.pieces[0].value, "\xfe\xff\xff\xff\xff\xff\xff\xff\0", 9);

	assert_ok(locate(BLOCK(F32_2_5, DW_OP_stack_value), &r, &e), &e);
	expect_uint(r.pieces[0].value_size, 4);
	expect_mem(r.pieces[0].value, "\0\0\x20\x40\0", 5);

	assert_ok(locate(BLOCK(DW_OP_implicit_value, 2, 7, 8), &r, &e), &e);
	expect_int(r.pieces[0].where, EXPR_IMPLICIT);
	expect_uint(r.pieces[0].bytes.size, 2);
	expect_uint(r.pieces[0].bytes.data[1], 8);
}

TEST(implicit_pointers)
{
	struct expr_context old = context;
	struct expr_result r;
	bt_error_t e = {0};
	static const uint8_t v5[] = {
	    DW_OP_implicit_pointer, 0x44, 0x33, 0, 0, 0x7c};
	static const uint8_t v2[] = {
	    DW_OP_GNU_implicit_pointer, 0x44, 0x33, 0, 0, 0, 0, 0, 0, 4};

	assert_ok(locate(v5, sizeof(v5), &r, &e), &e);
	expect_int(r.pieces[0].where, EXPR_IMPLICIT_POINTER);
	expect_uint(r.pieces[0].die, 0x3344);
	expect_int(r.pieces[0].die_offset, -4);
	old.version = 2;
	assert_ok(expr_eval(&old, view_of(v2, sizeof(v2)), NULL, &r, &e), &e);
	expect_uint(r.pieces[0].die, 0x3344);
	expect_int(r.pieces[0].die_offset, 4);
}

TEST(empty_is_optimized_out)
{
	struct expr_result r;
	bt_error_t e = {0};

	assert_ok(expr_eval(&context, view_of(NULL, 0), NULL, &r, &e), &e);
	expect_uint(r.n_pieces, 1);
	expect_int(r.pieces[0].where, EXPR_EMPTY);
	assert_ok(locate(BLOCK(DW_OP_nop), &r, &e), &e);
	expect_int(r.pieces[0].where, EXPR_EMPTY);
}

TEST(composites)
{
	struct expr_result r;
	bt_error_t e = {0};

	assert_ok(locate(BLOCK(DW_OP_reg0 + 3, DW_OP_piece, 4, DW_OP_piece, 2,
			     DW_OP_fbreg, 8, DW_OP_piece, 8, LIT(9),
			     DW_OP_stack_value, DW_OP_bit_piece, 3, 5),
		      &r, &e),
	    &e);
	assert_uint(r.n_pieces, 4);
	expect_int(r.pieces[0].where, EXPR_REGISTER);
	expect_uint(r.pieces[0].size_bits, 32);
	expect_int(r.pieces[1].where, EXPR_EMPTY);
	expect_uint(r.pieces[1].size_bits, 16);
	expect_int(r.pieces[2].where, EXPR_MEMORY);
	expect_uint(r.pieces[2].address, FRAME_BASE + 8);
	expect_uint(r.pieces[2].size_bits, 64);
	expect_int(r.pieces[3].where, EXPR_VALUE);
	expect_uint(r.pieces[3].size_bits, 3);
	expect_uint(r.pieces[3].offset_bits, 5);
	expect_uint(r.pieces[3].value[0], 9);
	expect_true(r.uses_frame);
}

TEST(composite_errors)
{
	uint8_t many[2 * (EXPR_PIECES_MAX + 1)];
	struct expr_result r;
	bt_error_t e = {0};

	for (size_t i = 0; i < sizeof(many); i += 2) {
		many[i] = DW_OP_piece;
		many[i + 1] = 1;
	}
	assert_ok(locate(many, sizeof(many) - 2, &r, &e), &e);
	expect_uint(r.n_pieces, EXPR_PIECES_MAX);
	expect_code(locate(many, sizeof(many), &r, &e), &e, BT_E_LIMIT);
	expect_code(
	    locate(BLOCK(DW_OP_reg0, DW_OP_piece, 4, DW_OP_reg0), &r, &e), &e,
	    BT_E_FORMAT);
	/* 2^61 bytes are more bits than there are numbers for. */
	expect_code(locate(BLOCK(DW_OP_reg0, DW_OP_piece, 0x80, 0x80, 0x80,
			       0x80, 0x80, 0x80, 0x80, 0x80, 0x20),
			&r, &e),
	    &e, BT_E_FORMAT);
	expect_code(
	    locate(BLOCK(DW_OP_reg0, DW_OP_reg0), &r, &e), &e, BT_E_FORMAT);
}

TEST(initial_value)
{
	const uint64_t initial = 0x2000;
	uint64_t value;
	bt_error_t e = {0};
	static const uint8_t code[] = {DW_OP_plus_uconst, 8};
	static const uint8_t top[] = {DW_OP_breg0 + 1, 0, DW_OP_plus};

	assert_ok(expr_eval_u64(&context, view_of(code, sizeof(code)), &initial,
		      false, &value, &e),
	    &e);
	expect_uint(value, 0x2008);
	assert_ok(expr_eval_u64(&context, view_of(top, sizeof(top)), &initial,
		      false, &value, &e),
	    &e);
	expect_uint(value, 0x2200);
	assert_ok(expr_eval_u64(
		      &context, view_of(NULL, 0), &initial, false, &value, &e),
	    &e);
	expect_uint(value, 0x2000);
}

TEST(register_as_value)
{
	static const uint8_t known[] = {DW_OP_reg0 + 2};
	static const uint8_t unknown[] = {DW_OP_reg0 + 30};
	uint64_t value;
	bt_error_t e = {0};

	assert_ok(
	    expr_eval_u64(&context, view_of(known, 1), NULL, true, &value, &e),
	    &e);
	expect_uint(value, 0x300);
	expect_code(expr_eval_u64(
			&context, view_of(unknown, 1), NULL, true, &value, &e),
	    &e, BT_E_NOTFOUND);
}

/* A callback that evaluates in turn is told how deep it is. */
TEST(nesting)
{
	struct expr_context deep = context;
	static const uint8_t code[] = {DW_OP_entry_value, 1, DW_OP_reg0 + 5};
	uint64_t value;
	bt_error_t e = {0};

	deep.nesting = EXPR_NESTING_MAX;
	expect_code(expr_eval_u64(&deep, view_of(code, sizeof(code)), NULL,
			false, &value, &e),
	    &e, BT_E_LIMIT);
}

/* A view that was already read into starts where it stands, and a failed one
 * is refused. */
TEST(view_position)
{
	static const uint8_t code[] = {0xff, DW_OP_lit0 + 6};
	struct view v = view_of(code, sizeof(code));
	uint64_t value;
	bt_error_t e = {0};

	view_skip(&v, 1);
	assert_ok(expr_eval_u64(&context, v, NULL, false, &value, &e), &e);
	expect_uint(value, 6);
	v.failed = true;
	expect_code(expr_eval_u64(&context, v, NULL, false, &value, &e), &e,
	    BT_E_FORMAT);
}

/* Every prefix and every one-byte change of some expressions: any answer, no
 * crash (the sanitizer build watches). */
TEST(mutations)
{
	struct expr_result r;
	uint8_t code[64];

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		size_t size = numbers[i].size;

		for (size_t at = 0; at < size && size <= sizeof(code); at++) {
			memcpy(code, numbers[i].code, size);
			(void)!expr_eval(
			    &context, view_of(code, at), NULL, &r, NULL);
			for (unsigned b = 0; b < 256; b++) {
				code[at] = (uint8_t)b;
				(void)!expr_eval(&context, view_of(code, size),
				    NULL, &r, NULL);
			}
		}
	}
}
