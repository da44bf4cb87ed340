// SPDX-License-Identifier: MIT
// A sound, busy C++ program: threads that hand shared objects over, grow
// containers, throw and catch, wait for conditions with and without limits,
// and take two locks at once.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

struct shape {
	virtual ~shape() = default;
	virtual double area() const = 0;
};
struct square : shape {
	double side;
	std::string name;
	explicit square(double s) : side(s), name(40, 'q') {}
	double area() const override { return side * side; }
};
struct circle : shape {
	std::vector<double> radii;
	explicit circle(double r) : radii(16, r) {}
	double area() const override { return radii[3] * radii[3] * 3; }
};

static std::mutex first, second, queue_lock;
static std::shared_mutex table_lock;
static std::map<std::string, std::shared_ptr<shape>> table;
static std::deque<std::function<double()>> queue;
static std::condition_variable filled;
static std::atomic<double> total;

static double parse(const std::string &text)
{
	if (text.size() % 3 == 0)
		throw std::invalid_argument("no number: " + text);
	return text.size();
}

static void produce(unsigned seed)
{
	for (unsigned i = 0;; i++) {
		std::shared_ptr<shape> s;
		std::string name(1 + (i * 7 + seed) % 60, 'a' + i % 26);

		if (i % 2)
			s = std::make_shared<square>(i % 9);
		else
			s = std::make_shared<circle>(i % 5);
		{
			std::unique_lock<std::shared_mutex> hold(table_lock);
			table[name] = s;
			if (table.size() > 500)
				table.erase(table.begin());
		}
		{
			std::lock_guard<std::mutex> hold(queue_lock);
			if (queue.size() < 1000)
				queue.push_back([s, name] {
					return s->area() + parse(name);
				});
		}
		filled.notify_one();
		std::scoped_lock both(first, second);
		total = total + 1;
	}
}

static void consume()
{
	for (;;) {
		std::function<double()> work;
		{
			std::unique_lock<std::mutex> hold(queue_lock);
			filled.wait_for(hold, std::chrono::milliseconds(50),
			    [] { return !queue.empty(); });
			if (queue.empty())
				continue;
			work = std::move(queue.front());
			queue.pop_front();
		}
		try {
			total = total + work();
		} catch (const std::exception &e) {
			total = total + std::string(e.what()).size();
		}
		std::shared_lock<std::shared_mutex> hold(table_lock);
		total = total + table.count("aaaa");
	}
}

int main()
{
	std::vector<std::thread> threads;

	for (unsigned i = 0; i < 6; i++)
		threads.emplace_back(produce, i);
	for (unsigned i = 0; i < 6; i++)
		threads.emplace_back(consume);
	for (auto &t : threads)
		t.join();
}
