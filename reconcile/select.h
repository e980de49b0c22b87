/* SPDX-License-Identifier: Apache-2.0 */
/*
 * select.h — which objects a run acts on: --only with what they are made of, -l by labels, and the ids that --trigger names.
 */
#ifndef RECONCILE_SELECT_H
#define RECONCILE_SELECT_H

#include "reconcile/options.h"
#include "reconcile/plan/plan.h"

struct selection {
	const struct model *model;
	struct map ids; /* --only: selected ids, dependencies included; empty: all */
	const struct strings *selectors;
};

/* Sets options->is_selected when something restricts the run. ERR_INVALID names what is not there, with a suggestion. */
MUST_CHECK bool select_make(const struct model *model, const struct options *options,
			    struct arena *arena, struct selection *out, struct plan_options *plan,
			    struct err *err);
/*
 * start-build: a build config with what it is made of, and what takes its image: streams, and the policies and workloads that
 * follow those. No other build.
 */
void select_start(const struct model *model, const struct object *config,
		  const struct options *options, struct arena *arena, struct selection *out,
		  struct plan_options *plan);
/* Words such as "cart", "shop/cart", "BuildConfig/shop/cart" into ids of images, else of build configs. *out NULL: none given. */
MUST_CHECK bool select_triggers(const struct model *model, const struct strings *words,
				struct arena *arena, const struct strings **out, struct err *err);
/* One object by "NAME", "NS/NAME" or "KIND/[NS/]NAME"; kinds in any usual spelling. KIND_NONE as `kind`: the word must say it. */
MUST_CHECK bool select_object(const struct model *model, const char *word, enum kind kind,
			      struct arena *arena, const struct object **out, struct err *err);

#endif
