/* SPDX-License-Identifier: MIT */
/*
 * The line number state machine (DWARF 5 section 6.2.2 and 6.2.5), run once
 * over a whole table into rows. Rows that GDB leaves out are left out here, so
 * that a look-up answers what GDB answers: rows inside a VLIW bundle, rows of
 * line 0 (the row before goes on), rows of a file that does not exist, a
 * non-statement row of another file at an address that already has a
 * statement, and a row that repeats the line of the one before with only
 * another discriminator.
 *
 * The registers live in a struct of their own that never leaves the loop by
 * address, so that the compiler keeps it in registers: tables of 10^6 rows are
 * common. Rare opcodes copy it out and in.
 */
#include "dwarf/lines.h"

enum { ROWS_MAX = 1 << 22, SEQUENCES_MAX = 1 << 22, CHUNK = 1024 };

struct state {
	uint64_t address;
	uint64_t last_address;
	uint64_t op_index;
	uint32_t line, last_line;
	uint32_t file, last_file;
	uint32_t column;
	bool stmt;
	bool file_exists;
	bool discriminator, line_discriminated;
	bool any, stmt_at_address, unsorted;
};

struct machine {
	struct dw_lines *t;
	struct view v;
	struct state s;
	size_t first; /* row of the sequence in work */
	bool failed;
	/* What each special opcode advances: no division in the loop. */
	uint8_t operations[256];
	int16_t lines[256];
};

static inline void
set_file(const struct dw_lines *t, struct state *s, uint64_t file)
{
	s->file = file <= UINT32_MAX ? (uint32_t)file : UINT32_MAX;
	file = t->version < 5 ? (uint64_t)s->file - 1 : s->file;
	s->file_exists = file < t->files.count;
}

static void
start_sequence(struct machine *m)
{
	memset(&m->s, 0, sizeof(m->s));
	set_file(m->t, &m->s, 1);
	m->s.line = 1;
	m->s.stmt = m->t->default_is_stmt;
	m->first = m->t->rows.count;
}

static inline bool
is_ignored(const struct state *s)
{
	if (s->op_index != 0 || s->line == 0 || !s->file_exists)
		return true;
	return s->any && s->file != s->last_file &&
	    s->last_address == s->address && !s->stmt && s->stmt_at_address;
}

/* A further row of the same line that only tells blocks apart. */
static inline bool
is_repeated(const struct state *s)
{
	return s->line_discriminated && s->any && s->file == s->last_file &&
	    s->line == s->last_line;
}

/* Room for a row, without the call that vec_push makes for each. */
static inline struct dw_line *
new_row(struct dw_lines *t)
{
	if (t->rows.count < t->rows.room)
		return &t->rows.items[t->rows.count++];
	return vec_push(&t->rows);
}

static inline bool
put_row(struct dw_lines *t, const struct state *s, bool end)
{
	struct dw_line *row = new_row(t);

	if (row == NULL)
		return false;
	row->address = s->address;
	row->line = end ? 0 : s->line;
	row->file = s->file;
	row->column = s->column <= UINT16_MAX ? (uint16_t)s->column : 0;
	row->end = end;
	row->stmt = s->stmt;
	return true;
}

static inline __attribute__((always_inline)) bool
add_row(struct dw_lines *t, struct state *s)
{
	bool ok = true;

	if (!is_ignored(s)) {
		if (!is_repeated(s))
			ok = put_row(t, s, false);
		s->last_file = s->file;
		s->last_line = s->line;
	}
	if (s->address != s->last_address) {
		s->unsorted |= s->any && s->address < s->last_address;
		s->stmt_at_address = false;
		s->last_address = s->address;
	}
	s->stmt_at_address |= s->stmt;
	s->any = true;
	s->discriminator = false;
	return ok;
}

static void
end_sequence(struct machine *m)
{
	struct dw_lines *t = m->t;
	struct dw_sequence *sequence;
	uint64_t low = UINT64_MAX, high = 0;

	m->s.unsorted |= m->s.any && m->s.address < m->s.last_address;
	m->failed = m->failed || !put_row(t, &m->s, true);
	for (size_t i = m->first; i < t->rows.count; i++) {
		uint64_t address = t->rows.items[i].address;

		low = address < low ? address : low;
		high = address > high ? address : high;
	}
	sequence = m->failed ? NULL : vec_push(&t->sequences);
	if (sequence != NULL) {
		sequence->first = m->first;
		sequence->count = t->rows.count - m->first;
		sequence->unsorted = m->s.unsorted;
		(void)dw_range_add(
		    &t->index, low, high, t->sequences.count - 1);
	}
	start_sequence(m);
}

static inline void
advance(const struct dw_lines *t, struct state *s, uint64_t operations)
{
	if (t->max_operations == 1) {
		s->address += t->min_instruction * operations;
		return;
	}
	operations += s->op_index;
	s->address += t->min_instruction * (operations / t->max_operations);
	s->op_index = operations % t->max_operations;
}

static inline void
advance_line(struct state *s, int64_t delta)
{
	s->line += (uint32_t)delta;
	if (delta != 0)
		s->line_discriminated = s->discriminator;
}

