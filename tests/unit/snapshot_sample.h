/* SPDX-License-Identifier: MIT */
/*
 * Snapshots made by hand for the tests of formats/: one that uses every field
 * of the model, and one of any size. Both are the same on every run.
 */
#ifndef TESTS_SNAPSHOT_SAMPLE_H
#define TESTS_SNAPSHOT_SAMPLE_H

#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "formats/btt.h"
#include "formats/json.h"
#include "snapshot/model.h"

#define SAMPLE_CAP ((size_t)1 << 30)

static void
sample_stamp(struct snapshot *s)
{
	for (int i = 0; i < 16; i++)
		s->uuid[i] = (uint8_t)(i * 17);
	s->created_seconds = 1763719200; /* 2025-11-21T10:00:00Z */
	s->created_nanoseconds = 123456789;
	s->generator = "inquest sample";
}

static struct snap_variable *
sample_variables(struct snapshot *s, uint32_t count)
{
	return arena_array(&s->arena, count, sizeof(struct snap_variable));
}

static struct snap_variable *
sample_set(struct snapshot *s, struct snap_variable *v, enum snap_kind kind,
    const char *type, const char *name, uint64_t address)
{
	v->kind = (uint8_t)kind;
	v->type = snapshot_string(s, type);
	v->name = snapshot_string(s, name);
	if (address != 0) {
		v->address = address;
		v->flags |= SNAP_VAR_ADDRESS;
	}
	return v;
}

static void
sample_value(struct snap_variable *v, uint64_t value)
{
	v->value.u = value;
	v->flags |= SNAP_VAR_VALUE;
}

static void
sample_text(
    struct snapshot *s, struct snap_variable *v, const char *text, size_t len)
{
	v->string = arena_strndup(&s->arena, text, len);
	v->string_size = (uint32_t)len;
	v->flags |= SNAP_VAR_STRING;
}

