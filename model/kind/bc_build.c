/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bc_build.c — records of builds ⇄ OpenShift's Build. What Kubernetes wants as text (the number) and what follows from other
 * fields (the duration, in nanoseconds) is turned here.
 */
#include <stdlib.h>
#include <string.h>

#include "model/kind/build_config_status.h"
#include "model/kind/build_name.h"
#include "model/kind/build_phase.h"
#include "model/kind/status_tables.h"

enum { NS_PER_S = 1000000000, NUMBER_DIGITS = 9 };

/* A record and the texts that stand for parts of it. */
struct bc_build_file {
	struct bc_build b;
	const char *number;
	int64_t duration_ns;
	struct object_ref config;
};

static const struct field annotation_fields[] = {
	{ ANNOTATION_CONFIG, FIELD_STRING, AT(struct bc_build_file, b.config) },
	{ "openshift.io/build.clone-of", FIELD_STRING, AT(struct bc_build_file, b.clone_of) },
	{ ANNOTATION_NUMBER, FIELD_STRING, AT(struct bc_build_file, number), .is_required = true },
	{ 0 },
};
static const struct table annotation_table = { "annotations", sizeof(struct bc_build_file),
					       annotation_fields };
static const struct field metadata_fields[] = {
	{ "name", FIELD_STRING, AT(struct bc_build_file, b.name), .is_required = true },
	{ "namespace", FIELD_STRING, AT(struct bc_build_file, b.ns) },
	{ "creationTimestamp", FIELD_TIME, AT(struct bc_build_file, b.created_s) },
	{ "annotations", FIELD_STRUCT, 0, &annotation_table, .is_required = true },
	{ "labels", FIELD_STRING_MAP, AT(struct bc_build_file, b.labels) },
	{ 0 },
};
static const struct table metadata_of_build_table = { "metadata", sizeof(struct bc_build_file),
						      metadata_fields };

static const struct field step_fields[] = {
	{ "name", FIELD_STRING, AT(struct build_step, name), .is_required = true },
	{ "startTime", FIELD_TIME, AT(struct build_step, started_s) },
	{ "durationMilliseconds", FIELD_INT, AT(struct build_step, ms), .min = 0,
	  .max = INT64_MAX },
	{ 0 },
};
static const struct table step_table = { "step", sizeof(struct build_step), step_fields };
static const struct field stage_fields[] = {
	{ "name", FIELD_STRING, AT(struct build_stage, name), .is_required = true },
	{ "startTime", FIELD_TIME, AT(struct build_stage, started_s) },
	{ "durationMilliseconds", FIELD_INT, AT(struct build_stage, ms), .min = 0,
	  .max = INT64_MAX },
	{ "steps", FIELD_STRUCTS, AT(struct build_stage, steps), &step_table },
	{ 0 },
};
const struct table build_stage_table = { "stage", sizeof(struct build_stage), stage_fields };

static const char *const truths[] = { "True", "False", "Unknown", NULL };
static const struct field condition_fields[] = {
	{ "type", FIELD_ENUM, AT(struct bc_condition, type), .values = PHASE_NAMES,
	  .is_required = true },
	{ "status", FIELD_ENUM, AT(struct bc_condition, status), .values = truths,
	  .is_required = true },
	{ "lastUpdateTime", FIELD_TIME, AT(struct bc_condition, updated_s) },
	{ "lastTransitionTime", FIELD_TIME, AT(struct bc_condition, changed_s) },
	{ "reason", FIELD_STRING, AT(struct bc_condition, reason) },
	{ "message", FIELD_STRING, AT(struct bc_condition, message) },
	{ 0 },
};
static const struct table bc_condition_table = { "build condition", sizeof(struct bc_condition),
						 condition_fields };

static const struct field output_to_fields[] = {
	{ "imageDigest", FIELD_STRING, AT(struct bc_build_file, b.output_digest) },
	{ 0 },
};
static const struct table output_to_table = { "to", sizeof(struct bc_build_file),
					      output_to_fields };
static const struct field output_fields[] = {
	{ "to", FIELD_STRUCT, 0, &output_to_table },
	{ 0 },
};
static const struct table build_output_table = { "output", sizeof(struct bc_build_file),
						 output_fields };
static const struct field run_fields[] = {
	{ "id", FIELD_STRING, AT(struct bc_build_file, b.run_id) },
	{ "source", FIELD_STRING, AT(struct bc_build_file, b.run_source) },
	{ "lease", FIELD_TIME, AT(struct bc_build_file, b.lease_s) },
	{ 0 },
};
static const struct table run_table = { "run", sizeof(struct bc_build_file), run_fields };
static const struct field failure_fields[] = {
	{ "kind", FIELD_STRING, AT(struct bc_build_file, b.failure) },
	{ "tries", FIELD_INT, AT(struct bc_build_file, b.tries), .min = 0, .max = INT32_MAX },
	{ 0 },
};
static const struct table failure_table = { "failure", sizeof(struct bc_build_file),
					    failure_fields };

