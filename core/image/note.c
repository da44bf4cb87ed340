/* SPDX-License-Identifier: MIT */
/*
 * What ties files together: the build-id (a note of name "GNU" and type 3),
 * .gnu_debuglink (file name and CRC-32) and .gnu_debugaltlink (path and
 * build-id of a dwz file).
 */
#include "base/note.h"
#include "image/internal.h"

bool
image_build_id_from_notes(
    struct view notes, uint64_t align, struct image_build_id *out)
{
	struct note n;

	memset(out, 0, sizeof(*out));
	while (note_next(&notes, align, &n)) {
		if (n.type != NT_GNU_BUILD_ID || n.name.size != 4 ||
		    memcmp(n.name.data, "GNU", 4) != 0 || n.desc.size == 0 ||
		    n.desc.size > IMAGE_BUILD_ID_MAX)
			continue;
		memcpy(out->bytes, n.desc.data, n.desc.size);
		out->size = (uint32_t)n.desc.size;
		return true;
	}
	return false;
}

static bool
build_id_from_sections(struct image *image)
{
	for (size_t i = 0; i < image->nsections; i++) {
		const struct image_section *s = &image->sections[i];
		struct view v;

		if (s->type == SHT_NOTE && section_raw(image, s, &v, NULL) &&
		    image_build_id_from_notes(v, 4, &image->build_id))
			return true;
	}
	return false;
}

static bool
build_id_from_segments(struct image *image)
{
	if (image->debug_only)
		return false;
	for (size_t i = 0; i < image->nsegments; i++) {
		const struct image_segment *s = &image->segments[i];
		struct view v = view_from(&image->file, s->offset);

		if (s->type != PT_NOTE || !view_ok(&v))
			continue;
		if (v.size > s->filesz)
			v.size = (size_t)s->filesz;
		if (image_build_id_from_notes(v, s->align, &image->build_id))
			return true;
	}
	return false;
}

const struct image_build_id *
image_build_id(struct image *image)
{
	if (!image->build_id_tried) {
		image->build_id_tried = true;
		if (!build_id_from_segments(image))
			(void)build_id_from_sections(image);
	}
	return image->build_id.size > 0 ? &image->build_id : NULL;
}

bool
image_build_id_equal(
    const struct image_build_id *a, const struct image_build_id *b)
{
	return a->size > 0 && a->size == b->size &&
	    a->size <= IMAGE_BUILD_ID_MAX &&
	    memcmp(a->bytes, b->bytes, a->size) == 0;
}

char *
image_build_id_hex(const struct image_build_id *id, char *out)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t n = id->size;
	char *p = out;

	if (n > IMAGE_BUILD_ID_MAX)
		n = IMAGE_BUILD_ID_MAX;
	for (uint32_t i = 0; i < n; i++) {
		*p++ = digits[id->bytes[i] >> 4];
		*p++ = digits[id->bytes[i] & 15];
	}
	*p = '\0';
	return out;
}

bool
image_debuglink(struct image *image, const char **name, uint32_t *crc)
{
	struct view v;

	if (!image_section_view(image, ".gnu_debuglink", &v, NULL))
		return false;
	*name = view_cstr(&v);
	view_skip(&v, -v.pos & 3);
	*crc = view_u32(&v);
	/* A name with a slash would lead out of the directories searched. */
	return view_ok(&v) && (*name)[0] != '\0' &&
	    strchr(*name, '/') == NULL && strcmp(*name, ".") != 0 &&
	    strcmp(*name, "..") != 0;
}

bool
image_debugaltlink(
    struct image *image, const char **path, struct image_build_id *id)
{
	struct view v;
	const uint8_t *bytes;

	memset(id, 0, sizeof(*id));
	if (!image_section_view(image, ".gnu_debugaltlink", &v, NULL))
		return false;
	*path = view_cstr(&v);
	if (!view_ok(&v) || (*path)[0] == '\0' || view_left(&v) == 0 ||
	    view_left(&v) > IMAGE_BUILD_ID_MAX)
		return false;
	id->size = (uint32_t)view_left(&v);
	bytes = view_bytes(&v, id->size);
	memcpy(id->bytes, bytes, id->size);
	return true;
}
