/* SPDX-License-Identifier: Apache-2.0 */
/*
 * * status_tables.c — the field tables of what is recorded about objects, in the order in which it
 * is printed. kpack's names and places where kpack has the field (kpack.md §1.11, §2.6–2.10), ours
 * behind them.
 */
#include "model/kind/status_tables.h"

static const char *const truths[] = { "True", "False", "Unknown", NULL };
static const char *const results[] = { "Building", "Succeeded", "Failed", "Interrupted", NULL };

static const struct field condition_fields[] = {
	{ "type", FIELD_STRING, AT(struct condition, type), .is_required = true },
	{ "status", FIELD_ENUM, AT(struct condition, status), .values = truths,
	  .is_required = true },
	{ "reason", FIELD_STRING, AT(struct condition, reason) },
	{ "message", FIELD_STRING, AT(struct condition, message) },
	{ "lastTransitionTime", FIELD_TIME, AT(struct condition, changed_s) },
	{ 0 },
};
const struct table condition_table = { "condition", sizeof(struct condition), condition_fields };

static const struct field image_pin_fields[] = {
	{ "image", FIELD_STRING, AT(struct image_pin, image) },
	{ "latestImage", FIELD_STRING, AT(struct image_pin, latest) },
	{ 0 },
};
static const struct table image_pin_table = { "image", sizeof(struct image_pin), image_pin_fields };

static const struct field buildpack_id_fields[] = {
	{ "id", FIELD_STRING, AT(struct buildpack_id, id) },
	{ "version", FIELD_STRING, AT(struct buildpack_id, version) },
	{ "homepage", FIELD_STRING, AT(struct buildpack_id, homepage) },
	{ "api", FIELD_STRING, AT(struct buildpack_id, api) },
	{ 0 },
};
const struct table buildpack_id_table = { "buildpack", sizeof(struct buildpack_id),
					  buildpack_id_fields };

static const struct field stack_fields[] = {
	{ "conditions", FIELD_STRUCTS, AT(struct stack_status, conditions), &condition_table },
	{ "id", FIELD_STRING, AT(struct stack_status, id) },
	{ "buildImage", FIELD_STRUCT, AT(struct stack_status, build), &image_pin_table },
	{ "runImage", FIELD_STRUCT, AT(struct stack_status, run), &image_pin_table },
	{ "mixins", FIELD_STRINGS, AT(struct stack_status, mixins) },
	{ "userId", FIELD_INT, AT(struct stack_status, user_id), .min = 0, .max = UINT32_MAX },
	{ "groupId", FIELD_INT, AT(struct stack_status, group_id), .min = 0, .max = UINT32_MAX },
	{ "runLabels", FIELD_STRING_MAP, AT(struct stack_status, run_labels) },
	{ "os", FIELD_STRING, AT(struct stack_status, os) },
	{ "architecture", FIELD_STRING, AT(struct stack_status, arch) },
	{ "variant", FIELD_STRING, AT(struct stack_status, variant) },
	{ 0 },
};
const struct table stack_status_table = { "ClusterStack status", sizeof(struct stack_status),
					  stack_fields };

static const struct field buildpack_stack_fields[] = {
	{ "id", FIELD_STRING, AT(struct buildpack_stack, id) },
	{ "mixins", FIELD_STRINGS, AT(struct buildpack_stack, mixins) },
	{ 0 },
};
const struct table buildpack_stack_table = { "buildpack stack", sizeof(struct buildpack_stack),
					     buildpack_stack_fields };

static const struct field distro_fields[] = {
	{ "name", FIELD_STRING, AT(struct distro, name) },
	{ "version", FIELD_STRING, AT(struct distro, version) },
	{ 0 },
};
static const struct table distro_table = { "distro", sizeof(struct distro), distro_fields };

static const struct field target_fields[] = {
	{ "os", FIELD_STRING, AT(struct buildpack_target, os) },
	{ "arch", FIELD_STRING, AT(struct buildpack_target, arch) },
	{ "variant", FIELD_STRING, AT(struct buildpack_target, variant) },
	{ "distros", FIELD_STRUCTS, AT(struct buildpack_target, distros), &distro_table },
	{ 0 },
};
const struct table buildpack_target_table = { "target", sizeof(struct buildpack_target),
					      target_fields };

