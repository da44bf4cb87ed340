/* SPDX-License-Identifier: MIT */
/*
 @id r07
 @cls null-deref
 @alt zeroed-object
 @dir read
 @flags -O0 -g
 @mode core
*/
#include <stdexcept>
#include <string>
#include <vector>
#include <functional>
#include <optional>
struct B{virtual int f(){return 1;}int x=0;};
__attribute__((noinline))int call(B*b){return b->f();}
int main(){static char raw[64];return call((B*)raw);}
