/* SPDX-License-Identifier: MIT */
/*
 * Address -> symbol.
 *
 * The rule: of the sized symbols that contain the address, the one that starts
 * last (the innermost); of those that start together, the best alias (below).
 * A symbol of size zero counts only where no sized one does: it reaches to the
 * next symbol or the end of its section, and is ignored when it lies inside a
 * sized one.
 *
 * The best alias: a function before an untyped label, a global or weak symbol
 * before a local one, then the name that sorts last as bytes. The last is what
 * GDB does (its minimal symbols are sorted by address and name, and the last
 * one at an address is taken): on Debian's libc it agrees for all 514 groups of
 * aliases in .dynsym ("raise", not "gsignal"), and for 1,735 of 1,776 in the
 * .symtab of its debug file.
 *
 * Two ways to the same answer. A scan over the table costs about a nanosecond
 * a symbol; the index, spans that do not overlap, costs a sort, then a binary
 * search. A core asks most images for one or two addresses, so the first few
 * questions are answered by scanning.
 */
#include "image/internal.h"
#include <stdlib.h>

#define SCANS_FIRST 12 /* an index costs 12 to 30 scans (measured) */
#define SMALL_TABLE 64
#define DIGIT_BITS 11
#define DIGITS (1U << DIGIT_BITS)
/* Names are compared this far: bounds the work on hostile string tables. */
#define COMPARE_MAX 256

static const struct image_section *
home_section(const struct symtab *t, const Elf64_Sym *sym)
{
	if (sym->st_shndx == SHN_UNDEF || sym->st_shndx >= SHN_LORESERVE ||
	    sym->st_shndx >= t->image->nsections)
		return NULL;
	return &t->image->sections[sym->st_shndx];
}

static const struct image_segment *
home_segment(const struct symtab *t, const Elf64_Sym *sym)
{
	for (size_t i = 0; i < t->image->nsegments; i++) {
		const struct image_segment *s = &t->image->segments[i];

		if (s->type == PT_LOAD && sym->st_value >= s->vaddr &&
		    sym->st_value - s->vaddr < s->memsz)
			return s;
	}
	return NULL;
}

