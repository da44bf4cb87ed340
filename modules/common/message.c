/* SPDX-License-Identifier: MIT */
/*
 * glibc keeps what it wrote before abort() for debuggers, behind an exported
 * name, so no symbols are needed.
 */
#include <string.h>

#include "message.h"

enum { MESSAGE_MAX = 1024 };

/* struct abort_msg_s { unsigned int size; char msg[]; } (glibc
 * include/stdlib.h); the pointer is null until something was said. */
const char *
message_of_abort(ptrace_backtrace_t *bt)
{
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	bt_addr_t variable;
	uint64_t message;
	char text[MESSAGE_MAX];
	uint32_t size;
	size_t n;

	if (!ptrace_target_symbol_named(
		t, NULL, "__abort_msg", &variable, NULL) ||
	    !ptrace_target_read(t, variable, &message, sizeof(message), NULL) ||
	    message == 0 ||
	    !ptrace_target_read(t, message, &size, sizeof(size), NULL))
		return NULL;
	if (size > sizeof(text))
		size = sizeof(text);
	n = ptrace_target_read_some(t, message + 4, text, size);
	if (n == 0)
		return NULL;
	text[n - 1] = '\0';
	n = strlen(text);
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
		text[--n] = '\0';
	return n > 0 ? pmodule_text(bt, "%s", text) : NULL;
}
