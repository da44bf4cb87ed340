/* SPDX-License-Identifier: MIT */
/*
 @id v05
 @cls pure-virtual
 @dir none
 @flags -O0 -g
 @says ^b of use points to 0x[0-9a-f]+, whose table of virtual functions is that of shape::Base, which has pure ones
 @mode core
 @note a virtual call on an object that was destroyed: its table is the base's
*/
#include <new>
namespace shape {
struct Base {
	virtual ~Base() { __asm__ volatile("" : : "r"(this) : "memory"); }
	virtual int run() = 0;
	long n = 1;
};
struct Derived : Base {
	int run() override { return (int)n; }
};
}
alignas(16) static char room[64], other[64];
__attribute__((noinline)) static int
use(shape::Base *sound, shape::Base *b)
{
	return sound->run() + b->run();
}
int
main()
{
	shape::Base *b = new (room) shape::Derived;

	b->~Base();
	return use(new (other) shape::Derived, b);
}
