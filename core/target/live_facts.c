/* SPDX-License-Identifier: MIT */
/*
 * What the system tells of a process and of itself, as attributes. The names
 * and units are those that existing users know: kB for memory, clock ticks for
 * processor time, seconds for ages. What a kernel does not tell is absent.
 */
#include <sys/utsname.h>
#include <unistd.h>

#include "target/capture_private.h"
#include "target/live_private.h"
#include "target/procfs.h"

struct row {
	const char *field, *key;
	bool is_text;
};

/* /proc/PID/status */
static const struct row status_rows[] = {
    {"FDSize", "descriptor.count", false},
    {"voluntary_ctxt_switches", "sched.cs.voluntary", false},
    {"nonvoluntary_ctxt_switches", "sched.cs.involuntary", false},
    {"VmPeak", "vm.vma.peak", false},
    {"VmSize", "vm.vma.size", false},
    {"VmHWM", "vm.rss.peak", false},
    {"VmRSS", "vm.rss.size", false},
    {"VmLck", "vm.locked.size", false},
    {"VmData", "vm.data.size", false},
    {"VmStk", "vm.stack.size", false},
    {"VmLib", "vm.shared.size", false},
    {"VmPTE", "vm.pte.size", false},
    {"VmSwap", "vm.swap.size", false},
    {"VmExe", "vm.exe", false},
    {"SigPnd", "vm.sigpnd", true},
    {"ShdPnd", "vm.shdpnd", true},
};

/* /proc/meminfo */
static const struct row memory_rows[] = {
    {"MemTotal", "system.memory.total", false},
    {"MemFree", "system.memory.free", false},
    {"MemAvailable", "system.memory.available", false},
    {"Buffers", "system.memory.buffers", false},
    {"Cached", "system.memory.cached", false},
    {"Active", "system.memory.active", false},
    {"Inactive", "system.memory.inactive", false},
    {"Dirty", "system.memory.dirty", false},
    {"Writeback", "system.memory.writeback", false},
    {"Slab", "system.memory.slab", false},
    {"SwapTotal", "system.memory.swap.total", false},
    {"SwapFree", "system.memory.swap.free", false},
    {"SwapCached", "system.memory.swap.cached", false},
    {"VmallocTotal", "system.memory.vmalloc.total", false},
    {"VmallocUsed", "system.memory.vmalloc.used", false},
    {"VmallocChunk", "system.memory.vmalloc.chunk", false},
};

/* /proc/cpuinfo, of the first processor */
static const struct row cpu_rows[] = {
    {"model name", "cpu.brand", true},
    {"cpu MHz", "cpu.frequency", false},
};

static void
add_number(struct live *l, const char *key, uint64_t number)
{
	struct target_fact *f = vec_push(&l->base.facts);

	if (f != NULL)
		*f = (struct target_fact){key, NULL, number};
}

static void
add_text(struct live *l, const char *key, const char *text, size_t size)
{
	struct target_fact *f = vec_push(&l->base.facts);

	if (f != NULL)
		*f = (struct target_fact){
		    key, strings_addn(&l->base.strings, text, size), 0};
}

/* The whole part of a number that may have a fraction ("2095.078"). */
static bool
whole_number(struct view value, uint64_t *out)
{
	const uint8_t *point =
	    value.size != 0 ? memchr(value.data, '.', value.size) : NULL;

	if (point != NULL)
		value.size = (size_t)(point - value.data);
	return procfs_number(value, 0, out);
}

static void
add_rows(
    struct live *l, struct view text, const struct row *rows, size_t n_rows)
{
	for (size_t i = 0; i < n_rows; i++) {
		struct view value;
		uint64_t number;

		if (!procfs_field(text, rows[i].field, &value))
			continue;
		if (rows[i].is_text)
			add_text(l, rows[i].key, (const char *)value.data,
			    value.size);
		else if (whole_number(value, &number))
			add_number(l, rows[i].key, number);
	}
}

#define ADD_ROWS(L, TEXT, ROWS)                                                \
	add_rows(L, TEXT, ROWS, sizeof(ROWS) / sizeof((ROWS)[0]))

/* /proc/stat: ticks of all processors together. */
static void
add_cpu(struct live *l, struct view stat)
{
	static const char *const columns[] = {"cpu.user", "cpu.nice", "cpu.sys",
	    "cpu.idle", "cpu.iowait", "cpu.irq"};
	struct view value;
	uint64_t number;

	if (procfs_field(stat, "cpu", &value)) {
		for (unsigned i = 0; i < sizeof(columns) / sizeof(*columns);
		     i++) {
			if (procfs_number(value, i, &number))
				add_number(l, columns[i], number);
		}
	}
	if (procfs_field_u64(stat, "ctxt", &number))
		add_number(l, "cpu.context", number);
}

