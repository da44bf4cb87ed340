/* SPDX-License-Identifier: MIT */
/*
 * coresnap-send URL FILE: one HTTP POST. A program of its own, so that the
 * daemon holds neither TLS nor a network library while it sleeps.
 *
 * The same file is posted with the same Idempotency-Key however often it is
 * tried: an answer that was lost on its way must not make a second object.
 * Exit status: 0 delivered, 75 (EX_TEMPFAIL) try again, 65 (EX_DATAERR) it will
 * never be taken. "retry-after: SECONDS" is printed when the server says so.
 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "common/options.h"

enum { SENT = 0, USAGE = 1, NEVER = 65, AGAIN = 75, ANSWER_MAX = 4096 };

struct job {
	const char *url, *file, *id, *ca;
	uint64_t timeout;
	bool insecure, help, version;
	char answer[ANSWER_MAX];
	size_t n_answer;
};

static bool
on_id(void *ctx, const char *value, bt_error_t *e)
{
	(void)e;
	((struct job *)ctx)->id = value;
	return true;
}

static bool
on_ca(void *ctx, const char *value, bt_error_t *e)
{
	(void)e;
	((struct job *)ctx)->ca = value;
	return true;
}

static bool
on_timeout(void *ctx, const char *value, bt_error_t *e)
{
	struct job *j = ctx;

	return (text_u64(value, &j->timeout) && j->timeout != 0 &&
		   j->timeout < 1000000) ||
	    bt_fail(e, BT_E_USAGE, "--timeout: '%s' is no number of seconds",
		value);
}

static bool
on_insecure(void *ctx, const char *value, bt_error_t *e)
{
	(void)value;
	(void)e;
	((struct job *)ctx)->insecure = true;
	return true;
}

static bool
on_help(void *ctx, const char *value, bt_error_t *e)
{
	(void)value;
	(void)e;
	((struct job *)ctx)->help = true;
	return true;
}

static bool
on_version(void *ctx, const char *value, bt_error_t *e)
{
	(void)value;
	(void)e;
	((struct job *)ctx)->version = true;
	return true;
}

static bool
on_operand(void *ctx, const char *value, bt_error_t *e)
{
	struct job *j = ctx;

	if (j->url == NULL)
		j->url = value;
	else if (j->file == NULL)
		j->file = value;
	else
		return bt_fail(e, BT_E_USAGE, "unexpected operand '%s'", value);
	return true;
}

static const struct option_row rows[] = {
    {0, "id", "UUID", "name of the object: the Idempotency-Key", on_id},
    {0, "timeout", "SECONDS", "time for everything (300)", on_timeout},
    {0, "cacert", "FILE", "certificates that are trusted", on_ca},
    {'k', "insecure", NULL, "do not verify the server's certificate",
	on_insecure},
    {'h', "help", NULL, "show this text", on_help},
    {0, "version", NULL, "show the version", on_version},
    {0, NULL, NULL, NULL, NULL},
};

/* The beginning of the answer, for the log. */
static size_t
on_answer(char *data, size_t size, size_t n, void *ctx)
{
	struct job *j = ctx;
	size_t all = size * n, room = sizeof(j->answer) - 1 - j->n_answer;

	memcpy(j->answer + j->n_answer, data, all < room ? all : room);
	j->n_answer += all < room ? all : room;
	return all;
}

/* 4xx says that the request itself is wrong, with three exceptions: too slow,
 * too early, too many. Which credentials are wrong, and whether a project
 * exists, may change without us. */
static int
judge(long code)
{
	if (code >= 200 && code < 300)
		return SENT;
	if (code == 400 || code == 413 || code == 415 || code == 422)
		return NEVER;
	return AGAIN;
}

static int
say(const struct job *j, CURL *curl, CURLcode result, const char *detail)
{
	char line[512];
	long code = 0;
	curl_off_t after = 0;
	int status;

	if (result != CURLE_OK) {
		(void)fprintf(stderr, "%s\n",
		    *detail != '\0' ? detail : curl_easy_strerror(result));
		return result == CURLE_URL_MALFORMAT ||
			result == CURLE_UNSUPPORTED_PROTOCOL
		    ? USAGE
		    : AGAIN;
	}
	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
	status = judge(code);
	if (status != SENT) {
		(void)curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &after);
		if (after > 0)
			(void)printf("retry-after: %lld\n", (long long)after);
		(void)fflush(stdout);
		(void)fprintf(stderr, "HTTP %ld %s\n", code,
		    text_escape_into(line, sizeof(line), j->answer));
	} else if (j->n_answer != 0) {
		(void)printf(
		    "%s\n", text_escape_into(line, sizeof(line), j->answer));
	}
	return status;
}

