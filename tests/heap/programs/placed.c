/* SPDX-License-Identifier: MIT */
/*
 * Blocks with mappings of their own, in places that are hard to find: behind a
 * stack of 64 MiB in one mapping with it, behind foreign memory, in several
 * mappings by madvise, and one that a coroutine runs on.
 * placed CASE: "all", or "none" for a program that is the same without them.
 * Writes its list to $JOURNAL: START USABLE.
 */
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { THREADS = 3, STACK = 64 << 20, BLOCK = 1 << 20, FOREIGN = 1 << 20 };

static FILE *journal;
static pthread_barrier_t ready;
static ucontext_t home, away;

static void *
noted(void *block)
{

	if (block == NULL)
		exit(2);
	memset(block, 7, 100);
	fprintf(journal, "%llx %zu\n", (unsigned long long)(uintptr_t)block,
	    malloc_usable_size(block));
	return block;
}

/* Memory of others directly below a block: the kernel makes one mapping of
 * both. */
static void
put_below(char *block)
{
	char *page = (char *)((uintptr_t)block & ~(uintptr_t)4095);
	char *at = mmap(page - FOREIGN, FOREIGN, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (at == MAP_FAILED)
		fprintf(stderr, "nothing fits below %p\n", (void *)block);
	else
		memset(at, 3, FOREIGN);
}

static void *
run(void *unused)
{

	(void)unused;
	pthread_barrier_wait(&ready);
	for (;;)
		pause();
	return NULL;
}

static void
start(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	if (pthread_create(&thread, &attributes, run, NULL) != 0)
		exit(2);
}

static void
end(void)
{

	fclose(journal);
	abort();
}

int
main(int argc, char **argv)
{
	const char *path = getenv("JOURNAL");
	int all = argc > 1 && strcmp(argv[1], "all") == 0;
	char *stack, *cut;
	void *aligned;

	journal = fopen(path != NULL ? path : "/dev/null", "w");
	if (journal == NULL)
		return 2;
	pthread_barrier_init(&ready, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++) {
		if (all)
			noted(malloc(BLOCK + i));
		start();
	}
	pthread_barrier_wait(&ready);
	if (all == 0)
		end();
	put_below(noted(malloc(2 * BLOCK)));
	if (posix_memalign(&aligned, 1 << 16, BLOCK) != 0)
		return 2;
	put_below(noted(aligned));
	cut = noted(malloc(4 * BLOCK));
	madvise((char *)(((uintptr_t)cut & ~(uintptr_t)4095) + BLOCK), BLOCK,
	    MADV_NOHUGEPAGE);
	stack = noted(malloc(BLOCK));
	put_below(stack);
	getcontext(&away);
	away.uc_stack.ss_sp = stack;
	away.uc_stack.ss_size = BLOCK;
	away.uc_link = &home;
	makecontext(&away, end, 0);
	swapcontext(&home, &away);
	return 2;
}
