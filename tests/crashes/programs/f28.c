/* SPDX-License-Identifier: MIT */
/*
 @id f28
 @cls abort
 @dir none
 @flags -O0 -g
 @mode core
 @never heap\.|past its end|freed
*/
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <stdint.h>
#include <sys/mman.h>
/* Sound: brk fails, and the heap goes on elsewhere. */
int main(){ char*p[4000]; for(int i=0;i<100;i++)p[i]=malloc(900); char*e=sbrk(0); mmap(e,4096,PROT_READ|PROT_WRITE,MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED_NOREPLACE,-1,0); for(int i=100;i<4000;i++)p[i]=malloc(900); for(int i=0;i<4000;i+=3)free(p[i]); abort(); }
