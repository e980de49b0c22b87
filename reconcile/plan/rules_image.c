/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_image.c — is an Image to be built, rebased, tagged, waited for or left alone?
 * First the facts are gathered as bits (with the changes that stand behind them), then the first row of the table that
 * holds decides, then one function per verdict fills the step.
 * Rules: kpack.md §1 with design §5's differences: failed builds are tried again when any input differs, or a bounded
 * number of times when the failure was not theirs; a running build is one whose lease holds.
 */
#include "reconcile/plan/rules_image.h"

#include <inttypes.h>
#include <string.h>

#include "model/base/time.h"
#include "reconcile/plan/build_key.h"
#include "reconcile/plan/image_compare.h"
#include "reconcile/plan/rules_build_config.h"
#include "reconcile/plan/stream_generation.h"

/* clang-format off */
static const struct image_rule image_rules[] = { /* the first row whose facts all hold decides */
	{ "I1",  IMAGE_TAG_CHANGED,     VERDICT_REFUSED,         "the tag of an image cannot be changed" },
	{ "I2",  IMAGE_BUILDER_MISSING, VERDICT_NO_BUILDER,      "the builder does not exist" },
	{ "I3",  IMAGE_RUNNING,         VERDICT_RUNNING,         "a build is running" },
	{ "I4",  IMAGE_BUILDER_UNREADY, VERDICT_BUILDER_UNREADY, "the builder is not ready" },
	{ "I5",  IMAGE_SOURCE_UNREADY,  VERDICT_SOURCE_UNREADY,  "the source cannot be resolved" },
	{ "I6",  IMAGE_UNDECIDABLE,     VERDICT_UNDECIDABLE,     "the recorded run image cannot be read" },
	{ "I15", IMAGE_BINDINGS_BAD,    VERDICT_BINDINGS_BAD,    "a binding cannot be given to the build" },
	{ "I16", IMAGE_WATCH_BAD,       VERDICT_WATCH_BAD,       "its image triggers cannot be read" },
	{ "I7",  IMAGE_NEVER_BUILT,     VERDICT_BUILD,           "it was never built" },
	{ "I8",  IMAGE_CHANGED | IMAGE_ONLY_STACK | IMAGE_MAY_REBASE,
					VERDICT_REBASE,          "only the run image moved, within its stack" },
	{ "I9",  IMAGE_CHANGED,         VERDICT_BUILD,           "something it is made of differs" },
	{ "I10", IMAGE_LAST_FAILED | IMAGE_RETRY_FORCED,
					VERDICT_RETRY,           "failed builds are to be tried again" },
	{ "I11", IMAGE_LAST_FAILED | IMAGE_LAST_FOREIGN | IMAGE_TRIES_LEFT,
					VERDICT_RETRY,           "the last build failed, but not by itself" },
	{ "I12", IMAGE_TAGS_MISSING,    VERDICT_TAG,             "additional tags are new" },
	{ "I13", IMAGE_LAST_FAILED,     VERDICT_FAILED,          "the last build failed and nothing differs since" },
	{ "I14", 0,                     VERDICT_CURRENT,         "it is up to date" },
};
/* clang-format on */

const struct image_rule *image_rule_find(unsigned facts)
{
	for (size_t i = 0;; i++) {
		if ((facts & image_rules[i].all) == image_rules[i].all)
			return &image_rules[i];
	}
}

const char *rule_text(const char *rule)
{
	for (size_t i = 0; rule && i < COUNTOF(image_rules); i++) {
		if (strcmp(image_rules[i].id, rule) == 0)
			return image_rules[i].why;
	}
	return rule ? build_config_rule_text(rule) : NULL;
}

/* Everything that is gathered before the table is asked. */
struct deciding {
	struct planner *p;
	struct step *step;
	const struct image_spec *spec;
	const struct image_status *old; /* as recorded; NULL: nothing is */
	struct image_status *status;    /* the new one */
	const struct attempt *success;  /* the last one; NULL: none */
	const struct step *builder_step;
	const struct builder_status *builder; /* NULL: missing, or unknown */
	struct attempt *inputs;
	struct changes since_success;
	struct source_answer source;
	const char *bindings_problem; /* IMAGE_BINDINGS_BAD */
	const char *watch_problem;    /* IMAGE_WATCH_BAD */
	struct strings watch_pending; /* keys of inputs->watched that are known only later */
	struct list watch_steps;      /* const struct step *: their streams */
	unsigned facts;
	struct err err; /* IMAGE_UNDECIDABLE */
};