static const struct field status_fields[] = {
	{ "phase", FIELD_ENUM, AT(struct bc_build_file, b.phase), .values = PHASE_NAMES,
	  .is_required = true },
	{ "cancelled", FIELD_BOOL, AT(struct bc_build_file, b.is_cancelled) },
	{ "reason", FIELD_STRING, AT(struct bc_build_file, b.reason) },
	{ "message", FIELD_STRING, AT(struct bc_build_file, b.message) },
	{ "startTimestamp", FIELD_TIME, AT(struct bc_build_file, b.started_s) },
	{ "completionTimestamp", FIELD_TIME, AT(struct bc_build_file, b.finished_s) },
	{ "duration", FIELD_INT, AT(struct bc_build_file, duration_ns), .min = 0,
	  .max = INT64_MAX },
	{ "outputDockerImageReference", FIELD_STRING,
	  AT(struct bc_build_file, b.output_reference) },
	{ "config", FIELD_STRUCT, AT(struct bc_build_file, config), &object_ref_table },
	{ "output", FIELD_STRUCT, 0, &build_output_table },
	{ "stages", FIELD_STRUCTS, AT(struct bc_build_file, b.stages), &build_stage_table },
	{ "logSnippet", FIELD_STRING, AT(struct bc_build_file, b.log_snippet) },
	{ "conditions", FIELD_STRUCTS, AT(struct bc_build_file, b.conditions),
	  &bc_condition_table },
	{ "buildKey", FIELD_STRING, AT(struct bc_build_file, b.build_key) },
	{ "run", FIELD_STRUCT, 0, &run_table },
	{ "failure", FIELD_STRUCT, 0, &failure_table },
	{ "log", FIELD_STRING, AT(struct bc_build_file, b.log) },
	{ "adopted", FIELD_BOOL, AT(struct bc_build_file, b.is_adopted) },
	{ "buildReason", FIELD_STRING, AT(struct bc_build_file, b.reasons) },
	{ "engine", FIELD_STRING, AT(struct bc_build_file, b.engine) },
	{ "baseImages", FIELD_STRING_MAP, AT(struct bc_build_file, b.bases) },
	{ "url", FIELD_STRING, AT(struct bc_build_file, b.url) },
	{ 0 },
};
static const struct table build_status_table = { "status", sizeof(struct bc_build_file),
						 status_fields };

static const struct field file_fields[] = {
	{ "metadata", FIELD_STRUCT, 0, &metadata_of_build_table, .is_required = true },
	{ "spec", FIELD_STRUCT, AT(struct bc_build_file, b.spec), &build_spec_table,
	  .is_required = true },
	{ "status", FIELD_STRUCT, 0, &build_status_table, .is_required = true },
	{ 0 },
};
static const struct table file_table = { "Build", sizeof(struct bc_build_file), file_fields };

static const struct text_rule build_rules[] = {
	{ TEXT_REF, AT(struct bc_build, output_reference), "status.outputDockerImageReference" },
	{ TEXT_DIGEST, AT(struct bc_build, output_digest), "status.output.to.imageDigest" },
	{ TEXT_DIGEST, AT(struct bc_build, build_key), "status.buildKey" },
	{ TEXT_END },
};

/* As of what is shown: both times cut to seconds. Nothing for one that has not ended, or ended before it began. */
static int64_t duration_ns(const struct bc_build *build)
{
	int64_t seconds = build->finished_s - build->started_s;

	if (!build->started_s || !build->finished_s || seconds < 0 ||
	    seconds > INT64_MAX / NS_PER_S)
		return 0;
	return seconds * NS_PER_S;
}

struct node *bc_build_encode(const struct bc_build *build, struct arena *arena)
{
	struct bc_build_file file = { .b = *build };
	struct node *document = node_new(arena, NODE_MAP), *body;

	file.number = arena_printf(arena, "%lld", (long long)build->number);
	file.duration_ns = duration_ns(build);
	if (build->config)
		file.config = (struct object_ref){ .kind = "BuildConfig",
						   .name = build->config,
						   .ns = build->ns };
	node_set_text(arena, document, "apiVersion", "build.openshift.io/v1");
	node_set_text(arena, document, "kind", "Build");
	body = fields_encode(&file_table, &file, arena);
	for (struct node *part = body->first, *after; part; part = after) {
		after = part->next;
		part->next = NULL;
		node_set(arena, document, part->key, part);
	}
	return document;
}

