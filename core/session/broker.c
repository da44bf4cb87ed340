/* SPDX-License-Identifier: MIT */
/*
 * The broker itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cache.h"
#include "base/text.h"
#include "image/symserver.h"
#include "session/broker.h"
#include "session/broker_link.h"
#include "session/hostkey.h"
#include "session/sandbox.h"
#include "target/capture.h"

struct broker {
	const struct broker_options *options;
	struct opener_local files;
	struct symserver *server; /* NULL: the user has set none */
	struct host_key key;
	bt_error_t broken; /* why no file can be opened at all */
	int socket;
	int listener; /* -1: none */
};

/* ---- what may be had ---- */

static bool
is_in(const char *const *list, const char *path, size_t size)
{
	for (; list != NULL && *list != NULL; list++)
		if (strlen(*list) == size && memcmp(*list, path, size) == 0)
			return true;
	return false;
}

static bool
is(const char *named, const char *path)
{

	return named != NULL && strcmp(named, path) == 0;
}

/* Did the user name it? For the kinds of which that can be said. */
static bool
is_named(const struct broker *b, enum opener_kind kind, const char *path)
{
	const struct session_options *o = b->options->session;

	switch (kind) {
	case OPENER_CORE:
		return is(o->core_path, path);
	case OPENER_EXE_USER:
		return is(o->exe_path, path);
	case OPENER_RESOURCE:
		return is(b->options->snapshot_path, path) ||
		    is_in(o->resources, path, strlen(path));
	case OPENER_ATTACHED:
		return is_in(o->resources, path, opener_attached_base(path));
	default:
		return true;
	}
}

/* Names out of foreign data lead to programs and libraries only. An empty file
 * tells nothing to anybody. */
static bool
is_elf(int fd)
{
	char magic[4];
	ssize_t n = pread(fd, magic, sizeof(magic), 0);

	return n == 0 ||
	    (n == (ssize_t)sizeof(magic) &&
		memcmp(magic, "\177ELF", sizeof(magic)) == 0);
}

static bool
must_be_elf(enum opener_kind kind)
{

	return kind == OPENER_MODULE || kind == OPENER_DEBUG ||
	    kind == OPENER_ROOT || kind == OPENER_MAPPED ||
	    kind == OPENER_PROGRAM;
}

static int
open_path(
    struct broker *b, enum opener_kind kind, const char *path, bt_error_t *e)
{
	char shown[128];
	int fd;

	if (b->broken.code != BT_OK) {
		*e = b->broken;
		return -1;
	}
	if (!is_named(b, kind, path)) {
		(void)bt_fail(e, BT_E_PERMISSION,
		    "the sandbox does not let %s be opened",
		    text_escape_into(shown, sizeof(shown), path));
		return -1;
	}
	fd = opener_open(&b->files.base, kind, path, e);
	if (fd >= 0 && must_be_elf(kind) && !is_elf(fd)) {
		(void)close(fd);
		(void)bt_fail_format(e, 0, "%s: not an ELF file",
		    text_escape_into(shown, sizeof(shown), path));
		return -1;
	}
	return fd;
}

/* The path that is all of the data; NULL: none is. */
static const char *
path_of(const struct broker_request *q, bt_error_t *e)
{
	const char *path = (const char *)q->data;

	if (q->size != 0 && strnlen(path, q->size) == q->size - 1)
		return path;
	(void)bt_fail(e, BT_E_USAGE, "no file name to open");
	return NULL;
}

static int
fetch(struct broker *b, const struct broker_request *q, char **name,
    bt_error_t *e)
{
	struct image_build_id id = {.size = q->size};

	if (b->server == NULL || q->size == 0 || q->size > sizeof(id.bytes)) {
		(void)bt_fail(e, BT_E_NOTFOUND, "no debuginfod server");
		return -1;
	}
	memcpy(id.bytes, q->data, q->size);
	return symserver_fetch_fd(b->server,
	    q->kind == BROKER_FETCH_EXECUTABLE ? SYMSERVER_EXECUTABLE
					       : SYMSERVER_DEBUGINFO,
	    &id, name, e);
}

/* The next of several; false: there is none, or it is none. */
static bool
next_path(const struct broker_request *q, size_t *at, enum opener_kind *kind,
    const char **path)
{
	const char *p = (const char *)q->data + *at;
	size_t left = q->size - *at, n;

	if (left < 2 || (uint8_t)p[0] >= OPENER__COUNT)
		return false;
	n = strnlen(p + 1, left - 1);
	if (n == left - 1)
		return false;
	*kind = (enum opener_kind)p[0];
	*path = p + 1;
	*at += n + 2;
	return true;
}

