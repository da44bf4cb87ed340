/* SPDX-License-Identifier: MIT */
/*
 @id x06
 @cls wild-access
 @dir none
 @flags -O0 -g
 @remove exe
 @says is not readable: the file it is from is missing$
 @never null
 @mode core
 @variants no (one is enough)
 @note the same with another address
*/
int
main(void)
{
	return *(volatile int *)0x123456789000;
}
