/* SPDX-License-Identifier: MIT */
/*
 * Traces of an attack, or of a program that changes itself. Off unless asked
 * for (--security, or --module=security:enable,true), because it compares all
 * code with files, and because what it finds is seldom why a process died: its
 * findings are in the background of others.
 *
 *	writable	memory that is writable and executable
 *	text		code that differs from the module's file
 *	slots		addresses of functions that the linker did not write
 *	constructors	the same for constructors and destructors
 *	chains		stacks prepared for return-oriented programming
 *	stack		code that runs on a stack
 *
 * Compilers that run in the process (JavaScript, Java, LuaJIT, regular
 * expressions) need writable code and are no attack: anonymous memory of that
 * kind is told as a fact. A module's own code that is writable, although its
 * headers do not ask for it, is a finding.
 */
#include <stdio.h>

#include "common/dynamic.h"
#include "common/tampering.h"

enum {
	CHUNK = 64 << 10,
	COMPARE_MAX = 1 << 30, /* bytes of code */
	FACTS_MAX = 8
};

static const uint8_t breakpoint = 0xcc;

/* ---- shared ---- */

bool
tampering_is_code(ptrace_target_t *t, bt_addr_t address, ptrace_mapping_t *out)
{

	return ptrace_target_mapping(t, address, out) &&
	    (out->permissions > 7 || (out->permissions & PTRACE_PERM_EXEC));
}

const char *
tampering_place(const struct tampering *t, bt_addr_t address)
{
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	bt_addr_t start = 0;
	const char *name = ptrace_target_symbol(t->target, address, &start);
	bool mapped = ptrace_target_mapping(t->target, address, &m);
	const char *where = !mapped ? "not mapped"
	    : m.path != NULL	    ? m.path
				    : "anonymous memory";

	if (name == NULL)
		return pmodule_text(
		    t->bt, "0x%" PRIx64 " (%s)", address, where);
	return pmodule_text(t->bt, "0x%" PRIx64 " (%s+0x%" PRIx64 " in %s)",
	    address, name, address - start, where);
}

void
tampering_add(struct tampering *t, bt_addr_t address, const char *evidence)
{
	if (t->places++ == 0) {
		t->report.has_address = true;
		t->report.address = address;
	}
	report_note(&t->report, evidence);
}

static struct tampering
tampering_of(ptrace_backtrace_t *bt, const char *class_name, double confidence)
{
	struct tampering t = {
	    .bt = bt,
	    .target = ptrace_backtrace_target(bt),
	    .report =
		{
		    .bt = bt,
		    .class_name = class_name,
		    .confidence = confidence,
		    .background = true,
		},
	};

	report_token(&t.report, "security");
	return t;
}

static void
tampering_publish(struct tampering *t, const char *one, const char *many)
{

	if (t->places == 0)
		return;
	t->report.text = pmodule_text(
	    t->bt, "%u %s", t->places, t->places == 1 ? one : many);
	if (t->places > t->report.n_evidence)
		t->report.evidence[REPORT_EVIDENCE_MAX - 1] = pmodule_text(
		    t->bt, "and %u more", t->places - t->report.n_evidence + 1);
	report_publish(&t->report);
}

/* ---- writable code ---- */

/* The module's own program headers want it so (built with writable text): a
 * fact, nobody changed it. */
static bool
is_built_so(
    ptrace_target_t *t, const ptrace_module_t *module, bt_addr_t address)
{
	const uint32_t both = PF_W | PF_X;
	struct dynamic d = {.target = t, .module = *module};
	uint32_t flags;

	return dynamic_segment(&d, address, &flags) == false ||
	    (flags & both) == both;
}

static void
check_writable(ptrace_backtrace_t *bt)
{
	struct tampering t = tampering_of(bt, "writable-code", 0.85);
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;
	const uint32_t both = PTRACE_PERM_EXEC | PTRACE_PERM_WRITE;
	const char *facts = "";
	uint32_t n = 0;

	for (bt_addr_t at = 0; ptrace_target_mapping_next(t.target, at, &m);
	     at = m.end) {
		ptrace_module_t module = PTRACE_MODULE_INIT;
		const char *text;

		if (m.permissions > 7 || (m.permissions & both) != both)
			continue;
		text = pmodule_text(bt, "0x%" PRIx64 "-0x%" PRIx64 " %s",
		    m.start, m.end, m.path != NULL ? m.path : "anonymous");
		if (ptrace_target_module_at(t.target, m.start, &module) &&
		    is_built_so(t.target, &module, m.start) == false)
			tampering_add(&t, m.start,
			    pmodule_text(bt, "%s (%s)", text, module.name));
		else if (n++ < FACTS_MAX)
			facts = pmodule_text(
			    bt, "%s%s%s", facts, n > 1 ? ", " : "", text);
	}
	if (n > 0)
		pmodule_backtrace_annotate(bt, PAT_COMMENT,
		    "%u writable and executable mapping%s, as programs have "
		    "that compile at run time: %s%s",
		    n, n == 1 ? "" : "s", facts, n > FACTS_MAX ? ", ..." : "");
	tampering_publish(&t, "mapping of a module's code was made writable",
	    "mappings of modules' code were made writable");
}

