// SPDX-License-Identifier: MIT
// Spellings of types and of template arguments.
template <typename T> struct F {
	T *p;
};
template <int N, char C, bool B, unsigned long U, long L> struct V {
	int x;
};
template <typename... A> struct P {
	int x;
};
enum E { EA, EB };
enum class EC : long { X = 5, Y = -1 };
template <E e, EC c> struct G {
	int x;
};
int gi;
template <int *p> struct GP {
	int x;
};
void fn(int);
template <void (*f)(int)> struct FP {
	int x;
};
void
fn(int)
{
}
struct A {
	int m;
	int
	f(int) const
	{
		return 1;
	}
	void g() volatile;
};
template <int A::*m> struct MP {
	int x;
};
template <template <class> class T> struct TT {
	int x;
};
namespace
{
struct H {
	int z;
};
} // namespace
template <typename T> struct O {
	struct I {
		T t;
	};
	typedef T type;
};
int
main()
{
	F<void (*)(int)> f1;
	F<int(int, char)> f2;
	F<int(&)[3]> *f3 = 0;
	F<int[3]> f4;
	F<const char *const *> f5;
	F<volatile int> f6;
	F<int A::*> f7;
	F<int (A::*)(int) const> f8;
	F<unsigned long long> f9;
	F<H> f10;
	F<const H &> *f11 = 0;
	F<F<F<int>>> f12;
	F<int &&> *f13 = 0;
	F<decltype(nullptr)> f14;
	F<long double> f15;
	F<unsigned char> f16;
	F<signed char> f17;
	F<const volatile short> f18;
	F<void()> f19;
	F<void (*(*)(int))(char)> f20;
	F<void(...)> f21;
	F<int(*)[4]> f22;
	F<__int128> f23;
	F<unsigned> f24;
	F<char16_t> f25;
	V<-3, 'a', true, 7ul, -9l> v1;
	V<2147483647, '\n', false, 18446744073709551615ul, 3> v2;
	P<> p0;
	P<int, const char *, F<long>> p1;
	G<EB, EC::X> g1;
	G<EA, EC::Y> g2;
	GP<&gi> gp;
	FP<fn> fp;
	FP<&fn> fp2;
	MP<&A::m> mp;
	TT<F> tt;
	O<unsigned long>::I oi;
	O<const char *>::type ot = 0;
	auto lam = [](int x) { return x; };
	F<decltype(lam)> fl;
	long int l;
	long long unsigned q;
	short unsigned s;
	signed char sc;
	_Complex double cd;
	__float128 f128;
	int (*arr[3])(int, const char *);
	int (A::*pmf)(int) const = &A::f;
	int A::*pmd = &A::m;
	const int *const *const ppp = 0;
	int(*(*ff)(int))[3] = 0;
	const A ca{};
	A *const cap = 0;
	A *volatile vap;
	A *__restrict rap = 0;
	union {
		int a;
	} an;
	struct {
		int b;
	} as;
	enum { Q } ae;
	int(&ra)[2] = *(int(*)[2])0;
	const int carr[2][3] = {};
	volatile int *vip;
	typedef const int cint;
	cint *cip;
	void (*noarg)();
	int (*va)(const char *, ...);
	__attribute__((vector_size(16))) int vec;
	int (*fpa)(int[3], void (*)(int), A &, A &&, E);
	return 0;
}
