/* SPDX-License-Identifier: MIT */
/* A program that dies with secrets on its stacks and behind pointers. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

struct account {
	const char *user;
	char password[16];
	const char *api_token;
	long secret_pin;
	struct {
		const char *answer;
		int digits[2];
	} secret;
};

static struct account account = {"alice", "hunter2-in-array",
    "hunter2-behind-pointer", 271828, {"hunter2-in-struct", {314159, 2}}};
static pthread_barrier_t ready;

static void *
other(void *arg)
{
	struct account copy = *(struct account *)arg;

	(void)pthread_barrier_wait(&ready);
	(void)pause();
	return copy.user[0] == 'a' ? arg : NULL;
}

static int
login(const struct account *who, const char *passwd)
{
	struct account local = *who;

	*(volatile int *)0 = passwd[0];
	return local.password[0];
}

int
main(void)
{
	pthread_t thread;

	(void)pthread_barrier_init(&ready, NULL, 2);
	(void)pthread_create(&thread, NULL, other, &account);
	(void)pthread_barrier_wait(&ready);
	return login(&account, "hunter2-argument");
}
