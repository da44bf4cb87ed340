/* SPDX-License-Identifier: MIT */
/*
 @id a16
 @cls null-deref
 @dir read
 @addr null
 @culprit count
 @flags -O2 -g
 @alloc ptmalloc
 @mode core
 @note list walked past its end: null came from i->next of the last heap node
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
struct item{int id;char name[28];struct item*next;};
struct item*head;__attribute__((noinline))int count(struct item*i){volatile int n=0;while(n<1000){n+=i->id;i=i->next;}return n;}
int main(){for(int k=0;k<5;k++){struct item*i=malloc(sizeof*i);i->id=k;i->next=head;head=i;}return count(head);}
