/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fold.c — what becomes of a status: claimed before a build, changed by its outcome, trimmed by the history limits.
 * A fold starts from the claimed status, so that the condition's times tell of the time in between.
 * Rules: kpack.md §1.6, §1.8, §1.11, §2.5; design §4 "Claims".
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/digest.h"
#include "reconcile/plan/build_key.h"
#include "reconcile/plan/image_compare.h"
#include "reconcile/plan/rules_build_config.h"
#include "reconcile/plan/rules_image.h"

static struct list history_put(const struct list *history, const struct history_entry *entry,
			       struct arena *arena)
{
	struct history_entry *entries = arena_array(arena, history->n + 1, sizeof(*entries));
	size_t n = history->n;

	for (size_t i = 0; i < n; i++) {
		entries[i] = *LIST_AT(*history, struct history_entry, i);
		if (entries[i].number == entry->number) {
			entries[i] = *entry;
			return (struct list){ entries, n + (i == n) };
		}
	}
	entries[n] = *entry;
	return (struct list){ entries, n + 1 };
}

static struct image_status *claimed(const struct step *step, int64_t lease_until_s,
				    const struct plan_options *options, struct arena *arena)
{
	struct image_status *status = ARENA_NEW(arena, struct image_status);
	struct attempt *attempt = ARENA_NEW(arena, struct attempt);
	struct history_entry entry = { .number = step->number,
				       .result = "Building",
				       .reason = step->inputs->reason,
				       .started_s = options->now_s };
	const char *message = arena_printf(arena, "Build '%s' is executing", step->build_name);

	*status = *(const struct image_status *)step->status;
	*attempt = *step->inputs;
	attempt->result = "Building";
	attempt->run_id = options->run_id;
	attempt->lease_s = lease_until_s;
	if (attempt_is_success(status->last))
		status->last_success = status->last;
	status->last = attempt;
	status->build_counter = step->number;
	status->latest_build = step->build_name;
	status->latest_reason = attempt->reason;
	status->history = history_put(&status->history, &entry, arena);
	status->conditions = image_conditions(
		&status->conditions, (struct ready){ COND_UNKNOWN, "BuildRunning", message },
		step->builder, options->now_s, arena);
	return status;
}

static struct list changes_recorded(const struct changes *changes, struct arena *arena)
{
	struct build_change *list = arena_array(arena, changes->list.n, sizeof(*list));

	for (size_t i = 0; i < changes->list.n; i++) {
		const struct change *change = &changes->list.v[i];

		list[i] = (struct build_change){ reason_name(change->reason), change->old_value,
						 change->new_value };
	}
	return (struct list){ list, changes->list.n };
}

static struct list succeeded(const char *status, const char *reason, const char *message,
			     int64_t now_s, struct arena *arena)
{
	struct conditions_edit edit;

	conditions_begin(&edit, &(struct list){ 0 }, 1, now_s, arena);
	conditions_add(&edit, "Succeeded", status, reason, message);
	return edit.list;
}

static void record_begin(const struct step *step, const struct image_status *status,
			 struct arena *arena, struct build_record *out)
{
	const struct attempt *success = image_success(step->status);

	*out = (struct build_record){
		.name = step->build_name,
		.ns = step->ns,
		.image_name = step->name,
		.number = step->number,
		.reason = step->inputs->reason,
		.changes = changes_recorded(&step->changes, arena),
		.builder_name = step->inputs->builder,
		.builder_kind = step->inputs->builder_kind,
		.tags = step->tags,
		.inputs = *status->last,
		.last_image = success ? success->image : NULL,
		.last_stack_id = success ? success->stack_id : NULL,
		.is_rebase = step->action == ACTION_REBASE,
	};
}

const void *plan_claim(const struct step *step, int64_t lease_until_s,
		       const struct plan_options *options, struct arena *arena,
		       struct build_file *file)
{
	struct image_status *status;
	struct build_record record;

	if (kind_has_builds(step->kind))
		return config_claim(step, lease_until_s, options, arena, file);
	status = claimed(step, lease_until_s, options, arena);

