/* SPDX-License-Identifier: MIT */
/*
 * Names of Linux signals and of their si_code values, as
 * <asm-generic/siginfo.h> and signal(7) have them (Linux 6.1).
 */
#include <signal.h>

#include "snapshot/model.h"

struct code_name {
	int signal; /* 0: any */
	int code;
	const char *name;
};

/* clang-format off: a table */
static const struct {
	int number;
	const char *name;
} signal_names[] = {
    {SIGHUP, "SIGHUP"},
    {SIGINT, "SIGINT"},
    {SIGQUIT, "SIGQUIT"},
    {SIGILL, "SIGILL"},
    {SIGTRAP, "SIGTRAP"},
    {SIGABRT, "SIGABRT"},
    {SIGBUS, "SIGBUS"},
    {SIGFPE, "SIGFPE"},
    {SIGKILL, "SIGKILL"},
    {SIGUSR1, "SIGUSR1"},
    {SIGSEGV, "SIGSEGV"},
    {SIGUSR2, "SIGUSR2"},
    {SIGPIPE, "SIGPIPE"},
    {SIGALRM, "SIGALRM"},
    {SIGTERM, "SIGTERM"},
    {SIGSTKFLT, "SIGSTKFLT"},
    {SIGCHLD, "SIGCHLD"},
    {SIGCONT, "SIGCONT"},
    {SIGSTOP, "SIGSTOP"},
    {SIGTSTP, "SIGTSTP"},
    {SIGTTIN, "SIGTTIN"},
    {SIGTTOU, "SIGTTOU"},
    {SIGURG, "SIGURG"},
    {SIGXCPU, "SIGXCPU"},
    {SIGXFSZ, "SIGXFSZ"},
    {SIGVTALRM, "SIGVTALRM"},
    {SIGPROF, "SIGPROF"},
    {SIGWINCH, "SIGWINCH"},
    {SIGIO, "SIGIO"},
    {SIGPWR, "SIGPWR"},
    {SIGSYS, "SIGSYS"},
};

