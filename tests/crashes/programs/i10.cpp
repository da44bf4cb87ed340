/* SPDX-License-Identifier: MIT */
/*
 @id i10
 @cls uncaught-exception
 @alt abort
 @dir none
 @flags -O0 -g
 @says ^std::terminate: a std::thread was destroyed while it was joinable$
 @also ^meanwhile the program handled the C\+\+ exception std::runtime_error: "no connection", which it had caught$
 @never uncaught C
 @mode core
 @note while the handler of another exception runs
*/
#include <stdexcept>
#include <thread>
#include <unistd.h>
int
main()
{
	try {
		throw std::runtime_error("no connection");
	} catch (const std::exception &) {
		std::thread retry([] { sleep(100); });
	}
	return 0;
}
