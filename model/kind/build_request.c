/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_request.c — the field tables of the worker protocol. Requests are ours and read strictly
 * by type; events come from a process that ran foreign code, so their references and digests are
 * checked too.
 */
#include "model/kind/build_request.h"

#include <string.h>

#include "model/base/limits.h"
#include "model/doc/json.h"
#include "model/kind/status_tables.h"

static const struct field credential_fields[] = {
	{ "server", FIELD_STRING, AT(struct request_credential, server) },
	{ "user", FIELD_STRING, AT(struct request_credential, user) },
	{ "password", FIELD_STRING, AT(struct request_credential, password) },
	{ "token", FIELD_STRING, AT(struct request_credential, token) },
	{ "sshKey", FIELD_STRING, AT(struct request_credential, ssh_key) },
	{ "knownHosts", FIELD_STRING, AT(struct request_credential, known_hosts) },
	{ "config", FIELD_STRING, AT(struct request_credential, config) },
	{ "authorization", FIELD_STRING, AT(struct request_credential, authorization) },
	{ 0 },
};
static const struct table credential_table = { "credential", sizeof(struct request_credential),
					       credential_fields };

static const struct field mount_fields[] = {
	{ "name", FIELD_STRING, AT(struct request_mount, name), .is_required = true },
	{ "files", FIELD_STRING_MAP, AT(struct request_mount, files) },
	{ "public", FIELD_BOOL, AT(struct request_mount, is_public) },
	{ 0 },
};
static const struct table mount_table = { "binding", sizeof(struct request_mount), mount_fields };

static const struct field compose_buildpack_fields[] = {
	{ "buildpack", FIELD_STRUCT, AT(struct compose_buildpack, id), &buildpack_id_table },
	{ "image", FIELD_STRING, AT(struct compose_buildpack, image) },
	{ "diffId", FIELD_STRING, AT(struct compose_buildpack, diff_id) },
	{ "size", FIELD_INT, AT(struct compose_buildpack, size_bytes), .min = 0, .max = INT64_MAX },
	{ "order", FIELD_STRUCTS, AT(struct compose_buildpack, order), &order_group_table },
	{ "stacks", FIELD_STRUCTS, AT(struct compose_buildpack, stacks), &buildpack_stack_table },
	{ "targets", FIELD_STRUCTS, AT(struct compose_buildpack, targets),
	  &buildpack_target_table },
	{ 0 },
};
static const struct table compose_buildpack_table = { "compose buildpack",
						      sizeof(struct compose_buildpack),
						      compose_buildpack_fields };

static const struct field compose_fields[] = {
	{ "tag", FIELD_STRING, AT(struct compose, tag), .is_required = true },
	{ "buildImage", FIELD_STRING, AT(struct compose, build_image), .is_required = true },
	{ "runImage", FIELD_STRING, AT(struct compose, run_image), .is_required = true },
	{ "stackId", FIELD_STRING, AT(struct compose, stack_id) },
	{ "mixins", FIELD_STRINGS, AT(struct compose, mixins) },
	{ "lifecycleImage", FIELD_STRING, AT(struct compose, lifecycle_image) },
	{ "lifecycleVersion", FIELD_STRING, AT(struct compose, lifecycle_version) },
	{ "apis", FIELD_STRUCT, AT(struct compose, apis), &lifecycle_apis_table },
	{ "buildpacks", FIELD_STRUCTS, AT(struct compose, buildpacks), &compose_buildpack_table },
	{ "order", FIELD_STRUCTS, AT(struct compose, order), &order_group_table },
	{ "labels", FIELD_STRING_MAP, AT(struct compose, labels) },
	{ "key", FIELD_STRING, AT(struct compose, key) },
	{ 0 },
};
static const struct table compose_table = { "compose", sizeof(struct compose), compose_fields };

static const struct field mirror_fields[] = {
	{ "from", FIELD_STRING, AT(struct request_mirror, from), .is_required = true },
	{ "to", FIELD_STRING, AT(struct request_mirror, to), .is_required = true },
	{ "insecure", FIELD_BOOL, AT(struct request_mirror, is_insecure) },
	{ 0 },
};
static const struct table mirror_table = { "mirror", sizeof(struct request_mirror), mirror_fields };

static const char *const actions[] = { "build", "rebase", "compose", "tag",      "mirror",
				       "s2i",   "docker", "custom",  "pipeline", NULL };

