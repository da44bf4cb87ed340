/* SPDX-License-Identifier: MIT */
/*
 * coresnapd: its start, its loop and its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/options.h"
#include "coresnapd/daemon.h"
#include "service/file.h"
#include "spool/incoming.h"

enum { DAEMON_DONE = 0, DAEMON_USAGE = 1, DAEMON_FAILED = 2, EVENTS = 16 };

struct line {
	const char *config, *pid_file;
	bool debug, once, help, version;
};

static bool
on_config(void *ctx, const char *value, bt_error_t *e)
{
	struct line *l = ctx;

	l->config = value;
	return *value != '\0' ||
	    bt_fail(e, BT_E_USAGE, "--config needs a file");
}

static bool
on_pid_file(void *ctx, const char *value, bt_error_t *e)
{
	struct line *l = ctx;

	l->pid_file = value;
	return *value != '\0' ||
	    bt_fail(e, BT_E_USAGE, "--pid-file needs a file");
}

static bool
on_debug(void *ctx, const char *value, bt_error_t *e)
{
	(void)value;
	(void)e;
	((struct line *)ctx)->debug = true;
	return true;
}

static bool
on_once(void *ctx, const char *value, bt_error_t *e)
{
	(void)value;
	(void)e;
	((struct line *)ctx)->once = true;
	return true;
}

static bool
on_help(void *ctx, const char *value, bt_error_t *e)
{
	(void)value;
	(void)e;
	((struct line *)ctx)->help = true;
	return true;
}

static bool
on_version(void *ctx, const char *value, bt_error_t *e)
{
	(void)value;
	(void)e;
	((struct line *)ctx)->version = true;
	return true;
}

static bool
on_operand(void *ctx, const char *value, bt_error_t *e)
{
	(void)ctx;
	return bt_fail(e, BT_E_USAGE, "unexpected operand '%s'", value);
}

static const struct option_row rows[] = {
    {'c', "config", "FILE", "read this configuration", on_config},
    {'P', "pid-file", "FILE", "write the own process id there", on_pid_file},
    {0, "once", NULL, "end when nothing is left to do now", on_once},
    {'d', "debug", NULL, "log to standard error instead of syslog", on_debug},
    {'h', "help", NULL, "show this text", on_help},
    {0, "version", NULL, "show the version", on_version},
    {0, NULL, NULL, NULL, NULL},
};

/* ---- the start ---- */

/* For systemd, which waits until everything is in place: sd_notify(3). */
static void
notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t size;
	int fd;

	if (path == NULL || strlen(path) >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, strlen(path));
	size =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, text, strlen(text), MSG_NOSIGNAL,
	    (struct sockaddr *)&address, size);
	(void)close(fd);
}

/* One daemon for each spool. The descriptor stays open, and with it the lock.
 */
static bool
lock_spool(struct daemon *d, bt_error_t *e)
{
	int fd = openat(d->spool.limits, "daemon",
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return bt_fail_os(e, errno, "cannot open the daemon's lock");
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	(void)close(fd);
	return bt_fail(
	    e, BT_E_USAGE, "another coresnapd works in %s", d->spool.path);
}

static bool
write_pid(const char *path, bt_error_t *e)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	bool good;

	if (fd < 0)
		return bt_fail_os(e, errno, "cannot create %s", path);
	good = file_write(fd, text, (size_t)n, e);
	(void)close(fd);
	return good;
}

static bool
open_signals(struct daemon *d, bt_error_t *e)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return bt_fail_os(e, errno, "cannot block signals");
	d->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return d->signals >= 0 || bt_fail_os(e, errno, "no signalfd");
}

static bool
open_loop(struct daemon *d, bt_error_t *e)
{
	struct epoll_event event = {.events = EPOLLIN};

	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	d->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (d->epoll < 0 || d->timer < 0 || open_signals(d, e) == false)
		return bt_fail_os(e, errno, "cannot wait for anything");
	event.data.fd = d->timer;
	if (epoll_ctl(d->epoll, EPOLL_CTL_ADD, d->timer, &event) != 0)
		return bt_fail_os(e, errno, "cannot wait for a timer");
	event.data.fd = d->signals;
	if (epoll_ctl(d->epoll, EPOLL_CTL_ADD, d->signals, &event) != 0)
		return bt_fail_os(e, errno, "cannot wait for signals");
	return intake_open(d, e);
}

static bool
recover(struct daemon *d, bt_error_t *e)
{
	struct recovery r;

	if (spool_recover(&d->spool, &r, e) == false)
		return false;
	if (r.adopted + r.finished + r.removed != 0)
		log_say(&d->log, LOG_INFO,
		    "after an interruption: %u taken in, %u finished, %u "
		    "remains removed",
		    r.adopted, r.finished, r.removed);
	return true;
}

/* ---- the loop ---- */

