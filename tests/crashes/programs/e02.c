/* SPDX-License-Identifier: MIT */
/*
 @id e02
 @cls stack-corruption
 @alt bad-jump
 @dir exec
 @addr ret to ASCII
 @culprit vuln
 @flags -O0 -g -fno-stack-protector
 @alloc ptmalloc
 @mode core
 @variants no (it overwrites what another layout has elsewhere)
 @note #GP at ret
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
__attribute__((noinline))void fill(char*d,const char*s){while((*d++=*s++));}
__attribute__((noinline))int vuln(const char*s){char b[16];fill(b,s);return b[3];}
int main(){return vuln("AAAAAAAABBBBBBBBCCCCCCCCDDDDDDDDEEEEEEEE");}
