/* SPDX-License-Identifier: MIT */
/*
 * Damage to cores that knows what a core is made of.
 *
 * The core may have been damaged before, so nothing of it is believed: each
 * place is looked for with bounds, and where it is not found another kind of
 * damage is done.
 */
#include "damage.h"

#include <elf.h>
#include <string.h>

enum { PAGE = 4096, NOTES_MAX = 256, SP = 19, PC = 16, BP = 4, REGS = 27 };

struct core {
	uint8_t *data;
	size_t size;
	uint64_t *state;
};

/* A range of bytes in the file; size 0: none. */
struct place {
	size_t at, size;
};

static const char *const names[DAMAGE__COUNT] = {
    "header",
    "segment",
    "note",
    "status",
    "process",
    "signal",
    "files",
    "auxv",
    "state",
    "links",
    "dynamic",
    "module",
    "stack",
    "memory",
    "bytes",
    "cut",
};

const char *
damage_name(enum damage_kind kind)
{

	return kind < DAMAGE__COUNT ? names[kind] : "?";
}

uint64_t
damage_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t
damage_below(uint64_t *state, uint64_t n)
{

	return damage_next(state) % n;
}

static uint64_t
below(const struct core *c, uint64_t n)
{

	return damage_below(c->state, n);
}

static uint64_t
get(const struct core *c, size_t at, unsigned width)
{
	uint64_t x = 0;

	if (width <= c->size && at <= c->size - width)
		memcpy(&x, c->data + at, width);
	return x;
}

static void
set(const struct core *c, size_t at, unsigned width, uint64_t value)
{
	if (width <= c->size && at <= c->size - width)
		memcpy(c->data + at, &value, width);
}

static struct place
inside(const struct core *c, uint64_t at, uint64_t size)
{
	if (at >= c->size)
		return (struct place){0, 0};
	if (size > c->size - at)
		size = c->size - at;
	return (struct place){(size_t)at, (size_t)size};
}

/* ---- where things are ---- */

static bool
segment_at(const struct core *c, unsigned i, Elf64_Phdr *out)
{
	uint64_t at = get(c, 32, 8), n = get(c, 56, 2);

	if (i >= n || at > c->size || sizeof(*out) > c->size ||
	    at + i * sizeof(*out) > c->size - sizeof(*out))
		return false;
	memcpy(out, c->data + at + i * sizeof(*out), sizeof(*out));
	return true;
}

static unsigned
segments(const struct core *c)
{
	Elf64_Phdr p;
	unsigned n = 0;

	while (n < 65535 && segment_at(c, n, &p))
		n++;
	return n;
}

/* A random one that has bytes, and of its flags all of `flags`. */
static bool
segment_with(const struct core *c, uint32_t flags, Elf64_Phdr *out)
{
	unsigned n = segments(c);

	for (unsigned k = 0, i = n ? (unsigned)below(c, n) : 0; k < n; k++) {
		if (segment_at(c, (i + k) % n, out) && out->p_type == PT_LOAD &&
		    (out->p_flags & flags) == flags && out->p_filesz != 0 &&
		    out->p_offset < c->size)
			return true;
	}
	return false;
}

/* The file's bytes of an address. */
static struct place
memory_at(const struct core *c, uint64_t address, uint64_t size)
{
	unsigned n = segments(c);
	Elf64_Phdr p;

	for (unsigned i = 0; i < n; i++) {
		if (!segment_at(c, i, &p) || p.p_type != PT_LOAD ||
		    address < p.p_vaddr || address - p.p_vaddr >= p.p_filesz)
			continue;
		if (size > p.p_filesz - (address - p.p_vaddr))
			size = p.p_filesz - (address - p.p_vaddr);
		return inside(c, p.p_offset + (address - p.p_vaddr), size);
	}
	return (struct place){0, 0};
}

struct note {
	size_t header;
	uint32_t type;
	struct place desc;
};

static unsigned
notes_of(const struct core *c, struct note *out)
{
	unsigned n = 0, count = segments(c);
	Elf64_Phdr p;

	for (unsigned i = 0; i < count; i++) {
		struct place notes;
		size_t at, end;

		if (!segment_at(c, i, &p) || p.p_type != PT_NOTE)
			continue;
		notes = inside(c, p.p_offset, p.p_filesz);
		at = notes.at;
		end = notes.at + notes.size;
		while (n < NOTES_MAX && at + 12 <= end) {
			uint64_t name = get(c, at, 4), desc = get(c, at + 4, 4);
			uint64_t body = at + 12 + ((name + 3) & ~UINT64_C(3));

			out[n++] = (struct note){at,
			    (uint32_t)get(c, at + 8, 4), inside(c, body, desc)};
			if (body + desc > end)
				break;
			at = (size_t)(body + ((desc + 3) & ~UINT64_C(3)));
		}
	}
	return n;
}

