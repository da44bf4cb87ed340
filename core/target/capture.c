/* SPDX-License-Identifier: MIT */
/*
 * Opening a capture, the order in which it is taken, and its memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/budget.h"
#include "target/capture_private.h"
#include "target/procfs.h"

/* What a capture may hold at most; only what is written takes memory. */
static const size_t size_most = (size_t)2 << 30;
static const size_t size_least = (size_t)16 << 20;
static const size_t text_max = (size_t)256 << 20;
static const size_t tasks_max = (size_t)1 << 22;
static const size_t areas_max = (size_t)1 << 22;
static const size_t pages_max = (size_t)1 << 19;
static const uint64_t ns_per_ms = 1000000;
static const int urgent = -15; /* nice value */
enum { LOOKS_MAX = 5 };	       /* for a thread that lives */

static void
close_fd(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

/* A file without a name. Its size counts against the limit of file sizes,
 * which is enforced by a signal. */
static int
open_memory(size_t size)
{
	struct rlimit most;
	int fd;

	if (getrlimit(RLIMIT_FSIZE, &most) != 0 || most.rlim_cur < size)
		return -1;
	fd = memfd_create("inquest-capture", MFD_CLOEXEC);
	if (fd >= 0 && ftruncate(fd, (off_t)size) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/*
 * Memory shared with children. Shared mappings are not copied by fork, not
 * even their page tables; and nothing of them counts before it is written, so
 * a large reservation costs nothing where overcommit is allowed. Where there
 * is a file behind it, a child can be given memory that it cannot make
 * writable again.
 */
static struct capture *
reserve(void)
{
	for (size_t size = size_most; size >= size_least; size /= 2) {
		int fd = open_memory(size);
		void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_NORESERVE | (fd < 0 ? MAP_ANONYMOUS : 0),
		    fd, 0);
		struct capture *c = p;

		if (p == MAP_FAILED) {
			close_fd(fd);
			continue;
		}
		c->map_fd = fd;
		c->size = size;
		c->used = (sizeof(*c) + CAPTURE_PAGE - 1) &
		    ~(size_t)(CAPTURE_PAGE - 1);
		c->used_first = c->used;
		c->proc_fd = c->mm_fd = c->mem_fd = c->root_fd = c->pid_fd = -1;
		c->fork.mem_fd = -1;
		return c;
	}
	return NULL;
}

void *
capture_alloc(struct capture *c, size_t size)
{
	const size_t align = 64;
	void *p;

	if (size > c->size || c->size - c->used < size + align) {
		c->full = true;
		return NULL;
	}
	p = (uint8_t *)c + c->used;
	c->used += (size + align - 1) & ~(align - 1);
	return p;
}

/* A mapping of a file that was opened for reading stays read-only. */
bool
capture_seal(struct capture *c)
{
	size_t size = c->size;
	char path[64];
	int fd = -1;
	void *p;

	if (c->map_fd >= 0) {
		(void)snprintf(
		    path, sizeof(path), "/proc/self/fd/%d", c->map_fd);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0)
		return mprotect(c, size, PROT_READ) == 0;
	p = mmap(
	    c, size, PROT_READ, MAP_SHARED | MAP_NORESERVE | MAP_FIXED, fd, 0);
	(void)close(fd);
	return p != MAP_FAILED;
}

static bool
unseal(struct capture *c)
{
	if (c->map_fd < 0)
		return mprotect(c, c->size, PROT_READ | PROT_WRITE) == 0;
	return mmap(c, c->size, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_NORESERVE | MAP_FIXED, c->map_fd,
		   0) != MAP_FAILED;
}

void
capture_close(struct capture *c)
{
	if (c == NULL)
		return;
	close_fd(c->proc_fd);
	close_fd(c->mm_fd);
	close_fd(c->mem_fd);
	close_fd(c->root_fd);
	close_fd(c->pid_fd);
	close_fd(c->map_fd);
	close_fd(c->fork.mem_fd);
	(void)munmap(c, c->size);
}

/* ---- opening ---- */

static bool
read_stat(int dir, const char *path, struct procfs_stat *out)
{
	struct buf text;
	bool ok;

	buf_init(&text, 8192);
	ok = procfs_read(dir, path, &text) &&
	    procfs_parse_stat(view_of(text.data, text.size), out);
	buf_deinit(&text);
	return ok;
}

/*
 * A descriptor of the process, taken first: as long as it can be signalled,
 * the number still means the process that we looked at.
 */
static bool
open_pid(struct capture *c, bt_error_t *e)
{
	int32_t pid = c->options.pid;

	c->pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (c->pid_fd < 0 && errno == ESRCH)
		return bt_fail(e, BT_E_GONE, "no such process: %d", pid);
	return true; /* refused to threads, and absent before Linux 5.3 */
}

/* The directory of a thread that has not ended; -1: none. */
static int
find_living(const struct capture *c, uint32_t *tid)
{
	int dir = openat(
	    c->proc_fd, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int found = -1;
	tid_vec tids;

	vec_init(&tids, tasks_max);
	if (dir >= 0)
		(void)capture_tids(dir, &tids);
	for (size_t i = 0; i < tids.count && found < 0; i++) {
		struct procfs_stat stat;
		char path[32];

		(void)snprintf(path, sizeof(path), "%u/stat", tids.items[i]);
		if (!read_stat(dir, path, &stat) || procfs_is_dead(stat.state))
			continue;
		(void)snprintf(path, sizeof(path), "%u", tids.items[i]);
		found = openat(dir, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		*tid = tids.items[i];
	}
	vec_deinit(&tids);
	close_fd(dir);
	return found;
}

/*
 * The leader may have ended while other threads go on; then only they have the
 * address space. When one of those calls exec, it takes the leader's number: a
 * list that is read just then has a leader that is dead and a thread that is
 * not there.
 */
static bool
open_living(struct capture *c, bt_error_t *e)
{
	const struct timespec nap = {.tv_nsec = (long)ns_per_ms};

	for (int i = 0; i < LOOKS_MAX; i++) {
		c->mm_fd = find_living(c, &c->mm_tid);
		if (c->mm_fd >= 0)
			return true;
		(void)nanosleep(&nap, NULL);
	}
	return bt_fail(
	    e, BT_E_GONE, "process %d has just ended", c->options.pid);
}

static bool
is_our_root(int root_fd)
{
	struct stat ours, theirs;

	return root_fd < 0 || stat("/", &ours) != 0 ||
	    fstat(root_fd, &theirs) != 0 ||
	    (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino);
}

/* The thread found may be gone a moment later, and the process not. */
static bool
open_memory_of(struct capture *c, int proc, bt_error_t *e)
{
	int errnum = 0;

	for (int i = 0; i < LOOKS_MAX; i++) {
		if (!open_living(c, e))
			return false;
		c->mem_fd = openat(c->mm_fd, "mem", O_RDONLY | O_CLOEXEC);
		if (c->mem_fd >= 0)
			return true;
		errnum = errno;
		if (errnum != ESRCH && errnum != ENOENT)
			break;
		close_fd(c->mm_fd);
		c->mm_fd = -1;
	}
	return capture_explain(proc, c->options.pid, errnum, e);
}

static bool
open_files(struct capture *c, int proc, bt_error_t *e)
{
	int32_t pid = c->options.pid;
	struct procfs_stat stat;
	char path[32];

	(void)snprintf(path, sizeof(path), "%d", pid);
	c->proc_fd = openat(proc, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->proc_fd < 0 || !read_stat(c->proc_fd, "stat", &stat))
		return bt_fail(e, BT_E_GONE, "no such process: %d", pid);
	c->started = stat.starttime;
	if (!open_memory_of(c, proc, e))
		return false;
	c->root_fd = openat(c->mm_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	c->same_root = is_our_root(c->root_fd);
	/* A number that is taken, in us and in our children, so that the
	 * memory of a copy can be given to them later. */
	if (c->options.fork)
		c->fork.mem_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return true;
}

bool
capture_open_fork(struct capture *c)
{
	char path[32];
	int fd, got = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", c->fork.pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && c->fork.mem_fd >= 0)
		got = dup3(fd, c->fork.mem_fd, O_CLOEXEC);
	close_fd(fd);
	return got >= 0;
}

bool
capture_open(
    const struct capture_options *options, struct capture **out, bt_error_t *e)
{
	struct capture *c = reserve();
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok;

	if (c == NULL) {
		close_fd(proc);
		return bt_fail(e, BT_E_NOMEM, "out of memory for a capture");
	}
	c->options = *options;
	if (c->options.max_pause_ns == 0)
		c->options.max_pause_ns = CAPTURE_DEFAULT_MAX_PAUSE_MS *
		    ns_per_ms;
	ok = open_pid(c, e) && capture_check(proc, options->pid, e) &&
	    open_files(c, proc, e);
	close_fd(proc);
	if (!ok) {
		capture_close(c);
		return false;
	}
	*out = c;
	return true;
}

/* The process that has the number is the one that was looked at. */
static bool
still_same(const struct capture *c)
{
	struct procfs_stat stat;

	if (c->pid_fd >= 0)
		return syscall(SYS_pidfd_send_signal, c->pid_fd, 0, NULL, 0) ==
		    0 ||
		    errno != ESRCH;
	return read_stat(c->proc_fd, "stat", &stat) &&
	    stat.starttime == c->started;
}

/* Everything that was taken is forgotten; what was opened stays. */
static void
rewind_to_start(struct capture *c)
{
	struct capture fresh = {
	    .options = c->options,
	    .proc_fd = c->proc_fd,
	    .mm_fd = c->mm_fd,
	    .mem_fd = c->mem_fd,
	    .root_fd = c->root_fd,
	    .same_root = c->same_root,
	    .pid_fd = c->pid_fd,
	    .map_fd = c->map_fd,
	    .mm_tid = c->mm_tid,
	    .started = c->started,
	    .size = c->size,
	    .used = c->used_first,
	    .used_first = c->used_first,
	    .fork = {.mem_fd = c->fork.mem_fd},
	};

	memcpy(c, &fresh, sizeof(fresh));
}

/* The thread through which memory is read may have ended meanwhile. */
static bool
living_again(struct capture *c, bt_error_t *e)
{
	struct procfs_stat stat;

	if (read_stat(c->mm_fd, "stat", &stat) && !procfs_is_dead(stat.state))
		return true;
	close_fd(c->mm_fd);
	c->mm_fd = -1;
	return open_living(c, e);
}

bool
capture_again(struct capture *c, bt_error_t *e)
{
	if (!still_same(c))
		return bt_fail(
		    e, BT_E_GONE, "process %d has ended", c->options.pid);
	if (!unseal(c))
		return bt_fail_os(e, errno, "cannot open a capture again");
	rewind_to_start(c);
	return living_again(c, e);
}

/* ---- taking ---- */

bool
capture_read_text(
    struct taking *t, int dir, const char *path, struct capture_text *out)
{
	uint8_t *copy;

	buf_clear(&t->text);
	errno = 0;
	(void)procfs_read(dir, path, &t->text);
	if (t->text.size == 0 ||
	    (copy = capture_alloc(t->c, t->text.size)) == NULL)
		return false;
	memcpy(copy, t->text.data, t->text.size);
	out->data = copy;
	out->size = t->text.size;
	return true;
}

/* What is true of the process before the stop: afterwards its state would be
 * that of a traced one. */
static uint64_t
read_texts(struct taking *t)
{
	struct capture *c = t->c;
	uint64_t start;

	(void)capture_read_text(t, c->proc_fd, "stat", &c->stat);
	/* Of a leader that has ended it tells nothing about memory. */
	(void)capture_read_text(t, c->mm_fd, "status", &c->status);
	(void)capture_read_text(t, c->mm_fd, "cmdline", &c->cmdline);
	(void)capture_read_text(t, c->mm_fd, "auxv", &c->auxv);
	process_read(t);
	system_read(t);
	start = bt_now_ns();
	(void)capture_read_text(t, c->mm_fd, "maps", &c->maps);
	start = bt_now_ns() - start;
	(void)memory_areas(t);
	return start;
}

/* Pages that will certainly be written are had now, not during the pause. */
static void
prefault(const struct taking *t)
{
#ifdef MADV_POPULATE_WRITE
	const size_t page = CAPTURE_PAGE, registers = 3072, /* of a thread */
	    most = (size_t)160 << 20, fixed = (size_t)4 << 20;
	struct capture *c = t->c;
	size_t start = c->used & ~(page - 1);
	uint64_t want = fixed + c->n_threads * registers + memory_expected(t);

	if (want > most)
		want = most;
	if (want <= c->size - start)
		(void)madvise((uint8_t *)c + start, want, MADV_POPULATE_WRITE);
#else
	(void)t;
#endif
}

/* The memory opened at the beginning is that of the threads we stopped, unless
 * an exec came between: of the old address space nothing can be read then. */
static bool
same_address_space(const struct capture *c)
{
	struct view v = capture_view(&c->maps);
	struct procfs_mapping m;
	size_t bad = 0, tried = 0;

	while (tried < 64 && procfs_next_mapping(&v, &m, &bad)) {
		uint8_t byte;

		if (!m.readable || m.path.size == 0 || m.path.data[0] == '[')
			continue;
		tried++;
		if (pread(c->mem_fd, &byte, 1, (off_t)m.start) == 1)
			return true;
	}
	return tried == 0;
}

/* Many mappings take longer to print than a pause may last; then those from
 * before the stop have to do. */
static void
read_maps(struct taking *t, uint64_t cost)
{
	struct capture *c = t->c;
	struct capture_text again = {0};
	size_t used = c->used;

	if (cost >= c->options.max_pause_ns / 4 ||
	    !capture_read_text(t, c->mm_fd, "maps", &again)) {
		c->maps_before = true;
		return;
	}
	if (again.size == c->maps.size &&
	    memcmp(again.data, c->maps.data, again.size) == 0) {
		c->used = used;
		return;
	}
	c->maps = again;
	vec_clear(&t->areas);
	(void)memory_areas(t);
}

static bool
fail_gone(struct capture *c)
{
	return bt_fail(&c->error, BT_E_GONE,
	    "process %d ended while it was being captured", c->options.pid);
}

static size_t
count_usable(const struct capture *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_threads; i++)
		n += c->threads[i].kind == CAPTURE_STOPPED ||
		    c->threads[i].kind == CAPTURE_UNINTERRUPTIBLE;
	return n;
}

/*
 * Threads that are gone, and a process that is not: one of them called exec at
 * the wrong moment, which ends all others and gives it another number, and if
 * it was not seized by then, nobody has told us.
 */
static bool
has_moved_on(const struct capture *c)
{
	uint32_t tid;
	int fd;

	if (c->error.code != BT_E_GONE || !still_same(c))
		return false;
	fd = find_living(c, &tid);
	close_fd(fd);
	return fd >= 0;
}

/* Between the stop and the resumption. */
static enum capture_end
copy(struct taking *t, uint64_t maps_cost)
{
	struct capture *c = t->c;

	threads_registers(t);
	if (t->exec)
		return CAPTURE_AGAIN;
	/* Without mappings, the thread by which they were read has ended. */
	if (!still_same(c) || count_usable(c) == 0 || c->maps.size == 0) {
		(void)fail_gone(c);
		return CAPTURE_FAILED;
	}
	if (!same_address_space(c))
		return CAPTURE_AGAIN;
	c->copy_start = bt_now_ns();
	c->stop_ns = c->copy_start - c->pause_start;
	c->progress = CAPTURE_REGISTERS;
	read_maps(t, maps_cost);
	if (t->areas.count != 0 && !fork_target(t))
		memory_copy(t);
	return CAPTURE_DONE;
}

/* From the frozen copy, which nobody waits for; only those who wait for us. */
static void
copy_from_fork(struct taking *t)
{
	const uint64_t patience = 5000 * ns_per_ms;
	struct capture *c = t->c;

	t->resumed = true;
	c->copy_start = bt_now_ns() + patience;
	if (fork_find_gaps(t))
		memory_copy(t);
	else
		fork_end(c);
}

static enum capture_end
take(struct taking *t)
{
	struct capture *c = t->c;
	uint64_t maps_cost = read_texts(t);
	enum capture_end end = CAPTURE_FAILED;
	struct timespec now;

	fork_prepare(t);
	if (!threads_seize(t))
		return CAPTURE_FAILED;
	prefault(t);
	busy_find_awake(t);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	c->captured_seconds = (uint64_t)now.tv_sec;
	c->pause_start = bt_now_ns();
	if (threads_stop(t))
		end = copy(t, maps_cost);
	else if (t->exec)
		end = CAPTURE_AGAIN;
	threads_resume(t);
	c->pause_ns = bt_now_ns() - c->pause_start;
	if (end == CAPTURE_DONE)
		busy_look_again(t);
	if (c->fork.pid != 0)
		copy_from_fork(t);
	if (end == CAPTURE_DONE)
		c->progress = CAPTURE_COMPLETE;
	return end;
}

enum capture_end
capture_take(struct capture *c)
{
	struct taking t = {.c = c};
	enum capture_end end;
	sigset_t child, before;

	/* A stop is told by SIGCHLD, which is waited for with a deadline. */
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, &before);
	/* While others stand still for us, nothing is more urgent; only root
	 * may say so. */
	(void)setpriority(PRIO_PROCESS, 0, urgent);
	buf_init(&t.text, text_max);
	map_init(&t.tids, tasks_max);
	map_init(&t.asked, pages_max);
	vec_init(&t.tasks, tasks_max);
	vec_init(&t.areas, areas_max);
	vec_init(&t.pages, pages_max);
	end = take(&t);
	if (end == CAPTURE_FAILED && has_moved_on(c))
		end = CAPTURE_AGAIN;
	free(t.seen);
	vec_deinit(&t.pages);
	vec_deinit(&t.areas);
	vec_deinit(&t.tasks);
	map_deinit(&t.asked);
	map_deinit(&t.tids);
	buf_deinit(&t.text);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return end;
}
