/* SPDX-License-Identifier: MIT */
/*
 @id i07
 @cls external-signal
 @dir none
 @culprit w
 @flags -O0 -g
 @alloc ptmalloc
 @mode core
 @note SIGSEGV but si_code SI_USER: not a memory fault
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
__attribute__((noinline))void w(void){kill(getpid(),SIGSEGV);sleep(1);}
int main(){w();return 0;}
