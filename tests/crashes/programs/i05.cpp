/* SPDX-License-Identifier: MIT */
/*
 @id i05
 @cls lib-check
 @dir none
 @culprit at
 @flags -O1 -g -D_GLIBCXX_ASSERTIONS
 @alloc ptmalloc
 @mode core
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
#include <vector>
__attribute__((noinline))int at(std::vector<int>&v,size_t i){return v[i];}
int main(int n,char**a){std::vector<int>v(4);return at(v,n+9);}
