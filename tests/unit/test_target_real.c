/* SPDX-License-Identifier: MIT */
/*
 * A core of a real program, against what its debugger and the program itself
 * say: registers of all threads, memory, mappings, modules, thread-local
 * variables. The program is compiled and crashes under gdb, which writes the
 * core; where the machine writes plain cores itself, one of those is used,
 * too.
 */
#include <inttypes.h>
#include <signal.h>
#include <unistd.h>

#include "base/text.h"
#include "unit/target_fixture.h"

static const char library[] =
    "__thread long lib_tls = 5;\n"
    "static __thread char pad[3000];\n"
    "long *lib_address(void) { pad[7] = 1; return &lib_tls; }\n";

static const char program[] =
    "#define _GNU_SOURCE\n"
    "#include <dlfcn.h>\n"
    "#include <errno.h>\n"
    "#include <pthread.h>\n"
    "#include <stdio.h>\n"
    "#include <stdlib.h>\n"
    "#include <sys/syscall.h>\n"
    "#include <unistd.h>\n"
    "__thread int exe_tls = 42;\n"
    "static __thread char exe_pad[100];\n"
    "static long *(*lib_address)(void);\n"
    "static pthread_barrier_t ready;\n"
    "static FILE *facts;\n"
    "static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;\n"
    "static void tell(int use) {\n"
    "	exe_pad[3] = 1;\n"
    "	pthread_mutex_lock(&lock);\n"
    "	fprintf(facts, \"tls %ld %p %p %p\\n\", syscall(SYS_gettid),\n"
    "	    (void *)&exe_tls, use ? (void *)lib_address() : NULL,\n"
    "	    (void *)&errno);\n"
    "	pthread_mutex_unlock(&lock);\n"
    "}\n"
    "static void *work(void *p) {\n"
    "	exe_tls = 100 + (int)(long)p;\n"
    "	tell((long)p != 2);\n"
    "	pthread_barrier_wait(&ready);\n"
    "	for (;;) pause();\n"
    "}\n"
    "int main(int argc, char **argv) {\n"
    "	char line[4096];\n"
    "	pthread_t t;\n"
    "	FILE *maps;\n"
    "	void *lib = dlopen(argv[1], RTLD_NOW);\n"
    "	facts = fopen(argv[2], \"w\");\n"
    "	if (argc != 3 || !lib || !facts) return 1;\n"
    "	lib_address = (long *(*)(void))dlsym(lib, \"lib_address\");\n"
    "	pthread_barrier_init(&ready, NULL, 4);\n"
    "	for (long i = 0; i < 3; i++)\n"
    "		pthread_create(&t, NULL, work, (void *)i);\n"
    "	tell(1);\n"
    "	pthread_barrier_wait(&ready);\n"
    "	usleep(20000);\n"
    "	maps = fopen(\"/proc/self/maps\", \"r\");\n"
    "	while (fgets(line, sizeof(line), maps))\n"
    "		fprintf(facts, \"map %s\", line);\n"
    "	fclose(facts);\n"
    "	__asm__ volatile(\"movq $0x1122334455667788, %%rax\\n\"\n"
    "	    \"movq %%rax, %%xmm5\\n pinsrq $1, %%rsp, %%xmm5\\n\"\n"
    "	    \"fldpi\\n movl $7, 0x18\\n\" ::: \"rax\", \"xmm5\");\n"
    "	return 0;\n"
    "}\n";

static const char commands[] =
    "set pagination off\nset confirm off\nset debuginfod enabled off\n"
    "handle SIGUSR1 nostop\nrun %s %s > /dev/null\n"
    "generate-core-file %s\n"
    "thread apply all -q -- printf \"regs %%#lx %%#lx %%#lx %%#lx %%#lx "
    "%%#lx %%#lx %%#lx %%#lx\\n\", $fs_base, $rip, $rsp, $rbp, $rbx, $r15, "
    "$eflags, $xmm5.v2_int64[0], $xmm5.v2_int64[1]\n"
    "thread 1\n"
    "dump binary memory %s $sp $sp+256\n"
    "dump binary memory %s (char*)&main (char*)&main+64\n"
    "printf \"main %%#lx\\n\", (long)&main\n"
    "kill\n";

static void
build(void)
{
	test_write_file(test_path("lib.c"), library, strlen(library));
	test_write_file(test_path("prog.c"), program, strlen(program));
	if (test_shell("cd %s && gcc -shared -fPIC -o lib.so lib.c && "
		       "gcc -g -O1 -Wl,--build-id -o prog prog.c -pthread",
		test_dir()) != 0)
		skip("cannot compile");
}

