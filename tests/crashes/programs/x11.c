/* SPDX-License-Identifier: MIT */
/*
 @id x11
 @cls unloaded-module
 @dir exec
 @flags -O0 -g
 @mode core
 @variants no (it loads a library, and needs no more than one round)
 @note a function of a library is called after dlclose
*/
#include <dlfcn.h>
#include <stdio.h>
int
main(void)
{
	void *library = dlopen("libutil.so.1", RTLD_NOW);
	void *other = dlopen("libm.so.6", RTLD_NOW);
	double (*cosine)(double) = (double (*)(double))dlsym(other, "lgamma");

	printf("%p %f\n", library, cosine(1));
	dlclose(other);
	return (int)cosine(2);
}
