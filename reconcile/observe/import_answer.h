/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_answer.h — what an image stream's tag points at in its registry, and the tags of a repository. A tag whose digest is
 * the recorded one costs one HEAD; else manifest and config are read, by digest, never layers.
 * Reasons and texts of failures: OpenShift's importer (openshift.md §2.7); choice in an index: the tag's preference, the
 * settings', linux/amd64, the first.
 */
#ifndef RECONCILE_OBSERVE_IMPORT_ANSWER_H
#define RECONCILE_OBSERVE_IMPORT_ANSWER_H

#include "buildexec/registry/registry.h"
#include "reconcile/observe/quiet.h"
#include "reconcile/plan/facts.h"

struct import_question {
	const struct query *query;
	struct registry
		*registry; /* with the credentials of the namespace; its manner is changed */
	const struct settings_streams *streams;
	struct quiet *quiet;
	int64_t timeout_ms; /* of one request with its retries; 0: 60 s */
};
/* False: err is what the tag's condition says, out->reason its reason. Results live in the arena. */
MUST_CHECK bool answer_import(const struct import_question *question, struct arena *arena,
			      struct fact *out, struct err *err);
/* Sorted, each once. */
MUST_CHECK bool answer_tags(const struct import_question *question, struct arena *arena,
			    struct fact *out, struct err *err);

/* The entry of an index for the first of the platforms that has one, else its first image; NULL: it has no entries. */
const struct descriptor *import_choose(const struct image_index *index,
				       const struct platform *wanted, size_t n);

#endif
