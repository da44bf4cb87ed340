/* SPDX-License-Identifier: MIT */
/*
 * Registers that a callee has left alone. The machine code of callers and
 * callees is the assembler's, copied into a core; a case says where a caller
 * called, where the callee stands, and which registers must have survived. What
 * may not be said to have survived is the greater part.
 */
#include "target_fixture.h"

#include "base/opener.h"
#include "unwind/unwind.h"

enum { CODE = 0x400000, CONSTANT = 0x500000, VARIABLE = 0x600000, SIZE = 4096 };
enum { RAX = 0, RCX = 2, RSI = 4, RDI = 5, XMM0 = 17, XMM1 };

/* A word in the constant or the variable segment, as the end of an instruction
 * has it: relative to the instruction behind. */
#define TO(ADDRESS) ".long " ADDRESS " - 0x400000 - 4 - (. - block)\n"
#define TO_CONSTANT TO("0x500000")
#define TO_VARIABLE TO("0x600000")
/* A call of the function, and the label r_NAME behind it. */
#define CALLER(NAME, FUNCTION) "call " FUNCTION "\nr_" NAME ": nop\n"

/* clang-format off */
__asm__(
    ".pushsection .rodata\n"
    "block:\n"
    /* The crash of a leaf: what lies behind the goal does not count. */
    CALLER("leaf", "leaf")
    "leaf: mov %rdi, %rax; movaps %xmm0, %xmm1\n"
    "g_leaf: mov (%rsi), %ecx; mov %eax, %edi; ret\n"
    /* A way back from behind the goal. */
    CALLER("loop", "loop")
    "loop: test %rdi, %rdi\n"
    "1: mov %al, (%rdx)\n"
    "g_loop: mov %al, (%rsi); add $8, %rsi; cmp %rsi, %rdi; jne 1b; ret\n"
    /* One of two ways. */
    CALLER("ways", "ways")
    "ways: test %rdi, %rdi; je g_ways; mov $1, %ecx\n"
    "g_ways: mov %al, (%rsi); ret\n"
    /* Something was called before. */
    CALLER("call", "calls")
    "calls: test %rdi, %rdi; je g_call; call leaf\n"
    "g_call: mov %al, (%rbx); ret\n"
    /* What was called called others: read whole, down to a depth. */
    CALLER("nest", "nest")
    "nest: push %rbp; mov %rsp, %rbp; call ways; mov %rbp, %rsp\n"
    "pop %rbp; call empty\n"
    "g_nest: mov %al, (%rbx); ret\n"
    "empty: ret\n"
    CALLER("deep", "deep")
    "deep: call 1f\n"
    "g_deep: mov %al, (%rbx); ret\n"
    "1: call 2f; ret\n"
    "2: call 3f; ret\n"
    "3: call 4f; ret\n"
    "4: call 5f; ret\n"
    "5: call 6f; ret\n"
    "6: call empty; ret\n"
    CALLER("self", "self")
    "self: test %rdi, %rdi; je g_self; call self\n"
    "g_self: mov %al, (%rbx); ret\n"
    /* It may come back twice, or by way of another stack. */
    CALLER("twice", "twice")
    "twice: call 1f\n"
    "g_twice: mov %al, (%rbx); ret\n"
    "1: mov (%rsp), %rcx; mov %rcx, (%rdi); ret\n"
    CALLER("stack", "stack")
    "stack: call 1f\n"
    "g_stack: mov %al, (%rbx); ret\n"
    "1: mov 8(%rdi), %rsp; ret\n"
    CALLER("fiber", "fiber")
    "fiber: call 1f\n"
    "g_fiber: mov %al, (%rbx); ret\n"
    "1: xchg %rdi, %rsp; ret\n"
    /* The way over a function that never returns is none. */
    CALLER("ends", "ends")
    "ends: test %rdi, %rdi; je g_ends; call 1f; mov %rcx, %rsi\n"
    "g_ends: mov %al, (%rbx); ret\n"
    "1: mov $1, %eax; call 2f; ret\n"
    "2: hlt\n"
    /* An indirect call, and a return, as compilers hide them from the
     * processor's guesses (-mindirect-branch=thunk, -mfunction-return). */
    CALLER("thunk", "thunk")
    "thunk: test %rdi, %rdi; je g_thunk; call 1f; jmp g_thunk\n"
    "1: call 3f\n"
    "2: pause; lfence; jmp 2b\n"
    "3: mov %rax, (%rsp); ret\n"
    "g_thunk: mov %al, (%rbx); ret\n"
    CALLER("back", "back")
    "back: test %rdi, %rdi; je g_back; call 1f; jmp g_back\n"
    "1: mov $1, %ecx; call 3f\n"
    "2: pause; lfence; jmp 2b\n"
    "3: lea 8(%rsp), %rsp; ret\n"
    "g_back: mov %al, (%rbx); ret\n"
    /* Nobody knows what was called. */
    CALLER("vcall", "vcall")
    "vcall: .byte 0xff, 0x15\n" TO_VARIABLE
    "g_vcall: mov %al, (%rbx); ret\n"
    CALLER("ccall", "ccall")
    "ccall: .byte 0xff, 0x15\n" TO_CONSTANT
    "g_ccall: mov %al, (%rbx); ret\n"
    /* The callee stands in a call of its own. */
    CALLER("mid", "middle")
    "middle: mov %rdi, %rcx; call leaf\n"
    "g_mid: ret\n"
    CALLER("again", "again")
    "again: mov $1, %ecx\n"
    "1: call leaf\n"
    "g_again: jmp 1b\n"
    /* A jump that may lead anywhere. */
    CALLER("any", "any")
    "any: test %rdi, %rdi; je g_any; jmp *%rsi\n"
    "g_any: mov %al, (%rdx); ret\n"
    /* By way of another function. */
    CALLER("tail", "tail")
    "tail: mov $3, %esi; jmp g_tail; nop\n"
    "g_tail: mov %al, (%rdx); ret\n"
    /* An instruction that was stopped in its middle. */
    CALLER("rep", "rep")
    "rep: nop\n"
    "g_rep: rep movsb; ret\n"
    CALLER("sys", "sys")
    "sys: syscall\n"
    "g_sys: mov %al, (%rdx); ret\n"
    CALLER("zero", "zero")
    "zero: vzeroall\n"
    "g_zero: mov %al, (%rdx); ret\n"
    CALLER("upper", "upper")
    "upper: vzeroupper\n"
    "g_upper: mov %al, (%rdx); ret\n"
    CALLER("trap", "trap")
    "trap: int $0x80\n"
    "g_trap: mov %al, (%rdx); ret\n"
    /* Through words that are written to, or not. */
    ".byte 0xff, 0x15\n" TO_CONSTANT "r_const: nop\n"
    ".byte 0xff, 0x15\n" TO_VARIABLE "r_var: nop\n"
    CALLER("stub", "stub")
    "stub: .byte 0xff, 0x25\n" TO_VARIABLE
    CALLER("jvar", "jvar")
    "jvar: nop; .byte 0xff, 0x25\n" TO_VARIABLE
    CALLER("jconst", "jconst")
    "jconst: mov $1, %esi; .byte 0xff, 0x25\n" TO_CONSTANT
    "slotted: nop\n"
    "g_slot: mov %al, (%rdx); ret\n"
    /* No call, calls of another function and of nobody knows which. */
    ".fill 8, 1, 0x90\n"
    "r_none: nop\n"
    CALLER("else", "leaf")
    CALLER("reg", "*%rax")
    /* Bytes that are no instruction. */
    CALLER("bad", "bad")
    "bad: test %rdi, %rdi; je g_bad; .byte 0x06\n"
    "g_bad: mov %al, (%rdx); ret\n"
    "block_end: .popsection\n");
