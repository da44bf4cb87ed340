/* SPDX-License-Identifier: MIT */
/*
 * Rules about arguments that modules add. They are kept here and judged by the
 * module "constraint", through the same interface that everybody has.
 */
#include "module/module_private.h"

static bool
is_valid(const pmodule_constraint_t *c)
{

	if (c->size < offsetof(pmodule_constraint_t, reserved) ||
	    c->function == NULL || c->function[0] == '\0' ||
	    strlen(c->function) > 200 || c->n_arguments == 0 ||
	    c->n_arguments > PMODULE_ARGUMENTS_MAX)
		return false;
	for (uint32_t i = 0; i < c->n_arguments; i++) {
		const pmodule_argument_t *a = &c->arguments[i];

		if (a->kind > PMODULE_ARGUMENT_NUMBER || a->count < -1 ||
		    (a->count >= 0 && (uint32_t)a->count >= c->n_arguments) ||
		    (uint32_t)a->count == i)
			return false;
	}
	return true;
}

bool
pmodule_constraint_add(pmodule_t *pm, const pmodule_constraint_t *constraint)
{
	struct module_host *host = pm->host;
	pmodule_constraint_t **place, *copy;

	if (is_valid(constraint) == false)
		return false;
	copy = ARENA_NEW(&host->arena, pmodule_constraint_t);
	if (copy == NULL)
		return false;
	memset(copy, 0, sizeof(*copy));
	copy->size = sizeof(*copy);
	copy->n_arguments = constraint->n_arguments;
	copy->function = arena_strdup(&host->arena, constraint->function);
	for (uint32_t i = 0; i < copy->n_arguments; i++) {
		pmodule_argument_t *a = &copy->arguments[i];
		const char *name = constraint->arguments[i].name;

		*a = constraint->arguments[i];
		a->name = arena_strdup(
		    &host->arena, name != NULL ? name : "an argument");
		if (a->name == NULL)
			return false;
	}
	place = copy->function != NULL ? vec_push(&host->constraints) : NULL;
	if (place != NULL)
		*place = copy;
	return place != NULL;
}

const pmodule_constraint_t *
pmodule_constraint_at(ptrace_backtrace_t *bt, uint32_t i)
{
	const struct module_host *host = bt->host;

	return i < host->constraints.count ? host->constraints.items[i] : NULL;
}
