/* SPDX-License-Identifier: MIT */
/*
 @id x05
 @cls null-deref
 @dir none
 @flags -O0 -g
 @remove exe
 @says is not readable: the file it is from is missing$
 @mode core
 @variants no (one is enough)
 @note the program's file is gone: the address is all there is
*/
int
main(void)
{
	return *(volatile int *)24;
}
