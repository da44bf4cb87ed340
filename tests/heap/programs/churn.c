/* SPDX-License-Identifier: MIT */
/*
 * Threads that allocate and free at random until one of them aborts the
 * process at a random moment: churn SEED THREADS MILLISECONDS (0: never); the
 * environment variable JOURNAL names the file.
 *
 * Every call of the process goes through the functions below, which write what
 * is allocated into a file that survives: for each address that was ever handed
 * out a pair {address, usable size}; the lowest bit of the address is set once
 * it is freed. What each thread is doing at the moment lies in front: the block
 * that it gives back, or 1 while it waits for one. The test compares what the
 * walk of the heap says with this.
 *
 * Built with WRAP the linker puts the functions in between (static programs);
 * else they are found before the allocator's, which they call.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SLOTS = 1 << 20, THREADS_MAX = 64, LIVE = 400 };

struct slot {
	_Atomic uint64_t address;
	_Atomic uint64_t usable;
};

struct journal {
	uint64_t slots;
	_Atomic uint64_t doing[THREADS_MAX]; /* 0 nothing, 1 allocates */
	_Atomic uint64_t full;
	struct slot slot[SLOTS];
};

static struct journal *journal;
static _Thread_local int me;
static _Thread_local int depth;

static void
note(void *p, uint64_t freed, uint64_t usable)
{
	uint64_t address = (uint64_t)p, h = address >> 4;

	h = (h ^ h >> 17) * UINT64_C(0x9e3779b97f4a7c15) >> 40;
	for (unsigned i = 0; i < 4096; i++) {
		struct slot *s = &journal->slot[(h + i) % SLOTS];
		uint64_t old = atomic_load(&s->address);

		if (old == 0 &&
		    atomic_compare_exchange_strong(
			&s->address, &old, address | freed))
			old = address;
		if ((old & ~UINT64_C(1)) != address)
			continue;
		if (!freed)
			atomic_store(&s->usable, usable);
		atomic_store(&s->address, address | freed);
		return;
	}
	atomic_store(&journal->full, 1);
}

static void
begin(uint64_t what)
{
	if (journal != NULL && depth++ == 0)
		atomic_store(&journal->doing[me], what);
}

static void
end(void)
{
	if (journal != NULL && --depth == 0)
		atomic_store(&journal->doing[me], 0);
}

#ifdef WRAP
void *__real_malloc(size_t);
void __real_free(void *);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void *__real_aligned_alloc(size_t, size_t);
#define NAME(X) __wrap_##X
#define REAL(X) __real_##X
#else
#define NAME(X) X
#define REAL(X) real_##X
static void *(*real_malloc)(size_t);
static void (*real_free)(void *);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void *(*real_aligned_alloc)(size_t, size_t);
#endif

static void
find(void)
{
#ifndef WRAP
	if (real_malloc != NULL)
		return;
	real_free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
	real_calloc = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
	real_realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
	real_aligned_alloc = (void *(*)(size_t, size_t))dlsym(
	    RTLD_NEXT, "aligned_alloc");
	real_malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
#endif
}

/* Before the journal: the first call of the process opens it. */
static void
open_journal(void)
{
	const char *path = getenv("JOURNAL");
	int fd;

	if (journal != NULL || path == NULL)
		return;
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*journal)) != 0)
		_exit(3);
	journal = mmap(
	    NULL, sizeof(*journal), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (journal == MAP_FAILED)
		_exit(3);
	journal->slots = SLOTS;
	close(fd);
}

static void *
took(void *p)
{
	if (p != NULL && journal != NULL)
		note(p, 0, malloc_usable_size(p));
	end();
	return p;
}

void *
NAME(malloc)(size_t n)
{
	find();
	open_journal();
	begin(1);
	return took(REAL(malloc)(n));
}

void *
NAME(calloc)(size_t n, size_t size)
{
	find();
	open_journal();
	begin(1);
	return took(REAL(calloc)(n, size));
}

