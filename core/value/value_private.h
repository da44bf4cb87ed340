/* SPDX-License-Identifier: MIT */
/*
 * How a variable becomes a snap_variable, in three steps:
 *
 *	shape	what a DWARF type looks like, compiled once per type (shape.c);
 *	source	where a value's bytes are: target memory, or bytes put together
 *		from registers, constants and pieces, with what is missing
 *		(locate.c, entry.c, source.c);
 *	read	shape + source -> snap_variable (read.c, scalar.c, text.c).
 *
 * value.c plans a scope once (names, shapes and location expressions are
 * looked up then) and a frame only evaluates the plan's slots.
 */
#ifndef VALUE_VALUE_PRIVATE_H
#define VALUE_VALUE_PRIVATE_H

#include "expr/expr.h"
#include "snapshot/pack.h"
#include "value/value.h"

enum {
	VALUE_PAGE = 4096,
	VALUE_WINDOWS = 64, /* power of two */
	VALUE_WINDOW_SIZE = 65536,
	VALUE_TEXTS = 256,    /* power of two */
	VALUE_SITES = 512,    /* power of two */
	VALUE_FOLLOWED = 256, /* power of two */
	/* A value that is put together from pieces is a handful of registers;
	 * larger ones than this are damage. */
	VALUE_BYTES_MAX = 65536,
	/* Variables, members and elements shown of one variable. */
	VALUE_NODES_MAX = 4096,
	/* Expressions evaluated for one variable: nested ones could otherwise
	 * double with each level. */
	VALUE_RUNS_MAX = 4096,
	/* Expressions inside expressions (call, variable_value, bounds). */
	VALUE_NESTING = 64,
	/* How far a cut string is measured. */
	VALUE_STRING_SCAN = 1 << 20,
	VALUE_SHAPES_CAP = 1 << 28,
	VALUE_SCRATCH_CAP = 1 << 24,
	VALUE_NODES_CAP = 1 << 28,
	VALUE_MAPS_LIMIT = 1 << 24
};

/* No real array has more elements than addresses of user space. */
#define VALUE_COUNT_MAX (UINT64_C(1) << 47)

/* ---- shapes ---- */

enum shape_kind {
	SHAPE_UNKNOWN,
	SHAPE_VOID,
	SHAPE_INT, /* is_signed; also data member pointers */
	SHAPE_BOOL,
	SHAPE_CHAR,
	SHAPE_FLOAT,
	SHAPE_COMPLEX,
	SHAPE_ENUM,
	SHAPE_POINTER,
	SHAPE_TEXT_POINTER, /* to characters */
	SHAPE_CODE_POINTER, /* to a function */
	SHAPE_METHOD,	    /* pointer to member function */
	SHAPE_REFERENCE,
	SHAPE_STRUCT,
	SHAPE_UNION,
	SHAPE_ARRAY,
	SHAPE_TEXT, /* array of characters */
	SHAPE_FUNCTION
};

enum float_format {
	FLOAT_NONE,
	FLOAT_HALF,
	FLOAT_BRAIN, /* bfloat16 */
	FLOAT_SINGLE,
	FLOAT_DOUBLE,
	FLOAT_EXTENDED, /* x87, 10 bytes in 12 or 16 */
	FLOAT_QUAD
};

struct label {
	int64_t value;
	const char *name; /* interned */
};

struct field {
	const char *name; /* interned, "" anonymous */
	struct shape *shape;
	const struct dwarf_member *member;
	uint64_t offset;
	uint64_t bit_offset;
	uint16_t bit_size;	/* 0: no bit-field */
	bool is_base, computed; /* computed: offset by expression */
	bool is_vptr;		/* the virtual table is no data */
};

/* How a STRUCT is shown. */
enum shape_form {
	FORM_PLAIN,
	FORM_SLICE, /* as the elements it is a view of */
	FORM_STR,   /* as text */
	FORM_TEXT   /* as a struct, with its text */
};

struct shape_variant {
	const struct dwarf_variant *variant;
	const char *name; /* interned, "" none */
	uint32_t n_fields;
	struct field *fields; /* those of the shape first */
};

