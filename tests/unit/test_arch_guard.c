/* SPDX-License-Identifier: MIT */
/*
 * Where functions keep their stack guard, from their first instructions.
 */
#include "harness/test.h"
#include "target/arch/guard.h"

static const struct {
	const char *what, *hex;
	bool found, by_fp;
	int64_t offset;
	uint32_t stored;
} cases[] = {
    {"gcc -O0: push rbp; mov rbp,rsp; sub rsp,0x20; mov rax,fs:0x28; "
     "mov [rbp-8],rax",
	"554889e54883ec2064488b042528000000488945f8", true, true, -8, 21},
    {"gcc -O2: sub rsp,0x28; mov rax,fs:0x28; mov [rsp+0x18],rax",
	"4883ec2864488b0425280000004889442418", true, false, -0x18, 18},
    {"push rbx; push r12; sub rsp,0x18; mov rcx,fs:0x28; mov [rsp+8],rcx",
	"5341544883ec1864488b0c252800000048894c2408", true, false, -0x28, 21},
    {"other work in between: mov esi,edi; a branch; then the store",
	"4883ec2864488b04252800000089fe85ff74054889442418", true, false, -0x18,
	24},
    {"the register is used for something else before",
	"4883ec2864488b04252800000031c04889442418", false, false, 0, 0},
    {"another word of the thread's", "4883ec2864488b0425300000004889442418",
	false, false, 0, 0},
    {"by the other segment", "4883ec2865488b0425280000004889442418", false,
	false, 0, 0},
    {"stored elsewhere: mov [rdi+0x18],rax",
	"4883ec2864488b04252800000048894718", false, false, 0, 0},
    {"another register is stored: mov [rsp+0x18],rdx",
	"4883ec2864488b0425280000004889542418", false, false, 0, 0},
    {"half of it: mov [rsp+0x18],eax", "4883ec2864488b04252800000089442418",
	false, false, 0, 0},
    {"none: push rbp; mov rbp,rsp; call", "554889e5e800000000", false, false, 0,
	0},
    {"a return comes first", "31c0c364488b0425280000004889442418", false, false,
	0, 0},
    {"aligned, by the stack pointer: push rbp; mov rbp,rsp; and rsp,-32; "
     "sub rsp,0x40; mov rax,fs:0x28; mov [rsp+0x38],rax",
	"554889e54883e4e04883ec4064488b0425280000004889442438", false, false, 0,
	0},
    {"no instruction", "06", false, false, 0, 0},
    {"nothing", "", false, false, 0, 0},
};

TEST(finds_the_store)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arch_guard guard = {0};
		uint8_t code[64];
		size_t n = 0;
		unsigned byte;

		for (; sscanf(cases[i].hex + 2 * n, "%2x", &byte) == 1; n++)
			code[n] = (uint8_t)byte;
		printf("%s\n", cases[i].what);
		expect_int(arch_guard_find(code, n, &guard), cases[i].found);
		if (cases[i].found == false)
			continue;
		expect_int(guard.by_fp, cases[i].by_fp);
		expect_int((int)guard.offset, (int)cases[i].offset);
		expect_uint(guard.stored, cases[i].stored);
		/* Cut off anywhere before its end it is not found. */
		for (size_t k = 0; k < guard.stored; k++)
			expect_false(arch_guard_find(code, k, &guard));
	}
}
