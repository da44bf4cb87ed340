/* SPDX-License-Identifier: MIT */
/* The report: verdict, threads, globals, details, warnings. */
#include <stdio.h>
#include <time.h>

#include "formats/text_out.h"

/* ---- the verdict ---- */

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
	if (thread != NULL) {
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

static void
put_fault(struct text_out *t)
{
	const struct snap_fault *f = &t->s->fault;
	bool direction = f->direction != NULL && f->direction[0] != '\0';
	bool instruction = f->instruction != NULL && f->instruction[0] != '\0';

	if (!f->present || (!direction && !instruction && !f->has_address))
		return;
	text_say(t, "  ");
	/* A division by zero is no access. */
	if (instruction && !direction && !f->has_address) {
		text_say(t, "at ");
		text_styled(t, TEXT_SYMBOL, f->instruction);
		text_end(t);
		return;
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
}

static void
put_finding(struct text_out *t, const struct snap_finding *f, bool full)
{
	text_say(t, full ? "  " : "  also ");
	text_on(t, full ? TEXT_STRONG : TEXT_DIM);
	text_put(t, f->class_name);
	text_off(t);
	text_say(t, " (%.0f %%)", f->confidence * 100);
	if (f->text != NULL && f->text[0] != '\0') {
		text_say(t, ": ");
		text_put(t, f->text);
	}
	text_end(t);
	for (uint32_t i = 0; full && i < f->n_evidence; i++) {
		text_say(t, "    - ");
		text_put(t, f->evidence[i]);
		text_end(t);
	}
}

static void
put_findings(struct text_out *t)
{
	enum { MAX_OTHERS = 5 };
	const struct snapshot *s = t->s;
	size_t others = 0;

	for (size_t i = 0; i < s->findings.count; i++) {
		if (s->findings.items[i].primary)
			put_finding(t, &s->findings.items[i], true);
	}
	for (size_t i = 0; i < s->findings.count; i++) {
		if (s->findings.items[i].primary)
			continue;
		if (others++ < MAX_OTHERS)
			put_finding(t, &s->findings.items[i], false);
	}
	if (others > MAX_OTHERS) {
		text_say(t, "  also %zu more findings", others - MAX_OTHERS);
		text_end(t);
	}
}

static void
put_where(struct text_out *t)
{
	const struct snapshot *s = t->s;
	const char *host = attribute(s, "hostname");
	time_t seconds = (time_t)s->created_seconds;
	char date[64];
	struct tm tm;

	text_say(t, "  ");
	text_on(t, TEXT_DIM);
	if (host != NULL) {
		text_say(t, "host ");
		text_put(t, host);
		text_say(t, ", ");
	}
	if (gmtime_r(&seconds, &tm) != NULL &&
	    strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S UTC", &tm) > 0)
		text_say(t, "snapshot of %s", date);
	if (s->classifiers.count > 0)
		text_say(t, ", classifiers");
	for (size_t i = 0; i < s->classifiers.count; i++) {
		text_say(t, " ");
		text_put(t, s->classifiers.items[i]);
	}
	text_off(t);
	text_end(t);
}

void
text_verdict(struct text_out *t)
{
	const char *error = attribute(t->s, "error.message");

	put_signal(t);
	put_fault(t);
	if (error != NULL) {
		text_say(t, "  error: ");
		text_put(t, error);
		text_end(t);
	}
	put_findings(t);
	text_heap(t);
	put_where(t);
	if (t->s->partial) {
		text_say(t, "  ");
		text_styled(t, TEXT_DOUBT,
		    "partial: something could not be had, see the warnings");
		text_end(t);
	}
	text_annotations(t, t->s->annotations, 2, "");
	if (t->o->group_line) {
		text_say(t, "Group: ");
		text_put(t,
		    t->s->fingerprint != NULL && t->s->fingerprint[0] != '\0'
			? t->s->fingerprint
			: "none");
		text_end(t);
	}
}

/* ---- globals and warnings ---- */

static void
put_globals(struct text_out *t)
{
	const struct snapshot *s = t->s;

	if (!t->o->variables || s->globals.count == 0)
		return;
	text_end(t);
	text_styled(t, TEXT_STRONG, "Globals:");
	text_end(t);
	for (size_t i = 0; i < s->globals.count; i++)
		text_list_variable(t, &s->globals.items[i], 2);
}

static void
put_warnings(struct text_out *t)
{
	const struct snapshot *s = t->s;

	if (s->warnings.count == 0 && s->warnings_lost == 0)
		return;
	text_end(t);
	text_on(t, TEXT_STRONG);
	text_say(t, "Warnings (%zu):", s->warnings.count);
	text_off(t);
	text_end(t);
	for (size_t i = 0; i < s->warnings.count; i++) {
		const struct snap_warning *w = &s->warnings.items[i];

		text_say(t, "  ");
		text_put(t, w->stage);
		text_say(t, ": ");
		text_put(t, w->text);
		text_on(t, TEXT_DIM);
		text_say(t, " [");
		text_put(t, w->code);
		text_say(t, "]");
		text_off(t);
		text_end(t);
	}
	if (s->warnings_lost != 0) {
		text_say(t, "  and %llu entries that found no room",
		    (unsigned long long)s->warnings_lost);
		text_end(t);
	}
}

void
text_report(
    const struct snapshot *s, const struct text_options *o, struct buf *out)
{
	struct text_out t = {s, o, out, out->size};

	text_verdict(&t);
	text_threads(&t);
	put_globals(&t);
	if (o->details)
		text_details(&t);
	put_warnings(&t);
}
