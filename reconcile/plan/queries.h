/* SPDX-License-Identifier: Apache-2.0 */
/* queries.h — what the askers of the kinds share. Internal to reconcile/plan; see facts.h. */
#ifndef RECONCILE_PLAN_QUERIES_H
#define RECONCILE_PLAN_QUERIES_H

#include "reconcile/plan/rules.h"
#include "reconcile/plan/stream_generation.h"

struct asking {
	const struct model *model;
	const struct state *state;
	struct arena *arena;
	struct queries *out;
	struct plan_options options;
	struct stream_world streams;
};
/* The question of that key; *is_new: nobody asked it before. */
struct query *ask(struct asking *a, enum query_kind kind, const char *key,
		  const struct object *asker, bool *is_new);
/* The parts in a row, escaped so that they do not run into each other. */
char *query_key_make(const char *const *parts, size_t n, const char *ns, const char *account,
		     struct arena *arena);

/* `p` lends model, state, options and facts. */
void streams_begin(struct asking *a, const struct planner *p);
void ask_stream(struct asking *a, const struct object *object);
void ask_build_config(struct asking *a, const struct object *object);
/* The tags that a repository's list of tags made known. */
void follow_stream(struct asking *a, const struct object *object);

#endif
