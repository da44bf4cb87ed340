/* SPDX-License-Identifier: MIT */
/*
 * What the files of this room share.
 *
 * A `struct dwarf` holds one or more `struct dwarf_file`: the debug image, its
 * dwz file, .dwo files and their package (split.h). A file knows its sections
 * and its units; a unit knows its file, so a DIE is found in the right sections
 * whatever the way it was reached. A unit first exists as a mere offset (struct
 * unit_slot); the full struct is made when something in it is asked for.
 *
 * Offsets of DIEs are absolute in their section (.debug_info or .debug_types).
 * A DIE's identity across sections and files is the address of its first byte
 * in our memory (dw_die_key): caches are keyed by it.
 */
#ifndef DWARF_PRIVATE_H
#define DWARF_PRIVATE_H

#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"
#include "base/view.h"
#include "dwarf/dw.h"
#include "dwarf/dwarf.h"
#include <stdlib.h>

enum dw_section {
	SEC_INFO,
	SEC_TYPES,
	SEC_ABBREV,
	SEC_STR,
	SEC_LINE_STR,
	SEC_STR_OFFSETS,
	SEC_ADDR,
	SEC_RANGES,
	SEC_RNGLISTS,
	SEC_LOC,
	SEC_LOCLISTS,
	SEC_LINE,
	SEC_ARANGES,
	SEC__COUNT
};

enum {
	/* References through specification and abstract origin. GCC makes two
	 * or three; a cycle ends here (reliability.md case 71). */
	DW_ORIGIN_HOPS_MAX = 16,
	/* Nesting of blocks and inlines at one pc. GCC's own limit on inline
	 * depth is far below. */
	DW_SCOPE_DEPTH_MAX = 512,
	DW_TYPE_DEPTH_MAX = 64,
	/* Namespaces and classes around a name. */
	DW_NAME_DEPTH_MAX = 64,
	DW_WARNINGS_MAX = 16,
	DW_MISSING_WARNED = 4, /* .dwo files that are named one by one */
	DW_UNITS_MAX = 1 << 24,
	DW_RANGES_MAX = 1 << 24,
	DW_LINE_ROWS_MAX = 1 << 25,
	DW_SUBTREE_CHUNK = 256
};

/* ---- abbreviations ---- */

struct dw_abbrev_attr {
	uint16_t name;
	uint16_t form;
	int8_t size; /* of a value of fixed size, or -1 */
	int64_t implicit;
};

enum { /* flags of an abbreviation: what its attributes promise */
	DW_AB_CHILDREN = 1,
	DW_AB_PC = 2,	       /* low_pc or ranges */
	DW_AB_DECLARATION = 4, /* declaration */
	DW_AB_NAME = 8,
	DW_AB_ORIGIN = 16, /* specification or abstract_origin */
	DW_AB_SIGNATURE = 32
};

struct dw_abbrev {
	uint32_t code;
	uint16_t tag;
	uint8_t flags;
	uint8_t sibling_size; /* 0: no sibling at a fixed place */
	int32_t fixed_size;   /* of all attributes, or -1 */
	uint32_t sibling_at;
	uint32_t first_attr, n_attrs;
	uint32_t first_skip, n_skips;
};

struct dw_abbrev_table {
	uint32_t n_sequential; /* items[code - 1] for codes up to this */
	VEC(struct dw_abbrev) items;
	VEC(struct dw_abbrev_attr) attrs;
	VEC(uint32_t) skips;
	struct dw_abbrev_table *next; /* all of a file, for freeing */
};

/* ---- ranges ---- */

struct dw_range {
	uint64_t low, high; /* [low, high) */
	uint64_t max_high;  /* over this and all earlier items */
	uint64_t value;
};

struct dw_range_index {
	VEC(struct dw_range) items;
};

/* ---- files and units ---- */

struct unit_slot {
	uint64_t offset;
	struct dwarf_unit *unit; /* NULL: not yet needed */
	bool damaged;
};

struct dwarf_file {
	struct dwarf *dwarf;
	struct image *image;
	bool dwo; /* split DWARF: its sections are named .debug_*.dwo */
	struct dw_package *package; /* NULL: one .dwo file, or none at all */
	struct dwarf_file *next;    /* of the .dwo files */
	struct {
		struct image_bytes bytes;
		bool tried, warned;
	} sections[SEC__COUNT];
	struct {
		VEC(struct unit_slot) slots; /* sorted by offset */
		uint64_t scanned;	     /* up to here; UINT64_MAX: all */
	} units[2];			     /* of SEC_INFO and SEC_TYPES */
	struct map abbrevs;    /* offset and sizes -> struct dw_abbrev_table */
	struct map lines;      /* stmt_list -> struct dw_lines */
	struct map signatures; /* -> struct dwarf_unit */
	bool signatures_ready;
	struct dw_abbrev_table *all_abbrevs;
	size_t abbrev_attrs; /* in all of them: overlapping tables multiply */
	struct dw_lines *all_lines;
};

