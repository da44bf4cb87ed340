/* SPDX-License-Identifier: MIT */
/*
 * Which crashes are the same crash: the call stack as bare function names, and
 * a SHA-256 over it and the error type. docs/snapshot-format.md has the rule;
 * a change of it changes the groups of every user, so the version in the first
 * line of the hashed text must grow with it.
 */
#include <ctype.h>

#include "base/hash.h"
#include "snapshot/model.h"

/* A deeper stack is grouped by its innermost names. */
enum { MAX_NAMES = 128 };

/* How a process dies, not why: skipped at the inner end of the stack. Names
 * are bare (snapshot_function_name). A '*' at the end matches a prefix. */
static const char *const machinery[] = {"raise", "abort", "gsignal", "kill",
    "tgkill", "pthread_kill", "__pthread_kill*", "__libc_message*",
    "malloc_printerr", "__assert_fail*", "__assert", "__assert_perror_fail*",
    "__libc_fatal", "__stack_chk_fail*", "__fortify_fail*", "__chk_fail",
    "__cxa_throw", "__cxa_rethrow", "__cxa_call_terminate",
    "_Unwind_RaiseException*", "_Unwind_Resume*", "std::terminate",
    "__cxxabiv1::__terminate", "__cxxabiv1::__cxa_throw",
    "__gnu_cxx::__verbose_terminate_handler", "std::__terminate",
    "__restore_rt", "rust_panic*", "rust_begin_unwind", "__rust_start_panic",
    "__rustc::*", "panic_abort::*", "panic_unwind::*", "std::panicking::*",
    "core::result::unwrap_failed", "core::option::unwrap_failed",
    "core::option::expect_failed", "runtime.*", "core::panicking::*",
    "std::process::abort", "std::sys::unix::abort_internal",
    "std::sys::pal::unix::abort_internal", "bcd_backtrace", "bcd_emit",
    "bcd_fatal", "__kernel_vsyscall"};

/* Run-time libraries, by their names before ".so" or "-VERSION". What they do
 * inside differs from version to version, with the processor, and with whether
 * their symbols are at hand: of frames that follow each other there only the
 * function that the program called counts. */
static const char *const runtime[] = {"libc", "libpthread", "libm", "librt",
    "libdl", "ld-linux-x86-64", "ld", "ld-musl-x86_64", "libstdc++", "libc++",
    "libc++abi", "libgcc_s", "libsupc++", "libunwind", "libjemalloc",
    "libtcmalloc", "libtcmalloc_minimal", "libmimalloc", "linux-vdso.so.1",
    "[vdso]"};

/* Implementations that libc chooses by the processor. */
static const char *const variants[] = {
    "_avx", "_evex", "_sse", "_ssse", "_erms", "_unaligned", "_no_erms"};

/* In front of the names that libc has for its own use. */
static const char *const prefixes[] = {
    "libc_", "IO_new_", "IO_", "isoc99_", "isoc23_", "new_"};

/* Where a thread begins: the walk stops before them. */
static const char *const roots[] = {"_start", "__libc_start_main*",
    "__libc_start_call_main", "start_thread", "clone", "__clone", "clone3",
    "__clone3", "_dl_start", "_dl_start_user"};

static bool
listed(const char *const *list, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(list[i]);
		bool prefix = list[i][len - 1] == '*';

		if (prefix ? strncmp(list[i], name, len - 1) == 0
			   : strcmp(list[i], name) == 0)
			return true;
	}
	return false;
}

#define LISTED(LIST, NAME) listed(LIST, sizeof(LIST) / sizeof((LIST)[0]), NAME)

const struct snap_thread *
snapshot_fault_thread(const struct snapshot *s)
{
	for (size_t i = 0; i < s->threads.count; i++) {
		if (s->threads.items[i].fault)
			return &s->threads.items[i];
	}
	return NULL;
}

/* "libfoo.so.1.2" is named "libfoo.so": an update does not regroup. */
static const char *
unnamed(struct snapshot *s, const char *object)
{
	const char *so = strstr(object, ".so.");

	if (object[0] == '\0')
		return "?";
	return snapshot_printf(s, "%.*s!?",
	    so != NULL ? (int)(so - object) + 3 : (int)strlen(object), object);
}

