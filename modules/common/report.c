/* SPDX-License-Identifier: MIT */
/*
 * A finding in the making.
 */
#include "blame.h"
#include "crash.h"

struct report
report_of(const struct crash *c, const char *class_name, double confidence,
    const char *text)
{
	ptrace_frame_t *frame = blame_frame(c->thread, c->frame);

	return (struct report){
	    .bt = c->bt,
	    .class_name = class_name,
	    .confidence = confidence,
	    .text = text != NULL ? text : class_name,
	    .thread = c->thread,
	    .frame = frame,
	    .has_address = c->has_address,
	    .address = c->address,
	};
}

void
report_note(struct report *r, const char *evidence)
{

	if (evidence != NULL && r->n_evidence < REPORT_EVIDENCE_MAX)
		r->evidence[r->n_evidence++] = evidence;
}

void
report_token(struct report *r, const char *token)
{

	if (r->n_tokens < REPORT_TOKENS_MAX)
		r->tokens[r->n_tokens++] = token;
}

void
report_publish(const struct report *r)
{
	pmodule_finding_t finding = PMODULE_FINDING_INIT;

	if (r->confidence < 0.5) {
		pmodule_backtrace_annotate(r->bt, PAT_COMMENT,
		    "possible %s: %s", r->class_name, r->text);
		return;
	}
	finding.class_name = r->class_name;
	finding.confidence = r->confidence;
	finding.thread = r->thread;
	finding.frame = r->frame;
	finding.has_address = r->has_address;
	finding.address = r->address;
	finding.text = r->text;
	finding.evidence = r->evidence;
	finding.n_evidence = r->n_evidence;
	finding.background = r->background;
	if (pmodule_finding_add(r->bt, &finding) == false)
		return;
	for (uint32_t i = 0; i < r->n_tokens; i++)
		pmodule_classifier_add(r->bt, r->tokens[i]);
}
