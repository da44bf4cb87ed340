/* Structs by pointer and by value down a chain of calls, then a null store. */
struct point { int x, y; };
struct rect { struct point min, max; const char *label; };
struct node { struct node *next; long key; short tag[3]; };
static long depth_sum;
static int *volatile target;	/* null, which no compiler knows */
__attribute__((noinline)) static void
store(struct rect *r, int *out, unsigned char flag)
{
	int area = (r->max.x - r->min.x) * (r->max.y - r->min.y);
	*out = area + flag;
	depth_sum += area;
}
__attribute__((noinline)) static int
measure(struct rect r, struct node *list, double scale)
{
	int *where = target;
	long keys = 0;
	for (struct node *n = list; n; n = n->next)
		keys += n->key;
	store(&r, where, (unsigned char)(keys + (int)scale));
	return (int)keys;
}
int
main(int argc, char **argv)
{
	struct node tail = {0, 7, {1, 2, 3}}, head = {&tail, 35, {4, 5, 6}};
	struct rect r = {{1, 2}, {30 + argc, 40}, "the rect"};
	(void)argv;
	return measure(r, &head, 2.5) + (int)depth_sum;
}
