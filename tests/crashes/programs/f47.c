/* SPDX-License-Identifier: MIT */
/*
 @id f47
 @cls invalid-free
 @alt null-deref
 @flags -O0 -g
 @mode core
 What was never a pointer looks like one of a block with a mapping of its own,
 and there had been such a block.
*/
#include <stdlib.h>
#include <string.h>

struct session {
	void *buffer;
};

__attribute__((noinline)) static void
end(struct session *s)
{
	free(s->buffer);
}

int
main(void)
{
	struct session *s = malloc(sizeof(*s));
	char *large = malloc(10 << 20);

	memset(large, 1, 100);
	free(large);
	s->buffer = (void *)0x2010;
	end(s);
	return 0;
}
