/* SPDX-License-Identifier: MIT */
/*
 @id i02
 @cls abort
 @dir none
 @culprit die
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
__attribute__((noinline))void die(void){abort();}
int main(){die();return 0;}