static void
set_timer(struct daemon *d, int64_t next)
{
	struct itimerspec t = {0};
	int64_t delay = 0, now = time(NULL), monotonic = daemon_monotonic();

	if (next != 0)
		delay = next > now ? (next - now) * 1000 : 1;
	for (size_t i = 0; i < d->n_jobs; i++) {
		int64_t left = d->jobs[i].deadline - monotonic;

		if (d->jobs[i].deadline == 0)
			continue;
		left = left > 0 ? left : 1;
		if (delay == 0 || left < delay)
			delay = left;
	}
	t.it_value.tv_sec = delay / 1000;
	t.it_value.tv_nsec = delay % 1000 * 1000000;
	(void)timerfd_settime(d->timer, 0, &t, NULL);
}

/* A new configuration, or the one that we have. */
static void
reload(struct daemon *d)
{
	struct config fresh;
	bt_error_t e;

	if (config_load(&fresh, d->config_path, &e) == false) {
		log_say(&d->log, LOG_ERR,
		    "the configuration stays as it was: %s", e.text);
		config_deinit(&fresh);
		return;
	}
	/* The spool, the socket and watched directories are open. */
	if (strcmp(fresh.archive, d->config.archive) != 0 ||
	    strcmp(fresh.socket, d->config.socket) != 0 ||
	    fresh.n_watch != d->config.n_watch) {
		log_say(&d->log, LOG_ERR,
		    "archive, socket and watch change with a restart only");
		config_deinit(&fresh);
		return;
	}
	d->spool.path = fresh.archive;
	config_deinit(&d->config);
	d->config = fresh;
	d->look = true;
	d->purge_at = 0;
	log_say(&d->log, LOG_INFO, "configuration read");
}

static void
on_signal(struct daemon *d)
{
	struct signalfd_siginfo info;

	while (read(d->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			reload(d);
		else if (info.ssi_signo != SIGCHLD)
			d->stopping = true;
	}
	if (d->stopping == false)
		jobs_reap(d, work_done);
}

static void
on_event(struct daemon *d, int fd)
{
	uint64_t times;

	if (fd == d->signals) {
		on_signal(d);
	} else if (fd == d->timer) {
		if (read(d->timer, &times, sizeof(times)) > 0)
			d->look = true;
		jobs_check(d);
	} else if (fd == d->inotify) {
		d->rescan = intake_events(d) || d->rescan;
	} else {
		intake_accept(d, fd);
	}
}

static void
loop(struct daemon *d, bool once)
{
	int64_t next = 0;

	d->look = d->rescan = true;
	while (d->stopping == false) {
		struct epoll_event events[EVENTS];
		int n;

		if (d->rescan)
			intake_scan(d);
		if (d->look) {
			d->look = false;
			work(d, &next);
		}
		if (once && d->n_jobs == 0)
			return;
		intake_balance(d);
		set_timer(d, next);
		n = epoll_wait(d->epoll, events, EVENTS, -1);
		for (int i = 0; i < n; i++)
			on_event(d, events[i].data.fd);
	}
}

static int
fail(const struct daemon *d, const bt_error_t *e)
{
	log_error(&d->log, e);
	if (d->log.to_stderr == false)
		(void)fprintf(stderr, "coresnapd: %s\n", e->text);
	return DAEMON_FAILED;
}

static int
run(struct daemon *d, const struct line *l)
{
	bt_error_t e;

	log_open(&d->log, "coresnap", l->debug);
	d->config_path = l->config != NULL ? l->config : config_default_path();
	if (config_load(&d->config, d->config_path, &e) == false) {
		(void)fail(d, &e);
		return DAEMON_USAGE;
	}
	if (spool_open(&d->spool, d->config.archive, true, &e) == false ||
	    lock_spool(d, &e) == false || recover(d, &e) == false ||
	    open_loop(d, &e) == false ||
	    (l->pid_file != NULL && write_pid(l->pid_file, &e) == false))
		return fail(d, &e);
	notify("READY=1");
	loop(d, l->once);
	notify("STOPPING=1");
	jobs_kill(d);
	intake_close(d);
	if (l->pid_file != NULL)
		(void)unlink(l->pid_file);
	spool_close(&d->spool);
	config_deinit(&d->config);
	return DAEMON_DONE;
}

static int
show(const struct line *l)
{
	struct buf out;
	bt_error_t e;
	bool good;

	buf_init(&out, 65536);
	if (l->version) {
		buf_printf(&out, "coresnapd (Inquest) %s\n", INQUEST_VERSION);
	} else {
		buf_puts(&out,
		    "Usage: coresnapd [OPTION]...\n"
		    "\n"
		    "Turns the cores in the spool into snapshots and sends "
		    "them.\n"
		    "\n");
		options_help(rows, &out);
	}
	good = file_write(STDOUT_FILENO, out.data, out.size, &e);
	buf_deinit(&out);
	return good ? DAEMON_DONE : DAEMON_FAILED;
}

int
main(int argc, char **argv)
{
	static struct daemon d = {
	    .epoll = -1, .signals = -1, .timer = -1, .inotify = -1};
	static struct line l;
	struct options_table table = {rows, on_operand, &l};
	bt_error_t e;

	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return DAEMON_FAILED;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	if (options_parse(&table, argc, argv, &e) == false) {
		(void)fprintf(stderr, "coresnapd: %s\n", e.text);
		return DAEMON_USAGE;
	}
	if (l.help || l.version)
		return show(&l);
	(void)prctl(PR_SET_DUMPABLE, 0);
	return run(&d, &l);
}
