/* SPDX-License-Identifier: MIT */
/*
 * The one interface over a core file and a captured live process:
 * threads, registers, mappings, modules, memory, signal, auxv, process facts.
 * Nothing above this room knows which it has, or whether it was damaged:
 * what is missing is absent, and each loss is a target_warning.
 *
 * All strings and structs handed out live as long as the target.
 */
#ifndef TARGET_TARGET_H
#define TARGET_TARGET_H

#include "base/budget.h"
#include "image/debugfile.h"
#include "image/image.h"
#include "target/arch/arch.h"

struct target;

enum {
	TARGET_R = 4,
	TARGET_W = 2,
	TARGET_X = 1,
	TARGET_SHARED = 8, /* writing changes the file, or others see it */
	/* Neither the core nor the file tells: a part that gdb left out of its
	 * core, of a file that is gone. May be code. */
	TARGET_PERMS_UNKNOWN = 0x80
};

struct target_mapping {
	bt_addr_t start, end;
	uint64_t offset; /* in the file */
	uint32_t perms;	 /* TARGET_R | TARGET_W | TARGET_X, or unknown */
	const char
	    *path; /* NULL when anonymous; "[stack]", "[heap]" when known */
	uint64_t dumped; /* bytes of it that the core holds, from start */
	uint32_t module; /* index, or TARGET_NO_MODULE */
};
#define TARGET_NO_MODULE UINT32_MAX

/* No mapping or segment reaches beyond, whatever a core says: code that goes
 * through memory piece by piece may add a piece to any of its addresses. Linux
 * maps nothing there on any machine: small negative numbers are its errors. */
#define TARGET_TOP (UINT64_MAX - ((UINT64_C(1) << 20) - 1))

enum target_debug {	      /* what a module's image could give */
	TARGET_DEBUG_UNKNOWN, /* not looked yet */
	TARGET_DEBUG_NONE,
	TARGET_DEBUG_DYNSYM,
	TARGET_DEBUG_SYMTAB,
	TARGET_DEBUG_DWARF
};

/* One loaded ELF file: the executable, a shared library, the vdso. */
struct target_module {
	uint32_t index;
	const char *path; /* as the target named it; "[vdso]" for the vdso */
	const char *name; /* basename of path */
	bt_addr_t start, end;
	uint64_t bias; /* run-time address = file's vaddr + bias */
	bool is_exe, is_vdso;
	struct image_build_id
	    build_id; /* from target memory, size 0: unknown */
	/* What follows is filled by target_module_image and _debug. */
	bool image_tried, debug_tried;
	bool image_expected; /* its opener has been told */
	struct image *image; /* NULL: not found, or refused */
	/* Has .debug_info (may equal image), or is a separate file that has
	 * only symbols: debug_kind tells. */
	struct image *debug;
	const char *image_path; /* where it was found on this machine */
	const char *debug_path;
	enum target_debug debug_kind;
	/* The only image found was refused (image is NULL), or it was forced
	 * upon us: it is not the file that was mapped. */
	bool mismatched;
	/* The image fits, but neither side has a build-id to prove it. */
	bool unproven;
	/* Where offset 0 of the file is mapped (file_start), and whether its
	 * ELF header could be read there. */
	bool has_header;
	bt_addr_t file_start;
	uint64_t tls_size; /* as that header has it */
};

struct target_signal {
	bool present;  /* a siginfo or pr_cursig was there */
	bool has_info; /* siginfo: code and address fields are real */
	int number, code, errnum;
	bool has_address;
	bt_addr_t address;
	bool has_sender;
	int32_t sender_pid;
	uint32_t sender_uid;
};

