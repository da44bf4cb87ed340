/* SPDX-License-Identifier: MIT */
/*
 * Facts that need no unwinding: the signal, attributes of the process and of
 * the machine, the user's own attributes; modules and mappings.
 */
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/text.h"
#include "session/session_private.h"

/* A million lines of BACKTRACE_DEFAULTS would be nobody's wish. */
enum { FACTS_DEFAULTS_MAX = 4096 };

const char *
session_exe_name(const struct snapshot *s)
{
	const struct snap_attribute *exe = snapshot_attr_find(s, "process.exe");
	const struct snap_attribute *comm = snapshot_attr_find(
	    s, "process.comm");

	if (exe != NULL && exe->kind == SNAP_ATTR_STRING)
		return text_basename(exe->value.s);
	return comm != NULL && comm->kind == SNAP_ATTR_STRING ? comm->value.s
							      : "";
}

int64_t
session_pid(const struct snapshot *s)
{
	const struct snap_attribute *pid = snapshot_attr_find(s, "process.id");

	return pid != NULL ? pid->value.i : 0;
}

static void
collect_signal(struct session *s)
{
	const struct target_signal *in = target_signal(s->target);
	struct snap_signal *out = &s->snapshot->signal;

	if (in == NULL || in->present == false)
		return;
	out->present = true;
	out->number = in->number;
	out->name = snapshot_signal_name(in->number);
	out->code_name = "";
	if (in->has_info) {
		out->has_code = true;
		out->code = in->code;
		out->code_name = snapshot_signal_code_name(
		    in->number, in->code);
	}
	out->has_address = in->has_address;
	out->address = in->address;
	out->has_sender = in->has_sender;
	out->sender_pid = in->sender_pid;
	out->sender_uid = in->sender_uid;
	if (in->has_address)
		snapshot_attr_address(
		    s->snapshot, "fault.address", in->address);
}

/* The contract has these in every snapshot; of a core they describe the
 * machine it is taken on, which the man page says. */
static void
collect_machine(struct snapshot *out, const struct arch *arch)
{
	struct utsname u;
	char host[256];

	if (gethostname(host, sizeof(host)) == 0) {
		host[sizeof(host) - 1] = '\0';
		snapshot_attr_string(out, "hostname", host);
	}
	/* A core of another architecture is not of this machine. */
	if (!arch_is_x86_64(arch)) {
		snapshot_attr_string(out, "uname.sysname", "Linux");
		snapshot_attr_string(out, "uname.machine", arch->name);
		snapshot_attr_string(out, "cpu.arch", arch->name);
		return;
	}
	if (uname(&u) != 0)
		return;
	snapshot_attr_string(out, "uname.sysname", u.sysname);
	snapshot_attr_string(out, "uname.release", u.release);
	snapshot_attr_string(out, "uname.version", u.version);
	snapshot_attr_string(out, "uname.machine", u.machine);
	snapshot_attr_string(out, "cpu.arch", u.machine);
}

/* As the kernel sums them up (task_mem() in fs/proc/task_mmu.c). */
struct sizes {
	uint64_t all, stack, data, code, exe;
	bool data_known;
};

/* A core does not tell shared memory from private; a file that is no module
 * and can be written to is either. */
static bool
may_be_shared(const struct target_mapping *m)
{
	return m->module == TARGET_NO_MODULE && m->path != NULL &&
	    m->path[0] != '[';
}

/* False: more than there can be. */
static bool
add_mapping(struct session *s, const struct target_mapping *m, struct sizes *z)
{
	uint64_t size = m->end - m->start;
	struct target_module *modules;

	if (__builtin_add_overflow(z->all, size, &z->all))
		return false;
	if (m->path != NULL && strcmp(m->path, "[stack]") == 0) {
		z->stack = size;
	} else if ((m->perms & TARGET_W) != 0) {
		z->data += size;
		z->data_known &= may_be_shared(m) == false;
	} else if ((m->perms & TARGET_X) != 0) {
		z->code += size;
		if (m->module < target_modules(s->target, &modules) &&
		    modules[m->module].is_exe)
			z->exe += size;
	}
	return true;
}

static void
put_size(struct session *s, const char *key, uint64_t bytes)
{
	if (bytes != 0)
		snapshot_attr_uint(s->snapshot, key, bytes / 1024);
}

/*
 * Sizes of the address space in kB, as /proc/PID/status counts them: the
 * kernel's core has a segment for every mapping, dumped or not. (GDB's leaves
 * some out, and sizes of code and data would be wrong by as much.) The old
 * vsyscall page lies in the kernel's half and does not count.
 */