/* A random one of that type (0: any). */
static bool
note_of(const struct core *c, uint32_t type, struct note *out)
{
	struct note all[NOTES_MAX];
	unsigned n = notes_of(c, all), at = n ? (unsigned)below(c, n) : 0;

	for (unsigned k = 0; k < n; k++) {
		*out = all[(at + k) % n];
		if ((type == 0 || out->type == type) && out->desc.size != 0)
			return true;
	}
	return false;
}

static uint64_t
register_of(const struct core *c, unsigned which)
{
	struct note note;

	if (!note_of(c, NT_PRSTATUS, &note) || note.desc.size < 112 + REGS * 8)
		return 0;
	return get(c, note.desc.at + 112 + which * 8, 8);
}

static uint64_t
auxv_value(const struct core *c, uint64_t type)
{
	struct note note;

	if (!note_of(c, NT_AUXV, &note))
		return 0;
	for (size_t i = 0; i + 16 <= note.desc.size; i += 16)
		if (get(c, note.desc.at + i, 8) == type)
			return get(c, note.desc.at + i + 8, 8);
	return 0;
}

/* The dynamic section of the executable, as it is in memory. */
static struct place
dynamic(const struct core *c)
{
	uint64_t phdrs = auxv_value(c, AT_PHDR), n = auxv_value(c, AT_PHNUM);
	uint64_t bias = 0;

	for (uint64_t i = 0; i < n && i < 64; i++) {
		struct place p = memory_at(c, phdrs + i * 56, 56);

		if (p.size < 56)
			break;
		if (get(c, p.at, 4) == PT_PHDR)
			bias = phdrs - get(c, p.at + 16, 8);
		if (get(c, p.at, 4) == PT_DYNAMIC)
			return memory_at(c, bias + get(c, p.at + 16, 8),
			    get(c, p.at + 40, 8));
	}
	return (struct place){0, 0};
}

static struct place
r_debug(const struct core *c)
{
	struct place d = dynamic(c);

	for (size_t i = 0; i + 16 <= d.size; i += 16)
		if (get(c, d.at + i, 8) == DT_DEBUG)
			return memory_at(c, get(c, d.at + i + 8, 8), 40);
	return (struct place){0, 0};
}

/* A random one of the first entries of the loader's list. */
static struct place
link_map(const struct core *c)
{
	struct place at = r_debug(c), next;
	uint64_t hops = below(c, 6);

	if (at.size < 40)
		return (struct place){0, 0};
	at = memory_at(c, get(c, at.at + 8, 8), 40);
	for (; hops != 0 && at.size >= 40; hops--) {
		next = memory_at(c, get(c, at.at + 24, 8), 40);
		if (next.size < 40)
			break;
		at = next;
	}
	return at;
}

/* ---- what is put there ---- */

static uint64_t
edge(const struct core *c)
{
	static const uint64_t edges[] = {0, 1, 2, 3, 4, 7, 8, 16, 0x7f, 0x80,
	    0xff, 0xfff, 0x1000, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff,
	    0x80000000, 0xfffffffc, 0xfffffffd, 0xffffffff, 0x100000000,
	    0x7fffffffffff, 0x800000000000, 0xffffffff81000000,
	    0x4141414141414141, INT64_MAX, UINT64_C(1) << 63, UINT64_MAX - 7,
	    UINT64_MAX};

	return edges[below(c, sizeof(edges) / sizeof(*edges))];
}

/* An address that the core has, or just beside it. */
static uint64_t
address(const struct core *c)
{
	unsigned n = segments(c);
	Elf64_Phdr p;

	if (n == 0 || !segment_at(c, (unsigned)below(c, n), &p))
		return edge(c);
	switch (below(c, 4)) {
	case 0:
		return p.p_vaddr;
	case 1:
		return p.p_vaddr + p.p_memsz;
	case 2:
		return p.p_vaddr + p.p_memsz - 8;
	default:
		return p.p_vaddr + (p.p_filesz != 0 ? below(c, p.p_filesz) : 0);
	}
}