/* Of which file, and its build-id. */
static bool
copy_of(const struct broker *b, const struct broker_request *q,
    enum opener_kind *kind, const char **path, const char **id, bt_error_t *e)
{
	size_t at = 0, left;

	if (b->options->session->cache == NULL ||
	    !next_path(q, &at, kind, path))
		return bt_fail(e, BT_E_USAGE, "no file to have a copy of");
	*id = (const char *)q->data + at;
	left = q->size - at;
	return (left != 0 && strnlen(*id, left) == left - 1) ||
	    bt_fail(e, BT_E_USAGE, "no build-id");
}

static void
spoilt(struct broker *b, const struct broker_request *q, bt_error_t *e)
{
	enum opener_kind kind;
	const char *path, *id;

	if (!copy_of(b, q, &kind, &path, &id, e))
		return;
	cache_spoilt(b->options->session->cache, kind, path, id);
	(void)bt_fail(e, BT_E_NOTFOUND, "there is no copy");
}

/* Of a file that could be had as well. */
static int
inflated(struct broker *b, const struct broker_request *q, bt_error_t *e)
{
	struct cache *cache = b->options->session->cache;
	enum opener_kind kind;
	const char *path, *id;
	int file, fd;

	if (!copy_of(b, q, &kind, &path, &id, e))
		return -1;
	file = open_path(b, kind, path, e);
	if (file < 0)
		return -1;
	fd = cache_find(cache, kind, path, file, id);
	(void)close(file);
	if (fd < 0)
		(void)bt_fail(e, BT_E_NOTFOUND, "there is no copy");
	return fd;
}

/* The key never leaves this process. malloc'd. */
static char *
digest(struct broker *b, const struct broker_request *q, bt_error_t *e)
{
	char text[17];

	if (!host_key_digest(&b->key, q->data, q->size, text)) {
		(void)bt_fail(e, BT_E_NOTFOUND, "there is no key");
		return NULL;
	}
	return strdup(text);
}

/* ---- the conversation ---- */

static bool
answer(struct broker *b, const struct broker_request *q)
{
	struct broker_reply a;
	const char *path;
	char *name = NULL;
	int fd = -1;
	bool sent;

	a.size = 0;
	bt_error_clear(&a.error);
	if (q->kind < OPENER__COUNT) {
		path = path_of(q, &a.error);
		if (path != NULL)
			fd = open_path(
			    b, (enum opener_kind)q->kind, path, &a.error);
	} else if (b->broken.code != BT_OK)
		a.error = b->broken;
	else if (q->kind == BROKER_FETCH_DEBUGINFO ||
	    q->kind == BROKER_FETCH_EXECUTABLE)
		fd = fetch(b, q, &name, &a.error);
	else if (q->kind == BROKER_INFLATED)
		fd = inflated(b, q, &a.error);
	else if (q->kind == BROKER_SPOILT)
		spoilt(b, q, &a.error);
	else if (q->kind == BROKER_DIGEST)
		name = digest(b, q, &a.error);
	else
		(void)bt_fail(&a.error, BT_E_USAGE, "no such request");
	if (name != NULL && strlen(name) < sizeof(a.name)) {
		a.size = (uint32_t)strlen(name) + 1;
		memcpy(a.name, name, a.size);
	}
	sent = broker_send(
	    b->socket, &a, offsetof(struct broker_reply, name) + a.size, fd);
	if (fd >= 0)
		(void)close(fd);
	free(name);
	return sent;
}

/* False also when the worker said what it cannot have said. */
static bool
answer_several(struct broker *b, const struct broker_request *q)
{
	struct broker_opened a;
	int fds[BROKER_OPEN_MAX];
	size_t at = 0, n_fds = 0;
	enum opener_kind kind;
	const char *path;
	bool sent;

	memset(&a, 0, sizeof(a));
	while (a.n < BROKER_OPEN_MAX && next_path(q, &at, &kind, &path)) {
		int fd = open_path(b, kind, path, &a.errors[a.n++]);

		if (fd >= 0)
			fds[n_fds++] = fd;
	}
	sent = at == q->size && a.n != 0 &&
	    broker_send_all(b->socket, &a,
		offsetof(struct broker_opened, errors) +
		    a.n * sizeof(*a.errors),
		fds, n_fds);
	while (n_fds > 0)
		(void)close(fds[--n_fds]);
	return sent;
}

