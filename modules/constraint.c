/* SPDX-License-Identifier: MIT */
/*
 * Library functions that failed by their arguments. The function is the one
 * that the innermost frame of the program called, by the name in the procedure
 * linkage table: inside libc the nearest exported name is often the wrong one.
 *
 * While a block function runs, its size stays in the register it came in
 * (glibc's and musl's vector loops end by it), so a size that no object can
 * have is seen there. What was passed as a pointer may have been advanced.
 */
#include <string.h>

#include "common/blame.h"
#include "common/crash.h"

struct rule {
	const char *name;
	const char *reads, *writes; /* arguments by their names; NULL: none */
	int size;		    /* index of the size argument, or -1 */
};

static const struct rule rules[] = {
    {"memcpy", "src", "dest", 2},
    {"memmove", "src", "dest", 2},
    {"mempcpy", "src", "dest", 2},
    {"memset", NULL, "s", 2},
    {"memcmp", "s1 or s2", NULL, 2},
    {"memchr", "s", NULL, 2},
    {"memrchr", "s", NULL, 2},
    {"bcmp", "s1 or s2", NULL, 2},
    {"bcopy", "src", "dest", 2},
    {"bzero", NULL, "s", 1},
    {"strlen", "s", NULL, -1},
    {"strnlen", "s", NULL, -1},
    {"strcpy", "src", "dest", -1},
    {"stpcpy", "src", "dest", -1},
    {"strncpy", "src", "dest", 2},
    {"strcat", "src", "dest", -1},
    {"strncat", "src", "dest", -1},
    {"strcmp", "s1 or s2", NULL, -1},
    {"strncmp", "s1 or s2", NULL, -1},
    {"strcasecmp", "s1 or s2", NULL, -1},
    {"strncasecmp", "s1 or s2", NULL, -1},
    {"strchr", "s", NULL, -1},
    {"strrchr", "s", NULL, -1},
    {"strstr", "haystack or needle", NULL, -1},
    {"strdup", "s", NULL, -1},
    {"strndup", "s", NULL, -1},
    {"strtok", "str", "str", -1},
    {"strtok_r", "str", "str", -1},
    {"strtol", "nptr", NULL, -1},
    {"strtoul", "nptr", NULL, -1},
    {"atoi", "nptr", NULL, -1},
    {"atol", "nptr", NULL, -1},
    {"puts", "s", NULL, -1},
    {"fputs", "s or stream", "stream", -1},
    {"printf", "an argument of the format", NULL, -1},
    {"fprintf", "stream or an argument of the format", "stream", -1},
    {"sprintf", "an argument of the format", "str", -1},
    {"snprintf", "an argument of the format", "str", -1},
    {"fclose", "stream", "stream", -1},
    {"fflush", "stream", "stream", -1},
    {"fread", "stream", "ptr or stream", -1},
    {"fwrite", "ptr or stream", "stream", -1},
    {"fgets", "stream", "s or stream", -1},
    {"pthread_mutex_lock", "mutex", "mutex", -1},
    {"pthread_mutex_unlock", "mutex", "mutex", -1},
    {"pthread_cond_wait", "cond or mutex", "cond or mutex", -1},
    {"pthread_cond_signal", "cond", "cond", -1},
    {"pthread_rwlock_rdlock", "rwlock", "rwlock", -1},
    {"pthread_rwlock_wrlock", "rwlock", "rwlock", -1},
    {"pthread_join", "thread", "thread", -1},
    {"closedir", "dirp", "dirp", -1},
    {"readdir", "dirp", "dirp", -1},
};

/* "__memcpy_chk" checks and then does as memcpy. */
static const struct rule *
rule_named(const char *name)
{
	char plain[64];
	size_t n = strlen(name);

	if (n >= sizeof(plain))
		return NULL;
	memcpy(plain, name, n + 1);
	name = plain;
	if (n > 6 && strncmp(name, "__", 2) == 0 &&
	    strcmp(name + n - 4, "_chk") == 0) {
		plain[n - 4] = '\0';
		name += 2;
	}
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		if (strcmp(rules[i].name, name) == 0)
			return &rules[i];
	return NULL;
}

