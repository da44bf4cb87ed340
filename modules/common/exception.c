/* SPDX-License-Identifier: MIT */
/*
 * Finds the exception object without symbols (Itanium C++ ABI, exception
 * handling, 2.2). The run time keeps two words for each thread: the list of
 * caught exceptions and a count of uncaught ones. They lie in the thread-local
 * block of libstdc++ (or of the program, when that is linked statically), and
 * every header on the list carries the class word of its run time, so the right
 * words are recognised by what they point to.
 *
 *	header: type_info * at 0, ..., adjusted pointer at 72, class at 80;
 *	the object follows at 112 (glibc, x86-64, unwind.h aligned to 16).
 */
#include <string.h>

#include "exception.h"
#include "typename.h"

/* GNUCC++\0, CLNGC++\0 (libc++abi); rethrown ones end in 1. */
static const uint64_t class_gnu = 0x474e5543432b2b00;
static const uint64_t class_clang = 0x434c4e47432b2b00;
static const uint64_t dependent = 1;
enum {
	HEADER_TYPE = 0,
	HEADER_CLASS = 80,
	HEADER_OBJECT = 112,
	CLANG_FRONT = 16,
	BLOCK_MAX = 4096,
	KEYS_END = 1536, /* of struct pthread: they are 784 to 1296 in 2.36 */
	NAME_MAX_BYTES = 512,
	BASES_MAX = 16
};

static bool
read_word(ptrace_target_t *t, bt_addr_t at, uint64_t *out)
{

	return at != 0 && ptrace_target_read(t, at, out, sizeof(*out), NULL);
}

/* Printable text, shown up to a bound. */
static const char *
read_text(ptrace_backtrace_t *bt, bt_addr_t at)
{
	char text[NAME_MAX_BYTES];
	size_t n = ptrace_target_read_some(
	    ptrace_backtrace_target(bt), at, text, sizeof(text));

	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\0')
			return pmodule_text(bt, "%s", text);
		if ((unsigned char)text[i] < ' ' && text[i] != '\n' &&
		    text[i] != '\t')
			return NULL;
	}
	return NULL;
}

/* Does the type derive from one of the standard errors, whose text is the word
 * behind the vtable pointer? __si_class_type_info has its one base at 16. */
static bool
has_what(ptrace_backtrace_t *bt, bt_addr_t type)
{
	ptrace_target_t *t = ptrace_backtrace_target(bt);

	for (int i = 0; i < BASES_MAX; i++) {
		uint64_t name;
		const char *text;

		if (!read_word(t, type + 8, &name))
			return false;
		text = read_text(bt, name);
		if (text == NULL)
			return false;
		if (strcmp(text, "St13runtime_error") == 0 ||
		    strcmp(text, "St11logic_error") == 0)
			return true;
		if (!read_word(t, type + 16, &type))
			return false;
	}
	return false;
}

static void
read_value(ptrace_backtrace_t *bt, bt_addr_t type, struct exception *out)
{
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	uint64_t word;
	int32_t number;

	if (has_what(bt, type)) {
		if (read_word(t, out->object + 8, &word))
			out->what = read_text(bt, word);
	} else if (out->type != NULL &&
	    (strcmp(out->type, "const char *") == 0 ||
		strcmp(out->type, "char *") == 0 ||
		strcmp(out->type, "std::string") == 0)) {
		if (read_word(t, out->object, &word))
			out->what = read_text(bt, word);
	} else if (out->type != NULL && strcmp(out->type, "int") == 0 &&
	    ptrace_target_read(t, out->object, &number, sizeof(number), NULL)) {
		out->what = pmodule_text(bt, "%d", number);
	}
}

/* The header right before an object. */
static bool
read_primary(ptrace_backtrace_t *bt, bt_addr_t header, struct exception *out)
{
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	uint64_t type, name;
	const char *text;

	if (!read_word(t, header + HEADER_TYPE, &type) ||
	    !read_word(t, type + 8, &name))
		return false;
	out->object = header + HEADER_OBJECT;
	text = read_text(bt, name);
	if (text != NULL)
		out->type = typename_of(bt, text);
	read_value(bt, type, out);
	return true;
}

static bool
is_class(ptrace_target_t *t, bt_addr_t header, uint64_t wanted, uint64_t *out)
{

	return read_word(t, header + HEADER_CLASS, out) &&
	    (*out & ~dependent) == wanted;
}

static bool
read_header(ptrace_backtrace_t *bt, bt_addr_t header, struct exception *out)
{
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	uint64_t class_word;
	bool clang = false;

	if (header % 8 != 0)
		return false;
	/* libc++abi's has two words more in front, of which the second one
	 * names the primary object when it is a dependent one. */
	if (!is_class(t, header, class_gnu, &class_word)) {
		header += CLANG_FRONT;
		clang = true;
		if (!is_class(t, header, class_clang, &class_word))
			return false;
	}
	memset(out, 0, sizeof(*out));
	/* A dependent header (exception_ptr) names the primary object first. */
	if ((class_word & dependent) != 0) {
		header = clang ? header - 8 : header;
		return read_word(t, header, &out->object) &&
		    read_primary(bt, out->object - HEADER_OBJECT, out);
	}
	return read_primary(bt, header, out);
}

static bool
search_block(
    ptrace_thread_t *thread, const ptrace_module_t *m, struct exception *out)
{
	ptrace_backtrace_t *bt = ptrace_thread_backtrace(thread);
	bt_addr_t block;
	uint64_t size, word;

	if (!ptrace_thread_local_block(thread, m, &block, &size))
		return false;
	for (uint64_t at = 0; at + 8 <= size && at < BLOCK_MAX; at += 8) {
		if (!read_word(ptrace_backtrace_target(bt), block + at, &word))
			return false;
		if (word != 0 && read_header(bt, word, out))
			return true;
	}
	return false;
}

/* libc++abi may be built to keep them in memory of its own, as data of a
 * pthread_key: the pointer is in the thread's block, up to the 32nd key. */
static bool
search_keys(ptrace_thread_t *thread, struct exception *out)
{
	ptrace_backtrace_t *bt = ptrace_thread_backtrace(thread);
	ptrace_target_t *t = ptrace_backtrace_target(bt);
	uint64_t words[KEYS_END / 8], block, word;
	size_t n;

	if (!ptrace_thread_register(
		thread, PTRACE_REGISTER_THREAD_POINTER, &block))
		return false;
	n = ptrace_target_read_some(t, block, words, sizeof(words)) / 8;
	for (size_t i = 0; i < n; i++)
		if (words[i] % 8 == 0 && read_word(t, words[i], &word) &&
		    word != 0 && read_header(bt, word, out))
			return true;
	return false;
}

static bool
keeps_exceptions(const ptrace_module_t *m)
{

	return m->executable || strncmp(m->name, "libstdc++", 9) == 0 ||
	    strncmp(m->name, "libc++abi", 9) == 0;
}

bool
exception_find(ptrace_thread_t *thread, struct exception *out)
{
	ptrace_target_t *t = ptrace_backtrace_target(
	    ptrace_thread_backtrace(thread));
	uint32_t n = ptrace_target_n_modules(t);

	for (uint32_t i = 0; i < n; i++) {
		ptrace_module_t m = PTRACE_MODULE_INIT;

		if (ptrace_target_module_listed(t, i, &m) &&
		    keeps_exceptions(&m) && search_block(thread, &m, out))
			return true;
	}
	return search_keys(thread, out);
}
