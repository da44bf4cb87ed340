/* SPDX-License-Identifier: MIT */
/*
 * The worker's side: an opener that asks.
 *
 * To wait for an answer is to sleep until another process has run, which takes
 * several times as long as opening the file. So files of which the caller knows
 * beforehand that it will want them are asked for together, as soon as they are
 * many, or one of them is wanted; and the broker opens the next while we look
 * at the first. Answers come in the order of the questions.
 */
#include <stdlib.h>
#include <unistd.h>

#include "session/broker.h"
#include "session/broker_link.h"

enum { EXPECTED_MAX = 4 * BROKER_OPEN_MAX };

struct expected {
	enum opener_kind kind;
	char *path; /* NULL: was taken */
	int fd;	    /* when answered; -1: error */
	bt_error_t error;
};

/* Items before `answered` are, those before `sent` will be. */
struct broker_expected {
	size_t n, sent, answered;
	struct expected items[EXPECTED_MAX];
};

static size_t
request_size(const struct broker_request *q)
{

	return offsetof(struct broker_request, data) + q->size;
}

/* A descriptor, or -1. *name may be wanted or NULL. */
static int
receive(struct broker_client *c, char **name, bt_error_t *e)
{
	struct broker_reply a;
	int fd;
	ssize_t n = broker_receive(c->fd, &a, sizeof(a), &fd);

	if (n < (ssize_t)offsetof(struct broker_reply, name)) {
		(void)bt_fail(
		    e, BT_E_INTERNAL, "the process that opens files has ended");
		return -1;
	}
	if (fd < 0 || a.error.code != BT_OK) {
		if (fd >= 0)
			(void)close(fd);
		if (e != NULL)
			*e = a.error;
		return -1;
	}
	if (name != NULL && a.size != 0 && a.size <= sizeof(a.name) &&
	    (size_t)n == offsetof(struct broker_reply, name) + a.size)
		*name = strndup(a.name, a.size);
	return fd;
}

/* ---- what is expected ---- */

/* Appends to a question about several; false: it is full. */
static bool
add_path(struct broker_request *q, const struct expected *item)
{
	size_t size = strlen(item->path) + 2;

	if (size > sizeof(q->data) - q->size)
		return false;
	q->data[q->size] = (uint8_t)item->kind;
	memcpy(q->data + q->size + 1, item->path, size - 1);
	q->size += (uint32_t)size;
	return true;
}

/* Asks for all that was not yet asked for, or for less where there is no room
 * in the socket. */
static void
send_expected(struct broker_client *c)
{
	struct broker_expected *x = c->expected;

	while (x->sent < x->n) {
		struct broker_request q = {.kind = BROKER_OPEN};
		size_t to = x->sent;

		while (to < x->n && to - x->sent < BROKER_OPEN_MAX &&
		    add_path(&q, &x->items[to]))
			to++;
		if (to == x->sent || !broker_offer(c->fd, &q, request_size(&q)))
			return;
		x->sent = to;
	}
}

/* Receives the answer to one question about several. */
static void
receive_several(struct broker_client *c)
{
	const size_t head = offsetof(struct broker_opened, errors);
	struct broker_expected *x = c->expected;
	struct broker_opened a;
	int fds[BROKER_OPEN_MAX];
	size_t n_fds, taken = 0;
	ssize_t n = broker_receive_all(c->fd, &a, sizeof(a), fds, &n_fds);
	bool good = n >= (ssize_t)head && a.n != 0 && a.n <= BROKER_OPEN_MAX &&
	    a.n <= x->sent - x->answered &&
	    (size_t)n == head + a.n * sizeof(*a.errors);

	/* Without it none of the others will come. */
	for (size_t k = good ? a.n : x->sent - x->answered, i = 0; i < k; i++) {
		struct expected *item = &x->items[x->answered++];

		if (good)
			item->error = a.errors[i];
		else
			bt_error_clear(&item->error);
		if (good && item->error.code == BT_OK && taken < n_fds)
			item->fd = fds[taken++];
		else if (item->error.code == BT_OK)
			(void)bt_fail(&item->error, BT_E_INTERNAL,
			    "the process that opens files has ended");
	}
	while (taken < n_fds)
		(void)close(fds[taken++]);
}

