/* SPDX-License-Identifier: MIT */
/*
 * What the supervisor makes of workers that crash, hang and lie: the snapshot
 * is there, holds what was finished, and says who was at fault.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "formats/btt.h"
#include "session/supervisor.h"
#include "session/worker.h"
#include "session_fixture.h"

/* ---- modules that misbehave, each in its own way ---- */

static void
crash(ptrace_backtrace_t *bt)
{

	(void)bt;
	raise(SIGSEGV);
}

static void
loop(ptrace_backtrace_t *bt)
{

	(void)bt;
	for (;;)
		(void)usleep(1000);
}

static void
speak(ptrace_backtrace_t *bt)
{

	(void)pmodule_kv_add_string(bt, "good", "yes");
}

static bool
load_crash(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, crash);
}

static bool
load_early_crash(pmodule_t *pm)
{

	return pmodule_attach_event_add(pm, crash);
}

static bool
load_loop(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, loop);
}

static bool
load_speak(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, speak);
}

#define DESCRIPTOR(NAME, LOAD)                                                 \
	{                                                                      \
		.abi_version = PMODULE_ABI_VERSION,                            \
		.size = sizeof(pmodule_descriptor_t), .name = (NAME),          \
		.load = (LOAD)                                                 \
	}
static const pmodule_descriptor_t crasher = DESCRIPTOR("crasher", load_crash);
static const pmodule_descriptor_t early = DESCRIPTOR("early", load_early_crash);
static const pmodule_descriptor_t looper = DESCRIPTOR("looper", load_loop);
static const pmodule_descriptor_t speaker = DESCRIPTOR("speaker", load_speak);

/* ---- taking a snapshot and looking at it ---- */

struct heard {
	char text[4096];
};

static void
hear(void *ctx, enum session_level level, const char *text)
{
	struct heard *h = ctx;
	size_t used = strlen(h->text);

	if (level < SESSION_WARNING)
		return;
	(void)snprintf(h->text + used, sizeof(h->text) - used, "%s: %s\n",
	    session_level_name(level), text);
}

struct taken {
	struct snapshot s;
	struct heard heard;
	bool partial;
	char *path;
};

static struct session_options
options(void)
{

	return (struct session_options){
	    .core_path = fixture_core(),
	    .variables = true,
	    .memory = true,
	    .modules = true,
	};
}

static void
read_back(struct taken *t)
{
	size_t size;
	char *data = test_read_file(t->path, &size);
	bt_error_t e;

	assert_true(snapshot_init(&t->s, 64 * 1024 * 1024));
	test_ok(TEST_HARD, "btt_read", btt_read(data, size, &t->s, &e), &e);
	free(data);
}

static bool
attempt(const struct session_options *o, struct taken *t, bt_error_t *e)
{
	struct supervisor_console console = {.ctx = &t->heard, .log = hear};
	struct supervisor_output output = {.path = test_path("out.btt")};

	memset(t, 0, sizeof(*t));
	return supervisor_snapshot(
	    o, &output, &console, &t->path, &t->partial, e);
}

static void
take(const struct session_options *o, struct taken *t)
{
	bt_error_t e;

	test_ok(TEST_HARD, "supervisor_snapshot", attempt(o, t, &e), &e);
	read_back(t);
	expect_uint(t->s.threads.count, 2);
	expect_uint(t->s.threads.items[0].tid, FIXTURE_FAULT_TID);
	expect_true(t->s.threads.items[0].fault);
	expect_uint(t->s.threads.items[1].tid, FIXTURE_PID);
}

static void
drop(struct taken *t)
{
	snapshot_deinit(&t->s);
	free(t->path);
}

/* The warning of that code; NULL: none. */
static const struct snap_warning *
warning(const struct taken *t, const char *code)
{
	for (size_t i = 0; i < t->s.warnings.count; i++)
		if (strcmp(t->s.warnings.items[i].code, code) == 0)
			return &t->s.warnings.items[i];
	return NULL;
}

static const char *
attribute(const struct taken *t, const char *key)
{
	const struct snap_attribute *a = snapshot_attr_find(&t->s, key);

	return a != NULL && a->kind == SNAP_ATTR_STRING ? a->value.s : NULL;
}

TEST(takes_a_snapshot)
{
	struct session_options o = options();
	struct stat st;
	struct taken t;

	take(&o, &t);
	expect_false(t.partial);
	expect_false(t.s.partial);
	expect_str(t.heard.text, "");
	expect_int(t.s.signal.number, SIGSEGV);
	expect_uint(t.s.signal.address, 0x18);
	expect_str(attribute(&t, "process.comm"), "../fixture");
	expect_int(session_pid(&t.s), FIXTURE_PID);
	expect_uint(t.s.threads.items[0].n_frames > 0, 1);
	expect_uint(t.s.threads.items[0].frames[0].ip, 0x401000);
	assert_int(stat(t.path, &st), 0);
	expect_uint(st.st_mode & 07777, 0600);
	drop(&t);
}

