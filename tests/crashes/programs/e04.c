/* SPDX-License-Identifier: MIT */
/*
 @id e04
 @cls stack-corruption
 @alt bad-jump
 @dir exec
 @addr 0x700011112222
 @culprit victim
 @flags -O0 -g -fno-stack-protector
 @alloc ptmalloc
 @mode core
 @variants no (it overwrites what another layout has elsewhere)
 @note ret to canonical unmapped
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
__attribute__((noinline))void off(unsigned long*p){p[0]=0;}
__attribute__((noinline))int victim(int n){unsigned long*fp=__builtin_frame_address(0);fp[1]=0x0000700011112222ul;return n;}
int main(int n,char**v){return victim(n);}
