/* SPDX-License-Identifier: Apache-2.0 */
/*
 * * status.c — state files ⇄ statuses. What is read back may have been written by anybody who can
 * push to the state branch: the tables check types and ranges, the rules here check digests and
 * references.
 */
#include "model/kind/status.h"

#include <string.h>

#include "model/base/digest.h"
#include "model/kind/build_config_status.h"
#include "model/kind/policy.h"
#include "model/kind/status_tables.h"
#include "model/kind/stream.h"
#include "model/kind/workload.h"
#include "model/oci/docker_ref.h"
#include "model/oci/ref.h"

const struct condition *condition_find(const struct list *conditions, const char *type)
{
	for (size_t i = 0; i < conditions->n; i++) {
		const struct condition *condition = LIST_AT(*conditions, struct condition, i);

		if (strcmp(condition->type, type) == 0)
			return condition;
	}
	return NULL;
}

/* No namespace has '_' in its name, so this one cannot meet the folder of the cluster's kinds. */
static const char *folder_of(const char *ns)
{
	if (!ns || !*ns)
		return "default";
	return strcmp(ns, "cluster") == 0 ? "cluster_" : ns;
}

const char *path_namespace(const char *path, struct arena *arena)
{
	const char *folder = arena_copy(arena, path, strcspn(path, "/"));

	return strcmp(folder, "cluster_") == 0 ? "cluster" : folder;
}

/* What is left of 255 bytes, more than which no file system and no git server takes as the name of a file. */
enum { STEM_MAX = 255 - 5, STEM_HEAD = 200, STEM_HASH = 16, STEM_LONG = STEM_HEAD + 1 + STEM_HASH };

/* "cart.yaml" would have its builds where the status of "cart" is. No name ends with '_', and no long one has it in it. */
static const char *stem_of(const char *name, struct arena *arena)
{
	size_t n = strlen(name);
	bool is_file = n >= 5 && strcmp(name + n - 5, ".yaml") == 0;

	if (n + is_file > STEM_MAX)
		return arena_printf(arena, "%.*s_%.*s", STEM_HEAD, name, STEM_HASH,
				    digest_hex(digest_of(name, n).text));
	return is_file ? arena_printf(arena, "%s_", name) : name;
}

const char *path_name(const char *path, const char *said, struct arena *arena)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *stem;
	size_t n = strlen(name);

	n -= n >= 5 ? 5 : n;
	stem = arena_copy(arena, name, n);
	if (n == STEM_LONG && stem[STEM_HEAD] == '_')
		return said && strcmp(stem_of(said, arena), stem) == 0 ? arena_strdup(arena, said)
								       : NULL;
	return n && stem[n - 1] == '_' ? arena_copy(arena, stem, n - 1) : stem;
}

char *status_path(enum kind kind, const char *ns, const char *name, struct arena *arena)
{
	const struct kind_info *info = kind_info(kind);

	if (!info->state_folder)
		BUG("%s has no state", info->name);
	return arena_printf(arena, "%s/%s/%s.yaml", info->is_cluster ? "cluster" : folder_of(ns),
			    info->state_folder, stem_of(name, arena));
}

char *build_path(const char *ns, const char *image, int64_t number, struct arena *arena)
{
	return arena_printf(arena, "%s/images/%s/builds/%lld.yaml", folder_of(ns),
			    stem_of(image, arena), (long long)number);
}

char *bc_build_path(enum kind kind, const char *ns, const char *name, int64_t number,
		    struct arena *arena)
{
	return arena_printf(arena, "%s/%s/%s/builds/%lld.yaml", folder_of(ns),
			    kind_info(kind)->state_folder, stem_of(name, arena), (long long)number);
}

/* A stream's table is that of the whole file: what it says of metadata joins the name. */
static void add_parts(struct node *file, struct node *metadata, struct node *parts,
		      struct arena *arena)
{
	for (struct node *part = parts->first, *after; part; part = after) {
		after = part->next;
		if (strcmp(part->key, "metadata") != 0) {
			node_set(arena, file, part->key, part);
			continue;
		}
		for (struct node *entry = part->first, *next; entry; entry = next) {
			next = entry->next;
			node_set(arena, metadata, entry->key, entry);
		}
	}
}

