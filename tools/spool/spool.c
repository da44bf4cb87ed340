/* SPDX-License-Identifier: MIT */
/*
 * The spool's directories and what changes in them.
 */
#include "spool/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "service/file.h"

enum { OBJECTS_MAX = 1000000 };

static const char *const stage_names[STAGE__COUNT] = {
    [STAGE_PENDING] = "pending",
    [STAGE_SENDING] = "sending",
    [STAGE_FAILED] = "failed",
};

const char *
stage_name(enum stage stage)
{

	return stage_names[stage];
}

bool
stage_parse(const char *text, size_t len, enum stage *out)
{
	for (int i = 0; i < STAGE__COUNT; i++)
		if (strlen(stage_names[i]) == len &&
		    memcmp(stage_names[i], text, len) == 0) {
			*out = (enum stage)i;
			return true;
		}
	return false;
}

/* ---- names ---- */

/* As RFC 9562 wants it: version 8, variant 10. */
static void
format_id(struct object_id *id, uint8_t b[16])
{
	static const char digits[] = "0123456789abcdef";
	char *out = id->text;

	b[6] = (uint8_t)((b[6] & 0x0f) | 0x80);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = digits[b[i] >> 4];
		*out++ = digits[b[i] & 15];
	}
	*out = '\0';
}

bool
object_id_random(struct object_id *id, bt_error_t *e)
{
	uint8_t bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return bt_fail_os(e, errno, "no random numbers");
	format_id(id, bytes);
	return true;
}

void
object_id_of(struct object_id *id, const void *data, size_t size)
{
	uint8_t digest[32];
	struct sha256 sum;

	sha256_init(&sum);
	sha256_update(&sum, data, size);
	sha256_final(&sum, digest);
	format_id(id, digest);
}

bool
object_id_is(const char *text)
{
	for (int i = 0; i < 36; i++) {
		char c = text[i];
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? c != '-'
			 : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return text[36] == '\0';
}

/* ---- directories ---- */

static int
open_below(int root, const char *name, bool *made, bt_error_t *e)
{
	int fd;

	if (made != NULL && mkdirat(root, name, 0755) == 0) {
		*made = true;
	} else if (made != NULL && errno != EEXIST) {
		(void)bt_fail_os(e, errno, "cannot create %s", name);
		return -1;
	}
	fd = openat(
	    root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		(void)bt_fail_os(e, errno, "cannot open %s", name);
	return fd;
}

/* Others who can write there could make us move or remove what they like. */
static bool
check_root(int fd, bt_error_t *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return bt_fail_os(e, errno, "cannot stat");
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return bt_fail(
		    e, BT_E_PERMISSION, "it belongs to user %u", st.st_uid);
	if ((st.st_mode & 022) != 0)
		return bt_fail(e, BT_E_PERMISSION, "others may write to it");
	return true;
}

static bool
open_all(struct spool *s, bool create, bt_error_t *e)
{
	struct {
		int *fd;
		const char *name;
	} all[] = {{&s->incoming, "incoming"}, {&s->assets, "assets"},
	    {&s->state, "state"}, {&s->done, "done"}, {&s->limits, "limits"},
	    {&s->stage[STAGE_PENDING], "pending"},
	    {&s->stage[STAGE_SENDING], "sending"},
	    {&s->stage[STAGE_FAILED], "failed"}};

	bool made = false;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		*all[i].fd = open_below(
		    s->root, all[i].name, create ? &made : NULL, e);
		if (*all[i].fd < 0)
			return false;
	}
	return made == false || file_sync_dir(s->root, e);
}

bool
spool_open(struct spool *s, const char *path, bool create, bt_error_t *e)
{
	*s = (struct spool){path, -1, -1, -1, -1, -1, -1, {-1, -1, -1}};
	if (create && file_make_dirs(path, 0755, e) == false)
		return false;
	s->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->root < 0)
		return bt_fail_os(e, errno, "cannot open the spool %s", path);
	if ((create == false || check_root(s->root, e)) &&
	    open_all(s, create, e))
		return true;
	spool_close(s);
	return bt_wrap(e, "spool %s", path);
}

void
spool_close(struct spool *s)
{
	int *all[] = {&s->root, &s->incoming, &s->assets, &s->state, &s->done,
	    &s->limits, &s->stage[0], &s->stage[1], &s->stage[2]};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (*all[i] >= 0)
			(void)close(*all[i]);
		*all[i] = -1;
	}
}

/* ---- listing ---- */

/* What there is of one object, in one stage. False: it has gone. */
static bool
look_at(const struct spool *s, enum stage stage, const char *name,
    struct object *out)
{
	struct stat st;

