/* SPDX-License-Identifier: MIT */
/*
 * Falling asleep without missing the call. "Has SIGCONT come? If not,
 * raise(SIGSTOP)" sleeps for ever when it comes in between, and blocking it is
 * no help, for the generation of a stop signal discards a pending SIGCONT. It
 * is so the other way round, too: SIGCONT discards pending stop signals. So the
 * stop is generated once, at the very start, as a blocked SIGTSTP. Whenever
 * SIGCONT comes after that, it takes the stop away; and unblocking it later is
 * one step that either stops us or finds nothing to do.
 *
 * The kernel ignores SIGTSTP in a process group that is orphaned, as a daemon's
 * mostly is. In a group of our own we have a parent in another group of the
 * same session, which is what it takes not to be.
 */
#include "invoker/sleep.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

/* A signal handler has no argument of its own, so this is static. */
static volatile sig_atomic_t woken;

static void
on_continue(int signo)
{
	(void)signo;
	woken = 1;
}

bool
sleep_prepare(bt_error_t *e)
{
	struct sigaction action = {.sa_handler = on_continue};
	sigset_t stop, pending;

	(void)sigemptyset(&stop);
	(void)sigaddset(&stop, SIGTSTP);
	(void)sigemptyset(&action.sa_mask);
	/* Whoever started us may ignore it; then it would not be kept. */
	if (signal(SIGTSTP, SIG_DFL) == SIG_ERR ||
	    sigprocmask(SIG_BLOCK, &stop, NULL) != 0 || raise(SIGTSTP) != 0 ||
	    sigaction(SIGCONT, &action, NULL) != 0 || sigpending(&pending) != 0)
		return bt_fail_os(e, errno, "cannot handle SIGCONT");
	/* SIGCONT was there before its handler. */
	if (sigismember(&pending, SIGTSTP) == 0)
		woken = 1;
	return true;
}

bool
sleep_until_woken(pid_t parent, bt_error_t *e)
{
	sigset_t stop;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return bt_fail_os(e, errno, "cannot follow the parent's death");
	if (getppid() != parent)
		return bt_fail(e, BT_E_GONE, "the parent has ended");
	/* Without success we are in another session than the parent: below. */
	(void)setpgid(0, 0);
	(void)sigemptyset(&stop);
	(void)sigaddset(&stop, SIGTSTP);
	if (sigprocmask(SIG_UNBLOCK, &stop, NULL) != 0)
		return bt_fail_os(e, errno, "cannot stop");
	/* Not stopped and not woken: the group is orphaned all the same. */
	if (woken == 0)
		(void)raise(SIGSTOP);
	return true;
}
