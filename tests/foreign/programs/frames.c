/* SPDX-License-Identifier: MIT */
/*
 * Recursion, a frame that grows, a leaf that dies, and values of all kinds, of
 * a program without a C library: small enough to lie in the repository.
 */
struct point {
	int x, y;
};

struct all {
	char letter; /* unsigned on aarch64 */
	signed char small;
	short half;
	long whole;
	float single;
	double twice;
	long double quad;
	const char *text;
	struct point points[3];
	struct point *where;
	int (*function)(int *, double);
};

static const char greeting[] = "hello from afar";
static volatile int sink;

__attribute__((noinline)) static int
leaf(int *p, double factor)
{
	return *p + (int)factor;
}

__attribute__((noinline)) static int
grow(struct all *a, unsigned n, double factor)
{
	char *room = __builtin_alloca(n * 16);

	for (unsigned i = 0; i < n * 16; i++)
		room[i] = (char)i;
	sink = room[n];
	return a->function((int *)(a->whole - 25), factor * n) + sink + room[n];
}

__attribute__((noinline)) static int
down(struct all *a, unsigned depth, double factor)
{
	long square = (long)depth * depth;
	int below;

	if (depth == 0)
		return grow(a, 3, factor);
	below = down(a, depth - 1, factor + 0.5);
	return below + (int)square + sink;
}

int
start(void)
{
	struct point far = {-7, 70};
	struct all a = {.letter = 200,
	    .small = -56,
	    .half = -12345,
	    .whole = 0x31,
	    .single = 0.5f,
	    .twice = -1.25e100,
	    .quad = 0.1L,
	    .text = greeting,
	    .points = {{1, 2}, {3, 4}, {5, 6}},
	    .where = &far,
	    .function = leaf};

	sink = down(&a, 4, 1.0);
	return a.points[sink & 1].x;
}

__asm__(".globl _start\n"
	".type _start, %function\n"
	"_start:\n"
	".cfi_startproc\n"
	".cfi_undefined x30\n"
	"	mov	x29, #0\n"
	"	bl	start\n"
	"	mov	x8, #93\n"
	"	svc	#0\n"
	".cfi_endproc\n"
	".size _start, . - _start\n");
