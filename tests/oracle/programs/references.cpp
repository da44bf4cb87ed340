// References, rvalue references, references to pointers and in structs.
#include <cstdlib>
#include <utility>
struct Holder { int &ref; const double &real; };
__attribute__((noinline)) static int
take(int &a, int *&pointer, Holder &&holder, const char (&text)[6])
{
	int &local = a;
	local += holder.ref;
	pointer = &local;
	if (text[0] == 'h')
		abort();
	return *pointer + (int)holder.real;
}
int
main()
{
	int value = 11, *pointer = nullptr;
	double real = 2.75;
	Holder holder = {value, real};
	return take(value, pointer, std::move(holder), "hello");
}
