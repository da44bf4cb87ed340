/* SPDX-License-Identifier: MIT */
/*
 * Symbols: the selection rule case by case, the two ways of lookup against
 * each other and against a third, naive one on random tables, real programs
 * against nm, aliases against GDB, mini debug info, versions, and images whose
 * section table is gone.
 */
#include "image/internal.h"
#include "image_fixture.h"

struct fake {
	const char *name;
	uint64_t value, size;
	int type, bind;
	uint16_t section; /* 1 .text, 2 .data, SHN_... */
};

#define COUNT_OF(A) (sizeof(A) / sizeof((A)[0]))
#define TEXT_START 0x1000
#define TEXT_SIZE 0x1000
#define STRINGS_MAX 65536

/* An ELF file in memory with .text, .data (no bytes of their own) and a
 * .symtab of these symbols. */
static struct image *
fake_image(const struct fake *symbols, size_t count)
{
	size_t syms_at = sizeof(Elf64_Ehdr), strs_at, sh_at, used = 1;
	Elf64_Ehdr eh = {.e_ident = ELFMAG, .e_machine = EM_X86_64};
	Elf64_Shdr sh[5] = {{0}};
	struct image *image;
	char *strings;
	uint8_t *file;
	bt_error_t e;

	strs_at = syms_at + (count + 1) * sizeof(Elf64_Sym);
	sh_at = strs_at + STRINGS_MAX;
	file = calloc(1, sh_at + sizeof(sh));
	strings = (char *)file + strs_at;
	eh.e_ident[EI_CLASS] = ELFCLASS64;
	eh.e_ident[EI_DATA] = ELFDATA2LSB;
	eh.e_shoff = sh_at;
	eh.e_shentsize = sizeof(Elf64_Shdr);
	eh.e_shnum = 5;
	sh[1] = (Elf64_Shdr){.sh_type = SHT_PROGBITS,
	    .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
	    .sh_addr = TEXT_START,
	    .sh_size = TEXT_SIZE};
	sh[2] = (Elf64_Shdr){.sh_type = SHT_PROGBITS,
	    .sh_flags = SHF_ALLOC | SHF_WRITE,
	    .sh_addr = 0x4000,
	    .sh_size = 0x1000};
	sh[3] = (Elf64_Shdr){.sh_type = SHT_SYMTAB,
	    .sh_offset = syms_at,
	    .sh_size = strs_at - syms_at,
	    .sh_link = 4,
	    .sh_entsize = sizeof(Elf64_Sym)};
	sh[4] = (Elf64_Shdr){.sh_type = SHT_STRTAB,
	    .sh_offset = strs_at,
	    .sh_size = STRINGS_MAX};
	for (size_t i = 0; i < count; i++) {
		Elf64_Sym s = {.st_value = symbols[i].value,
		    .st_size = symbols[i].size,
		    .st_shndx = symbols[i].section};

		s.st_info = ELF64_ST_INFO(symbols[i].bind, symbols[i].type);
		if (symbols[i].name != NULL) {
			s.st_name = (Elf64_Word)used;
			strcpy(strings + used, symbols[i].name);
			used += strlen(symbols[i].name) + 1;
		}
		assert_true(used < STRINGS_MAX);
		memcpy(file + syms_at + (i + 1) * sizeof(s), &s, sizeof(s));
	}
	memcpy(file, &eh, sizeof(eh));
	memcpy(file + sh_at, sh, sizeof(sh));
	assert_ok(
	    image_from_memory(file, sh_at + sizeof(sh), "fake", &image, &e),
	    &e);
	image_load_symbols(image);
	return image;
}

#define F STT_FUNC
#define N STT_NOTYPE
#define G STB_GLOBAL
#define L STB_LOCAL
#define W STB_WEAK

