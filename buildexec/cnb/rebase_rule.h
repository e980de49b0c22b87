/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rebase_rule.h — may an application be put on another base, and what do its config and labels look like then?
 * Pure: no layer moves here. Spec: buildpacks/spec platform.md "Rebaser"; cnb.md §1.10.
 */
#ifndef BUILDEXEC_CNB_REBASE_RULE_H
#define BUILDEXEC_CNB_REBASE_RULE_H

#include "model/oci/image.h"

struct rebase_inputs {
	const struct image_config *app, *base; /* base: the new one */
	const char *base_name;                 /* as given, with its tag */
	const char *base_reference;            /* registry/repo@sha256:… */
	const char *platform_api;              /* of this lifecycle, not of the image */
	bool is_forced;
	bool is_base_given; /* the caller decided on this base: its name may be a new one */
	int64_t created_s;  /* of image and history */
};

struct rebased {
	struct image_config config;
	size_t n_old_base;       /* layers of the old base: the first ones of the application */
	struct strings warnings; /* what -force overrode */
};

/* ERR_INVALID says why not. Texts are lent from the inputs or live in the arena. */
MUST_CHECK bool rebase_decide(const struct rebase_inputs *inputs, struct arena *arena,
			      struct rebased *out, struct err *err);

#endif
