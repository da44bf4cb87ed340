/* SPDX-License-Identifier: MIT */
/*
 @id q07
 @cls external-signal
 @dir none
 @flags -O0 -g
 @mode core
 @note a watchdog: abort() was never called
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
int main(){if(fork()==0){usleep(200000);kill(getppid(),SIGABRT);_exit(0);}for(;;)pause();}