TEST(selection_rule)
{
	static const struct {
		const char *about;
		struct fake symbols[5];
		struct {
			uint64_t at;
			const char *name;
		} asked[6];
	} cases[] = {
	    {"bounds", {{"f", 0x1010, 0x10, F, G, 1}},
		{{0x100f, NULL}, {0x1010, "f"}, {0x101f, "f"}, {0x1020, NULL},
		    {0, NULL}}},
	    {"innermost",
		{{"outer", 0x1000, 0x40, F, G, 1}, {"in", 0x1010, 8, F, L, 1}},
		{{0x100f, "outer"}, {0x1010, "in"}, {0x1017, "in"},
		    {0x1018, "outer"}, {0x103f, "outer"}, {0x1040, NULL}}},
	    {"overlap",
		{{"a", 0x1000, 0x10, F, G, 1}, {"b", 0x1008, 0x10, F, G, 1}},
		{{0x1007, "a"}, {0x1008, "b"}, {0x1010, "b"}, {0x1017, "b"},
		    {0x1018, NULL}}},
	    {"inner reaches out, then the outer's outer",
		{{"a", 0x1000, 0x100, F, G, 1}, {"b", 0x1010, 0x10, F, G, 1},
		    {"c", 0x1018, 0x10, F, G, 1}},
		{{0x1017, "b"}, {0x1018, "c"}, {0x1027, "c"}, {0x1028, "a"}}},
	    {"global before local",
		{{"zlocal", 0x1000, 8, F, L, 1},
		    {"aglobal", 0x1000, 8, F, G, 1}},
		{{0x1000, "aglobal"}}},
	    {"weak is as good as global",
		{{"gsignal", 0x1000, 8, F, G, 1},
		    {"raise", 0x1000, 8, F, W, 1}},
		{{0x1000, "raise"}}},
	    {"underscores sort low",
		{{"__libc_f", 0x1000, 8, F, G, 1}, {"f", 0x1000, 8, F, G, 1}},
		{{0x1004, "f"}}},
	    {"function before label",
		{{"zlabel", 0x1000, 8, N, G, 1}, {"f", 0x1000, 8, F, L, 1}},
		{{0x1004, "f"}}},
	    {"aliases of different size",
		{{"z", 0x1000, 8, F, G, 1}, {"a", 0x1000, 0x10, F, G, 1}},
		{{0x1000, "z"}, {0x1007, "z"}, {0x1008, "a"}, {0x1010, NULL}}},
	    {"a worse and smaller alias never shows",
		{{"a", 0x1000, 8, F, G, 1}, {"z", 0x1000, 0x10, F, G, 1}},
		{{0x1000, "z"}, {0x100f, "z"}}},
	    {"size zero reaches to the next",
		{{"a", 0x1000, 0, F, G, 1}, {"b", 0x1010, 4, F, G, 1}},
		{{0x1000, "a"}, {0x100f, "a"}, {0x1010, "b"}, {0x1014, NULL}}},
	    {"size zero reaches to the section's end",
		{{"a", 0x1ff0, 0, F, G, 1}},
		{{0x1fff, "a"}, {0x2000, NULL}, {0x1fef, NULL}}},
	    {"size zero inside a sized one is nothing",
		{{"f", 0x1000, 0x20, F, G, 1}, {"label", 0x1010, 0, N, L, 1}},
		{{0x1010, "f"}, {0x101f, "f"}, {0x1020, NULL}}},
	    {"size zero beside a sized one",
		{{"f", 0x1000, 0x10, F, L, 1}, {"g", 0x1000, 0, F, G, 1}},
		{{0x1000, "f"}, {0x1010, NULL}}},
	    {"labels count in code only",
		{{"code", 0x1000, 0, N, L, 1}, {"data", 0x4000, 0, N, L, 2},
		    {"abs", 0x1800, 0, N, G, SHN_ABS},
		    {".Llocal", 0x1900, 0, N, L, 1},
		    {"$x", 0x1a00, 0, N, L, 1}},
		{{0x1000, "code"}, {0x4000, NULL}, {0x1fff, "code"}}},
	    {"what is no function",
		{{"data", 0x1000, 8, STT_OBJECT, G, 1},
		    {"undefined", 0x1000, 8, F, G, SHN_UNDEF},
		    {"section", 0x1000, 8, STT_SECTION, L, 1},
		    {NULL, 0x1000, 8, F, G, 1},
		    {"tls", 0x1000, 8, STT_TLS, G, 1}},
		{{0x1000, NULL}}},
	    {"indirect functions", {{"memcpy", 0x1000, 8, STT_GNU_IFUNC, G, 1}},
		{{0x1000, "memcpy"}}},
	    {"versions are cut off",
		{{"fopen@@GLIBC_2.2.5", 0x1000, 8, F, G, 1},
		    {"@odd", 0x1010, 8, F, G, 1}},
		{{0x1000, "fopen"}, {0x1010, "@odd"}}},
	    {"the end of the address space",
		{{"f", UINT64_MAX - 8, UINT64_MAX, F, G, 1},
		    {"g", 0x1000, UINT64_MAX, F, G, 1}},
		{{UINT64_MAX - 1, "f"}, {0x1000, "g"}, {0x2000, "g"}}},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t count = 0;
		struct image *image;

		while (count < 5 && (cases[i].symbols[count].value != 0))
			count++;
		image = fake_image(cases[i].symbols, count);
		for (int way = 0; way < 2; way++) {
			for (size_t k = 0; k < 6 && cases[i].asked[k].at; k++) {
				const char *want = cases[i].asked[k].name;
				struct image_symbol got = {0};
				Elf64_Sym sym;
				bool found = way == 0
				    ? symtab_at_scan(&image->symtab,
					  cases[i].asked[k].at, &sym)
				    : symtab_at_index(&image->symtab,
					  cases[i].asked[k].at, &sym);

				if (found)
					symtab_fill(&image->symtab, &sym, &got);
				if ((got.name == NULL) != (want == NULL) ||
				    (want != NULL &&
					strcmp(got.name, want) != 0))
					fail("%s: 0x%lx (%s) is %s, not %s",
					    cases[i].about,
					    (long)cases[i].asked[k].at,
					    way == 0 ? "scan" : "index",
					    got.name, want);
			}
		}
		image_unref(image);
	}
}

