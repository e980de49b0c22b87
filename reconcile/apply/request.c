/* SPDX-License-Identifier: Apache-2.0 */
/* request.c — puts together what the plan resolved and what the settings and secrets say. */
#include "reconcile/apply/request.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buildexec/source/access.h"
#include "model/base/base64.h"
#include "reconcile/apply/request_parts.h"

const char *request_below(const char *base, const char *path, struct arena *arena)
{
	if (!path || path[0] == '/')
		return path;
	return arena_printf(arena, "%s/%s", base, path);
}

static struct list registries_of(const struct request_spec *spec, struct arena *arena)
{
	const struct list *from = &spec->model->settings->registries;
	struct settings_registry *rules = arena_array(arena, from->n, sizeof(*rules));

	for (size_t i = 0; i < from->n; i++) {
		rules[i] = *LIST_AT(*from, struct settings_registry, i);
		rules[i].layout = request_below(spec->base_dir, rules[i].layout, arena);
		rules[i].ca_file = request_below(spec->base_dir, rules[i].ca_file, arena);
		rules[i].cert_file = request_below(spec->base_dir, rules[i].cert_file, arena);
		rules[i].key_file = request_below(spec->base_dir, rules[i].key_file, arena);
	}
	return (struct list){ rules, from->n };
}

static struct list git_hosts_of(const struct request_spec *spec, struct arena *arena)
{
	const struct list *from = &spec->model->settings->git;
	struct settings_git *rules = arena_array(arena, from->n, sizeof(*rules));

	for (size_t i = 0; i < from->n; i++) {
		rules[i] = *LIST_AT(*from, struct settings_git, i);
		rules[i].ca_file = request_below(spec->base_dir, rules[i].ca_file, arena);
		rules[i].known_hosts = request_below(spec->base_dir, rules[i].known_hosts, arena);
	}
	return (struct list){ rules, from->n };
}

struct pairs request_secret_files(const struct secret_spec *secret, struct arena *arena)
{
	struct pairs files = { 0 };

	for (size_t i = 0; i < secret->values.n; i++) {
		const struct secret_value *value = LIST_AT(secret->values, struct secret_value, i);

		vec_push(arena, &files,
			 (struct pair){ value->key,
					base64_encode(value->bytes, value->len, arena),
					{ 0 } });
	}
	return files;
}

struct pairs request_map_files(const struct config_map_spec *map, struct arena *arena)
{
	struct pairs files = { 0 };

	for (size_t i = 0; i < map->data.n; i++)
		vec_push(arena, &files,
			 (struct pair){ map->data.v[i].key,
					base64_encode(map->data.v[i].value,
						      strlen(map->data.v[i].value), arena),
					{ 0 } });
	for (size_t i = 0; i < map->binary_data.n; i++)
		vec_push(arena, &files, map->binary_data.v[i]);
	return files;
}

static struct request_mount mount_of(const char *name, const struct secret_spec *secret,
				     struct arena *arena)
{
	return (struct request_mount){ .name = name, .files = request_secret_files(secret, arena) };
}

static struct request_mount metadata_of(const char *name, const struct config_map_spec *map,
					struct arena *arena)
{
	return (struct request_mount){ .name = name,
				       .files = request_map_files(map, arena),
				       .is_public = true };
}

/*
 * Service bindings name a Secret whose keys become files below /platform/bindings/<name>. Legacy ones are a ConfigMap below
 * …/metadata and a Secret below …/secret.
 */
static struct list mounts_of(const struct step *step, const struct model *model,
			     struct arena *arena)
{
	const struct image_spec *spec = step->object->spec;
	VEC(struct request_mount) mounts = { 0 };

