/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target.h — which machine an image is made for, by its config and its io.buildpacks.base.* labels, and which stack it
 * claims; may an application move from one base to another?
 * Pure. Spec: buildpacks/spec platform.md "Run Image", "Rebaser"; cnb.md §1.10, §1.12.
 */
#ifndef BUILDEXEC_CNB_TARGET_H
#define BUILDEXEC_CNB_TARGET_H

#include "model/oci/image.h"

struct target {
	const char *id; /* io.buildpacks.base.id; NULL */
	const char *os, *arch, *variant;
	bool has_distro;
	const char *distro_name, *distro_version; /* "" when one of the two is missing */
};

struct target target_of(const struct image_config *config);
/* {"os":…,"arch":…,…} as it stands in analyzed.toml and in messages. */
struct node *target_encode(const struct target *target, struct arena *arena);
/* May an application that stands on `old_base` be put on `new_base`? */
bool target_allows_rebase(const struct target *new_base, const struct target *old_base);
/* ID and VERSION_ID of an os-release file, quotes removed; true when one of them is there. */
bool os_release_parse(const char *text, struct arena *arena, const char **id, const char **version);

#endif
