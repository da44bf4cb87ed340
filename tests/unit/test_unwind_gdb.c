/* SPDX-License-Identifier: MIT */
/*
 * Unwinding against GDB: small programs are run to a point inside GDB, which
 * lists each thread's frames (pc, stack pointer, preserved registers) and
 * writes a core of just that moment; the core is then unwound here. Every
 * frame must agree. Frames that exist only in debug information (inlined,
 * tail calls) are left out of GDB's list.
 */
#include "harness/test.h"

#include <elf.h>
#include <unistd.h>

#include "base/opener.h"
#include "unwind/unwind.h"

/* Registers that GDB prints, by DWARF number and by GDB's name. */
static const struct {
	unsigned number;
	const char *name;
} compared[] = {{7, "rsp"}, {3, "rbx"}, {6, "rbp"}, {12, "r12"}, {13, "r13"},
    {14, "r14"}, {15, "r15"}};
enum { N_COMPARED = sizeof(compared) / sizeof(compared[0]) };

static const char gdb_script[] =
    "import gdb\n"
    "real = (gdb.NORMAL_FRAME, gdb.SIGTRAMP_FRAME)\n"
    "names = ('rsp', 'rbx', 'rbp', 'r12', 'r13', 'r14', 'r15')\n"
    "def value(f, name):\n"
    "    try:\n"
    "        return int(f.read_register(name)) & (2**64 - 1)\n"
    "    except (gdb.error, ValueError):\n"
    "        return None\n"
    "def dump(path):\n"
    "    with open(path, 'w') as out:\n"
    "        for t in gdb.selected_inferior().threads():\n"
    "            t.switch()\n"
    "            f = gdb.newest_frame()\n"
    "            while f is not None:\n"
    "                if f.type() in real:\n"
    "                    row = [value(f, n) for n in names]\n"
    "                    row = ['-' if v is None else '%x' % v for v in row]\n"
    "                    out.write('%d %x %d %s\\n' % (t.ptid[1], f.pc(),\n"
    "                        f.type() == gdb.SIGTRAMP_FRAME, ' '.join(row)))\n"
    "                f = f.older()\n"
    "def step_until(name, limit=3000):\n"
    "    for i in range(limit):\n"
    "        s = gdb.execute('info symbol $pc', to_string=True)\n"
    "        if name in s or '.plt' in s:\n"
    "            return\n"
    "        gdb.execute('stepi', to_string=True)\n"
    "    raise gdb.error('never came to ' + name)\n";

struct expected {
	uint32_t tid;
	uint64_t pc;
	bool signal_frame;
	uint64_t reg[N_COMPARED];
	bool known[N_COMPARED];
};

struct session {
	struct opener_local opener;
	struct budget budget;
	struct target *target;
	struct unwinder *unwinder;
	struct unwind_stack stack;
};

static void
session_open(struct session *s, const char *core, const char *exe)
{
	struct target_options options = {0};
	bt_error_t e = {0};

	budget_init(&s->budget, UINT64_C(100000000), 0);
	assert_ok(opener_local_init(&s->opener, NULL, &e), &e);
	options.opener = &s->opener.base;
	options.finder.opener = &s->opener.base;
	options.finder.dirs = debugfile_default_dirs;
	options.core_path = core;
	options.exe_path = exe;
	options.budget = &s->budget;
	assert_ok(target_core_open(&options, &s->target, &e), &e);
	s->unwinder = unwinder_create(s->target, &s->budget);
	assert_not_null(s->unwinder);
	unwind_stack_init(&s->stack, 100000);
}

static void
session_close(struct session *s)
{
	unwind_stack_deinit(&s->stack);
	unwinder_destroy(s->unwinder);
	target_close(s->target);
	opener_local_deinit(&s->opener);
}

static const struct target_thread *
thread_of(struct session *s, uint32_t tid)
{
	struct target_thread *threads;
	size_t n = target_threads(s->target, &threads);

	for (size_t i = 0; i < n; i++) {
		if (threads[i].tid == tid)
			return &threads[i];
	}
	return NULL;
}

