/* SPDX-License-Identifier: MIT */
/*
 * Names of C++ types as run-time type information has them (Itanium C++ ABI,
 * 5.1): what is usual is written out, what is more involved stays as it is.
 */
#include <string.h>

#include "typename.h"

enum { NAME_MAX_BYTES = 512 };

const char *
typename_of(ptrace_backtrace_t *bt, const char *mangled)
{
	static const struct {
		const char *mangled, *plain;
	} plain[] = {{"i", "int"}, {"j", "unsigned int"}, {"l", "long"},
	    {"m", "unsigned long"}, {"c", "char"}, {"b", "bool"},
	    {"d", "double"}, {"f", "float"}, {"PKc", "const char *"},
	    {"Pc", "char *"},
	    {"NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE",
		"std::string"}};
	const char *p = mangled, *out = "";
	bool nested;

	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		if (strcmp(mangled, plain[i].mangled) == 0)
			return plain[i].plain;
	p += *p == '*'; /* types that are local to a file */
	nested = *p == 'N';
	p += nested;
	if (strncmp(p, "St", 2) == 0) {
		out = "std";
		p += 2;
	}
	while (*p >= '1' && *p <= '9') {
		size_t n = 0;

		while (*p >= '0' && *p <= '9' && n < NAME_MAX_BYTES)
			n = n * 10 + (size_t)(*p++ - '0');
		if (strlen(p) < n)
			return mangled;
		out = pmodule_text(
		    bt, "%s%s%.*s", out, *out != '\0' ? "::" : "", (int)n, p);
		if (out == NULL)
			return mangled;
		p += n;
	}
	if (nested && *p == 'E')
		p++;
	return *p == '\0' && *out != '\0' ? out : mangled;
}
