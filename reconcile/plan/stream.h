/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.h — how image streams are planned, and what the plan tells others about them.
 *
 * A stream's status is made of its manifest, the documents that act on it, what is recorded, what registries answered and what
 * images pushed. Nothing to do: the recorded status, byte for byte. The rules, in the order in which they are applied:
 *
 * 1. Spec. Effective tags: spec.tags; ImageStreamTag documents (they win); single images of ImageStreamImports with
 *    `import: true`; tags that the import of a repository brought. A new or changed tag gets the stream's new generation
 *    (openshift.md §2.4). Annotation `reconcile.dev/import` on a tag or on the stream asks for an import once per value;
 *    `generation: 0` on a tag is the value "0".
 * 2. Deletion. Annotation `reconcile.dev/deleted-tags: "a,b"` on the stream: as long as such a tag is not in the effective
 *    spec it has no history and takes nothing. To remove a tag from the spec alone keeps its history.
 * 3. Sources. A tag whose generation is newer than what it holds, or whose last try failed and may be tried again
 *    (settings `retries`), takes its source: a reference as it is, an image of a history, a copy of another stream's tag
 *    (once, never followed), or an import. Scheduled tags are imported when they are due.
 * 4. Mappings and pushes. ImageStreamMappings and Images whose tags lie in the stream's repository
 *    (<registry>/<namespace>/<name>) put their digest on top, once per digest: a rollback is not undone. Only spec.tag and
 *    spec.additionalTags of an Image are such tags, not the ones that carry a build number.
 * 5. Tracking. ImageStreamTags of the same stream follow, until nothing moves any more.
 * 6. Copies. Tags with policy Local, and tags taken from another stream's repository in the integrated registry, are recorded
 *    only once their image was copied to this stream's repository (ACTION_MIRROR); a copy that fails is a failed import.
 *
 * A failed import is a condition of its tag and a failure of the run that tried.
 */
#ifndef RECONCILE_PLAN_STREAM_H
#define RECONCILE_PLAN_STREAM_H

#include "reconcile/plan/plan.h"

#define ANNOTATION_IMPORT          "reconcile.dev/import"
#define ANNOTATION_IMPORT_INTERVAL "reconcile.dev/import-interval"
#define ANNOTATION_DELETED_TAGS    "reconcile.dev/deleted-tags"
#define ANNOTATION_TRIGGERS        "image.openshift.io/triggers"
#define ANNOTATION_EXCLUDE_SECRET  "openshift.io/image.excludeSecret"
#define REASON_MIRROR_FAILED       "MirrorFailed"

/* A tag of a declared stream. */
struct tag_at {
	const struct object *stream;
	const struct stream_status *status; /* recorded; NULL: nothing is */
	const char *tag;
};
/*
 * When the tag is to be imported by its schedule, in Unix seconds; in the past: now. 0: it is not scheduled, or is a digest
 * that was imported. The last check is the newest of event, condition, dockerRepositoryCheck and `checks` ("ns/stream:tag" →
 * const int64_t *, Unix seconds; NULL: none).
 */
int64_t stream_due_s(const struct tag_at *at, const struct settings_streams *settings,
		     const struct map *checks, struct arena *arena);

/* What a consumer of a tag gets by this plan. */
struct tag_view {
	const struct step *step; /* of the stream; NULL: it is not declared */
	const char *pull_spec;   /* NULL: the tag points at nothing */
	const char *image;       /* digest; "" for a reference; NULL with pull_spec */
	/* What is told may change when `step` is done: wait for it and decide again (plan_bind). */
	bool is_pending;
};
struct tag_view stream_view(const struct plan *plan, const char *ns, const char *stream,
			    const char *tag, struct arena *arena);

/* One entry of the annotation image.openshift.io/triggers (openshift.md §6). */
struct image_watch {
	const char *ns, *stream, *tag;
	const char *field_path; /* NULL: none was written */
	bool is_paused;
};
/*
 * Entries that watch something else than an ImageStreamTag are left out. ERR_INVALID: no JSON array of such entries, or a name
 * that is not "<stream>:<tag>".
 */
MUST_CHECK bool watches_parse(const char *json, const char *default_ns, struct arena *arena,
			      struct list *out, struct err *err);

#endif
