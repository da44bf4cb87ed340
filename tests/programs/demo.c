/* SPDX-License-Identifier: MIT */
/*
 * A small server that crashes: three threads, of which one meets a request
 * without a session. ./demo runs it, and so may you.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum method { METHOD_GET, METHOD_PUT, METHOD_DELETE };

struct user {
	int id;
	char name[24];
	double quota;
};

struct session {
	unsigned token;
	struct user *user;
};

struct header {
	char key[16];
	char value[32];
};

struct request {
	enum method method;
	const char *path;
	struct header headers[3];
	unsigned header_count;
	struct session *session; /* NULL until the user has logged in */
};

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct request *first;
	unsigned served;
	bool closed;
};

static struct queue queue = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .changed = PTHREAD_COND_INITIALIZER,
};

static void
charge(struct user *user, double price)
{
	user->quota -= price;
}

static void
authorize(const struct request *request, double price)
{
	struct session *session = request->session;
	struct user *user = session->user; /* here */

	charge(user, price);
}

static bool
parse(const char *text, struct request *request)
{
	static const char *const verbs[] = {"GET ", "PUT ", "DELETE "};

	for (unsigned i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		size_t length = strlen(verbs[i]);

		if (strncmp(text, verbs[i], length) != 0)
			continue;
		request->method = (enum method)i;
		request->path = text + length;
		return true;
	}
	return false;
}

static void
serve(const char *text)
{
	struct request request = {
	    .headers = {{"Host", "example.org"}, {"Accept", "text/html"}},
	    .header_count = 2,
	};
	double price = 0.25;

	if (!parse(text, &request))
		return;
	if (request.method != METHOD_GET)
		authorize(&request, price);
	queue.served++;
}

static void *
worker(void *argument)
{
	static const char *const requests[] = {
	    "GET /index.html", "GET /logo.png", "PUT /profile/42"};
	const char *who = argument;

	(void)pthread_setname_np(pthread_self(), who);
	(void)usleep(50000); /* the other threads come to rest */
	for (unsigned i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		serve(requests[i]);
	return NULL;
}

static void *
listener(void *argument)
{
	struct queue *q = argument;

	(void)pthread_setname_np(pthread_self(), "listener");
	(void)pthread_mutex_lock(&q->lock);
	while (!q->closed)
		(void)pthread_cond_wait(&q->changed, &q->lock);
	(void)pthread_mutex_unlock(&q->lock);
	return NULL;
}

static void *
logger(void *argument)
{
	(void)pthread_setname_np(pthread_self(), "logger");
	for (;;)
		(void)usleep(1000000);
	return argument;
}

int
main(void)
{
	static char name[] = "worker";
	pthread_t threads[3];

	(void)pthread_create(&threads[0], NULL, listener, &queue);
	(void)pthread_create(&threads[1], NULL, logger, NULL);
	(void)pthread_create(&threads[2], NULL, worker, name);
	(void)pthread_join(threads[2], NULL);
	(void)printf("%u requests served\n", queue.served);
	return 0;
}
