/* SPDX-License-Identifier: MIT */
/*
 @id r08
 @cls abort
 @dir none
 @flags -O0 -g
 @mode core
*/
#include <stdexcept>
#include <string>
#include <vector>
#include <functional>
#include <optional>
#include <cstdlib>
int main(){std::string s="x";abort();}
