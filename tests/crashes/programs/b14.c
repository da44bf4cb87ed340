/* SPDX-License-Identifier: MIT */
/*
 @id b14
 @cls buffer-overread
 @dir read
 @addr end of mapping
 @culprit scan
 @flags -O1 -g
 @alloc ptmalloc
 @mode core
 @note address is exactly the end of the mapping the pointer started in
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
__attribute__((noinline))size_t scan(const char*p){size_t n=0;while(p[n])n++;return n;}
int main(){char*m=mmap(0,8192,3,MAP_PRIVATE|MAP_ANONYMOUS,-1,0);munmap(m+4096,4096);memset(m,65,4096);return (int)scan(m);}
