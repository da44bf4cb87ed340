/* SPDX-License-Identifier: MIT */
/*
 @id q18
 @cls wild-access
 @dir read
 @flags -O0 -g
 @mode core
 @note no other witness: neither cut nor flipped
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
__attribute__((noinline))long rd(long*p){return *p;}
int main(){return (int)rd((long*)0x7e57ab1e0010);}
