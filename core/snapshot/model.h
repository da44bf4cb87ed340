/* SPDX-License-Identifier: MIT */
/*
 * The in-memory snapshot: plain data in one capped arena, filled by the
 * session, read by formats/ (btt, JSON, text) and by modules. It knows no
 * target and no DWARF, so a reader can rebuild it from a file. Everything a
 * pointer here refers to lives in the snapshot's arena until snapshot_deinit;
 * strings are interned (snapshot_string) or copied, never NULL unless said.
 * Absent means absent: a has_ flag, a NULL, or kind SNAP_UNAVAILABLE with a
 * reason; never a made-up value.
 *
 * The JSON form of every struct is in docs/snapshot-format.md.
 */
#ifndef SNAPSHOT_MODEL_H
#define SNAPSHOT_MODEL_H

#include <stdlib.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/strings.h"
#include "base/vec.h"

#define SNAP_NONE UINT32_MAX /* "no index" / "no tid" */

/* Members within members: what lies deeper is neither written nor shown. The
 * size policy stops at 6; modules may add a few levels. */
#define SNAP_MAX_DEPTH 24

/* ---- variables ---- */

enum snap_kind {
	SNAP_INT,
	SNAP_UINT,
	SNAP_FLOAT,
	SNAP_BOOL,
	SNAP_CHAR,    /* value.i, text in string */
	SNAP_STRING,  /* a char array shown as text */
	SNAP_ENUM,    /* value.i, label in string when known */
	SNAP_POINTER, /* value.u; string when it points to text */
	SNAP_STRUCT,
	SNAP_UNION,
	SNAP_ARRAY,
	SNAP_FUNCTION, /* value.u address, symbol in string */
	SNAP_COMPLEX,
	SNAP_UNAVAILABLE, /* reason says why */
	SNAP_KIND__COUNT
};
const char *snap_kind_name(enum snap_kind kind); /* "int", ... */
/* The kind of that name; SNAP_UNAVAILABLE for an unknown one. */
enum snap_kind snap_kind_of(const char *name);

enum {
	SNAP_VAR_PARAMETER = 1 << 0,
	SNAP_VAR_ADDRESS = 1 << 1, /* address is valid */
	SNAP_VAR_VALUE = 1 << 2,   /* value is valid */
	SNAP_VAR_TRUNCATED = 1 << 3,
	SNAP_VAR_LENGTH = 1 << 4, /* length is valid */
	SNAP_VAR_STRING = 1 << 5, /* string is valid (may be empty) */
	SNAP_VAR_HEAP = 1 << 6,	  /* heap is valid */
	SNAP_VAR_BASE = 1 << 7,	  /* a base class sub-object */
	SNAP_VAR_ENTRY = 1 << 8,  /* an entry value: what it was on entry */
	SNAP_VAR_SUMMARY = 1 << 9 /* the string is words of a module's about it
				     ("std::vector of length 3"), no text of
				     the program's */
};

struct snap_heap { /* what the allocator says of the pointed-to block */
	bool allocated;
	uint64_t size, offset;
	const char *place; /* where a freed one lies, "tcache of thread 7"; or
			    * NULL */
};

/* What a pointer's value says of the heap, for all variables that have it. */
struct snap_pointed {
	uint64_t address;
	struct snap_heap heap;
	const char *owner; /* "main arena", "arena of thread 7"; or NULL */
};

struct snap_annotation;
struct snap_packed;

struct snap_variable {
	const char *name; /* "" for an unnamed one and for elements */
	const char *type; /* printed type, "" unknown */
	uint8_t kind;	  /* enum snap_kind */
	uint16_t flags;
	uint32_t n_children; /* members or elements that are shown */
	struct snap_variable *children;
	uint64_t address;
	union {
		int64_t i;
		uint64_t u; /* also bool, pointer, function */
		double f;
		double complex_parts[2];
	} value;
	/* Exact decimal text when the union cannot hold it (__int128, long
	 * double); NULL otherwise. */
	const char *number;
	const char *string; /* raw bytes, string_size of them, maybe not UTF-8*/
	uint32_t string_size;
	uint64_t length;    /* full element or byte count when truncated */
	uint64_t object;    /* ID of the followed object, 0: none */
	const char *reason; /* UNAVAILABLE: "optimized out", ... else NULL */
	struct snap_heap heap;
	struct snap_annotation *annotations; /* list, NULL: none */
};

/* A followed pointer's target, stored once per (address, type). */
struct snap_object {
	uint64_t id; /* from 1 */
	struct snap_variable variable;
	/* What it was asked for by; the variable's own fields are the
	 * caller's. */
	uint64_t key_address;
	const char *key_type;
};

/* ---- annotations, findings, attributes, warnings ---- */

enum snap_level { SNAP_COMMENT, SNAP_WARNING, SNAP_CRITICAL, SNAP_JSON };

const char *snap_level_name(enum snap_level level); /* "comment", ... */