struct dw_value {
	uint16_t form;
	uint64_t u;	     /* number, offset, index or length */
	const uint8_t *data; /* block, string, data16 */
};

struct dw_function;
struct dw_lines;
struct dw_scopes;

struct dwarf_unit {
	struct dwarf_file *file;
	enum dw_section section;
	uint64_t offset;    /* of the header */
	uint64_t first_die; /* absolute */
	uint64_t root_end;  /* of that DIE; its values point into it */
	uint64_t end;
	uint64_t abbrev_offset;
	uint64_t signature, type_offset; /* type units; 0: none */
	uint64_t dwo_id;
	uint16_t version;
	uint8_t unit_type, address_size, offset_size;

	/* From the root DIE. */
	bool root_read;
	uint16_t root_tag;
	uint32_t language;
	struct dw_value name, comp_dir, dwo_name, low, high, ranges, stmt_list;
	uint64_t low_pc; /* base of range and location lists */
	uint64_t str_offsets_base, addr_base, rnglists_base, loclists_base;
	/* DW_AT_GNU_ranges_base counts for the split unit, not for the
	 * skeleton that carries it: GCC wiki, DebugFission. */
	uint64_t ranges_base, gnu_ranges_base;
	/* Where the unit's part begins, in a package (else 0). */
	uint64_t info_base, str_offsets_part, loc_base, rnglists_part;

	/* Of a full unit the skeleton, of a skeleton the full unit. */
	struct dwarf_unit *skeleton, *split;
	bool split_missing, split_warned;
	bool imports_followed; /* scan.c */
	bool here;	       /* all of it can be read */

	/* Made on first need. */
	struct dw_abbrev_table *abbrevs;
	bool abbrevs_failed;
	int functions_level; /* 0: none, 1: outside of bodies, 2: all */
	struct dw_range_index functions;
	struct dw_lines *lines;
	bool lines_tried;
	struct dw_scopes *scopes;
	const char *comp_dir_text;
};

struct dw_unit_iter {
	size_t slot;
	bool types;
	enum { DW_ITER_MAIN, DW_ITER_DWO, DW_ITER_ALT } phase;
	struct dwarf_file *done; /* the last .dwo file that is through */
};

/* The only unit that covers a pc, found before. */
struct dw_known_unit {
	uint64_t pc;
	struct dwarf_unit *unit; /* NULL: no entry */
};

enum { DW_KNOWN_UNITS = 128 /* power of two */ };

struct dwarf {
	struct dwarf_file main;
	struct dwarf_file *alt; /* dwz */
	bool alt_tried;
	struct dwarf_file *package; /* of .dwo files */
	bool package_tried;
	struct dwarf_file *dwo_files, *last_dwo; /* and the package */
	struct map dwos;			 /* hash of a path -> file */
	unsigned missing_dwos;
	struct dwarf_options options;
	struct budget *budget;
	struct budget own_budget;
	struct arena arena;
	unsigned warnings;

	struct dw_known_unit known_units[DW_KNOWN_UNITS];
	bool aranges_ready;
	struct dw_range_index aranges; /* value: offset of a unit of main */
	uint64_t aranges_units;	       /* that have any */
	uint64_t aranges_last;	       /* the last of them */
	uint64_t aranges_gap;	       /* the longest part without */
	uint64_t aranges_gap_end;
	bool aranges_judged, aranges_complete;
	bool aranges_expected;
	uint64_t aranges_farthest; /* unit that is expected to be read */
	bool addresses_ready;
	struct dw_range_index addresses; /* value: slot index of main */
	bool orphans_ready;
	struct dw_range_index orphans; /* of units without root ranges */

	struct map plans;		    /* pc -> struct plan_entry */
	struct map types;		    /* die key -> struct dwarf_type */
	struct map definitions;		    /* name hash -> struct dwarf_die */
	struct dw_unit_iter definitions_at; /* next unit to look at */
	struct map resolved; /* declaration -> definition, or itself */
	struct map calls;    /* function die key -> struct dw_calls */
	struct map globals;  /* name hash -> struct dw_global chain */
	bool globals_ready;
	bool languages_spread; /* from units to those they import */
	struct dwarf_stats stats;
};

/* ---- DIEs ---- */

