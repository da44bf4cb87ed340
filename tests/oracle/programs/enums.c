/* Enumerations: plain, signed, flags, out of range, anonymous. */
#include <stdlib.h>
enum color { RED, GREEN = 5, BLUE };
enum level { LOW = -2, MIDDLE = 0, HIGH = 100 };
enum mask { M_READ = 1, M_WRITE = 2, M_EXEC = 4 };
typedef enum { OFF, ON } power_t;
struct lamp { enum color color; power_t power; enum mask mask; };
__attribute__((noinline)) static int
paint(enum color c, enum level l, enum mask m, struct lamp lamp)
{
	enum color odd = (enum color)77;
	enum level low = LOW;
	power_t power = lamp.power;
	if (c == BLUE && low < 0)
		abort();
	return (int)odd + (int)l + (int)m + (int)power;
}
int
main(void)
{
	struct lamp lamp = {GREEN, ON, M_READ | M_EXEC};
	return paint(BLUE, HIGH, M_READ | M_WRITE, lamp);
}
