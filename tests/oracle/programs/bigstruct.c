/* Large structs by value, returned structs, small structs in registers. */
#include <stdlib.h>
#include <string.h>
struct big { char text[80]; long numbers[10]; };
struct pair { long a, b; };
struct mixed { double d; int i; };
__attribute__((noinline)) static struct big
make(struct pair p, struct mixed m)
{
	struct big b;
	memset(&b, 0, sizeof(b));
	strcpy(b.text, "made here");
	for (int i = 0; i < 10; i++)
		b.numbers[i] = p.a * i + p.b;
	b.numbers[9] += m.i + (long)m.d;
	return b;
}
__attribute__((noinline)) static long
use(struct big b, struct pair p, struct mixed m)
{
	struct pair swapped = {p.b, p.a};
	long answer = b.numbers[3] + swapped.a + (long)m.d;
	if (answer)
		abort();
	return answer;
}
int
main(void)
{
	struct pair p = {3, 4};
	struct mixed m = {2.5, 6};
	struct big b = make(p, m);
	return (int)use(b, p, m);
}
