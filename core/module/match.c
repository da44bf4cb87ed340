/* SPDX-License-Identifier: MIT */
/*
 * Which threads, frames and variables a callback wants.
 */
#include "base/text.h"
#include "module/module_private.h"

pmodule_match_t *
pmodule_match_create(void)
{
	pmodule_match_t *m = calloc(1, sizeof(*m));

	if (m != NULL)
		vec_init(&m->criteria, MODULE_CRITERIA_MAX);
	return m;
}

void
pmodule_match_reset(pmodule_match_t *m)
{
	for (size_t i = 0; i < m->criteria.count; i++)
		free(m->criteria.items[i].text);
	vec_clear(&m->criteria);
	m->fault = m->fault_thread = false;
}

void
pmodule_match_destroy(pmodule_match_t *m)
{

	if (m == NULL)
		return;
	pmodule_match_reset(m);
	vec_deinit(&m->criteria);
	free(m);
}

static bool
add(pmodule_match_t *m, enum criterion_kind kind, const char *text, bool substr,
    uint32_t type)
{
	struct criterion *c;
	char *copy = NULL;

	if (text != NULL && (copy = strdup(text)) == NULL)
		return false;
	c = vec_push(&m->criteria);
	if (c == NULL) {
		free(copy);
		return false;
	}
	*c = (struct criterion){kind, substr, type, copy};
	return true;
}

static bool
add_text(pmodule_match_t *m, enum criterion_kind kind, const char *text,
    enum pmodule_match_type type)
{

	return m != NULL && text != NULL &&
	    (unsigned)type <= PMODULE_MATCH_SUBSTR &&
	    add(m, kind, text, type == PMODULE_MATCH_SUBSTR, 0);
}

bool
pmodule_match_add_object(
    pmodule_match_t *m, const char *text, enum pmodule_match_type type)
{

	return add_text(m, CRITERION_OBJECT, text, type);
}

bool
pmodule_match_add_file(
    pmodule_match_t *m, const char *text, enum pmodule_match_type type)
{

	return add_text(m, CRITERION_FILE, text, type);
}

bool
pmodule_match_add_frame_symbol(
    pmodule_match_t *m, const char *text, enum pmodule_match_type type)
{

	return add_text(m, CRITERION_SYMBOL, text, type);
}

bool
pmodule_match_add_variable_base_type(
    pmodule_match_t *m, const char *text, enum pmodule_match_type type)
{

	return add_text(m, CRITERION_BASE_TYPE, text, type);
}

bool
pmodule_match_add_variable_name(
    pmodule_match_t *m, const char *text, enum pmodule_match_type type)
{

	return add_text(m, CRITERION_NAME, text, type);
}

bool
pmodule_match_add_variable_ptrace_type(
    pmodule_match_t *m, enum ptrace_variable_type type)
{

	return m != NULL && (unsigned)type <= PTRACE_TYPE_REFERENCE &&
	    add(m, CRITERION_TYPE, NULL, false, type);
}

void
pmodule_match_set_fault(pmodule_match_t *m, bool thread)
{

	m->fault = true;
	m->fault_thread = thread;
}

struct pmodule_match *
module_match_copy(const struct pmodule_match *m)
{
	struct pmodule_match *copy = pmodule_match_create();

	if (copy == NULL)
		return NULL;
	copy->fault = m->fault;
	copy->fault_thread = m->fault_thread;
	for (size_t i = 0; i < m->criteria.count; i++) {
		const struct criterion *c = &m->criteria.items[i];

		if (add(copy, c->kind, c->text, c->substr, c->type) == false) {
			pmodule_match_destroy(copy);
			return NULL;
		}
	}
	return copy;
}

static bool
text_fits(const struct criterion *c, const char *text)
{

	return c->substr ? strstr(text, c->text) != NULL
			 : strcmp(text, c->text) == 0;
}

/* Whoever names a file or library exactly rarely means its whole path. */
static bool
path_fits(const struct criterion *c, const char *path)
{

	return text_fits(c, path) || text_fits(c, text_basename(path));
}

static bool
frame_fits(const struct criterion *c, const struct snap_location *l)
{
	switch (c->kind) {
	case CRITERION_OBJECT:
		return path_fits(c, l->object) || path_fits(c, l->object_path);
	case CRITERION_FILE:
		return path_fits(c, l->path);
	case CRITERION_SYMBOL:
		return text_fits(c, l->symbol) ||
		    (l->linkage_name[0] != '\0' &&
			text_fits(c, l->linkage_name));
	default:
		return true;
	}
}

bool
module_match_wants_frame(const struct pmodule_match *m)
{

	if (m->fault)
		return true;
	for (size_t i = 0; i < m->criteria.count; i++)
		if (m->criteria.items[i].kind <= CRITERION_SYMBOL)
			return true;
	return false;
}

bool
module_match_frame(const struct pmodule_match *m, ptrace_frame_t *f)
{
	const struct snap_location *l = module_snap_frame(f)->location;

	if (m->fault &&
	    (m->fault_thread ? f->thread == NULL ||
			ptrace_thread_fault(f->thread) == false
			     : ptrace_frame_fault(f) == false))
		return false;
	for (size_t i = 0; i < m->criteria.count; i++)
		if (frame_fits(&m->criteria.items[i], l) == false)
			return false;
	return true;
}

bool
module_match_thread(const struct pmodule_match *m, ptrace_thread_t *t)
{

	if (m->fault && ptrace_thread_fault(t) == false)
		return false;
	for (size_t i = 0; i < m->criteria.count; i++) {
		const struct criterion *c = &m->criteria.items[i];
		bool found = c->kind > CRITERION_SYMBOL;

		for (uint32_t j = 0;
		     found == false && j < ptrace_thread_n_frames(t); j++) {
			ptrace_frame_t *f = ptrace_thread_frame(t, j);

			found = f != NULL &&
			    frame_fits(c, module_snap_frame(f)->location);
		}
		if (found == false)
			return false;
	}
	return true;
}

bool
module_match_variable(const struct pmodule_match *m,
    const struct snap_variable *v, const char *base_type)
{
	for (size_t i = 0; i < m->criteria.count; i++) {
		const struct criterion *c = &m->criteria.items[i];
		bool fits = true;

		switch (c->kind) {
		case CRITERION_BASE_TYPE:
			fits = text_fits(c, base_type);
			break;
		case CRITERION_TYPE:
			fits = module_type_of(v) == c->type;
			break;
		case CRITERION_NAME:
			fits = text_fits(c, v->name);
			break;
		default:
			break;
		}
		if (fits == false)
			return false;
	}
	return true;
}

bool
pmodule_match_fits_thread(const pmodule_match_t *m, ptrace_thread_t *t)
{

	return t != NULL && (m == NULL || module_match_thread(m, t));
}

bool
pmodule_match_fits_frame(const pmodule_match_t *m, ptrace_frame_t *f)
{

	return f != NULL && (m == NULL || module_match_frame(m, f));
}

bool
pmodule_match_fits_variable(
    const pmodule_match_t *m, const ptrace_variable_t *v)
{
	const struct snap_variable *s;

	if (v == NULL || (s = module_snap_variable(v)) == NULL)
		return false;
	if (m == NULL)
		return true;
	if (module_match_wants_frame(m) &&
	    (v->frame == NULL || module_match_frame(m, v->frame) == false))
		return false;
	return module_match_variable(m, s, ptrace_variable_base_type(v));
}
