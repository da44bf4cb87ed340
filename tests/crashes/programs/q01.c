/* SPDX-License-Identifier: MIT */
/*
 @id q01
 @cls illegal-insn
 @dir none
 @flags -O0 -g
 @mode core
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
__attribute__((noinline))void f(void){__asm__ volatile(".byte 0x0f,0x04");}
int main(){f();return 0;}
