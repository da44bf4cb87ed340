/* SPDX-License-Identifier: MIT */
/*
 * A program that needs no library and is a few kilobytes with its debug
 * information: two threads, variables of most kinds, a signal handler's frame,
 * and a death by a null pointer some frames deep. Seeds of the fuzz targets
 * are made of it and its core (seeds.py).
 */
typedef unsigned long word;

enum color { RED, GREEN = 5, BLUE };

struct node {
	struct node *next;
	const char *name;
	int value;
};

union both {
	int i;
	float f;
	char bytes[4];
};

struct mixed {
	unsigned narrow : 3;
	int wide : 20;
	enum color color;
	union both both;
	double numbers[3];
	struct {
		short a, b;
	} inner[2];
	int (*function)(struct node *);
	char text[16];
};

static struct node nodes[3] = {
    {&nodes[1], "first", 1}, {&nodes[2], "second", 2}, {&nodes[0], "third", 3}};
struct node *head = nodes;
static volatile int sink;
static char other_stack[4096] __attribute__((aligned(16)));

static long
syscall4(long n, word a, word b, word c, word d)
{
	register word r10 __asm__("r10") = d;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(n), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
}

__attribute__((noinline)) static int
deepest(struct node *n, struct mixed *m)
{
	int local = m->wide + (int)m->color;

	sink = local;
	return n->value + local;
}

static inline __attribute__((always_inline)) int
inlined(struct node *n, struct mixed *m, int depth)
{
	int twice = depth * 2;

	sink = twice;
	return deepest(n, m) + twice;
}

__attribute__((noinline)) static int
recursive(struct node *n, struct mixed *m, int depth)
{
	int table[depth + 1];

	table[depth] = depth;
	sink = table[depth];
	if (depth == 0)
		return inlined((struct node *)0, m, table[depth]);
	return recursive(n->next, m, depth - 1) + table[depth];
}

static void
handler(int number)
{
	struct mixed m = {.narrow = 5,
	    .wide = -7,
	    .color = GREEN,
	    .both = {.f = 1.5f},
	    .numbers = {1, -2.5, 1e300},
	    .inner = {{1, 2}, {3, 4}},
	    .text = "some text"};

	sink = recursive(head, &m, 3) + number;
}

__asm__(".globl restorer\n.type restorer,@function\nrestorer: mov $15,%eax\n"
	"syscall\n.size restorer, .-restorer\n");
void restorer(void);

static void
wait_for_ever(void)
{
	for (;;)
		(void)syscall4(34, 0, 0, 0, 0); /* pause */
}

__attribute__((used, noinline)) static void
second(int argument)
{
	volatile int mine = argument;

	sink = mine;
	wait_for_ever();
}

/* A thread that shares all with its creator (clone(2)). */
static void
start_second(void)
{
	char *top = other_stack + sizeof(other_stack);

	__asm__ volatile("syscall\n"
			 "test %%eax,%%eax\n"
			 "jnz 1f\n"
			 "xor %%ebp,%%ebp\n"
			 "mov $7,%%edi\n"
			 "call second\n"
			 "1:\n"
			 :
			 : "a"(56L), "D"(0x10f00L), "S"(top)
			 : "rcx", "r11", "memory");
}

__attribute__((used, noinline)) static void
begin(void)
{
	struct {
		void (*handler)(int);
		word flags;
		void (*restorer)(void);
		word mask;
	} action = {handler, 0x04000000, restorer, 0};

	start_second();
	(void)syscall4(13, 10, (word)&action, 0, 8); /* sigaction(SIGUSR1) */
	for (int i = 0; i < 100; i++)
		(void)syscall4(24, 0, 0, 0, 0); /* sched_yield */
	(void)syscall4(62, (word)syscall4(39, 0, 0, 0, 0), 10, 0, 0);
	wait_for_ever();
}

__asm__(".globl _start\n.type _start,@function\n_start: xor %ebp,%ebp\n"
	"call begin\nhlt\n.size _start, .-_start\n");