static void
collect_sizes(struct session *s)
{
	const uint64_t kernel = UINT64_C(1) << 63;
	const struct target_process *p = target_process(s->target);
	const struct target_mapping *m;
	size_t n = target_mappings(s->target, &m);
	struct sizes z = {.data_known = true};
	bool exact = p->live == false && p->from_gcore == false &&
	    p->core_missing == 0 && p->core_truncated == false;

	for (size_t i = 0; i < n && m[i].start < kernel; i++) {
		exact &= (m[i].perms & TARGET_PERMS_UNKNOWN) == 0;
		if (m[i].end > kernel || add_mapping(s, &m[i], &z) == false)
			return; /* a made-up address space */
	}
	put_size(s, "vm.vma.size", z.all);
	put_size(s, "vm.stack.size", z.stack);
	if (exact == false || z.exe == 0)
		return;
	put_size(s, "vm.exe", z.exe);
	put_size(s, "vm.shared.size", z.code - z.exe);
	if (z.data_known)
		put_size(s, "vm.data.size", z.data);
}

/* What the system counts itself is nearer to the truth. */
static void
collect_live(struct session *s)
{
	const struct target_fact *facts;
	size_t n = target_facts(s->target, &facts);

	for (size_t i = 0; i < n; i++) {
		if (facts[i].text != NULL)
			snapshot_attr_string(
			    s->snapshot, facts[i].key, facts[i].text);
		else
			snapshot_attr_uint(
			    s->snapshot, facts[i].key, facts[i].number);
	}
}

static void
collect_ids(struct session *s, const struct target_process *p)
{
	struct snapshot *out = s->snapshot;

	snapshot_attr_int(out, "process.id", p->pid);
	if (p->has_ids) {
		snapshot_attr_int(out, "process.parent", p->ppid);
		snapshot_attr_int(out, "process.group", p->pgrp);
		snapshot_attr_int(out, "process.session", p->sid);
		snapshot_attr_uint(out, "process.uid", p->uid);
		snapshot_attr_uint(out, "process.gid", p->gid);
	}
	if (p->comm != NULL)
		snapshot_attr_string(out, "process.comm", p->comm);
	if (p->args != NULL)
		snapshot_attr_string(out, "process.args", p->args);
	if (p->exe != NULL)
		snapshot_attr_string(out, "process.exe", p->exe);
}

/* What /proc tells of the leader alone, as far as a core has it. */
static void
collect_leader(struct session *s, const struct target_thread *t)
{
	const struct target_process *p = target_process(s->target);
	char state[2] = {t->state, '\0'}, pending[17];

	if (state[0] != '\0' && state[0] != '?')
		snapshot_attr_string(s->snapshot, "state", state);
	if (p->live)
		return; /* collect_live() has it */
	(void)snprintf(pending, sizeof(pending), "%016llx",
	    (unsigned long long)t->pending);
	snapshot_attr_string(s->snapshot, "vm.sigpnd", pending);
}

static void
collect_process(struct session *s)
{
	const struct target_process *p = target_process(s->target);
	struct target_thread *threads;
	struct snapshot *out = s->snapshot;
	size_t n = target_threads(s->target, &threads);

	collect_ids(s, p);
	snapshot_attr_uint(out, "process.thread.count", n);
	for (size_t i = 0; i < n; i++)
		if (threads[i].tid == (uint32_t)p->pid)
			collect_leader(s, &threads[i]);
	if (p->live == false)
		snapshot_attr_uint(out, "core.size", p->core_size);
	if (p->core_missing != 0)
		snapshot_attr_uint(out, "core.missing", p->core_missing);
	/* When the core was last written is when the process died, unless it
	 * was copied since. */
	if (p->core_mtime != 0)
		snapshot_attr_int(out, "core.mtime", p->core_mtime);
	snapshot_attr_int(out, "timestamp", out->created_seconds);
	collect_sizes(s);
	collect_live(s);
}

/* Lines of key=value; what is no such line is not an attribute. */
static void
collect_defaults(struct snapshot *out, const char *text)
{
	for (int i = 0; text != NULL && *text != '\0' && i < FACTS_DEFAULTS_MAX;
	     i++) {
		size_t line = strcspn(text, "\n");
		const char *equals = memchr(text, '=', line);

		if (equals != NULL && equals != text)
			snapshot_attr_string(out,
			    snapshot_stringn(
				out, text, (size_t)(equals - text)),
			    snapshot_stringn(out, equals + 1,
				line - (size_t)(equals - text) - 1));
		text += line + (text[line] == '\n');
	}
}

void
collect_facts(struct session *s)
{
	const struct session_options *o = s->options;
	struct snapshot *out = s->snapshot;
	const char *exe;

	collect_signal(s);
	collect_machine(out, target_arch(s->target));
	collect_process(s);
	collect_surroundings(s);
	exe = session_exe_name(out);
	if (o->application != NULL || *exe != '\0')
		snapshot_attr_string(out, "application",
		    o->application != NULL ? o->application : exe);
	collect_defaults(out, o->defaults);
	for (size_t i = 0; i < o->n_attributes; i++)
		snapshot_attr_string(
		    out, o->attributes[i].key, o->attributes[i].value);
	for (size_t i = 0; o->classifiers != NULL && o->classifiers[i] != NULL;
	     i++)
		snapshot_classifier(out, o->classifiers[i]);
}

