/* SPDX-License-Identifier: MIT */
/*
 * What an object is by its table of virtual functions.
 */
#ifndef MODULES_VTABLE_H
#define MODULES_VTABLE_H

#include <ptrace/pmodule.h>

struct vtable {
	bt_addr_t address; /* where the object's first word points to */
	const char *type;  /* "ns::Derived" */
	int64_t to_top; /* the object begins so many bytes from here (<= 0) */
};

/* Is there a table at the address? */
bool vtable_at(ptrace_backtrace_t *bt, bt_addr_t address, struct vtable *out);
/* Functions' addresses stand there: it may be a table whose class nobody knows.
 */
bool vtable_may_be(ptrace_backtrace_t *bt, bt_addr_t address);
/* The table of the object at an address. False: it is no object with virtual
 * functions, or is one no more. */
bool vtable_of(ptrace_backtrace_t *bt, bt_addr_t object, struct vtable *out);
/* Some function of the table is pure virtual. */
bool vtable_is_abstract(ptrace_backtrace_t *bt, const struct vtable *v);
/* The table of the object at an address has an entry that is null: of a pure
 * virtual function, when what reports such calls was not linked (static
 * programs refer to it weakly), or of a destructor of an abstract class. */
bool vtable_lacks_function(
    ptrace_backtrace_t *bt, bt_addr_t object, struct vtable *out);

#endif /* MODULES_VTABLE_H */
