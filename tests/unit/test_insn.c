/* SPDX-License-Identifier: MIT */
/*
 * What instructions access. Each row is an encoding, its text, and its memory
 * accesses as the processor manual gives them: "~" hidden operand, R, W or RW,
 * size in bytes, "/N" when it must be aligned to N, "@" effective address ("?"
 * unknown). Register with DWARF number N holds (N + 1) << 24; pc is 0x400000,
 * fs base 0x7000, gs base 0x8000.
 */
#include "base/buf.h"
#include "harness/test.h"
#include "target/arch/insn.h"

static const uint64_t pc = 0x400000;

struct row {
	const char *hex, *text, *accesses;
};

static const struct row rows[] = {
    {"488b18", "mov rbx, qword ptr [rax]", "R8@1000000"},
    {"488918", "mov qword ptr [rax], rbx", "W8@1000000"},
    {"480118", "add qword ptr [rax], rbx", "RW8@1000000"},
    {"807f0307", "cmp byte ptr [rdi + 0x3], 0x7", "R1@6000003"},
    {"483b18", "cmp rbx, qword ptr [rax]", "R8@1000000"},
    {"488518", "test qword ptr [rax], rbx", "R8@1000000"},
    {"f60001", "test byte ptr [rax], 0x1", "R1@1000000"},
    {"48ff00", "inc qword ptr [rax]", "RW8@1000000"},
    {"f00fb10f", "lock cmpxchg dword ptr [rdi], ecx", "RW4@6000000"},
    {"488703", "xchg qword ptr [rbx], rax", "RW8@4000000"},
    {"480fc103", "xadd qword ptr [rbx], rax", "RW8@4000000"},
    {"ff30", "push qword ptr [rax]", "R8@1000000 ~W8@7fffff8"},
    {"8f00", "pop qword ptr [rax]", "W8@1000000 ~R8@8000000"},
    {"ff10", "call qword ptr [rax]", "R8@1000000 ~W8@7fffff8"},
    {"ffd0", "call rax", "~W8@7fffff8"},
    {"ff20", "jmp qword ptr [rax]", "R8@1000000"},
    {"c3", "ret", "~R8@8000000"},
    {"c9", "leave", "~R8@7000000"},
    {"50", "push rax", "~W8@7fffff8"},
    {"58", "pop rax", "~R8@8000000"},
    {"f3a4", "rep movsb", "~W1@6000000 ~R1@5000000"},
    {"48a5", "movsq", "~W8@6000000 ~R8@5000000"},
    {"f348ab", "rep stosq", "~W8@6000000"},
    {"ac", "lodsb", "~R1@5000000"},
    {"ae", "scasb", "~R1@6000000"},
    {"a6", "cmpsb", "~R1@5000000 ~R1@6000000"},
    {"d7", "xlat", "~R1@4000000"},
    {"488d18", "lea rbx, [rax]", ""},
    {"660f1f00", "nop word ptr [rax], ax", ""},
    {"0f1808", "prefetcht0 byte ptr [rax]", ""},
    {"0f2807", "movaps xmm0, xmmword ptr [rdi]", "R16/16@6000000"},
    {"0f1107", "movups xmmword ptr [rdi], xmm0", "W16@6000000"},
    {"c5fe7f07", "vmovdqu ymmword ptr [rdi], ymm0", "W32@6000000"},
    {"c5fe6f06", "vmovdqu ymm0, ymmword ptr [rsi]", "R32@5000000"},
    {"f20f584708", "addsd xmm0, qword ptr [rdi + 0x8]", "R8@6000008"},
    {"c5fb5807", "vaddsd xmm0, xmm0, qword ptr [rdi]", "R8@6000000"},
    {"660f7406", "pcmpeqb xmm0, xmmword ptr [rsi]", "R16/16@5000000"},
    {"c5fd740f", "vpcmpeqb ymm1, ymm0, ymmword ptr [rdi]", "R32@6000000"},
    {"660fd7c8", "pmovmskb ecx, xmm0", ""},
    {"c4e26d90048f", "vpgatherdd ymm0, dword ptr [rdi + ymm1*4], ymm2", "R4@?"},
    {"c4e27d2e07", "vmaskmovps ymmword ptr [rdi], ymm0, ymm0", "W32@6000000"},
    {"c4e27d2c07", "vmaskmovps ymm0, ymm0, ymmword ptr [rdi]", "R32@6000000"},
    {"0fc303", "movnti dword ptr [rbx], eax", "W4@4000000"},
    {"dd00", "fld qword ptr [rax]", "R8@1000000"},
    {"dd18", "fstp qword ptr [rax]", "W8@1000000"},
    {"db00", "fild dword ptr [rax]", "R4@1000000"},
    {"48f73d00000000", "idiv qword ptr [rip]", "R8@400007"},
    {"48f731", "div qword ptr [rcx]", "R8@3000000"},
    {"480faf07", "imul rax, qword ptr [rdi]", "R8@6000000"},
    {"48f710", "not qword ptr [rax]", "RW8@1000000"},
    {"48f718", "neg qword ptr [rax]", "RW8@1000000"},
    {"48d120", "shl qword ptr [rax], 0x1", "RW8@1000000"},
    {"480fab03", "bts qword ptr [rbx], rax", "RW8@4200000"},
    {"480fa303", "bt qword ptr [rbx], rax", "R8@4200000"},
    {"0f9400", "sete byte ptr [rax]", "W1@1000000"},
    {"0fb600", "movzx eax, byte ptr [rax]", "R1@1000000"},
    {"486300", "movsxd rax, dword ptr [rax]", "R4@1000000"},
    {"480f4403", "cmove rax, qword ptr [rbx]", "R8@4000000"},
    {"64488b042528000000", "mov rax, qword ptr fs:[0x28]", "R8@7028"},
    {"48a10000000000000000", "mov rax, qword ptr [0x0]", "R8@0"},
    {"48830c2400", "or qword ptr [rsp], 0x0", "RW8@8000000"},
    {"0807", "or byte ptr [rdi], al", "RW1@6000000"},
    {"480fc70f", "cmpxchg16b xmmword ptr [rdi]", "RW16/16@6000000"},
    {"0fae07", "fxsave [rdi]", "W512/16@6000000"},
    {"0fc727", "xsavec [rdi]", "W576/64@6000000"},
    {"0f38f007", "movbe eax, dword ptr [rdi]", "R4@6000000"},
    {"62f1fe486f06", "vmovdqu64 zmm0, zmmword ptr [rsi]", "R64@5000000"},
    {"62f1fe487f07", "vmovdqu64 zmmword ptr [rdi], zmm0", "W64@6000000"},
    {"62f37d203f0700", "vpcmpb k0, ymm16, ymmword ptr [rdi], 0x0",
	"R32@6000000"},
    {"c4e1f89007", "kmovq k0, qword ptr [rdi]", "R8@6000000"},
    {"f30f1efa", "endbr64", ""},
    {"4881ec00100000", "sub rsp, 0x1000", ""},
    {"c8100000", "enter 0x10, 0x0", "~W8@7fffff8"},
    {"62f37d203e0600", "vpcmpub k0, ymm16, ymmword ptr [rsi], 0x0",
	"R32@5000000"},
    {"c4e1f89107", "kmovq qword ptr [rdi], k0", "W8@6000000"},
    {"62f27d49a0048f", "vpscatterdd dword ptr [rdi + zmm1*4] {k1}, zmm0",
	"W4@?"},
    {"62f27d4990048f", "vpgatherdd zmm0 {k1}, dword ptr [rdi + zmm1*4]",
	"R4@?"},
    {"62f17f487f07", "vmovdqu8 zmmword ptr [rdi], zmm0", "W64@6000000"},
    {"62f1fd487f07", "vmovdqa64 zmmword ptr [rdi], zmm0", "W64/64@6000000"},
    {"660fe707", "movntdq xmmword ptr [rdi], xmm0", "W16/16@6000000"},
    {"c5f82b07", "vmovntps xmmword ptr [rdi], xmm0", "W16/16@6000000"},
    {"0f1307", "movlps qword ptr [rdi], xmm0", "W8@6000000"},
    {"660fd607", "movq qword ptr [rdi], xmm0", "W8@6000000"},
    {"c4e37d390701", "vextracti128 xmmword ptr [rdi], ymm0, 0x1",
	"W16@6000000"},
    {"66480f3a160701", "pextrq qword ptr [rdi], xmm0, 0x1", "W8@6000000"},
    {"0fae1f", "stmxcsr dword ptr [rdi]", "W4@6000000"},
    {"0fae3f", "clflush [rdi]", "R64@6000000"},
    {"0fc70f", "cmpxchg8b qword ptr [rdi]", "RW8@6000000"},
    {"62f27d498a07", "vcompressps zmmword ptr [rdi] {k1}, zmm0", "W64@6000000"},
    {"f3480f1ec8", "rdsspq rax", ""},
    {"0fae2f", "xrstor [rdi]", "R576/64@6000000"},
    {"48cf", "iretq", "~R40@8000000"},
    {"9c", "pushfq", "~W8@7fffff8"},
    {"9d", "popfq", "~R8@8000000"},
    {"ff742408", "push qword ptr [rsp + 0x8]", "R8@8000008 ~W8@7fffff8"},
    {"8f442408", "pop qword ptr [rsp + 0x8]", "W8@8000010 ~R8@8000000"},
    {"678b00", "mov eax, dword ptr [eax]", "R4@1000000"},
    {"678b441908", "mov eax, dword ptr [ecx + ebx + 0x8]", "R4@7000008"},
    {"65488b042500000000", "mov rax, qword ptr gs:[0x0]", "R8@8000"},
    {"65488b00", "mov rax, qword ptr gs:[rax]", "R8@1008000"},
    {"75fe", "jne 0x400000", ""},
    {"ff2500010000", "jmp qword ptr [rip + 0x100]", "R8@400106"},
    {"c21000", "ret 0x10", "~R8@8000000"},
    {"cc", "int3", ""},
    {"0f0b", "ud2", ""},
    {"f4", "hlt", ""},
    {"ec", "in al, dx", ""},
    {"ee", "out dx, al", ""},
    {"0f32", "rdmsr", ""},
    {"480f4503", "cmovne rax, qword ptr [rbx]", "R8@4000000"},
    {"7702", "ja 0x400004", ""},
    {"7a02", "jp 0x400004", ""},
    {"e302", "jrcxz 0x400004", ""},
    {"e202", "loop 0x400004", ""},
    {"0f9600", "setbe byte ptr [rax]", "W1@1000000"},
    {"f2ff20", "bnd jmp qword ptr [rax]", "R8@1000000"},
    {"3effe0", "notrack jmp rax", ""},
    {"64ff20", "jmp qword ptr fs:[rax]", "R8@1007000"},
    {"fb", "sti", ""},
    {"c5f877", "vzeroupper", ""},
    {"0f05", "syscall", ""},
    {"6c", "insb", "~W1@6000000"},
    {"660f38f806", "movdir64b rax, zmmword ptr [rsi]",
	"R64@5000000 ~W64@1000000"},
    {"660ff7c1", "maskmovdqu xmm0, xmm1", "~W16@6000000"},
    {"8b40f8", "mov eax, dword ptr [rax - 0x8]", "R4@fffff8"},
    {"62f17c58580f", "vaddps zmm1, zmm0, dword ptr [rdi] {1to16}",
	"R4@6000000"},
    {"62f17c48584f01", "vaddps zmm1, zmm0, zmmword ptr [rdi + 0x40]",
	"R64@6000040"},
    {"6a01", "push 0x1", "~W8@7fffff8"},
    {"6650", "push ax", "~W2@7fffffe"},
    {"660fa303", "bt word ptr [rbx], ax", "R2@4000000"},
    {"0fa303", "bt dword ptr [rbx], eax", "R4@4200000"},
    {"d930", "fnstenv [rax]", "W28@1000000"},
    {"f3c3", "ret", "~R8@8000000"},
    {"ff28", "jmp far fword ptr [rax]", "R6@1000000"},
    {"ff18", "call far fword ptr [rax]", "R6@1000000 ~W8@7fffff8"},
    {"0f0100", "sgdt tbyte ptr [rax]", "W10@1000000"},
    {"660faef0", "tpause eax", ""},
    {"0f0138", "invlpg byte ptr [rax]", "R1@1000000"},
    {"0f01fc", "clzero rax", ""},
    {"0f01c8", "monitor", ""},
};

