/* SPDX-License-Identifier: MIT */
/*
 * Threads that work for another one in the same process. They must be joined.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Runs work(arg) in a new thread that takes no signals: they are the business
 * of the one that was there before. False: none is to be had. */
bool thread_start(pthread_t *out, void *(*work)(void *), void *arg);

#endif /* BASE_THREAD_H */
