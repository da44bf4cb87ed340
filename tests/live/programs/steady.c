/* SPDX-License-Identifier: MIT */
/*
 * Notices what nobody should be able to do to it: registers that changed, calls
 * that ended early, children it never had, signals it was not sent. A SIGUSR1
 * makes it write "BEATS EARLY WRONG SIGCHLDS CHILDREN".
 *
 *	steady blocked	its first thread waits in read, without a limit
 *	steady timed	all threads wait with time limits
 *	steady busy	one thread, which is never in a system call
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static atomic_long beats, early, wrong, sigchlds, children, running;

static void
on_child(int number)
{
	(void)number;
	atomic_fetch_add(&sigchlds, 1);
}

static void
on_status(int number)
{
	char line[128];
	int n;

	(void)number;
	while (waitpid(-1, NULL, __WALL | WNOHANG) > 0)
		atomic_fetch_add(&children, 1);
	n = snprintf(line, sizeof(line), "%ld %ld %ld %ld %ld\n",
	    atomic_load(&beats), atomic_load(&early), atomic_load(&wrong),
	    atomic_load(&sigchlds), atomic_load(&children));
	if (write(1, line, (size_t)n) != n)
		_exit(1);
}

/* Known bytes in all vector registers and some of the others, for some ten
 * microseconds. */
static void
hold_registers(uint64_t seed)
{
	_Alignas(64) uint8_t in[16 * 16], out[16 * 16];
	uint64_t a = seed, b = ~seed, c = seed * 3, d = seed + 7;
	uint64_t turns = 20000;

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(seed * 31 + i * 7);
	__asm__ volatile(
	    "movaps 0(%[in]), %%xmm0\n movaps 16(%[in]), %%xmm1\n"
	    "movaps 32(%[in]), %%xmm2\n movaps 48(%[in]), %%xmm3\n"
	    "movaps 64(%[in]), %%xmm4\n movaps 80(%[in]), %%xmm5\n"
	    "movaps 96(%[in]), %%xmm6\n movaps 112(%[in]), %%xmm7\n"
	    "movaps 128(%[in]), %%xmm8\n movaps 144(%[in]), %%xmm9\n"
	    "movaps 160(%[in]), %%xmm10\n movaps 176(%[in]), %%xmm11\n"
	    "movaps 192(%[in]), %%xmm12\n movaps 208(%[in]), %%xmm13\n"
	    "movaps 224(%[in]), %%xmm14\n movaps 240(%[in]), %%xmm15\n"
	    "1: dec %[turns]\n jnz 1b\n"
	    "movaps %%xmm0, 0(%[out])\n movaps %%xmm1, 16(%[out])\n"
	    "movaps %%xmm2, 32(%[out])\n movaps %%xmm3, 48(%[out])\n"
	    "movaps %%xmm4, 64(%[out])\n movaps %%xmm5, 80(%[out])\n"
	    "movaps %%xmm6, 96(%[out])\n movaps %%xmm7, 112(%[out])\n"
	    "movaps %%xmm8, 128(%[out])\n movaps %%xmm9, 144(%[out])\n"
	    "movaps %%xmm10, 160(%[out])\n movaps %%xmm11, 176(%[out])\n"
	    "movaps %%xmm12, 192(%[out])\n movaps %%xmm13, 208(%[out])\n"
	    "movaps %%xmm14, 224(%[out])\n movaps %%xmm15, 240(%[out])\n"
	    : [turns] "+r"(turns), "+r"(a), "+r"(b), "+r"(c), "+r"(d)
	    : [in] "r"(in), [out] "r"(out)
	    : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
	    "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
	    "xmm15");
	if (memcmp(in, out, sizeof(in)) != 0 || a != seed || b != ~seed ||
	    c != seed * 3 || d != seed + 7)
		atomic_fetch_add(&wrong, 1);
}

static void *
busy(void *argument)
{
	(void)argument;
	atomic_fetch_add(&running, 1);
	for (uint64_t i = 1;; i++) {
		hold_registers(i);
		atomic_fetch_add(&beats, 1);
	}
	return NULL;
}

/* The time limit of a call that is restarted still holds. */
static void *
timed(void *argument)
{
	const struct timespec tick = {.tv_nsec = 2000000};
	struct timespec before, after;

	(void)argument;
	atomic_fetch_add(&running, 1);
	for (;;) {
		clock_gettime(CLOCK_MONOTONIC, &before);
		if (nanosleep(&tick, NULL) != 0)
			atomic_fetch_add(&early, 1);
		clock_gettime(CLOCK_MONOTONIC, &after);
		if ((after.tv_sec - before.tv_sec) * 1000000000 +
			after.tv_nsec - before.tv_nsec <
		    tick.tv_nsec)
			atomic_fetch_add(&wrong, 1);
		atomic_fetch_add(&beats, 1);
	}
	return NULL;
}

/* Ready is what has all its threads, and they are beyond their start. */
static void
say_ready(long threads)
{
	while (atomic_load(&running) < threads)
		usleep(1000);
	puts("ready");
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "blocked";
	struct sigaction action;
	pthread_t thread;
	sigset_t status;
	char byte;

	memset(&action, 0, sizeof(action));
	action.sa_flags = SA_RESTART;
	action.sa_handler = on_child;
	sigaction(SIGCHLD, &action, NULL);
	action.sa_handler = on_status;
	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&status);
	sigaddset(&status, SIGUSR1);
	if (strcmp(mode, "busy") == 0) {
		say_ready(0);
		busy(NULL);
	}
	/* The status is told by a thread that is good for nothing else. */
	pthread_sigmask(SIG_BLOCK, &status, NULL);
	pthread_create(&thread, NULL, timed, NULL);
	if (strcmp(mode, "timed") == 0) {
		pthread_sigmask(SIG_UNBLOCK, &status, NULL);
		say_ready(1);
		for (;;)
			poll(NULL, 0, 1000000);
	}
	pthread_create(&thread, NULL, busy, NULL);
	pthread_sigmask(SIG_UNBLOCK, &status, NULL);
	say_ready(2);
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}