/* Every kind and every field, 17 variables. */
static struct snap_variable *
sample_every_kind(struct snapshot *s, uint32_t *count)
{
	struct snap_variable *v = sample_variables(s, 20), *m;
	uint64_t at = 0x7ffd12340000;
	uint32_t n = 0;

	sample_value(sample_set(s, &v[n], SNAP_INT, "int", "i", at), 0);
	v[n++].value.i = -42;
	sample_value(sample_set(s, &v[n++], SNAP_INT, "long", "big", at + 8),
	    1ULL << 60);
	v[0].flags |= SNAP_VAR_PARAMETER;
	sample_value(
	    sample_set(s, &v[n++], SNAP_UINT, "unsigned long", "u", at + 16),
	    UINT64_MAX);
	sample_value(
	    sample_set(s, &v[n], SNAP_FLOAT, "double", "pi", at + 24), 0);
	v[n++].value.f = 3.141592653589793;
	sample_value(
	    sample_set(s, &v[n], SNAP_FLOAT, "double", "nothing", at + 32), 0);
	v[n++].value.f = NAN;
	sample_value(
	    sample_set(s, &v[n], SNAP_FLOAT, "double", "low", at + 40), 0);
	v[n++].value.f = -INFINITY;
	sample_value(sample_set(s, &v[n++], SNAP_BOOL, "_Bool", "yes", 0), 1);
	sample_value(sample_set(s, &v[n], SNAP_CHAR, "char", "c", at + 48), 0);
	v[n].value.i = 'x';
	sample_text(s, &v[n++], "x", 1);
	sample_text(s,
	    sample_set(s, &v[n++], SNAP_STRING, "char [9]", "raw", at + 56),
	    "caf\xc3\xa9 \xff\0z", 9);
	sample_value(
	    sample_set(s, &v[n], SNAP_ENUM, "enum color", "e", at + 72), 2);
	sample_text(s, &v[n++], "GREEN", 5);
	sample_value(sample_set(s, &v[n], SNAP_POINTER, "struct node *", "head",
			 at + 80),
	    0x555500001000);
	v[n].object = 1;
	v[n].flags |= SNAP_VAR_HEAP;
	v[n++].heap = (struct snap_heap){
	    .allocated = true, .size = 64, .offset = 16};
	sample_value(
	    sample_set(s, &v[n++], SNAP_POINTER, "void *", "null", at + 88), 0);
	m = sample_variables(s, 2);
	sample_value(sample_set(s, &m[0], SNAP_INT, "int", "x", at + 96), 1);
	sample_set(s, &m[1], SNAP_UNION, "union {...}", "", at + 100);
	m[1].children = sample_variables(s, 1);
	m[1].n_children = 1;
	sample_value(sample_set(s, &m[1].children[0], SNAP_UINT,
			 "unsigned char", "low", at + 100),
	    7);
	snapshot_annotate(s, &m[1].children[0].annotations, SNAP_CRITICAL,
	    "fault", "the faulting address came from here");
	sample_set(s, &v[n], SNAP_STRUCT, "struct pair", "pair", at + 96);
	v[n].children = m;
	v[n++].n_children = 2;
	m = sample_variables(s, 3);
	for (int i = 0; i < 3; i++)
		sample_value(sample_set(s, &m[i], SNAP_INT, "int", "",
				 at + 104 + 4 * (unsigned)i),
		    (uint64_t)i * i);
	sample_set(s, &v[n], SNAP_ARRAY, "int [100]", "squares", at + 104);
	v[n].children = m;
	v[n].n_children = 3;
	v[n].length = 100;
	v[n++].flags |= SNAP_VAR_LENGTH | SNAP_VAR_TRUNCATED;
	sample_value(sample_set(s, &v[n], SNAP_FUNCTION, "int (*)(int)",
			 "callback", at + 504),
	    0x401136);
	sample_text(s, &v[n++], "on_event", 8);
	sample_value(sample_set(s, &v[n], SNAP_COMPLEX, "double _Complex", "z",
			 at + 512),
	    0);
	v[n].value.complex_parts[0] = 1.5;
	v[n++].value.complex_parts[1] = -0.25;
	sample_set(s, &v[n], SNAP_UNAVAILABLE, "int", "gone", 0);
	v[n++].reason = snapshot_string(s, "optimized out");
	sample_set(s, &v[n], SNAP_INT, "__int128", "wide", at + 528);
	v[n++].number = "170141183460469231731687303715884105727";
	sample_set(s, &v[n], SNAP_FLOAT, "long double", "long_pi", at + 544);
	v[n].flags |= SNAP_VAR_ENTRY | SNAP_VAR_BASE;
	v[n++].number = "3.14159265358979323851";
	*count = n;
	return v;
}

static const struct snap_location *
sample_location(struct snapshot *s, const char *symbol, const char *object,
    const char *path, uint32_t line, bool is_inline)
{
	struct snap_location l = {.symbol = symbol,
	    .linkage_name = "",
	    .object = object,
	    .object_path = snapshot_printf(s, "/usr/bin/%s", object),
	    .has_offset = symbol[0] != '\0',
	    .offset = line,
	    .path = path,
	    .line = line,
	    .is_inline = is_inline};

	return snapshot_location(s, &l);
}

static void
sample_registers(struct snapshot *s, struct snap_thread *t, uint64_t seed)
{
	static const char *const names[] = {
	    "r0", "r1", "r2", "r3", "sp", "pc", "flags"};

	t->n_registers = 7;
	t->registers = arena_array(&s->arena, 7, sizeof(*t->registers));
	for (uint32_t i = 0; i < 7; i++) {
		t->registers[i].name = snapshot_string(s, names[i]);
		t->registers[i].value = map_mix(seed * 7 + i);
	}
}

