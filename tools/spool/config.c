/* SPDX-License-Identifier: MIT */
/*
 * The configuration: one table of keys, their forms and defaults.
 */
#include "spool/config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "service/file.h"

enum { FILE_MAX = 1024 * 1024 };

enum form {
	FORM_TEXT,
	FORM_PATH, /* absolute */
	FORM_COUNT,
	FORM_DURATION,
	FORM_SIZE,
	FORM_RATE,
	FORM_SWITCH,
	FORM_QUOTA,
	FORM_RULE,
	FORM_WATCH,
	FORM_UPLOAD
};

struct key {
	const char *name;
	enum form form;
	size_t offset;
	const char *initial; /* NULL: nothing */
};

#define AT(MEMBER) offsetof(struct config, MEMBER)

static const struct key keys[] = {
    {"archive", FORM_PATH, AT(archive), "/var/coresnap/archive"},
    {"ptrace", FORM_PATH, AT(ptrace), NULL},
    {"ptrace.options", FORM_TEXT, AT(options), "--load="},
    {"ptrace.timeout", FORM_DURATION, AT(timeout), "2m"},
    {"ptrace.tries", FORM_COUNT, AT(tries), "2"},
    {"defaults.command", FORM_TEXT, AT(defaults), ""},
    {"socket", FORM_TEXT, AT(socket), ""},
    {"watch", FORM_WATCH, 0, NULL},
    {"watch.remove", FORM_SWITCH, AT(watch_remove), "false"},
    {"format", FORM_RULE, 0, NULL},
    {"upload", FORM_UPLOAD, AT(upload), "coroner"},
    {"upload.command", FORM_TEXT, AT(upload_command), NULL},
    {"upload.url", FORM_TEXT, AT(upload_url), ""},
    {"upload.program", FORM_PATH, AT(send), NULL},
    {"upload.timeout", FORM_DURATION, AT(upload_timeout), "5m"},
    {"retry.first", FORM_DURATION, AT(retry_first), "15s"},
    {"retry.most", FORM_DURATION, AT(retry_most), "1h"},
    {"retry.count", FORM_COUNT, AT(retry_count), "0"},
    {"dump.quota", FORM_QUOTA, 0, "10%"},
    {"dump.max", FORM_SIZE, AT(core_max), "32G"},
    {"dump.user", FORM_SIZE, AT(user_max), "0"},
    {"dump.concurrent", FORM_COUNT, AT(concurrent), "4"},
    {"dump.wait", FORM_DURATION, AT(wait), "30s"},
    {"dump.stall", FORM_DURATION, AT(stall), "60s"},
    {"limit.executable", FORM_RATE, AT(per_executable), "10/m"},
    {"limit.user", FORM_RATE, AT(per_user), "60/m"},
    {"owner.reads", FORM_SWITCH, AT(owner_reads), "true"},
    {"daemon.jobs", FORM_COUNT, AT(jobs), "1"},
    {"daemon.purge.age", FORM_DURATION, AT(purge_age), "1d"},
    {"daemon.purge.disabled", FORM_SWITCH, AT(purge_disabled), "false"},
};

static const char *const places[] = {
    CORESNAP_CONF, /* where the installation has put it */
    "/usr/local/etc/coresnap/coresnap.conf",
    "/etc/coresnap/coresnap.conf",
    "/opt/backtrace/etc/coresnap/coresnap.conf",
};

static const char coroner[] =
    "/opt/backtrace/bin/coroner -c /usr/local/etc/coroner.cf put %p %p %f";

const char *
config_default_path(void)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (access(places[i], F_OK) == 0)
			return places[i];
	return NULL;
}

/* ---- forms ---- */

bool
config_duration(const char *text, uint32_t *out)
{
	static const char units[] = "smhdwM";
	static const uint32_t factors[] = {
	    1, 60, 3600, 86400, 7 * 86400, 30 * 86400};
	size_t len = strlen(text);
	const char *unit = len != 0 ? strchr(units, text[len - 1]) : NULL;
	char digits[24];
	uint64_t value;

	if (unit != NULL)
		len--;
	if (len == 0 || len >= sizeof(digits) ||
	    isdigit((unsigned char)text[0]) == 0)
		return false;
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (text_u64(digits, &value) == false || value > UINT32_MAX)
		return false;
	if (unit != NULL)
		value *= factors[unit - units];
	if (value > INT32_MAX)
		return false;
	*out = (uint32_t)value;
	return true;
}

