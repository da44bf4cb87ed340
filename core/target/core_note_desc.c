/* SPDX-License-Identifier: MIT */
/*
 * What single notes of a core say. The layouts are those of Linux
 * (include/uapi/linux/elfcore.h, fs/binfmt_elf.c): struct elf_prstatus with
 * its general registers at 112, struct elf_prpsinfo of 136 bytes, siginfo_t,
 * auxv pairs, and the table of mapped files; the same with words of 4 bytes on
 * machines of 32 bits. A note that is too short gives what is in it.
 */
#include <elf.h>
#include <signal.h>
#include <stdio.h>

#include "base/map.h"
#include "target/arch/xstate.h"
#include "target/core_private.h"

enum { PRSTATUS_PID = 32, PRSTATUS_REGS = 112 };
enum { PRSTATUS_PID_32 = 24, PRSTATUS_REGS_32 = 72 };
enum {
	NOTE_XSTATE = 0x202,
	NOTE_XSTATE_LAYOUT = 0x205,
	NOTE_ARM_TLS = 0x401,
	NOTE_ARM_PAC_MASK = 0x406
};

static struct target_thread *
last_thread(struct core *c)
{
	thread_vec *threads = &c->base.threads;

	return threads->count != 0 ? &threads->items[threads->count - 1] : NULL;
}

static void
read_prstatus(struct core *c, struct view v, uint64_t offset)
{
	struct target *t = &c->base;
	struct target_thread *thread;
	struct view regs;
	uint16_t cursig;
	uint64_t pending;

	view_seek(&v, 12);
	cursig = core_u16(c, &v);
	view_seek(&v, 16); /* struct elf_prstatus, pr_sigpend */
	pending = core_word(c, &v);
	view_seek(&v, c->narrow ? PRSTATUS_PID_32 : PRSTATUS_PID);
	uint32_t tid = core_u32(c, &v);
	if (!view_ok(&v)) {
		target_warn(t, "core.note",
		    "NT_PRSTATUS at offset 0x%llx is too short (%zu bytes)",
		    (unsigned long long)offset, v.size);
		return;
	}
	thread = vec_push(&t->threads);
	if (thread == NULL) {
		if (c->threads_short++ == 0)
			target_warn(t, "core.limit",
			    "more than %zu threads; the rest is left out",
			    t->threads.count);
		return;
	}
	thread->tid = tid;
	thread->state = '?';
	thread->pending = pending;
	if (t->threads.count == 1)
		c->first_cursig = cursig;
	regs = view_from(&v, c->narrow ? PRSTATUS_REGS_32 : PRSTATUS_REGS);
	thread->has_regs = arch_gregs_read(t->arch, regs, &thread->regs);
	if (!thread->has_regs && t->arch->machine != 0)
		target_warn(t, "core.note",
		    "thread %u has no registers: NT_PRSTATUS at offset 0x%llx "
		    "has %zu bytes",
		    tid, (unsigned long long)offset, v.size);
}

/* A text field that need not be terminated; trailing blanks go, which the
 * kernel leaves where arguments ended. */
static const char *
text_field(struct target *t, struct view *v, size_t size)
{
	const uint8_t *bytes = view_bytes(v, size);
	size_t len;

	if (bytes == NULL)
		return NULL;
	len = strnlen((const char *)bytes, size);
	while (len > 0 && bytes[len - 1] == ' ')
		len--;
	return len != 0 ? strings_addn(&t->strings, (const char *)bytes, len)
			: NULL;
}

/* i386 and arm: user and group ids of two bytes. */
enum { PRPSINFO_SMALL_IDS = 124 };

static void
read_prpsinfo(struct core *c, struct view v, uint64_t offset)
{
	struct target *t = &c->base;
	struct target_process *p = &t->process;

	if (c->have_psinfo)
		return;
	/* The state before is that of the dumping thread: always running. */
	view_seek(&v, 2 * core_word_size(c));
	bool small_ids = c->narrow && v.size == PRPSINFO_SMALL_IDS;
	uint32_t uid = small_ids ? core_u16(c, &v) : core_u32(c, &v);
	uint32_t gid = small_ids ? core_u16(c, &v) : core_u32(c, &v);
	uint32_t pid = core_u32(c, &v), ppid = core_u32(c, &v);
	uint32_t pgrp = core_u32(c, &v), sid = core_u32(c, &v);
	if (!view_ok(&v)) {
		target_warn(t, "core.note",
		    "NT_PRPSINFO at offset 0x%llx is too short (%zu bytes)",
		    (unsigned long long)offset, v.size);
		return;
	}
	c->have_psinfo = true;
	c->psinfo_first = t->threads.count == 0;
	p->uid = uid;
	p->gid = gid;
	p->has_ids = true;
	p->pid = (int32_t)pid;
	p->ppid = (int32_t)ppid;
	p->pgrp = (int32_t)pgrp;
	p->sid = (int32_t)sid;
	p->comm = text_field(t, &v, 16);
	p->args = text_field(t, &v, 80);
}

/* As x86-64 has it: the union behind the three numbers begins at the next
 * word. */
