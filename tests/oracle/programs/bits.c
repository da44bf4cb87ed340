/* Bit-fields, unions, anonymous members, packed structs. */
#include <stdint.h>
#include <stdlib.h>
struct flags { unsigned ready : 1; unsigned mode : 3; int delta : 5;
	unsigned long wide : 40; unsigned char tail : 2; };
union word { uint32_t u; int32_t i; float f; uint8_t b[4]; };
struct packet { uint8_t kind; uint32_t length; uint16_t port;
	} __attribute__((packed));
struct any { int tag; union { int number; const char *text;
	struct { short left, right; }; }; };
__attribute__((noinline)) static int
inspect(struct flags f, union word w, struct packet *p, struct any any)
{
	struct flags copy = f;
	copy.delta = -7;
	copy.mode = 5;
	p->length += (uint32_t)any.number;
	if (copy.delta < 0)
		abort();
	return (int)w.u;
}
int
main(void)
{
	struct flags f = {1, 6, -3, 0x1234567890ul, 2};
	union word w = {.f = 1.5f};
	struct packet p = {9, 100000, 443};
	struct any any = {2, {.number = 0x00050003}};
	return inspect(f, w, &p, any);
}
