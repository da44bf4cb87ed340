/* SPDX-License-Identifier: MIT */
/*
 * Plans against GDB: for every instruction address of programs built by gcc
 * and clang, with different versions of DWARF and levels of optimisation, the
 * line, the functions inlined there with their call lines, every parameter and
 * variable with its type, and the layout of those types.
 */
#include "dwarf_fixture.h"

#include <limits.h>
#include <unistd.h>

static int
by_text(const void *pa, const void *pb)
{
	return strcmp(*(const char *const *)pa, *(const char *const *)pb);
}

static const char *
where_of(const struct dwarf_variable *v)
{
	switch (v->location.kind) {
	case DWARF_LOC_NONE:
		return "gone";
	case DWARF_LOC_CONST:
	case DWARF_LOC_BYTES:
		return "constant";
	case DWARF_LOC_EXPR:
	case DWARF_LOC_LIST:
	default:
		return "somewhere";
	}
}

/* Lines "T TYPE: MEMBER|…", those of one type together. */
struct layouts {
	struct subject *subject;
	const char *types[8192];
	size_t n_types;
	struct buf text;
};

static bool
is_new(struct layouts *l, const char *name)
{
	if (strstr(name, "{...}") != NULL || l->n_types == 8192)
		return false;
	for (size_t i = 0; i < l->n_types; i++) {
		if (strcmp(l->types[i], name) == 0)
			return false;
	}
	l->types[l->n_types++] = name;
	return true;
}

static const struct dwarf_type *
pointed(const struct dwarf_type *t)
{
	for (int i = 0; i < 32; i++) {
		t = dwarf_type_strip(t);
		switch (t->kind) {
		case DWARF_TYPE_POINTER:
		case DWARF_TYPE_ARRAY:
		case DWARF_TYPE_REFERENCE:
		case DWARF_TYPE_RVALUE_REFERENCE:
			t = t->target;
			break;
		default:
			return t;
		}
	}
	return t;
}

static void
put_member(struct buf *b, const char *type, const struct dwarf_member *m)
{
	uint64_t bits = m->bit_size != 0 ? m->bit_offset : m->offset * 8;

	buf_printf(b, "T %s: %s|%s|", type, m->name != NULL ? m->name : "",
	    m->type->name);
	if (m->is_static)
		buf_puts(b, "static\n");
	else if (m->offset_is_expr)
		buf_puts(b, "dynamic\n");
	else
		buf_printf(
		    b, "%llu|%u\n", (unsigned long long)bits, m->bit_size);
}

static void
put_layout(struct layouts *l, const struct dwarf_type *t)
{
	t = dwarf_type_complete(l->subject->dwarf, pointed(t));
	if (!is_new(l, t->name))
		return;
	for (unsigned i = 0; i < t->n_members; i++)
		put_member(&l->text, t->name, &t->members[i]);
	for (unsigned i = 0; i < t->n_enumerators; i++)
		buf_printf(&l->text, "T %s: %s=%lld\n", t->name,
		    t->enumerators[i].name, (long long)t->enumerators[i].value);
	for (unsigned i = 0; i < t->n_members; i++)
		put_layout(l, t->members[i].type);
}

/* GDB shows the real path of a file that is there; of others, and of what
 * gdb_dump.py makes of them, "a/.." is taken out. */
static const char *
real_path(const char *path)
{
	static char real[PATH_MAX];
	char *up, *start;

	if (path == NULL)
		return "-";
	if (realpath(path, real) != NULL)
		return real;
	snprintf(real, sizeof(real), "%s", path);
	while ((up = strstr(real + 1, "/../")) != NULL) {
		for (start = up; start > real && start[-1] != '/';)
			start--;
		if (strncmp(start, "..", 2) == 0)
			break;
		memmove(start, up + 4, strlen(up + 4) + 1);
	}
	return real;
}

static void
put_scope(
    struct buf *b, struct layouts *layouts, const struct dwarf_scope *scope)
{
	const char *lines[1024];
	size_t n = 0;

	buf_printf(b, "S %s|%s:%u|%d\n", scope->name, real_path(scope->path),
	    scope->line, scope->inlined);
	for (unsigned i = 0; i < scope->n_variables && n < 1024; i++) {
		const struct dwarf_variable *v = &scope->variables[i];

		if (v->name == NULL || v->external_declaration)
			continue;
		lines[n++] = test_format("%c %s|%s|%s",
		    v->parameter ? 'P' : 'L', v->name, v->type->name,
		    where_of(v));
	}
	qsort(lines, n, sizeof(lines[0]), by_text);
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%s\n", lines[i]);
	for (unsigned i = 0; i < scope->n_variables; i++) {
		const struct dwarf_variable *v = &scope->variables[i];

		if (v->name != NULL && !v->external_declaration)
			put_layout(layouts, v->type);
	}
}

