/* SPDX-License-Identifier: MIT */
/*
 * What pointers really point to: a variable of the faulting thread that is
 * declared as a pointer to a base class (or to anything) is marked with the
 * class of its object, by the object's table of virtual functions.
 */
#include <string.h>

#include "common/vtable.h"

enum { FRAMES_MAX = 32, VARIABLES_MAX = 512 };

/* "ns::Derived" is "Derived" as well: the declared type may lack its
 * namespaces. */
static bool
same_type(const char *declared, const char *type)
{
	size_t n = declared != NULL ? strlen(declared) : 0, m = strlen(type);

	return n > 0 && n <= m && strcmp(type + m - n, declared) == 0 &&
	    (n == m || (m - n >= 2 && strncmp(type + m - n - 2, "::", 2) == 0));
}

static void
look(ptrace_backtrace_t *bt, ptrace_variable_t *v)
{
	ptrace_variable_info_t info = PTRACE_VARIABLE_INFO_INIT;
	struct vtable table;

	if (v == NULL || !ptrace_variable_info(v, &info) ||
	    info.kind != PTRACE_VARIABLE_POINTER || info.has_value == false ||
	    strncmp(ptrace_variable_name(v), "_vptr", 5) == 0 ||
	    !vtable_of(bt, info.value, &table) ||
	    (table.to_top == 0 &&
		same_type(ptrace_variable_base_type(v), table.type)))
		return;
	if (table.to_top == 0)
		pmodule_variable_annotate(
		    v, PAT_COMMENT, "points to a %s", table.type);
	else
		pmodule_variable_annotate(v, PAT_COMMENT,
		    "points into a %s, %lld bytes from its start", table.type,
		    -(long long)table.to_top);
}

static void
analyse(ptrace_backtrace_t *bt)
{
	ptrace_thread_t *t = ptrace_backtrace_fault_thread(bt);
	uint32_t n = t != NULL ? ptrace_thread_n_frames(t) : 0;
	unsigned left = VARIABLES_MAX;

	for (uint32_t i = 0; i < n && i < FRAMES_MAX; i++) {
		ptrace_frame_t *f = ptrace_thread_frame(t, i);
		uint32_t count = f != NULL ? ptrace_frame_n_variables(f) : 0;

		for (uint32_t k = 0; k < count && left > 0; k++, left--)
			look(bt, ptrace_frame_variable(f, k));
	}
}

static bool
load(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("types", load, NULL, NULL)
