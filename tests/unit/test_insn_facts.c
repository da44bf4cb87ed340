/* SPDX-License-Identifier: MIT */
/*
 * What the decoder tells beyond operands: what a trap may come from, the
 * divisor, the registers that change; and what the kernel leaves on the stack
 * of a signal handler.
 */
#include "harness/test.h"
#include "target/arch/insn.h"

enum { AX, DX, CX, BX, SI, DI, BP, SP };

static struct insn
decode(const char *bytes, size_t size)
{
	struct regs regs = {.known = 0};
	struct insn in;

	for (unsigned i = 0; i < ARCH_X86_64_REGS; i++)
		regs_set(&regs, i, 0x1000 + i);
	assert_true(insn_decode(
	    (const uint8_t *)bytes, size, 0x400000, NULL, &regs, &in));
	return in;
}

#define BIT(N) (UINT32_C(1) << (N))

static const struct {
	const char *what, *bytes;
	size_t size;
	enum insn_kind kind;
	uint8_t divisor_size;
	bool divisor_known;
	uint64_t divisor;
	uint32_t written;
	bool loads;
	uint64_t repeat;
} table[] = {
    {"idiv rcx", "\x48\xf7\xf9", 3, INSN_KIND_DIVIDE_SIGNED, 8, true, 0x1002,
	BIT(AX) | BIT(DX), false, 0},
    {"div dword [rbp-8]", "\xf7\x75\xf8", 3, INSN_KIND_DIVIDE, 4, false, 0,
	BIT(AX) | BIT(DX), false, 0},
    {"idiv cl", "\xf6\xf9", 2, INSN_KIND_DIVIDE_SIGNED, 1, true, 2, BIT(AX),
	false, 0},
    {"int3", "\xcc", 1, INSN_KIND_BREAKPOINT, 0, false, 0, 0, false, 0},
    {"ud2", "\x0f\x0b", 2, INSN_KIND_UNDEFINED, 0, false, 0, 0, false, 0},
    {"hlt", "\xf4", 1, INSN_KIND_HALT, 0, false, 0, 0, false, 0},
    {"divpd xmm0, xmm1", "\x66\x0f\x5e\xc1", 4, INSN_KIND_FLOAT, 0, false, 0, 0,
	false, 0},
    {"mov rax, [rbp-8]", "\x48\x8b\x45\xf8", 4, INSN_KIND_OTHER, 0, false, 0,
	BIT(AX), true, 0},
    {"mov eax, [rbp-8]", "\x8b\x45\xf8", 3, INSN_KIND_OTHER, 0, false, 0,
	BIT(AX), false, 0},
    {"add rax, [rbp-8]", "\x48\x03\x45\xf8", 4, INSN_KIND_OTHER, 0, false, 0,
	BIT(AX), false, 0},
    {"mov [rbp-8], rax", "\x48\x89\x45\xf8", 4, INSN_KIND_OTHER, 0, false, 0, 0,
	false, 0},
    {"lea rdi, [rbp-8]", "\x48\x8d\x7d\xf8", 4, INSN_KIND_OTHER, 0, false, 0,
	BIT(DI), false, 0},
    {"pop rax", "\x58", 1, INSN_KIND_OTHER, 0, false, 0, BIT(AX) | BIT(SP),
	false, 0},
    {"rep stosb", "\xf3\xaa", 2, INSN_KIND_OTHER, 0, false, 0,
	BIT(DI) | BIT(CX), false, 0x1002},
    {"stosb", "\xaa", 1, INSN_KIND_OTHER, 0, false, 0, BIT(DI), false, 0},
};

static const struct {
	const char *what, *bytes;
	size_t size;
	int source;
	int64_t added;
} copies[] = {
    {"mov rdi, rax", "\x48\x89\xc7", 3, AX, 0},
    {"mov edi, eax", "\x89\xc7", 2, -1, 0},
    {"lea rdi, [rbp-8]", "\x48\x8d\x7d\xf8", 4, BP, -8},
    {"lea rdi, [rax+rbx*2]", "\x48\x8d\x3c\x58", 4, -1, 0},
    {"lea rdi, [rip+16]", "\x48\x8d\x3d\x10\0\0\0", 7, ARCH_PC, 16},
    {"add rdi, 24", "\x48\x83\xc7\x18", 4, DI, 24},
    {"sub rdi, 24", "\x48\x83\xef\x18", 4, DI, -24},
    {"add rdi, rax", "\x48\x01\xc7", 3, -1, 0},
    {"mov rdi, [rbp-8]", "\x48\x8b\x7d\xf8", 4, -1, 0},
    {"mov [rbp-8], rdi", "\x48\x89\x7d\xf8", 4, -1, 0},
};

