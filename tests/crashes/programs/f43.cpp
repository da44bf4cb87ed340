/* SPDX-License-Identifier: MIT */
/*
 @id f43
 @cls heap-overflow
 @flags -O2 -g
 @mode core
 The allocator's registers hold what looks like a pointer into a block.
*/
#include <vector>

__attribute__((noinline)) static void
put(std::vector<int> &v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		v[i] = 0x1000 + (int)i * 3;
}
int
main()
{
	std::vector<int> a(6), b(6);
	put(b, 6);
	put(a, 9);
	b.resize(100);
	return a[0] + b[1];
}
