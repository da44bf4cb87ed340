// SPDX-License-Identifier: MIT
// Every kind of container in a global, and what is in it, as JSON, in the file
// "truth.json"; others that are damaged on purpose, and locals that are not
// constructed yet. Then it aborts.
#include <any>
#include <array>
#include <atomic>
#include <bitset>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <forward_list>
#include <fstream>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

struct Point {
	int x;
	std::string name;
	bool operator<(const Point &o) const { return x < o.x; }
};
enum class Color { red = 3, green = 7 };
struct Wide {
	alignas(32) double v[4];
};
struct Empty {};
typedef std::vector<int> Ints;
using Table = std::map<std::string, std::vector<std::map<int, std::string>>>;

static int numbers[] = {4, 5, 6};

static int
increment(int a)
{
	return a + 1;
}

struct All {
	std::vector<int> vector;
	std::vector<int> empty_vector;
	std::vector<int> moved;
	std::vector<long> long_vector;
	std::vector<bool> bits;
	std::vector<Point> points;
	std::vector<std::unique_ptr<Point>> owners;
	Ints ints;
	std::deque<short> deque;
	std::deque<Point> deque_of_large;
	std::deque<int> empty_deque;
	std::list<std::string> list;
	std::list<int> empty_list, long_list;
	std::list<Wide> wide_list;
	std::forward_list<double> forward;
	std::forward_list<int> empty_forward;
	std::map<std::string, int> map;
	std::map<int, Point> points_by_number;
	std::map<Point, int> by_point;
	std::map<Color, const char *> colors;
	std::map<int, int> long_map, empty_map;
	std::multimap<int, char> multimap;
	std::set<double> set;
	std::set<std::string> names;
	std::multiset<int> multiset;
	std::map<long, Wide> wide_map;
	std::unordered_map<int, std::string> unordered;
	std::unordered_map<std::string, std::vector<int>> unordered_text;
	std::unordered_multimap<int, int> unordered_multi;
	std::unordered_set<long> unordered_set;
	std::unordered_set<int> empty_unordered;
	std::optional<int> full, none;
	std::optional<Point> full_point;
	std::variant<int, std::string, double> choice, number;
	std::tuple<int, std::string, char, Empty, double> tuple;
	std::tuple<> empty_tuple;
	std::pair<int, std::string> pair;
	std::array<int, 4> array;
	std::array<Point, 2> array_of_points;
	std::array<int, 0> empty_array;
	std::string text, long_text, empty_text;
	std::wstring wide_text;
	std::u16string text16;
	std::u32string text32;
	std::string_view view;
	std::span<int> span;
	std::span<int, 2> fixed_span{numbers, 2};
	Table table;
	std::vector<std::optional<std::pair<int, std::set<int>>>> nested;
	std::unique_ptr<Point> unique;
	std::unique_ptr<int> no_unique;
	std::unique_ptr<FILE, int (*)(FILE *)> with_deleter{nullptr, nullptr};
	std::shared_ptr<Point> shared, other;
	std::shared_ptr<int> no_shared;
	std::weak_ptr<Point> weak;
	std::weak_ptr<int> expired;
	std::function<int(int)> function, lambda, no_function;
	std::any any_text, any_int, any_point, no_any;
	std::atomic<int> atomic;
	std::atomic<bool> flag;
	std::atomic<Point *> pointer;
	std::bitset<10> bitset;
	std::bitset<200> long_bitset;
	std::chrono::milliseconds duration;
	std::chrono::duration<double, std::ratio<60>> minutes;
	std::chrono::system_clock::time_point time;
	std::chrono::time_point<std::chrono::system_clock,
	    std::chrono::seconds> before;
	std::chrono::steady_clock::time_point steady;
};

// Damaged: never destroyed.
union Hidden {
	std::vector<int> vector;
	std::string text;
	std::list<int> list;
	std::map<int, int> map;
	std::unordered_map<int, int> unordered;
	std::deque<int> deque;
	std::forward_list<int> forward;
	std::shared_ptr<int> shared;
	Hidden() {}
	~Hidden() {}
};
struct Broken {
	Hidden vector, backwards, far, text, list, ring, map, inner, unordered,
	    short_chain, deque, forward, shared;
	std::optional<int> optional;
	std::variant<int, double> variant;
};

All all;
Broken broken;

// ---- the truth ----

static std::ostringstream out;