static void
put_plan(struct buf *b, struct layouts *layouts, uint64_t pc)
{
	const struct dwarf_plan *plan = dwarf_plan_at(
	    layouts->subject->dwarf, pc, true);

	assert_not_null(plan);
	buf_printf(b, "PC 0x%llx %s:%u\n", (unsigned long long)pc,
	    real_path(plan->path), plan->line);
	for (unsigned i = 0; i < plan->n_scopes; i++)
		put_scope(b, layouts, &plan->scopes[i]);
}

/* The addresses of the instructions of .text, every step-th. */
static char *
addresses(const char *program, unsigned step)
{
	return output_of("objdump -d --no-show-raw-insn -j .text %s | "
			 "sed -n 's/^ *\\([0-9a-f]*\\):\\t.*/\\1/p' | "
			 "sed -n '1~%up' | tee %s",
	    program, step, test_path("pcs"));
}

/* A variable that GDB lists as optimized out, or one that GDB lists twice. */
static bool
is_gone(const char *line, size_t n)
{
	return n > 5 && (line[0] == 'P' || line[0] == 'L') &&
	    memcmp(line + n - 5, "|gone", 5) == 0;
}

/* Both texts line by line. Where a block is dissolved GDB may list a variable
 * a second time as optimized out; what is gone is not compared. */
static void
compare(const char *what, const char *ours, const char *theirs)
{
	unsigned failures = 0, lines = 0;
	const char *where = "";

	while (*ours != '\0' || *theirs != '\0') {
		size_t a = strcspn(ours, "\n"), b = strcspn(theirs, "\n");

		if (is_gone(ours, a)) {
			ours += a + (ours[a] == '\n');
			continue;
		}
		if (is_gone(theirs, b)) {
			theirs += b + (theirs[b] == '\n');
			continue;
		}
		if (theirs[0] == 'P' && theirs[1] == 'C')
			where = theirs;
		lines++;
		if ((a != b || memcmp(ours, theirs, a) != 0) && failures++ < 4)
			test_fail(TEST_SOFT,
			    "%s: at %.*s\n ours: %.*s\n "
			    "gdb:  %.*s",
			    what, (int)strcspn(where, "\n"), where, (int)a,
			    ours, (int)b, theirs);
		ours += a + (ours[a] == '\n');
		theirs += b + (theirs[b] == '\n');
	}
	expect_true(lines > 50);
	if (failures > 0)
		test_fail(TEST_SOFT, "%s: %u of %u lines differ", what,
		    failures, lines);
}

/* Each line of GDB's about a type that we came to as well must be one of ours.
 * GDB comes to others through variables that are gone. */
static void
compare_layouts(const char *what, const char *ours, const char *theirs)
{
	unsigned failures = 0;
	bool known;

	while (*theirs != '\0') {
		size_t n = strcspn(theirs, "\n");
		char *line = strndup(theirs, n + 1);

		assert_not_null(line);
		char *end = strstr(line, ": "), saved;

		assert_not_null(end);
		saved = end[2];
		end[2] = '\0';
		known = strstr(ours, line) != NULL;
		end[2] = saved;
		if (known && strstr(ours, line) == NULL && failures++ < 5)
			test_fail(TEST_SOFT, "%s: not ours: %s", what, line);
		free(line);
		theirs += n + (theirs[n] == '\n');
	}
}

static void
compare_program(const char *what, const char *program, unsigned step)
{
	struct subject s;
	struct layouts *layouts = calloc(1, sizeof(*layouts));
	struct buf b;
	char *pcs, *theirs, *p, *types;

	assert_not_null(layouts);
	open_subject(&s, program);
	layouts->subject = &s;
	buf_init(&b, 64 << 20);
	buf_init(&layouts->text, 64 << 20);
	pcs = addresses(program, step);
	for (p = pcs; *p != '\0'; p++) {
		put_plan(&b, layouts, strtoull(p, &p, 16));
		assert_true(*p == '\n');
	}
	theirs = output_of("PCS=%s gdb -nx -q -batch -x %s %s",
	    test_path("pcs"), dwarf_source("gdb_dump.py"), program);
	types = strstr(theirs, "\nT ");
	assert_not_null(types);
	*types = '\0';
	compare(what, buf_text(&b), theirs);
	compare_layouts(what, buf_text(&layouts->text), types + 1);
	buf_deinit(&b);
	buf_deinit(&layouts->text);
	close_subject(&s);
	free(pcs);
	free(theirs);
	free(layouts);
}

struct build {
	const char *compiler, *flags, *sources;
	unsigned step;
};

