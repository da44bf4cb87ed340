/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "base/vec.h"
#include "module/loader.h"

enum { SOURCE_MAX = 16 << 20, FILES_MAX = 256 };

struct opened_module {
	const pmodule_descriptor_t *descriptor;
	bool foreign; /* of the other language */
};

struct module_loader {
	const struct module_language *language;
	VEC(struct opened_module) opened;
};

struct module_loader *
module_loader_create(const struct module_language *language)
{
	struct module_loader *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->language = language;
	vec_init(&l->opened, FILES_MAX);
	return l;
}

void
module_loader_destroy(struct module_loader *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->opened.count; i++)
		if (l->opened.items[i].foreign)
			l->language->close(
			    l->language->ctx, l->opened.items[i].descriptor);
	vec_deinit(&l->opened);
	free(l);
}

static bool
ends_with(const char *path, const char *suffix)
{
	size_t n = strlen(path), m = strlen(suffix);

	return n > m && strcmp(path + n - m, suffix) == 0;
}

/* Nobody but root and us could have written it. */
static bool
check_owner(int fd, const char *path, mode_t kind, bt_error_t *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return bt_fail_os(e, errno, "%s", path);
	if ((st.st_mode & S_IFMT) != kind)
		return bt_fail(e, BT_E_USAGE, "%s: not a %s", path,
		    kind == S_IFDIR ? "directory" : "regular file");
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return bt_fail(e, BT_E_PERMISSION,
		    "%s: belongs to user %u; modules must belong to root or "
		    "to the user who runs this",
		    path, (unsigned)st.st_uid);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return bt_fail(e, BT_E_PERMISSION,
		    "%s: others can write to it (mode %04o); chmod go-w", path,
		    (unsigned)st.st_mode & 07777);
	return true;
}

int
module_loader_open_dir(const char *path, bt_error_t *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		(void)bt_fail_os(e, errno, "%s", path);
		return -1;
	}
	if (check_owner(fd, path, S_IFDIR, e))
		return fd;
	(void)close(fd);
	return -1;
}