static uint64_t
other(const struct core *c, uint64_t old)
{
	static const int64_t steps[] = {-4096, -16, -8, -1, 1, 8, 16, 4096};

	switch (below(c, 8)) {
	case 0:
		return c->size - 1 + below(c, 3);
	case 1:
		return old ^ UINT64_C(1) << below(c, 64);
	case 2:
		return old + (uint64_t)steps[below(c, 8)];
	case 3:
	case 4:
		return address(c);
	case 5:
		return damage_next(c->state);
	default:
		return edge(c);
	}
}

static void
change(const struct core *c, size_t at, unsigned width)
{

	set(c, at, width, other(c, get(c, at, width)));
}

/* A word of a place, at its natural alignment in it. */
static bool
change_word(const struct core *c, struct place p)
{
	if (p.size < 8)
		return false;
	change(c, p.at + below(c, p.size / 8) * 8, 8);
	return true;
}

/* Any value of a place. */
static bool
change_any(const struct core *c, struct place p)
{
	static const unsigned widths[] = {1, 2, 4, 8};
	unsigned width = widths[below(c, 4)];

	if (p.size == 0)
		return false;
	if (width > p.size)
		width = 1;
	change(c, p.at + below(c, p.size / width) * width, width);
	return true;
}

static bool
flip(const struct core *c, struct place p)
{
	if (p.size == 0)
		return false;
	for (uint64_t n = 1 + below(c, 8); n != 0; n--)
		c->data[p.at + below(c, p.size)] ^= (uint8_t)(1 << below(c, 8));
	return true;
}

/* ---- the kinds ---- */

struct field {
	uint16_t at, width;
};

static bool
header(const struct core *c)
{
	/* Not the magic and the type: then it is no core any more. */
	static const struct field fields[] = {{4, 1}, {5, 1}, {6, 1}, {7, 1},
	    {8, 8}, {18, 2}, {20, 4}, {24, 8}, {32, 8}, {40, 8}, {48, 4},
	    {52, 2}, {54, 2}, {56, 2}, {58, 2}, {60, 2}, {62, 2}};
	const struct field *f =
	    &fields[below(c, sizeof(fields) / sizeof(*fields))];

	change(c, f->at, f->width);
	return true;
}

static bool
segment(const struct core *c)
{
	static const struct field fields[] = {{0, 4}, {4, 4}, {8, 8}, {16, 8},
	    {24, 8}, {32, 8}, {40, 8}, {48, 8}};
	const struct field *f =
	    &fields[below(c, sizeof(fields) / sizeof(*fields))];
	unsigned n = segments(c);
	size_t at;

	if (n == 0)
		return false;
	at = (size_t)get(c, 32, 8);
	if (below(c, 8) == 0) { /* one becomes a copy of another */
		size_t to = at + below(c, n) * 56, from = at + below(c, n) * 56;

		if (to != from)
			memcpy(c->data + to, c->data + from, 56);
		return true;
	}
	change(c, at + below(c, n) * 56 + f->at, f->width);
	return true;
}

static bool
note(const struct core *c)
{
	struct note found, from;

	if (!note_of(c, 0, &found))
		return false;
	switch (below(c, 6)) {
	case 0:
		change(c, found.header, 4);
		break;
	case 1:
		change(c, found.header + 4, 4);
		break;
	case 2:
		change(c, found.header + 8, 4);
		break;
	case 3: /* the name */
		return flip(c, inside(c, found.header + 12, 8));
	case 4: /* the type of another */
		if (note_of(c, 0, &from))
			set(c, found.header + 8, 4, from.type);
		break;
	default: /* what another holds */
		if (note_of(c, 0, &from)) {
			size_t n = found.desc.size < from.desc.size
			    ? found.desc.size
			    : from.desc.size;

			memmove(
			    c->data + found.desc.at, c->data + from.desc.at, n);
		}
	}
	return true;
}

/* Fields of a note, or anything in it. */
static bool
in_note(
    const struct core *c, uint32_t type, const struct field *fields, size_t n)
{
	struct note found;
	uint64_t which;

	if (!note_of(c, type, &found))
		return false;
	which = below(c, n + 1);
	if (which == n)
		return change_any(c, found.desc);
	if (fields[which].at + fields[which].width <= found.desc.size)
		change(
		    c, found.desc.at + fields[which].at, fields[which].width);
	return true;
}

