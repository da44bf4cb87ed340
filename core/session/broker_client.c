/* SPDX-License-Identifier: MIT */
/*
 * The worker's side: an opener that asks.
 */
#include <unistd.h>

#include "session/broker.h"
#include "session/broker_link.h"

/* A descriptor, or -1. *name may be wanted or NULL. */
static int
ask(struct broker_client *c, struct broker_request *q, char **name,
    bt_error_t *e)
{
	const size_t head = offsetof(struct broker_request, data);
	struct broker_reply a;
	ssize_t n;
	int fd;

	if (!broker_send(c->fd, q, head + q->size, -1) ||
	    (n = broker_receive(c->fd, &a, sizeof(a), &fd)) <
		(ssize_t)offsetof(struct broker_reply, name)) {
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

static int
client_open(
    struct opener *base, enum opener_kind kind, const char *path, bt_error_t *e)
{
	struct broker_client *c = (struct broker_client *)base;
	size_t size = path != NULL ? strlen(path) + 1 : 0;
	struct broker_request q;

	if (size > sizeof(q.data)) {
		(void)bt_fail(e, BT_E_NOTFOUND, "the file name is too long");
		return -1;
	}
	q.kind = (uint32_t)kind;
	q.size = (uint32_t)size;
	if (size != 0)
		memcpy(q.data, path, size);
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
	if (!broker_send(
		c->fd, &q, offsetof(struct broker_request, data) + size, -1))
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
broker_client_init(struct broker_client *c, int fd)
{

	*c = (struct broker_client){
	    {client_open, client_fetch, client_digest}, fd};
}

bool
broker_client_listen(struct broker_client *c, int listener)
{
	struct broker_request q = {.kind = BROKER_LISTEN};

	return broker_send(
	    c->fd, &q, offsetof(struct broker_request, data), listener);
}
