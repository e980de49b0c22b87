/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_config_fold.c — what becomes of a build config's status and of its build's record: claimed, changed by the outcome,
 * marked, trimmed. Rules: openshift.md §3.5 "History pruning", §3.6; design §4 "Claims".
 */
#include <string.h>

#include "model/base/limits.h"
#include "model/kind/build_phase.h"
#include "model/kind/build_stage.h"
#include "reconcile/plan/rules_build_config.h"
#include "reconcile/plan/run_policy.h"

struct list config_ready(const struct list *old, const char *status, const char *reason,
			 const char *message, int64_t now_s, struct arena *arena)
{
	struct conditions_edit edit;

	conditions_begin(&edit, old, 1, now_s, arena);
	conditions_add(&edit, "Ready", status, reason, message);
	return edit.list;
}

struct list config_history_put(const struct list *history, const struct bc_history_entry *entry,
			       struct arena *arena)
{
	struct bc_history_entry *all = arena_array(arena, history->n + 1, sizeof(*all));
	size_t n = 0;
	bool is_put = false;

	for (size_t i = 0; i < history->n; i++) {
		const struct bc_history_entry *one = LIST_AT(*history, struct bc_history_entry, i);

		if (!is_put && one->number >= entry->number) {
			all[n++] = *entry;
			is_put = true;
		}
		if (one->number != entry->number)
			all[n++] = *one;
	}
	if (!is_put)
		all[n++] = *entry;
	return (struct list){ all, n };
}

/* ---- while it runs ---- */

static void build_begin(const struct step *step, const struct plan_options *options,
			int64_t lease_until_s, struct arena *arena, struct bc_build *build)
{
	*build = *step->build;
	build->run_id = options->run_id;
	build->run_source = options->run_source;
	build->lease_s = lease_until_s;
	build->started_s = options->now_s;
	bc_build_set_phase(build, phase_name(PHASE_RUNNING), options->now_s, arena);
}

static struct build_config_status *claimed(const struct step *step, const struct bc_build *build,
					   int64_t now_s, struct arena *arena)
{
	struct build_config_status *status = ARENA_NEW(arena, struct build_config_status);
	const struct build_config_status *planned = step->status;
	struct bc_attempt *last = ARENA_NEW(arena, struct bc_attempt);
	const struct bc_history_entry entry = bc_history_of(build, arena);

	*status = *step->begun;
	*last = *step->begun->last;
	last->run_id = build->run_id;
	last->lease_s = build->lease_s;
	status->last = last;
	status->history = config_history_put(&status->history, &entry, arena);
	status->conditions = config_ready(
		planned ? &planned->conditions : &status->conditions, COND_UNKNOWN, "BuildRunning",
		arena_printf(arena, "Build '%s' is executing", build->name), now_s, arena);
	return status;
}

const struct build_config_status *config_claim(const struct step *step, int64_t lease_until_s,
					       const struct plan_options *options,
					       struct arena *arena, struct build_file *file)
{
	struct bc_build build;

	build_begin(step, options, lease_until_s, arena, &build);
	*file = (struct build_file){ plan_record_path(step, build.number, arena),
				     bc_build_encode(&build, arena), build.reasons };
	return claimed(step, &build, options->now_s, arena);
}

void plan_waiting(const struct step *step, const struct plan_options *options, struct arena *arena,
		  struct build_file *file)
{
	struct bc_build build;

	*file = (struct build_file){ 0 };
	if (!kind_has_builds(step->kind) || !step->build || !step->blocked ||
	    !step->is_status_changed)
		return;
	build = *step->build;
	build.run_source = options->run_source;
	*file = (struct build_file){ plan_record_path(step, build.number, arena),
				     bc_build_encode(&build, arena), build.reasons };
}

/* ---- what it brought about ---- */

struct folding {
	struct step *step;
	const struct outcome *outcome;
	struct arena *arena;
	int64_t now_s;
	struct build_config_status *status;
	struct bc_attempt *last;
	struct bc_build *build;
};

static const char *copy(const struct folding *f, const char *text)
{
	return text ? arena_strdup(f->arena, text) : NULL;
}

static struct source_user user_copy(const struct folding *f, const struct source_user *user)
{
	return (struct source_user){ copy(f, user->name), copy(f, user->email) };
}

/* The commit that was fetched, with its author; what the event does not say stays as it was planned. */
static void take_revision(struct folding *f, const struct source_revision *said)
{
	struct source_revision *revision;

	if (!said || !said->git || !said->git->commit)
		return;
	revision = ARENA_NEW(f->arena, struct source_revision);
	revision->type = "Git";
	revision->git = ARENA_NEW(f->arena, struct commit_revision);
	*revision->git = (struct commit_revision){
		.commit = copy(f, said->git->commit),
		.message = copy(f, said->git->message),
		.author = user_copy(f, &said->git->author),
		.committer = user_copy(f, &said->git->committer),
	};
	f->build->spec.common.revision = revision;
}

