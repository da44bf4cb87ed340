/* SPDX-License-Identifier: MIT */
/*
 * A server in miniature: hash tables, HTTP requests and a list of requests with
 * the layouts that libmtev's modules for ptrace expect. Two requests are being
 * served when it dies.
 */
#include <pthread.h>
#include <unistd.h>

#include "mtev_hash.h"

struct mtev_http1_request {
	char *method_str, *uri_str, *orig_qs;
	long content_length;
	struct {
		char *data;
		long size;
	} upload;
};
struct mtev_http2_request {
	int stream;
	char *method_str, *uri_str, *orig_qs;
	long content_length;
	struct {
		char *data;
		long size;
	} upload;
};

static struct entry settings_entries[] = {
    {"on", "feature", "feature"}, {"127.0.0.1", "listen", "listen"}};
static void *settings_slots[8];
static struct ck_hs_map settings_map;

static void *
serve2(void *arg)
{
	struct mtev_http2_request request = {
	    5, "POST", "/upload", NULL, 5, {"hello", 5}};
	struct mtev_http2_request *req = &request;

	(void)arg;
	pause();
	return req->method_str;
}

static void
serve1(struct mtev_http1_request *req, mtev_hash_table *settings)
{
	mtev_hash_table copy = *settings;

	*(volatile int *)0 = (int)copy.u.hs.map->size +
	    (int)req->content_length;
}

int
main(void)
{
	struct mtev_http1_request request = {
	    "GET", "/index", "a=1&b=2", -1, {NULL, 0}};
	mtev_hash_table settings;
	pthread_t thread;

	hash_fill(
	    &settings, &settings_map, settings_slots, 8, settings_entries, 2);
	observe();
	pthread_create(&thread, NULL, serve2, NULL);
	usleep(200000);
	serve1(&request, &settings);
	return 0;
}
