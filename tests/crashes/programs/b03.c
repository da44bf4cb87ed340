/* SPDX-License-Identifier: MIT */
/*
 @id b03
 @cls noncanonical-access
 @alt ascii-pointer
 @dir read
 @addr 0x4141414141414149
 @culprit f
 @flags -O1 -g
 @alloc ptmalloc
 @mode core
 @note #GP: si_code SI_KERNEL si_addr 0; naive tools say null
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
struct s{struct s*next;long v;};
__attribute__((noinline))long f(struct s*x){return x->next->v;}
int main(){struct s a;memset(&a,0x41,sizeof a);return f(&a);}
