/* SPDX-License-Identifier: MIT */
/*
 * The pipeline: a core or the capture of a live process goes in, a filled
 * snapshot comes out. The work is done
 * in stages, in order of importance, and a sink is told after each one, so
 * that whoever listens (the worker, which passes sections on) keeps what is
 * finished when a later stage dies.
 *
 * This is what runs in the worker. Fork, deadline and output file belong to
 * supervisor.h.
 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include "base/opener.h"
#include "module/loader.h"
#include "module/module.h"
#include "snapshot/model.h"

/* In the order in which they run. */
enum session_stage {
	SESSION_OPEN,	   /* core headers, notes, mappings */
	SESSION_FAULT,	   /* signal, attributes, the faulting thread */
	SESSION_THREADS,   /* the stacks of all others */
	SESSION_MODULES,   /* modules and mappings */
	SESSION_VARIABLES, /* of all frames, globals, objects */
	SESSION_ANALYSIS,  /* the analysis modules */
	SESSION_MEMORY,	   /* regions worth keeping */
	SESSION_RESOURCES, /* files the user attaches */
	SESSION_REPORT,	   /* printing (bt, ptrace -b) */
	SESSION_STAGE__COUNT
};
/* "open", "fault", ... */
const char *session_stage_name(enum session_stage stage);

enum session_level {
	SESSION_DEBUG,
	SESSION_INFO,
	SESSION_WARNING,
	SESSION_ERROR,
	SESSION_LEVEL__COUNT
};
const char *session_level_name(enum session_level level); /* "warning" */
/* Any case; false for a name that is none. */
bool session_level_parse(const char *name, enum session_level *out);

struct cache;
struct capture;
struct session_kept;

struct session_attribute {
	const char *key, *value;
};

/* All strings and arrays are borrowed. Lists of strings end with NULL and may
 * be NULL themselves. */
struct session_options {
	const char *core_path;
	int32_t pid;	       /* of a live process; 0: a core is examined */
	uint64_t max_pause_ns; /* that it may stand still; 0: default */
	bool fork;	       /* examine a frozen copy of it */
	const struct capture *capture; /* of it, set by the supervisor */
	const char *exe_path;	       /* NULL: found from the core */
	bool force;		       /* use a mismatched executable */
	const char *sysroot;
	const char *const *debug_paths; /* searched before the default ones */
	const char *const *load;	/* modules to load debug info of */

	const char *application; /* NULL: name of the executable */
	const struct session_attribute *attributes;
	size_t n_attributes;
	const char *defaults; /* lines of key=value (BACKTRACE_DEFAULTS) */
	const char *const *classifiers;

	const uint32_t *threads; /* only these, when n_threads is not 0 */
	size_t n_threads;
	uint32_t fault_thread; /* 0: as the core says */
	bool faulted;	       /* a fault even when the core has no signal */

	/* What to collect besides stacks. */
	bool variables;
	bool memory;
	bool modules; /* modules, mappings */
	const char *const *globals;
	const char *const *resources;

	/* Descriptors of analysis modules and names of those to leave out. */
	const pmodule_descriptor_t *const *analysis;
	size_t n_analysis;
	/* In place of those for processes of other architectures. */
	const pmodule_descriptor_t *const *portable;
	size_t n_portable;
	const char *const *without;
	/* What answers for the heap. */
	const ptrace_allocator_t *const *allocators;
	size_t n_allocators;
	/* Modules of the user's: files, and directories of files. */
	const char *const *module_files;
	const char *const *module_dirs;
	/* Opens those that are no shared objects; NULL: there are no others. */
	const struct module_language *language;
	/* Directory of the modules that come with us in that language, each of
	 * which is used where its condition holds; NULL: none is. */
	const char *shipped_dir;
	const struct module_option *module_options;
	size_t n_module_options;
	/* For each module that is loaded from a file, and for all of them
	 * together; 0: the supervisor's default, and none without one. */
	uint64_t module_time_ns, modules_time_ns;

	/* The process ends with this collection: what it has taken is left to
	 * that, which is quicker. */
	bool ends;
	/* Where modules stay from one collection to the next, by the same sink;
	 * NULL: they end with it. */
	struct session_kept *kept;
	/* Opens files for whoever may not; NULL: done here. */
	struct opener *opener;
	/* Of debug files that are read inflated; NULL: there is none. */
	struct cache *cache;
	struct session_sandbox {
		bool off;
		/* Modules may use libraries that open files, start programs or
		 * call anything: no system call is refused. */
		bool unfiltered;
		uint32_t uid; /* of the worker when we are root; 0: default */
	} sandbox;

