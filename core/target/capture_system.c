/* SPDX-License-Identifier: MIT */
/*
 * What the machine says of itself at the time of a capture. It is read here,
 * as text, because whoever makes facts of it later may not open files.
 */
#include <fcntl.h>
#include <unistd.h>

#include "target/capture_private.h"

/* Of hundreds of processors the first is enough. */
static const size_t first_processor = 4096;
static const size_t text_most = (size_t)4 << 20;

static void
read_capped(struct taking *t, int proc, const char *name, size_t cap,
    struct capture_text *out)
{
	size_t before = t->text.cap;

	t->text.cap = cap;
	(void)capture_read_text(t, proc, name, out);
	t->text.cap = before;
}

static uint64_t
count_processes(int proc)
{
	uint64_t n = 0;
	tid_vec pids;

	vec_init(&pids, (size_t)1 << 22);
	if (capture_tids(proc, &pids))
		n = pids.count;
	vec_deinit(&pids);
	return n;
}

void
system_read(struct taking *t)
{
	struct capture_system *s = &t->c->system;
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	if (n > 0)
		s->n_processors = (uint64_t)n;
	if (proc < 0)
		return;
	read_capped(t, proc, "stat", text_most, &s->stat);
	read_capped(t, proc, "loadavg", text_most, &s->loadavg);
	read_capped(t, proc, "uptime", text_most, &s->uptime);
	read_capped(t, proc, "meminfo", text_most, &s->meminfo);
	read_capped(t, proc, "cpuinfo", first_processor, &s->cpuinfo);
	s->n_processes = count_processes(proc);
	(void)close(proc);
}
