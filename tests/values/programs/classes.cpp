// SPDX-License-Identifier: MIT
// Values of C++ that need more than their members; dies in show().
#include <cstdlib>
#include <string>
#include <string_view>

struct Device {
	int id = 42;
	virtual int
	act(int x)
	{
		return x;
	}
	int
	plain(double)
	{
		return 1;
	}
	virtual ~Device() = default;
};
struct Disk : virtual Device {
	long size = 9;
};
struct Net : virtual Device {
	short port = 8;
};
struct Both : Disk, Net {
	char tag = 'T';
};
struct Part : Device {
	int extra = 5;
};

[[gnu::noinline]] static int
show(const std::string &name, Both &both)
{
	std::string own = "hello", longer(2000, 'z'), none;
	std::string_view view = "view";
	std::wstring wide = L"wide";
	int Device::*member = &Device::id;
	int Part::*inherited = &Part::id;
	int Part::*extra = &Part::extra;
	Part part;
	int Device::*no_member = nullptr;
	int (Device::*method)(double) = &Device::plain;
	Device *base = &both;
	std::nullptr_t null = nullptr;
	char8_t c8 = u8'x';
	const char8_t *text8 = u8"u8 text";

	std::abort();
	return part.extra != 0 && member != no_member && extra != inherited &&
	    method != nullptr && base != null && c8 == *text8 && name == own &&
	    view == longer && none.empty() && wide.empty();
}

int
main()
{
	Both both;

	return show("a name", both);
}