static size_t
from_hex(const char *hex, uint8_t *out)
{
	size_t n = 0;
	unsigned byte;

	for (; sscanf(hex + 2 * n, "%2x", &byte) == 1; n++)
		out[n] = (uint8_t)byte;
	return n;
}

static struct regs
all_regs(void)
{
	struct regs r = {.known = 0};

	for (unsigned i = 0; i < ARCH_X86_64_REGS; i++)
		regs_set(&r, i, (uint64_t)(i + 1) << 24);
	return r;
}

static bool
decode(const char *hex, const struct regs *regs, struct insn *out)
{
	const struct arch_thread_regs thread = {
	    .complete = true, .fs_base = 0x7000, .gs_base = 0x8000};
	uint8_t code[32];
	size_t n = from_hex(hex, code);

	return insn_decode(
	    code, n, pc, regs != NULL ? &thread : NULL, regs, out);
}

static const char *
accesses(const struct insn *in)
{
	static char text[512];
	struct buf b;

	buf_init(&b, sizeof(text) - 1);
	for (unsigned i = 0; i < in->n_operands; i++) {
		const struct insn_operand *o = &in->operands[i];

		buf_printf(&b, "%s%s%s%s%u", i != 0 ? " " : "",
		    o->implicit ? "~" : "", o->read ? "R" : "",
		    o->write ? "W" : "", o->size);
		if (o->align != 0)
			buf_printf(&b, "/%u", o->align);
		if (o->effective_known)
			buf_printf(
			    &b, "@%llx", (unsigned long long)o->effective);
		else
			buf_puts(&b, "@?");
	}
	snprintf(text, sizeof(text), "%s", buf_text(&b));
	buf_deinit(&b);
	return text;
}