static void
sample_thread(struct snapshot *s, uint32_t tid, bool fault)
{
	static const struct {
		const char *symbol, *object, *path, *trust;
		uint32_t line;
		bool is_inline, signal;
	} frames[] = {
	    {"hit", "exe", "/src/a.c", "context", 41, true, false},
	    {"work<int>(int)", "exe", "/src/a.c", "context", 77, false, false},
	    {"", "", "", "cfi", 0, false, true},
	    {"", "libc.so.6", "", "fp", 0, false, false},
	    {"poll", "libc.so.6", "", "scan", 0, false, false},
	    {"main", "exe", "/src/main.c", "cfi", 12, false, false},
	};
	uint32_t n = sizeof(frames) / sizeof(frames[0]);
	struct snap_thread *t = vec_push(&s->threads);
	uint64_t sp = 0x7ffd12340000 + (uint64_t)tid * 0x801000;

	t->tid = tid;
	t->name = snapshot_string(s, fault ? "worker \x1b[31m" : "idle");
	t->state = fault ? 'F' : 'S';
	t->fault = fault;
	t->stop_reason = fault ? "end of stack" : "return address unreadable";
	t->frames = arena_array(&s->arena, n, sizeof(*t->frames));
	t->n_frames = n;
	for (uint32_t i = 0; i < n; i++) {
		struct snap_frame *f = &t->frames[i];

		f->location = sample_location(s, frames[i].symbol,
		    frames[i].object, frames[i].path, frames[i].line,
		    frames[i].is_inline);
		f->ip = i < 2 ? 0x401136 : 0x7f0000001000 + i * 0x1010;
		f->has_sp = i != 4;
		f->sp = f->has_sp ? sp + i * 64 : 0;
		f->trust = frames[i].trust;
		f->signal_frame = frames[i].signal;
		f->variables_collected = i < 2;
	}
	sample_registers(s, t, tid);
}

static void
sample_system(struct snapshot *s)
{
	struct snap_environment *v;

	v = vec_push(&s->environment);
	*v = (struct snap_environment){"PATH", "/bin:\xff\n=", 0, false};
	v = vec_push(&s->environment);
	*v = (struct snap_environment){"LONG", "xxx", 5000, true};
	v = vec_push(&s->environment);
	*v = (struct snap_environment){"EMPTY", "", 0, false};
	*(struct snap_limit *)vec_push(&s->limits) = (struct snap_limit){
	    "nofile", "files", 1024, SNAP_UNLIMITED};
	*(struct snap_limit *)vec_push(&s->limits) = (struct snap_limit){
	    "nice", "", 0, 0};
	*(struct snap_descriptor *)vec_push(&s->descriptors) =
	    (struct snap_descriptor){0, "/dev/null"};
	*(struct snap_descriptor *)vec_push(&s->descriptors) =
	    (struct snap_descriptor){UINT32_MAX, "/x\xfe (deleted)"};
}

