/* SPDX-License-Identifier: MIT */
/*
 @id q19
 @cls readonly-write
 @dir write
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
__attribute__((noinline))void up(char*s){s[0]=65;}
int main(){up((char*)"text");return 0;}
