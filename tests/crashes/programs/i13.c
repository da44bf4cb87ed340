/* SPDX-License-Identifier: MIT */
/*
 @id i13
 @cls assert
 @dir none
 @flags -O0 -g
 @link -l:libglib-2.0.so.0
 @says ^assertion failed: .*check: assertion failed: \(n < 3\)$
 @needs gio
 @mode core
 @variants no (there is no static library, and one is enough)
 @note g_assert() of GLib, as its header has it
*/
void g_assertion_message_expr(
    const char *, const char *, int, const char *, const char *)
    __attribute__((noreturn));
__attribute__((noinline)) static int
check(int n)
{
	if (!(n < 3))
		g_assertion_message_expr(
		    0, __FILE__, __LINE__, __func__, "n < 3");
	return n;
}
int
main(int argc, char **argv)
{
	(void)argv;
	return check(argc + 4);
}
