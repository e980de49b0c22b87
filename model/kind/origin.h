/* SPDX-License-Identifier: Apache-2.0 */
/*
 * origin.h — where a recorded object was declared, as the annotations of its status file say, and what one run loads: by
 * these a run tells which records are its own to delete, on a branch that it shares with others. Pure: who looks at files
 * and repositories is reconcile/scope.c.
 */
#ifndef MODEL_KIND_ORIGIN_H
#define MODEL_KIND_ORIGIN_H

#include "model/kind/kind.h"

/* A record of before there were annotations, or of standard input: manifest NULL. */
struct origin {
	const char *repo; /* "git.example.com/shop/config"; NULL: the one that holds the state */
	const char *manifest; /* relative to the top of its work tree: "shop/cart.yaml" */
	const char *source;   /* commit that it was recorded from; NULL: nobody knows */
	int64_t source_s;     /* of that commit: its committer's time; 0: nobody knows */
};

/* What a run loads. All zero: nobody knows (standard input), nothing is its own. */
struct scope {
	const char *repo; /* as in struct origin */
	const char
		*folder;   /* or one file, relative as manifests are; "": all; NULL: nobody knows */
	const char *shown; /* how the paths of files begin for `folder` */
	bool is_partial;   /* something was passed over: what is missing may be there */
	/* id → const char *: where in the same work tree, outside `folder`, it is declared now */
	struct map elsewhere;
	const char *source; /* commit that is checked out, and its time; as in struct origin */
	int64_t source_s;
	struct map newer; /* recorded commits of this repository that `source` is older than */
	bool is_outdated; /* something in `folder` was recorded from one of them */
};

/* Relative, in UTF-8 without control characters, without "..", of a length that paths have. */
bool origin_path_is_valid(const char *path);
/* Of an object that the run loaded. */
struct origin origin_of(const struct scope *scope, const struct object *object,
			struct arena *arena);
/* Same place; from which commit is not compared: that changes along with a status, never for its own sake. */
bool origin_equal(const struct origin *a, const struct origin *b);
bool scope_has_repo(const struct scope *scope, const struct origin *origin);
/* Recorded from a newer commit of the same repository. */
bool scope_is_older(const struct scope *scope, const struct origin *origin);
/* Its repository, and inside `folder`. */
bool scope_holds(const struct scope *scope, const struct origin *origin);

/* Into the `metadata` of a status file, beside the annotations that are there. */
void origin_encode(const struct origin *origin, struct node *metadata, struct arena *arena);
/* What is no such path counts as not known: the record then only goes when it is asked for. */
struct origin origin_read(const struct node *document);

#endif
