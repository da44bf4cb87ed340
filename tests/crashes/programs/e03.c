/* SPDX-License-Identifier: MIT */
/*
 @id e03
 @cls fortify-overflow
 @dir none
 @culprit vuln
 @flags -O2 -g -D_FORTIFY_SOURCE=2
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
char src[64]="a string which is much longer than the destination";
__attribute__((noinline))int vuln(void){char b[8];strcpy(b,src);return b[1];}
int main(){return vuln();}
