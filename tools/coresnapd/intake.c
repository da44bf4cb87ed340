/* SPDX-License-Identifier: MIT */
/*
 * Where cores come from besides the kernel's helper: sockets and directories.
 * The work is done by children, so a core of any size and a sender of any kind
 * leaves the daemon as it is.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "coresnapd/daemon.h"
#include "coresnapd/socket.h"
#include "spool/receive.h"

enum { FIRST_PASSED_FD = 3, BACKLOG = 128, EVENTS_SIZE = 65536 };

/* ---- sockets ---- */

static bool
add_socket(struct daemon *d, int fd, bt_error_t *e)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (d->n_sockets == SOCKETS_MAX)
		return bt_fail(e, BT_E_LIMIT, "too many sockets");
	if (epoll_ctl(d->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		return bt_fail_os(e, errno, "cannot wait for a socket");
	d->sockets[d->n_sockets++] = fd;
	return true;
}

/* Those that systemd has opened: LISTEN_FDS of sd_listen_fds(3). */
static bool
take_passed(struct daemon *d, bt_error_t *e)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	uint64_t number, count;

	if (pid == NULL || n == NULL || text_u64(pid, &number) == false ||
	    (pid_t)number != getpid() || text_u64(n, &count) == false)
		return true;
	for (uint64_t i = 0; i < count && i < SOCKETS_MAX; i++) {
		int fd = FIRST_PASSED_FD + (int)i;

		if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
		    fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
			return bt_fail_os(e, errno, "a socket was not passed");
		if (add_socket(d, fd, e) == false)
			return false;
	}
	return true;
}

static bool
listen_at(struct daemon *d, const char *path, bt_error_t *e)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t mask;
	int fd, failed;

	if (strlen(path) >= sizeof(address.sun_path))
		return bt_fail(e, BT_E_LIMIT, "%s is too long", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return bt_fail_os(e, errno, "cannot make a socket");
	/* We hold the lock of the spool: nobody else uses it. */
	(void)unlink(path);
	mask = umask(0177);
	failed = bind(fd, (struct sockaddr *)&address, sizeof(address));
	(void)umask(mask);
	if (failed != 0 || listen(fd, BACKLOG) != 0) {
		(void)bt_fail_os(e, errno, "cannot listen at %s", path);
		(void)close(fd);
		return false;
	}
	d->own_socket = strdup(path);
	if (d->own_socket != NULL && add_socket(d, fd, e))
		return true;
	(void)close(fd);
	return false;
}

void
intake_balance(struct daemon *d)
{
	bool accepting = jobs_count(d, JOB_RECEIVE) < d->config.concurrent;

	if (accepting == d->accepting)
		return;
	d->accepting = accepting;
	for (size_t i = 0; i < d->n_sockets; i++) {
		struct epoll_event event = {.events = accepting ? EPOLLIN : 0,
		    .data.fd = d->sockets[i]};

		(void)epoll_ctl(d->epoll, EPOLL_CTL_MOD, d->sockets[i], &event);
	}
}

/* In the child. */
static void
receive_from(struct daemon *d, int fd)
{
	struct receive_request request = {.origin = "socket"};
	enum socket_form form = socket_form(fd, d->config.stall);
	struct object_id id;
	struct facts facts;
	int pidfd = -1;
	bt_error_t e;

	facts_init(&facts);
	if (form == SOCKET_NOTHING ||
	    socket_peer(fd, &facts, &pidfd, &e) == false)
		return;
	facts_open(&facts, pidfd);
	if (form == SOCKET_REQUEST) {
		bool wanted = receive_is_wanted(
		    &d->spool, &d->config, &d->log, &facts, true);

		if (socket_answer(fd, wanted, &e) == false) {
			log_error(&d->log, &e);
			return;
		}
		if (wanted == false)
			return;
	}
	request.facts = &facts;
	/* A request has been counted. */
	request.limited = form == SOCKET_PLAIN;
	request.source = (struct copy_source){
	    .fd = fd, .memory_fd = facts.memory, .stall = d->config.stall};
	(void)receive(&d->spool, &d->config, &d->log, &request, &id);
}

void
intake_accept(struct daemon *d, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	bt_error_t e;

	if (fd < 0)
		return;
	switch (job_start(d, JOB_RECEIVE, NULL, -1, 0, &e)) {
	case -1:
		log_error(&d->log, &e);
		break;
	case 0:
		receive_from(d, fd);
		_exit(0);
	default:
		break;
	}
	(void)close(fd);
	intake_balance(d);
}

/* ---- directories ---- */