static void
show(const char *what, const struct unwind_stack *s)
{
	printf("%s, then: %s\n", what, unwind_stop_text(s->stop));
	for (size_t i = 0; i < s->frames.count; i++) {
		const struct unwind_frame *f = s->frames.items[i];

		printf("  #%zu 0x%llx sp 0x%llx %s %s\n", i,
		    (unsigned long long)f->pc,
		    (unsigned long long)f->regs.value[ARCH_SP],
		    unwind_trust_name(f->trust),
		    f->module != NULL ? f->module->name : "-");
	}
}

static bool
same_frame(const struct unwind_frame *f, const struct expected *want, size_t i)
{
	bool same = f->pc == want->pc && f->signal_frame == want->signal_frame;

	for (unsigned r = 0; r < N_COMPARED; r++) {
		uint64_t value;

		if (regs_get(&f->regs, compared[r].number, &value) == false ||
		    want->known[r] == false)
			continue;
		if (value != want->reg[r]) {
			printf("frame %zu: %s 0x%llx, not 0x%llx\n", i,
			    compared[r].name, (unsigned long long)value,
			    (unsigned long long)want->reg[r]);
			same = false;
		}
	}
	return same;
}

static bool
read_row(const char **text, struct expected *row)
{
	int used = 0, flag;
	unsigned long long pc;

	if (sscanf(*text, "%u %llx %d%n", &row->tid, &pc, &flag, &used) != 3)
		return false;
	row->pc = pc;
	row->signal_frame = flag != 0;
	*text += used;
	for (unsigned r = 0; r < N_COMPARED; r++) {
		char word[20];
		int n = 0;

		if (sscanf(*text, "%19s%n", word, &n) != 1)
			return false;
		*text += n;
		row->known[r] = word[0] != '-';
		row->reg[r] = strtoull(word, NULL, 16);
	}
	return true;
}

/* Compares all threads; how many frames GDB had. */
static size_t
compare(const char *core, const char *exe, const char *listing)
{
	struct session s;
	struct expected row;
	size_t frames = 0, i = 0, size;
	uint32_t tid = 0;
	char *all = test_read_file(listing, &size);
	const char *text = all;

	session_open(&s, core, exe);
	while (read_row(&text, &row)) {
		const struct target_thread *thread;

		if (row.tid != tid) {
			if (tid != 0 && i != s.stack.frames.count) {
				show("more frames than GDB has", &s.stack);
				test_fail(TEST_SOFT, "%zu frames, not %zu",
				    s.stack.frames.count, i);
			}
			tid = row.tid;
			i = 0;
			thread = thread_of(&s, tid);
			assert_not_null(thread);
			unwind_thread(s.unwinder, thread, &s.stack);
			expect_int(s.stack.stop, UNWIND_STOP_END);
		}
		if (i >= s.stack.frames.count ||
		    same_frame(s.stack.frames.items[i], &row, i) == false) {
			show("differs from GDB", &s.stack);
			fail("thread %u, frame %zu: GDB has 0x%llx", tid, i,
			    (unsigned long long)row.pc);
		}
		i++;
		frames++;
	}
	expect_uint(s.stack.frames.count, i);
	session_close(&s);
	free(all);
	return frames;
}

struct program {
	const char *name;
	const char *source;
	const char *compile; /* command without files */
	const char *gdb;     /* commands between start and the listing */
	size_t frames;	     /* GDB must have at least so many */
};

/* Compiles the program, runs it in GDB, leaves a core and GDB's listing. */
static void
make_core(const struct program *p)
{
	const char *source = test_path("p.c"), *exe = test_path("p");
	const char *script = test_path("frames.py");
	const char *core = test_path("core"), *list = test_path("list");
	size_t n;

	if (test_shell("command -v gdb >/dev/null") != 0)
		skip("no gdb");
	test_write_file(source, p->source, strlen(p->source));
	test_write_file(script, gdb_script, sizeof(gdb_script) - 1);
	if (test_shell(
		"%s -w -o %s %s -lpthread 2>&1", p->compile, exe, source) != 0)
		fail("%s: does not compile", p->name);
	unlink(core);
	test_shell("gdb -nx -batch -iex 'set debuginfod enabled off' -ex "
		   "'source %s' -ex 'set backtrace past-main on' -ex 'set "
		   "disable-randomization off' -ex 'set startup-with-shell "
		   "off' %s -ex 'python dump(\"%s\")' -ex 'gcore %s' -ex kill "
		   "%s >%s 2>&1 </dev/null",
	    script, p->gdb, list, core, exe, test_path("gdb.log"));
	if (access(core, R_OK) != 0) {
		printf("%s\n", test_read_file(test_path("gdb.log"), &n));
		fail("%s: gdb wrote no core", p->name);
	}
}

