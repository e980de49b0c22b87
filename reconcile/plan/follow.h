/* SPDX-License-Identifier: Apache-2.0 */
/*
 * follow.h — what the rules of workloads and policies share: which tags an object follows, and edits of its files.
 * Internal to reconcile/plan. Rules: openshift.md §6, §2.8; gitops.md §2.
 */
#ifndef RECONCILE_PLAN_FOLLOW_H
#define RECONCILE_PLAN_FOLLOW_H

#include "model/kind/policy.h"
#include "model/kind/workload.h"
#include "reconcile/plan/rules.h"
#include "reconcile/plan/stream.h"

/* The streams that an object follows, so that it is decided behind them: struct followed_stream. */
struct followed_stream {
	const char *ns, *name;
};
struct list followed_streams(const struct planner *p, const struct object *object);
/* False for workloads that follow nothing and of which nothing is recorded: they are no part of the plan. */
bool is_follower(const struct planner *p, const struct object *object);

/* What a tag is by this plan. Pending: the step waits for the stream's, and `what` is unknown. */
struct followed_tag {
	const char *pull_spec; /* NULL: points at nothing (yet) */
	bool is_pending;
};
struct followed_tag follow_tag(const struct planner *p, struct step *step, const char *ns,
			       const char *stream, const char *tag);

/* Nothing when the value is there already. False: `text` is nothing that may be written into a file; the step is blocked. */
bool edit_add(const struct planner *p, struct step *step, const struct image_edit *edit);
/* ACTION_EDIT where there is something to edit, or it will be known later. */
void edits_finish(struct step *step);

/* The image of a container with what the step says. */
bool edit_container(const struct planner *p, struct step *step,
		    const struct workload_container *container, const char *image);

/* Questions of a policy: its repository's tags, then the chosen tag's digest. */
void policy_ask(const struct model *model, const struct object *object, struct arena *arena,
		struct queries *out);
void policy_follow(const struct model *model, const struct state *state, const struct facts *facts,
		   const struct object *object, struct arena *arena, struct queries *out);

#endif
