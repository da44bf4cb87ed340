/* SPDX-License-Identifier: MIT */
/*
 @id x14
 @cls external-signal
 @dir none
 @flags -O0 -g
 @says ^SIGXFSZ was sent by the kernel: .* RLIMIT_FSIZE
 @also ^rlimit\.fsize$
 @never kill\(\)
 @mode core
 @note a file that grows too long: the kernel sends the signal in the name of
       the process (the limit is for the core as well, so it is a high one)
*/
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
int
main(void)
{
	const long limit = 1L << 30;
	struct rlimit size = {limit, limit};
	int file = open("big", O_CREAT | O_WRONLY, 0600);

	setrlimit(RLIMIT_FSIZE, &size);
	lseek(file, limit, SEEK_SET);
	return (int)write(file, "x", 1);
}
