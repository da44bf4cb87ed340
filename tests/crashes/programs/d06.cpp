/* SPDX-License-Identifier: MIT */
/*
 @id d06
 @cls stack-overflow
 @dir write
 @addr below stack
 @culprit N::~N
 @flags -O1 -g
 @alloc ptmalloc
 @mode core
 @note destructor recursion; may fault inside free()/operator delete
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
struct N{N*next;~N(){delete next;}};
int main(){N*h=nullptr;for(int i=0;i<3000000;i++){N*n=new N;n->next=h;h=n;}delete h;return 0;}
