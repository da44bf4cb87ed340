// SPDX-License-Identifier: MIT
//
// A small C++ program in two units: classes with bases, templates, namespaces,
// a scoped enumeration, references, a lambda, and classes that both units
// define (which is what type units are for).
#ifndef ZOO_H
#define ZOO_H

#include <string>
#include <vector>

namespace zoo {

enum class Kind : short { cat = 3, dog = 5 };

struct Tag {
	unsigned short id;
	bool lost;
};

template <typename T, int N> struct Box {
	T items[N] = {};
	int used = 0;
	void put(const T &item) { items[used++] = item; }
};

class Animal {
public:
	Animal(Kind kind, int age) : kind_(kind), age_(age) {}
	virtual ~Animal() {}
	virtual int feed(int amount) = 0;
	static int born;

protected:
	Kind kind_;
	int age_;
	Tag tag_{7, false};
};

class Cat : public Animal {
public:
	explicit Cat(int age) : Animal(Kind::cat, age), lives_{9, 8, 7} {}
	int feed(int amount) override;

private:
	int lives_[3];
	Box<Tag, 2> toys_;
};

class Keeper;
int visit(Keeper &keeper, Animal &animal, const std::string &why);
Keeper *hire(int badge);

} // namespace zoo

#endif
