/* SPDX-License-Identifier: MIT */
/* The report people read. */
#include "formats/text.h"
#include "harness/test.h"
#include "unit/snapshot_sample.h"

static struct buf out;

static const char *
report(struct snapshot *s, bool variables, bool details, unsigned width)
{
	struct text_options o = {.variables = variables,
	    .details = details,
	    .group_line = details,
	    .width = width};

	buf_deinit(&out);
	buf_init(&out, SAMPLE_CAP);
	text_report(s, &o, &out);
	return buf_text(&out);
}

static void
full(struct snapshot *s)
{
	snapshot_init(s, SAMPLE_CAP);
	sample_full(s);
}

TEST(verdict)
{
	static const char want[] =
	    "SIGSEGV (SEGV_MAPERR) at 0x18: exe, pid 77, thread 78 "
	    "\"worker \\x1b[31m\" of 3\n"
	    "  a null pointer was written through (null-deref, 98 %)\n"
	    "  in hit (a.c:41), called by work<int>(int) (a.c:77)\n"
	    "  partial: something could not be had, see the warnings\n"
	    "  write at 0x18 = [r0 + 0x18] by mov dword ptr [r0 + 0x18], r1\n"
	    "\n"
	    "  - r0 is 0\n"
	    "  - member at offset 24\n"
	    "  also or not (wild-access, 30 %)\n"
	    "  host night.example, snapshot of 2025-11-21 10:00:00 UTC, "
	    "classifiers segv null\n";
	struct snapshot s;

	full(&s);
	report(&s, false, false, 0);
	expect_mem(buf_text(&out), want, sizeof(want) - 1);
	snapshot_deinit(&s);
}

static unsigned
verdict_lines(const char *text)
{
	unsigned n = 0;

	for (; *text != '\0' && *text != '\n'; n++)
		text = strchr(text, '\n') + 1;
	return n;
}

/* However much was found, the verdict has five lines; what it leaves out stands
 * behind it. */
TEST(verdict_is_short)
{
	struct snapshot s;
	const char *text;

	full(&s);
	for (int i = 0; i < 4; i++)
		*(struct snap_finding *)vec_push(&s.findings) =
		    (struct snap_finding){"other-class", 0.2, false, "",
			SNAP_NONE, SNAP_NONE, false, 0, "more", 0, NULL};
	expect_uint(verdict_lines(report(&s, false, false, 0)), 5);
	s.partial = false;
	text = report(&s, false, false, 0);
	expect_uint(verdict_lines(text), 5);
	expect_contains(text, "\n  also 5 more findings\n\n");
	expect_contains(text, "\n  also or not (wild-access, 30 %)\n");
	expect_contains(text, "\n  also more (other-class, 20 %)\n");
	snapshot_attr_string(&s, "error.message", "out of eggs");
	text = report(&s, false, false, 0);
	expect_uint(verdict_lines(text), 5);
	expect_contains(text, "\n  error: out of eggs\n  a null pointer");
	snapshot_deinit(&s);
}

/* A thread that is the process goes without its number and name, a caller that
 * only starts threads is not named. */
TEST(verdict_says_what_tells)
{
	struct snapshot s;
	const char *text;

	full(&s);
	snapshot_attr_int(&s, "process.id", 78);
	((struct snap_location *)s.threads.items[0].frames[1].location)
	    ->symbol = "start_thread";
	text = report(&s, false, false, 0);
	expect_contains(text, ": exe, pid 78, main thread of 3\n");
	expect_contains(text, "\n  in hit (a.c:41)\n");
	snapshot_deinit(&s);
}

/* JSON annotations are a tree; what is no JSON stays as it is. */
TEST(json_annotations)
{
	static const struct {
		const char *json, *want;
	} cases[] = {
	    {"{\"json\": {\"context\": \"Fault\", \"code\": 7, \"in\": "
	     "{\"a\": \"x\\ty\", \"list\": [1, \"two\", {}]}}}",
		"  # Fault [m]\n    code: 7\n    in:\n      a: x\\ty\n"
		"      list:\n        - 1\n        - two\n        -\nGroup"},
	    {"{\"k\": \"caf\\u00e9\", \"t\": true}",
		"  # data [m]\n    k: caf\xc3\xa9\n    t: true\nGroup"},
	    {"{}", "  # data [m]\nGroup"},
	    {"{\"json\": {\"context\": \"x\"", "  # {\"json\": {\"context\": "},
	    {"{\"a\": [1, 2}", "  # {\"a\": [1, 2} [m]\nGroup"},
	    {"{\"a\": \"\\q\"}", "  # {\"a\": \"\\q\"} [m]\nGroup"},
	    {"{\"a\":1} x", "  # {\"a\":1} x [m]\nGroup"},
	    {"[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]", "  # [[[["},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct snapshot s;

		snapshot_init(&s, SAMPLE_CAP);
		sample_stamp(&s);
		snapshot_annotate(
		    &s, &s.annotations, SNAP_JSON, "m", cases[i].json);
		expect_contains(report(&s, false, true, 0), cases[i].want);
		snapshot_deinit(&s);
	}
}

