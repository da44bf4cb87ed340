/* SPDX-License-Identifier: MIT */
/*
 @id f12
 @cls invalid-free
 @alt alloc-mismatch
 @dir none
 @flags -O0 -g
 @mode core
 @says delete\[\]
 @also memory of new\[\] was released with delete$
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
/* delete of new[]: there is a count in front of the elements. */
struct item { long value; ~item() { value = 0; } };
__attribute__((noinline)) static void drop(item *p) { delete p; }
int main() { item *p = new item[7]; drop(p); return 0; }
