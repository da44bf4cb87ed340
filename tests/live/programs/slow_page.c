/* SPDX-License-Identifier: MIT */
/*
 * Its stack points to a page that nobody delivers (userfaultfd without a
 * handler): whoever reads it waits for ever.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static void __attribute__((noinline)) waits(char *page)
{
	char *volatile kept = page;

	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
	(void)kept;
}

int
main(void)
{
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register reg = {.mode = UFFDIO_REGISTER_MODE_MISSING};
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	reg.range.start = (uint64_t)(uintptr_t)page;
	reg.range.len = 4096;
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) != 0 ||
	    ioctl(fd, UFFDIO_REGISTER, &reg) != 0) {
		puts("no userfaultfd");
		return 0;
	}
	waits(page);
	return 0;
}