int
module_loader_open_at(int at, const char *base, const char *path, bt_error_t *e)
{
	int fd = openat(
	    at, base, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		(void)bt_fail_os(e, errno, "%s", path);
	if (fd >= 0 && check_owner(fd, path, S_IFREG, e) == false) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

/* The real file, below its real directory, both checked. */
int
module_loader_open(const char *path, bt_error_t *e)
{
	char real[PATH_MAX], dir[PATH_MAX];
	const char *base;
	int at, fd;

	if (realpath(path, real) == NULL) {
		(void)bt_fail_os(e, errno, "%s", path);
		return -1;
	}
	base = text_basename(real);
	(void)snprintf(dir, sizeof(dir), "%.*s",
	    base - real > 1 ? (int)(base - real - 1) : 1, real);
	at = module_loader_open_dir(dir, e);
	if (at < 0)
		return -1;
	fd = module_loader_open_at(at, base, real, e);
	(void)close(at);
	return fd;
}

static const pmodule_descriptor_t *
open_shared(int fd, const char *path, bt_error_t *e)
{
	const pmodule_descriptor_t *descriptor;
	char by_fd[64];
	void *handle;

	(void)snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", fd);
	handle = dlopen(by_fd, RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL) {
		const char *why = dlerror();

		/* Its own path says more than that of the descriptor. */
		if (why != NULL && strncmp(why, by_fd, strlen(by_fd)) == 0)
			why += strlen(by_fd);
		(void)bt_fail(e, BT_E_FORMAT, "%s: cannot be loaded%s%s", path,
		    why != NULL && *why != ':' ? ": " : "",
		    why != NULL ? why : "");
		return NULL;
	}
	descriptor = dlsym(handle, "pmodule_descriptor");
	if (descriptor == NULL) {
		(void)bt_fail(e, BT_E_MISMATCH,
		    "%s: is no analysis module: it has no symbol "
		    "pmodule_descriptor (see PMODULE_DEFINE)",
		    path);
		(void)dlclose(handle);
	}
	return descriptor;
}

static char *
read_source(int fd, const char *path, size_t *size, bt_error_t *e)
{
	struct stat st;
	char *text;
	size_t done = 0;

	if (fstat(fd, &st) != 0 || st.st_size > SOURCE_MAX) {
		(void)bt_fail(e, BT_E_LIMIT, "%s: larger than %d MiB", path,
		    SOURCE_MAX >> 20);
		return NULL;
	}
	text = malloc((size_t)st.st_size + 1);
	if (text == NULL) {
		(void)bt_fail(e, BT_E_NOMEM, "out of memory");
		return NULL;
	}
	while (done < (size_t)st.st_size) {
		ssize_t n = pread(
		    fd, text + done, (size_t)st.st_size - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	text[done] = '\0';
	*size = done;
	return text;
}

static const pmodule_descriptor_t *
open_foreign(struct module_loader *l, int fd, const char *path, bt_error_t *e)
{
	const pmodule_descriptor_t *descriptor = NULL;
	size_t size;
	char *text = read_source(fd, path, &size, e);

	if (text != NULL)
		descriptor = l->language->open(
		    l->language->ctx, path, text, size, e);
	free(text);
	return descriptor;
}

bool
module_loader_is_shared(const struct module_loader *l, const char *path)
{

	return l->language == NULL ||
	    ends_with(path, l->language->suffix) == false;
}

const pmodule_descriptor_t *
module_loader_from(
    struct module_loader *l, int fd, const char *path, bt_error_t *e)
{
	bool foreign = module_loader_is_shared(l, path) == false;
	const pmodule_descriptor_t *descriptor;
	struct opened_module *place;

	descriptor = foreign ? open_foreign(l, fd, path, e)
			     : open_shared(fd, path, e);
	/* The descriptor stays open: the loader of shared objects goes by the
	 * name it was given, and two files must not have the same one. */
	if (foreign || descriptor == NULL)
		(void)close(fd);
	if (descriptor == NULL)
		return NULL;
	place = vec_push(&l->opened);
	if (place == NULL) {
		if (foreign)
			l->language->close(l->language->ctx, descriptor);
		(void)bt_fail(e, BT_E_LIMIT, "more than %d modules", FILES_MAX);
		return NULL;
	}
	*place = (struct opened_module){descriptor, foreign};
	return descriptor;
}

const pmodule_descriptor_t *
module_loader_file(struct module_loader *l, const char *path, bt_error_t *e)
{
	int fd = module_loader_open(path, e);

	return fd >= 0 ? module_loader_from(l, fd, path, e) : NULL;
}

unsigned
module_mistake_line(const char *path, const char *text)
{
	const char *base = text_basename(path);
	size_t n = strlen(base);
	unsigned line = 0;

	if (strncmp(text, base, n) != 0 || text[n] != ':')
		return 0;
	for (const char *p = text + n + 1;
	     *p >= '0' && *p <= '9' && line < 100000000; p++)
		line = line * 10 + (unsigned)(*p - '0');
	return line;
}

bool
module_loader_inspect(struct module_loader *l, int fd, const char *path,
    module_mistake_fn *tell, void *arg)
{
	bool done = false;
	bt_error_t e;
	char *text;
	size_t size;

	if (module_loader_is_shared(l, path) || l->language->inspect == NULL)
		return true;
	text = read_source(fd, path, &size, &e);
	if (text == NULL)
		tell(arg, 0, e.text);
	else
		done = l->language->inspect(
		    l->language->ctx, path, text, size, tell, arg);
	free(text);
	return done;
}

static int
by_name(const void *a, const void *b)
{

	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **
module_loader_list(
    const struct module_loader *l, const char *path, bt_error_t *e)
{
	int fd = module_loader_open_dir(path, e);
	char **list = calloc(FILES_MAX + 1, sizeof(*list));
	DIR *dir = fd >= 0 && list != NULL ? fdopendir(fd) : NULL;
	const struct dirent *d;
	size_t n = 0;

	if (dir == NULL) {
		if (fd >= 0)
			(void)close(fd);
		free(list);
		return NULL;
	}
	while (n < FILES_MAX && (d = readdir(dir)) != NULL) {
		size_t size = strlen(path) + strlen(d->d_name) + 2;
		bool known = ends_with(d->d_name, ".so") ||
		    (l->language != NULL &&
			ends_with(d->d_name, l->language->suffix));

		if (known == false || d->d_name[0] == '.' ||
		    (list[n] = malloc(size)) == NULL)
			continue;
		(void)snprintf(list[n++], size, "%s/%s", path, d->d_name);
	}
	(void)closedir(dir);
	qsort(list, n, sizeof(*list), by_name);
	return list;
}

void
module_loader_name(const char *path, char *out, size_t size)
{
	const char *base = text_basename(path);
	const char *dot = strrchr(base, '.');
	size_t n = dot != NULL && dot != base ? (size_t)(dot - base)
					      : strlen(base);

	(void)snprintf(out, size, "%.*s", (int)(n < size ? n : size - 1), base);
}