static struct list steps_copy(const struct folding *f, const struct list *from)
{
	struct build_step *steps = arena_array(f->arena, from->n, sizeof(*steps));

	for (size_t i = 0; i < from->n; i++) {
		steps[i] = *LIST_AT(*from, struct build_step, i);
		steps[i].name = copy(f, steps[i].name);
	}
	return (struct list){ steps, from->n };
}

static struct list stages_copy(const struct folding *f, const struct list *from)
{
	struct build_stage *stages = arena_array(f->arena, from->n, sizeof(*stages));

	for (size_t i = 0; i < from->n; i++) {
		stages[i] = *LIST_AT(*from, struct build_stage, i);
		stages[i].name = copy(f, stages[i].name);
		stages[i].steps = steps_copy(f, &stages[i].steps);
	}
	return (struct list){ stages, from->n };
}

/* What is known however it ended. */
static void take_event(struct folding *f)
{
	const struct build_event *event = f->outcome->event;
	struct bc_build *build = f->build;

	build->log = f->outcome->log;
	if (f->outcome->steps.n)
		build->stages = build_stages_of(&f->outcome->steps, build->started_s,
						&build->spec.common.strategy, f->arena);
	if (!event)
		return;
	if (event->stages.n)
		build->stages = stages_copy(f, &event->stages);
	take_revision(f, event->revision);
	build->engine = copy(f, event->engine);
	build->url = copy(f, url_without_login(event->url, f->arena));
	for (size_t i = 0; i < event->bases.n; i++)
		vec_push(f->arena, &build->bases,
			 (struct pair){ copy(f, event->bases.v[i].key),
					copy(f, event->bases.v[i].value),
					{ 0 } });
}

static void fold_success(struct folding *f)
{
	const struct build_event *event = f->outcome->event;
	const char *digest = pin_digest(event->image);
	struct bc_build *build = f->build;

	f->last->failure = build->failure = NULL;
	f->last->tries = build->tries = 0;
	build->is_adopted = event->is_adopted;
	if (digest && f->step->tags.n) {
		build->output_reference = f->step->tags.v[0];
		build->output_digest = copy(f, digest);
		f->step->pushed = pushed_record(event, f->arena);
		f->status->output_reference = build->output_reference;
		f->status->output_image = bc_history_of(build, f->arena).image;
	}
	bc_build_set_phase(build, phase_name(PHASE_COMPLETE), f->now_s, f->arena);
	f->status->conditions = config_ready(&f->status->conditions, COND_TRUE, "Complete", NULL,
					     f->now_s, f->arena);
}

/* How a failed build is called. */
static void name_failure(struct folding *f, const char *kind, const char *text)
{
	const struct build_event *event = f->outcome->event;
	struct bc_build *build = f->build;
	bool is_foreign = failure_is_foreign(kind);
	bool is_deadline = event && event->is_timeout && build->spec.common.has_deadline;

	if (text_equal(kind, err_kind_name(ERR_CANCELLED)))
		build->reason = "BuildPodDeleted";
	else if (event && event->is_oom)
		build->reason = "OutOfMemoryKilled";
	else if (event && event->reason && event->reason[0])
		build->reason = copy(f, event->reason);
	else
		build->reason = is_foreign ? "Error" : "GenericBuildFailed";
	build->message = reason_message(build->reason);
	if (is_deadline && !event->is_oom)
		build->message = arena_printf(
			f->arena, "the build took longer than completionDeadlineSeconds (%lld s)",
			(long long)build->spec.common.deadline_s);
	else if (!build->message)
		build->message = text;
	bc_build_set_phase(build, phase_name(is_foreign ? PHASE_ERROR : PHASE_FAILED), f->now_s,
			   f->arena);
}

/* The build of a folded step whose tail is joined again. */
static const char *snippet_of(const struct folding *f)
{
	AUTO_BUF text = BUF_INIT(LIMIT_HTTP_BODY);

	for (size_t i = 0; i < f->outcome->tail.n; i++)
		buf_printf(&text, "%s\n", f->outcome->tail.v[i]);
	return text.len ? log_snippet(buf_text(&text), text.len, f->arena) : NULL;
}

static void fold_failure(struct folding *f)
{
	const struct outcome *outcome = f->outcome;
	const char *text = text_without_logins(outcome_text(outcome, f->arena), f->arena);
	const char *kind =
		outcome->event && outcome->event->failure
			? outcome->event->failure
			: err_kind_name(outcome->err.kind ? outcome->err.kind : ERR_SYSTEM);
	bool is_cancelled = text_equal(kind, err_kind_name(ERR_CANCELLED));
	struct bc_build *build = f->build;

	f->step->has_failed = true;
	build->failure = f->last->failure = copy(f, kind);
	if (!failure_is_foreign(kind))
		f->last->tries = 0;
	else if (outcome->is_started || !is_cancelled)
		f->last->tries++;
	build->tries = f->last->tries;
	build->log_snippet = snippet_of(f);
	name_failure(f, kind, text);
	f->status->conditions = config_ready(
		&f->status->conditions, COND_FALSE, "BuildFailed",
		arena_printf(f->arena, "Error: Build '%s' in namespace '%s' failed: %s",
			     build->name, f->step->ns, text),
		f->now_s, f->arena);
}