struct node *status_encode(const struct object *object, const struct origin *origin,
			   const void *status, struct arena *arena)
{
	const struct kind_info *info = kind_info(object->kind);
	const struct table *table = status_info(object->kind)->table;
	struct node *file = node_new(arena, NODE_MAP), *metadata = node_new(arena, NODE_MAP);

	if (!table)
		BUG("%s has no status", info->name);
	node_set(arena, file, "apiVersion",
		 node_string(arena, arena_printf(arena, "%s%s%s", info->group,
						 *info->group ? "/" : "", info->versions[0])));
	node_set_text(arena, file, "kind", info->name);
	node_set_text(arena, metadata, "name", object->meta.name);
	if (!info->is_cluster)
		node_set_text(arena, metadata, "namespace", object->meta.ns);
	node_set(arena, file, "metadata", metadata);
	if (object->kind == KIND_IMAGE_STREAM)
		add_parts(file, metadata, fields_encode(table, status, arena), arena);
	else
		node_set(arena, file, "status", fields_encode(table, status, arena));
	origin_encode(origin, metadata, arena);
	return file;
}

bool texts_hold(const struct text_rule *rules, const void *base, struct arena *arena,
		struct err *err)
{
	for (; rules->form != TEXT_END; rules++) {
		const char *const *text = (const void *)((const char *)base + rules->offset);
		struct err why = { 0 };
		struct ref ref;

		if (!*text)
			continue;
		if (rules->form == TEXT_DIGEST && !digest_is_valid(*text))
			return err_set(err, ERR_INVALID, "'%s' is no sha256 digest", rules->field);
		if (rules->form == TEXT_DIGEST)
			continue;
		if (!ref_parse(*text, arena, &ref, &why))
			return err_set(err, ERR_INVALID, "'%s' is no image reference: %s",
				       rules->field, why.text);
		if (rules->form == TEXT_PINNED && !ref.digest)
			return err_set(err, ERR_INVALID, "'%s' has no digest", rules->field);
	}
	return true;
}

/* clang-format off */
static const struct text_rule stack_rules[] = {
	{ TEXT_REF,    AT(struct stack_status, build.image),  "buildImage.image" },
	{ TEXT_PINNED, AT(struct stack_status, build.latest), "buildImage.latestImage" },
	{ TEXT_REF,    AT(struct stack_status, run.image),    "runImage.image" },
	{ TEXT_PINNED, AT(struct stack_status, run.latest),   "runImage.latestImage" },
	{ TEXT_END },
};
static const struct text_rule pin_rules[] = {
	{ TEXT_REF,    AT(struct image_pin, image),  "sources[].image" },
	{ TEXT_PINNED, AT(struct image_pin, latest), "sources[].latestImage" },
	{ TEXT_END },
};
static const struct text_rule buildpack_rules[] = {
	{ TEXT_PINNED, AT(struct store_buildpack, store_image), "buildpacks[].storeImage.image" },
	{ TEXT_DIGEST, AT(struct store_buildpack, diff_id),     "buildpacks[].diffId" },
	{ TEXT_DIGEST, AT(struct store_buildpack, digest),      "buildpacks[].digest" },
	{ TEXT_END },
};
static const struct text_rule lifecycle_rules[] = {
	{ TEXT_REF,    AT(struct lifecycle_status, image.image),   "image.image" },
	{ TEXT_PINNED, AT(struct lifecycle_status, image.latest),  "image.latestImage" },
	{ TEXT_DIGEST, AT(struct lifecycle_status, layer_diff_id), "layerDiffId" },
	{ TEXT_END },
};
static const struct text_rule builder_rules[] = {
	{ TEXT_PINNED, AT(struct builder_status, latest_image),      "latestImage" },
	{ TEXT_DIGEST, AT(struct builder_status, compose_key),       "composeKey" },
	{ TEXT_REF,    AT(struct builder_status, stack_run_image),   "stack.runImage" },
	{ TEXT_REF,    AT(struct builder_status, ready_made.image),  "readyMade.image" },
	{ TEXT_PINNED, AT(struct builder_status, ready_made.latest), "readyMade.latestImage" },
	{ TEXT_END },
};
static const struct text_rule image_rules[] = {
	{ TEXT_PINNED, AT(struct image_status, latest_image), "latestImage" },
	{ TEXT_REF,    AT(struct image_status, latest_stack), "latestStack" },
	{ TEXT_END },
};
static const struct text_rule history_rules[] = {
	{ TEXT_PINNED, AT(struct history_entry, image), "builds[].image" },
	{ TEXT_END },
};
static const struct text_rule policy_rules[] = {
	{ TEXT_REF,    AT(struct policy_status, latest_image),  "latestImage" },
	{ TEXT_DIGEST, AT(struct policy_status, latest.digest), "latestRef.digest" },
	{ TEXT_END },
};
static const struct text_rule trigger_rules[] = {
	{ TEXT_REF, AT(struct trigger_status, last_image), "imageTriggers[].lastTriggeredImage" },
	{ TEXT_END },
};
static const struct text_rule attempt_rules[] = {
	{ TEXT_DIGEST, AT(struct attempt, build_key),     "buildKey" },
	{ TEXT_DIGEST, AT(struct attempt, content),       "followed.content" },
	{ TEXT_DIGEST, AT(struct attempt, part),          "followed.part" },
	{ TEXT_REF,    AT(struct attempt, builder_image), "builder.image" },
	{ TEXT_REF,    AT(struct attempt, run_image),     "runImage" },
	{ TEXT_REF,    AT(struct attempt, chosen_run.image),  "chosenRunImage.image" },
	{ TEXT_PINNED, AT(struct attempt, chosen_run.latest), "chosenRunImage.latestImage" },
	{ TEXT_PINNED, AT(struct attempt, image),         "image" },
	{ TEXT_END },
};
/* clang-format on */

