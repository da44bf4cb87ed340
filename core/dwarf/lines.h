/* SPDX-License-Identifier: MIT */
/*
 * A line table: its header with directories and files (line_header.c), and its
 * rows, decoded on the first look-up (line_program.c, lines.c).
 */
#ifndef DWARF_LINES_H
#define DWARF_LINES_H

#include "dwarf/private.h"

struct dw_line_file {
	const char *name;
	uint64_t directory;
	const char *path; /* made on first use */
};

struct dw_sequence {
	size_t first, count; /* rows */
	bool unsorted;
};

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
	struct view program;
	VEC(const char *) directories;
	VEC(struct dw_line_file) files;
	/* Rows, as GDB would record them. */
	bool decoded;
	VEC(struct dw_line) rows;
	VEC(struct dw_sequence) sequences;
	struct dw_range_index index; /* value: sequence */
};

bool dw_line_header_read(struct dw_lines *t, struct dwarf_unit *u);
void dw_line_program_run(struct dw_lines *t);
/* The entry of a file number, as its version counts; NULL: none. */
struct dw_line_file *dw_line_file(struct dw_lines *t, uint64_t file);

#endif /* DWARF_LINES_H */
