/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_edit.h — what `import NAME[:TAG]` changes in the manifest of a stream: which tags are marked for import, which are
 * new. Rules and texts are oc's `import-image` (openshift.md §5.4).
 */
#ifndef RECONCILE_IMPORT_EDIT_H
#define RECONCILE_IMPORT_EDIT_H

#include "reconcile/stream_edit.h"

struct import_request {
	const char *text; /* "python:3.6" as given */
	const char *ns, *name;
	const char *tag; /* NULL with --all */
	const struct stream_options *options;
	const struct tag_options *flags;
};
/* NAME[:TAG] and the flags that do not go with it. */
MUST_CHECK bool import_request_parse(const char *text, const struct options *options,
				     const char *ns, struct arena *arena,
				     struct import_request *out, struct err *err);
/* Edits; *tags are those that the next run imports. */
MUST_CHECK bool import_edit(const struct import_request *request, struct manifests *all,
			    struct strings *tags, struct err *err);

#endif