static const char *build_name(const struct deciding *d, int64_t number)
{
	return child_name(d->step->object->meta.name,
			  arena_printf(d->p->arena, "-build-%" PRId64, number), d->p->arena);
}

struct list image_conditions(const struct list *old, struct ready ready,
			     const struct builder_status *builder, int64_t now_s,
			     struct arena *arena)
{
	const struct condition *up_to_date =
		builder ? condition_find(&builder->conditions, "UpToDate") : NULL;
	bool is_old = up_to_date && strcmp(up_to_date->status, COND_FALSE) == 0;
	struct conditions_edit edit;

	conditions_begin(&edit, old, 3, now_s, arena);
	conditions_add(&edit, "Ready", ready.status, ready.reason, ready.message);
	if (!builder) {
		conditions_keep(&edit, "BuilderReady");
		conditions_keep(&edit, "BuilderUpToDate");
		return edit.list;
	}
	if (condition_is_true(&builder->conditions, "Ready"))
		conditions_add(&edit, "BuilderReady", COND_TRUE, "BuilderReady", NULL);
	else
		conditions_add(&edit, "BuilderReady", COND_FALSE, "BuilderNotReady", ready.message);
	if (is_old)
		conditions_add(&edit, "BuilderUpToDate", COND_FALSE, "BuilderNotUpToDate",
			       "Builder is not up to date. The latest stack and buildpacks may not "
			       "be in use.");
	else
		conditions_add(&edit, "BuilderUpToDate", COND_TRUE, "BuilderUpToDate", NULL);
	return edit.list;
}

static void set_ready(struct deciding *d, const char *status, const char *reason,
		      const char *message)
{
	d->status->conditions = image_conditions(d->old ? &d->old->conditions : &(struct list){ 0 },
						 (struct ready){ status, reason, message },
						 d->builder, d->p->options.now_s, d->p->arena);
}

static struct list history_with(const struct list *history, int64_t number, const char *result,
				struct arena *arena)
{
	struct history_entry *entries = arena_array(arena, history->n, sizeof(*entries));

	for (size_t i = 0; i < history->n; i++) {
		entries[i] = *LIST_AT(*history, struct history_entry, i);
		if (entries[i].number == number)
			entries[i].result = result;
	}
	return (struct list){ entries, history->n };
}

/* A claim whose lease ran out: whoever held it is gone. Its build counts as a failure that was not its own. */
static void look_at_claim(struct deciding *d)
{
	struct attempt *last = d->status->last;
	struct attempt *ended;

	if (!last || !text_equal(last->result, "Building"))
		return;
	if (last->lease_s > d->p->options.now_s) {
		d->facts |= IMAGE_RUNNING;
		return;
	}
	ended = ARENA_NEW(d->p->arena, struct attempt);
	*ended = *last;
	ended->result = "Interrupted";
	ended->failure = err_kind_name(ERR_CANCELLED);
	ended->lease_s = 0;
	ended->tries++;
	d->status->last = ended;
	d->status->history =
		history_with(&d->status->history, ended->number, ended->result, d->p->arena);
	step_mark(d->step, (struct build_mark){ .number = ended->number }, d->p->arena);
}

static const char *builder_ns(const struct deciding *d)
{
	if (text_equal(d->spec->builder.kind, "ClusterBuilder"))
		return "";
	return d->spec->builder.ns && d->spec->builder.ns[0] ? d->spec->builder.ns
							     : d->step->object->meta.ns;
}

