/* SPDX-License-Identifier: MIT */
/* Globals and thread-locals of a program, of a library it is linked with and
 * of one it loads (PLUGIN is its path); some it only declares. With -DALONE:
 * of itself. */
#include <dlfcn.h>
#include <stdlib.h>

static int same = 1;
int plain = 23;
static __thread int tls_static = 21;
__thread long tls_extern = 22;
const char *text = "global text";
int array[3] = {1, 2, 3};
int *pointer = &plain;
#ifndef ALONE
struct opaque;
struct handle;
extern int in_library;
extern __thread int tls_library;
extern struct handle *handle;
struct opaque *opaque;
struct opaque *make(void);
int other(void);
int library(void);
#endif

__attribute__((noinline)) static int
stop(void *a, void *b)
{
	abort();
	return a != b;
}

int
main(void)
{
	void *mine = NULL, *theirs = NULL;

	tls_static += 100;
	tls_extern += 100;
	plain += same;
#ifndef ALONE
	void *plugin = dlopen(PLUGIN, RTLD_NOW);
	struct handle *declared = handle;

	if (plugin == NULL)
		return 2;
	((void (*)(void))dlsym(plugin, "plug"))();
	opaque = make();
	tls_library++;
	plain += in_library + other() + library();
	mine = opaque;
	theirs = declared;
#endif
	return stop(mine, theirs);
}