	record_begin(step, status, arena, &record);
	record.started_s = options->now_s;
	record.run_source = options->run_source;
	record.conditions = succeeded(COND_UNKNOWN, NULL, NULL, options->now_s, arena);
	*file = (struct build_file){ plan_record_path(step, step->number, arena),
				     build_encode(&record, arena), record.reason };
	return status;
}

static struct list ids_copy(const struct list *from, struct arena *arena)
{
	struct buildpack_id *ids = arena_array(arena, from->n, sizeof(*ids));

	for (size_t i = 0; i < from->n; i++) {
		const struct buildpack_id *id = LIST_AT(*from, struct buildpack_id, i);

		ids[i] = (struct buildpack_id){ arena_strdup(arena, id->id),
						arena_strdup(arena, id->version),
						arena_strdup(arena, id->homepage),
						arena_strdup(arena, id->api) };
	}
	return (struct list){ ids, from->n };
}

/* The inputs stay as they were given, so that the key stays what it is; results are added. */
static void attempt_succeed(struct attempt *attempt, const struct build_event *event,
			    const struct attempt *before, bool is_rebase, struct arena *arena)
{
	attempt->result = "Succeeded";
	attempt->failure = NULL;
	attempt->tries = 0;
	attempt->image = arena_strdup(arena, event->image);
	attempt->is_not_rebasable = event->is_not_rebasable;
	attempt->chosen_run = (struct image_pin){ 0 };
	if (event->chosen_run && pin_digest(event->run_image))
		attempt->chosen_run =
			(struct image_pin){ .image = arena_strdup(arena, event->chosen_run),
					    .latest = arena_strdup(arena, event->run_image) };
	if (event->stack_id)
		attempt->stack_id = arena_strdup(arena, event->stack_id);
	if (!attempt->lifecycle_version)
		attempt->lifecycle_version = arena_strdup(arena, event->lifecycle_version);
	attempt->buildpacks = ids_copy(&event->buildpacks, arena);
	if (is_rebase && attempt->buildpacks.n == 0 && before)
		attempt->buildpacks = before->buildpacks;
}

static bool word_is(const char *word, enum err_kind kind)
{
	return text_equal(word, err_kind_name(kind));
}

bool failure_is_foreign(const char *kind)
{
	return word_is(kind, ERR_CANCELLED) || word_is(kind, ERR_TRANSIENT) ||
	       word_is(kind, ERR_SYSTEM);
}

static void attempt_fail(struct attempt *attempt, const struct outcome *outcome,
			 struct arena *arena)
{
	const char *word =
		outcome->event && outcome->event->failure
			? outcome->event->failure
			: err_kind_name(outcome->err.kind ? outcome->err.kind : ERR_SYSTEM);
	bool is_cancelled = word_is(word, ERR_CANCELLED);

	attempt->failure = arena_strdup(arena, word);
	attempt->result = is_cancelled ? "Interrupted" : "Failed";
	if (!failure_is_foreign(word))
		attempt->tries = 0;
	else if (outcome->is_started || !is_cancelled)
		attempt->tries++;
}

/* "cannot detect …: exit code 100 …", or whatever is known of it. */
const char *outcome_text(const struct outcome *outcome, struct arena *arena)
{
	const struct build_event *event = outcome->event;
	const char *text = event ? event->text : outcome->err.text;

	if (!text || !text[0])
		text = event && event->is_timeout ? "it took longer than its buildTimeout"
		       : event && event->is_oom   ? "it ran out of memory"
						  : "unknown error";
	if (event && event->exit_code != 0 && !event->is_oom && !event->is_timeout &&
	    !strstr(text, "exit"))
		return arena_printf(arena, "%s (exit code %" PRId64 ")", text, event->exit_code);
	return arena_strdup(arena, text);
}

struct folding {
	struct step *step;
	const struct outcome *outcome;
	struct arena *arena;
	int64_t now_s;
	struct image_status *status;
	struct build_record *record;
};

