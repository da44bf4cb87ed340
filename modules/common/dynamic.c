/* SPDX-License-Identifier: MIT */
/*
 * Reads what the dynamic linker read. glibc writes absolute addresses over some
 * entries of the dynamic section (elf/get-dynamic-info.h), other linkers leave
 * the offsets that the file has: both are taken, by where they point.
 */
#include "dynamic.h"

enum {
	HEADERS_MAX = 64,
	ENTRIES_MAX = 1024,
	SYMBOLS_MAX = 1 << 20,
	STRINGS_MAX = 64 << 20,
	CHAIN_MAX = 1 << 16, /* of one bucket */
	SAME_BUCKET_MAX = 256
};

static bool
in_module(const ptrace_module_t *m, bt_addr_t address)
{

	return address >= m->start && address < m->end;
}

/* The run-time address of what an entry names; 0: of nothing. */
static bt_addr_t
placed(const struct dynamic *d, uint64_t value)
{

	if (value != 0 && !in_module(&d->module, value))
		value += d->module.bias;
	return in_module(&d->module, value) ? value : 0;
}

static bool
read_headers(const struct dynamic *d, Elf64_Phdr *headers, uint32_t *n)
{
	Elf64_Ehdr h;

	if (!ptrace_target_read(
		d->target, d->module.start, &h, sizeof(h), NULL) ||
	    memcmp(h.e_ident, ELFMAG, SELFMAG) != 0 ||
	    h.e_ident[EI_CLASS] != ELFCLASS64 ||
	    h.e_phentsize != sizeof(Elf64_Phdr) || h.e_phnum > HEADERS_MAX ||
	    h.e_phoff > 1 << 20)
		return false;
	*n = h.e_phnum;
	return ptrace_target_read(d->target, d->module.start + h.e_phoff,
	    headers, h.e_phnum * sizeof(*headers), NULL);
}

static void
take_entry(struct dynamic *d, const Elf64_Dyn *entry)
{
	uint64_t v = entry->d_un.d_val;

	switch (entry->d_tag) {
	case DT_RELA:
		d->relocations.address = placed(d, v);
		break;
	case DT_RELASZ:
		d->relocations.size = v;
		break;
	case DT_JMPREL:
		d->slots.address = placed(d, v);
		break;
	case DT_PLTRELSZ:
		d->slots.size = v;
		break;
	case DT_INIT_ARRAY:
		d->constructors.address = placed(d, v);
		break;
	case DT_INIT_ARRAYSZ:
		d->constructors.size = v;
		break;
	case DT_FINI_ARRAY:
		d->destructors.address = placed(d, v);
		break;
	case DT_FINI_ARRAYSZ:
		d->destructors.size = v;
		break;
	case DT_SYMTAB:
		d->symbol_table = placed(d, v);
		break;
	case DT_STRTAB:
		d->string_table = placed(d, v);
		break;
	case DT_STRSZ:
		d->string_size = v;
		break;
	case DT_HASH:
		d->hash = placed(d, v);
		break;
	case DT_GNU_HASH:
		d->gnu_hash = placed(d, v);
		break;
	case DT_TEXTREL:
		d->text_relocated = true;
		break;
	case DT_FLAGS:
		d->text_relocated |= (v & DF_TEXTREL) != 0;
		break;
	default:
		break;
	}
}

bool
dynamic_open(ptrace_target_t *t, const ptrace_module_t *m, struct dynamic *out)
{
	struct dynamic d = {.target = t, .module = *m};
	Elf64_Phdr headers[HEADERS_MAX];
	Elf64_Dyn entry;
	uint64_t size = 0;
	uint32_t n;

	if (read_headers(&d, headers, &n) == false)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		if (headers[i].p_type != PT_DYNAMIC)
			continue;
		d.section = headers[i].p_vaddr + m->bias;
		size = headers[i].p_memsz;
	}
	if (!in_module(m, d.section))
		return false;
	for (; d.n_entries < size / sizeof(entry) && d.n_entries < ENTRIES_MAX;
	     d.n_entries++) {
		if (!ptrace_target_read(t,
			d.section + d.n_entries * sizeof(entry), &entry,
			sizeof(entry), NULL) ||
		    entry.d_tag == DT_NULL)
			break;
		take_entry(&d, &entry);
	}
	*out = d;
	return true;
}

void
dynamic_close(struct dynamic *d)
{

	free(d->symbols);
	free(d->strings);
	free(d->chains);
	free(d->buckets);
}

bool
dynamic_segment(const struct dynamic *d, bt_addr_t address, uint32_t *flags)
{
	Elf64_Phdr headers[HEADERS_MAX];
	uint32_t n;

	if (read_headers(d, headers, &n) == false)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		if (headers[i].p_type != PT_LOAD ||
		    address - d->module.bias - headers[i].p_vaddr >=
			headers[i].p_memsz)
			continue;
		*flags = headers[i].p_flags;
		return true;
	}
	return false;
}

/* ---- symbols ---- */

