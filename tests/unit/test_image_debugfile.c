/* SPDX-License-Identifier: MIT */
/*
 * Finding debug files: every place they may lie in, and everything that makes
 * a candidate unacceptable.
 */
#include "image/debugfile.h"
#include "image_fixture.h"
#include <sys/stat.h>
#include <unistd.h>

#define TRIED_MAX 32

struct finder {
	struct debugfile_finder f;
	const char *dirs[3];
	size_t tried;
	bool refused; /* something was there, and was no good */
	char paths[TRIED_MAX][512];
	char reasons[TRIED_MAX][256];
};

static void
note_candidate(void *ctx, const struct image *image,
    const struct debugfile_candidate *candidate)
{
	struct finder *f = ctx;

	expect_not_null(image);
	assert_true(f->tried < TRIED_MAX);
	snprintf(
	    f->paths[f->tried], sizeof(f->paths[0]), "%s", candidate->path);
	snprintf(f->reasons[f->tried], sizeof(f->reasons[0]), "%s",
	    candidate->reason != NULL ? candidate->reason : "taken");
	f->tried++;
	f->refused |= candidate->reason != NULL &&
	    strcmp(candidate->reason, "not found") != 0;
}

static void
init_finder(struct finder *f)
{
	memset(f, 0, sizeof(*f));
	f->dirs[0] = test_path("absent");
	f->dirs[1] = test_path("debug");
	f->f.opener = test_opener();
	f->f.dirs = f->dirs;
	f->f.tried = note_candidate;
	f->f.ctx = f;
}

/* Makes "prog" (stripped, with a debug link) and "prog.debug" in the test's
 * directory. */
static void
split(const char *flags)
{
	build("whole", flags);
	must_run("cd %s && objcopy --only-keep-debug whole prog.debug && "
		 "strip -o prog whole && "
		 "objcopy --add-gnu-debuglink=prog.debug prog",
	    test_dir());
}

/* Path of the build-id file of "prog" below dir, whose directory is made. */
static char *
build_id_path(const char *dir)
{
	char hex[2 * IMAGE_BUILD_ID_MAX + 1];
	struct image *image = must_open(test_path("prog"));
	char *path = malloc(1024);

	image_build_id_hex(image_build_id(image), hex);
	must_run("mkdir -p %s/.build-id/%.2s", test_path(dir), hex);
	snprintf(path, 1024, "%s/.build-id/%.2s/%s.debug", test_path(dir), hex,
	    hex + 2);
	image_unref(image);
	return path;
}

/* Searches for the debug file of "prog"; the path found, or NULL. */
static const char *
found_for(struct finder *f, const char *prog)
{
	static char path[1024];
	struct image *image = must_open(prog), *debug;
	bt_error_t e;
	bool ok;

	f->tried = 0;
	f->refused = false;
	ok = debugfile_find(&f->f, image, prog, &debug, &e);
	if (ok) {
		struct view v;

		snprintf(path, sizeof(path), "%s", image_path(debug));
		expect_ok(image_section_view(debug, ".debug_info", &v, &e), &e);
		expect_true(v.size > 0);
	} else {
		expect_int(e.code, f->refused ? BT_E_MISMATCH : BT_E_NOTFOUND);
		expect_null(debug);
	}
	image_unref(debug);
	image_unref(image);
	return ok ? path : NULL;
}

static const char *
reason_of(const struct finder *f, const char *path)
{
	for (size_t i = 0; i < f->tried; i++)
		if (strcmp(f->paths[i], path) == 0)
			return f->reasons[i];
	return "not tried";
}

TEST(in_the_file_itself)
{
	struct image *image, *debug;
	struct finder f;

	init_finder(&f);
	expect_str(found_for(&f, build("whole", "")), test_path("whole"));
	expect_uint(f.tried, 0);
	image = must_open(test_path("whole"));
	assert_true(debugfile_find(&f.f, image, "whole", &debug, NULL));
	expect_true(debug == image);
	image_unref(debug);
	image_unref(image);
}