static const char *
frame_name(struct snapshot *s, const struct snap_frame *f)
{
	const struct snap_location *l = f->location;

	if (l == NULL)
		return "?";
	if (l->symbol[0] == '\0')
		return unnamed(s, l->object);
	return snapshot_function_name(s, l->symbol);
}

static bool
is_runtime(const struct snap_frame *f)
{
	const char *object = f->location != NULL ? f->location->object : "";

	for (size_t i = 0; i < sizeof(runtime) / sizeof(*runtime); i++) {
		size_t n;

		/* A stack may have a hundred thousand frames. */
		if (object[0] != runtime[i][0])
			continue;
		n = strlen(runtime[i]);
		if (strncmp(object, runtime[i], n) == 0 &&
		    (object[n] == '\0' || strncmp(object + n, ".so", 3) == 0 ||
			(object[n] == '-' &&
			    isdigit((unsigned char)object[n + 1]))))
			return true;
	}
	return false;
}

static bool
is_variant(const char *name)
{
	for (size_t i = 0; i < sizeof(variants) / sizeof(*variants); i++)
		if (name[0] == '_' && strstr(name, variants[i]) != NULL)
			return true;
	return false;
}

/* One name for what libc calls free, __libc_free, __GI___libc_free; or strcpy,
 * ___strcpy_chk. */
static const char *
public_name(struct snapshot *s, const char *name)
{
	size_t n;

	/* C++: its interface is by these names. */
	if (strchr(name, ':') != NULL || strncmp(name, "__cxa_", 6) == 0)
		return name;
	name += strspn(name, "_");
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		n = strlen(prefixes[i]);
		if (strncmp(name, prefixes[i], n) == 0)
			name += n + strspn(name + n, "_");
	}
	n = strlen(name);
	if (n > 4 && strcmp(name + n - 4, "_chk") == 0)
		n -= 4;
	else if (n > 2 && strcmp(name + n - 2, "64") == 0)
		n -= 2;
	if (n == 5 && strncmp(name, "cfree", n) == 0)
		return snapshot_string(s, "free");
	if (n == 7 && strncmp(name, "qsort_r", n) == 0)
		return snapshot_string(s, "qsort");
	return snapshot_string(s, snapshot_printf(s, "%.*s", (int)n, name));
}

/* The last frame of those from i on that are in run-time libraries; i itself
 * when it is not. */
static uint32_t
entry_of(const struct snap_thread *t, uint32_t i)
{
	if (t->frames[i].signal_frame || !is_runtime(&t->frames[i]))
		return i;
	while (i + 1 < t->n_frames && !t->frames[i + 1].signal_frame &&
	    is_runtime(&t->frames[i + 1]))
		i++;
	return i;
}

/* By which a frame counts; NULL: it does not. */
static const char *
counted_name(struct snapshot *s, const struct snap_frame *f)
{
	const char *name = frame_name(s, f);

	if (is_variant(name))
		return NULL;
	if (!is_runtime(f))
		return name;
	return f->location->symbol[0] != '\0' ? public_name(s, name) : NULL;
}

static bool
has_name(const struct snapshot *s, const char *name)
{
	for (size_t i = 0; i < s->callstack.count; i++) {
		if (s->callstack.items[i] == name)
			return true;
	}
	return false;
}

/* The innermost frame that counts: the one the fault names (a crash handler
 * may lie above it), else 0, then past the machinery of dying. */
static uint32_t
first_frame(struct snapshot *s, const struct snap_thread *t)
{
	uint32_t start = 0;

	if (s->fault.present && s->fault.tid == t->tid &&
	    s->fault.frame < t->n_frames)
		start = s->fault.frame;
	for (uint32_t i = start; i < t->n_frames; i++) {
		const struct snap_frame *f;

		i = entry_of(t, i);
		f = &t->frames[i];
		if (!f->signal_frame && counted_name(s, f) != NULL &&
		    !LISTED(machinery, frame_name(s, f)))
			return i;
	}
	return start;
}