/* ---- a module at fault ---- */

static void
without_module(const pmodule_descriptor_t *bad, uint64_t timeout_ns,
    const char *stage, const char *code)
{
	const pmodule_descriptor_t *modules[] = {bad, &speaker};
	struct session_options o = options();
	struct taken t;

	o.analysis = modules;
	o.n_analysis = 2;
	o.timeout_ns = timeout_ns;
	take(&o, &t);
	expect_true(t.partial);
	expect_true(t.s.partial);
	/* The other module has spoken all the same. */
	expect_str(attribute(&t, "good"), "yes");
	assert_not_null(warning(&t, code));
	expect_str(warning(&t, code)->stage, stage);
	expect_contains(t.heard.text, bad->name);
	drop(&t);
}

TEST(module_crashes)
{
	without_module(&crasher, 0, "module:crasher", "worker.died");
}

TEST(module_crashes_before_anything)
{
	without_module(&early, 0, "module:early", "worker.died");
}

TEST(module_loops)
{
	without_module(&looper, 2000000000, "module:looper", "worker.timeout");
}

TEST(all_modules_crash)
{
	const pmodule_descriptor_t *modules[] = {&crasher, &early};
	struct session_options o = options();
	struct taken t;

	o.analysis = modules;
	o.n_analysis = 2;
	take(&o, &t);
	expect_true(t.partial);
	expect_contains(t.heard.text, "crasher");
	expect_contains(t.heard.text, "early");
	drop(&t);
}

/* ---- a stage at fault ---- */

static enum session_stage bad_stage;

static void
die_in_stage(enum session_stage stage, uint32_t skip)
{

	(void)skip;
	if (stage == bad_stage)
		raise(SIGKILL);
}

static void
hang_in_stage(enum session_stage stage, uint32_t skip)
{

	(void)skip;
	while (stage == bad_stage)
		(void)usleep(1000);
}

/* Dies of debug information only. */
static void
die_unless_plain(enum session_stage stage, uint32_t skip)
{

	if (stage == bad_stage && (skip >> SESSION_FAULT & 1) == 0)
		raise(SIGBUS);
}

TEST(stage_dies)
{
	static const enum session_stage stages[] = {SESSION_MODULES,
	    SESSION_VARIABLES, SESSION_ANALYSIS, SESSION_MEMORY};
	const pmodule_descriptor_t *modules[] = {&speaker};

	for (size_t i = 0; i < sizeof(stages) / sizeof(*stages); i++) {
		struct session_options o = options();
		struct taken t;

		bad_stage = stages[i];
		o.on_stage = die_in_stage;
		o.analysis = modules;
		o.n_analysis = 1;
		take(&o, &t);
		assert_not_null(warning(&t, "worker.died"));
		expect_str(warning(&t, "worker.died")->stage,
		    session_stage_name(bad_stage));
		expect_contains(t.heard.text, "signal 9");
		expect_true(t.s.partial);
		/* Every other stage has run. */
		if (bad_stage != SESSION_ANALYSIS)
			expect_str(attribute(&t, "good"), "yes");
		if (bad_stage != SESSION_MEMORY)
			expect_true(t.s.memory.count != 0);
		drop(&t);
		assert_int(unlink(test_path("out.btt")), 0);
	}
}

TEST(stacks_without_debug_information)
{
	static const enum session_stage stages[] = {
	    SESSION_FAULT, SESSION_THREADS};

	for (size_t i = 0; i < sizeof(stages) / sizeof(*stages); i++) {
		struct session_options o = options();
		struct taken t;

		bad_stage = stages[i];
		o.on_stage = die_unless_plain;
		take(&o, &t);
		expect_contains(t.heard.text, session_stage_name(bad_stage));
		expect_true(t.s.partial);
		drop(&t);
		assert_int(unlink(test_path("out.btt")), 0);
	}
}

/* What was sent before the fatal stage is what there is. */
TEST(threads_die_always)
{
	struct session_options o = options();
	struct taken t;
	bt_error_t e;

	bad_stage = SESSION_THREADS;
	o.on_stage = die_in_stage;
	test_ok(TEST_HARD, "supervisor_snapshot", attempt(&o, &t, &e), &e);
	read_back(&t);
	assert_uint(t.s.threads.count, 1);
	expect_uint(t.s.threads.items[0].tid, FIXTURE_FAULT_TID);
	expect_true(t.s.partial);
	drop(&t);
}

