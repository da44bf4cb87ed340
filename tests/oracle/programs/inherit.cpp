// Single, multiple and virtual inheritance, a virtual call through a base.
#include <cstdlib>
struct Base { int base = 1; virtual ~Base() {} virtual int go(int) = 0; };
struct Left : virtual Base { int left = 2; };
struct Right : virtual Base { int right = 3; };
struct Plain { long plain = 99; };
struct Join : Left, Right, Plain {
	int join = 4;
	__attribute__((noinline)) int go(int n) override
	{
		int sum = base + left + right + join + n;
		if (sum > 3)
			abort();
		return sum;
	}
};
__attribute__((noinline)) static int
call(Base *b, Plain &p, int n)
{
	int result = b->go(n + (int)p.plain);
	return result + 1;
}
int
main()
{
	Join j;
	return call(&j, j, 5);
}
