/* SPDX-License-Identifier: MIT */
/*
 @id q17
 @cls abort
 @dir none
 @flags -O0 -g
 @mode core
 @note abort in the handler of a timer: the interrupted code did nothing wrong
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
static void h(int s){abort();}
int main(){signal(SIGALRM,h);alarm(1);for(;;);}
