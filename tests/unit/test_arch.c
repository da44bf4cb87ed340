/* SPDX-License-Identifier: MIT */
/*
 * Registers of x86-64: the kernel's layouts, names, extended state, the signal
 * frame, what comes before a return address.
 */
#include "harness/test.h"
#include "target/arch/arch.h"

/* struct user_regs_struct with word N holding 0x100 + N. */
static void
fill_words(uint64_t *words)
{
	for (unsigned i = 0; i < 27; i++)
		words[i] = 0x100 + i;
}

TEST(gregs)
{
	/* DWARF number -> word of user_regs_struct (sys/user.h) */
	static const uint8_t word_of[ARCH_X86_64_REGS] = {
	    10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16};
	struct arch_thread_regs r = {0};
	uint64_t words[27];

	fill_words(words);
	assert_true(arch_gregs_parse(view_of(words, sizeof(words)), &r));
	expect_uint(r.regs.known, 0x1ffff);
	for (unsigned i = 0; i < ARCH_X86_64_REGS; i++)
		expect_uint(r.regs.value[i], 0x100u + word_of[i]);
	expect_uint(r.orig_ax, 0x10f);
	expect_uint(r.cs, 0x111);
	expect_uint(r.flags, 0x112);
	expect_uint(r.ss, 0x114);
	expect_uint(r.fs_base, 0x115);
	expect_uint(r.gs_base, 0x116);
	expect_uint(r.gs, 0x11a);
	expect_true(r.complete);
}

TEST(gregs_cut_off)
{
	struct arch_thread_regs r = {0};
	uint64_t words[27];

	fill_words(words);
	expect_false(arch_gregs_parse(view_of(words, sizeof(words) - 1), &r));
	expect_uint(r.regs.known, 0);
	expect_false(r.complete);
}