/* Runs it under gdb; gdb's words, or skips. */
static char *
debug(void)
{
	char *script = NULL, *said;

	build();
	if (asprintf(&script, commands, test_path("lib.so"), test_path("facts"),
		test_path("core"), test_path("stack"), test_path("text")) < 0)
		fail("out of memory");
	test_write_file(test_path("gdb"), script, strlen(script));
	free(script);
	if (test_shell("gdb -nx -batch -x %s %s > %s 2>&1", test_path("gdb"),
		test_path("prog"), test_path("said")) != 0 ||
	    access(test_path("core"), R_OK) != 0)
		skip("no gdb that can run programs here");
	said = test_read_file(test_path("said"), NULL);
	return said;
}

static struct target_thread *
thread_at(struct target *t, bt_addr_t pointer)
{
	struct target_thread *threads;
	size_t n = target_threads(t, &threads);
	bt_addr_t at;

	for (size_t i = 0; i < n; i++) {
		if (arch_thread_pointer(&threads[i].regs, &at) && at == pointer)
			return &threads[i];
	}
	return NULL;
}

static struct target_thread *
thread_named(struct target *t, uint32_t tid)
{
	struct target_thread *threads;
	size_t n = target_threads(t, &threads);

	for (size_t i = 0; i < n; i++) {
		if (threads[i].tid == tid)
			return &threads[i];
	}
	return NULL;
}

static void
check_registers(struct target *t, const char *said)
{
	static const unsigned numbers[] = {ARCH_PC, ARCH_SP, ARCH_FP, 3, 15};
	unsigned seen = 0;

	for (const char *line = said; line != NULL; line = strchr(line, '\n')) {
		struct target_thread *thread;
		uint64_t v[9], got = 0;
		uint8_t vector[16];

		line += *line == '\n';
		if (sscanf(line,
			"regs %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64
			" %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64
			" %" SCNx64,
			&v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7],
			&v[8]) != 9)
			continue;
		seen++;
		thread = thread_at(t, v[0]);
		assert_not_null(thread);
		for (unsigned i = 0; i < 5; i++) {
			expect_true(
			    regs_get(&thread->regs.regs, numbers[i], &got));
			expect_uint(got, v[1 + i]);
		}
		expect_uint(thread->regs.flags, v[6]);
		expect_uint(arch_reg_bytes(&thread->regs, &thread->regs.regs,
				true, 17 + 5, vector, 16),
		    16);
		expect_mem(vector, &v[7], 16);
	}
	expect_uint(seen, 4);
}

static void
check_memory(struct target *t, const char *said)
{
	struct target_thread *threads;
	uint64_t sp = 0, main_at = 0;
	const char *line = strstr(said, "main 0x");
	uint8_t bytes[256];
	size_t size;
	char *want;

	assert_not_null(line);
	assert_int(sscanf(line, "main %" SCNx64, &main_at), 1);
	assert_uint(target_threads(t, &threads), 4);
	expect_true(threads[0].fault);
	assert_true(regs_get(&threads[0].regs.regs, ARCH_SP, &sp));
	want = test_read_file(test_path("stack"), &size);
	assert_uint(size, 256);
	assert_uint(target_read(t, sp, bytes, 256), 256);
	expect_mem(bytes, want, 256);
	free(want);
	want = test_read_file(test_path("text"), &size);
	assert_uint(size, 64);
	assert_uint(target_read(t, main_at, bytes, 64), 64);
	expect_mem(bytes, want, 64);
	free(want);
	expect_true(target_is_executable(t, main_at));
	expect_false(target_is_executable(t, sp));
}

/* One line of /proc/PID/maps, as the program saw it. */
static bool
check_mapping(struct target *t, const char *line)
{
	const struct target_mapping *m;
	uint64_t start, end, offset;
	char perms[5], path[4096] = "";
	uint32_t want = 0;

	if (sscanf(line,
		"map %" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %*s %4095s",
		&start, &end, perms, &offset, path) < 4)
		return false;
	if (path[0] != '/' && strcmp(path, "[stack]") != 0 &&
	    strcmp(path, "[heap]") != 0 && strcmp(path, "[vdso]") != 0)
		return false;
	printf("%s\n", path);
	want |= perms[0] == 'r' ? TARGET_R : 0;
	want |= perms[1] == 'w' ? TARGET_W : 0;
	want |= perms[2] == 'x' ? TARGET_X : 0;
	m = target_mapping_at(t, end - 1);
	assert_not_null(m);
	expect_str(m->path, path);
	expect_uint(m->end, end);
	expect_uint(m->perms, want);
	if (path[0] == '/') {
		expect_uint(m->start, start);
		expect_uint(m->offset, offset);
	}
	return true;
}

