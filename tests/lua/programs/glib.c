/* SPDX-License-Identifier: MIT */
/*
 * Containers of GLib in all states; the argument damages some.
 *
 *	glib [cyclic|absurd|freed]
 */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#ifdef DESCRIBED
/* As debug information of GLib has it, which knows better than any table. */
struct _GHashTable {
	char other[256]; /* nothing is where a table would look for it */
	gsize size;
	gint mod;
	guint mask, nnodes, noccupied;
	guint have_big_keys : 1, have_big_values : 1;
	gpointer keys;
	guint *hashes;
	gpointer values;
	GHashFunc hash_func;
};

static GHashTable *
described(void)
{
	static guint hashes[4] = {0, 17, 1, 18};
	static gpointer keys[4] = {NULL, "first", NULL, "second"};
	static guint values[4] = {0, 5, 0, 6};
	static GHashTable t = {.size = 4,
	    .mask = 3,
	    .nnodes = 2,
	    .noccupied = 3,
	    .have_big_keys = 1,
	    .keys = keys,
	    .hashes = hashes,
	    .values = values,
	    .hash_func = g_str_hash};

	return &t;
}
#else
static GHashTable *
described(void)
{

	return NULL;
}
#endif

struct holder { /* containers inside of other things */
	GQueue queue;
	GList *list;
	GHashTable *table;
};

static GList *global_list;
static GString *global_string;

static void
die(volatile int *p)
{
	*p = 1;
}

static GHashTable *
by_name(void)
{
	GHashTable *t = g_hash_table_new(g_str_hash, g_str_equal);

	g_hash_table_insert(t, "one", GINT_TO_POINTER(1));
	g_hash_table_insert(t, "two", GINT_TO_POINTER(2));
	g_hash_table_insert(t, "gone", GINT_TO_POINTER(3));
	g_hash_table_remove(t, "gone");
	return t;
}

static GHashTable *
by_number(unsigned n, gsize value)
{
	GHashTable *t = g_hash_table_new(g_direct_hash, g_direct_equal);

	for (unsigned i = 0; i < n; i++)
		g_hash_table_insert(
		    t, GUINT_TO_POINTER(i + 1), (gpointer)(value + i));
	return t;
}

static GHashTable *
by_pointer(void)
{
	static const gint keys[] = {10, -20};
	GHashTable *t = g_hash_table_new(g_int_hash, g_int_equal);

	g_hash_table_insert(t, (gpointer)&keys[0], "ten");
	g_hash_table_insert(t, (gpointer)&keys[1], "twenty");
	return t;
}

static GList *
list_of(unsigned n)
{
	GList *l = NULL;

	for (unsigned i = 0; i < n; i++)
		l = g_list_prepend(l, GUINT_TO_POINTER(n - i));
	return l;
}

static void
damage(const char *how, GList *l, GSList *s, GQueue *q, GString *text,
    GArray *a, GPtrArray *p, GHashTable *t)
{
	if (strcmp(how, "cyclic") == 0) {
		l->next->next = l;
		s->next->next->next = s;
		q->head->next = q->head;
	} else if (strcmp(how, "absurd") == 0) {
		l->next->prev = NULL;
		q->length = 4000000000U;
		text->len = (gsize)1 << 60;
		a->len = 4000000000U;
		p->len = 4000000000U;
		((guint *)(void *)t)[4] = 2000000000; /* nnodes */
	} else if (strcmp(how, "freed") == 0) {
		l->next = (GList *)0x10000;
		s->next = (GSList *)0x10000;
		q->head = (GList *)0x10000;
		text->str = (gchar *)0x10000;
		a->data = (gchar *)0x10000;
		p->pdata = (gpointer *)0x10000;
		((gpointer *)(void *)t)[5] = (gpointer)0x10000; /* hashes */
	}
}

static void
show(const char *how)
{
	GList *list = list_of(3), *empty_list = NULL, *long_list = list_of(200);
	GList *second = list->next;
	GSList *slist = g_slist_append(
	    g_slist_append(g_slist_append(NULL, "a"), "b"), "c");
	GQueue *queue = g_queue_new();
	GString *string = g_string_new("some text");
	GString *empty_string = g_string_new("");
	GString *long_string = g_string_new(NULL);
	GArray *array = g_array_new(FALSE, FALSE, sizeof(gint));
	GArray *bytes = g_array_new(FALSE, FALSE, 1);
	GArray *wide = g_array_new(FALSE, FALSE, 24);
	GArray *empty_array = g_array_new(FALSE, FALSE, 8);
	GPtrArray *pointers = g_ptr_array_new();
	GByteArray *raw = g_byte_array_new();
	GHashTable *names = by_name(), *numbers = by_number(100, 1000);
	GHashTable *big = by_number(3, (gsize)1 << 40), *ints = by_pointer();
	GHashTable *set = g_hash_table_new(g_str_hash, g_str_equal);
	GHashTable *empty_table = g_hash_table_new(NULL, NULL);
	GHashTable **indirect = &names, *known = described();
	struct holder holder = {G_QUEUE_INIT, list, names};
	char block[24] = "twenty-four bytes of it";

	g_queue_push_tail(queue, GINT_TO_POINTER(7));
	g_queue_push_tail(queue, GINT_TO_POINTER(8));
	g_queue_push_tail(&holder.queue, GINT_TO_POINTER(9));
	for (int i = 0; i < 3000; i++)
		g_string_append_c(long_string, 'x');
	for (gint i = 0; i < 5; i++)
		g_array_append_val(array, i);
	g_array_append_vals(bytes, "\1\2\377", 3);
	g_array_append_vals(wide, block, 1);
	g_ptr_array_add(pointers, &global_list);
	g_ptr_array_add(pointers, NULL);
	g_byte_array_append(raw, (const guint8 *)"\5\6", 2);
	g_hash_table_add(set, "member");
	g_hash_table_add(set, "other");
	global_list = list_of(2);
	global_string = g_string_new("global");
	damage(how, list, slist, queue, string, array, pointers, names);
	die(NULL);
	(void)printf(
	    "%p %p %p %p %p %p %p %p %p %p %p %p %p %p %p %p %p %p %p\n",
	    (void *)known, (void *)empty_list, (void *)long_list,
	    (void *)second, (void *)empty_string, (void *)bytes, (void *)wide,
	    (void *)empty_array, (void *)pointers, (void *)raw, (void *)numbers,
	    (void *)big, (void *)ints, (void *)set, (void *)empty_table,
	    (void *)indirect, (void *)&holder, (void *)global_list,
	    (void *)global_string);
}

int
main(int argc, char **argv)
{

	show(argc > 1 ? argv[1] : "");
	return 0;
}
