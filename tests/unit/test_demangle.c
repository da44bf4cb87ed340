/* SPDX-License-Identifier: MIT */
/*
 * Demangling: the languages, all of Rust's grammar, and names that stand for
 * more text or work than there may be.
 */
#include "harness/test.h"

#include "image/demangle.h"

TEST(demangling)
{
	static const struct {
		const char *name, *with, *without;
	} cases[] = {
	    {"_ZN2ns1fEi", "ns::f(int)", "ns::f"},
	    {"_ZN2ns1fEi.cold", "ns::f(int) [clone .cold]", "ns::f"},
	    {"_ZNSt6vectorIiSaIiEE9push_backERKi",
		"std::vector<int, std::allocator<int> >::push_back(int const&)",
		"std::vector<int, std::allocator<int> >::push_back"},
	    {"_ZN4core3fmt5write17h0123456789abcdefE", "core::fmt::write",
		"core::fmt::write"},
	    {"_RNvC6_123foo3bar", "123foo::bar", "123foo::bar"},
	    {"_D8demangle4testFiZv", "demangle.test(int)", "demangle.test"},
	    {"main", NULL, NULL},
	    {"", NULL, NULL},
	    {"_", NULL, NULL},
	    {"_Z", NULL, NULL},
	    {"_ZN", NULL, NULL},
	    {"__libc_start_main", NULL, NULL},
	    {"_DYNAMIC", NULL, NULL},
	    {"_Foo", NULL, NULL},
	};
	struct arena a;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_str(demangle(&a, cases[i].name, true), cases[i].with);
		expect_str(
		    demangle(&a, cases[i].name, false), cases[i].without);
	}
	arena_deinit(&a);
}

TEST(demangling_bombs_end)
{
	char name[4096], *p;
	struct arena a;

	arena_init(&a, 1 << 20);
	/* Each level doubles the text: pair<T, T> of the one before. */
	p = name + sprintf(name, "_Z1fSt4pairIiiE");
	for (int i = 0; i < 36; i++) {
		int digit = i < 10 ? '0' + i : 'A' + i - 10; /* base 36 */

		p += sprintf(p, "S_IS%c_S%c_E", digit, digit);
	}
	/* Some levels are fine, all of them are 2^36 times as much. */
	expect_null(demangle(&a, name, true));
	name[strlen("_Z1fSt4pairIiiE") + 5 * strlen("S_IS0_S0_E")] = '\0';
	expect_not_null(demangle(&a, name, true));
	/* The same in D: each type is a map from the one before to itself. */
	p = name + sprintf(name, "_D1a1bFHii");
	for (int i = 0; i < 200; i++)
		p += sprintf(p, "HQ%cQ%c", i == 0 ? 'd' : 'f', 'h');
	strcpy(p, "Zv");
	demangle(&a, name, true);
	/* Depth: pointers to pointers to ... */
	memcpy(name, "_Z1f", 4);
	memset(name + 4, 'P', 4000);
	strcpy(name + 4004, "i");
	demangle(&a, name, true);
	/* Too long to be looked at. */
	memset(name, 'a', sizeof(name));
	memcpy(name, "_Z4000", 6);
	name[sizeof(name) - 1] = '\0';
	p = malloc(20000);
	memset(p, 'a', 20000);
	memcpy(p, "_Z5000", 6);
	p[19999] = '\0';
	expect_null(demangle(&a, p, true));
	free(p);
	arena_deinit(&a);
}