static void
check_mappings(struct target *t, const char *facts)
{
	unsigned seen = 0;

	for (const char *line = facts; line != NULL;
	     line = strchr(line, '\n')) {
		line += *line == '\n';
		seen += check_mapping(t, line);
	}
	expect_true(seen > 15);
}

static void
check_modules(struct target *t)
{
	static const char *const names[] = {
	    "prog", "lib.so", "libc.so.6", "ld-linux-x86-64.so.2", "[vdso]"};
	struct target_module *m;
	size_t n = target_modules(t, &m), found = 0;

	for (size_t i = 0; i < n; i++) {
		const struct image_build_id *id;
		struct image *image = target_module_image(t, &m[i]);

		printf("%s\n", m[i].path);
		assert_not_null(image);
		id = image_build_id(image);
		expect_true(id == NULL || m[i].build_id.size != 0);
		expect_true(
		    id == NULL || image_build_id_equal(id, &m[i].build_id));
		expect_int(m[i].is_exe, strcmp(m[i].name, "prog") == 0);
		for (size_t k = 0; k < 5; k++)
			found += strcmp(m[i].name, names[k]) == 0;
		if (m[i].is_exe) {
			expect_not_null(target_module_debug(t, &m[i]));
			expect_int(m[i].debug_kind, TARGET_DEBUG_DWARF);
		}
	}
	expect_uint(found, 5);
	expect_uint(n, 5);
}

static struct target_module *
module_named(struct target *t, const char *name)
{
	struct target_module *m;
	size_t n = target_modules(t, &m);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(m[i].name, name) == 0)
			return &m[i];
	}
	fail("no module %s", name);
	return NULL;
}

static void
check_tls_of(struct target *t, struct target_thread *thread, const char *module,
    const char *symbol, uint64_t want)
{
	struct target_module *m = module_named(t, module);
	struct image_symbol s;
	bt_addr_t got = 0;
	bt_error_t e;

	assert_not_null(target_module_image(t, m));
	if (!image_symbol_named(m->image, symbol, &s))
		fail("no symbol %s", symbol);
	if (want == 0) {
		expect_code(target_tls_address(t, thread, m, s.value, &got, &e),
		    &e, BT_E_NOTFOUND);
		return;
	}
	expect_ok(target_tls_address(t, thread, m, s.value, &got, &e), &e);
	expect_uint(got, want);
}

static void
check_tls(struct target *t, const char *facts)
{
	unsigned seen = 0;

	for (const char *line = facts; line != NULL;
	     line = strchr(line, '\n')) {
		struct target_thread *thread;
		uint64_t exe, lib = 0;
		char lib_text[32];
		uint32_t tid;

		line += *line == '\n';
		if (sscanf(line, "tls %u %" SCNx64 " %31s", &tid, &exe,
			lib_text) != 3)
			continue;
		seen++;
		(void)sscanf(lib_text, "%" SCNx64, &lib);
		thread = thread_named(t, tid);
		assert_not_null(thread);
		check_tls_of(t, thread, "prog", "exe_tls", exe);
		/* a thread that never called the library has no block */
		check_tls_of(t, thread, "lib.so", "lib_tls", lib);
	}
	expect_uint(seen, 4);
}

TEST_WITHIN(against_gdb, 60)
{
	char *said = debug(), *facts;
	struct opened o;

	facts = test_read_file(test_path("facts"), NULL);
	open_file(&o, test_path("core"), NULL, false);
	if (o.t == NULL)
		fail("%s", o.e.text);
	check_registers(o.t, said);
	check_memory(o.t, said);
	check_mappings(o.t, facts);
	check_modules(o.t);
	check_tls(o.t, facts);
	expect_int(target_signal(o.t)->number, SIGSEGV);
	expect_true(target_signal(o.t)->has_address);
	expect_uint(target_signal(o.t)->address, 0x18);
	expect_str(target_process(o.t)->exe, test_path("prog"));
	close_core(&o);
	free(said);
	free(facts);
}