static const struct field request_fields[] = {
	{ "format", FIELD_INT, AT(struct build_request, format), .min = WORKER_FORMAT,
	  .max = WORKER_FORMAT, .is_required = true },
	{ "action", FIELD_ENUM, AT(struct build_request, action), .values = actions,
	  .is_required = true },
	{ "id", FIELD_STRING, AT(struct build_request, id) },
	{ "buildKey", FIELD_STRING, AT(struct build_request, build_key) },
	{ "runId", FIELD_STRING, AT(struct build_request, run_id) },
	{ "tags", FIELD_STRINGS, AT(struct build_request, tags) },
	{ "builderImage", FIELD_STRING, AT(struct build_request, builder_image) },
	{ "runImage", FIELD_STRING, AT(struct build_request, run_image) },
	{ "runImageName", FIELD_STRING, AT(struct build_request, run_image_name) },
	{ "runImageMirrors", FIELD_STRINGS, AT(struct build_request, run_image_mirrors) },
	{ "source", FIELD_STRUCT, AT(struct build_request, source), &source_table },
	{ "gitTree", FIELD_STRING, AT(struct build_request, git_tree) },
	{ "content", FIELD_STRING, AT(struct build_request, content) },
	{ "part", FIELD_STRING, AT(struct build_request, part) },
	{ "env", FIELD_STRUCTS, AT(struct build_request, env), &env_var_table },
	{ "bindings", FIELD_STRUCTS, AT(struct build_request, bindings), &mount_table },
	{ "resources", FIELD_STRUCT, AT(struct build_request, resources), &resources_table },
	{ "timeoutSeconds", FIELD_INT, AT(struct build_request, timeout_s), .min = 0,
	  .max = INT32_MAX },
	{ "previousImage", FIELD_STRING, AT(struct build_request, previous_image) },
	{ "defaultProcess", FIELD_STRING, AT(struct build_request, default_process) },
	{ "projectDescriptor", FIELD_STRING, AT(struct build_request, project_descriptor) },
	{ "creationTime", FIELD_STRING, AT(struct build_request, creation_time) },
	{ "cacheKey", FIELD_STRING, AT(struct build_request, cache_key) },
	{ "cacheImage", FIELD_STRING, AT(struct build_request, cache_image) },
	{ "cacheBytes", FIELD_INT, AT(struct build_request, cache_bytes), .min = 0,
	  .max = INT64_MAX },
	{ "reasons", FIELD_STRINGS, AT(struct build_request, reasons) },
	{ "registries", FIELD_STRUCTS, AT(struct build_request, registries),
	  &settings_registry_table },
	{ "gitHosts", FIELD_STRUCTS, AT(struct build_request, git_hosts), &settings_git_table },
	{ "credentials", FIELD_STRUCTS, AT(struct build_request, credentials), &credential_table },
	{ "gitCredentials", FIELD_STRUCTS, AT(struct build_request, git_credentials),
	  &credential_table },
	{ "blobCredentials", FIELD_STRUCTS, AT(struct build_request, blob_credentials),
	  &credential_table },
	{ "withUserCredentials", FIELD_BOOL, AT(struct build_request, with_user_credentials) },
	{ "userEnvironment", FIELD_STRINGS, AT(struct build_request, user_environment) },
	{ "trustsRepositories", FIELD_BOOL, AT(struct build_request, trusts_repositories) },
	{ "withHelpers", FIELD_BOOL, AT(struct build_request, with_helpers) },
	{ "manifestDir", FIELD_STRING, AT(struct build_request, manifest_dir) },
	{ "cacheDir", FIELD_STRING, AT(struct build_request, cache_dir) },
	{ "tempDir", FIELD_STRING, AT(struct build_request, temp_dir) },
	{ "runtime", FIELD_STRING, AT(struct build_request, runtime) },
	{ "network", FIELD_STRING, AT(struct build_request, network) },
	{ "compression", FIELD_STRING, AT(struct build_request, compression) },
	{ "engine", FIELD_STRING, AT(struct build_request, engine) },
	{ "isolation", FIELD_STRING, AT(struct build_request, isolation) },
	{ "now", FIELD_INT, AT(struct build_request, now_s) },
	{ "compose", FIELD_STRUCT_PTR, AT(struct build_request, compose), &compose_table },
	{ "mirrors", FIELD_STRUCTS, AT(struct build_request, mirrors), &mirror_table },
	{ "buildConfig", FIELD_STRUCT_PTR, AT(struct build_request, config), &bc_request_table },
	{ 0 },
};
const struct table build_request_table = { "build request", sizeof(struct build_request),
					   request_fields };

