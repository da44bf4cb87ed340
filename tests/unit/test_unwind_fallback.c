/* SPDX-License-Identifier: MIT */
/*
 * Unwinding without call frame information, over hand-made cores: a page of
 * code that belongs to no file, a stack, registers. Each case says what lies
 * where and which frames must come out.
 */
#include "harness/test.h"

#include <elf.h>

#include "base/opener.h"
#include "unwind/unwind.h"

enum {
	CODE = 0x400000,
	STACK = 0x7f0000,
	PART = 0x1000, /* size of either */
	NOTE_OFFSET = 0x200,
	CODE_OFFSET = 0x1000,
	STACK_OFFSET = 0x2000,
	FILE_SIZE = 0x3000,
	PRSTATUS_SIZE = 336,
	PRSTATUS_PID = 32,
	PRSTATUS_REGS = 112,
	/* Indices in the kernel's user_regs_struct. */
	REG_FP = 4,
	REG_BX = 5,
	REG_PC = 16,
	REG_SP = 19,
	UCONTEXT_REGS = 40 / 8 /* words up to r8; fp, sp, pc follow */
};

struct machine {
	uint8_t code[PART];
	uint64_t stack[PART / 8];
	uint64_t pc, sp, fp, bx;
	size_t stack_size; /* bytes that the core has */
};

/* Functions, by their offset in the code. */
enum {
	/* push rbp; mov rbp,rsp; sub rsp,16; call FRAMED; leave; ret */
	FRAMED = 0x100,
	FRAMED_RET = FRAMED + 13,
	/* push rbx; sub rsp,32; call BARE; add rsp,32; pop rbx; ret */
	BARE = 0x200,
	BARE_RET = BARE + 10,
	/* call rax, of a function with a frame pointer */
	INDIRECT = 0x300,
	INDIRECT_RET = INDIRECT + 6,
	TRAMPOLINE = 0x400,
	/* calls FRAMED and has no frame pointer: nops around a call */
	OTHER = 0x500,
	OTHER_RET = OTHER + 5
};