	if (fstatat(s->stage[stage], name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    S_ISREG(st.st_mode) == false)
		return false;
	*out = (struct object){.stage = stage, .time = st.st_mtime};
	memcpy(out->id.text, name, sizeof(out->id.text));
	/* A core that was cut may have holes. */
	out->size = (uint64_t)st.st_blocks * 512;
	if ((uint64_t)st.st_size < out->size)
		out->size = (uint64_t)st.st_size;
	out->has_core = stage == STAGE_PENDING;
	out->has_snapshot = stage == STAGE_SENDING;
	if (stage == STAGE_FAILED) {
		struct fields state;

		fields_init(&state);
		spool_load_state(s, &out->id, &state);
		const char *from = fields_get(&state, "failed.stage");

		out->has_snapshot = from != NULL &&
		    strcmp(from, "sending") == 0;
		out->has_core = out->has_snapshot == false;
		fields_deinit(&state);
	}
	return true;
}

static bool
list_stage(
    const struct spool *s, enum stage stage, struct objects *out, bt_error_t *e)
{
	int fd = openat(
	    s->stage[stage], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	bool good = true;

	if (dir == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return bt_fail_os(
		    e, errno, "cannot list %s", stage_name(stage));
	}
	while (good && (entry = readdir(dir)) != NULL) {
		struct object found, *place;

		if (object_id_is(entry->d_name) == false ||
		    look_at(s, stage, entry->d_name, &found) == false)
			continue;
		place = vec_push(&out->list);
		if (place != NULL)
			*place = found;
		else
			good = bt_fail(e, BT_E_LIMIT, "too many objects");
	}
	(void)closedir(dir);
	return good;
}

static int
by_time(const void *a, const void *b)
{
	const struct object *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return strcmp(x->id.text, y->id.text);
}

bool
spool_list(const struct spool *s, struct objects *out, bt_error_t *e)
{
	vec_init(&out->list, OBJECTS_MAX);
	for (int i = 0; i < STAGE__COUNT; i++)
		if (list_stage(s, (enum stage)i, out, e) == false) {
			objects_deinit(out);
			return false;
		}
	if (out->list.count != 0)
		qsort(out->list.items, out->list.count,
		    sizeof(*out->list.items), by_time);
	return true;
}

void
objects_deinit(struct objects *o)
{
	vec_deinit(&o->list);
}

static bool
is_in(int dir_fd, const struct object_id *id)
{

	return faccessat(dir_fd, id->text, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool
spool_has(const struct spool *s, enum stage stage, const struct object_id *id)
{

	return is_in(s->stage[stage], id);
}

bool
spool_is_done(const struct spool *s, const struct object_id *id)
{

	return is_in(s->done, id);
}

bool
spool_knows(const struct spool *s, const struct object_id *id)
{
	if (is_in(s->incoming, id) || is_in(s->done, id))
		return true;
	for (int i = 0; i < STAGE__COUNT; i++)
		if (is_in(s->stage[i], id))
			return true;
	return false;
}

int
spool_lock(const struct spool *s, const struct object_id *id, bt_error_t *e)
{
	int fd = openat(s->assets, id->text,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int busy;

	if (fd < 0) {
		(void)bt_fail_os(e, errno, "cannot lock %s", id->text);
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	busy = errno == EWOULDBLOCK;
	(void)close(fd);
	(void)(busy ? bt_fail(e, BT_E_LIMIT, "%s is in work", id->text)
		    : bt_fail_os(e, errno, "cannot lock %s", id->text));
	return -1;
}

bool
spool_is_busy(const struct spool *s, const struct object_id *id)
{
	bt_error_t e;
	int fd = spool_lock(s, id, &e);

	if (fd < 0)
		return e.code == BT_E_LIMIT;
	(void)close(fd);
	return false;
}

/* ---- changes ---- */

bool
spool_move(const struct spool *s, const struct object_id *id, enum stage from,
    enum stage to, bt_error_t *e)
{

	return file_move(s->stage[from], id->text, s->stage[to], id->text, e);
}

bool
spool_remove(const struct spool *s, const struct object_id *id, bt_error_t *e)
{
	/* First what makes it an object; what is left after a crash belongs to
	 * none and is found by recovery. */
	for (int i = 0; i < STAGE__COUNT; i++)
		if (unlinkat(s->stage[i], id->text, 0) != 0 && errno != ENOENT)
			return bt_fail_os(e, errno, "cannot remove %s/%s",
			    stage_name((enum stage)i), id->text);
	return file_remove(s->assets, id->text, e) &&
	    file_remove(s->state, id->text, e);
}

bool
spool_drop_core(
    const struct spool *s, const struct object_id *id, bt_error_t *e)
{
	int sending = s->stage[STAGE_SENDING];
	int pending = s->stage[STAGE_PENDING];
	int fd = openat(sending, id->text, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	bool safe = fd >= 0 && fsync(fd) == 0;

	if (safe == false)
		(void)bt_fail_os(
		    e, errno, "sending/%s cannot be made safe", id->text);
	if (fd >= 0)
		(void)close(fd);
	if (safe == false || file_sync_dir(sending, e) == false)
		return false;
	if (unlinkat(pending, id->text, 0) != 0 && errno != ENOENT)
		return bt_fail_os(
		    e, errno, "cannot remove pending/%s", id->text);
	return file_sync_dir(pending, e);
}

bool
spool_deliver(const struct spool *s, const struct object_id *id, bt_error_t *e)
{
	int fd = openat(s->done, id->text,
	    O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return bt_fail_os(e, errno, "cannot create done/%s", id->text);
	(void)close(fd);
	return file_sync_dir(s->done, e) && spool_remove(s, id, e);
}

void
spool_load_state(
    const struct spool *s, const struct object_id *id, struct fields *out)
{
	bt_error_t e;

	/* None: nothing has happened yet. */
	(void)fields_load(out, s->state, id->text, &e);
}

bool
spool_save_state(const struct spool *s, const struct object_id *id,
    const struct fields *state, bt_error_t *e)
{

	return fields_save(state, s->state, id->text, e);
}

void
spool_load_crash(
    const struct spool *s, const struct object_id *id, struct fields *out)
{
	char name[64];
	bt_error_t e;

	(void)snprintf(name, sizeof(name), "%s/crash", id->text);
	(void)fields_load(out, s->assets, name, &e);
}
