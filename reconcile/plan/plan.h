/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.h — (model, state, facts, now) → what must be done, why, in which order, and what the status becomes.
 * A pure function: dry run and run use the same value. One rule per kind (rules_<kind>.c): given my spec, my recorded
 * status and the outputs of what I refer to, what must be done? Outputs that only doing can tell are marked unknown.
 * Rules: design §5, kpack.md §1.
 */
#ifndef RECONCILE_PLAN_PLAN_H
#define RECONCILE_PLAN_PLAN_H

#include "model/kind/build_request.h"
#include "model/kind/stream.h"
#include "reconcile/plan/build_start.h"
#include "reconcile/plan/facts.h"

enum reason { /* in order of record */
	      REASON_TRIGGER,
	      REASON_COMMIT,
	      REASON_CONFIG,
	      REASON_BUILDER,
	      REASON_STACK,
	      REASON_LIFECYCLE,
	      REASON_IMAGE,
	      REASONS
};
const char *reason_name(enum reason reason);
/* BUILDPACK is an alias of BUILDER. False when it is none. */
bool reason_parse(const char *word, enum reason *out);

struct change {
	enum reason reason;
	const struct node *old_value, *new_value; /* as recorded in buildChanges */
	const char *text; /* one line for people: "main of https://…: a1b2c3d → 4e5f6a7" */
};
struct changes {
	VEC(struct change) list; /* in order of record, each reason at most once */
};
/* "COMMIT,STACK" */
char *changes_reasons(const struct changes *changes, struct arena *arena);
/* Of a reason list as recorded: CONFIG, else COMMIT, else BUILDER, else the first; "+" when more than one; "UNKNOWN" for "". */
char *reason_primary(const char *reasons, struct arena *arena);

enum action {
	ACTION_NONE,
	ACTION_RESOLVE, /* only the status changes: a run image moved, a store was read again      */
	ACTION_COMPOSE, /* a builder image                                                         */
	ACTION_BUILD,
	ACTION_REBASE,
	ACTION_TAG,    /* additional tags of an image that need no build                          */
	ACTION_DELETE, /* the manifest is gone: its records go too (prune)                        */
	ACTION_IMPORT, /* tags of an image stream move; all that is known of them is at hand      */
	ACTION_MIRROR, /* the same, and images are copied to the integrated registry first        */
	ACTION_EDIT,   /* image fields of a manifest follow a tag                                 */
	ACTIONS
};
const char *action_name(enum action action); /* "build" … as printed and in JSON */
/* Of step->rule: what the row says, for people. NULL for none. */
const char *rule_text(const char *rule);

/* A tag of an image stream that moves, or could not be imported. */
struct tag_move {
	const char *tag;
	const char *verb; /* "import", "tag", "follow", "push", "copy", "delete" */
	const char *old_image,
		*new_image;  /* digests, or references of tags that are references; NULL */
	const char *source;  /* "docker.io/library/python:3.6", "Image/shop/web" */
	const char *failure; /* NULL: it moves */
};
/* An image that is copied to the integrated registry (policy Local). */
struct mirror {
	const char *from, *to; /* both …@sha256:… */
	bool is_insecure;
};

/* A scalar of a manifest that gets another value. */
struct image_edit {
	const char *file; /* as loaded */
	struct pos pos;   /* of the value */
	const char *
		what; /* "spec.template.spec.containers[0].image", or the marker's "$imagepolicy shop:web" */
	const char *old_text, *new_text;
};

struct step {
	enum action action;
	enum kind kind;
	const char *id;              /* of the object */
	const struct object *object; /* NULL for ACTION_DELETE */
	const char *ns, *name;
	struct changes changes;
	const char *summary; /* "run image moved", "build #12", …                            */
	const char *blocked; /* why nothing can be done for it; NULL: it can                 */
	enum err_kind blocked_kind;
	bool is_failure;        /* blocked by a failure of its own: the run exits 4              */
	struct strings unknown; /* "builder.image": values known only after another step        */
	const struct step **after; /* steps that must succeed first */
	size_t n_after; /* only steps that do something: their results are waited for    */
	const char *old_value, *new_value; /* digests of a resolve, for the table */
	/* what is recorded if nothing is performed, or before it is: by kind; conditions included */
	const void *status;
	bool is_status_changed; /* differs from the recorded status                              */
	struct origin origin;   /* recorded with the status */
	/*
	 * The recorded status, to be recorded with the new origin even when that alone changed: nothing that a dry run shows
	 * or counts. NULL: the origin is as recorded, or not recorded for its own sake.
	 */
	const void *moved;
	/* ACTION_BUILD, ACTION_REBASE, ACTION_COMPOSE, ACTION_TAG: */
	int64_t number;
	const char *build_key;  /* NULL while something in it is unknown: plan_bind computes it   */
	struct attempt *inputs; /* resolved inputs of the attempt                                 */
	/* planned status of the builder (digest may be unknown) */
	const struct builder_status *builder;
	const struct compose *compose;
	struct strings tags;
	const char *build_name; /* "cart-build-12"                                               */
	const char *rule;  /* "I9": row of the kind's rule table that decided; NULL: no table */
	struct list marks; /* struct build_mark: builds that ended without a result of their own */
	/* offline: what it gives was never recorded; newer manifests were: it is left alone */
	bool is_unknown, is_outdated;
	/* ImageStream: */
	struct list moves;   /* struct tag_move */
	struct list mirrors; /* struct mirror */
	struct list
		records; /* const struct image_record *: images that are seen for the first time */
	/* Workloads and ImagePolicies: struct image_edit; made in the files behind everything that is recorded */
	struct list edits;
	struct stream_result *stream; /* what plan_fold needs after its mirrors */
	/* Image: what its build pushed, for the stream whose repository it pushes to; NULL: not known */
	const struct image_record *pushed;
	/* BuildConfig: the build that is to run, as it will be recorded; or one that waits for what it names (phase New) */
	struct bc_build *build;
	const struct build_start *start; /* the request that it answers; NULL: none */
	/* Source of that build with the logins in its URLs, which are not recorded; NULL: it has none in git */
	const struct build_git *git;
	/* BuildConfig: its status as of the moment its build is claimed, without the claim */
	const struct build_config_status *begun;
	/* Set by plan_fold: */
	bool is_folded, has_failed;
};