static void
machine_init(struct machine *m)
{
	static const uint8_t framed[] = {0x55, 0x48, 0x89, 0xe5, 0x48, 0x83,
	    0xec, 0x10, 0xe8, 0xf3, 0xff, 0xff, 0xff, 0xc9, 0xc3};
	static const uint8_t bare[] = {0x53, 0x48, 0x83, 0xec, 0x20, 0xe8, 0xf6,
	    0xff, 0xff, 0xff, 0x48, 0x83, 0xc4, 0x20, 0x5b, 0xc3};
	static const uint8_t indirect[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd0};
	static const uint8_t trampoline[] = {
	    0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
	static const uint8_t other[] = {0xe8, 0xfb, 0xfb, 0xff, 0xff};

	memset(m, 0, sizeof(*m));
	memset(m->code, 0x90, sizeof(m->code));
	memcpy(m->code + FRAMED, framed, sizeof(framed));
	memcpy(m->code + BARE, bare, sizeof(bare));
	memcpy(m->code + INDIRECT, indirect, sizeof(indirect));
	memcpy(m->code + TRAMPOLINE, trampoline, sizeof(trampoline));
	memcpy(m->code + OTHER, other, sizeof(other));
	m->pc = CODE;
	m->sp = STACK;
	m->stack_size = PART;
}

static uint64_t
stack_at(size_t word)
{
	return STACK + word * 8;
}

static void
write_core(const struct machine *m, const char *path)
{
	uint8_t *bytes = calloc(1, FILE_SIZE);
	Elf64_Ehdr *h = (void *)bytes;
	Elf64_Phdr *p = (void *)(bytes + sizeof(*h));
	Elf64_Nhdr *n = (void *)(bytes + NOTE_OFFSET);
	uint8_t *desc = bytes + NOTE_OFFSET + sizeof(*n) + 8;
	uint64_t regs[27] = {0};
	int32_t pid = 77;

	assert_not_null(bytes);
	memcpy(h->e_ident, ELFMAG, SELFMAG);
	h->e_ident[EI_CLASS] = ELFCLASS64;
	h->e_ident[EI_DATA] = ELFDATA2LSB;
	h->e_ident[EI_VERSION] = h->e_version = EV_CURRENT;
	h->e_type = ET_CORE;
	h->e_machine = EM_X86_64;
	h->e_ehsize = sizeof(*h);
	h->e_phoff = sizeof(*h);
	h->e_phentsize = sizeof(*p);
	h->e_phnum = 3;
	p[0] = (Elf64_Phdr){.p_type = PT_NOTE,
	    .p_offset = NOTE_OFFSET,
	    .p_filesz = sizeof(*n) + 8 + PRSTATUS_SIZE,
	    .p_align = 4};
	p[1] = (Elf64_Phdr){.p_type = PT_LOAD,
	    .p_flags = PF_R | PF_X,
	    .p_offset = CODE_OFFSET,
	    .p_vaddr = CODE,
	    .p_filesz = PART,
	    .p_memsz = PART,
	    .p_align = PART};
	p[2] = (Elf64_Phdr){.p_type = PT_LOAD,
	    .p_flags = PF_R | PF_W,
	    .p_offset = STACK_OFFSET,
	    .p_vaddr = STACK,
	    .p_filesz = m->stack_size,
	    .p_memsz = PART,
	    .p_align = PART};
	*n = (Elf64_Nhdr){5, PRSTATUS_SIZE, NT_PRSTATUS};
	memcpy(n + 1, "CORE", 5);
	memcpy(desc + PRSTATUS_PID, &pid, sizeof(pid));
	regs[REG_FP] = m->fp;
	regs[REG_BX] = m->bx;
	regs[REG_PC] = m->pc;
	regs[REG_SP] = m->sp;
	memcpy(desc + PRSTATUS_REGS, regs, sizeof(regs));
	memcpy(bytes + CODE_OFFSET, m->code, PART);
	memcpy(bytes + STACK_OFFSET, m->stack, PART);
	test_write_file(path, bytes, FILE_SIZE);
	free(bytes);
}

/* The frames as "offset:trust ...", then the reason of the end. */
static const char *
unwound(const struct machine *m, struct unwind_frame *last)
{
	static char text[2048];
	struct opener_local opener;
	struct target_options options = {0};
	struct budget budget;
	struct target *t;
	struct target_thread *threads;
	struct unwinder *u;
	struct unwind_stack s;
	bt_error_t e = {0};
	size_t n = 0;

	write_core(m, test_path("core"));
	budget_init(&budget, 100000, 0);
	assert_ok(opener_local_init(&opener, NULL, &e), &e);
	options.opener = options.finder.opener = &opener.base;
	options.finder.dirs = debugfile_default_dirs;
	options.core_path = test_path("core");
	options.budget = &budget;
	assert_ok(target_core_open(&options, &t, &e), &e);
	assert_uint(target_threads(t, &threads), 1);
	u = unwinder_create(t, &budget);
	assert_not_null(u);
	unwind_stack_init(&s, 200);
	unwind_thread(u, &threads[0], &s);
	for (size_t i = 0; i < s.frames.count && n < sizeof(text) - 100; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%llx:%s ",
		    (unsigned long long)(s.frames.items[i]->pc >= CODE
			    ? s.frames.items[i]->pc - CODE
			    : s.frames.items[i]->pc),
		    unwind_trust_name(s.frames.items[i]->trust));
	snprintf(text + n, sizeof(text) - n, "%s", unwind_stop_text(s.stop));
	if (last != NULL)
		memcpy(last, s.frames.items[s.frames.count - 1], s.frame_size);
	unwind_stack_deinit(&s);
	unwinder_destroy(u);
	target_close(t);
	opener_local_deinit(&opener);
	return text;
}

TEST(call_through_null)
{
	struct machine m;
	struct unwind_frame last;

	machine_init(&m);
	m.pc = 0;
	m.sp = stack_at(4);
	m.bx = 42;
	m.stack[4] = CODE + INDIRECT_RET;
	expect_str(
	    unwound(&m, &last), "0:context 306:return_slot end of stack");
	expect_uint(last.regs.value[ARCH_SP], stack_at(5));
	expect_uint(last.regs.value[3], 42);
	expect_false(last.exact_pc);
	/* What is there is no return address. */
	m.stack[4] = CODE + INDIRECT;
	expect_str(unwound(&m, NULL), "0:context no unwind information");
	m.sp = 16;
	expect_str(unwound(&m, NULL), "0:context stack memory unreadable");
}

TEST(frame_pointers)
{
	struct machine m;
	struct unwind_frame last;

	machine_init(&m);
	m.pc = CODE + FRAMED + 8;
	m.sp = stack_at(2);
	m.fp = stack_at(4);
	m.bx = 42;
	m.stack[4] = stack_at(8);
	m.stack[5] = CODE + FRAMED_RET;
	m.stack[8] = stack_at(12);
	m.stack[9] = CODE + INDIRECT_RET;
	m.stack[12] = 0;
	m.stack[13] = CODE + INDIRECT_RET;
	expect_str(unwound(&m, &last),
	    "108:context 10d:fp 306:fp 306:fp end of stack");
	expect_uint(last.regs.value[ARCH_SP], stack_at(14));
	/* The chain's first caller is known to keep the register, the others
	 * are not. */
	expect_false(last.regs.known >> 3 & 1);
	/* A zero return address is an end too. */
	m.stack[13] = 0;
	expect_str(unwound(&m, NULL), "108:context 10d:fp 306:fp end of stack");
	/* What the frame pointer points to is not in the core. */
	m.stack_size = stack_at(4) - STACK;
	expect_str(unwound(&m, NULL), "108:context stack memory unreadable");
	/* It points nowhere: it is no frame pointer. */
	m.fp = 0x123450;
	expect_str(unwound(&m, NULL), "108:context no unwind information");
}

TEST(frame_pointer_cycles)
{
	struct machine m;

	machine_init(&m);
	m.pc = CODE + INDIRECT_RET;
	m.sp = stack_at(2);
	m.fp = stack_at(4);
	m.stack[4] = stack_at(4); /* itself */
	m.stack[5] = CODE + INDIRECT_RET;
	expect_str(
	    unwound(&m, NULL), "306:context 306:fp no unwind information");
	m.stack[4] = stack_at(8); /* and back */
	m.stack[8] = stack_at(4);
	m.stack[9] = CODE + INDIRECT_RET;
	expect_str(unwound(&m, NULL),
	    "306:context 306:fp 306:fp no unwind information");
	m.fp = stack_at(4) + 4; /* not aligned */
	expect_str(unwound(&m, NULL), "306:context no unwind information");
}

/* At a function's edges its frame pointer is still, or again, the caller's. */
TEST(edges)
{
	static const struct {
		unsigned pc, word;
	} cases[] = {{FRAMED, 4}, {FRAMED + 1, 5}, {FRAMED + 14, 4}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct machine m;
		char want[100];

		machine_init(&m);
		m.pc = CODE + cases[i].pc;
		m.sp = stack_at(4);
		m.fp = stack_at(10);	   /* the caller's */
		m.stack[4] = stack_at(10); /* pushed */
		m.stack[cases[i].word] = CODE + INDIRECT_RET;
		m.stack[10] = 0;
		m.stack[11] = CODE + INDIRECT_RET;
		snprintf(want, sizeof(want),
		    "%x:context 306:prologue 306:fp end of stack", cases[i].pc);
		expect_str(unwound(&m, NULL), want);
	}
}

/* No frame pointer, no symbol: the call on the stack names the function. */
TEST(function_named_by_its_call)
{
	struct machine m;
	struct unwind_frame last;

	machine_init(&m);
	m.pc = CODE + BARE_RET;
	m.sp = stack_at(2);
	m.fp = 0x1234; /* anything */
	m.bx = 1;
	m.stack[3] = CODE + OTHER_RET; /* stale: another function's call */
	m.stack[4] = CODE + BARE_RET;  /* stale: not at the CFA */
	m.stack[6] = 2;		       /* saved by the innermost frame */
	m.stack[7] = CODE + BARE_RET;
	m.stack[12] = 3;
	m.stack[13] = 0;
	expect_str(unwound(&m, &last),
	    "20a:context 20a:prologue no unwind information");
	expect_uint(last.regs.value[ARCH_SP], stack_at(8));
	expect_uint(last.regs.value[3], 2);
	expect_uint(last.regs.value[ARCH_FP], 0x1234);
}

/* A frame pointer of an outer frame must not skip the caller. */
TEST(outer_frame_pointer)
{
	struct machine m;

	machine_init(&m);
	m.pc = CODE + BARE_RET;
	m.sp = stack_at(2);
	m.fp = stack_at(22);
	m.stack[7] = CODE + BARE_RET;
	m.stack[13] = CODE + BARE_RET;
	m.stack[19] = CODE + INDIRECT_RET;
	m.stack[22] = 0;
	m.stack[23] = CODE + INDIRECT_RET;
	expect_str(unwound(&m, NULL),
	    "20a:context 20a:prologue 20a:prologue 306:prologue 306:fp "
	    "end of stack");
	/* The call at the frame pointer went elsewhere, and the chain ends:
	 * not believed. */
	m.stack[7] = m.stack[13] = m.stack[19] = 1;
	m.stack[23] = CODE + OTHER_RET;
	expect_str(unwound(&m, NULL), "20a:context no unwind information");
	/* It went elsewhere, which may have jumped here: the chain goes on. */
	m.stack[22] = stack_at(30);
	expect_str(unwound(&m, NULL), "20a:context 505:fp end of stack");
}

TEST(signal_trampoline)
{
	struct machine m;
	struct unwind_frame last;
	uint64_t *context;

	machine_init(&m);
	m.pc = CODE + FRAMED + 8;
	m.sp = stack_at(2);
	m.fp = stack_at(4);
	m.stack[4] = 99;
	m.stack[5] = CODE + TRAMPOLINE; /* the handler's return address */
	context = &m.stack[6 + UCONTEXT_REGS];
	context[10] = 0;		   /* fp */
	context[11] = 55;		   /* bx */
	context[15] = stack_at(60);	   /* sp */
	context[16] = CODE + INDIRECT + 4; /* pc */
	expect_str(unwound(&m, &last),
	    "108:context 400:fp 304:cfi no unwind information");
	expect_uint(last.regs.value[3], 55);
	expect_uint(last.regs.value[ARCH_SP], stack_at(60));
	expect_true(last.exact_pc);
	/* The interrupted frame is as it was, even if it is nowhere. */
	context[16] = 0x10;
	expect_str(unwound(&m, NULL),
	    "108:context 400:fp 10:cfi no unwind information");
	/* Cut off below the context. */
	m.stack_size = stack_at(12) - STACK;
	expect_str(
	    unwound(&m, NULL), "108:context 400:fp stack memory unreadable");
}

/* A context that interrupted the trampoline itself. */
TEST(signal_frame_cycle)
{
	struct machine m;
	const char *text;

	machine_init(&m);
	m.pc = CODE + TRAMPOLINE;
	m.sp = stack_at(6);
	m.stack[6 + UCONTEXT_REGS + 15] = stack_at(6);
	m.stack[6 + UCONTEXT_REGS + 16] = CODE + TRAMPOLINE;
	text = unwound(&m, NULL);
	expect_contains(text, "stack does not progress");
	expect_true(strlen(text) < 1000);
}

TEST(no_registers)
{
	struct target_thread thread = {.tid = 1};
	struct unwind_stack s;
	struct unwinder *u;
	struct target *t;
	struct opener_local opener;
	struct target_options options = {0};
	struct machine m;
	bt_error_t e = {0};

	machine_init(&m);
	write_core(&m, test_path("core"));
	assert_ok(opener_local_init(&opener, NULL, &e), &e);
	options.opener = options.finder.opener = &opener.base;
	options.core_path = test_path("core");
	options.finder.dirs = debugfile_default_dirs;
	assert_ok(target_core_open(&options, &t, &e), &e);
	u = unwinder_create(t, NULL);
	assert_not_null(u);
	unwind_stack_init(&s, 0);
	unwind_thread(u, &thread, &s);
	expect_int(s.stop, UNWIND_STOP_NO_REGISTERS);
	expect_uint(s.frames.count, 0);
	unwind_stack_deinit(&s);
	unwinder_destroy(u);
	unwinder_destroy(NULL);
	target_close(t);
	opener_local_deinit(&opener);
}

TEST(names)
{
	for (unsigned i = 0; i < UNWIND_TRUST__COUNT; i++)
		expect_not_null(unwind_trust_name((enum unwind_trust)i));
	for (unsigned i = 0; i < UNWIND_STOP__COUNT; i++)
		expect_not_null(unwind_stop_text((enum unwind_stop)i));
	expect_str(unwind_trust_name(UNWIND_TRUST__COUNT), "unknown");
	expect_str(unwind_stop_text(UNWIND_STOP__COUNT), "unknown");
}
