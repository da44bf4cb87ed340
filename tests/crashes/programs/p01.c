/* SPDX-License-Identifier: MIT */
/*
 @id p01
 @cls healthy
 @dir none
 @flags -O0 -g
 @alloc ptmalloc
 @mode hang
 @note idle process with fragmented, sound heap: no classifier allowed except state
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
int main(){char*p[100];for(int i=0;i<100;i++)p[i]=malloc(i*37+1);for(int i=0;i<100;i+=2)free(p[i]);pause();return p[1][0];}
