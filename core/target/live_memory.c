/* SPDX-License-Identifier: MIT */
/*
 * Memory of a captured process. First the pages that were copied while it
 * stood still. Others are read from the process as it runs on, each page once,
 * so that at least two looks at it agree; the first time this happens to
 * memory that can change it is said. Where there is a frozen copy it is asked
 * first, for all that is not shared with other processes.
 */
#include <unistd.h>

#include "target/capture_private.h"
#include "target/live_private.h"

enum { PAGE = 4096, AHEAD_MAX = 64, UNREADABLE = 1 };

/* A heap of several gigabytes is not ours to copy. */
static const uint64_t blocks_most = (uint64_t)1 << 30;
static const size_t pages_most = (size_t)1 << 20;

static int
range_compare(const void *a, const void *b)
{
	const struct capture_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

bool
live_memory_init(struct live *l)
{
	const struct capture *c = l->capture;

	vec_init(&l->ranges, c->n_ranges + 1);
	map_init(&l->pages, pages_most);
	l->ahead = 1;
	for (size_t i = 0; i < c->n_ranges; i++) {
		struct capture_range *r = vec_push(&l->ranges);

		if (r == NULL)
			return false;
		*r = c->ranges[i];
	}
	if (l->ranges.count != 0)
		qsort(l->ranges.items, l->ranges.count,
		    sizeof(l->ranges.items[0]), range_compare);
	return true;
}

void
live_memory_deinit(struct live *l)
{
	struct live_block *next;

	for (struct live_block *b = l->blocks; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	map_deinit(&l->pages);
	vec_deinit(&l->ranges);
}

static size_t
range_index(const struct live *l, bt_addr_t address)
{
	size_t low = 0, high = l->ranges.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (l->ranges.items[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? SIZE_MAX : low - 1;
}

static size_t
view_later(struct live *l, bt_addr_t address, size_t size, const uint8_t **out)
{
	const uint64_t *slot = map_get(&l->pages, address / PAGE);
	size_t within = address % PAGE;

	if (slot == NULL || *slot == UNREADABLE)
		return 0;
	*out = (const uint8_t *)(uintptr_t)*slot + within;
	return size < PAGE - within ? size : PAGE - within;
}

size_t
live_view(struct target *t, bt_addr_t address, size_t size, const uint8_t **out)
{
	struct live *l = (struct live *)t;
	const struct capture_range *r;
	uint64_t left;

	if (l->last >= l->ranges.count ||
	    address - l->ranges.items[l->last].start >=
		l->ranges.items[l->last].size) {
		size_t i = range_index(l, address);

		if (i == SIZE_MAX ||
		    address - l->ranges.items[i].start >=
			l->ranges.items[i].size)
			return view_later(l, address, size, out);
		l->last = i;
	}
	r = &l->ranges.items[l->last];
	left = r->size - (address - r->start);
	*out = r->bytes + (address - r->start);
	return left < size ? (size_t)left : size;
}

static bool
is_held(const struct live *l, bt_addr_t page)
{
	size_t i = range_index(l, page);

	return (i != SIZE_MAX &&
		   page - l->ranges.items[i].start < l->ranges.items[i].size) ||
	    map_get(&l->pages, page / PAGE) != NULL;
}

static void
warn_once(struct live *l, const struct target_mapping *m)
{
	if (l->warned || (m->perms & TARGET_W) == 0)
		return;
	l->warned = true;
	target_warn(&l->base, "live.running",
	    "some memory (at 0x%llx first) was read after the process ran on "
	    "and may be newer than the stacks",
	    (unsigned long long)m->start);
}

/* Does the copy have it as it was? */
static bool
is_frozen(const struct live *l, bt_addr_t page, const struct target_mapping *m)
{
	return l->base.process.frozen && (m->perms & TARGET_SHARED) == 0 &&
	    !capture_in_gap(l->capture, page);
}

/* Reads pages from one on into a block of their own. */
static size_t
read_pages(struct live *l, int fd, bt_addr_t page, size_t n)
{
	struct live_block *b;
	ssize_t got;

	if (l->block_bytes + n * PAGE > blocks_most)
		return 0;
	b = malloc(sizeof(*b) + n * PAGE);
	if (b == NULL)
		return 0;
	got = pread(fd, b->bytes, n * PAGE, (off_t)page);
	n = got > 0 ? (size_t)got / PAGE : 0;
	if (n == 0) {
		free(b);
		return 0;
	}
	b->next = l->blocks;
	l->blocks = b;
	l->block_bytes += n * PAGE;
	for (size_t i = 0; i < n; i++) {
		uint64_t *slot = map_put(&l->pages, page / PAGE + i, NULL);

		if (slot == NULL)
			return i;
		*slot = (uint64_t)(uintptr_t)(b->bytes + i * PAGE);
	}
	return n;
}

/* Whoever reads in order gets more at a time. */
static size_t
pages_wanted(struct live *l, bt_addr_t page, const struct target_mapping *m)
{
	size_t n = 1;

	if (page != l->ahead_at)
		l->ahead = 1;
	else if (l->ahead < AHEAD_MAX)
		l->ahead *= 2;
	while (n < l->ahead && page + n * PAGE < m->end &&
	    !is_held(l, page + n * PAGE) &&
	    is_frozen(l, page + n * PAGE, m) == is_frozen(l, page, m))
		n++;
	return n;
}

/* Mappings that do something when they are read. */
static bool
is_device(const char *path)
{
	return path != NULL &&
	    ((strncmp(path, "/dev/", 5) == 0 &&
		 strncmp(path, "/dev/shm/", 9) != 0 &&
		 strncmp(path, "/dev/zero", 9) != 0) ||
		strncmp(path, "/sys/", 5) == 0 ||
		strncmp(path, "[vvar", 5) == 0);
}

size_t
live_fetch(
    struct target *t, bt_addr_t address, size_t size, const uint8_t **out)
{
	struct live *l = (struct live *)t;
	bt_addr_t page = address & ~(bt_addr_t)(PAGE - 1);
	const struct target_mapping *m = target_mapping_at(t, address);
	uint64_t *slot;
	size_t n, wanted;
	bool frozen;

	if (m == NULL || (m->perms & TARGET_R) == 0 || is_device(m->path) ||
	    page > INT64_MAX || map_get(&l->pages, address / PAGE) != NULL)
		return 0;
	wanted = pages_wanted(l, page, m);
	n = 0;
	if (is_frozen(l, page, m))
		n = read_pages(l, l->capture->fork.mem_fd, page, wanted);
	frozen = n != 0;
	if (n == 0)
		n = read_pages(l, l->capture->mem_fd, page, wanted);
	if (n == 0) {
		slot = map_put(&l->pages, address / PAGE, NULL);
		if (slot != NULL)
			*slot = UNREADABLE;
		return 0;
	}
	l->ahead_at = page + n * PAGE;
	if (!frozen)
		warn_once(l, m);
	return view_later(l, address, size, out);
}
