/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.h — an order as written (ids, versions wanted, resources named) against the buildpacks that there are: which
 * buildpack of which image each entry means, and everything those need in turn.
 * Rules: kpack.md §3.4 "each buildpack", §3.5.
 */
#ifndef RECONCILE_PLAN_RESOLVE_H
#define RECONCILE_PLAN_RESOLVE_H

#include "model/kind/status.h"
#include "model/oci/semver.h"

/* Buildpacks under one name: a Buildpack or ClusterBuildpack resource, or the store (name NULL). */
struct shelf {
	const char *name;
	const struct list *buildpacks; /* struct store_buildpack */
};
struct shelves {
	VEC(struct shelf) own;     /* Buildpacks of the namespace */
	VEC(struct shelf) cluster; /* ClusterBuildpacks           */
	VEC(struct shelf) store;   /* none or one                 */
};

struct resolved {
	struct list order; /* struct order_group, id and version only */
	/* Each once; by size, largest first, then by id@version, last first (kpack.md §3.2). */
	VEC(const struct store_buildpack *) buildpacks;
};
MUST_CHECK bool order_resolve(const struct list *order, const struct shelves *shelves,
			      struct arena *arena, struct resolved *out, struct err *err);

/* What buildpacks are held against. */
struct base {
	const char *stack_id;
	const struct strings *mixins;
	const struct lifecycle_apis *apis;
};
MUST_CHECK bool buildpack_suits(const struct store_buildpack *buildpack, const struct base *base,
				struct arena *arena, struct err *err);

#endif