static void
check_program(const struct program *p)
{
	size_t n;

	make_core(p);
	n = compare(test_path("core"), test_path("p"), test_path("list"));
	if (n < p->frames)
		test_fail(TEST_SOFT, "%s: GDB has only %zu frames", p->name, n);
}

#define RUN "-ex run"

/* Recursion, saved registers, a variable-length array, a noreturn call as the
 * last instruction of its function. */
static const char plain[] =
    "#include <stdlib.h>\n"
    "#include <string.h>\n"
    "volatile long sink;\n"
    "__attribute__((noinline,noreturn)) void die(int x)\n"
    "{ sink = x; abort(); }\n"
    "__attribute__((noinline)) int check(int x)\n"
    "{ if (x != 12345) die(x); return x; }\n"
    "__attribute__((noinline)) long array(int n)\n"
    "{ char b[n * 100]; memset(b, n, sizeof b); sink += b[n];\n"
    "  char *p = __builtin_alloca(n * 7); memset(p, 1, n * 7);\n"
    "  long r = check(n); sink += b[n / 2] + p[n]; return r; }\n"
    "__attribute__((noinline)) long down(long a, long b, long c, long d)\n"
    "{ long r = a > 0 ? down(a - 1, b * 3, c + b, d ^ c) : array(b & 31 | 1);\n"
    "  sink += r + a * b - c * d; return r + a + b + c + d; }\n"
    "int main(int c, char **v) { return down(5, c + 1, 2, 3) + c; }\n";

TEST(plain_gcc)
{
	static const struct program programs[] = {
	    {"-O0", plain, "gcc -g -O0", RUN, 15},
	    {"-O2", plain, "gcc -O2 -fno-optimize-sibling-calls", RUN, 13},
	    {"no frame pointer at -O0", plain,
		"gcc -g -O0 -fomit-frame-pointer -no-pie", RUN, 15},
	};

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		check_program(&programs[i]);
}

TEST(plain_clang)
{
	static const struct program programs[] = {
	    {"clang -O0", plain, "clang -g -O0", RUN, 15},
	    {"clang -O2", plain, "clang -g -O2", RUN, 10},
	};

	if (test_shell("command -v clang >/dev/null") != 0)
		skip("no clang");
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		check_program(&programs[i]);
}

TEST(static_programs)
{
	static const struct program programs[] = {
	    {"static", plain, "gcc -g -O2 -static", RUN, 10},
	    {"static-pie", plain, "gcc -g -O2 -static-pie", RUN, 10},
	};

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		check_program(&programs[i]);
}

/* Where the information is: no .eh_frame_hdr, only .debug_frame. */
TEST(sources_of_information)
{
	static const struct program programs[] = {
	    {"no header", plain, "gcc -g -O2 -static -Wl,--no-eh-frame-hdr",
		RUN, 10},
	    {"only .debug_frame", plain,
		"gcc -g -O2 -fno-asynchronous-unwind-tables "
		"-fno-unwind-tables",
		RUN, 10},
	};

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		check_program(&programs[i]);
}

/* Three signals deep, the last one on an alternate stack. */
static const char nested[] =
    "#include <signal.h>\n"
    "#include <stdlib.h>\n"
    "#include <unistd.h>\n"
    "volatile int *null;\n"
    "void segv(int s) { *null = s; }\n"
    "void second(int s) { stack_t k = { .ss_sp = malloc(65536),\n"
    "  .ss_size = 65536 }; sigaltstack(&k, 0); raise(SIGTERM); }\n"
    "void first(int s) { raise(SIGUSR2); }\n"
    "int main(void) { struct sigaction a = { .sa_handler = first };\n"
    "  sigaction(SIGUSR1, &a, 0); a.sa_handler = second;\n"
    "  sigaction(SIGUSR2, &a, 0); a.sa_handler = segv;\n"
    "  a.sa_flags = SA_ONSTACK; sigaction(SIGTERM, &a, 0);\n"
    "  raise(SIGUSR1); return 0; }\n";

