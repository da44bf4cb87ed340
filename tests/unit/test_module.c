/* SPDX-License-Identifier: MIT */
/*
 * The module host: what it refuses, what it takes back, and how what modules
 * say ends up in the snapshot. The target is a minimal core made here.
 */
#include "harness/test.h"
#include "module/module.h"
#include "unit/target_fixture.h"

static bool
load_nothing(pmodule_t *pm)
{
	(void)pm;
	return true;
}

static bool
load_refuses(pmodule_t *pm)
{
	(void)pmodule_postattach_event_add(pm, NULL);
	return false;
}

static struct module_host *
host_for(struct snapshot *s)
{
	struct module_host_options options = {.snapshot = s};

	assert_true(snapshot_init(s, 1 << 20));
	return module_host_create(&options);
}

#define DESCRIPTOR(NAME, LOAD)                                                 \
	{                                                                      \
		.abi_version = PMODULE_ABI_VERSION,                            \
		.size = sizeof(pmodule_descriptor_t), .name = (NAME),          \
		.load = (LOAD)                                                 \
	}

TEST(refuses_what_it_cannot_run)
{
	static const struct {
		const char *what;
		pmodule_descriptor_t d;
		enum bt_error_code code;
		const char *text;
	} table[] = {
	    {"an older interface",
		{.abi_version = 0,
		    .size = sizeof(pmodule_descriptor_t),
		    .name = "old",
		    .load = load_nothing},
		BT_E_MISMATCH, "rebuild it"},
	    {"a newer interface",
		{.abi_version = PMODULE_ABI_VERSION + 1,
		    .size = sizeof(pmodule_descriptor_t),
		    .name = "new",
		    .load = load_nothing},
		BT_E_MISMATCH, "interface version"},
	    {"a shorter descriptor",
		{.abi_version = PMODULE_ABI_VERSION,
		    .size = 8,
		    .name = "cut",
		    .load = load_nothing},
		BT_E_MISMATCH, "8 bytes"},
	    {"no name", DESCRIPTOR(NULL, load_nothing), BT_E_USAGE, "name"},
	    {"an empty name", DESCRIPTOR("", load_nothing), BT_E_USAGE, "name"},
	    {"no load function", DESCRIPTOR("idle", NULL), BT_E_USAGE,
		"no load function"},
	    {"a module that says no", DESCRIPTOR("no", load_refuses),
		BT_E_USAGE, "refused to load"},
	};
	struct snapshot s;
	struct module_host *host = host_for(&s);

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		bt_error_t e = {0};

		expect_code(
		    module_host_add(host, &table[i].d, &e), &e, table[i].code);
		expect_contains(e.text, table[i].text);
		expect_int(module_host_count(host), 0);
	}
	module_host_destroy(host);
	snapshot_deinit(&s);
}

TEST(one_name_one_module)
{
	static const pmodule_descriptor_t a = DESCRIPTOR("a", load_nothing);
	static const pmodule_descriptor_t b = DESCRIPTOR("b", load_nothing);
	struct snapshot s;
	struct module_host *host = host_for(&s);
	bt_error_t e = {0};

	expect_ok(module_host_add(host, &a, &e), &e);
	expect_code(module_host_add(host, &a, &e), &e, BT_E_USAGE);
	expect_ok(module_host_add(host, &b, &e), &e);
	expect_int(module_host_count(host), 2);
	module_host_destroy(host);
	snapshot_deinit(&s);
}

static int unloaded;

static void
count_unload(pmodule_t *pm)
{
	(void)pm;
	unloaded++;
}

TEST(unloads_each_module_once_and_skips_the_excluded)
{
	static const char *const without[] = {"guilty", NULL};
	static const pmodule_descriptor_t good = {
	    .abi_version = PMODULE_ABI_VERSION,
	    .size = sizeof(pmodule_descriptor_t),
	    .name = "good",
	    .load = load_nothing,
	    .unload = count_unload};
	static const pmodule_descriptor_t guilty = {
	    .abi_version = PMODULE_ABI_VERSION,
	    .size = sizeof(pmodule_descriptor_t),
	    .name = "guilty",
	    .load = load_nothing,
	    .unload = count_unload};
	struct snapshot s;
	struct module_host_options options = {
	    .snapshot = &s, .without = without};
	struct module_host *host;

	assert_true(snapshot_init(&s, 1 << 20));
	host = module_host_create(&options);
	unloaded = 0;
	expect_true(module_host_add(host, &good, NULL));
	expect_true(module_host_add(host, &guilty, NULL));
	expect_int(module_host_count(host), 1);
	module_host_destroy(host);
	expect_int(unloaded, 1);
	snapshot_deinit(&s);
}