static bool list_holds(const struct text_rule *rules, const struct list *list, size_t size,
		       struct arena *arena, struct err *err)
{
	for (size_t i = 0; i < list->n; i++)
		if (!texts_hold(rules, (const char *)list->v + i * size, arena, err))
			return false;
	return true;
}

void bindings_name(const struct list *bindings)
{
	for (size_t i = 0; i < bindings->n; i++) {
		struct binding *binding = LIST_AT(*bindings, struct binding, i);

		binding->metadata_name = node_text(binding->metadata_ref, "name");
		binding->secret_name = node_text(binding->secret_ref, "name");
	}
}

/* What tags of image streams gave: references as OpenShift writes them. */
static bool watched_holds(const struct pairs *watched, struct arena *arena, struct err *err)
{
	for (size_t i = 0; i < watched->n; i++) {
		struct docker_ref ref;
		struct err why = { 0 };

		if (!watched->v[i].value ||
		    !docker_ref_parse(watched->v[i].value, arena, &ref, &why))
			return err_set(err, ERR_INVALID, "'watched[%s]' is no image reference: %s",
				       watched->v[i].key, why.text);
	}
	return true;
}

bool attempt_holds(const struct attempt *attempt, struct arena *arena, struct err *err)
{
	if (!attempt)
		return true;
	if (!watched_holds(&attempt->watched, arena, err))
		return false;
	bindings_name(&attempt->bindings);
	return texts_hold(attempt_rules, attempt, arena, err);
}

static bool image_holds(const void *read, struct arena *arena, struct err *err)
{
	const struct image_status *status = read;

	for (size_t i = 0; i < status->tags.n; i++) {
		struct err why = { 0 };
		struct ref ref;

		if (!ref_parse(status->tags.v[i], arena, &ref, &why) || ref.digest)
			return err_set(err, ERR_INVALID, "'tags[%zu]' is no tag", i);
	}
	for (size_t i = 1; i < status->history.n; i++)
		if (LIST_AT(status->history, struct history_entry, i)->number <=
		    LIST_AT(status->history, struct history_entry, i - 1)->number)
			return err_set(err, ERR_INVALID,
				       "'builds' is not in the order of its numbers");
	if (!attempt_holds(status->last, arena, err))
		return err_prefix(err, "lastAttempt");
	if (!attempt_holds(status->last_success, arena, err))
		return err_prefix(err, "lastSuccess");
	return texts_hold(image_rules, status, arena, err) &&
	       list_holds(history_rules, &status->history, sizeof(struct history_entry), arena,
			  err);
}

static bool store_holds(const void *read, struct arena *arena, struct err *err)
{
	const struct store_status *status = read;

	return list_holds(pin_rules, &status->sources, sizeof(struct image_pin), arena, err) &&
	       list_holds(buildpack_rules, &status->buildpacks, sizeof(struct store_buildpack),
			  arena, err);
}

static bool workload_holds(const void *read, struct arena *arena, struct err *err)
{
	const struct workload_status *status = read;

	return list_holds(trigger_rules, &status->triggers, sizeof(struct trigger_status), arena,
			  err);
}

static bool stream_status_holds(const void *read, struct arena *arena, struct err *err)
{
	return stream_holds(read, arena, err);
}

static bool config_status_holds(const void *read, struct arena *arena, struct err *err)
{
	return build_config_status_holds(read, arena, err);
}

