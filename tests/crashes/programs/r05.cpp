/* SPDX-License-Identifier: MIT */
/*
 @id r05
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
int main(){std::function<int()>f;return f();}
