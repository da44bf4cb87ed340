/* Vector types, atomics, flexible arrays, _Bool arrays, restrict, volatile. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
typedef int v4si __attribute__((vector_size(16)));
typedef float v4sf __attribute__((vector_size(16)));
struct blob { unsigned length; unsigned char data[]; };
struct counters { _Atomic int hits; atomic_long misses; bool on[3]; };
__attribute__((noinline)) static int
mix(v4si a, v4sf f, struct blob *restrict blob, volatile int *vp,
    struct counters *c)
{
	v4si doubled = a + a;
	atomic_fetch_add(&c->hits, 2);
	*vp += doubled[2] + (int)f[1];
	if (blob->length)
		abort();
	return doubled[0];
}
int
main(void)
{
	v4si a = {1, 2, 3, 4};
	v4sf f = {0.5f, 1.5f, 2.5f, 3.5f};
	struct blob *blob = malloc(sizeof(*blob) + 8);
	struct counters c = {3, 4, {true, false, true}};
	volatile int v = 9;
	blob->length = 8;
	for (unsigned i = 0; i < 8; i++)
		blob->data[i] = (unsigned char)i;
	return mix(a, f, blob, &v, &c);
}