static uint32_t
next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Whether b is the better of two that both contain an address. */
static bool
naive_better(const struct fake *a, const struct fake *b)
{
	if (a->value != b->value)
		return b->value > a->value;
	if ((a->type == N) != (b->type == N))
		return a->type == N;
	if ((a->bind == L) != (b->bind == L))
		return a->bind == L;
	return strcmp(b->name, a->name) > 0;
}

static const char *
naive_at(const struct fake *symbols, size_t count, uint64_t at)
{
	const struct fake *best = NULL;

	for (size_t i = 0; i < count; i++)
		if (at >= symbols[i].value &&
		    at < symbols[i].value + symbols[i].size &&
		    (best == NULL || naive_better(best, &symbols[i])))
			best = &symbols[i];
	if (best != NULL)
		return best->name;
	/* Labels: the last start at or before, if nothing sized is there. */
	for (size_t i = 0; i < count; i++)
		if (symbols[i].value <= at &&
		    (best == NULL || symbols[i].value > best->value ||
			(symbols[i].value == best->value &&
			    naive_better(best, &symbols[i]))))
			best = &symbols[i];
	if (best == NULL || at >= TEXT_START + TEXT_SIZE)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (best->value >= symbols[i].value &&
		    best->value < symbols[i].value + symbols[i].size)
			return NULL;
	return best->size == 0 ? best->name : NULL;
}

