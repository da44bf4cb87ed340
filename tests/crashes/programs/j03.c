/* SPDX-License-Identifier: MIT */
/*
 @id j03
 @cls fp-exception
 @dir none
 @culprit d
 @flags -O0 -g
 @link -lm
 @alloc ptmalloc
 @mode core
 @note FPE_FLTDIV
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
#include <fenv.h>
__attribute__((noinline))double d(double a,double b){return a/b;}
int main(int n,char**v){feenableexcept(FE_DIVBYZERO);return (int)d(1.0,n-1);}