struct target_thread {
	uint32_t tid;
	char state;	  /* 'R', 'S', 'D', 'T', 'Z', '?' */
	const char *name; /* NULL: unknown */
	bool has_regs;
	struct arch_thread_regs regs;
	struct target_signal signal; /* its own NT_SIGINFO, if any */
	bool fault; /* the thread that received the deadly signal */
	/* Of a core: signals that wait for this thread, number n as bit n-1. */
	uint64_t pending;
	/* Of a live process: signals that it blocks, in the same way. */
	bool has_blocked;
	uint64_t blocked;
	/* Where it waits in the kernel, innermost first. */
	const char **kernel_frames;
	size_t n_kernel_frames;
	/* Of a running process: it did nothing but run, for so long; 0: it did
	 * other things, or nobody knows. */
	uint64_t busy_ns;
};

struct target_process {
	int32_t pid, ppid, pgrp, sid;
	uint32_t uid, gid;
	bool has_ids;
	const char *comm;    /* NULL: unknown */
	const char *args;    /* command line as the core has it, maybe cut */
	const char *exe;     /* path of the executable, NULL: unknown */
	bool core_truncated; /* the file ends before its segments do */
	uint64_t core_size;
	uint64_t core_missing; /* bytes of segments that the file lacks */
	int64_t core_mtime;    /* seconds */
	bool from_gcore;       /* no fault: taken from a live process */
	bool live;	       /* it is one */
	bool frozen;	 /* and all of its private memory is as it was then */
	bool cut_short;	 /* and could not be captured as a whole */
	uint64_t caught; /* signals that have handlers: bit n - 1 is signal n */
	int32_t inner_pid; /* its id in its own namespace */
};

/* What the system tells of a live process beyond all that: attributes of the
 * snapshot, by their names. */
struct target_fact {
	const char *key;
	const char *text; /* NULL: a number */
	uint64_t number;
};

/* What a process may use at most, as getrlimit(2) has it. */
#define TARGET_UNLIMITED UINT64_MAX
struct target_limit {
	const char *name; /* "nofile" */
	const char *unit; /* "files"; "" none */
	uint64_t soft, hard;
};

struct target_descriptor {
	uint32_t number;
	const char *path; /* as the kernel names it: also "socket:[4711]" */
};

struct target_warning {
	const char *code; /* "core.truncated", "module.mismatch", ... */
	const char *text;
};

struct target_options {
	struct opener *opener;
	struct debugfile_finder finder;
	const char *core_path;
	const char *exe_path; /* NULL: found from the notes */
	bool force;	      /* use a mismatched image, marked */
	struct budget *budget;
	/* Only modules whose path contains one of these get their debug
	 * information (contract --load); NULL: all. NULL-terminated. */
	const char *const *load;
};

/*
 * Opens a core. Fails (BT_E_FORMAT etc., one clear line) only when nothing
 * can be had: not ELF, not a core ("is an executable, not a core file: give
 * it after the core"), another machine. A damaged core opens, with warnings.
 */
bool target_core_open(const struct target_options *options, struct target **out,
    bt_error_t *e) BT_CHECK;
/* One without threads, memory and modules, for those that need some target. */
bool target_empty(struct target **out, bt_error_t *e) BT_CHECK;
void target_close(struct target *t); /* NULL allowed */

/* The machine it ran on. */
const struct arch *target_arch(const struct target *t);
/* The address that a signed code pointer has (pointer authentication). */
bt_addr_t target_code_pointer(const struct target *t, uint64_t value);
const struct target_process *target_process(const struct target *t);
const struct target_signal *target_signal(const struct target *t);
/* A siginfo_t. False when it is too short. */
bool target_siginfo_parse(struct view v, struct target_signal *out);
/* A live process has none unless somebody finds one that a handler is just
 * dealing with. */
void target_set_signal(struct target *t, const struct target_signal *signal);
size_t target_threads(struct target *t, struct target_thread **out);
size_t target_mappings(
    const struct target *t, const struct target_mapping **out); /* sorted */
size_t target_modules(struct target *t, struct target_module **out);
size_t target_warnings(
    const struct target *t, const struct target_warning **out);