struct dw_die {
	struct dwarf_unit *unit;
	const struct dw_abbrev *abbrev;
	uint64_t offset;
	uint64_t attrs; /* position of the first attribute */
};

/* Children of a DIE, one after the other. */
struct dw_iter {
	struct view v;
	struct dw_die die;
	bool inside; /* die is valid and not yet skipped */
};

/* sections.c */
bool dw_file_init(
    struct dwarf_file *f, struct dwarf *d, struct image *image, bool dwo);
void dw_file_deinit(struct dwarf_file *f);
/* The whole section; empty when there is none. */
struct view dw_section(struct dwarf_file *f, enum dw_section s);
/* At least its first `to` bytes, or all where there are fewer; less when it is
 * damaged. */
struct view dw_section_to(struct dwarf_file *f, enum dw_section s, uint64_t to);
/* Of .debug_info and .debug_types: at least [from, to), and perhaps nothing
 * before it. */
struct view dw_section_part(
    struct dwarf_file *f, enum dw_section s, uint64_t from, uint64_t to);
size_t dw_section_size(struct dwarf_file *f, enum dw_section s);
/* Where it lies in memory, once something of it was read. */
const uint8_t *dw_section_start(struct dwarf_file *f, enum dw_section s);
/* Lists that do not say how long they are: with less than DW_MARGIN bytes left
 * of the view of a section, it gets more of it. */
enum { DW_MARGIN = 64, DW_ROOT_AHEAD = 4 << 10, DW_AHEAD = 16 << 10 };
void dw_section_more(struct view *v, struct dwarf_file *f, enum dw_section s);
/* The dwz file, or NULL. */
struct dwarf_file *dw_alt(struct dwarf *d);
void dw_warn(struct dwarf *d, const char *code, const char *format, ...)
    BT_PRINTF(3, 4);

static inline bool
dw_step(struct dwarf *d)
{
	return budget_step(d->budget);
}

/* A LEB128 that nearly always is one byte, without the general loop. */
static inline uint64_t
dw_uleb(struct view *v)
{
	if (v->pos < v->size && v->data[v->pos] < 0x80)
		return view_u8(v);
	return view_uleb(v);
}

/* Charges n steps at once. */
static inline bool
dw_steps(struct dwarf *d, uint64_t n)
{
	struct budget *b = d->budget;

	b->steps = b->steps > n ? b->steps - n : 0;
	return budget_step(b);
}

/* unit.c */
/* Reads the header at a position; fills u except for the root. */
bool dw_unit_header(struct dwarf_file *f, enum dw_section section,
    uint64_t offset, struct dwarf_unit *u);
size_t dw_units(struct dwarf_file *f, enum dw_section section);
/* The unit of a slot, made on first use; NULL when damaged. */
struct dwarf_unit *dw_unit(
    struct dwarf_file *f, enum dw_section section, size_t slot);
/* The unit that contains an offset of a section. */
struct dwarf_unit *dw_unit_containing(
    struct dwarf_file *f, enum dw_section section, uint64_t offset);
/* The unit whose header is at an offset. */
struct dwarf_unit *dw_unit_starting(
    struct dwarf_file *f, enum dw_section section, uint64_t offset);
struct dwarf_unit *dw_unit_by_signature(
    struct dwarf_file *f, uint64_t signature);
struct view dw_unit_view(struct dwarf_unit *u, uint64_t pos);
void dw_unit_deinit(struct dwarf_unit *u);
const char *dw_unit_comp_dir(struct dwarf_unit *u);
bool dw_unit_is_cplus(const struct dwarf_unit *u);
/* After a walk through a unit of which nothing but offsets was kept: it need
 * not stay in memory, unless it was there before (`was`: u->here then). */
void dw_unit_forget(struct dwarf_unit *u, bool was);
/* C++ and what is named like it: no "struct" before a type's name. */
bool dw_unit_has_scopes(const struct dwarf_unit *u);

/* root.c: the attributes of a unit's first DIE */
bool dw_root_read(struct dwarf_unit *u);

/* abbrev.c */
const struct dw_abbrev *dw_abbrev_find(
    const struct dw_abbrev_table *t, uint64_t code);
bool dw_unit_abbrevs(struct dwarf_unit *u);
void dw_abbrev_skip(
    struct view *v, const struct dwarf_unit *u, const struct dw_abbrev *a);
void dw_abbrev_table_free(struct dw_abbrev_table *t);
/* The attribute specifications of one code, without reading the table. */
bool dw_abbrev_specs(const struct dwarf_unit *u, uint64_t code, uint16_t *tag,
    bool *children, struct view *specs);

