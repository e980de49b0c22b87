/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules.h — what the rules of the kinds share: the inputs of a plan, references to images as facts tell them, and how a
 * step ends. Internal to reconcile/plan.
 */
#ifndef RECONCILE_PLAN_RULES_H
#define RECONCILE_PLAN_RULES_H

#include "reconcile/plan/condition.h"
#include "reconcile/plan/plan.h"

/* The buildpack and platform APIs of our own lifecycle, and its version as builders record it. */
#define OWN_LIFECYCLE_VERSION "0.1.0"
const struct lifecycle_apis *own_lifecycle_apis(struct arena *arena);

struct planner {
	const struct model *model;
	const struct state *state;
	const struct facts *facts;
	struct plan_options options;
	struct arena *arena;
	struct plan *plan;
	struct stream_world *streams; /* stream_generation.h */
};

/* Whose credentials a question may use. Both NULL when the account is not declared: it brings nothing then. */
struct account {
	const char *ns, *name;
};
struct account account_named(const struct model *model, const char *ns, const char *name);
/* Of any kind that asks for images: service account or serviceAccountRef, by its spec. */
struct account account_of(const struct model *model, const struct object *object);

/*
 * Who asks for a source image: the account, and the secrets that the source names. Credentials differ with these, so the
 * account's name, which is part of the question's key, does too; query->service_account is the account alone.
 */
struct account account_of_source(const struct model *model, const struct object *object,
				 struct arena *arena);

/* The same of a build config, with a secret of its own: to pull an image, or to fetch its source. NULL: none. */
struct account account_with(const struct model *model, const struct object *object,
			    const struct named *secret, struct arena *arena);

/* Where the step's object is to be recorded as declared. */
void records_origin(struct planner *p, struct step *step);
/* The steps of records that go, and what people should know of those that stay. */
void records_prune(struct planner *p);

/* The folder of the manifest, "." for one that came from nowhere. */
const char *manifest_dir(const struct object *object, struct arena *arena);
/* "./a/b/" → "a/b"; "", "." and NULL → "". */
const char *sub_path_clean(const char *sub_path, struct arena *arena);

/* The spec's image and what is recorded about it, against what the registry says. */
enum pin_state {
	PIN_SAME,   /* as recorded, also when nothing was asked (offline)     */
	PIN_MOVED,  /* new, or pointing elsewhere; manifest and config are known */
	PIN_FAILED, /* `why` says why                                         */
	PIN_UNKNOWN /* offline, and never recorded                            */
};
struct pin {
	enum pin_state state;
	const char *pinned, *old; /* registry/repo@sha256:… ; NULL */
	const struct fact *fact;  /* NULL: not asked */
	const char *why;
	enum err_kind why_kind;
};
struct pin_ask {
	const char *image;
	struct account account;
	const struct image_pin *recorded; /* NULL: nothing */
	bool is_usable; /* what is recorded besides the pin can stand in for the image's labels */
	bool wants_labels; /* else the digest is enough */
};
/* When labels are wanted and nothing recorded stands in for them, manifest and config are at hand or the pin failed. */
struct pin pin_resolve(const struct planner *p, const struct pin_ask *ask);
/* The digest of registry/repo@digest, or NULL. */
const char *pin_digest(const char *pinned);
/* Digest if it has one, else tag; NULL when it is no reference (kpack.md §1.3 "Identifier"). */
const char *image_identifier(const char *image, struct arena *arena);
/* The digest that is recorded for `image` in `pin`; NULL when it is another image or none is recorded. */
const char *pin_known(const struct image_pin *pin, const char *image);

/* What the recorded status allows: the same for the questions and for the rules. */
bool stack_is_usable(const struct stack_spec *spec, const struct stack_status *status);
bool lifecycle_is_usable(const struct buildpack_spec *spec, const struct lifecycle_status *status);
/* The recorded pin of a store's source whose buildpacks are recorded too. */
const struct image_pin *store_pin(const struct store_status *status, const char *image);
bool image_trees_are_known(const struct source *source, const struct attempt *last);
/* The content whose part below the sub path is recorded, for the same source but git; NULL. */
const char *image_part_known(const struct source *source, const struct attempt *last,
			     struct arena *arena);
/* A source image's repository, without tag and digest; NULL. */
const char *repo_name(const char *image, struct arena *arena);

struct step *step_find(const struct planner *p, enum kind kind, const char *ns, const char *name);
const void *recorded_status(const struct planner *p, const struct object *object);

struct stop {
	enum err_kind kind;
	bool is_failure; /* its own */
};
void step_block(struct step *step, struct stop stop, const char *why);
/* After a failed answer: one short sentence that begins with "cannot resolve". */
const char *resolve_problem(const char *what, const struct err *err, struct arena *arena);
/* Offline: an object that is recorded as not ready stays so. False when it is not. */
bool step_stays_unready(struct step *step, const struct list *conditions);
void step_wait_for(struct step *step, const struct step *other, struct arena *arena);
/* That build of the step's object ended so: its record is to say it. */
void step_mark(struct step *step, struct build_mark mark, struct arena *arena);
void step_unknown(struct step *step, const char *what, struct arena *arena);
void change_add(struct changes *changes, struct change change, struct arena *arena);
bool changes_has(const struct changes *changes, enum reason reason);

/* "a", "a, b" … */
char *strings_join(const struct strings *list, const char *between, struct arena *arena);
/* "1c0f9a2…": enough of a digest or commit for people. */
char *short_id(const char *id, struct arena *arena);
bool text_equal(const char *a, const char *b); /* NULL equals "" */

void rule_stack(struct planner *p, struct step *step);
void rule_store(struct planner *p, struct step *step); /* also Buildpack and ClusterBuildpack */
void rule_lifecycle(struct planner *p, struct step *step);
void rule_builder(struct planner *p, struct step *step);
void rule_image(struct planner *p, struct step *step);
void rule_workload(struct planner *p, struct step *step); /* all kinds of them */
void rule_deployment_config(struct planner *p, struct step *step);
void rule_policy(struct planner *p, struct step *step);
void rule_stream(struct planner *p, struct step *step);
void rule_build_config(struct planner *p, struct step *step);
/* What a stream's copies brought about: the status with them, or with their failure. */
const void *stream_folded(struct step *step, const char *failure, int64_t now_s,
			  struct arena *arena);

/* Decides about a step by its kind's rule; what was decided before is forgotten, `after` and identity are kept. */
void step_decide(struct planner *p, struct step *step);
/* More records than the limits allow: they are dropped when the status is recorded next (plan_expire). */
bool history_exceeds(const struct object *object, const void *status);

/* Status of a builder after composing failed (kpack.md §2.6), and after it was composed. */
const struct builder_status *builder_failed(const struct builder_status *old, const char *why,
					    int64_t now_s, struct arena *arena);
const struct builder_status *builder_composed(const struct builder_status *planned,
					      const struct list *old_conditions, const char *image,
					      int64_t now_s, struct arena *arena);

#endif