/* ---- modified text ---- */

struct differences {
	struct tampering *report;
	const ptrace_module_t *module;
	uint64_t compared, bytes, breakpoints;
	bt_addr_t run; /* where the run of different bytes began, 0: none */
	bt_addr_t last;
	char now[3 * 8 + 1], file[3 * 8 + 1];
	uint32_t in_run;
};

static void
end_run(struct differences *d)
{
	if (d->run != 0 && d->in_run > 0 &&
	    d->report->places < TAMPERING_PLACES_MAX)
		tampering_add(d->report, d->run,
		    pmodule_text(d->report->bt,
			"%u byte%s at %s: %s, the file has %s", d->in_run,
			d->in_run == 1 ? "" : "s",
			tampering_place(d->report, d->run), d->now, d->file));
	d->run = 0;
	d->in_run = 0;
}

static void
add_difference(struct differences *d, bt_addr_t at, uint8_t now, uint8_t file)
{
	const uint32_t gap = 16, shown = 8;

	if (now == breakpoint || file == breakpoint) {
		d->breakpoints++;
		return;
	}
	d->bytes++;
	if (d->run != 0 && at - d->last > gap)
		end_run(d);
	if (d->run == 0)
		d->run = at;
	d->last = at;
	if (d->in_run < shown) {
		(void)snprintf(d->now + d->in_run * 3, 4, "%02x ", now);
		(void)snprintf(d->file + d->in_run * 3, 4, "%02x ", file);
	}
	d->in_run++;
}

static void
compare_mapping(struct differences *d, const ptrace_mapping_t *m,
    uint8_t *memory, uint8_t *file, uint64_t *left)
{
	bt_addr_t end = m->start + m->dumped;
	ptrace_target_t *t = d->report->target;

	if (end > m->end)
		end = m->end;
	for (bt_addr_t at = m->start; at<end && * left> 0; at += CHUNK) {
		size_t want = end - at < CHUNK ? end - at : CHUNK;
		size_t n = ptrace_target_read_some(t, at, memory, want);
		size_t got = ptrace_target_read_file(t, at, file, want);

		if (got < n)
			n = got;
		*left -= want < *left ? want : *left;
		d->compared += n;
		if (memcmp(memory, file, n) == 0)
			continue;
		for (size_t i = 0; i < n; i++)
			if (memory[i] != file[i])
				add_difference(d, at + i, memory[i], file[i]);
	}
	end_run(d);
}

/* The file that has the module's name now may be another one, when neither has
 * a build-id: then nearly all differs. */
static void
check_module_text(struct tampering *t, const ptrace_module_t *module,
    uint8_t *memory, uint8_t *file, uint64_t *left)
{
	struct tampering mine = *t;
	struct differences d = {.report = &mine, .module = module};
	ptrace_mapping_t m = PTRACE_MAPPING_INIT;

	for (bt_addr_t at = module->start; at < module->end &&
	     ptrace_target_mapping_next(t->target, at, &m) &&
	     m.start < module->end;
	     at = m.end)
		if (m.permissions <= 7 &&
		    (m.permissions & PTRACE_PERM_EXEC) != 0)
			compare_mapping(&d, &m, memory, file, left);
	if (d.breakpoints > 0)
		pmodule_backtrace_annotate(t->bt, PAT_COMMENT,
		    "%" PRIu64 " breakpoint%s in the code of %s", d.breakpoints,
		    d.breakpoints == 1 ? "" : "s", module->name);
	if (d.bytes > d.compared / 4)
		pmodule_backtrace_annotate(t->bt, PAT_COMMENT,
		    "the file of %s is not the one that was loaded",
		    module->name);
	else
		*t = mine;
}

/* Its code is changed when it is loaded. */
static bool
is_relocated(ptrace_target_t *t, const ptrace_module_t *module)
{
	struct dynamic d;

	return dynamic_open(t, module, &d) && d.text_relocated;
}

/* Only what was kept with the process is compared; the rest is the file's. A
 * kernel dumps private memory that was written, so changes are in the core. */
