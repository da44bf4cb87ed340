/* SPDX-License-Identifier: MIT */
/*
 * Odd stacks, one thread each. The process says which thread is which and then
 * waits, to be looked at alive or to be killed with a core. Every function is
 * named for what it is, so that the test knows the right answer.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define NI __attribute__((noinline))
enum { STACK = 1 << 16 };

extern long framed_outer(void (*f)(void), long n);
extern long framed_cycle(void (*f)(void), long n);
extern long bare_outer(void (*f)(void), long n);

static volatile int ready;
static volatile long sink;

static void
add_ready(void)
{
	__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
}

NI static void
park(void)
{
	add_ready();
	for (;;)
		pause();
}

static char *
new_stack(void)
{
	return mmap(NULL, STACK, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void
install(int number, void *handler, int flags)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = (void (*)(int))handler;
	sa.sa_flags = flags;
	sigaction(number, &sa, NULL);
}

/* ---- signals ---- */

NI static void
on_third(int number)
{
	sink += number;
	park();
	sink += number;
}

NI static void
on_second(int number, siginfo_t *info, void *context)
{
	sink += number + (info != NULL) + (context != NULL);
	raise(SIGHUP);
	sink += number;
}

NI static void
on_first(int number)
{
	sink += number;
	raise(SIGUSR2);
	sink += number;
}

NI static long
interrupted(long n)
{
	sink += raise(SIGUSR1);
	return n + sink;
}

static void *
t_signals(void *arg)
{
	sink += interrupted(2);
	return arg;
}

static void *
t_altstack(void *arg)
{
	stack_t s = {.ss_sp = new_stack(), .ss_size = STACK};

	sigaltstack(&s, NULL);
	sink += interrupted(3);
	return arg;
}

NI static void
on_spin(int number, siginfo_t *info, void *context)
{
	sink += number + (info != NULL) + (context != NULL);
	park();
	sink += number;
}

NI static long
leaf(long n)
{
	for (;;)
		n ^= sink;
	return n;
}

NI static long
leaf_caller(long n)
{
	long r = leaf(n + 1);

	return r + sink;
}

static void *
t_leaf(void *arg)
{
	stack_t s = {.ss_sp = new_stack(), .ss_size = STACK};

	sigaltstack(&s, NULL);
	add_ready();
	sink += leaf_caller(2);
	return arg;
}

NI static void
ask_vdso(void)
{
	struct timespec t;

	for (;;) {
		clock_gettime(CLOCK_MONOTONIC, &t);
		sink += t.tv_nsec;
	}
}

static void *
t_vdso(void *arg)
{
	add_ready();
	ask_vdso();
	return arg;
}

/* ---- coroutines ---- */

static ucontext_t context_main, context_a, context_b;

NI static void
context_inner(void)
{
	sink += 2;
	park();
	sink += 2;
}

NI static void
context_body(void)
{
	context_inner();
	sink += 5;
}

NI static void
context_first(void)
{
	swapcontext(&context_a, &context_b);
	sink += 12;
}

static void
prepare(ucontext_t *c, void (*f)(void))
{
	getcontext(c);
	c->uc_stack.ss_sp = new_stack();
	c->uc_stack.ss_size = STACK;
	c->uc_link = &context_main;
	makecontext(c, f, 0);
}

static void *
t_ucontext(void *arg)
{
	prepare(&context_a, context_first);
	prepare(&context_b, context_body);
	swapcontext(&context_main, &context_a);
	return arg;
}