static bool
status(const struct core *c)
{
	/* Signal, waiting and blocked ones, pid, then the registers that a
	 * stack is found by. */
	static const struct field fields[] = {{0, 4}, {4, 4}, {8, 4}, {12, 2},
	    {16, 8}, {24, 8}, {32, 4}, {36, 4}, {112 + PC * 8, 8},
	    {112 + SP * 8, 8}, {112 + BP * 8, 8}, {112 + PC * 8, 8},
	    {112 + SP * 8, 8}, {112 + BP * 8, 8}, {112 + 21 * 8, 8}};
	struct note found;

	if (below(c, 3) != 0)
		return in_note(
		    c, NT_PRSTATUS, fields, sizeof(fields) / sizeof(*fields));
	if (!note_of(c, NT_PRSTATUS, &found) ||
	    found.desc.size < 112 + REGS * 8)
		return false;
	change(c, found.desc.at + 112 + below(c, REGS) * 8, 8);
	return true;
}

static bool
process(const struct core *c)
{
	static const struct field fields[] = {
	    {0, 1}, {16, 4}, {20, 4}, {24, 4}, {28, 4}, {40, 8}, {56, 8}};

	return in_note(
	    c, NT_PRPSINFO, fields, sizeof(fields) / sizeof(*fields));
}

static bool
signal_of(const struct core *c)
{
	static const struct field fields[] = {
	    {0, 4}, {4, 4}, {8, 4}, {16, 8}, {16, 4}, {20, 4}, {24, 8}};

	return in_note(c, NT_SIGINFO, fields, sizeof(fields) / sizeof(*fields));
}

static bool
files(const struct core *c)
{
	struct note found;
	uint64_t count, names_at;

	if (!note_of(c, NT_FILE, &found) || found.desc.size < 16)
		return false;
	count = get(c, found.desc.at, 8);
	if (count > (found.desc.size - 16) / 24)
		count = (found.desc.size - 16) / 24;
	names_at = 16 + count * 24;
	switch (below(c, 6)) {
	case 0:
		change(c, found.desc.at, 8);
		break;
	case 1:
		change(c, found.desc.at + 8, 8);
		break;
	case 2: /* a name */
		return flip(c,
		    inside(c, found.desc.at + names_at,
			found.desc.size - names_at));
	case 3: /* two names become one */
		for (size_t i = found.desc.at + names_at;
		     i < found.desc.at + found.desc.size; i++)
			if (c->data[i] == 0 && below(c, 4) == 0) {
				c->data[i] = '/';
				break;
			}
		break;
	default:
		return change_word(
		    c, inside(c, found.desc.at + 16, count * 24));
	}
	return true;
}

static bool
auxv(const struct core *c)
{
	struct note found;

	return note_of(c, NT_AUXV, &found) && change_word(c, found.desc);
}

static bool
state(const struct core *c)
{
	struct note found;

	if (!note_of(c, NT_X86_XSTATE, &found) &&
	    !note_of(c, NT_FPREGSET, &found))
		return false;
	/* The header behind the legacy area says what there is. */
	if (found.desc.size > 512 + 64 && below(c, 2) == 0)
		return change_word(c, inside(c, found.desc.at + 464, 48 + 64));
	return change_any(c, found.desc);
}

static bool
links(const struct core *c)
{
	struct place p = below(c, 4) == 0 ? r_debug(c) : link_map(c), to;
	uint64_t name;

	if (p.size < 40)
		return false;
	switch (below(c, 4)) {
	case 0: /* leads to one of its own */
		to = link_map(c);
		set(c, p.at + 24, 8, get(c, to.at + 24, 8));
		return true;
	case 1: /* the name itself */
		name = get(c, p.at + 8, 8);
		return flip(c, memory_at(c, name, 32));
	default:
		return change_word(c, p);
	}
}

/* What a module has of its file in memory: headers and notes. */
static bool
module(const struct core *c)
{
	unsigned n = segments(c);
	Elf64_Phdr p;

	for (unsigned k = 0, i = n ? (unsigned)below(c, n) : 0; k < n; k++) {
		struct place page;

		if (!segment_at(c, (i + k) % n, &p) || p.p_type != PT_LOAD)
			continue;
		page = inside(c, p.p_offset, p.p_filesz);
		if (page.size < 64 ||
		    memcmp(c->data + page.at, ELFMAG, SELFMAG) != 0)
			continue;
		page = inside(c, page.at, 64 + 12 * 56 + 256);
		return below(c, 2) ? change_word(c, page) : change_any(c, page);
	}
	return false;
}