static void look_at_builder(struct deciding *d)
{
	enum kind kind = text_equal(d->spec->builder.kind, "ClusterBuilder") ? KIND_CLUSTER_BUILDER
									     : KIND_BUILDER;
	const struct step *step = step_find(d->p, kind, builder_ns(d), d->spec->builder.name);

	d->builder_step = step;
	if (!step) {
		d->facts |= IMAGE_BUILDER_MISSING;
		return;
	}
	if (step->action == ACTION_COMPOSE && !step->is_folded && step->builder)
		d->builder = step->builder;
	else if (!step->is_unknown ||
		 condition_is_true(&((const struct builder_status *)step->status)->conditions,
				   "Ready"))
		d->builder = step->status;
	if (d->builder && !condition_is_true(&d->builder->conditions, "Ready"))
		d->facts |= IMAGE_BUILDER_UNREADY;
}

static bool is_pending(const struct deciding *d)
{
	return d->builder_step && d->builder_step->action == ACTION_COMPOSE &&
	       !d->builder_step->is_folded && d->builder_step->builder;
}

/* What is empty is not recorded, so that it equals what is read back. */
static const char *text_or_null(const char *text)
{
	return text && text[0] ? text : NULL;
}

static void look_at_inputs(struct deciding *d)
{
	struct attempt *in = d->inputs;

	d->source = source_resolve(d->p, d->step->object, d->status->last, in);
	if (d->source.state == SOURCE_FAILED)
		d->facts |= IMAGE_SOURCE_UNREADY;
	in->env = d->spec->build.env;
	in->services = d->spec->build.services;
	in->bindings = d->spec->build.bindings;
	in->resources = d->spec->build.resources;
	in->default_process = text_or_null(d->spec->default_process);
	in->project_descriptor = text_or_null(d->spec->project_descriptor);
	in->creation_time = text_or_null(d->spec->build.creation_time);
	in->binding_contents = bindings_contents(d->p, d->step->object);
	d->bindings_problem = bindings_problem(d->p, d->step->object);
	if (d->bindings_problem)
		d->facts |= IMAGE_BINDINGS_BAD;
	in->chosen_run = image_chosen_run(d->p, d->step->object, d->status);
	in->builder = d->spec->builder.name;
	in->builder_kind = d->spec->builder.kind;
	if (!d->builder)
		return;
	in->builder_image = d->builder->latest_image;
	in->run_image = d->builder->stack_run_image;
	in->stack_id = d->builder->stack_id;
	in->lifecycle_version = d->builder->lifecycle_version;
}

/* The recorded value is the annotation's, with " (run ID)" behind it when the command line asked. */
static bool is_answered(const char *answered, const char *annotation)
{
	size_t n = strlen(annotation);

	return answered && strncmp(answered, annotation, n) == 0 &&
	       (answered[n] == '\0' || strncmp(answered + n, " (run ", 6) == 0);
}

static char *rfc1123(int64_t unix_s, struct arena *arena)
{
	static const char *const days[] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct civil t = time_civil(unix_s);
	int64_t day = unix_s / 86400 - (unix_s % 86400 < 0);

	return arena_printf(arena, "%s, %02d %s %04d %02d:%02d:%02d +0000",
			    days[((day % 7) + 7) % 7], t.day, months[t.month - 1], t.year, t.hour,
			    t.minute, t.second);
}

static void look_at_trigger(struct deciding *d)
{
	const char *annotation = pairs_get(&d->step->object->meta.annotations, ANNOTATION_TRIGGER);
	const char *run_id = d->p->options.run_id;
	bool by_option = d->p->options.triggers && strings_has(d->p->options.triggers, d->step->id);
	struct arena *arena = d->p->arena;

	if (annotation && !annotation[0])
		annotation = NULL;
	d->inputs->trigger = annotation;
	if (!d->status->last ||
	    (!by_option && (!annotation || is_answered(d->status->last->trigger, annotation))))
		return;
	if (by_option)
		d->inputs->trigger =
			arena_printf(arena, "%s%s(run %s)", annotation ? annotation : "",
				     annotation ? " " : "", run_id ? run_id : "");
	change_add(&d->step->changes,
		   (struct change){
			   .reason = REASON_TRIGGER,
			   .old_value = node_string(arena, ""),
			   .new_value = node_string(
				   arena,
				   arena_printf(arena, "A new build was manually triggered on %s",
						rfc1123(d->p->options.now_s, arena))),
			   .text = by_option ? "asked for on the command line"
					     : arena_printf(arena, "annotation %s is '%s'",
							    ANNOTATION_TRIGGER, annotation) },
		   arena);
}