/* An instruction that failed without an access. */
TEST(fault_that_is_no_access)
{
	struct snapshot s;
	const char *text;

	full(&s);
	s.fault.direction = s.fault.operand = "";
	s.fault.has_address = false;
	s.fault.instruction = "idiv r1";
	text = report(&s, false, false, 0);
	expect_contains(text, "\n  at idiv r1\n");
	snapshot_deinit(&s);
}

/* The frame format of the contract, and the marks behind it. */
TEST(frames)
{
	struct snapshot s;
	const char *text;

	full(&s);
	text = report(&s, false, false, 0);
	expect_contains(text,
	    "\nThread 78 \"worker \\x1b[31m\", faulted:\n"
	    "     # busy\n"
	    "     kernel: futex_wait < do_syscall_64\n"
	    "[ 0] exe hit (/src/a.c:41) [inline]\n"
	    "[ 1] exe work<int>(int) (/src/a.c:77)\n"
	    "     ! look here [m]\n"
	    "[ 2] ?? <signal handler called>\n"
	    "[ 3] libc.so.6 0x7f0000004030 [suspect: frame pointer]\n"
	    "     ... 90000 frames left out ...\n"
	    "[90004] libc.so.6 poll [suspect: stack scan]\n"
	    "[90005] exe main (/src/main.c:12)\n");
	expect_contains(text,
	    "\nThreads 77, 79 (2) \"idle\":\n"
	    "[ 0] exe hit (/src/a.c:41) [inline]\n");
	expect_contains(text, "     stopped: return address unreadable\n");
	expect_contains(text,
	    "\nWarnings (2):\n"
	    "  core: the core ends 9 bytes early [truncated]\n"
	    "  unwind: thread 79: gave up [budget]\n");
	expect_lacks(text, "big = ");
	expect_lacks(text, "Registers");
	expect_lacks(text, "Group:");
	expect_lacks(text, "\x1b");
	snapshot_deinit(&s);
}

TEST(variables)
{
	struct snapshot s;
	const char *text;

	full(&s);
	text = report(&s, true, false, 100);
	expect_contains(text,
	    "     (i = -42)\n"
	    "     big = 1152921504606846976, u = 18446744073709551615, "
	    "pi = 3.141592653589793, nothing = nan,\n"
	    "     low = -inf, yes = true, c = 120 'x', raw = \"caf\xc3\xa9 "
	    "\\xff\\x00z\", e = GREEN\n");
	expect_contains(text,
	    "     head = 0x555500001000 [heap block of 64, at +16] -> "
	    "{next = 0x555500001000}\n");
	expect_contains(text,
	    "     pair = {x = 1, {low = 7}}\n"
	    "       !! pair.low: the faulting address came from here "
	    "[fault]\n");
	expect_contains(text, "squares = {0, 1, 4, ... of 100}\n");
	expect_contains(
	    text, "callback = 0x401136 <on_event>, z = 1.5 - 0.25i\n");
	expect_contains(text, "long_pi@entry = 3.14159265358979323851\n");
	expect_contains(text, "     optimized out: gone\n");
	expect_contains(text, "\nGlobals:\n  counter = 99\n");
	snapshot_deinit(&s);
}

/* No line but those of one unbreakable word is wider than asked for. */
TEST(width)
{
	struct snapshot s;

	full(&s);
	for (unsigned width = 60; width <= 160; width += 20) {
		const char *line = report(&s, true, false, width);

		line = strstr(line, "[ 0]");
		while (*line != '\0' && strncmp(line, "[ 1]", 4) != 0) {
			const char *end = strchr(line, '\n');

			/* Annotations are sentences of others. */
			if ((size_t)(end - line) > width + 2 &&
			    strncmp(line, "       !!", 9) != 0)
				fail("width %u: %.*s", width, (int)(end - line),
				    line);
			line = end + 1;
		}
	}
	snapshot_deinit(&s);
}

