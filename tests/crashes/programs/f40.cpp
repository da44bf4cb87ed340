/* SPDX-License-Identifier: MIT */
/*
 @id f40
 @cls invalid-free
 @flags -O0 -g
 @mode core
 A copy byte by byte of a string whose text lies in itself.
*/
#include <stdlib.h>
#include <string.h>
#include <string>

struct rec {
	int id;
	std::string name;
};
int
main()
{
	rec a{1, "anna"};
	rec *b = (rec *)malloc(sizeof(rec));
	memcpy((void *)b, (void *)&a, sizeof a);
	b->~rec();
	free(b);
	return 0;
}