struct plan_options {
	int64_t now_s;
	const char *run_source;         /* commit of the manifests, for records; NULL */
	const struct list *starts;      /* struct build_start; NULL: none */
	const struct strings *triggers; /* ids to trigger, with REASON_TRIGGER */
	bool retry_failed;
	/*
	 * Records of objects without manifests are deleted: those of the scope, with_prune those of all others too; more than
	 * half only with prune_all; without_prune none.
	 */
	bool with_prune, prune_all, without_prune;
	struct scope scope;
	const char *run_id;
	/*
	 * When scheduled tags of image streams were checked last: "ns/stream:tag" → const int64_t *, Unix seconds. A memory of
	 * this machine: an unchanged check leaves nothing in the state. NULL: none.
	 */
	const struct map *checks;
	bool (*is_selected)(
		const struct object *object,
		void *ctx); /* --only, -l: others are evaluated and not acted on; NULL: all */
	void *select_ctx;
};

struct plan {
	VEC(struct step *)
	steps; /* dependencies first; ties by id; every object has exactly one, ACTION_NONE included */
	struct map by_id;
	struct strings notices; /* lines for people: "notary of Image/a/b is not acted on yet" */
	size_t n_unchanged;     /* nothing to do, nothing to record, not blocked */
	size_t counts[ACTIONS], n_blocked;
	/* what plan_bind needs to decide again; lent, of the plan's arena */
	struct planner *planner;
};
void plan_make(const struct model *model, const struct state *state, const struct facts *facts,
	       const struct plan_options *options, struct arena *arena, struct plan *out);

/* What an action brought about. The scheduler fills it; plan_fold turns it into the new status (pure). */
struct outcome {
	bool is_done; /* the image exists */
	bool is_started;
	bool is_claimed; /* its claim was pushed: a build that never started is then recorded as Interrupted */
	bool is_cancelled_by_user; /* its record asked for it: CancelledBuild */
	/* RESULT or FAILURE (without is_started: no worker was asked); NULL: never started (err says why) */
	const struct build_event *event;
	struct err err;
	int64_t started_s, finished_s;
	struct list steps; /* struct step_state */
	const char *log;
	struct strings tail;
};
/*
 * Puts in what became known: the builder image's digest after its composition. Computes tags and build key. To be called
 * when all of step->after are folded, failed or not: the same rule is evaluated again with what they gave, so the action
 * may turn into ACTION_NONE (the composed builder is what the image was built with), and an image whose builder could not be
 * composed again is built with the one that is recorded. False with the reason when the step it waited for gave nothing
 * (the step is then blocked).
 */
MUST_CHECK bool plan_bind(struct step *step, const struct plan *plan, struct arena *arena,
			  struct err *err);
/* The record of a build as it is written; path NULL: there is none. */
struct build_file {
	const char *path;
	struct node *document;
	const char *reasons; /* "COMMIT,STACK" */
};
/* Status to record while it runs: phase Building or Running, claim with run id and lease. */
const void *plan_claim(const struct step *step, int64_t lease_until_s,
		       const struct plan_options *options, struct arena *arena,
		       struct build_file *file);
/*
 * BuildConfig: the record of a build that is not run now, to be written along with step->status: New, as what it names cannot
 * be resolved, or Failed for that. path NULL: there is none, or it is recorded already.
 */
void plan_waiting(const struct step *step, const struct plan_options *options, struct arena *arena,
		  struct build_file *file);
/* New status, and the record of a build or rebase. `step->status` is replaced, so that dependents see it. */
const void *plan_fold(struct step *step, const struct outcome *outcome,
		      const struct plan_options *options, struct arena *arena,
		      struct build_file *file);

/* What is written into the record of a build that ended without a result of its own. */
enum build_end {
	END_INTERRUPTED, /* its lease ran out */
	END_CANCELLED,   /* it waited, and is not wanted any more */
	BUILD_ENDS
};
struct build_mark {
	int64_t number;
	enum build_end end;
	const char *message; /* NULL: the usual */
};
/* The record of build mark->number of the step's object, as read back, with the mark. ERR_INVALID: it is none. */
MUST_CHECK bool plan_mark(const struct step *step, const struct build_mark *mark,
			  const struct node *document, int64_t now_s, struct arena *arena,
			  struct node **out, struct err *err);
/* "shop/images/cart/builds/12.yaml" of state, "shop/buildconfigs/cart/12.log" of logs, their folder; NULL: it has no builds. */
char *plan_record_path(const struct step *step, int64_t number, struct arena *arena);
char *plan_log_path(const struct step *step, int64_t number, struct arena *arena);
char *plan_log_folder(const struct step *step, struct arena *arena);
/*
 * Build numbers whose records and logs are to be deleted, by the history limits; drops them from the status' history. To be
 * called on the status of every kind that has builds before it is recorded: a plan marks one as changed when its history
 * exceeds the limits.
 */
void plan_expire(const struct object *object, void *status, struct arena *arena,
		 struct numbers *out);

#endif
