/* SPDX-License-Identifier: MIT */
/*
 * Receiving a core.
 */
#include "spool/copy.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "service/file.h"

enum { STEP = 1 << 20, HEAD_MAX = 300 << 20 };

struct copier {
	const struct copy_source *in;
	struct copy_result *result;
	int out;
	uint64_t room; /* bytes that may still be written */
	uint64_t at;   /* offset in the stream */
	uint8_t *step; /* STEP bytes */
};

/* Waits until there is something; false when nothing comes for too long. */
static bool
wait_readable(const struct copy_source *in)
{
	struct pollfd p = {.fd = in->fd, .events = POLLIN};
	int ready;

	if (in->stall == 0 || in->seekable)
		return true;
	do
		ready = poll(&p, 1, (int)in->stall * 1000);
	while (ready < 0 && errno == EINTR);
	return ready > 0;
}

/* 0: the end, or result->cut says why there is no more. */
static size_t
get(struct copier *c, void *data, size_t size)
{
	for (;;) {
		ssize_t n;

		if (wait_readable(c->in) == false) {
			c->result->cut = "stalled";
			return 0;
		}
		n = read(c->in->fd, data, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			c->result->cut = "read error";
		if (n <= 0)
			return 0;
		c->at += (uint64_t)n;
		c->result->received += (uint64_t)n;
		return (size_t)n;
	}
}

/* False: the disk is full, or the room used up. */
static bool
put(struct copier *c, const void *data, size_t size)
{
	bt_error_t e;
	bool all = size <= c->room;

	if (all == false)
		size = (size_t)c->room;
	if (file_write(c->out, data, size, &e) == false) {
		c->result->cut = "disk full";
		return false;
	}
	c->room -= size;
	c->result->written += size;
	if (all == false)
		c->result->cut = "no room";
	return all;
}

/* To the end of the stream, without a look at it. */
static void
copy_rest(struct copier *c)
{
	size_t n;

	while ((n = get(c, c->step, STEP)) != 0)
		if (put(c, c->step, n) == false)
			break;
	/* Somebody may wait for us to take it all. */
	if (c->in->seekable == false && c->result->cut != NULL)
		while (get(c, c->step, STEP) != 0)
			continue;
}

/* Takes the stream to this offset. False: it ends before. */
static bool
skip_to(struct copier *c, uint64_t offset)
{
	if (c->in->seekable) {
		c->at = offset;
		return lseek(c->in->fd, (off_t)offset, SEEK_SET) ==
		    (off_t)offset;
	}
	if (offset < c->at)
		return false;
	while (c->at < offset) {
		uint64_t left = offset - c->at;

		if (get(c, c->step, left < STEP ? (size_t)left : STEP) == 0)
			return false;
	}
	return true;
}

static bool
copy_range(struct copier *c, const struct plan_range *r)
{
	uint64_t end = r->from + r->size;

	if (skip_to(c, r->from) == false)
		return false;
	while (c->at < end) {
		uint64_t left = end - c->at;
		size_t n = get(c, c->step, left < STEP ? (size_t)left : STEP);

		if (n == 0 || put(c, c->step, n) == false)
			return false;
	}
	return true;
}

/* ---- the process's memory ---- */

struct memory {
	const struct copy_source *in;
	const struct plan_head *head;
};

static size_t
read_process(void *ctx, uint64_t address, void *out, size_t size)
{
	const struct memory *m = ctx;

	if (address > INT64_MAX)
		return 0;
	if (m->in->seekable == false) {
		size_t got = plan_read_at(m->in->memory_fd, address, out, size);

		/* A mapping's end is within: page by page. */
		return got != 0 || size <= 4096
		    ? got
		    : read_process(ctx, address, out, size / 2);
	}
	for (size_t i = 0; i < m->head->n_phdrs; i++) {
		const Elf64_Phdr *p = &m->head->phdrs[i];
		uint64_t inside = address - p->p_vaddr;

		if (p->p_type != PT_LOAD || address < p->p_vaddr ||
		    inside >= p->p_filesz)
			continue;
		if (size > p->p_filesz - inside)
			size = (size_t)(p->p_filesz - inside);
		return plan_read_at(
		    m->in->memory_fd, p->p_offset + inside, out, size);
	}
	return 0;
}

/* ---- the whole ---- */

/* Everything up to the notes' end. False with *e clear: the stream ends
 * there. */
static bool
read_head(struct copier *c, struct buf *head, bt_error_t *e)
{
	uint64_t needed = COPY_LEAST;

	e->code = BT_OK;
	while (head->size < needed) {
		size_t want = (size_t)(needed - head->size), n;
		uint8_t *place = buf_extend(head, want);

		if (place == NULL)
			return bt_fail(e, BT_E_NOMEM, "out of memory");
		head->size -= want;
		n = get(c, place, want);
		if (n == 0)
			return false;
		head->size += n;
		if (head->size == needed &&
		    plan_head_size(head->data, head->size, &needed, e) == false)
			return false;
	}
	return true;
}

static bool
copy_by_plan(struct copier *c, const struct plan_head *head, bt_error_t *e)
{
	struct memory memory = {c->in, head};
	struct plan_memory reader = {read_process, &memory};
	struct plan plan;
	struct buf text;
	bool good;

	if (plan_make(&plan, head, c->room,
		c->in->memory_fd >= 0 ? &reader : NULL, e) == false)
		return false;
	buf_init(&text, HEAD_MAX);
	good = plan_write_head(&plan, head, &text, e);
	if (good && put(c, text.data, text.size)) {
		c->result->missing = plan.missing;
		for (size_t i = 0; i < plan.ranges.count; i++)
			if (plan.ranges.items[i].kept &&
			    copy_range(c, &plan.ranges.items[i]) == false)
				break;
		c->result->cut = "no room";
	}
	buf_deinit(&text);
	plan_deinit(&plan);
	while (good && c->in->seekable == false && get(c, c->step, STEP) != 0)
		continue;
	return good;
}

static bool
copy_known(struct copier *c, const struct buf *bytes, bt_error_t *e)
{
	struct plan_head head;
	uint64_t total;

	if (plan_head_parse(&head, bytes, &total, e) == false)
		return false;
	if (total > c->room)
		return copy_by_plan(c, &head, e);
	if (put(c, bytes->data, bytes->size))
		copy_rest(c);
	if (c->result->cut == NULL && c->result->received < total)
		c->result->cut = "ended early";
	return true;
}

/* Compressed ones come from other collectors; ptrace reads them. */
static bool
is_compressed(const uint8_t *p)
{
	static const uint8_t zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
	static const uint8_t xz[] = {0xfd, '7', 'z', 'X', 'Z', 0};

	return memcmp(p, zstd, sizeof(zstd)) == 0 ||
	    memcmp(p, xz, sizeof(xz)) == 0 || (p[0] == 0x1f && p[1] == 0x8b);
}

static bool
is_elf_core(const uint8_t *p)
{

	return memcmp(p, ELFMAG, SELFMAG) == 0 && p[16] == ET_CORE &&
	    p[17] == 0;
}

bool
copy_is_core(const uint8_t *first)
{

	return is_elf_core(first) || is_compressed(first);
}

/* *known is false when it cannot be taken apart, and nothing was written. */
static bool
copy_file(struct copier *c, bool *known, bt_error_t *e)
{
	struct plan_head head;
	struct buf bytes;
	uint64_t total;
	bool good = true;

	buf_init(&bytes, HEAD_MAX);
	*known = plan_head_gather(c->in->fd, &bytes, &head, &total, e);
	if (*known && total > c->room) {
		good = copy_by_plan(c, &head, e);
	} else if (*known) {
		copy_rest(c);
		if (c->result->cut == NULL && c->result->received < total)
			c->result->cut = "ended early";
	}
	buf_deinit(&bytes);
	return good;
}

static bool
copy_head_and_rest(struct copier *c, struct buf *head, bt_error_t *e)
{
	bool known = false;

	if (c->in->seekable && copy_file(c, &known, e) == false)
		return false;
	if (known)
		return true;
	known = read_head(c, head, e);
	if (head->size < COPY_LEAST)
		return bt_fail(e, BT_E_FORMAT, "no core: %zu bytes came%s%s",
		    head->size, c->result->cut != NULL ? ", " : "",
		    c->result->cut != NULL ? c->result->cut : "");
	if (copy_is_core(head->data) == false)
		return bt_fail(e, BT_E_FORMAT, "what came is no core");
	if (known)
		return copy_known(c, head, e);
	/* Cut off in its head, or of a form that cannot be taken apart: what
	 * there is, as it comes. */
	if (put(c, head->data, head->size))
		copy_rest(c);
	if (e->code == BT_OK && c->result->cut == NULL)
		c->result->cut = "ended early";
	return true;
}

bool
copy_core(const struct copy_source *in, int out_fd, uint64_t room,
    struct copy_result *result, bt_error_t *e)
{
	struct copier c = {.in = in,
	    .result = result,
	    .out = out_fd,
	    .room = room,
	    .step = malloc(STEP)};
	struct buf head;
	bool good;

	*result = (struct copy_result){0};
	if (c.step == NULL)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	buf_init(&head, HEAD_MAX);
	good = copy_head_and_rest(&c, &head, e);
	buf_deinit(&head);
	free(c.step);
	return good;
}
