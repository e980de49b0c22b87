/* SPDX-License-Identifier: Apache-2.0 */
/* stream_check.h — rules that the kinds of image streams share, and their names. */
#ifndef MODEL_KIND_STREAM_CHECK_H
#define MODEL_KIND_STREAM_CHECK_H

#include "model/kind/check.h"
#include "model/kind/stream.h"

/* Of a tag: between two of its scheduled imports, at least a minute. */
#define IMPORT_INTERVAL "reconcile.dev/import-interval"

/* Why a stream cannot have the name, or NULL. */
const char *stream_name_mistake(const char *name);
/* metadata.name of a stream and of the documents that act on one. */
void stream_names_check(const struct checker *c);
/* The stream that a document of one of the four kinds is about, in its own namespace. */
const char *stream_of(const struct object *object);

void check_tag_name(const struct checker *c, const char *path, const char *tag);
/* A DockerImage; not a registry alone. */
void check_docker_image(const struct checker *c, const char *path, const char *name);
/* <path>.importPolicy.importMode and <path>.referencePolicy.type */
void check_policies(const struct checker *c, const char *path, const char *import_mode,
		    const char *reference_policy);

/*
 * metadata.name and metadata.namespace of an ImageStreamMapping that names its stream by the stream's repository alone.
 * Nothing changes when a name is there, or when the repository cannot be read.
 */
void mapping_name(const struct node *document, struct arena *arena, struct meta *meta);
/*
 * What tells several documents about one stream apart in their ids: ":<tag>" of a mapping, "@<start of the key>" of an
 * import; "" for other kinds.
 */
const char *document_suffix(const struct object *object, struct arena *arena);

#endif