/* clang-format off */
#define BUILDER  { &builder_status_table, builder_rules, .image_at = AT(struct builder_status, latest_image) }
#define STORE    { &store_status_table, .holds = store_holds }
#define WORKLOAD { &workload_status_table, .holds = workload_holds }
static const struct status_info infos[KINDS] = {
	[KIND_CLUSTER_STACK]          = { &stack_status_table, stack_rules, .image_at = AT(struct stack_status, run.latest) },
	[KIND_CLUSTER_STORE]          = STORE,
	[KIND_BUILDPACK]              = STORE,
	[KIND_CLUSTER_BUILDPACK]      = STORE,
	[KIND_CLUSTER_LIFECYCLE]      = { &lifecycle_status_table, lifecycle_rules, .image_at = AT(struct lifecycle_status, image.latest) },
	[KIND_BUILDER]                = BUILDER,
	[KIND_CLUSTER_BUILDER]        = BUILDER,
	[KIND_IMAGE]                  = { &image_status_table, .holds = image_holds, .image_at = AT(struct image_status, latest_image) },
	[KIND_IMAGE_STREAM]           = { &stream_status_table, .holds = stream_status_holds },
	[KIND_BUILD_CONFIG]           = { &build_config_status_table, .holds = config_status_holds },
	[KIND_BUILD]                  = { &build_config_status_table, .holds = config_status_holds },
	[KIND_IMAGE_POLICY]           = { &policy_status_table, policy_rules, .image_at = AT(struct policy_status, latest_image) },
	[KIND_DEPLOYMENT]             = WORKLOAD,
	[KIND_STATEFUL_SET]           = WORKLOAD,
	[KIND_DAEMON_SET]             = WORKLOAD,
	[KIND_REPLICA_SET]            = WORKLOAD,
	[KIND_JOB]                    = WORKLOAD,
	[KIND_CRON_JOB]               = WORKLOAD,
	[KIND_POD]                    = WORKLOAD,
	[KIND_POD_TEMPLATE]           = WORKLOAD,
	[KIND_REPLICATION_CONTROLLER] = WORKLOAD,
	[KIND_DEPLOYMENT_CONFIG]      = WORKLOAD,
};
/* clang-format on */

const struct status_info *status_info(enum kind kind)
{
	return &infos[kind < KINDS ? kind : KIND_NONE];
}

static bool holds(enum kind kind, const void *status, struct arena *arena, struct err *err)
{
	const struct status_info *info = status_info(kind);

	return (!info->rules || texts_hold(info->rules, status, arena, err)) &&
	       (!info->holds || info->holds(status, arena, err));
}

bool file_is_of(const struct node *document, const struct file_type *type, struct err *err)
{
	const char *api_version = node_text(document, "apiVersion");
	const char *found = node_text(document, "kind");
	const char *name = node_text(node_get(document, "metadata"), "name");

	size_t n = strlen(type->group);

	if (!api_version || strncmp(api_version, type->group, n) != 0 ||
	    (n ? api_version[n] != '/' : strchr(api_version, '/') != NULL))
		return err_set(err, ERR_INVALID, "'apiVersion' is not of %s", type->group);
	if (!found || strcmp(found, type->kind) != 0)
		return err_set(err, ERR_INVALID, "'kind' is '%s', not '%s'", found ? found : "",
			       type->kind);
	if (!name || !*name)
		return err_set(err, ERR_INVALID, "'metadata.name' is missing");
	return true;
}

bool status_read(enum kind kind, const struct node *document, struct arena *arena, void **out,
		 struct err *err)
{
	const struct node *status =
		kind == KIND_IMAGE_STREAM ? document : node_get(document, "status");
	const struct table *table = status_info(kind)->table;
	void *read;

	*out = NULL;
	if (!table)
		return err_set(err, ERR_INVALID, "%s has no status", kind_name(kind));
	if (!file_is_of(document, &(struct file_type){ kind_info(kind)->group, kind_name(kind) },
			err))
		return false;
	if (!status)
		return err_set(err, ERR_INVALID, "'status' is missing");
	read = arena_alloc(arena, table->size);
	if (!fields_read(table, status, read, arena, err) || !holds(kind, read, arena, err))
		return err_prefix(err, "status");
	*out = read;
	return true;
}

int64_t state_last_number(const struct state *state, const char *id, int64_t counted)
{
	const int64_t *found = map_get(&state->numbers, id);

	return found && *found > counted ? *found : counted;
}

const void *state_status(const struct state *state, const char *id)
{
	const struct state_entry *entry = map_get(&state->by_id, id);

	return entry ? entry->status : NULL;
}
