/* SPDX-License-Identifier: MIT */
/*
 @id c02
 @cls readonly-write
 @dir write
 @addr .text
 @culprit patch
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
__attribute__((noinline))void patch(void*f){*(char*)f=0;}
int main(){patch((void*)main);return 0;}
