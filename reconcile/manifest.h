/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest.h — one object's document in the files of the manifests, to be edited in place: found, changed through
 * model/doc/edit.h, checked together with all other manifests, then written in one rename. An edit that brings new mistakes
 * into the manifests is refused before anything is written. Files outside of the folder are never touched.
 */
#ifndef RECONCILE_MANIFEST_H
#define RECONCILE_MANIFEST_H

#include "model/doc/edit.h"
#include "reconcile/context.h"

struct manifest {
	struct context *context;
	const char *file; /* path of the file */
	struct edit edit;
	struct edit_path at; /* the object's document, or item of a List */
	const char *before;  /* the file's text */
	size_t n_before;
	bool is_new_file, is_gone; /* is_gone: the object was removed */
	size_t n_errors;           /* in the manifests as they are */
};

/* Looks through the files below --manifests. ERR_INVALID when the name is there twice, or a file that may hold it cannot be read. */
MUST_CHECK bool manifest_find(struct context *context, enum kind kind, const char *name,
			      struct manifest *out, bool *is_found, struct err *err);
/*
 * A document for a new object: in a file of its own, <name>.yaml or with the namespace in front, or at the end of the
 * file that --manifests names. Never over a file that is there.
 */
MUST_CHECK bool manifest_new(struct context *context, const char *name, const struct node *document,
			     struct manifest *out, struct err *err);
/* Takes the document out; a file without any other goes too. */
MUST_CHECK bool manifest_remove(struct manifest *manifest, struct err *err);

/* Checks and writes; with --dry-run checks and shows the lines that would change. EXIT_DONE, or the code of what was said on stderr. */
int manifest_finish(struct manifest *manifest);

/* The path of `path` as seen from the manifest's folder; both may be relative to where we are. NULL: there is nothing. */
const char *manifest_relative(const struct manifest *manifest, const char *path);

#endif
