/* SPDX-License-Identifier: MIT */
/*
 @id s04
 @cls null-deref
 @alt bad-argument
 @dir read
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
__attribute__((noinline))void shut(FILE*f){fclose(f);}
int main(int n,char**v){shut(n>9?stdin:0);return 0;}
