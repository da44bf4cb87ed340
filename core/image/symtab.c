/* SPDX-License-Identifier: MIT */
/*
 * Symbol tables: where they are, and what a symbol is called.
 *
 * Tables are found by section type, or, without a section table, through
 * PT_DYNAMIC. The stripped-down .symtab in .gnu_debugdata (xz) is inflated only
 * when the other two do not have the answer.
 *
 * GNU ld writes versioned names into .symtab ("fopen@@GLIBC_2.2.5"); a user
 * knows the function as "fopen", so the version is cut off.
 */
#include "image/inflate.h"
#include "image/internal.h"
#include <stdlib.h>

#define NAMES_CAP (UINT64_C(64) << 20)

bool
symtab_get(const struct symtab *t, size_t index, Elf64_Sym *out)
{
	struct view v;
	const uint8_t *p;

	if (index >= t->count)
		return false;
	v = view_from(&t->syms, index * t->entsize);
	p = view_bytes(&v, sizeof(*out));
	if (p == NULL)
		return false;
	memcpy(out, p, sizeof(*out));
	return true;
}

const char *
symtab_name(const struct symtab *t, const Elf64_Sym *sym)
{
	/* The table ends with a NUL, so every string in it does. */
	if (sym->st_name >= t->strs.size)
		return "";
	return (const char *)t->strs.data + sym->st_name;
}

/* Cuts a string table after its last NUL. */
static void
terminate(struct view *strs)
{
	const uint8_t *nul = NULL;

	if (strs->size > 0)
		nul = memrchr(strs->data, 0, strs->size);
	strs->size = nul != NULL ? (size_t)(nul - strs->data) + 1 : 0;
}

static void
set_table(struct image *image, struct symtab *t, struct view syms,
    struct view strs, uint64_t entsize)
{
	uint64_t count;

	if (entsize < sizeof(Elf64_Sym) || entsize > UINT16_MAX)
		entsize = sizeof(Elf64_Sym);
	count = syms.size / entsize;
	if (count > IMAGE_MAX_SYMBOLS)
		count = IMAGE_MAX_SYMBOLS;
	t->image = image;
	t->entsize = (size_t)entsize;
	t->count = (size_t)count;
	t->syms = view_sub(&syms, 0, count * entsize);
	t->strs = strs;
	terminate(&t->strs);
}

static bool
table_from_section(struct image *image, uint32_t type, struct symtab *t)
{
	const struct image_section *s = section_of_type(image, type);
	struct view syms, strs;

	if (s == NULL || s->link >= image->nsections ||
	    !section_bytes(image, s, &syms, NULL) ||
	    !section_bytes(image, &image->sections[s->link], &strs, NULL))
		return false;
	set_table(image, t, syms, strs, s->entsize);
	return true;
}

static void
load_dynsym(struct image *image)
{
	struct symtab *t = &image->dynsym;
	const struct image_section *s;
	struct view v;

	t->dynamic = true;
	if (image->nsections == 0) {
		const struct dynamic *d = image_dynamic(image);

		set_table(image, t, d->symtab, d->strtab, 0);
		t->versions = d->versym;
		if (d->gnu_hash.size == 0 ||
		    !gnu_hash_open(d->gnu_hash, &image->gnu_hash))
			image->gnu_hash.nbuckets = 0;
		return;
	}
	if (!table_from_section(image, SHT_DYNSYM, t))
		return;
	s = section_of_type(image, SHT_GNU_versym);
	if (s != NULL && !section_bytes(image, s, &t->versions, NULL))
		t->versions = view_of(NULL, 0);
	s = section_of_type(image, SHT_GNU_HASH);
	if (s == NULL || !section_bytes(image, s, &v, NULL) ||
	    !gnu_hash_open(v, &image->gnu_hash))
		image->gnu_hash.nbuckets = 0;
}

void
image_load_symbols(struct image *image)
{
	if (image->symbols_tried)
		return;
	image->symbols_tried = true;
	(void)table_from_section(image, SHT_SYMTAB, &image->symtab);
	load_dynsym(image);
}

struct image *
image_mini(struct image *image)
{
	struct view xz;
	uint8_t *bytes;
	size_t size;

	/* The image inside has no further image inside. */
	if (image->mini_tried || image->is_mini)
		return image->mini;
	image->mini_tried = true;
	if (!image_section_view(image, ".gnu_debugdata", &xz, NULL) ||
	    !inflate_xz(xz, IMAGE_MAX_MINI, &bytes, &size, NULL) ||
	    !image_from_memory(
		bytes, size, ".gnu_debugdata", &image->mini, NULL))
		return NULL;
	image->mini->is_mini = true;
	image_load_symbols(image->mini);
	return image->mini;
}

bool
image_has_symtab(struct image *image)
{
	image_load_symbols(image);
	return image->symtab.count > 0;
}

void
symtab_read_ahead(struct symtab *t)
{
	if (t->read_ahead || t->count == 0)
		return;
	t->read_ahead = true;
	image_will_read(t->image, t->syms);
	image_will_read(t->image, t->strs);
}

void
symtab_deinit(struct symtab *t)
{
	free(t->spans);
	free(t->name_filter);
	t->name_filter = NULL;
	free(t->name_heads);
	free(t->name_next);
	t->spans = NULL;
	t->name_heads = t->name_next = NULL;
}

/* A name without its version; the image keeps the copy. */
static const char *
without_version(struct image *image, const char *name, size_t len)
{
	if (!image->names_ready) {
		arena_init(&image->text, NAMES_CAP);
		strings_init(&image->names, &image->text);
		image->names_ready = true;
	}
	return strings_addn(&image->names, name, len);
}

bool
symtab_fill(
    const struct symtab *t, const Elf64_Sym *sym, struct image_symbol *out)
{
	const char *name = symtab_name(t, sym), *at;
	size_t len = strnlen(name, IMAGE_MAX_NAME);

	if (len == 0 || len == IMAGE_MAX_NAME)
		return false;
	at = memchr(name, '@', len);
	if (at != NULL && at > name)
		name = without_version(t->image, name, (size_t)(at - name));
	out->name = name;
	out->value = sym->st_value;
	out->size = sym->st_size;
	out->type = ELF64_ST_TYPE(sym->st_info);
	out->bind = ELF64_ST_BIND(sym->st_info);
	out->dynamic = t->dynamic;
	return true;
}

bool
symtab_is_definition(const Elf64_Sym *sym)
{
	unsigned type = ELF64_ST_TYPE(sym->st_info);

	return sym->st_name != 0 && sym->st_shndx != SHN_UNDEF &&
	    sym->st_shndx != SHN_COMMON && type != STT_SECTION &&
	    type != STT_FILE;
}

static bool
each_in(const struct symtab *t,
    bool (*each)(void *ctx, const struct image_symbol *symbol), void *ctx)
{
	struct image_symbol symbol;
	struct view v = t->syms;
	Elf64_Sym sym;

	while (symtab_next(t, &v, &sym))
		if (symtab_is_definition(&sym) &&
		    symtab_fill(t, &sym, &symbol) && !each(ctx, &symbol))
			return false;
	return true;
}

void
image_symbols_each(struct image *image,
    bool (*each)(void *ctx, const struct image_symbol *symbol), void *ctx)
{
	image_load_symbols(image);
	if (!each_in(&image->symtab, each, ctx) ||
	    !each_in(&image->dynsym, each, ctx))
		return;
	if (image->symtab.count == 0 && image_mini(image) != NULL)
		(void)each_in(&image->mini->symtab, each, ctx);
}
