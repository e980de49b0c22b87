/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.h — a resolved source becomes a folder: the exact commit, or the exact content, that the plan decided on.
 * What comes out holds no repository data, normal modes only, and belongs to the user who will build. Git commits are
 * fetched without history into a bare repository of the cache and exported from there, with their submodules where asked for.
 * Archives, images and local folders are known by the digest of the whole (content) and, below a sub path, of that part alone.
 */
#ifndef BUILDEXEC_SOURCE_SOURCE_H
#define BUILDEXEC_SOURCE_SOURCE_H

#include <sys/types.h>

#include "buildexec/source/access.h"
#include "buildexec/sys/git_commit.h"
#include "model/base/digest.h"

struct source_spec {
	const struct source *source; /* git.revision is a commit id; registry.image is pinned */
	const char *content;         /* expected digest of blob, archive or folder; NULL: any */
	const char *part;            /* expected digest of the sub path, not git; NULL: any   */
	const char *manifest_dir;    /* absolute: what local paths are relative to            */
	const struct access *access; /* for git and blob                                      */
	struct registry *registry;   /* for registry                                          */
	const char *cache_dir;       /* absolute                                              */
	const char *dest;            /* an empty folder that exists                           */
	uid_t uid;
	gid_t gid;
	struct strings *notices;        /* what the user should know of the source; may be NULL  */
	struct git_commit_info *commit; /* filled from a git source's commit; may be NULL */
};

/* ERR_CONFLICT: the source is not (or no longer) the content that was asked for. */
MUST_CHECK bool source_materialise(const struct source_spec *spec, struct arena *arena,
				   struct err *err);
/*
 * The digests of sub paths (clean) of any source but git, as tree_hash makes them; a path that is not there is left out.
 * source->sub_path, dest, uid and gid are not looked at.
 */
MUST_CHECK bool source_parts(const struct source_spec *spec, const struct strings *sub_paths,
			     struct arena *arena, struct pairs *out, struct err *err);
/* The digest of a local folder, or of a local archive's bytes. */
MUST_CHECK bool source_local_content(const struct source *source, const char *manifest_dir,
				     struct digest *out, struct err *err);

/* The [source] table of project-metadata.toml (kpack.md §4.3); NULL for a local source. Without passwords and queries. */
struct node *source_project_metadata(const struct source *source, const char *content,
				     struct arena *arena);

/* A git URL as it may be shown: without password, and without user where that may be a token. */
const char *source_git_shown(const char *url, struct arena *arena);

/* "./a//b/" → "a/b"; "" for none. ERR_INVALID for a path that leads out of the source. */
MUST_CHECK bool source_sub_path(const char *sub_path, struct arena *arena, const char **out,
				struct err *err);
#endif