static inline const struct dw_abbrev *
dw_abbrev_get(const struct dw_abbrev_table *t, uint64_t code)
{
	if (code - 1 < t->n_sequential)
		return &t->items.items[code - 1];
	return dw_abbrev_find(t, code);
}

/* form.c */
bool dw_form_read(struct view *v, const struct dwarf_unit *u, uint16_t form,
    int64_t implicit, struct dw_value *out);
bool dw_form_skip(struct view *v, const struct dwarf_unit *u, uint16_t form);
/* Size in bytes of a form of fixed size, or -1. */
int dw_form_size(
    uint16_t form, uint8_t address_size, uint8_t offset_size, uint16_t version);
bool dw_form_is_block(uint16_t form);
const char *dw_string(const struct dwarf_unit *u, const struct dw_value *v);
bool dw_address(
    const struct dwarf_unit *u, const struct dw_value *v, uint64_t *out);
bool dw_unsigned(const struct dw_value *v, uint64_t *out);
bool dw_signed(const struct dw_value *v, int64_t *out);
bool dw_flag(const struct dw_value *v);
bool dw_block(const struct dw_value *v, struct view *out);
/* The DIE a reference names; unit NULL: none. */
struct dwarf_die dw_reference(struct dwarf_unit *u, const struct dw_value *v);
bool dw_addrx(const struct dwarf_unit *u, uint64_t index, uint64_t *out);

/* die.c */
bool dw_die_open(struct dwarf_die ref, struct dw_die *out);
static inline struct dwarf_die
dw_die_ref(const struct dw_die *d)
{
	return (struct dwarf_die){d->unit, d->offset};
}
uint64_t dw_die_key(struct dwarf_die die);
/* The root DIE of a unit. */
bool dw_die_root(struct dwarf_unit *u, struct dw_die *out);
void dw_children(struct dw_iter *it, const struct dw_die *parent);
/* Moves to the next child; false at the end or when damaged. */
bool dw_next(struct dw_iter *it);
/* After the children of the current child were walked by another iterator:
 * goes on where that one ended. */
void dw_after(struct dw_iter *it, const struct dw_iter *inner);
/* Goes on at a position known to follow the current child's subtree. */
void dw_resume(struct dw_iter *it, uint64_t pos);
/* Skips what is left of the current child; its end, or 0 when damaged. */
uint64_t dw_subtree_end(const struct dw_die *d);

/* All DIEs of a unit in order. After dw_scan_next the scan goes into the DIE's
 * children, after dw_scan_over past them. */
struct dw_scan {
	struct view v;
	struct dwarf_unit *unit;
	bool inside;
	struct dw_die die;
	bool ended; /* the last entry was the end of some children */
};
struct dw_scan dw_scan_unit(struct dwarf_unit *u);
bool dw_scan_next(struct dw_scan *s, struct dw_die *out);
/* As dw_scan_next, but also stops (false with s->ended) at null entries. */
bool dw_scan_entry(struct dw_scan *s, struct dw_die *out);
void dw_scan_over(struct dw_scan *s, const struct dw_die *d);

struct dw_attrs { /* walks the attributes of a DIE */
	struct view v;
	struct dwarf_unit *unit;
	const struct dw_abbrev_attr *next, *end;
};
void dw_attrs(struct dw_attrs *a, const struct dw_die *d);
bool dw_attr_next(struct dw_attrs *a, uint16_t *name, struct dw_value *value);

/* One attribute of the DIE itself. */
bool dw_attr(const struct dw_die *d, uint16_t name, struct dw_value *out);
/* Also through specification and abstract origin; *owner is the DIE that has
 * it. owner may be NULL. */
bool dw_attr_inherited(const struct dw_die *d, uint16_t name,
    struct dw_value *out, struct dw_die *owner);
const char *dw_attr_string(const struct dw_die *d, uint16_t name);
bool dw_attr_u64(const struct dw_die *d, uint16_t name, uint64_t *out);
bool dw_attr_flag(const struct dw_die *d, uint16_t name);
struct dwarf_die dw_attr_die(const struct dw_die *d, uint16_t name);
/* The next DIE on the way through abstract_origin, specification. */
bool dw_origin(const struct dw_die *d, struct dw_die *out);

/* ranges.c */
struct dw_range_iter {
	struct view v;
	struct dwarf_file *file; /* whose section v is a part of */
	enum dw_section section;
	const struct dwarf_unit *unit;
	uint64_t base;
	enum { DW_RANGE_NONE, DW_RANGE_ONE, DW_RANGE_V4, DW_RANGE_V5 } kind;
	uint64_t low, high;
};
/* From the values of low_pc, high_pc, ranges (form 0: absent). False: no
 * attribute that gives ranges at all. */