TEST(three_ways_agree_on_random_tables)
{
	enum { COUNT = 40 };
	static char names[COUNT][8];
	uint32_t state = 4711;

	for (int round = 0; round < 300; round++) {
		struct fake symbols[COUNT];
		struct image *image;
		uint32_t spread = 16u << (round % 4);

		for (int i = 0; i < COUNT; i++) {
			uint32_t r = next_random(&state);

			snprintf(names[i], sizeof(names[i]), "s%u%c", i,
			    'a' + r % 26);
			symbols[i] = (struct fake){names[i],
			    TEXT_START + 4 + r / 26 % spread,
			    r % 3 == 0 ? 0 : r / 7 % 24, r % 5 == 0 ? N : F,
			    (int)(r / 11 % 3), 1};
		}
		image = fake_image(symbols, COUNT);
		for (uint64_t at = TEXT_START; at < TEXT_START + spread + 40;
		     at++) {
			const char *naive = naive_at(symbols, COUNT, at);
			Elf64_Sym a, b;
			bool scan = symtab_at_scan(&image->symtab, at, &a);
			bool index = symtab_at_index(&image->symtab, at, &b);

			assert_true(scan == (naive != NULL));
			assert_true(index == (naive != NULL));
			if (naive == NULL)
				continue;
			assert_str(symtab_name(&image->symtab, &a), naive);
			assert_str(symtab_name(&image->symtab, &b), naive);
		}
		image_unref(image);
	}
}

/* A scattered table: radix passes over all 64 bits. */
TEST(addresses_of_all_magnitudes)
{
	enum { COUNT = 500 };
	static char names[COUNT][16];
	static struct fake symbols[COUNT];
	struct image *image;
	uint32_t state = 99;

	for (int i = 0; i < COUNT; i++) {
		uint64_t value = next_random(&state);

		value = (value << 32 | next_random(&state)) >> (i % 60);
		snprintf(names[i], sizeof(names[i]), "s%d", i);
		symbols[i] = (struct fake){
		    names[i], value | 1, next_random(&state) % 100, F, G, 1};
	}
	image = fake_image(symbols, COUNT);
	for (int i = 0; i < COUNT; i++)
		for (int k = -1; k < 101; k += 17) {
			uint64_t at = symbols[i].value + (uint64_t)k;
			Elf64_Sym a, b;
			bool scan = symtab_at_scan(&image->symtab, at, &a);
			bool index = symtab_at_index(&image->symtab, at, &b);

			assert_true(scan == index);
			if (scan)
				assert_true(a.st_name == b.st_name);
		}
	image_unref(image);
}

/* nm -S: "ADDRESS SIZE TYPE NAME". Each function is found at its first and
 * last byte, under one of the names nm knows for it. */