TEST(details)
{
	struct snapshot s;
	const char *text;

	full(&s);
	text = report(&s, false, true, 0);
	expect_contains(text, "\nGroup: ");
	expect_contains(text, s.fingerprint);
	expect_contains(text, "\nRegisters of thread 78:\n  r0       0x");
	expect_contains(text,
	    "\nModules:\n  000000400000-000000405000 dwarf  /usr/bin/exe "
	    "0123456789abcdef0123456789abcdef01234567\n");
	expect_contains(text,
	    "\nMappings:\n"
	    "  000000400000-000000401000 r--p        0 /usr/bin/exe\n");
	expect_contains(text, "\n  hostname          night.example\n");
	expect_contains(text, "\n  fault.address     0x18\n");
	expect_contains(text, "\n  od\"d\\n");
	expect_contains(text, "\nMemory:\n  0x7ffd12340000, 5 bytes: stack\n");
	expect_contains(text, "\nResources:\n  log.txt, 5 bytes (truncated)\n");
	expect_contains(text, "\nHeap:\n  {\"allocator\": \"ptmalloc\"}\n");
	snapshot_deinit(&s);
}

/* Colours change nothing but colours. */
TEST(colors)
{
	struct snapshot s;
	struct text_options o = {.variables = true, .color = true, .width = 90};
	struct buf colored;
	size_t n = 0;
	bool any = false;
	const char *plain;

	full(&s);
	buf_init(&colored, SAMPLE_CAP);
	text_report(&s, &o, &colored);
	for (size_t i = 0; i < colored.size; i++) {
		if (colored.data[i] == 0x1b) {
			any = true;
			while (colored.data[i] != 'm')
				i++;
			continue;
		}
		colored.data[n++] = colored.data[i];
	}
	colored.size = n;
	plain = report(&s, true, false, 90);
	expect_true(any);
	expect_str(buf_text(&colored), plain);
	buf_deinit(&colored);
	snapshot_deinit(&s);
}

TEST(groups)
{
	struct snapshot s;
	const char *text;

	snapshot_init(&s, SAMPLE_CAP);
	sample_many(&s, 1000, 3, 0);
	s.threads.items[500].frames[1].location = sample_location(
	    &s, "elsewhere", "server", "", 0, false);
	sample_shuffle(&s);
	text = report(&s, false, false, 0);
	expect_contains(text, "\nThread 1000 \"pool\", faulted:\n");
	expect_contains(text,
	    "\nThreads 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, "
	    "1010, 1011, 1012, ... (998) \"pool\":\n");
	expect_contains(text, "\nThread 1500 \"pool\":\n");
	expect_contains(text, "[ 1] server elsewhere\n");
	snapshot_deinit(&s);
}

TEST(names_in_a_group)
{
	struct snapshot s;

	snapshot_init(&s, SAMPLE_CAP);
	sample_many(&s, 4, 3, 0);
	s.threads.items[2].name = "other";
	expect_contains(report(&s, false, false, 0),
	    "\nThreads 1001 \"pool\", 1002 \"other\", 1003 \"pool\" (3):\n");
	snapshot_deinit(&s);
}

/* a b b a b b ... main: the same three frames, folded; numbers go on. */
TEST(recursion_is_folded)
{
	struct snapshot s;
	struct snap_thread *t;
	struct snap_frame *frames;
	const char *text;
	uint32_t n = 100000;

	snapshot_init(&s, SAMPLE_CAP);
	sample_many(&s, 1, 4, 0);
	t = &s.threads.items[0];
	for (int i = 0; i < 4; i++)
		t->frames[i].trust = "cfi";
	frames = arena_array(&s.arena, n, sizeof(*frames));
	for (uint32_t i = 0; i < n; i++)
		frames[i] = t->frames[i == n - 1 ? 3 : (i % 3 + 1) / 2];
	t->frames = frames;
	t->n_frames = n;
	text = report(&s, false, false, 0);
	expect_contains(text,
	    "[ 4] server function_919 (/src/server.c:113)\n"
	    "[ 5] server function_919 (/src/server.c:113)\n"
	    "     ... the 3 frames above 33330 more times ...\n"
	    "[99996] server function_0 (/src/server.c:100)\n"
	    "[99997] server function_919 (/src/server.c:113)\n"
	    "[99998] server function_919 (/src/server.c:113)\n"
	    "[99999] server function_757 (/src/server.c:139)\n");
	/* A gap is not folded over. */
	t->frames_skipped = 1000000;
	t->frames_skipped_at = 50001;
	text = report(&s, false, false, 0);
	expect_contains(text,
	    "[50000] server function_919 (/src/server.c:113)\n"
	    "     ... 1000000 frames left out ...\n"
	    "[1050001] server function_0 (/src/server.c:100)\n");
	expect_contains(text, "[1099999] server function_757");
	/* A short recursion is shown whole. */
	t->frames_skipped = 0;
	t->n_frames = 100;
	expect_lacks(report(&s, false, false, 0), "more times");
	snapshot_deinit(&s);
}