static void
extended(struct machine *m)
{
	uint64_t length = view_uleb(&m->v), next;
	struct dw_line_file *file;

	if (!view_ok(&m->v) || length > view_left(&m->v)) {
		m->v.failed = true;
		return;
	}
	if (length == 0)
		return;
	next = m->v.pos + length;
	switch (view_u8(&m->v)) {
	case DW_LNE_end_sequence:
		end_sequence(m);
		break;
	case DW_LNE_set_address:
		m->s.address = view_uint(
		    &m->v, length - 1 <= 8 ? length - 1 : 0);
		m->s.op_index = 0;
		break;
	case DW_LNE_set_discriminator:
		m->s.discriminator = view_uleb(&m->v) != 0;
		m->s.line_discriminated |= m->s.discriminator;
		break;
	case DW_LNE_define_file:
		file = vec_push(&m->t->files);
		if (file != NULL) {
			file->name = view_cstr(&m->v);
			file->directory = view_uleb(&m->v);
		}
		set_file(m->t, &m->s, m->s.file);
		break;
	default:
		break;
	}
	view_seek(&m->v, next);
}

/* Runs until an opcode that is rare, which it returns (0 at the end). */
static uint8_t
run_common(struct machine *m, struct dwarf *d)
{
	const struct dw_lines *t = m->t;
	struct state s = m->s;
	struct view v = m->v;
	uint8_t opcode = 0;
	bool ok = true;
	uint64_t n = 0;

	while (ok && !view_end(&v)) {
		opcode = view_u8(&v);
		if (++n % CHUNK == 0 && !dw_steps(d, CHUNK)) {
			v.failed = true;
			break;
		}
		if (opcode >= t->opcode_base) {
			advance(t, &s, m->operations[opcode]);
			advance_line(&s, m->lines[opcode]);
			ok = add_row(m->t, &s);
		} else if (opcode == DW_LNS_copy) {
			ok = add_row(m->t, &s);
		} else if (opcode == DW_LNS_set_column) {
			s.column = (uint32_t)dw_uleb(&v);
		} else if (opcode == DW_LNS_negate_stmt) {
			s.stmt = !s.stmt;
		} else if (opcode == DW_LNS_advance_line) {
			advance_line(&s, view_sleb(&v));
		} else if (opcode == DW_LNS_set_file) {
			set_file(t, &s, dw_uleb(&v));
		} else if (opcode == DW_LNS_advance_pc) {
			advance(t, &s, dw_uleb(&v));
		} else {
			break;
		}
	}
	m->failed = m->failed || !ok;
	m->s = s;
	m->v = v;
	return opcode;
}

static void
rare(struct machine *m, uint8_t opcode)
{
	const struct dw_lines *t = m->t;

	switch (opcode) {
	case DW_LNS_extended:
		extended(m);
		break;
	case DW_LNS_const_add_pc:
		advance(t, &m->s, m->operations[255]);
		break;
	case DW_LNS_fixed_advance_pc:
		m->s.address += view_u16(&m->v);
		m->s.op_index = 0;
		break;
	case DW_LNS_set_basic_block:
	case DW_LNS_set_prologue_end:
	case DW_LNS_set_epilogue_begin:
		break;
	default: /* DW_LNS_set_isa and what we do not know */
		for (unsigned i = 0; i < t->operands[opcode]; i++)
			(void)view_uleb(&m->v);
		break;
	}
}

static bool
is_common(const struct dw_lines *t, uint8_t opcode)
{
	return opcode >= t->opcode_base ||
	    (opcode >= DW_LNS_copy && opcode <= DW_LNS_negate_stmt);
}

static void
prepare(struct machine *m)
{
	const struct dw_lines *t = m->t;

	for (unsigned i = t->opcode_base; i < 256 && t->line_range != 0; i++) {
		unsigned adjusted = i - t->opcode_base;

		m->operations[i] = (uint8_t)(adjusted / t->line_range);
		m->lines[i] =
		    (int16_t)(t->line_base + (int)(adjusted % t->line_range));
	}
}

void
dw_line_program_run(struct dw_lines *t)
{
	struct machine m = {.t = t, .v = t->program};
	struct dwarf *d = t->unit->file->dwarf;

	vec_init(&t->rows, ROWS_MAX);
	vec_init(&t->sequences, SEQUENCES_MAX);
	dw_range_index_init(&t->index);
	t->decoded = true;
	prepare(&m);
	start_sequence(&m);
	while (!view_end(&m.v) && !m.failed) {
		uint8_t opcode = run_common(&m, d);

		if (!m.failed && view_ok(&m.v) && !is_common(t, opcode))
			rare(&m, opcode);
	}
	if (!view_ok(&m.v) || m.failed)
		dw_warn(d, "dwarf-line",
		    "%s: the line table at 0x%llx is damaged or too large",
		    image_path(t->unit->file->image),
		    (unsigned long long)t->unit->stmt_list.u);
	d->stats.line_rows += t->rows.count;
	dw_range_sort(&t->index);
}