/* Saves what a callee must keep, changes the stack, and takes it back. */
__asm__(".text\n.globl coro_switch\n.type coro_switch, @function\n"
	"coro_switch:\n.cfi_startproc\n"
	"push %rbp\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset rbp, 0\n"
	"push %rbx\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset rbx, 0\n"
	"mov %rsp, (%rdi)\nmov %rsi, %rsp\n"
	"pop %rbx\n.cfi_adjust_cfa_offset -8\n.cfi_restore rbx\n"
	"pop %rbp\n.cfi_adjust_cfa_offset -8\n.cfi_restore rbp\n"
	"ret\n.cfi_endproc\n.size coro_switch, .-coro_switch\n"
	/* Where a body that returns would come out; nobody calls it. */
	".globl coro_return\n.type coro_return, @function\n"
	"coro_return:\n.cfi_startproc\n.cfi_undefined rip\n"
	"ud2\nnop\n.cfi_endproc\n.size coro_return, .-coro_return\n");
extern void coro_switch(void **from, void *to);
extern void coro_return(void);

NI static void
coro_inner(void)
{
	sink += 3;
	park();
	sink += 3;
}

NI static void
coro_body(void)
{
	coro_inner();
	sink += 6;
}

/* above: words of the stack above the body's return address. */
static void
coro_run(unsigned above, void *return_address)
{
	void **top = (void **)(new_stack() + STACK) - above, *from;

	/* The neighbour below, not above: so that the end is an end. */
	*--top = return_address;
	*--top = (void *)coro_body;
	*--top = NULL;
	*--top = NULL;
	coro_switch(&from, top);
}

static void *
t_coro_zero(void *arg)
{
	coro_run(8, NULL);
	return arg;
}

static void *
t_coro_return(void *arg)
{
	coro_run(8, (void *)coro_return);
	return arg;
}

static void *
t_coro_garbage(void *arg)
{
	coro_run(8, (void *)0xdeadbeef);
	return arg;
}

/* ---- code without information ---- */

/* push rbp; mov rbp, rsp; sub rsp, 16; call rdi; leave; ret */
static const unsigned char jit_call[] = {
    0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x10, 0xff, 0xd7, 0xc9, 0xc3};
/* push rbp; mov rbp, rsp; push rbx; push rbx; mov rax, rdi; mov rdi, rsi;
 * call rax; pop rbx; pop rbx; pop rbp; ret */
static const unsigned char jit_deep[] = {0x55, 0x48, 0x89, 0xe5, 0x53, 0x53,
    0x48, 0x89, 0xf8, 0x48, 0x89, 0xf7, 0xff, 0xd0, 0x5b, 0x5b, 0x5d, 0xc3};

static void *
jit(const void *code, size_t size)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy((char *)p + 64, code, size);
	mprotect(p, 4096, PROT_READ | PROT_EXEC);
	return (char *)p + 64;
}

NI static void
from_jit(void)
{
	sink += 4;
	park();
	sink += 4;
}

static void *
t_jit(void *arg)
{
	void (*f)(void (*)(void)) = (void (*)(void (*)(void)))jit(
	    jit_call, sizeof(jit_call));

	f(from_jit);
	sink++;
	return arg;
}

static void *
t_jit_twice(void *arg)
{
	void *call = jit(jit_call, sizeof(jit_call));
	void (*f)(void *, void (*)(void)) =
	    (void (*)(void *, void (*)(void)))jit(jit_deep, sizeof(jit_deep));

	f(call, from_jit);
	sink++;
	return arg;
}

static void *
t_framed(void *arg)
{
	sink += framed_outer(park, 5);
	return arg;
}

static void *
t_bare(void *arg)
{
	sink += bare_outer(park, 5);
	return arg;
}

/* ---- damage ---- */

/* The saved frame pointer and the return address. */
NI static void
smash(void)
{
	memset(__builtin_frame_address(0), 'A', 16);
	park();
	sink += 9;
}

static void *
t_smash(void *arg)
{
	smash();
	sink++;
	return arg;
}

/* Every word from this frame up is its own address. */
NI static void
smear(void)
{
	void *volatile *p = __builtin_frame_address(0);

	for (int i = 0; i < 20; i++)
		p[i] = (void *)(p + i);
	park();
	sink += 11;
}

