/* SPDX-License-Identifier: MIT */
/*
 * Captures of processes that the test makes, as a library: what is copied,
 * what is read afterwards, what is left when it ends; all from memory whose
 * contents are known.
 */
#include "target/live.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/test.h"
#include "target/capture_private.h"

enum { PAGE = 4096, FAR_PAGES = 300 };

struct place { /* shared with the child */
	volatile int ready;
	volatile int go;
	uint8_t *volatile heap;
	uint8_t *volatile far;
	uint8_t *volatile guarded;
	volatile uint64_t stack_word; /* its address in the child */
};

static struct place *
place_new(void)
{
	void *p = mmap(NULL, sizeof(struct place), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(p != MAP_FAILED);
	return p;
}

static uint8_t *
map_pages(size_t n)
{
	uint8_t *p = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(p != MAP_FAILED);
	return p;
}

static void __attribute__((noinline)) child_waits(struct place *p)
{
	volatile uint64_t word = UINT64_C(0x1122334455667788);
	uint8_t *volatile pointer = p->heap;

	p->stack_word = (uint64_t)(uintptr_t)&word;
	p->ready = 1;
	while (p->go == 0)
		usleep(500);
	(void)pointer;
}

/* A child that has pages on its stack, pages its stack points to, pages that
 * nothing points to, and a page that cannot be read. */
static pid_t
child_start(struct place *p)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		p->heap = map_pages(1);
		memset(p->heap, 0xaa, PAGE);
		/* A page behind it that is not readable ends the mapping. */
		p->far = map_pages(FAR_PAGES);
		for (int i = 0; i < FAR_PAGES; i++)
			p->far[i * PAGE] = (uint8_t)i;
		p->guarded = p->far + 100 * PAGE;
		(void)mprotect(p->guarded, PAGE, PROT_NONE);
		child_waits(p);
		_exit(0);
	}
	while (p->ready == 0)
		usleep(500);
	return pid;
}

static struct capture *
captured(pid_t pid, uint64_t max_pause_ns)
{
	struct capture_options options = {
	    .pid = pid, .max_pause_ns = max_pause_ns};
	struct capture *c;
	bt_error_t e;

	assert_ok(capture_open(&options, &c, &e), &e);
	assert_int(capture_take(c), CAPTURE_DONE);
	assert_int(c->progress, CAPTURE_COMPLETE);
	assert_true(capture_seal(c));
	return c;
}

static struct target *
opened(const struct capture *c, struct opener_local *opener)
{
	struct target_options options = {.opener = &opener->base};
	struct target *t;
	bt_error_t e;

	assert_ok(opener_local_init(opener, NULL, &e), &e);
	assert_ok(target_live_open(&options, c, &t, &e), &e);
	return t;
}

static void
end(pid_t pid)
{
	int status;

	(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
}

static bool
warned(const struct target *t, const char *code)
{
	const struct target_warning *w;
	size_t n = target_warnings(t, &w);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(w[i].code, code) == 0)
			return true;
	}
	return false;
}

TEST(memory_during_and_after)
{
	struct place *p = place_new();
	pid_t pid = child_start(p);
	struct capture *c = captured(pid, 0);
	struct opener_local opener;
	struct target *t = opened(c, &opener);
	uint64_t far = (uint64_t)(uintptr_t)p->far, word = 0;
	uint8_t byte = 0, many[3 * PAGE];

	expect_true(target_process(t)->live);
	expect_true(target_read_u64(t, p->stack_word, &word));
	expect_uint(word, UINT64_C(0x1122334455667788));
	/* The page to which the stack points was copied. */
	expect_uint(target_read(t, (uint64_t)(uintptr_t)p->heap, &byte, 1), 1);
	expect_uint(byte, 0xaa);
	expect_false(warned(t, "live.running"));
	/* The others are read from the process. */
	expect_uint(target_read(t, far + 7 * PAGE, &byte, 1), 1);
	expect_uint(byte, 7);
	expect_true(warned(t, "live.running"));
	/* Up to what cannot be read, and not beyond. */
	expect_uint(
	    target_read(t, far + 98 * PAGE, many, sizeof(many)), 2 * PAGE);
	expect_uint(many[PAGE], 99);
	expect_uint(target_read(t, far + 100 * PAGE, &byte, 1), 0);
	expect_uint(target_read(t, far + 101 * PAGE, &byte, 1), 1);
	expect_uint(byte, 101);
	expect_uint(target_read(t, 16, &byte, 1), 0);
	expect_uint(target_read(t, UINT64_MAX - 3, &byte, 1), 0);
	/* In order: the window grows and the bytes stay right. */
	for (int i = 101; i < FAR_PAGES; i++) {
		expect_uint(
		    target_read(t, far + (uint64_t)i * PAGE, &byte, 1), 1);
		expect_uint(byte, (uint8_t)i);
	}
	end(pid);
	/* What was read once is kept, the rest went with it. */
	expect_uint(target_read(t, far + 7 * PAGE, &byte, 1), 1);
	expect_uint(target_read(t, far + 50 * PAGE, &byte, 1), 0);
	target_close(t);
	capture_close(c);
}