TEST(nothing_can_be_had)
{
	static const enum session_stage stages[] = {
	    SESSION_OPEN, SESSION_FAULT};

	for (size_t i = 0; i < sizeof(stages) / sizeof(*stages); i++) {
		struct session_options o = options();
		struct taken t;
		bt_error_t e;

		bad_stage = stages[i];
		o.on_stage = die_in_stage;
		test_code(TEST_SOFT, "supervisor_snapshot", attempt(&o, &t, &e),
		    &e, BT_E_INTERNAL);
		expect_contains(e.text, o.core_path);
		expect_contains(e.text, "signal 9");
		expect_int(access(test_path("out.btt"), F_OK), -1);
	}
}

TEST(stage_hangs)
{
	struct session_options o = options();
	struct taken t;

	bad_stage = SESSION_VARIABLES;
	o.on_stage = hang_in_stage;
	o.timeout_ns = 2000000000;
	take(&o, &t);
	assert_not_null(warning(&t, "worker.timeout"));
	expect_contains(t.heard.text, "took too long");
	expect_true(t.s.memory.count != 0);
	drop(&t);
}

/* ---- limits of the worker ---- */

static void
eat_memory(enum session_stage stage, uint32_t skip)
{
	enum { CHUNK = 64 * 1024 * 1024 };

	(void)skip;
	while (stage == SESSION_VARIABLES) {
		char *p = malloc(CHUNK);

		if (p == NULL)
			raise(SIGKILL);
		else
			p[CHUNK - 1] = 1;
	}
}

TEST(worker_has_no_endless_memory)
{
	struct session_options o = options();
	struct taken t;

	o.on_stage = eat_memory;
	take(&o, &t);
	expect_contains(t.heard.text, "stage 'variables'");
	drop(&t);
}

static void
check_limits(enum session_stage stage, uint32_t skip)
{
	struct rlimit r;

	(void)stage;
	(void)skip;
	if (getrlimit(RLIMIT_CORE, &r) != 0 || r.rlim_cur != 0)
		raise(SIGKILL);
}

TEST(worker_leaves_no_core)
{
	struct session_options o = options();
	struct taken t;

	o.on_stage = check_limits;
	take(&o, &t);
	expect_false(t.partial);
	drop(&t);
}

TEST(size_is_capped)
{
	struct session_options o = options();
	struct stat st;
	struct taken t;
	char value[64 * 1024];
	struct session_attribute big = {"big", value};

	/* Noise, so that no compression helps. */
	for (size_t i = 0; i + 1 < sizeof(value); i++)
		value[i] = (char)('!' + random() % 90);
	value[sizeof(value) - 1] = '\0';
	test_write_file(test_path("file"), value, sizeof(value));
	o.resources = (const char *const[]){
	    test_path("file"), test_path("file"), NULL};
	o.attributes = &big;
	o.n_attributes = 1;
	o.max_size = SESSION_MIN_MAX_SIZE;
	take(&o, &t);
	assert_int(stat(t.path, &st), 0);
	expect_true((uint64_t)st.st_size < SESSION_MIN_MAX_SIZE + 4096);
	expect_contains(t.heard.text, "--max-size");
	expect_true(t.partial);
	drop(&t);
}

/* ---- reports ---- */

static char *
report(const struct session_options *o, bool json, struct heard *heard)
{
	struct supervisor_console console = {.ctx = heard, .log = hear};
	struct supervisor_report r = {.json = json};
	FILE *out = fopen(test_path("report"), "w");
	bool partial;
	bt_error_t e;
	char *text;

	assert_not_null(out);
	r.fd = fileno(out);
	r.text.variables = true;
	test_ok(TEST_HARD, "supervisor_report",
	    supervisor_report(o, &r, &console, &partial, &e), &e);
	(void)fclose(out);
	text = test_read_file(test_path("report"), NULL);
	return text;
}

TEST(report_survives_a_stage)
{
	struct session_options o = options();
	struct heard heard = {""};
	char *text;

	bad_stage = SESSION_VARIABLES;
	o.on_stage = die_in_stage;
	text = report(&o, true, &heard);
	expect_contains(text, "\"threads\"");
	expect_contains(text, "4712");
	expect_contains(heard.text, "stage 'variables'");
	free(text);
	text = report(&o, false, &heard);
	expect_contains(text, "4712");
	free(text);
}

TEST(report_of_a_bad_file)
{
	struct supervisor_console console = {0};
	struct supervisor_report r = {
	    .snapshot_path = test_path("bad"), .fd = 1};
	struct session_options o = {0};
	bool partial;
	bt_error_t e;

	test_write_file(test_path("bad"), "no snapshot", 11);
	expect_false(supervisor_report(&o, &r, &console, &partial, &e));
	expect_contains(e.text, test_path("bad"));
}

