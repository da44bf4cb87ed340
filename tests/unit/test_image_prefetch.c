/* SPDX-License-Identifier: MIT */
/*
 * Inflating ahead by a second thread: whoever reads in whatever order gets the
 * bytes that were compressed, and images and the thread end in any order, at
 * any time. (On a machine with one processor there is no thread; the rest holds
 * there, too.)
 */
#include "image/prefetch.h"
#include "image_fixture.h"
#include <stdlib.h>

enum { SECTIONS = 4, IMAGES = 2, SIZE = 1500000, ROUNDS = 12 };

static const char *const names[SECTIONS] = {
    ".debug_info", ".debug_str", ".debug_line", ".debug_loc"};

static const struct prefetch_section ahead[SECTIONS - 1] = {
    {.name = ".debug_str"}, {.name = ".debug_line", .part = true},
    {.name = ".debug_loc", .part = true, .late = true}};

static uint8_t *contents[IMAGES][SECTIONS];

static uint32_t
random_of(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* Compresses to about a half. */
static uint8_t *
make_contents(uint32_t seed)
{
	uint8_t *bytes = malloc(SIZE);

	assert_not_null(bytes);
	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (uint8_t)((random_of(&seed) >> 16) % 16 * 7);
	return bytes;
}

static const char *
image_path_of(int i)
{
	return test_path(i == 0 ? "first" : "second");
}

static void
make_images(void)
{
	build("plain", "-nostartfiles -Wl,-e,main -s");
	for (int i = 0; i < IMAGES; i++) {
		must_run("cp %s %s", test_path("plain"), image_path_of(i));
		for (int k = 0; k < SECTIONS; k++) {
			const char *file = test_path("contents");

			contents[i][k] = make_contents(
			    (uint32_t)(i * SECTIONS + k));
			test_write_file(file, contents[i][k], SIZE);
			must_run("objcopy --add-section %s=%s %s", names[k],
			    file, image_path_of(i));
		}
		must_run("objcopy --compress-debug-sections=zlib %s",
		    image_path_of(i));
	}
}

static void
expect_start(struct image_bytes *b, const uint8_t *bytes, uint64_t to)
{
	bt_error_t e = {0};

	assert_ok(image_section_reach(b, to, &e), &e);
	assert_true(b->view.size >= to);
	assert_true(b->view.size <= SIZE);
	assert_mem(b->view.data, bytes, b->view.size);
}

/* Sections of both images, in an order and in steps that differ each time. */
static void
read_all(struct image **images, uint32_t *random, bool to_the_end)
{
	struct image_bytes open[IMAGES][SECTIONS];
	uint64_t at[IMAGES][SECTIONS] = {0};
	bt_error_t e = {0};

	for (int i = 0; i < IMAGES; i++)
		for (int k = 0; k < SECTIONS; k++)
			assert_ok(image_section_open(
				      images[i], names[k], &open[i][k], &e),
			    &e);
	for (int n = 0; n < 24; n++) {
		uint32_t i = random_of(random) % IMAGES;
		uint32_t k = random_of(random) % SECTIONS;

		at[i][k] += random_of(random) % (SIZE / 3);
		if (at[i][k] > SIZE)
			at[i][k] = SIZE;
		expect_start(&open[i][k], contents[i][k], at[i][k]);
	}
	for (int i = 0; to_the_end && i < IMAGES; i++)
		for (int k = 0; k < SECTIONS; k++)
			expect_start(&open[i][k], contents[i][k], SIZE);
}

TEST_WITHIN(two_images_are_read_while_they_are_inflated_ahead, 60)
{
	uint32_t random = 5;

	need_tool("objcopy");
	make_images();
	for (int round = 0; round < ROUNDS; round++) {
		struct prefetch *p = prefetch_new(1 + (unsigned)round % 5);
		struct image *images[IMAGES];

		for (int i = 0; i < IMAGES; i++) {
			images[i] = must_open(image_path_of(i));
			image_prefetch(
			    images[i], p, names[0], ahead, SECTIONS - 1);
		}
		image_prefetch_part(images[0], random_of(&random) % 9, 8);
		image_prefetch_own(images[1], random_of(&random) % SIZE);
		read_all(images, &random, round % 3 == 0);
		image_prefetch_own(images[0], UINT64_MAX);
		image_prefetch_part(images[1], UINT64_MAX, 1);
		/* All orders of the ends. */
		if (round % 3 == 1)
			prefetch_free(p);
		image_unref(images[round % 2]);
		if (round % 3 == 2)
			prefetch_free(p);
		image_unref(images[1 - round % 2]);
		if (round % 3 == 0)
			prefetch_free(p);
	}
}

TEST(images_end_as_soon_as_they_were_added)
{
	need_tool("objcopy");
	make_images();
	for (int round = 0; round < ROUNDS; round++) {
		struct prefetch *p = prefetch_new(1 + (unsigned)round % 5);

		for (int i = 0; i < 4; i++) {
			struct image *image = must_open(image_path_of(i % 2));

			image_prefetch(image, p, names[0], ahead, SECTIONS - 1);
			image_prefetch_own(image, UINT64_MAX);
			image_unref(image);
		}
		prefetch_free(p);
	}
}

TEST(without_a_thread_it_is_the_same)
{
	struct image *images[IMAGES];
	uint32_t random = 9;

	need_tool("objcopy");
	make_images();
	for (int i = 0; i < IMAGES; i++) {
		images[i] = must_open(image_path_of(i));
		image_prefetch(images[i], NULL, names[0], ahead, SECTIONS - 1);
		image_prefetch_own(images[i], 1000);
	}
	read_all(images, &random, true);
	for (int i = 0; i < IMAGES; i++)
		image_unref(images[i]);
	prefetch_free(NULL);
}