/* By its record: it is not tried again until something differs. */
static void fold_cancelled(struct folding *f)
{
	struct bc_build *build = f->build;

	f->step->has_failed = true;
	build->is_cancelled = true;
	build->reason = "CancelledBuild";
	build->message = reason_message(build->reason);
	build->failure = f->last->failure = "build";
	build->tries = f->last->tries = 0;
	build->log_snippet = snippet_of(f);
	bc_build_set_phase(build, phase_name(PHASE_CANCELLED), f->now_s, f->arena);
	f->status->conditions = config_ready(&f->status->conditions, COND_FALSE, build->reason,
					     build->message, f->now_s, f->arena);
}

/* Somebody whose claim came later builds it now: only the history learns how this build ended. */
static bool is_taken_over(const struct step *step)
{
	const struct build_config_status *status = step->status;
	const struct bc_attempt *last = status ? status->last : NULL;

	return last && (last->number > step->number ||
			(last->number == step->number && last->run_id && last->lease_s));
}

const struct build_config_status *config_fold(struct step *step, const struct outcome *outcome,
					      const struct plan_options *options,
					      struct arena *arena, struct build_file *file)
{
	struct bc_build build;
	struct build_config_status *kept;
	struct bc_history_entry entry;
	struct folding f = { step, outcome, arena,
			     outcome->finished_s ? outcome->finished_s : options->now_s };

	if (!step->begun || (!outcome->event && !outcome->is_started && !outcome->is_claimed)) {
		step->has_failed = true;
		return step->status;
	}
	build_begin(step, options, 0, arena, &build);
	if (outcome->started_s)
		build.started_s = outcome->started_s;
	build.finished_s = f.now_s;
	f.build = &build;
	f.status = claimed(step, &build, options->now_s, arena);
	f.last = f.status->last;
	take_event(&f);
	if (outcome->is_done && outcome->event)
		fold_success(&f);
	else if (outcome->is_cancelled_by_user)
		fold_cancelled(&f);
	else
		fold_failure(&f);
	entry = bc_history_of(&build, arena);
	f.status->history = config_history_put(&f.status->history, &entry, arena);
	*file = (struct build_file){ plan_record_path(step, build.number, arena),
				     bc_build_encode(&build, arena), build.reasons };
	if (!is_taken_over(step))
		return f.status;
	kept = ARENA_NEW(arena, struct build_config_status);
	*kept = *(const struct build_config_status *)step->status;
	kept->history = config_history_put(&kept->history, &entry, arena);
	return kept;
}

/* ---- marks and limits ---- */

bool config_mark(const struct build_mark *mark, const struct node *document, int64_t now_s,
		 struct arena *arena, struct node **out, struct err *err)
{
	bool is_cancelled = mark->end == END_CANCELLED;
	struct bc_build build;

	if (!bc_build_read(document, arena, &build, err))
		return false;
	build.reason = is_cancelled ? "CancelledBuild" : "BuildPodDeleted";
	build.message = mark->message ? mark->message : reason_message(build.reason);
	build.is_cancelled = is_cancelled;
	build.finished_s = now_s;
	build.lease_s = 0;
	if (!is_cancelled) {
		build.failure = err_kind_name(ERR_CANCELLED);
		build.tries++;
	}
	bc_build_set_phase(&build, phase_name(is_cancelled ? PHASE_CANCELLED : PHASE_ERROR), now_s,
			   arena);
	*out = bc_build_encode(&build, arena);
	return true;
}

bool config_history_exceeds(const struct build_config_spec *spec,
			    const struct build_config_status *status)
{
	int64_t n_success = 0, n_failed = 0;

	for (size_t i = 0; i < status->history.n; i++) {
		enum build_phase phase =
			phase_find(LIST_AT(status->history, struct bc_history_entry, i)->phase);

		n_success += phase == PHASE_COMPLETE;
		n_failed += phase_is_terminal(phase) && phase != PHASE_COMPLETE;
	}
	return (spec->has_success_limit && n_success > spec->success_limit) ||
	       (spec->has_failed_limit && n_failed > spec->failed_limit);
}

void config_expire(const struct build_config_spec *spec, struct build_config_status *status,
		   struct arena *arena, struct numbers *out)
{
	struct bc_history_entry *kept = arena_array(arena, status->history.n, sizeof(*kept));
	size_t n = 0, at = 0;

	*out = bc_history_prune(&status->history, spec, arena);
	for (size_t i = 0; i < status->history.n; i++) {
		const struct bc_history_entry *entry =
			LIST_AT(status->history, struct bc_history_entry, i);

		if (at < out->n && out->v[at] == entry->number)
			at++;
		else
			kept[n++] = *entry;
	}
	status->history = (struct list){ kept, n };
}
