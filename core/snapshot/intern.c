/* SPDX-License-Identifier: MIT */
/*
 * What many frames or pointers share and the snapshot stores once: locations
 * and followed objects. The maps hold a 64-bit mix of the key; an entry is
 * compared in full before it is used, and a clash moves on to the next key.
 */
#include "snapshot/model.h"

/* Stands for a location that found no room. */
static const struct snap_location nowhere = {
    .id = SNAP_NONE,
    .symbol = "",
    .linkage_name = "",
    .object = "",
    .object_path = "",
    .path = "",
};

static uint64_t
mix_pointer(uint64_t h, const char *interned)
{
	return map_mix(h ^ (uint64_t)(uintptr_t)interned);
}

/* Fields are interned already, so pointers compare. */
static bool
same_location(const struct snap_location *a, const struct snap_location *b)
{
	return a->symbol == b->symbol && a->linkage_name == b->linkage_name &&
	    a->object == b->object && a->object_path == b->object_path &&
	    a->path == b->path && a->line == b->line &&
	    a->is_inline == b->is_inline && a->has_offset == b->has_offset &&
	    a->offset == b->offset;
}

static uint64_t
location_key(const struct snap_location *l)
{
	uint64_t h = map_mix(l->offset + 1);

	h = mix_pointer(h, l->symbol);
	h = mix_pointer(h, l->linkage_name);
	h = mix_pointer(h, l->object);
	h = mix_pointer(h, l->object_path);
	h = mix_pointer(h, l->path);
	h ^= (uint64_t)l->line << 2 | (uint64_t)l->has_offset << 1 |
	    (uint64_t)l->is_inline;
	return map_mix(h);
}

const struct snap_location *
snapshot_location(struct snapshot *s, const struct snap_location *like)
{
	struct snap_location want = {
	    .symbol = snapshot_string(s, like->symbol),
	    .linkage_name = snapshot_string(s, like->linkage_name),
	    .object = snapshot_string(s, like->object),
	    .object_path = snapshot_string(s, like->object_path),
	    .has_offset = like->has_offset,
	    .offset = like->has_offset ? like->offset : 0,
	    .path = snapshot_string(s, like->path),
	    .line = like->line,
	    .is_inline = like->is_inline,
	};
	uint64_t *index;
	bool is_new;

	if (want.linkage_name == want.symbol)
		want.linkage_name = snapshot_string(s, "");
	for (uint64_t key = location_key(&want);; key++) {
		index = map_put(&s->location_ids, key, &is_new);
		if (index == NULL)
			return &nowhere;
		if (is_new)
			break;
		if (*index < s->locations.count &&
		    same_location(s->locations.items[*index], &want))
			return s->locations.items[*index];
	}

	struct snap_location *l = ARENA_NEW(&s->arena, struct snap_location);
	struct snap_location **item = l != NULL ? vec_push(&s->locations)
						: NULL;
	if (item == NULL) {
		*index = UINT64_MAX;
		return &nowhere;
	}
	*l = want;
	l->id = (uint32_t)(s->locations.count - 1);
	*item = l;
	*index = l->id;
	return l;
}

uint64_t
snapshot_object(
    struct snapshot *s, uint64_t address, const char *type, bool *is_new)
{
	const char *name = snapshot_string(s, type);
	uint64_t *id;

	*is_new = false;
	for (uint64_t key = mix_pointer(map_mix(address), name);; key++) {
		bool fresh;

		id = map_put(&s->object_ids, key, &fresh);
		if (id == NULL)
			return 0;
		if (fresh)
			break;
		if (*id == 0)
			return 0; /* was refused before */

		const struct snap_object *o = &s->objects.items[*id - 1];
		if (o->key_address == address && o->key_type == name)
			return *id;
	}

	struct snap_object *o = vec_push(&s->objects);
	if (o == NULL)
		return 0;
	o->id = s->objects.count;
	o->key_address = address;
	o->key_type = name;
	o->variable.name = "";
	o->variable.type = name;
	o->variable.address = address;
	o->variable.flags = SNAP_VAR_ADDRESS;
	o->variable.kind = SNAP_UNAVAILABLE;
	*id = o->id;
	*is_new = true;
	return o->id;
}

struct snap_variable *
snapshot_object_variable(struct snapshot *s, uint64_t id)
{
	if (id == 0 || id > s->objects.count)
		return NULL;
	return &s->objects.items[id - 1].variable;
}