static void
compare_builds(const struct build *builds, size_t n)
{
	unsigned done = 0;

	need_tool("gdb");
	need_tool("objdump");
	for (size_t i = 0; i < n; i++) {
		const char *program = test_path("program");

		if (!compile(program, builds[i].compiler, builds[i].flags,
			builds[i].sources))
			continue;
		compare_program(test_format("%s %s %s", builds[i].compiler,
				    builds[i].flags, builds[i].sources),
		    program, builds[i].step);
		done++;
	}
	if (done == 0)
		skip("no compiler");
}

#define COMPARE(NAME, ...)                                                     \
	TEST_WITHIN(NAME, 90)                                                  \
	{                                                                      \
		static const struct build builds[] = {__VA_ARGS__};            \
                                                                               \
		compare_builds(builds, sizeof(builds) / sizeof(builds[0]));    \
	}                                                                      \
	_Static_assert(true, "")

COMPARE(c_of_gcc, {"gcc", "-g -O0 -gdwarf-2", "scopes.c", 1},
    {"gcc", "-g -O0 -gdwarf-4", "scopes.c", 3},
    {"gcc", "-g -O0", "scopes.c", 3},
    {"gcc", "-g -O1 -gdwarf-3", "scopes.c", 1},
    {"gcc", "-g -O2", "scopes.c", 1},
    {"gcc", "-g -O3 -static-pie -fcf-protection=none", "scopes.c", 97},
    {"gcc", "-O2 -gdwarf-4 -gdwarf64", "scopes.c", 1});
COMPARE(c_of_clang, {"clang", "-g -O0", "scopes.c", 1},
    {"clang", "-g -O1 -gdwarf-4", "scopes.c", 1},
    {"clang", "-g -O2", "scopes.c", 1},
    {"clang", "-g -O3 -gdwarf-2", "scopes.c", 2});
COMPARE(cplusplus_of_gcc, {"g++", "-g -O0", "names.cc", 11},
    {"g++", "-g -O1 -gdwarf-4", "names.cc", 5},
    {"g++", "-g -O2", "names.cc", 5},
    {"g++", "-g -O1 -fdebug-types-section", "names.cc", 7},
    {"g++", "-g -O1 -gdwarf-4 -fdebug-types-section", "names.cc", 7});
COMPARE(cplusplus_of_clang,
    {"clang++", "-g -O0 -fno-limit-debug-info", "names.cc", 11},
    {"clang++", "-g -O1 -fno-limit-debug-info", "names.cc", 5},
    {"clang++", "-g -O0 -fno-limit-debug-info -fdebug-types-section",
	"names.cc", 11});
COMPARE(spellings, {"g++", "-g -O0", "templates.cc", 9},
    {"clang++", "-g -O0", "templates.cc", 9},
    {"g++", "-O0 -gdwarf-2", "templates.cc", 9});
COMPARE(layouts, {"g++", "-g -O0", "members.cc", 5},
    {"clang++", "-g -O0", "members.cc", 5},
    {"g++", "-O0 -gdwarf-2 -gstrict-dwarf", "members.cc", 5},
    {"g++", "-O1 -gdwarf-4", "members.cc", 5},
    {"clang++", "-O0 -gdwarf-3", "members.cc", 5});
COMPARE(link_time, {"gcc", "-flto -O2 -g", "lto_main.c lto_other.c", 1},
    {"g++", "-flto -O2 -g", "names.cc", 5},
    {"gcc", "-O2 -g -ffunction-sections -Wl,--gc-sections",
	"lto_main.c lto_other.c", 1});

static void
compare_dwz(const char *what, bool shared)
{
	need_tool("dwz");
	if (!compile(test_path("one"), "g++", "-O1 -g", "names.cc") ||
	    !compile(test_path("two"), "g++", "-O2 -g", "names.cc"))
		skip("no compiler");
	if (shared)
		must_run("cd %s && dwz -m common.debug one two", test_dir());
	else
		must_run("dwz %s", test_path("two"));
	compare_program(what, test_path("two"), 7);
}

TEST_WITHIN(dwz_in_one_file, 60)
{
	compare_dwz("dwz", false);
}

TEST_WITHIN(dwz_with_a_common_file, 60)
{
	compare_dwz("dwz -m", true);
}

TEST_WITHIN(the_c_library, 60)
{
	const char *libc = "/lib/x86_64-linux-gnu/libc.so.6";
	struct image *debug;

	if (access(libc, R_OK) != 0)
		skip("no %s", libc);
	debug = debug_image_of(libc);
	if (debug == NULL)
		skip("libc6-dbg is not installed");
	image_unref(debug);
	need_tool("gdb");
	compare_program("libc", libc, 499);
}