size_t target_facts(const struct target *t, const struct target_fact **out);
/* Of a live process; of others there are none. */
size_t target_limits(const struct target *t, const struct target_limit **out);
size_t target_descriptors(
    const struct target *t, const struct target_descriptor **out);
/* The environment it was started with, NAME=VALUE, each with its NUL: of a core
 * as far as it has that part of the stack. Lives as long as the target. */
struct view target_environment(struct target *t);
/* Adds one (text is formatted into the target's arena). */
void target_warn(struct target *t, const char *code, const char *format, ...)
    BT_PRINTF(3, 4);

/* What the process was started with: arguments and environment, each string
 * with its NUL, as far as they can be had; maybe other bytes before them. Into
 * out, which is cleared; its size. */
size_t target_start_strings(struct target *t, struct buf *out);
/* auxv entry (AT_*). */
bool target_auxv(const struct target *t, uint64_t type, uint64_t *value);

/* NULL when the address is in none. */
const struct target_mapping *target_mapping_at(
    const struct target *t, bt_addr_t address);
struct target_module *target_module_at(struct target *t, bt_addr_t address);
/* The address lies in a mapping with execute permission. */
bool target_is_executable(const struct target *t, bt_addr_t address);

/*
 * Memory, as the target saw it. Bytes that the core does not hold come from
 * the file image when its build-id is right and the mapping is not writable
 * (or its pages were not dumped because they were unmodified). Returns how
 * many bytes from address on could be read (a prefix of size).
 */
size_t target_read(struct target *t, bt_addr_t address, void *out, size_t size);
/* All or nothing, BT_E_FAULT with the first unreadable address. */
bool target_read_exact(
    struct target *t, bt_addr_t address, void *out, size_t size, bt_error_t *e);
bool target_read_u64(struct target *t, bt_addr_t address, uint64_t *out);
/* The bytes in place when they lie together (no copy), how many from address
 * on, at most size; 0 when none. Borrowed from the target. */
size_t target_view(
    struct target *t, bt_addr_t address, size_t size, const uint8_t **out);
/* A hint: what begins at address will be read in order, size bytes of it next;
 * what the last hint was about is done with. Reading ahead keeps the disk busy,
 * and memory use does not grow with what is read. */
void target_stream(struct target *t, bt_addr_t address, size_t size);
/* A hint: all of this will be read soon, in any order. A core that is not in
 * the page cache is read at once then, instead of page by page: 4 KiB take the
 * disk 80 us, whole stacks little more. Costs a system call, a microsecond. */
void target_expect(struct target *t, bt_addr_t address, size_t size);
/* A C string of at most max bytes: its length, or -1 when the first byte is
 * unreadable. *truncated: no NUL within max or within readable memory. */
ssize_t target_read_cstr(struct target *t, bt_addr_t address, char *out,
    size_t max, bool *truncated);

/* Bytes of thread-local storage that it has for each thread, from its header in
 * memory; where that is not in the core, from its file. 0: it has none, or
 * there is neither. */
uint64_t target_module_tls_size(struct target *t, struct target_module *m);
/* Somebody goes through the modules, looks at this one's image and will want
 * the next ones: their files may be opened meanwhile. */
void target_expect_images(struct target *t, size_t from);
/* Opens the module's image on first use (by path, checked by build-id; the
 * vdso and undeletable images from memory). NULL when there is none; the
 * reason is a warning. */
struct image *target_module_image(
    struct target *t, struct target_module *module);
/* Its debug information on first use; NULL when there is none. */
struct image *target_module_debug(
    struct target *t, struct target_module *module);

/* Address of a thread-local variable: module and offset in its TLS block
 * (DW_OP_form_tls_address). Static TLS and DTV (glibc: struct pthread at
 * fs_base; dtv at +8; module id from the link map). */
bool target_tls_address(struct target *t, const struct target_thread *thread,
    const struct target_module *module, uint64_t offset, bt_addr_t *out,
    bt_error_t *e);

#endif /* TARGET_TARGET_H */
