/* SPDX-License-Identifier: MIT */
/*
 * The line number state machine (DWARF 5 section 6.2.2 and 6.2.5), run once
 * over a whole table into rows. Rows that GDB leaves out are left out here, so
 * that a look-up answers what GDB answers: rows inside a VLIW bundle, rows of
 * line 0 (the row before goes on), rows of a file that does not exist, and a
 * non-statement row of another file at an address that already has a
 * statement, and a row that repeats the line of the one before with only
 * another discriminator.
 */
#include "dwarf/lines.h"

enum { ROWS_MAX = 1 << 22, SEQUENCES_MAX = 1 << 22, CHUNK = 1024 };

struct machine {
	struct dw_lines *t;
	struct view v;
	uint64_t address;
	uint64_t op_index;
	uint64_t file;
	uint32_t line;
	uint32_t column;
	bool stmt;
	bool discriminator, line_discriminated;
	/* Of the sequence in work. */
	size_t first;
	uint64_t last_address;
	uint32_t last_file, last_line;
	bool any, stmt_at_address, unsorted, failed;
};

static void
start_sequence(struct machine *m)
{
	m->address = m->op_index = 0;
	m->file = 1;
	m->line = 1;
	m->column = 0;
	m->stmt = m->t->default_is_stmt;
	m->first = m->t->rows.count;
	m->any = m->stmt_at_address = m->unsorted = false;
	m->last_address = 0;
	m->last_file = m->last_line = 0;
	m->discriminator = m->line_discriminated = false;
}

static bool
is_ignored(const struct machine *m)
{
	bool changed = !m->any || m->file != m->last_file;

	if (m->op_index != 0 || m->line == 0 ||
	    dw_line_file(m->t, m->file) == NULL)
		return true;
	return m->any && changed && m->last_address == m->address && !m->stmt &&
	    m->stmt_at_address;
}

/* A further row of the same line that only tells blocks apart. */
static bool
is_repeated(const struct machine *m)
{
	return m->any && m->line_discriminated && m->file == m->last_file &&
	    m->line == m->last_line;
}

static void
add_row(struct machine *m, bool end)
{
	bool ignored = !end && is_ignored(m);

	if (!ignored && (end || !is_repeated(m))) {
		struct dw_line *row = vec_push(&m->t->rows);

		if (row == NULL) {
			m->failed = true;
			return;
		}
		row->address = m->address;
		row->line = end ? 0 : m->line;
		row->file = (uint32_t)m->file;
		row->column = m->column <= UINT16_MAX ? (uint16_t)m->column : 0;
		row->end = end;
		row->stmt = m->stmt;
	}
	if (!ignored) {
		m->last_file = (uint32_t)m->file;
		m->last_line = m->line;
	}
	if (m->any && m->address < m->last_address)
		m->unsorted = true;
	if (!m->any || m->address != m->last_address)
		m->stmt_at_address = false;
	m->stmt_at_address |= m->stmt;
	m->last_address = m->address;
	m->any = true;
	m->discriminator = false;
}

static void
end_sequence(struct machine *m)
{
	struct dw_lines *t = m->t;
	struct dw_sequence *s;
	uint64_t low = UINT64_MAX, high = 0;

	add_row(m, true);
	for (size_t i = m->first; i < t->rows.count; i++) {
		uint64_t address = t->rows.items[i].address;

		low = address < low ? address : low;
		high = address > high ? address : high;
	}
	s = m->failed ? NULL : vec_push(&t->sequences);
	if (s != NULL) {
		s->first = m->first;
		s->count = t->rows.count - m->first;
		s->unsorted = m->unsorted;
		(void)dw_range_add(
		    &t->index, low, high, t->sequences.count - 1);
	}
	start_sequence(m);
}

