/* SPDX-License-Identifier: MIT */
/*
 * Mangled names of C++ types.
 */
#ifndef MODULES_TYPENAME_H
#define MODULES_TYPENAME_H

#include <ptrace/pmodule.h>

/* "St13runtime_error" -> "std::runtime_error", "N2ns3FooE" -> "ns::Foo"; what
 * is more involved is returned as it was. */
const char *typename_of(ptrace_backtrace_t *bt, const char *mangled);

#endif /* MODULES_TYPENAME_H */
