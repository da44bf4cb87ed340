/* SPDX-License-Identifier: MIT */
/*
 @id e05
 @cls stack-use-after-return
 @alt noncanonical-access
 @dir read
 @addr 0x5a5a5a5a5a5a5a5a
 @culprit use
 @flags -O0 -g
 @alloc ptmalloc
 @mode core
 @note pointer held points below rsp into dead frame
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
struct ctx{long*val;};
__attribute__((noinline))struct ctx*mk2(void){volatile char pad[96];struct ctx c;static long v=5;c.val=&v;pad[0]=1;struct ctx*volatile p=&c;return p;}
__attribute__((noinline))struct ctx*mk(void){return mk2();}
__attribute__((noinline))void clobber(void){volatile char b[512];memset((void*)b,0x5a,512);}
__attribute__((noinline))long use(struct ctx*c){return *c->val;}
int main(){struct ctx*c=mk();clobber();return use(c);}