/* A trampoline of the program's own, without call frame information. */
static const char trampoline[] =
    "#define _GNU_SOURCE\n"
    "#include <signal.h>\n"
    "#include <sys/syscall.h>\n"
    "#include <unistd.h>\n"
    "volatile int *null; void back(void);\n"
    "__asm__(\".text; nop; back: mov $15,%rax; syscall\");\n"
    "void handler(int s) { *null = s; }\n"
    "struct { void (*h)(int); unsigned long flags; void (*r)(void);\n"
    "  unsigned long mask; } a = { handler, 0x04000000, back, 0 };\n"
    "int main(void) { syscall(SYS_rt_sigaction, SIGUSR1, &a, 0, 8);\n"
    "  return raise(SIGUSR1); }\n";

TEST(nested_signals)
{
#define PASS "-ex 'handle SIGUSR1 SIGUSR2 SIGTERM nostop noprint pass' " RUN
	static const struct program programs[] = {
	    {"dynamic", nested, "gcc -g -O1", PASS, 14},
	    {"static", nested, "gcc -g -O2 -static", PASS, 14},
	    {"no information", trampoline, "gcc -O1 -s", PASS, 7},
	};

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		check_program(&programs[i]);
}

/* A call through a null pointer; threads that wait; one in the vdso. */
static const char waiting[] =
    "#include <pthread.h>\n"
    "#include <time.h>\n"
    "#include <unistd.h>\n"
    "pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;\n"
    "pthread_cond_t c = PTHREAD_COND_INITIALIZER;\n"
    "volatile int n; volatile long sink; long (*volatile f)(long);\n"
    "__attribute__((noinline)) void waits(int x) { pthread_mutex_lock(&m);\n"
    "  n++; while (x) pthread_cond_wait(&c, &m); }\n"
    "void *waiter(void *p) { waits(1 + (p == 0)); return p; }\n"
    "void *clocks(void *p) { struct timespec t; n++;\n"
    "  for (;;) { clock_gettime(CLOCK_MONOTONIC, &t); sink += t.tv_nsec; } }\n"
    "__attribute__((noinline)) long jump(long x) { return f(x + 1) + x; }\n"
    "int main(void) { pthread_t t; for (int i = 0; i < 4; i++)\n"
    "  pthread_create(&t, 0, i < 3 ? waiter : clocks, 0);\n"
    "  while (n < 4) usleep(1000); usleep(20000); return jump(3); }\n";

TEST(threads_and_null_call)
{
	static const struct program programs[] = {
	    {"-O2", waiting, "gcc -g -O2", RUN, 25},
	    {"-O0", waiting, "gcc -g -O0", RUN, 25},
	};

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		check_program(&programs[i]);
}

static const char linkage[] =
    "#include <stdlib.h>\n"
    "#include <unistd.h>\n"
    "__attribute__((noinline)) long f(long x) { return getppid() + x; }\n"
    "int main(int c, char **v) { return f(c) + f(c + 1); }\n";

/* Stopped in a PLT entry, at its jump and behind its push, and in the lazy
 * binder. */
TEST(linkage_stubs)
{
#define LAZY "gcc -g -O1 -Wl,-z,lazy -fcf-protection=none"
#define IN_PLT "-ex 'break f' " RUN " -ex 'python step_until(\"@plt\")'"
	static const struct program programs[] = {
	    {"entry", linkage, LAZY, IN_PLT, 5},
	    {"behind the jump", linkage, LAZY, IN_PLT " -ex stepi", 5},
	    {"behind the push", linkage, LAZY, IN_PLT " -ex stepi -ex stepi",
		5},
	    {"in the header", linkage, LAZY,
		IN_PLT " -ex stepi -ex stepi -ex stepi -ex stepi", 5},
	    {"in the binder", linkage, LAZY,
		IN_PLT " -ex stepi -ex stepi -ex stepi -ex stepi -ex stepi "
		       "-ex stepi -ex stepi -ex stepi -ex stepi -ex stepi",
		6},
	};

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		check_program(&programs[i]);
}

