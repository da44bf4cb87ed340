/* SPDX-License-Identifier: MIT */
/*
 @id r02
 @cls uncaught-exception
 @dir none
 @flags -O0 -g
 @mode core
*/
#include <stdexcept>
#include <string>
#include <vector>
#include <functional>
#include <optional>
__attribute__((noinline))void f(){throw 42;}
int main(){f();}
