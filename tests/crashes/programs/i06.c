/* SPDX-License-Identifier: MIT */
/*
 @id i06
 @cls trap
 @dir none
 @culprit f
 @flags -O0 -g
 @alloc ptmalloc
 @mode core
 @note SIGILL ud2
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
__attribute__((noinline))int f(int n){if(n<100)__builtin_trap();return n;}
int main(int n,char**v){return f(n);}
