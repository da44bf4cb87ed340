/* SPDX-License-Identifier: MIT */
/*
 @id x08
 @cls healthy
 @dir none
 @flags -O0 -g
 @also machine-check
 @never file-truncated|external
 @mode core
 @note as the kernel tells of memory that failed; the file under the mapping is as long as ever
*/
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
int
main(void)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	info.si_signo = SIGBUS;
	info.si_code = BUS_MCEERR_AR;
	info.si_addr = (void *)main;
	syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGBUS, &info);
	return 0;
}