static const struct field event_fields[] = {
	{ "name", FIELD_STRING, AT(struct build_event, name) },
	{ "text", FIELD_STRING, AT(struct build_event, text) },
	{ "failure", FIELD_STRING, AT(struct build_event, failure) },
	{ "exitCode", FIELD_INT, AT(struct build_event, exit_code), .min = 0, .max = 255 },
	{ "oom", FIELD_BOOL, AT(struct build_event, is_oom) },
	{ "timeout", FIELD_BOOL, AT(struct build_event, is_timeout) },
	{ "image", FIELD_STRING, AT(struct build_event, image) },
	{ "runImage", FIELD_STRING, AT(struct build_event, run_image) },
	{ "stackId", FIELD_STRING, AT(struct build_event, stack_id) },
	{ "lifecycleVersion", FIELD_STRING, AT(struct build_event, lifecycle_version) },
	{ "buildpacks", FIELD_STRUCTS, AT(struct build_event, buildpacks), &buildpack_id_table },
	{ "adopted", FIELD_BOOL, AT(struct build_event, is_adopted) },
	{ "chosenRunImage", FIELD_STRING, AT(struct build_event, chosen_run) },
	{ "notRebasable", FIELD_BOOL, AT(struct build_event, is_not_rebasable) },
	{ "manifest", FIELD_STRING, AT(struct build_event, manifest) },
	{ "config", FIELD_STRING, AT(struct build_event, config) },
	{ "reason", FIELD_STRING, AT(struct build_event, reason) },
	{ "revision", FIELD_STRUCT_PTR, AT(struct build_event, revision), &source_revision_table },
	{ "engine", FIELD_STRING, AT(struct build_event, engine) },
	{ "bases", FIELD_STRING_MAP, AT(struct build_event, bases) },
	{ "url", FIELD_STRING, AT(struct build_event, url) },
	{ "stages", FIELD_STRUCTS, AT(struct build_event, stages), &build_stage_table },
	{ 0 },
};
const struct table build_event_table = { "event", sizeof(struct build_event), event_fields };

static const char *const types[] = {
	[EVENT_PHASE] = "phase",
	[EVENT_NOTICE] = "notice",
	[EVENT_RESULT] = "result",
	[EVENT_FAILURE] = "failure",
};
_Static_assert(COUNTOF(types) == EVENT_TYPES, "name every event");

static const struct text_rule event_rules[] = {
	{ TEXT_PINNED, AT(struct build_event, image), "image" },
	{ TEXT_REF, AT(struct build_event, run_image), "runImage" },
	{ TEXT_REF, AT(struct build_event, chosen_run), "chosenRunImage" },
	{ TEXT_END },
};

static bool is_complete(const struct build_event *event, struct err *err)
{
	switch (event->type) {
	case EVENT_PHASE:
		return event->name || err_set(err, ERR_INVALID, "a phase without 'name'");
	case EVENT_NOTICE:
		return event->text || err_set(err, ERR_INVALID, "a notice without 'text'");
	case EVENT_RESULT:
		return true; /* Custom builds and pipelines may give no image */
	case EVENT_FAILURE:
		return event->failure || err_set(err, ERR_INVALID, "a failure without 'failure'");
	case EVENT_TYPES:
		break;
	}
	BUG("event type %d", (int)event->type);
}

bool event_read(const char *line, size_t n, struct arena *arena, struct build_event *out,
		struct err *err)
{
	struct build_event event = { 0 };
	struct node *tree;
	const char *type;

	*out = event;
	if (n > LIMIT_EVENT_BYTES)
		return err_set(err, ERR_INVALID, "an event of more than %u bytes",
			       LIMIT_EVENT_BYTES);
	if (!json_parse(line, n, arena, &tree, err) ||
	    !fields_read(&build_event_table, tree, &event, arena, err))
		return err_prefix(err, "event");
	type = node_text(tree, "type");
	while (type && event.type < EVENT_TYPES && strcmp(types[event.type], type) != 0)
		event.type++;
	if (!type || event.type == EVENT_TYPES)
		return err_set(err, ERR_INVALID, "unknown event type '%s'", type ? type : "");
	if (!is_complete(&event, err) || !texts_hold(event_rules, &event, arena, err))
		return false;
	*out = event;
	return true;
}

enum { TEXT_BYTES = 64 << 10 };

/* Messages may quote what foreign code said; a long one is cut at a character. */
static const char *cut(const char *text, struct arena *arena)
{
	size_t n = TEXT_BYTES;

	if (!text || strlen(text) <= n)
		return text;
	while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	return arena_copy(arena, text, n);
}

char *event_print(const struct build_event *event, struct arena *arena)
{
	AUTO_BUF line = BUF_INIT(LIMIT_EVENT_BYTES);
	struct node *tree = node_new(arena, NODE_MAP), *fields;
	struct build_event shown = *event;

	shown.text = cut(event->text, arena);
	node_set_text(arena, tree, "type", types[event->type]);
	fields = fields_encode(&build_event_table, &shown, arena);
	for (const struct node *field = fields->first; field; field = field->next)
		node_append(arena, tree, field->key, node_clone(arena, field));
	json_print(tree, JSON_COMPACT, &line);
	if (line.is_over)
		BUG("an event of more than %u bytes", LIMIT_EVENT_BYTES);
	return buf_copy(&line, arena);
}