static bool
siginfo_of(struct core *c, struct view v, struct target_signal *out)
{
	struct {
		uint32_t number, errnum, code, pad;
		uint64_t first;
	} s = {0};

	s.number = core_u32(c, &v);
	s.errnum = core_u32(c, &v);
	s.code = core_u32(c, &v);
	if (!view_ok(&v))
		return false;
	if (!c->narrow)
		view_skip(&v, 4);
	if ((int32_t)s.code > 0) { /* an address */
		s.first = core_word(c, &v);
	} else {
		s.first = core_u32(c, &v);
		s.first |= (uint64_t)core_u32(c, &v) << 32;
	}
	return target_siginfo_parse(
	    view_of(&s, view_ok(&v) ? sizeof(s) : 12), out);
}

static void
read_siginfo(struct core *c, struct view v, uint64_t offset)
{
	struct target *t = &c->base;
	struct target_thread *thread = last_thread(c);
	struct target_signal s = {0};

	if (!(arch_is_x86_64(t->arch) ? target_siginfo_parse(v, &s)
				      : siginfo_of(c, v, &s))) {
		target_warn(t, "core.note",
		    "NT_SIGINFO at offset 0x%llx is too short (%zu bytes)",
		    (unsigned long long)offset, v.size);
		return;
	}
	if (thread != NULL && !thread->signal.present)
		thread->signal = s;
	else if (thread == NULL && !t->signal.present)
		t->signal = s; /* before any thread: of the process */
}

static void
read_auxv(struct core *c, struct view v)
{
	struct target *t = &c->base;

	if (c->have_auxv)
		return;
	c->have_auxv = true;
	while (view_left(&v) >= 2 * core_word_size(c)) {
		struct auxv_entry a;

		a.type = core_word(c, &v);
		a.value = core_word(c, &v);
		if (a.type == AT_NULL)
			return;
		struct auxv_entry *entry = vec_push(&t->auxv);
		if (entry == NULL)
			break;
		*entry = a;
	}
	target_warn(t, "core.auxv",
	    "the auxiliary vector has no end; used as far as "
	    "it goes");
}

static bool
page_unit(struct core *c, uint64_t unit, uint64_t *out)
{
	struct target *t = &c->base;

	/* The kernel counts offsets in pages, gdb in bytes (unit 1). */
	*out = unit;
	if (unit != 0 && (unit & (unit - 1)) == 0 && unit <= UINT64_C(1) << 30)
		return true;
	if (!target_auxv(t, AT_PAGESZ, out) || *out == 0 ||
	    (*out & (*out - 1)) != 0 || *out > UINT64_C(1) << 30)
		*out = 4096;
	target_warn(t, "core.files",
	    "NT_FILE has the page size %llu; took %llu",
	    (unsigned long long)unit, (unsigned long long)*out);
	return false;
}

static void
read_files(struct core *c, struct view v, uint64_t offset)
{
	struct target *t = &c->base;
	uint64_t count, unit, bad = 0;
	size_t entry = 3 * core_word_size(c);
	struct view names;

	if (c->have_files)
		return;
	c->have_files = true;
	count = core_word(c, &v);
	unit = core_word(c, &v);
	if (!view_ok(&v) || count > view_left(&v) / entry) {
		target_warn(t, "core.files",
		    "NT_FILE at offset 0x%llx claims %llu files in %zu bytes",
		    (unsigned long long)offset, (unsigned long long)count,
		    v.size);
		count = view_ok(&v) ? view_left(&v) / entry : 0;
	}
	(void)page_unit(c, unit, &unit);
	names = view_from(&v, v.pos + count * entry);
	for (uint64_t i = 0; i < count; i++) {
		bt_addr_t start = core_word(c, &v), end = core_word(c, &v);
		uint64_t pages = core_word(c, &v), bytes;
		const char *path = view_cstr(&names);
		struct file_range *f;

		if (!view_ok(&v) || path == NULL || !budget_step(t->budget)) {
			bad += count - i;
			break;
		}
		if (start >= end || path[0] == '\0' ||
		    __builtin_mul_overflow(pages, unit, &bytes) ||
		    bytes + (end - start) < bytes ||
		    (f = vec_push(&t->files)) == NULL) {
			bad++;
			continue;
		}
		f->start = start;
		f->end = end;
		f->offset = bytes;
		f->path = strings_add(&t->strings, path);
	}
	if (bad != 0)
		target_warn(t, "core.files",
		    "%llu of %llu entries of NT_FILE at offset 0x%llx are "
		    "damaged and left out",
		    (unsigned long long)bad, (unsigned long long)count,
		    (unsigned long long)offset);
}

static void
read_xstate(struct core *c, struct view v, bool is_fx)
{
	struct target_thread *thread = last_thread(c);
	const size_t fx_size = 512;

	/* The extended state holds the FXSAVE area, so it is worth more. */
	if (thread == NULL || v.size < fx_size ||
	    (is_fx && thread->regs.xstate != NULL))
		return;
	thread->regs.xstate = view_bytes(&v, v.size);
	thread->regs.xstate_size = v.size;
	thread->regs.xstate_is_fx = is_fx;
}

