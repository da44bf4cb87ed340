/* SPDX-License-Identifier: MIT */
#include "target/capture_private.h"

#include "harness/test.h"

/* What of a process may be read, by its mappings: the memory of a device can
 * do something when it is, and no machine for tests has one that shows it. */
TEST(devices_are_not_read)
{
	static const struct {
		const char *line; /* behind the addresses */
		bool readable, wanted;
	} cases[] = {
	    {"rw-p 00000000 00:00 0", true, true},
	    {"r--p 00000000 08:01 12    /usr/lib/libx.so", true, false},
	    {"---p 00000000 00:00 0", false, false},
	    {"rw-s 00000000 00:06 9     /dev/mem", false, false},
	    {"rw-s 00000000 00:06 9     /dev/dri/card0", false, false},
	    {"rw-s 00000000 00:06 9     /dev/zero (deleted)", true, true},
	    {"rw-s 00000000 00:18 9     /dev/shm/segment", true, true},
	    {"rw-s 00000000 00:15 9     /sys/devices/pci0/resource0", false,
		false},
	    {"r--p 00000000 00:00 0     [vvar]", false, false},
	    {"r--p 00000000 00:00 0     [vvar_vclock]", false, false},
	    {"r-xp 00000000 00:00 0     [vdso]", true, false},
	};
	enum { CASES = sizeof(cases) / sizeof(cases[0]), PAGE = 4096 };
	static struct capture c;
	struct taking t = {.c = &c};
	char text[CASES * 96];
	size_t size = 0;

	for (size_t i = 0; i < CASES; i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size,
		    "%zx-%zx %s\n", (i + 1) * PAGE, (i + 2) * PAGE,
		    cases[i].line);
	c.maps = (struct capture_text){(const uint8_t *)text, size};
	vec_init(&t.areas, 100);
	assert_true(memory_areas(&t));
	for (size_t i = 0; i < CASES; i++) {
		const struct capture_area *a = memory_area_at(
		    &t, (i + 1) * PAGE + 5);

		if ((a != NULL) != cases[i].readable ||
		    (a != NULL && a->wanted != cases[i].wanted))
			expect_str(cases[i].line, "");
	}
	vec_deinit(&t.areas);
}
