/* SPDX-License-Identifier: MIT */
/*
 * The canonical spelling of C++ names. The right-hand side is what gdb 13.1
 * prints for types compiled by gcc 12 and clang 14 (test_dwarf_gdb compares
 * whole programs).
 */
#include "dwarf_fixture.h"

static const struct {
	const char *name, *want;
} spellings[] = {
    /* integers, in all orders */
    {"int", "int"},
    {"unsigned int", "unsigned int"},
    {"long unsigned int", "unsigned long"},
    {"unsigned long", "unsigned long"},
    {"long int", "long"},
    {"long long int", "long long"},
    {"long long unsigned int", "unsigned long long"},
    {"short unsigned int", "unsigned short"},
    {"short int", "short"},
    {"signed char", "signed char"},
    {"unsigned char", "unsigned char"},
    {"unsigned __int128", "unsigned __int128"},
    {"__int128 unsigned", "__int128 unsigned"},
    {"long double", "long double"},
    /* arguments of templates */
    {"F<int>", "F<int>"},
    {"F<F<int>>", "F<F<int> >"},
    {"F<F<F<int> > >", "F<F<F<int> > >"},
    {"P<int,char>", "P<int, char>"},
    {"F<long unsigned int>", "F<unsigned long>"},
    {"F<const char*>", "F<char const*>"},
    {"F<char const *>", "F<char const*>"},
    {"F<const char* const*>", "F<char const* const*>"},
    {"F<const volatile short int>", "F<short const volatile>"},
    {"F<const H&>", "F<H const&>"},
    {"F<int&&>", "F<int&&>"},
    {"F<int (&)[3]>", "F<int (&) [3]>"},
    {"F<int[3]>", "F<int [3]>"},
    {"F<int(int, char)>", "F<int(int, char)>"},
    {"F<int (int, char)>", "F<int (int, char)>"},
    {"F<void (* (*)(int))(char)>", "F<void (*(*)(int))(char)>"},
    {"F<int A::*>", "F<int A::*>"},
    {"F<int (A::*)(int) const>", "F<int (A::*)(int) const>"},
    {"F<void(...)>", "F<void(...)>"},
    {"F<(anonymous namespace)::H>", "F<(anonymous namespace)::H>"},
    {"V<-3, 'a', true, 7, -9>", "V<-3, (char)'a', true, 7, -9>"},
    {"V<3UL>", "V<3ul>"},
    {"G<(E)1, (EC)-1>", "G<(E)1, (EC)-1>"},
    {"GP<(& gi)>", "GP<&gi>"},
    {"GP<&gi>", "GP<&gi>"},
    {"a::b<c>::d<long int>::e", "a::b<c>::d<long>::e"},
    {"P<>", "P<>"},
    /* operators are no brackets */
    {"operator<", "operator<"},
    {"operator<< <long int>", "operator<< <long int>"},
    {"operator<=>", "operator<=>"},
    {"operator()", "operator()"},
    {"operator->", "operator->"},
    {"operator bool", "operator bool"},
    /* what does not parse stays: lambdas, C, nonsense */
    {"F<main()::<lambda(int)> >", "F<main()::<lambda(int)> >"},
    {"F<(lambda at a.cc:3:4)>", "F<(lambda at a.cc:3:4)>"},
    {"complex double", "complex double"},
    {"F<int", "F<int"},
    {"F<int>>", "F<int>>"},
    {"F<int(", "F<int("},
    {"F<int[", "F<int["},
    {"<", "<"},
    {"F<'", "F<'"},
    {"F<(& ", "F<(& "},
    {"", ""},
    {" ", " "},
};

TEST(names_have_one_spelling)
{
	struct arena arena;

	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++)
		expect_str(dw_cpp_canonical(&arena, spellings[i].name),
		    spellings[i].want);
	arena_deinit(&arena);
}

/* Whatever is cut off or doubled, the name comes back as it was or spelled
 * anew, and soon. */
TEST(broken_names_end)
{
	struct arena arena;

	arena_init(&arena, 1 << 24);
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		size_t n = strlen(spellings[i].name);

		for (size_t cut = 0; cut < n; cut++) {
			const char *part = test_format(
			    "%.*s", (int)cut, spellings[i].name);

			expect_not_null(dw_cpp_canonical(&arena, part));
		}
	}
	for (size_t depth = 1; depth < 5000; depth *= 3) {
		static const char opener[] = "F<";
		char *deep = calloc(2 * depth + 8, 1);

		assert_not_null(deep);
		for (size_t i = 0; i < depth; i++)
			memcpy(deep + 2 * i, opener, 2);
		expect_str(dw_cpp_canonical(&arena, deep), deep);
		for (size_t i = 0; i < depth; i++)
			memcpy(deep + 2 * i, i == 0 ? "F<" : "(*", 2);
		expect_str(dw_cpp_canonical(&arena, deep), deep);
		free(deep);
	}
	arena_deinit(&arena);
}

TEST(without_memory_a_name_stays)
{
	struct arena arena;

	arena_init(&arena, 0);
	expect_str(
	    dw_cpp_canonical(&arena, "F<const char*>"), "F<const char*>");
	arena_deinit(&arena);
}