/* What the worker said of the image that it pushed; NULL: nothing, or not this image's. */
const struct image_record *pushed_record(const struct build_event *event, struct arena *arena)
{
	const char *digest = pin_digest(event->image);
	struct manifest manifest;
	struct image_config config;
	const char *json = arena_strdup(arena, event->manifest);
	const char *config_json = arena_strdup(arena, event->config);
	struct err err = { 0 };

	if (!digest || !json || !config_json ||
	    strcmp(digest_of(json, strlen(json)).text, digest) != 0 ||
	    !manifest_parse(json, strlen(json), NULL, arena, &manifest, &err) ||
	    strcmp(digest_of(config_json, strlen(config_json)).text, manifest.config.digest) != 0 ||
	    !image_config_parse(config_json, strlen(config_json), arena, &config, &err))
		return NULL;
	return image_record_make(arena_strdup(arena, event->image), arena_strdup(arena, digest),
				 &manifest, &config, arena);
}

static void fold_success(struct folding *f)
{
	const struct build_event *event = f->outcome->event;
	struct image_status *status = f->status;
	struct attempt *attempt = status->last;

	attempt_succeed(attempt, event, image_success(f->step->status),
			f->step->action == ACTION_REBASE, f->arena);
	f->step->pushed = pushed_record(event, f->arena);
	status->last_success = NULL;
	status->latest_image = attempt->image;
	status->tags = image_tags(f->step->object->spec, f->arena);
	status->conditions =
		image_conditions(&status->conditions, (struct ready){ COND_TRUE, "UpToDate", NULL },
				 f->step->builder, f->now_s, f->arena);
	f->record->conditions = succeeded(COND_TRUE, "Completed", NULL, f->now_s, f->arena);
	f->record->latest_image = attempt->image;
	f->record->stack_run_image =
		event->run_image ? arena_strdup(f->arena, event->run_image) : attempt->run_image;
	f->record->is_adopted = event->is_adopted;
	status->latest_stack = f->record->stack_run_image;
}

static void fold_failure(struct folding *f)
{
	const char *text = outcome_text(f->outcome, f->arena);
	struct image_status *status = f->status;

	f->step->has_failed = true;
	attempt_fail(status->last, f->outcome, f->arena);
	status->conditions = image_conditions(
		&status->conditions,
		(struct ready){ COND_FALSE, "BuildFailed",
				arena_printf(f->arena,
					     "Error: Build '%s' in namespace '%s' failed: %s",
					     f->step->build_name, f->step->ns, text) },
		f->step->builder, f->now_s, f->arena);
	f->record->conditions = succeeded(
		COND_FALSE,
		text_equal(status->last->result, "Interrupted") ? "Interrupted" : "Failed",
		arena_printf(f->arena, "Error: %s", text), f->now_s, f->arena);
}

/* Somebody whose claim came later has the image now: only the history learns how this build ended. */
static bool is_taken_over(const struct step *step)
{
	const struct image_status *status = step->status;

	return status->last && status->last->number >= step->number;
}

static struct history_entry history_entry_of(const struct folding *f)
{
	return (struct history_entry){
		.number = f->step->number,
		.result = f->status->last->result,
		.reason = f->step->inputs->reason,
		.image = f->status->last->image,
		.started_s = f->outcome->started_s ? f->outcome->started_s : f->now_s,
		.finished_s = f->now_s,
	};
}

static const struct image_status *after_takeover(const struct folding *f)
{
	struct image_status *kept = ARENA_NEW(f->arena, struct image_status);
	struct history_entry entry = history_entry_of(f);

	*kept = *(const struct image_status *)f->step->status;
	kept->history = history_put(&kept->history, &entry, f->arena);
	return kept;
}

static const void *fold_build(struct folding *f, const struct plan_options *options)
{
	const struct outcome *outcome = f->outcome;
	struct history_entry entry;

	if (!outcome->event && !outcome->is_started && !outcome->is_claimed) {
		f->step->has_failed = true;
		return f->step->status;
	}
	f->status = claimed(f->step, 0, options, f->arena);
	record_begin(f->step, f->status, f->arena, f->record);
	if (outcome->is_done && outcome->event && outcome->event->image)
		fold_success(f);
	else
		fold_failure(f);
	f->record->inputs = *f->status->last;
	f->record->steps = outcome->steps;
	f->record->log = outcome->log;
	f->record->tail = f->step->has_failed ? outcome->tail : (struct strings){ 0 };
	f->record->started_s = outcome->started_s ? outcome->started_s : f->now_s;
	f->record->finished_s = f->now_s;
	if (is_taken_over(f->step))
		return after_takeover(f);
	entry = history_entry_of(f);
	f->status->history = history_put(&f->status->history, &entry, f->arena);
	return f->status;
}

