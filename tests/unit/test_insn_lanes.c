/* SPDX-License-Identifier: MIT */
/*
 * Gathers and scatters: where each lane would access memory, and which lanes
 * are masked out, from extended states as different processors and kernels
 * lay them out.
 */
#include "base/buf.h"
#include "harness/test.h"
#include "target/arch/insn.h"
#include "target/arch/xstate.h"

enum { AREA = 11008, ENABLED = 464, SAVED = 512, COMPACT = 520 };

/* Offsets of the parts: those of Intel's processors and of AMD's. */
static const struct arch_xstate_layout intel = {576, 1088, 1152, 1664},
				       amd = {576, 832, 896, 1408};

struct state {
	uint8_t area[AREA];
	struct arch_thread_regs thread;
	struct regs regs;
};

static void
put(struct state *s, size_t at, const void *bytes, size_t size)
{
	assert_true(at + size <= sizeof(s->area));
	memcpy(s->area + at, bytes, size);
}

static void
put_u64(struct state *s, size_t at, uint64_t value)
{
	put(s, at, &value, sizeof(value));
}

static void
init(struct state *s, size_t size)
{
	memset(s, 0, sizeof(*s));
	s->thread.xstate = s->area;
	s->thread.xstate_size = size;
	s->thread.complete = true;
	for (unsigned i = 0; i < ARCH_X86_64_REGS; i++)
		regs_set(&s->regs, i, (uint64_t)(i + 1) << 24);
	put_u64(s, ENABLED, 0x600e7);
	put_u64(s, SAVED, 0xe7);
}

/* Vector register n, all 64 bytes. */
static void
set_vector(struct state *s, const struct arch_xstate_layout *l, unsigned n,
    const void *bytes)
{
	const uint8_t *from = bytes;

	if (n >= 16) {
		put(s, l->zmm16 + 64 * (size_t)(n - 16), from, 64);
		return;
	}
	put(s, 160 + 16 * (size_t)n, from, 16);
	put(s, l->avx + 16 * (size_t)n, from + 16, 16);
	put(s, l->zmm_high + 32 * (size_t)n, from + 32, 32);
}

static bool
decode(const struct state *s, const char *hex, struct insn *out)
{
	uint8_t code[16];
	size_t n = 0;
	unsigned byte;

	for (; sscanf(hex + 2 * n, "%2x", &byte) == 1; n++)
		code[n] = (uint8_t)byte;
	return insn_decode(code, n, 0x400000, &s->thread, &s->regs, out);
}

/* "0@6000004 2@..." of the active lanes, "?" when they are unknown. */
static const char *
lanes(const struct state *s, const char *hex)
{
	static char text[512];
	struct insn in;
	struct buf b;

	assert_true(decode(s, hex, &in));
	assert_true(in.n_operands > 0);
	if (in.operands[0].lanes == 0 || in.lanes.known == 0)
		return in.operands[0].lanes == 0 ? "" : "?";
	buf_init(&b, sizeof(text) - 1);
	buf_printf(&b, "%u:", in.operands[0].lanes);
	for (unsigned i = 0; i < INSN_LANES_MAX; i++)
		if ((in.lanes.active >> i & 1) != 0)
			buf_printf(&b, " %u@%llx", i,
			    (unsigned long long)in.lanes.effective[i]);
	snprintf(text, sizeof(text), "%s", buf_text(&b));
	buf_deinit(&b);
	return text;
}

