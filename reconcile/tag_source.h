/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tag_source.h — what the words and flags of `tag` mean: which kind a source is, what a destination names, which flags go
 * together, and what is said in the end. Rules and texts are oc's (openshift.md §5.3). Pure.
 */
#ifndef RECONCILE_TAG_SOURCE_H
#define RECONCILE_TAG_SOURCE_H

#include "model/kind/stream.h"
#include "model/oci/docker_ref.h"
#include "reconcile/options.h"

struct tag_source {
	const char *text; /* as given */
	const char *kind; /* DockerImage, ImageStreamTag, ImageStreamImage */
	struct docker_ref ref;
};
/* A destination: "[ns/]stream:tag" */
struct tag_target {
	const char *text; /* "stream:tag" as given */
	const char *ns, *stream, *tag;
};

/* `kind`: of --source, NULL: by what the text looks like. ERR_INVALID. */
MUST_CHECK bool tag_source_parse(const char *text, const char *kind, struct arena *arena,
				 struct tag_source *out, struct err *err);
/* `ns` where the text says none. The form of the tag is not looked at: tags that should not be there can be deleted. */
MUST_CHECK bool tag_target_parse(const char *text, const char *ns, struct arena *arena,
				 struct tag_target *out, struct err *err);
/* Letters, digits, '_', '.' and '-', at most 128, the first one no '.' or '-'. */
MUST_CHECK bool tag_name_check(const char *tag, struct err *err);

/* All that `tag` was asked. `source` NULL: tags are to be deleted. */
struct tag_request {
	const struct tag_options *options;
	const struct tag_source *source;
	const struct tag_target *targets;
	size_t n_targets;
	const char *ns; /* where names without a namespace are */
};
MUST_CHECK bool tag_request_check(const struct tag_request *request, struct err *err);

/*
 * A source that is a tag of a stream becomes the image that the tag points at now, or the reference that it is; the short id
 * of an image becomes the whole one. `status` NULL: nothing is recorded of the stream. ERR_ABSENT, ERR_CONFLICT.
 */
MUST_CHECK bool tag_source_pin(struct tag_source *source, const struct stream_status *status,
			       struct arena *arena, struct err *err);
/* What a spec tag of this target holds. */
struct tag_ref *tag_request_ref(const struct tag_request *request, const struct tag_target *target,
				struct arena *arena);
/* "Tag python:latest set to python@sha256:…." */
char *tag_request_message(const struct tag_request *request, const struct tag_target *target,
			  struct arena *arena);

/* "true", "false" or NULL of an option */
bool option_is_on(const char *value);

#endif