/* A snapshot of nothing, and of a process that is well. */
TEST(nothing)
{
	struct snapshot s;

	snapshot_init(&s, SAMPLE_CAP);
	sample_stamp(&s);
	expect_str(report(&s, true, true, 80),
	    "No signal: (unknown program)\n"
	    "\n"
	    "  snapshot of 2025-11-21 10:00:00 UTC\n"
	    "Group: none\n");
	snapshot_deinit(&s);
}

TEST(sender)
{
	struct snapshot s;

	snapshot_init(&s, SAMPLE_CAP);
	s.signal = (struct snap_signal){.present = true,
	    .number = 6,
	    .code = -6,
	    .name = "SIGABRT",
	    .code_name = "SI_TKILL",
	    .has_code = true,
	    .has_sender = true,
	    .sender_pid = 5,
	    .sender_uid = 1000};
	snapshot_attr_string(&s, "error.message", "it \x07 broke");
	expect_contains(report(&s, false, false, 0),
	    "SIGABRT (SI_TKILL) sent by pid 5, uid 1000: (unknown program)\n"
	    "  error: it \\x07 broke\n");
	snapshot_attr_int(&s, "process.id", 5);
	expect_contains(report(&s, false, false, 0),
	    "SIGABRT (SI_TKILL) raised by the process itself: ");
	snapshot_deinit(&s);
}

/* Every text of a snapshot may be an attack on the terminal. */
TEST(foreign_text_is_escaped)
{
	static const char *evil = "\x1b[2J\x07\xc2\x9b\xe2\x80\xae\xff\n";
	static const uint8_t data[] = {0x1b};
	struct snapshot s;
	struct snap_thread *t;
	struct snap_variable v = {.kind = SNAP_FLOAT};

	full(&s);
	s.generator = evil;
	snapshot_attr_string(&s, evil, evil);
	snapshot_attr_string(&s, "application", evil);
	snapshot_attr_string(&s, "hostname", evil);
	snapshot_attr_string(&s, "error.message", evil);
	snapshot_classifier(&s, evil);
	s.fingerprint = s.signal.name = s.signal.code_name = evil;
	s.fault.direction = s.fault.instruction = s.fault.operand = evil;
	s.findings.items[0].class_name = s.findings.items[0].text = evil;
	s.findings.items[0].evidence[0] = evil;
	t = &s.threads.items[0];
	t->name = t->stop_reason = t->kernel_frames[0] = evil;
	t->registers[0].name = evil;
	t->frames[0].trust = t->frames[1].trust = evil;
	t->frames[0].location = sample_location(&s, evil, evil, evil, 1, true);
	for (uint32_t i = 0; i < t->frames[0].n_variables; i++) {
		struct snap_variable *p = &t->frames[0].variables[i];

		p->name = p->type = evil;
		p->string = evil;
		p->string_size = (uint32_t)strlen(evil);
		if (p->number != NULL)
			p->number = evil;
		if (p->reason != NULL)
			p->reason = evil;
	}
	snapshot_annotate(&s, &t->annotations, SNAP_WARNING, evil, evil);
	s.modules.items[0] = (struct snap_module){evil, evil, 1, 2, evil, evil};
	s.mappings.items[0].path = evil;
	memcpy(s.mappings.items[0].perms, evil, 4);
	s.memory.items[0].why = evil;
	s.resources.items[0] = (struct snap_resource){evil, 1, data, false};
	s.heap.items[0] = s.locks.items[0] = evil;
	s.globals.items[0] = v;
	s.globals.items[0].name = s.globals.items[0].type = evil;
	snapshot_warn(&s, evil, evil, "%s", evil);
	for (unsigned width = 0; width < 200; width += 80) {
		report(&s, true, true, width);
		for (size_t i = 0; i < out.size; i++) {
			uint8_t c = out.data[i];

			if ((c < 0x20 && c != '\n') || c == 0x7f || c == 0xff)
				fail("byte %02x at %zu: %.40s", c, i,
				    (char *)out.data + (i > 20 ? i - 20 : 0));
		}
		expect_lacks(buf_text(&out), "\xc2\x9b");
		expect_lacks(buf_text(&out), "\xe2\x80\xae");
	}
	snapshot_deinit(&s);
}

static const char *
value(struct snapshot *s, const struct snap_variable *v)
{
	buf_deinit(&out);
	buf_init(&out, SAMPLE_CAP);
	text_value(s, v, &out);
	return buf_text(&out);
}