struct snap_annotation {
	enum snap_level level;
	const char *text;   /* the JSON text for SNAP_JSON */
	const char *module; /* who said it; NULL: ourselves */
	struct snap_annotation *next;
	/* Of the first of a list, for snapshot_annotate: its end and length. */
	struct snap_annotation *last;
	uint32_t count;
};

struct snap_finding {
	const char *class_name; /* crashbench/classes.md, left column */
	double confidence;	/* 0 to 1 */
	bool primary;
	const char *module;
	uint32_t tid, frame; /* SNAP_NONE: of the process */
	bool has_address;
	uint64_t address;
	const char *text;
	uint32_t n_evidence;
	const char **evidence;
};

enum snap_attribute_kind {
	SNAP_ATTR_STRING,
	SNAP_ATTR_INT,
	SNAP_ATTR_UINT,
	SNAP_ATTR_DOUBLE,
	SNAP_ATTR_BOOL,
	SNAP_ATTR_ADDRESS /* shown as hex string */
};

struct snap_attribute {
	const char *key;
	uint8_t kind;
	union {
		const char *s;
		int64_t i;
		uint64_t u;
		double f;
		bool b;
	} value;
};

struct snap_warning {
	const char *stage; /* "core", "unwind", "dwarf", "module:fault", ... */
	const char *code;  /* "truncated", "budget", ... */
	const char *text;
};

/* ---- threads and frames ---- */

/* What is the same for all frames at one pc and inline level; stored once. */
struct snap_location {
	uint32_t id;		  /* index in snapshot.locations */
	const char *symbol;	  /* demangled, "" unknown */
	const char *linkage_name; /* "" when the same as symbol */
	const char *object;	  /* basename of the module, "" none */
	const char *object_path;  /* "" none */
	bool has_offset;
	uint64_t offset;  /* of the ip from the symbol's start */
	const char *path; /* source file, "" unknown */
	uint32_t line;	  /* 0 unknown */
	bool is_inline;
};

struct snap_frame {
	const struct snap_location *location;
	uint64_t ip, sp;
	const char *trust; /* "context", "cfi", ... */
	bool has_sp;
	bool signal_frame;
	bool variables_collected; /* false: not asked for or cut off */
	uint32_t n_variables;
	struct snap_variable *variables; /* parameters first */
	/* Instead of those two (pack.h), while nobody asked for them. */
	const struct snap_packed *packed;
	struct snap_annotation *annotations;
};
/* There are as many as threads have frames, and they are gone through often. */
_Static_assert(sizeof(struct snap_frame) <= 64, "a line of the cache");

struct snap_register {
	const char *name;
	uint64_t value;
};

struct snap_thread {
	uint32_t tid;
	const char *name; /* "" unknown */
	char state;	  /* 'F' faulted, else as /proc: 'S', 'R', ... '?' */
	bool fault;
	const char *stop_reason;
	uint64_t frames_skipped, frames_skipped_at;
	uint32_t n_registers;
	struct snap_register *registers;
	uint32_t n_frames;
	struct snap_frame *frames; /* innermost first, inlines included */
	uint32_t n_kernel_frames;
	const char **kernel_frames;
	struct snap_annotation *annotations;
};

/* ---- process ---- */

struct snap_signal {
	bool present;
	int32_t number, code;
	const char *name;      /* "SIGSEGV" */
	const char *code_name; /* "SEGV_MAPERR"; "" unknown */
	bool has_code, has_address, has_sender;
	uint64_t address;
	int32_t sender_pid;
	uint32_t sender_uid;
};

struct snap_environment {
	const char *name, *value;
	uint64_t length; /* of the whole value when it is truncated */
	bool truncated;
};

#define SNAP_UNLIMITED UINT64_MAX
struct snap_limit {
	const char *name; /* as of getrlimit(2), in small letters: "nofile" */
	const char *unit; /* "" none */
	uint64_t soft, hard;
};

struct snap_descriptor {
	uint32_t number;
	const char *path; /* "socket:[4711]" and the like included */
};

struct snap_fault {
	bool present;
	uint32_t tid, frame;
	const char *direction; /* "read", "write", "execute"; "" unknown */
	bool has_address;
	uint64_t address;
	const char *instruction; /* "" unknown */
	const char *operand;	 /* "" none */
};

struct snap_module {
	const char *path;
	const char *build_id; /* hex; "" unknown */
	uint64_t start, end;
	const char *debug;	/* "dwarf", "symtab", "dynsym", "none" */
	const char *debug_path; /* "" when in the file itself or none */
};

struct snap_mapping {
	uint64_t start, end, offset;
	char perms[5];	  /* "r-xp" */
	const char *path; /* "" anonymous */
};

struct snap_memory {
	uint64_t address;
	uint32_t size;
	const uint8_t *data;
	const char *why; /* "stack", "fault", "code", "object" */
};

struct snap_resource {
	const char *name;
	uint64_t size;
	const uint8_t *data;
	bool truncated;
};

struct snapshot {
	struct arena arena;
	struct strings strings;

