/* SPDX-License-Identifier: MIT */
/*
 * Linkage names, as symbol tables of any file may have them.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "image/demangle.h"

/* Without memory the D demangler is left by a jump, with what it had. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(
    void);
const char *
__lsan_default_suppressions(void)
{

	return "leak:xmalloc\nleak:xrealloc\n";
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *name = malloc(size + 1);
	struct arena a;

	if (name == NULL)
		return 0;
	memcpy(name, data, size);
	name[size] = '\0';
	arena_init(&a, (size_t)1 << 20);
	for (int params = 0; params < 2; params++) {
		const char *plain = demangle(&a, name, params != 0);

		fuzz_use_text(plain);
		if (plain != NULL && strlen(plain) > 64 * 1024)
			abort();
	}
	arena_deinit(&a);
	free(name);
	return 0;
}
