/* SPDX-License-Identifier: MIT */
/*
 * DIEs: opening, walking children, skipping subtrees, finding attributes,
 * following abstract origins and specifications. Nothing here recurses:
 * nesting is counted, and positions only ever move forward.
 */
#include "dwarf/private.h"

/* Reads the code at v's position. abbrev NULL: a null entry. */
static inline bool
read_entry(struct view *v, struct dwarf_unit *u, struct dw_die *out)
{
	uint64_t code;

	out->unit = u;
	out->offset = v->pos;
	code = dw_uleb(v);
	out->attrs = v->pos;
	out->abbrev = NULL;
	if (code == 0)
		return view_ok(v);
	out->abbrev = dw_abbrev_get(u->abbrevs, code);
	if (out->abbrev == NULL)
		v->failed = true;
	return view_ok(v);
}

bool
dw_die_open(struct dwarf_die ref, struct dw_die *out)
{
	struct view v;

	if (ref.unit == NULL || !dw_unit_abbrevs(ref.unit))
		return false;
	v = dw_unit_view(ref.unit, ref.offset);
	return read_entry(&v, ref.unit, out) && out->abbrev != NULL;
}

bool
dw_die_root(struct dwarf_unit *u, struct dw_die *out)
{
	return dw_die_open((struct dwarf_die){u, u->first_die}, out);
}

uint64_t
dw_die_key(struct dwarf_die die)
{
	return (uint64_t)(uintptr_t)dw_section_start(
		   die.unit->file, die.unit->section) +
	    die.offset;
}

/* The sibling a DIE names, when it lies ahead and in the unit; else 0. The
 * check makes every walk finite (reliability.md case 71). */
static uint64_t
sibling_of(const struct view *attrs, const struct dwarf_unit *u,
    const struct dw_abbrev *a)
{
	struct view v = *attrs;
	uint64_t offset;

	if (a->sibling_size == 0 || a->sibling_size > 8)
		return 0;
	view_skip(&v, a->sibling_at);
	offset = view_uint(&v, a->sibling_size);
	if (!view_ok(&v))
		return 0;
	/* A sibling by DW_FORM_ref_addr does not occur; it would miss. */
	offset += u->offset;
	return offset > attrs->pos && offset <= u->end ? offset : 0;
}

/* By value, so that the view of the loop below stays in registers. */
static inline struct view
skip_attrs(
    struct view v, const struct dwarf_unit *u, const struct dw_abbrev *abbrev)
{
	struct view other = v;

	if (abbrev->fixed_size >= 0) {
		view_skip(&v, (size_t)abbrev->fixed_size);
		return v;
	}
	dw_abbrev_skip(&other, u, abbrev);
	return other;
}

/* Moves v from the attributes of a DIE to the end of its subtree. */
static bool
skip_subtree(
    struct view *v, struct dwarf_unit *u, const struct dw_abbrev *abbrev)
{
	const struct dw_abbrev_table *table = u->abbrevs;
	uint64_t depth = 0, n = 0, sibling;
	struct view at = *v;

	for (;;) {
		if ((abbrev->flags & DW_AB_CHILDREN) != 0 &&
		    (sibling = sibling_of(&at, u, abbrev)) != 0) {
			view_seek(&at, sibling);
		} else {
			at = skip_attrs(at, u, abbrev);
			if ((abbrev->flags & DW_AB_CHILDREN) != 0)
				depth++;
		}
		for (;;) { /* the next DIE, past ends of children */
			uint64_t code;

			if (depth == 0 || at.failed)
				goto out;
			if (++n % DW_SUBTREE_CHUNK == 0 &&
			    !dw_steps(u->file->dwarf, DW_SUBTREE_CHUNK)) {
				at.failed = true;
				goto out;
			}
			code = dw_uleb(&at);
			if (code == 0) {
				depth--;
				continue;
			}
			abbrev = dw_abbrev_get(table, code);
			if (abbrev == NULL)
				at.failed = true;
			break;
		}
		if (at.failed)
			break;
	}
out:
	u->file->dwarf->stats.dies += n;
	*v = at;
	return view_ok(v);
}