/* Every instruction of a few functions: prologues and epilogues are where
 * unwinders go wrong. */
static const char stepping[] =
    "volatile long sink;\n"
    "__attribute__((noinline)) long leaf(long a) { sink += a; return a ^ 5; }\n"
    "__attribute__((noinline)) long mid(long a, long b, long c)\n"
    "{ long x = leaf(a) + b; for (long i = 0; i < 2; i++)\n"
    "  x += leaf(x) * c; return x + a + b; }\n"
    "int main(int c, char **v) { return mid(c, 2, 3); }\n";

TEST_WITHIN(every_instruction, 60)
{
	static const struct program programs[] = {
	    {"-O0", stepping, "gcc -O0", NULL, 0},
	    {"-O2", stepping, "gcc -O2", NULL, 0},
	};
	char commands[256];

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		for (int steps = 1; steps <= 22; steps += 7) {
			struct program p = programs[i];

			snprintf(commands, sizeof(commands),
			    "-ex 'break *mid' " RUN " -ex 'stepi %d'", steps);
			p.gdb = commands;
			p.frames = 5;
			check_program(&p);
		}
	}
}

/* The function symbol of a frame, "?" without one. */
static const char *
function_of(struct session *s, const struct unwind_frame *f)
{
	struct image_symbol symbol;
	struct image *image;

	if (f->module == NULL ||
	    (image = target_module_image(s->target, f->module)) == NULL ||
	    image_symbol_at(
		image, unwind_lookup_pc(f) - f->module->bias, &symbol) == false)
		return "?";
	return symbol.name;
}

/* The program's own functions, innermost first, and how each was found. */
static void
expect_functions(const char *exe, const char *want)
{
	char found[1024] = "";
	struct session s;
	struct target_thread *threads;

	session_open(&s, test_path("core"), exe);
	assert_true(target_threads(s.target, &threads) > 0);
	unwind_thread(s.unwinder, &threads[0], &s.stack);
	for (size_t i = 0; i < s.stack.frames.count; i++) {
		const struct unwind_frame *f = s.stack.frames.items[i];
		size_t n = strlen(found);

		if (f->module != NULL && f->module->is_exe)
			snprintf(found + n, sizeof(found) - n, "%s:%s ",
			    function_of(&s, f), unwind_trust_name(f->trust));
	}
	expect_str(found, want);
	expect_int(s.stack.stop, UNWIND_STOP_END);
	session_close(&s);
}

/* GDB loses these: code without any call frame information. */
TEST(no_information)
{
#define BARE                                                                   \
	" -fno-asynchronous-unwind-tables -fno-unwind-tables "                 \
	"-fno-optimize-sibling-calls"
	static const struct program framed = {"frame pointers", plain,
	    "gcc -O1 -fno-omit-frame-pointer" BARE, RUN, 0};
	static const struct program bare = {"no frame pointers", plain,
	    "gcc -O1 -fomit-frame-pointer" BARE, RUN, 0};

	make_core(&framed);
	expect_functions(test_path("p"),
	    "die:cfi check:fp array:fp down:fp down:fp down:fp down:fp down:fp "
	    "down:fp main:fp _start:cfi ");
	test_shell("strip -o %s %s", test_path("stripped"), test_path("p"));
	expect_functions(test_path("stripped"),
	    "?:cfi ?:fp ?:fp ?:fp ?:fp ?:fp ?:fp ?:fp ?:fp ?:fp ?:cfi ");
	/* array() has to keep a frame pointer: its stack is of variable size.
	 */
	make_core(&bare);
	expect_functions(test_path("p"),
	    "die:cfi check:prologue array:prologue down:fp down:prologue "
	    "down:prologue down:prologue down:prologue down:prologue "
	    "main:prologue _start:cfi ");
	test_shell("strip -o %s %s", test_path("stripped"), test_path("p"));
	expect_functions(test_path("stripped"),
	    "?:cfi ?:prologue ?:prologue ?:fp ?:prologue ?:prologue ?:prologue "
	    "?:prologue ?:prologue ?:prologue ?:cfi ");
}

