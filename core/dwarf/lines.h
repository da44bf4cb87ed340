/* SPDX-License-Identifier: MIT */
/*
 * A line table: its header with directories and files (line_header.c), and its
 * rows (line_program.c, lines.c). The first look-up runs the whole program, but
 * what it keeps are points only from which a part can be run again: of a
 * program's large units a look-up needs some ten rows, and all of them would be
 * megabytes (CPython 3.11: 11 MB written, 2,000 page faults).
 */
#ifndef DWARF_LINES_H
#define DWARF_LINES_H

#include "dwarf/private.h"

struct dw_line_file {
	const char *name;
	uint64_t directory;
	const char *path; /* made on first use */
};

/* The registers of the state machine, and what is to be known of the rows
 * before. */
struct dw_line_state {
	uint64_t address;
	uint64_t last_address;
	uint64_t op_index;
	uint32_t line, last_line;
	uint32_t file, last_file;
	uint32_t column;
	uint32_t n_files; /* defined so far */
	uint32_t rows;	  /* until the next point */
	bool stmt;
	bool file_exists;
	bool discriminator, line_discriminated;
	bool any, stmt_at_address, unsorted;
	bool begun; /* the sequence has a point */
};

/* A row, and where the program goes on behind it. No row of the sequence that
 * comes before has the same address. */
struct dw_line_point {
	struct dw_line_state s;
	size_t pos;
};

struct dw_sequence {
	size_t first, count; /* points; rows of an unsorted one */
	bool unsorted;
};

typedef VEC(struct dw_line) dw_row_vec;

struct dw_lines {
	struct dw_lines *next;
	struct dwarf_unit *unit; /* the first that asked: its comp_dir */
	/* Header. */
	uint16_t version;
	uint8_t address_size, offset_size;
	uint8_t min_instruction, max_operations, line_range, opcode_base;
	int8_t line_base;
	bool default_is_stmt;
	uint8_t operands[256]; /* of standard opcodes */
	/* What each special opcode advances: no division in the loop. */
	uint8_t operations[256];
	int16_t advances[256]; /* of the line */
	struct view program;
	VEC(const char *) directories;
	VEC(struct dw_line_file) files;
	bool decoded;
	VEC(struct dw_line_point) points;
	VEC(struct dw_sequence) sequences;
	dw_row_vec rows;	     /* of unsorted sequences */
	dw_row_vec near;	     /* of the look-up in work */
	struct dw_range_index index; /* value: sequence */
};

bool dw_line_header_read(struct dw_lines *t, struct dwarf_unit *u);
void dw_line_program_run(struct dw_lines *t);
/* Rows, as GDB would record them, from the point on up to the first behind
 * `to`, or the sequence's end. False: damaged, or the budget is spent. */
bool dw_line_rows(struct dw_lines *t, const struct dw_line_point *from,
    uint64_t to, dw_row_vec *out);
/* The entry of a file number, as its version counts; NULL: none. */
struct dw_line_file *dw_line_file(struct dw_lines *t, uint64_t file);

#endif /* DWARF_LINES_H */