/* Adds the frame's name; false where the walk ends. */
static bool
collect_name(struct snapshot *s, const struct snap_frame *f)
{
	const char *name = counted_name(s, f), **item;

	if (LISTED(roots, frame_name(s, f)))
		return false;
	if (name == NULL || has_name(s, name))
		return true;
	item = vec_push(&s->callstack);
	if (item == NULL)
		return false;
	*item = name;
	return s->callstack.count < MAX_NAMES && strcmp(name, "main") != 0;
}

/* A function counts once, at its innermost place, so that the depth of a
 * recursion does not matter. A frame found by scanning is not evidence. The
 * places of a million frames are few: each is looked at once, and those
 * outside run-time libraries are passed over when they come again. */
static void
collect_names(struct snapshot *s, const struct snap_thread *t)
{
	enum { PASSED = 512 }; /* power of two */
	const struct snap_location *passed[PASSED] = {NULL};
	struct map seen;

	map_init(&seen, SIZE_MAX);
	for (uint32_t i = first_frame(s, t); i < t->n_frames; i++) {
		const struct snap_frame *f = &t->frames[i];
		size_t place = map_mix((uintptr_t)f->location) % PASSED;
		bool is_new = true;

		if (f->location != NULL && passed[place] == f->location)
			continue;
		i = entry_of(t, i);
		f = &t->frames[i];
		if (f->signal_frame ||
		    (f->trust != NULL && strcmp(f->trust, "scan") == 0))
			continue;
		(void)map_put(&seen, (uint64_t)(uintptr_t)f->location, &is_new);
		if (is_new && !collect_name(s, f))
			break;
		if (!is_runtime(f))
			passed[place] = f->location;
	}
	map_deinit(&seen);
}

static const char *
string_attribute(const struct snapshot *s, const char *key)
{
	const struct snap_attribute *a = snapshot_attr_find(s, key);

	return a != NULL && a->kind == SNAP_ATTR_STRING ? a->value.s : NULL;
}

/* Every run of letters and digits that begins with a digit becomes one '#':
 * pids, addresses and line numbers differ between two deaths of one kind. */
static void
hash_message(struct sha256 *h, const char *text)
{
	for (size_t i = 0; text[i] != '\0';) {
		bool word_start = i == 0 ||
		    !isalnum((unsigned char)text[i - 1]);

		if (word_start && isdigit((unsigned char)text[i])) {
			sha256_update(h, "#", 1);
			while (isalnum((unsigned char)text[i]))
				i++;
		} else {
			sha256_update(h, &text[i++], 1);
		}
	}
}

static void
hash_line(struct sha256 *h, const char *key, const char *value)
{
	sha256_update(h, key, strlen(key));
	sha256_update(h, value, strlen(value));
	sha256_update(h, "\n", 1);
}

void
snapshot_fingerprint(struct snapshot *s)
{
	const struct snap_thread *t = snapshot_fault_thread(s);
	const char *type = string_attribute(s, "error.type");
	const char *message = string_attribute(s, "error.message");
	struct sha256 h;
	uint8_t digest[32];
	char hex[65];

	vec_clear(&s->callstack);
	s->fingerprint = "";
	if (t == NULL && s->threads.count > 0)
		t = &s->threads.items[0];
	if (t != NULL)
		collect_names(s, t);
	/* A healthy process has a call stack but no fault to group by. */
	if (type == NULL && message == NULL &&
	    (s->callstack.count == 0 ||
		(!s->signal.present && snapshot_fault_thread(s) == NULL)))
		return;

	sha256_init(&h);
	hash_line(&h, "inquest-fingerprint ", "2");
	hash_line(&h, "type ", type != NULL ? type : s->signal.name);
	if (message != NULL) {
		sha256_update(&h, "message ", 8);
		hash_message(&h, message);
		sha256_update(&h, "\n", 1);
	}
	for (size_t i = 0; i < s->callstack.count; i++)
		hash_line(&h, "frame ", s->callstack.items[i]);
	sha256_final(&h, digest);
	sha256_hex(digest, hex);
	s->fingerprint = snapshot_string(s, hex);
}
