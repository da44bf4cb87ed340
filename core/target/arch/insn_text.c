/* SPDX-License-Identifier: MIT */
/*
 * The text of an instruction, in the Intel syntax that the snapshot format
 * promises: "mov dword ptr [rax + 0x18], edx". Zydis formats all but memory
 * operands, which it would write without blanks and without the size.
 */
#include <inttypes.h>
#include <stdio.h>

#include "target/arch/insn_private.h"

struct text {
	char *out;
	size_t size, len;
};

static void BT_PRINTF(2, 3) put(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	if (t->len >= t->size)
		return;
	va_start(ap, format);
	n = vsnprintf(t->out + t->len, t->size - t->len, format, ap);
	va_end(ap);
	if (n > 0)
		t->len += (size_t)n;
}

static const char *
plus(const struct text *t, size_t start)
{
	return t->len != start ? " + " : "";
}

void
insn_operand_text(const ZydisDecodedInstruction *in,
    const ZydisDecodedOperand *op, char *out, size_t size)
{
	const ZydisDecodedOperandMem *m = &op->mem;
	struct text t = {out, size, 0};
	uint64_t value = (uint64_t)m->disp.value;
	size_t start;

	out[0] = '\0';
	if (m->segment == ZYDIS_REGISTER_FS || m->segment == ZYDIS_REGISTER_GS)
		put(&t, "%s:", ZydisRegisterGetString(m->segment));
	put(&t, "[");
	start = t.len;
	if (m->base != ZYDIS_REGISTER_NONE)
		put(&t, "%s", ZydisRegisterGetString(m->base));
	if (m->index != ZYDIS_REGISTER_NONE) {
		put(&t, "%s%s", plus(&t, start),
		    ZydisRegisterGetString(m->index));
		if (m->scale > 1)
			put(&t, "*%u", m->scale);
	}
	if (in->mnemonic == ZYDIS_MNEMONIC_XLAT)
		put(&t, " + al");
	if (t.len == start)
		put(&t, "0x%" PRIx64, value);
	else if (m->disp.value < 0)
		put(&t, " - 0x%" PRIx64, -value);
	else if (value != 0)
		put(&t, " + 0x%" PRIx64, value);
	put(&t, "]");
}

static const char *
size_name(ZyanU16 bits)
{
	static const struct {
		ZyanU16 bits;
		const char *name;
	} names[] = {
	    {8, "byte ptr "},
	    {16, "word ptr "},
	    {32, "dword ptr "},
	    {48, "fword ptr "},
	    {64, "qword ptr "},
	    {80, "tbyte ptr "},
	    {128, "xmmword ptr "},
	    {256, "ymmword ptr "},
	    {512, "zmmword ptr "},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].bits == bits)
			return names[i].name;
	}
	return "";
}

/* Appends to the formatter's string, whose vector counts the NUL. */
static ZyanStatus
append(ZyanString *string, const char *text)
{
	ZyanVector *v = &string->vector;
	size_t len = strlen(text);

	if (v->size == 0 || len > v->capacity - v->size)
		return ZYAN_STATUS_INSUFFICIENT_BUFFER_SIZE;
	memcpy((char *)v->data + v->size - 1, text, len + 1);
	v->size += len;
	return ZYAN_STATUS_SUCCESS;
}

static ZyanStatus
format_memory(const ZydisFormatter *formatter, ZydisFormatterBuffer *buffer,
    ZydisFormatterContext *context)
{
	const ZydisDecodedOperand *op = context->operand;
	char text[64];
	ZyanString *string;

	(void)formatter;
	insn_operand_text(context->instruction, op, text, sizeof(text));
	ZYAN_CHECK(ZydisFormatterBufferGetString(buffer, &string));
	if (op->mem.type != ZYDIS_MEMOP_TYPE_AGEN &&
	    context->instruction->meta.category != ZYDIS_CATEGORY_CLFLUSHOPT &&
	    context->instruction->mnemonic != ZYDIS_MNEMONIC_CLFLUSH)
		ZYAN_CHECK(append(string, size_name(op->size)));
	return append(string, text);
}

/*
 * Conditions by the names people read in every other disassembly: "je" and
 * "ja", which Zydis calls "jz" and "jnbe" (the processor manual lists both).
 */
static void
name_condition(char *text)
{
	static const char *const families[] = {"j", "set", "cmov"};
	static const char *const names[][2] = {{"nbe", "a"}, {"nb", "ae"},
	    {"nle", "g"}, {"nl", "ge"}, {"z", "e"}, {"nz", "ne"}};

	for (size_t f = 0; f < 3; f++) {
		size_t start = strlen(families[f]), len;

		if (strncmp(text, families[f], start) != 0)
			continue;
		len = strcspn(text + start, " ");
		for (size_t i = 0; i < 6; i++) {
			const char *to = names[i][1];
			size_t n = strlen(to);

			if (strlen(names[i][0]) != len ||
			    memcmp(text + start, names[i][0], len) != 0)
				continue;
			/* The new name is never the longer one. */
			memmove(text + start + n, text + start + len,
			    strlen(text + start + len) + 1);
			memcpy(text + start, to, n);
			return;
		}
	}
}

void
insn_text(const ZydisDecodedInstruction *in,
    const ZydisDecodedOperand *operands, uint64_t pc, char *out, size_t size)
{
	ZydisFormatter formatter;
	ZydisFormatterFunc hook = (ZydisFormatterFunc)&format_memory;

	out[0] = '\0';
	if (!ZYAN_SUCCESS(
		ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL)))
		return;
	(void)ZydisFormatterSetProperty(
	    &formatter, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE);
	(void)ZydisFormatterSetProperty(&formatter,
	    ZYDIS_FORMATTER_PROP_IMM_PADDING, ZYDIS_PADDING_DISABLED);
	(void)ZydisFormatterSetProperty(&formatter,
	    ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE, ZYDIS_PADDING_DISABLED);
	(void)ZydisFormatterSetHook(&formatter,
	    ZYDIS_FORMATTER_FUNC_FORMAT_OPERAND_MEM, (const void **)&hook);
	if (!ZYAN_SUCCESS(ZydisFormatterFormatInstruction(&formatter, in,
		operands, in->operand_count_visible, out, size, pc, NULL)))
		out[0] = '\0';
	name_condition(out);
}
