/* SPDX-License-Identifier: MIT */
/*
 * The canonical spelling of C++ names. Compilers write "long unsigned int",
 * "vector<int, std::allocator<int>>", "f<const char*>", "function<int(int)>";
 * GDB shows "unsigned long", "vector<int, std::allocator<int> >", "f<char
 * const*>", "function<int (int)>": the demangler's spelling, the same whatever
 * compiled the code. A name that does not parse as a type or a name (lambdas)
 * stays as it is, which is also what GDB does.
 */
#include "dwarf/private.h"
#include <ctype.h>

enum { NESTING_MAX = 64, CANONICAL_MAX = 65536 };

struct parser {
	const char *p;
	struct buf out;
	int depth;
	bool failed;
};

static bool put_argument(struct parser *s);

static bool
is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' ||
	    (unsigned char)c >= 0x80;
}

static void
skip_blanks(struct parser *s)
{
	while (*s->p == ' ')
		s->p++;
}

static size_t
word_length(const char *p)
{
	size_t n = 0;

	while (is_word(p[n]))
		n++;
	return n;
}

static bool
word_is(const char *p, size_t n, const char *word)
{
	return strlen(word) == n && memcmp(p, word, n) == 0;
}

/* Takes a word when it is next. */
static bool
take_word(struct parser *s, const char *word)
{
	if (!word_is(s->p, word_length(s->p), word))
		return false;
	s->p += strlen(word);
	skip_blanks(s);
	return true;
}

enum { CONST = 1, VOLATILE = 2 };

static unsigned
take_cv(struct parser *s)
{
	unsigned cv = 0;

	for (;;) {
		if (take_word(s, "const"))
			cv |= CONST;
		else if (take_word(s, "volatile"))
			cv |= VOLATILE;
		else
			return cv;
	}
}

static void
put_cv(struct parser *s, unsigned cv)
{
	if ((cv & CONST) != 0)
		buf_puts(&s->out, " const");
	if ((cv & VOLATILE) != 0)
		buf_puts(&s->out, " volatile");
}

struct integer {
	bool is_signed, is_unsigned, is_short, is_char, is_double;
	bool is_int;
	int longs;
};

static bool
take_integer_word(struct parser *s, struct integer *n)
{
	if (take_word(s, "long"))
		n->longs++;
	else if (take_word(s, "unsigned"))
		n->is_unsigned = true;
	else if (take_word(s, "signed"))
		n->is_signed = true;
	else if (take_word(s, "short"))
		n->is_short = true;
	else if (take_word(s, "int"))
		n->is_int = true;
	else if (take_word(s, "char"))
		n->is_char = true;
	else if (take_word(s, "double"))
		n->is_double = true;
	else
		return false;
	return true;
}

/* "long unsigned int" and its kin; *cv gathers qualifiers in between. */
static bool
put_integer(struct parser *s, unsigned *cv)
{
	struct integer n = {0};

	if (!take_integer_word(s, &n))
		return false;
	do
		*cv |= take_cv(s);
	while (take_integer_word(s, &n));
	if (n.is_unsigned)
		buf_puts(&s->out, "unsigned ");
	if (n.is_char)
		buf_puts(&s->out, n.is_signed ? "signed char" : "char");
	else if (n.is_double)
		buf_puts(&s->out, n.longs > 0 ? "long double" : "double");
	else if (n.is_short)
		buf_puts(&s->out, "short");
	else if (n.longs > 1)
		buf_puts(&s->out, "long long");
	else
		buf_puts(&s->out, n.longs == 1 ? "long" : "int");
	return true;
}

static char
last(const struct parser *s)
{
	return s->out.size > 0 ? (char)s->out.data[s->out.size - 1] : '\0';
}

/* "<...>" after a name. */
static bool
put_template_arguments(struct parser *s)
{
	s->p++;
	buf_putc(&s->out, '<');
	if (++s->depth > NESTING_MAX)
		return false;
	for (;;) {
		skip_blanks(s);
		if (*s->p == '>')
			break;
		if (!put_argument(s))
			return false;
		skip_blanks(s);
		if (*s->p == ',') {
			s->p++;
			buf_puts(&s->out, ", ");
		} else if (*s->p != '>') {
			return false;
		}
	}
	s->p++;
	s->depth--;
	buf_puts(&s->out, last(s) == '>' ? " >" : ">");
	return true;
}

/* What follows the word "operator". */
static bool
put_operator(struct parser *s)
{
	static const char *const symbols[] = {"<=>", "<<=", ">>=", "->*", "()",
	    "[]", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "++", "--",
	    "->", "+=", "-=", "*=", "/=", "%=", "^=", "&=", "|=", "+", "-", "*",
	    "/", "%", "^", "&", "|", "~", "!", "=", "<", ">", ","};

	skip_blanks(s);
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		size_t n = strlen(symbols[i]);

		if (strncmp(s->p, symbols[i], n) == 0) {
			buf_append(&s->out, s->p, n);
			s->p += n;
			return true;
		}
	}
	buf_putc(&s->out, ' ');
	return put_argument(s); /* a conversion, or new and delete */
}

static bool
put_anonymous_namespace(struct parser *s)
{
	static const char name[] = "(anonymous namespace)";

	if (strncmp(s->p, name, sizeof(name) - 1) != 0)
		return false;
	buf_puts(&s->out, name);
	s->p += sizeof(name) - 1;
	return true;
}