TEST(nowhere)
{
	struct finder f;

	init_finder(&f);
	build("whole", "-s -Wl,--build-id=none");
	expect_null(found_for(&f, test_path("whole")));
	expect_uint(f.tried, 0);
}

TEST(by_build_id)
{
	struct finder f;
	char *path;

	init_finder(&f);
	split("");
	path = build_id_path("debug");
	must_run("mv %s %s", test_path("prog.debug"), path);
	expect_str(found_for(&f, test_path("prog")), path);
	expect_uint(f.tried, 2);
	expect_str(f.reasons[0], "not found");
	expect_str(f.reasons[1], "taken");
	/* Without anybody who listens. */
	f.f.tried = NULL;
	expect_str(found_for(&f, test_path("prog")), path);
	free(path);
}

TEST(by_debug_link)
{
	struct finder f;

	init_finder(&f);
	split("");
	must_run("cd %s && mkdir -p .debug debug%s && mv prog.debug moved",
	    test_dir(), test_dir());
	for (size_t i = 0; i < 3; i++) {
		char place[1024];

		if (i < 2)
			snprintf(place, sizeof(place),
			    i == 0 ? "%s/prog.debug" : "%s/.debug/prog.debug",
			    test_dir());
		else
			snprintf(place, sizeof(place), "%s/debug%s/prog.debug",
			    test_dir(), test_dir());
		must_run("cp %s %s", test_path("moved"), place);
		expect_str(found_for(&f, test_path("prog")), place);
		expect_str(reason_of(&f, place), "taken");
		must_run("rm %s", place);
	}
	expect_null(found_for(&f, test_path("prog")));
	expect_true(f.tried >= 6);
}

