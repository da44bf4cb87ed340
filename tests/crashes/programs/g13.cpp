/* SPDX-License-Identifier: MIT */
/*
 @id g13
 @cls use-after-free
 @alt double-free
 @flags -O0 -g
 @mode core
 @says mark
 Who owns the peer is forgotten: the destructor of what is gone releases the
 mark that the allocator has put where the text of its name was.
*/
#include <memory>
#include <string>

struct Conn {
	std::unique_ptr<Conn> peer;
	std::string name = "a connection with a name that is long";
};
int
main()
{
	auto *c = new Conn;
	c->peer.reset(new Conn);
	Conn *p = c->peer.get();
	delete p;
	delete c;
	return 0;
}
