/* SPDX-License-Identifier: MIT */
/*
 * The bare name of a function, for grouping and for the call stack: what a
 * person calls it, the same for every template instance, overload, clone,
 * symbol version and compiler run.
 *
 *	void ns::f<int>(int, char)		ns::f
 *	std::vector<T>::operator[](size_t)	std::vector::operator[]
 *	parse.constprop.0.isra.0		parse
 *	__GI_raise, memcpy@@GLIBC_2.14		raise, memcpy
 *	core::fmt::write::h0123456789abcdef	core::fmt::write
 */
#include <ctype.h>

#include "snapshot/model.h"

/* Longer names are cut: they are grouping keys, not shown for their detail. */
enum { MAX_NAME = 1024 };

struct name {
	char text[MAX_NAME];
	size_t len;
};

static bool
starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool
is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$';
}

/* Past the group that opens at s, or at the end. Arrows and shifts inside
 * template arguments do not close anything. */
static const char *
skip_group(const char *s)
{
	int angle = 0, round = 0;

	for (; *s != '\0'; s++) {
		if (*s == '(' || *s == '{' || *s == '[') {
			round++;
		} else if (*s == ')' || *s == '}' || *s == ']') {
			round--;
		} else if (*s == '<' && round == 0) {
			angle++;
		} else if (*s == '>' && round == 0 && s[-1] != '-') {
			angle--;
		}
		if (angle <= 0 && round <= 0)
			return s + 1;
	}
	return s;
}

/* "operator" and its signs, copied whole. */
static const char *
copy_operator(struct name *out, const char *s)
{
	const char *end = s + strlen("operator");

	if (starts(end, "()") || starts(end, "[]")) {
		end += 2;
	} else if (*end == ' ') {
		/* new, delete, a conversion: up to the parameters. */
		while (*end != '\0' && *end != '(' && *end != '<')
			end++;
	} else {
		while (*end != '\0' && strchr("+-*/%^&|~!=<>,", *end) != NULL)
			end++;
	}
	for (; s < end && out->len < MAX_NAME - 1; s++)
		out->text[out->len++] = *s;
	return end;
}

/* A group that is part of the name: "(anonymous namespace)", "{lambda(..)#1}",
 * "{{closure}}", Rust's leading "<T as Trait>". */
static bool
group_is_name(const struct name *out, const char *s)
{
	if (*s == '{')
		return true;
	if (*s == '(')
		return starts(s, "(anonymous namespace)") ||
		    starts(s, "(anonymous class)");
	return *s == '<' && out->len == 0;
}

/* Template arguments and parameters go; a blank outside of them ends a return
 * type, so what came before is forgotten. */
static void
strip_cxx(const char *s, struct name *out)
{
	out->len = 0;
	while (*s != '\0' && out->len < MAX_NAME - 1) {
		bool word_start = out->len == 0 ||
		    !is_word(out->text[out->len - 1]);

		if (word_start && starts(s, "operator") && !is_word(s[8])) {
			s = copy_operator(out, s);
			continue;
		}
		if (*s == '(' || *s == '<' || *s == '{') {
			const char *end = skip_group(s);

			if (group_is_name(out, s)) {
				for (; s < end && out->len < MAX_NAME - 1; s++)
					out->text[out->len++] = *s;
			} else if (*s == '(' && out->len > 0 &&
			    !starts(end, "::")) {
				break; /* the parameters: nothing follows */
			}
			s = end;
			continue;
		}
		if (*s == ' ') {
			if (s[1] == '[' || s[1] == '\0')
				break; /* " [clone .cold]" */
			if (s[1] == '<') {
				s++; /* "operator< <int>" */
				continue;
			}
			out->len = 0;
			s++;
			continue;
		}
		out->text[out->len++] = *s++;
	}
	out->text[out->len] = '\0';
}

static bool
is_rust_hash(const char *s, size_t len)
{
	if (len != 19 || !starts(s, "::h"))
		return false;
	for (size_t i = 3; i < len; i++) {
		if (!isxdigit((unsigned char)s[i]))
			return false;
	}
	return true;
}

/* Clone suffixes of gcc and LLVM (".isra.0", ".cold", ".llvm.123") begin at
 * the first dot that has a name before it; versions at the first '@'. A name
 * that begins with a dot or holds blanks is something else. */
static void
strip_suffix(struct name *n)
{
	char *end = n->len > 0 ? strpbrk(n->text + 1, ".@") : NULL;

	if (end != NULL && strchr(n->text, '<') == NULL &&
	    strchr(n->text, '{') == NULL && end[1] != '.')
		*end = '\0';
	n->len = strlen(n->text);
	if (n->len > 19 && is_rust_hash(n->text + n->len - 19, 19))
		n->len -= 19;
	n->text[n->len] = '\0';
}

const char *
snapshot_function_name(struct snapshot *s, const char *symbol)
{
	struct name n;

	strip_cxx(symbol, &n);
	strip_suffix(&n);
	const char *text = n.text;
	if (starts(text, "__GI_") && text[5] != '\0')
		text += 5;
	return snapshot_string(s, text[0] != '\0' ? text : symbol);
}
