// Standard containers, as their members show them.
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>
struct Record { std::string name; std::vector<int> scores; };
__attribute__((noinline)) static size_t
total(const std::vector<Record> &records, const std::string &key,
    std::shared_ptr<int> shared)
{
	size_t sum = 0;
	std::pair<int, const char *> best(0, "none");
	for (const Record &record : records) {
		sum += record.scores.size();
		if (record.name == key)
			best = {record.scores[0], record.name.c_str()};
	}
	if (best.first == 70)
		abort();
	return sum + (size_t)*shared;
}
int
main()
{
	std::vector<Record> records = {{"ann", {10, 20}}, {"bob", {70}},
	    {"a name that is longer than the small buffer", {}}};
	std::map<int, std::string> index = {{1, "one"}, {2, "two"}};
	std::unique_ptr<int> owned(new int(5));
	return (int)total(records, "bob", std::make_shared<int>(4)) +
	    (int)index.size() + *owned;
}
