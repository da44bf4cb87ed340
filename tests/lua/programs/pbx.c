/* SPDX-License-Identifier: MIT */
/*
 * A stand-in for Asterisk: structures of the same kind, as far as the example
 * lua/examples/asterisk looks at them. It keeps records of the locks its
 * threads hold and wait for, task processors in a hash table, bridges in a
 * tree, channels in a hash table.
 *
 *	pbx		dies of SIGSEGV
 *	pbx run		sleeps
 *	pbx no-locks	as without DEBUG_THREADS
 *	pbx cyclic	the list of threads with locks is a cycle
 *	pbx absurd	counts that cannot be
 *	pbx freed	pointers into memory that is gone
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { MAX_LOCKS = 64, MAX_REENTRANCY = 10, BUCKETS = 7 };

enum ast_lock_type { AST_MUTEX, AST_RDLOCK, AST_WRLOCK };

struct ast_lock_track {
	const char *file[MAX_REENTRANCY];
	int lineno[MAX_REENTRANCY];
	int reentrancy;
	const char *func[MAX_REENTRANCY];
	pthread_t thread_id[MAX_REENTRANCY];
};

struct ast_mutex_info {
	pthread_mutex_t mutex;
	struct ast_lock_track *track;
	unsigned int tracking : 1;
};

struct thr_lock_info {
	const char *thread_name;
	pthread_t thread_id;
	struct {
		const char *file;
		const char *func;
		const char *lock_name;
		void *lock_addr;
		int line_num;
		int times_locked;
		int pending;
		enum ast_lock_type type;
		int suspended;
	} locks[MAX_LOCKS];
	unsigned int num_locks;
	struct {
		struct thr_lock_info *next;
	} entry;
};

static struct {
	struct thr_lock_info *first;
	struct thr_lock_info *last;
} lock_infos;

/* Objects in containers. */
struct ao2_node {
	struct {
		void *obj;
	} common;
	struct {
		struct ao2_node *last, *next;
	} links;
};

struct ao2_container { /* what all kinds have */
	int elements;
};

struct ao2_container_hash {
	struct ao2_container common;
	int n_buckets;
	struct {
		struct {
			struct ao2_node *first, *last;
		} list;
	} buckets[BUCKETS];
};

struct ao2_rbtree_node {
	struct {
		void *obj;
	} common;
	struct ao2_rbtree_node *left, *right;
};

struct ao2_container_rbtree {
	struct ao2_container common;
	struct ao2_rbtree_node *root;
};

struct tps_stats {
	unsigned long max_qsize;
	unsigned long _tasks_processed_count;
};

struct ast_taskprocessor {
	struct tps_stats *stats;
	long tps_queue_size, tps_queue_low, tps_queue_high;
	char name[];
};

struct ast_bridge {
	const char *uniqueid;
	unsigned num_channels;
	const char *type, *technology;
	struct timeval creationtime;
};

struct ast_channel {
	const char *name;
	char context[80], exten[80];
	int priority, state;
	const char *appl, *data;
	struct timeval creationtime;
};

const char asterisk_version[] = "20.0.0-stand-in";
const char *ast_build_user = "builder", *ast_build_hostname = "forge";
const char *ast_build_machine = "x86_64", *ast_build_os = "Linux";
const char *ast_build_date = "2024-01-02 03:04:05 UTC";
const char asterisk_build_opts[] = "DEBUG_THREADS, OPTIONAL_API";
struct timeval ast_startuptime = {1700000000, 0};
struct timeval ast_lastreloadtime = {1700003600, 0};
int countcalls = 2, totalcalls = 17;
struct ao2_container *tps_singletons, *channels, *bridges;

static struct ast_mutex_info lock_a, lock_b;

static void
track(struct ast_mutex_info *m, const char *file, int line, const char *func,
    pthread_t owner)
{
	m->track = calloc(1, sizeof(*m->track));
	m->tracking = 1;
	m->track->file[0] = file;
	m->track->lineno[0] = line;
	m->track->func[0] = func;
	m->track->thread_id[0] = owner;
	m->track->reentrancy = 1;
}

static struct thr_lock_info *
add_thread(const char *name, pthread_t id)
{
	struct thr_lock_info *info = calloc(1, sizeof(*info));

	info->thread_name = name;
	info->thread_id = id;
	if (lock_infos.last != NULL)
		lock_infos.last->entry.next = info;
	else
		lock_infos.first = info;
	lock_infos.last = info;
	return info;
}

static void
add_lock(struct thr_lock_info *info, const char *name, void *lock, int line,
    const char *func, int pending, enum ast_lock_type type)
{
	unsigned i = info->num_locks++;

	info->locks[i].file = "pbx.c";
	info->locks[i].func = func;
	info->locks[i].lock_name = name;
	info->locks[i].lock_addr = lock;
	info->locks[i].line_num = line;
	info->locks[i].times_locked = 1;
	info->locks[i].pending = pending;
	info->locks[i].type = type;
}

