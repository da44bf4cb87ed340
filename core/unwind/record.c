/* SPDX-License-Identifier: MIT */
/*
 * Records of call frame information: length, id, CIE and FDE headers, encoded
 * pointers. The section view is cut to the record's end before anything is
 * read, so no field can reach past it.
 */
#include "unwind/cfi.h"

/* DW_EH_PE_*, LSB Core 5.0 section 10.5.1. */
enum {
	PE_ULEB128 = 0x01,
	PE_UDATA2,
	PE_UDATA4,
	PE_UDATA8,
	PE_SIGNED = 0x08,
	PE_SLEB128,
	PE_SDATA2,
	PE_SDATA4,
	PE_SDATA8,
	PE_FORMAT = 0x0f,
	PE_PCREL = 0x10,
	PE_DATAREL = 0x30,
	PE_ALIGNED = 0x50,
	PE_BASE = 0x70
};

enum { ADDRESS_SIZE = 8 };

unsigned
cfi_pointer_size(uint8_t encoding)
{
	switch (encoding & PE_FORMAT) {
	case PE_UDATA2:
	case PE_SDATA2:
		return 2;
	case PE_UDATA4:
	case PE_SDATA4:
		return 4;
	case CFI_PE_ABSPTR:
	case PE_SIGNED:
	case PE_UDATA8:
	case PE_SDATA8:
		return 8;
	default:
		return 0;
	}
}

bool
cfi_pointer(struct view *v, uint8_t encoding, uint64_t section_vaddr,
    uint64_t base, uint64_t *out)
{
	uint64_t at = section_vaddr + v->pos;

	*out = 0;
	if (encoding == CFI_PE_OMIT)
		return true;
	if ((encoding & PE_BASE) == PE_ALIGNED) {
		view_skip(v, (size_t)(-at & (ADDRESS_SIZE - 1)));
		*out = view_u64(v);
		return view_ok(v);
	}
	switch (encoding & PE_FORMAT) {
	case PE_ULEB128:
		*out = view_uleb(v);
		break;
	case PE_SLEB128:
		*out = (uint64_t)view_sleb(v);
		break;
	case PE_SDATA2:
		*out = (uint64_t)(int16_t)view_u16(v);
		break;
	case PE_SDATA4:
		*out = (uint64_t)(int32_t)view_u32(v);
		break;
	default:
		*out = view_uint(v, cfi_pointer_size(encoding));
		break;
	}
	/* A null pointer is null in every encoding (libgcc's
	 * read_encoded_value_with_base does the same). */
	if (*out != 0 && (encoding & PE_BASE) == PE_PCREL)
		*out += at;
	else if ((encoding & PE_BASE) == PE_DATAREL)
		*out += base;
	else if ((encoding & PE_BASE) > PE_PCREL)
		return false; /* textrel, funcrel: not on this machine */
	return view_ok(v);
}

bool
cfi_record_read(
    const struct cfi_section *s, uint64_t offset, struct cfi_record *out)
{
	struct view v = s->bytes;
	uint64_t length, id, field, cie_id;
	bool wide = false;

	*out = (struct cfi_record){0};
	view_seek(&v, offset);
	length = view_u32(&v);
	if (length == UINT32_MAX) {
		wide = true;
		length = view_u64(&v);
	}
	if (view_ok(&v) == false)
		return false;
	if (length == 0) {
		out->is_end = true;
		out->next = v.pos;
		return true;
	}
	if (length > view_left(&v))
		return false;
	v.size = v.pos + (size_t)length;
	out->next = v.size;
	field = v.pos;
	/* The id of .eh_frame has 4 bytes whatever the length has (LSB Core 5.0
	 * section 10.6.1.1; LLVM writes and reads it so). */
	wide = wide && s->eh == false;
	id = wide ? view_u64(&v) : view_u32(&v);
	if (view_ok(&v) == false)
		return false;
	cie_id = s->eh ? 0 : wide ? UINT64_MAX : UINT32_MAX;
	out->is_cie = id == cie_id;
	if (s->eh && out->is_cie == false && id > field)
		return false;
	out->cie = s->eh ? field - id : id;
	out->body = v;
	return true;
}