/* Until there is an answer to the first n. */
static void
receive_expected(struct broker_client *c, size_t n)
{

	while (c->expected->answered < n)
		receive_several(c);
}

static void
forget(struct expected *item)
{
	if (item->path != NULL && item->fd >= 0)
		(void)close(item->fd);
	free(item->path);
	item->path = NULL;
}

/* The oldest go: who has not been asked for by now will hardly be. */
static void
make_room(struct broker_client *c)
{
	struct broker_expected *x = c->expected;
	size_t old = 0;

	if (x->n < EXPECTED_MAX)
		return;
	send_expected(c);
	receive_expected(
	    c, x->sent < BROKER_OPEN_MAX ? x->sent : BROKER_OPEN_MAX);
	while (old < x->answered &&
	    (old < BROKER_OPEN_MAX || x->items[old].path == NULL))
		forget(&x->items[old++]);
	memmove(x->items, x->items + old, (x->n - old) * sizeof(*x->items));
	x->n -= old;
	x->sent -= old;
	x->answered -= old;
}

static void
client_expect(struct opener *base, enum opener_kind kind, const char *path)
{
	struct broker_client *c = (struct broker_client *)base;
	struct broker_expected *x = c->expected;
	char *copy;

	if (x == NULL)
		x = c->expected = calloc(1, sizeof(*x));
	if (x == NULL || strlen(path) > BROKER_SIZE_MAX - 2)
		return;
	make_room(c);
	copy = x->n < EXPECTED_MAX ? strdup(path) : NULL;
	if (copy == NULL)
		return;
	x->items[x->n++] = (struct expected){
	    .kind = kind, .path = copy, .fd = -1};
	if (x->n - x->sent >= BROKER_OPEN_MAX)
		send_expected(c);
}

/* The answer, if that was expected. */
static bool
take_expected(struct broker_client *c, enum opener_kind kind, const char *path,
    int *fd, bt_error_t *e)
{
	struct broker_expected *x = c->expected;
	struct expected *item;
	size_t i = 0;

	if (x == NULL || path == NULL)
		return false;
	while (i < x->n &&
	    (x->items[i].path == NULL || x->items[i].kind != kind ||
		strcmp(x->items[i].path, path) != 0))
		i++;
	if (i == x->n)
		return false;
	if (i >= x->sent)
		send_expected(c);
	if (i >= x->sent)
		return false;
	receive_expected(c, i + 1);
	item = &x->items[i];
	*fd = item->fd;
	if (*fd < 0 && e != NULL)
		*e = item->error;
	item->fd = -1;
	forget(item);
	return true;
}

/* ---- what is asked for ---- */

static bool
fill_request(struct broker_request *q, enum opener_kind kind, const char *path)
{
	size_t size = path != NULL ? strlen(path) + 1 : 0;

	if (size > sizeof(q->data))
		return false;
	q->kind = (uint32_t)kind;
	q->size = (uint32_t)size;
	if (size != 0)
		memcpy(q->data, path, size);
	return true;
}

/* Its answer comes next. Whoever waits for room in the socket has taken all
 * answers before, or both sides might wait for each other. */
static bool
send_request(struct broker_client *c, const struct broker_request *q)
{
	bool sent = broker_offer(c->fd, q, request_size(q));

	if (c->expected != NULL)
		receive_expected(c, c->expected->sent);
	return sent || broker_send(c->fd, q, request_size(q), -1);
}

static int
ask(struct broker_client *c, const struct broker_request *q, char **name,
    bt_error_t *e)
{
	if (send_request(c, q))
		return receive(c, name, e);
	(void)bt_fail(
	    e, BT_E_INTERNAL, "the process that opens files has ended");
	return -1;
}