static void
fill_locks(void)
{
	struct thr_lock_info *a = add_thread("pbx_thread", pthread_self());
	struct thr_lock_info *b = add_thread("monitor", pthread_self() + 1);

	track(&lock_a, "pbx.c", 100, "serve", a->thread_id);
	track(&lock_b, "channel.c", 7, "hangup", b->thread_id);
	add_lock(a, "&lock_a", &lock_a, 100, "serve", 0, AST_MUTEX);
	add_lock(a, "&lock_b", &lock_b, 101, "serve", 1, AST_MUTEX);
	add_lock(b, "&lock_b", &lock_b, 7, "hangup", 0, AST_MUTEX);
	add_lock(b, "list", &bridges, 8, "hangup", 0, AST_RDLOCK);
	b->locks[1].times_locked = 3;
	add_lock(b, "tried", &channels, 9, "hangup", -1, AST_WRLOCK);
	add_lock(b, "skipped", &channels, 10, "hangup", 0, AST_MUTEX);
	b->locks[3].suspended = 47;
}

static void
put(struct ao2_container *container, void *obj, unsigned bucket)
{
	struct ao2_container_hash *c = (void *)container;
	struct ao2_node *node = calloc(1, sizeof(*node));

	node->common.obj = obj;
	node->links.last = c->buckets[bucket].list.last;
	if (node->links.last != NULL)
		node->links.last->links.next = node;
	else
		c->buckets[bucket].list.first = node;
	c->buckets[bucket].list.last = node;
}

static struct ao2_container *
new_hash(void)
{
	struct ao2_container_hash *c = calloc(1, sizeof(*c));

	c->n_buckets = BUCKETS;
	return &c->common;
}

static void
fill_containers(void)
{
	static const char *const names[] = {
	    "subp:PJSIP", "app_voicemail", "subm:cdr_engine", "core_event"};
	struct ao2_container_rbtree *tree = calloc(1, sizeof(*tree));
	struct timeval now = {1700007200, 0};

	tps_singletons = new_hash();
	for (unsigned i = 0; i < 4; i++) {
		struct ast_taskprocessor *p = calloc(1, sizeof(*p) + 40);

		p->stats = calloc(1, sizeof(*p->stats));
		p->stats->max_qsize = 10 * i;
		p->stats->_tasks_processed_count = 1000 + i;
		p->tps_queue_size = i;
		p->tps_queue_low = 450;
		p->tps_queue_high = 500;
		(void)snprintf(p->name, 40, "%s", names[i]);
		put(tps_singletons, p, i / 2);
	}
	bridges = &tree->common;
	for (unsigned i = 0; i < 3; i++) {
		struct ao2_rbtree_node *n = calloc(1, sizeof(*n));
		struct ast_bridge *b = calloc(1, sizeof(*b));

		b->uniqueid = i == 0 ? "b-2" : i == 1 ? "b-1" : "b-3";
		b->num_channels = i;
		b->type = "basic";
		b->technology = "simple_bridge";
		b->creationtime = now;
		n->common.obj = b;
		if (i == 0)
			tree->root = n;
		else if (i == 1)
			tree->root->left = n;
		else
			tree->root->right = n;
	}
	channels = new_hash();
	for (unsigned i = 0; i < 2; i++) {
		struct ast_channel *c = calloc(1, sizeof(*c));

		c->name = i == 0 ? "PJSIP/alice-1" : "PJSIP/bob-2";
		(void)snprintf(c->context, sizeof(c->context), "default");
		(void)snprintf(c->exten, sizeof(c->exten), "10%u", i);
		c->priority = 1 + (int)i;
		c->state = 6;
		c->appl = i == 0 ? "Dial" : NULL;
		c->data = i == 0 ? "PJSIP/bob,30" : NULL;
		c->creationtime = now;
		put(channels, c, 3);
	}
}

static void
damage(const char *how)
{
	struct ao2_container_hash *tps = (void *)tps_singletons;
	struct ao2_container_rbtree *tree = (void *)bridges;
	struct ao2_node *first = tps->buckets[0].list.first;

	if (strcmp(how, "no-locks") == 0) {
		lock_infos.first = lock_infos.last = NULL;
	} else if (strcmp(how, "cyclic") == 0) {
		lock_infos.last->entry.next = lock_infos.first;
		first->links.last = tps->buckets[0].list.last;
		tree->root->left->left = tree->root;
	} else if (strcmp(how, "absurd") == 0) {
		lock_infos.first->num_locks = 4000000000U;
		tps->n_buckets = 2147483647;
	} else if (strcmp(how, "freed") == 0) {
		lock_infos.first->entry.next = (void *)0x10000;
		first->common.obj = (void *)0x20000;
		tree->root->right = (void *)0x30000;
		channels = (void *)0x40000;
	}
}

int
main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";

	fill_locks();
	fill_containers();
	damage(how);
	if (strcmp(how, "run") == 0) {
		(void)puts("ready");
		(void)fflush(stdout);
		(void)pause();
	}
	*(volatile int *)0 = 1;
	return 0;
}
