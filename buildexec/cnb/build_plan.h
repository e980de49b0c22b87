/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_plan.h — what buildpacks offer and ask for in detection, and the first combination in which
 * all of it meets. Pure. Also plan.toml (for the platform) and the buildpack plan (for one
 * buildpack). Spec: buildpack.md "Build Plan (TOML)", "Buildpack Plan (TOML)"; platform.md
 * "Resolving the build plan".
 */
#ifndef BUILDEXEC_CNB_BUILD_PLAN_H
#define BUILDEXEC_CNB_BUILD_PLAN_H

#include "buildexec/cnb/descriptor.h"

struct plan_require {
	const char *name;
	const struct node *metadata; /* a mapping, or NULL */
};
struct plan_requires {
	struct plan_require *v;
	size_t n, cap;
};
struct plan_section {
	struct strings provides;
	struct plan_requires requires;
};
/* The top level of a plan file and its [[or]] tables, in order: never empty. */
struct plan_options {
	struct plan_section *v;
	size_t n, cap;
};

/*
 * An array of tables with name and metadata. `version` beside the name belongs into the metadata: it is an error, or where
 * older Buildpack APIs have it there (`takes_version`), moved.
 */
MUST_CHECK bool plan_requires_decode(const struct node *map, const char *key, bool takes_version,
				     struct arena *arena, struct plan_requires *out,
				     struct err *err);
/* The plan file of bin/detect. Buildpack API 0.2 has `version` beside a requirement's name. */
MUST_CHECK bool plan_options_decode(const struct node *tree, struct api api, struct arena *arena,
				    struct plan_options *out, struct err *err);

/* A buildpack that passed, in group order. Ids are unique. */
struct plan_candidate {
	struct bp_element element;
	struct plan_options options;
};

struct plan_entry {
	const char *name;
	struct bp_group providers;
	struct plan_requires requires;
};
struct build_plan {
	struct plan_entry *v;
	size_t n, cap;
};

struct plan_result {
	bool is_found;
	struct bp_group group;  /* those that stay */
	struct build_plan plan; /* in the order in which names are first mentioned */
	struct strings trail;   /* why trials failed, for the log; the first PLAN_TRAIL lines */
};
enum { PLAN_TRAIL = 200 };

/*
 * Tries all combinations of options, the last candidate's varying fastest; the first one that
 * resolves wins. No combination is a result, not an error; ERR_INVALID when LIMIT_PLAN_TRIALS did
 * not decide it.
 */
MUST_CHECK bool build_plan_resolve(const struct plan_candidate *candidates, size_t n,
				   struct arena *arena, struct plan_result *out, struct err *err);

struct node *build_plan_encode(const struct build_plan *plan, struct arena *arena);
MUST_CHECK bool build_plan_decode(const struct node *tree, struct arena *arena,
				  struct build_plan *out, struct err *err);
/* What a buildpack or an extension has to provide: all requires of the entries that list it. */
struct plan_requires build_plan_find(const struct build_plan *plan,
				     const struct bp_element *element, struct arena *arena);
/* build.toml of one that was given these: the names but for its [[unmet]], which must be among them. */
MUST_CHECK bool buildpack_plan_met(const struct node *tree, const struct plan_requires *requires,
				   struct arena *arena, struct strings *met, struct err *err);
/* Drops every entry that asks for one of these names: they are met. */
void build_plan_drop(struct build_plan *plan, const struct strings *met);
/* The file that bin/build is given: with `version` beside the name for Buildpack API 0.2. */
struct node *buildpack_plan_encode(const struct plan_requires *requires, struct api api,
				   struct arena *arena);
/* What a bin/build before Buildpack API 0.5 left in that file. */
MUST_CHECK bool buildpack_plan_decode(const struct node *tree, struct arena *arena,
				      struct plan_requires *out, struct err *err);

#endif