struct shape {
	uint8_t kind;	/* enum shape_kind */
	uint8_t format; /* enum float_format */
	uint8_t form;	/* enum shape_form */
	bool is_signed, has_size, laid_out;
	bool followable, follow_tried; /* POINTER: to something to show */
	uint32_t dim; /* ARRAY: index of its bound in type->bounds */
	uint64_t size;
	const char *name;	       /* interned */
	const struct dwarf_type *type; /* stripped, completed when laid out */
	struct dwarf *dwarf;
	struct shape *target; /* element, pointed to, referred to */
	uint32_t n_fields, n_labels;
	struct field *fields;
	struct label *labels; /* declaration order */
	uint32_t *by_value;   /* indices of labels, sorted by value */
	uint32_t n_variants;
	struct shape_variant *variants; /* NULL: none */
	/* forms but PLAIN: offsets of the pointer and the count */
	uint64_t view_pointer, view_length;
	struct shape *view_element;
};

/* ---- sources ---- */

enum source_kind {
	SOURCE_NONE,   /* reason */
	SOURCE_MEMORY, /* address */
	SOURCE_BYTES   /* bytes, size, state */
};

/* State of one byte of SOURCE_BYTES. */
enum byte_state {
	BYTE_THERE,
	BYTE_OPTIMIZED_OUT,
	BYTE_NOT_SAVED,
	BYTE_UNREADABLE,
	BYTE_IMPLICIT,	  /* part of an implicit pointer */
	BYTE_UNDESCRIBED, /* behind the last piece */
	BYTE__COUNT
};

/* DW_OP_implicit_pointer: the pointer does not exist, what it points to may.*/
struct implicit {
	uint64_t offset, size; /* bytes of the value it stands for */
	struct dwarf_die die;
	int64_t die_offset;
	const struct implicit *next;
};

struct source {
	enum source_kind kind;
	const char *reason;
	uint64_t address;
	/* BYTES: the bytes (NULL: in `small`). MEMORY: those that lie in place
	 * from address on, as far as is known without looking; may be none. */
	const uint8_t *bytes;
	uint64_t size;
	const uint8_t *state; /* per byte; NULL: all there */
	const uint8_t *gaps;  /* with state, per byte: the bits missing */
	const struct implicit *implicit;
	uint8_t small[32]; /* room for bytes of registers */
};

/* ---- the reader ---- */

struct window { /* memory in place, found by its page */
	uint64_t address;
	const uint8_t *data;
	size_t size;
};

struct text_entry { /* text that pointers pointed to before */
	uint64_t address;
	const char *text; /* NULL: no entry */
	uint64_t length;
	uint32_t size;
	uint16_t flags;
	uint8_t width;
};

/* What a call site passes to a function in some place, when that depends on
 * neither's frame. */
struct site_entry {
	const struct dwarf_scope *function; /* NULL: no entry */
	uint64_t return_pc;		    /* in the caller */
	const uint8_t *place;		    /* the expression that names it */
	struct dwarf_unit *unit;
	const struct dwarf_call_parameter *parameter;
	/* What is passed, where that is as simple. */
	enum { SITE_EXPRESSION, SITE_CONSTANT, SITE_REGISTER } how;
	unsigned reg;	 /* the place of what the caller's register holds */
	uint64_t offset; /* what is added; the constant */
};

struct pending { /* a followed object to be read */
	uint64_t id, address;
	struct shape *shape;
	struct target_module *module;
	uint32_t depth;
};

struct followed { /* objects that pointers led to before */
	uint64_t address;
	const struct shape *shape; /* of the pointer */
	uint64_t id;		   /* 0: no entry */
};

struct value_reader {
	struct target *target;
	const struct arch *arch; /* NULL: x86-64 */
	struct unwinder *unwinder;
	struct snapshot *snapshot;
	struct budget *budget;
	value_dwarf_fn *dwarf_of;
	void *dwarf_ctx;
	struct value_limits limits;
	struct arena arena;   /* shapes and scope plans */
	struct arena scratch; /* one variable's pieces */
	struct arena nodes;   /* of a frame that will be packed */
	/* Where nodes go: there, or into the snapshot. */
	struct arena *nodes_to;
	uint64_t nodes_bytes; /* charged for those */
	struct snap_packer packer;
	struct map shapes;     /* dwarf_type -> struct shape */
	struct map scopes;     /* dwarf_variable array -> struct scope_plan */
	struct map names;      /* DWARF string -> interned string */
	struct map symbols;    /* code address -> interned name */
	struct map tail_loops; /* function -> may it tail-call itself */
	struct map functions;  /* name and module -> address + 1 */
	struct window windows[VALUE_WINDOWS];
	struct entry_memo *entry_memo;
	struct text_entry texts[VALUE_TEXTS];
	struct site_entry sites[VALUE_SITES];
	struct followed followed[VALUE_FOLLOWED];
	VEC(struct pending) pending;
	size_t pending_done; /* the first not read yet */
	uint32_t nodes_left; /* of the variable being read */
	uint32_t runs_left;  /* expressions evaluated for it */
};