TEST(values)
{
	struct snapshot s;
	struct snap_variable v = {.type = "float", .name = "f"};
	struct snap_variable elements[40] = {{0}};

	snapshot_init(&s, SAMPLE_CAP);
	v.kind = SNAP_FLOAT;
	v.flags = SNAP_VAR_VALUE;
	v.value.f = 0.1f;
	expect_str(value(&s, &v), "0.1");
	v.type = "double";
	expect_str(value(&s, &v), "0.10000000149011612");
	v.kind = SNAP_CHAR;
	v.value.i = 10;
	expect_str(value(&s, &v), "10 '\\x0a'");
	v.value.i = -1;
	expect_str(value(&s, &v), "-1 '\\xff'");
	v.kind = SNAP_ENUM;
	v.value.i = 3;
	expect_str(value(&s, &v), "3");
	v.flags = 0;
	v.kind = SNAP_INT;
	expect_str(value(&s, &v), "<unknown>");
	v.kind = SNAP_UNAVAILABLE;
	expect_str(value(&s, &v), "<unknown>");
	v.reason = "unreadable 0x10";
	expect_str(value(&s, &v), "<unreadable 0x10>");
	v.kind = SNAP_STRING;
	v.string = "long";
	v.string_size = 4;
	v.length = 2000;
	v.flags = SNAP_VAR_STRING | SNAP_VAR_TRUNCATED | SNAP_VAR_LENGTH;
	expect_str(value(&s, &v), "\"long\"... (2000 bytes)");
	v.flags = 0;
	v.kind = SNAP_STRUCT;
	expect_str(value(&s, &v), "{}");
	v.kind = SNAP_ARRAY;
	v.children = elements;
	v.n_children = 40;
	for (int i = 0; i < 40; i++) {
		elements[i].kind = SNAP_INT;
		elements[i].flags = SNAP_VAR_VALUE;
		elements[i].value.i = i < 3 ? i : i < 30 ? 9 : 7;
	}
	expect_str(value(&s, &v),
	    "{0, 1, 2, 9 <repeats 27 times>, 7 <repeats 10 times>}");
	snapshot_deinit(&s);
}

TEST(structs_that_are_text)
{
	struct snapshot s;
	struct snap_variable member = {.name = "Some",
	    .kind = SNAP_INT,
	    .flags = SNAP_VAR_VALUE,
	    .value.i = 5};
	struct snap_variable v = {.type = "std::string",
	    .name = "text",
	    .kind = SNAP_STRUCT,
	    .flags = SNAP_VAR_STRING,
	    .string = "hello",
	    .string_size = 5,
	    .children = &member,
	    .n_children = 1};

	snapshot_init(&s, SAMPLE_CAP);
	expect_str(value(&s, &v), "\"hello\"");
	/* The active variant of an enum with data is no text. */
	v.string = "Some";
	v.string_size = 4;
	expect_str(value(&s, &v), "{Some = 5}");
	snapshot_deinit(&s);
}

/* A pointer shows its target once, a cycle ends, and freed memory is named. */
TEST(pointers)
{
	struct snapshot s;
	struct snap_variable v = {.type = "struct node *", .name = "p"};

	full(&s);
	v.kind = SNAP_POINTER;
	v.flags = SNAP_VAR_VALUE | SNAP_VAR_HEAP;
	v.value.u = 0x555500001000;
	v.object = 1;
	v.heap.size = 32;
	expect_str(value(&s, &v),
	    "0x555500001000 [FREED block of 32] -> "
	    "{next = 0x555500001000}");
	v.object = 99; /* no such object */
	v.flags = SNAP_VAR_VALUE;
	expect_str(value(&s, &v), "0x555500001000");
	v.flags |= SNAP_VAR_STRING;
	v.string = "hello\n";
	v.string_size = 6;
	expect_str(value(&s, &v), "0x555500001000 \"hello\\n\"");
	snapshot_deinit(&s);
}

/* A value of any size takes a few lines at most. */
TEST(huge_value)
{
	struct snapshot s;
	struct snap_variable v = {.kind = SNAP_ARRAY, .name = "a", .type = ""};
	size_t n = 100000;

	snapshot_init(&s, SAMPLE_CAP);
	v.children = sample_variables(&s, (uint32_t)n);
	v.n_children = (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		v.children[i].kind = SNAP_INT;
		v.children[i].flags = SNAP_VAR_VALUE;
		v.children[i].value.i = (int64_t)i;
	}
	value(&s, &v);
	expect_true(out.size < 2000);
	expect_contains(buf_text(&out), ", ...}");
	snapshot_deinit(&s);
}