static const int32_t words[16] = {
    0, 1, 2, -1, 0x10000000, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const int64_t doubles[8] = {
    0, INT64_MIN, 2, -3, INT64_C(1) << 40, 5, 6, 7};

/* With VEX the mask is the sign of each element as wide as the data. */
TEST(vex_masks_are_signs)
{
	static const uint32_t mask[16] = {0x80000000, 0x7fffffff, 0, 0xffffffff,
	    0x80000001, 0, 0, 0x80000000};
	struct state s;

	init(&s, 832);
	set_vector(&s, &intel, 1, words);
	set_vector(&s, &intel, 2, mask);
	/* vpgatherdd ymm0, [rdi + ymm1*4], ymm2 */
	expect_str(lanes(&s, "c4e26d90048f"),
	    "8: 0@6000000 3@5fffffc 4@46000000 7@600001c");
	/* vpgatherdq ymm0, [rdi + xmm1*8], ymm2: four of eight bytes */
	expect_str(lanes(&s, "c4e2ed9004cf"), "4: 1@6000008 3@5fffff8");
	/* vpgatherdq xmm0, [rdi + xmm1*8], xmm2: two, though four indices */
	expect_str(lanes(&s, "c4e2e99004cf"), "2: 1@6000008");
	set_vector(&s, &intel, 1, doubles);
	/* vpgatherqd xmm0, [rdi + ymm1*4], xmm2: four of four bytes */
	expect_str(lanes(&s, "c4e26d91048f"), "4: 0@6000000 3@5fffff4");
	/* vpgatherqq ymm0, [,ymm1*1], ymm2: no base */
	expect_str(
	    lanes(&s, "c4e2ed91040d10000000"), "4: 1@8000000000000010 3@d");
	/* A narrow one needs no more than what SSE saved. */
	put_u64(&s, ENABLED, 3);
	expect_str(lanes(&s, "c4e2e99004cf"), "2: 1@6000000");
	expect_str(lanes(&s, "c4e26d90048f"), "?");
}

static void
check_evex(const struct arch_xstate_layout *l, size_t size,
    const struct arch_xstate_layout *told)
{
	struct state s;

	init(&s, size);
	s.thread.layout = told;
	set_vector(&s, l, 1, words);
	put_u64(&s, l->mask + 8, 0xffff000000008019);
	/* vpscatterdd [rdi + zmm1*4] {k1}, zmm0 */
	expect_str(lanes(&s, "62f27d49a0048f"),
	    "16: 0@6000000 3@5fffffc 4@46000000 15@600003c");
	set_vector(&s, l, 17, doubles);
	put_u64(&s, l->mask + 8, 0x12);
	/* vpgatherqq zmm0 {k1}, [rdi + zmm17*8] */
	expect_str(lanes(&s, "62f2fd419104cf"), "8: 1@6000000 4@80006000000");
	/* In their initial state all are zero: nothing is accessed. */
	put_u64(&s, SAVED, 0xe7 & ~(UINT64_C(1) << 5));
	expect_str(lanes(&s, "62f2fd419104cf"), "8:");
	put_u64(&s, SAVED, 0xe7 & ~(UINT64_C(1) << 7));
	expect_str(lanes(&s, "62f2fd419104cf"), "8: 1@6000000 4@6000000");
	/* Not enabled, or in a form that is not the standard one. */
	put_u64(&s, ENABLED, 0x47);
	expect_str(lanes(&s, "62f2fd419104cf"), "?");
	put_u64(&s, ENABLED, 0xe7);
	put_u64(&s, COMPACT, UINT64_C(1) << 63);
	expect_str(lanes(&s, "62f2fd419104cf"), "?");
}

TEST(evex_masks_by_size_of_the_area)
{
	check_evex(&intel, 2688, NULL);
	check_evex(&intel, 2696, NULL);
	check_evex(&intel, 11008, NULL);
	check_evex(&amd, 2432, NULL);
	check_evex(&amd, 2440, NULL);
}

static size_t
put_part(
    uint8_t *out, size_t at, uint32_t feature, uint32_t size, uint32_t offset)
{
	const uint32_t part[4] = {feature, size, offset, 0};

	memcpy(out + at, part, sizeof(part));
	return at + sizeof(part);
}

TEST(evex_masks_by_the_kernel_s_own_word)
{
	struct arch_xstate_layout told;
	uint8_t note[96];
	size_t n = 0;

	n = put_part(note, n, 2, 256, 576);
	n = put_part(note, n, 5, 64, 832);
	n = put_part(note, n, 6, 512, 896);
	n = put_part(note, n, 7, 1024, 1408);
	n = put_part(note, n, 9, 8, 2432);
	assert_true(arch_xstate_layout(view_of(note, n), &told));
	/* By its size alone the area would be taken for another maker's. */
	check_evex(&amd, 11008, &told);
	/* Cut short, of wrong sizes, or nonsense. */
	expect_true(arch_xstate_layout(view_of(note, 20), &told));
	expect_uint(told.mask, 0);
	expect_false(arch_xstate_layout(view_of(note, 15), &told));
	put_part(note, 0, 2, 255, 576);
	expect_false(arch_xstate_layout(view_of(note, 16), &told));
	put_part(note, 0, 2, 256, UINT32_MAX);
	expect_false(arch_xstate_layout(view_of(note, 16), &told));
}

TEST(no_state_no_lanes)
{
	struct state s;

	init(&s, 2696);
	s.thread.xstate_is_fx = true;
	expect_str(lanes(&s, "c4e26d90048f"), "?");
	init(&s, 700); /* the upper halves are cut off */
	set_vector(&s, &intel, 15, words);
	expect_str(lanes(&s, "c4a20590048f"), "?"); /* ymm9, mask ymm15 */
	init(&s, 2696);
	s.thread.xstate = NULL;
	expect_str(lanes(&s, "c4e26d90048f"), "?");
	expect_str(lanes(&s, "62f27d49a0048f"), "?");
	/* The base is not known. */
	init(&s, 2696);
	regs_forget(&s.regs, 5);
	expect_str(lanes(&s, "c4e26d90048f"), "?");
	/* Other operands have none. */
	expect_str(lanes(&s, "488b18"), "");
}

TEST(thirty_two_bit_addresses_wrap)
{
	struct state s;
	const int32_t far[16] = {-1, 0x7fffffff};
	const int32_t all[16] = {-1, -1};

	init(&s, 832);
	set_vector(&s, &intel, 1, far);
	set_vector(&s, &intel, 2, all);
	regs_set(&s.regs, 5, 0x10);
	/* addr32 vpgatherdd xmm0, [edi + xmm1*4], xmm2 */
	expect_str(lanes(&s, "67c4e26990048f"), "4: 0@c 1@c");
}

/* A signal frame: at 224 the address of the state, whose software part begins
 * with a number to know it by. */
static size_t
read_state(void *ctx, bt_addr_t address, void *out, size_t size)
{
	const struct state *s = ctx;

	if (address > sizeof(s->area) || size > sizeof(s->area) - address)
		return 0;
	memcpy(out, s->area + address, size);
	return size;
}

TEST(finds_the_state_in_a_signal_frame)
{
	struct state s;
	bt_addr_t address = 0;
	size_t size = 0;

	init(&s, 0);
	put_u64(&s, 224, 4096);
	put_u64(
	    &s, 4096 + ENABLED, UINT64_C(0x46505853) | UINT64_C(2700) << 32);
	put_u64(&s, 4096 + ENABLED + 8, 0xe7);
	put_u64(&s, 4096 + ENABLED + 16, 2696);
	assert_true(arch_sigframe_xstate(0, read_state, &s, &address, &size));
	expect_uint(address, 4096);
	expect_uint(size, ARCH_XSTATE_MAX);
	/* Its features are those enabled. */
	s.thread.xstate = s.area + 4096;
	s.thread.xstate_size = size;
	put_u64(&s, 4096 + SAVED, 0xe7);
	put_u64(&s, 4096 + intel.mask + 8, 2);
	expect_str(lanes(&s, "62f27d49a0048f"), "16: 1@6000000");
	/* Not there, without the number, or too short to be one. */
	put_u64(&s, 4096 + ENABLED + 16, 512);
	expect_false(arch_sigframe_xstate(0, read_state, &s, &address, &size));
	put_u64(&s, 4096 + ENABLED, 0xe7);
	expect_false(arch_sigframe_xstate(0, read_state, &s, &address, &size));
	put_u64(&s, 224, 0);
	expect_false(arch_sigframe_xstate(0, read_state, &s, &address, &size));
	put_u64(&s, 224, UINT64_MAX - 100);
	expect_false(arch_sigframe_xstate(0, read_state, &s, &address, &size));
	expect_false(arch_sigframe_xstate(
	    UINT64_MAX - 50, read_state, &s, &address, &size));
}