static bool number_read(const char *text, int64_t *out, struct err *err)
{
	size_t n = strspn(text, "0123456789");

	if (!n || n > NUMBER_DIGITS || text[n] || *text == '0')
		return err_set(err, ERR_INVALID, "'%s' is no build number", ANNOTATION_NUMBER);
	*out = strtoll(text, NULL, 10);
	return true;
}

/* One that stands alone has no build config in either place. */
static bool config_holds(const struct bc_build_file *file, struct err *err)
{
	return file->b.config || !file->config.name ||
	       err_set(err, ERR_INVALID, "'metadata.annotations[%s]' is missing",
		       ANNOTATION_CONFIG);
}

static bool one_strategy(const struct build_strategy *strategy, struct err *err)
{
	int n = (strategy->docker != NULL) + (strategy->source != NULL) +
		(strategy->custom != NULL) + (strategy->pipeline != NULL);

	return n == 1 || err_set(err, ERR_INVALID, "'spec.strategy' is not exactly one");
}

/* Its conditions tell the same as the phase: at most one of a type, and the current one is True. */
static bool conditions_hold(const struct bc_build *build, struct err *err)
{
	unsigned seen = 0;

	for (size_t i = 0; i < build->conditions.n; i++) {
		const struct bc_condition *condition =
			LIST_AT(build->conditions, struct bc_condition, i);
		unsigned bit = 1u << phase_find(condition->type);

		if (seen & bit)
			return err_set(err, ERR_INVALID, "'status.conditions' has '%s' twice",
				       condition->type);
		seen |= bit;
	}
	return true;
}

bool bc_build_read(const struct node *document, struct arena *arena, struct bc_build *out,
		   struct err *err)
{
	struct bc_build_file file = { 0 };

	*out = (struct bc_build){ 0 };
	if (!file_is_of(document, &(struct file_type){ "build.openshift.io", "Build" }, err) ||
	    !fields_read(&file_table, document, &file, arena, err) ||
	    !number_read(file.number, &file.b.number, err) || !config_holds(&file, err) ||
	    !one_strategy(&file.b.spec.common.strategy, err) || !conditions_hold(&file.b, err) ||
	    !texts_hold(build_rules, &file.b, arena, err))
		return false;
	build_resources_read(&file.b.spec.common, NULL, arena);
	*out = file.b;
	return true;
}

void bc_build_set_phase(struct bc_build *build, const char *phase, int64_t now_s,
			struct arena *arena)
{
	VEC(struct bc_condition) all = { 0 };
	bool is_there = false;

	for (size_t i = 0; i < build->conditions.n; i++) {
		struct bc_condition one = *LIST_AT(build->conditions, struct bc_condition, i);
		bool is_it = strcmp(one.type, phase) == 0;
		const char *status = is_it ? "True" : "False";

		is_there |= is_it;
		if (strcmp(one.status, status) != 0) {
			one.status = status;
			one.updated_s = one.changed_s = now_s;
		}
		if (is_it) {
			one.reason = build->reason;
			one.message = build->message;
		}
		vec_push(arena, &all, one);
	}
	if (!is_there)
		vec_push(arena, &all,
			 (struct bc_condition){ phase, "True", build->reason, build->message, now_s,
						now_s });
	build->conditions = (struct list){ all.v, all.n };
	build->phase = phase;
}

struct bc_history_entry bc_history_of(const struct bc_build *build, struct arena *arena)
{
	const struct source_revision *revision = build->spec.common.revision;
	const struct list *causes = &build->spec.triggered_by;
	const char *reference = build->output_reference;
	const char *policy = pairs_get(&build->labels, LABEL_RUN_POLICY);
	struct bc_history_entry entry = {
		.number = build->number,
		.phase = build->phase,
		.reason = build->reason,
		.strategy = strategy_type(&build->spec.common.strategy),
		.cause = causes->n ? LIST_AT(*causes, struct build_cause, 0)->message : NULL,
		.policy = policy,
		.commit = revision && revision->git ? revision->git->commit : NULL,
		.build_key = build->build_key,
		.created_s = build->created_s,
		.started_s = build->started_s,
		.finished_s = build->finished_s,
		.lease_s = build->lease_s,
		.run_id = build->lease_s ? build->run_id : NULL,
	};

	if (reference && build->output_digest) {
		const char *slash = strrchr(reference, '/');
		size_t n = strcspn(slash ? slash : reference, ":@");

		n += slash ? (size_t)(slash - reference) : 0;
		entry.image =
			arena_printf(arena, "%.*s@%s", (int)n, reference, build->output_digest);
	}
	return entry;
}