/* clang-format on */

extern const char block[], block_end[], slotted[];
extern const char r_leaf[], r_loop[], r_ways[], r_call[], r_nest[], r_deep[],
    r_self[], r_ends[], r_thunk[], r_back[], r_twice[], r_stack[], r_fiber[],
    r_vcall[], r_ccall[], r_mid[], r_again[], r_any[], r_tail[], r_rep[],
    r_sys[], r_zero[], r_upper[], r_trap[], r_const[], r_var[], r_stub[],
    r_jvar[], r_jconst[], r_none[], r_else[], r_reg[], r_bad[];
extern const char g_leaf[], g_loop[], g_ways[], g_call[], g_nest[], g_deep[],
    g_self[], g_ends[], g_thunk[], g_back[], g_twice[], g_stack[], g_fiber[],
    g_vcall[], g_ccall[], g_mid[], g_again[], g_any[], g_tail[], g_rep[],
    g_sys[], g_zero[], g_upper[], g_trap[], g_slot[], g_bad[];

/* Those whose fate a case tells. */
enum { A = 1, C = 2, S = 4, D = 8, X0 = 16, X1 = 32, ALL = 63 };

#define CASE(NAME, GOAL, EXACT, KEPT)                                          \
	{                                                                      \
#NAME, r_##NAME, g_##GOAL, EXACT, KEPT                         \
	}

