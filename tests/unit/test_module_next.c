/* SPDX-License-Identifier: MIT */
/*
 * One host over several snapshots: what ends with the first, what begins anew,
 * and what Lua says of objects that were kept. And what the objects of modules
 * tell of threads and frames that a plain crash does not have.
 */
#include "harness/test.h"
#include "lua/host.h"
#include "module/module_private.h"
#include "unit/target_fixture.h"

struct run { /* a snapshot of one thread with two frames */
	struct snapshot s;
	struct core_file core;
	struct opened opened;
	struct module_host_options options;
};

static void
run_init(struct run *r)
{

	assert_true(snapshot_init(&r->s, 64 << 20));
	core_file_init(&r->core);
	core_thread(&r->core, 100, 11, 0x7000);
	r->options = (struct module_host_options){
	    .snapshot = &r->s, .target = open_core(&r->opened, &r->core)};
}

static void
run_deinit(struct run *r)
{

	snapshot_deinit(&r->s);
	close_core(&r->opened);
	core_file_deinit(&r->core);
}

static void
run_fill(struct run *r)
{
	struct snap_location inner = {.symbol = "inner",
	    .linkage_name = "",
	    .object = "exe",
	    .object_path = "",
	    .path = "/src/a.c",
	    .is_inline = true};
	struct snap_location outer = {.symbol = "outer",
	    .linkage_name = "",
	    .object = "exe",
	    .object_path = "",
	    .path = "/src/a.c"};
	struct snap_thread *t = vec_push(&r->s.threads);

	assert_not_null(t);
	t->tid = 100;
	t->name = "";
	t->fault = true;
	t->stop_reason = "";
	t->n_kernel_frames = 3;
	t->frames_skipped = 77;
	t->n_frames = 2;
	t->frames = arena_array(&r->s.arena, 2, sizeof(*t->frames));
	assert_not_null(t->frames);
	for (unsigned i = 0; i < 2; i++) {
		t->frames[i].location = snapshot_location(
		    &r->s, i == 0 ? &inner : &outer);
		t->frames[i].trust = "cfi";
		t->frames[i].signal_frame = i == 1;
	}
}

/* ---- in C ---- */

static unsigned resets, loads, attaches, unloads;

static void
on_attach(ptrace_backtrace_t *bt)
{

	attaches++;
	expect_int(ptrace_backtrace_n_threads(bt), 0);
}

static void
on_thread(ptrace_thread_t *t)
{
	ptrace_frame_t *inner = ptrace_thread_frame(t, 0);
	ptrace_frame_t *outer = ptrace_thread_frame(t, 1);

	expect_uint(ptrace_thread_n_kframes(t), 3);
	expect_uint(ptrace_thread_frames_skipped(t), 77);
	expect_true(ptrace_frame_inline(inner));
	expect_false(ptrace_frame_inline(outer));
	expect_false(ptrace_frame_signal(inner));
	expect_true(ptrace_frame_signal(outer));
	expect_true(pmodule_thread_annotate(t, PAT_COMMENT, "%u", resets));
}

static void
on_end(ptrace_backtrace_t *bt)
{
	static char flood[1000];
	unsigned said = 0;

	/* Each snapshot has its own limits. */
	memset(flood, 'x', sizeof(flood) - 1);
	while (pmodule_backtrace_annotate(bt, PAT_COMMENT, "%s", flood))
		said++;
	expect_uint(said, ((4 << 20) - 1) / 999);
}

static void
on_reset(pmodule_t *pm)
{

	resets++;
	expect_str(pmodule_config_option(pm, "which"), "second");
}

static void
on_unload(pmodule_t *pm)
{

	(void)pm;
	unloads++;
}

static bool
on_load(pmodule_t *pm)
{

	loads++;
	return pmodule_attach_event_add(pm, on_attach) &&
	    pmodule_thread_event_add(pm, on_thread) &&
	    pmodule_postattach_event_add(pm, on_end);
}

TEST(each_snapshot_begins_anew_and_reset_comes_between)
{
	static const struct module_option first[] = {
	    {"twice", "which", "first"}};
	static const struct module_option second[] = {
	    {"twice", "which", "second"}};
	static const pmodule_descriptor_t d = {
	    .abi_version = PMODULE_ABI_VERSION,
	    .size = sizeof(pmodule_descriptor_t),
	    .name = "twice",
	    .load = on_load,
	    .reset = on_reset,
	    .unload = on_unload};
	struct module_host *host;
	struct run a, b;

	run_init(&a);
	a.options.config = first;
	a.options.n_config = 1;
	host = module_host_create(&a.options);
	assert_true(module_host_add(host, &d, NULL));
	module_host_attach(host);
	run_fill(&a);
	module_host_run(host);
	expect_uint(resets, 0);

	run_init(&b);
	b.options.config = second;
	b.options.n_config = 1;
	module_host_next(host, &b.options);
	run_deinit(&a); /* nothing of it is needed any more */
	expect_uint(resets, 1);
	module_host_attach(host);
	run_fill(&b);
	module_host_run(host);
	expect_uint(loads, 1);
	expect_uint(attaches, 2);
	expect_str(b.s.threads.items[0].annotations->text, "1");
	expect_str(b.s.threads.items[0].annotations->module, "twice");
	expect_uint(unloads, 0);
	module_host_destroy(host);
	expect_uint(unloads, 1);
	run_deinit(&b);
}