static int
client_open(
    struct opener *base, enum opener_kind kind, const char *path, bt_error_t *e)
{
	struct broker_client *c = (struct broker_client *)base;
	struct broker_request q;
	int fd;

	if (take_expected(c, kind, path, &fd, e))
		return fd;
	if (!fill_request(&q, kind, path)) {
		(void)bt_fail(e, BT_E_NOTFOUND, "the file name is too long");
		return -1;
	}
	return ask(c, &q, NULL, e);
}

static int
client_fetch(struct opener *base, bool executable, const uint8_t *id,
    size_t id_size, char **name, bt_error_t *e)
{
	struct broker_client *c = (struct broker_client *)base;
	struct broker_request q;

	*name = NULL;
	if (id_size > sizeof(q.data)) {
		(void)bt_fail(e, BT_E_NOTFOUND, "the build-id is too long");
		return -1;
	}
	q.kind = executable ? BROKER_FETCH_EXECUTABLE : BROKER_FETCH_DEBUGINFO;
	q.size = (uint32_t)id_size;
	memcpy(q.data, id, id_size);
	return ask(c, &q, name, e);
}

static int
ask_copy(struct broker_client *c, uint32_t what, enum opener_kind kind,
    const char *path, const char *id)
{
	struct broker_request q = {.kind = what};
	size_t path_size = strlen(path) + 1, id_size = strlen(id) + 1;

	if (path_size + id_size > sizeof(q.data) - 1)
		return -1;
	q.data[0] = (uint8_t)kind;
	memcpy(q.data + 1, path, path_size);
	memcpy(q.data + 1 + path_size, id, id_size);
	q.size = (uint32_t)(1 + path_size + id_size);
	return ask(c, &q, NULL, NULL);
}

static int
client_inflated(struct opener *base, enum opener_kind kind, const char *path,
    const char *id)
{
	struct broker_client *c = (struct broker_client *)base;

	return ask_copy(c, BROKER_INFLATED, kind, path, id);
}

static void
client_spoilt(struct opener *base, enum opener_kind kind, const char *path,
    const char *id)
{
	struct broker_client *c = (struct broker_client *)base;

	(void)ask_copy(c, BROKER_SPOILT, kind, path, id);
}

static bool
client_digest(struct opener *base, const void *data, size_t size, char out[17])
{
	struct broker_client *c = (struct broker_client *)base;
	struct broker_request q = {
	    .kind = BROKER_DIGEST, .size = (uint32_t)size};
	struct broker_reply a;
	ssize_t n;
	int fd;

	if (size > sizeof(q.data))
		return false;
	memcpy(q.data, data, size);
	if (!send_request(c, &q))
		return false;
	n = broker_receive(c->fd, &a, sizeof(a), &fd);
	if (fd >= 0)
		(void)close(fd);
	if (n != (ssize_t)offsetof(struct broker_reply, name) + 17 ||
	    a.size != 17)
		return false;
	memcpy(out, a.name, 17);
	out[16] = '\0';
	return true;
}

void
broker_client_init(struct broker_client *c, int fd, bool has_copies)
{

	*c = (struct broker_client){.base = {.open = client_open,
					.fetch = client_fetch,
					.expect = client_expect,
					.digest = client_digest},
	    .fd = fd};
	if (has_copies) {
		c->base.inflated = client_inflated;
		c->base.spoilt = client_spoilt;
	}
}

void
broker_client_deinit(struct broker_client *c)
{
	struct broker_expected *x = c->expected;

	if (x == NULL)
		return;
	receive_expected(c, x->sent);
	for (size_t i = 0; i < x->n; i++)
		forget(&x->items[i]);
	free(x);
	c->expected = NULL;
}

bool
broker_client_listen(struct broker_client *c, int listener)
{
	struct broker_request q = {.kind = BROKER_LISTEN};

	return broker_send(
	    c->fd, &q, offsetof(struct broker_request, data), listener);
}
