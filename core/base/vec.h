/* SPDX-License-Identifier: MIT */
/*
 * Growable typed arrays with a cap:
 *
 *	VEC(struct frame) frames;
 *	vec_init(&frames, 1000000);
 *	struct frame *f = vec_push(&frames);	(zeroed item, or NULL)
 *	for (size_t i = 0; i < frames.count; i++) use(&frames.items[i]);
 *	vec_deinit(&frames);
 *
 * A push may move the items: pointers into the array do not survive it.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include "base/error.h"
#include <stdlib.h>
#include <string.h>

#define VEC(TYPE)                                                              \
	struct {                                                               \
		TYPE *items;                                                   \
		size_t count, room, limit;                                     \
	}

/* Grows *items to hold count + 1 items of item_size bytes. False at the limit
 * or out of memory; the array is then unchanged. */
bool vec_grow(
    void **items, size_t *room, size_t count, size_t limit, size_t item_size);

/* Makes room for `count` items, or as many as the limit allows, where that is
 * more than there is. A hint: without memory all stays as it is. */
void vec_make_room(
    void **items, size_t *room, size_t limit, size_t count, size_t item_size);

#define vec_reserve(V, COUNT)                                                  \
	vec_make_room((void **)&(V)->items, &(V)->room, (V)->limit, (COUNT),   \
	    sizeof(*(V)->items))
#define vec_init(V, LIMIT)                                                     \
	((V)->items = NULL, (V)->count = 0, (V)->room = 0, (V)->limit = (LIMIT))
#define vec_push(V)                                                            \
	(((V)->count < (V)->room && (V)->count < (V)->limit) ||                \
		    vec_grow((void **)&(V)->items, &(V)->room, (V)->count,     \
			(V)->limit, sizeof(*(V)->items))                       \
		? (memset(&(V)->items[(V)->count], 0, sizeof(*(V)->items)),    \
		      &(V)->items[(V)->count++])                               \
		: NULL)
#define vec_clear(V) ((V)->count = 0)
#define vec_deinit(V)                                                          \
	(free((V)->items), (V)->items = NULL, (V)->count = (V)->room = 0)

#endif /* BASE_VEC_H */
