/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_run.c — the main job: load → read → observe → plan → apply → record → report. A dry run prints the same plan and
 * stops. When the state moved before anything was started, everything from reading on is done again.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "buildexec/sandbox/sandbox.h"
#include "buildexec/sys/clock.h"
#include "buildexec/sys/fs.h"
#include "buildexec/sys/pool.h"
#include "model/base/time.h"
#include "model/kind/build_phase.h"
#include "model/kind/settings.h"
#include "reconcile/apply/apply.h"
#include "reconcile/apply/state_numbers.h"
#include "reconcile/checks.h"
#include "reconcile/commands.h"
#include "reconcile/fallback.h"
#include "reconcile/look.h"
#include "reconcile/observe/observe.h"
#include "reconcile/plan/stream.h"
#include "reconcile/progress.h"
#include "reconcile/record.h"
#include "reconcile/report/plan_report.h"
#include "reconcile/run_id.h"
#include "reconcile/scope.h"
#include "reconcile/secret_hash.h"
#include "reconcile/select.h"
#include "reconcile/start.h"
#include "reconcile/updates.h"

enum { GRACE_S = 30, RETRY_BASE_MS = 100, RETRY_CAP_MS = 10000 };

static volatile sig_atomic_t got_signal, is_applying;
static int wake_fds[2] = { -1, -1 };

/* The first one asks the run to end in good order; a second one before anything was started ends it at once. */
static void on_signal(int number)
{
	int saved = errno;

	if (got_signal && !is_applying)
		_exit(EXIT_INTERRUPTED);
	got_signal = number;
	if (write(wake_fds[1], "", 1) < 0)
		errno = saved;
	errno = saved;
}

static bool is_stopping(void)
{
	return got_signal != 0;
}