static bool is_only_stack(const struct changes *changes)
{
	return changes->list.n == 1 && changes->list.v[0].reason == REASON_STACK;
}

/*
 * What the tags give that the annotation image.openshift.io/triggers watches (openshift.md §6). Unresolved ones are passed
 * over; a tag whose stream is worked on first counts as moved until that is done.
 */
static void look_at_watched(struct deciding *d)
{
	const char *json = pairs_get(&d->step->object->meta.annotations, ANNOTATION_TRIGGERS);
	VEC(const struct step *) steps = { 0 };
	struct list watches = { 0 };
	struct err err = { 0 };

	if (json && !watches_parse(json, d->step->ns, d->p->arena, &watches, &err)) {
		d->watch_problem = arena_strdup(d->p->arena, err.text);
		d->facts |= IMAGE_WATCH_BAD;
	}
	for (size_t i = 0; i < watches.n; i++) {
		const struct image_watch *watch = LIST_AT(watches, struct image_watch, i);
		struct tag_view view = watched_view(d->p, d->step->object, watch);
		const char *key =
			arena_printf(d->p->arena, "%s/%s:%s", watch->ns, watch->stream, watch->tag);

		if (watch->is_paused || pairs_get(&d->inputs->watched, key) ||
		    (!view.pull_spec && !view.is_pending))
			continue;
		vec_push(d->p->arena, &d->inputs->watched,
			 (struct pair){ key, view.pull_spec ? view.pull_spec : "", { 0 } });
		if (!view.is_pending)
			continue;
		vec_push(d->p->arena, &d->watch_pending, key);
		vec_push(d->p->arena, &steps, view.step);
	}
	d->watch_steps = (struct list){ steps.v, steps.n };
}

static void look_at_changes(struct deciding *d)
{
	struct comparison c = { .old = d->status->last,
				.now = d->inputs,
				.spec = d->spec,
				.builder = d->builder,
				.watch_pending = &d->watch_pending,
				.is_builder_pending = is_pending(d) };

	if (!image_compare(&c, d->p->arena, &d->step->changes, &d->err))
		d->facts |= IMAGE_UNDECIDABLE;
	c.old = d->success;
	if (d->success == d->status->last)
		d->since_success = d->step->changes;
	else if (!image_compare(&c, d->p->arena, &d->since_success, &d->err))
		d->facts |= IMAGE_UNDECIDABLE;
	look_at_trigger(d);
	if (!d->status->last)
		d->facts |= IMAGE_NEVER_BUILT;
	if (d->step->changes.list.n > 0)
		d->facts |= IMAGE_CHANGED;
	if (is_only_stack(&d->step->changes) && d->success && is_only_stack(&d->since_success))
		d->facts |= IMAGE_ONLY_STACK;
	/* An image whose extensions changed its base is made by a build only. */
	if (d->success && d->builder && !d->success->is_not_rebasable &&
	    text_equal(d->success->stack_id, d->builder->stack_id))
		d->facts |= IMAGE_MAY_REBASE;
}

static bool is_foreign(const struct attempt *attempt)
{
	return text_equal(attempt->result, "Interrupted") || failure_is_foreign(attempt->failure);
}

static bool tags_are_missing(const struct deciding *d)
{
	struct strings wanted = image_tags(d->spec, d->p->arena);

	if (!d->status->latest_image)
		return false;
	for (size_t i = 0; i < wanted.n; i++) {
		if (!strings_has(&d->status->tags, wanted.v[i]))
			return true;
	}
	return false;
}

static void look_at_past(struct deciding *d)
{
	const struct attempt *last = d->status->last;

	if (d->status->tags.n > 0 && !text_equal(d->status->tags.v[0], d->spec->tag))
		d->facts |= IMAGE_TAG_CHANGED;
	if (d->p->options.retry_failed)
		d->facts |= IMAGE_RETRY_FORCED;
	if (tags_are_missing(d))
		d->facts |= IMAGE_TAGS_MISSING;
	if (!last || attempt_is_success(last))
		return;
	d->facts |= IMAGE_LAST_FAILED;
	if (is_foreign(last))
		d->facts |= IMAGE_LAST_FOREIGN;
	if (last->tries <= d->p->model->settings->retries)
		d->facts |= IMAGE_TRIES_LEFT;
}

