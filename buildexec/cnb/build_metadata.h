/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_metadata.h — what the buildpacks said about the whole image: <layers>/config/metadata.toml, read for export, and
 * the label io.buildpacks.build.metadata made from it.
 * Pure. The file is written by our guest, but buildpacks can change it: it is checked like any foreign text.
 * Spec: buildpacks/spec platform.md "metadata.toml", "io.buildpacks.build.metadata (JSON)"; cnb.md §1.4, §1.7.
 */
#ifndef BUILDEXEC_CNB_BUILD_METADATA_H
#define BUILDEXEC_CNB_BUILD_METADATA_H

#include "buildexec/cnb/api.h"
#include "model/doc/field.h"

struct group_element {
	const char *id, *version, *api, *homepage; /* homepage: NULL or not empty */
};

struct group {
	struct group_element *v;
	size_t n, cap;
};

/* ERR_INVALID when its Buildpack API is none that is known here. */
MUST_CHECK bool group_element_api(const struct group_element *element, struct api *out,
				  struct err *err);

/* [[group]] of group.toml. ERR_INVALID when an element has no id or version. */
MUST_CHECK bool group_read(const struct node *toml, struct arena *arena, struct group *out,
			   struct err *err);

/* [[group-extensions]] of it. */
MUST_CHECK bool group_read_extensions(const struct node *toml, struct arena *arena,
				      struct group *out, struct err *err);

struct build_metadata {
	struct group buildpacks, extensions;
	struct pairs labels;    /* as defined, repeated keys too        */
	struct strings *slices; /* globs of each slice                  */
	size_t n_slices;
	const char *default_process;  /* NULL: none                          */
	struct strings process_types; /* valid as names of links            */
	const struct node *processes; /* as read, for the label             */
	bool has_bom;
};

/* Texts are lent from the tree. ERR_INVALID names the key. */
MUST_CHECK bool build_metadata_read(const struct node *toml, struct arena *arena,
				    struct build_metadata *out, struct err *err);

struct launcher_source {
	const char *version, *repository, *commit;
};
struct node *build_metadata_label(const struct build_metadata *metadata,
				  const struct launcher_source *launcher, const char *platform_api,
				  struct arena *arena);

/* project-metadata.toml, or NULL for none: ERR_INVALID when it has something of another type than it should. */
MUST_CHECK bool project_metadata_check(const struct node *toml, struct err *err);
/* project-metadata.toml → the label io.buildpacks.project.metadata: only [source] is taken. NULL gives {}. */
struct node *project_metadata_label(const struct node *toml, struct arena *arena);

#endif
