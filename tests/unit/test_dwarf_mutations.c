/* SPDX-License-Identifier: MIT */
/*
 * Damaged DWARF by the hundred: bytes of the debug sections of real programs
 * are changed at random (reproducibly), then everything is asked. Nothing may
 * crash, read outside (the sanitizer build sees that) or take long.
 */
#include "dwarf_fixture.h"

enum { ROUNDS = 250, STEPS = 3000000, PLACES = 64 };

struct random {
	uint64_t state;
};

static uint64_t
next_random(struct random *r)
{
	r->state += UINT64_C(0x9e3779b97f4a7c15);
	return map_mix(r->state);
}

struct place {
	uint64_t offset, size;
};

static size_t
debug_sections(struct image *image, struct place places[PLACES])
{
	const struct image_section *sections;
	size_t n = image_sections(image, &sections), count = 0;

	for (size_t i = 0; i < n && count < PLACES; i++) {
		if (strncmp(sections[i].name, ".debug_", 7) == 0 &&
		    sections[i].size > 0)
			places[count++] = (struct place){
			    sections[i].offset, sections[i].size};
	}
	return count;
}

static void
damage(uint8_t *bytes, const struct place *places, size_t n, struct random *r)
{
	uint64_t changes = 1 + next_random(r) % (1u << next_random(r) % 8);

	while (changes-- > 0) {
		const struct place *p = &places[next_random(r) % n];
		uint64_t at = p->offset + next_random(r) % p->size;
		uint64_t from = p->offset + next_random(r) % p->size;

		switch (next_random(r) % 5) {
		case 0:
			bytes[at] = (uint8_t)next_random(r);
			break;
		case 1:
			bytes[at] ^= (uint8_t)(1u << next_random(r) % 8);
			break;
		case 2:
			bytes[at] = 0xff;
			break;
		case 3:
			bytes[at] = 0;
			break;
		default:
			bytes[at] = bytes[from];
			break;
		}
	}
}

static size_t
ask_type(struct dwarf *d, const struct dwarf_type *t, int depth)
{
	size_t n = strlen(t->name);

	t = dwarf_type_complete(d, dwarf_type_strip(t));
	for (unsigned i = 0; i < t->n_members && i < 20 && depth < 3; i++)
		n += ask_type(d, t->members[i].type, depth + 1);
	for (unsigned i = 0; i < t->n_enumerators; i++)
		n += strlen(t->enumerators[i].name);
	if (t->target != NULL && depth < 3)
		n += ask_type(d, t->target, depth + 1);
	return n;
}

static size_t
ask_scope(struct dwarf *d, const struct dwarf_scope *scope, uint64_t pc)
{
	size_t n = scope->path != NULL ? strlen(scope->path) : 0;

	for (unsigned i = 0; i < scope->n_variables; i++) {
		const struct dwarf_variable *v = &scope->variables[i];
		struct view block = v->location.block;

		if (v->name != NULL)
			n += strlen(v->name);
		(void)dwarf_location_at(&v->location, pc, &block, NULL);
		while (!view_end(&block))
			n += view_u8(&block);
		n += ask_type(d, v->type, 0);
	}
	return n;
}

static size_t
ask(struct dwarf *d, uint64_t low, uint64_t high, struct random *r)
{
	uint64_t step = 1 + next_random(r) % 64;
	const struct dwarf_call_site *const *tails;
	struct dwarf_variable v;
	size_t n = 0;

	for (uint64_t pc = low; pc < high; pc += step) {
		const struct dwarf_plan *p = dwarf_plan_at(d, pc, true);

		assert_not_null(p);
		for (unsigned i = 0; i < p->n_scopes; i++)
			n += ask_scope(d, &p->scopes[i], pc);
		n += dwarf_call_site_at(d, pc) != NULL;
		n += dwarf_tail_calls(d, pc, &tails);
	}
	n += dwarf_global(d, "counter", NULL, &v);
	n += dwarf_type_named(d, "node") != NULL;
	n += dwarf_die_tag(dwarf_die_at(d, next_random(r) % 4096));
	return n;
}

static void
mutate(const char *compiler, const char *flags, const char *source)
{
	const struct image_section *text;
	struct place places[PLACES];
	struct random r = {1};
	struct image *image;
	size_t size, n, sum = 0;
	uint64_t low, high;
	char *bytes;

	if (!compile(test_path("program"), compiler, flags, source))
		skip("no %s", compiler);
	image = must_open(test_path("program"));
	n = debug_sections(image, places);
	text = image_section_find(image, ".text");
	assert_not_null(text);
	low = text->addr;
	high = text->addr + text->size;
	assert_true(n > 4);
	image_unref(image);
	bytes = test_read_file(test_path("program"), &size);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct dwarf_options options = {0};
		struct budget budget;
		struct dwarf *d;
		uint8_t *copy = malloc(size);

		assert_not_null(copy);
		memcpy(copy, bytes, size);
		damage(copy, places, n, &r);
		budget_init(&budget, STEPS, 0);
		options.budget = &budget;
		if (!image_from_memory(copy, size, "damaged", &image, NULL))
			continue;
		if (dwarf_open(image, &options, &d, NULL)) {
			sum += ask(d, low, high, &r);
			dwarf_close(d);
		}
		image_unref(image);
	}
	expect_true(sum > ROUNDS);
	free(bytes);
}

TEST_WITHIN(c_of_gcc, 60)
{
	mutate("gcc", "-g -O2", "scopes.c");
}

TEST_WITHIN(c_of_clang, 60)
{
	mutate("clang", "-g -O2", "scopes.c");
}

TEST_WITHIN(old_version, 60)
{
	mutate("gcc", "-O1 -gdwarf-3", "scopes.c");
}

TEST_WITHIN(cplusplus, 60)
{
	mutate("g++", "-g -O1 -fdebug-types-section", "members.cc");
}
