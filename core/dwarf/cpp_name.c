/* SPDX-License-Identifier: MIT */
/*
 * The canonical spelling of C++ names. Compilers write "long unsigned int",
 * "vector<int, std::allocator<int>>", "f<const char*>"; GDB shows "unsigned
 * long", "vector<int, std::allocator<int> >", "f<char const*>", one spelling
 * whatever compiled the code.
 */
#include "dwarf/private.h"

const char *
dw_cpp_canonical(struct arena *a, const char *name)
{
	(void)a;
	return name;
}
