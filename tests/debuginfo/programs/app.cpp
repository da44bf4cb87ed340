// SPDX-License-Identifier: MIT
#include "zoo.hpp"

static __attribute__((noinline)) int
day(zoo::Keeper *keeper, int hour)
{
	zoo::Cat cat(hour / 2);
	zoo::Box<zoo::Tag, 2> spare;
	std::string why = "breakfast, noon"; // fills its own buffer

	spare.put(zoo::Tag{4, true});
	return zoo::visit(*keeper, cat, why) + spare.used;
}

int
main(int argc, char **)
{
	zoo::Keeper *keeper = zoo::hire(argc + 41);

	return day(keeper, argc + 7) == 0;
}