	/* Values that do not go into the snapshot (secrets.c). */
	struct {
		bool on;
		/* Nothing at all is left out, not even of the environment,
		 * which otherwise goes by names alone when it is not on. */
		bool none;
		const char *const *patterns; /* more names, as fnmatch(3) */
	} scrub;

	uint64_t max_size;   /* bytes the snapshot may take, 0: default */
	uint64_t timeout_ns; /* for all stages together, 0: default */
	bool stats;

	/* Stages that are not to run: set when they were at fault before. The
	 * bit of SESSION_FAULT means: stacks without debug information. */
	uint32_t skip; /* bit per enum session_stage */
	/* Called in the worker when a stage begins; for those who want to see
	 * what happens when one does not end. */
	void (*on_stage)(enum session_stage stage, uint32_t skip);
};

enum {
	SESSION_DEFAULT_MAX_SIZE = 32 * 1024 * 1024,
	SESSION_MIN_MAX_SIZE = 64 * 1024,
	SESSION_DEFAULT_TIMEOUT_S = 25, /* callers kill tracers after 30 s */
	SESSION_DEFAULT_MODULE_TIME_S = 5,
	SESSION_DEFAULT_MODULES_TIME_S = 10
};

struct session_stats {
	uint64_t nanoseconds[SESSION_STAGE__COUNT];
	uint64_t frames, distinct_pcs;
	/* Lines about where debug information was looked for. */
	struct buf searches;
};

/* Who listens. Every member may be NULL. */
struct session_sink {
	void *ctx;
	/* It can do with variables that are packed (snapshot/pack.h): those of
	 * frames that nobody else asked for then are. */
	bool takes_packed;
	/* A stage (or, in the analysis, a module's callback) begins. */
	void (*enter)(void *ctx, enum session_stage stage, const char *module);
	/* A walk over the heap has met so many blocks, and done so many of all
	 * bytes (0: unknown); zeros: it is over. Called often. */
	void (*walking)(
	    void *ctx, uint64_t blocks, uint64_t done, uint64_t all);
	/* Modules of the user's are loaded, nothing foreign was read yet. */
	void (*loaded)(void *ctx, struct snapshot *s);
	/* How long this process was kept from running by others, so far; a
	 * quarter of a second old at most. */
	uint64_t (*waited)(void *ctx);
	/* The snapshot is filled as far as this stage goes. */
	void (*finished)(
	    void *ctx, enum session_stage stage, struct snapshot *s);
	/* What it was told may still be read, by another thread, but for
	 * variables: not any more when this returns. Called before values that
	 * are not to be in the snapshot are added (scrub.h), and before
	 * anything else changes but what the next stage collects. */
	void (*settle)(void *ctx);
	/* Everything is collected; nothing has been freed yet. */
	void (*complete)(
	    void *ctx, struct snapshot *s, const struct session_stats *stats);
	/* Modules changed what earlier stages had told: tell it again. */
	void (*revised)(void *ctx, struct snapshot *s);
	/* One line for a person, without a newline. */
	void (*log)(void *ctx, enum session_level level, const char *text);
};

/*
 * Collects a core into an uninitialised snapshot, which the caller deinits in
 * any case. False only when nothing can be had: no core, not a core. stats may
 * be NULL; otherwise its buf is initialised here and freed by the caller.
 */
bool session_collect(const struct session_options *options,
    const struct session_sink *sink, struct snapshot *out,
    struct session_stats *stats, bt_error_t *e);

/* Modules that stay loaded; NULL: no memory. Destroying it unloads them, while
 * the sink of the last collection still listens. NULL allowed. */
struct session_kept *session_kept_create(void);
void session_kept_destroy(struct session_kept *k);
/* The opener that the options ask for, in this process. */
bool session_opener_init(struct opener_local *out,
    const struct session_options *options, bt_error_t *e);
/* For all downloads together, in ns. */
uint64_t session_server_time(const struct session_options *options);

/* The name of the executable for the output file, from the snapshot. */
const char *session_exe_name(const struct snapshot *s);
int64_t session_pid(const struct snapshot *s); /* 0: unknown */

#endif /* SESSION_SESSION_H */