static bool
stack(const struct core *c)
{
	uint64_t sp = register_of(c, SP);
	struct place p = memory_at(c, sp, 8 << below(c, 9));
	uint64_t old;

	if (p.size < 8)
		return false;
	if (below(c, 12) == 0) { /* all of it is one value */
		uint64_t value = below(c, 2) ? sp : address(c);

		for (size_t i = 0; i + 8 <= p.size; i += 8)
			set(c, p.at + i, 8, value);
		return true;
	}
	p.at += below(c, p.size / 8) * 8;
	old = get(c, p.at, 8);
	/* Beside what it was: frames that overlap, or lead in a circle. */
	if (below(c, 3) == 0)
		old = sp + below(c, 512) * 8 - 1024;
	else
		old = other(c, old);
	set(c, p.at, 8, old);
	return true;
}

static bool
memory(const struct core *c)
{
	Elf64_Phdr p;
	struct place page;

	if (!segment_with(c, PF_W, &p))
		return false;
	page = inside(c, p.p_offset, p.p_filesz);
	page = inside(c, page.at + below(c, page.size) / PAGE * PAGE, PAGE);
	for (uint64_t n = 1 + below(c, 8); n != 0; n--)
		if (!change_word(c, page))
			return false;
	return true;
}

static bool
bytes(const struct core *c)
{
	size_t from, to, n;

	if (c->size < 128)
		return false;
	if (below(c, 2) == 0)
		return flip(c, inside(c, 64, c->size - 64));
	n = (size_t)(1 + below(c, 64));
	from = (size_t)below(c, c->size - n);
	to = (size_t)(64 + below(c, c->size - 64 - n + 1));
	if (to + n <= c->size)
		memmove(c->data + to, c->data + from, n);
	return true;
}

static size_t
cut(const struct core *c)
{
	if (c->size <= 64)
		return c->size;
	/* Rarely in the headers, of which there is little. */
	if (below(c, 4) != 0 && c->size > 2 * PAGE)
		return (size_t)(PAGE + below(c, c->size - PAGE));
	return (size_t)(64 + below(c, c->size - 64));
}

size_t
damage_core(uint8_t *data, size_t size, enum damage_kind kind, uint64_t *random)
{
	static bool (*const kinds[DAMAGE__COUNT])(const struct core *) = {
	    [DAMAGE_HEADER] = header,
	    [DAMAGE_SEGMENT] = segment,
	    [DAMAGE_NOTE] = note,
	    [DAMAGE_STATUS] = status,
	    [DAMAGE_PROCESS] = process,
	    [DAMAGE_SIGNAL] = signal_of,
	    [DAMAGE_FILES] = files,
	    [DAMAGE_AUXV] = auxv,
	    [DAMAGE_STATE] = state,
	    [DAMAGE_LINKS] = links,
	    [DAMAGE_MODULE] = module,
	    [DAMAGE_STACK] = stack,
	    [DAMAGE_MEMORY] = memory,
	    [DAMAGE_BYTES] = bytes,
	};
	struct core c = {data, size, random};

	if (size < 64)
		return size;
	if (kind == DAMAGE_CUT)
		return cut(&c);
	if (kind == DAMAGE_DYNAMIC) {
		if (!change_word(&c, dynamic(&c)))
			(void)bytes(&c);
	} else if (kinds[kind](&c) == false)
		(void)bytes(&c);
	return size;
}

size_t
damage_core_random(
    uint8_t *data, size_t size, uint64_t *random, uint32_t *kinds)
{
	static const uint8_t counts[] = {1, 1, 1, 2, 3, 4, 8, 16, 64};
	unsigned n = counts[damage_below(random, sizeof(counts))];

	while (n-- != 0) {
		enum damage_kind kind = (enum damage_kind)damage_below(
		    random, DAMAGE__COUNT);

		/* Once is enough to make everything else absent. */
		if (kind == DAMAGE_CUT && damage_below(random, 4) != 0)
			continue;
		if (kinds != NULL)
			*kinds |= UINT32_C(1) << kind;
		size = damage_core(data, size, kind, random);
	}
	return size;
}