/*
 * What expressions of one frame are evaluated against. thread, stack and
 * frame may be NULL (globals, followed objects): then registers, CFA and
 * frame base are unknown.
 */
struct evaluator {
	struct value_reader *r;
	const struct target_thread *thread;
	const struct unwind_stack *stack;
	const struct unwind_frame *frame;
	size_t index;
	struct target_module *module;
	struct dwarf *dwarf;
	const struct dwarf_scope *function; /* the physical one */
	uint64_t pc; /* look-up pc, the image's own numbering */
	uint64_t bias;
	bool follow;
	uint32_t follow_level; /* objects between the variable and here */
	/* Frame base, found on first use. */
	enum { BASE_UNTRIED, BASE_KNOWN, BASE_UNKNOWN } base_state;
	uint64_t base;
	/* The expression being evaluated. */
	struct dwarf_unit *unit;
	const uint64_t *object_address;
	unsigned nesting, entry_depth;
	bool at_call;	       /* value_at_call is asking */
	bool register_missing; /* a register was asked for and is not known */
};

extern const char value_optimized_out[];
extern const char value_not_saved[];
extern const char value_limit[];

/* shape.c */
struct shape *shape_of(
    struct value_reader *r, struct dwarf *dwarf, const struct dwarf_type *type);
/* Members and enumerators; resolves declarations. */
/* A member as a field of the shape. */
void shape_field(struct value_reader *r, const struct shape *s, struct field *f,
    const struct dwarf_member *m);
void shape_lay_out(struct value_reader *r, struct shape *s);
/* Pointers: what is pointed to is worth an object of its own. */
bool shape_followable(struct value_reader *r, struct shape *s);
/* The interned form of a string that lives as long as the dwarf. */
const char *value_name(struct value_reader *r, const char *name);

/* source.c */
void source_none(struct source *s, const char *reason);
void source_memory(struct value_reader *r, struct source *s, uint64_t address);
/* The copy is in the source itself or in scratch memory. */
void source_bytes(
    struct value_reader *r, struct source *s, const void *bytes, uint64_t size);
/* The way of source_get when the bytes are not simply there. */
const uint8_t *source_fetch(struct value_reader *r, const struct source *s,
    uint64_t offset, size_t size, void *buffer, const char **reason);
/* The bits [bit, bit + width) of a source, width at most 64. */
bool source_bits(struct value_reader *r, const struct source *s, uint64_t bit,
    unsigned width, uint64_t *out, const char **reason);
/* Not one bit of that byte is known. */
bool source_byte_missing(const struct source *s, uint64_t offset);
/* The implicit pointer that covers exactly this part, or NULL. */
const struct implicit *source_implicit(
    const struct source *s, uint64_t offset, uint64_t size);
const uint8_t *value_memory(
    struct value_reader *r, uint64_t address, size_t size, void *buffer);
const char *value_unreadable(struct value_reader *r, uint64_t address);

/* locate.c */
/* Where the object is; size (0: unknown) bounds what pieces build. */
void value_locate(struct evaluator *ev, const struct dwarf_location *location,
    uint64_t size, struct source *out);
void value_locate_block(struct evaluator *ev, struct dwarf_unit *unit,
    struct view block, uint64_t size, struct source *out);
/* An expression as a number. */
bool value_evaluate(struct evaluator *ev, struct dwarf_unit *unit,
    struct view block, const uint64_t *initial, uint64_t *out, bt_error_t *e);
/* The integer a variable DIE holds. */
bool value_of_die(
    struct evaluator *ev, struct dwarf_die die, uint64_t *out, bt_error_t *e);
bool value_frame_base(struct evaluator *ev, uint64_t *out, bt_error_t *e);

/* entry.c: what the frame's own call passed in a caller-saved register */
bool value_at_call(struct evaluator *ev, unsigned number, uint64_t *out);

/* entry_memo.c: DW_OP_entry_value */
struct entry_memo *entry_memo_create(void);
void entry_memo_destroy(struct entry_memo *m); /* NULL allowed */
bool value_on_entry(
    struct evaluator *ev, struct view block, uint64_t *out, bt_error_t *e);