static const void *fold_compose(struct folding *f)
{
	const struct outcome *outcome = f->outcome;
	const struct build_event *event = outcome->event;
	const struct builder_status *old = f->step->status;
	struct builder_status *planned;
	const char *run_image = event ? event->run_image : NULL;

	if (!outcome->is_done || !event || !event->image) {
		f->step->has_failed = true;
		if (!event && !outcome->is_started && outcome->err.kind == ERR_CANCELLED)
			return old;
		return builder_failed(old, outcome_text(outcome, f->arena), f->now_s, f->arena);
	}
	planned = ARENA_NEW(f->arena, struct builder_status);
	*planned = *f->step->builder;
	if (run_image && text_equal(pin_digest(run_image), pin_digest(planned->stack_run_image)))
		planned->stack_run_image = arena_strdup(f->arena, run_image);
	return builder_composed(planned, &old->conditions, arena_strdup(f->arena, event->image),
				f->now_s, f->arena);
}

static const void *fold_mirror(struct folding *f)
{
	const char *why = f->outcome->is_done ? NULL : outcome_text(f->outcome, f->arena);

	f->step->has_failed = why != NULL;
	if (why && !f->outcome->is_started && f->outcome->err.kind == ERR_CANCELLED)
		return f->step->status;
	return stream_folded(f->step, why, f->now_s, f->arena);
}

static const void *fold_tag(struct folding *f)
{
	struct image_status *status = ARENA_NEW(f->arena, struct image_status);

	*status = *(const struct image_status *)f->step->status;
	if (f->outcome->is_done)
		status->tags = image_tags(f->step->object->spec, f->arena);
	else
		f->step->has_failed = true;
	return status;
}

const void *plan_fold(struct step *step, const struct outcome *outcome,
		      const struct plan_options *options, struct arena *arena,
		      struct build_file *file)
{
	struct build_record record = { .run_source = options->run_source };
	struct folding f = {
		.step = step,
		.outcome = outcome,
		.arena = arena,
		.now_s = outcome->finished_s ? outcome->finished_s : options->now_s,
		.record = &record,
	};

	*file = (struct build_file){ 0 };
	step->has_failed = false;
	if (step->blocked) {
		step->has_failed = true;
		plan_waiting(step, options, arena, file);
	} else if (kind_has_builds(step->kind) && step->action == ACTION_BUILD)
		step->status = config_fold(step, outcome, options, arena, file);
	else if (step->action == ACTION_BUILD || step->action == ACTION_REBASE)
		step->status = fold_build(&f, options);
	else if (step->action == ACTION_COMPOSE)
		step->status = fold_compose(&f);
	else if (step->action == ACTION_TAG)
		step->status = fold_tag(&f);
	else if (step->action == ACTION_MIRROR)
		step->status = fold_mirror(&f);
	step->is_folded = true;
	if (record.number)
		*file = (struct build_file){ plan_record_path(step, step->number, arena),
					     build_encode(&record, arena), record.reason };
	return step->status;
}

bool plan_bind(struct step *step, const struct plan *plan, struct arena *arena, struct err *err)
{
	struct planner p = *plan->planner;
	const struct step **after = step->after;
	size_t n_after = step->n_after;

	for (size_t i = 0; i < n_after; i++) {
		if (!after[i]->is_folded)
			return err_set(err, ERR_CONFLICT, "'%s' waits for '%s'", step->id,
				       after[i]->id);
	}
	if (step->blocked)
		return err_set(err, step->blocked_kind ? step->blocked_kind : ERR_CONFLICT, "%s",
			       step->blocked);
	if (n_after == 0)
		return true;
	p.arena = arena;
	p.plan = (struct plan *)(uintptr_t)plan; /* only looked up in */
	step_decide(&p, step);
	step->after = after;
	step->n_after = n_after;
	if (step->blocked)
		return err_set(err, step->blocked_kind ? step->blocked_kind : ERR_CONFLICT, "%s",
			       step->blocked);
	return true;
}

