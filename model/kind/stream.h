/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.h — ImageStream and the documents that act on one: ImageStreamTag, ImageStreamMapping, ImageStreamImport; and what
 * is recorded of a stream. Groups image.openshift.io/v1 and the legacy v1 without a group.
 * Source of fields, defaults and rules: OpenShift image API (openshift.md §2.1–2.6).
 */
#ifndef MODEL_KIND_STREAM_H
#define MODEL_KIND_STREAM_H

#include "model/kind/image.h"

/* A tag that did not say how its image is imported gets the setting, "Legacy" by default. */
#define IMPORT_LEGACY   "Legacy"
#define IMPORT_PRESERVE "PreserveOriginal"
#define POLICY_SOURCE   "Source"
#define POLICY_LOCAL    "Local"

/* TagReference: what a tag of a stream should point at. */
struct tag_ref {
	const char *name;
	struct pairs annotations;
	struct object_ref
		*from; /* DockerImage, ImageStreamTag, ImageStreamImage; NULL: pushes land here */
	bool is_reference;  /* from.name is handed out as it is, never imported */
	int64_t generation; /* in a manifest only 0 means something: import again */
	bool has_generation;
	bool is_insecure, is_scheduled;
	const char *import_mode;      /* NULL: as the settings say */
	const char *reference_policy; /* "Source" or "Local" */
	struct pos pos;
};

struct stream_spec {
	bool is_local_lookup;   /* lookupPolicy.local: short names of workloads mean this stream */
	const char *repository; /* spec.dockerImageRepository: its tags are imported once; NULL */
	struct list tags;       /* struct tag_ref, names unique */
	struct pos repository_pos;
	/* Filled by model_link: the documents of this stream, in order of id. */
	VEC(const struct object *) tag_documents, mappings, imports;
};

/* ImageStreamTag: metadata.name is "<stream>:<tag>". */
struct stream_tag_spec {
	struct tag_ref *tag; /* NULL: only there for pushes to land */
	bool is_local_lookup;
	const char *stream, *tag_name; /* of metadata.name, set by adapt */
};

/* ImageStreamMapping: an image somebody pushed. */
struct stream_mapping_spec {
	const char *tag;                  /* default "latest" */
	const struct image_record *image; /* never NULL after a successful decode */
	const char *
		repository; /* dockerImageRepository: names the stream when metadata.name is empty */
};

/* ImageStreamImport: imports that are made once for each version of the document. */
struct import_item {
	struct object_ref from; /* DockerImage */
	const char *to;         /* tag; NULL: of the reference */
	bool is_insecure, is_scheduled;
	const char *import_mode, *reference_policy;
	bool with_manifest;
	struct pos pos;
};
struct stream_import_spec {
	bool is_import; /* false: only reported, nothing is recorded */
	struct import_item *repository;
	struct list images; /* struct import_item */
	const char *key;    /* digest of the document: recorded once it was answered */
};

/* TagEvent: one entry of a tag's history. */
struct tag_event {
	int64_t created_s;     /* when the tag began to point at it */
	const char *reference; /* dockerImageReference */
	const char *image;     /* digest; "" for tags with reference: true */
	int64_t generation;
};
struct tag_condition { /* only ImportSuccess */
	const char *type, *status, *reason, *message;
	int64_t changed_s, generation;
	int64_t tries; /* ours: failed attempts in a row for this generation */
};
/* Ours: which push a tag has taken, so that an older one is never put on top again. */
struct tag_push {
	const char *from;  /* "Image/shop/web", "ImageStreamMapping/shop/web:latest" */
	const char *image; /* digest */
};
/* NamedTagEventList */
struct tag_history {
	const char *tag;
	struct list
		items; /* struct tag_event, newest first; never empty unless there is a condition */
	struct list conditions; /* struct tag_condition */
	struct list pushes;     /* struct tag_push */
	const char *
		source_digest; /* ours: what the imported reference pointed at: an index's digest where
				      `items[0].image` is one of its images; NULL: the same as it */
};

/*
 * All that is recorded of a stream: the whole file in OpenShift's shape. `spec` is the one that was last acted on: its tags
 * carry the generations (openshift.md §2.4).
 */
struct stream_status {
	int64_t created_s;   /* metadata.creationTimestamp */
	int64_t generation;  /* metadata.generation */
	const char *checked; /* annotation openshift.io/image.dockerRepositoryCheck; NULL: never */
	const char *asked; /* annotation reconcile.dev/import: the last request that was acted on */
	int64_t repository_tries; /* failed imports of spec.dockerImageRepository in a row */
	struct stream_spec spec;  /* without its documents */
	const char *repository,
		*public_repository; /* status.dockerImageRepository; NULL: there is no integrated registry */
	struct list tags;           /* struct tag_history, by name */
	struct strings answered; /* keys of ImageStreamImports that were carried out */
};

extern const struct table stream_spec_table, stream_tag_table, stream_mapping_table,
	stream_import_table;
extern const struct table tag_ref_table;
/* Of the file: metadata, spec and status side by side. */
extern const struct table stream_status_table;

/* ---- looking things up in what is recorded ---- */

const struct tag_ref *stream_tag(const struct stream_spec *spec, const char *name); /* NULL: none */
const struct tag_history *stream_history(const struct stream_status *status, const char *tag);
/* items[0]; NULL: the tag points at nothing. "" is "latest". */
const struct tag_event *stream_current(const struct stream_status *status, const char *tag);
/*
 * What a consumer pulls (ResolveLatestTaggedImage, openshift.md §2.8): for tags with policy Local the copy in the integrated
 * registry, else the event's reference. NULL: the tag points at nothing. Only the status counts.
 */
const char *stream_pull_spec(const struct stream_status *status, const char *tag,
			     struct arena *arena);
/*
 * The event whose image `id` names: a digest, a unique prefix of one, of its hex part, or of an id that is no digest; over
 * all tags, newest first. ERR_ABSENT, or ERR_CONFLICT 'multiple images match the prefix "x": a, b'.
 */
MUST_CHECK bool stream_find_image(const struct stream_status *status, const char *id,
				  const struct tag_event **out, struct err *err);

/*
 * "<stream>:<tag>" and "<stream>@<id>" (openshift.md §2.2). ERR_INVALID says which part is wrong. Texts live in the arena.
 */
MUST_CHECK bool stream_tag_name_parse(const char *text, struct arena *arena, const char **stream,
				      const char **tag, struct err *err);
MUST_CHECK bool stream_image_name_parse(const char *text, struct arena *arena, const char **stream,
					const char **id, struct err *err);
/*
 * from.name of a spec tag: "<tag>", "<stream>:<tag>", "<id>" or "<stream>@<id>"; *stream NULL: the tag's own. The error's text
 * does not repeat the name.
 */
MUST_CHECK bool tag_from_parse(const struct object_ref *from, struct arena *arena,
			       const char **stream, const char **name, struct err *err);
/*
 * One step: the tag of the same stream that `tag` (may be NULL) follows; NULL: it follows none. A namespace that is written is
 * another one: the stream's own is dropped when manifests are read.
 */
const char *tag_followed(const struct tag_ref *tag, const char *stream, struct arena *arena);
/*
 * What a tag of the same stream is followed to: through ImageStreamTags of this stream to the last one; *out is that tag, or
 * `name` itself when it is not in the spec. ERR_INVALID: a cycle, with its members ("a → b → a").
 */
MUST_CHECK bool tag_follow(const struct stream_spec *spec, const char *stream, const char *name,
			   struct arena *arena, const struct tag_ref **out, struct err *err);

#endif
