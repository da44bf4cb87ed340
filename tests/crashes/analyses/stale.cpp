// SPDX-License-Identifier: MIT
// A circle lies where a square was; the square is used again, and what it takes
// for a pointer is a number of the circle's.

struct Shape {
	virtual ~Shape() {}
	virtual int area() { return 1; }
	long id = 5;
	Shape *next = nullptr;
};
struct Square : Shape {
	long side = 3;
	int area() override { return side; }
};
struct Circle : Shape {
	long radius = 2;
	int area() override { return radius * 3; }
};

__attribute__((noinline)) static long use(Square *s)
{
	return s->next->id;
}

int main()
{
	Square *stale = new Square;

	delete stale;
	Circle *c = new Circle;
	c->next = reinterpret_cast<Shape *>(0x1234567890);
	return use(stale) + c->area();
}
