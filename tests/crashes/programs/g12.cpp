/* SPDX-License-Identifier: MIT */
/*
 @id g12
 @cls use-after-free
 @dir read
 @flags -O0 -g
 @mode core
 The iterator goes on through a freed node, to an address of another page.
*/
#include <string>
#include <unordered_map>

int
main()
{
	std::unordered_map<int, std::string> m;
	for (int i = 0; i < 50; i++)
		m[i] = "value which is long enough for the heap " +
		    std::to_string(i);
	for (auto it = m.begin(); it != m.end(); ++it)
		if (it->first % 3 == 0)
			m.erase(it->first);
	return 0;
}
