// SPDX-License-Identifier: MIT
// Layouts: bit-fields, bases, unions, static and anonymous members.
#include <cstdint>
struct Bits {
	unsigned a : 3;
	int b : 5;
	uint64_t c : 40;
	bool d : 1;
	unsigned : 0;
	short e : 7;
	char f;
	long g : 33;
	static int shared;
};
int Bits::shared = 4;
struct Plain {
	char c;
	double d;
	union {
		int i;
		float f;
		struct {
			short lo, hi;
		};
	};
	int (*callback)(Plain *, const char *, ...);
	struct Inner {
		int x[2][3];
	} inner;
	const char *const name = "n";
	volatile unsigned char flags[4];
	int flexible[];
};
struct Base1 {
	int one = 1;
	virtual ~Base1()
	{
	}
};
struct Base2 {
	long two = 2;
};
struct Left : virtual Base1 {
	int left = 3;
};
struct Right : virtual Base1, Base2 {
	int right = 4;
};
class Bottom : public Left, private Right
{
      public:
	int bottom = 5;
	enum Color : unsigned char { red, green = 200, blue } color = green;
	enum class Signed : short { low = -3, high = 300 } s = Signed::low;
	int
	method() const
	{
		return bottom;
	}
};
struct __attribute__((packed)) Packed {
	char c;
	int i;
	uint16_t bits : 11;
	uint16_t more : 5;
};
enum Flags { none = 0, one = 1, two = 2, both = 3, four = 4 };
enum Plain2 { p0, p5 = 5 };
enum Big : unsigned long { huge = 0xfedcba9876543210 };
template <typename T> struct List {
	T value;
	List *next;
	struct Iterator {
		List *at;
	};
};
int
main(int argc, char **)
{
	Bits bits{};
	alignas(8) static Plain plain;
	Left left;
	Right right;
	Bottom bottom;
	Packed packed{};
	Flags flags = both;
	Plain2 p2 = p5;
	Big big = huge;
	List<int> list{argc, nullptr};
	List<List<unsigned long>>::Iterator it{nullptr};
	Bits *bp = &bits;
	Plain *pp = &plain;
	return bp->b + (pp->c == 'x') + left.left + right.right +
	    bottom.method() + packed.i + flags + p2 + (big != 0) + list.value +
	    (it.at != nullptr);
}
