/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.h — launch.toml of one buildpack, and <layers>/config/metadata.toml, which sums up a
 * build for export and launch. Pure. Texts are lent from the trees. Spec: buildpack.md
 * "launch.toml", platform.md "metadata.toml".
 */
#ifndef BUILDEXEC_CNB_PROCESS_H
#define BUILDEXEC_CNB_PROCESS_H

#include "buildexec/cnb/legacy_bom.h"

struct process {
	/* working_dir NULL: the application's folder */
	const char *type, *buildpack_id, *working_dir;
	struct strings command, args, exec_envs;
	bool has_args; /* args = [] differs from no args, in bytes */
	bool is_direct, is_default;
};
struct processes {
	struct process *v;
	size_t n, cap;
};
struct slice {
	struct strings paths;
	bool has_paths; /* paths = [] differs from no paths, in bytes */
};
struct slices {
	struct slice *v;
	size_t n, cap;
};
struct label {
	const char *key, *value;
};
struct labels {
	struct label *v;
	size_t n, cap;
};

struct launch_file {
	struct processes processes;
	struct slices slices;
	struct labels labels;
	struct boms boms;
	bool has_ignored_dir; /* a working-dir that this Buildpack API does not know; dropped */
	struct strings ignored_defaults; /* types; before Buildpack API 0.6 `web` is the default */
};
/* `bp` says the Buildpack API and the id that processes carry. */
MUST_CHECK bool launch_file_decode(const struct node *tree, const struct bp_descriptor *bp,
				   struct arena *arena, struct launch_file *out, struct err *err);

struct launch_metadata {
	struct bp_group buildpacks, extensions; /* as in group.toml */
	/* sorted by type; of one type the last one defined goes first, each for other environments */
	struct processes processes;
	struct slices slices;
	struct labels labels;
	const char *default_type; /* NULL: none */
	struct boms boms;         /* written for platforms before 0.9, and not read back */
};

/* Adds what a buildpack wrote to what the ones before it wrote. Returns the type that lost its
 * default, or NULL. */
const char *launch_metadata_add(struct launch_metadata *metadata, const struct launch_file *file,
				struct arena *arena);
/* Bytes as the reference writes them, once printed. Commands are arrays from Platform API 0.10 on.
 */
struct node *launch_metadata_encode(const struct launch_metadata *metadata, struct api platform,
				    struct arena *arena);
MUST_CHECK bool launch_metadata_decode(const struct node *tree, struct arena *arena,
				       struct launch_metadata *out, struct err *err);

#endif
