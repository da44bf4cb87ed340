/* SPDX-License-Identifier: MIT */
/*
 * Location expressions. The first byte chooses what the caller can supply:
 * an absent callback must be an error, never a call. What a callback answers
 * is foreign, too, and comes from the input.
 */
#include "fuzz.h"

#include "expr/expr.h"

struct foreign {
	struct view input;
	struct expr_context *c;
};

static uint64_t
word(const struct foreign *f, uint64_t seed)
{
	uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15);

	if (f->input.size != 0)
		x ^= f->input.data[seed % f->input.size];
	return x;
}

static bool
reg(void *ctx, unsigned number, uint64_t *out)
{
	*out = word(ctx, number);
	return number < 32;
}

static size_t
reg_bytes(void *ctx, unsigned number, uint8_t *out, size_t size)
{
	if (size > 16)
		size = 16;
	memset(out, (int)word(ctx, number) & 0xff, size);
	return number < 64 ? size : 0;
}

static bool
memory(void *ctx, uint64_t address, void *out, size_t size, bt_error_t *e)
{
	const struct foreign *f = ctx;

	if (address % 16 == 15)
		return bt_fail_fault(e, address, "no memory");
	for (size_t i = 0; i < size; i++)
		((uint8_t *)out)[i] = (uint8_t)word(f, address + i);
	return true;
}

static bool
number_of(void *ctx, uint64_t *out, bt_error_t *e)
{
	(void)e;
	*out = word(ctx, 1);
	return true;
}

static bool
object_address(void *ctx, uint64_t *out)
{
	*out = word(ctx, 2);
	return true;
}

static bool
tls(void *ctx, uint64_t offset, uint64_t *out, bt_error_t *e)
{
	(void)e;
	*out = word(ctx, offset);
	return true;
}

static bool
addrx(void *ctx, uint64_t index, uint64_t *out)
{
	*out = word(ctx, index);
	return index < 1 << 20;
}

/* As the callers do: one level deeper, the same callbacks. */
static bool
entry_value(void *ctx, struct view block, uint64_t *out, bt_error_t *e)
{
	struct foreign *f = ctx, below = *f;
	struct expr_context inner = *f->c;

	inner.nesting++;
	inner.ctx = &below;
	below.c = &inner;
	return expr_eval_u64(&inner, block, NULL, true, out, e);
}

static bool
call(void *ctx, uint64_t offset, bool ref, struct view *block)
{
	struct foreign *f = ctx;

	(void)ref;
	*block = view_from(&f->input, offset);
	return view_ok(block);
}

static bool
base_type(void *ctx, uint64_t offset, struct expr_base_type *out)
{
	(void)ctx;
	*out = (struct expr_base_type){
	    (uint8_t)(offset & 0x1f), (uint8_t)(offset >> 5)};
	return offset < 1 << 13;
}

static bool
variable_value(void *ctx, uint64_t die, uint64_t *out, bt_error_t *e)
{
	struct foreign *f = ctx;
	struct view block = view_from(&f->input, die);

	return entry_value(f, block, out, e);
}

static void
supply(struct expr_context *c, uint8_t absent)
{
	c->reg = reg;
	c->reg_bytes = reg_bytes;
	c->memory = memory;
	c->frame_base = number_of;
	c->cfa = number_of;
	c->object_address = object_address;
	c->tls = tls;
	c->addrx = addrx;
	c->entry_value = entry_value;
	c->call = call;
	c->base_type = base_type;
	c->variable_value = variable_value;
	switch (absent) {
	case 1:
		c->reg = NULL;
		break;
	case 2:
		c->reg_bytes = NULL;
		break;
	case 3:
		c->memory = NULL;
		break;
	case 4:
		c->frame_base = NULL;
		break;
	case 5:
		c->cfa = NULL;
		break;
	case 6:
		c->object_address = NULL;
		break;
	case 7:
		c->tls = NULL;
		break;
	case 8:
		c->addrx = NULL;
		break;
	case 9:
		c->entry_value = NULL;
		break;
	case 10:
		c->call = NULL;
		break;
	case 11:
		c->base_type = NULL;
		break;
	case 12:
		c->variable_value = NULL;
		break;
	default:
		break;
	}
}

static void
use_result(const struct expr_result *r)
{
	fuzz_use(&r->n_pieces, sizeof(r->n_pieces));
	for (unsigned i = 0; i < r->n_pieces; i++) {
		const struct expr_piece *p = &r->pieces[i];

		fuzz_use(&p->size_bits, sizeof(p->size_bits));
		if (p->where == EXPR_IMPLICIT)
			fuzz_use(p->bytes.data, p->bytes.size);
		else if (p->where == EXPR_VALUE)
			fuzz_use(p->value, p->value_size);
		else if (p->where == EXPR_MEMORY)
			fuzz_use(&p->address, sizeof(p->address));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct expr_context c = {.address_size = 8, .offset_size = 4};
	struct foreign f = {.c = &c};
	struct expr_result r;
	uint64_t initial = 0x7fff0000, number;

	if (size < 2)
		return 0;
	f.input = view_of(data + 2, size - 2);
	c.ctx = &f;
	c.version = data[1] % 6;
	c.offset_size = data[1] & 0x80 ? 8 : 4;
	c.bias = data[1] & 0x40 ? 0x555555554000 : 0;
	supply(&c, data[0] & 0x0f);
	if (expr_eval(&c, f.input, data[0] & 0x80 ? &initial : NULL, &r, NULL))
		use_result(&r);
	if (expr_eval_u64(
		&c, f.input, &initial, (data[0] & 0x40) != 0, &number, NULL))
		fuzz_use(&number, sizeof(number));
	return 0;
}
