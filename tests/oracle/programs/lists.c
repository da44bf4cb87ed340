/* Linked lists, trees, cycles, pointers to pointers. */
#include <stdlib.h>
struct tree { struct tree *left, *right; int key; struct tree **slot; };
struct ring { struct ring *next; void *payload; };
__attribute__((noinline)) static struct tree *
insert(struct tree **root, int key)
{
	struct tree **at = root;
	while (*at)
		at = key < (*at)->key ? &(*at)->left : &(*at)->right;
	*at = calloc(1, sizeof(**at));
	(*at)->key = key;
	(*at)->slot = at;
	return *at;
}
__attribute__((noinline)) static int
walk(struct tree *t, struct ring *ring, int depth)
{
	struct tree *child = t->left ? t->left : t->right;
	ring = ring->next;
	if (!child)
		abort();
	return walk(child, ring, depth + 1) + t->key;
}
int
main(void)
{
	struct tree *root = 0;
	struct ring a, b = {&a, &root};
	static const int keys[] = {50, 30, 70, 20, 40, 10};
	a.next = &b;
	a.payload = &b;
	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		insert(&root, keys[i]);
	return walk(root, &a, 0);
}
