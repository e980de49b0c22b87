/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_image.h — the decision about an image as a table: facts, and the first row whose facts all hold.
 * Internal to reconcile/plan; the rows' ids are in step->rule.
 */
#ifndef RECONCILE_PLAN_RULES_IMAGE_H
#define RECONCILE_PLAN_RULES_IMAGE_H

#include "reconcile/plan/rules.h"

enum image_fact {
	IMAGE_TAG_CHANGED = 1u << 0,     /* spec.tag is not what was pushed            */
	IMAGE_BUILDER_MISSING = 1u << 1, /* no such object                             */
	IMAGE_RUNNING = 1u << 2,         /* a claim whose lease holds                  */
	IMAGE_BUILDER_UNREADY = 1u << 3,
	IMAGE_SOURCE_UNREADY = 1u << 4, /* it cannot be resolved                      */
	IMAGE_UNDECIDABLE = 1u << 5,    /* a recorded run image that is no reference  */
	IMAGE_NEVER_BUILT = 1u << 6,
	IMAGE_CHANGED = 1u << 7,    /* something differs from the last attempt    */
	IMAGE_ONLY_STACK = 1u << 8, /* … and from the last success: the run image */
	IMAGE_MAY_REBASE = 1u << 9, /* of the success: same stack id, and it allows it */
	IMAGE_LAST_FAILED = 1u << 10,
	IMAGE_LAST_FOREIGN = 1u << 11, /* … not by the build itself                  */
	IMAGE_TRIES_LEFT = 1u << 12,
	IMAGE_RETRY_FORCED = 1u << 13, /* --retry-failed                             */
	IMAGE_TAGS_MISSING = 1u << 14, /* additional tags that were not pushed yet   */
	IMAGE_BINDINGS_BAD = 1u << 15, /* a binding that cannot be given             */
	IMAGE_WATCH_BAD = 1u << 16,    /* annotation image.openshift.io/triggers     */
};

enum image_verdict {
	VERDICT_CURRENT,
	VERDICT_REFUSED,
	VERDICT_NO_BUILDER,
	VERDICT_RUNNING,
	VERDICT_BUILDER_UNREADY,
	VERDICT_SOURCE_UNREADY,
	VERDICT_UNDECIDABLE,
	VERDICT_BINDINGS_BAD,
	VERDICT_WATCH_BAD,
	VERDICT_BUILD,
	VERDICT_REBASE,
	VERDICT_RETRY,
	VERDICT_TAG,
	VERDICT_FAILED,
	VERDICTS
};

struct image_rule {
	const char *id;
	unsigned all; /* enum image_fact, of which all must hold */
	enum image_verdict verdict;
	const char *why;
};
/* The first row that holds; the last holds always. */
const struct image_rule *image_rule_find(unsigned facts);

/* Ready as given, BuilderReady and BuilderUpToDate by the builder. Reasons and texts: kpack.md §1.11. */
struct ready {
	const char *status, *reason, *message;
};
struct list image_conditions(const struct list *old, struct ready ready,
			     const struct builder_status *builder, int64_t now_s,
			     struct arena *arena);

/* Resolved source of the spec into `out` (source, git_revision, git_tree, content). */
enum source_state { SOURCE_KNOWN, SOURCE_FAILED, SOURCE_UNKNOWN };
struct source_answer {
	enum source_state state;
	const char *why;
	enum err_kind why_kind;
};
struct source_answer source_resolve(const struct planner *p, const struct object *object,
				    const struct attempt *last, struct attempt *out);

/*
 * Bindings of a build (kpack.md §4.4). The first reason why they cannot be given, NULL for none: a kind that is no Secret, a
 * secret that a service account lists, a value that could not be had.
 */
const char *bindings_problem(const struct planner *p, const struct object *object);
/* What they hold, for attempt.binding_contents. */
const char *bindings_contents(const struct planner *p, const struct object *object);

/* spec.tag and additionalTags. */
struct strings image_tags(const struct image_spec *spec, struct arena *arena);
/* Those, and the tag of the build number (kpack.md §2.2). False when spec.tag is no reference. */
MUST_CHECK bool build_tags(const struct image_spec *spec, int64_t number, int64_t now_s,
			   struct arena *arena, struct strings *out, struct err *err);

#endif