static const struct {
	const char *name;
	const char *caller, *callee;
	bool exact;
	unsigned kept;
} cases[] = {
    /* At the goal itself: what it would write is not written yet, but an
     * instruction may be stopped in its middle, so it counts. */
    CASE(leaf, leaf, true, S | D | X0),
    CASE(loop, loop, true, ALL & ~S),
    CASE(ways, ways, true, ALL & ~C),
    CASE(call, call, true, S | X0),
    CASE(nest, nest, true, ALL & ~C),
    CASE(deep, deep, true, 0),
    CASE(self, self, true, 0),
    CASE(ends, ends, true, ALL),
    CASE(thunk, thunk, true, 0),
    CASE(back, back, true, 0),
    CASE(twice, twice, true, 0),
    CASE(stack, stack, true, 0),
    CASE(fiber, fiber, true, 0),
    CASE(vcall, vcall, true, 0),
    CASE(ccall, ccall, true, ALL),
    CASE(mid, mid, false, ALL & ~C),
    CASE(again, again, false, S | X0),
    CASE(any, any, true, 0),
    CASE(tail, tail, true, ALL & ~S),
    CASE(rep, rep, true, ALL & ~(C | S | D)),
    CASE(sys, sys, true, ALL & ~(A | C)),
    CASE(zero, zero, true, A | C | S | D),
    CASE(upper, upper, true, ALL),
    CASE(trap, trap, true, 0),
    CASE(const, slot, true, ALL),
    CASE(var, slot, true, 0),
    /* No stub: a function that goes where a variable says. */
    CASE(stub, slot, true, 0),
    CASE(jvar, slot, true, 0),
    CASE(jconst, slot, true, ALL & ~S),
    CASE(none, leaf, true, 0),
    CASE(else, ways, true, 0),
    CASE(reg, leaf, true, 0),
    CASE(bad, bad, true, 0),
};

struct scene {
	struct core_file file;
	struct opened opened;
	struct unwinder *u;
	struct unwind_stack stack;
	uint8_t code[SIZE], constant[SIZE], variable[SIZE];
};

static bt_addr_t
address_of(const char *label)
{
	return CODE + (bt_addr_t)(label - block);
}

static void
scene_init(struct scene *s)
{
	assert_true(block_end - block < SIZE);
	memset(s, 0, sizeof(*s));
	memcpy(s->code, block, (size_t)(block_end - block));
	put64(s->constant, 0, address_of(slotted));
	put64(s->variable, 0, address_of(slotted));
	core_file_init(&s->file);
	core_thread(&s->file, 1, 11, 0x700000);
	core_segment(&s->file, CODE, SIZE, PF_R | PF_X, s->code, SIZE);
	core_segment(&s->file, CONSTANT, SIZE, PF_R, s->constant, SIZE);
	core_segment(&s->file, VARIABLE, SIZE, PF_R | PF_W, s->variable, SIZE);
	s->u = unwinder_create(open_core(&s->opened, &s->file), NULL);
	assert_not_null(s->u);
	unwind_stack_init(&s->stack, 16);
	unwind_stack_begin(&s->stack, NULL);
}

static void
scene_deinit(struct scene *s)
{
	unwind_stack_deinit(&s->stack);
	unwinder_destroy(s->u);
	close_core(&s->opened);
	core_file_deinit(&s->file);
}

static struct unwind_frame *
add(struct scene *s, const char *label, bool exact)
{
	const struct unwind_frame none = {0};
	struct unwind_frame *f = unwind_stack_copy(&s->stack, &none);

	assert_not_null(f);
	f->pc = address_of(label);
	f->exact_pc = exact;
	f->trust = UNWIND_CFI;
	return f;
}