/* An executable whose section table is gone still has its program headers. */
TEST(no_section_table)
{
	static const struct program program = {
	    "", plain, "gcc -g -O2 -fno-optimize-sibling-calls", RUN, 0};
	const char *exe = test_path("sectionless");
	Elf64_Ehdr *header;
	size_t size;
	char *bytes;

	make_core(&program);
	bytes = test_read_file(test_path("p"), &size);
	header = (Elf64_Ehdr *)(void *)bytes;
	header->e_shoff = 0;
	header->e_shnum = header->e_shstrndx = 0;
	test_write_file(exe, bytes, size);
	free(bytes);
	compare(test_path("core"), exe, test_path("list"));
}

/* A call through a null pointer keeps every register: nothing ran. */
TEST(null_call_registers)
{
	static const struct program program = {
	    "", waiting, "gcc -g -O2", RUN, 0};
	struct session s;
	struct target_thread *list;
	size_t n;

	make_core(&program);
	session_open(&s, test_path("core"), test_path("p"));
	n = target_threads(s.target, &list);
	for (size_t i = 0; i < n; i++) {
		unwind_thread(s.unwinder, &list[i], &s.stack);
		assert_true(s.stack.frames.count > 2);
		if (s.stack.frames.items[0]->pc != 0)
			continue;
		expect_int(s.stack.frames.items[1]->trust, UNWIND_RETURN_SLOT);
		expect_uint(s.stack.frames.items[1]->regs.known,
		    s.stack.frames.items[0]->regs.known);
		expect_int(s.stack.frames.items[2]->trust, UNWIND_CFI);
		expect_false(s.stack.frames.items[2]->regs.known & 1);
	}
	session_close(&s);
}

static const char smashed[] =
    "#include <stdlib.h>\n"
    "#include <string.h>\n"
    "volatile long sink; void (*volatile stop)(void) = abort;\n"
    "__attribute__((noinline)) void smash(long n) { volatile char b[16];\n"
    "  for (long i = 0; i < n; i++) b[i] = 0x41; stop(); }\n"
    "__attribute__((noinline)) long outer(long n) { smash(n); sink++;\n"
    "  return n; }\n"
    "__attribute__((noinline)) long outermost(long n)\n"
    "{ long r = outer(n); sink++; return r + 1; }\n"
    "int main(int c, char **v) { return (int)outermost(c + 31) + c; }\n";

/* An overwritten return address: what comes after is marked as found. */
TEST(smashed_stack)
{
	static const struct program program = {"", smashed,
	    "gcc -g -O2 -fno-stack-protector -fno-optimize-sibling-calls", RUN,
	    0};

	make_core(&program);
	expect_functions(
	    test_path("p"), "smash:cfi outermost:scan main:cfi _start:cfi ");
}

static const char redirected[] =
    "#include <stdlib.h>\n"
    "volatile long sink; int main(int c, char **v);\n"
    "__attribute__((noinline)) void redirect(long n) {\n"
    "  long *frame = __builtin_frame_address(0);\n"
    "  frame[1] = (long)main + n; abort(); }\n"
    "__attribute__((noinline)) long outer(long n) { redirect(n); sink++;\n"
    "  return n; }\n"
    "int main(int c, char **v) { long r = outer(c + 4); sink++;\n"
    "  return (int)r + c; }\n";

/* A return address in executable memory that follows no call: the frame it
 * would name is none. */
TEST(overwritten_return_address)
{
	static const struct program program = {
	    "", redirected, "gcc -g -O2 -fno-optimize-sibling-calls", RUN, 0};

	make_core(&program);
	expect_functions(test_path("p"), "redirect:cfi main:scan _start:cfi ");
}