	for (size_t i = 0; i < spec->build.services.n; i++) {
		const struct object_ref *service =
			LIST_AT(spec->build.services, struct object_ref, i);
		const struct object *secret =
			model_find(model, KIND_SECRET, step->ns, service->name);

		if (secret)
			vec_push(arena, &mounts, mount_of(service->name, secret->spec, arena));
	}
	for (size_t i = 0; i < spec->build.bindings.n; i++) {
		const struct binding *binding = LIST_AT(spec->build.bindings, struct binding, i);
		const struct object *map =
			model_find(model, KIND_CONFIG_MAP, step->ns, binding->metadata_name);
		const struct object *secret =
			binding->secret_name
				? model_find(model, KIND_SECRET, step->ns, binding->secret_name)
				: NULL;

		if (map)
			vec_push(arena, &mounts,
				 metadata_of(arena_printf(arena, "%s/metadata", binding->name),
					     map->spec, arena));
		if (secret)
			vec_push(arena, &mounts,
				 mount_of(arena_printf(arena, "%s/secret", binding->name),
					  secret->spec, arena));
	}
	return (struct list){ mounts.v, mounts.n };
}

/* Secrets that a source image brings along. */
static const struct list *pull_secrets(const struct step *step)
{
	const struct image_spec *spec = step->object->spec;

	return spec->source.registry ? &spec->source.registry->pull_secrets : NULL;
}

static struct strings user_environment(const struct request_spec *spec, struct arena *arena)
{
	return spec->with_user_credentials ? access_environment(arena) : (struct strings){ 0 };
}

struct build_request *request_common(const struct step *step, const struct request_spec *spec,
				     const struct credentials *credentials, struct arena *arena)
{
	struct build_request *request = ARENA_NEW(arena, struct build_request);
	const struct settings *settings = spec->model->settings;
	const char *isolation = settings->builds.isolation;

	*request = (struct build_request){
		.format = WORKER_FORMAT,
		.user_environment = user_environment(spec, arena),
		.action = action_name(step->action),
		.id = step->number
			      ? arena_printf(arena, "%s#%lld", step->id, (long long)step->number)
			      : step->id,
		.build_key = step->build_key,
		.run_id = spec->run_id,
		.tags = step->tags,
		.registries = registries_of(spec, arena),
		.git_hosts = git_hosts_of(spec, arena),
		.credentials = credentials->registry,
		.git_credentials = credentials->git,
		.blob_credentials = credentials->blob,
		.with_user_credentials = spec->with_user_credentials,
		.trusts_repositories = spec->trusts_repositories,
		.with_helpers = settings->allow_helpers,
		.manifest_dir = spec->manifest_dir,
		.cache_dir = spec->cache_dir,
		.temp_dir = spec->temp_dir,
		.runtime = settings->runtime,
		.network = settings->network,
		.compression = settings->compression,
		.engine = settings->builds.engine,
		.isolation = isolation && strcmp(isolation, "auto") != 0 ? isolation : NULL,
		.now_s = spec->now_s,
	};
	return request;
}

static struct build_request *common(const struct step *step, const struct request_spec *spec,
				    const struct object_ref *account, const struct list *secrets,
				    struct arena *arena)
{
	struct credentials credentials;

	credentials_collect_with(spec->model, account, secrets, arena, &credentials);
	return request_common(step, spec, &credentials, arena);
}

const char *request_folder(const struct source_file *file, const struct request_spec *spec,
			   struct arena *arena)
{
	const char *slash = file && file->path ? strrchr(file->path, '/') : NULL;
	const char *folder;
	char *real;

	if (!file || !file->path || file->path[0] == '<')
		return spec->manifest_dir;
	folder = slash ? arena_copy(arena, file->path, (size_t)(slash - file->path)) : ".";
	real = realpath(*folder ? folder : "/", NULL);
	folder = real ? arena_strdup(arena, real) : folder;
	free(real);
	return folder;
}

void request_add_reasons(const struct step *step, struct build_request *request,
			 struct arena *arena)
{
	vec_push(
		arena, &request->reasons,
		arena_printf(arena, "Build reason(s): %s", changes_reasons(&step->changes, arena)));
	for (size_t i = 0; i < step->changes.list.n; i++) {
		const struct change *change = &step->changes.list.v[i];

		vec_push(arena, &request->reasons,
			 arena_printf(arena, "%s:", reason_name(change->reason)));
		if (change->text)
			vec_push(arena, &request->reasons,
				 arena_printf(arena, "\t%s", change->text));
	}
}

struct source request_located(const struct source *source, const struct object *object,
			      struct arena *arena)
{
	struct source copy = *source;
	struct git_source *git;
	char *real;