static const struct field store_image_fields[] = {
	{ "image", FIELD_STRING, AT(struct store_buildpack, store_image) },
	{ 0 },
};
static const struct table store_image_table = { "storeImage", sizeof(struct store_buildpack),
						store_image_fields };

static const struct field store_buildpack_fields[] = {
	{ "id", FIELD_STRING, AT(struct store_buildpack, id), .is_required = true },
	{ "version", FIELD_STRING, AT(struct store_buildpack, version) },
	{ "buildpackage", FIELD_STRUCT, AT(struct store_buildpack, package), &buildpack_id_table },
	{ "storeImage", FIELD_STRUCT, 0, &store_image_table },
	{ "diffId", FIELD_STRING, AT(struct store_buildpack, diff_id) },
	{ "digest", FIELD_STRING, AT(struct store_buildpack, digest) },
	{ "size", FIELD_INT, AT(struct store_buildpack, size_bytes), .min = 0, .max = INT64_MAX },
	{ "api", FIELD_STRING, AT(struct store_buildpack, api) },
	{ "homepage", FIELD_STRING, AT(struct store_buildpack, homepage) },
	{ "order", FIELD_STRUCTS, AT(struct store_buildpack, order), &order_group_table },
	{ "stacks", FIELD_STRUCTS, AT(struct store_buildpack, stacks), &buildpack_stack_table },
	{ "targets", FIELD_STRUCTS, AT(struct store_buildpack, targets), &buildpack_target_table },
	{ 0 },
};
const struct table store_buildpack_table = { "store buildpack", sizeof(struct store_buildpack),
					     store_buildpack_fields };

static const struct field store_fields[] = {
	{ "conditions", FIELD_STRUCTS, AT(struct store_status, conditions), &condition_table },
	{ "sources", FIELD_STRUCTS, AT(struct store_status, sources), &image_pin_table },
	{ "buildpacks", FIELD_STRUCTS, AT(struct store_status, buildpacks),
	  &store_buildpack_table },
	{ 0 },
};
const struct table store_status_table = { "ClusterStore status", sizeof(struct store_status),
					  store_fields };

static const struct field buildpack_apis_fields[] = {
	{ "deprecated", FIELD_STRINGS, AT(struct lifecycle_apis, buildpack_deprecated) },
	{ "supported", FIELD_STRINGS, AT(struct lifecycle_apis, buildpack_supported) },
	{ 0 },
};
static const struct table buildpack_apis_table = { "buildpack APIs", sizeof(struct lifecycle_apis),
						   buildpack_apis_fields };
static const struct field platform_apis_fields[] = {
	{ "deprecated", FIELD_STRINGS, AT(struct lifecycle_apis, platform_deprecated) },
	{ "supported", FIELD_STRINGS, AT(struct lifecycle_apis, platform_supported) },
	{ 0 },
};
static const struct table platform_apis_table = { "platform APIs", sizeof(struct lifecycle_apis),
						  platform_apis_fields };
static const struct field apis_fields[] = {
	{ "buildpack", FIELD_STRUCT, 0, &buildpack_apis_table },
	{ "platform", FIELD_STRUCT, 0, &platform_apis_table },
	{ 0 },
};
const struct table lifecycle_apis_table = { "APIs", sizeof(struct lifecycle_apis), apis_fields };

static const struct field lifecycle_fields[] = {
	{ "conditions", FIELD_STRUCTS, AT(struct lifecycle_status, conditions), &condition_table },
	{ "image", FIELD_STRUCT, AT(struct lifecycle_status, image), &image_pin_table },
	{ "version", FIELD_STRING, AT(struct lifecycle_status, version) },
	{ "apis", FIELD_STRUCT, AT(struct lifecycle_status, apis), &lifecycle_apis_table },
	{ "layerDiffId", FIELD_STRING, AT(struct lifecycle_status, layer_diff_id) },
	{ 0 },
};
const struct table lifecycle_status_table = { "ClusterLifecycle status",
					      sizeof(struct lifecycle_status), lifecycle_fields };