static inline void
advance(struct machine *m, uint64_t operations)
{
	const struct dw_lines *t = m->t;

	if (t->max_operations == 1) {
		m->address += t->min_instruction * operations;
		return;
	}
	operations += m->op_index;
	m->address += t->min_instruction * (operations / t->max_operations);
	m->op_index = operations % t->max_operations;
}

static inline void
advance_line(struct machine *m, int64_t delta)
{
	m->line += (uint32_t)delta;
	if (delta != 0)
		m->line_discriminated = m->discriminator;
}

static void
extended(struct machine *m)
{
	uint64_t length = view_uleb(&m->v), next;
	uint8_t opcode;

	if (!view_ok(&m->v) || length > view_left(&m->v)) {
		m->v.failed = true;
		return;
	}
	if (length == 0)
		return;
	next = m->v.pos + length;
	opcode = view_u8(&m->v);
	if (opcode == DW_LNE_end_sequence) {
		end_sequence(m);
	} else if (opcode == DW_LNE_set_address) {
		m->address = view_uint(&m->v, length - 1 <= 8 ? length - 1 : 0);
		m->op_index = 0;
	} else if (opcode == DW_LNE_set_discriminator) {
		m->discriminator = view_uleb(&m->v) != 0;
		m->line_discriminated |= m->discriminator;
	} else if (opcode == DW_LNE_define_file) {
		struct dw_line_file *file = vec_push(&m->t->files);

		if (file != NULL) {
			file->name = view_cstr(&m->v);
			file->directory = view_uleb(&m->v);
		}
	}
	view_seek(&m->v, next);
}

static void
standard(struct machine *m, uint8_t opcode)
{
	const struct dw_lines *t = m->t;

	switch (opcode) {
	case DW_LNS_extended:
		extended(m);
		break;
	case DW_LNS_copy:
		add_row(m, false);
		break;
	case DW_LNS_advance_pc:
		advance(m, view_uleb(&m->v));
		break;
	case DW_LNS_advance_line:
		advance_line(m, view_sleb(&m->v));
		break;
	case DW_LNS_set_file:
		m->file = view_uleb(&m->v);
		if (m->file > UINT32_MAX)
			m->file = UINT32_MAX;
		break;
	case DW_LNS_set_column:
		m->column = (uint32_t)view_uleb(&m->v);
		break;
	case DW_LNS_negate_stmt:
		m->stmt = !m->stmt;
		break;
	case DW_LNS_const_add_pc:
		if (t->line_range != 0)
			advance(m, (255u - t->opcode_base) / t->line_range);
		break;
	case DW_LNS_fixed_advance_pc:
		m->address += view_u16(&m->v);
		m->op_index = 0;
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

void
dw_line_program_run(struct dw_lines *t)
{
	struct machine m = {.t = t, .v = t->program};
	struct dwarf *d = t->unit->file->dwarf;
	uint64_t n = 0;

	vec_init(&t->rows, ROWS_MAX);
	vec_init(&t->sequences, SEQUENCES_MAX);
	dw_range_index_init(&t->index);
	t->decoded = true;
	start_sequence(&m);
	while (!view_end(&m.v) && !m.failed) {
		uint8_t opcode = view_u8(&m.v);

		if (++n % CHUNK == 0 && !dw_steps(d, CHUNK))
			break;
		if (opcode < t->opcode_base) {
			standard(&m, opcode);
		} else if (t->line_range != 0) {
			unsigned adjusted = opcode - t->opcode_base;

			advance(&m, adjusted / t->line_range);
			advance_line(
			    &m, t->line_base + (int)(adjusted % t->line_range));
			add_row(&m, false);
		}
	}
	if (!view_ok(&m.v) || m.failed)
		dw_warn(d, "dwarf-line",
		    "%s: the line table at 0x%llx is damaged or too large",
		    image_path(t->unit->file->image),
		    (unsigned long long)t->unit->stmt_list.u);
	d->stats.line_rows += t->rows.count;
	dw_range_sort(&t->index);
}
