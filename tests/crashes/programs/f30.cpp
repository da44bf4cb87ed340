/* SPDX-License-Identifier: MIT */
/*
 @id f30
 @cls invalid-free
 @alt alloc-mismatch
 @dir none
 @flags -O0 -g
 @mode core
 @says memory of new must be released with delete
 @also memory of new was released with delete\[\]
*/
#include <stdlib.h>
/* delete[] of new: what is in front is no count, but the size of the block. */
static long ended;
struct item { long value[2]; ~item(); };
item::~item()
{
	ended++;
}
__attribute__((noinline)) static void drop(item *p) { delete[] p; }
int main() { drop(new item); return (int)ended; }
