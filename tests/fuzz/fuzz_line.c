/* SPDX-License-Identifier: MIT */
/*
 * Line tables. The input is .debug_line and, in front of it, the strings that
 * both string sections have; the unit it belongs to is always the same.
 */
#include "dwarf/dwarf.h"
#include "fuzz.h"
#include "sections.h"

/* A unit of DWARF 4 with a name, a directory, 4 KiB of code at 0x1000, and the
 * line table at offset 0. */
static const uint8_t abbrev[] = {
    1, 0x11, 0, 3, 8, 0x1b, 8, 0x11, 1, 0x12, 6, 0x10, 0x17, 0, 0, 0};
static const uint8_t info[] = {38, 0, 0, 0, 4, 0, 0, 0, 0, 0, 8, 1, 'm', '.',
    'c', 0, '/', 'c', 'o', 'm', 'p', '/', 'd', 'i', 'r', 0, 0, 0x10, 0, 0, 0, 0,
    0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_section sections[] = {
	    {".debug_abbrev", view_of(abbrev, sizeof(abbrev))},
	    {".debug_info", view_of(info, sizeof(info))},
	    {".debug_line", {0}},
	    {".debug_line_str", {0}},
	    {".debug_str", {0}},
	};
	struct dwarf_options options = {0};
	struct budget budget;
	struct image *image;
	struct dwarf *d;

	fuzz_split(view_of(data, size), &sections[3].bytes, &sections[2].bytes);
	sections[4].bytes = sections[3].bytes;
	image = fuzz_sections(sections, sizeof(sections) / sizeof(*sections));
	if (image == NULL)
		return 0;
	budget_init(&budget, 1 << 20, 0);
	options.budget = &budget;
	if (dwarf_open(image, &options, &d, NULL)) {
		for (uint64_t pc = 0x1000; pc < 0x2000; pc += 3) {
			const struct dwarf_plan *plan = dwarf_plan_at(
			    d, pc, false);

			if (plan != NULL && plan->line != 0)
				fuzz_use_text(plan->path);
		}
		dwarf_close(d);
	}
	image_unref(image);
	return 0;
}
