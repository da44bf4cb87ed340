/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "session/hostkey.h"

static const char file_name[] = "scrub.key";

static bool
directory(char out[PATH_MAX])
{
	const char *state = getenv("INQUEST_STATE_DIR");
	const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n;

	if (state != NULL && state[0] == '/')
		n = snprintf(out, PATH_MAX, "%s", state);
	else if (geteuid() == 0)
		n = snprintf(out, PATH_MAX, "/var/lib/inquest");
	else if (xdg != NULL && xdg[0] == '/')
		n = snprintf(out, PATH_MAX, "%s/inquest", xdg);
	else if (home != NULL && home[0] == '/')
		n = snprintf(out, PATH_MAX, "%s/.local/state/inquest", home);
	else
		return false;
	return n > 0 && n < PATH_MAX;
}

/* All of the path that is not there, for nobody else. */
static bool
make_directories(char *path)
{
	for (char *p = path + 1;; p++) {
		char was = *p;

		if (was != '/' && was != '\0')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return false;
		*p = was;
		if (was == '\0')
			return true;
	}
}

/* A key that others can read or have written is none. */
static bool
read_key(int dir, uint8_t *out)
{
	int fd = openat(
	    dir, file_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	uint8_t bytes[HOST_KEY_SIZE + 1];
	struct stat st;
	bool ok;

	if (fd < 0)
		return false;
	ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid() && (st.st_mode & 077) == 0 &&
	    read(fd, bytes, sizeof(bytes)) == HOST_KEY_SIZE;
	(void)close(fd);
	if (ok)
		memcpy(out, bytes, HOST_KEY_SIZE);
	return ok;
}

/* Written under another name first: whoever reads it has all of it, and of two
 * that make one at the same time the first wins. */
static void
make_key(int dir)
{
	uint8_t bytes[HOST_KEY_SIZE];
	char name[64];
	bool whole;
	int fd;

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return;
	(void)snprintf(name, sizeof(name), "%s.%ld", file_name, (long)getpid());
	fd = openat(dir, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	whole = write(fd, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes) &&
	    fsync(fd) == 0;
	/* Where it cannot be linked there is no key, as is seen at once. */
	if (whole)
		whole = linkat(dir, name, dir, file_name, 0) == 0;
	(void)close(fd);
	(void)unlinkat(dir, name, 0);
}

static void
load(struct host_key *key)
{
	char path[PATH_MAX];
	int dir;

	key->tried = true;
	if (!directory(path) || !make_directories(path))
		return;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return;
	key->there = read_key(dir, key->bytes);
	if (!key->there && faccessat(dir, file_name, F_OK, 0) != 0) {
		make_key(dir);
		key->there = read_key(dir, key->bytes);
	}
	(void)close(dir);
}

bool
host_key_digest(
    struct host_key *key, const void *data, size_t size, char out[17])
{
	uint8_t digest[32];
	char hex[65];

	if (!key->tried)
		load(key);
	if (!key->there)
		return false;
	hmac_sha256(key->bytes, sizeof(key->bytes), data, size, digest);
	sha256_hex(digest, hex);
	memcpy(out, hex, 16);
	out[16] = '\0';
	return true;
}