TEST(corpus)
{
	const struct regs regs = all_regs();
	struct insn in;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		printf("%s (%s)\n", rows[i].hex, rows[i].text);
		assert_true(decode(rows[i].hex, &regs, &in));
		expect_int(in.length, (int)strlen(rows[i].hex) / 2);
		expect_str(in.text, rows[i].text);
		expect_str(accesses(&in), rows[i].accesses);
	}
}

TEST(flow)
{
	static const struct {
		const char *hex;
		enum insn_flow flow;
		bool privileged, target_known;
		uint64_t target;
		int reg, operand;
	} cases[] = {
	    {"e800010000", INSN_FLOW_CALL, false, true, 0x400105, -1, -1},
	    {"ffd0", INSN_FLOW_CALL, false, true, 0x1000000, 0, -1},
	    {"41ffd4", INSN_FLOW_CALL, false, true, 0xd000000, 12, -1},
	    {"ff5018", INSN_FLOW_CALL, false, false, 0, -1, 0},
	    {"ff10", INSN_FLOW_CALL, false, false, 0, -1, 0},
	    {"ebfe", INSN_FLOW_JUMP, false, true, 0x400000, -1, -1},
	    {"ff2500010000", INSN_FLOW_JUMP, false, false, 0, -1, 0},
	    {"75fe", INSN_FLOW_CONDITIONAL, false, true, 0x400000, -1, -1},
	    {"0f8400010000", INSN_FLOW_CONDITIONAL, false, true, 0x400106, -1,
		-1},
	    {"c3", INSN_FLOW_RETURN, false, false, 0, -1, 0},
	    {"c21000", INSN_FLOW_RETURN, false, false, 0, -1, 0},
	    {"0f05", INSN_FLOW_SYSCALL, false, false, 0, -1, -1},
	    {"cc", INSN_FLOW_TRAP, false, false, 0, -1, -1},
	    {"0f0b", INSN_FLOW_TRAP, false, false, 0, -1, -1},
	    {"f4", INSN_FLOW_TRAP, true, false, 0, -1, -1},
	    {"ec", INSN_FLOW_NONE, true, false, 0, -1, -1},
	    {"fb", INSN_FLOW_NONE, true, false, 0, -1, -1},
	    {"0f32", INSN_FLOW_NONE, true, false, 0, -1, -1},
	    {"0f31", INSN_FLOW_NONE, false, false, 0, -1, -1},
	    {"0f01c1", INSN_FLOW_NONE, true, false, 0, -1, -1},
	    {"cd41", INSN_FLOW_TRAP, true, false, 0, -1, -1},
	    {"cd80", INSN_FLOW_TRAP, false, false, 0, -1, -1},
	    {"90", INSN_FLOW_NONE, false, false, 0, -1, -1},
	};
	const struct regs regs = all_regs();
	struct insn in;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		printf("%s\n", cases[i].hex);
		assert_true(decode(cases[i].hex, &regs, &in));
		expect_int(in.flow, cases[i].flow);
		expect_int(in.privileged, cases[i].privileged);
		expect_int(in.target_known, cases[i].target_known);
		expect_uint(in.target, cases[i].target);
		expect_int(in.target_register, cases[i].reg);
		expect_int(in.target_operand, cases[i].operand);
	}
}

