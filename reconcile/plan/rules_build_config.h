/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_build_config.h — the decision about a build config as a table: facts, and the first row whose facts hold; and what the
 * files share that gather those facts, make the build and fold its result. Internal to reconcile/plan.
 * Rules: openshift.md §3.4–3.6 with design §5's differences: ConfigChange fires on every change, a commit that a run sees
 * stands for the webhook's call, and failures that were not the build's own are tried again.
 */
#ifndef RECONCILE_PLAN_RULES_BUILD_CONFIG_H
#define RECONCILE_PLAN_RULES_BUILD_CONFIG_H

#include "model/kind/build_refs.h"
#include "reconcile/plan/build_trigger.h"
#include "reconcile/plan/rules.h"

#define ANNOTATION_FOLLOW  "reconcile.dev/follow"
#define ANNOTATION_TRIGGER "reconcile.dev/trigger"

enum build_config_fact {
	BC_PAUSED = 1u << 0,    /* annotation openshift.io/build-config.paused          */
	BC_ASKED = 1u << 1,     /* a start was requested                                */
	BC_UNSENT = 1u << 2,    /* its source comes with a start, and none brings it    */
	BC_RUNNING = 1u << 3,   /* the run policy lets no build start now               */
	BC_FORBIDDEN = 1u << 4, /* its strategy needs a setting                         */
	BC_SOURCE_FAILED = 1u << 5,
	BC_FOLLOWS = 1u << 6,  /* its commits are followed                            */
	BC_LACKING = 1u << 7,  /* an image, its output's place, a secret: not there   */
	BC_SENT = 1u << 8,     /* its source came along: it cannot wait               */
	BC_FIRED = 1u << 9,    /* a trigger                                           */
	BC_NEW = 1u << 10,     /* a build is New: it waits for what it names          */
	BC_FORCED = 1u << 11,  /* --retry-failed, and the last one can be tried again */
	BC_RETRIED = 1u << 12, /* the last one's failure was foreign; tries are left  */
	BC_LAST_FAILED = 1u << 13,
	BC_CHANGED = 1u << 14, /* a Build whose spec is not the one that was built */
};
#define BC_WANTED (BC_ASKED | BC_FIRED | BC_NEW | BC_FORCED | BC_RETRIED)

enum build_config_verdict {
	BC_CURRENT,
	BC_REFUSE,
	BC_REST,
	BC_NO_BINARY,
	BC_BINARY,
	BC_WAIT,
	BC_FORBID,
	BC_UNREADY,
	BC_FAIL,
	BC_NEW_BUILD,
	BC_MAKE,
	BC_RESUME,
	BC_RETRY,
	BC_FAILED,
	BC_IMMUTABLE,
	BC_VERDICTS
};

struct build_config_rule {
	const char *id;
	unsigned all,
		any; /* enum build_config_fact: all of these hold, and one of those (0: whatever) */
	enum build_config_verdict verdict;
	const char *why;
};
/* The first row that holds; the last holds always. */
const struct build_config_rule *build_config_rule_find(unsigned facts);
/* NULL: it is none of these rows. */
const char *build_config_rule_text(const char *rule);

enum input_state {
	INPUT_KNOWN,
	INPUT_PENDING, /* told when `step` is done */
	INPUT_UNKNOWN, /* offline */
	INPUT_ABSENT,  /* `why` says why */
};
/* What a reference stands for now. */
struct input {
	enum input_state state;
	const char *image; /* pull spec, pinned where that can be; NULL */
	const char *why;
	const struct step *step;
};
/* The commit that is followed, and the one that is built. */
struct config_git {
	enum input_state state;
	const char *why;
	enum err_kind why_kind;
	const char *url, *ref;     /* url without a login; ref NULL: HEAD */
	const char *commit, *tree; /* followed: at the ref now; tree of contextDir */
	const char *built, *built_tree;
};

/* The first thing that a build cannot do without and that is not there. */
struct lacking {
	const char *reason; /* OpenShift's, of build_phase.h; NULL: all is there */
	const char *why;
};