/* ---- the sandbox, and kernels that lack a part of it ---- */

static void
try_open(ptrace_backtrace_t *bt)
{
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	(void)pmodule_kv_add_string(bt, "opened", fd >= 0 ? "yes" : "no");
	(void)pmodule_kv_add_int(bt, "errno", fd < 0 ? errno : 0);
	(void)pmodule_kv_add_int(bt, "uid", geteuid());
}

static bool
load_opener(pmodule_t *pm)
{

	return pmodule_postattach_event_add(pm, try_open);
}

static const pmodule_descriptor_t opener = DESCRIPTOR("opener", load_opener);

static struct session_options
opening(void)
{
	static const pmodule_descriptor_t *const analysis[] = {&opener};
	struct session_options o = options();

	o.analysis = analysis;
	o.n_analysis = 1;
	return o;
}

static uint64_t
number(const struct taken *t, const char *key)
{
	const struct snap_attribute *a = snapshot_attr_find(&t->s, key);

	if (a != NULL && a->kind == SNAP_ATTR_UINT)
		return a->value.u;
	return a != NULL && a->kind == SNAP_ATTR_INT ? (uint64_t)a->value.i
						     : UINT64_MAX;
}

TEST(opening_is_refused_and_told)
{
	struct session_options o = opening();
	struct taken t;

	if (worker_is_sanitized() || worker_is_counted())
		skip("this build opens files of its own");
	take(&o, &t);
	expect_str(attribute(&t, "opened"), "no");
	expect_uint(number(&t, "errno"), EPERM);
	expect_true(t.partial);
	expect_true(t.s.partial);
	assert_not_null(warning(&t, "sandbox.refused"));
	expect_contains(warning(&t, "sandbox.refused")->text, "'openat'");
	expect_str(warning(&t, "sandbox.refused")->stage, "module:opener");
	expect_null(warning(&t, "sandbox.missing"));
	expect_contains(t.heard.text, "'openat'");
	expect_true(number(&t, "uid") != 0);
	drop(&t);
}

TEST(without_a_sandbox)
{
	struct session_options o = opening();
	struct taken t;

	o.sandbox.off = true;
	take(&o, &t);
	expect_str(attribute(&t, "opened"), "yes");
	expect_uint(number(&t, "uid"), geteuid());
	expect_false(t.partial);
	expect_str(t.heard.text, "");
	drop(&t);
}

TEST(another_user)
{
	struct session_options o = opening();
	struct taken t;

	if (geteuid() != 0 || worker_is_counted())
		skip("only root becomes another user");
	o.sandbox.uid = 4242;
	o.sandbox.unfiltered = true;
	take(&o, &t);
	expect_uint(number(&t, "uid"), 4242);
	expect_str(attribute(&t, "opened"), "yes");
	expect_false(t.partial);
	drop(&t);
}

/* Each lack is told, and the snapshot is as complete as ever. */
static void
expect_missing(const char *what)
{
	struct session_options o = options();
	struct taken t;

	take(&o, &t);
	assert_not_null(warning(&t, "sandbox.missing"));
	expect_contains(warning(&t, "sandbox.missing")->text, what);
	expect_contains(t.heard.text, what);
	expect_false(t.partial);
	expect_true(t.s.memory.count != 0);
	drop(&t);
}

TEST(kernel_without_filters)
{
	test_deny(SYS_seccomp, ENOSYS);
	expect_missing("are not filtered");
}

TEST(kernel_without_notifications)
{
	struct session_options o = opening();
	struct taken t;

	test_deny_flag(
	    SYS_seccomp, 1, SECCOMP_FILTER_FLAG_NEW_LISTENER, EINVAL);
	expect_missing("cannot be named");
	if (worker_is_sanitized() || worker_is_counted())
		return;
	(void)unlink(test_path("out.btt"));
	take(&o, &t);
	expect_str(attribute(&t, "opened"), "no");
	expect_uint(number(&t, "errno"), EPERM);
	drop(&t);
}

TEST(capabilities_that_stay)
{
	test_deny(SYS_capset, EPERM);
	expect_missing("capabilities");
}

TEST(identity_that_stays)
{
	if (geteuid() != 0 || worker_is_counted())
		skip("only root becomes another user");
	test_deny(SYS_setresuid, EINVAL);
	expect_missing("could not become user");
}

TEST(kernel_without_close_range)
{
	struct session_options o = options();
	struct taken t;

	test_deny(SYS_close_range, ENOSYS);
	take(&o, &t);
	expect_false(t.partial);
	drop(&t);
}
