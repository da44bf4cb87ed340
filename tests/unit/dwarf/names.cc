// SPDX-License-Identifier: MIT
// What the comparison with GDB is made over: names, templates, lambdas.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>
namespace ns
{
namespace inner
{
template <typename T, unsigned long N> struct Arr {
	T data[N];
	T &
	at(unsigned i)
	{
		return data[i];
	}
	static int count;
	struct In {
		T x;
		enum class E : unsigned char { A, B } e;
	};
	In in;
};
template <typename T, unsigned long N> int Arr<T, N>::count = 2;
enum class Mode : short { off = -1, on = 1 };
class Base
{
      public:
	virtual ~Base()
	{
	}
	virtual int
	f(int x) const
	{
		int r = x + v;
		return r;
	}
	int v = 1;

      protected:
	long p = 2;
};
class Derived : public virtual Base
{
      public:
	int
	f(int x) const override
	{
		int loc = Base::f(x) * 2;
		return loc;
	}
	static int s;
	int bf : 4;
	unsigned ub : 3;
};
int Derived::s = 9;
} // namespace inner
namespace
{
struct Hidden {
	int h;
	int
	get() const
	{
		int q = h;
		return q;
	}
};
int
hid(Hidden &x, const Hidden &&y)
{
	int z = x.get() + y.h;
	return z;
}
} // namespace
template <class T>
T
maxi(T a, T b)
{
	T r = a < b ? b : a;
	return r;
}
struct Op {
	int
	operator()(int a, int b) const
	{
		return a + b;
	}
	explicit operator bool() const
	{
		return true;
	}
	int
	operator[](const char *s)
	{
		return s[0];
	}
};
} // namespace ns
using namespace ns;
typedef std::map<std::string, std::vector<int>> Map;
static int
sum(const std::vector<int> &v)
{
	int s = 0;
	for (auto &x : v)
		s += x;
	return s;
}
static int
ptrs(int ns::inner::Base::*pm, int (ns::inner::Base::*pf)(int) const,
    const ns::inner::Base *b, int &&rr, int &lr, int (&ar)[3],
    void (*const cb)(long, unsigned char), decltype(nullptr) np,
    ns::inner::Mode mode, char16_t c16, char32_t c32, wchar_t wc, bool bb,
    unsigned long long ull, short sh, unsigned short us)
{
	int t = b->*pm + (b->*pf)(1) + rr + lr + ar[0] + (int)mode + c16 + c32 +
	    wc + bb + ull + sh + us;
	(void)cb;
	(void)np;
	return t;
}
template <typename... A>
int
pack(A... args)
{
	int n = sizeof...(args);
	return n;
}
struct Node {
	struct Impl;
	Impl *impl;
	int x;
};
struct Node::Impl {
	int z;
	Node *back;
};
extern "C" int
cfun(int a)
{
	int b = a;
	return b;
}
int
lambda_user(int k)
{
	struct Local {
		int l;
		int
		m() const
		{
			int w = l;
			return w;
		}
	} loc{k};
	auto f = [&, k](int a, const char *s) {
		int inl = a + k + loc.m();
		return inl + (s ? 1 : 0);
	};
	std::function<int(int)> g = [=](int q) { return q + f(q, "s"); };
	return g(3);
}
int
thrower(int x)
{
	try {
		if (x > 2)
			throw std::runtime_error("big");
		std::string s = "abc";
		return s.size();
	} catch (const std::exception &e) {
		std::string msg = e.what();
		return msg.size();
	}
}
int
main(int argc, char **)
{
	inner::Arr<int, 3ul> arr{};
	inner::Arr<const char *, 2> arr2{};
	inner::Arr<unsigned long, 2>::In in{};
	inner::Derived d;
	const inner::Base &b = d;
	Map m;
	m["a"].push_back(argc);
	m["b"] = {1, 2, 3};
	int three[3] = {1, 2, 3};
	int lv = 4;
	int r = sum(m["b"]) + b.f(3) + arr.at(1) + maxi(1, 2) +
	    maxi<double>(2, 3.0);
	ns::Op op;
	r += op(1, 2) + op["x"] + pack(1, 2.0, "x") + cfun(1) +
	    lambda_user(argc) + thrower(argc);
	std::unique_ptr<Node> up(new Node{new Node::Impl{1, nullptr}, 2});
	std::shared_ptr<int> sp = std::make_shared<int>(3);
	r += ptrs(&inner::Base::v, &inner::Base::f, &d, 5, lv, three, nullptr,
	    nullptr, inner::Mode::on, u'a', U'b', L'c', true, 1, 2, 3);
	for (auto &[k, v] : m) {
		r += k.size() + v.size();
	}
	std::sort(three, three + 3, [](int a, int c) { return a > c; });
	ns::Hidden h{1};
	r += ns::hid(h, ns::Hidden{2});
	printf("%d %p %d %d\n", r, (void *)up.get(), *sp,
	    (int)in.e + (arr2.at(0) != nullptr));
	return 0;
}