template <class T> static void tell(const T &value);
static void
tell(const std::string &s)
{
	out << '"';
	for (unsigned char c : s)
		out << (char)c;
	out << '"';
}
static void tell(const char *s) { tell(std::string(s)); }
static void tell(std::string_view s) { tell(std::string(s)); }
static void tell(bool b) { out << (b ? "true" : "false"); }
static void tell(char c) { out << (int)c; }
static void tell(int v) { out << v; }
static void tell(short v) { out << v; }
static void tell(long v) { out << v; }
static void tell(double v) { out << v; }
static void tell(Color c) { out << (c == Color::red ? "\"red\"" : "\"green\""); }
static void tell(const Empty &) { out << "[]"; }
static void
tell(const Point &p)
{
	out << '[';
	tell(p.x);
	out << ',';
	tell(p.name);
	out << ']';
}
static void
tell(const Wide &w)
{
	out << "[[" << w.v[0] << ',' << w.v[1] << ',' << w.v[2] << ',' << w.v[3]
	    << "]]";
}
template <class A, class B>
static void
tell(const std::pair<A, B> &p)
{
	out << '[';
	tell(p.first);
	out << ',';
	tell(p.second);
	out << ']';
}
template <class T>
static void
tell(const std::optional<T> &o)
{
	out << '[';
	if (o)
		tell(*o);
	out << ']';
}
template <class T>
static void
tell(const std::unique_ptr<T> &p)
{
	out << '[';
	if (p)
		tell(*p);
	out << ']';
}
template <class T>
static void
tell(const T &range)
{
	const char *comma = "";

	out << '[';
	for (const auto &e : range) {
		out << comma;
		tell(e);
		comma = ",";
	}
	out << ']';
}
static void
tell(const std::vector<bool> &bits)
{
	const char *comma = "";

	out << '[';
	for (bool b : bits) {
		out << comma << (b ? "true" : "false");
		comma = ",";
	}
	out << ']';
}

#define TELL(NAME) (out << ",\n\"" #NAME "\":", tell(all.NAME))

static void
tell_all()
{
	out << "{\"\":0";
	TELL(vector); TELL(empty_vector); TELL(moved); TELL(long_vector);
	TELL(bits); TELL(points); TELL(owners); TELL(ints);
	TELL(deque); TELL(deque_of_large); TELL(empty_deque);
	TELL(list); TELL(empty_list); TELL(long_list); TELL(wide_list);
	TELL(forward); TELL(empty_forward);
	TELL(map); TELL(points_by_number); TELL(by_point); TELL(colors);
	TELL(long_map); TELL(empty_map); TELL(multimap); TELL(set); TELL(names);
	TELL(multiset); TELL(wide_map);
	TELL(unordered); TELL(unordered_text); TELL(unordered_multi);
	TELL(unordered_set); TELL(empty_unordered);
	TELL(full); TELL(none); TELL(full_point);
	TELL(pair); TELL(array); TELL(array_of_points); TELL(empty_array);
	TELL(text); TELL(long_text); TELL(empty_text); TELL(view);
	TELL(span); TELL(fixed_span); TELL(table); TELL(nested);
	TELL(unique); TELL(no_unique);
	out << "}\n";
	std::ofstream("truth.json") << out.str();
}

// ---- the contents ----

static void
fill_sequences()
{
	all.vector = {1, 2, 3};
	all.vector.reserve(8);
	all.moved = {1, 2, 3};
	all.ints = std::move(all.moved);
	for (long i = 0; i < 1000; i++)
		all.long_vector.push_back(i * i);
	for (int i = 0; i < 70; i++)
		all.bits.push_back(i % 3 == 0);
	all.points = {{1, "one"}, {2, "two"}};
	all.owners.push_back(std::make_unique<Point>(Point{9, "owned"}));
	all.owners.push_back(nullptr);
	// Not from the start of a block, over several blocks.
	for (int i = 0; i < 300; i++)
		all.deque.push_back((short)i);
	for (int i = 0; i < 260; i++)
		all.deque.pop_front();
	all.deque.push_front(-1);
	for (int i = 0; i < 30; i++)
		all.deque_of_large.push_back({i, std::string((size_t)i, 'x')});
	all.list = {"a", "a text that is too long for the short form"};
	for (int i = 0; i < 100; i++)
		all.long_list.push_back(i);
	all.wide_list.push_back({{1, 2, 3, 4}});
	all.forward = {1.5, -2.5};
	all.array = {4, 3, 2, 1};
	all.array_of_points = {{{7, "seven"}, {8, "eight"}}};
	all.span = std::span<int>(numbers);
}

static void
fill_maps()
{
	all.map = {{"one", 1}, {"two", 2}, {"three", 3}};
	for (int i : {5, 3, 9, 1, 4, 7, 8})
		all.points_by_number[i] = {i * 10, std::to_string(i)};
	all.by_point = {{{1, "p"}, 11}, {{2, "q"}, 22}};
	all.colors = {{Color::green, "g"}, {Color::red, "r"}};
	for (int i = 0; i < 500; i++)
		all.long_map[i * 7919 % 500] = i;
	all.multimap = {{1, 'a'}, {1, 'b'}, {2, 'c'}};
	all.set = {2.25, -1, 1e100};
	all.names = {"x", "y"};
	all.multiset = {3, 1, 3};
	all.wide_map[-5] = {{5, 6, 7, 8}};
	all.unordered = {{1, "one"}, {2, "two"}, {3, "three"}};
	all.unordered_text = {{"k", {1, 2}}, {"empty", {}}};
	all.unordered_multi = {{1, 1}, {1, 2}, {5, 3}};
	for (long i = 0; i < 90; i++)
		all.unordered_set.insert(i * 1000);
	all.table["t"] = {{{1, "a"}, {2, "b"}}, {}, {{3, "c"}}};
	all.nested = {std::nullopt, std::make_pair(1, std::set<int>{1, 2})};
}

