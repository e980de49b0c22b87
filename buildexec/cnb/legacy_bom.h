/* SPDX-License-Identifier: Apache-2.0 */
/*
 * legacy_bom.h — the [[bom]] tables that launch.toml and build.toml had before SBOM files. They are still carried along: as
 * sbom.legacy.json, and in metadata.toml for platforms before 0.9. Pure.
 * Spec: buildpack.md "Bill-of-Materials" (deprecated).
 */
#ifndef BUILDEXEC_CNB_LEGACY_BOM_H
#define BUILDEXEC_CNB_LEGACY_BOM_H

#include "buildexec/cnb/build_plan.h"
#include "model/base/buf.h"

struct bom_entry {
	struct plan_require require;
	struct bp_element buildpack;
};
struct boms {
	struct bom_entry *v;
	size_t n, cap;
};

/* Adds requirements as what this buildpack put into the image. */
void boms_add(struct boms *boms, const struct plan_requires *requires,
	      const struct bp_element *buildpack, struct arena *arena);
/* Adds the tables of one file. A `version` beside the name is an error, as in plans. */
MUST_CHECK bool boms_decode(const struct node *tree, const struct bp_element *buildpack,
			    struct arena *arena, struct boms *out, struct err *err);
/* The array of tables for metadata.toml. */
struct node *boms_encode(const struct boms *boms, struct arena *arena);
/* One line of JSON; "null" when there are none. */
void boms_print_json(const struct boms *boms, struct arena *arena, struct buf *out);

#endif
