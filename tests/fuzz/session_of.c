/* SPDX-License-Identifier: MIT */
/*
 * A session over a core and an executable that are in memory.
 */
#include "session_of.h"

#include <unistd.h>

#include "fuzz.h"

enum { SNAPSHOT_MAX = 4 << 20 };

void
fuzz_session(struct session_options *options, struct view exe, struct view core,
    void (*show)(const struct snapshot *s))
{
	struct session_sink sink = {0};
	int core_fd = fuzz_file(core.data, core.size);
	int exe_fd = fuzz_file(exe.data, exe.size);
	char core_path[FUZZ_PATH_SIZE], exe_path[FUZZ_PATH_SIZE];
	struct snapshot s;
	bt_error_t e = {0};

	if (core_fd < 0 || exe_fd < 0)
		return;
	options->core_path = fuzz_path(core_fd, core_path);
	options->exe_path = fuzz_path(exe_fd, exe_path);
	options->sysroot = fuzz_empty_dir();
	/* It is the right one until the input says otherwise. */
	options->force = exe.size % 2 != 0;
	options->max_size = SNAPSHOT_MAX;
	if (session_collect(options, &sink, &s, NULL, &e))
		show(&s);
	else
		fuzz_use_text(e.text);
	snapshot_deinit(&s);
	(void)close(core_fd);
	(void)close(exe_fd);
}
