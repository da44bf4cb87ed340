/* SPDX-License-Identifier: MIT */
/*
 @id i08
 @cls uncaught-exception
 @alt abort
 @dir none
 @culprit f
 @flags -O0 -g
 @link -lpthread
 @alloc ptmalloc
 @mode core
 @note joinable std::thread destroyed: std::terminate without exception
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
#include <thread>
__attribute__((noinline))void f(){std::thread t([]{usleep(1000000);});}
int main(){f();return 0;}
