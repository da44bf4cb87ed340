/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the image room share: building programs with the compiler
 * at hand, opening them, and reading what other tools say about them.
 */
#ifndef IMAGE_FIXTURE_H
#define IMAGE_FIXTURE_H

#include "harness/test.h"
#include "image/image.h"
#include <elf.h>
#include <stdarg.h>

static inline struct opener *
test_opener(void)
{
	static struct opener_local opener;
	static bool ready;

	if (!ready) {
		bt_error_t e;

		assert_ok(opener_local_init(&opener, NULL, &e), &e);
		ready = true;
	}
	return &opener.base;
}

static inline struct image *
must_open(const char *path)
{
	struct image *image = NULL;
	bt_error_t e;

	assert_ok(
	    image_open(test_opener(), OPENER_EXE_USER, path, &image, &e), &e);
	return image;
}

static inline bool
have_tool(const char *name)
{
	return test_shell("command -v %s >/dev/null 2>&1", name) == 0;
}

static inline void
need_tool(const char *name)
{
	if (!have_tool(name))
		skip("%s is not installed", name);
}

/* Runs a command that must succeed, and its output, malloc'd. */
__attribute__((format(printf, 1, 2))) static inline char *
output_of(const char *format, ...)
{
	char command[2048];
	va_list ap;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	if (test_shell("(%s) > %s 2>/dev/null", command, test_path("output")) !=
	    0)
		fail("failed: %s", command);
	return test_read_file(test_path("output"), NULL);
}

__attribute__((format(printf, 1, 2))) static inline void
must_run(const char *format, ...)
{
	char command[2048];
	va_list ap;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	if (test_shell("%s", command) != 0)
		fail("failed: %s", command);
}

/* A program with functions of all bindings, aliases, a PLT and some data. */
static const char fixture_source[] =
    "#include <stdio.h>\n"
    "#include <string.h>\n"
    "#include <stdlib.h>\n"
    "int counter = 7;\n"
    "static int hidden(int x) { return x * counter; }\n"
    "int visible(int x) { return hidden(x) + 1; }\n"
    "__attribute__((weak)) int feeble(int x) { return x - 1; }\n"
    "extern int _alias(int) __attribute__((alias(\"visible\")));\n"
    "extern int zalias(int) __attribute__((alias(\"visible\"), weak));\n"
    "struct pair { int a; const char *b; };\n"
    "int use(struct pair *p) { return p->a + (int)strlen(p->b); }\n"
    "int main(int argc, char **argv)\n"
    "{\n"
    "	struct pair p = {argc, argv[0]};\n"
    "	char *s = malloc(100);\n"
    "	strcpy(s, argv[0]);\n"
    "	printf(\"%d %s\\n\", visible(use(&p)) + feeble(argc), s);\n"
    "	free(s);\n"
    "	return 0;\n"
    "}\n";

/* Compiles the program above into test_path(name). */
static inline const char *
build(const char *name, const char *flags)
{
	const char *source = test_path("fixture.c");

	test_write_file(source, fixture_source, sizeof(fixture_source) - 1);
	must_run("gcc -g -O1 -fno-inline %s -o %s %s", flags, test_path(name),
	    source);
	return test_path(name);
}

#endif /* IMAGE_FIXTURE_H */