	uint8_t uuid[16];
	int64_t created_seconds; /* Unix time */
	uint32_t created_nanoseconds;
	const char *generator; /* "inquest 0.1.0" */
	bool partial;

	VEC(struct snap_attribute) attributes;
	VEC(const char *) classifiers;
	const char *fingerprint; /* 64 hex digits; "" not computed */
	VEC(const char *) callstack;
	struct snap_signal signal;
	struct snap_fault fault;
	VEC(struct snap_environment) environment;
	VEC(struct snap_limit) limits;
	VEC(struct snap_descriptor) descriptors;
	VEC(struct snap_finding) findings;
	VEC(struct snap_thread) threads; /* faulted first, then core order */
	VEC(struct snap_location *) locations;
	VEC(struct snap_variable) globals;
	VEC(struct snap_object) objects; /* objects.items[id - 1] */
	VEC(struct snap_module) modules;
	VEC(struct snap_mapping) mappings;
	VEC(struct snap_memory) memory;
	VEC(struct snap_resource) resources;
	VEC(struct snap_warning) warnings;
	struct snap_annotation *annotations;
	/* heap and locks: free-form JSON texts from modules, one per entry. */
	VEC(const char *) heap;
	VEC(const char *) locks;
	VEC(struct snap_pointed) pointed; /* by address */

	struct map object_ids; /* key of (address, type) -> id */
	struct map location_ids, attribute_ids, warning_ids; /* the same way */
	struct scrub *scrub; /* what must not be in the file; NULL: nothing */
	uint64_t warnings_lost; /* no room was left for them */
	uint64_t values_bytes;	/* spent on variables, against the cap */
	uint64_t values_cap;
};

/* cap: bytes of the arena (option --max-size times a factor). A fresh snapshot
 * has a random UUID, the present time, and half the cap for values. */
bool snapshot_init(struct snapshot *s, size_t cap);
void snapshot_deinit(struct snapshot *s);

const char *snapshot_string(struct snapshot *s, const char *text);
const char *snapshot_stringn(struct snapshot *s, const char *text, size_t len);
const char *snapshot_printf(struct snapshot *s, const char *format, ...)
    BT_PRINTF(2, 3); /* interned */

/* Attributes: a later one of the same key replaces the earlier. */
void snapshot_attr_string(
    struct snapshot *s, const char *key, const char *value);
void snapshot_attr_int(struct snapshot *s, const char *key, int64_t value);
void snapshot_attr_uint(struct snapshot *s, const char *key, uint64_t value);
void snapshot_attr_double(struct snapshot *s, const char *key, double value);
void snapshot_attr_bool(struct snapshot *s, const char *key, bool value);
void snapshot_attr_address(struct snapshot *s, const char *key, uint64_t value);
const struct snap_attribute *snapshot_attr_find(
    const struct snapshot *s, const char *key);

void snapshot_classifier(struct snapshot *s, const char *name); /* a set */
/* A warning also on a full arena: then only counted as "lost". */
void snapshot_warn(struct snapshot *s, const char *stage, const char *code,
    const char *format, ...) BT_PRINTF(4, 5);
/* text is kept as it is (level JSON: must be one JSON object). */
void snapshot_annotate(struct snapshot *s, struct snap_annotation **list,
    enum snap_level level, const char *module, const char *text);

/* The one location with these fields (interned by all of them); never NULL:
 * without room an empty one with id SNAP_NONE. */
const struct snap_location *snapshot_location(
    struct snapshot *s, const struct snap_location *like);

/* The object for (address, type): an existing id (then *is_new false), or a new
 * one whose variable the caller fills; 0 at the cap. */
uint64_t snapshot_object(
    struct snapshot *s, uint64_t address, const char *type, bool *is_new);
struct snap_variable *snapshot_object_variable(struct snapshot *s, uint64_t id);

/* Fingerprint (SHA-256 over the normalised call stack of the faulting thread
 * and the error type) and callstack, from threads, fault, signal and the
 * attributes error.type and error.message. The rule is in
 * docs/snapshot-format.md. Calling it again computes both anew. */
void snapshot_fingerprint(struct snapshot *s);
/* The function's bare name: no template arguments, parameters, return type,
 * clone suffixes, versions, hashes. Interned. */
const char *snapshot_function_name(struct snapshot *s, const char *symbol);
/* The thread that faulted, or NULL. */
const struct snap_thread *snapshot_fault_thread(const struct snapshot *s);

/* The block of the heap that a variable points into; NULL: into none, or it is
 * not known. */
const struct snap_heap *snapshot_heap_of(
    const struct snapshot *s, const struct snap_variable *v);
/* Whose that block is; NULL: not known. */
const char *snapshot_heap_owner(
    const struct snapshot *s, const struct snap_variable *v);

/* Signal and code names: "SIGSEGV", "SEGV_MAPERR"; never NULL ("" unknown). */
const char *snapshot_signal_name(int number);
const char *snapshot_signal_code_name(int number, int code);

#endif /* SNAPSHOT_MODEL_H */