/* The same stack with few places: both ends are kept, in order. */
TEST(frame_limit)
{
	static const struct program program = {
	    "", plain, "gcc -g -O2 -fno-optimize-sibling-calls", RUN, 0};
	struct session s;
	struct target_thread *list;
	struct unwind_stack few;

	make_core(&program);
	session_open(&s, test_path("core"), test_path("p"));
	assert_true(target_threads(s.target, &list) > 0);
	unwind_thread(s.unwinder, &list[0], &s.stack);
	for (size_t limit = 4; limit <= s.stack.frames.count + 1; limit++) {
		size_t all = s.stack.frames.count;
		size_t kept = limit < all ? limit : all;
		struct unwind_frame *const *f = s.stack.frames.items;

		unwind_stack_init(&few, limit);
		unwind_thread(s.unwinder, &list[0], &few);
		expect_int(few.stop, UNWIND_STOP_END);
		assert_uint(few.frames.count, kept);
		expect_uint(few.skipped, all - kept);
		for (size_t i = 0; i < kept; i++) {
			size_t real = i;

			if (few.skipped != 0 && i >= few.skipped_at)
				real = i + (size_t)few.skipped;
			expect_uint(few.frames.items[i]->regs.value[ARCH_SP],
			    f[real]->regs.value[ARCH_SP]);
		}
		/* Without going on to the end. */
		expect_true(unwind_innermost(s.unwinder, &list[0], limit,
				&few) == (limit > all));
		assert_uint(few.frames.count, limit < all ? limit : all);
		for (size_t i = 0; i < few.frames.count; i++)
			expect_uint(few.frames.items[i]->cfa, f[i]->cfa);
		expect_uint(few.skipped, 0);
		unwind_stack_deinit(&few);
	}
	session_close(&s);
}

/* The stack's bytes in the core file: its segment that holds sp. */
static uint8_t *
stack_bytes(uint8_t *core, uint64_t sp, size_t *size)
{
	const Elf64_Ehdr *h = (const void *)core;
	const Elf64_Phdr *p = (const void *)(core + h->e_phoff);

	for (unsigned i = 0; i < h->e_phnum; i++) {
		if (p[i].p_type == PT_LOAD &&
		    sp - p[i].p_vaddr < p[i].p_filesz) {
			*size = (size_t)(p[i].p_filesz - (sp - p[i].p_vaddr));
			return core + p[i].p_offset + (sp - p[i].p_vaddr);
		}
	}
	fail("no stack in the core");
	return NULL;
}

/* Whatever the stack holds: an end, and no caller outside of code. */
static void
check_hostile(const char *core, const char *what)
{
	struct session s;
	struct target_thread *list;

	session_open(&s, core, test_path("p"));
	assert_true(target_threads(s.target, &list) > 0);
	unwind_thread(s.unwinder, &list[0], &s.stack);
	assert_true(s.stack.frames.count > 0);
	expect_true(s.stack.stop < UNWIND_STOP__COUNT);
	for (size_t i = 1; i < s.stack.frames.count; i++) {
		const struct unwind_frame *f = s.stack.frames.items[i];

		if (s.stack.frames.items[i - 1]->signal_frame == false &&
		    target_is_executable(s.target, f->pc - 1) == false)
			test_fail(TEST_SOFT, "%s: frame %zu at 0x%llx", what, i,
			    (unsigned long long)f->pc);
	}
	session_close(&s);
}

/*
 * Stacks filled with their own address, with one return address, with pointers
 * to themselves; random words overwritten, among them signal frames.
 */
TEST_WITHIN(hostile_stacks, 60)
{
	static const struct program program = {
	    "", nested, "gcc -g -O1", PASS, 0};
	const char *core = test_path("hostile");
	struct session s;
	struct target_thread *list;
	size_t size, n = 0;
	uint64_t sp, pc, x = 88172645463325252u;
	uint8_t *good, *bad, *stack;

	make_core(&program);
	session_open(&s, test_path("core"), test_path("p"));
	assert_true(target_threads(s.target, &list) > 0);
	unwind_thread(s.unwinder, &list[0], &s.stack);
	assert_true(s.stack.frames.count > 5);
	sp = s.stack.frames.items[4]->regs.value[ARCH_SP];
	pc = s.stack.frames.items[4]->pc;
	session_close(&s);
	good = (uint8_t *)test_read_file(test_path("core"), &size);
	bad = malloc(size);
	assert_not_null(bad);
	for (unsigned round = 0; round < 60; round++) {
		memcpy(bad, good, size);
		stack = stack_bytes(bad, sp, &n);
		for (size_t i = 0; i + 8 <= n; i += 8) {
			uint64_t value = sp + i;

			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			if (round == 1)
				value = sp;
			else if (round == 2)
				value = pc;
			else if (round == 3)
				value = i % 16 == 0 ? sp + i : pc;
			else if (round == 4)
				value = sp - i;
			else if (round > 4 && x % 16 != 0)
				continue;
			else if (round > 4 && (x & 32) != 0)
				value = (x & 64) != 0 ? pc : sp + x % n;
			else if (round > 4)
				value = x;
			memcpy(stack + i, &value, sizeof(value));
		}
		test_write_file(core, bad, size);
		check_hostile(core, "overwritten");
	}
	free(bad);
	free(good);
}