static bool catch_signals(struct err *err)
{
	struct sigaction action = { .sa_handler = on_signal };

	if (pipe2(wake_fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(err, errno, "cannot wait for signals");
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return true;
}

/* One run: what lives from planning to recording. */
struct run {
	struct context *context;
	struct run_id id;
	struct plan_options options;
	struct selection selection;
	struct map checks; /* of scheduled tags, before this run */
	struct queries queries, more;
	struct observed observed, observed_more;
	struct plan plan;
	struct apply_result result;
	size_t n_commits;
	unsigned n_failed; /* tries to record in a row */
};

static struct checks_place checks_place(const struct context *context)
{
	return (struct checks_place){ .cache_dir = context->cache_dir,
				      .state_url = context->state_url,
				      .now_s = context->now_s };
}

static bool is_dry(const struct context *context)
{
	return context->options.dry_run || context->options.expect_no_changes;
}

static void mark(struct context *context, const char *part)
{
	int64_t now_us = clock_mono_us();

	if (context->options.with_timings)
		log_line(LOG_INFO, "timing: %s %.1f ms", part,
			 (double)(now_us - context->marks_us[0]) / 1000.0);
	context->marks_us[0] = now_us;
}

static void ask(struct run *run)
{
	struct context *context = run->context;
	const struct observe_spec spec = { .model = &context->loaded.model,
					   .cache_dir = context->cache_dir,
					   .base_dir = context->settings_dir,
					   .with_user_credentials = true,
					   .is_stopping = is_stopping };
	const struct checks_place place = checks_place(context);

	observed_release(&run->observed);
	observed_release(&run->observed_more);
	run->observed.facts = (struct facts){ .is_offline = context_is_offline(context) };
	if (context_is_offline(context))
		return;
	run->queries = run->more = (struct queries){ 0 };
	queries_make(&context->loaded.model, &context->state.state, &run->options, context->arena,
		     &run->queries);
	observe(&run->queries, &spec, context->arena, &run->observed);
	queries_follow(&context->loaded.model, &context->state.state, &run->observed.facts,
		       context->arena, &run->more);
	observe(&run->more, &spec, context->arena, &run->observed_more);
	for (size_t i = 0; i < run->observed_more.facts.by_key.n; i++)
		map_set(context->arena, &run->observed.facts.by_key,
			run->observed_more.facts.by_key.items[i].key,
			run->observed_more.facts.by_key.items[i].value);
	if (!is_dry(context))
		checks_write(&place, &run->checks, &run->observed.facts);
}

static void release(struct run *run)
{
	observed_release(&run->observed);
	observed_release(&run->observed_more);
	run_id_release(&run->id);
}

static bool make_options(struct run *run, struct err *err)
{
	struct context *context = run->context;
	const struct options *options = &context->options;
	const struct checks_place place = checks_place(context);

	run->options = (struct plan_options){
		.now_s = context->now_s,
		.retry_failed = options->retry_failed,
		.with_prune = options->prune != NULL,
		.prune_all = options->prune && strcmp(options->prune, "all") == 0,
		.without_prune =
			options->no_prune || (!options->prune && !context->settings->with_prune),
		.run_id = run->id.text,
		.run_source = context->source_commit,
		.checks = &run->checks,
	};
	if (options->prune && options->no_prune)
		return err_set(err, ERR_INVALID, "--prune and --no-prune exclude each other");
	run->checks = checks_read(&place, context->arena);
	if (!select_triggers(&context->loaded.model, &options->triggers, context->arena,
			     &run->options.triggers, err))
		return false;
	return select_make(&context->loaded.model, options, context->arena, &run->selection,
			   &run->options, err);
}

/* Scheduled tags that were not asked for this time, and when they will be. */
static void say_schedule(const struct run *run)
{
	struct context *context = run->context;
	char time[TIME_TEXT];

	for (size_t i = 0; i < run->plan.steps.n; i++) {
		const struct step *step = run->plan.steps.v[i];
		const struct stream_status *status =
			step->kind == KIND_IMAGE_STREAM ? step->status : NULL;

		for (size_t k = 0; status && step->object && k < status->spec.tags.n; k++) {
			const struct tag_ref *tag = LIST_AT(status->spec.tags, struct tag_ref, k);
			const struct tag_at at = { step->object, status, tag->name };
			int64_t due_s = stream_due_s(&at, &context->settings->streams, &run->checks,
						     context->arena);

			if (due_s <= context->now_s)
				continue;
			time_format(due_s, time);
			log_line(LOG_INFO, "ImageStreamTag %s/%s:%s: the next import is due %s",
				 step->ns, step->name, tag->name, time);
		}
	}
}

static void report(struct run *run)
{
	struct context *context = run->context;
	const struct map diffs = updates_diffs(&run->plan, context->arena);
	const struct report_style style = { .with_color = context->with_color, .diffs = &diffs };
	const struct report_origin origin = { .source_commit = context->source_commit,
					      .state_commit = context->state.state.commit,
					      .state_url = context->state_url,
					      .is_offline = context_is_offline(context) };

	if (!context->options.output || context_is_output(context, "text"))
		plan_text(&run->plan, &style, &context->out);
	else
		look_print(context, plan_node(&run->plan, &origin, context->arena));
	for (size_t i = 0; i < run->plan.notices.n; i++)
		log_line(LOG_INFO, "%s", run->plan.notices.v[i]);
	if (context->options.is_verbose)
		say_schedule(run);
}

/* Another run was faster and is at work on it, as when the plan finds it so. */
static bool is_left(const struct run *run, const struct step *step)
{
	for (size_t i = 0; i < run->result.lost.n; i++)
		if (strcmp(run->result.lost.v[i], step->id) == 0)
			return true;
	return false;
}

static bool has_failures(const struct run *run)
{
	for (size_t i = 0; i < run->plan.steps.n; i++) {
		const struct step *step = run->plan.steps.v[i];

		if ((step->is_failure || step->has_failed) && !is_left(run, step))
			return true;
	}
	return false;
}

static int dry_exit(const struct run *run)
{
	const struct options *options = &run->context->options;

	if (has_failures(run))
		return EXIT_PARTIAL;
	if (options->expect_no_changes && plan_has_changes(&run->plan))
		return EXIT_UNEXPECTED_CHANGES;
	if (options->detailed_exitcode && plan_has_changes(&run->plan))
		return EXIT_CHANGES;
	return EXIT_DONE;
}

static const char *const *worker_argv(const struct context *context)
{
	const struct strings *executor = &context->settings->executor;
	const char **argv = arena_array(context->arena, executor->n + 3, sizeof(char *));

	if (executor->n) {
		memcpy(argv, executor->v, executor->n * sizeof(*argv));
		return argv;
	}
	argv[0] = "/proc/self/exe";
	argv[1] = "worker";
	return argv;
}

static bool perform(struct run *run, struct recorder *recorder, struct err *err)
{
	struct context *context = run->context;
	const struct settings *settings = context->settings;
	const struct request_spec request = { .model = &context->loaded.model,
					      .base_dir = context->settings_dir,
					      .manifest_dir = context->loaded.dir,
					      .cache_dir = context->cache_dir,
					      .temp_dir = path_join(context->arena,
								    context->cache_dir, "tmp"),
					      .run_id = run->id.text,
					      .now_s = context->now_s,
					      .with_user_credentials = true,
					      .trusts_repositories = context->options.trust_repos };
	struct build_starter *starter = context->options.starter;
	const bool is_quiet = starter && !starter->options->is_followed;
	struct progress progress = { .is_terminal = context->is_terminal,
				     .starter = starter,
				     .follow = is_quiet ? NULL : context->options.follow,
				     .follow_fd = context->options.follows_on_stderr
							  ? STDERR_FILENO
							  : STDOUT_FILENO };
	struct apply_spec spec = {
		.plan = &run->plan,
		.options = &run->options,
		.recorder = recorder,
		.store = context->store,
		.request = &request,
		.worker_argv = worker_argv(context),
		.log_dir = path_join(context->arena, context->cache_dir, "logs"),
		.log_folder = context_log_folder(context),
		.without_logs = strcmp(settings->logs, "none") == 0,
		.jobs = (size_t)(context->options.jobs ? context->options.jobs
				 : settings->jobs      ? settings->jobs
						       : (int64_t)pool_cores()),
		.lease_s = settings->lease_s,
		.grace_s = GRACE_S,
		.is_stopping = is_stopping,
		.wake_fd = wake_fds[0],
	};

	progress_init(&progress, &spec.events);
	/* Each worker does it, too; but perhaps none is started. */
	fs_sweep_temp(request.temp_dir, "reconcile");
	return apply(&spec, context->arena, &run->result, err);
}

static bool apply_once(struct run *run, struct err *err)
{
	struct context *context = run->context;
	struct recorder_spec spec;
	struct recorder *recorder;
	bool is_done;

	if (!fs_make_dirs(path_join(context->arena, context->cache_dir, "tmp"), 0700, err))
		return false;
	if (!record_spec_make(context, run->id.text, &spec, err))
		return false;
	spec.n_failed = run->n_failed;
	recorder = recorder_new(&spec);
	is_done = perform(run, recorder, err);
	run->n_commits = recorder_n_commits(recorder);
	run->n_failed = recorder_n_failed(recorder);
	if (!is_done)
		fallback_write(context, recorder, run->id.text);
	recorder_free(&recorder);
	return is_done;
}

static bool needs_apply(const struct plan *plan)
{
	for (size_t i = 0; i < plan->steps.n; i++) {
		const struct step *step = plan->steps.v[i];

		if (step->is_status_changed || step->moved ||
		    (!step->blocked && step->action != ACTION_NONE))
			return true;
	}
	return false;
}

/* Reads the state once more; what the world said stays true. */
static int read_again(struct context *context)
{
	struct err err = { 0 };

	state_files_release(&context->state);
	context->is_state_read = false;
	if (!store_refresh(context->store, &err) ||
	    !state_read(context->store, context->arena, &context->state, &err))
		return context_fail(&err, EXIT_STATE);
	context->is_state_read = true;
	return EXIT_DONE;
}

/* What is recorded says what must be looked for elsewhere, so each plan has a scope of its own. */
static int make_plan(struct run *run)
{
	struct context *context = run->context;
	struct state *state = &context->state.state;
	struct err err = { 0 };
	bool has_forgotten = false;

	scope_make(context, &run->options.scope);
	plan_make(&context->loaded.model, state, &run->observed.facts, &run->options,
		  context->arena, &run->plan);
	if (context->store &&
	    !state_find_numbers(context->store, &run->plan, state, &has_forgotten, &err))
		return context_fail(&err, EXIT_STATE);
	if (has_forgotten)
		plan_make(&context->loaded.model, state, &run->observed.facts, &run->options,
			  context->arena, &run->plan);
	return EXIT_DONE;
}

/* Claims that came too late, and tries left: waits, unless the recorder has done so after its own try. */
static bool may_try_again(struct run *run, unsigned n_failed_before, const struct err *err)
{
	if (err->kind != ERR_CONFLICT || run->result.has_begun || is_stopping())
		return false;
	if (run->n_failed != n_failed_before)
		return true;
	if (run->n_failed >= run->context->settings->push_retries)
		return false;
	clock_sleep_ms(backoff_ms(run->n_failed++, RETRY_BASE_MS, RETRY_CAP_MS));
	return true;
}

static int converge(struct run *run)
{
	struct context *context = run->context;
	struct err err = { 0 };
	unsigned n_failed;

	is_applying = 1;
	if (needs_apply(&run->plan) && !run_id_claim(&run->id, context->cache_dir, &err))
		return context_fail(&err, EXIT_ERROR);
	for (;;) {
		if (!needs_apply(&run->plan))
			return EXIT_DONE;
		n_failed = run->n_failed;
		if (apply_once(run, &err))
			return EXIT_DONE;
		if (!may_try_again(run, n_failed, &err))
			return context_fail(&err, EXIT_STATE);
		if (read_again(context) != EXIT_DONE)
			return EXIT_STATE;
		run_id_judge(&run->id, context->cache_dir, &context->state.state, context->arena);
		ask(run);
		if (make_plan(run) != EXIT_DONE)
			return EXIT_STATE;
	}
}

/* kp's line for images whose manifest is gone: part of the result where that is a text. */
static void say_deleted(const struct run *run)
{
	struct context *context = run->context;
	bool is_text = !context->options.output || context_is_output(context, "text");

	for (size_t i = 0; i < run->plan.steps.n; i++) {
		const struct step *step = run->plan.steps.v[i];

		if (step->action != ACTION_DELETE || step->kind != KIND_IMAGE || step->blocked)
			continue;
		if (is_text)
			buf_printf(&context->out, "\"%s\" deleted\n", step->name);
		else
			log_line(LOG_INFO, "\"%s\" deleted", step->name);
	}
}

/* The number of the last build, if it failed; 0: it did not, or there is none. */
static int64_t failed_number(const struct step *step)
{
	const struct image_status *image = step->kind == KIND_IMAGE ? step->status : NULL;
	const struct build_config_status *config =
		kind_has_builds(step->kind) ? step->status : NULL;

	if (image && image->last && image->last->result &&
	    strcmp(image->last->result, "Failed") == 0)
		return image->last->number;
	return config && config->last && config->last->failure && config->last->failure[0]
		       ? config->last->number
		       : 0;
}

static bool is_once(const struct step *step)
{
	const struct build_config_status *status = step->status;

	return kind_has_builds(step->kind) && status->last->is_once;
}

/* Nothing is done about a build that failed and whose inputs are the same; it must not be forgotten either. */
static void say_failed(const struct run *run)
{
	for (size_t i = 0; i < run->plan.steps.n; i++) {
		const struct step *step = run->plan.steps.v[i];
		int64_t number = failed_number(step);

		if (!number || step->action != ACTION_NONE || step->blocked || step->number)
			continue;
		log_line(LOG_WARN, "%s: build #%lld failed and nothing has changed since; %s",
			 step->id, (long long)number,
			 is_once(step) ? "it was started by hand and is not tried again by itself"
				       : "--retry-failed tries it again");
	}
}

static void say_result(const struct run *run)
{
	const struct apply_result *result = &run->result;
	AUTO_BUF lost = BUF_INIT(4096);

	for (size_t i = 0; i < result->lost.n && i < 10; i++)
		buf_printf(&lost, "%s%s", i ? ", " : "", result->lost.v[i]);
	if (result->lost.n)
		log_line(LOG_WARN, "left to another run: %s", buf_text(&lost));
	if (run->n_commits)
		log_line(LOG_DEBUG, "%zu commits on the state branch", run->n_commits);
}

/* Of an image: how its last build ended. */
static const char *last_result(const struct step *step)
{
	const struct image_status *status = step && step->kind == KIND_IMAGE ? step->status : NULL;

	return status && status->last ? status->last->result : NULL;
}

/* Of a build config: the phase of the build that was made or waited for. */
static const char *last_phase(const struct step *step)
{
	const struct build_config_status *status = step->status;

	for (size_t i = status ? status->history.n : 0; i; i--) {
		const struct bc_history_entry *entry =
			LIST_AT(status->history, struct bc_history_entry, i - 1);

		if (entry->number == step->number)
			return entry->phase;
	}
	return NULL;
}

static bool is_complete(const struct run *run, const struct step *step)
{
	const char *phase = last_phase(step);

	if (step->build)
		starter_announce(run->context->options.starter, step->build);
	if (phase_find(phase) == PHASE_COMPLETE)
		return true;
	if (phase && step->build)
		log_line(LOG_ERROR, "the build %s/%s status is \"%s\"", step->ns, step->build->name,
			 phase);
	return false;
}

static bool is_made(const struct run *run, const struct step *step)
{
	const char *result = last_result(step);

	if (run->context->options.starter)
		return is_complete(run, step);
	if (step->kind == KIND_IMAGE)
		return result && strcmp(result, "Succeeded") == 0;
	return !run->result.n_failed && !has_failures(run) && !is_left(run, step);
}

/* What `--wait` waited for: is it made of what the manifests say now? */
static int followed_exit(const struct run *run)
{
	const char *id = run->context->options.follow;
	const struct step *step = map_get(&run->plan.by_id, id);
	const char *result = last_result(step);

	for (size_t i = 0; i < run->plan.steps.n; i++) {
		const struct step *other = run->plan.steps.v[i];

		if (other->blocked && (other == step || other->is_failure))
			log_line(LOG_ERROR, "%s: %s", other->id, other->blocked);
	}
	if (result && strcmp(result, "Building") == 0)
		log_line(LOG_ERROR,
			 "%s: another run builds it: 'reconcile build logs' shows the log", id);
	return step && is_made(run, step) && !step->blocked ? EXIT_DONE : EXIT_PARTIAL;
}

/* Behind everything that is recorded: edits follow from that, and what is not written now is written by the next run. */
static bool write_updates(const struct run *run)
{
	struct recorder_spec author = { 0 };

	record_author(run->context, &author);
	return updates_write(run->context,
			     &(struct updates_spec){ .plan = &run->plan,
						     .run_id = run->id.text,
						     .author_name = author.author_name,
						     .author_email = author.author_email });
}

/* start-build: one build config, and what takes its image. */
static bool prepare_start(struct run *run, struct err *err)
{
	struct context *context = run->context;
	struct build_starter *starter = context->options.starter;

	if (!starter_make(starter, context, err))
		return false;
	run->options.starts = &starter->starts;
	run->options.without_prune = true;
	context->options.follow = starter->config->id;
	select_start(&context->loaded.model, starter->config, &context->options, context->arena,
		     &run->selection, &run->options);
	return true;
}

static int plan_and_apply(struct run *run)
{
	struct context *context = run->context;
	struct err err = { 0 };
	int code;

	if (!make_options(run, &err))
		return context_fail(&err, EXIT_USAGE);
	if (context->options.starter && !prepare_start(run, &err))
		return context_fail(&err, EXIT_ERROR);
	run_id_judge(&run->id, context->cache_dir, &context->state.state, context->arena);
	ask(run);
	mark(context, "observe");
	if (is_stopping())
		return EXIT_INTERRUPTED;
	code = make_plan(run);
	mark(context, "plan");
	if (code != EXIT_DONE)
		return code;
	if (is_dry(context)) {
		report(run);
		say_failed(run);
		return dry_exit(run);
	}
	/* What runs left that were killed, also when there is nothing to build or to record. */
	sandbox_sweep();
	store_sweep(context->store);
	code = converge(run);
	mark(context, "apply");
	if (code != EXIT_DONE)
		return is_stopping() && code == EXIT_STATE && !run->result.has_begun
			       ? EXIT_INTERRUPTED
			       : code;
	if (!context->options.follow)
		report(run);
	say_deleted(run);
	say_failed(run);
	say_result(run);
	if (run->result.is_interrupted)
		return EXIT_INTERRUPTED;
	if (!write_updates(run))
		return EXIT_PARTIAL;
	if (context->options.follow)
		return followed_exit(run);
	return run->result.n_failed || has_failures(run) ? EXIT_PARTIAL : EXIT_DONE;
}

int cmd_run(struct context *context)
{
	struct run run = { .context = context };
	struct err err = { 0 };
	int code;

	context->marks_us[0] = clock_mono_us();
	code = context_load(context);
	if (code != EXIT_DONE)
		return code;
	secrets_hash(&context->loaded.model,
		     &(struct secret_hash_spec){ context->cache_dir, is_dry(context) },
		     context->arena);
	mark(context, "load");
	code = context_read_state(context);
	if (code != EXIT_DONE)
		return code;
	mark(context, "state");
	if (!catch_signals(&err))
		return context_fail(&err, EXIT_ERROR);
	run_id_make(&run.id, context->now_s);
	code = plan_and_apply(&run);
	release(&run);
	return code;
}
