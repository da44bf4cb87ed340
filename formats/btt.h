/* SPDX-License-Identifier: MIT */
/*
 * The snapshot file: a stream of MessagePack values, one map per section, a
 * directory at the end. docs/snapshot-format.md is the normative text.
 *
 * Writing goes section by section so that the worker can hand each finished
 * section to the supervisor as one message; the supervisor strings them
 * together and adds the directory, without understanding them.
 */
#ifndef FORMATS_BTT_H
#define FORMATS_BTT_H

#include "base/buf.h"
#include "snapshot/model.h"

/* Sections in file order; a prefix of them is a readable snapshot. */
/* Texts of places among what is told of pointers: beyond, none is told. */
enum { POINTED_PLACES = 256 };

enum btt_section {
	BTT_PROCESS,   /* signal, attributes, classifiers, fingerprint, fault */
	BTT_THREADS,   /* threads, registers, frames, locations */
	BTT_MODULES,   /* modules and mappings */
	BTT_VARIABLES, /* frame variables */
	BTT_OBJECTS,   /* followed objects, globals */
	BTT_ANALYSIS,  /* findings, annotations, heap, locks; may repeat what
			  process said (attributes added by modules) */
	BTT_MEMORY,
	BTT_RESOURCES,
	BTT_WARNINGS,
	BTT_SECTION__COUNT
};
const char *btt_section_name(enum btt_section section);

/* State kept between the sections of one file.
 * What process has said is not repeated by analysis. */
struct btt_writer;
struct btt_writer *btt_writer_create(const struct snapshot *s);
void btt_writer_destroy(struct btt_writer *w);
/* The header map, appended to out. */
bool btt_write_header(struct btt_writer *w, struct buf *out, bt_error_t *e);
/* One whole section map {"section":…,"data":…}, appended to out; nothing when
 * the section has nothing to say (the directory leaves out entries of length
 * 0). A section can be read without the ones before it. False when
 * out's cap was reached (then the section is left out and writing goes on). */
bool btt_write_section(struct btt_writer *w, enum btt_section section,
    struct buf *out, bt_error_t *e);

/*
 * The same in two steps, the second of which another thread may do. Taking
 * keeps what the section has to say, so that the snapshot may be filled
 * further; but these are read when the part is written: texts, which never
 * change; for BTT_THREADS the threads' own fields, registers and frames (not
 * their variables); and, last, what is to be scrubbed. Parts of one writer are
 * written one after the other, while the writer is there. NULL: no memory.
 */
struct btt_part;
struct btt_part *btt_part_take(struct btt_writer *w, enum btt_section section);
enum btt_section btt_part_section(const struct btt_part *p);
/* As btt_write_section; once. */
bool btt_part_write(struct btt_part *p, struct buf *out, bt_error_t *e);
void btt_part_destroy(struct btt_part *p); /* NULL allowed */

/* Directory map and trailer for sections at these offsets: works on names
 * found in the file, so the supervisor needs no model. */
struct btt_entry {
	char name[32];
	uint64_t offset, length;
};
bool btt_write_directory(const struct btt_entry *entries, size_t count,
    uint64_t offset, struct buf *out, bt_error_t *e);
/* A warnings section of the supervisor's own (worker died, overran): readers
 * merge several warnings sections. */
bool btt_write_warnings(const struct snap_warning *warnings, size_t count,
    bool partial, struct buf *out, bt_error_t *e);

/* Reads a file (bytes borrowed during the call) into an initialised snapshot.
 * A file cut after any section is read as far as it goes and marked partial
 * with a warning; a damaged section (CRC, format) is a warning. False when it
 * is no snapshot at all. */
bool btt_read(const void *data, size_t size, struct snapshot *out,
    bt_error_t *e) BT_CHECK;

#endif /* FORMATS_BTT_H */
