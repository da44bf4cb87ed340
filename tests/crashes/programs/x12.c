/* SPDX-License-Identifier: MIT */
/*
 @id x12
 @cls bad-jump
 @dir exec
 @flags -O0 -g
 @never unloaded
 @mode core
 @variants no (it loads a library, and needs no more than one round)
 @note a library was unloaded, but the bad pointer has nothing to do with it
*/
#include <dlfcn.h>
#include <stdio.h>
int
main(void)
{
	void *other = dlopen("libm.so.6", RTLD_NOW);
	double (*cosine)(double) = (double (*)(double))dlsym(other, "lgamma");

	printf("%f\n", cosine(1));
	dlclose(other);
	cosine = (double (*)(double))((char *)cosine - (1l << 32));
	return (int)cosine(2);
}