static struct view
over_subtree(
    struct view v, struct dwarf_unit *u, const struct dw_abbrev *abbrev)
{
	(void)skip_subtree(&v, u, abbrev);
	return v;
}

uint64_t
dw_subtree_end(const struct dw_die *d)
{
	struct view v = dw_unit_view(d->unit, d->attrs);

	return skip_subtree(&v, d->unit, d->abbrev) ? v.pos : 0;
}

void
dw_children(struct dw_iter *it, const struct dw_die *parent)
{
	memset(it, 0, sizeof(*it));
	it->die.unit = parent->unit;
	it->v = dw_unit_view(parent->unit, parent->attrs);
	if ((parent->abbrev->flags & DW_AB_CHILDREN) == 0)
		it->v.failed = true;
	else
		dw_abbrev_skip(&it->v, parent->unit, parent->abbrev);
}

bool
dw_next(struct dw_iter *it)
{
	struct dwarf_unit *u = it->die.unit;
	const struct dw_abbrev *abbrev = it->die.abbrev;
	struct view v = it->v;
	bool ok;

	if (it->inside) {
		it->inside = false;
		if ((abbrev->flags & DW_AB_CHILDREN) == 0)
			v = skip_attrs(v, u, abbrev);
		else
			v = over_subtree(v, u, abbrev);
	}
	ok = !view_end(&v) && dw_step(u->file->dwarf) &&
	    read_entry(&v, u, &it->die);
	it->v = v;
	if (!ok)
		return false;
	u->file->dwarf->stats.dies++;
	if (it->die.abbrev == NULL) {
		it->v.failed = true; /* stays at the end */
		return false;
	}
	it->inside = true;
	return true;
}

void
dw_resume(struct dw_iter *it, uint64_t pos)
{
	it->inside = false;
	if (pos <= it->die.offset)
		it->v.failed = true;
	else
		view_seek(&it->v, pos);
}

void
dw_after(struct dw_iter *it, const struct dw_iter *inner)
{
	/* The null entry that ends children has no abbreviation. */
	if (inner->die.abbrev == NULL && inner->v.pos > it->die.offset)
		dw_resume(it, inner->v.pos);
	else
		it->v.failed = true; /* damaged there, damaged here */
}

struct dw_scan
dw_scan_unit(struct dwarf_unit *u)
{
	struct dw_scan s = {.unit = u};

	s.v = dw_unit_view(u, u->first_die);
	if (!dw_unit_abbrevs(u))
		s.v.failed = true;
	return s;
}

bool
dw_scan_entry(struct dw_scan *s, struct dw_die *out)
{
	if (s->inside)
		s->v = skip_attrs(s->v, s->unit, s->die.abbrev);
	s->inside = s->ended = false;
	if (view_end(&s->v) || !dw_step(s->unit->file->dwarf) ||
	    !read_entry(&s->v, s->unit, &s->die))
		return false;
	s->unit->file->dwarf->stats.dies++;
	s->ended = s->die.abbrev == NULL;
	s->inside = !s->ended;
	*out = s->die;
	return s->inside;
}

bool
dw_scan_next(struct dw_scan *s, struct dw_die *out)
{
	do {
		if (dw_scan_entry(s, out))
			return true;
	} while (s->ended);
	return false;
}

void
dw_scan_over(struct dw_scan *s, const struct dw_die *d)
{
	if ((d->abbrev->flags & DW_AB_CHILDREN) == 0)
		return; /* its attributes are skipped by the next step */
	s->inside = false;
	if (!skip_subtree(&s->v, s->unit, d->abbrev))
		s->v.failed = true;
}

void
dw_attrs(struct dw_attrs *a, const struct dw_die *d)
{
	a->unit = d->unit;
	a->v = dw_unit_view(d->unit, d->attrs);
	a->next = a->end = NULL;
	if (d->abbrev->n_attrs > 0) {
		a->next = d->unit->abbrevs->attrs.items + d->abbrev->first_attr;
		a->end = a->next + d->abbrev->n_attrs;
	}
}