static void
fill_values()
{
	all.full = 5;
	all.full_point = Point{1, "in"};
	all.choice = std::string("chosen");
	all.number = 2.5;
	all.tuple = {1, "two", '3', {}, 4.5};
	all.pair = {1, "second"};
	all.text = "short";
	all.long_text.assign(3000, 'z');
	all.wide_text = L"w\u00edde \U0001F600";
	all.text16 = u"sixteen \u20ac \U0001F600";
	all.text32 = U"thirty-two";
	all.view = std::string_view("not all of it", 7);
	all.unique = std::make_unique<Point>(Point{3, "unique"});
	all.shared = std::make_shared<Point>(Point{4, "shared"});
	all.other = all.shared;
	all.weak = all.shared;
	all.expired = std::make_shared<int>(1);
	all.function = increment;
	all.lambda = [](int x) { return x * 2; };
	all.any_text = std::string("any");
	all.any_int = 77;
	all.any_point = Point{6, "any"};
	all.atomic = 8;
	all.flag = true;
	all.pointer = all.unique.get();
	all.bitset = std::bitset<10>(0x2a5);
	all.long_bitset.set(199).set(0);
	all.duration = std::chrono::milliseconds(1500);
	all.minutes = std::chrono::duration<double, std::ratio<60>>(2.5);
	all.time = std::chrono::system_clock::time_point(
	    std::chrono::seconds(1700000000) + std::chrono::milliseconds(250));
	all.before = std::chrono::time_point<std::chrono::system_clock,
	    std::chrono::seconds>(std::chrono::seconds(-86401));
	all.steady = std::chrono::steady_clock::time_point(
	    std::chrono::seconds(5));
}

// ---- damage ----

static void
fill(void *place, size_t size)
{
	memset(place, 0x5a, size);
}

static void
set_word(void *place, size_t index, const void *value)
{
	memcpy((char *)place + index * sizeof(void *), &value, sizeof(value));
}

static void
damage()
{
	fill(&broken.vector, sizeof(broken.vector));
	set_word(&broken.backwards, 0, numbers + 2);
	set_word(&broken.backwards, 1, numbers);
	set_word(&broken.backwards, 2, numbers + 2);
	set_word(&broken.far, 0, (void *)0x100000000000);
	set_word(&broken.far, 1, (void *)0x100000000100);
	set_word(&broken.far, 2, (void *)0x100000000100);
	fill(&broken.text, sizeof(broken.text));
	fill(&broken.list, sizeof(broken.list));
	new (&broken.ring.list) std::list<int>{1, 2, 3, 4};
	// The second node is its own neighbour: {next, prev} or {prev, next}.
	void **node = (void **)&*std::next(broken.ring.list.begin()) - 2;
	node[0] = node[1] = node;
	fill(&broken.map, sizeof(broken.map));
	new (&broken.inner.map) std::map<int, int>();
	for (int i = 0; i < 20; i++)
		broken.inner.map[i] = i;
	fill((char *)&*broken.inner.map.find(3) - 32, 32);
	fill(&broken.unordered, sizeof(broken.unordered));
	new (&broken.short_chain.unordered) std::unordered_map<int, int>();
	for (int i = 0; i < 20; i++)
		broken.short_chain.unordered[i] = i;
	// The chain of nodes begins with the word in front of the first value;
	// libc++ keeps the hash between them.
#ifdef _LIBCPP_VERSION
	*((void **)&*broken.short_chain.unordered.begin() - 2) = nullptr;
#else
	*((void **)&*broken.short_chain.unordered.begin() - 1) = nullptr;
#endif
	fill(&broken.deque, sizeof(broken.deque));
	new (&broken.forward.forward) std::forward_list<int>{1, 2, 3};
	void **first = (void **)&*broken.forward.forward.begin() - 1;
	void **last = (void **)&*std::next(broken.forward.forward.begin(), 2) - 1;
	*last = first;
	fill(&broken.shared, sizeof(broken.shared));
	fill(&broken.optional, sizeof(broken.optional));
	fill(&broken.variant, sizeof(broken.variant));
}

// ---- locals ----

__attribute__((noinline)) static void
dirty()
{
	volatile unsigned char garbage[8192];

	for (size_t i = 0; i < sizeof(garbage); i++)
		garbage[i] = 0x5a;
}

__attribute__((noinline)) static int
die(const std::vector<Point> &points, std::map<std::string, int> *map)
{
	if (points.size() != 99)
		std::abort();
	std::vector<int> later = {1};
	std::list<int> later_list = {1};
	std::map<int, int> later_map = {{1, 1}};
	std::string later_text = "text";
	std::unordered_set<int> later_set = {1};
	std::deque<int> later_deque = {1};
	return later[0] + later_list.front() + later_map[1] +
	    (int)later_text.size() + (int)map->size() + (int)later_set.size() +
	    later_deque[0];
}

int
main()
{
	fill_sequences();
	fill_maps();
	fill_values();
	tell_all();
	damage();
	dirty();
	return die(all.points, &all.map);
}
