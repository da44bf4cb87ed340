/* A fault inside the C library's string functions. */
#include <string.h>
#include <stdio.h>
struct message { int kind; char *body; };
__attribute__((noinline)) static size_t
length(const struct message *m)
{
	size_t n = strlen(m->body);
	return n + (size_t)m->kind;
}
int
main(int argc, char **argv)
{
	struct message m = {argc, argc > 50 ? argv[0] : (char *)16};
	return (int)length(&m);
}
