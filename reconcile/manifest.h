/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest.h — documents of objects in the files of the manifests, to be edited in place: found, changed through
 * model/doc/edit.h, checked together with all other manifests, then written, each file in one rename. Edits that bring new
 * mistakes into the manifests are refused before anything is written. Files outside of the folder are never touched.
 */
#ifndef RECONCILE_MANIFEST_H
#define RECONCILE_MANIFEST_H

#include "model/doc/edit.h"
#include "reconcile/context.h"

/* A file that holds an object that was asked for. */
struct manifest_file {
	const char *path;
	struct edit edit;
	const char *before; /* its text */
	size_t n_before;
	bool is_new;
};

/* Which object. `ns` NULL: of a cluster kind. */
struct manifest_id {
	enum kind kind;
	const char *ns, *name;
};

/* One object. Adding and removing other objects of the same file leaves it valid only when they stand behind it. */
struct declared {
	struct manifest_file *file;
	struct edit_path at;       /* the object's document, or item of a List */
	const struct node *before; /* as it was found; NULL: it is new */
	bool is_gone;              /* it was removed */
};

/* All that one command looks at and changes. */
struct manifests {
	struct context *context;
	const char *dir;      /* absolute: the folder */
	struct strings paths; /* files of it, in order */
	VEC(struct manifest_file *) files;
	size_t n_errors; /* in the manifests as they are */
};

MUST_CHECK bool manifests_open(struct context *context, struct manifests *out, struct err *err);
/* Looks through the files, old names of the kind included. ERR_INVALID when the name is there twice, or a file that may hold it cannot be read. */
MUST_CHECK bool manifest_find(struct manifests *all, const struct manifest_id *id,
			      struct declared *out, bool *is_found, struct err *err);
/* The object's document as it is by now; NULL when it is gone. */
const struct node *manifest_node(const struct declared *manifest);
/* "path:line:column" */
const char *manifest_where(const struct declared *manifest);
bool manifest_is_changed(const struct declared *manifest);
/*
 * A document for a new object: apiVersion, kind and metadata, with the namespace where `with_ns`. It gets a file of its own,
 * <name>.yaml for an Image and <kind>-<name>.yaml for others, with the namespace before the name where it is not "default";
 * or the end of the file that --manifests names. Never over a file that is there.
 */
MUST_CHECK bool manifest_new(struct manifests *all, const struct manifest_id *id, bool with_ns,
			     struct declared *out, struct err *err);
/* Takes the document out; a file without any other goes too. */
MUST_CHECK bool manifest_remove(struct declared *manifest, struct err *err);

/* Something is to be written. */
bool manifests_are_changed(const struct manifests *all);
/* All manifests as they would be. EXIT_DONE, or EXIT_INVALID after the mistakes were said. */
int manifests_check(const struct manifests *all);
/* Writes what is changed; with --dry-run shows the lines that would. EXIT_DONE, or the code of what was said on stderr. */
int manifests_write(struct manifests *all);

/* The path of `path` as seen from the manifest's folder; both may be relative to where we are. NULL: there is nothing. */
const char *manifest_relative(const struct declared *manifest, const char *path,
			      struct arena *arena);

#endif