static bool
read_u32(const struct dynamic *d, bt_addr_t at, uint32_t *out)
{

	return ptrace_target_read(d->target, at, out, sizeof(*out), NULL);
}

/* The largest of n words; false: they are not all there. */
static bool
largest(const struct dynamic *d, bt_addr_t at, uint32_t n, uint32_t *out)
{
	uint32_t words[1024];

	*out = 0;
	for (uint32_t done = 0; done < n;) {
		uint32_t count = n - done < 1024 ? n - done : 1024;

		if (!ptrace_target_read(d->target, at + (bt_addr_t)done * 4,
			words, count * sizeof(*words), NULL))
			return false;
		for (uint32_t i = 0; i < count; i++)
			if (words[i] > *out)
				*out = words[i];
		done += count;
	}
	return true;
}

/* The table has no length of its own: the hash table knows. Chains end with an
 * odd word; the last one ends the table. */
static uint32_t
count_symbols(const struct dynamic *d)
{
	uint32_t n, start, words, last, value;
	bt_addr_t buckets, chains;

	if (d->hash != 0 && read_u32(d, d->hash + 4, &n))
		return n;
	if (d->gnu_hash == 0 || !read_u32(d, d->gnu_hash, &n) ||
	    !read_u32(d, d->gnu_hash + 4, &start) ||
	    !read_u32(d, d->gnu_hash + 8, &words) || n > SYMBOLS_MAX ||
	    words > SYMBOLS_MAX)
		return 0;
	buckets = d->gnu_hash + 16 + (bt_addr_t)words * 8;
	chains = buckets + (bt_addr_t)n * 4;
	if (largest(d, buckets, n, &last) == false)
		return 0;
	if (last < start)
		return start; /* nothing is exported: undefined ones only */
	for (uint32_t i = 0; i < CHAIN_MAX; i++, last++)
		if (!read_u32(
			d, chains + (bt_addr_t)(last - start) * 4, &value) ||
		    (value & 1) != 0)
			return last + 1;
	return 0;
}

static uint32_t
hash_name(const char *name)
{
	uint32_t h = 5381;

	for (; *name != '\0'; name++)
		h = h * 33 + (unsigned char)*name;
	return h;
}

static bool
index_symbols(struct dynamic *d)
{
	uint32_t size = 16;

	while (size < d->n_symbols)
		size *= 2;
	d->mask = size - 1;
	d->buckets = malloc(size * sizeof(*d->buckets));
	d->chains = malloc((d->n_symbols + 1) * sizeof(*d->chains));
	if (d->buckets == NULL || d->chains == NULL)
		return false;
	memset(d->buckets, 0xff, size * sizeof(*d->buckets));
	for (uint32_t i = d->n_symbols; i-- > 0;) {
		uint32_t *b =
		    &d->buckets[hash_name(dynamic_name(d, &d->symbols[i])) &
			d->mask];

		d->chains[i] = *b;
		*b = i;
	}
	return true;
}

bool
dynamic_symbols(struct dynamic *d)
{
	if (d->buckets != NULL)
		return true;
	if (d->symbols != NULL) /* tried before */
		return false;
	d->n_symbols = count_symbols(d);
	if (d->n_symbols == 0 || d->n_symbols > SYMBOLS_MAX ||
	    d->symbol_table == 0 || d->string_table == 0 ||
	    d->string_size > STRINGS_MAX)
		return false;
	d->symbols = calloc(d->n_symbols, sizeof(*d->symbols));
	d->strings = calloc(1, d->string_size + 1);
	if (d->symbols == NULL || d->strings == NULL ||
	    !ptrace_target_read(d->target, d->symbol_table, d->symbols,
		d->n_symbols * sizeof(*d->symbols), NULL) ||
	    !ptrace_target_read(
		d->target, d->string_table, d->strings, d->string_size, NULL))
		return false;
	return index_symbols(d);
}

const char *
dynamic_name(const struct dynamic *d, const Elf64_Sym *symbol)
{

	return symbol->st_name < d->string_size ? d->strings + symbol->st_name
						: "";
}

const Elf64_Sym *
dynamic_named(const struct dynamic *d, const char *name, const Elf64_Sym *last)
{
	uint32_t i = last != NULL ? d->chains[last - d->symbols]
				  : d->buckets[hash_name(name) & d->mask];

	for (uint32_t step = 0; i < d->n_symbols && step < SAME_BUCKET_MAX;
	     i = d->chains[i], step++)
		if (strcmp(dynamic_name(d, &d->symbols[i]), name) == 0)
			return &d->symbols[i];
	return NULL;
}

bool
dynamic_defines(const Elf64_Sym *symbol)
{

	return symbol->st_value != 0;
}

bool
dynamic_relocation(const struct dynamic *d, const struct dynamic_table *table,
    uint64_t i, Elf64_Rela *out)
{

	return table->address != 0 && i < table->size / sizeof(*out) &&
	    ptrace_target_read(d->target, table->address + i * sizeof(*out),
		out, sizeof(*out), NULL);
}