	if (!source->git)
		return copy;
	git = ARENA_NEW(arena, struct git_source);
	*git = *source->git;
	git->url = git_location(git->url, object, arena);
	real = git->url == source->git->url ? NULL : realpath(git->url, NULL);
	if (real)
		git->url = arena_strdup(arena, real);
	free(real);
	copy.git = git;
	return copy;
}

/* A registry's cache has no size. */
static void add_cache(const struct step *step, const struct image_cache *cache,
		      struct build_request *request, struct arena *arena)
{
	int64_t milli;

	if (!cache->has_volume && !cache->has_registry)
		return;
	request->cache_key = arena_printf(arena, "%s/%s", step->ns, step->name);
	request->cache_image = cache->registry_tag;
	if (cache->has_volume && cache->volume_size && quantity_parse(cache->volume_size, &milli))
		request->cache_bytes = milli / 1000;
}

static struct build_request *for_image(const struct step *step, const struct request_spec *spec,
				       struct arena *arena)
{
	const struct image_spec *image = step->object->spec;
	const struct attempt *inputs = step->inputs;
	const struct image_status *status = step->status;
	const struct object_ref account = { .ns = step->ns, .name = image->service_account };
	struct build_request *request = common(step, spec, &account, pull_secrets(step), arena);

	request->builder_image = inputs->builder_image;
	request->run_image = inputs->run_image;
	request->run_image_name = inputs->run_image;
	request->source = request_located(&inputs->source, step->object, arena);
	request->git_tree = inputs->git_tree;
	request->content = inputs->content;
	request->part = inputs->part;
	request->env = inputs->env;
	request->bindings = mounts_of(step, spec->model, arena);
	request->resources = inputs->resources;
	request->timeout_s = image->build.timeout_s;
	request->previous_image = status ? status->latest_image : NULL;
	request->default_process = image->default_process;
	request->project_descriptor = image->project_descriptor;
	request->creation_time = image->build.creation_time;
	add_cache(step, &image->cache, request, arena);
	request->manifest_dir = request_folder(step->object->file, spec, arena);
	request_add_reasons(step, request, arena);
	return request;
}

static struct build_request *for_stream(const struct step *step, const struct request_spec *spec,
					struct arena *arena)
{
	const struct object_ref account = { .ns = step->ns };
	const struct list secrets = credentials_of_namespace(spec->model, step->ns, arena);
	struct build_request *request = common(step, spec, &account, &secrets, arena);
	struct request_mirror *mirrors = arena_array(arena, step->mirrors.n, sizeof(*mirrors));

	for (size_t i = 0; i < step->mirrors.n; i++) {
		const struct mirror *mirror = LIST_AT(step->mirrors, struct mirror, i);

		mirrors[i] =
			(struct request_mirror){ mirror->from, mirror->to, mirror->is_insecure };
	}
	request->mirrors = (struct list){ mirrors, step->mirrors.n };
	return request;
}

static struct build_request *for_builder(const struct step *step, const struct request_spec *spec,
					 struct arena *arena)
{
	const struct builder_spec *builder = step->object->spec;
	const struct object_ref account =
		step->kind == KIND_CLUSTER_BUILDER
			? builder->account_ref
			: (struct object_ref){ .ns = step->ns, .name = builder->service_account };
	struct build_request *request = common(step, spec, &account, NULL, arena);

	request->compose = (struct compose *)(uintptr_t)step->compose;
	request->build_key = step->compose ? step->compose->key : NULL;
	return request;
}

typedef struct build_request *make_fn(const struct step *step, const struct request_spec *spec,
				      struct arena *arena);
static make_fn *const makers[KINDS] = {
	[KIND_IMAGE] = for_image,
	[KIND_IMAGE_STREAM] = for_stream,
	[KIND_BUILDER] = for_builder,
	[KIND_CLUSTER_BUILDER] = for_builder,
};

struct build_request *request_make(const struct step *step, const struct request_spec *spec,
				   struct arena *arena, const struct build_event **refusal)
{
	*refusal = NULL;
	if (kind_has_builds(step->kind))
		return request_for_config(step, spec, arena, refusal);
	if (!makers[step->kind])
		BUG("%s has no worker", step->id);
	return makers[step->kind](step, spec, arena);
}
