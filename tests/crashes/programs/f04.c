/* SPDX-License-Identifier: MIT */
/*
 @id f04
 @cls heap-overflow
 @dir none
 @flags -O0 -g
 @mode core
 @says written past its end
 @variants no (which block follows which)
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
/* A path is put together in a buffer that is too small. */
struct file { char *path, *owner; long id; };
__attribute__((noinline)) static char *join(const char *dir, const char *name) { char *p = malloc(40); strcpy(p, dir); strcat(p, "/"); strcat(p, name); return p; }
int main(void)
{
	struct file *f = malloc(sizeof *f), *g;
	char *p = malloc(40), *q;
	free(p);
	g = malloc(1200);
	q = malloc(24);
	p = join("/var/spool/application/outgoing", "message-000001.txt");
	f->path = p;
	free(g);
	return q[0];
}
