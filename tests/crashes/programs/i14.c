/* SPDX-License-Identifier: MIT */
/*
 @id i14
 @cls trap
 @alt abort
 @dir none
 @flags -O0 -g
 @link -l:libglib-2.0.so.0
 @says ^GLib ended the process at a message that was fatal
 @needs gio
 @mode core
 @variants no (there is no static library, and one is enough)
 @note g_error()
*/
void g_log(const char *, int, const char *, ...);
int
main(void)
{
	g_log(0, 1 << 2, "no such table");
	return 0;
}