/* The function that the program called, with the caller's frame. NULL: the
 * fault is in the program's own code. */
static const struct rule *
called_rule(const struct crash *c, ptrace_frame_t **caller)
{
	ptrace_instruction_t call = PTRACE_INSTRUCTION_INIT;
	bt_addr_t start;
	const char *name;

	*caller = blame_frame(c->thread, c->frame);
	if (*caller == NULL || c->frame == NULL || *caller == c->frame ||
	    blame_is_machinery(c->frame) == false ||
	    !ptrace_target_call_before(
		c->target, ptrace_frame_ip(*caller), &call))
		return NULL;
	name = ptrace_target_call_name(c->target, &call);
	if (name == NULL && call.target_known) /* statically linked */
		name = ptrace_target_symbol(c->target, call.target, &start);
	return name != NULL ? rule_named(name) : NULL;
}

/* More than any object can have: the result of a subtraction gone wrong. */
static bool
is_absurd(uint64_t size)
{

	return size >> 47 != 0;
}

static void
judge_size(
    const struct crash *c, const struct rule *rule, ptrace_frame_t *caller)
{
	uint64_t size;
	struct report r;

	if (rule->size < 0)
		return;
	/* A repeated string instruction counts down from the size. */
	if (c->has_instruction && c->instruction.repeat != 0)
		size = c->instruction.repeat;
	else if (!ptrace_context_register(c->context,
		     ptrace_argument_register((unsigned)rule->size), &size))
		return;
	if (is_absurd(size) == false)
		return;
	r = report_of(c, "bad-argument", 0.92,
	    pmodule_text(c->bt,
		c->instruction.repeat != 0
		    ? "%s was called with a negative size, of which "
		      "%" PRId64 " is left"
		    : "%s was called with a size of %" PRId64,
		rule->name, (int64_t)size));
	r.frame = caller;
	report_note(&r,
	    pmodule_text(c->bt,
		"the size is 0x%" PRIx64
		", more than any memory: a negative difference taken for a "
		"size",
		size));
	report_token(&r, pmodule_text(c->bt, "constraint.%s", rule->name));
	report_publish(&r);
}

/* The access itself is judged elsewhere; here its meaning for the call. */
static void
judge_pointer(
    const struct crash *c, const struct rule *rule, ptrace_frame_t *caller)
{
	const char *argument = crash_direction_is(c, "write") ? rule->writes
							      : rule->reads;
	bool null = pmodule_finding_confidence(c->bt, "null-deref") > 0;
	struct report r;

	if (argument == NULL || c->direction == NULL ||
	    crash_direction_is(c, "execute"))
		return;
	r = report_of(c, "bad-argument", 0.55,
	    pmodule_text(c->bt, "%s was called with a bad argument: %s is %s",
		rule->name, argument, null ? "NULL" : "no valid pointer"));
	r.frame = caller;
	if (c->has_address)
		report_note(&r,
		    pmodule_text(
			c->bt, "the access was at 0x%" PRIx64, c->address));
	report_token(&r, pmodule_text(c->bt, "constraint.%s", rule->name));
	report_publish(&r);
}

static void
analyse(ptrace_backtrace_t *bt)
{
	ptrace_frame_t *caller;
	const struct rule *rule;
	struct crash c;

	if (crash_resolve(bt, &c) == false ||
	    (c.kind != CRASH_PAGE && c.kind != CRASH_PROTECTION) ||
	    pmodule_finding_confidence(bt, "stack-overflow") > 0)
		return;
	rule = called_rule(&c, &caller);
	if (rule == NULL)
		return;
	judge_size(&c, rule, caller);
	/* Not known to be the pointer's fault: a block that ends too early is
	 * read or written past its end. */
	if (pmodule_finding_confidence(bt, "null-deref") > 0 ||
	    pmodule_finding_confidence(bt, "noncanonical-access") > 0)
		judge_pointer(&c, rule, caller);
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("constraint", load, NULL, NULL)
