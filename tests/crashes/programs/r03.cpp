/* SPDX-License-Identifier: MIT */
/*
 @id r03
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
__attribute__((noinline))void f()noexcept{throw std::out_of_range("in noexcept");}
int main(){f();}