TEST(tells_which_register_is_copied)
{
	for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++) {
		struct insn in = decode(copies[i].bytes, copies[i].size);

		if (!expect_int(in.source, copies[i].source) ||
		    !expect_int(in.added, copies[i].added))
			test_fail(TEST_SOFT, "%s", copies[i].what);
	}
}

TEST(tells_what_an_instruction_does)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct insn in = decode(table[i].bytes, table[i].size);

		if (!expect_int(in.kind, table[i].kind) ||
		    !expect_int(in.divisor_size, table[i].divisor_size) ||
		    !expect_int(in.divisor_known, table[i].divisor_known) ||
		    !expect_uint(in.divisor, table[i].divisor) ||
		    !expect_uint(in.written, table[i].written) ||
		    !expect_int(in.loads, table[i].loads) ||
		    !expect_uint(in.repeat, table[i].repeat))
			test_fail(TEST_SOFT, "%s", table[i].what);
	}
}

/* A signal frame as the kernel writes it; sp is its struct ucontext. */
struct frame {
	uint8_t bytes[600];
};

static size_t
read_frame(void *ctx, bt_addr_t address, void *out, size_t size)
{
	const struct frame *f = ctx;

	if (address > sizeof(f->bytes) || size > sizeof(f->bytes) - address)
		return 0;
	memcpy(out, f->bytes + address, size);
	return size;
}

static void
put(struct frame *f, size_t at, uint64_t value)
{
	memcpy(f->bytes + at, &value, sizeof(value));
}

TEST(reads_what_the_kernel_left_for_a_handler)
{
	/* Words of the mcontext at 40: csgsfs 18, err 19, trapno 20, cr2 22. */
	enum { MCONTEXT = 40, CS = 18, ERROR = 19, TRAP = 20, CR2 = 22 };
	static const struct {
		uint64_t number, error;
		bool page, write, execute, protection;
	} cases[] = {
	    {14, 4, true, false, false, false},
	    {14, 6, true, true, false, false},
	    {14, 7, true, true, false, true},
	    {14, 0x15, true, false, true, true},
	    {13, 2, false, false, false, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frame f = {{0}};
		struct arch_trap trap;

		put(&f, MCONTEXT + 8 * CS, 0x002b000000000033);
		put(&f, MCONTEXT + 8 * ERROR, cases[i].error);
		put(&f, MCONTEXT + 8 * TRAP, cases[i].number);
		put(&f, MCONTEXT + 8 * CR2, 0x1234);
		put(&f, 304, 11);
		put(&f, 304 + 8, 2);
		put(&f, 304 + 16, 0x5678);
		assert_true(arch_sigframe_trap(0, read_frame, &f, &trap));
		expect_int(trap.cs, 0x33);
		expect_uint(trap.error, cases[i].error);
		expect_uint(trap.address, 0x1234);
		expect_int(trap.page_fault, cases[i].page);
		expect_int(trap.write, cases[i].write);
		expect_int(trap.execute, cases[i].execute);
		expect_int(trap.protection, cases[i].protection);
		expect_int(trap.info_number, 11);
		expect_int(trap.info_code, 2);
		expect_uint(trap.info_address, 0x5678);
		/* Cut off before the saved registers end. */
		expect_false(arch_sigframe_trap(500, read_frame, &f, &trap));
		expect_false(arch_sigframe_trap(
		    UINT64_MAX - 100, read_frame, &f, &trap));
	}
}

TEST(knows_the_arguments_of_a_system_call)
{
	struct arch_thread_regs r = {.complete = true, .orig_ax = 202};
	uint64_t args[6];
	int64_t number;

	for (unsigned i = 0; i < ARCH_X86_64_REGS; i++)
		regs_set(&r.regs, i, i);
	assert_true(arch_syscall(&r, &number, args));
	expect_int(number, 202);
	/* rdi, rsi, rdx, r10, r8, r9 by their DWARF numbers. */
	expect_mem(args, ((uint64_t[6]){5, 4, 1, 10, 8, 9}), sizeof(args));
	r.orig_ax = UINT64_MAX;
	expect_false(arch_syscall(&r, &number, args));
	r.orig_ax = 202;
	regs_forget(&r.regs, 10);
	expect_false(arch_syscall(&r, &number, args));
}
