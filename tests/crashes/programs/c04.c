/* SPDX-License-Identifier: MIT */
/*
 @id c04
 @cls file-truncated
 @dir read
 @addr mapped file beyond EOF
 @culprit r
 @flags -O0 -g
 @alloc ptmalloc
 @mode core
 @note SIGBUS BUS_ADRERR
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
#include <fcntl.h>
__attribute__((noinline))int r(char*p){return p[5000];}
int main(){char t[]="./truncXXXXXX";int fd=mkstemp(t);unlink(t);ftruncate(fd,8192);char*m=mmap(0,8192,3,MAP_SHARED,fd,0);ftruncate(fd,100);return r(m);}