/* ---- in Lua ---- */

static const char keeper[] =
    "local kept, resets = nil, 0\n"
    "local function stale(bt, name, f, ...)\n"
    "  local ok, why = pcall(f, ...)\n"
    "  bt:add_kv_string(name, ok and 'no error' or why)\n"
    "end\n"
    "pmodule.define {\n"
    "  id = 'keeper',\n"
    "  reset = function()\n"
    "    resets = resets + 1\n"
    "    stale(pmodule.backtrace(), 'in reset', function()\n"
    "      local tid = kept.thread:tid()\n"
    "    end)\n"
    "  end,\n"
    "  load = function()\n"
    "    pmodule.register(pmodule.event.postattach, function(bt)\n"
    "      bt:add_kv_int('resets', resets)\n"
    "      if kept then\n"
    "        stale(bt, 'thread', kept.thread.tid, kept.thread)\n"
    "        stale(bt, 'frame', kept.frame.symbol, kept.frame)\n"
    "        stale(bt, 'variable', kept.variable.name, kept.variable)\n"
    "        stale(bt, 'added', function()\n"
    "          for t in bt do\n"
    "            for f in t do f:add_variable(kept.variable) end\n"
    "          end\n"
    "        end)\n"
    "        stale(bt, 'parameters', kept.parameters)\n"
    "        stale(bt, 'globals', kept.globals)\n"
    "        stale(bt, 'loop', function()\n"
    "          for f in kept.thread do end\n"
    "        end)\n"
    "        kept.match:reset()\n"
    "      end\n"
    "      kept = {match = pmodule.match()}\n"
    "      for t in bt do\n"
    "        kept.thread, kept.globals = t, t:variables()\n"
    "        for f in t do\n"
    "          kept.frame, kept.parameters = f, f:fprm()\n"
    "        end\n"
    "      end\n"
    "      kept.variable = pmodule.create_variable('int', 'x')\n"
    "      collectgarbage()\n"
    "    end)\n"
    "  end,\n"
    "}\n";

static const char *
value_of(const struct snapshot *s, const char *key)
{
	const struct snap_attribute *a = snapshot_attr_find(s, key);

	return a != NULL ? a->value.s : "absent";
}

TEST(objects_of_an_earlier_snapshot_say_so)
{
	static const char *const names[] = {"in reset", "thread", "frame",
	    "variable", "added", "parameters", "globals", "loop"};
	struct lua_settings settings = {.memory = 0};
	struct module_language lua;
	struct module_host *host;
	const pmodule_descriptor_t *d;
	struct run a, b;
	bt_error_t e;

	lua_language_init(&lua, &settings);
	d = lua.open(lua.ctx, "/x/keeper.lua", keeper, strlen(keeper), &e);
	assert_not_null(d);
	run_init(&a);
	host = module_host_create(&a.options);
	assert_true(module_host_add(host, d, NULL));
	module_host_attach(host);
	run_fill(&a);
	module_host_run(host);
	expect_uint(a.s.warnings.count, 0);
	expect_int(snapshot_attr_find(&a.s, "resets")->value.i, 0);

	run_init(&b);
	module_host_next(host, &b.options);
	run_deinit(&a);
	module_host_attach(host);
	run_fill(&b);
	module_host_run(host);
	expect_int(snapshot_attr_find(&b.s, "resets")->value.i, 1);
	expect_uint(b.s.warnings.count, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		expect_contains(
		    value_of(&b.s, names[i]), "belongs to an earlier snapshot");
	expect_contains(value_of(&b.s, "in reset"), "keeper.lua:11: ");
	module_host_destroy(host);
	lua.close(lua.ctx, d);
	run_deinit(&b);
}

/* ---- the state of the process ---- */

TEST(states_of_processes_have_names)
{
	static const struct {
		char letter;
		const char *name;
	} table[] = {{'R', "running"}, {'S', "sleeping"}, {'D', "disk"},
	    {'T', "stopped"}, {'t', "traced"}, {'Z', "zombie"}, {'X', "dead"},
	    {'I', "idle"}, {'B', "blocked"}, {'Q', "queued"}, {'?', "unknown"}};

	expect_uint(sizeof(table) / sizeof(*table), 11);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		expect_str(module_state_name(table[i].letter), table[i].name);
}
