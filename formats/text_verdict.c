/* SPDX-License-Identifier: MIT */
/*
 * The verdict: what happened, why, where, in at most five lines, for somebody
 * who was woken up; behind it what it rests on, what else was found, and what
 * the snapshot is.
 */
#include <stdio.h>

#include "base/text.h"
#include "formats/text_out.h"

enum { VERDICT_LINES = 5, OTHERS_MAX = 20 };

static const char *
attribute(const struct snapshot *s, const char *key)
{
	const struct snap_attribute *a = snapshot_attr_find(s, key);

	if (a == NULL || a->kind != SNAP_ATTR_STRING || a->value.s[0] == '\0')
		return NULL;
	return a->value.s;
}

static bool
number_attribute(const struct snapshot *s, const char *key, uint64_t *out)
{
	const struct snap_attribute *a = snapshot_attr_find(s, key);

	if (a == NULL ||
	    (a->kind != SNAP_ATTR_UINT && a->kind != SNAP_ATTR_INT))
		return false;
	*out = a->value.u;
	return true;
}

/* "exe, pid 77, thread 78 "worker" of 3" */
static void
put_subject(struct text_out *t)
{
	const struct snap_thread *thread = snapshot_fault_thread(t->s);
	const char *application = attribute(t->s, "application");
	uint64_t pid;

	text_put(t, application != NULL ? application : "(unknown program)");
	if (number_attribute(t->s, "process.id", &pid))
		text_say(t, ", pid %llu", (unsigned long long)pid);
	else
		pid = 0;
	if (thread != NULL && thread->tid == pid) {
		/* Its name is the program's. */
		if (t->s->threads.count > 1)
			text_say(
			    t, ", main thread of %zu", t->s->threads.count);
	} else if (thread != NULL) {
		text_say(t, ", thread %u", thread->tid);
		if (thread->name != NULL && thread->name[0] != '\0') {
			text_say(t, " \"");
			text_put(t, thread->name);
			text_say(t, "\"");
		}
		if (t->s->threads.count > 1)
			text_say(t, " of %zu", t->s->threads.count);
	} else if (t->s->threads.count > 0) {
		text_say(t, ", %zu thread%s", t->s->threads.count,
		    t->s->threads.count > 1 ? "s" : "");
	}
}

static void
put_sender(struct text_out *t, const struct snap_signal *g)
{
	uint64_t pid;

	if (!g->has_sender)
		return;
	if (number_attribute(t->s, "process.id", &pid) &&
	    pid == (uint64_t)g->sender_pid)
		text_say(t, " raised by the process itself");
	else
		text_say(
		    t, " sent by pid %d, uid %u", g->sender_pid, g->sender_uid);
}

/* "SIGSEGV (SEGV_MAPERR) at 0x18: exe, pid 77, ..." */
static void
put_signal(struct text_out *t)
{
	const struct snap_signal *g = &t->s->signal;

	if (!g->present) {
		text_on(t, TEXT_STRONG);
		text_say(t, "No signal");
		text_off(t);
	} else {
		text_on(t, TEXT_ALARM);
		if (g->name != NULL && g->name[0] != '\0')
			text_put(t, g->name);
		else
			text_say(t, "signal %d", g->number);
		if (g->code_name != NULL && g->code_name[0] != '\0') {
			text_say(t, " (");
			text_put(t, g->code_name);
			text_say(t, ")");
		} else if (g->has_code) {
			text_say(t, " (code %d)", g->code);
		}
		if (g->has_address)
			text_say(
			    t, " at 0x%llx", (unsigned long long)g->address);
		text_off(t);
		put_sender(t, g);
	}
	text_say(t, ": ");
	put_subject(t);
	text_end(t);
}

static bool
put_fault(struct text_out *t)
{
	const struct snap_fault *f = &t->s->fault;
	bool direction = f->direction != NULL && f->direction[0] != '\0';
	bool instruction = f->instruction != NULL && f->instruction[0] != '\0';

	if (!f->present || (!direction && !instruction && !f->has_address))
		return false;
	text_say(t, "  ");
	/* A division by zero is no access. */
	if (instruction && !direction && !f->has_address) {
		text_say(t, "at ");
		text_styled(t, TEXT_SYMBOL, f->instruction);
		text_end(t);
		return true;
	}
	if (direction)
		text_put(t, f->direction);
	else
		text_say(t, "access");
	if (f->has_address)
		text_say(t, " at 0x%llx", (unsigned long long)f->address);
	if (f->operand != NULL && f->operand[0] != '\0') {
		text_say(t, " = ");
		text_put(t, f->operand);
	}
	if (instruction) {
		text_say(t, " by ");
		text_styled(t, TEXT_SYMBOL, f->instruction);
	}
	text_end(t);
	return true;
}

