/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start.h — `start-build`: what the command line asks for as a start of the plan (struct build_start), checked against the
 * manifests and the recorded state. Words and refusals are oc's (openshift.md §3.4, §5.5).
 */
#ifndef RECONCILE_START_H
#define RECONCILE_START_H

#include "buildexec/sys/fs.h"
#include "reconcile/context.h"
#include "reconcile/plan/plan.h"

struct build_starter {
	const struct start_options *options;
	const char *name, *ns; /* of the build config; name NULL: that of the build --from-build */
	bool is_name_alone;    /* -o name */
	/* Set by starter_make: */
	const struct object *config;
	struct build_start start;
	struct list starts;
	struct request_binary binary;
	struct tmpdir source; /* what --from-repo is as files */
	bool is_announced;    /* "… started" was printed */
};

/* What the options say together. ERR_INVALID: they contradict each other. */
MUST_CHECK bool start_options_check(const struct start_options *options, bool has_name,
				    struct err *err);
/*
 * Manifests are loaded and the state is read. ERR_ABSENT: there is no such build config or build; ERR_INVALID: it cannot be
 * started so. To be released in any case.
 */
MUST_CHECK bool starter_make(struct build_starter *starter, struct context *context,
			     struct err *err);
void starter_release(struct build_starter *starter);
/* The declared build config of --namespace; ERR_ABSENT. */
MUST_CHECK bool starter_find(const struct build_starter *starter, const struct model *model,
			     const struct object **out, struct err *err);
/* "build.build.openshift.io/cart-3 started", once. */
void starter_announce(struct build_starter *starter, const struct bc_build *build);

#endif