/* scalar.c: leaves. bits: LE bytes of the value, size of them. */
void scalar_int(struct value_reader *r, const struct shape *s,
    const uint8_t *bytes, size_t size, struct snap_variable *v);
void scalar_read(struct value_reader *r, struct shape *s, const uint8_t *bytes,
    size_t size, struct snap_variable *v);
uint64_t scalar_u64(const uint8_t *bytes, size_t size);
void scalar_enum(struct value_reader *r, struct shape *s, uint64_t bits,
    unsigned width, struct snap_variable *v);

/* text.c */
/* The text a pointer points to. */
void text_pointer(struct value_reader *r, const struct shape *s,
    uint64_t address, struct snap_variable *v);
void text_source(struct value_reader *r, const struct shape *s,
    const struct source *src, uint64_t offset, struct snap_variable *v);
/* An array of count characters in the source. */
void text_array(struct value_reader *r, const struct shape *s,
    const struct source *src, uint64_t offset, uint64_t count,
    struct snap_variable *v);
/* One character as text. */
void text_char(struct value_reader *r, uint64_t code, size_t size,
    struct snap_variable *v);
void text_set(struct value_reader *r, struct snap_variable *v, const void *text,
    size_t size);

/* symbol.c */
/* Demangled name of the function at a run-time address, NULL: none. */
const char *value_symbol(struct value_reader *r, uint64_t address);

/* value.c: a new variable begins */
void value_begin(struct value_reader *r);

/* read.c */
void value_read(struct evaluator *ev, struct shape *s, const struct source *src,
    uint64_t offset, unsigned depth, struct snap_variable *v);
void value_unavailable(struct snap_variable *v, const char *reason);
/* The address of a function, and its name where it has one. */
void value_code(
    struct value_reader *r, uint64_t address, struct snap_variable *v);
/* Room for children, whose name and type the caller sets; on failure v is
 * UNAVAILABLE. */
bool value_children(
    struct value_reader *r, struct snap_variable *v, uint32_t count);
/* Counts size bytes against the cap; false when it is reached. */
bool value_charge(struct value_reader *r, uint64_t size);
bool value_charge_nodes(struct value_reader *r, uint64_t size);
/* Bytes of a whole value, 0: unknown or more than VALUE_BYTES_MAX. */
uint64_t value_size(struct evaluator *ev, struct shape *s);

/* variant.c */
void variant_lay_out(struct value_reader *r, struct shape *s);
/* The active one of a shape that has variants; NULL: *reason says why. */
const struct shape_variant *variant_active(struct evaluator *ev,
    const struct shape *s, const struct source *src, uint64_t offset,
    const char **reason);

/* views.c */
void view_recognise(struct value_reader *r, struct shape *s);
/* SLICE, STR: false when memory does not hold one. */
bool view_read(struct evaluator *ev, struct shape *s, const struct source *src,
    uint64_t offset, unsigned depth, struct snap_variable *v);
/* Adds the text of a view of characters. */
bool view_text(struct evaluator *ev, const struct shape *s,
    const struct source *src, uint64_t offset, struct snap_variable *v);

/* array.c */
/* count elements, stride bytes apart (0: not known), as children of v. */
void array_elements(struct evaluator *ev, struct shape *element,
    uint64_t stride, const struct source *src, uint64_t offset, uint64_t count,
    unsigned depth, struct snap_variable *v);
/* Elements of one dimension; false when they cannot be known. */
bool array_count(struct evaluator *ev, const struct dwarf_bound *bound,
    bool *bounded, uint64_t *count);
/* Bytes of one element of an array shape; 0: unknown. */
uint64_t array_stride(struct evaluator *ev, const struct shape *s);
void array_read(struct evaluator *ev, struct shape *s, const struct source *src,
    uint64_t offset, unsigned depth, struct snap_variable *v);

/* follow.c */
void value_follow(struct evaluator *ev, struct shape *s, uint64_t address,
    struct snap_variable *v);

/* size bytes at offset, in place or in buffer; NULL: *reason says why, but not
 * when there is no buffer and they may be had with one. */
static inline const uint8_t *
source_get(struct value_reader *r, const struct source *s, uint64_t offset,
    size_t size, void *buffer, const char **reason)
{
	if (s->kind == SOURCE_MEMORY && offset < s->size &&
	    size <= s->size - offset)
		return s->bytes + offset;
	return source_fetch(r, s, offset, size, buffer, reason);
}

#endif /* VALUE_VALUE_PRIVATE_H */
