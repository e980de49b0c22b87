/* SPDX-License-Identifier: Apache-2.0 */
/* build_config_status.c — the table of a build config's status, and what is checked of one that is read back. */
#include "model/kind/build_config_status.h"

#include <string.h>

#include "model/kind/build_phase.h"
#include "model/kind/status_tables.h"

static const struct field tag_fields[] = {
	{ "namespace", FIELD_STRING, AT(struct image_change_status, ns) },
	{ "name", FIELD_STRING, AT(struct image_change_status, name), .is_required = true },
	{ 0 },
};
static const struct table tag_table = { "from", sizeof(struct image_change_status), tag_fields };

static const struct field trigger_fields[] = {
	{ "lastTriggeredImageID", FIELD_STRING, AT(struct image_change_status, last_image) },
	{ "from", FIELD_STRUCT, 0, &tag_table, .is_required = true },
	{ "lastTriggerTime", FIELD_TIME, AT(struct image_change_status, triggered_s) },
	{ 0 },
};
static const struct table trigger_table = { "image change trigger",
					    sizeof(struct image_change_status), trigger_fields };

static const struct field history_fields[] = {
	{ "number", FIELD_INT, AT(struct bc_history_entry, number), .min = 1, .max = INT32_MAX,
	  .is_required = true },
	{ "phase", FIELD_ENUM, AT(struct bc_history_entry, phase), .values = PHASE_NAMES,
	  .is_required = true },
	{ "reason", FIELD_STRING, AT(struct bc_history_entry, reason) },
	{ "strategy", FIELD_STRING, AT(struct bc_history_entry, strategy) },
	{ "cause", FIELD_STRING, AT(struct bc_history_entry, cause) },
	{ "runPolicy", FIELD_STRING, AT(struct bc_history_entry, policy) },
	{ "commit", FIELD_STRING, AT(struct bc_history_entry, commit) },
	{ "image", FIELD_STRING, AT(struct bc_history_entry, image) },
	{ "buildKey", FIELD_STRING, AT(struct bc_history_entry, build_key) },
	{ "createdAt", FIELD_TIME, AT(struct bc_history_entry, created_s) },
	{ "startedAt", FIELD_TIME, AT(struct bc_history_entry, started_s) },
	{ "finishedAt", FIELD_TIME, AT(struct bc_history_entry, finished_s) },
	{ "lease", FIELD_TIME, AT(struct bc_history_entry, lease_s) },
	{ "run", FIELD_STRING, AT(struct bc_history_entry, run_id) },
	{ 0 },
};
static const struct table history_table = { "build", sizeof(struct bc_history_entry),
					    history_fields };

static const struct field claim_fields[] = {
	{ "run", FIELD_STRING, AT(struct bc_attempt, run_id) },
	{ "lease", FIELD_TIME, AT(struct bc_attempt, lease_s) },
	{ 0 },
};
static const struct table claim_table = { "claim", sizeof(struct bc_attempt), claim_fields };
static const struct field failure_fields[] = {
	{ "kind", FIELD_STRING, AT(struct bc_attempt, failure) },
	{ "tries", FIELD_INT, AT(struct bc_attempt, tries), .min = 0, .max = INT32_MAX },
	{ 0 },
};
static const struct table failure_table = { "failure", sizeof(struct bc_attempt), failure_fields };
static const struct field git_fields[] = {
	{ "uri", FIELD_STRING, AT(struct bc_attempt, git_url) },
	{ "ref", FIELD_STRING, AT(struct bc_attempt, git_ref) },
	{ "commit", FIELD_STRING, AT(struct bc_attempt, commit) },
	{ "tree", FIELD_STRING, AT(struct bc_attempt, tree) },
	{ 0 },
};
static const struct table git_table = { "git", sizeof(struct bc_attempt), git_fields };
static const struct field attempt_fields[] = {
	{ "number", FIELD_INT, AT(struct bc_attempt, number), .min = 1, .max = INT32_MAX,
	  .is_required = true },
	{ "reason", FIELD_STRING, AT(struct bc_attempt, reasons) },
	{ "triggeredBy", FIELD_STRUCTS, AT(struct bc_attempt, causes), &build_cause_table },
	{ "git", FIELD_STRUCT, 0, &git_table },
	{ "buildKey", FIELD_STRING, AT(struct bc_attempt, build_key) },
	{ "trigger", FIELD_STRING, AT(struct bc_attempt, trigger) },
	{ "failure", FIELD_STRUCT, 0, &failure_table },
	{ "once", FIELD_BOOL, AT(struct bc_attempt, is_once) },
	{ "claim", FIELD_STRUCT, 0, &claim_table },
	{ 0 },
};
const struct table bc_attempt_table = { "last build", sizeof(struct bc_attempt), attempt_fields };

