// SPDX-License-Identifier: MIT
// Types of C++ for the seeds of the DWARF target (seeds.py): classes, bases,
// templates, references, enum classes, unions, lambdas, inlined calls, tail
// calls, call sites with values.
namespace ns {

enum class kind : unsigned char { circle, square = 7 };

struct base {
	virtual int area() const = 0;
	int id = 3;
};

template <typename T, int N> struct box {
	T items[N];
	static const int size = N;
	T &first() { return items[0]; }
};

struct shape : virtual base {
	kind k = kind::square;
	box<short, 4> box_;
	int area() const override;
	union {
		float f;
		unsigned u : 5;
	};
	int shape::*member = nullptr;
};

__attribute__((noinline)) int shape::area() const
{
	return (int)k + box_.items[1];
}

inline __attribute__((always_inline)) int
twice(const shape &s)
{
	int local = s.area();
	return local * 2;
}

template <class... Args>
__attribute__((noinline)) int
sum(int first, Args... rest)
{
	int values[] = {rest...};
	for (int v : values)
		first += v;
	return first;
}

} // namespace ns

ns::shape *global;
thread_local int per_thread = 5;

__attribute__((noinline)) int
last(int n)
{
	__asm__ volatile("" ::: "memory");
	return n;
}

__attribute__((noinline)) int
chain(int n)
{
	if (n > 3)
		return last(n + 1); // a tail call
	return ns::sum(n, 1, 2, 3);
}

extern "C" void
_start()
{
	auto lambda = [&](int x) { return ns::twice(*global) + x; };
	for (int i = 0; i < 4; i++)
		if (lambda(chain(i)) == 7)
			break;
	for (;;)
		;
}
extern "C" void __cxa_pure_virtual() {}
extern "C" void operator_delete() {}
void operator delete(void *, unsigned long) {}
