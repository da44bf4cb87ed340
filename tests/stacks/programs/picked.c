/* SPDX-License-Identifier: MIT */
/* A library whose function is chosen at its first call, by a resolver that
 * the dynamic linker calls in the middle of that call. */
void (*picked_hook)(void);

static int
chosen(int n)
{
	return n + 1;
}

static int (*pick(void))(int)
{
	/* Not through the PLT: the linker resolves while it resolves. */
	if (picked_hook != 0)
		picked_hook();
	return chosen;
}

int picked(int n) __attribute__((ifunc("pick")));
