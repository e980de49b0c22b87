/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_name.h — what the builds of a build config are called, and the labels they carry. Pure.
 * Spec: openshift.md §3.4 "Name".
 */
#ifndef MODEL_KIND_BUILD_NAME_H
#define MODEL_KIND_BUILD_NAME_H

#include "model/kind/kind.h"

#define LABEL_CONFIG      "openshift.io/build-config.name"
#define ANNOTATION_CONFIG "openshift.io/build-config.name"
#define ANNOTATION_NUMBER "openshift.io/build.number"
#define LABEL_CONFIG_OLD  "buildconfig"
#define LABEL_RUN_POLICY  "openshift.io/build.start-policy"

/*
 * "<base>-<suffix>" in at most 253 characters: a longer base is cut, and the FNV-1a hash of the whole of it put before the
 * suffix; a suffix that leaves no room is left out.
 */
char *build_name(const char *base, const char *suffix, struct arena *arena);
/* Of a clone of a build that has no build config: the last ten digits of the time; those of the clone it was go. */
char *clone_name(const char *build, int64_t now_ns, struct arena *arena);
/* As a label's value: cut from the end until it is one (at most 63 characters); unchanged when nothing is left. */
char *label_value(const char *name, struct arena *arena);
/* The build config's own labels, then those that every build has. */
struct pairs build_labels(const struct meta *config, const char *run_policy, struct arena *arena);

#endif