static const struct field builder_stack_fields[] = {
	{ "id", FIELD_STRING, AT(struct builder_status, stack_id) },
	{ "runImage", FIELD_STRING, AT(struct builder_status, stack_run_image) },
	{ 0 },
};
static const struct table builder_stack_table = { "stack", sizeof(struct builder_status),
						  builder_stack_fields };
static const struct field builder_lifecycle_fields[] = {
	{ "version", FIELD_STRING, AT(struct builder_status, lifecycle_version) },
	{ 0 },
};
static const struct table builder_lifecycle_table = { "lifecycle", sizeof(struct builder_status),
						      builder_lifecycle_fields };
static const struct field builder_fields[] = {
	{ "conditions", FIELD_STRUCTS, AT(struct builder_status, conditions), &condition_table },
	{ "builderMetadata", FIELD_STRUCTS, AT(struct builder_status, buildpacks),
	  &buildpack_id_table },
	{ "order", FIELD_STRUCTS, AT(struct builder_status, order), &order_group_table },
	{ "stack", FIELD_STRUCT, 0, &builder_stack_table },
	{ "lifecycle", FIELD_STRUCT, 0, &builder_lifecycle_table },
	{ "latestImage", FIELD_STRING, AT(struct builder_status, latest_image) },
	{ "os", FIELD_STRING, AT(struct builder_status, os) },
	{ "composeKey", FIELD_STRING, AT(struct builder_status, compose_key) },
	{ "readyMade", FIELD_STRUCT, AT(struct builder_status, ready_made), &image_pin_table },
	{ 0 },
};
const struct table builder_status_table = { "Builder status", sizeof(struct builder_status),
					    builder_fields };

static const struct field attempt_builder_fields[] = {
	{ "name", FIELD_STRING, AT(struct attempt, builder) },
	{ "kind", FIELD_STRING, AT(struct attempt, builder_kind) },
	{ "image", FIELD_STRING, AT(struct attempt, builder_image) },
	{ 0 },
};
static const struct table attempt_builder_table = { "builder", sizeof(struct attempt),
						    attempt_builder_fields };
static const struct field resolved_fields[] = {
	{ "revision", FIELD_STRING, AT(struct attempt, git_revision) },
	{ "tree", FIELD_STRING, AT(struct attempt, git_tree) },
	{ "content", FIELD_STRING, AT(struct attempt, content) },
	{ "part", FIELD_STRING, AT(struct attempt, part) },
	{ "validator", FIELD_STRING, AT(struct attempt, validator) },
	{ 0 },
};
const struct table attempt_resolved_table = { "followed", sizeof(struct attempt), resolved_fields };
static const struct field failure_fields[] = {
	{ "kind", FIELD_STRING, AT(struct attempt, failure) },
	{ "tries", FIELD_INT, AT(struct attempt, tries), .min = 0, .max = INT32_MAX },
	{ 0 },
};
const struct table attempt_failure_table = { "failure", sizeof(struct attempt), failure_fields };
static const struct field claim_fields[] = {
	{ "id", FIELD_STRING, AT(struct attempt, run_id) },
	{ "lease", FIELD_TIME, AT(struct attempt, lease_s) },
	{ 0 },
};
static const struct table claim_table = { "run", sizeof(struct attempt), claim_fields };