NI static long
smear_caller(void)
{
	volatile char room[256];

	room[0] = 1;
	__asm__ volatile("" : : "r"(room) : "memory");
	smear();
	return room[0] + sink;
}

static void *
t_smear(void *arg)
{
	sink += smear_caller();
	return arg;
}

/* Returns to where it was called from, for ever. */
NI static void
loop_back(void)
{
	void *volatile *fp = __builtin_frame_address(0);

	for (int i = 2; i < 24; i++)
		fp[i] = i & 1 ? fp[1] : (void *)fp;
	fp[0] = (void *)fp;
	park();
	sink += 10;
}

NI static long
loop_caller(void)
{
	volatile char room[256];

	room[0] = 1;
	__asm__ volatile("" : : "r"(room) : "memory");
	loop_back();
	return room[0] + sink;
}

static void *
t_loop(void *arg)
{
	sink += loop_caller();
	return arg;
}

static void *
t_cycle(void *arg)
{
	sink += framed_cycle(park, 5);
	return arg;
}

/* ---- the ends of threads ---- */

static pthread_key_t key;

NI static void
key_destructor(void *value)
{
	sink += value != NULL;
	park();
	sink += 8;
}

static void *
t_destructor(void *arg)
{
	pthread_setspecific(key, (void *)&sink);
	return arg;
}

NI static void
cleaner(void *arg)
{
	sink += arg != NULL ? 3 : 4;
	park();
	sink += 7;
}

NI static void
leave(void)
{
	pthread_cleanup_push(cleaner, (void *)&sink);
	pthread_exit(NULL);
	pthread_cleanup_pop(0);
}

static void *
t_exit(void *arg)
{
	leave();
	sink++;
	return arg;
}

/* ---- */

struct scenario {
	const char *name;
	void *(*run)(void *);
	int kick; /* signal that main sends when the thread runs; or 0 */
	pid_t tid;
};

static void *
begin(void *arg)
{
	struct scenario *s = arg;

	s->tid = (pid_t)syscall(SYS_gettid);
	s->run(arg);
	return arg;
}

static void
wait_for(int n)
{
	while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) < n)
		usleep(1000);
}

int
main(void)
{
	static struct scenario all[] = {
	    {"signals", t_signals, 0, 0},
	    {"altstack", t_altstack, 0, 0},
	    {"leaf", t_leaf, SIGALRM, 0},
	    {"vdso", t_vdso, SIGALRM, 0},
	    {"ucontext", t_ucontext, 0, 0},
	    {"coro_zero", t_coro_zero, 0, 0},
	    {"coro_return", t_coro_return, 0, 0},
	    {"coro_garbage", t_coro_garbage, 0, 0},
	    {"jit", t_jit, 0, 0},
	    {"jit_twice", t_jit_twice, 0, 0},
	    {"framed", t_framed, 0, 0},
	    {"bare", t_bare, 0, 0},
	    {"smash", t_smash, 0, 0},
	    {"smear", t_smear, 0, 0},
	    {"loop", t_loop, 0, 0},
	    {"cycle", t_cycle, 0, 0},
	    {"destructor", t_destructor, 0, 0},
	    {"exit", t_exit, 0, 0},
	};
	int n = 0;

	install(SIGUSR1, (void *)on_first, 0);
	install(SIGUSR2, (void *)on_second, SA_SIGINFO | SA_ONSTACK);
	install(SIGHUP, (void *)on_third, SA_RESTART);
	install(SIGALRM, (void *)on_spin, SA_SIGINFO | SA_ONSTACK);
	pthread_key_create(&key, key_destructor);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		pthread_t t;

		pthread_create(&t, NULL, begin, &all[i]);
		wait_for(++n);
		if (all[i].kick != 0) {
			usleep(2000);
			pthread_kill(t, all[i].kick);
			wait_for(++n);
		}
		printf("%s %d\n", all[i].name, (int)all[i].tid);
	}
	printf("main %d\nready\n", (int)getpid());
	fflush(stdout);
	park();
	return 0;
}
