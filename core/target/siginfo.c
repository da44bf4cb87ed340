/* SPDX-License-Identifier: MIT */
/*
 * What a siginfo_t says (include/uapi/asm-generic/siginfo.h): the numbers, and
 * of the union behind them what the code makes certain.
 */
#include <signal.h>

#include "target/target_private.h"

bool
target_signal_is_fault(int number)
{
	return number == SIGSEGV || number == SIGBUS || number == SIGILL ||
	    number == SIGFPE || number == SIGTRAP;
}

/* si_code of signals that carry who sent them (kill, sigqueue, tkill,
 * message queue). */
static bool
has_sender(int code)
{
	return code == SI_USER || code == SI_QUEUE || code == SI_TKILL ||
	    code == SI_MESGQ;
}

bool
target_siginfo_parse(struct view v, struct target_signal *out)
{
	struct target_signal s = {0};
	uint64_t address;

	s.number = (int)view_u32(&v);
	s.errnum = (int)view_u32(&v);
	s.code = (int)view_u32(&v);
	if (!view_ok(&v))
		return false;
	s.present = true;
	s.has_info = true;
	view_skip(&v, 4);
	address = view_u64(&v);
	if (view_ok(&v) && s.code > 0 && s.code != SI_KERNEL &&
	    target_signal_is_fault(s.number)) {
		/* The processor does not say which address was misaligned, and
		 * the kernel puts null (exc_alignment_check()). */
		s.has_address = s.number != SIGBUS || s.code != BUS_ADRALN ||
		    address != 0;
		s.address = address;
	} else if (view_ok(&v) && has_sender(s.code)) {
		s.has_sender = true;
		s.sender_pid = (int32_t)(uint32_t)address;
		s.sender_uid = (uint32_t)(address >> 32);
	}
	*out = s;
	return true;
}