/* The grammar of the v0 mangling, piece by piece. */
TEST(rust)
{
	static const struct {
		const char *name, *shown;
	} cases[] = {
	    {"_RNvC1t4main", "t::main"},
	    {"_RNvCsjMaewn57Afh_1t4main", "t::main"},
	    {"_RNvNtC1t3_123s0_1f", "t::123::f"},
	    {"_RNvC1t4main.llvm.4711", "t::main"},
	    {"_RNvC1t4mainC1u", "t::main"},
	    {"_RNvC1tu9gre_6ka8i", "t::gr\u00f6\u00dfe"},
	    {"_RNvC1tu3tda", "t::\u00fc"},
	    {"_RNvC1tu6gre_zz", NULL},
	    {"_RNvC1tu4gre_", NULL},
	    {"_RNvC1tu11ncode_cta3g", "t::\u00fcn\u00efcode"},
	    /* What is in functions. */
	    {"_RNCNvC1t4main0B3_", "t::main::{closure#0}"},
	    {"_RNCNvC1t4mains_0", "t::main::{closure#1}"},
	    {"_RNSNvC1t1f6vtable", "t::f::{shim:vtable#0}"},
	    {"_RNKNvC1t1f0", "t::f::{K#0}"},
	    /* Blocks of implementation. */
	    {"_RNvMC1tNtB2_2Sq4area", "<t::Sq>::area"},
	    {"_RNvMs3_C1tNtB5_2Sq4area", "<t::Sq>::area"},
	    {"_RNvXC1tNtB2_2SqNtB2_5Shape4area", "<t::Sq as t::Shape>::area"},
	    {"_RNvYNtC1t2SqNtB4_5Shape4area", "<t::Sq as t::Shape>::area"},
	    /* Types. */
	    {"_RINvC1t1fabcdefhijlmE",
		"t::f::<i8, bool, char, f64, str, f32, u8, isize, usize, i32, "
		"u32>"},
	    {"_RINvC1t1fnopstuvxyzE",
		"t::f::<i128, u128, _, i16, u16, (), ..., i64, u64, !>"},
	    {"_RINvC1t1fRhQhPhOhRL_hE",
		"t::f::<&u8, &mut u8, *const u8, *mut u8, &u8>"},
	    {"_RINvC1t1fAlj4_SlTETlETlhEE",
		"t::f::<[i32; 4], [i32], (), (i32,), (i32, u8)>"},
	    {"_RINvC1t1fNtC1u1TINtC1u1VhEE", "t::f::<u::T, u::V<u8>>"},
	    {"_RINvC1t1fFUKClElE",
		"t::f::<unsafe extern \"C\" fn(i32) -> i32>"},
	    {"_RINvC1t1fFK8C_unwindEuE", "t::f::<extern \"C-unwind\" fn()>"},
	    {"_RINvC1t1fFG0_RL1_hRL0_tERL1_hE",
		"t::f::<for<'a, 'b> fn(&'a u8, &'b u16) -> &'a u8>"},
	    {"_RINvC1t1fFG_RL0_hFG_RL1_hRL0_hEuEuE",
		"t::f::<for<'a> fn(&'a u8, for<'b> fn(&'a u8, &'b u8))>"},
	    {"_RINvC1t1fFGs_RL0_hRLs_hEuE",
		"t::f::<for<'a, 'b, 'c, 'd, 'e, 'f, 'g, 'h, 'i, 'j, 'k, 'l, "
		"'m, 'n, 'o, 'p, 'q, 'r, 's, 't, 'u, 'v, 'w, 'x, 'y, 'z, '_26, "
		"'_27, '_28, '_29> fn(&'_29 u8, &'b u8)>"},
	    {"_RINvC1t1fL_E", "t::f::<'_>"},
	    {"_RINvC1t1fDNtC1t5ShapeNtC1t4SendEL_E",
		"t::f::<dyn t::Shape + t::Send>"},
	    {"_RINvC1t1fDINtC1t2FnTlEEp6OutputhEL_E",
		"t::f::<dyn t::Fn<(i32,), Output = u8>>"},
	    {"_RINvC1t1fDNtC1t4Iterp4Itemup1KhEL_E",
		"t::f::<dyn t::Iter<Item = (), K = u8>>"},
	    {"_RINvC1t1fFG_DG_INtC1t1TRL0_hEEL0_EuE",
		"t::f::<for<'a> fn(dyn for<'b> t::T<&'b u8> + 'a)>"},
	    {"_RINvC1t1fINtC1t1VhEDB7_p1AhEL_E",
		"t::f::<t::V<u8>, dyn t::V<u8, A = u8>>"},
	    /* Constants. */
	    {"_RINvC1t1fKj1f4_Kb0_Kb1_Kln7_KpE",
		"t::f::<500, false, true, -7, _>"},
	    {"_RINvC1t1fKc78_Kca_Kc27_Kc5c_Kc22_Kce9_E",
		"t::f::<'x', '\\n', '\\'', '\\\\', '\"', '\\u{e9}'>"},
	    {"_RINvC1t1fKyffffffffffffffff_Ko10000000000000000_E",
		"t::f::<18446744073709551615, 0x10000000000000000>"},
	    {"_RINvC1t1fKRe6122c3a9_Ke61_KRAj1_j2_EE",
		"t::f::<\"a\\\"\u00e9\", {*\"a\"}, {&[1, 2]}>"},
	    {"_RINvC1t1fKTj1_EKTj1_b1_EKQTEE",
		"t::f::<{(1,)}, {(1, true)}, {&mut ()}>"},
	    {"_RINvC1t1fKVNtC1t1SS1xj1_1yTj2_EEKVNtC1t1ATj1_EKVNtC1t1BUE",
		"t::f::<{t::S { x: 1, y: (2,) }}, {t::A(1)}, {t::B}>"},
	    {"_RINvC1t1fKj7_KB8_E", "t::f::<7, 7>"},
	    /* What is none. */
	    {"_R", NULL},
	    {"_RNvC1t", NULL},
	    {"_RNvC1t4mai", NULL},
	    {"_RNvC1t4main4main", NULL},
	    {"_R1NvC1t4main", NULL},
	    {"_RNvC1t4ma-n", NULL},
	    {"_RN1C1t4main", NULL},
	    {"_RNvB_4main", NULL},
	    {"_RNvC1t4mainB9_", NULL},
	    {"_RNvCs99999999999_1t4main", "t::main"},
	    {"_RNvCsZZZZZZZZZZZ_1t4main", NULL},
	    {"_RNvC1t99999999999999999999main", NULL},
	    {"_RINvC1t1fRL0_hE", NULL},
	    {"_RINvC1t1fKb2_E", NULL},
	    {"_RINvC1t1fKcd800_E", NULL},
	    {"_RINvC1t1fKj_E", NULL},
	    {"_RINvC1t1fKRe6_E", NULL},
	    {"_RINvC1t1fKReff_E", NULL},
	    {"_RINvC1t1fDNtC1t1TEE", NULL},
	    {"_RINvC1t1fgE", NULL},
	};
	struct arena a;

	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_str(demangle(&a, cases[i].name, true), cases[i].shown);
	arena_deinit(&a);
}