static void
read_vectors(struct core *c, struct view v)
{
	const struct arch *arch = c->base.arch;
	struct target_thread *thread = last_thread(c);

	if (thread != NULL && thread->has_regs && arch->take_vectors != NULL &&
	    thread->regs.vectors.size == 0)
		arch->take_vectors(&thread->regs, v);
}

/* The thread pointer, and the masks of pointer authentication: of data, then of
 * code (arch/arm64/include/uapi/asm/ptrace.h). */
static void
arm_note(struct core *c, uint32_t type, struct view v)
{
	struct target_thread *thread = last_thread(c);
	uint64_t value;

	if (c->base.arch != &arch_aarch64)
		return;
	if (type == NOTE_ARM_PAC_MASK)
		view_skip(&v, sizeof(value));
	value = view_u64(&v);
	if (!view_ok(&v))
		return;
	if (type == NOTE_ARM_TLS && thread != NULL)
		thread->regs.thread_pointer = value;
	else if (type == NOTE_ARM_PAC_MASK && c->base.code_mask == 0)
		c->base.code_mask = value;
}

void
core_note(struct core *c, const char *name, uint32_t type, struct view desc,
    uint64_t offset)
{
	bool x86_64 = arch_is_x86_64(c->base.arch);

	if (name[0] == 'L') {
		if (!x86_64)
			arm_note(c, type, desc);
		else if (type == NOTE_XSTATE)
			read_xstate(c, desc, false);
		else if (type == NOTE_XSTATE_LAYOUT && !c->have_layout)
			c->have_layout = arch_xstate_layout(desc, &c->layout);
		return;
	}
	switch (type) {
	case NT_PRSTATUS:
		read_prstatus(c, desc, offset);
		break;
	case NT_PRPSINFO:
		read_prpsinfo(c, desc, offset);
		break;
	case NT_SIGINFO:
		read_siginfo(c, desc, offset);
		break;
	case NT_AUXV:
		read_auxv(c, desc);
		break;
	case NT_FILE:
		read_files(c, desc, offset);
		break;
	case NT_FPREGSET:
		if (x86_64)
			read_xstate(c, desc, true);
		else
			read_vectors(c, desc);
		break;
	default:
		break;
	}
}

static void
count_duplicates(struct core *c)
{
	thread_vec *threads = &c->base.threads;
	struct map seen;
	size_t duplicates = 0;

	map_init(&seen, threads->count + 1);
	for (size_t i = 0; i < threads->count; i++) {
		bool is_new = true;

		if (map_put(&seen, threads->items[i].tid, &is_new) == NULL)
			break;
		duplicates += !is_new;
	}
	map_deinit(&seen);
	if (duplicates != 0)
		target_warn(&c->base, "core.threads",
		    "%zu threads have the id of another one; all are kept",
		    duplicates);
}

/* Signals for which Linux writes a core (signal(7), action Core). */
static bool
is_core_signal(int number)
{
	return target_signal_is_fault(number) || number == SIGQUIT ||
	    number == SIGABRT || number == SIGSYS || number == SIGXCPU ||
	    number == SIGXFSZ;
}

/*
 * The signal that killed the process is that of the first thread: the kernel
 * dumps the thread that took it first, gdb writes the selected one first. gdb
 * can also write a core of a process that goes on living; then there is no
 * deadly signal, only what gdb stopped it with. It writes NT_PRPSINFO before
 * all threads, the kernel after the first.
 */
static void
settle_signal(struct core *c)
{
	struct target *t = &c->base;
	struct target_thread *first;
	struct target_signal s;

	if (t->threads.count == 0)
		return;
	first = &t->threads.items[0];
	s = first->signal.present ? first->signal : t->signal;
	if (!s.present && c->first_cursig != 0) {
		s.present = true;
		s.number = c->first_cursig;
	}
	t->process.from_gcore = !s.present || !is_core_signal(s.number) ||
	    (c->psinfo_first && s.number == SIGTRAP);
	if (s.present && (s.number <= 0 || s.number > 64)) {
		if (s.number != 0)
			target_warn(t, "core.signal",
			    "signal number %d is none", s.number);
		t->process.from_gcore = true;
	}
	if (t->process.from_gcore) {
		memset(&t->signal, 0, sizeof(t->signal));
		return;
	}
	t->signal = s;
	first->fault = true;
}

void
core_notes_finish(struct core *c)
{
	struct target *t = &c->base;

	if (t->threads.count == 0)
		target_warn(t, "core.no-threads",
		    "%s holds no registers of any thread", c->path);
	for (size_t i = 0; i < t->threads.count; i++) {
		struct target_thread *thread = &t->threads.items[i];

		/* The kernel keeps only the main thread's name in a core. */
		if (c->have_psinfo && (int32_t)thread->tid == t->process.pid)
			thread->name = t->process.comm;
		if (c->have_layout)
			thread->regs.layout = &c->layout;
	}
	if (c->notes_bad > 1)
		target_warn(t, "core.note", "%llu damaged notes in all",
		    (unsigned long long)c->notes_bad);
	count_duplicates(c);
	settle_signal(c);
}
