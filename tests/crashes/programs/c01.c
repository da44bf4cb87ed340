/* SPDX-License-Identifier: MIT */
/*
 @id c01
 @cls readonly-write
 @dir write
 @addr .rodata
 @culprit up
 @flags -O2 -g
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
__attribute__((noinline))void up(char*s){*s-=32;}
int main(){up("hello");return 0;}