/* ---- findings ---- */

static const struct snap_finding *
primary_finding(const struct snapshot *s)
{
	for (size_t i = 0; i < s->findings.count; i++)
		if (s->findings.items[i].primary)
			return &s->findings.items[i];
	return NULL;
}

/* "  null pointer dereference: ... (null-deref, 98 %)" */
static void
put_finding(struct text_out *t, const struct snap_finding *f, bool primary)
{
	bool text = f->text != NULL && f->text[0] != '\0';

	text_say(t, primary ? "  " : "  also ");
	if (text) {
		text_on(t, primary ? TEXT_STRONG : TEXT_DIM);
		text_put(t, f->text);
		text_off(t);
		text_say(t, " (");
	}
	text_put(t, f->class_name);
	text_say(t, "%s%.0f %%", text ? ", " : " ", f->confidence * 100);
	if (text)
		text_say(t, ")");
	text_end(t);
}

static bool
has_symbol(const struct snap_frame *f)
{

	return f->location != NULL && f->location->symbol != NULL &&
	    f->location->symbol[0] != '\0';
}

/* "draw (shapes.c:12)" */
static void
put_function(struct text_out *t, const struct snap_frame *f)
{
	const struct snap_location *l = f->location;
	const char *slash;

	if (has_symbol(f))
		text_styled(t, TEXT_SYMBOL, l->symbol);
	else
		text_styled(t, TEXT_SYMBOL, l->object);
	if (l == NULL || l->path == NULL || l->path[0] == '\0' || l->line == 0)
		return;
	slash = strrchr(l->path, '/');
	text_say(t, " (");
	text_put(t, slash != NULL ? slash + 1 : l->path);
	text_say(t, ":%u)", l->line);
}

static const struct snap_thread *
thread_of(const struct snapshot *s, uint32_t tid)
{
	for (size_t i = 0; i < s->threads.count; i++)
		if (s->threads.items[i].tid == tid)
			return &s->threads.items[i];
	return NULL;
}

/* A caller that says something: not what starts threads and programs, and not
 * the same function once more. */
static bool
is_telling(const struct snap_frame *frame, const struct snap_frame *caller)
{
	static const char *const starts[] = {
	    "__libc_start_", "start_thread", "clone", "_start"};
	const char *name;

	if (!has_symbol(caller) || caller->signal_frame)
		return false;
	name = caller->location->symbol;
	for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++)
		if (strncmp(name, starts[i], strlen(starts[i])) == 0)
			return false;
	return !has_symbol(frame) || strcmp(name, frame->location->symbol) != 0;
}

/* The frame to blame and who called it: "in draw (a.c:12), called by main
 * (b.c:30)". False: none is known. */
static bool
put_blame(struct text_out *t, const struct snap_finding *f)
{
	const struct snap_thread *thread = f != NULL && f->tid != SNAP_NONE
	    ? thread_of(t->s, f->tid)
	    : snapshot_fault_thread(t->s);
	uint32_t index = f != NULL && f->tid != SNAP_NONE ? f->frame
	    : t->s->fault.present			  ? t->s->fault.frame
							  : 0;
	const struct snap_frame *frame, *caller;

	if (thread == NULL || index >= thread->n_frames)
		return false;
	frame = &thread->frames[index];
	caller = index + 1 < thread->n_frames ? frame + 1 : NULL;
	if (!has_symbol(frame) &&
	    (frame->location == NULL || frame->location->object == NULL ||
		frame->location->object[0] == '\0'))
		return false;
	text_say(t, "  in ");
	put_function(t, frame);
	if (caller != NULL && is_telling(frame, caller)) {
		text_say(t, ", called by ");
		put_function(t, caller);
	}
	if (!thread->fault)
		text_say(t, ", thread %u", thread->tid);
	text_end(t);
	return true;
}

/* ---- what is shown ---- */

