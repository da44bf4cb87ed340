// std::thread with a functor, a mutex held, a destructor that aborts.
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>
struct Bomb { int fuse; __attribute__((noinline)) ~Bomb() { if (fuse) abort(); } };
struct Worker {
	std::mutex &mutex;
	std::condition_variable &wake;
	bool &ready;
	int id;
	void operator()()
	{
		std::unique_lock<std::mutex> lock(mutex);
		wake.wait(lock, [this] { return ready; });
		Bomb bomb{id};
		bomb.fuse += 1;
	}
};
int
main()
{
	std::mutex mutex;
	std::condition_variable wake;
	bool ready = false;
	std::thread first(Worker{mutex, wake, ready, 3});
	{
		std::lock_guard<std::mutex> guard(mutex);
		ready = true;
	}
	wake.notify_one();
	first.join();
	return 0;
}
