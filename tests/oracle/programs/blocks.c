/* Nested blocks, shadowing, static locals, thread-local statics. */
#include <stdlib.h>
int visible = 3;
static long hidden = -9;
__attribute__((noinline)) static int
scopes(int n)
{
	static int calls = 40;
	static const char *const names[2] = {"even", "odd"};
	static __thread int per_thread = 6;
	int total = 0;
	calls++;
	for (int i = 0; i < n; i++) {
		int n = i * 2;
		{
			char total = (char)(n + 48);
			long deep = hidden + i;
			per_thread += total;
			if (i == 3) {
				const char *which = names[i & 1];
				if (which[0] == 'o')
					abort();
			}
			hidden = deep;
		}
		total += n;
	}
	return total + calls + visible;
}
int
main(void)
{
	return scopes(10);
}