/* Uses every field of the model. */
__attribute__((unused)) static void
sample_full(struct snapshot *s)
{
	static const uint8_t stack[] = {0, 1, 2, 3, 0xff};
	struct snap_thread *t;
	bool is_new;

	sample_stamp(s);
	snapshot_attr_string(s, "hostname", "night.example");
	snapshot_attr_string(s, "application", "exe");
	snapshot_attr_uint(s, "process.id", 77);
	snapshot_attr_int(s, "nice", -5);
	snapshot_attr_uint(s, "huge", UINT64_C(1) << 63);
	snapshot_attr_bool(s, "snapshot.partial", false);
	snapshot_attr_double(s, "load", 0.25);
	snapshot_attr_address(s, "fault.address", 0x18);
	snapshot_attr_string(s, "od\"d\n", "tab\there \xff");
	snapshot_classifier(s, "segv");
	snapshot_classifier(s, "null");
	s->signal = (struct snap_signal){true, 11, 1, "SIGSEGV", "SEGV_MAPERR",
	    true, true, false, 0x18, 0, 0};
	s->fault = (struct snap_fault){true, 78, 0, "write", true, 0x18,
	    "mov dword ptr [r0 + 0x18], r1", "[r0 + 0x18]"};
	sample_thread(s, 78, true);
	sample_thread(s, 77, false);
	sample_thread(s, 79, false);
	t = &s->threads.items[0];
	t->frames_skipped = 90000;
	t->frames_skipped_at = 4;
	t->n_kernel_frames = 2;
	t->kernel_frames = arena_array(&s->arena, 2, sizeof(char *));
	t->kernel_frames[0] = "futex_wait";
	t->kernel_frames[1] = "do_syscall_64";
	t->frames[0].variables = sample_every_kind(
	    s, &t->frames[0].n_variables);
	snapshot_annotate(s, &s->annotations, SNAP_JSON, "lua",
	    "{\"json\": {\"context\": \"Signal\", \"n\": 11}}");
	snapshot_annotate(s, &s->annotations, SNAP_JSON, "lua", "{broken");
	snapshot_annotate(s, &t->annotations, SNAP_COMMENT, NULL, "busy");
	snapshot_annotate(
	    s, &t->frames[1].annotations, SNAP_WARNING, "m", "look here");

	struct snap_variable *o = snapshot_object_variable(
	    s, snapshot_object(s, 0x555500001000, "struct node", &is_new));
	o->kind = SNAP_STRUCT;
	o->children = sample_variables(s, 1);
	o->n_children = 1;
	sample_value(sample_set(s, o->children, SNAP_POINTER, "struct node *",
			 "next", 0x555500001000),
	    0x555500001000);
	o->children[0].object = 1;
	snapshot_annotate(s, &o->children[0].annotations, SNAP_COMMENT, "heap",
	    "points to itself");
	snapshot_object(s, 0x555500002000, "struct node", &is_new);
	sample_value(sample_set(s, vec_push(&s->globals), SNAP_INT, "int",
			 "counter", 0x404010),
	    99);

	struct snap_finding *f = vec_push(&s->findings);
	*f = (struct snap_finding){"null-deref", 0.98, true, "fault", 78, 0,
	    true, 0x18, "a null pointer was written through", 0, NULL};
	f->n_evidence = 2;
	f->evidence = arena_array(&s->arena, 2, sizeof(char *));
	f->evidence[0] = "r0 is 0";
	f->evidence[1] = "member at offset 24";
	f = vec_push(&s->findings);
	*f = (struct snap_finding){"wild-access", 0.3, false, "", SNAP_NONE,
	    SNAP_NONE, false, 0, "or not", 0, NULL};

	*(struct snap_module *)vec_push(&s->modules) = (struct snap_module){
	    "/usr/bin/exe", "0123456789abcdef0123456789abcdef01234567",
	    0x400000, 0x405000, "dwarf", ""};
	*(struct snap_module *)vec_push(&s->modules) = (struct snap_module){
	    "/lib/libc.so.6", "", 0x7f0000000000, 0x7f0000200000, "none",
	    "/usr/lib/debug/x.debug"};
	*(struct snap_module *)vec_push(&s->modules) = (struct snap_module){
	    "/lib/libm.so.6", "", 0x7f0000300000, 0x7f0000400000, "", ""};
	*(struct snap_mapping *)vec_push(&s->mappings) = (struct snap_mapping){
	    0x400000, 0x401000, 0, "r--p", "/usr/bin/exe"};
	*(struct snap_mapping *)vec_push(&s->mappings) = (struct snap_mapping){
	    0x401000, 0x402000, 0x1000, "r-xp", "/usr/bin/exe"};
	*(struct snap_mapping *)vec_push(&s->mappings) = (struct snap_mapping){
	    0x7ffff7ff0000, 0x7ffff7fff000, 0, "rw-s", ""};
	*(struct snap_mapping *)vec_push(&s->mappings) = (struct snap_mapping){
	    0xffffffffff600000, 0xffffffffff601000, 0, "--xp", "[vsyscall]"};
	*(struct snap_memory *)vec_push(&s->memory) = (struct snap_memory){
	    0x7ffd12340000, 5, stack, "stack"};
	*(struct snap_memory *)vec_push(&s->memory) = (struct snap_memory){
	    0x401130, 5, stack, "code"};
	*(struct snap_resource *)vec_push(&s->resources) =
	    (struct snap_resource){"log.txt", 5, stack, true};
	*(const char **)vec_push(&s->heap) = "{\"allocator\": \"ptmalloc\"}";
	*(const char **)vec_push(&s->locks) = "[]";
	snapshot_warn(
	    s, "core", "truncated", "the core ends %d bytes early", 9);
	snapshot_warn(s, "unwind", "budget", "thread 79: gave up");
	s->partial = true;
	snapshot_fingerprint(s);
	sample_system(s);
}

