/* SPDX-License-Identifier: MIT */
/*
 @id d02
 @cls stack-overflow
 @dir write
 @addr below stack
 @culprit a_|b_|c_
 @flags -O1 -g
 @alloc ptmalloc
 @mode core
 @note mutual recursion, cycle length 3
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
int b_(int);__attribute__((noinline))int a_(int n){volatile int k=n;return b_(k+1)+k;}__attribute__((noinline))int c_(int n){volatile int k=n;return a_(k+1)+k;}__attribute__((noinline))int b_(int n){volatile int k=n;return c_(k+1)+k;}
int main(){return a_(0);}