/* /usr/lib/x and /lib/x are one file where /lib is a link. */
TEST(debug_link_below_merged_usr)
{
	static const struct {
		const char *real_path, *place;
	} cases[] = {
	    {"/usr/lib/x/prog", "debug/lib/x"},
	    {"/usr/lib/x/prog", "debug/usr/lib/x"},
	    {"/lib/x/prog", "debug/usr/lib/x"},
	    {"/lib/x/prog", "debug/lib/x"},
	    {"/bin/prog", "debug/usr/bin"},
	};

	split("");
	must_run("mv %s %s", test_path("prog.debug"), test_path("moved"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct image *image = must_open(test_path("prog")), *debug;
		struct finder f;
		bt_error_t e;

		init_finder(&f);
		must_run("cd %s && rm -rf debug && mkdir -p %s && cp moved "
			 "%s/prog.debug",
		    test_dir(), cases[i].place, cases[i].place);
		expect_ok(
		    debugfile_find(&f.f, image, cases[i].real_path, &debug, &e),
		    &e);
		image_unref(debug);
		image_unref(image);
	}
}

TEST(a_link_without_build_ids_needs_its_crc)
{
	struct finder f;
	char *file;
	size_t size;

	init_finder(&f);
	split("-Wl,--build-id=none");
	expect_str(found_for(&f, test_path("prog")), test_path("prog.debug"));
	file = test_read_file(test_path("prog.debug"), &size);
	file[size - 1] ^= 1;
	test_write_file(test_path("prog.debug"), file, size);
	expect_null(found_for(&f, test_path("prog")));
	expect_str(reason_of(&f, test_path("prog.debug")), "has another CRC");
	free(file);
}

TEST(a_wrong_build_id_is_refused)
{
	struct finder f;
	char *path;

	init_finder(&f);
	split("");
	path = build_id_path("debug");
	must_run("cd %s && sed 's/int counter/long counter/' fixture.c > o.c "
		 "&& gcc -g -o other o.c && cp other %s && cp other prog.debug",
	    test_dir(), path);
	expect_null(found_for(&f, test_path("prog")));
	expect_str(reason_of(&f, path), "has another build-id");
	expect_str(
	    reason_of(&f, test_path("prog.debug")), "has another build-id");
	must_run(
	    "cd %s && gcc -g -Wl,--build-id=none -o %s o.c", test_dir(), path);
	expect_null(found_for(&f, test_path("prog")));
	expect_str(reason_of(&f, path), "has no build-id");
	/* The program itself under the debug file's name. */
	must_run("cd %s && cp prog prog.debug", test_dir());
	expect_null(found_for(&f, test_path("prog")));
	expect_str(
	    reason_of(&f, test_path("prog.debug")), "has no .debug_info");
	free(path);
}

/* A package of symbols without DWARF is better than nothing. */
TEST(only_symbols)
{
	struct image *image, *debug;
	struct image_symbol symbol;
	struct finder f;
	char *path;
	bt_error_t e;

	init_finder(&f);
	split("");
	path = build_id_path("debug");
	must_run("cd %s && objcopy --strip-debug prog.debug %s && "
		 "mv prog.debug moved",
	    test_dir(), path);
	image = must_open(test_path("prog"));
	expect_false(image_symbol_named(image, "main", &symbol));
	assert_ok(
	    debugfile_find(&f.f, image, test_path("prog"), &debug, &e), &e);
	expect_str(reason_of(&f, path), "has only symbols");
	expect_str(image_path(debug), path);
	expect_false(debugfile_has_info(debug));
	expect_true(image_symbol_named(debug, "main", &symbol));
	image_unref(debug);
	/* A later place with DWARF comes before it. */
	must_run("cd %s && mv moved prog.debug", test_dir());
	expect_str(found_for(&f, test_path("prog")), test_path("prog.debug"));
	image_unref(image);
	free(path);
}

static const char *
accept_all(void *ctx, struct image *candidate)
{
	(void)candidate;
	return *(const bool *)ctx ? NULL : "has another id";
}

/* Where a .dwo file may lie. No compiler is needed: any ELF file is one. */
TEST(split_files)
{
	static const struct {
		const char *comp_dir, *name, *place; /* "@": the directory */
	} cases[] = {
	    {"@/obj", "a.dwo", "obj/a.dwo"},
	    {NULL, "@/obj/a.dwo", "obj/a.dwo"},
	    {"/absent", "@/obj/a.dwo", "obj/a.dwo"},
	    {"@/obj", "sub/a.dwo", "obj/sub/a.dwo"},
	    {"@/obj", "../a.dwo", "a.dwo"},
	    {"/absent", "sub/a.dwo", "sub/a.dwo"},
	    {"/absent", "sub/a.dwo", "a.dwo"},
	    {"/absent", "sub/a.dwo", "debug/absent/sub/a.dwo"},
	    {"/absent", "sub/a.dwo", "debug/a.dwo"},
	    {"obj", "a.dwo", "obj/a.dwo"},
	    {NULL, "a.dwo", "a.dwo"},
	};
	struct image *image;

	build("prog", "");
	image = must_open(test_path("prog"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char comp_dir[512], name[512];
		const char *dir = cases[i].comp_dir, *file = cases[i].name;
		bool good = true;
		struct finder f;
		struct image *dwo;
		bt_error_t e;
		struct debugfile_split s = {
		    .debug = image, .refuse = accept_all, .ctx = &good};

		init_finder(&f);
		if (dir != NULL && dir[0] == '@') {
			snprintf(comp_dir, sizeof(comp_dir), "%s%s", test_dir(),
			    dir + 1);
			dir = comp_dir;
		}
		if (file[0] == '@') {
			snprintf(
			    name, sizeof(name), "%s%s", test_dir(), file + 1);
			file = name;
		}
		s.comp_dir = dir;
		s.name = file;
		must_run("cd %s && rm -rf obj sub debug *.dwo && mkdir obj",
		    test_dir());
		expect_code(
		    debugfile_find_dwo(&f.f, &s, &dwo, &e), &e, BT_E_NOTFOUND);
		must_run("cd %s && mkdir -p $(dirname %s) && cp prog %s",
		    test_dir(), cases[i].place, cases[i].place);
		expect_ok(debugfile_find_dwo(&f.f, &s, &dwo, &e), &e);
		if (dwo != NULL)
			expect_contains(image_path(dwo), cases[i].place);
		image_unref(dwo);
		good = false;
		expect_code(
		    debugfile_find_dwo(&f.f, &s, &dwo, &e), &e, BT_E_MISMATCH);
		expect_contains(e.text, "has another id");
		must_run("cd %s && rm %s && mkfifo %s", test_dir(),
		    cases[i].place, cases[i].place);
		expect_code(
		    debugfile_find_dwo(&f.f, &s, &dwo, &e), &e, BT_E_MISMATCH);
		expect_contains(e.text, "regular");
	}
	image_unref(image);
}

TEST(candidates_that_are_no_files)
{
	struct finder f;
	char *path;

	init_finder(&f);
	split("");
	path = build_id_path("debug");
	assert_int(mkfifo(path, 0600), 0);
	must_run("cd %s && rm prog.debug && mkdir prog.debug && mkdir .debug "
		 "&& echo text > .debug/prog.debug",
	    test_dir());
	expect_null(found_for(&f, test_path("prog")));
	expect_contains(reason_of(&f, path), "regular");
	expect_true(
	    strcmp(reason_of(&f, test_path("prog.debug")), "taken") != 0);
	expect_contains(
	    reason_of(&f, test_path(".debug/prog.debug")), "not an ELF");
	free(path);
}

static const uint8_t *
find_bytes(const char *file, size_t size, const char *what)
{
	return memmem(file, size, what, strlen(what));
}

TEST(a_link_that_is_a_path_is_refused)
{
	struct finder f;
	size_t size, at;
	char *file;

	init_finder(&f);
	split("");
	file = test_read_file(test_path("prog"), &size);
	at = (size_t)(find_bytes(file, size, "prog.debug") -
	    (const uint8_t *)file);
	memcpy(file + at, "../../x.so", 10);
	must_run("mkdir -p %s && mv %s %s", test_path("a/b"),
	    test_path("prog.debug"), test_path("x.so"));
	test_write_file(test_path("a/b/prog"), file, size);
	expect_null(found_for(&f, test_path("a/b/prog")));
	expect_contains(reason_of(&f, ".gnu_debuglink"), "path");
	free(file);
}

/* Two programs whose common debug info dwz moved into a third file. */
static void
make_dwz(const char *altlink)
{
	need_tool("dwz");
	build("one", "");
	build("two", "-DTWO -O2");
	if (test_shell("cd %s && dwz -m common.debug -M %s one two 2>/dev/null",
		test_dir(), altlink) != 0)
		skip("dwz cannot do it");
}

TEST(alternate_debug_file)
{
	static const struct {
		const char *link;  /* as written into the file */
		const char *place; /* where it is then */
		bool found;
	} cases[] = {
	    {"common.debug", "common.debug", true},
	    {"common.debug", "sub/common.debug", false},
	    {"sub/common.debug", "sub/common.debug", true},
	    {"../no/where/common.debug", "debug/.dwz/common.debug", true},
	    {"/absent/common.debug", "debug/.dwz/common.debug", true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct image *image, *alt, *none;
		struct image_build_id id;
		struct finder f;
		const char *path;
		bt_error_t e;

		make_dwz(cases[i].link);
		must_run("cd %s && mkdir -p sub debug/.dwz && mv common.debug "
			 "m && mv m %s",
		    test_dir(), cases[i].place);
		init_finder(&f);
		image = must_open(test_path("one"));
		assert_true(image_debugaltlink(image, &path, &id));
		expect_str(path, cases[i].link);
		expect_uint(id.size, 20);
		if (!cases[i].found) {
			expect_code(debugfile_find_alt(&f.f, image, &alt, &e),
			    &e, BT_E_NOTFOUND);
			expect_null(alt);
		} else {
			assert_ok(
			    debugfile_find_alt(&f.f, image, &alt, &e), &e);
			expect_true(
			    image_build_id_equal(&id, image_build_id(alt)));
			/* It has no alternate file of its own. */
			expect_code(debugfile_find_alt(&f.f, alt, &none, &e),
			    &e, BT_E_NOTFOUND);
			image_unref(alt);
		}
		image_unref(image);
		must_run("cd %s && rm -rf %s", test_dir(), cases[i].place);
	}
}

TEST(alternate_debug_file_by_build_id)
{
	char hex[2 * IMAGE_BUILD_ID_MAX + 1];
	struct image_build_id id;
	struct image *image, *alt;
	struct finder f;
	const char *path;
	bt_error_t e;

	init_finder(&f);
	make_dwz("/absent/common.debug");
	image = must_open(test_path("one"));
	assert_true(image_debugaltlink(image, &path, &id));
	image_build_id_hex(&id, hex);
	must_run("cd %s && mkdir -p debug/.build-id/%.2s && mv common.debug "
		 "debug/.build-id/%.2s/%s.debug",
	    test_dir(), hex, hex, hex + 2);
	assert_ok(debugfile_find_alt(&f.f, image, &alt, &e), &e);
	image_unref(alt);
	/* Another file in its place. */
	must_run("cd %s && cp two debug/.build-id/%.2s/%s.debug", test_dir(),
	    hex, hex + 2);
	expect_code(
	    debugfile_find_alt(&f.f, image, &alt, &e), &e, BT_E_MISMATCH);
	expect_contains(e.text, "has another build-id");
	image_unref(image);
}

/* An alternate file that names itself would be a cycle. */
TEST(alternate_debug_file_is_not_the_file_itself)
{
	struct image *image, *alt;
	const uint8_t *id_bytes;
	struct image_build_id id;
	struct finder f;
	const char *path;
	char *file;
	size_t size, at;
	bt_error_t e;

	init_finder(&f);
	make_dwz("common.debug");
	image = must_open(test_path("one"));
	assert_true(image_debugaltlink(image, &path, &id));
	file = test_read_file(test_path("one"), &size);
	id_bytes = memmem(file, size, id.bytes, id.size);
	assert_not_null(id_bytes);
	at = (size_t)(id_bytes - (const uint8_t *)file);
	memcpy(file + at, image_build_id(image)->bytes, id.size);
	test_write_file(test_path("self"), file, size);
	image_unref(image);
	image = must_open(test_path("self"));
	expect_code(
	    debugfile_find_alt(&f.f, image, &alt, &e), &e, BT_E_MISMATCH);
	image_unref(image);
	free(file);
}

TEST(a_debug_file_has_no_code)
{
	struct image *whole, *debug;
	const struct image_section *text;
	struct image_symbol symbol;
	const uint8_t *bytes;
	const char *name;
	struct view v;
	bt_error_t e;

	split("");
	whole = must_open(test_path("whole"));
	debug = must_open(test_path("prog.debug"));
	text = image_section_find(debug, ".text");
	expect_uint(text->addr, image_section_find(whole, ".text")->addr);
	expect_uint(image_read_vaddr(debug, text->addr, 8, &bytes), 0);
	expect_code(
	    image_section_view(debug, ".text", &v, &e), &e, BT_E_NOTFOUND);
	expect_true(
	    image_build_id_equal(image_build_id(whole), image_build_id(debug)));
	expect_true(image_has_symtab(debug));
	assert_true(image_symbol_named(debug, "hidden", &symbol));
	assert_true(image_symbol_at(debug, symbol.value, &symbol));
	expect_str(symbol.name, "hidden");
	expect_false(image_plt_name(debug, text->addr, &name));
	image_unref(whole);
	image_unref(debug);
}
