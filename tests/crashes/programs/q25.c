/* SPDX-License-Identifier: MIT */
/*
 @id q25
 @cls seccomp-violation
 @dir none
 @flags -O0 -g
 @says ^system call 110 is forbidden by a seccomp filter$
 @also ^a handler caught SIGSYS and ended the process by SIGABRT$
 @mode core
 @note the filter traps, and the handler gives up
*/
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
static void
refused(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
	abort();
}
int
main(void)
{
	struct sock_filter filter[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog program = {4, filter};
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = refused;
	action.sa_flags = SA_SIGINFO;
	sigaction(SIGSYS, &action, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
	return (int)syscall(SYS_getppid);
}
