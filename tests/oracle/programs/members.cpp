// Member pointers, enum classes, bit-fields in classes, nullptr, constexpr.
#include <cstdlib>
#include <cstdint>
enum class Mode : uint8_t { Idle = 1, Busy = 200 };
enum Old { Zero, One };
struct Device {
	Mode mode;
	Old old;
	uint32_t low : 4, high : 12;
	int (Device::*action)(int);
	int counter;
	__attribute__((noinline)) int act(int n)
	{
		counter += n;
		if (counter > 4)
			abort();
		return counter;
	}
};
__attribute__((noinline)) static int
drive(Device &d, int Device::*field, decltype(nullptr) nothing, Mode mode)
{
	static constexpr int step = 5;
	int before = d.*field;
	(void)nothing;
	return (d.*d.action)(step) + before + (int)mode;
}
int
main()
{
	Device d = {Mode::Busy, One, 9, 1000, &Device::act, 0};
	return drive(d, &Device::counter, nullptr, Mode::Idle);
}
