/* SPDX-License-Identifier: MIT */
/*
 @id s01
 @cls bad-argument
 @dir write
 @flags -O0 -g
 @mode core
 @note a negative difference as a size; some copies fail by reading first
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
__attribute__((noinline))void parse(char*d,const char*s,int len,int hdr){memcpy(d,s+hdr,(size_t)(len-hdr));}
int main(int n,char**v){static char a[4096],b[4096];parse(a,b,n,41);return a[7];}
