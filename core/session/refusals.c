/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "session/refusals.h"
#include "session/worker.h"

/* INQUEST_CALL(NAME) for each number that the headers know; made by the build
 * (cmake/syscalls.cmake). */
static const struct {
	const char *name;
	int32_t number;
} calls[] = {
#define INQUEST_CALL(NAME) {#NAME, SYS_##NAME},
#include <syscalls.inc>
#undef INQUEST_CALL
};

struct refusals *
refusals_create(void)
{
	struct refusals *r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return r != MAP_FAILED ? r : NULL;
}

void
refusals_destroy(struct refusals *r)
{

	if (r != NULL)
		(void)munmap(r, sizeof(*r));
}

void
refusals_add(struct refusals *r, int32_t call, const struct worker_note *note)
{
	struct refusal now = {.call = call, .times = 1};

	if (r == NULL)
		return;
	worker_note_module(note, now.module, sizeof(now.module));
	now.stage = note != NULL ? note->stage : 0;
	for (uint32_t i = 0; i < r->count; i++) {
		struct refusal *old = &r->items[i];

		if (old->call == now.call && old->stage == now.stage &&
		    strcmp(old->module, now.module) == 0) {
			old->times++;
			return;
		}
	}
	if (r->count == REFUSALS_MAX)
		return;
	r->items[r->count] = now;
	r->count++;
}

const char *
refusals_call_name(int32_t call)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (calls[i].number == call)
			return calls[i].name;
	return NULL;
}

void
refusals_describe(const struct refusal *r, char *out, size_t size)
{
	const char *name = refusals_call_name(r->call);
	char number[24], times[24] = "";

	(void)snprintf(number, sizeof(number), "number %d", (int)r->call);
	if (r->times > 1)
		(void)snprintf(
		    times, sizeof(times), " (%u times)", (unsigned)r->times);
	(void)snprintf(out, size,
	    "the sandbox refused the system call %s%s%s%s",
	    name != NULL ? "'" : "", name != NULL ? name : number,
	    name != NULL ? "'" : "", times);
}
