/* SPDX-License-Identifier: MIT */
/*
 * The line number state machine (DWARF 5 section 6.2.2 and 6.2.5), run once
 * over a whole table, of which it notes every hundredth row as a point, and
 * again from such a point for the rows that a look-up needs. Rows that GDB
 * leaves out are left out here, so
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

enum {
	ROWS_MAX = 1 << 22,
	POINTS_MAX = 1 << 22,
	SEQUENCES_MAX = 1 << 22,
	CHUNK = 1024,
	INTERVAL = 128 /* rows from a point to the next */
};

struct machine {
	struct dw_lines *t;
	struct view v;
	struct dw_line_state s;
	size_t first;	 /* point of the sequence in work */
	dw_row_vec *out; /* NULL: points are noted */
	uint64_t to;	 /* rows are wanted up to here */
	bool failed, done;
};

static inline void
set_file(const struct dw_lines *t, struct dw_line_state *s, uint64_t file)
{
	s->file = file <= UINT32_MAX ? (uint32_t)file : UINT32_MAX;
	file = t->version < 5 ? (uint64_t)s->file - 1 : s->file;
	s->file_exists = file < s->n_files;
}

static void
start_sequence(struct machine *m, uint32_t n_files)
{
	memset(&m->s, 0, sizeof(m->s));
	m->s.n_files = n_files;
	set_file(m->t, &m->s, 1);
	m->s.line = 1;
	m->s.stmt = m->t->default_is_stmt;
	m->first = m->t->points.count;
}

static inline bool
is_ignored(const struct dw_line_state *s)
{
	if (s->op_index != 0 || s->line == 0 || !s->file_exists)
		return true;
	return s->any && s->file != s->last_file &&
	    s->last_address == s->address && !s->stmt && s->stmt_at_address;
}

/* A further row of the same line that only tells blocks apart. */
static inline bool
is_repeated(const struct dw_line_state *s)
{
	return s->line_discriminated && s->any && s->file == s->last_file &&
	    s->line == s->last_line;
}

static bool
keep_row(struct machine *m, const struct dw_line_state *s, bool end)
{
	struct dw_line *row = vec_push(m->out);

	if (row == NULL)
		return false;
	row->address = s->address;
	row->line = end ? 0 : s->line;
	row->file = s->file;
	row->column = s->column <= UINT16_MAX ? (uint16_t)s->column : 0;
	row->end = end;
	row->stmt = s->stmt;
	m->done = end || s->address > m->to;
	return !m->done;
}

static __attribute__((noinline)) bool
add_point(struct machine *m, const struct dw_line_state *s, size_t pos)
{
	struct dw_line_point *point = vec_push(&m->t->points);

	if (point == NULL)
		return false;
	*point = (struct dw_line_point){*s, pos};
	return true;
}

static inline __attribute__((always_inline)) bool
note_row(struct machine *m, struct dw_line_state *s, size_t pos)
{
	struct dw_line_state copy;

	if (s->rows != 0) {
		s->rows--;
		return true;
	}
	if (s->begun && s->address == s->last_address)
		return true;
	s->rows = INTERVAL - 1;
	s->begun = true;
	copy = *s;
	return add_point(m, &copy, pos);
}

