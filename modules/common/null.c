/* SPDX-License-Identifier: MIT */
#include "null.h"

bool
null_is_near(uint64_t address)
{

	return address < NULL_END || crash_is_null(address);
}

void
null_from_address(const struct crash *c, const char *why)
{
	struct report r;

	if (!null_is_near(c->address))
		return;
	r = report_of(c, "null-deref", 0.7,
	    pmodule_text(c->bt,
		"null pointer dereference: an access at 0x%" PRIx64,
		c->address));
	report_note(&r, why);
	report_token(&r, "null");
	report_publish(&r);
}