static char order[64];

static void
on_attach(ptrace_backtrace_t *bt)
{
	strcat(order, "a");
	expect_int(ptrace_backtrace_n_threads(bt), 0);
}

static void
on_thread(ptrace_thread_t *t)
{
	strcat(order, ptrace_thread_fault(t) ? "T" : "t");
	expect_true(pmodule_thread_annotate(
	    t, PAT_WARNING, "thread %u", ptrace_thread_tid(t)));
}

static void
on_frame(ptrace_frame_t *f)
{
	strcat(order, "f");
	expect_str(ptrace_frame_symbol(f), "hit");
	expect_true(pmodule_frame_annotate(f, PAT_COMMENT, "here"));
}

static void
on_postattach(ptrace_backtrace_t *bt)
{
	static const char *const evidence[] = {"one", "two"};
	pmodule_finding_t finding = PMODULE_FINDING_INIT;

	strcat(order, "p");
	finding.class_name = "possible";
	finding.confidence = 0.4;
	expect_true(pmodule_finding_add(bt, &finding));
	finding.class_name = "likely";
	finding.confidence = 0.9;
	finding.thread = ptrace_backtrace_fault_thread(bt);
	finding.evidence = evidence;
	finding.n_evidence = 2;
	expect_true(pmodule_finding_add(bt, &finding));
	finding.class_name = "as likely";
	expect_true(pmodule_finding_add(bt, &finding));
	finding.confidence = 1.5;
	expect_false(pmodule_finding_add(bt, &finding));
	finding.confidence = 0.5;
	finding.size = 4;
	expect_false(pmodule_finding_add(bt, &finding));
	expect_true(pmodule_kv_add_int(bt, "answer", 42));
	expect_false(pmodule_kv_add_int(bt, "", 42));
	expect_true(pmodule_classifier_add(bt, "mine"));
	expect_null(ptrace_backtrace_thread(bt, 99));
}

static bool
load_all(pmodule_t *pm)
{
	return pmodule_attach_event_add(pm, on_attach) &&
	    pmodule_thread_event_add(pm, on_thread) &&
	    pmodule_frame_event_add(pm, on_frame) &&
	    pmodule_postattach_event_add(pm, on_postattach);
}

/* Two threads, the first faulted, a frame each. */
static void
fill(struct snapshot *s)
{
	struct snap_location like = {.symbol = "hit",
	    .linkage_name = "",
	    .object = "exe",
	    .object_path = "",
	    .path = ""};

	for (uint32_t i = 0; i < 2; i++) {
		struct snap_thread *t = vec_push(&s->threads);

		assert_not_null(t);
		t->tid = 100 + i;
		t->name = "";
		t->fault = i == 0;
		t->stop_reason = "";
		t->n_frames = 1;
		t->frames = ARENA_NEW(&s->arena, struct snap_frame);
		t->frames->location = snapshot_location(s, &like);
		t->frames->trust = "context";
	}
}

TEST(fires_events_in_order_and_keeps_what_is_said)
{
	static const pmodule_descriptor_t d = DESCRIPTOR("speaker", load_all);
	struct snapshot s;
	struct module_host_options options = {.snapshot = &s};
	struct module_host *host;
	struct core_file core;
	struct opened opened;

	assert_true(snapshot_init(&s, 1 << 20));
	core_file_init(&core);
	core_thread(&core, 100, 11, 0x7000);
	core_thread(&core, 101, 0, 0x8000);
	options.target = open_core(&opened, &core);
	host = module_host_create(&options);
	assert_true(module_host_add(host, &d, NULL));
	order[0] = '\0';
	module_host_attach(host);
	fill(&s);
	module_host_run(host);
	expect_str(order, "afTftp");
	assert_int(s.findings.count, 3);
	expect_false(s.findings.items[0].primary);
	expect_true(s.findings.items[1].primary);
	expect_false(s.findings.items[2].primary);
	expect_int(s.findings.items[1].tid, 100);
	expect_int(s.findings.items[1].n_evidence, 2);
	expect_str(s.findings.items[1].evidence[1], "two");
	expect_str(s.findings.items[1].module, "speaker");
	assert_not_null(s.threads.items[1].annotations);
	expect_str(s.threads.items[1].annotations->text, "thread 101");
	expect_str(s.threads.items[1].annotations->module, "speaker");
	expect_not_null(s.threads.items[0].frames->annotations);
	expect_int(snapshot_attr_find(&s, "answer")->value.i, 42);
	module_host_destroy(host);
	snapshot_deinit(&s);
	close_core(&opened);
	core_file_deinit(&core);
}
