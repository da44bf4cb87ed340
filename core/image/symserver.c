/* SPDX-License-Identifier: MIT */
/*
 * The debuginfod client, by way of elfutils' libdebuginfod(3). It keeps its own
 * cache below the user's home directory and writes a file there before it
 * returns it open; that file is read as any other foreign file.
 */
#include "image/symserver.h"
#include "base/budget.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* libdebuginfod(3): the part of its interface that is used. The library is
 * not needed to build. */
struct debuginfod_client;
typedef int progress_fn(struct debuginfod_client *c, long a, long b);
typedef int find_fn(struct debuginfod_client *c, const unsigned char *build_id,
    int build_id_len, char **path);

static const char library_name[] = "libdebuginfod.so.1";

struct symserver {
	struct opener *opener; /* that does all of it; NULL: we do */
	uint64_t left_ns;      /* of the time for all downloads */
	uint64_t deadline;     /* of the download in work */
	void *library;
	struct debuginfod_client *client;
	bool tried;
	struct debuginfod_client *(*begin)(void);
	void (*end)(struct debuginfod_client *c);
	void (*set_progress)(struct debuginfod_client *c, progress_fn *f);
	void (*set_user_data)(struct debuginfod_client *c, void *data);
	find_fn *find[2];
};

static struct symserver *
create(void)
{
	const char *urls = getenv("DEBUGINFOD_URLS");

	if (urls == NULL || urls[strspn(urls, " ")] == '\0')
		return NULL;
	return calloc(1, sizeof(struct symserver));
}

struct symserver *
symserver_new(uint64_t timeout_ns)
{
	struct symserver *s = create();

	if (s != NULL)
		s->left_ns = timeout_ns;
	return s;
}

struct symserver *
symserver_new_behind(struct opener *opener)
{
	struct symserver *s = create();

	if (s != NULL)
		s->opener = opener;
	return s;
}

void
symserver_free(struct symserver *s)
{
	if (s == NULL)
		return;
	if (s->client != NULL)
		s->end(s->client);
	/* The library stays: curl's threads and exit handlers are in it. */
	free(s);
}

/* Asked now and then by the library, at least once a second; anything but 0
 * ends the download. The library is loaded by then, so this only looks its
 * function up. */
static int
on_progress(struct debuginfod_client *c, long a, long b)
{
	void *library = dlopen(library_name, RTLD_LAZY | RTLD_NOLOAD);
	void *(*get_user_data)(struct debuginfod_client *);
	struct symserver *s = NULL;

	(void)a;
	(void)b;
	if (library == NULL)
		return 1;
	*(void **)&get_user_data = dlsym(library, "debuginfod_get_user_data");
	if (get_user_data != NULL)
		s = get_user_data(c);
	(void)dlclose(library);
	return s == NULL || bt_now_ns() >= s->deadline;
}

static bool
look_up(struct symserver *s, const char *name, void **out)
{
	char full[64];

	(void)snprintf(full, sizeof(full), "debuginfod_%s", name);
	*out = dlsym(s->library, full);
	return *out != NULL;
}

static bool
load(struct symserver *s)
{
	void *get_user_data;

	if (s->tried)
		return s->client != NULL;
	s->tried = true;
	s->library = dlopen(library_name, RTLD_LAZY | RTLD_LOCAL);
	if (s->library == NULL || !look_up(s, "begin", (void **)&s->begin) ||
	    !look_up(s, "end", (void **)&s->end) ||
	    !look_up(s, "set_progressfn", (void **)&s->set_progress) ||
	    !look_up(s, "set_user_data", (void **)&s->set_user_data) ||
	    !look_up(s, "get_user_data", &get_user_data) ||
	    !look_up(
		s, "find_debuginfo", (void **)&s->find[SYMSERVER_DEBUGINFO]) ||
	    !look_up(
		s, "find_executable", (void **)&s->find[SYMSERVER_EXECUTABLE]))
		return false;
	s->client = s->begin();
	if (s->client == NULL)
		return false;
	s->set_user_data(s->client, s);
	s->set_progress(s->client, on_progress);
	return true;
}

/* A descriptor of the file, or -errno. */
static int
download(struct symserver *s, enum symserver_kind kind,
    const struct image_build_id *id, char **path)
{
	uint64_t start = bt_now_ns(), took;
	int fd;

	s->deadline = start + s->left_ns;
	fd = s->find[kind](s->client, id->bytes, (int)id->size, path);
	took = bt_now_ns() - start;
	s->left_ns = took < s->left_ns ? s->left_ns - took : 0;
	return fd;
}

int
symserver_fetch_fd(struct symserver *s, enum symserver_kind kind,
    const struct image_build_id *id, char **name, bt_error_t *e)
{
	int fd;

	*name = NULL;
	if (s->opener != NULL)
		return s->opener->fetch(s->opener, kind == SYMSERVER_EXECUTABLE,
		    id->bytes, id->size, name, e);
	if (!load(s)) {
		(void)bt_fail(e, BT_E_NOTFOUND, "no usable %s", library_name);
		return -1;
	}
	if (s->left_ns == 0) {
		(void)bt_fail(
		    e, BT_E_NOTFOUND, "no time left for the debuginfod server");
		return -1;
	}
	fd = download(s, kind, id, name);
	if (fd >= 0)
		return fd;
	free(*name);
	*name = NULL;
	if (s->left_ns == 0)
		(void)bt_fail(e, BT_E_LIMIT,
		    "the debuginfod server did not answer in time");
	else
		(void)bt_fail(
		    e, BT_E_NOTFOUND, "debuginfod server: %s", strerror(-fd));
	return -1;
}

bool
symserver_fetch(struct symserver *s, enum symserver_kind kind,
    const struct image_build_id *id, struct image **out, bt_error_t *e)
{
	char *name;
	bool ok;
	int fd = symserver_fetch_fd(s, kind, id, &name, e);

	*out = NULL;
	if (fd < 0)
		return false;
	ok = image_open_fd(fd, name != NULL ? name : "(debuginfod)", out, e);
	(void)close(fd);
	free(name);
	return ok;
}
