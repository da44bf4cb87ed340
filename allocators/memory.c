/* SPDX-License-Identifier: MIT */
/*
 * The window over the target's memory.
 */
#include "allocators/memory.h"

enum { WINDOW = 1 << 20, NEAR = 64 << 10, LIVE_MAX = 256 << 20 };

void
memory_init(struct memory *m, ptrace_target_t *target)
{

	memset(m, 0, sizeof(*m));
	m->target = target;
	m->live = ptrace_target_live(target);
	m->live_left = LIVE_MAX;
}

bool
memory_move(struct memory *m, bt_addr_t address, size_t size)
{
	/* Who reads on gets much at once, which is read ahead; who jumps does
	 * not need it. */
	size_t got,
	    want = address - m->start <= m->length + NEAR ? WINDOW : NEAR;

	if (m->live && m->live_left < WINDOW)
		return false;
	got = ptrace_target_view(m->target, address, want, &m->bytes);
	m->start = address;
	m->length = got;
	if (m->live)
		m->live_left -= got;
	if (got >= size)
		return true;
	/* Across two pieces of memory, or held in a form that must be
	 * unpacked. */
	if (size > sizeof(m->straddle) ||
	    ptrace_target_read_some(m->target, address, m->straddle, size) !=
		size) {
		m->length = 0;
		return false;
	}
	m->bytes = (const unsigned char *)m->straddle;
	m->length = size;
	return true;
}
