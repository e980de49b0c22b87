/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_generation.h — a stream's next status while it is made: the effective spec with its generations, and which tags
 * want their source. The same for the questions and for the rule. Rules: openshift.md §2.4, stream.h 1–3.
 * Internal to reconcile/plan.
 */
#ifndef RECONCILE_PLAN_STREAM_GENERATION_H
#define RECONCILE_PLAN_STREAM_GENERATION_H

#include "reconcile/plan/rules.h"
#include "reconcile/plan/stream.h"
#include "reconcile/plan/stream_history.h"

/* An Image or a BuildConfig that pushes to a tag of a stream. */
struct pusher {
	const struct object *image;
	const char *reference; /* as recorded once pushed: image_status.tags, build_config_status */
	const char *tag;
};
struct pushers {
	VEC(struct pusher) list; /* in order of ids */
};

/* What is looked up once per plan. Facts are NULL while the first questions are made. */
struct stream_world {
	const struct model *model;
	const struct state *state;
	const struct facts *facts;
	const struct plan_options *options;
	struct arena *arena;
	struct map accounts; /* namespace → struct stream_account */
	struct map pushers;  /* stream id → struct pushers */
	struct map recorded; /* digests in recorded histories: their image records exist */
	bool has_recorded;
};
/* Fills world->pushers. */
void pushers_index(struct stream_world *world);
void stream_world_init(struct stream_world *world, const struct planner *p);
bool image_is_recorded(struct stream_world *world, const char *digest);

/* Where a spec tag came from. */
enum tag_origin { ORIGIN_SPEC, ORIGIN_DOCUMENT, ORIGIN_IMPORT, ORIGIN_REPOSITORY };
/* A tag of the effective spec. */
struct draft_tag {
	struct tag_ref ref;
	enum tag_origin origin;
	const struct tag_ref *old; /* as recorded; NULL: new */
	bool is_requested;         /* a new request, of tag or stream */
	bool is_unmirrored;        /* of pass->unmirrored: its history stays as it is */
	bool is_left_out;          /* … and it was not in the spec before */
};
/* A repository whose tags are imported: spec.dockerImageRepository, or of an ImageStreamImport. */
struct draft_repository {
	const struct object *document; /* NULL: the stream's own */
	struct import_item item;
	bool is_wanted; /* to be listed now */
};
/* Tags whose images would have to be copied first, and were not (yet, or in vain). */
struct draft_pass {
	struct strings unmirrored;
	bool has_failed;
};
struct draft {
	struct stream_world *world;
	struct arena *arena;
	const struct object *object;
	const struct stream_spec *manifest;
	const struct stream_status *old; /* NULL: nothing is recorded */
	struct stream_status now;        /* lists are empty until draft_finish */
	VEC(struct draft_tag *) spec;
	struct map spec_by_name;
	VEC(struct tag_history *) tags; /* in order of name */
	VEC(struct draft_repository) repositories;
	struct strings deleted;
	const struct draft_pass *pass; /* NULL: everything that is wanted comes true */
	int64_t next;                  /* generation of what is imported */
	bool is_bumped; /* something was imported: the stream takes that generation */
	bool is_changed;
};
/* Effective spec and generations. */
void draft_begin(struct draft *d, struct stream_world *world, const struct object *object,
		 const struct draft_pass *pass, struct arena *arena);
/* The lists of `now`; the recorded status itself when nothing differs. */
const struct stream_status *draft_finish(struct draft *d);

struct draft_tag *draft_tag(const struct draft *d, const char *name);       /* NULL: none */
struct tag_history *draft_history(const struct draft *d, const char *name); /* NULL: none */
struct tag_history *draft_history_make(struct draft *d, const char *name);  /* never NULL */
void draft_history_drop(struct draft *d, const char *name);
/* Of what is recorded now. */
int64_t draft_generation(const struct draft *d);
/* Deleted, and not in the spec: it takes nothing. */
bool draft_is_deleted(const struct draft *d, const char *name);

enum wish {
	WISH_NONE,
	WISH_NEW,   /* the spec is newer than what the tag holds                */
	WISH_RETRY, /* the last try failed, and there are tries left            */
	WISH_DUE,   /* by schedule, or asked for on the command line            */
};
enum wish draft_wish(const struct draft *d, const struct draft_tag *tag);
/* stream_due_s of an effective tag. */
int64_t stream_due_of(const struct tag_at *at, const struct tag_ref *ref,
		      const struct settings_streams *settings, const struct map *checks,
		      struct arena *arena);
bool tag_is_import(const struct tag_ref *ref); /* a DockerImage that is no mere reference */
/* Its source: own stream or another. False when it is no ImageStreamTag or ImageStreamImage, or cannot be read. */
struct tag_source {
	bool is_image, is_own;
	const char *ns, *stream, *name;
};
bool tag_source_of(const struct object *object, const struct tag_ref *ref, struct arena *arena,
		   struct tag_source *out);

/* ---- questions (queries_stream.c); their keys are what the rule looks facts up by ---- */

struct import_ask {
	const char *image;
	bool is_insecure;
	const char *import_mode;         /* NULL: the settings' */
	const struct pairs *annotations; /* preferred platform; NULL */
};
void import_query(struct stream_world *world, const struct object *object,
		  const struct import_ask *ask, struct query *out);
/* The same with its key, for looking up. NULL: not asked or not answered. */
const struct fact *import_fact(struct stream_world *world, const struct object *object,
			       const struct import_ask *ask);
struct import_ask tag_ask(const struct tag_ref *ref);
struct import_ask item_ask(const struct import_item *item);
const struct fact *repository_fact(struct stream_world *world, const struct object *object,
				   const struct import_item *item);
/* The reference as it was written, with the digest in place of the tag: what a tag's event shows. NULL when it is no reference. */
char *import_reference(const char *image, const char *digest, struct arena *arena);
/* Tag that an import document's item goes to; NULL: it names none. */
const char *item_tag(const struct import_item *item, struct arena *arena);
/* <registry>/<namespace>/<name>; NULL: there is no integrated registry. */
char *stream_repository(const struct model *model, const char *ns, const char *name,
			struct arena *arena);
/* "<registry>/<namespace>/<name>[:tag]" in its parts: false when it lies elsewhere or names a digest. */
bool stream_reference_parse(const struct model *model, const char *reference, struct arena *arena,
			    const char *out[3]);
/*
 * A stream that is decided about later, as this plan makes it but for what is pushed to it: for those who push to it and read
 * another tag of it. Copies that are still to be made are not there. NULL: it is not declared.
 */
const struct stream_status *stream_before_pushes(const struct planner *p, const char *id);
/* The object pushes to other tags of the stream than this one. */
bool pushes_beside(const struct planner *p, const struct object *object, const char *stream,
		   const char *tag);
/* What an object's watch gives it; of a stream that it pushes to beside, which comes after it, as stream_before_pushes. */
struct tag_view watched_view(const struct planner *p, const struct object *object,
			     const struct image_watch *watch);
/* What a pusher pushed last under pusher->reference, by its status; NULL: nothing. */
const char *pushed_digest(const struct pusher *pusher, const void *status);

#endif