bool
dw_attr_next(struct dw_attrs *a, uint16_t *name, struct dw_value *value)
{
	const struct dw_abbrev_attr *attr = a->next;

	if (attr == a->end)
		return false;
	*name = attr->name;
	a->next++;
	if (attr->size > 0 && attr->size <= 8) {
		value->form = attr->form;
		value->data = NULL;
		value->u = view_uint(&a->v, (size_t)attr->size);
		return view_ok(&a->v);
	}
	return dw_form_read(&a->v, a->unit, attr->form, attr->implicit, value);
}

bool
dw_attr(const struct dw_die *d, uint16_t name, struct dw_value *out)
{
	const struct dw_abbrev_attr *attrs;
	struct view v;

	if (d->abbrev->n_attrs == 0)
		return false;
	attrs = d->unit->abbrevs->attrs.items + d->abbrev->first_attr;
	v = dw_unit_view(d->unit, d->attrs);
	for (uint32_t i = 0; i < d->abbrev->n_attrs; i++) {
		if (attrs[i].name == name)
			return dw_form_read(
			    &v, d->unit, attrs[i].form, attrs[i].implicit, out);
		if (attrs[i].size >= 0)
			view_skip(&v, (size_t)attrs[i].size);
		else if (!dw_form_skip(&v, d->unit, attrs[i].form))
			return false;
	}
	return false;
}

bool
dw_origin(const struct dw_die *d, struct dw_die *out)
{
	struct dwarf_die next;

	if ((d->abbrev->flags & DW_AB_ORIGIN) == 0)
		return false;
	next = dw_attr_die(d, DW_AT_abstract_origin);
	if (next.unit == NULL)
		next = dw_attr_die(d, DW_AT_specification);
	return dw_die_open(next, out);
}

bool
dw_attr_inherited(const struct dw_die *d, uint16_t name, struct dw_value *out,
    struct dw_die *owner)
{
	struct dw_die at = *d, next;

	for (int hop = 0; hop < DW_ORIGIN_HOPS_MAX; hop++) {
		if (dw_attr(&at, name, out)) {
			if (owner != NULL)
				*owner = at;
			return true;
		}
		if (!dw_origin(&at, &next))
			return false;
		at = next;
	}
	return false;
}

const char *
dw_attr_string(const struct dw_die *d, uint16_t name)
{
	struct dw_value v;
	struct dw_die owner;

	if (!dw_attr_inherited(d, name, &v, &owner))
		return NULL;
	return dw_string(owner.unit, &v);
}

bool
dw_attr_u64(const struct dw_die *d, uint16_t name, uint64_t *out)
{
	struct dw_value v;

	return dw_attr_inherited(d, name, &v, NULL) && dw_unsigned(&v, out);
}

bool
dw_attr_flag(const struct dw_die *d, uint16_t name)
{
	struct dw_value v;

	return dw_attr(d, name, &v) && dw_flag(&v);
}

struct dwarf_die
dw_attr_die(const struct dw_die *d, uint16_t name)
{
	struct dw_value v;

	if (!dw_attr(d, name, &v))
		return (struct dwarf_die){NULL, 0};
	return dw_reference(d->unit, &v);
}

struct dwarf_die
dwarf_die_in_unit(struct dwarf_unit *unit, uint64_t offset)
{
	struct dw_die die;
	struct dwarf_die ref = {unit, unit->offset + offset};

	if (offset > unit->end - unit->offset || ref.offset < unit->first_die ||
	    !dw_die_open(ref, &die))
		return (struct dwarf_die){NULL, 0};
	return ref;
}

struct dwarf_die
dwarf_die_at(struct dwarf *d, uint64_t offset)
{
	struct dwarf_unit *u = dw_unit_containing(&d->main, SEC_INFO, offset);

	if (u == NULL)
		return (struct dwarf_die){NULL, 0};
	return dwarf_die_in_unit(u, offset - u->offset);
}

uint32_t
dwarf_die_tag(struct dwarf_die die)
{
	struct dw_die d;

	return dw_die_open(die, &d) ? d.abbrev->tag : 0;
}