/* Losses that whoever waits for the snapshot should know at once; all others
 * are in the snapshot. */
static bool
is_headline(const char *code)
{
	static const char *const codes[] = {"core.truncated", "core.header",
	    "core.no-threads", "live.uninterruptible", "live.refused",
	    "live.incomplete"};

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (strcmp(code, codes[i]) == 0)
			return true;
	return false;
}

static bool
is_about(const char *text, const char *path)
{

	return path != NULL && strncmp(text, path, strlen(path)) == 0;
}

/* Of the executable anything is worth telling: a wrong one is the commonest
 * mistake. */
static bool
is_loud(const struct session *s, const struct target_warning *w)
{
	return is_headline(w->code) || strcmp(w->code, "exe.unusable") == 0 ||
	    (strcmp(w->code, "module.mismatch") == 0 &&
		(is_about(w->text, s->options->exe_path) ||
		    is_about(w->text, target_process(s->target)->exe)));
}

void
collect_warnings(struct session *s)
{
	const struct target_warning *w;
	size_t n = target_warnings(s->target, &w);

	for (; s->warnings_taken < n; s->warnings_taken++) {
		const struct target_warning *one = &w[s->warnings_taken];

		snapshot_warn(s->snapshot,
		    target_process(s->target)->live ? "live" : "core",
		    one->code, "%s", one->text);
		if (s->sink->log != NULL)
			s->sink->log(s->sink->ctx,
			    is_loud(s, one) ? SESSION_WARNING : SESSION_INFO,
			    one->text);
	}
}

/* Opens the executable, which says whether it is the right one. */
void
collect_exe(struct session *s)
{
	struct target_module *modules;
	size_t n = target_modules(s->target, &modules);
	bool found = false;

	for (size_t i = 0; i < n && found == false; i++) {
		found = modules[i].is_exe;
		if (found)
			(void)target_module_image(s->target, &modules[i]);
	}
	if (found == false && s->options->exe_path != NULL)
		target_warn(s->target, "exe.unusable",
		    "the core does not say where its executable was; %s is "
		    "not used",
		    s->options->exe_path);
	collect_warnings(s);
}

/* ---- modules and mappings ---- */

static const char *
debug_name(enum target_debug kind)
{
	switch (kind) {
	case TARGET_DEBUG_DWARF:
		return "dwarf";
	case TARGET_DEBUG_SYMTAB:
		return "symtab";
	case TARGET_DEBUG_DYNSYM:
		return "dynsym";
	case TARGET_DEBUG_NONE:
		return "none";
	case TARGET_DEBUG_UNKNOWN:
		break;
	}
	return ""; /* no frame was in it, so nobody looked */
}

static void
collect_module(struct snapshot *out, const struct target_module *m)
{
	struct snap_module *copy = vec_push(&out->modules);
	char hex[2 * IMAGE_BUILD_ID_MAX + 1];

	if (copy == NULL)
		return;
	copy->path = snapshot_string(out, m->path);
	copy->build_id = m->build_id.size != 0
	    ? snapshot_string(out, image_build_id_hex(&m->build_id, hex))
	    : "";
	copy->start = m->start;
	copy->end = m->end;
	copy->debug = debug_name(m->debug_kind);
	copy->debug_path = snapshot_string(out, m->debug_path);
}

void
collect_modules(struct session *s)
{
	static const char perms[8][5] = {[0] = "---p",
	    [TARGET_R] = "r--p",
	    [TARGET_W] = "-w-p",
	    [TARGET_X] = "--xp",
	    [TARGET_R | TARGET_W] = "rw-p",
	    [TARGET_R | TARGET_X] = "r-xp",
	    [TARGET_W | TARGET_X] = "-wxp",
	    [TARGET_R | TARGET_W | TARGET_X] = "rwxp"};
	const struct target_mapping *mappings;
	struct target_module *modules;
	size_t n = target_modules(s->target, &modules);

	for (size_t i = 0; i < n; i++)
		collect_module(s->snapshot, &modules[i]);
	n = target_mappings(s->target, &mappings);
	vec_reserve(&s->snapshot->mappings, n);
	for (size_t i = 0; i < n; i++) {
		const struct target_mapping *m = &mappings[i];
		struct snap_mapping *out = vec_push(&s->snapshot->mappings);

		if (out == NULL)
			return;
		out->start = m->start;
		out->end = m->end;
		out->offset = m->offset;
		memcpy(out->perms,
		    perms[m->perms & (TARGET_R | TARGET_W | TARGET_X)],
		    sizeof(out->perms));
		/* A core does not tell shared from private. */
		if ((m->perms & TARGET_SHARED) != 0)
			out->perms[3] = 's';
		out->path = snapshot_string(s->snapshot, m->path);
	}
}
