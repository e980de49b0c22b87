/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.h — the small texts of a source-to-image build, read and made: .s2i/environment, image_metadata.json, labels, the
 * environment and the mapping of runtime artifacts. Pure.
 * Spec: source-to-image docs/builder_image.md, docs/runtime_image.md (openshift.md §4.1).
 */
#ifndef BUILDEXEC_S2I_TEXT_H
#define BUILDEXEC_S2I_TEXT_H

#include "model/doc/field.h"

/* Of all labels of an image together, keys and values. */
#define S2I_LABEL_BYTES 10240u

/* NAME=VALUE lines, both trimmed; comments and lines without '=' or name are passed over. In order, later ones win. */
void environment_parse(const char *text, size_t len, struct arena *arena, struct pairs *out);
/* {"labels": [{"key": "value"}, …]}: appends to out. ERR_INVALID for anything else. */
MUST_CHECK bool image_metadata_parse(const char *text, size_t len, struct arena *arena,
				     struct pairs *out, struct err *err);
/* Replaces in place, else appends. */
void label_set(struct arena *arena, struct pairs *labels, const char *key, const char *value);
/* Sorted by key. ERR_INVALID when they are more than S2I_LABEL_BYTES. */
MUST_CHECK bool labels_finish(struct pairs *labels, struct err *err);
/* The first line's worth of a commit's message that labels take: 80 bytes, never half a character. */
const char *label_message(const char *message, struct arena *arena);
/*
 * What containers and the result get: `own` (of the build, in order) and behind it what the image says that is not
 * overridden, as a committed container has it.
 */
struct strings environment_join(const struct pairs *own, const struct strings *image,
				struct arena *arena);

struct artifact {
	const char *source; /* absolute, in the assembled container */
	const char *
		destination; /* relative to the runtime image's working folder; "" is that itself */
};
struct artifact_list {
	struct artifact *v;
	size_t n, cap;
};
/* "src[:dst];src[:dst]…", the label io.openshift.s2i.assemble-input-files. */
void artifacts_parse(const char *text, struct arena *arena, struct artifact_list *out);
/* ERR_INVALID for relative sources and for destinations that are absolute or lead out. */
MUST_CHECK bool artifacts_check(const struct artifact_list *list, struct err *err);

#endif
