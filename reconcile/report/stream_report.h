/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_report.h — what is recorded of image streams and images, as oc describes them, to the letter: field order, wording,
 * alignment (openshift.md §5.1, §5.2; requirement "Working with Image Streams"). From recorded values alone. Pure but for the
 * cleaning of foreign text.
 */
#ifndef RECONCILE_REPORT_STREAM_REPORT_H
#define RECONCILE_REPORT_STREAM_REPORT_H

#include "model/kind/image_record.h"
#include "model/kind/stream.h"

struct described_stream {
	const char *ns, *name;
	const struct meta *meta; /* of the manifest: labels and annotations; NULL: not at hand */
	const struct stream_status *status;
	int64_t now_s;
	/* when a scheduled tag is due, Unix seconds, 0: it is not; NULL: not said */
	int64_t (*due_s)(void *ctx, const char *tag);
	void *ctx;
};

/* `oc describe is/NAME` */
void stream_describe(const struct described_stream *view, struct arena *arena, struct buf *out);

/* Names of all tags that are recorded or declared, in the order that people read: latest, then versions downwards. */
void stream_tag_names(const struct stream_status *status, struct arena *arena, struct strings *out);
/* The TAGS cell of `oc get is`: "latest,3.6,3.5 + 2 more..." */
char *stream_tags_cell(const struct stream_status *status, struct arena *arena);
/* When anything of it moved last: of all events and conditions; 0: never. */
int64_t stream_updated_s(const struct stream_status *status);

struct described_image {
	const char *name; /* Image Name: as asked for, or the image's id */
	const struct image_record *record;
	const struct tag_event *event; /* of the tag that was asked for: when it was tagged; NULL */
	const struct pairs *annotations; /* of the spec tag; NULL */
	int64_t now_s;
	bool is_verbose; /* lists the layers */
};
/* `oc describe istag/NAME:TAG` and `isimage/NAME@ID` */
void image_describe(const struct described_image *view, struct arena *arena, struct buf *out);

#endif