TEST(a_target_that_has_ended)
{
	struct place *p = place_new();
	pid_t pid = child_start(p);
	struct capture *c = captured(pid, 0);
	struct target_thread *threads;
	struct target_module *modules;
	struct opener_local opener;
	struct target *t;
	uint64_t word = 0;

	end(pid);
	t = opened(c, &opener);
	assert_uint(target_threads(t, &threads), 1);
	expect_uint(threads[0].tid, (uint64_t)pid);
	expect_true(threads[0].has_regs);
	expect_true(threads[0].regs.xstate_size > 500);
	expect_true(target_modules(t, &modules) >= 3);
	expect_true(target_read_u64(t, p->stack_word, &word));
	expect_uint(word, UINT64_C(0x1122334455667788));
	expect_not_null(target_process(t)->exe);
	target_close(t);
	capture_close(c);
}

TEST(no_time_to_copy)
{
	struct place *p = place_new();
	pid_t pid = child_start(p);
	struct capture *c = captured(pid, 1);
	struct target_thread *threads;
	struct opener_local opener;
	struct target *t = opened(c, &opener);
	uint64_t word = 0;

	expect_true(c->left_out != 0);
	expect_uint(c->n_ranges, 0);
	expect_true(warned(t, "live.pause"));
	assert_uint(target_threads(t, &threads), 1);
	expect_true(threads[0].has_regs);
	expect_true(target_read_u64(t, p->stack_word, &word));
	expect_uint(word, UINT64_C(0x1122334455667788));
	target_close(t);
	capture_close(c);
	end(pid);
}

/* Runtimes of containers refuse it; the memory file does as well. */
TEST(without_process_vm_readv)
{
	struct place *p = place_new();
	pid_t pid = child_start(p);
	struct capture *c;
	uint64_t word = 0;
	struct opener_local opener;
	struct target *t;

	test_deny(SYS_process_vm_readv, EPERM);
	c = captured(pid, 0);
	expect_true(c->n_ranges != 0);
	end(pid);
	t = opened(c, &opener);
	expect_true(target_read_u64(t, p->stack_word, &word));
	expect_uint(word, UINT64_C(0x1122334455667788));
	target_close(t);
	capture_close(c);
}

TEST(without_pidfd)
{
	struct place *p = place_new();
	pid_t pid = child_start(p);
	struct capture *c;

	test_deny(SYS_pidfd_open, ENOSYS);
	c = captured(pid, 0);
	expect_int(c->pid_fd, -1);
	expect_true(c->started != 0);
	capture_close(c);
	end(pid);
}

TEST(a_process_that_ends_before_it_is_taken)
{
	struct place *p = place_new();
	pid_t pid = child_start(p);
	struct capture_options options = {.pid = pid};
	struct capture *c;
	bt_error_t e;

	assert_ok(capture_open(&options, &c, &e), &e);
	end(pid);
	expect_int(capture_take(c), CAPTURE_FAILED);
	expect_int(c->error.code, BT_E_GONE);
	capture_close(c);
	expect_code(capture_open(&options, &c, &e), &e, BT_E_GONE);
}

TEST(an_exec_in_between)
{
	struct place *p = place_new();
	pid_t pid = fork();
	struct capture_options options = {.pid = pid};
	struct capture *c;
	bt_error_t e;

	assert_true(pid >= 0);
	if (pid == 0) {
		p->ready = 1;
		while (p->go == 0)
			usleep(500);
		execl("/bin/sleep", "sleep", "100", (char *)NULL);
		_exit(1);
	}
	while (p->ready == 0)
		usleep(500);
	assert_ok(capture_open(&options, &c, &e), &e);
	p->go = 1;
	/* Asleep, so that the exec is over. */
	assert_int(test_shell("for i in $(seq 150); do "
			      "grep -q '(sleep) S' /proc/%d/stat && exit 0; "
			      "sleep 0.1; done; exit 1",
		       pid),
	    0);
	expect_int(capture_take(c), CAPTURE_AGAIN);
	capture_close(c);
	capture_close(captured(pid, 0));
	end(pid);
}

/* A sealed capture cannot be changed by whoever parses it. */
TEST(sealed)
{
	struct place *p = place_new();
	pid_t pid = child_start(p), writer;
	struct capture *c = captured(pid, 0);
	int status = 0;

	end(pid);
	writer = fork();
	if (writer == 0) {
		c->n_threads = 0;
		_exit(0);
	}
	assert_true(waitpid(writer, &status, 0) == writer);
	expect_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	capture_close(c);
}

/* Every allocation fails once: an error or a smaller answer, never a crash. */
TEST(out_of_memory)
{
	struct place *p = place_new();
	pid_t pid = child_start(p);
	struct capture *c = captured(pid, 0);
	bool refused = true;
	size_t allowed = 0;

	for (; refused && allowed < 3000; allowed += 1 + allowed / 8) {
		struct opener_local opener;
		struct target_options options = {.opener = &opener.base};
		struct target *t = NULL;
		bt_error_t e;
		bool ok;

		assert_ok(opener_local_init(&opener, NULL, &e), &e);
		test_alloc_allow(allowed);
		ok = target_live_open(&options, c, &t, &e);
		refused = test_alloc_restore();
		if (ok)
			target_close(t);
		else
			expect_true(refused);
	}
	expect_false(refused);
	capture_close(c);
	end(pid);
}