bool dw_ranges_of(struct dw_range_iter *it, const struct dwarf_unit *u,
    const struct dw_value *low, const struct dw_value *high,
    const struct dw_value *ranges);
bool dw_ranges_of_die(struct dw_range_iter *it, const struct dw_die *d);
bool dw_ranges_next(struct dw_range_iter *it, uint64_t *low, uint64_t *high);
enum dw_cover { DW_NO_BOUNDS, DW_NOT_COVERED, DW_COVERED };
enum dw_cover dw_die_covers(const struct dw_die *d, uint64_t pc);

/* range_index.c */
void dw_range_index_init(struct dw_range_index *x);
void dw_range_index_deinit(struct dw_range_index *x);
bool dw_range_add(
    struct dw_range_index *x, uint64_t low, uint64_t high, uint64_t value);
void dw_range_sort(struct dw_range_index *x);
/* Up to max items that cover pc, narrowest first. */
size_t dw_range_find(const struct dw_range_index *x, uint64_t pc,
    const struct dw_range **out, size_t max);

/* aranges.c: the units that .debug_aranges has for pc, and that cover it.
 * *none: there are none, and no unit without a table either. */
size_t dw_units_by_aranges(struct dwarf *d, uint64_t pc,
    struct dwarf_unit **out, size_t max, bool *none);

/* addresses.c */
/* Units that may cover pc, best first. */
enum { DW_UNIT_CANDIDATES = 8 };
size_t dw_units_at(
    struct dwarf *d, uint64_t pc, struct dwarf_unit *out[DW_UNIT_CANDIDATES]);

/* functions.c */
/* level 1: outside of bodies and classes; 2: everywhere. */
void dw_functions_build(struct dwarf_unit *u, int level);
/* The subprogram whose code contains pc. */
bool dw_function_at(struct dwarf_unit *u, uint64_t pc, struct dw_die *out);
/* Over all units. */
bool dw_function_find(struct dwarf *d, uint64_t pc, struct dw_die *out);

/* scope.c */
struct dw_level {
	struct dw_die die;
	uint16_t tag;	/* subprogram, inlined_subroutine or a block */
	uint32_t depth; /* blocks since the function */
	uint64_t end;	/* of its subtree, once walked; 0: unknown */
};
struct dw_levels {
	VEC(struct dw_level) items;
};
/* The subprogram, then each block and inline below it that covers pc. */
bool dw_levels_at(
    const struct dw_die *function, uint64_t pc, struct dw_levels *out);

/* variables.c */
struct dw_variables {
	VEC(struct dwarf_variable) items;
};
/* Adds the variables of one level, each kind in source order. inner: the level
 * inside, done before, which needs no second walk; NULL: none. */
void dw_level_variables(struct dw_level *level, const struct dw_level *inner,
    struct dw_variables *parameters, struct dw_variables *locals);
/* Fills a variable from its DIE; false when it is not one to show. */
bool dw_variable_read(const struct dw_die *d, struct dwarf_variable *out);

/* location.c */
/* From an attribute of location class. */
bool dw_location_of(
    struct dwarf_unit *u, const struct dw_value *v, struct dwarf_location *out);
void dw_location_of_constant(
    struct dwarf_unit *u, const struct dw_value *v, struct dwarf_location *out);

/* lines.c, line_header.c, line_program.c */
struct dw_line {
	uint64_t address;
	uint32_t line;
	uint32_t file;
	uint16_t column;
	bool end, stmt;
};
bool dw_line_at(struct dwarf_unit *u, uint64_t pc, struct dw_line *out);
/* Full path of a file of the unit's line table, or NULL. */
const char *dw_line_path(struct dwarf_unit *u, uint64_t file);
void dw_lines_free(struct dw_lines *lines);

/* name.c */
/* "ns::C::" qualified name of a DIE, in the arena; NULL: no name. */
const char *dw_qualified_name(const struct dw_die *d);
/* "ns::C::", or "". */
const char *dw_name_prefix(const struct dw_die *d);
const char *dw_function_name(const struct dw_die *d, const char **linkage);
const char *dw_linkage_name(const struct dw_die *d);
void dw_scopes_free(struct dw_scopes *s);

/* cpp_name.c */
/* The spelling GDB gives a C++ name; the same pointer when nothing changes. */
const char *dw_cpp_canonical(struct arena *a, const char *name);

/* type_find.c */
struct dwarf_die dw_definition_of(struct dwarf *d, const struct dw_die *decl);

#endif /* DWARF_PRIVATE_H */