TEST(names)
{
	static const struct {
		unsigned number;
		const char *name;
	} cases[] = {{0, "rax"}, {1, "rdx"}, {2, "rcx"}, {3, "rbx"}, {7, "rsp"},
	    {15, "r15"}, {16, "rip"}, {17, "xmm0"}, {32, "xmm15"}, {33, "st0"},
	    {40, "st7"}, {41, "mm0"}, {49, "eflags"}, {51, "cs"},
	    {58, "fs_base"}, {59, "gs_base"}, {64, "mxcsr"}, {67, "xmm16"},
	    {82, "xmm31"}, {118, "k0"}, {125, "k7"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_str(arch_reg_name(cases[i].number), cases[i].name);
	expect_null(arch_reg_name(56));
	expect_null(arch_reg_name(83));
	expect_null(arch_reg_name(126));
	expect_null(arch_reg_name(UINT32_MAX));
}

TEST(list_shows_what_is_known)
{
	struct arch_thread_regs r = {0};
	uint64_t words[27], value;
	const char *name;
	unsigned n = 0;

	expect_false(arch_reg_list(&r, 0, &name, &value));
	fill_words(words);
	assert_true(arch_gregs_parse(view_of(words, sizeof(words)), &r));
	assert_true(arch_reg_list(&r, 0, &name, &value));
	expect_str(name, "rax");
	expect_uint(value, 0x10a);
	assert_true(arch_reg_list(&r, 16, &name, &value));
	expect_str(name, "rip");
	assert_true(arch_reg_list(&r, 17, &name, &value));
	expect_str(name, "eflags");
	while (arch_reg_list(&r, n, &name, &value))
		n++;
	expect_uint(n, 27);
	expect_str(name, "orig_rax");

	regs_forget(&r.regs, 0);
	r.complete = false;
	assert_true(arch_reg_list(&r, 0, &name, &value));
	expect_str(name, "rbx");
	expect_false(arch_reg_list(&r, 16, &name, &value));
}

enum { XSAVE_SIZE = 832 };

/* An XSAVE area with recognisable bytes; features saved and enabled. */
static void
fill_xsave(uint8_t *area, uint64_t enabled, uint64_t saved)
{
	for (unsigned i = 0; i < XSAVE_SIZE; i++)
		area[i] = (uint8_t)(i * 7 + i / 256);
	memcpy(area + 464, &enabled, 8);
	memcpy(area + 512, &saved, 8);
}

TEST(vector_registers)
{
	static const uint8_t zeros[16];
	uint8_t area[XSAVE_SIZE], out[64];
	struct arch_thread_regs t = {
	    .xstate = area, .xstate_size = sizeof(area), .complete = true};
	struct regs r = {.known = 0};

	fill_xsave(area, 7, 7);
	assert_uint(arch_reg_bytes(&t, &r, true, 17, out, 16), 16);
	expect_mem(out, area + 160, 16);
	assert_uint(arch_reg_bytes(&t, &r, true, 32, out, 32), 32);
	expect_mem(out, area + 160 + 15 * 16, 16);
	expect_mem(out + 16, area + 576 + 15 * 16, 16);
	/* upper halves in their initial state are zero, whatever lies there */
	fill_xsave(area, 7, 3);
	assert_uint(arch_reg_bytes(&t, &r, true, 18, out, 32), 32);
	expect_mem(out + 16, zeros, 16);
	/* no AVX, or only the FXSAVE area: 16 bytes are all there is */
	fill_xsave(area, 3, 3);
	expect_uint(arch_reg_bytes(&t, &r, true, 18, out, 32), 16);
	fill_xsave(area, 7, 7);
	t.xstate_is_fx = true;
	expect_uint(arch_reg_bytes(&t, &r, true, 18, out, 32), 16);
	/* a caller's vector registers are gone; a short area has none */
	expect_uint(arch_reg_bytes(&t, &r, false, 17, out, 16), 0);
	t.xstate_is_fx = false;
	t.xstate_size = 600;
	expect_uint(arch_reg_bytes(&t, &r, true, 17, out, 32), 32);
	expect_uint(arch_reg_bytes(&t, &r, true, 19, out, 32), 16);
	t.xstate_size = 511;
	expect_uint(arch_reg_bytes(&t, &r, true, 17, out, 16), 0);
	t.xstate = NULL;
	expect_uint(arch_reg_bytes(&t, &r, true, 17, out, 16), 0);
	expect_uint(arch_reg_bytes(&t, &r, true, 67, out, 16), 0);
}

TEST(x87_registers)
{
	uint8_t area[XSAVE_SIZE], out[16];
	struct arch_thread_regs t = {
	    .xstate = area, .xstate_size = sizeof(area), .complete = true};
	struct regs r = {.known = 0};
	uint16_t status = 5 << 11; /* TOP = 5 */

	fill_xsave(area, 7, 7);
	memcpy(area + 2, &status, 2);
	assert_uint(arch_reg_bytes(&t, &r, true, 33, out, 16), 10);
	expect_mem(out, area + 32, 10);
	assert_uint(arch_reg_bytes(&t, &r, true, 40, out, 16), 10);
	expect_mem(out, area + 32 + 7 * 16, 10);
	/* mm5 is physical register 5, which is st(0) now */
	assert_uint(arch_reg_bytes(&t, &r, true, 46, out, 16), 8);
	expect_mem(out, area + 32, 8);
	assert_uint(arch_reg_bytes(&t, &r, true, 41, out, 16), 8);
	expect_mem(out, area + 32 + 3 * 16, 8);
	assert_uint(arch_reg_bytes(&t, &r, true, 64, out, 16), 4);
	expect_mem(out, area + 24, 4);
	assert_uint(arch_reg_bytes(&t, &r, true, 66, out, 16), 2);
	expect_mem(out, area + 2, 2);
	expect_uint(arch_reg_bytes(&t, &r, true, 33, out, 9), 0);
}

TEST(general_and_system_registers)
{
	struct arch_thread_regs t = {
	    .complete = true, .flags = 0x246, .fs_base = 0x7f00, .cs = 0x33};
	struct regs r = {.known = 0};
	uint8_t out[16];
	uint64_t value;

	regs_set(&r, 3, 0x1122334455667788);
	assert_uint(arch_reg_bytes(&t, &r, false, 3, out, 8), 8);
	memcpy(&value, out, 8);
	expect_uint(value, 0x1122334455667788);
	expect_uint(arch_reg_bytes(&t, &r, true, 4, out, 8), 0);
	expect_uint(arch_reg_bytes(&t, &r, true, 3, out, 7), 0);
	assert_uint(arch_reg_bytes(&t, &r, true, 49, out, 8), 8);
	memcpy(&value, out, 8);
	expect_uint(value, 0x246);
	/* flags are the innermost frame's, the thread pointer everyone's */
	expect_uint(arch_reg_bytes(&t, &r, false, 49, out, 8), 0);
	expect_uint(arch_reg_bytes(&t, &r, false, 58, out, 8), 8);
	expect_uint(arch_reg_bytes(NULL, &r, true, 49, out, 8), 0);
	expect_uint(arch_reg_bytes(&t, &r, true, 1000, out, 8), 0);
	assert_true(arch_thread_pointer(&t, &value));
	expect_uint(value, 0x7f00);
	t.fs_base = 0;
	expect_false(arch_thread_pointer(&t, &value));
}

TEST(preserved)
{
	for (unsigned i = 0; i < 130; i++)
		expect_int(arch_callee_saved(i),
		    i == 3 || i == 6 || i == 7 || (i >= 12 && i <= 15));
}

TEST(canonical)
{
	static const struct {
		uint64_t address;
		bool la48, la57;
	} cases[] = {{0, true, true}, {0x7fffffffffff, true, true},
	    {0x800000000000, false, true}, {0xffff7fffffffffff, false, true},
	    {0xffff800000000000, true, true}, {0xffffffffffffffff, true, true},
	    {0x0100000000000000, false, false},
	    {0x4141414141414141, false, false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_int(
		    arch_is_canonical(cases[i].address, false), cases[i].la48);
		expect_int(
		    arch_is_canonical(cases[i].address, true), cases[i].la57);
	}
}

TEST(trampoline)
{
	static const uint8_t glibc[] = {
	    0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
	static const uint8_t musl[] = {0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05};
	static const uint8_t other[] = {
	    0x48, 0xc7, 0xc0, 0x0e, 0, 0, 0, 0x0f, 0x05};

	expect_true(arch_is_sigtramp(glibc, sizeof(glibc)));
	expect_true(arch_is_sigtramp(musl, sizeof(musl)));
	expect_false(arch_is_sigtramp(glibc, sizeof(glibc) - 1));
	expect_false(arch_is_sigtramp(other, sizeof(other)));
	expect_false(arch_is_sigtramp(NULL, 0));
}

struct stack {
	uint64_t base;
	size_t size;
	uint8_t bytes[512];
};

static size_t
read_stack(void *ctx, bt_addr_t address, void *out, size_t size)
{
	struct stack *s = ctx;
	size_t left;

	if (address < s->base || address - s->base >= s->size)
		return 0;
	left = s->size - (size_t)(address - s->base);
	if (size > left)
		size = left;
	memcpy(out, s->bytes + (address - s->base), size);
	return size;
}

/* The layout by the kernel's headers: struct ucontext with gregs at 40, in the
 * order of <sys/ucontext.h> REG_R8 to REG_RIP. */
TEST(signal_frame)
{
	static const uint8_t dwarf_of[17] = {
	    8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, 7, 16};
	struct stack s = {.base = 0x7000, .size = sizeof(s.bytes)};
	struct regs r;

	for (unsigned i = 0; i < 17; i++) {
		uint64_t value = 0xabc000 + i;

		memcpy(s.bytes + 40 + i * 8, &value, 8);
	}
	assert_true(arch_sigframe_regs(0x7000, read_stack, &s, &r));
	expect_uint(r.known, 0x1ffff);
	for (unsigned i = 0; i < 17; i++)
		expect_uint(r.value[dwarf_of[i]], 0xabc000u + i);
	s.size = 40 + 17 * 8 - 1;
	expect_false(arch_sigframe_regs(0x7000, read_stack, &s, &r));
	expect_false(arch_sigframe_regs(UINT64_MAX - 8, read_stack, &s, &r));
}

TEST(after_call)
{
	static const struct {
		uint8_t size, bytes[8];
		bool want;
	} cases[] = {
	    {5, {0xe8, 1, 2, 3, 4}, true},
	    {8, {0x90, 0x90, 0x90, 0xe8, 1, 2, 3, 4}, true},
	    {4, {1, 2, 3, 4}, false},
	    {2, {0xff, 0xd0}, true},		 /* call rax */
	    {3, {0x41, 0xff, 0xd4}, true},	 /* call r12 */
	    {2, {0xff, 0x10}, true},		 /* call [rax] */
	    {3, {0xff, 0x50, 0x18}, true},	 /* call [rax + 0x18] */
	    {3, {0xff, 0x14, 0xc8}, true},	 /* call [rax + rcx*8] */
	    {4, {0xff, 0x54, 0x24, 8}, true},	 /* call [rsp + 8] */
	    {6, {0xff, 0x15, 0, 1, 0, 0}, true}, /* call [rip + 0x100] */
	    {6, {0xff, 0x90, 0, 1, 0, 0}, true}, /* call [rax + 0x100] */
	    {7, {0xff, 0x94, 0xc8, 0, 1, 0, 0}, true},
	    {7, {0xff, 0x14, 0x25, 0, 1, 0, 0}, true}, /* call [0x100] */
	    {2, {0xff, 0xe0}, false},		       /* jmp rax */
	    {6, {0xff, 0x25, 0, 1, 0, 0}, false},      /* jmp [rip] */
	    {3, {0xff, 0x10, 0x90}, false},	       /* call, then nop */
	    {2, {0xff, 0x15}, false},		       /* cut */
	    {1, {0xff}, false},
	    {0, {0}, false},
	    {7, {0x48, 0x89, 0xe5, 0x5d, 0xc3, 0x90, 0x90}, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		printf("case %zu\n", i);
		expect_int(arch_is_after_call(cases[i].bytes, cases[i].size),
		    cases[i].want);
	}
}
