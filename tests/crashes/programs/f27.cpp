/* SPDX-License-Identifier: MIT */
/*
 @id f27
 @cls invalid-free
 @dir none
 @flags -O0 -g
 @mode core
 @says 16 bytes inside
*/
/* A second base without a virtual destructor. */
struct Base1{virtual ~Base1(){} long a;}; struct Base2{long b; }; struct D:Base1,Base2{long c;};
__attribute__((noinline)) void kill(Base2*p){ delete p; }
int main(){ kill(new D); return 0; }