/* The same by the kernel, with several coredump filters. */
TEST_WITHIN(kernel_cores, 60)
{
	static const char *const filters[] = {"0x33", "0x0", "0x3", "0xff"};

	build();
	for (size_t i = 0; i < 4; i++) {
		struct opened o;
		char *facts;

		(void)test_shell("cd %s && rm -f core core.* && "
				 "(ulimit -c unlimited; echo %s > "
				 "/proc/self/coredump_filter; exec ./prog "
				 "./lib.so facts) > /dev/null 2>&1; "
				 "mv core.* core 2> /dev/null",
		    test_dir(), filters[i]);
		if (access(test_path("core"), R_OK) != 0)
			skip("cores go elsewhere on this machine");
		printf("filter %s\n", filters[i]);
		facts = test_read_file(test_path("facts"), NULL);
		open_file(&o, test_path("core"), NULL, false);
		if (o.t == NULL)
			fail("%s", o.e.text);
		check_mappings(o.t, facts);
		if (i == 0 || i == 3) {
			check_modules(o.t);
			check_tls(o.t, facts);
		} else {
			/* no headers in the core: told by layout */
			expect_contains(
			    warning_of(o.t, "module.unproven"), "build-id");
			expect_not_null(module_named(o.t, "lib.so")->image);
		}
		close_core(&o);
		free(facts);
	}
}

static const char lone_program[] =
    "#include <stdio.h>\n"
    "__thread long filler[3] = {1, 2, 3};\n"
    "__thread int exe_tls __attribute__((aligned(64))) = 42;\n"
    "int main(int argc, char **argv) {\n"
    "	FILE *facts = fopen(argv[1], \"w\");\n"
    "	if (argc != 2 || !facts) return 1;\n"
    "	filler[1] = 4;\n"
    "	fprintf(facts, \"%p %p\\n\", (void *)&exe_tls, (void *)main);\n"
    "	fclose(facts);\n"
    "	*(volatile int *)0x18 = exe_tls;\n"
    "	return 0;\n"
    "}\n";

/* The forms an executable comes in: where it lies, and its thread-locals. */
TEST_WITHIN(executables, 60)
{
	static const char *const flags[] = {"-static", "-static-pie -fPIE",
	    "-no-pie", "-pie -fPIE -Wl,--build-id=none",
	    "-no-pie -Wl,-z,noseparate-code", "-static -Wl,--build-id=none"};

	test_write_file(
	    test_path("lone.c"), lone_program, strlen(lone_program));
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		uint64_t tls_at = 0, main_at = 0;
		struct target_thread *threads;
		struct target_module *m;
		struct image_symbol s;
		const uint8_t *want;
		uint8_t got[32];
		struct opened o;
		char *facts;

		printf("%s\n", flags[i]);
		if (test_shell("cd %s && rm -f core facts && "
			       "gcc -g -O1 -Wl,--build-id %s -o lone lone.c "
			       "> said 2>&1",
			test_dir(), flags[i]) != 0)
			skip("cannot compile with %s", flags[i]);
		if (test_shell("cd %s && gdb -nx -batch -ex 'run facts' -ex "
			       "'generate-core-file core' ./lone > said 2>&1",
			test_dir()) != 0 ||
		    access(test_path("core"), R_OK) != 0)
			skip("no gdb that can run programs here");
		facts = test_read_file(test_path("facts"), NULL);
		assert_int(
		    sscanf(facts, "%" SCNx64 " %" SCNx64, &tls_at, &main_at),
		    2);
		free(facts);
		open_file(&o, test_path("core"), NULL, false);
		if (o.t == NULL)
			fail("%s", o.e.text);
		m = target_module_at(o.t, main_at);
		assert_not_null(m);
		expect_true(m->is_exe);
		assert_not_null(target_module_image(o.t, m));
		assert_true(image_symbol_named(m->image, "main", &s));
		expect_uint(s.value + m->bias, main_at);
		assert_uint(
		    image_read_vaddr(m->image, s.value, sizeof(got), &want),
		    sizeof(got));
		assert_uint(
		    target_read(o.t, main_at, got, sizeof(got)), sizeof(got));
		expect_mem(got, want, sizeof(got));
		assert_uint(target_threads(o.t, &threads), 1);
		check_tls_of(o.t, threads, "lone", "exe_tls", tls_at);
		close_core(&o);
	}
}
