// SPDX-License-Identifier: MIT
// Globals with C++ names.
#include <cstdlib>

namespace ns
{
int x = 7;
struct S {
	static int count;
	static inline int in_class = 9;
};
int S::count = 8;
namespace
{
int hidden = 10;
}
template <class T> struct Pair {
	static T value;
};
template <class T> T Pair<T>::value = 12;
thread_local int local = 13;
} // namespace ns

int
main()
{
	ns::local++;
	ns::Pair<int>::value += ns::hidden + ns::S::count + ns::S::in_class;
	std::abort();
}