static void block(struct deciding *d, struct stop stop, const char *why)
{
	d->step->changes = (struct changes){ 0 };
	step_block(d->step, stop, why);
}

static void do_refused(struct deciding *d)
{
	const char *why =
		arena_printf(d->p->arena, "Immutable field changed: spec.tag\ngot: %s, want: %s",
			     d->spec->tag, d->status->tags.v[0]);

	set_ready(d, COND_FALSE, "ImmutableField", why);
	block(d, (struct stop){ ERR_INVALID, true }, why);
}

static void do_no_builder(struct deciding *d)
{
	struct conditions_edit edit;
	const char *why =
		arena_printf(d->p->arena, "Error: Unable to find builder '%s' in namespace '%s'.",
			     d->spec->builder.name ? d->spec->builder.name : "",
			     d->spec->builder.ns ? d->spec->builder.ns : "");

	conditions_begin(&edit, d->old ? &d->old->conditions : &(struct list){ 0 }, 1,
			 d->p->options.now_s, d->p->arena);
	conditions_add(&edit, "Ready", COND_FALSE, "BuilderNotFound", why);
	d->status->conditions = edit.list;
	block(d, (struct stop){ ERR_ABSENT, true }, why);
}

static void do_running(struct deciding *d)
{
	block(d, (struct stop){ ERR_NONE, false },
	      arena_printf(d->p->arena, "Build '%s' is executing",
			   build_name(d, d->status->last->number)));
}

static void do_builder_unready(struct deciding *d)
{
	const char *said = condition_message(&d->builder->conditions, "Ready");
	const char *why =
		arena_printf(d->p->arena, "Error: Builder '%s' is not ready in namespace '%s'%s%s",
			     d->spec->builder.name, d->step->object->meta.ns,
			     said ? "; Message: " : "", said ? said : "");

	set_ready(d, COND_FALSE, "BuilderNotReady", why);
	block(d, (struct stop){ ERR_ABSENT, false }, why);
}

static void do_source_unready(struct deciding *d)
{
	set_ready(d, COND_UNKNOWN, "ResolverNotReady",
		  arena_printf(d->p->arena, "Error: SourceResolver '%s' is not ready; Message: %s",
			       child_name(d->step->object->meta.name, "-source", d->p->arena),
			       d->source.why));
	block(d, (struct stop){ d->source.why_kind, true }, d->source.why);
}

static void do_undecidable(struct deciding *d)
{
	const char *why = arena_strdup(d->p->arena, d->err.text);

	set_ready(d, COND_UNKNOWN, "UnknownState",
		  arena_printf(d->p->arena, "Error: Build status unknown; Message: %s", why));
	block(d, (struct stop){ ERR_INVALID, true }, why);
}

static void do_bindings_bad(struct deciding *d)
{
	set_ready(d, COND_FALSE, "BuildRejected", d->bindings_problem);
	block(d, (struct stop){ ERR_INVALID, true }, d->bindings_problem);
}

static void do_watch_bad(struct deciding *d)
{
	set_ready(d, COND_FALSE, "InvalidTrigger", d->watch_problem);
	block(d, (struct stop){ ERR_INVALID, true }, d->watch_problem);
}

/* What stays open until another step is done, or until somebody may ask (offline). */
static void tell_unknown(struct deciding *d)
{
	if (d->source.state == SOURCE_UNKNOWN)
		step_unknown(d->step,
			     d->spec->source.git ? "source.git.revision" : "source.content",
			     d->p->arena);
	if (!d->builder) {
		step_unknown(d->step, "builder.image", d->p->arena);
		step_unknown(d->step, "runImage", d->p->arena);
	} else if (!d->builder->latest_image) {
		step_unknown(d->step, "builder.image", d->p->arena);
	}
	for (size_t i = 0; i < d->watch_pending.n; i++)
		step_unknown(d->step, d->watch_pending.v[i], d->p->arena);
}

