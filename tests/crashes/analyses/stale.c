/* SPDX-License-Identifier: MIT */
/*
 * A block that a session has freed belongs to a request now, and the session is
 * used again. "reused": the request's text is taken for a pointer; "unmapped":
 * a block of 256 KiB, which the C library returns to the kernel, is used after
 * it was freed twice over; "local": a fault that has nothing to do with it.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct session {
	long id;
	struct session *peer;
	char name[32];
};
struct request {
	long length;
	char path[40];
};
struct cache {
	long used;
	struct session *sessions[4];
};
struct server {
	struct cache *cache;
	struct request *last;
};
struct big {
	char bytes[256 << 10];
};

static struct server *server;
struct big *kept;

__attribute__((noinline)) static long
peer_of(struct session *s)
{

	return s->peer->id;
}

__attribute__((noinline)) static char
touch(struct big *b)
{

	return b->bytes[100];
}

__attribute__((noinline)) static int
local(const int *p)
{

	return *p;
}

__attribute__((noinline)) static void
reuse(struct server *to)
{
	struct cache *cache = to->cache;
	struct session *s = malloc(sizeof(*s));
	struct request *r;

	cache->sessions[2] = s;
	free(s);
	r = malloc(sizeof(*r)); /* the same block */
	strcpy(r->path, "/index/of/everything");
	r->length = 20;
	to->last = r;
	exit((int)peer_of(cache->sessions[2]));
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "reused";
	int nothing = 0;

	if (strcmp(what, "reused") == 0) {
		server = malloc(sizeof(*server));
		server->cache = calloc(1, sizeof(*server->cache));
		reuse(server);
	} else if (strcmp(what, "unmapped") == 0) {
		struct big *b = calloc(1, sizeof(*b));

		kept = b;
		free(b);
		return touch(kept);
	} else if (strcmp(what, "freed") == 0) {
		/* Its first word is a link of the allocator's now. */
		struct session *s = calloc(1, sizeof(*s));

		server = malloc(sizeof(*server));
		server->cache = calloc(1, sizeof(*server->cache));
		s->peer = s;
		server->cache->sessions[1] = s;
		free(s);
		return (int)peer_of(s);
	}
	return local(nothing != 0 ? &nothing : NULL);
}
