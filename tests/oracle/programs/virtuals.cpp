// A destructor chain, a pure virtual call, a null this.
#include <cstdlib>
struct Shape {
	const char *name;
	explicit Shape(const char *n) : name(n) {}
	virtual double area() const = 0;
	virtual ~Shape() {}
};
struct Square final : Shape {
	double side;
	explicit Square(double s) : Shape("square"), side(s) {}
	__attribute__((noinline)) double area() const override
	{
		double a = side * side;
		return a;
	}
};
struct Scene { Shape *shapes[3]; unsigned count; };
__attribute__((noinline)) static double
sum(const Scene &scene)
{
	double total = 0;
	for (unsigned i = 0; i < scene.count; i++)
		total += scene.shapes[i]->area();
	return total;
}
int
main()
{
	Square one(1.5), two(2);
	Scene scene = {{&one, &two, nullptr}, 3};
	return (int)sum(scene);
}
