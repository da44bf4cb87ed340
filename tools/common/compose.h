/* SPDX-License-Identifier: MIT */
/*
 * The one place that ties the shipped analysis modules to a session.
 */
#ifndef COMMON_COMPOSE_H
#define COMMON_COMPOSE_H

#include "session/session.h"

void compose_modules(struct session_options *o);

#endif /* COMMON_COMPOSE_H */