/* pos: behind the opcode. */
static inline __attribute__((always_inline)) bool
add_row(struct machine *m, struct dw_line_state *s, size_t pos, bool keep)
{
	bool ok = true;

	if (!is_ignored(s)) {
		if (!is_repeated(s))
			ok = keep ? keep_row(m, s, false) : note_row(m, s, pos);
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
add_sequence(struct machine *m, uint64_t low, uint64_t high, size_t first,
    size_t count, bool unsorted)
{
	struct dw_lines *t = m->t;
	struct dw_sequence *sequence = vec_push(&t->sequences);

	if (sequence == NULL)
		return;
	*sequence = (struct dw_sequence){first, count, unsorted};
	(void)dw_range_add(&t->index, low, high, t->sequences.count - 1);
}

/* All rows are kept: there is no order in which to look for one. */
static void
add_unsorted(struct machine *m, const struct dw_line_point *point)
{
	dw_row_vec *rows = &m->t->rows;
	uint64_t low = UINT64_MAX, high = 0;
	size_t first = rows->count;

	if (!dw_line_rows(m->t, point, UINT64_MAX, rows)) {
		m->failed = true;
		return;
	}
	for (size_t i = first; i < rows->count; i++) {
		uint64_t address = rows->items[i].address;

		low = address < low ? address : low;
		high = address > high ? address : high;
	}
	add_sequence(m, low, high, first, rows->count - first, true);
}

/* One without a point has no rows but its end: it covers nothing. */
static void
end_sequence(struct machine *m)
{
	struct dw_lines *t = m->t;
	size_t count = t->points.count - m->first;

	if (m->out != NULL) {
		m->failed = !keep_row(m, &m->s, true) && !m->done;
		return;
	}
	m->s.unsorted |= m->s.any && m->s.address < m->s.last_address;
	if (count != 0 && !m->failed && m->s.unsorted) {
		struct dw_line_point point = t->points.items[m->first];

		t->points.count = m->first;
		add_unsorted(m, &point);
	} else if (count != 0 && !m->failed) {
		/* Where nothing is found, nothing is kept. */
		if (t->points.items[m->first].s.address == 0)
			t->points.count = m->first;
		else
			add_sequence(m, t->points.items[m->first].s.address,
			    m->s.address, m->first, count, false);
	}
	start_sequence(m, m->s.n_files);
}

static inline void
advance(const struct dw_lines *t, struct dw_line_state *s, uint64_t operations)
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
advance_line(struct dw_line_state *s, int64_t delta)
{
	s->line += (uint32_t)delta;
	if (delta != 0)
		s->line_discriminated = s->discriminator;
}

/* It was defined when the program ran as a whole. */
static void
define_file(struct machine *m)
{
	struct dw_line_file *file = m->out == NULL ? vec_push(&m->t->files)
						   : NULL;

	if (file != NULL) {
		file->name = view_cstr(&m->v);
		file->directory = view_uleb(&m->v);
	}
	if (m->s.n_files < m->t->files.count)
		m->s.n_files++;
	set_file(m->t, &m->s, m->s.file);
}

static void
extended(struct machine *m)
{
	uint64_t length = view_uleb(&m->v), next;

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
		define_file(m);
		break;
	default:
		break;
	}
	view_seek(&m->v, next);
}

/* Runs until an opcode that is rare, which it returns (0 at the end). */
static inline __attribute__((always_inline)) uint8_t
run_common(struct machine *m, struct dwarf *d, bool keep)
{
	const struct dw_lines *t = m->t;
	struct dw_line_state s = m->s;
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
			advance(t, &s, t->operations[opcode]);
			advance_line(&s, t->advances[opcode]);
			ok = add_row(m, &s, v.pos, keep);
		} else if (opcode == DW_LNS_copy) {
			ok = add_row(m, &s, v.pos, keep);
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
	m->failed = m->failed || (!ok && !m->done);
	m->s = s;
	m->v = v;
	return opcode;
}

static uint8_t
run_noting(struct machine *m, struct dwarf *d)
{
	return run_common(m, d, false);
}

static uint8_t
run_keeping(struct machine *m, struct dwarf *d)
{
	return run_common(m, d, true);
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
		advance(t, &m->s, t->operations[255]);
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
prepare(struct dw_lines *t)
{
	vec_init(&t->points, POINTS_MAX);
	vec_init(&t->sequences, SEQUENCES_MAX);
	vec_init(&t->rows, ROWS_MAX);
	vec_init(&t->near, ROWS_MAX);
	dw_range_index_init(&t->index);
	for (unsigned i = t->opcode_base; i < 256 && t->line_range != 0; i++) {
		unsigned adjusted = i - t->opcode_base;

		t->operations[i] = (uint8_t)(adjusted / t->line_range);
		t->advances[i] =
		    (int16_t)(t->line_base + (int)(adjusted % t->line_range));
	}
}

static void
run(struct machine *m)
{
	struct dwarf *d = m->t->unit->file->dwarf;

	while (!view_end(&m->v) && !m->failed && !m->done) {
		uint8_t opcode = m->out != NULL ? run_keeping(m, d)
						: run_noting(m, d);

		if (!m->failed && !m->done && view_ok(&m->v) &&
		    !is_common(m->t, opcode))
			rare(m, opcode);
	}
}

bool
dw_line_rows(struct dw_lines *t, const struct dw_line_point *from, uint64_t to,
    dw_row_vec *out)
{
	struct machine m = {
	    .t = t, .v = t->program, .s = from->s, .out = out, .to = to};

	view_seek(&m.v, from->pos);
	if (add_row(&m, &m.s, from->pos, true))
		run(&m);
	return m.done;
}

void
dw_line_program_run(struct dw_lines *t)
{
	struct machine m = {.t = t, .v = t->program};
	struct dwarf *d = t->unit->file->dwarf;

	t->decoded = true;
	prepare(t);
	start_sequence(&m, (uint32_t)t->files.count);
	run(&m);
	if (!view_ok(&m.v) || m.failed)
		dw_warn(d, "dwarf-line",
		    "%s: the line table at 0x%llx is damaged or too large",
		    image_path(t->unit->file->image),
		    (unsigned long long)t->unit->stmt_list.u);
	dw_range_sort(&t->index);
}
