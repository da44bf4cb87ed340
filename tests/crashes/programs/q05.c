/* SPDX-License-Identifier: MIT */
/*
 @id q05
 @cls fortify-format
 @dir none
 @flags -O2 -g -D_FORTIFY_SOURCE=2
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
int main(int n,char**v){char f[16];strcpy(f,n>9?"x":"%n");int k;printf(f,&k);return 0;}
