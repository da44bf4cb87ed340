/* A table of words with open addressing; the comparison that the caller gave
 * meets an entry whose text is gone. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SLOTS 16

struct word {
	const char *text;
	uint32_t hash;
	unsigned short uses;
	enum { EMPTY, TAKEN, GONE } state;
};

struct table {
	struct word slot[SLOTS];
	size_t used;
	int (*same)(const struct word *, const char *, void *);
	void *context;
	const char *wanted;
	struct { unsigned long probes, inserts; double load; } stats;
};

struct counter { unsigned calls; size_t bytes; const struct table *owner; };

static volatile int sink;

__attribute__((noinline)) static uint32_t
hash_of(const char *text, size_t length)
{
	uint32_t hash = 2166136261u;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)text[i]) * 16777619u;
	return hash;
}

__attribute__((noinline)) static int
same_text(const struct word *word, const char *text, void *context)
{
	struct counter *counter = context;
	size_t length = strlen(text);
	int difference = 0;
	counter->calls++;
	counter->bytes += length;
	for (size_t i = 0; i <= length; i++)
		difference |= word->text[i] ^ text[i];
	sink = difference + (int)length;
	return difference == 0;
}

__attribute__((noinline)) static struct word *
find(struct table *table, const char *text, uint32_t hash, size_t *probes)
{
	size_t first = hash % SLOTS, at = first;
	struct word *grave = NULL;
	do {
		struct word *word = &table->slot[at];
		++*probes;
		if (word->state == EMPTY)
			return grave ? grave : word;
		if (word->state == GONE && !grave)
			grave = word;
		if (word->hash == hash &&
		    table->same(word, text, table->context)) {
			table->wanted = text;
			return word;
		}
		at = (at + 1) % SLOTS;
	} while (at != first);
	return grave;
}

__attribute__((noinline)) static int
add(struct table *table, const char *text)
{
	size_t length = strlen(text), probes = 0;
	uint32_t hash = hash_of(text, length);
	struct word *word = find(table, text, hash, &probes);
	table->stats.probes += probes;
	if (!word)
		return -1;
	if (word->state != TAKEN) {
		*word = (struct word){text, hash, 0, TAKEN};
		table->used++;
		table->stats.inserts++;
	}
	table->stats.load = (double)table->used / SLOTS;
	return ++word->uses + (int)length;
}

__attribute__((noinline)) static int
fill(struct table *table, const char *const *words, unsigned n)
{
	int total = 0;
	unsigned i;
	for (i = 0; i < n; i++) {
		int uses = add(table, words[i]);
		if (uses < 0)
			break;
		total += uses;
		if (i == 4)
			table->slot[hash_of("beta", 4) % SLOTS].text = NULL;
	}
	return total + (int)i;
}

int
main(void)
{
	static const char *const words[] = {"alpha", "beta", "gamma", "delta",
		"alpha", "beta", "epsilon"};
	struct counter counter = {0};
	struct table table = {.same = same_text, .context = &counter};
	int total;
	counter.owner = &table;
	total = fill(&table, words, sizeof(words) / sizeof(words[0]));
	return total + (int)counter.calls + (int)table.stats.probes;
}
