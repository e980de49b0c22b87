/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_report.h — the plan for people and for programs, from the same value that apply works on.
 * Text: one line per object that something happens to, its reasons below, a summary at the end; unchanged objects are only
 * counted. JSON: one document with `formatVersion` 1; new fields may come, none changes its meaning.
 */
#ifndef RECONCILE_REPORT_PLAN_REPORT_H
#define RECONCILE_REPORT_PLAN_REPORT_H

#include "reconcile/plan/plan.h"

struct report_style {
	bool with_color;
	size_t width; /* of the terminal; 0: unlimited */
	const struct map *
		diffs; /* id of a step with edits → what they do to the files, as a diff; NULL: not shown */
};

/* What the plan was made from, for JSON. */
struct report_origin {
	const char *source_commit, *state_commit, *state_url;
	bool is_offline;
};

void plan_text(const struct plan *plan, const struct report_style *style, struct buf *out);
/* The document that JSON and YAML print. */
struct node *plan_node(const struct plan *plan, const struct report_origin *origin,
		       struct arena *arena);
struct node *plan_step_node(const struct step *step, struct arena *arena);
void plan_json(const struct plan *plan, const struct report_origin *origin, struct arena *arena,
	       struct buf *out);
/* "1 build, 2 rebases, 3 blocked; 212 unchanged." */
void plan_summary(const struct plan *plan, struct buf *out);
/* True when something would be done or is blocked. */
bool plan_has_changes(const struct plan *plan);

/* "Image shop/cart", "ClusterStack base" */
char *object_label(const char *id, struct arena *arena);
/* "sha256:1c0f2ab34cd5…"; texts that hold no digest come back as they are. */
char *short_digest(const char *text, struct arena *arena);

#endif