static void before_build(struct deciding *d)
{
	if (d->step->marks.n)
		set_ready(d, COND_FALSE, "BuildFailed",
			  arena_printf(d->p->arena,
				       "Error: Build '%s' in namespace '%s' failed: interrupted",
				       build_name(d, d->status->last->number),
				       d->step->object->meta.ns));
	else if (!d->old)
		set_ready(d, COND_UNKNOWN, "UnknownState", "Error: Build status unknown");
}

static void want_build(struct deciding *d, enum action action)
{
	struct step *step = d->step;
	int64_t number = d->status->build_counter;
	struct err err = { 0 };

	if (d->status->last && d->status->last->number > number)
		number = d->status->last->number;
	number = state_last_number(d->p->state, step->id, number) + 1;
	if (!build_tags(d->spec, number, d->p->options.now_s, d->p->arena, &step->tags, &err)) {
		block(d, (struct stop){ ERR_INVALID, true }, arena_strdup(d->p->arena, err.text));
		set_ready(d, COND_FALSE, "Invalid", step->blocked);
		return;
	}
	before_build(d);
	step->action = action;
	step->number = number;
	step->build_name = build_name(d, number);
	step->builder = d->builder;
	step->inputs = d->inputs;
	step->inputs->number = number;
	step->inputs->reason = changes_reasons(&step->changes, d->p->arena);
	step->inputs->build_key = build_key(step->inputs, d->p->arena);
	if (d->watch_pending.n > 0)
		step->inputs->build_key = NULL;
	step->build_key = step->inputs->build_key;
	if (d->status->last && step->build_key &&
	    text_equal(d->status->last->build_key, step->build_key))
		step->inputs->tries = d->status->last->tries;
	step->summary = arena_printf(d->p->arena, "%s #%" PRId64, action_name(action), number);
	if (is_pending(d))
		step_wait_for(step, d->builder_step, d->p->arena);
	for (size_t i = 0; i < d->watch_steps.n; i++)
		step_wait_for(step, *LIST_AT(d->watch_steps, const struct step *, i), d->p->arena);
	tell_unknown(d);
}

static void do_build(struct deciding *d)
{
	want_build(d, ACTION_BUILD);
}

static void do_rebase(struct deciding *d)
{
	want_build(d, ACTION_REBASE);
}

/* When nothing can be compared any more (an input changed and changed back), the reasons of the failed attempt stand. */
static void reasons_again(struct deciding *d)
{
	const struct attempt *last = d->status->last;

	for (size_t i = 0; i < REASONS; i++) {
		if (reasons_name(last->reason, reason_name((enum reason)i)))
			change_add(&d->step->changes,
				   (struct change){ .reason = (enum reason)i,
						    .text = "as in the attempt before" },
				   d->p->arena);
	}
}

/*
 * The same build again, so for the same reasons: what differs from the last success, and whether it was asked for. Its
 * trigger goes with it, so that the key is the same and an image that was pushed but not recorded is found.
 */
static void do_retry(struct deciding *d)
{
	const struct attempt *last = d->status->last;
	bool is_rebase = d->success && is_only_stack(&d->since_success) &&
			 (d->facts & IMAGE_MAY_REBASE) && !reasons_name(last->reason, "TRIGGER");

	d->step->changes = d->since_success;
	if (reasons_name(last->reason, "TRIGGER")) {
		change_add(&d->step->changes,
			   (struct change){ .reason = REASON_TRIGGER,
					    .old_value = node_string(d->p->arena, ""),
					    .new_value = node_string(d->p->arena, ""),
					    .text = "asked for, and not built yet" },
			   d->p->arena);
		d->inputs->trigger = last->trigger;
	}
	if (d->step->changes.list.n == 0)
		reasons_again(d);
	if (d->step->changes.list.n == 0)
		change_add(&d->step->changes,
			   (struct change){ .reason = REASON_CONFIG, .text = "as before" },
			   d->p->arena);
	want_build(d, is_rebase ? ACTION_REBASE : ACTION_BUILD);
}

