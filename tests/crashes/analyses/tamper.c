/* SPDX-License-Identifier: MIT */
/*
 * Changes itself in the way that its argument says, as an attacker would, and
 * aborts. "healthy" changes nothing; "jit" runs code that it has written, as
 * just-in-time compilers do.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const uintptr_t page = 4096;

/* The whole pages that hold the bytes. */
static void
allow(void *place, size_t size, int protection)
{
	uintptr_t start = (uintptr_t)place & ~(page - 1);

	if (mprotect((void *)start,
		((uintptr_t)place + size - start + page - 1) & ~(page - 1),
		protection) != 0)
		exit(3);
}

__attribute__((noinline, used)) static int
unused_function(int x)
{

	return x * 3 + 1;
}

__attribute__((constructor)) static void
begin(void)
{

	setvbuf(stdout, NULL, _IONBF, 0);
}

__attribute__((destructor)) static void
end(void)
{

	setvbuf(stdout, NULL, _IONBF, 0);
}

__attribute__((noinline, used)) static void
other(void)
{

	(void)write(1, "other\n", 6);
}

#ifndef STATIC
static uintptr_t
entry(int64_t tag)
{
	for (const ElfW(Dyn) *d = _DYNAMIC; d->d_tag != DT_NULL; d++)
		if (d->d_tag == tag)
			return d->d_un.d_val;
	return 0;
}

static uintptr_t
bias(void)
{
	struct link_map *map = _r_debug.r_map;

	return map->l_addr;
}

static uintptr_t
placed(uintptr_t address)
{

	return address >= bias() ? address : address + bias();
}

/* Where the program keeps the address of an imported function. */
static void **
slot_of(const char *name)
{
	const ElfW(Sym) *symbols = (void *)placed(entry(DT_SYMTAB));
	const char *strings = (void *)placed(entry(DT_STRTAB));

	for (int table = 0; table < 2; table++) {
		const ElfW(Rela) *r = (void *)placed(
		    entry(table == 0 ? DT_JMPREL : DT_RELA));
		size_t n = entry(table == 0 ? DT_PLTRELSZ : DT_RELASZ) /
		    sizeof(*r);

		for (size_t i = 0; i < n; i++)
			if (strcmp(strings +
				    symbols[ELF64_R_SYM(r[i].r_info)].st_name,
				name) == 0)
				return (void **)(r[i].r_offset + bias());
	}
	exit(4);
}

static void
set(void *place, const void *value)
{
	allow(place, sizeof(value), PROT_READ | PROT_WRITE);
	memcpy(place, &value, sizeof(value));
}
#endif

/* Ends of functions, as they are found in any program. */
void pops(void);
__asm__(".text\n.globl pops\n.type pops,@function\npops:\n.cfi_startproc\n"
	"push %rbx\npush %r15\nnop\n"
	".globl gadget_one\ngadget_one: pop %r15\n"
	".globl gadget_two\ngadget_two: pop %rdi\nret\n"
	".cfi_endproc\n.size pops, .-pops\n");
extern char gadget_one[], gadget_two[];

__attribute__((noinline)) static void
chain(void)
{
	void *volatile words[16] = {gadget_two, "sh", gadget_one, NULL, NULL,
	    gadget_two, "sh", gadget_one, NULL, NULL, gadget_two};

	(void)words;
	abort();
}

/* Addresses of functions and a saved pc are on healthy stacks. */
__attribute__((noinline)) static void
callbacks(void)
{
	void *volatile table[16] = {(void *)begin, (void *)end, (void *)other,
	    (void *)pops, (void *)begin, (void *)end, (void *)other, gadget_two,
	    "x", (void *)unused_function, (void *)chain};

	(void)table;
	abort();
}

/* mov rax, FUNCTION; sub rsp, 8; call rax */
static size_t
code_calling(unsigned char *out, void (*function)(void))
{
	memcpy(out, "\x48\xb8", 2);
	memcpy(out + 2, &function, 8);
	memcpy(out + 10, "\x48\x83\xec\x08\xff\xd0", 6);
	return 16;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "healthy";
	const int rwx = PROT_READ | PROT_WRITE | PROT_EXEC;

	/* Bound at run time, chosen by the processor, taken from the vdso. */
	printf("%zu %ld %d\n", strlen(what), (long)time(NULL) > 0,
	    memcmp(what, "abcd", 2) > 0);
	if (strcmp(what, "jit") == 0) {
		unsigned char *code = mmap(
		    NULL, page, rwx, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		code_calling(code, abort);
		((void (*)(void))code)();
	} else if (strcmp(what, "callbacks") == 0) {
		callbacks();
	} else if (strcmp(what, "text") == 0) {
		unsigned char *code = (unsigned char *)unused_function;

		allow(code, 16, rwx);
		memcpy(code + 4, "\x90\x90\x90", 3);
		allow(code, 16, PROT_READ | PROT_EXEC);
	} else if (strcmp(what, "breakpoint") == 0) {
		unsigned char *code = (unsigned char *)unused_function;

		allow(code, 16, rwx);
		*code = 0xcc;
		allow(code, 16, PROT_READ | PROT_EXEC);
	} else if (strcmp(what, "writable") == 0) {
		allow((void *)unused_function, 16, rwx);
	} else if (strcmp(what, "chain") == 0) {
		chain();
	} else if (strcmp(what, "stack") == 0) {
		unsigned char code[16] = "\x90\x90\x0f\x0b";

		allow(code, sizeof(code), rwx);
		((void (*)(void))code)();
#ifndef STATIC
	} else if (strcmp(what, "slot-data") == 0) {
		set(slot_of("strlen"), malloc(64));
	} else if (strcmp(what, "slot-code") == 0) {
		unsigned char *code = mmap(
		    NULL, page, rwx, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		code_calling(code, abort);
		mprotect(code, page, PROT_READ | PROT_EXEC);
		set(slot_of("printf"), code);
	} else if (strcmp(what, "slot-other") == 0) {
		set(slot_of("printf"), (void *)system);
	} else if (strcmp(what, "slot-own") == 0) {
		set(slot_of("printf"), (void *)other);
	} else if (strcmp(what, "constructor") == 0) {
		set((void *)placed(entry(DT_INIT_ARRAY)), (void *)other);
	} else if (strcmp(what, "destructor") == 0) {
		set((void *)placed(entry(DT_FINI_ARRAY)), (void *)other);
#endif
	} else if (strcmp(what, "healthy") != 0) {
		return 2;
	}
	abort();
}
