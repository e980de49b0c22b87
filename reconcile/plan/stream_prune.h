/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_prune.h — which entries of histories, and which image records, nobody needs any more. Pure: what is in use is given,
 * what to drop comes out. Rules: openshift.md §5.7. Kept besides what upstream keeps: the newest entry of a tag that is in the
 * spec or has taken a push, since the next run would bring it back.
 */
#ifndef RECONCILE_PLAN_STREAM_PRUNE_H
#define RECONCILE_PLAN_STREAM_PRUNE_H

#include "model/kind/status.h"
#include "model/kind/stream.h"

#define PRUNE_KEEP_REVISIONS 3
#define PRUNE_KEEP_YOUNGER_S 3600

struct prune_input {
	const struct state *state;
	const struct map *used_tags;   /* "ns/stream:tag" that workloads and builds read */
	const struct map *used_images; /* digests that they name */
	/*
	 * Digest → const int64_t *: image records and when they were written, Unix seconds (0: long ago). NULL: they are not
	 * known; then no entry is dropped because its record is missing, and no record is to be deleted.
	 */
	const struct map *records;
	int64_t now_s;
	int64_t keep_revisions; /* entries of a tag that are always kept: PRUNE_KEEP_REVISIONS */
	int64_t keep_younger_s; /* PRUNE_KEEP_YOUNGER_S */
	bool all;               /* also images that do not lie in the integrated registry */
};

struct prune_item {
	const char *tag;
	const struct tag_event *event;
	bool is_missing; /* its record is not there */
};
struct prune_stream {
	const struct state_entry *entry;
	struct list items;                  /* struct prune_item: "Deleting n items from …" */
	struct strings tags;                /* that have nothing left and go too */
	const struct stream_status *status; /* what is to be recorded */
};
struct prune_result {
	struct list streams;   /* struct prune_stream, in order of id: those that lose something */
	struct strings images; /* digests whose records are to be deleted, sorted */
	size_t n_items;
};
void stream_prune(const struct prune_input *in, struct arena *arena, struct prune_result *out);

#endif
