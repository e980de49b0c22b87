/* SPDX-License-Identifier: Apache-2.0 */
/* cache_image.c — see cache_image.h. */
#include "buildexec/cnb/cache_image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buildexec/cnb/app_config.h"
#include "buildexec/cnb/export_layer.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/sys/fs.h"
#include "model/base/limits.h"
#include "model/base/time.h"
#include "model/doc/json.h"

struct pull {
	struct lifecycle *life;
	struct build_cache *cache;
	struct remote_image image;
	const char *dir; /* for blobs on their way */
};

/* The image and what its label says; *metadata stays empty when there is nothing to read. */
static bool read_image(struct pull *pull, struct cache_metadata *metadata, struct err *err)
{
	struct lifecycle *life = pull->life;
	const char *name = life->options.cache_image, *label;
	const struct platform host = platform_host();
	struct err problem = { 0 };
	struct node *json;
	struct ref ref;

	*metadata = (struct cache_metadata){ .sbom = "" };
	if (!ref_parse(name, life->arena, &ref, err))
		return false;
	if (!registry_read_image(life->registry, &ref, &host, life->arena, &pull->image,
				 &problem)) {
		if (problem.kind != ERR_ABSENT && problem.kind != ERR_INVALID) {
			*err = problem;
			return err_prefix(err, "cannot read cache image '%s'", name);
		}
		build_log_say("Cache image \"%s\" is not used: %s", name, problem.text);
		return true;
	}
	label = pairs_get(&pull->image.config.labels, LABEL_CACHE_METADATA);
	if (!label || !json_parse(label, strlen(label), life->arena, &json, &problem) ||
	    !cache_metadata_decode(json, life->arena, metadata, &problem)) {
		build_log_warn("cache image '%s' is not used: %s", name,
			       label ? problem.text : "it has no label '" LABEL_CACHE_METADATA "'");
		*metadata = (struct cache_metadata){ .sbom = "" };
	}
	return true;
}

/* A layer of the image; NULL when it has none of that diffID, or one that is no gzip. */
static const struct descriptor *find_layer(const struct remote_image *image, const char *diff_id)
{
	for (size_t i = 0; i < image->config.diff_ids.n && i < image->manifest.n_layers; i++)
		if (strcmp(image->config.diff_ids.v[i], diff_id) == 0)
			return strcmp(media_to_oci(image->manifest.layers[i].media_type),
				      MEDIA_OCI_LAYER_GZIP) == 0
				       ? &image->manifest.layers[i]
				       : NULL;
	return NULL;
}

/* From the folder, else from the registry. *is_there false: it cannot be had. */
static bool take_layer(const struct pull *pull, const char *diff_id, bool *is_there,
		       struct err *err)
{
	const struct descriptor *desc = find_layer(&pull->image, diff_id);
	struct arena *arena = pull->life->arena;
	struct layer_result result = { 0 };
	struct err problem = { 0 };

	*is_there = digest_is_valid(diff_id) && build_cache_keep(pull->cache, diff_id, arena);
	if (*is_there || !digest_is_valid(diff_id) || !desc)
		return true;
	snprintf(result.path, sizeof(result.path), "%s/%s", pull->dir, digest_hex(diff_id));
	snprintf(result.diff_id.text, sizeof(result.diff_id.text), "%s", diff_id);
	snprintf(result.digest.text, sizeof(result.digest.text), "%s", desc->digest);
	result.size_bytes = (uint64_t)desc->size_bytes;
	if (!registry_fetch_blob(pull->life->registry, &pull->image.ref, desc, result.path,
				 &problem)) {
		/* A cache that cannot be had only makes the build longer; what is wrong with this machine is another matter. */
		if (problem.kind == ERR_SYSTEM || problem.kind == ERR_CANCELLED) {
			*err = problem;
			return false;
		}
		build_log_warn("a layer of the cache image is not used: %s", problem.text);
		return true;
	}
	if (!build_cache_add(pull->cache, &result, arena, err))
		return false;
	if (unlink(result.path) != 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot remove '%s'", result.path);
	*is_there = true;
	return true;
}

static bool takes_part(const struct lifecycle *life, const char *id)
{
	for (size_t i = 0; i < life->group.n; i++)
		if (strcmp(life->group.v[i].id, id) == 0)
			return true;
	return false;
}

static bool take_buildpack(const struct pull *pull, const struct buildpack_record *from,
			   struct cache_metadata *to, struct err *err)
{
	struct buildpack_record record = *from;
	bool is_there;

