/* SPDX-License-Identifier: MIT */
/*
 @id v06
 @cls readonly-write
 @alt protected-access
 @dir write
 @flags -O0 -g
 @says is of the class ns::Derived, by its table of virtual functions
 @also ^points to a ns::Derived$
 @mode core
 @note a pointer to a base; what it points to tells what it is
 @never points to a ns::Base|points to a ns::Sound
*/
#include <new>
#include <sys/mman.h>
namespace ns {
struct Base {
	virtual ~Base() {}
	virtual int run() { return 1; }
	long n = 1;
};
struct Derived : Base {
	int run() override { return 2; }
};
struct Sound : Base {
};
}
__attribute__((noinline)) static void
count(ns::Base *b)
{
	b->n++;
}
int
main()
{
	void *page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ns::Base *b = new (page) ns::Derived;

	ns::Sound sound, *declared = &sound;

	declared->n = 2;
	mprotect(page, 4096, PROT_READ);
	count(b);
	return 0;
}
