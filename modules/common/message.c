/* SPDX-License-Identifier: MIT */
/*
 * glibc keeps what it wrote before abort() for debuggers, behind an exported
 * name, so no symbols are needed. Where a program holds the library and has
 * lost its symbols, or the library's file is not here, the variable is still
 * there: it points to pages of their own that begin with their size, then the
 * text.
 */
#include <string.h>

#include "blame.h"
#include "message.h"

enum {
	MESSAGE_MAX = 1024,
	MESSAGE_MIN = 8,
	PAGE = 4096,
	DATA_MAX = 1 << 20, /* of the program's data is searched */
	CHUNK_WORDS = 512
};

/* struct abort_msg_s { unsigned int size; char msg[]; } (glibc
 * include/stdlib.h); the pointer is null until something was said. */
enum { BUFFER_TEXT = 4 };

static bool
is_text(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' && *text != '\n' &&
		    *text != '\t')
			return false;
	return true;
}

const char *
message_at(ptrace_backtrace_t *bt, bt_addr_t at)
{
	char text[MESSAGE_MAX];
	size_t n = ptrace_target_read_some(
	    ptrace_backtrace_target(bt), at, text, sizeof(text));

	if (n == 0)
		return NULL;
	text[n - 1] = '\0';
	n = strlen(text);
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
		text[--n] = '\0';
	return n > 0 ? pmodule_text(bt, "%s", text) : NULL;
}

/* ---- without symbols ---- */

static const char *
buffer_text(ptrace_backtrace_t *bt, bt_addr_t at)
{
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	const char *text;
	uint64_t last;
	uint32_t size;

	if (at == 0 || at % PAGE != 0 ||
	    !ptrace_target_read(t, at, &size, sizeof(size), NULL) ||
	    size == 0 || size % PAGE != 0 ||
	    !ptrace_target_mapping(t, at, &m) ||
	    (m.permissions & PTRACE_PERM_WRITE) == 0 || size > m.end - at ||
	    !ptrace_target_read(
		t, at + size - sizeof(last), &last, sizeof(last), NULL) ||
	    last != 0)
		return NULL;
	text = message_at(bt, at + BUFFER_TEXT);
	return text != NULL && strlen(text) >= MESSAGE_MIN && is_text(text)
	    ? text
	    : NULL;
}

static const char *
search_memory(ptrace_backtrace_t *bt, bt_addr_t start, bt_addr_t end)
{
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	uint64_t words[CHUNK_WORDS];

	for (bt_addr_t at = start; at < end; at += sizeof(words)) {
		size_t want = end - at < sizeof(words) ? end - at
						       : sizeof(words);
		size_t n = ptrace_target_read_some(t, at, words, want) / 8;

		for (size_t i = 0; i < n; i++) {
			const char *text = buffer_text(bt, words[i]);

			if (text != NULL)
				return text;
		}
	}
	return NULL;
}

static const char *
search_module(ptrace_backtrace_t *bt, const ptrace_module_t *module)
{
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	uint64_t left = DATA_MAX;
	const char *text = NULL;

	for (bt_addr_t at = module->start; text == NULL && left > 0 &&
	     ptrace_target_mapping_next(t, at, &m) && m.start < module->end;
	     at = m.end) {
		uint64_t size = m.end - m.start < left ? m.end - m.start : left;

		if ((m.permissions & PTRACE_PERM_WRITE) == 0)
			continue;
		text = search_memory(bt, m.start, m.start + size);
		left -= size;
	}
	return text;
}

/* The program, or the library where its file is not here. */
static const char *
search_modules(ptrace_backtrace_t *bt)
{
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	uint32_t n = ptrace_target_n_modules(t);
	const char *text = NULL;

	for (uint32_t i = 0; i < n && text == NULL; i++) {
		ptrace_module_t m = PTRACE_MODULE_INIT;

		if (ptrace_target_module_listed(t, i, &m) &&
		    (m.executable || blame_object_is(m.name, "libc")))
			text = search_module(bt, &m);
	}
	return text;
}

const char *
message_of_abort(ptrace_backtrace_t *bt)
{
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	bt_addr_t variable;
	uint64_t buffer;

	if (!ptrace_target_symbol_named(
		t, NULL, "__abort_msg", &variable, NULL))
		return search_modules(bt);
	if (!ptrace_target_read(t, variable, &buffer, sizeof(buffer), NULL) ||
	    buffer == 0)
		return NULL;
	return message_at(bt, buffer + BUFFER_TEXT);
}
