/* SPDX-License-Identifier: Apache-2.0 */
/* build_report.c — oc's BuildDescriber and BuildConfigDescriber. */
#include "reconcile/report/build_report.h"

#include <ctype.h>
#include <string.h>

#include "model/kind/build_name.h"
#include "reconcile/report/build_cells.h"
#include "reconcile/report/human.h"

enum { LAST_BUILDS = 10 };
#define ANNOTATION_CLONE   "openshift.io/build.clone-of"
#define ANNOTATION_JENKINS "openshift.io/jenkins-build-uri"

static struct pairs annotations_of(const struct bc_build *build, struct arena *arena)
{
	const char *number = arena_printf(arena, "%lld", (long long)build->number);
	const struct pair rows[] = { { .key = ANNOTATION_CONFIG, .value = build->config },
				     { .key = ANNOTATION_NUMBER, .value = number },
				     { .key = ANNOTATION_CLONE, .value = build->clone_of },
				     { .key = ANNOTATION_JENKINS, .value = build->url } };
	struct pairs all = { 0 };

	for (size_t i = 0; i < COUNTOF(rows); i++)
		if (rows[i].value)
			vec_push(arena, &all, rows[i]);
	return all;
}

static void put_meta(struct describe *to, const struct described_build *view)
{
	const struct bc_build *build = view->build;
	struct pairs annotations = annotations_of(build, to->arena);

	describe_field(to, "Name", build->name);
	describe_field(to, "Namespace", build->ns);
	if (build->created_s)
		describe_field(to, "Created", human_ago(build->created_s, view->now_s, to->arena));
	describe_pairs(to, "Labels", &build->labels);
	describe_annotations(to, &annotations);
}

static void put_phase(struct describe *to, const struct described_build *view)
{
	const struct bc_build *build = view->build;
	const bool has_message = build->message && *build->message;

	describe_put(to, "\nStatus:\t%s%s%s", view->is_bold ? "\033[1m" : "",
		     build->phase ? build->phase : "<none>", view->is_bold ? "\033[0m" : "");
	describe_put(to, "%s%s%s\n", has_message ? " (" : "",
		     has_message ? describe_clean(to, build->message) : "", has_message ? ")" : "");
}

static void put_times(struct describe *to, const struct described_build *view)
{
	const struct bc_build *build = view->build;
	const struct build_times times = { phase_find(build->phase), build->created_s,
					   build->started_s, build->finished_s };

	if (build->started_s)
		describe_field(to, "Started", human_date(build->started_s, to->arena));
	describe_field(to, "Duration", build_duration(&times, view->now_s, to->arena));
	for (size_t i = 0; i < build->stages.n; i++) {
		const struct build_stage *stage = LIST_AT(build->stages, struct build_stage, i);
		int64_t span_s = stage->ms / 1000 + (stage->ms % 1000 >= 500);

		describe_put(to, "  %s:\t  %s\n", describe_clean(to, stage->name),
			     human_span(span_s, to->arena));
	}
}

static void put_hook_cause(struct describe *to, const struct hook_cause *cause)
{
	build_revision_describe(to, cause->revision);
	describe_field(to, "Secret", cause->secret);
}

static void put_causes(struct describe *to, const struct list *causes)
{
	if (!causes->n)
		describe_put(to, "\nBuild trigger cause:\t<unknown>\n");
	for (size_t i = 0; i < causes->n; i++) {
		const struct build_cause *cause = LIST_AT(*causes, struct build_cause, i);
		const struct hook_cause *hook = cause->github      ? cause->github
						: cause->gitlab    ? cause->gitlab
						: cause->bitbucket ? cause->bitbucket
								   : cause->generic;
		const struct object_ref *from = cause->image ? cause->image->from : NULL;

		describe_put(to, "\n");
		describe_field(to, "Build trigger cause", cause->message);
		if (hook)
			put_hook_cause(to, hook);
		if (cause->image)
			describe_field(to, "Image ID", cause->image->image);
		if (from)
			describe_field(to, "Image Name/Kind",
				       arena_printf(to->arena, "%s / %s",
						    from->name ? from->name : "",
						    from->kind ? from->kind : ""));
	}
	describe_put(to, "\n");
}

static void put_making(struct describe *to, const struct bc_build *build)
{
	const struct {
		const char *key, *value;
	} rows[] = { { "Reasons", build->reasons },
		     { "Build Key", build->build_key },
		     { "Run", build->run_id },
		     { "Engine", build->engine },
		     { "Pushed", build->output_reference },
		     { "Adopted", build->is_adopted ? "yes" : NULL },
		     { "Log", build->log } };

	for (size_t i = 0; i < COUNTOF(rows); i++)
		if (rows[i].value && *rows[i].value)
			describe_field(to, rows[i].key, rows[i].value);
	if (build->bases.n)
		describe_pairs(to, "Base Images", &build->bases);
}

void build_describe(const struct described_build *view, struct arena *arena, struct buf *out)
{
	const struct bc_build *build = view->build;
	struct describe to;

	describe_init(&to, arena);
	put_meta(&to, view);
	put_phase(&to, view);
	put_times(&to, view);
	describe_put(&to, "\n");
	describe_field(&to, "Build Config", build->config);
	describe_field(&to, "Build Pod", NULL);
	if (build->output_digest)
		describe_field(&to, "Image Digest", build->output_digest);
	build_common_describe(&to, &build->spec.common);
	put_causes(&to, &build->spec.triggered_by);
	if (build->log_snippet && *build->log_snippet)
		describe_text(&to, "Log Tail", build->log_snippet);
	if (view->is_verbose)
		put_making(&to, build);
	describe_finish(&to, out);
}

