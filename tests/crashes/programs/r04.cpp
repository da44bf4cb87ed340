/* SPDX-License-Identifier: MIT */
/*
 @id r04
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
__attribute__((noinline))int f(std::vector<int>&v){return v.at(7);}
int main(){std::vector<int>v(3);return f(v);}