/* False when the worker is gone, or said what it cannot have said. */
static bool
serve_request(struct broker *b)
{
	const size_t head = offsetof(struct broker_request, data);
	struct broker_request q;
	int fd;
	ssize_t n = broker_receive(b->socket, &q, sizeof(q), &fd);

	if (fd >= 0 &&
	    (n < (ssize_t)head || q.kind != BROKER_LISTEN ||
		b->listener >= 0)) {
		(void)close(fd);
		return false;
	}
	if (n < (ssize_t)head || (size_t)n != head + q.size)
		return false;
	if (fd >= 0) {
		b->listener = fd;
		return true;
	}
	return q.kind == BROKER_OPEN ? answer_several(b, &q) : answer(b, &q);
}

/* Newer kernels have larger structures than our headers: there is room. */
union told {
	struct seccomp_notif call;
	uint8_t room[4096];
};
union verdict {
	struct seccomp_notif_resp answer;
	uint8_t room[4096];
};

static void
serve_refusal(struct broker *b)
{
	union told told = {0};
	union verdict verdict = {0};

	if (ioctl(b->listener, SECCOMP_IOCTL_NOTIF_RECV, &told) != 0) {
		/* Whoever asked was killed meanwhile; anything else will not
		 * get better. */
		if (errno != ENOENT && errno != EINTR) {
			(void)close(b->listener);
			b->listener = -1;
		}
		return;
	}
	refusals_add(b->options->refusals, told.call.data.nr, b->options->note);
	verdict.answer.id = told.call.id;
	verdict.answer.error = -EPERM;
	(void)ioctl(b->listener, SECCOMP_IOCTL_NOTIF_SEND, &verdict);
}

static void
serve(struct broker *b)
{
	for (;;) {
		struct pollfd p[2] = {{.fd = b->socket, .events = POLLIN},
		    {.fd = b->listener, .events = POLLIN}};
		int n = poll(p, 2, -1);

		if (n < 0 && errno != EINTR)
			return;
		if (n <= 0)
			continue;
		if ((p[1].revents & POLLIN) != 0)
			serve_refusal(b);
		else if (p[1].revents != 0)
			b->listener = -1; /* nobody is left to tell of */
		if (p[0].revents != 0 && !serve_request(b))
			return;
	}
}

static void
open_files(struct broker *b)
{
	const struct session_options *o = b->options->session;

	bt_error_clear(&b->broken);
	if (session_opener_init(&b->files, o, &b->broken))
		b->server = symserver_new(session_server_time(o));
}

/* Pipes of the supervisor's, above all: who waits for their end waits for it,
 * not for us. */
static void
close_others(const struct broker *b)
{
	const struct capture *c = b->options->session->capture;
	const struct cache *cache = b->options->session->cache;
	int keep[5];
	size_t n = 0;

	keep[n++] = b->socket;
	if (cache != NULL)
		keep[n++] = cache_fd(cache);
	if (c != NULL) {
		keep[n++] = c->root_fd;
		keep[n++] = c->proc_fd;
		keep[n++] = c->mm_fd;
	}
	sandbox_close_others(keep, n);
}

/* Nothing is to be read from, and whoever waits for the end of the output
 * waits for the supervisor, not for us. */
static void
leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	(void)close(null);
}

static _Noreturn void
run(const struct broker_options *options, int socket, pid_t parent)
{
	struct broker b = {
	    .options = options, .socket = socket, .listener = -1};

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (getppid() != parent)
		_exit(127);
	close_others(&b);
	leave_terminal();
	open_files(&b);
	serve(&b);
	worker_exit(0);
}

bool
broker_connect(struct worker *broker, int *own, bt_error_t *e)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return bt_fail_os(e, errno, "cannot make a socket");
	broker->fd = ends[0];
	*own = ends[1];
	return true;
}

bool
broker_start(struct worker *broker, int own,
    const struct broker_options *options, bt_error_t *e)
{
	pid_t parent = getpid();
	int error;

	broker->pid = fork();
	if (broker->pid == 0) {
		(void)close(broker->fd);
		run(options, own, parent);
	}
	error = errno;
	(void)close(own);
	if (broker->pid > 0)
		return true;
	broker->pid = 0;
	return bt_fail_os(
	    e, error, "cannot start the process that opens files");
}