/* A name with its scopes and template arguments: "a::b<c>::d". */
static bool
put_name(struct parser *s)
{
	for (;;) {
		size_t n;

		if (!put_anonymous_namespace(s)) {
			if (*s->p == '~') {
				buf_putc(&s->out, '~');
				s->p++;
			}
			n = word_length(s->p);
			if (n == 0)
				return false;
			buf_append(&s->out, s->p, n);
			s->p += n;
			if (word_is(s->p - n, n, "operator") &&
			    !put_operator(s))
				return false;
			if (*s->p == '<' && !put_template_arguments(s))
				return false;
		}
		if (strncmp(s->p, "::", 2) != 0)
			return true;
		buf_puts(&s->out, "::");
		s->p += 2;
	}
}

/* "(int, char)" of a function type. */
static bool
put_parameters(struct parser *s)
{
	s->p++;
	buf_putc(&s->out, '(');
	if (++s->depth > NESTING_MAX)
		return false;
	skip_blanks(s);
	if (strncmp(s->p, "void)", 5) == 0)
		s->p += 4;
	while (*s->p != ')') {
		if (!put_argument(s))
			return false;
		skip_blanks(s);
		if (*s->p == ',') {
			s->p++;
			buf_puts(&s->out, ", ");
			skip_blanks(s);
		} else if (*s->p != ')') {
			return false;
		}
	}
	s->p++;
	s->depth--;
	buf_putc(&s->out, ')');
	return true;
}

static bool put_declarator(struct parser *s, bool blank);

/* "(*)", "(&)", "(A::*)" in front of parameters or a dimension. */
static bool
is_inner_declarator(const char *p)
{
	for (p++; is_word(*p) || *p == ':';)
		p++;
	return *p == '*' || *p == '&';
}

static bool
put_inner_declarator(struct parser *s)
{
	if (last(s) != '(' && last(s) != '*')
		buf_putc(&s->out, ' ');
	do
		buf_putc(&s->out, *s->p++);
	while (is_word(*s->p) || *s->p == ':');
	if (++s->depth > NESTING_MAX || !put_declarator(s, false) ||
	    *s->p != ')')
		return false;
	s->depth--;
	s->p++;
	buf_putc(&s->out, ')');
	return true;
}

/* Pointers, references, qualifiers, functions and arrays behind a type. */
static bool
put_declarator(struct parser *s, bool blank)
{
	for (;;) {
		unsigned cv;

		blank = blank || *s->p == ' ';
		skip_blanks(s);
		cv = take_cv(s);
		put_cv(s, cv);
		switch (*s->p) {
		case '*':
		case '&':
			buf_putc(&s->out, *s->p++);
			break;
		case '(':
			/* GDB keeps what the compiler wrote: "int(int)" of
			 * GCC, "int (int)" of clang. */
			if (is_inner_declarator(s->p)) {
				if (!put_inner_declarator(s))
					return false;
				break;
			}
			if (blank)
				buf_putc(&s->out, ' ');
			if (!put_parameters(s))
				return false;
			break;
		case '[':
			if (last(s) != ']')
				buf_putc(&s->out, ' ');
			while (*s->p != '\0' && *s->p != ']')
				buf_putc(&s->out, *s->p++);
			if (*s->p++ != ']')
				return false;
			buf_putc(&s->out, ']');
			break;
		default:
			if (cv == 0)
				return true;
			break;
		}
		blank = false;
	}
}

/* Numbers, characters, casts, addresses: as written, but for the case of the
 * suffix (clang writes 3UL, the demangler 3ul). */
static bool
put_value(struct parser *s)
{
	int parentheses = 0;
	bool number = isdigit((unsigned char)*s->p) || *s->p == '-';

	if (*s->p == '\'')
		buf_puts(&s->out, "(char)");
	if (strncmp(s->p, "(& ", 3) == 0) { /* GCC's "(& name)" */
		buf_putc(&s->out, '&');
		s->p += 3;
		if (!put_name(s) || *s->p++ != ')')
			return false;
		return true;
	}
	for (; *s->p != '\0'; s->p++) {
		if (*s->p == '(')
			parentheses++;
		else if (*s->p == ')' && parentheses-- == 0)
			break;
		else if (parentheses == 0 && (*s->p == ',' || *s->p == '>'))
			break;
		buf_putc(&s->out,
		    number ? (char)tolower((unsigned char)*s->p) : *s->p);
	}
	return true;
}

static bool
is_value(const char *p)
{
	return isdigit((unsigned char)*p) || *p == '-' || *p == '&' ||
	    *p == '\'' ||
	    (*p == '(' && strncmp(p, "(anonymous namespace)", 21) != 0 &&
		strncmp(p, "(lambda", 7) != 0);
}

static bool
put_argument(struct parser *s)
{
	unsigned cv;
	bool blank;

	if (s->out.failed)
		return false;
	skip_blanks(s);
	if (is_value(s->p))
		return put_value(s);
	if (strncmp(s->p, "...", 3) == 0) {
		s->p += 3;
		buf_puts(&s->out, "...");
		return true;
	}
	cv = take_cv(s);
	if (!put_integer(s, &cv) && !put_name(s))
		return false;
	blank = s->p[-1] == ' ' || *s->p == ' ';
	skip_blanks(s);
	put_cv(s, cv | take_cv(s));
	return put_declarator(s, blank);
}

static bool
is_plain(const char *name)
{
	return strpbrk(name, " <(") == NULL;
}

const char *
dw_cpp_canonical(struct arena *a, const char *name)
{
	struct parser s = {.p = name};
	const char *result = name;
	unsigned cv = 0;

	/* "int" and "short" alone are canonical; so are most names. */
	if (is_plain(name))
		return name;
	buf_init(&s.out, CANONICAL_MAX);
	if ((put_integer(&s, &cv) || put_name(&s)) && *s.p == '\0' &&
	    !s.out.failed && strcmp(buf_text(&s.out), name) != 0)
		result = arena_strdup(a, buf_text(&s.out));
	buf_deinit(&s.out);
	return result != NULL ? result : name;
}
