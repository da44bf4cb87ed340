/* SPDX-License-Identifier: MIT */
/*
 @id q22
 @cls stack-smash
 @dir none
 @flags -O1 -g -fstack-protector-all
 @mode core
 @note on another thread
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
__attribute__((noinline))void fill(char*d,int n){for(int i=0;i<n;i++)d[i]='x';}
__attribute__((noinline))int vuln(int n){char b[16];fill(b,n);return b[3];}
static void*t(void*p){return (void*)(long)vuln(64);}
int main(){pthread_t x;pthread_create(&x,0,t,0);pthread_join(x,0);return 0;}
