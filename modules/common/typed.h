/* SPDX-License-Identifier: MIT */
/*
 * What debug information says of memory: objects and pointers of the variables
 * that the snapshot shows, by address.
 */
#ifndef MODULES_TYPED_H
#define MODULES_TYPED_H

#include <ptrace/pmodule.h>

struct typed_object { /* a struct, class or union */
	bt_addr_t start;
	uint64_t size;
	const char *type; /* "struct list" */
};

struct typed_pointer {
	uint64_t value;
	bt_addr_t address; /* of the pointer; 0: in a register */
	const char *type;  /* of what it points to; NULL: void */
	uint64_t size;	   /* the same, bytes; 0 unknown */
	ptrace_variable_t *variable;
};

struct typed {
	struct typed_object *objects;	/* by start, then the larger first */
	struct typed_pointer *pointers; /* by value */
	struct typed_pointer **places;	/* those in memory, by address */
	size_t n_objects, n_pointers, n_places, room_objects, room_pointers;
};

/* For the event of a variable. */
void typed_collect(struct typed *t, ptrace_variable_t *v, bt_variable_t *raw);
/* Once, before the questions below. */
void typed_sort(struct typed *t);
void typed_end(struct typed *t);

/* The largest object that holds the address; NULL: none is known. */
const struct typed_object *typed_object_at(
    const struct typed *t, bt_addr_t address);
/* The pointer that is kept at an address. */
const struct typed_pointer *typed_pointer_at(
    const struct typed *t, bt_addr_t address);
/* Pointers with values from `start` on: the index of the first. */
size_t typed_pointers_from(const struct typed *t, uint64_t start);

/* "head->next of walk (list.c:12), thread 77" */
const char *typed_label(ptrace_backtrace_t *bt, const ptrace_variable_t *v);

#endif /* MODULES_TYPED_H */
