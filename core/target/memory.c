/* SPDX-License-Identifier: MIT */
/*
 * Memory of the target. First the bytes it holds itself; then, for mappings
 * that nobody could have written to, the same bytes of the file that was
 * mapped, if that file is proven to be the right one; last what a backend can
 * only get by asking for it.
 */
#include "target/target_private.h"

/*
 * The kernel leaves file pages out of a core when they were never written
 * (mm/coredump: vma_dump_size). Pages of a writable segment may have been
 * changed even if their mapping is read-only now (RELRO), so the segment's
 * flags count as well as the mapping's.
 */
static bool
image_range_find(struct target *t, bt_addr_t address)
{
	const struct target_mapping *m = target_mapping_at(t, address);
	const struct image_segment *segments;
	struct target_module *module;
	struct image *image;
	const uint8_t *bytes;
	size_t n, got;

	if (m == NULL || (m->perms & TARGET_W) != 0 || m->path == NULL ||
	    m->module == TARGET_NO_MODULE)
		return false;
	module = &t->modules.items[m->module];
	image = target_module_image(t, module);
	if (image == NULL || module->mismatched)
		return false;
	n = image_segments(image, &segments);
	for (size_t i = 0; i < n; i++) {
		const struct image_segment *s = &segments[i];
		uint64_t vaddr = address - module->bias;

		if (s->type != 1 /* PT_LOAD */ || vaddr < s->vaddr ||
		    vaddr - s->vaddr >= s->filesz)
			continue;
		if ((s->flags & TARGET_W) != 0 ||
		    m->offset + (address - m->start) !=
			s->offset + (vaddr - s->vaddr))
			return false;
		bt_addr_t start = s->vaddr + module->bias;
		if (start < m->start)
			start = m->start;
		got = image_read_vaddr(image, start - module->bias,
		    (size_t)(m->end - start), &bytes);
		if (got <= address - start)
			return false;
		t->image_range.start = start;
		t->image_range.end = start + got;
		t->image_range.bytes = bytes;
		return true;
	}
	return false;
}

static size_t
image_view(
    struct target *t, bt_addr_t address, size_t size, const uint8_t **out)
{
	uint64_t left;

	if (address < t->image_range.start || address >= t->image_range.end) {
		if (!image_range_find(t, address))
			return 0;
	}
	left = t->image_range.end - address;
	*out = t->image_range.bytes + (address - t->image_range.start);
	return left < size ? (size_t)left : size;
}

size_t
target_view(
    struct target *t, bt_addr_t address, size_t size, const uint8_t **out)
{
	size_t got = t->ops->view(t, address, size, out);

	if (got == 0 && size != 0)
		got = image_view(t, address, size, out);
	if (got == 0 && size != 0 && t->ops->fetch != NULL)
		got = t->ops->fetch(t, address, size, out);
	return got;
}

void
target_stream(struct target *t, bt_addr_t address, size_t size)
{

	if (t->ops->stream != NULL)
		t->ops->stream(t, address, size);
}

void
target_expect(struct target *t, bt_addr_t address, size_t size)
{
	if (t->ops->expect != NULL)
		t->ops->expect(t, address, size);
}

static size_t
read_through(
    struct target *t, bt_addr_t address, void *out, size_t size, bool own_only)
{
	uint8_t *to = out;
	size_t done = 0;

	while (done < size) {
		const uint8_t *bytes;
		bt_addr_t at = address + done;
		size_t got;

		if (at < address)
			break;
		got = t->ops->view(t, at, size - done, &bytes);
		if (got == 0 && !own_only)
			got = image_view(t, at, size - done, &bytes);
		if (got == 0 && t->ops->fetch != NULL)
			got = t->ops->fetch(t, at, size - done, &bytes);
		if (got == 0)
			break;
		memcpy(to + done, bytes, got);
		done += got;
	}
	return done;
}

size_t
target_read(struct target *t, bt_addr_t address, void *out, size_t size)
{
	return read_through(t, address, out, size, false);
}

size_t
target_read_own(struct target *t, bt_addr_t address, void *out, size_t size)
{
	return read_through(t, address, out, size, true);
}

bool
target_read_exact(
    struct target *t, bt_addr_t address, void *out, size_t size, bt_error_t *e)
{
	size_t got = target_read(t, address, out, size);

	if (got == size)
		return true;
	return bt_fail_fault(e, address + got,
	    "memory at 0x%llx is not readable",
	    (unsigned long long)(address + got));
}

bool
target_read_u64(struct target *t, bt_addr_t address, uint64_t *out)
{
	const uint8_t *bytes;
	uint64_t value;

	if (target_view(t, address, sizeof(value), &bytes) == sizeof(value)) {
		memcpy(out, bytes, sizeof(value));
		return true;
	}
	if (target_read(t, address, &value, sizeof(value)) != sizeof(value))
		return false;
	*out = value;
	return true;
}

bool
target_read_word(struct target *t, bt_addr_t address, uint64_t *out)
{
	uint32_t narrow;

	if (t->arch->narrow) {
		if (target_read(t, address, &narrow, sizeof(narrow)) !=
		    sizeof(narrow))
			return false;
		*out = t->arch->big_endian ? __builtin_bswap32(narrow) : narrow;
		return true;
	}
	if (!target_read_u64(t, address, out))
		return false;
	if (t->arch->big_endian)
		*out = __builtin_bswap64(*out);
	return true;
}

ssize_t
target_read_cstr(
    struct target *t, bt_addr_t address, char *out, size_t max, bool *truncated)
{
	size_t done = 0;

	*truncated = true;
	if (max == 0)
		return -1;
	while (done < max - 1) {
		size_t want = max - 1 - done, got;
		const char *nul;

		/* A page at a time: the string is rarely longer, and what
		 * follows may not be readable. */
		if (want > 256)
			want = 256;
		got = target_read(t, address + done, out + done, want);
		if (got == 0)
			break;
		nul = memchr(out + done, 0, got);
		if (nul != NULL) {
			*truncated = false;
			return nul - out;
		}
		done += got;
		if (got < want)
			break;
	}
	out[done] = '\0';
	return done == 0 ? -1 : (ssize_t)done;
}
