/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descriptor.h — buildpack.toml, order.toml, system.toml, group.toml and run image targets as
 * values, from and to trees. Pure. Elements are small values and are copied; their texts are lent
 * from the trees they were read from. Spec: buildpack.md "buildpack.toml", platform.md
 * "order.toml", "group.toml", "system.toml", "Target".
 */
#ifndef BUILDEXEC_CNB_DESCRIPTOR_H
#define BUILDEXEC_CNB_DESCRIPTOR_H

#include "buildexec/cnb/api.h"
#include "model/base/vec.h"
#include "model/doc/node.h"

struct bp_element {
	const char *id, *version; /* never NULL; the version may be "" */
	const char *api, *homepage;
	bool is_optional, is_extension;
	unsigned depth; /* composite buildpacks it came out of */
	/* Not NULL: stands for the image extensions of a builder, has no id and no version. */
	const struct bp_order *extensions;
};
struct bp_group {
	struct bp_element *v;
	size_t n, cap;
};
struct bp_order {
	struct bp_group *v;
	size_t n, cap;
};

struct bp_distro {
	const char *name, *version;
};
/* Empty or NULL texts match anything. */
struct bp_target {
	const char *os, *arch, *variant;
	struct bp_distro *distros;
	size_t n_distros;
};
struct bp_targets {
	struct bp_target *v;
	size_t n, cap;
};

struct bp_descriptor {
	struct bp_element element; /* with api and homepage */
	struct api api;
	bool is_api_known; /* false: missing, malformed, or not implemented here; see element.api */
	bool is_clear_env;
	struct strings sbom_formats, exec_envs;
	struct bp_order order; /* not empty: a composite buildpack */
	struct bp_targets targets;
	const char *dir; /* where it was found, whatever id it gives itself; set by the finder */
};

/*
 * buildpack.toml, or extension.toml by its table [extension]. `has_build`: there is a bin/build, which makes a buildpack
 * without targets one for Linux.
 */
MUST_CHECK bool descriptor_decode(const struct node *tree, bool has_build, struct arena *arena,
				  struct bp_descriptor *out, struct err *err);
MUST_CHECK bool order_decode(const struct node *tree, struct arena *arena, struct bp_order *out,
			     struct err *err);
/* Puts order-extensions of order.toml, when there is one, before every group. */
MUST_CHECK bool order_add_extensions(struct bp_order *order, const struct node *tree,
				     struct arena *arena, struct err *err);
/* Puts the system buildpacks around every group that does not have them (Platform API 0.15). */
MUST_CHECK bool order_add_system(struct bp_order *order, const struct node *system,
				 struct arena *arena, struct err *err);

/* Of group.toml; metadata.toml has the same tables under other names. */
#define GROUP_KEY            "group"
#define GROUP_EXTENSIONS_KEY "group-extensions"
/* The elements under `key`. Refuses unsafe ones (bp_is_safe). */
MUST_CHECK bool group_decode(const struct node *tree, const char *key, struct arena *arena,
			     struct bp_group *out, struct err *err);
/* group.toml, with the group's buildpacks and its extensions apart. */
struct node *group_encode(const struct bp_group *group, struct arena *arena);
/* The elements, extensions or not, under `key` of a table; nothing when there are none. */
void group_set(struct node *tree, const char *key, const struct bp_group *group, bool is_extension,
	       struct arena *arena);

/* [run-image.target] of analyzed.toml; an empty target when there is none. */
MUST_CHECK bool target_decode(const struct node *analyzed, struct arena *arena,
			      struct bp_target *out, struct err *err);
/* Fills what the target leaves open from the text of /etc/os-release (NULL: no such file) and the
 * architecture here. */
void target_complete(struct bp_target *target, const char *os_release, const char *arch,
		     struct arena *arena);
bool target_fits(const struct bp_target *base, const struct bp_targets *wanted);
/* True when a buildpack takes part in this execution environment. */
bool exec_env_fits(const struct strings *exec_envs, const char *exec_env);

/* False for ids and versions that cannot name a folder ("", "..", a version with '/'). */
bool bp_is_safe(const struct bp_element *element);
/* "a/b" → "a_b": the name of its folder. */
char *bp_folder(const char *id, struct arena *arena);

#endif
