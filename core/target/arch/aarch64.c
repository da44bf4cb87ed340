/* SPDX-License-Identifier: MIT */
/*
 * aarch64: DWARF numbers (DWARF for the Arm 64-bit Architecture, section 4.1),
 * struct user_pt_regs and user_fpsimd_state (Linux,
 * arch/arm64/include/uapi/asm/ptrace.h), the signal frame (sigcontext.h), and
 * what a callee preserves (Procedure Call Standard, section 6.1).
 */
#include <elf.h>

#include "target/arch/aarch64.h"
#include "target/arch/table.h"

enum {
	DWARF_V0 = 64,
	VECTORS = 32,
	GENERAL = 31,
	NONE = ARCH_NO_PLACE,
	/* The lower halves of v8 to v15, which callees preserve. */
	PLACE_D8 = 33,
	PRESERVED_D = 8,
	VECTOR_SIZE = 16
};

/* x29 is the frame pointer, 31 the stack pointer, 32 the program counter: they
 * change places with x6, x7 and x16. */
static const uint8_t places[] = {0, 1, 2, 3, 4, 5, 29, 31, 8, 9, 10, 11, 12, 13,
    14, 15, 32, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 6, 30, 7, 16,
    NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
    NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
    NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
    NONE, NONE, NONE, 33, 34, 35, 36, 37, 38, 39, 40};

static const struct arch_greg gregs[] = {
    {"x0", 0, 0},
    {"x1", 1, 0},
    {"x2", 2, 0},
    {"x3", 3, 0},
    {"x4", 4, 0},
    {"x5", 5, 0},
    {"x6", 29, 0},
    {"x7", 31, 0},
    {"x8", 8, 0},
    {"x9", 9, 0},
    {"x10", 10, 0},
    {"x11", 11, 0},
    {"x12", 12, 0},
    {"x13", 13, 0},
    {"x14", 14, 0},
    {"x15", 15, 0},
    {"x16", 32, 0},
    {"x17", 17, 0},
    {"x18", 18, 0},
    {"x19", 19, 0},
    {"x20", 20, 0},
    {"x21", 21, 0},
    {"x22", 22, 0},
    {"x23", 23, 0},
    {"x24", 24, 0},
    {"x25", 25, 0},
    {"x26", 26, 0},
    {"x27", 27, 0},
    {"x28", 28, 0},
    {"x29", ARCH_FP, 0},
    {"x30", 30, 0},
    {"sp", ARCH_SP, 0},
    {"pc", ARCH_PC, 0},
    ARCH_SHOWN("pstate"),
};

static size_t
vector_bytes(const struct arch_thread_regs *thread, unsigned number,
    uint8_t *out, size_t size)
{
	struct view v;
	const uint8_t *bytes;

	if (number < DWARF_V0 || number >= DWARF_V0 + VECTORS ||
	    size < VECTOR_SIZE)
		return 0;
	v = view_sub(
	    &thread->vectors, (number - DWARF_V0) * VECTOR_SIZE, VECTOR_SIZE);
	bytes = view_bytes(&v, VECTOR_SIZE);
	if (bytes == NULL)
		return 0;
	memcpy(out, bytes, VECTOR_SIZE);
	return VECTOR_SIZE;
}

static void
take_preserved(struct view vectors, struct regs *out)
{
	for (unsigned i = 0; i < PRESERVED_D; i++) {
		struct view v = view_from(
		    &vectors, (size_t)(PRESERVED_D + i) * VECTOR_SIZE);
		uint64_t low = view_u64(&v);

		if (view_ok(&v))
			regs_set(out, PLACE_D8 + i, low);
	}
}

static void
take_vectors(struct arch_thread_regs *out, struct view note)
{
	out->vectors = note;
	take_preserved(note, &out->regs);
}

static bool
thread_pointer(const struct arch_thread_regs *thread, bt_addr_t *out)
{
	*out = thread->thread_pointer;
	return thread->thread_pointer != 0;
}

/* __kernel_rt_sigreturn of the vdso; QEMU's own is the same. */
static bool
is_sigtramp(const uint8_t *code, size_t size)
{
	/* mov x8, #139; svc #0 */
	static const uint8_t sigreturn[] = {
	    0x68, 0x11, 0x80, 0xd2, 0x01, 0, 0, 0xd4};

	return size >= sizeof(sigreturn) &&
	    memcmp(code, sigreturn, sizeof(sigreturn)) == 0;
}

/*
 * The vector registers in the records behind the saved ones: pairs of magic
 * and size, the last one zero.
 */
static void
read_records(bt_addr_t at, arch_read_fn *read, void *ctx, struct regs *out)
{
	enum { RECORDS_MAX = 16, FPSIMD = 0x46508001, HEAD = 16 };
	uint8_t vectors[VECTORS * VECTOR_SIZE];

	for (unsigned i = 0; i < RECORDS_MAX; i++) {
		uint32_t head[2];

		if (read(ctx, at, head, sizeof(head)) != sizeof(head) ||
		    head[1] < sizeof(head) || at > UINT64_MAX - head[1])
			return;
		if (head[0] == FPSIMD) {
			if (head[1] >= HEAD + sizeof(vectors) &&
			    read(ctx, at + HEAD, vectors, sizeof(vectors)) ==
				sizeof(vectors))
				take_preserved(
				    view_of(vectors, sizeof(vectors)), out);
			return;
		}
		at += head[1];
	}
}

/*
 * struct rt_sigframe at sp: a siginfo of 128 bytes, then a ucontext with its
 * sigcontext at 176: the fault's address, x0 to x30, sp, pc, pstate, and from
 * the next 16 bytes on records.
 */
static bool
sigframe_regs(bt_addr_t sp, arch_read_fn *read, void *ctx, struct regs *out)
{
	const uint64_t registers = 128 + 176 + 8, records = 128 + 176 + 288;
	uint64_t words[GENERAL + 2];

	if (sp > UINT64_MAX - records ||
	    read(ctx, sp + registers, words, sizeof(words)) != sizeof(words))
		return false;
	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < GENERAL + 2; i++)
		regs_set(out, places[i], words[i]);
	read_records(sp + records, read, ctx, out);
	return true;
}

static const struct arch_unwind unwind = {
    /* x19 to x28, frame and stack pointer, d8 to d15 */
    .preserved = UINT64_C(0x3ff) << 19 | UINT64_C(1) << ARCH_FP |
	UINT64_C(1) << ARCH_SP | UINT64_C(0xff) << PLACE_D8,
    .link = AARCH64_LINK,
    /* All but bit 55, which says whose half the address is of. */
    .signature = UINT64_C(0xff7f) << 48,
    .is_sigtramp = is_sigtramp,
    .sigframe_regs = sigframe_regs,
    .is_after_call = aarch64_is_after_call,
    .call_before = aarch64_call_before,
    .jump_at = aarch64_jump_at,
    .layout_at = aarch64_layout_at,
    .layout_at_edge = aarch64_layout_at_edge,
};

const struct arch arch_aarch64 = {
    .name = "aarch64",
    .machine = EM_AARCH64,
    .gregs = gregs,
    .n_gregs = sizeof(gregs) / sizeof(*gregs),
    .places = places,
    .n_places = sizeof(places),
    .unwind = &unwind,
    .vector_bytes = vector_bytes,
    .take_vectors = take_vectors,
    .thread_pointer = thread_pointer,
};