static size_t
compare_with_nm(const char *path, const char *options)
{
	struct image *image = must_open(path);
	char *text = output_of("nm -S --defined-only %s %s", options, path);
	char *copy = strdup(text), *line, *save;
	size_t seen = 0;

	for (line = strtok_r(copy, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		unsigned long value, size;
		struct image_symbol got;
		char type, name[512], entry[600];

		if (sscanf(line, "%lx %lx %c %511s", &value, &size, &type,
			name) != 4 ||
		    strchr("tTwWi", type) == NULL || size == 0)
			continue;
		for (int last = 0; last < 2; last++) {
			uint64_t at = last ? value + size - 1 : value;

			if (!image_symbol_at(image, at, &got))
				fail("nothing at 0x%lx (%s)", (long)at, name);
			/* An alias may be shorter; then it starts there too. */
			snprintf(entry, sizeof(entry), "%016lx %016lx ",
			    (long)got.value, (long)got.size);
			if (got.value != value &&
			    (at < got.value || at >= got.value + got.size))
				fail("0x%lx: %s", (long)at, got.name);
			expect_contains(text, entry);
			expect_contains(text, got.name);
		}
		seen++;
	}
	free(copy);
	free(text);
	image_unref(image);
	return seen;
}

TEST(programs_agree_with_nm)
{
	expect_true(compare_with_nm(build("pie", ""), "") > 5);
	expect_true(compare_with_nm(build("nopie", "-no-pie"), "") > 5);
	expect_true(compare_with_nm(build("so", "-shared -fPIC"), "-D") > 3);
	must_run("strip %s", test_path("so"));
	expect_true(compare_with_nm(test_path("so"), "-D") > 3);
}

TEST(static_program_agrees_with_nm)
{
	if (test_shell("echo 'int main(){}' | gcc -static -x c - -o %s",
		test_path("try")) != 0)
		skip("no static libc");
	expect_true(compare_with_nm(build("static", "-static"), "") > 500);
}

TEST(by_name)
{
	struct image *image = must_open(build("prog", "-rdynamic"));
	static const char *const names[] = {
	    "main", "visible", "hidden", "feeble", "counter", "_alias", "use"};
	struct image_symbol symbol;
	uint64_t exported;

	for (int stripped = 0; stripped < 2; stripped++) {
		/* Twice: by walking the table, by the hash table. */
		for (size_t k = 0; k < 2 * COUNT_OF(names); k++) {
			size_t i = k % COUNT_OF(names);
			bool local = strcmp(names[i], "hidden") == 0;

			/* By the linker's table those that are in it. */
			assert_true(image_symbol_exported(
					image, names[i], &symbol) == !local);
			exported = local ? 0 : symbol.value;
			assert_true(image_symbol_named(image, names[i],
					&symbol) == (!stripped || !local));
			if (stripped && local)
				continue;
			expect_str(symbol.name, names[i]);
			expect_true(symbol.size > 0);
			expect_true(symbol.dynamic == !local);
			expect_true(local || symbol.value == exported);
			expect_int(symbol.type, i == 4 ? STT_OBJECT : STT_FUNC);
			expect_int(symbol.bind,
			    local	 ? STB_LOCAL
				: i == 3 ? STB_WEAK
					 : STB_GLOBAL);
		}
		/* Undefined, absent, empty, a prefix, one letter too many. */
		expect_false(image_symbol_named(image, "printf", &symbol));
		expect_false(image_symbol_named(image, "absent", &symbol));
		expect_false(image_symbol_named(image, "", &symbol));
		expect_false(image_symbol_exported(image, "printf", &symbol));
		expect_false(image_symbol_exported(image, "", &symbol));
		expect_false(image_symbol_named(image, "mai", &symbol));
		expect_false(image_symbol_named(image, "main2", &symbol));
		expect_true(image_has_symtab(image) == !stripped);
		image_unref(image);
		must_run("strip %s", test_path("prog"));
		image = must_open(test_path("prog"));
	}
	image_unref(image);
}

TEST(the_default_version_is_found)
{
	static const char source[] = "int old_f(void) { return 1; }\n"
				     "int new_f(void) { return 2; }\n"
				     "__asm__(\".symver old_f, f@V1\");\n"
				     "__asm__(\".symver new_f, f@@V2\");\n";
	struct image *image;

	test_write_file(test_path("v.c"), source, sizeof(source) - 1);
	test_write_file(test_path("map"), "V1 {}; V2 {} V1;", 16);
	must_run("gcc -shared -fPIC -Wl,--version-script=%s -o %s %s",
	    test_path("map"), test_path("v.so"), test_path("v.c"));
	for (int stripped = 0; stripped < 2; stripped++) {
		char *text = output_of(
		    "nm -D %s | sed -n 's/ T f@@V2//p'", test_path("v.so"));
		struct image_symbol symbol;

		image = must_open(test_path("v.so"));
		assert_true(image_symbol_named(image, "f", &symbol));
		expect_uint(symbol.value, strtoul(text, NULL, 16));
		expect_str(symbol.name, "f");
		image_unref(image);
		free(text);
		must_run("strip %s", test_path("v.so"));
	}
}

enum { MANY_NAMES = 2000 };

/* Walk and hash table find the same, of many symbols with few names. */
static void
compare_walk_and_hash(int count)
{
	static char names[MANY_NAMES][16];
	static struct fake symbols[MANY_NAMES];
	static const char *const endings[] = {"", "", "@V1", "@@V2"};
	struct image *walked, *hashed;
	uint32_t state = 5;

	for (int i = 0; i < count; i++) {
		uint32_t r = next_random(&state);

		snprintf(names[i], sizeof(names[i]), "%s%u%s",
		    r % 50 == 0 ? "@" : "n", r / 50 % 64,
		    endings[r / 3200 % 4]);
		symbols[i] = (struct fake){names[i], TEXT_START + (uint64_t)i,
		    1, F, G, r % 7 == 0 ? SHN_UNDEF : 1};
	}
	walked = fake_image(symbols, count);
	hashed = fake_image(symbols, count);
	for (int i = 0; i < count + 70; i++) {
		char asked[16];
		struct image_symbol a, b;
		bool ok;

		snprintf(asked, sizeof(asked), "n%d", i - count);
		walked->symtab.walks = 0;
		hashed->symtab.walks = 1000;
		ok = image_symbol_named(
		    walked, i < count ? names[i] : asked, &a);
		assert_true(image_symbol_named(hashed,
				i < count ? names[i] : asked, &b) == ok);
		if (ok)
			expect_uint(b.value, a.value);
		if (i < count && symbols[i].section != SHN_UNDEF)
			expect_true(ok);
	}
	expect_null(walked->symtab.name_heads);
	expect_not_null(hashed->symtab.name_heads);
	image_unref(walked);
	image_unref(hashed);
}

/* Its text begins many others, which come first. */
TEST(a_name_behind_many_that_go_on)
{
	enum { LONGER = 300 };
	static char names[LONGER + 1][16];
	static struct fake symbols[LONGER + 1];
	struct image *image;
	struct image_symbol found;

	for (int i = 0; i <= LONGER; i++) {
		if (i < LONGER)
			snprintf(names[i], sizeof(names[i]), "name_%d", i);
		else
			snprintf(names[i], sizeof(names[i]), "name_");
		symbols[i] = (struct fake){
		    names[i], TEXT_START + (uint64_t)i, 1, F, G, 1};
	}
	image = fake_image(symbols, LONGER + 1);
	assert_true(image_symbol_named(image, "name_", &found));
	expect_uint(found.value, TEXT_START + LONGER);
	expect_false(image_symbol_named(image, "name", &found));
	image_unref(image);
}

/* A name whose text is in few places, and in more than are told apart. */
TEST(names_by_walk_and_by_hash)
{
	compare_walk_and_hash(MANY_NAMES / 10);
	compare_walk_and_hash(MANY_NAMES);
}

static const char *
find_libc(void)
{
	static const char *const paths[] = {"/lib/x86_64-linux-gnu/libc.so.6",
	    "/lib64/libc.so.6", "/usr/lib/libc.so.6"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (test_shell("test -f %s", paths[i]) == 0)
			return paths[i];
	skip("no libc.so.6");
}

struct alias_check {
	struct image *image;
	FILE *commands;
	size_t asked;
};

static bool
ask_gdb(void *ctx, const struct image_symbol *symbol)
{
	struct alias_check *check = ctx;

	if (symbol->type == STT_FUNC && symbol->size > 0 &&
	    check->asked < 1500) {
		fprintf(check->commands, "info symbol 0x%lx\n",
		    (long)symbol->value);
		check->asked++;
	}
	return true;
}

TEST_WITHIN(gdb_chooses_the_same_alias, 60)
{
	const char *libc = find_libc();
	struct alias_check check = {0};
	char *answers, *commands, *line, *at, *save_a, *save_b;
	size_t same = 0, compared = 0;

	need_tool("gdb");
	check.image = must_open(libc);
	check.commands = fopen(test_path("commands"), "w");
	image_symbols_each(check.image, ask_gdb, &check);
	fclose(check.commands);
	assert_true(check.asked > 1000);
	answers = output_of("gdb -nx -batch -iex 'set debug-file-directory "
			    "/nonexistent' -x %s %s",
	    test_path("commands"), libc);
	commands = test_read_file(test_path("commands"), NULL);
	line = strtok_r(answers, "\n", &save_a);
	at = strtok_r(commands, "\n", &save_b);
	for (; line != NULL && at != NULL; line = strtok_r(NULL, "\n", &save_a),
					   at = strtok_r(NULL, "\n", &save_b)) {
		uint64_t address = strtoul(at + 12, NULL, 16);
		struct image_symbol symbol;
		char name[256];

		if (sscanf(line, "%255s", name) != 1)
			continue;
		name[strcspn(name, "@")] = '\0';
		assert_true(image_symbol_at(check.image, address, &symbol));
		compared++;
		if (strcmp(symbol.name, name) == 0)
			same++;
		else
			fprintf(stderr, "%s, gdb %s\n", symbol.name, name);
	}
	expect_true(compared == check.asked);
	/* GDB takes a few C names for Ada's and shortens them. */
	expect_true(same >= compared - compared / 200);
	free(answers);
	free(commands);
	image_unref(check.image);
}

TEST(mini_debug_info)
{
	struct image_symbol symbol;
	struct image *whole, *mini;
	static const char *const names[] = {"main", "hidden", "visible"};

	need_tool("xz");
	whole = must_open(build("whole", ""));
	must_run(
	    "cd %s && objcopy -S --remove-section .comment "
	    "--keep-symbol=main --keep-symbol=hidden --keep-symbol=visible "
	    "whole small && objcopy --only-keep-debug small small.debug && "
	    "xz -k small.debug && strip -o stripped whole && "
	    "objcopy --add-section .gnu_debugdata=small.debug.xz stripped "
	    "final",
	    test_dir());
	mini = must_open(test_path("final"));
	expect_false(image_has_symtab(mini));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct image_symbol got;

		assert_true(image_symbol_named(whole, names[i], &symbol));
		assert_true(image_symbol_at(mini, symbol.value + 1, &got));
		expect_str(got.name, names[i]);
		expect_uint(got.value, symbol.value);
		expect_false(got.dynamic);
		assert_true(image_symbol_named(mini, names[i], &got));
		expect_uint(got.value, symbol.value);
	}
	image_unref(mini);
	image_unref(whole);
	must_run("cd %s && strip -o stripped whole && head -c 100 "
		 "small.debug.xz > cut.xz && objcopy --add-section "
		 ".gnu_debugdata=cut.xz stripped damaged",
	    test_dir());
	mini = must_open(test_path("damaged"));
	expect_false(image_symbol_named(mini, "hidden", &symbol));
	expect_false(image_symbol_at(mini, symbol.value, &symbol));
	image_unref(mini);
}

/* Takes the section headers from a file. */
static void
remove_sections(const char *path)
{
	size_t size;
	char *file = test_read_file(path, &size);
	Elf64_Ehdr eh;

	memcpy(&eh, file, sizeof(eh));
	eh.e_shoff = 0;
	eh.e_shnum = eh.e_shstrndx = 0;
	memcpy(file, &eh, sizeof(eh));
	test_write_file(path, file, size);
	free(file);
}

struct counted {
	size_t count;
	size_t limit;
};

static bool
count_symbol(void *ctx, const struct image_symbol *symbol)
{
	struct counted *c = ctx;

	expect_true(symbol->name[0] != '\0');
	return ++c->count < c->limit;
}

TEST(symbols_without_sections)
{
	static const char *const styles[] = {"sysv", "gnu", "both"};

	for (size_t i = 0; i < 3; i++) {
		struct counted with = {0, SIZE_MAX}, without = {0, SIZE_MAX};
		struct image_symbol a, b;
		struct image *whole, *bare;
		char flags[64];

		snprintf(flags, sizeof(flags),
		    "-shared -fPIC -s -Wl,--hash-style=%s", styles[i]);
		whole = must_open(build("whole", flags));
		must_run("cp %s %s", test_path("whole"), test_path("bare"));
		remove_sections(test_path("bare"));
		bare = must_open(test_path("bare"));
		assert_true(image_symbol_named(whole, "visible", &a));
		assert_true(image_symbol_named(bare, "visible", &b));
		expect_uint(b.value, a.value);
		expect_uint(b.size, a.size);
		assert_true(image_symbol_at(bare, a.value + 1, &b));
		expect_uint(b.value, a.value);
		expect_false(image_symbol_named(bare, "printf", &b));
		expect_false(image_symbol_named(bare, "absent", &b));
		image_symbols_each(whole, count_symbol, &with);
		image_symbols_each(bare, count_symbol, &without);
		expect_uint(without.count, with.count);
		expect_true(with.count > 5);
		with = (struct counted){0, 2};
		image_symbols_each(whole, count_symbol, &with);
		expect_uint(with.count, 2);
		image_unref(whole);
		image_unref(bare);
	}
}

/* The loader of a running process adds the load address in PT_DYNAMIC. */
TEST(relocated_dynamic_section)
{
	const struct image_segment *segments;
	struct image_symbol a, b;
	struct image *whole, *moved;
	const uint64_t bias = UINT64_C(0x7f1234560000);
	size_t size, count;
	char *file;
	bt_error_t e;

	whole = must_open(build("whole", "-shared -fPIC -s"));
	remove_sections(test_path("whole"));
	file = test_read_file(test_path("whole"), &size);
	count = image_segments(whole, &segments);
	for (size_t i = 0; i < count; i++)
		for (size_t at = 0;
		     segments[i].type == PT_DYNAMIC && at < segments[i].filesz;
		     at += sizeof(Elf64_Dyn)) {
			Elf64_Dyn dyn;

			memcpy(
			    &dyn, file + segments[i].offset + at, sizeof(dyn));
			if (dyn.d_tag == DT_SYMTAB || dyn.d_tag == DT_STRTAB ||
			    dyn.d_tag == DT_GNU_HASH || dyn.d_tag == DT_VERSYM)
				dyn.d_un.d_ptr += bias;
			memcpy(
			    file + segments[i].offset + at, &dyn, sizeof(dyn));
		}
	assert_ok(image_from_memory(file, size, "moved", &moved, &e), &e);
	image_set_dynamic_bias(moved, bias);
	assert_true(image_symbol_named(whole, "visible", &a));
	assert_true(image_symbol_named(moved, "visible", &b));
	expect_uint(b.value, a.value);
	image_unref(whole);
	image_unref(moved);
}

/* Large tables have a filter: what is there must pass it, whatever its length
 * and wherever the version begins. */
TEST(names_of_a_large_table)
{
	enum { NAMES = 6000 };
	FILE *f = fopen(test_path("large.s"), "w");
	struct image_symbol symbol;
	struct image *image;

	assert_not_null(f);
	for (int i = 0; i < NAMES; i++)
		fprintf(f, ".globl n%d\nn%d = %d\n", i, i, i + 1);
	fprintf(f,
	    ".globl old1\nold1 = 7\n.symver old1, versn@ONE\n"
	    ".globl old2\nold2 = 8\n.symver old2, eightlet@@TWO\n"
	    ".globl ninelette\nninelette = 9\n");
	assert_int(fclose(f), 0);
	assert_int(test_shell("gcc -c %s -o %s", test_path("large.s"),
		       test_path("large.o")),
	    0);
	image = must_open(test_path("large.o"));
	/* The first question makes the filter, and is answered rightly. */
	assert_true(image_symbol_named(image, "n17", &symbol));
	expect_uint(symbol.value, 18);
	for (int i = 0; i < 100; i++)
		expect_false(image_symbol_named(
		    image, test_format("absent%d", i), &symbol));
	assert_true(image_symbol_named(image, "versn", &symbol));
	expect_uint(symbol.value, 7);
	assert_true(image_symbol_named(image, "eightlet", &symbol));
	expect_uint(symbol.value, 8);
	assert_true(image_symbol_named(image, "ninelette", &symbol));
	expect_uint(symbol.value, 9);
	expect_false(image_symbol_named(image, "ninelett", &symbol));
	for (int i = 0; i < NAMES; i++) {
		assert_true(
		    image_symbol_named(image, test_format("n%d", i), &symbol));
		expect_uint(symbol.value, (uint64_t)i + 1);
	}
	image_unref(image);
}