TEST(parts_of_an_address)
{
	struct regs regs = all_regs();
	const struct insn_operand *o;
	struct insn in;

	/* mov eax, [rdi + rcx*8 - 0x10], index unknown */
	regs_forget(&regs, 2);
	assert_true(decode("8b44cff0", &regs, &in));
	assert_int(in.n_operands, 1);
	o = &in.operands[0];
	expect_str(o->text, "[rdi + rcx*8 - 0x10]");
	expect_int(o->base, 5);
	expect_int(o->index, 2);
	expect_int(o->scale, 8);
	expect_int((int)o->displacement, -16);
	expect_true(o->base_known);
	expect_uint(o->base_value, 0x6000000);
	expect_false(o->index_known);
	expect_false(o->effective_known);
	expect_uint(o->effective, 0);

	/* mov rax, fs:[0x28]: no registers at all, but no base either */
	assert_true(decode("64488b042528000000", NULL, &in));
	o = &in.operands[0];
	expect_true(o->segment_relative);
	expect_false(o->effective_known);
	expect_int(o->base, -1);
}

/* Without registers only what needs none is known. */
TEST(no_registers)
{
	struct insn in;

	assert_true(decode("488b18", NULL, &in));
	expect_str(accesses(&in), "R8@?");
	assert_true(decode("488b0500010000", NULL, &in));
	expect_str(accesses(&in), "R8@400107");
	assert_true(decode("ffd0", NULL, &in));
	expect_false(in.target_known);
	expect_int(in.target_register, 0);
	assert_true(decode("e800010000", NULL, &in));
	expect_true(in.target_known);
}