static void ready_failed(struct deciding *d)
{
	const struct condition *said = d->old ? condition_find(&d->old->conditions, "Ready") : NULL;
	const struct attempt *last = d->status->last;
	const char *message;

	if (said && text_equal(said->reason, "BuildFailed") && !d->step->marks.n)
		message = said->message;
	else
		message =
			arena_printf(d->p->arena, "Error: Build '%s' in namespace '%s' failed: %s",
				     build_name(d, last->number), d->step->object->meta.ns,
				     text_equal(last->result, "Interrupted") ? "interrupted"
				     : last->failure                         ? last->failure
									     : "unknown error");
	set_ready(d, COND_FALSE, "BuildFailed", message);
}

static void ready_as_last(struct deciding *d)
{
	const struct condition *said = d->old ? condition_find(&d->old->conditions, "Ready") : NULL;

	if (d->facts & IMAGE_LAST_FAILED)
		ready_failed(d);
	else
		set_ready(d, COND_TRUE, "UpToDate",
			  said && text_equal(said->reason, "UpToDate") ? said->message : NULL);
	if (d->source.state == SOURCE_UNKNOWN || !d->builder)
		tell_unknown(d);
}

static void do_tag(struct deciding *d)
{
	struct strings wanted = image_tags(d->spec, d->p->arena);

	ready_as_last(d);
	for (size_t i = 0; i < wanted.n; i++) {
		if (!strings_has(&d->status->tags, wanted.v[i]))
			vec_push(d->p->arena, &d->step->tags, wanted.v[i]);
	}
	d->step->action = ACTION_TAG;
	d->step->builder = d->builder;
	d->step->inputs = d->inputs;
	d->step->summary = "tag";
	d->step->new_value = pin_digest(d->status->latest_image);
}

/* Tags that are no longer wanted are forgotten; the registry keeps them. */
static void do_nothing(struct deciding *d)
{
	d->step->action = ACTION_RESOLVE;
	d->step->summary = "status";
	ready_as_last(d);
	if (d->status->latest_image)
		d->status->tags = image_tags(d->spec, d->p->arena);
	/* The usual case, told apart here so that thousands of statuses need not be compared as trees. */
	if (d->old && !d->step->marks.n && !history_exceeds(d->step->object, d->old) &&
	    strings_equal(&d->old->tags, &d->status->tags) &&
	    conditions_equal(&d->old->conditions, &d->status->conditions))
		d->step->status = d->old;
}

static void (*const verdicts[VERDICTS])(struct deciding *d) = {
	[VERDICT_CURRENT] = do_nothing,
	[VERDICT_REFUSED] = do_refused,
	[VERDICT_NO_BUILDER] = do_no_builder,
	[VERDICT_RUNNING] = do_running,
	[VERDICT_BUILDER_UNREADY] = do_builder_unready,
	[VERDICT_SOURCE_UNREADY] = do_source_unready,
	[VERDICT_UNDECIDABLE] = do_undecidable,
	[VERDICT_BINDINGS_BAD] = do_bindings_bad,
	[VERDICT_WATCH_BAD] = do_watch_bad,
	[VERDICT_BUILD] = do_build,
	[VERDICT_REBASE] = do_rebase,
	[VERDICT_RETRY] = do_retry,
	[VERDICT_TAG] = do_tag,
	[VERDICT_FAILED] = do_nothing,
};

void rule_image(struct planner *p, struct step *step)
{
	struct deciding d = {
		.p = p,
		.step = step,
		.spec = step->object->spec,
		.old = recorded_status(p, step->object),
		.status = ARENA_NEW(p->arena, struct image_status),
		.inputs = ARENA_NEW(p->arena, struct attempt),
	};
	const struct image_rule *rule;

	if (d.old)
		*d.status = *d.old;
	step->status = d.status;
	look_at_claim(&d);
	d.success = image_success(d.status);
	look_at_builder(&d);
	look_at_inputs(&d);
	look_at_watched(&d);
	look_at_changes(&d);
	look_at_past(&d);
	rule = image_rule_find(d.facts);
	step->rule = rule->id;
	verdicts[rule->verdict](&d);
}