/* The letters behind 'z', each with its data. An unknown letter ends the
 * reading: 'z' tells how much to skip. */
static bool
read_augmentation(const struct cfi_section *s, const char *letters,
    struct view *v, struct cfi_cie *out)
{
	uint64_t ignored;

	for (; *letters != '\0'; letters++) {
		switch (*letters) {
		case 'R':
			out->encoding = view_u8(v);
			break;
		case 'L':
			out->lsda = view_u8(v);
			break;
		case 'P':
			if (cfi_pointer(v, view_u8(v), s->vaddr, 0, &ignored) ==
			    false)
				return false;
			break;
		case 'S':
			out->signal = true;
			break;
		case 'B': /* AArch64: pointer authentication key */
		case 'G': /* AArch64: memory tagging */
			break;
		default:
			return true;
		}
	}
	return view_ok(v);
}

bool
cfi_cie_read(const struct cfi_section *s, uint64_t offset, struct cfi_cie *out)
{
	struct cfi_record record;
	struct view *v = &record.body;
	const char *augmentation;
	unsigned version;
	uint64_t ra;

	*out = (struct cfi_cie){.lsda = CFI_PE_OMIT};
	if (cfi_record_read(s, offset, &record) == false ||
	    record.is_cie == false)
		return false;
	version = view_u8(v);
	augmentation = view_cstr(v);
	if (augmentation == NULL || version == 0 || version == 2 || version > 5)
		return false;
	if (version >= 4) {
		unsigned address_size = view_u8(v), segment_size = view_u8(v);

		if (address_size != ADDRESS_SIZE || segment_size != 0)
			return false;
	}
	if (strncmp(augmentation, "eh", 2) == 0) { /* GCC 2's */
		view_skip(v, ADDRESS_SIZE);
		augmentation += 2;
	}
	out->code_align = view_uleb(v);
	out->data_align = view_sleb(v);
	ra = version == 1 ? view_u8(v) : view_uleb(v);
	out->ra = ra > UINT8_MAX ? ARCH_NO_PLACE
				 : arch_place(s->arch, (unsigned)ra);
	if (out->ra == ARCH_NO_PLACE)
		return false;
	if (*augmentation == 'z') {
		uint64_t size = view_uleb(v);
		size_t end;

		if (view_ok(v) == false || size > view_left(v))
			return false;
		end = v->pos + (size_t)size;
		out->sized = true;
		if (read_augmentation(s, augmentation + 1, v, out) == false ||
		    v->pos > end)
			return false;
		view_seek(v, end);
	} else if (*augmentation != '\0') {
		return false;
	}
	out->program = *v;
	return view_ok(v);
}

bool
cfi_fde_of(const struct cfi_section *s, const struct cfi_record *record,
    const struct cfi_cie *cie, struct cfi_fde *out)
{
	struct view v = record->body;
	uint64_t size;

	if (cie->encoding == CFI_PE_OMIT ||
	    cfi_pointer(&v, cie->encoding, s->vaddr, 0, &out->start) == false ||
	    /* The size has the format of the address, without its base. */
	    cfi_pointer(&v, cie->encoding & PE_FORMAT, s->vaddr, 0, &size) ==
		false)
		return false;
	if (__builtin_add_overflow(out->start, size, &out->end))
		out->end = UINT64_MAX;
	out->lands = false;
	if (cie->sized) {
		uint64_t left = view_uleb(&v), table;
		struct view data = v;

		/* Null: this function of the many has no table. */
		out->lands = cie->lsda != CFI_PE_OMIT && left != 0 &&
		    (cfi_pointer(&data, cie->lsda, s->vaddr, 0, &table) ==
			    false ||
			table != 0);
		view_skip(&v, left);
	}
	out->section = *s;
	out->cie = *cie;
	out->program = v;
	return view_ok(&v);
}

bool
cfi_fde_read(const struct cfi_section *s, uint64_t offset, struct cfi_fde *out)
{
	struct cfi_record record;
	struct cfi_cie cie;

	return cfi_record_read(s, offset, &record) && record.is_cie == false &&
	    record.is_end == false && cfi_cie_read(s, record.cie, &cie) &&
	    cfi_fde_of(s, &record, &cie, out);
}
