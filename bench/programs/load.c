/* SPDX-License-Identifier: MIT */
/*
 *	load PORT redis|http CONNECTIONS SECONDS
 *
 * Asks a server on the loopback over so many connections, each of which sends
 * its next request when it has the answer to the last. Prints, when the time is
 * over and every request that was sent has had its chance of an answer:
 *
 *	{"requests": N, "answers": N, "closed": N, "median_us": N,
 *	 "p99_us": N, "longest_us": N}
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 1024, TIMES_MAX = 1 << 24, PATIENCE_NS = 1000000000 };

struct connection {
	int fd;
	uint64_t sent_ns; /* 0: nothing is under way */
	size_t got;
	char answer[4096];
};

static const char redis_request[] = "INCR counter\r\n";
static const char http_request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
static const char redis_end[] = "\r\n", http_end[] = "here";

static struct connection all[CONNECTIONS_MAX];
static const char *request, *end;
static uint32_t *times;
static uint64_t n_sent, n_answers, n_closed;

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int
open_connection(int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		perror("load: connect");
		exit(1);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void
lose(struct connection *c)
{
	n_closed++;
	(void)close(c->fd);
	c->fd = -1;
	c->sent_ns = 0;
}

static void
ask(struct connection *c)
{
	size_t size = strlen(request);

	c->got = 0;
	c->sent_ns = now_ns();
	n_sent++;
	if (send(c->fd, request, size, MSG_NOSIGNAL) != (ssize_t)size)
		lose(c);
}

/* True when it is whole. */
static int
take(struct connection *c)
{
	size_t size = strlen(end);
	ssize_t n = recv(
	    c->fd, c->answer + c->got, sizeof(c->answer) - c->got, 0);

	if (n <= 0) {
		lose(c);
		return 0;
	}
	c->got += (size_t)n;
	if (c->got < size || memcmp(c->answer + c->got - size, end, size) != 0)
		return 0;
	if (n_answers < TIMES_MAX)
		times[n_answers] = (uint32_t)((now_ns() - c->sent_ns) / 1000);
	n_answers++;
	c->sent_ns = 0;
	return 1;
}

static int
by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void
run(int epoll, int n, uint64_t until)
{
	struct epoll_event events[64];
	uint64_t left;

	do {
		uint64_t now = now_ns();
		int ready = epoll_wait(epoll, events, 64, 100);

		for (int i = 0; i < ready; i++) {
			struct connection *c = events[i].data.ptr;

			if (c->fd >= 0 && take(c) && now < until)
				ask(c);
		}
		left = 0;
		for (int i = 0; now >= until && i < n; i++)
			left += all[i].sent_ns != 0;
		if (now >= until &&
		    (left == 0 || now > until + 30 * (uint64_t)PATIENCE_NS))
			break;
	} while (1);
}

int
main(int argc, char **argv)
{
	int port, n, epoll = epoll_create1(0);
	uint64_t seconds, count;

	if (argc != 5)
		return 1;
	port = atoi(argv[1]);
	request = argv[2][0] == 'r' ? redis_request : http_request;
	end = argv[2][0] == 'r' ? redis_end : http_end;
	n = atoi(argv[3]);
	seconds = (uint64_t)atoi(argv[4]);
	times = malloc(TIMES_MAX * sizeof(*times));
	if (n < 1 || n > CONNECTIONS_MAX || times == NULL)
		return 1;
	for (int i = 0; i < n; i++) {
		struct epoll_event event = {
		    .events = EPOLLIN, .data = {.ptr = &all[i]}};

		all[i].fd = open_connection(port);
		epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event);
	}
	for (int i = 0; i < n; i++)
		ask(&all[i]);
	run(epoll, n, now_ns() + seconds * 1000000000);
	count = n_answers < TIMES_MAX ? n_answers : TIMES_MAX;
	qsort(times, count, sizeof(*times), by_size);
	printf("{\"requests\": %llu, \"answers\": %llu, \"closed\": %llu, "
	       "\"median_us\": %u, \"p99_us\": %u, \"longest_us\": %u}\n",
	    (unsigned long long)n_sent, (unsigned long long)n_answers,
	    (unsigned long long)n_closed, count ? times[count / 2] : 0,
	    count ? times[count * 99 / 100] : 0, count ? times[count - 1] : 0);
	return 0;
}
