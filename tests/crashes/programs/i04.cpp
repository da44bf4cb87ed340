/* SPDX-License-Identifier: MIT */
/*
 @id i04
 @cls pure-virtual
 @dir none
 @culprit call
 @flags -O0 -g
 @alloc ptmalloc
 @mode core
*/
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <stdint.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
struct A;void call(A*);struct A{A(){call(this);}virtual void f()=0;};struct D:A{void f()override{}};
__attribute__((noinline))void call(A*a){a->f();}
int main(){D d;return 0;}