/* Which of them the frame still has, in frame 0. */
static unsigned
kept(struct scene *s, size_t index)
{
	static const unsigned numbers[] = {RAX, RCX, RSI, RDI, XMM0, XMM1};
	unsigned out = 0;

	for (unsigned i = 0; i < 6; i++) {
		size_t holder = 99;

		if (unwind_untouched(
			s->u, &s->stack, index, numbers[i], &holder) == false)
			continue;
		expect_uint(holder, 0);
		out |= 1u << i;
	}
	return out;
}

static void
expect_kept(struct scene *s, const char *name, unsigned wanted)
{
	char found[64], right[64];

	snprintf(found, sizeof(found), "%s %#x", name, kept(s, 1));
	snprintf(right, sizeof(right), "%s %#x", name, wanted);
	expect_str(found, right);
}

TEST(ways_through_a_callee)
{
	struct scene s;

	scene_init(&s);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unwind_stack_begin(&s.stack, NULL);
		add(&s, cases[i].callee, cases[i].exact);
		add(&s, cases[i].caller, false);
		expect_kept(&s, cases[i].name, cases[i].kept);
		/* and once more, remembered */
		expect_kept(&s, cases[i].name, cases[i].kept);
	}
	scene_deinit(&s);
}

TEST(through_several_callees)
{
	struct unwind_frame *f;
	size_t holder;
	struct scene s;

	scene_init(&s);
	add(&s, g_leaf, true);
	f = add(&s, g_mid, false);
	add(&s, r_mid, false);
	/* Neither leaf nor middle changes them. */
	expect_uint(kept(&s, 2), S | D | X0);
	/* What the frame between is known to have is taken from there. */
	regs_set(&f->regs, RDI, 5);
	expect_true(unwind_untouched(s.u, &s.stack, 2, RDI, &holder));
	expect_uint(holder, 1);
	expect_false(unwind_untouched(s.u, &s.stack, 2, RCX, &holder));
	scene_deinit(&s);
}

/* A function that left by a jump is shown as a frame of its own. */
TEST(over_a_tail_call)
{
	struct scene s;

	scene_init(&s);
	add(&s, g_tail, true);
	add(&s, g_tail, false)->trust = UNWIND_TAILCALL;
	add(&s, r_tail, false);
	expect_uint(kept(&s, 2), ALL & ~S);
	/* What it had at the jump nobody knows. */
	expect_uint(kept(&s, 1), 0);
	scene_deinit(&s);
}

TEST(what_was_not_called)
{
	struct unwind_frame *caller, *callee;
	size_t holder;
	struct scene s;

	scene_init(&s);
	callee = add(&s, g_leaf, true);
	caller = add(&s, r_leaf, false);
	callee = s.stack.frames.items[0];
	expect_true(unwind_untouched(s.u, &s.stack, 1, RDI, &holder));
	expect_false(unwind_untouched(s.u, &s.stack, 0, RDI, &holder));
	expect_false(unwind_untouched(s.u, &s.stack, 2, RDI, &holder));
	expect_false(unwind_untouched(s.u, &s.stack, 1, 63, &holder));
	expect_true(unwind_untouched(s.u, &s.stack, 1, XMM0 + 15, &holder));
	/* st(0) */
	expect_false(unwind_untouched(s.u, &s.stack, 1, XMM0 + 16, &holder));
	caller->exact_pc = true;
	expect_false(unwind_untouched(s.u, &s.stack, 1, RDI, &holder));
	caller->exact_pc = false;
	caller->trust = UNWIND_SCAN;
	expect_false(unwind_untouched(s.u, &s.stack, 1, RDI, &holder));
	caller->trust = UNWIND_CFI;
	callee->signal_frame = true;
	expect_false(unwind_untouched(s.u, &s.stack, 1, RDI, &holder));
	callee->signal_frame = false;
	/* Frames were left out between the two. */
	s.stack.skipped = 5;
	s.stack.skipped_at = 1;
	expect_false(unwind_untouched(s.u, &s.stack, 1, RDI, &holder));
	s.stack.skipped_at = 7;
	expect_true(unwind_untouched(s.u, &s.stack, 1, RDI, &holder));
	scene_deinit(&s);
}
