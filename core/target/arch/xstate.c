/* SPDX-License-Identifier: MIT */
/*
 * The XSAVE area in its standard form (Intel SDM volume 1, 13.4): 512 bytes as
 * FXSAVE has them, a header, then one part for each feature. The parts' places
 * differ by the processor's maker: Intel leaves room for the bounds registers,
 * which AMD never had. The kernel tells them since Linux 6.12; before that
 * (and for a live process) the size of the whole decides, as there is no
 * processor for which the two rules meet.
 */
#include "target/arch/xstate.h"

enum {
	XMM = 160,
	SOFTWARE = 464, /* in memory that no processor uses */
	HEADER = 512,
	SAVED = HEADER,
	COMPACT = HEADER + 8,
	AVX = 576,
	/* Features, by their bits */
	FEATURE_AVX = 2,
	FEATURE_MASK = 5,
	FEATURE_ZMM_HIGH = 6,
	FEATURE_ZMM16 = 7
};

/* The first word that the kernel writes into the software's part: the enabled
 * features (arch/x86/kernel/fpu/xstate.c), or in a signal frame, behind a
 * number to know it by, the same (uapi/asm/sigcontext.h). */
static const uint32_t frame_magic = 0x46505853;

static const struct arch_xstate_layout intel = {AVX, 1088, 1152, 1664};
static const struct arch_xstate_layout amd = {AVX, 832, 896, 1408};

static struct arch_xstate_layout
layout_of(const struct arch_thread_regs *t)
{
	const struct arch_xstate_layout none = {AVX, 0, 0, 0};
	const size_t zmm16_size = 1024;

	if (t->layout != NULL)
		return *t->layout;
	if (t->xstate_size >= intel.zmm16 + zmm16_size)
		return intel;
	if (t->xstate_size >= amd.zmm16 + zmm16_size)
		return amd;
	return none;
}

/* The part of a feature that lies at `at`: its bytes, or NULL when they are
 * not there; *initial: it was not saved, because it was all zeros. */
static const uint8_t *
part(const struct arch_thread_regs *t, unsigned feature, size_t at, size_t size,
    bool *initial)
{
	const unsigned compact_bit = 63;
	struct view v = view_of(t->xstate, t->xstate_size), bytes;
	uint64_t enabled, saved, compact;

	*initial = false;
	if (t->xstate == NULL || t->xstate_is_fx || at == 0)
		return NULL;
	view_seek(&v, SOFTWARE);
	enabled = view_u64(&v);
	if ((uint32_t)enabled == frame_magic)
		enabled = view_u64(&v);
	view_seek(&v, SAVED);
	saved = view_u64(&v);
	view_seek(&v, COMPACT);
	compact = view_u64(&v);
	bytes = view_sub(&v, at, size);
	if (!view_ok(&v) || (enabled >> feature & 1) == 0 ||
	    compact >> compact_bit != 0)
		return NULL;
	*initial = (saved >> feature & 1) == 0;
	return view_bytes(&bytes, size);
}

/* Copies a part of a register: zeros in its initial state. */
static bool
put_part(const struct arch_thread_regs *t, unsigned feature, size_t at,
    size_t size, uint8_t *out)
{
	bool initial;
	const uint8_t *bytes = part(t, feature, at, size, &initial);

	if (bytes == NULL)
		return false;
	if (initial)
		memset(out, 0, size);
	else
		memcpy(out, bytes, size);
	return true;
}

bool
arch_vector(
    const struct arch_thread_regs *t, unsigned n, unsigned bytes, uint8_t *out)
{
	struct view v = view_of(t->xstate, t->xstate_size), low;
	struct arch_xstate_layout l = layout_of(t);
	uint8_t whole[ARCH_VECTOR_BYTES];
	const uint8_t *xmm;

	if (n >= ARCH_VECTORS || bytes > sizeof(whole) || t->xstate == NULL)
		return false;
	if (n >= ARCH_VECTORS / 2) {
		if (l.zmm16 == 0 ||
		    !put_part(t, FEATURE_ZMM16,
			l.zmm16 + ARCH_VECTOR_BYTES * (size_t)(n - 16),
			ARCH_VECTOR_BYTES, whole))
			return false;
		memcpy(out, whole, bytes);
		return true;
	}
	low = view_sub(&v, XMM + 16 * (size_t)n, 16);
	xmm = view_bytes(&low, 16);
	if (xmm == NULL ||
	    (bytes > 16 &&
		!put_part(
		    t, FEATURE_AVX, l.avx + 16 * (size_t)n, 16, whole + 16)) ||
	    (bytes > 32 &&
		(l.zmm_high == 0 ||
		    !put_part(t, FEATURE_ZMM_HIGH, l.zmm_high + 32 * (size_t)n,
			32, whole + 32))))
		return false;
	memcpy(whole, xmm, 16);
	memcpy(out, whole, bytes);
	return true;
}

bool
arch_mask(const struct arch_thread_regs *t, unsigned n, uint64_t *out)
{
	struct arch_xstate_layout l = layout_of(t);
	uint8_t bytes[8];

	if (n >= ARCH_MASKS || l.mask == 0 ||
	    !put_part(
		t, FEATURE_MASK, l.mask + 8 * (size_t)n, sizeof(bytes), bytes))
		return false;
	memcpy(out, bytes, sizeof(*out));
	return true;
}

/* An array of struct x86_xfeat_component: feature, size, offset, flags (Linux
 * arch/x86/include/uapi/asm/elf.h). */
bool
arch_xstate_layout(struct view note, struct arch_xstate_layout *out)
{
	bool any = false;

	memset(out, 0, sizeof(*out));
	while (view_left(&note) >= 16) {
		uint32_t feature = view_u32(&note), size = view_u32(&note);
		uint32_t offset = view_u32(&note);

		(void)view_u32(&note);
		if (offset < AVX || offset > UINT32_MAX - size)
			continue;
		any = true;
		if (feature == FEATURE_AVX && size == 256)
			out->avx = offset;
		else if (feature == FEATURE_MASK && size == 64)
			out->mask = offset;
		else if (feature == FEATURE_ZMM_HIGH && size == 512)
			out->zmm_high = offset;
		else if (feature == FEATURE_ZMM16 && size == 1024)
			out->zmm16 = offset;
	}
	return any && out->avx != 0;
}

bool
arch_sigframe_xstate(bt_addr_t sp, arch_read_fn *read, void *ctx,
    bt_addr_t *address, size_t *size)
{
	/* The word behind cr2 in the mcontext. */
	const uint64_t pointer = 40 + 23 * 8;
	struct { /* struct _fpx_sw_bytes */
		uint32_t magic, extended_size;
		uint64_t features;
		uint32_t size, pad;
	} software;

	if (sp > UINT64_MAX - pointer - sizeof(*address) ||
	    read(ctx, sp + pointer, address, sizeof(*address)) !=
		sizeof(*address) ||
	    *address == 0 || *address > UINT64_MAX - ARCH_XSTATE_MAX ||
	    read(ctx, *address + SOFTWARE, &software, sizeof(software)) !=
		sizeof(software) ||
	    software.magic != frame_magic || software.size < AVX)
		return false;
	*size = software.size < ARCH_XSTATE_MAX ? software.size
						: ARCH_XSTATE_MAX;
	return true;
}
