// SPDX-License-Identifier: MIT
// A program for ring.c: jobs in a ring buffer, and a crash in one of them.
#include <cstddef>

struct job {
	int id;
	long deadline;
	const char *what;
};

template <typename T> struct ring {
	T *slots;
	unsigned head, count, room;
	const char *name;
};

static void
work(ring<job> *queue)
{
	ring<job> copy = *queue;
	volatile int *nowhere = nullptr;

	*nowhere = copy.slots[copy.head].id;
}

int
main()
{
	job slots[4] = {{9, 1400, "upload"}, {0, 0, nullptr},
	    {7, 1200, "compress"}, {8, -1, "encrypt"}};
	ring<job> queue = {slots, 2, 3, 4, "input"};

	work(&queue);
	return 0;
}
