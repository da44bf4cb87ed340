/* SPDX-License-Identifier: MIT */
/*
 @id r06
 @cls uncaught-exception
 @dir none
 @flags -O1 -g
 @mode core
*/
#include <stdexcept>
#include <string>
#include <vector>
#include <functional>
#include <optional>
int main(int n,char**){std::string s((const char*)(n>9?"x":nullptr));return (int)s.size();}
