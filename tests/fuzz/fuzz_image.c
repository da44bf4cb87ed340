/* SPDX-License-Identifier: MIT */
/*
 * An ELF file: all that can be asked of an image.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "image/image.h"

enum { ASKED = 64 };

static bool
symbol(void *ctx, const struct image_symbol *s)
{
	unsigned *left = ctx;

	fuzz_use_text(s->name);
	return --*left != 0;
}

static void
sections(struct image *image)
{
	const struct image_section *s;
	size_t n = image_sections(image, &s);

	for (size_t i = 0; i < n && i < ASKED; i++) {
		struct view v;

		fuzz_use_text(s[i].name);
		/* Half a gigabyte of zeros is no bug, but takes long. */
		if (s[i].size < 1 << 20 &&
		    image_section_view(image, s[i].name, &v, NULL)) {
			fuzz_use(v.data, v.size < 4096 ? v.size : 4096);
			image_will_read(image, v);
		}
	}
}

static void
addresses(struct image *image)
{
	const struct image_segment *s;
	size_t n = image_segments(image, &s);

	for (size_t i = 0; i < n && i < ASKED; i++) {
		uint64_t ends[] = {s[i].vaddr, s[i].vaddr + s[i].filesz - 1,
		    s[i].vaddr + s[i].memsz / 2};

		for (size_t k = 0; k < sizeof(ends) / sizeof(*ends); k++) {
			struct image_symbol found;
			const uint8_t *bytes = NULL;
			const char *name;
			size_t n_bytes = image_read_vaddr(
			    image, ends[k], 64, &bytes);

			fuzz_use(bytes, n_bytes);
			if (image_symbol_at(image, ends[k], &found))
				fuzz_use_text(found.name);
			if (image_plt_name(image, ends[k], &name))
				fuzz_use_text(name);
		}
	}
}

static void
links(struct image *image)
{
	char hex[2 * IMAGE_BUILD_ID_MAX + 1];
	const struct image_build_id *id = image_build_id(image);
	struct image_build_id other;
	const char *name;
	uint32_t crc;

	if (id != NULL)
		fuzz_use_text(image_build_id_hex(id, hex));
	if (image_debuglink(image, &name, &crc))
		fuzz_use_text(name);
	if (image_debugaltlink(image, &name, &other))
		fuzz_use_text(name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image_symbol found;
	struct image *image;
	unsigned left = 100000;
	void *copy = malloc(size != 0 ? size : 1);

	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	if (!image_from_memory(copy, size, "input", &image, NULL))
		return 0;
	/* Its own addresses as a loader leaves them. */
	if (size != 0 && data[size - 1] == 1)
		image_set_dynamic_bias(image, 0x1000);
	links(image);
	sections(image);
	addresses(image);
	if (image_symbol_named(image, "main", &found) ||
	    image_symbol_named(image, "_start", &found))
		fuzz_use_text(found.name);
	image_symbols_each(image, symbol, &left);
	image_unref(image);
	return 0;
}
