/* SPDX-License-Identifier: MIT */
/*
 * An ELF file in memory around debug sections.
 */
#include "sections.h"

#include <elf.h>
#include <stdlib.h>

#include "base/buf.h"

enum { FILE_MAX = 16 << 20, SECTIONS_MAX = 32 };

static void
add(struct buf *file, struct buf *names, Elf64_Shdr *out,
    const struct fuzz_section *s)
{
	*out = (Elf64_Shdr){.sh_name = (Elf64_Word)names->size,
	    .sh_type = SHT_PROGBITS,
	    .sh_offset = file->size,
	    .sh_size = s->bytes.size,
	    .sh_addralign = 1};
	buf_append(names, s->name, strlen(s->name) + 1);
	buf_append(file, s->bytes.data, s->bytes.size);
}

struct image *
fuzz_sections(const struct fuzz_section *sections, size_t n)
{
	Elf64_Shdr table[SECTIONS_MAX] = {0};
	Elf64_Ehdr h = {
	    .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
	    .e_type = ET_EXEC,
	    .e_machine = EM_X86_64,
	    .e_version = 1,
	    .e_ehsize = sizeof(Elf64_Ehdr),
	    .e_shentsize = sizeof(Elf64_Shdr),
	};
	struct image *image = NULL;
	struct buf file, names;
	uint16_t count = 1;
	void *copy;

	buf_init(&file, FILE_MAX);
	buf_init(&names, FILE_MAX);
	buf_append(&file, &h, sizeof(h));
	buf_append(&names, "", 1);
	for (size_t i = 0; i < n && count + 1 < SECTIONS_MAX; i++)
		if (sections[i].bytes.size != 0)
			add(&file, &names, &table[count++], &sections[i]);
	add(&file, &names, &table[count],
	    &(struct fuzz_section){".shstrtab", {0}});
	table[count].sh_type = SHT_STRTAB;
	table[count].sh_size = names.size;
	buf_append(&file, names.data, names.size);
	h.e_shstrndx = count++;
	h.e_shoff = file.size;
	h.e_shnum = count;
	buf_append(&file, table, count * sizeof(*table));
	if (!file.failed && !names.failed &&
	    (copy = malloc(file.size)) != NULL) {
		memcpy(copy, file.data, file.size);
		memcpy(copy, &h, sizeof(h));
		if (!image_from_memory(copy, file.size, "input", &image, NULL))
			image = NULL;
	}
	buf_deinit(&file);
	buf_deinit(&names);
	return image;
}