	record.layers = (struct layer_records){ 0 };
	for (size_t i = 0; i < from->layers.n; i++) {
		if (!take_layer(pull, from->layers.v[i].sha, &is_there, err))
			return false;
		if (is_there)
			vec_push(pull->life->arena, &record.layers, from->layers.v[i]);
	}
	vec_push(pull->life->arena, &to->buildpacks, record);
	return true;
}

bool cache_image_pull(struct lifecycle *life, struct build_cache *cache, struct err *err)
{
	struct pull pull = { .life = life, .cache = cache };
	struct cache_metadata theirs, ours = { .sbom = "" };
	AUTO_TMPDIR temp = { 0 };
	bool has_sbom = false;

	if (!read_image(&pull, &theirs, err) ||
	    !tmpdir_make(life->options.work_dir, "cache-image", &temp, err) ||
	    !build_cache_begin(cache, life->arena, err))
		return false;
	pull.dir = temp.path;
	for (size_t i = 0; i < theirs.buildpacks.n; i++)
		if (takes_part(life, theirs.buildpacks.v[i].id) &&
		    !take_buildpack(&pull, &theirs.buildpacks.v[i], &ours, err))
			return false;
	if (theirs.sbom[0] && !take_layer(&pull, theirs.sbom, &has_sbom, err))
		return false;
	if (has_sbom)
		ours.sbom = theirs.sbom;
	if (!build_cache_commit(cache, &ours, life->arena, err))
		return false;
	cache->metadata = ours;
	return true;
}

/* Registries refuse images without layers: an archive of nothing stands for an empty cache. */
static bool add_empty(const struct lifecycle *life, struct image_draft *draft, struct err *err)
{
	struct strings none = { 0 };
	struct layer_source source = { .kind = LAYER_PATHS, .id = "empty cache", .paths = &none };
	struct layer_result result;

	if (!layer_source_write(life, &source, &result, err))
		return false;
	image_draft_add(draft, &result, NULL, life->arena);
	return true;
}

bool cache_image_push(struct lifecycle *life, const struct build_cache *cache,
		      const struct cache_metadata *metadata, struct err *err)
{
	struct arena *arena = life->arena;
	char created[TIME_TEXT];
	struct image_draft draft;
	struct image_bytes bytes;
	struct ref ref, app;
	const struct ref *const tags[] = { &ref };
	const struct image_push push = {
		.draft = &draft, .access = life->access, .tags = tags, .n_tags = 1
	};

	if (!ref_parse(life->options.image, arena, &app, err))
		return false;
	image_draft_init(&draft, NULL, arena);
	draft.config.platform = life->run_image.config.platform;
	time_format(CNB_CREATED_S, created);
	draft.config.created = arena_strdup(arena, created);
	app_config_set_label(arena, &draft.config.labels, LABEL_CACHE_METADATA,
			     app_config_label_text(cache_metadata_encode(metadata, arena), arena));
	for (size_t i = 0; i < cache->added.n; i++) {
		struct image_layer layer = { .diff_id = cache->added.v[i] };

		if (!build_cache_describe(cache, layer.diff_id, arena, &layer.desc, err))
			return false;
		layer.path = build_cache_find(cache, layer.diff_id, arena);
		/* What the application's image was just given need not be sent to the same registry again. */
		if (strings_has(&life->pushed, layer.desc.digest))
			layer.from = &app;
		vec_push(arena, &draft.layers, layer);
		vec_push(arena, &draft.history,
			 (struct history){ .created = draft.config.created });
	}
	if (draft.layers.n == 0 && !add_empty(life, &draft, err))
		return false;
	if (!ref_parse(life->options.cache_image, arena, &ref, err) ||
	    !image_push(&push, arena, &bytes, err)) {
		/* One that cannot be sent because it is damaged must not be in the way for good. */
		if (build_cache_verify(cache, arena))
			build_log_warn("cached layers were damaged and are made again");
		return err_prefix(err, "cannot save cache image '%s'", life->options.cache_image);
	}
	build_log_say("*** Cache image (%s):", bytes.manifest_desc.digest);
	build_log_say("      %s", life->options.cache_image);
	return true;
}
