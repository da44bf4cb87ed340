// Class and function templates with types, values and packs.
#include <cstdlib>
template <typename T, int N> struct Stack {
	T items[N];
	int top = 0;
	void push(const T &item)
	{
		if (top == N)
			abort();
		items[top++] = item;
	}
};
template <typename T> struct Pair { T first; T second; };
template <typename T, int N>
__attribute__((noinline)) int
fill(Stack<T, N> &stack, T value)
{
	for (int i = 0; i <= N; i++)
		stack.push(value);
	return stack.top;
}
template <typename... A> __attribute__((noinline)) int count(A... a)
{
	Stack<Pair<long>, 2> stack;
	int n = (int)sizeof...(a);
	return fill(stack, Pair<long>{n, 8});
}
int
main()
{
	return count(1, 2.5, "three");
}