void *
NAME(aligned_alloc)(size_t align, size_t n)
{
	find();
	open_journal();
	begin(1);
	return took(REAL(aligned_alloc)(align, n));
}

void
NAME(free)(void *p)
{
	find();
	if (p == NULL)
		return;
	begin((uint64_t)p);
	if (journal != NULL)
		note(p, 1, 0);
	REAL(free)(p);
	end();
}

void *
NAME(realloc)(void *p, size_t n)
{
	void *q;

	find();
	open_journal();
	if (p == NULL)
		return NAME(malloc)(n);
	begin((uint64_t)p);
	if (journal != NULL)
		note(p, 1, 0);
	q = REAL(realloc)(p, n);
	return took(q);
}

static unsigned threads, milliseconds;
static uint64_t seed;

static uint64_t
next(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static size_t
size_of(uint64_t r)
{
	switch (r % 32) {
	case 0:
		return 1 + r / 32 % 300000;
	case 1:
	case 2:
		return 1 + r / 32 % 20000;
	case 3:
	case 4:
	case 5:
	case 6:
		return 1 + r / 32 % 2000;
	default:
		return r / 32 % 200;
	}
}

static void
turn(void **live, uint64_t *s)
{
	uint64_t r = next(s);
	void **p = &live[r % LIVE];
	size_t n = size_of(next(s));

	switch (r >> 32 & 15) {
	case 0:
		*p = realloc(*p, n + 1);
		break;
	case 1:
		free(*p);
		*p = aligned_alloc(1u << (4 + (r >> 40) % 8), (n | 4095) + 1);
		break;
	case 2:
		free(*p);
		*p = calloc(1, n);
		break;
	default:
		free(*p);
		*p = (r >> 48 & 1) != 0 ? malloc(n) : NULL;
		break;
	}
	if (*p != NULL)
		memset(*p, (int)r, n < 64 ? n : 64);
}

/* Blocks are handed from thread to thread: what one took another frees. */
static void *_Atomic passed[256];

/* The clock begins when each has blocks of several sizes, however busy the
 * machine is. */
enum { WARM = 100 };
static _Atomic unsigned warm;

static void *
work(void *arg)
{
	uint64_t s = (seed + (uint64_t)(uintptr_t)arg) *
		UINT64_C(0x9e3779b97f4a7c15) +
	    1;
	void *live[LIVE] = {0};

	me = (int)(uintptr_t)arg;
	for (unsigned turns = 1;; turns++) {
		uint64_t r;

		turn(live, &s);
		if (turns == WARM)
			atomic_fetch_add(&warm, 1);
		if (turns == WARM && threads == 1)
			ualarm(milliseconds * 1000, 0);
		r = next(&s);
		if (r % 4 == 0) {
			void **p = &live[r / 4 % LIVE];

			*p = atomic_exchange(&passed[r >> 32 & 255], *p);
		}
	}
	return NULL;
}

static void
die(int number)
{
	(void)number;
	signal(SIGABRT, SIG_DFL);
	raise(SIGABRT);
}

int
main(int argc, char **argv)
{
	pthread_t t;

	if (argc != 4)
		return 2;
	open_journal();
	seed = strtoull(argv[1], NULL, 10);
	threads = (unsigned)atoi(argv[2]);
	milliseconds = (unsigned)atoi(argv[3]);
	/* One thread: itself, ended by the clock wherever it is. */
	signal(SIGALRM, die);
	if (threads == 0) /* what is there without any of this */
		die(0);
	for (unsigned i = 1; i < threads; i++)
		if (pthread_create(&t, NULL, work, (void *)(uintptr_t)i) != 0)
			return 2;
	if (milliseconds == 0) /* until somebody ends it */
		work(NULL);
	if (threads > 1) {
		while (warm < threads - 1)
			usleep(1000);
		usleep(milliseconds * 1000);
		raise(SIGABRT);
	}
	work(NULL);
	return 0;
}
