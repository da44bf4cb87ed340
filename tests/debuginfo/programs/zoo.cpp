// SPDX-License-Identifier: MIT
#include "zoo.hpp"

namespace zoo {

int Animal::born = 2;

namespace {
volatile int *nowhere;
struct Hidden {
	long secret;
} hidden = {99};
} // namespace

class Keeper {
public:
	int badge;
	Box<int, 4> rounds;
	std::vector<int> *log;
};

int
Cat::feed(int amount)
{
	int rest = amount - age_;
	Tag &tag = tag_;

	toys_.put(tag);
	tag.lost = rest > 0;
	*nowhere = rest + (int)hidden.secret; // crashes
	return rest;
}

Keeper *
hire(int badge)
{
	static Keeper keeper;

	keeper.badge = badge;
	keeper.rounds.put(badge + 1);
	return &keeper;
}

template <typename T>
__attribute__((noinline)) int
twice(Animal &animal, T amount)
{
	T doubled = amount * 2;

	return animal.feed((int)doubled) + 1;
}

int
visit(Keeper &keeper, Animal &animal, const std::string &why)
{
	int length = (int)why.size();
	auto feeder = [&](long extra) __attribute__((noinline)) {
		return twice<long>(animal, length + extra) + keeper.badge;
	};

	return feeder(20) + 1;
}

} // namespace zoo
