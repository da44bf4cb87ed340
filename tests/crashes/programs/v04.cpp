/* SPDX-License-Identifier: MIT */
/*
 @id v04
 @cls noncanonical-access
 @alt use-after-free
 @dir read
 @flags -O0 -g
 @says ^the first word of the object at 0x[0-9a-f]+ is 0x5a5a5a5a5a5a5a5a, which is no table of functions: the object was destroyed
 @mode core
 @note a virtual call on an object that was wiped
*/
#include <cstring>
#include <new>
struct Base {
	virtual ~Base() {}
	virtual int run() = 0;
	long n = 1;
};
struct Derived : Base {
	int run() override { return (int)n; }
};
alignas(16) static char room[64];
__attribute__((noinline)) static int
use(Base *b)
{
	return b->run();
}
int
main()
{
	Base *b = new (room) Derived;
	int n = use(b);

	b->~Base();
	memset(room, 0x5a, sizeof(room));
	return n + use(b);
}
