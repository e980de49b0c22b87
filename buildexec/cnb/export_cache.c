/* SPDX-License-Identifier: Apache-2.0 */
/* export_cache.c — the layers that stay for the next build. See cache.h. */
#include <string.h>

#include "buildexec/cnb/cache_image.h"
#include "buildexec/cnb/export_state.h"
#include "buildexec/cnb/foreign.h"
#include "buildexec/sys/build_log.h"
#include "buildexec/sys/fs.h"

/* One cached layer: kept, or taken from what the image was made of, or written now. */
static bool put_layer(struct export *export, struct build_cache *cache,
		      const struct layer_source *source, const char *old_sha, const char **sha,
		      struct err *err)
{
	const struct layer_result *result = map_get(&export->written, source->dir);
	struct digest digest;

	if (!result && old_sha && old_sha[0]) {
		if (!layer_source_hash(export->life, source, &digest, err))
			return false;
		if (strcmp(digest.text, old_sha) == 0 &&
		    build_cache_keep(cache, digest.text, export->arena)) {
			build_log_say("Reusing cache layer '%s'", source->id);
			*sha = arena_strdup(export->arena, digest.text);
			return true;
		}
	}
	if (!result)
		result = export_write_layer(export, source, err);
	if (!result || !build_cache_add(cache, result, export->arena, err))
		return false;
	build_log_say("Adding cache layer '%s'", source->id);
	*sha = result->diff_id.text;
	return true;
}

/* *sha NULL: there is no room for it. */
static bool cache_layer(struct export *export, struct build_cache *cache,
			const struct layer_source *source, const char *old_sha, const char **sha,
			struct err *err)
{
	size_t n_before = cache->added.n;

	if (!put_layer(export, cache, source, old_sha, sha, err))
		return false;
	if (cache->added.n == n_before ||
	    build_cache_fits(cache, export->life->options.cache_bytes, export->arena))
		return true;
	build_log_warn("layer '%s' is not cached: all of them would have more than the %llu MiB of "
		       "spec.cache.volume.size",
		       source->id, (unsigned long long)(export->life->options.cache_bytes >> 20));
	*sha = NULL;
	return true;
}

static bool cache_buildpack(struct export *export, struct build_cache *cache, size_t at,
			    struct cache_metadata *metadata, struct err *err)
{
	const struct group_element *element = &export->life->group.v[at];
	const struct layers_dir *dir = &export->dirs.v[at];
	const struct buildpack_record *old =
		buildpack_record_find(&cache->metadata.buildpacks, element->id);
	struct buildpack_record record = { .id = element->id, .version = element->version };
	struct arena *arena = export->arena;

	for (size_t i = 0; i < dir->n; i++) {
		struct layer_record layer = dir->v[i].record;
		const struct layer_record *was = layer_record_find(old, layer.name);
		struct layer_source source = {
			.kind = LAYER_DIR,
			.id = arena_printf(arena, "%s:%s", element->id, layer.name),
			.dir = dir->v[i].path,
			.name = arena_printf(arena, CNB_LAYERS_DIR "/%s/%s",
					     cnb_escape_id(element->id, arena), layer.name),
		};

		if (!layer.is_cache)
			continue;
		if (!dir->v[i].has_contents) {
			build_log_warn("Failed to cache layer '%s' because it has no contents",
				       source.id);
			continue;
		}
		if (!cache_layer(export, cache, &source, was ? was->sha : NULL, &layer.sha, err))
			return false;
		if (!layer.sha)
			continue;
		vec_push(arena, &record.layers, layer);
		vec_push(arena, &export->cached,
			 (struct kept_layer){ source.dir, source.name, layer.sha });
	}
	vec_push(arena, &metadata->buildpacks, record);
	return true;
}

static bool cache_sbom(struct export *export, struct build_cache *cache,
		       struct cache_metadata *metadata, struct err *err)
{
	const struct lifecycle *life = export->life;
	struct layer_source source = {
		.kind = LAYER_DIR,
		.id = "buildpacksio/lifecycle:cache.sbom",
		.dir = path_join(export->arena, life->options.layers_dir, "sbom/cache"),
		.name = CNB_LAYERS_DIR "/sbom/cache",
	};

	if (!cnb_api_at_least(life->options.platform_api, 8) ||
	    !foreign_is_dir_below(life->options.layers_dir, "sbom/cache", export->arena))
		return true;
	if (!cache_layer(export, cache, &source, cache->metadata.sbom, &metadata->sbom, err))
		return false;
	if (!metadata->sbom)
		metadata->sbom = "";
	return true;
}

/* The folders too, as far as there is room; nothing else needs them any more. */
static void keep_folders(struct export *export, const struct build_cache *cache)
{
	const uint64_t max_bytes = export->life->options.cache_bytes;
	uint64_t room_bytes = max_bytes ? max_bytes - cache->n_bytes : UINT64_MAX;

	for (size_t i = 0; i < export->cached.n; i++)
		kept_layer_put(export->life, &export->cached.v[i], &room_bytes);
	kept_layer_sweep(export->life, &cache->added);
}

bool export_cache(struct export *export, struct err *err)
{
	AUTO_BUILD_CACHE cache = { .lock_fd = -1 };
	struct cache_metadata metadata = { .sbom = "" };

	if (!build_cache_open(export->life->options.cache_dir, export->arena, &cache, err) ||
	    !build_cache_begin(&cache, export->arena, err))
		return false;
	for (size_t i = 0; i < export->life->group.n; i++)
		if (!cache_buildpack(export, &cache, i, &metadata, err))
			return false;
	if (!cache_sbom(export, &cache, &metadata, err) ||
	    !build_cache_commit(&cache, &metadata, export->arena, err))
		return false;
	keep_folders(export, &cache);
	return !export->life->options.cache_image ||
	       cache_image_push(export->life, &cache, &metadata, err);
}
