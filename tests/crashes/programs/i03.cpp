/* SPDX-License-Identifier: MIT */
/*
 @id i03
 @cls uncaught-exception
 @dir none
 @culprit f
 @flags -O0 -g
 @alloc ptmalloc
 @mode core
 @note type std::runtime_error, what() recoverable
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
#include <stdexcept>
__attribute__((noinline))void f(int n){throw std::runtime_error("config key missing");}
int main(int n,char**v){f(n);return 0;}
