/* SPDX-License-Identifier: MIT */
/*
 @id r01
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
struct mine{int code;};
__attribute__((noinline))void f(){throw mine{3};}
int main(){f();}
