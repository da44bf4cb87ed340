/* SPDX-License-Identifier: MIT */
/*
 @id f36
 @cls use-after-free
 @alt double-free
 @flags -O0 -g
 @mode core
 @says read from a freed
 Two owners of one object: the second releases what the allocator has left
 where its pointer was.
*/
#include <vector>

struct Buf {
	std::vector<int> *v;
	Buf() : v(new std::vector<int>(2000))
	{
	}
	~Buf()
	{
		delete v;
	}
};
int
main()
{
	std::vector<Buf> all;
	all.reserve(1);
	all.emplace_back();
	all.push_back(all[0]);
	return 0;
}