/* "10/m", "100/2h"; "0": no limit. */
static bool
parse_rate(const char *text, struct config_rate *out)
{
	size_t len = strcspn(text, "/");
	char digits[16], per[24];
	uint64_t count;

	if (len == 0 || len >= sizeof(digits))
		return false;
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (text_u64(digits, &count) == false || count > 1000000)
		return false;
	*out = (struct config_rate){(uint32_t)count, 60};
	if (text[len] == '\0')
		return count == 0;
	text += len + 1;
	(void)snprintf(per, sizeof(per), "%s%.16s",
	    isdigit((unsigned char)*text) != 0 ? "" : "1", text);
	return strlen(text) <= 16 && config_duration(per, &out->seconds) &&
	    out->seconds != 0;
}

static bool
parse_switch(const char *text, bool *out)
{
	*out = strcmp(text, "true") == 0 || strcmp(text, "yes") == 0 ||
	    strcmp(text, "1") == 0;
	return *out || strcmp(text, "false") == 0 || strcmp(text, "no") == 0 ||
	    strcmp(text, "0") == 0;
}

/* "10%", or a size. */
static bool
parse_quota(const char *text, struct config *c)
{
	size_t len = strlen(text);
	char digits[8];
	uint64_t value;

	c->quota_bytes = c->quota_percent = 0;
	if (len == 0 || text[len - 1] != '%')
		return text_size(text, &c->quota_bytes);
	if (len - 1 >= sizeof(digits))
		return false;
	memcpy(digits, text, len - 1);
	digits[len - 1] = '\0';
	if (text_u64(digits, &value) == false || value > 99)
		return false;
	c->quota_percent = (uint32_t)value;
	return true;
}

static bool
parse_upload(const char *text, enum config_upload *out)
{
	static const char *const names[] = {"coroner", "http", "none"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(text, names[i]) == 0) {
			*out = (enum config_upload)i;
			return true;
		}
	return false;
}

static bool
replace_text(char **place, const char *value)
{
	char *copy = strdup(value);

	if (copy == NULL)
		return false;
	free(*place);
	*place = copy;
	return true;
}

static bool
add_watch(struct config *c, const char *value)
{
	if (value[0] != '/' || c->n_watch == CONFIG_PATHS_MAX)
		return false;
	c->watch[c->n_watch] = strdup(value);
	return c->watch[c->n_watch] != NULL && c->n_watch++ < CONFIG_PATHS_MAX;
}

static bool
parse_count(const char *text, uint32_t *out)
{
	uint64_t value;

	if (text_u64(text, &value) == false || value > 1000000)
		return false;
	*out = (uint32_t)value;
	return true;
}

/* What the forms are called where one is expected. */
static const char *const form_names[] = {
    [FORM_TEXT] = "a text",
    [FORM_PATH] = "an absolute path",
    [FORM_COUNT] = "a number",
    [FORM_DURATION] = "a time such as 30s, 5m, 12h, 1d, 2w, 1M",
    [FORM_SIZE] = "a size such as 512M, 4G",
    [FORM_RATE] = "a rate such as 10/m, 100/h, or 0",
    [FORM_SWITCH] = "true or false",
    [FORM_QUOTA] = "a percentage or a size",
    [FORM_RULE] = "a rule",
    [FORM_WATCH] = "an absolute path, at most 16 times",
    [FORM_UPLOAD] = "coroner, http or none",
};

static bool
apply(struct config *c, const struct key *key, const char *value, bt_error_t *e)
{
	void *place = (char *)c + key->offset;
	bool good = false;

	switch (key->form) {
	case FORM_TEXT:
		good = replace_text(place, value);
		break;
	case FORM_PATH:
		good = value[0] == '/' && replace_text(place, value);
		break;
	case FORM_COUNT:
		good = parse_count(value, place);
		break;
	case FORM_DURATION:
		good = config_duration(value, place);
		break;
	case FORM_SIZE:
		good = text_size(value, place);
		break;
	case FORM_RATE:
		good = parse_rate(value, place);
		break;
	case FORM_SWITCH:
		good = parse_switch(value, place);
		break;
	case FORM_QUOTA:
		good = parse_quota(value, c);
		break;
	case FORM_RULE:
		return rules_add(&c->rules, value, e);
	case FORM_WATCH:
		good = add_watch(c, value);
		break;
	case FORM_UPLOAD:
		good = parse_upload(value, place);
		break;
	}
	return good ||
	    bt_fail(e, BT_E_USAGE, "%s: '%s' is not %s", key->name, value,
		form_names[key->form]);
}

/* ---- the file ---- */

static char *
trim(char *text)
{
	size_t n;

	while (isspace((unsigned char)*text))
		text++;
	n = strlen(text);
	while (n != 0 && isspace((unsigned char)text[n - 1]))
		text[--n] = '\0';
	return text;
}

/* "format.1", "watch.2": keys that may come several times. */
static bool
is_numbered(const char *name, const char *key)
{
	size_t len = strlen(key);
	uint64_t number;

	return strncmp(name, key, len) == 0 && name[len] == '.' &&
	    text_u64(name + len + 1, &number);
}

