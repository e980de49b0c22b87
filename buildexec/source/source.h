/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.h — a resolved source becomes a folder: the exact commit, or the exact content, that the plan decided on.
 * What comes out holds no repository data, normal modes only, and belongs to the user who will build. Git commits are
 * fetched without history into a bare repository of the cache and exported from there.
 * GAP(design §6 sources): submodules; blob, registry and archive sources come with a later step and are refused by name.
 */
#ifndef BUILDEXEC_SOURCE_SOURCE_H
#define BUILDEXEC_SOURCE_SOURCE_H

#include <sys/types.h>

#include "buildexec/source/access.h"

struct source_spec {
	const struct source *source; /* git.revision is a commit id               */
	const char *content;         /* expected digest of a local folder; NULL: any */
	const char *manifest_dir;    /* absolute: what local paths are relative to */
	const struct access *access; /* for git                                    */
	const char *cache_dir;       /* absolute                                   */
	const char *dest;            /* an empty folder that exists                */
	uid_t uid;
	gid_t gid;
};

/* ERR_CONFLICT: a local folder is not (or no longer) the content that was asked for. */
MUST_CHECK bool source_materialise(const struct source_spec *spec, struct arena *arena,
				   struct err *err);

/* The [source] table of project-metadata.toml (kpack.md §4.3); NULL for a local folder. */
struct node *source_project_metadata(const struct source *source, struct arena *arena);

/* "./a//b/" → "a/b"; "" for none. ERR_INVALID for a path that leads out of the source. */
MUST_CHECK bool source_sub_path(const char *sub_path, struct arena *arena, const char **out,
				struct err *err);
/* The folder of a local source, without its sub path: what observing asks the digest of. */
MUST_CHECK bool source_local_folder(const struct source *source, const char *manifest_dir,
				    struct arena *arena, const char **out, struct err *err);

#endif
