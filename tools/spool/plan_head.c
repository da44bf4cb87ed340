/* SPDX-License-Identifier: MIT */
/*
 * The head of a core: what says where its memory is, and its notes.
 */
#include "spool/plan.h"

#include <errno.h>
#include <unistd.h>

#include "base/note.h"

enum { HEAD_MAX = 256 * 1024 * 1024 };

static bool
check_ehdr(const Elf64_Ehdr *h, bt_error_t *e)
{
	if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0)
		return bt_fail_format(e, 0, "it does not begin as an ELF file");
	if (h->e_ident[EI_CLASS] != ELFCLASS64 ||
	    h->e_ident[EI_DATA] != ELFDATA2LSB || h->e_type != ET_CORE)
		return bt_fail_format(e, 4, "it is no 64-bit core");
	if (h->e_phoff != sizeof(*h) || h->e_phentsize != sizeof(Elf64_Phdr) ||
	    h->e_phnum == 0 || h->e_phnum == PN_XNUM)
		return bt_fail_format(e, 32,
		    "its program headers are not where the kernel puts "
		    "them");
	return true;
}

bool
plan_head_size(const void *data, size_t size, uint64_t *needed, bt_error_t *e)
{
	const Elf64_Ehdr *h = data;
	const Elf64_Phdr *p;

	*needed = sizeof(*h);
	if (size < *needed)
		return true;
	if (check_ehdr(h, e) == false)
		return false;
	*needed += (uint64_t)h->e_phnum * sizeof(*p);
	if (size < *needed)
		return true;
	p = (const Elf64_Phdr *)(h + 1);
	for (size_t i = 0; i < h->e_phnum; i++) {
		uint64_t end;

		if (p[i].p_type != PT_NOTE)
			continue;
		if (__builtin_add_overflow(
			p[i].p_offset, p[i].p_filesz, &end) ||
		    end > HEAD_MAX)
			return bt_fail_format(
			    e, p[i].p_offset, "its notes are too large");
		if (end > *needed)
			*needed = end;
	}
	return true;
}

static void
point_to(struct plan_head *h, const struct buf *b)
{

	*h = (struct plan_head){.data = b->data,
	    .size = b->size,
	    .ehdr = (const Elf64_Ehdr *)b->data};
	h->phdrs = (const Elf64_Phdr *)(h->ehdr + 1);
	h->n_phdrs = h->ehdr->e_phnum;
}

/* The end of the last segment. */
static bool
measure(const struct plan_head *h, uint64_t *total, bt_error_t *e)
{
	*total = 0;
	for (size_t i = 0; i < h->n_phdrs; i++) {
		uint64_t end;

		if (__builtin_add_overflow(
			h->phdrs[i].p_offset, h->phdrs[i].p_filesz, &end))
			return bt_fail_format(
			    e, h->phdrs[i].p_offset, "a segment has no end");
		if (end > *total)
			*total = end;
	}
	return true;
}

bool
plan_head_parse(
    struct plan_head *h, const struct buf *b, uint64_t *total, bt_error_t *e)
{
	uint64_t needed;

	if (plan_head_size(b->data, b->size, &needed, e) == false)
		return false;
	if (b->size < needed)
		return bt_fail_format(e, b->size, "it ends within its head");
	point_to(h, b);
	h->size = needed;
	if (measure(h, total, e) == false)
		return false;
	if (*total < needed)
		*total = needed;
	return true;
}

/* ---- from a file ---- */

size_t
plan_read_at(int fd, uint64_t offset, void *out, size_t size)
{
	size_t got = 0;

	while (got < size) {
		ssize_t n = pread(
		    fd, (char *)out + got, size - got, (off_t)(offset + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	return got;
}

/* So many bytes of the file behind what out has; how many there were. */
static size_t
append_at(int fd, uint64_t offset, size_t size, struct buf *out)
{
	uint8_t *place = buf_extend(out, size);
	size_t got;

	if (place == NULL)
		return 0;
	got = plan_read_at(fd, offset, place, size);
	out->size -= size - got;
	return got;
}

/* The notes of segment i behind the head, where its program header says from
 * now on that they are. A file that was cut off has a part of them, or none. */
static bool
gather_note(int fd, size_t i, struct buf *out)
{
	size_t place = sizeof(Elf64_Ehdr) + i * sizeof(Elf64_Phdr);
	uint64_t at;
	Elf64_Phdr p;

	memcpy(&p, out->data + place, sizeof(p));
	if (p.p_type != PT_NOTE)
		return true;
	if (p.p_filesz > HEAD_MAX - out->size || p.p_offset > INT64_MAX)
		return false;
	while ((out->size & 3) != 0)
		buf_putc(out, '\0');
	at = p.p_offset;
	p.p_offset = out->size;
	p.p_filesz = append_at(fd, at, p.p_filesz, out);
	if (out->failed)
		return false;
	memcpy(out->data + place, &p, sizeof(p));
	return true;
}

bool
plan_head_gather(int fd, struct buf *out, struct plan_head *h, uint64_t *total,
    bt_error_t *e)
{
	Elf64_Ehdr ehdr;
	struct plan_head there;
	size_t table;

	if (append_at(fd, 0, sizeof(ehdr), out) != sizeof(ehdr))
		return bt_fail_format(e, 0, "it ends within its head");
	memcpy(&ehdr, out->data, sizeof(ehdr));
	if (check_ehdr(&ehdr, e) == false)
		return false;
	table = ehdr.e_phnum * sizeof(Elf64_Phdr);
	if (append_at(fd, sizeof(ehdr), table, out) != table)
		return bt_fail_format(e, out->size, "it ends within its head");
	point_to(&there, out);
	if (measure(&there, total, e) == false)
		return false;
	for (size_t i = 0; i < ehdr.e_phnum; i++)
		if (gather_note(fd, i, out) == false)
			return bt_fail_format(e, 0, "its notes are too large");
	point_to(h, out);
	h->gathered = true;
	return true;
}

/* ---- notes ---- */

void
plan_each_note(const struct plan_head *h,
    void (*visit)(void *ctx, uint32_t type, const uint8_t *data, size_t size),
    void *ctx)
{
	for (size_t i = 0; i < h->n_phdrs; i++) {
		struct view notes;
		struct note n;

		if (h->phdrs[i].p_type != PT_NOTE)
			continue;
		notes = view_of(
		    h->data + h->phdrs[i].p_offset, h->phdrs[i].p_filesz);
		while (note_next(&notes, 4, &n))
			visit(ctx, n.type, n.desc.data, n.desc.size);
	}
}
