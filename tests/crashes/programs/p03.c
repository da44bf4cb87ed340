/* SPDX-License-Identifier: MIT */
/*
 @id p03
 @cls external-signal
 @alt healthy
 @dir none
 @culprit main
 @flags -O0 -g
 @alloc ptmalloc
 @mode quit
 @note runner sends SIGQUIT while idle
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
int main(){pause();return 0;}

