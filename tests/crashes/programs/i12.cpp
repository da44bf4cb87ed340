/* SPDX-License-Identifier: MIT */
/*
 @id i12
 @cls lib-check
 @dir none
 @flags -O0 -g -D_GLIBCXX_DEBUG
 @mode core
 @note the check's end lies behind the library's functions, and has no name
*/
#include <vector>
int
main()
{
	std::vector<int> numbers(3);
	auto first = numbers.begin();

	numbers.push_back(1);
	numbers.push_back(2);
	return *first;
}
