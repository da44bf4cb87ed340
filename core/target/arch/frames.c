/* SPDX-License-Identifier: MIT */
/*
 * What the unwinder must know of x86-64 that no debug information tells: the
 * signal trampoline and the context the kernel saved below it, and how a call
 * instruction looks from its end.
 */
#include "target/arch/arch.h"

bool
arch_is_sigtramp(const uint8_t *code, size_t size)
{
	/* mov $15,%rax; syscall (glibc), mov $15,%eax; syscall (musl). */
	static const uint8_t glibc[] = {
	    0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
	static const uint8_t musl[] = {0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05};

	return (size >= sizeof(glibc) &&
		   memcmp(code, glibc, sizeof(glibc)) == 0) ||
	    (size >= sizeof(musl) && memcmp(code, musl, sizeof(musl)) == 0);
}

/*
 * The handler's return has popped the trampoline's address, so sp points to
 * struct ucontext; its mcontext lies at 40 (arch/x86/include/uapi/asm/
 * ucontext.h and sigcontext.h: r8 to r15, rdi, rsi, rbp, rbx, rdx, rax, rcx,
 * rsp, rip).
 */
bool
arch_sigframe_regs(
    bt_addr_t sp, arch_read_fn *read, void *ctx, struct regs *out)
{
	static const uint8_t order[ARCH_X86_64_REGS] = {
	    8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, 7, 16};
	const uint64_t mcontext = 40;
	uint64_t words[ARCH_X86_64_REGS];

	if (sp > UINT64_MAX - mcontext - sizeof(words) ||
	    read(ctx, sp + mcontext, words, sizeof(words)) != sizeof(words))
		return false;
	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < ARCH_X86_64_REGS; i++)
		regs_set(out, order[i], words[i]);
	return true;
}

/* The rest of the mcontext: flags, the segment selectors (cs lowest), error
 * code, exception number, old mask, cr2. The struct ucontext ends after the
 * signal mask, 304 bytes in; a siginfo follows. */
bool
arch_sigframe_trap(
    bt_addr_t sp, arch_read_fn *read, void *ctx, struct arch_trap *out)
{
	enum { FLAGS = 17, SEGMENTS, ERROR, NUMBER, MASK, CR2, WORDS };
	enum { PAGE_FAULT = 14, PROTECTION = 1, WRITE = 2, FETCH = 16 };
	const uint64_t mcontext = 40, siginfo = 304;
	uint64_t words[WORDS];
	struct {
		int32_t number, error, code, pad;
		uint64_t address;
	} info;

	memset(out, 0, sizeof(*out));
	if (sp > UINT64_MAX - siginfo - sizeof(info) ||
	    read(ctx, sp + mcontext, words, sizeof(words)) != sizeof(words))
		return false;
	out->cs = (uint16_t)words[SEGMENTS];
	out->error = words[ERROR];
	out->number = words[NUMBER];
	out->address = words[CR2];
	out->page_fault = out->number == PAGE_FAULT;
	if (out->page_fault) {
		out->protection = (out->error & PROTECTION) != 0;
		out->write = (out->error & WRITE) != 0;
		out->execute = (out->error & FETCH) != 0;
	}
	if (read(ctx, sp + siginfo, &info, sizeof(info)) == sizeof(info)) {
		out->info_number = info.number;
		out->info_code = info.code;
		out->info_address = info.address;
	}
	return true;
}

/* The last member of struct ucontext. */
bool
arch_sigframe_blocked(
    bt_addr_t sp, arch_read_fn *read, void *ctx, uint64_t *out)
{
	const uint64_t mask = 296;

	return sp <= UINT64_MAX - mask - sizeof(*out) &&
	    read(ctx, sp + mask, out, sizeof(*out)) == sizeof(*out);
}

/* System V psABI, 3.2.3: rdi, rsi, rdx, rcx, r8, r9. */
int
arch_argument_register(unsigned i)
{
	static const int8_t order[6] = {5, 4, 1, 2, 8, 9};

	return i < sizeof(order) ? order[i] : -1;
}

/* System V psABI, A.2.1: the arguments of a system call; the kernel keeps its
 * number in orig_ax, which is -1 when the thread is in none. */
bool
arch_syscall(
    const struct arch_thread_regs *r, int64_t *number, uint64_t args[6])
{
	static const uint8_t order[6] = {5, 4, 1, 10, 8, 9};

	if (r->complete == false || (int64_t)r->orig_ax < 0)
		return false;
	*number = (int64_t)r->orig_ax;
	for (unsigned i = 0; i < 6; i++)
		if (!regs_get(&r->regs, order[i], &args[i]))
			return false;
	return true;
}

/* Length that an FF /2 with this ModRM byte (and SIB byte) has, without
 * prefixes; 0: no near call. */
static size_t
indirect_call_length(const uint8_t *code, size_t size)
{
	uint8_t modrm, mod, rm;

	if (size < 2 || code[0] != 0xff || (code[1] >> 3 & 7) != 2)
		return 0;
	modrm = code[1];
	mod = modrm >> 6;
	rm = modrm & 7;
	if (mod == 3)
		return 2;
	if (rm == 4) {
		if (size < 3)
			return 0;
		if (mod == 0)
			return (code[2] & 7) == 5 ? 7 : 3;
		return mod == 1 ? 4 : 7;
	}
	if (mod == 0)
		return rm == 5 ? 6 : 2;
	return mod == 1 ? 3 : 6;
}

bool
arch_is_after_call(const uint8_t *code_before, size_t size)
{
	const size_t longest = 7;

	if (size >= 5 && code_before[size - 5] == 0xe8)
		return true;
	for (size_t n = 2; n <= longest && n <= size; n++) {
		if (indirect_call_length(code_before + size - n, n) == n)
			return true;
	}
	return false;
}
