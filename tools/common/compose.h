/* SPDX-License-Identifier: MIT */
/*
 * The one place that ties analysis modules and their languages to a session.
 */
#ifndef COMMON_COMPOSE_H
#define COMMON_COMPOSE_H

#include "lua/host.h"
#include "session/session.h"

void compose_modules(struct session_options *o);

/* Lua for modules; settings must outlive them. */
void compose_language(
    struct module_language *out, struct lua_settings *settings);
/* Where the Lua modules that come with us are: they are found from the program
 * itself, installed or in the build tree. False: there are none. */
bool compose_shipped_dir(char *out, size_t size);

bool compose_is_library(const char *name);
const char *compose_libraries(void); /* "ffi, io, ..." */

#endif /* COMMON_COMPOSE_H */