static const struct code_name code_names[] = {
    {0, 0, "SI_USER"},
    {0, 0x80, "SI_KERNEL"},
    {0, -1, "SI_QUEUE"},
    {0, -2, "SI_TIMER"},
    {0, -3, "SI_MESGQ"},
    {0, -4, "SI_ASYNCIO"},
    {0, -5, "SI_SIGIO"},
    {0, -6, "SI_TKILL"},
    {0, -7, "SI_DETHREAD"},
    {0, -60, "SI_ASYNCNL"},
    {SIGILL, 1, "ILL_ILLOPC"},
    {SIGILL, 2, "ILL_ILLOPN"},
    {SIGILL, 3, "ILL_ILLADR"},
    {SIGILL, 4, "ILL_ILLTRP"},
    {SIGILL, 5, "ILL_PRVOPC"},
    {SIGILL, 6, "ILL_PRVREG"},
    {SIGILL, 7, "ILL_COPROC"},
    {SIGILL, 8, "ILL_BADSTK"},
    {SIGILL, 9, "ILL_BADIADDR"},
    {SIGFPE, 1, "FPE_INTDIV"},
    {SIGFPE, 2, "FPE_INTOVF"},
    {SIGFPE, 3, "FPE_FLTDIV"},
    {SIGFPE, 4, "FPE_FLTOVF"},
    {SIGFPE, 5, "FPE_FLTUND"},
    {SIGFPE, 6, "FPE_FLTRES"},
    {SIGFPE, 7, "FPE_FLTINV"},
    {SIGFPE, 8, "FPE_FLTSUB"},
    {SIGFPE, 14, "FPE_FLTUNK"},
    {SIGFPE, 15, "FPE_CONDTRAP"},
    {SIGSEGV, 1, "SEGV_MAPERR"},
    {SIGSEGV, 2, "SEGV_ACCERR"},
    {SIGSEGV, 3, "SEGV_BNDERR"},
    {SIGSEGV, 4, "SEGV_PKUERR"},
    {SIGSEGV, 5, "SEGV_ACCADI"},
    {SIGSEGV, 6, "SEGV_ADIDERR"},
    {SIGSEGV, 7, "SEGV_ADIPERR"},
    {SIGSEGV, 8, "SEGV_MTEAERR"},
    {SIGSEGV, 9, "SEGV_MTESERR"},
    {SIGSEGV, 10, "SEGV_CPERR"},
    {SIGBUS, 1, "BUS_ADRALN"},
    {SIGBUS, 2, "BUS_ADRERR"},
    {SIGBUS, 3, "BUS_OBJERR"},
    {SIGBUS, 4, "BUS_MCEERR_AR"},
    {SIGBUS, 5, "BUS_MCEERR_AO"},
    {SIGTRAP, 1, "TRAP_BRKPT"},
    {SIGTRAP, 2, "TRAP_TRACE"},
    {SIGTRAP, 3, "TRAP_BRANCH"},
    {SIGTRAP, 4, "TRAP_HWBKPT"},
    {SIGTRAP, 5, "TRAP_UNK"},
    {SIGTRAP, 6, "TRAP_PERF"},
    {SIGCHLD, 1, "CLD_EXITED"},
    {SIGCHLD, 2, "CLD_KILLED"},
    {SIGCHLD, 3, "CLD_DUMPED"},
    {SIGCHLD, 4, "CLD_TRAPPED"},
    {SIGCHLD, 5, "CLD_STOPPED"},
    {SIGCHLD, 6, "CLD_CONTINUED"},
    {SIGIO, 1, "POLL_IN"},
    {SIGIO, 2, "POLL_OUT"},
    {SIGIO, 3, "POLL_MSG"},
    {SIGIO, 4, "POLL_ERR"},
    {SIGIO, 5, "POLL_PRI"},
    {SIGIO, 6, "POLL_HUP"},
    {SIGSYS, 1, "SYS_SECCOMP"},
    {SIGSYS, 2, "SYS_USER_DISPATCH"},
};
/* clang-format on */

/* The kernel's numbers: 32 and 33 are taken by glibc, the rest are real-time
 * signals, named from the kernel's SIGRTMIN 34 as glibc shows it. */
static const char *const realtime_names[] = {"SIG32", "SIG33", "SIGRTMIN",
    "SIGRTMIN+1", "SIGRTMIN+2", "SIGRTMIN+3", "SIGRTMIN+4", "SIGRTMIN+5",
    "SIGRTMIN+6", "SIGRTMIN+7", "SIGRTMIN+8", "SIGRTMIN+9", "SIGRTMIN+10",
    "SIGRTMIN+11", "SIGRTMIN+12", "SIGRTMIN+13", "SIGRTMIN+14", "SIGRTMIN+15",
    "SIGRTMAX-14", "SIGRTMAX-13", "SIGRTMAX-12", "SIGRTMAX-11", "SIGRTMAX-10",
    "SIGRTMAX-9", "SIGRTMAX-8", "SIGRTMAX-7", "SIGRTMAX-6", "SIGRTMAX-5",
    "SIGRTMAX-4", "SIGRTMAX-3", "SIGRTMAX-2", "SIGRTMAX-1", "SIGRTMAX"};

#define COUNT(A) (sizeof(A) / sizeof((A)[0]))

const char *
snapshot_signal_name(int number)
{
	for (size_t i = 0; i < COUNT(signal_names); i++) {
		if (signal_names[i].number == number)
			return signal_names[i].name;
	}
	if (number >= 32 && (size_t)(number - 32) < COUNT(realtime_names))
		return realtime_names[number - 32];
	return "";
}

const char *
snapshot_signal_code_name(int number, int code)
{
	for (size_t i = 0; i < COUNT(code_names); i++) {
		if (code_names[i].code == code &&
		    (code_names[i].signal == 0 ||
			code_names[i].signal == number))
			return code_names[i].name;
	}
	return "";
}