static void
set_options(CURL *curl, struct job *j, FILE *f, int64_t size,
    struct curl_slist *headers, char *detail)
{
	(void)curl_easy_setopt(curl, CURLOPT_URL, j->url);
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(curl, CURLOPT_POST, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_READDATA, f);
	(void)curl_easy_setopt(
	    curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
	(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, j);
	(void)curl_easy_setopt(
	    curl, CURLOPT_TIMEOUT, j->timeout != 0 ? (long)j->timeout : 300L);
	(void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 20L);
	/* A hole in the net: not a byte in half a minute. */
	(void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 30L);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(
	    curl, CURLOPT_USERAGENT, "coresnap/" INQUEST_VERSION);
	/* A redirected POST would be sent to whom nobody named. */
	(void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	if (j->ca != NULL)
		(void)curl_easy_setopt(curl, CURLOPT_CAINFO, j->ca);
	if (j->insecure)
		(void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
}

static bool
add_header(struct curl_slist **list, const char *text)
{
	struct curl_slist *longer = curl_slist_append(*list, text);

	if (longer != NULL)
		*list = longer;
	return longer != NULL;
}

static int
post(struct job *j, FILE *f, int64_t size)
{
	char detail[CURL_ERROR_SIZE] = "", key[128];
	struct curl_slist *headers = NULL;
	CURL *curl = curl_easy_init();
	int status = AGAIN;

	(void)snprintf(key, sizeof(key), "Idempotency-Key: %.64s",
	    j->id != NULL ? j->id : "");
	/* "Expect:" away: servers that do not know it cost a second. */
	if (curl != NULL &&
	    add_header(&headers, "Content-Type: application/octet-stream") &&
	    add_header(&headers, "Expect:") &&
	    (j->id == NULL || add_header(&headers, key))) {
		set_options(curl, j, f, size, headers, detail);
		status = say(j, curl, curl_easy_perform(curl), detail);
	}
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	return status;
}

static int
send_file(struct job *j)
{
	int fd = open(j->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	FILE *f = fd >= 0 ? fdopen(fd, "rb") : NULL;
	struct stat st;
	int status = NEVER;

	if (f == NULL || fstat(fd, &st) != 0 || S_ISREG(st.st_mode) == false) {
		(void)fprintf(
		    stderr, "cannot read %s: %s\n", j->file, strerror(errno));
	} else if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		status = AGAIN;
	} else {
		status = post(j, f, st.st_size);
		curl_global_cleanup();
	}
	if (f != NULL)
		(void)fclose(f);
	else if (fd >= 0)
		(void)close(fd);
	return status;
}

static int
show_help(void)
{
	struct buf out;
	int status = SENT;

	buf_init(&out, 65536);
	buf_puts(&out,
	    "Usage: coresnap-send [OPTION]... URL FILE\n"
	    "\n"
	    "Sends a snapshot with one HTTP POST.\n"
	    "\n");
	options_help(rows, &out);
	if (fwrite(out.data, 1, out.size, stdout) != out.size ||
	    fflush(stdout) != 0)
		status = USAGE;
	buf_deinit(&out);
	return status;
}

int
main(int argc, char **argv)
{
	static struct job j;
	struct options_table table = {rows, on_operand, &j};
	bt_error_t e;

	(void)signal(SIGPIPE, SIG_IGN);
	if (options_parse(&table, argc, argv, &e) == false) {
		(void)fprintf(stderr, "coresnap-send: %s\n", e.text);
		return USAGE;
	}
	if (j.help)
		return show_help();
	if (j.version)
		return printf("coresnap-send (Inquest) %s\n", INQUEST_VERSION) <
		    0;
	if (j.file == NULL) {
		(void)fprintf(
		    stderr, "coresnap-send: a URL and a file are needed\n");
		return USAGE;
	}
	return send_file(&j);
}