static uint64_t
sum_or_max(uint64_t a, uint64_t b)
{
	return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

/* How far a symbol without size may reach: to the end of the section or
 * segment that holds it (a span is at most 4 GiB). */
static uint64_t
label_end(const struct symtab *t, const Elf64_Sym *sym)
{
	const struct image_section *section = home_section(t, sym);
	const struct image_segment *segment;
	uint64_t cap = sum_or_max(sym->st_value, UINT32_MAX);
	uint64_t end = sym->st_value;

	if (section != NULL)
		end = sum_or_max(section->addr, section->size);
	else if ((segment = home_segment(t, sym)) != NULL)
		end = sum_or_max(segment->vaddr, segment->memsz);
	return end < cap ? end : cap;
}

static bool
is_code_label(const struct symtab *t, const Elf64_Sym *sym)
{
	const struct image_section *section = home_section(t, sym);
	const struct image_segment *segment;
	const char *name = symtab_name(t, sym);

	/* Compiler-made labels, as GDB skips them. */
	if ((name[0] == '.' && name[1] == 'L') || name[0] == '$')
		return false;
	if (section != NULL)
		return (section->flags & SHF_EXECINSTR) != 0;
	if (sym->st_shndx == SHN_ABS)
		return false;
	segment = home_segment(t, sym);
	return segment != NULL && (segment->flags & PF_X) != 0;
}

bool
symtab_is_code(const struct symtab *t, const Elf64_Sym *sym)
{
	unsigned type = ELF64_ST_TYPE(sym->st_info);

	if (sym->st_name == 0 || sym->st_shndx == SHN_UNDEF ||
	    sym->st_shndx == SHN_COMMON)
		return false;
	if (type == STT_FUNC || type == STT_GNU_IFUNC)
		return true;
	return type == STT_NOTYPE && is_code_label(t, sym);
}

/* Whether a is a better name for an address than b. */
static bool
is_better(const struct symtab *t, const Elf64_Sym *a, const Elf64_Sym *b)
{
	bool typed_a = ELF64_ST_TYPE(a->st_info) != STT_NOTYPE;
	bool typed_b = ELF64_ST_TYPE(b->st_info) != STT_NOTYPE;
	bool local_a = ELF64_ST_BIND(a->st_info) == STB_LOCAL;
	bool local_b = ELF64_ST_BIND(b->st_info) == STB_LOCAL;

	if (typed_a != typed_b)
		return typed_a;
	if (local_a != local_b)
		return local_b;
	return a->st_name != b->st_name &&
	    strncmp(symtab_name(t, a), symtab_name(t, b), COMPARE_MAX) > 0;
}

/* The scan. */

struct best {
	Elf64_Sym sym;
	bool found;
};

static void
offer(struct best *best, const struct symtab *t, const Elf64_Sym *sym)
{
	if (best->found &&
	    (sym->st_value < best->sym.st_value ||
		(sym->st_value == best->sym.st_value &&
		    !is_better(t, sym, &best->sym))))
		return;
	best->sym = *sym;
	best->found = true;
}

static uint64_t
clamped_size(uint64_t size)
{
	return size > UINT32_MAX ? UINT32_MAX : size;
}

/* Whether a sized symbol contains vaddr. */
static bool
is_inside_sized(const struct symtab *t, uint64_t vaddr)
{
	struct view v = t->syms;
	Elf64_Sym sym;

	while (symtab_next(t, &v, &sym))
		if (vaddr >= sym.st_value &&
		    vaddr - sym.st_value < clamped_size(sym.st_size) &&
		    symtab_is_code(t, &sym))
			return true;
	return false;
}

bool
symtab_at_scan(const struct symtab *t, uint64_t vaddr, Elf64_Sym *out)
{
	struct best sized = {0}, label = {0};
	struct view v = t->syms;
	uint64_t nearest = 0;
	Elf64_Sym sym;

	while (symtab_next(t, &v, &sym)) {
		uint64_t at = vaddr - sym.st_value;
		bool covers = at < clamped_size(sym.st_size);

		/* Only what contains vaddr, or is the nearest before it. */
		if (sym.st_value > vaddr ||
		    (!covers && sym.st_value < nearest) ||
		    !symtab_is_code(t, &sym))
			continue;
		if (sym.st_value > nearest)
			nearest = sym.st_value;
		if (covers)
			offer(&sized, t, &sym);
		else if (sym.st_size == 0)
			offer(&label, t, &sym);
	}
	if (sized.found) {
		*out = sized.sym;
		return true;
	}
	if (!label.found || label.sym.st_value != nearest ||
	    vaddr >= label_end(t, &label.sym) || is_inside_sized(t, nearest))
		return false;
	*out = label.sym;
	return true;
}

/* The index. */

struct item { /* while sorting: a start; on the stack: an end */
	uint64_t at;
	uint32_t size;
	uint32_t index;
};

/* Sorts by address, keeping table order among equals (radix sort, least
 * significant digit first, over the bits that differ). */
static void
sort_items(struct item *items, struct item *spare, size_t n, uint64_t low,
    uint64_t high)
{
	unsigned bits = high > low ? 64 - (unsigned)__builtin_clzll(high - low)
				   : 0;
	struct item *from = items, *to = spare, *swap;

	for (unsigned shift = 0; shift < bits; shift += DIGIT_BITS) {
		uint32_t where[DIGITS] = {0}, sum = 0;

		for (size_t i = 0; i < n; i++)
			where[((from[i].at - low) >> shift) % DIGITS]++;
		for (unsigned d = 0; d < DIGITS; d++) {
			uint32_t count = where[d];

			where[d] = sum;
			sum += count;
		}
		for (size_t i = 0; i < n; i++)
			to[where[((from[i].at - low) >> shift) % DIGITS]++] =
			    from[i];
		swap = from;
		from = to;
		to = swap;
	}
	if (from != items)
		memcpy(items, from, n * sizeof(*items));
}

struct sweep {
	const struct symtab *t;
	struct symspan *spans;
	size_t nspans;
	struct item *stack; /* open symbols, the innermost on top */
	size_t depth;
	uint64_t pos; /* everything before is in spans */
};

/* Moves pos on; what lies between belongs to the top of the stack. */
static void
advance(struct sweep *s, uint64_t to)
{
	if (to > s->pos && s->depth > 0)
		s->spans[s->nspans++] = (struct symspan){s->pos,
		    (uint32_t)(to - s->pos), s->stack[s->depth - 1].index};
	if (to > s->pos)
		s->pos = to;
}

/* Closes all that ends at or before an address. */
static void
close_until(struct sweep *s, uint64_t address)
{
	while (s->depth > 0 && s->stack[s->depth - 1].at <= address) {
		advance(s, s->stack[s->depth - 1].at);
		s->depth--;
	}
	advance(s, address);
}

static bool
index_is_better(const struct symtab *t, uint32_t a, uint32_t b)
{
	Elf64_Sym sa, sb;

	return symtab_get(t, a, &sa) && symtab_get(t, b, &sb) &&
	    is_better(t, &sa, &sb);
}

static int
compare_sizes(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? 1 : -1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Aliases mostly have one size, and are few. */
static void
sort_larger_first(struct item *group, size_t n)
{
	if (n > 32) {
		qsort(group, n, sizeof(*group), compare_sizes);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		struct item x = group[i];
		size_t k = i;

		for (; k > 0 && group[k - 1].size < x.size; k--)
			group[k] = group[k - 1];
		group[k] = x;
	}
}

/* Opens the symbols that start together. A smaller one goes on top of a larger
 * one only if its name is better. */
static void
open_group(struct sweep *s, struct item *group, size_t n)
{
	size_t base = s->depth;

	sort_larger_first(group, n);
	for (size_t i = 0; i < n && group[i].size > 0; i++) {
		struct item *top = s->depth > base ? &s->stack[s->depth - 1]
						   : NULL;
		uint64_t end = sum_or_max(group[i].at, group[i].size);

		if (top != NULL &&
		    !index_is_better(s->t, group[i].index, top->index))
			continue;
		if (top == NULL || top->at != end)
			top = &s->stack[s->depth++];
		*top = (struct item){end, 0, group[i].index};
	}
}

/* Symbols without size, where no sized one is: the best reaches to limit. */
static void
open_labels(struct sweep *s, const struct item *group, size_t n, uint64_t limit)
{
	const struct item *best = &group[0];
	Elf64_Sym sym;
	uint64_t end;

	for (size_t i = 1; i < n; i++)
		if (index_is_better(s->t, group[i].index, best->index))
			best = &group[i];
	if (!symtab_get(s->t, best->index, &sym))
		return;
	end = label_end(s->t, &sym);
	if (end > limit)
		end = limit;
	if (end > best->at)
		s->stack[s->depth++] = (struct item){end, 0, best->index};
}

static void
sweep_items(struct sweep *s, struct item *items, size_t n)
{
	size_t count;

	for (size_t i = 0; i < n; i += count) {
		uint64_t at = items[i].at;
		bool sized = false;

		for (count = 0; i + count < n && items[i + count].at == at;
		     count++)
			sized |= items[i + count].size > 0;
		close_until(s, at);
		if (sized)
			open_group(s, &items[i], count);
		else if (s->depth == 0)
			open_labels(s, &items[i], count,
			    i + count < n ? items[i + count].at : UINT64_MAX);
	}
	while (s->depth > 0)
		close_until(s, s->stack[s->depth - 1].at);
}

static size_t
collect_items(
    const struct symtab *t, struct item *items, uint64_t *low, uint64_t *high)
{
	struct view v = t->syms;
	Elf64_Sym sym;
	size_t n = 0;

	*low = UINT64_MAX;
	*high = 0;
	for (uint32_t i = 0; symtab_next(t, &v, &sym); i++) {
		if (!symtab_is_code(t, &sym))
			continue;
		items[n++] = (struct item){
		    sym.st_value, (uint32_t)clamped_size(sym.st_size), i};
		if (sym.st_value < *low)
			*low = sym.st_value;
		if (sym.st_value > *high)
			*high = sym.st_value;
	}
	return n;
}

static void
build_index(struct symtab *t)
{
	struct item *items = malloc((t->count + 1) * sizeof(*items));
	struct item *spare = malloc((t->count + 1) * sizeof(*spare));
	struct sweep s = {.t = t};
	uint64_t low, high;
	size_t n;

	t->indexed = true;
	symtab_read_ahead(t); /* aliases are told apart by their names */
	if (items != NULL && spare != NULL) {
		n = collect_items(t, items, &low, &high);
		sort_items(items, spare, n, low, high);
		/* A start and an end each close at most one span. */
		s.spans = malloc((2 * n + 1) * sizeof(*s.spans));
		s.stack = spare;
		if (s.spans != NULL)
			sweep_items(&s, items, n);
	}
	free(items);
	free(spare);
	if (s.nspans > 0) {
		t->spans = realloc(s.spans, s.nspans * sizeof(*s.spans));
		if (t->spans == NULL)
			t->spans = s.spans;
	} else {
		free(s.spans);
	}
	t->nspans = s.nspans;
}

bool
symtab_at_index(struct symtab *t, uint64_t vaddr, Elf64_Sym *out)
{
	size_t low = 0, high;

	if (!t->indexed)
		build_index(t);
	high = t->nspans;
	while (low < high) { /* the first span that starts after vaddr */
		size_t middle = low + (high - low) / 2;

		if (t->spans[middle].start <= vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return false;
	low--;
	return vaddr - t->spans[low].start < t->spans[low].len &&
	    symtab_get(t, t->spans[low].index, out);
}

bool
symtab_at(struct symtab *t, uint64_t vaddr, Elf64_Sym *out)
{
	if (t->count == 0)
		return false;
	if (!t->indexed && t->scans < SCANS_FIRST && t->count > SMALL_TABLE) {
		if (t->scans++ == 0)
			image_will_read(t->image, t->syms);
		return symtab_at_scan(t, vaddr, out);
	}
	return symtab_at_index(t, vaddr, out);
}

/* Takes over a tier's answer when it is better than what there is: a sized
 * symbol ends the search, one without size only if it starts later. */
static bool
take_tier(
    struct symtab *t, uint64_t vaddr, struct image_symbol *out, bool *found)
{
	struct image_symbol symbol;
	Elf64_Sym sym;

	if (!symtab_at(t, vaddr, &sym) || !symtab_fill(t, &sym, &symbol) ||
	    (*found && symbol.size == 0 && symbol.value <= out->value))
		return false;
	*out = symbol;
	*found = true;
	return symbol.size > 0;
}

bool
image_symbol_at(struct image *image, uint64_t vaddr, struct image_symbol *out)
{
	bool found = false;

	image_load_symbols(image);
	if (take_tier(&image->symtab, vaddr, out, &found) ||
	    take_tier(&image->dynsym, vaddr, out, &found))
		return true;
	if (image->symtab.count == 0 && image_mini(image) != NULL)
		(void)take_tier(&image->mini->symtab, vaddr, out, &found);
	return found;
}