/* Of the types that start builds by themselves; what webhooks do is said below. */
static const char *trigger_label(const struct build_trigger *trigger, struct arena *arena)
{
	const struct image_change *change = trigger->image_change;

	if (strcmp(trigger->type, TRIGGER_CONFIG_CHANGE) == 0)
		return "Config";
	if (strcmp(trigger->type, TRIGGER_IMAGE_CHANGE) != 0)
		return NULL;
	if (change && change->from && change->from->name && *change->from->name)
		return arena_printf(arena, "Image(%s %s)",
				    change->from->kind ? change->from->kind : "",
				    change->from->name);
	return trigger->type;
}

static const struct webhook *webhook_of(const struct build_trigger *trigger)
{
	return trigger->github      ? trigger->github
	       : trigger->gitlab    ? trigger->gitlab
	       : trigger->bitbucket ? trigger->bitbucket
				    : trigger->generic;
}

static bool is_repeated(const struct list *triggers, size_t at)
{
	const char *type = LIST_AT(*triggers, struct build_trigger, at)->type;

	for (size_t i = 0; i < at; i++)
		if (strcmp(LIST_AT(*triggers, struct build_trigger, i)->type, type) == 0)
			return true;
	return false;
}

static void put_webhooks(struct describe *to, const struct list *triggers)
{
	for (size_t i = 0; i < triggers->n; i++) {
		const struct build_trigger *trigger = LIST_AT(*triggers, struct build_trigger, i);
		const bool is_generic = strcmp(trigger->type, TRIGGER_GENERIC) == 0;

		if (!webhook_of(trigger) || (is_repeated(triggers, i) && !is_generic))
			continue;
		if (!is_repeated(triggers, i))
			describe_put(to, "Webhook %s:\n", describe_clean(to, trigger->type));
		describe_put(to, "\tURL:\t<none>, served by CI\n");
		if (is_generic && trigger->generic)
			describe_put(to, "\tAllowEnv:\t%s\n",
				     trigger->generic->may_set_env ? "true" : "false");
	}
}

static void put_triggers(struct describe *to, const struct list *triggers)
{
	AUTO_BUF text = BUF_INIT(1 << 20);

	for (size_t i = 0; i < triggers->n; i++) {
		const char *label =
			trigger_label(LIST_AT(*triggers, struct build_trigger, i), to->arena);

		if (label)
			buf_printf(&text, "%s%s", text.len ? ", " : "", label);
	}
	describe_field(to, "Triggered by", buf_text(&text));
	put_webhooks(to, triggers);
}

static void put_limits(struct describe *to, const struct build_config_spec *spec)
{
	if (spec->has_success_limit || spec->has_failed_limit)
		describe_put(to, "Builds History Limit:\n");
	if (spec->has_success_limit)
		describe_put(to, "\tSuccessful:\t%lld\n", (long long)spec->success_limit);
	if (spec->has_failed_limit)
		describe_put(to, "\tFailed:\t%lld\n", (long long)spec->failed_limit);
}

static const char *lower(const char *text, struct arena *arena)
{
	char *copy = arena_strdup(arena, text ? text : "");

	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

/* The newest first. */
static void put_builds(struct describe *to, const struct described_config *view)
{
	const struct list *history = &view->status->history;
	size_t n = history->n < LAST_BUILDS ? history->n : LAST_BUILDS;

	if (n)
		describe_put(to, "\nBuild\tStatus\tDuration\tCreation Time\n");
	for (size_t i = 0; i < n; i++) {
		const struct bc_history_entry *entry =
			LIST_AT(*history, struct bc_history_entry, history->n - 1 - i);
		const struct build_times times = { phase_find(entry->phase), entry->created_s,
						   entry->started_s, entry->finished_s };
		const char *number = arena_printf(to->arena, "%lld", (long long)entry->number);

		describe_put(to, "%s \t%s \t%s \t%s\n",
			     describe_clean(to, build_name(view->name, number, to->arena)),
			     lower(entry->phase, to->arena),
			     build_duration(&times, view->now_s, to->arena),
			     human_time(entry->created_s, to->arena));
	}
	if (history->n > n)
		describe_put(to, "... and %zu more\n", history->n - n);
}

void build_config_describe(const struct described_config *view, struct arena *arena,
			   struct buf *out)
{
	const struct build_config_status *status = view->status;
	const struct pairs none = { 0 };
	struct describe to;

	describe_init(&to, arena);
	describe_field(&to, "Name", view->name);
	describe_field(&to, "Namespace", view->ns);
	describe_pairs(&to, "Labels", view->meta ? &view->meta->labels : &none);
	describe_annotations(&to, view->meta ? &view->meta->annotations : &none);
	if (status && status->last_version)
		describe_put(&to, "Latest Version:\t%lld\n", (long long)status->last_version);
	else
		describe_field(&to, "Latest Version", "Never built");
	if (view->common)
		build_common_describe(&to, view->common);
	if (view->spec) {
		describe_put(&to, "\n");
		describe_field(&to, "Build Run Policy", view->spec->run_policy);
		put_triggers(&to, &view->spec->triggers);
		put_limits(&to, view->spec);
	}
	if (status)
		put_builds(&to, view);
	describe_finish(&to, out);
}