/* A position in a name, as a back reference has it. */
static int
put_back(char *p, size_t position)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	position--;
	if (position < 62)
		return sprintf(p, "B%c_", digits[position]);
	return sprintf(
	    p, "B%c%c_", digits[position / 62], digits[position % 62]);
}

TEST_WITHIN(rust_bombs_end, 10)
{
	char name[4096], *p;
	size_t at, last;
	struct arena a;

	arena_init(&a, 1 << 20);
	/* So many lifetimes, which nobody sees. */
	expect_null(demangle(&a, "_RNvMINvC1t1fFGZZZZZZZZ_EuEh1g", true));
	expect_null(demangle(&a, "_RINvC1t1fFGZZZZZZZZ_EuE", true));
	/* Each level is two of the one before. */
	p = name + sprintf(name, "_RINvC1t1f");
	last = (size_t)(p - name) - 2;
	p += sprintf(p, "TllE");
	for (int i = 0; i < 40; i++) {
		at = (size_t)(p - name) - 2;
		*p++ = 'T';
		p += put_back(p, last);
		p += put_back(p, last);
		*p++ = 'E';
		last = at;
		if (i == 3) {
			strcpy(p, "E");
			expect_not_null(demangle(&a, name, true));
		}
	}
	strcpy(p, "E");
	expect_null(demangle(&a, name, true));
	/* Depth. */
	p = name + sprintf(name, "_RINvC1t1f");
	memset(p, 'S', 4000);
	strcpy(p + 4000, "hE");
	expect_null(demangle(&a, name, true));
	strcpy(p + 100, "hE");
	expect_not_null(demangle(&a, name, true));
	arena_deinit(&a);
}
