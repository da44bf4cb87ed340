/* SPDX-License-Identifier: MIT */
/*
 * Functions with rules of their own (constraints.lua), called rightly by one
 * thread and wrongly by another, or by the one that dies, as the argument says.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct point {
	double x, y;
};

static sem_t there, never;
static const char constant[64] = "constant";

static void
stay(int die)
{

	if (die)
		abort();
	sem_post(&there);
	sem_wait(&never);
}

__attribute__((noinline)) static void
copy_name(char *to, const char *from, size_t size, int die)
{

	stay(die);
	if (size > 0)
		to[0] = from[0];
}

__attribute__((noinline)) static void
draw(const struct point *points, int n, void (*done)(int), int die)
{

	stay(die);
	if (points != NULL && n > 0)
		done((int)points[0].x);
}

static int wrong;
static char buffer[128];

static int
is_drawn(const char *what)
{

	return strcmp(what, "function") == 0 || strcmp(what, "number") == 0;
}

static void *
call_copy(void *arg)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const char *what = arg;
	int die = wrong && !is_drawn(what);

	mprotect(page + 4096, 4096, PROT_NONE);
	memset(page, 'x', 4096);
	if (strcmp(what, "size") == 0)
		copy_name(buffer, "text", (size_t)-40, die);
	else if (strcmp(what, "limit") == 0)
		copy_name(buffer, "text", 5000, die);
	else if (strcmp(what, "null") == 0)
		copy_name(NULL, "text", 10, die);
	else if (strcmp(what, "empty") == 0) /* nothing is written: good */
		copy_name(NULL, "text", 0, die);
	else if (strcmp(what, "constant") == 0)
		copy_name((char *)constant, "text", 10, die);
	else if (strcmp(what, "range") == 0)
		copy_name(page + 4090, "text", 10, die);
	else if (strcmp(what, "fits") == 0)
		copy_name(page + 4086, "text", 10, die);
	else if (strcmp(what, "unended") == 0)
		copy_name(buffer, page + 4000, 10, die);
	else
		copy_name(buffer, "text", 10, die);
	return NULL;
}

static void *
call_draw(void *arg)
{
	static struct point points[4];
	const char *what = arg;
	int die = wrong && is_drawn(what);

	if (strcmp(what, "function") == 0)
		draw(points, 4, (void (*)(int))(uintptr_t)buffer, die);
	else if (strcmp(what, "number") == 0)
		draw(points, -3, exit, die);
	else if (strcmp(what, "none") == 0) /* NULL is allowed */
		draw(NULL, 2, exit, die);
	else
		draw(points, 4, exit, die);
	return NULL;
}

int
main(int argc, char **argv)
{
	char *what = argc > 1 ? argv[1] : "";
	pthread_t t;

	sem_init(&there, 0, 0);
	sem_init(&never, 0, 0);
	wrong = argc > 2; /* the thread that dies makes the call */
	pthread_create(&t, NULL, call_copy, what);
	pthread_create(&t, NULL, call_draw, what);
	sem_wait(&there);
	sem_wait(&there);
	abort();
}