/* The others that the verdict has room for. */
static size_t
others_shown(const struct snapshot *s, size_t lines)
{
	size_t others = s->findings.count -
	    (primary_finding(s) != NULL ? 1 : 0);
	size_t room = lines < VERDICT_LINES ? VERDICT_LINES - lines : 0;

	/* The last line says how many there are when not all fit. */
	return others <= room ? others : room > 0 ? room - 1 : 0;
}

/* How many of the others are in the verdict with their text. */
static size_t
put_others(struct text_out *t, size_t lines)
{
	const struct snapshot *s = t->s;
	size_t shown = others_shown(s, lines), done = 0, left = 0;

	for (size_t i = 0; i < s->findings.count; i++) {
		if (s->findings.items[i].primary)
			continue;
		if (done < shown) {
			put_finding(t, &s->findings.items[i], false);
			done++;
		} else {
			left++;
		}
	}
	if (left == 0 || lines + done >= VERDICT_LINES)
		return shown;
	text_say(t, "  also %zu more finding%s", left, left == 1 ? "" : "s");
	text_end(t);
	return shown;
}

/* In the order of what a reader needs, as far as there is room. */
size_t
text_verdict(struct text_out *t)
{
	const struct snap_finding *primary = primary_finding(t->s);
	const char *error = attribute(t->s, "error.message");
	size_t lines = 1;

	put_signal(t);
	if (error != NULL) {
		text_say(t, "  error: ");
		text_put(t, error);
		text_end(t);
		lines++;
	}
	if (primary != NULL) {
		put_finding(t, primary, true);
		lines++;
	}
	if (primary != NULL || t->s->fault.present)
		lines += put_blame(t, primary);
	if (t->s->partial) {
		text_say(t, "  ");
		text_styled(t, TEXT_DOUBT,
		    "partial: something could not be had, see the warnings");
		text_end(t);
		lines++;
	}
	if (lines < VERDICT_LINES)
		lines += put_fault(t);
	return put_others(t, lines);
}

/* ---- behind the verdict ---- */

static void
put_evidence(struct text_out *t, const struct snap_finding *f, unsigned indent)
{
	for (uint32_t i = 0; i < f->n_evidence; i++) {
		text_say(t, "%*s- ", (int)indent, "");
		text_put(t, f->evidence[i]);
		text_end(t);
	}
}

static void
put_snapshot(struct text_out *t)
{
	const struct snapshot *s = t->s;
	const char *host = attribute(s, "hostname");
	char date[20];

	text_say(t, "  ");
	text_on(t, TEXT_DIM);
	if (host != NULL) {
		text_say(t, "host ");
		text_put(t, host);
		text_say(t, ", ");
	}
	if (text_date(s->created_seconds, ' ', date))
		text_say(t, "snapshot of %s UTC", date);
	if (s->classifiers.count > 0)
		text_say(t, ", classifiers");
	for (size_t i = 0; i < s->classifiers.count; i++) {
		text_say(t, " ");
		text_put(t, s->classifiers.items[i]);
	}
	text_off(t);
	text_end(t);
}

/* Evidence of the primary finding, then the others with theirs; of those that
 * the verdict has shown only their class. */
void
text_evidence(struct text_out *t, size_t shown)
{
	const struct snapshot *s = t->s;
	const struct snap_finding *primary = primary_finding(s);
	size_t others = 0;

	text_end(t);
	if (primary != NULL)
		put_evidence(t, primary, 2);
	for (size_t i = 0; i < s->findings.count; i++) {
		const struct snap_finding *f = &s->findings.items[i];

		if (f->primary || others++ >= OTHERS_MAX)
			continue;
		if (others > shown) {
			put_finding(t, f, false);
		} else if (f->n_evidence > 0) {
			text_say(t, "  ");
			text_put(t, f->class_name);
			text_say(t, ":");
			text_end(t);
		}
		put_evidence(t, f, 4);
	}
	if (others > OTHERS_MAX) {
		text_say(t, "  also %zu more findings", others - OTHERS_MAX);
		text_end(t);
	}
	text_heap(t);
	put_snapshot(t);
	text_annotations(t, s->annotations, 2, "");
	if (t->o->group_line) {
		text_say(t, "Group: ");
		text_put(t,
		    s->fingerprint != NULL && s->fingerprint[0] != '\0'
			? s->fingerprint
			: "none");
		text_end(t);
	}
}
