/* SPDX-License-Identifier: MIT */
/*
 @id f11
 @cls invalid-free
 @dir none
 @flags -O0 -g
 @mode core
 @says lies in exe
*/
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>
/* Sometimes it is allocated, sometimes a constant. */
__attribute__((noinline)) static const char *name_of(int n) { if (n > 5) return strdup("many"); return "few"; }
__attribute__((noinline)) static void release(const char *p) { free((void *)p); }
int main(int c, char **v) { release(name_of(c + 7)); release(name_of(c)); return 0; }
