/* SPDX-License-Identifier: MIT */
/*
 @id f19
 @cls heap-overflow
 @alt heap-corruption
 @dir none
 @flags -O0 -g
 @mode core
 @says equal steps
 @variants no (what is written is never read, and left out)
*/
#include <vector>
#include <string>
/* Counted numbers run on behind a vector. */
__attribute__((noinline)) void fill(std::vector<int>&v,int n){ for(int i=0;i<n;i++) v[i]=i+1000; }
int main(){ std::vector<int> *v=new std::vector<int>(10); std::string s(100,'x'); std::vector<int> w(700); fill(*v,16); delete v; s+=std::string(5000,'y'); w.resize(9000); std::vector<int>().swap(w); return s[0]; }