/* n threads in the same stack of `depth` frames with `variables` each. */
__attribute__((unused)) static void
sample_many(struct snapshot *s, uint32_t n, uint32_t depth, uint32_t variables)
{
	sample_stamp(s);
	for (uint32_t i = 0; i < n; i++) {
		struct snap_thread *t = vec_push(&s->threads);
		uint64_t sp = 0x7f3a00000000 + (uint64_t)i * 0x801000;

		t->tid = 1000 + i;
		t->name = snapshot_string(s, "pool");
		t->state = i == 0 ? 'F' : 'S';
		t->fault = i == 0;
		t->stop_reason = "end of stack";
		t->n_frames = depth;
		t->frames = arena_array(&s->arena, depth, sizeof(*t->frames));
		for (uint32_t k = 0; k < depth; k++) {
			struct snap_frame *f = &t->frames[k];

			f->location = sample_location(s,
			    snapshot_printf(s, "function_%u", k * 7919 % 1000),
			    "server", "/src/server.c", 100 + k * 13, false);
			f->ip = 0x555500010000 + k * 0x1234;
			f->sp = sp + k * 96;
			f->has_sp = true;
			f->trust = k == 0 ? "context" : "cfi";
			f->variables_collected = true;
			f->n_variables = variables;
			f->variables = sample_variables(s, variables);
			for (uint32_t j = 0; j < variables; j++) {
				struct snap_variable *v = &f->variables[j];

				sample_set(s, v,
				    j % 3 == 0 ? SNAP_POINTER : SNAP_INT,
				    j % 3 == 0 ? "struct request *" : "int",
				    snapshot_printf(s, "v%u", j),
				    f->sp + 8 + j * 8);
				sample_value(v,
				    j % 3 == 0 ? 0x55550a000000 +
					    (uint64_t)i * 4096 + k * 64
					: j == 1 ? i
						 : k * 3);
			}
		}
		sample_registers(s, t, i / 100);
	}
	snapshot_fingerprint(s);
}

/* The threads in the disorder in which a kernel names them. */
__attribute__((unused)) static void
sample_shuffle(struct snapshot *s)
{
	for (size_t i = s->threads.count; i > 1; i--) {
		size_t k = (size_t)(map_mix(i) % i);
		struct snap_thread t = s->threads.items[k];

		s->threads.items[k] = s->threads.items[i - 1];
		s->threads.items[i - 1] = t;
	}
}

/* The whole file, as a session would write it. */
__attribute__((unused)) static void
sample_write(const struct snapshot *s, struct buf *out)
{
	struct btt_writer *w = btt_writer_create(s);
	struct btt_entry entries[BTT_SECTION__COUNT];
	size_t n = 0;

	buf_init(out, SAMPLE_CAP);
	btt_write_header(w, out, NULL);
	for (int i = 0; i < BTT_SECTION__COUNT; i++) {
		size_t before = out->size;

		if (!btt_write_section(w, (enum btt_section)i, out, NULL) ||
		    out->size == before)
			continue;
		snprintf(entries[n].name, sizeof(entries[n].name), "%s",
		    btt_section_name((enum btt_section)i));
		entries[n].offset = before;
		entries[n++].length = out->size - before;
	}
	btt_write_directory(entries, n, out->size, out, NULL);
	btt_writer_destroy(w);
}

__attribute__((unused)) static void
sample_json(const struct snapshot *s, struct buf *out)
{
	buf_init(out, SAMPLE_CAP);
	json_write(s, true, out);
}

#endif /* TESTS_SNAPSHOT_SAMPLE_H */
