/* SPDX-License-Identifier: MIT */
/*
 * defaults.command: a program that is told what crashed and says which
 * attributes the snapshot gets.
 */
#ifndef CORESNAPD_DEFAULTS_H
#define CORESNAPD_DEFAULTS_H

/* Runs it with the executable's name and puts what it prints, "key=value"
 * lines, into BACKTRACE_DEFAULTS. To be called in the child that becomes
 * ptrace. One that fails, prints too much or takes more than ten seconds says
 * nothing. */
void defaults_set(const char *command, const char *exe);

#endif /* CORESNAPD_DEFAULTS_H */