/* A build config, or a Build that stands alone, while it is decided about. */
struct configuring {
	struct planner *p;
	struct step *step;
	const struct build_config_spec *spec;
	const struct build_config_status *old; /* as recorded; NULL: nothing is */
	struct build_config_status *status;    /* the new one */
	const struct build_start *start;       /* NULL: none brings anything */
	const struct build_common *common;     /* what is built: the spec's, or a clone's */
	const char *digest;                    /* config_digest of the spec */
	struct config_git git;
	VEC(struct tag_now) tags; /* of its ImageChange triggers */
	VEC(struct build_cause) causes;
	struct list image_causes; /* those of `causes` that tell of images */
	struct input from;        /* of the strategy; INPUT_KNOWN and no image: it has none */
	struct input *images;     /* of source.images, by index */
	const char *output;       /* where the image goes; NULL: nowhere */
	struct lacking lacking;   /* BC_LACKING */
	const char *forbidden;
	const char *trigger; /* what status.last.trigger becomes */
	VEC(const struct step *) waits;
	struct strings unknown;
	const struct bc_history_entry *waiting; /* BC_NEW; NULL */
	const struct bc_history_entry *active;  /* the newest that runs; NULL */
	int64_t number;                         /* of the build to be made */
	unsigned facts;
};

/* ---- what is there (build_config_inputs.c) ---- */

/* Commit, images, output, secrets and config maps as they are now; facts and `waits` with them. */
void config_resolve(struct configuring *c);
/*
 * What a tag gives. One of the stream that the build config pushes to itself is read as it is before anything is pushed,
 * without waiting: the stream's step comes after this one.
 */
struct input config_tag(struct configuring *c, const char *ns, const char *stream, const char *tag);
/* The commit that a start or the spec asks for, else the ref; "HEAD" when there is neither. */
const char *config_revision(const struct build_common *common);
bool config_trees_are_known(const struct build_config_status *status, const char *url,
			    const char *digest);
/* Reference of the image that is pushed; NULL: none is, or (*why) it has no place. */
const char *config_output(const struct model *model, const struct object *object,
			  const struct build_common *common, const char **why, struct arena *arena);
/* It pushes to this stream; then *tag is where to. */
bool config_pushes_to(const struct model *model, const struct object *object, const char *ns,
		      const char *stream, const char **tag, struct arena *arena);
/* A URL without user and password; of ssh the user stays, who is a name only. */
const char *url_without_login(const char *url, struct arena *arena);
/* The same of every URL in a text: messages of others name what they asked. */
const char *text_without_logins(const char *text, struct arena *arena);

/* ---- why (build_config_causes.c) ---- */

bool config_follows_commits(const struct object *object);
/* step->changes, causes, trigger and the facts that ask for a build. */
void config_look_for_causes(struct configuring *c);
/* A Build that ended, and that nobody asks for again: nothing has to be known for it. */
bool build_is_settled(const struct object *object, const struct build_config_status *status,
		      const struct plan_options *options);
/* Its own name for a Build, "<build config>-<number>" for others. */
char *config_build_name(const struct step *step, int64_t number, struct arena *arena);
/* Those of the last attempt, once more. */
void config_causes_again(struct configuring *c);

/* ---- the build (build_config_make.c) ---- */

/* step->build and what belongs to it, of everything that was gathered; phase New. */
void config_make(struct configuring *c);
struct trigger_case config_case(const struct configuring *c, const struct list *tags);

/* ---- afterwards (build_config_fold.c) ---- */

struct list config_ready(const struct list *old, const char *status, const char *reason,
			 const char *message, int64_t now_s, struct arena *arena);
/* `entry` in the place of the one of its number, or behind all. */
struct list config_history_put(const struct list *history, const struct bc_history_entry *entry,
			       struct arena *arena);
const struct build_config_status *config_claim(const struct step *step, int64_t lease_until_s,
					       const struct plan_options *options,
					       struct arena *arena, struct build_file *file);
const struct build_config_status *config_fold(struct step *step, const struct outcome *outcome,
					      const struct plan_options *options,
					      struct arena *arena, struct build_file *file);
MUST_CHECK bool config_mark(const struct build_mark *mark, const struct node *document,
			    int64_t now_s, struct arena *arena, struct node **out, struct err *err);
bool config_history_exceeds(const struct build_config_spec *spec,
			    const struct build_config_status *status);
void config_expire(const struct build_config_spec *spec, struct build_config_status *status,
		   struct arena *arena, struct numbers *out);
/* Lines for people that no decision needs: one of a sort, however many build configs it is about. */
void config_notices(struct planner *p);

/* What fold.c gives: the failure in words, and what is known of the pushed image. */
const char *outcome_text(const struct outcome *outcome, struct arena *arena);
const struct image_record *pushed_record(const struct build_event *event, struct arena *arena);
bool failure_is_foreign(const char *kind);

#endif