/* A core that ends inside the stack: what is there, then the address. */
TEST(truncated_stack)
{
	static const struct program program = {"", plain, "gcc -g -O0", RUN, 0};
	const char *core = test_path("short");
	struct session s;
	struct target_thread *list;
	Elf64_Ehdr *h;
	Elf64_Phdr *p;
	uint64_t cut;
	size_t size, whole;
	uint8_t *bytes;

	make_core(&program);
	session_open(&s, test_path("core"), test_path("p"));
	assert_true(target_threads(s.target, &list) > 0);
	unwind_thread(s.unwinder, &list[0], &s.stack);
	whole = s.stack.frames.count;
	assert_true(whole > 12);
	cut = s.stack.frames.items[9]->regs.value[ARCH_SP];
	session_close(&s);
	bytes = (uint8_t *)test_read_file(test_path("core"), &size);
	h = (void *)bytes;
	p = (void *)(bytes + h->e_phoff);
	for (unsigned i = 0; i < h->e_phnum; i++) {
		if (p[i].p_type == PT_LOAD &&
		    cut - p[i].p_vaddr < p[i].p_filesz)
			p[i].p_filesz = cut - p[i].p_vaddr;
	}
	test_write_file(core, bytes, size);
	free(bytes);
	session_open(&s, core, test_path("p"));
	assert_true(target_threads(s.target, &list) > 0);
	unwind_thread(s.unwinder, &list[0], &s.stack);
	expect_uint(s.stack.frames.count, 10);
	expect_int(s.stack.stop, UNWIND_STOP_UNREADABLE);
	expect_true(s.stack.stop_address >= cut);
	session_close(&s);
}

/* Single steps from a frame of the caller's own give the walk's frames. */
TEST(single_steps)
{
	static const struct program program = {
	    "", nested, "gcc -g -O1", PASS, 0};
	struct session s;
	struct target_thread *list;
	struct unwind_frame f, caller;
	enum unwind_stop stop;
	bt_addr_t address, start, end;

	make_core(&program);
	session_open(&s, test_path("core"), test_path("p"));
	assert_true(target_threads(s.target, &list) > 0);
	unwind_thread(s.unwinder, &list[0], &s.stack);
	memcpy(&f, s.stack.frames.items[0], s.stack.frame_size);
	for (size_t i = 1; i < s.stack.frames.count; i++) {
		assert_true(unwind_step(
		    s.unwinder, &f, i == 1, &caller, &stop, &address));
		expect_uint(caller.pc, s.stack.frames.items[i]->pc);
		expect_uint(caller.cfa, s.stack.frames.items[i]->cfa);
		expect_int(caller.exact_pc, s.stack.frames.items[i]->exact_pc);
		f = caller;
	}
	expect_false(
	    unwind_step(s.unwinder, &f, false, &caller, &stop, &address));
	expect_int(stop, UNWIND_STOP_END);
	assert_true(unwind_function_range(
	    s.unwinder, unwind_lookup_pc(&f), &start, &end));
	expect_true(
	    start <= unwind_lookup_pc(&f) && unwind_lookup_pc(&f) < end);
	expect_false(unwind_function_range(s.unwinder, 16, &start, &end));
	expect_true(unwinder_stats(s.unwinder)->rule_hits > 0);
	session_close(&s);
}