static const struct field output_fields[] = {
	{ "reference", FIELD_STRING, AT(struct build_config_status, output_reference) },
	{ "image", FIELD_STRING, AT(struct build_config_status, output_image) },
	{ 0 },
};
static const struct table output_table = { "output", sizeof(struct build_config_status),
					   output_fields };

static const struct field status_fields[] = {
	{ "conditions", FIELD_STRUCTS, AT(struct build_config_status, conditions),
	  &condition_table },
	{ "lastVersion", FIELD_INT, AT(struct build_config_status, last_version), .min = 0,
	  .max = INT32_MAX, .is_required = true },
	{ "imageChangeTriggers", FIELD_STRUCTS, AT(struct build_config_status, triggers),
	  &trigger_table },
	{ "configDigest", FIELD_STRING, AT(struct build_config_status, config_digest) },
	{ "lastBuild", FIELD_STRUCT_PTR, AT(struct build_config_status, last), &bc_attempt_table },
	{ "output", FIELD_STRUCT, 0, &output_table },
	{ "builds", FIELD_STRUCTS, AT(struct build_config_status, history), &history_table },
	{ 0 },
};
const struct table build_config_status_table = { "BuildConfig status",
						 sizeof(struct build_config_status),
						 status_fields };

static const struct text_rule status_rules[] = {
	{ TEXT_DIGEST, AT(struct build_config_status, config_digest), "configDigest" },
	{ TEXT_REF, AT(struct build_config_status, output_reference), "output.reference" },
	{ TEXT_PINNED, AT(struct build_config_status, output_image), "output.image" },
	{ TEXT_END },
};
static const struct text_rule last_rules[] = {
	{ TEXT_DIGEST, AT(struct bc_attempt, build_key), "lastBuild.buildKey" },
	{ TEXT_END },
};
static const struct text_rule history_rules[] = {
	{ TEXT_PINNED, AT(struct bc_history_entry, image), "builds[].image" },
	{ TEXT_DIGEST, AT(struct bc_history_entry, build_key), "builds[].buildKey" },
	{ TEXT_END },
};
static const struct text_rule trigger_rules[] = {
	{ TEXT_REF, AT(struct image_change_status, last_image),
	  "imageChangeTriggers[].lastTriggeredImageID" },
	{ TEXT_END },
};

/* One that tells of an image tells of which tag. */
static bool causes_hold(const struct list *causes, struct err *err)
{
	for (size_t i = 0; i < causes->n; i++) {
		const struct image_cause *image = LIST_AT(*causes, struct build_cause, i)->image;

		if (image && (!image->from || !image->from->name))
			return err_set(err, ERR_INVALID,
				       "'lastBuild.triggeredBy' has an image without its tag");
	}
	return true;
}

bool build_config_status_holds(const struct build_config_status *status, struct arena *arena,
			       struct err *err)
{
	int64_t before = 0;

	for (size_t i = 0; i < status->history.n; i++) {
		const struct bc_history_entry *entry =
			LIST_AT(status->history, struct bc_history_entry, i);

		if (entry->number <= before)
			return err_set(err, ERR_INVALID,
				       "'builds' is not in the order of its numbers");
		if (!texts_hold(history_rules, entry, arena, err))
			return false;
		before = entry->number;
	}
	if (before > status->last_version)
		return err_set(err, ERR_INVALID, "'builds' has a number above 'lastVersion'");
	if (status->last && (!texts_hold(last_rules, status->last, arena, err) ||
			     !causes_hold(&status->last->causes, err)))
		return false;
	for (size_t i = 0; i < status->triggers.n; i++)
		if (!texts_hold(trigger_rules,
				LIST_AT(status->triggers, struct image_change_status, i), arena,
				err))
			return false;
	return texts_hold(status_rules, status, arena, err);
}