/* What is known is remembered as long as it lies there. */
static void
refresh_memory(const struct daemon *d, const struct object_id *id)
{
	if (spool_is_done(&d->spool, id))
		(void)utimensat(d->spool.done, id->text, NULL, 0);
}

static void
take_file(struct daemon *d, int dir_fd, const char *name)
{
	struct object_id id;
	enum receive_result result;
	bt_error_t e;

	bt_error_clear(&e);
	result = receive_file(
	    &d->spool, &d->config, &d->log, dir_fd, name, &id, &e);
	if (result == RECEIVE_KNOWN)
		refresh_memory(d, &id);
	if (result == RECEIVE_KEPT && d->config.watch_remove &&
	    unlinkat(dir_fd, name, 0) != 0)
		log_say(&d->log, LOG_WARNING, "cannot remove %s", name);
	/* Other files may lie there; one that is written makes an event at its
	 * end. */
	if (result == RECEIVE_FAILED && e.code != BT_OK &&
	    e.code != BT_E_FORMAT && e.code != BT_E_LIMIT)
		log_error(&d->log, &e);
}

/* In the child. */
static void
scan_dir(struct daemon *d, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (dir == NULL) {
		log_say(&d->log, LOG_WARNING, "cannot list %s", path);
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		struct stat st;

		if (fstatat(dirfd(dir), entry->d_name, &st,
			AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && st.st_size != 0)
			take_file(d, dirfd(dir), entry->d_name);
	}
	(void)closedir(dir);
}

void
intake_scan(struct daemon *d)
{
	bt_error_t e;

	if (d->config.n_watch == 0 || jobs_count(d, JOB_SCAN) != 0)
		return;
	d->rescan = false;
	switch (job_start(d, JOB_SCAN, NULL, -1, 0, &e)) {
	case -1:
		log_error(&d->log, &e);
		return;
	case 0:
		for (size_t i = 0; i < d->config.n_watch; i++)
			scan_dir(d, d->config.watch[i]);
		_exit(0);
	default:
		return;
	}
}

static bool
watch_spool(struct daemon *d, int dir_fd, bt_error_t *e)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", dir_fd);
	return inotify_add_watch(d->inotify, path, IN_MOVED_TO | IN_CREATE) >=
	    0 ||
	    bt_fail_os(e, errno, "cannot watch the spool");
}

static bool
watch_all(struct daemon *d, bt_error_t *e)
{
	if (watch_spool(d, d->spool.stage[STAGE_PENDING], e) == false ||
	    watch_spool(d, d->spool.stage[STAGE_SENDING], e) == false ||
	    watch_spool(d, d->spool.state, e) == false)
		return false;
	d->pending_watch = 3;
	for (size_t i = 0; i < d->config.n_watch; i++) {
		const char *path = d->config.watch[i];

		if (inotify_add_watch(
			d->inotify, path, IN_CLOSE_WRITE | IN_MOVED_TO) < 0)
			return bt_fail_os(e, errno, "cannot watch %s", path);
	}
	return true;
}

bool
intake_events(struct daemon *d)
{
	static char events[EVENTS_SIZE]
	    __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n = read(d->inotify, events, sizeof(events));
	bool foreign = false;

	for (ssize_t at = 0; n > 0 && at < n;) {
		const struct inotify_event *event = (void *)(events + at);

		/* Numbers are given in the order of the watches. Lost events
		 * may have been any. */
		if (event->wd > d->pending_watch ||
		    (event->mask & IN_Q_OVERFLOW) != 0)
			foreign = true;
		if (event->wd <= d->pending_watch)
			d->look = true;
		at += (ssize_t)(sizeof(*event) + event->len);
	}
	return foreign;
}

bool
intake_open(struct daemon *d, bt_error_t *e)
{
	struct epoll_event event = {.events = EPOLLIN};

	d->accepting = true;
	d->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (d->inotify < 0)
		return bt_fail_os(e, errno, "no inotify");
	event.data.fd = d->inotify;
	if (epoll_ctl(d->epoll, EPOLL_CTL_ADD, d->inotify, &event) != 0)
		return bt_fail_os(e, errno, "cannot wait for inotify");
	if (watch_all(d, e) == false || take_passed(d, e) == false)
		return false;
	/* One that was passed may be the one that the configuration names. */
	return *d->config.socket == '\0' || d->n_sockets != 0 ||
	    listen_at(d, d->config.socket, e);
}

void
intake_close(struct daemon *d)
{
	if (d->own_socket != NULL)
		(void)unlink(d->own_socket);
	free(d->own_socket);
	for (size_t i = 0; i < d->n_sockets; i++)
		(void)close(d->sockets[i]);
	if (d->inotify >= 0)
		(void)close(d->inotify);
}