static void
add_ages(struct live *l, struct view stat)
{
	long hz = sysconf(_SC_CLK_TCK);
	uint64_t boot, started, now = l->capture->captured_seconds;

	if (!procfs_field_u64(stat, "btime", &boot))
		return;
	add_number(l, "cpu.boottime", boot);
	if (hz <= 0)
		return;
	started = boot + l->capture->started / (uint64_t)hz;
	add_number(l, "process.starttime", started);
	add_number(l, "process.age", now > started ? now - started : 0);
}

/* "0.20 0.18 0.12 1/80 11206": runnable and all threads. */
static void
add_load(struct live *l, struct view loadavg)
{
	const uint8_t *slash =
	    loadavg.size != 0 ? memchr(loadavg.data, '/', loadavg.size) : NULL;
	uint64_t number;

	if (slash == NULL)
		return;
	loadavg.pos = (size_t)(slash - loadavg.data) + 1;
	if (procfs_number(loadavg, 0, &number))
		add_number(l, "cpu.thread.count", number);
}

static void
add_system(struct live *l)
{
	const struct capture_system *s = &l->capture->system;
	struct utsname u;
	uint64_t number;

	add_cpu(l, capture_view(&s->stat));
	add_ages(l, capture_view(&s->stat));
	add_load(l, capture_view(&s->loadavg));
	if (whole_number(capture_view(&s->uptime), &number))
		add_number(l, "cpu.uptime", number);
	ADD_ROWS(l, capture_view(&s->meminfo), memory_rows);
	ADD_ROWS(l, capture_view(&s->cpuinfo), cpu_rows);
	if (s->n_processes != 0)
		add_number(l, "cpu.process.count", s->n_processes);
	if (s->n_processors != 0)
		add_number(l, "cpu.count", s->n_processors);
	if (uname(&u) == 0)
		add_text(l, "cpu.arch", u.machine, strlen(u.machine));
}

/* The line of the unified hierarchy, or the first. */
static void
add_cgroup(struct live *l)
{
	struct view v = capture_view(&l->capture->cgroup), line, value;

	if (procfs_field(v, "0:", &value)) {
		line = value;
	} else {
		if (!procfs_line(&v, &line))
			return;
	}
	while (line.size > line.pos && line.data[line.pos] != '/')
		line.pos++;
	if (line.size > line.pos)
		add_text(l, "process.cgroup",
		    (const char *)line.data + line.pos, line.size - line.pos);
}

static void
add_link(struct live *l, const char *key, const struct capture_text *link)
{
	if (link->size != 0)
		add_text(l, key, (const char *)link->data, link->size);
}

/* Where it lives: what a container changes. */
static void
add_place(struct live *l)
{
	const struct capture *c = l->capture;

	add_cgroup(l);
	add_link(l, "process.root", &c->root);
	add_link(l, "process.cwd", &c->cwd);
	if (c->namespaces[0] != '\0')
		add_text(l, "process.namespaces", c->namespaces,
		    strlen(c->namespaces));
	if (l->base.process.inner_pid != l->base.process.pid)
		add_number(
		    l, "process.id.inner", (uint64_t)l->base.process.inner_pid);
}

/* What the frozen copy cost: page tables, so it goes by private memory. */
static void
add_fork(struct live *l)
{
	const struct capture_fork *f = &l->capture->fork;
	const uint64_t least = 64 * 1024, kb_per_gib = 1024 * 1024;

	if (!l->base.process.frozen)
		return;
	add_number(l, "ptrace.fork.pause", f->ns / 1000);
	add_number(l, "ptrace.fork.size", f->kb);
	/* Of less memory the rest of the work is most of it. */
	if (f->kb >= least)
		add_number(l, "ptrace.fork.pause_per_gib",
		    f->ns / 1000 * kb_per_gib / f->kb);
}

void
live_facts(struct live *l)
{
	const struct capture *c = l->capture;

	ADD_ROWS(l, capture_view(&c->status), status_rows);
	if (c->descriptors_known)
		add_number(l, "descriptor.open", c->n_open);
	add_place(l);
	add_number(l, "ptrace.pause", c->pause_ns / 1000);
	add_fork(l);
	add_system(l);
}