static const struct key *
find_key(const char *name)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		bool many = keys[i].form == FORM_RULE ||
		    keys[i].form == FORM_WATCH;

		if (many ? is_numbered(name, keys[i].name)
			 : strcmp(name, keys[i].name) == 0)
			return &keys[i];
	}
	return NULL;
}

static bool
apply_line(struct config *c, char section[64], char *line, bt_error_t *e)
{
	char *equals = strchr(line, '='), name[160];
	size_t len = strlen(line);
	const struct key *key;

	if (line[0] == '[' && line[len - 1] == ']' && len < 64) {
		(void)snprintf(section, 64, "%.*s", (int)(len - 2), line + 1);
		return true;
	}
	if (equals == NULL)
		return bt_fail(e, BT_E_USAGE, "'%s' is not KEY = VALUE", line);
	*equals = '\0';
	(void)snprintf(name, sizeof(name), "%s%s%.80s", section,
	    *section != '\0' ? "." : "", trim(line));
	key = find_key(name);
	if (key == NULL)
		return bt_fail(e, BT_E_USAGE, "unknown key '%s'", name);
	return apply(c, key, trim(equals + 1), e);
}

static bool
apply_text(struct config *c, const char *path, char *text, bt_error_t *e)
{
	char section[64] = "", *line;
	unsigned number = 0;

	while ((line = strsep(&text, "\n")) != NULL) {
		number++;
		line = trim(line);
		if (*line == '\0' || *line == '#' || *line == ';')
			continue;
		if (apply_line(c, section, line, e) == false)
			return bt_wrap(e, "%s:%u", path, number);
	}
	return true;
}

/* A program of ours: beside the one that runs. */
static bool
beside(char **place, const char *name, bt_error_t *e)
{
	char path[PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 64);

	if (n <= 0)
		return bt_fail_os(e, errno, "cannot find the own program");
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL)
		return bt_fail(e, BT_E_LIMIT, "the own path is none");
	(void)snprintf(slash + 1, 64, "%s", name);
	/* coresnapd is in sbin. */
	if (access(path, X_OK) != 0)
		(void)snprintf(slash + 1, 64, "../bin/%s", name);
	return replace_text(place, path) ||
	    bt_fail(e, BT_E_NOMEM, "out of memory");
}

static bool
set_defaults(struct config *c, bt_error_t *e)
{
	*c = (struct config){0};
	rules_init(&c->rules);
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (keys[i].initial != NULL &&
		    apply(c, &keys[i], keys[i].initial, e) == false)
			return false;
	if (replace_text(&c->upload_command, coroner) == false)
		return bt_fail(e, BT_E_NOMEM, "out of memory");
	return beside(&c->ptrace, "ptrace", e) &&
	    beside(&c->send, "coresnap-send", e);
}

/* Numbers with which nothing would work. */
static bool
check(struct config *c, bt_error_t *e)
{
	if (c->upload == UPLOAD_HTTP && *c->upload_url == '\0')
		return bt_fail(
		    e, BT_E_USAGE, "upload = http needs an upload.url");
	if (c->upload == UPLOAD_CORONER && *c->upload_url != '\0')
		c->upload = UPLOAD_HTTP;
	if (c->jobs == 0 || c->jobs > 64 || c->concurrent == 0 ||
	    c->concurrent > 64)
		return bt_fail(e, BT_E_USAGE,
		    "daemon.jobs and dump.concurrent are from 1 to 64");
	if (c->tries == 0 || c->timeout == 0 || c->upload_timeout == 0 ||
	    c->retry_first == 0 || c->retry_most < c->retry_first)
		return bt_fail(e, BT_E_USAGE,
		    "ptrace.tries, the timeouts and retry.first are at least "
		    "1, and retry.most is not less than retry.first");
	return true;
}

bool
config_load(struct config *c, const char *path, bt_error_t *e)
{
	struct buf text;
	bool good;
	int fd;

	if (set_defaults(c, e) == false)
		return false;
	if (path == NULL)
		return check(c, e);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return bt_fail_os(e, errno, "cannot open %s", path);
	buf_init(&text, FILE_MAX);
	good = file_read_fd(fd, &text, e) || bt_wrap(e, "%s", path);
	(void)close(fd);
	if (good) {
		(void)buf_text(&text);
		good = text.size == 0 ||
		    apply_text(c, path, (char *)text.data, e);
	}
	buf_deinit(&text);
	return good && (check(c, e) || bt_wrap(e, "%s", path));
}

void
config_deinit(struct config *c)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (keys[i].form == FORM_TEXT || keys[i].form == FORM_PATH)
			free(*(char **)((char *)c + keys[i].offset));
	for (size_t i = 0; i < c->n_watch; i++)
		free(c->watch[i]);
	rules_deinit(&c->rules);
	*c = (struct config){0};
}