static void image_interrupt(struct build_record *record, int64_t now_s, struct arena *arena)
{
	record->inputs.result = "Interrupted";
	record->inputs.failure = err_kind_name(ERR_CANCELLED);
	record->inputs.lease_s = 0;
	record->inputs.tries++;
	record->finished_s = now_s;
	record->conditions =
		succeeded(COND_FALSE, "Interrupted",
			  "Error: the run that built it ended without a result", now_s, arena);
}

bool plan_mark(const struct step *step, const struct build_mark *mark, const struct node *document,
	       int64_t now_s, struct arena *arena, struct node **out, struct err *err)
{
	struct build_record record;

	if (kind_has_builds(step->kind))
		return config_mark(mark, document, now_s, arena, out, err);
	if (step->kind != KIND_IMAGE)
		BUG("builds of '%s'", step->id);
	if (!build_read(document, arena, &record, err))
		return false;
	image_interrupt(&record, now_s, arena);
	*out = build_encode(&record, arena);
	return true;
}

char *plan_record_path(const struct step *step, int64_t number, struct arena *arena)
{
	return kind_has_builds(step->kind)
		       ? bc_build_path(step->kind, step->ns, step->name, number, arena)
		       : build_path(step->ns, step->name, number, arena);
}

char *plan_log_folder(const struct step *step, struct arena *arena)
{
	if (!kind_has_builds(step->kind) && step->kind != KIND_IMAGE)
		return NULL;
	return arena_printf(arena, "%s/%s/%s", step->ns, kind_info(step->kind)->state_folder,
			    step->name);
}

char *plan_log_path(const struct step *step, int64_t number, struct arena *arena)
{
	return arena_printf(arena, "%s/%" PRId64 ".log", plan_log_folder(step, arena), number);
}

enum history_class { HISTORY_RUNNING, HISTORY_SUCCESS, HISTORY_FAILURE };

static enum history_class class_of(const struct history_entry *entry)
{
	if (text_equal(entry->result, "Building"))
		return HISTORY_RUNNING;
	return text_equal(entry->result, "Succeeded") ? HISTORY_SUCCESS : HISTORY_FAILURE;
}

/* How many of each class are too many. */
static void excess(const struct image_spec *spec, const struct image_status *status,
		   int64_t out[HISTORY_FAILURE + 1])
{
	int64_t success_limit = spec->success_limit > 0 ? spec->success_limit : 1;
	int64_t failed_limit = spec->failed_limit > 0 ? spec->failed_limit : 1;

	out[HISTORY_RUNNING] = 0;
	out[HISTORY_SUCCESS] = -success_limit;
	out[HISTORY_FAILURE] = -failed_limit;
	for (size_t i = 0; i < status->history.n; i++) {
		enum history_class class =
			class_of(LIST_AT(status->history, struct history_entry, i));

		if (class != HISTORY_RUNNING)
			out[class]++;
	}
}

bool history_exceeds(const struct object *object, const void *status)
{
	int64_t over[HISTORY_FAILURE + 1];

	if (kind_has_builds(object->kind))
		return config_history_exceeds(object->spec, status);
	if (object->kind != KIND_IMAGE)
		return false;
	excess(object->spec, status, over);
	return over[HISTORY_SUCCESS] > 0 || over[HISTORY_FAILURE] > 0;
}

static void image_expire(const struct image_spec *spec, struct image_status *status,
			 struct arena *arena, struct numbers *out)
{
	int64_t over[HISTORY_FAILURE + 1];
	struct history_entry *kept =
		arena_array(arena, status->history.n, sizeof(struct history_entry));
	size_t n = 0;

	excess(spec, status, over);
	for (size_t i = 0; i < status->history.n; i++) {
		const struct history_entry *entry =
			LIST_AT(status->history, struct history_entry, i);
		enum history_class class = class_of(entry);

		if (over[class] > 0) {
			over[class]--;
			vec_push(arena, out, entry->number);
		} else {
			kept[n++] = *entry;
		}
	}
	status->history = (struct list){ kept, n };
}

void plan_expire(const struct object *object, void *status, struct arena *arena,
		 struct numbers *out)
{
	*out = (struct numbers){ 0 };
	if (object->kind == KIND_IMAGE)
		image_expire(object->spec, status, arena, out);
	if (kind_has_builds(object->kind))
		config_expire(object->spec, status, arena, out);
}
