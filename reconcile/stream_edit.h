/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_edit.h — tags of image streams in the files of the manifests: where one is declared (in its stream, or by an
 * ImageStreamTag document of its own), and how it is set, taken away, or marked for import. What is not asked to change
 * stays as it is.
 */
#ifndef RECONCILE_STREAM_EDIT_H
#define RECONCILE_STREAM_EDIT_H

#include "model/kind/stream.h"
#include "reconcile/manifest.h"
#include "reconcile/tag_source.h"

/* Valid until something else is edited. */
struct stream_place {
	struct manifests *all;
	const char *ns, *stream, *tag;
	struct declared document;     /* the ImageStream */
	struct declared tag_document; /* the ImageStreamTag */
	bool has_stream, has_tag_document, has_tag;
	bool is_new;                   /* the ImageStream was made here */
	const struct declared *holder; /* the document that declares the tag */
	struct edit_path at;           /* the tag, or where it would be appended: spec.tags */
};
/* Finds what is there. */
MUST_CHECK bool stream_place_find(struct manifests *all, const struct tag_target *target,
				  struct stream_place *out, struct err *err);
/* The ImageStream, made when there is none. */
MUST_CHECK bool stream_place_make(struct stream_place *place, struct err *err);

/* What the manifests say of the stream, ImageStreamTag documents left out; an empty spec when it is not there. */
MUST_CHECK bool stream_place_spec(const struct stream_place *place, struct stream_spec *out,
				  struct err *err);

/*
 * Makes the tag what `ref` says; a tag that is imported and was there is marked for import. Its name is taken out of what
 * was deleted.
 */
MUST_CHECK bool stream_put_tag(struct stream_place *place, const struct tag_ref *ref,
			       struct err *err);
/* Takes it out of the spec and lists it as deleted, so that its history goes with the next run. */
MUST_CHECK bool stream_drop_tag(struct stream_place *place, struct err *err);
/* The next run imports the tag, once. */
MUST_CHECK bool stream_ask_import(struct stream_place *place, struct err *err);
/* The next run imports all tags of the stream and its repository, once. */
MUST_CHECK bool stream_ask_all(struct stream_place *place, struct err *err);
/* One value of the stream, or of the tag: a path of keys below it. NULL: it goes. */
MUST_CHECK bool stream_set(struct stream_place *place, const char *const *keys,
			   const struct node *value, struct err *err);
MUST_CHECK bool stream_set_tag(struct stream_place *place, const char *const *keys,
			       const struct node *value, struct err *err);

#endif