static void
check_text(ptrace_backtrace_t *bt)
{
	struct tampering t = tampering_of(bt, "modified-text", 0.9);
	uint8_t *memory = malloc(CHUNK), *file = malloc(CHUNK);
	uint32_t n = ptrace_target_n_modules(t.target);
	uint64_t left = COMPARE_MAX;

	for (uint32_t i = 0; memory != NULL && file != NULL && i < n; i++) {
		ptrace_module_t module = PTRACE_MODULE_INIT;

		if (ptrace_target_module(t.target, i, &module) &&
		    module.has_file && module.vdso == false &&
		    is_relocated(t.target, &module) == false)
			check_module_text(&t, &module, memory, file, &left);
	}
	report_token(&t.report, "text.corrupt");
	tampering_publish(&t,
	    "place where code in memory differs from its file",
	    "places where code in memory differs from its file");
	free(memory);
	free(file);
}

/* ---- linker, stacks ---- */

static void
check_slots(ptrace_backtrace_t *bt)
{
	struct tampering t = tampering_of(bt, "linkage-tampering", 0.9);

	tampering_slots(&t);
	tampering_publish(&t,
	    "entry of a global offset table holds an address that the dynamic "
	    "linker did not write",
	    "entries of global offset tables hold addresses that the dynamic "
	    "linker did not write");
}

static void
check_constructors(ptrace_backtrace_t *bt)
{
	struct tampering t = tampering_of(bt, "constructor-tampering", 0.9);

	tampering_constructors(&t);
	tampering_publish(&t,
	    "constructor or destructor is not the one of its module's file",
	    "constructors or destructors are not those of their modules' "
	    "files");
}

static void
check_chains(ptrace_backtrace_t *bt)
{
	struct tampering t = tampering_of(bt, "return-chain", 0.8);

	tampering_return_chains(&t);
	tampering_publish(&t,
	    "stack holds a chain of returns to code that nobody called",
	    "stacks hold chains of returns to code that nobody called");
}

/* gcc's trampolines for nested functions are a few moves and a jump: a program
 * counter there is rare, and they load what they jump to as a constant. */
static bool
is_trampoline(ptrace_target_t *t, bt_addr_t pc)
{
	ptrace_instruction_t in = PTRACE_INSTRUCTION_INIT;

	for (int i = 0; i < 4; i++) {
		in.size = sizeof(in);
		if (ptrace_target_instruction(t, pc, &in) == false)
			return false;
		if (in.flow == PTRACE_FLOW_JUMP)
			return true;
		if (in.flow != PTRACE_FLOW_NONE)
			return false;
		pc += in.length;
	}
	return false;
}

static void
check_stack_code(ptrace_backtrace_t *bt)
{
	struct tampering t = tampering_of(bt, "stack-execution", 0.9);
	uint32_t n = ptrace_backtrace_n_threads(bt);

	for (uint32_t i = 0; i < n; i++) {
		ptrace_thread_t *thread = ptrace_backtrace_thread(bt, i);
		ptrace_mapping_t m = PTRACE_MAPPING_INIT;
		bt_addr_t start, end;
		uint64_t pc;

		if (!ptrace_thread_register(thread, PTRACE_REGISTER_PC, &pc) ||
		    !ptrace_thread_stack(thread, &start, &end) ||
		    !tampering_is_code(t.target, pc, &m) || m.permissions > 7 ||
		    start < m.start || start >= m.end ||
		    is_trampoline(t.target, pc))
			continue;
		if (t.places == 0)
			t.report.thread = thread;
		tampering_add(&t, pc,
		    pmodule_text(bt,
			"thread %u executes at 0x%" PRIx64
			", in the mapping of its stack",
			ptrace_thread_tid(thread), pc));
	}
	tampering_publish(&t, "thread executes code on its stack",
	    "threads execute code on their stacks");
}

/* ---- which of them ---- */

static const struct check {
	const char *name;
	void (*run)(ptrace_backtrace_t *bt);
} checks[] = {
    {"writable", check_writable},
    {"text", check_text},
    {"slots", check_slots},
    {"constructors", check_constructors},
    {"chains", check_chains},
    {"stack", check_stack_code},
};

/* "text+slots": NULL and "" are all. */
static bool
is_wanted(const char *list, const char *name)
{
	size_t n = strlen(name);

	if (list == NULL || *list == '\0')
		return true;
	while (*list != '\0') {
		size_t length = strcspn(list, "+,");

		if (length == n && memcmp(list, name, n) == 0)
			return true;
		list += length + (list[length] != '\0');
	}
	return false;
}

static void
analyse(ptrace_backtrace_t *bt)
{
	const char *list = pmodule_config_option(pmodule_current(bt), "checks");

	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++)
		if (is_wanted(list, checks[i].name))
			checks[i].run(bt);
}

static bool
load(pmodule_t *pm)
{
	const char *enable = pmodule_config_option(pm, "enable");

	if (enable == NULL || strcmp(enable, "true") != 0)
		return true;
	return pmodule_postattach_event_add(pm, analyse);
}

PMODULE_DEFINE("security", load, NULL, NULL)
