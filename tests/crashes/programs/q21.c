/* SPDX-License-Identifier: MIT */
/*
 @id q21
 @cls null-call
 @dir exec
 @flags -O0 -g
 @mode core
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
struct ops{int(*a)(void);int(*b)(void);};
__attribute__((noinline))int run(struct ops*o){return o->b();}
int main(){static struct ops o;return run(&o);}
