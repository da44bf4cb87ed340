/* A call through a null function pointer. */
struct ops { int (*open)(int); int (*close)(int, const char *); };
__attribute__((noinline)) static int
run(const struct ops *ops, int handle)
{
	int opened = ops->open(handle);
	int closed = ops->close(opened, "bye");
	return opened + closed;
}
static int
opener(int handle)
{
	return handle + 1;
}
int
main(int argc, char **argv)
{
	struct ops ops = {opener, 0};
	(void)argv;
	return run(&ops, argc + 6) + 1;
}
