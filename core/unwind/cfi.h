/* SPDX-License-Identifier: MIT */
/*
 * Call frame information (DWARF 5 section 6.4 and the .eh_frame form of it,
 * LSB Core 5.0 chapter 10.6): records, the tables that find a record for an
 * address, and the program that turns a record into the row of rules for one
 * address. Nothing here knows a target: addresses are the file's own.
 */
#ifndef UNWIND_CFI_H
#define UNWIND_CFI_H

#include "base/budget.h"
#include "base/vec.h"
#include "image/image.h"
#include "target/arch/arch.h"

/* .eh_frame or .debug_frame. Positions in views over it are offsets in the
 * section, as pc-relative pointers need them. */
struct cfi_section {
	struct view bytes; /* size 0: there is none */
	uint64_t vaddr;	   /* of its first byte */
	bool eh;
	const struct arch *arch; /* NULL: x86-64 */
};

struct cfi_cie {
	uint64_t code_align;
	int64_t data_align;
	unsigned ra;	  /* place of the return address' column */
	uint8_t encoding; /* of addresses in FDEs */
	bool sized;	  /* 'z': FDEs have augmentation data too */
	bool signal;	  /* 'S': frames of it were interrupted, not called */
	uint8_t lsda;	  /* 'L': encoding of FDEs' exception tables, or omit */
	struct view program;
};

struct cfi_fde {
	struct cfi_section section;
	struct cfi_cie cie;
	uint64_t start, end; /* addresses it covers, [start, end) */
	bool lands; /* exceptions may lead into the middle of the function */
	struct view program;
};

/* One record of a section: CIE, FDE or the terminator. */
struct cfi_record {
	struct view body; /* behind the id field, ends with the record */
	uint64_t next;	  /* offset of the following record */
	bool is_cie, is_end;
	uint64_t cie; /* offset of an FDE's CIE */
};
bool cfi_record_read(
    const struct cfi_section *s, uint64_t offset, struct cfi_record *out);
bool cfi_cie_read(
    const struct cfi_section *s, uint64_t offset, struct cfi_cie *out);
/* With a record and its CIE already read. */
bool cfi_fde_of(const struct cfi_section *s, const struct cfi_record *record,
    const struct cfi_cie *cie, struct cfi_fde *out);
bool cfi_fde_read(
    const struct cfi_section *s, uint64_t offset, struct cfi_fde *out);

/*
 * An encoded pointer (DW_EH_PE_*) at the view's position. base is what datarel
 * adds. False for a bad encoding; indirect pointers are not followed, the
 * address of the pointer is the result. DW_EH_PE_omit reads nothing.
 */
enum { CFI_PE_ABSPTR = 0, CFI_PE_OMIT = 0xff };
bool cfi_pointer(struct view *v, uint8_t encoding, uint64_t section_vaddr,
    uint64_t base, uint64_t *out);
/* Size of a pointer in that encoding, 0 when it varies or is bad. */
unsigned cfi_pointer_size(uint8_t encoding);

struct cfi_range {
	uint64_t start, end;
	uint64_t offset; /* of the FDE */
};

struct cfi_index {
	bool built;
	VEC(struct cfi_range) ranges; /* sorted by start */
};

/* All call frame information of one module. */
struct cfi_tables {
	struct image *image; /* borrowed; NULL: there is none */
	struct budget *budget;
	struct cfi_section eh, debug;
	struct {
		struct view bytes; /* the sorted table; size 0: none */
		uint64_t vaddr;	   /* of .eh_frame_hdr, base of its values */
		uint8_t encoding;
		unsigned width; /* of one address */
		bool plain;	/* datarel sdata4, what linkers write */
		uint64_t count;
	} table;
	enum { CFI_TABLE_UNCHECKED, CFI_TABLE_HONEST, CFI_TABLE_LIES } verdict;
	struct cfi_index eh_index, debug_index;
};

void cfi_tables_init(
    struct cfi_tables *t, struct image *image, struct budget *budget);
void cfi_tables_deinit(struct cfi_tables *t);
/* Takes .debug_frame from an image, the module's own or its debug file. False
 * when it has none. */
bool cfi_tables_debug(struct cfi_tables *t, struct image *image);
/* The FDE that covers the address: .eh_frame, then .debug_frame. */
bool cfi_find_eh(struct cfi_tables *t, uint64_t vaddr, struct cfi_fde *out);
bool cfi_find_debug(struct cfi_tables *t, uint64_t vaddr, struct cfi_fde *out);

enum cfi_kind {
	CFI_UNSPECIFIED,
	CFI_UNDEFINED,
	CFI_SAME,
	CFI_OFFSET,	/* saved at CFA + offset */
	CFI_VAL_OFFSET, /* is CFA + offset */
	CFI_REGISTER,	/* is in another register */
	CFI_EXPRESSION, /* saved where the expression says */
	CFI_VAL_EXPRESSION
};

struct cfi_rule {
	enum cfi_kind kind;
	unsigned reg;
	int64_t offset;
	struct view block;
};

/* How to find the caller's registers, by their places in struct regs. */
struct cfi_row {
	bool cfa_is_block;
	bool ra_signed; /* aarch64: the return address has a signature */
	unsigned cfa_reg;
	int64_t cfa_offset;
	struct view cfa_block;
	struct cfi_rule regs[ARCH_REGS]; /* as many as the machine uses */
};

/* The row for an address inside the FDE. The return address' rule is that of
 * ARCH_PC whatever its column is. */
bool cfi_row(const struct cfi_fde *fde, uint64_t vaddr, struct cfi_row *out);

#endif /* UNWIND_CFI_H */
