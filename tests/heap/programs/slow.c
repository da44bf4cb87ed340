/* SPDX-License-Identifier: MIT */
/* A module that takes its time over every block of the heap. */
#include <ptrace/heap.h>
#include <time.h>

static bool
visit(void *ctx, const ptrace_heap_block_t *block)
{
	const struct timespec pause = {.tv_nsec = 100000};

	(void)ctx;
	(void)block;
	(void)nanosleep(&pause, NULL);
	return true;
}

static void
analyse(ptrace_backtrace_t *bt)
{
	(void)ptrace_heap_walk(ptrace_backtrace_target(bt), visit, NULL);
}

static bool
load(pmodule_t *pm)
{
	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("slow", load, NULL, NULL)