static const struct field attempt_fields[] = {
	{ "number", FIELD_INT, AT(struct attempt, number), .min = 0, .max = INT32_MAX },
	{ "result", FIELD_ENUM, AT(struct attempt, result), .values = results },
	{ "reason", FIELD_STRING, AT(struct attempt, reason) },
	{ "buildKey", FIELD_STRING, AT(struct attempt, build_key) },
	{ "source", FIELD_STRUCT, AT(struct attempt, source), &source_table },
	{ "followed", FIELD_STRUCT, 0, &attempt_resolved_table },
	{ "env", FIELD_STRUCTS, AT(struct attempt, env), &env_var_table },
	{ "services", FIELD_STRUCTS, AT(struct attempt, services), &object_ref_table },
	{ "cnbBindings", FIELD_STRUCTS, AT(struct attempt, bindings), &binding_table },
	{ "resources", FIELD_STRUCT, AT(struct attempt, resources), &resources_table },
	{ "defaultProcess", FIELD_STRING, AT(struct attempt, default_process) },
	{ "projectDescriptorPath", FIELD_STRING, AT(struct attempt, project_descriptor) },
	{ "creationTime", FIELD_STRING, AT(struct attempt, creation_time) },
	{ "bindingContents", FIELD_STRING, AT(struct attempt, binding_contents) },
	{ "builder", FIELD_STRUCT, 0, &attempt_builder_table },
	{ "runImage", FIELD_STRING, AT(struct attempt, run_image) },
	{ "stackId", FIELD_STRING, AT(struct attempt, stack_id) },
	{ "lifecycleVersion", FIELD_STRING, AT(struct attempt, lifecycle_version) },
	{ "buildpacks", FIELD_STRUCTS, AT(struct attempt, buildpacks), &buildpack_id_table },
	{ "image", FIELD_STRING, AT(struct attempt, image) },
	{ "notRebasable", FIELD_BOOL, AT(struct attempt, is_not_rebasable) },
	{ "chosenRunImage", FIELD_STRUCT, AT(struct attempt, chosen_run), &image_pin_table },
	{ "failure", FIELD_STRUCT, 0, &attempt_failure_table },
	{ "trigger", FIELD_STRING, AT(struct attempt, trigger) },
	{ "watched", FIELD_STRING_MAP, AT(struct attempt, watched) },
	{ "run", FIELD_STRUCT, 0, &claim_table },
	{ 0 },
};
const struct table attempt_table = { "attempt", sizeof(struct attempt), attempt_fields };

static const struct field history_fields[] = {
	{ "number", FIELD_INT, AT(struct history_entry, number), .min = 1, .max = INT32_MAX,
	  .is_required = true },
	{ "result", FIELD_ENUM, AT(struct history_entry, result), .values = results,
	  .is_required = true },
	{ "reason", FIELD_STRING, AT(struct history_entry, reason) },
	{ "image", FIELD_STRING, AT(struct history_entry, image) },
	{ "startedAt", FIELD_TIME, AT(struct history_entry, started_s) },
	{ "finishedAt", FIELD_TIME, AT(struct history_entry, finished_s) },
	{ 0 },
};
const struct table history_entry_table = { "build", sizeof(struct history_entry), history_fields };

static const struct field image_fields[] = {
	{ "conditions", FIELD_STRUCTS, AT(struct image_status, conditions), &condition_table },
	{ "latestBuildRef", FIELD_STRING, AT(struct image_status, latest_build) },
	{ "latestBuildReason", FIELD_STRING, AT(struct image_status, latest_reason) },
	{ "latestImage", FIELD_STRING, AT(struct image_status, latest_image) },
	{ "latestStack", FIELD_STRING, AT(struct image_status, latest_stack) },
	{ "buildCounter", FIELD_INT, AT(struct image_status, build_counter), .min = 0,
	  .max = INT32_MAX },
	{ "tags", FIELD_STRINGS, AT(struct image_status, tags) },
	{ "lastAttempt", FIELD_STRUCT_PTR, AT(struct image_status, last), &attempt_table },
	{ "lastSuccess", FIELD_STRUCT_PTR, AT(struct image_status, last_success), &attempt_table },
	{ "builds", FIELD_STRUCTS, AT(struct image_status, history), &history_entry_table },
	{ 0 },
};
const struct table image_status_table = { "Image status", sizeof(struct image_status),
					  image_fields };

static const struct field step_fields[] = {
	{ "name", FIELD_STRING, AT(struct step_state, name), .is_required = true },
	{ "milliseconds", FIELD_INT, AT(struct step_state, ms), .min = 0, .max = INT64_MAX },
	{ "result", FIELD_STRING, AT(struct step_state, result) },
	{ 0 },
};
const struct table step_state_table = { "step", sizeof(struct step_state), step_fields };
