/* SPDX-License-Identifier: MIT */
/*
 @id f29
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
/* Sound: somebody else takes memory from brk in between. */
int main(){ char*p[400]; for(int i=0;i<200;i++)p[i]=malloc(900); sbrk(8192); memset(sbrk(0)-8192,0x33,8192); for(int i=200;i<400;i++)p[i]=malloc(900); for(int i=0;i<400;i+=3)free(p[i]); abort(); }
