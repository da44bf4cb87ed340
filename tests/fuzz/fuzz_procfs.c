/* SPDX-License-Identifier: MIT */
/*
 * Text of /proc: every parser on the same bytes.
 */
#include "fuzz.h"

#include "target/procfs.h"

static void
values(struct view text)
{
	static const char *const keys[] = {
	    "Name", "State", "Pid", "TracerPid", "SigQ", "MemTotal", "btime"};
	struct view value;
	uint64_t number;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (!procfs_field(text, keys[i], &value))
			continue;
		fuzz_use(value.data, value.size);
		for (unsigned n = 0; n < 4; n++)
			(void)procfs_number(value, n, &number);
		(void)procfs_field_u64(text, keys[i], &number);
	}
}

static void
mappings(struct view v)
{
	struct procfs_mapping m;
	size_t bad = 0, n;
	char path[64];

	while (procfs_next_mapping(&v, &m, &bad)) {
		fuzz_use(m.path.data, m.path.size);
		n = procfs_path(m.path, path, sizeof(path));
		fuzz_use(path, n);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = view_of(data, size), v = text, part;
	struct procfs_stat stat;
	struct procfs_syscall call;
	struct procfs_limit limit;

	if (procfs_parse_stat(text, &stat))
		fuzz_use_text(stat.comm);
	if (procfs_parse_syscall(text, &call))
		fuzz_use(&call, sizeof(call));
	values(text);
	mappings(text);
	while (procfs_next_kernel_frame(&v, &part))
		fuzz_use(part.data, part.size);
	for (v = text; procfs_next_limit(&v, &limit);) {
		fuzz_use(limit.label.data, limit.label.size);
		fuzz_use(limit.unit.data, limit.unit.size);
	}
	for (v = text; procfs_line(&v, &part);)
		fuzz_use(part.data, part.size);
	return 0;
}
