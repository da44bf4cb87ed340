/* Eight threads, each waiting in a different depth, one aborts. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include <stdio.h>
static pthread_barrier_t ready;
struct job { int id; char name[16]; double weight; struct job *peer; };
__attribute__((noinline)) static int
park(struct job *job, int level)
{
	char here[8];
	snprintf(here, sizeof(here), "L%d", level);
	if (level > 0)
		return park(job, level - 1) + here[0];
	pthread_barrier_wait(&ready);
	if (job->id == 5)
		abort();
	for (;;)
		pause();
}
static void *
work(void *arg)
{
	struct job *job = arg;
	long cookie = job->id * 1000003L;
	long depth = park(job, job->id);
	return (void *)(depth + cookie + job->id);
}
int
main(void)
{
	static struct job jobs[8];
	pthread_t t[8];
	pthread_barrier_init(&ready, 0, 9);
	for (int i = 0; i < 8; i++) {
		jobs[i].id = i;
		jobs[i].weight = i / 4.0;
		jobs[i].peer = &jobs[(i + 1) % 8];
		snprintf(jobs[i].name, sizeof(jobs[i].name), "job-%d", i);
		pthread_create(&t[i], 0, work, &jobs[i]);
	}
	pthread_barrier_wait(&ready);
	for (int i = 0; i < 8; i++)
		pthread_join(t[i], 0);
	return 0;
}