TEST(address_wraps)
{
	struct regs regs = all_regs();
	struct insn in;

	/* 32-bit addressing wraps at 4 GiB, 64-bit at 2^64 */
	regs_set(&regs, 0, UINT64_C(0x1fffffff8));
	assert_true(decode("678b4010", &regs, &in));
	expect_uint(in.operands[0].effective, 8);
	regs_set(&regs, 0, UINT64_MAX - 7);
	assert_true(decode("8b4010", &regs, &in));
	expect_uint(in.operands[0].effective, 8);
	/* bt with a negative bit offset reads below the base */
	regs_set(&regs, 0, (uint64_t)-1);
	assert_true(decode("480fa303", &regs, &in));
	expect_uint(in.operands[0].effective, 0x4000000 - 8);
	/* ah is bits 8 to 15 of rax, xlat uses al only */
	regs_set(&regs, 0, 0x1ff);
	assert_true(decode("d7", &regs, &in));
	expect_uint(in.operands[0].effective, 0x40000ff);
}

TEST(no_instruction)
{
	static const char *const bad[] = {"", "48", "0f", "c5", "06", "62f1",
	    "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"};
	struct insn in;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		printf("%s\n", bad[i]);
		expect_false(decode(bad[i], NULL, &in));
	}
}

/* Any bytes: an answer or a refusal, never more than the bytes given. */
TEST(any_bytes)
{
	const struct regs regs = all_regs();
	uint64_t x = 88172645463325252u;
	uint8_t *code = malloc(INSN_BYTES_MAX);

	assert_true(code != NULL);
	for (int i = 0; i < 200000; i++) {
		struct insn in;
		size_t size;

		for (size_t k = 0; k < INSN_BYTES_MAX; k++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			code[k] = (uint8_t)x;
		}
		size = 1 + (x >> 32) % INSN_BYTES_MAX;
		if (!insn_decode(code + INSN_BYTES_MAX - size, size, x, NULL,
			&regs, &in))
			continue;
		if (in.length == 0 || in.length > size ||
		    in.n_operands > INSN_OPERANDS_MAX ||
		    memchr(in.text, 0, sizeof(in.text)) == NULL ||
		    in.text[0] == '\0')
			fail("bad answer in round %d", i);
	}
	free(code);
}
